/* Random spectra, drawn entry by entry in Fourier space, and their inner product. */
#ifndef PL_NETS_GROUP_DRAW_H
#define PL_NETS_GROUP_DRAW_H

#include "model/data.h"
#include "spectral/layout.h"

/* Number of sample i of a part, as a member of random streams: those of the parts beside training
 * lie beyond all of its own. */
static inline int64_t draw_member(pl_part part, int64_t i) {
  enum { FIRST = 1 << 24 };
  return part == PL_TRAIN ? i : part == PL_TEST ? FIRST + i : 2 * FIRST + i;
}

/* Where irrep i's first entry stands in the packed order of the group: the index of its random
 * numbers, which must not depend on the layout.  Owned by the caller (pl_free).  Local. */
int64_t *draw_packed_offsets(const pl_group *g);
/* Real Gaussian function with E|entry|^2 = scale^2 v/d.  packed: of draw_packed_offsets.  Local. */
void draw_gaussian(const pl_layout *l, const int64_t *packed, uint64_t seed, uint64_t stream,
                   double scale, double v, double *F);
/* The standard deviation of entries of a stack there; entries first .. first + n - 1 of this rank's
 * part of one, which in a quaternionic stack are whole matrices.  Local. */
double draw_deviation(const pl_stack *b, double scale, double v);
void draw_gaussian_part(const pl_stack *b, const int64_t *packed, uint64_t seed, uint64_t stream,
                        double deviation, int64_t first, int64_t n, double *out);
/* Complete a d x d matrix of quaternionic type from the first columns of its 2 x 2 blocks.
 * Local. */
void draw_pair_up(int d, double *F);
/* Sum over the team of <F, H> over the group.  Collective. */
double draw_inner(const pl_layout *l, const double *F, const double *H);

#endif
