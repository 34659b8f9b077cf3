/* Certificates of the linear G-CNN: upper bounds of the normalised margin of any beta. */
#ifndef PL_NETS_GROUP_GCNN_DUAL_H
#define PL_NETS_GROUP_GCNN_DUAL_H

#include "gcnn_net.h"

/* Where a real irrep has more dimensions than m->dear, bounds are estimated before one is proved:
 * there a look by products alone costs a small part of all singular values. */
enum { GCNN_DUAL_DEAR = 1024 };

/* Doubles of m->running. */
int64_t gcnn_running_size(int64_t samples);
/* Take the weights of a step (a >= 0, not all zero) into the running averages.  Local. */
void gcnn_average_weights(gcnn *m, const double *a);
/* The least D(a) = (1/V) max_rho ||sum_i a_i y_i X_i,rho||_2, a >= 0 with sum 1, of the weights
 * now, their averages, multipliers (NULL: none), all candidates of earlier records, and, where
 * margin, the normalised margin of the filters (on the first rank; elsewhere ignored), is positive,
 * these polished (gcnn_polish.h): until 1 - margin / D is known to be at most 4/3 of what it would
 * be with the least D of all, or for a few rounds; later records go on.  No beta has a normalised
 * margin min_i y_i <x_i, beta> / S_1(beta) above it, as <x, beta> <= S_1(beta) max_rho
 * ||X_rho||_2 / V (duality of the nuclear and the spectral norm).  From all singular values, never
 * from an iteration that could stop below; where irreps are large, those of the one candidate that
 * estimates from products alone put first.  Collective; overwrites the workspace of a step. */
double gcnn_dual_bound(gcnn *m, const double *multipliers, double margin);

#endif
