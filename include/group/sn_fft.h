/* Fast Fourier transform on S_n, n <= 13, in the conventions of group/group.h: f in lexicographic
 * element order, irreps rho_lambda(s) = YOR_lambda(w s w) (group/young.h) in decreasing
 * lexicographic order of partitions,
 *
 *   F_lambda = sum_s f(s) rho_lambda(s),     f(s) = (1/n!) sum_lambda d_lambda tr(F_lambda
 * rho(s)^T)
 *
 * F_lambda row-major d x d at F + offset[lambda].  About 32, 39, 48, 57, 67 multiply-adds per
 * element at n = 8 .. 12: levels of small orthogonal maps (group/sn_level.h) along
 * S_1 < S_2 < .. < S_n.
 *
 * How it runs.  Blocks of (n-1)! consecutive elements are left cosets of S_(n-1); they are walked
 * depth first, so that a transform on S_8 stays in cache.
 *   Levels <= 7: the lanes of a vector are cosets, or functions of a batch (n <= 7); levels <= 5
 * are straight code on registers (group/sn_codelet.h). Levels >= 8: the lanes are columns of a
 * matrix, which all go through the same arithmetic. A matrix is stored in panels, the columns that
 * share a shape at level 5 or 7, row after row, so that every step of a level is one flat loop over
 * contiguous vectors.  The caller's row-major matrices are met at level n only. Everything is
 * Local. */
#ifndef PL_GROUP_SN_FFT_H
#define PL_GROUP_SN_FFT_H

#include "base/status.h"

#include <stdint.h>

typedef struct pl_sn_fft pl_sn_fft;

/* Plan for S_n.  offset: one entry per partition, copied; NULL: packed in order.  The plan holds
 * tables and workspace of about 1.3 n! doubles (n >= 10); not to be used by two threads at once.
 * PL_EINPUT with a message when n is not in 1..13. */
pl_status pl_sn_fft_new(int n, const int64_t *offset, pl_sn_fft **out);
void pl_sn_fft_free(pl_sn_fft *plan);
/* Bytes a plan for S_n holds, without making one. */
int64_t pl_sn_fft_bytes(int n);

/* f: function b at f + b*f_stride, n! doubles; F: record b at F + b*F_stride.  f and F must not
 * overlap, and the argument is left unchanged; or, for n >= PL_SN_IN_PLACE and a batch of one, they
 * are the same array.  No alignment is asked for. */
enum { PL_SN_IN_PLACE = 8, PL_SN_FFT_MAX = 13 };
void pl_sn_fft_forward(pl_sn_fft *plan, int batch, const double *f, int64_t f_stride, double *F,
                       int64_t F_stride);
void pl_sn_fft_inverse(pl_sn_fft *plan, int batch, const double *F, int64_t F_stride, double *f,
                       int64_t f_stride);

#endif
