/* The levels up to 5 of the transform on S_n as straight code on registers.  Internal to the
 * transform; the maps W_k^mu are explained in group/sn_level.h. */
#ifndef PL_GROUP_SN_CODELET_H
#define PL_GROUP_SN_CODELET_H

#include <stdint.h>
#include <string.h>

/* Doubles that go through the same arithmetic: the one unit of all data in here.  As many as one
 * register holds, since wider vectors are split through memory. */
#ifdef __AVX512F__
enum { PL_LANES = 8 };
#else
enum { PL_LANES = 4 };
#endif
typedef double pl_vec __attribute__((vector_size(PL_LANES * sizeof(double))));

/* The first min(count, PL_LANES) doubles, the rest zeros; and back, touching no others. */
static inline void pl_sn_part_in(const double *from, int64_t count, pl_vec *v) {
  double x[PL_LANES];
#pragma omp simd
  for (int64_t u = 0; u < PL_LANES; u++) x[u] = u < count ? from[u] : 0;
  memcpy(v, x, sizeof *v);
}
static inline void pl_sn_part_out(const pl_vec *v, double *to, int64_t count) {
  double x[PL_LANES];
  memcpy(x, v, sizeof *v);
#pragma omp simd
  for (int64_t u = 0; u < PL_LANES; u++)
    if (u < count) to[u] = x[u];
}

enum { PL_SN_SMALL = 5 };

/* A whole transform on S_k in each lane, k = 1..5, unitary scaling: k! vectors f to the packed
 * row-major matrices F, or back.  Not overlapping. */
void pl_sn_small_forward(int k, const pl_vec *f, pl_vec *F);
void pl_sn_small_backward(int k, pl_vec *f, const pl_vec *F);

/* W_5^nu for the nu-th partition of 4 on w columns.  f[j-1]: d_nu rows of F_j; y[l]: d_lambda rows
 * of the l-th shape covering nu; rows are w vectors, contiguous. */
void pl_sn_five_forward(int nu, int64_t w, pl_vec *const *f, pl_vec *const *y);
void pl_sn_five_backward(int nu, int64_t w, pl_vec *const *f, pl_vec *const *y);

#endif
