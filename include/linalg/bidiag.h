/* Singular values of a large real matrix by reduction in two stages.
 *
 *   A  --(block QR and LQ)-->  upper band, PL_BAND superdiagonals  --(bulge chasing)-->
 *      bidiagonal  --(dqds)-->  singular values
 *
 * The usual direct reduction to bidiagonal form spends half its flops in matrix-vector products
 * and so runs at the speed of memory; here the first stage (8/3 d^3 flops) is all matrix-matrix
 * products, and the second (16 d^2 PL_BAND flops) works on a band that stays in cache.
 * (Grosser and Lang, Parallel Computing 25, 1999; Haidar, Kurzak and Luszczek, SC 2013.) */
#ifndef PL_LINALG_BIDIAG_H
#define PL_LINALG_BIDIAG_H

#include <stdint.h>

/* Superdiagonals of the band: wide enough for fast products, narrow enough for the cache. */
enum { PL_BAND = 32 };

/* Doubles of workspace for d x d. */
int64_t pl_bidiag_work(int d);
/* All singular values of a (d x d, column-major, overwritten), decreasing, into sigma.  Entries
 * must be finite and the largest of order 1: anything below 1e-140 may be taken for zero.  Returns
 * 0, or dlasq1's info when that fails.  Local; allocates nothing. */
int pl_bidiag_values(int d, double *a, double *sigma, double *work);

#endif
