/* Fourier coefficients of sums of permutations on the irreps of S_n of codepth at most k, the
 * partitions with first row n - k or longer (conventions: group/group.h; matrices as for S_n
 * there). Never lists the group, so that n may be large.
 *
 * t = c_n .. c_3 c_2 with c_m = s_j s_(j+1) .. s_(m-1) from the cosets of S_(m-1) in S_m (s_i
 * exchanges i and i+1).  rho(c_2), rho(c_3), .. are applied from the left, one s_i after the other:
 * the product up to c_m is block diagonal, a block for each way down from lambda to a partition of
 * m; and in a block s_i moves only rows of tableaux in which i or i+1 stands below the first row.
 * 0.5 to 0.75 n d^2 multiplications for each permutation. */
#ifndef PL_GROUP_BAND_H
#define PL_GROUP_BAND_H

#include <stdint.h>

typedef struct pl_band pl_band;

/* Tables for S_n, n <= 127, and codepth k, 0 < k < n, with room for some columns of a matrix: not
 * to be used by two threads at once.  Owned by the caller.  Local, like all that follows. */
pl_band *pl_band_new(int n, int k);
void pl_band_free(pl_band *b);

/* The irreps: numbered as in S_n, of which they are the first ones. */
int pl_band_num_irreps(const pl_band *b);
int pl_band_dim(const pl_band *b, int irrep);

/* F += sum_p weights[p] rho(s_p) on one irrep, p < count.  perms: [count][n], s_p in one-line
 * notation from 0 (group/perm.h).  Only the columns cols[0..num_cols-1], which increase; NULL: all
 * d.  F: [d][num_cols] row-major.
 * No allocation, here and below. */
void pl_band_add(const pl_band *b, int irrep, int count, const int8_t *perms, const double *weights,
                 int num_cols, const int *cols, double *F);
/* out[p] += tr(rho(s_p)^T F) over those columns, p < count. */
void pl_band_dot(const pl_band *b, int irrep, int count, const int8_t *perms, int num_cols,
                 const int *cols, const double *F, double *out);

#endif
