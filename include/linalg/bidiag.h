/* Singular values of a large matrix by reduction in two stages.
 *
 *   A  --(block QR and LQ)-->  upper band, PL_BAND superdiagonals  --(bulge chasing)-->
 *      bidiagonal  --(dqds)-->  singular values
 *
 * The usual direct reduction to bidiagonal form spends half its flops in matrix-vector products
 * and so runs at the speed of memory; here the first stage (8/3 d^3 flops, four times that for
 * complex matrices) is all matrix-matrix products, and the second (16 d^2 PL_BAND flops) works on a
 * band that stays in cache. (Grosser and Lang, Parallel Computing 25, 1999; Haidar, Kurzak and
 * Luszczek, SC 2013.) */
#ifndef PL_LINALG_BIDIAG_H
#define PL_LINALG_BIDIAG_H

#include <stdbool.h>
#include <stdint.h>

/* Superdiagonals of the band: wide enough for fast products, narrow enough for the cache. */
enum { PL_BAND = 32 };

/* Doubles of workspace for d x d. */
int64_t pl_bidiag_work(int d, bool is_complex);
/* All singular values of a (d x d, column-major, complex as (re, im) pairs, overwritten),
 * decreasing, into sigma.  Entries must be finite and the largest of order 1: anything below 1e-140
 * may be taken for zero.  Returns 0, dlasq1's info when that fails, or -1 when it is given up at a
 * pause (base/pause.h).  Local; allocates nothing. */
int pl_bidiag_values(int d, bool is_complex, double *a, double *sigma, double *work);

/* Singular vectors too, of the values above floor: *r of them, left and right d x r, column-major
 * (room for d x d), A = left S right^H on them.  The bidiagonal matrix is decomposed by divide and
 * conquer, its vectors brought back through both stages in blocks: where r is small this costs
 * little more than the values.  iwork: 8 d.  Returns 0, or dbdsdc's
 * info; else as pl_bidiag_values. */
int64_t pl_bidiag_vectors_work(int d, bool is_complex);
int pl_bidiag_vectors(int d, bool is_complex, double *a, double floor, int *r, double *sigma,
                      double *left, double *right, double *work, int *iwork);

#endif
