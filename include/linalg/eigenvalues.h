/* Eigenvalues and determinants of small and middling general matrices on one rank. */
#ifndef PL_LINALG_EIGENVALUES_H
#define PL_LINALG_EIGENVALUES_H

#include "base/status.h"

#include <stdbool.h>

typedef struct pl_eigenvalues pl_eigenvalues; /* workspace */

/* For d x d matrices, d <= max_dim; complex_too: also complex ones.  Local. */
pl_eigenvalues *pl_eigenvalues_new(int max_dim, bool complex_too);
void pl_eigenvalues_free(pl_eigenvalues *w);

/* a: d x d, complex as (re, im) pairs, overwritten; the order of rows and columns does not matter.
 * values: d pairs (re, im); those of real matrices come in exact conjugate pairs, or with im 0.
 * PL_NUMERIC: an entry is not finite or the iteration does not converge; values are then NaN.
 * Local; no allocation. */
pl_status pl_eigenvalues_apply(pl_eigenvalues *w, int d, bool is_complex, double *a,
                               double *values);
/* det a = *sign exp(*log_abs): sign +1, -1 or 0 (log_abs then -infinity); of complex matrices the
 * modulus alone, sign NaN.  NaN both where an entry is not finite.  As pl_eigenvalues_apply. */
void pl_determinant(pl_eigenvalues *w, int d, bool is_complex, double *a, double *sign,
                    double *log_abs);

#endif
