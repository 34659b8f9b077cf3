/* Charged particles that attract and repel each other, many systems at once.  Local. */
#ifndef PL_NETS_POINTS_ORBIT_H
#define PL_NETS_POINTS_ORBIT_H

#include "base/status.h"

#include <stdint.h>

/* Symplectic Euler, `steps` times
 *   v_i += dt F_i,  F_i = sum_j q_i q_j (x_i - x_j)/||x_i - x_j||^3, each component of the sum cut
 * to
 *                   +-most
 *   x_i += dt v_i
 * so that v ends as it was before the next kick.  count systems of `nodes` particles in `axes`
 * dimensions; q: [count][nodes], x, v: [count][nodes][axes].  A system's orbit does not depend on
 * the others.  Pauses (base/pause.h); told to stop it leaves x and v somewhere on the way. */
pl_status pl_orbit(int64_t count, int64_t nodes, int64_t axes, const double *q, double dt,
                   double most, int64_t steps, double *x, double *v);

#endif
