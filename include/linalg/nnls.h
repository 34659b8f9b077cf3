/* Non-negative least squares from the Gram matrix: projection onto the cone of a few vectors. */
#ifndef PL_LINALG_NNLS_H
#define PL_LINALG_NNLS_H

#include <stdint.h>

/* The a >= 0 that minimises a^T K a - 2 h^T a; K: n x n, symmetric, positive semidefinite.  Active
 * set method of Lawson and Hanson (Solving Least Squares Problems, 1974, ch. 23).  Where vectors
 * are dependent, one of the solutions.  Local. */
void pl_nnls(int64_t n, const double *K, const double *h, double *a);

#endif
