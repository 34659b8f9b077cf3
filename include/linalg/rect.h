/* Real matrices with different numbers of rows and columns, on one rank: singular values and polar
 * factors.  Square ones, and complex ones: linalg/svd.h, linalg/usv.h. */
#ifndef PL_LINALG_RECT_H
#define PL_LINALG_RECT_H

#include "base/status.h"

#include <stdint.h>

typedef struct pl_rect pl_rect; /* workspace */

/* For matrices of up to rows x cols and cols x rows.  Local. */
pl_rect *pl_rect_new(int64_t rows, int64_t cols);
/* For these, too; takes less than one workspace for the most rows and the most columns.  Local. */
void pl_rect_admit(pl_rect *w, int64_t rows, int64_t cols);
void pl_rect_free(pl_rect *w);

/* sigma: min(rows, cols) singular values of a, decreasing.  a: row-major, kept.  PL_NUMERIC: an
 * entry is not finite or the iteration does not converge; the values are then NaN.  Local; no
 * allocation. */
pl_status pl_rect_singular_values(pl_rect *w, int64_t rows, int64_t cols, const double *a,
                                  double *sigma);
/* a <- U V^T over the singular values above max(rows, cols) eps sigma_1.  As above. */
pl_status pl_rect_polar(pl_rect *w, int64_t rows, int64_t cols, double *a);

#endif
