/* Fast Fourier transform of real functions on a group (conventions: group/group.h).
 *
 * A plan chooses the algorithm, precomputes and allocates; applying it cannot fail and allocates
 * nothing.  S_n: butterflies along S_1 < S_2 < .. < S_n (group/sn_fft.h); cyclic factors: FFTW;
 * N : H: 2-d FFTW and small matrices on orbits; small groups: their Fourier matrix through GEMM;
 * products: axis by axis.
 *
 * Coefficients: the matrix of irrep i stands at F + offset[i], pl_irrep_size doubles; offset ==
 * NULL at plan time means packed in irrep order.  A batch of transforms is strided. */
#ifndef PL_GROUP_FOURIER_H
#define PL_GROUP_FOURIER_H

#include "group/group.h"

typedef struct pl_fourier pl_fourier;

/* Plan for g (no band; borrowed; must outlive the plan).  offset: one entry per irrep, copied;
 * NULL: packed in irrep order.  PL_EENV with a message when the group is too large to transform in
 * memory. */
pl_status pl_fourier_new(const pl_group *g, const int64_t *offset, pl_fourier **out);
void pl_fourier_free(pl_fourier *plan);
/* Bytes of tables and workspace a plan for g holds (estimate, for the planner). */
int64_t pl_fourier_bytes(const pl_group *g);

/* Doubles of one packed coefficient record: the sum of pl_irrep_size. */
int64_t pl_fourier_size(const pl_group *g);

/* May f and F be the same array, in a batch of one?  Else they must not overlap, and the argument
 * is left unchanged.  Pure. */
bool pl_fourier_in_place(const pl_group *g);

/* F_rho = sum_g f(g) rho(g) for each of batch functions.  f: function b at f + b*f_stride, |G|
 * doubles; F: record b at F + b*F_stride. */
void pl_fourier_forward(pl_fourier *plan, int batch, const double *f, int64_t f_stride, double *F,
                        int64_t F_stride);
/* f(g) = (1/|G|) sum_rho m d Re tr(F_rho rho(g)^H). */
void pl_fourier_inverse(pl_fourier *plan, int batch, const double *F, int64_t F_stride, double *f,
                        int64_t f_stride);

/* The direct sums, from pl_group_irrep_matrix: O(|G| sum d^2); packed order.  Oracles of the fast
 * transforms. */
void pl_fourier_forward_direct(const pl_group *g, const double *f, double *F);
void pl_fourier_inverse_direct(const pl_group *g, const double *F, double *f);

#endif
