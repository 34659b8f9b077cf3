/* Hermitian eigenproblems (internal to group/). */
#ifndef PL_GROUP_EIGEN_H
#define PL_GROUP_EIGEN_H

#include "base/status.h"

/* a: n x n Hermitian, row-major; replaced by orthonormal eigenvectors as rows, a[i*n + k] the k-th
 * component of the i-th.  value: increasing.  Real matrices have real eigenvectors.  PL_NUMERIC if
 * LAPACK does not converge. */
pl_status pl_eigen(int n, double _Complex *a, double *value);

#endif
