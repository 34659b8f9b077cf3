/* Products under the tape's operations, for those that families add.  Local, pure: pointers and
 * sizes.  "add": added to the output, which is else overwritten. */
#ifndef PL_TAPE_KERNELS_H
#define PL_TAPE_KERNELS_H

#include "base/csr.h"

#include <stdbool.h>
#include <stdint.h>

typedef pl_csr_view pl_tape_csr;

/* c = op(a) op(b), op a transpose where transpose_a (transpose_b) says so; c: [m][n],
 * op(a): [m][k], op(b): [k][n], all dense row-major. */
void pl_gemm(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k, const double *a,
             const double *b, double *c, bool add);

/* y = S x; x: [S->cols][cols], y: [S->rows][cols]. */
void pl_spmm(const pl_tape_csr *s, int64_t cols, const double *x, double *y, bool add);
/* y = S^T x by scattering, where the transposed matrix is not at hand. */
void pl_spmm_transposed(const pl_tape_csr *s, int64_t cols, const double *x, double *y, bool add);

/* y_j = sum of x_ij over n rows; x: [n][cols]. */
void pl_sum_rows(int64_t n, int64_t cols, const double *x, double *y, bool add);

#endif
