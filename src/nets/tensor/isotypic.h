/* R^n (x) R^n under S_n, in an orthonormal basis made of copies of the laboratory's own irreps.
 *
 * For every irrep rho that occurs, `copies` m times, vectors v_cj, c < m, j < d, with
 *   T(s) v_cj = sum_i rho(s)_ij v_ci,   (T(s) x)_{s(a) s(b)} = x_ab.
 * In coordinates X_cj = <v_cj, x>, an m x d matrix for each rho, a map that commutes with S_n is
 * one m x m matrix A for each rho, X -> A X (Schur). */
#ifndef PL_NETS_TENSOR_ISOTYPIC_H
#define PL_NETS_TENSOR_ISOTYPIC_H

#include "base/status.h"

#include <stdint.h>

typedef struct isotypic_part {
  char label[48]; /* the irrep's */
  int copies, dim;
  int64_t first; /* its m d basis vectors stand from here on, copy by copy */
} isotypic_part;

typedef struct isotypic {
  int n, num;
  isotypic_part *part; /* [num], in the order of the irreps of S_n */
  double *basis;       /* [n^2][n^2], a vector a row; NULL: not asked for */
} isotypic;

enum { ISOTYPIC_MOST = 20 }; /* n */

/* 2 <= n <= ISOTYPIC_MOST.  The caller frees it (isotypic_free).  Local. */
isotypic *isotypic_new(int n);
/* The same without basis, at no cost: from m(n) = 2, m(n-1,1) = 3, m(n-2,2) = m(n-2,1,1) = 1 as far
 * as there are such partitions. */
isotypic *isotypic_shapes(int n);
void isotypic_free(isotypic *b); /* may be NULL */

#endif
