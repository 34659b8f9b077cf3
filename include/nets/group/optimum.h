/* The convex problem of depth 2, solved: the largest normalised margin of any beta,
 *
 *   max { min_i y_i <x_i, b> : S_1(b) <= 1 } = min { D(a) : a >= 0, sum a = 1 },
 *   D(a) = (1/|G|) max_rho ||sum_i a_i y_i X_i,rho||_2.
 *
 * Scaled, the right-hand side is: maximise sum_i a_i subject to ||M_rho||_2 <= 1, M = sum a_i y_i
 * X_i, a >= 0; solved by Newton's method on the barrier - sum_rho log det(1 - M M^H) - sum log a_i
 * (self-concordant: Nesterov and Nemirovskii 1994).  Along the path B_rho = (1 - M M^H)^-1 M / (m
 * d) is a feasible beta, so every step has a bound on either side.  Of many samples few decide: the
 * problem of some of them bounds that of all from above, its beta from below by the least margin of
 * all, and the samples whose margins are too small join the next round. */
#ifndef PL_NETS_GROUP_OPTIMUM_H
#define PL_NETS_GROUP_OPTIMUM_H

#include "model/spec.h"

#include <stdbool.h>

typedef struct pl_optimum {
  double margin;    /* normalised margin of an explicit beta: a lower bound */
  double bound;     /* D(a) of an explicit a: an upper bound */
  bool inseparable; /* proved to PL_OPTIMUM_ZERO */
  int iterations;
} pl_optimum;

/* Samples, scaled to norms between 1 and 2, count as not separable once some a >= 0 has
 * ||sum a_i y_i X_i||_2 <= PL_OPTIMUM_ZERO sum a_i: with 0 in place of that, no beta is on the
 * right side of them all (Gordan 1873). */
static const double PL_OPTIMUM_ZERO = 1e-8;

/* PL_EINPUT: the data are not labelled functions on a group.  Local; reads no file. */
pl_status pl_optimum_fits(const pl_spec *spec);
/* Solve for the training part of spec's data until bound - margin <= gap * bound, or until the data
 * are proved not separable: their optimum is 0, margin is 0 and bound that of the certificate.
 * Samples may have any norms.  PL_NUMERIC: neither was reached, out is what is known; PL_EINPUT as
 * pl_optimum_fits.  Local. */
pl_status pl_optimum_solve(const pl_spec *spec, double gap, pl_optimum *out);

#endif
