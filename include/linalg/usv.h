/* Singular value decomposition with vectors, A = U S V^H, on one rank: all of them, of small and
 * middling matrices, or the leading ones, of large matrices too.  Where values alone are wanted,
 * linalg/svd.h is several times faster. */
#ifndef PL_LINALG_USV_H
#define PL_LINALG_USV_H

#include "base/status.h"

#include <stdbool.h>

typedef struct pl_usv pl_usv; /* workspace */

/* For d x d matrices, d <= max_dim; complex_too: also complex ones.  Local. */
pl_usv *pl_usv_new(int max_dim, bool complex_too);
void pl_usv_free(pl_usv *w);

/* a: d x d row-major, complex as (re, im) pairs, overwritten.  u and vh: U and V^H likewise;
 * sigma: d values, decreasing.  None overlap.  PL_NUMERIC: an entry is not finite or the iteration
 * does not converge; the results are then undefined.  Local; no allocation. */
pl_status pl_usv_apply(pl_usv *w, int d, bool is_complex, double *a, double *u, double *sigma,
                       double *vh);
/* a <- U V^H over the singular values above d eps sigma_1: the polar factor, which is the matrix of
 * spectral norm 1 that has the largest product with a.  As pl_usv_apply. */
pl_status pl_usv_polar(pl_usv *w, int d, bool is_complex, double *a);

/* Workspace for pl_usv_leading alone; pl_usv_free gives it back.  Local. */
pl_usv *pl_usv_leading_new(int max_dim, bool complex_too);
/* All singular values, and the vectors of those above floor: *r of them, U^H and V^H as rows, left
 * and right [*r][d] (room for [d][d]).  Large matrices are reduced in two stages (linalg/bidiag.h).
 * As pl_usv_apply. */
pl_status pl_usv_leading(pl_usv *w, int d, bool is_complex, double *a, double floor, int *r,
                         double *sigma, double *left, double *right);

#endif
