/* Functions of positive type: phi(x) = <v, rho(x) v> of an irrep rho known by its character alone,
 * v a unit vector, from which group/irreps.h makes its matrices (there stands how; internal to
 * group/). */
#ifndef PL_GROUP_POSITIVE_H
#define PL_GROUP_POSITIVE_H

#include "group/finite.h"
#include "group/group.h"

#include <complex.h>

typedef struct pl_positive pl_positive;

/* Workspace for irreps of dimension up to widest, widest |G| numbers.  f, c and draws, the count of
 * random numbers that the whole search shares, are borrowed.  Local. */
pl_positive *pl_positive_new(const pl_finite *f, const pl_classes *c, int64_t widest,
                             uint64_t *draws);
void pl_positive_free(pl_positive *s); /* may be NULL */

/* phi[|G|], real for real type, of the irrep with these values chi on the classes, of dimension
 * d > 1; phi(1) = 1.  PL_NUMERIC: no simple eigenvalue was found.  Local. */
pl_status pl_positive_function(pl_positive *s, const double _Complex *chi, int d,
                               pl_irrep_type type, double _Complex *phi);

#endif
