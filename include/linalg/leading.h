/* The largest singular values of a large real matrix, with vectors, from products alone: for
 * subspaces that need not be exact, never for values that are recorded. */
#ifndef PL_LINALG_LEADING_H
#define PL_LINALG_LEADING_H

#include <stdbool.h>
#include <stdint.h>

/* out_j = A x_j, or A^T x_j (transposed), j < num: vectors are rows of d numbers. */
typedef void pl_products(void *context, bool transposed, int num, const double *x, double *out);

/* Most triplets that are asked for, and most vectors that are multiplied at once. */
enum { PL_LEADING = 24, PL_LEADING_SPACE = 96 };

/* Doubles of workspace. */
int64_t pl_leading_work(int d);
/* sigma: r values, decreasing, each at most that of A, to rounding of the first; left, right:
 * [r][d], orthonormal, with A right_j = sigma_j left_j to rounding; r <= PL_LEADING.  From a block
 * Krylov space of A^T A that starts with random vectors (Musco and Musco, NIPS 2015): a fraction of
 * the time of all singular values.  Values not found, or below a thousandth of the first, are 0
 * with vectors 0; NaN where A has an entry that is not finite.  Collective where the products are;
 * no allocation. */
void pl_leading(int d, int r, pl_products *products, void *context, double *sigma, double *left,
                double *right, double *work);

#endif
