#include "tape/ops.h"
#include "table.h"

enum { SUM, MEAN, ROW_SUMS, COL_SUMS, SEGMENT_SUM, SCALE };

static double sum_of(int64_t n, const double *x) {
  double s = 0;
#pragma omp simd reduction(+ : s) simdlen(32)
  for (int64_t i = 0; i < n; i++) s += x[i];
  return s;
}

/* Of the one input. */
static double factor_of(const pl_node *y) {
  int64_t n = pl_tape_count(y->input[0]);
  return y->op == &pl_reduce_ops[MEAN] && n ? 1 / (double)n : 1;
}

static void sum_map(const pl_node *y, const double *x, double *out, bool add) {
  *out = (add ? *out : 0) + factor_of(y) * sum_of(pl_tape_count(y->input[0]), x);
}

static void sum_transposed(const pl_node *y, const double *dy, double *dx, bool add) {
  double g = factor_of(y) * *dy;
  int64_t n = pl_tape_count(y->input[0]);
  if (add)
    for (int64_t i = 0; i < n; i++) dx[i] += g;
  else
    for (int64_t i = 0; i < n; i++) dx[i] = g;
}

static void row_sums_map(const pl_node *y, const double *x, double *out, bool add) {
  int64_t cols = y->input[0]->cols;
  for (int64_t i = 0; i < y->rows; i++) out[i] = (add ? out[i] : 0) + sum_of(cols, x + i * cols);
}

static void row_sums_transposed(const pl_node *y, const double *dy, double *dx, bool add) {
  int64_t cols = y->input[0]->cols;
  for (int64_t i = 0; i < y->rows; i++, dx += cols)
    for (int64_t j = 0; j < cols; j++) dx[j] = (add ? dx[j] : 0) + dy[i];
}

static void col_sums_map(const pl_node *y, const double *x, double *out, bool add) {
  pl_sum_rows(y->input[0]->rows, y->cols, x, out, add);
}

static void col_sums_transposed(const pl_node *y, const double *dy, double *dx, bool add) {
  for (int64_t i = 0; i < y->input[0]->rows; i++)
    pl_copy_or_add(y->cols, dy, dx + i * y->cols, add);
}

static void segment_sum_map(const pl_node *y, const double *x, double *out, bool add) {
  const int64_t *start = *(const int64_t *const *)y->data, cols = y->cols;
  for (int64_t s = 0; s < y->rows; s++)
    pl_sum_rows(start[s + 1] - start[s], cols, x + start[s] * cols, out + s * cols, add);
}

static void segment_sum_transposed(const pl_node *y, const double *dy, double *dx, bool add) {
  const int64_t *start = *(const int64_t *const *)y->data, cols = y->cols;
  for (int64_t s = 0; s < y->rows; s++)
    for (int64_t i = start[s]; i < start[s + 1]; i++)
      pl_copy_or_add(cols, dy + s * cols, dx + i * cols, add);
}

static void scale_map(const pl_node *y, const double *x, double *out, bool add) {
  double c = *(const double *)y->data;
  int64_t n = pl_tape_count(y);
  if (add)
    for (int64_t i = 0; i < n; i++) out[i] += c * x[i];
  else
    for (int64_t i = 0; i < n; i++) out[i] = c * x[i];
}

/* Linear, y = A x; the comment is A's row, backward adds A^T ybar. */
const pl_tape_op pl_reduce_ops[] = {
    /* y = sum_ij x_ij */
    [SUM] = {"sum", .map = sum_map, .transposed = sum_transposed},
    /* y = (1/n) sum_ij x_ij */
    [MEAN] = {"mean", .map = sum_map, .transposed = sum_transposed},
    /* y_i = sum_j x_ij */
    [ROW_SUMS] = {"row_sums", .map = row_sums_map, .transposed = row_sums_transposed},
    /* y_j = sum_i x_ij */
    [COL_SUMS] = {"col_sums", .map = col_sums_map, .transposed = col_sums_transposed},
    /* y_sj = sum over rows i of segment s of x_ij */
    [SEGMENT_SUM] = {"segment_sum", .map = segment_sum_map, .transposed = segment_sum_transposed},
    /* y_ij = c x_ij */
    [SCALE] = {"scale", .map = scale_map, .transposed = scale_map},
    {0},
};

pl_node *pl_tape_sum(pl_tape *t, pl_node *x) {
  return pl_apply_one(t, &pl_reduce_ops[SUM], 1, 1, x, NULL, 0);
}
pl_node *pl_tape_mean(pl_tape *t, pl_node *x) {
  return pl_apply_one(t, &pl_reduce_ops[MEAN], 1, 1, x, NULL, 0);
}
pl_node *pl_tape_row_sums(pl_tape *t, pl_node *x) {
  return pl_apply_one(t, &pl_reduce_ops[ROW_SUMS], x->rows, 1, x, NULL, 0);
}
pl_node *pl_tape_col_sums(pl_tape *t, pl_node *x) {
  return pl_apply_one(t, &pl_reduce_ops[COL_SUMS], 1, x->cols, x, NULL, 0);
}
pl_node *pl_tape_segment_sum(pl_tape *t, pl_node *x, int64_t segments, const int64_t *start) {
  pl_require_segments(x, segments, start);
  return pl_apply_one(t, &pl_reduce_ops[SEGMENT_SUM], segments, x->cols, x, &start, sizeof start);
}
pl_node *pl_tape_scale(pl_tape *t, pl_node *x, double factor) {
  return pl_apply_one(t, &pl_reduce_ops[SCALE], x->rows, x->cols, x, &factor, sizeof factor);
}
