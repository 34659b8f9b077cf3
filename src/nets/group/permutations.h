/* Sums of permutations as spectra, over S_n or in a band of it. */
#ifndef PL_NETS_GROUP_PERMUTATIONS_H
#define PL_NETS_GROUP_PERMUTATIONS_H

#include "group/band.h"
#include "spectral/transform.h"

/* The tables of the layout's band, or if whole_too those of a whole S_n, n > 1; else NULL.  Owned
 * by the caller (pl_band_free).  Local. */
pl_band *permutations_tables(const pl_layout *l, bool whole_too);

/* This rank's part of one stack: F += sum_p weights[p] rho(s_p), and out[p] += its share of the sum
 * of the entries of rho(s_p) times those of F, p < count, without the irrep number `without` (-1:
 * with all).  perms: [count][n], one-line from 0.  room: permutations_room doubles.  Local, no
 * allocation. */
int64_t permutations_room(const pl_layout *l);
void permutations_add(const pl_stack *b, const pl_band *tables, int64_t without, int count,
                      const int8_t *perms, const double *weights, double *room, double *F);
void permutations_dot(const pl_stack *b, const pl_band *tables, int64_t without, int count,
                      const int8_t *perms, double *room, const double *F, double *out);

/* F = sum_p weights[p] rho(s_p) over S_n or a band of it, p < count.  perms: [count][n], one-line
 * from 0.  tables: as above; NULL: the transform and a workspace f take their place.  Each rank
 * makes what it holds.  Collective. */
void permutations_sum(const pl_layout *l, pl_transform *t, const pl_band *tables, int64_t count,
                      const int8_t *perms, const double *weights, double *f, double *F);

#endif
