/* Sums of permutations as spectra, over S_n or in a band of it. */
#ifndef PL_NETS_GROUP_PERMUTATIONS_H
#define PL_NETS_GROUP_PERMUTATIONS_H

#include "group/band.h"
#include "spectral/transform.h"

/* The tables of the layout's band; NULL for a whole group.  Owned by the caller (pl_band_free).
 * Local. */
pl_band *permutations_tables(const pl_layout *l);
/* F = sum_p weights[p] rho(s_p) over S_n or a band of it, p < count.  perms: [count][n], one-line
 * from 0.  tables: of the band; for the whole group NULL, and its transform and a workspace f take
 * their place.  Each rank makes what it holds.  Collective. */
void permutations_sum(const pl_layout *l, pl_transform *t, const pl_band *tables, int64_t count,
                      const int8_t *perms, const double *weights, double *f, double *F);

#endif
