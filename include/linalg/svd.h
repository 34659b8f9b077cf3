/* All singular values of a matrix, in decreasing order.  One function behind which the algorithm
 * can change: LAPACK's for small matrices, a reduction in two stages (linalg/bidiag.h) for large
 * ones, from the size where it wins on this machine, ScaLAPACK's on grids of many ranks.  Absolute
 * error a small multiple of eps sigma_1 sqrt(d).
 *
 * Numerical trouble is a status, never an abort: PL_NUMERIC when an entry is not finite or the
 * iteration does not converge (values are then NaN). */
#ifndef PL_LINALG_SVD_H
#define PL_LINALG_SVD_H

#include "base/rates.h"
#include "linalg/dmat.h"

#include <stdbool.h>

typedef struct pl_svd pl_svd; /* workspace for matrices up to a size, on one rank */

/* Workspace for real (and, if complex_too, complex) d x d matrices, d <= max_dim.  rates: where
 * methods change (NULL: the nominal sizes); not kept.  Local. */
pl_svd *pl_svd_new(int max_dim, bool complex_too, const pl_rates *rates);
void pl_svd_free(pl_svd *svd);
int64_t pl_svd_bytes(int max_dim, bool complex_too);

/* a: d x d, overwritten (row- or column-major: the values are the same); sigma: d values. Local. */
pl_status pl_svd_real(pl_svd *svd, int d, double *a, double *sigma);
pl_status pl_svd_complex(pl_svd *svd, int d, double *a /* (re, im) */, double *sigma);

/* Measure the seconds of all singular values, and where two stages win, into rates; a fifth of a
 * second.  Local. */
void pl_svd_rates(pl_rates *rates);

/* The same for a square block-cyclic matrix, overwritten; work belongs to the caller: at least
 * pl_svd_grid_work doubles, a number that differs by rank (a grid of few ranks gathers the matrix
 * on its first one, which then needs d*d and some, the others nothing).  sigma: d values, the same
 * on every rank of the grid.  Both are Collective over the grid; every rank returns the same
 * status. A rank outside the grid needs 0 doubles, leaves sigma alone and gets PL_OK. */
int64_t pl_svd_grid_work(const pl_dmat *d);
/* Bytes of it for d x d on the first rank of a grid (estimate, for a planner). */
int64_t pl_svd_grid_bytes(int d, int ranks);
pl_status pl_svd_grid(const pl_dmat *d, double *a, double *sigma, double *work, int64_t lwork);

#endif
