/* The tables of built-in operations, each ended by a row without a name, and what their files
 * share.  Internal to the tape. */
#ifndef PL_TAPE_TABLE_H
#define PL_TAPE_TABLE_H

#include "base/status.h"
#include "tape/ops.h"

#include <math.h>

extern const pl_tape_op pl_unary_ops[], pl_binary_ops[], pl_product_ops[], pl_reduce_ops[],
    pl_softmax_ops[], pl_move_ops[], pl_max_ops[], pl_image_ops[], pl_dropout_ops[], pl_solve_ops[];

/* A node of one input. */
static inline pl_node *pl_apply_one(pl_tape *t, const pl_tape_op *op, int64_t rows, int64_t cols,
                                    pl_node *x, const void *data, size_t bytes) {
  return pl_tape_apply(t, op, rows, cols, 1, &x, data, bytes);
}

/* A node of one row per window (pad 0 but for im2col). */
pl_node *pl_apply_windows(pl_tape *t, const pl_tape_op *op, pl_node *x, const pl_tape_windows *w,
                          int64_t cols);

/* The segments cover the rows of x. */
static inline void pl_require_segments(const pl_node *x, int64_t segments, const int64_t *start) {
  pl_require(start[0] == 0 && start[segments] == x->rows);
}

/* Ask for a row that an index list will want soon: no machine guesses such places. */
enum { PL_AHEAD = 8 };
static inline void pl_fetch(const double *row, int64_t cols) {
  for (int64_t j = 0; j < cols; j += 8) __builtin_prefetch(row + j);
}

/* to[i] = from[i], or += */
static inline void pl_copy_or_add(int64_t n, const double *from, double *to, bool add) {
  if (add) {
#pragma omp simd
    for (int64_t i = 0; i < n; i++) to[i] += from[i];
  } else {
#pragma omp simd
    for (int64_t i = 0; i < n; i++) to[i] = from[i];
  }
}

#endif
