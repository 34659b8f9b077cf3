/* Sparse matrices by rows, and their products with dense columns.  Graphs (graph/graph.h), the
 * operators on them and sparse features are all of this type.
 *
 * Everything in this layer is Local: no MPI.  A team shares out the columns of a dense matrix, so
 * that a propagation needs no communication: a rank hands over its own columns, by pointer and
 * leading dimension, and the number it gets for an entry does not depend on how they were cut. */
#ifndef PL_BASE_CSR_H
#define PL_BASE_CSR_H

#include "base/status.h"

#include <stdint.h>

typedef struct pl_csr {
  int64_t rows, cols; /* below 2^31 */
  int64_t *start;     /* [rows + 1]: row i has the entries start[i] .. start[i+1] - 1 */
  int32_t *index;     /* columns, increasing within a row */
  double *value;
} pl_csr;

/* The same on borrowed arrays, as the tape takes them (tape/kernels.h). */
typedef struct pl_csr_view {
  int64_t rows, cols;
  const int64_t *start; /* [rows + 1] */
  const int *index;     /* the column of each entry, 0..cols - 1 (not checked), in any order;
                         * repeated ones are summed */
  const double *value;  /* NULL: all 1 */
} pl_csr_view;
static inline pl_csr_view pl_csr_as_view(const pl_csr *s) {
  return (pl_csr_view){s->rows, s->cols, s->start, s->index, s->value};
}

/* Room for entries entries, of undefined contents.  The caller frees it (pl_csr_free). */
pl_csr *pl_csr_new(int64_t rows, int64_t cols, int64_t entries);
/* s may be NULL. */
void pl_csr_free(pl_csr *s);
static inline int64_t pl_csr_entries(const pl_csr *s) {
  return s->start[s->rows];
}
/* S^T, whose columns increase within a row even where those of s do not.  Owned by the caller. */
pl_csr *pl_csr_transpose(const pl_csr *s);
/* out: [rows][cols], zeros included. */
void pl_csr_dense(const pl_csr *s, double *out);

/* Y = alpha S X + beta Z: y_ic = alpha sum_j s_ij x_jc + beta z_ic, c < cols, in one pass over S.
 * x: [S cols][cols], z and y: [S rows][cols], row-major, rows ldx, ldz and ldy apart.  y may be z
 * and overlaps nothing else.  z NULL: no such term.  Columns come in blocks of PL_CSR_BLOCK, S
 * being read once for each block. */
enum { PL_CSR_BLOCK = 64 };
void pl_csr_times(const pl_csr *s, int64_t cols, double alpha, const double *x, int64_t ldx,
                  double beta, const double *z, int64_t ldz, double *y, int64_t ldy);
void pl_csr_view_times(const pl_csr_view *s, int64_t cols, double alpha, const double *x,
                       int64_t ldx, double beta, const double *z, int64_t ldz, double *y,
                       int64_t ldy);
/* The same as its formula says it, one entry after the other: the oracle. */
void pl_csr_times_plain(const pl_csr *s, int64_t cols, double alpha, const double *x, int64_t ldx,
                        double beta, const double *z, int64_t ldz, double *y, int64_t ldy);

#endif
