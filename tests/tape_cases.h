/* Every built-in operation of the tape on small inputs: one row per shape or use that differs.
 * Shared by test_tape.c and by its driver for test_tape_torch.py. */
#ifndef PL_TAPE_CASES_H
#define PL_TAPE_CASES_H

#include "tape_check.h"

/* ---- parameters ---- */

static const int64_t tape_start[] = {0, 2, 2, 5, 6, 6}; /* 5 segments of 6 rows, two empty */
static const int tape_index[] = {3, 0, 3, 2, 5, 3, 1};
static const int tape_label[] = {2, 2, -1, 3};
static const bool tape_mask[] = {1, 0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1, 1, 1, 1};

/* 5 x 6, a row without entries, a repeated entry; and its transpose. */
static const int64_t csr_start[] = {0, 2, 3, 3, 7, 8}, csr_turned_start[] = {0, 2, 3, 3, 6, 7, 8};
static const int csr_index[] = {3, 0, 1, 3, 0, 3, 5, 4},
                 csr_turned_index[] = {0, 3, 1, 0, 3, 3, 4, 3};
static const double csr_value[] = {.5, -2, 1.5, .25, 3, -1, .7, 1.1};
static const double csr_turned_value[] = {-2, 3, 1.5, .5, .25, -1, 1.1, .7};
static const pl_tape_csr tape_csr = {5, 6, csr_start, csr_index, csr_value};
static const pl_tape_csr tape_csr_turned = {6, 5, csr_turned_start, csr_turned_index,
                                            csr_turned_value};
static const pl_tape_csr tape_pattern = {5, 6, csr_start, csr_index, NULL};
static const pl_tape_windows tape_padded = {2, 4, 5, 3, 3, 2, 1},
                             tape_windows = {2, 4, 5, 3, 2, 2, 0};

/* y_i = 3 x_i - x_{i-1} - x_{i+1} */
static inline void tape_stiff(const void *context, int64_t cols, const double *x, double *y) {
  int64_t n = *(const int64_t *)context;
  for (int64_t i = 0; i < n; i++)
    for (int64_t j = 0; j < cols; j++)
      y[i * cols + j] = 3 * x[i * cols + j] - (i ? x[(i - 1) * cols + j] : 0) -
                        (i + 1 < n ? x[(i + 1) * cols + j] : 0);
}
static const int64_t tape_stiff_size = 6;
static const pl_tape_operator tape_operator = {tape_stiff, &tape_stiff_size};

/* ---- operations with parameters ---- */

static pl_node *case_soft(pl_tape *t, pl_node *x) {
  return pl_tape_soft_threshold(t, x, .7);
}
static pl_node *case_scale(pl_tape *t, pl_node *x) {
  return pl_tape_scale(t, x, -1.5);
}
static pl_node *case_dropout(pl_tape *t, pl_node *x) {
  return pl_tape_dropout(t, x, .4, 3, 5, 6);
}
static pl_node *case_affine(pl_tape *t, pl_node *const *x) {
  return pl_tape_affine(t, x[0], x[1], x[2]);
}
static pl_node *case_spmm(pl_tape *t, pl_node *x) {
  return pl_tape_spmm(t, &tape_csr, NULL, x);
}
static pl_node *case_spmm_turned(pl_tape *t, pl_node *x) {
  return pl_tape_spmm(t, &tape_csr, &tape_csr_turned, x);
}
static pl_node *case_spmm_weighted(pl_tape *t, pl_node *w, pl_node *x) {
  return pl_tape_spmm_weighted(t, &tape_pattern, w, x);
}
static pl_node *case_segment_sum(pl_tape *t, pl_node *x) {
  return pl_tape_segment_sum(t, x, 5, tape_start);
}
static pl_node *case_segment_max(pl_tape *t, pl_node *x) {
  return pl_tape_segment_max(t, x, 5, tape_start);
}
static pl_node *case_softmax_segments(pl_tape *t, pl_node *x) {
  return pl_tape_softmax_segments(t, x, 5, tape_start);
}
static pl_node *case_softmax(pl_tape *t, pl_node *x) {
  return pl_tape_softmax(t, x, NULL);
}
static pl_node *case_softmax_masked(pl_tape *t, pl_node *x) {
  return pl_tape_softmax(t, x, tape_mask);
}
static pl_node *case_log_softmax(pl_tape *t, pl_node *x) {
  return pl_tape_log_softmax(t, x, NULL);
}
/* Masked logarithms are minus infinity, which pick leaves alone. */
static pl_node *case_nll(pl_tape *t, pl_node *x) {
  return pl_tape_pick(t, pl_tape_log_softmax(t, x, tape_mask), tape_label);
}
static pl_node *case_pick(pl_tape *t, pl_node *x) {
  return pl_tape_pick(t, x, tape_label);
}
static pl_node *case_gather(pl_tape *t, pl_node *x) {
  return pl_tape_gather(t, x, 7, tape_index);
}
static pl_node *case_gather_none(pl_tape *t, pl_node *x) {
  return pl_tape_gather(t, x, 0, tape_index);
}
static pl_node *case_rows(pl_tape *t, pl_node *x) {
  return pl_tape_rows(t, x, 2, 3);
}
static pl_node *case_cols(pl_tape *t, pl_node *x) {
  return pl_tape_cols(t, x, 1, 3);
}
static pl_node *case_concat_rows(pl_tape *t, pl_node *const *x) {
  return pl_tape_concat_rows(t, 3, x);
}
static pl_node *case_concat_cols(pl_tape *t, pl_node *const *x) {
  return pl_tape_concat_cols(t, 3, x);
}
static pl_node *case_concat_twice(pl_tape *t, pl_node *x) {
  return pl_tape_concat_cols(t, 2, (pl_node *const[]){x, x});
}
static pl_node *case_reshape(pl_tape *t, pl_node *x) {
  return pl_tape_reshape(t, x, 3, 8);
}
static pl_node *case_im2col(pl_tape *t, pl_node *x) {
  return pl_tape_im2col(t, x, tape_padded);
}
static pl_node *case_mean_pool(pl_tape *t, pl_node *x) {
  return pl_tape_mean_pool(t, x, tape_windows);
}
static pl_node *case_max_pool(pl_tape *t, pl_node *x) {
  return pl_tape_max_pool(t, x, tape_windows);
}
static pl_node *case_solve(pl_tape *t, pl_node *x) {
  return pl_tape_solve(t, &tape_operator, x, 1e-15, 50);
}

/* A layer, a quotient, the likelihood of labels: x, w, b. */
static pl_node *case_classifier(pl_tape *t, pl_node *const *x) {
  pl_node *h = pl_tape_silu(t, pl_tape_affine(t, x[0], x[1], x[2]));
  h = pl_tape_divide(t, h, pl_tape_softplus(t, pl_tape_row_sums(t, h)));
  return pl_tape_mean(t, pl_tape_pick(t, pl_tape_log_softmax(t, h, tape_mask), tape_label));
}
/* Graph attention over the sparse pattern: features x, a column a that scores them. */
static pl_node *case_attention(pl_tape *t, pl_node *x, pl_node *a) {
  pl_node *score = pl_tape_gather(t, pl_tape_matmul(t, x, a), 8, csr_index);
  pl_node *share = pl_tape_softmax_segments(t, score, 5, csr_start);
  return pl_tape_tanh(t, pl_tape_spmm_weighted(t, &tape_pattern, share, x));
}

/* ---- the table ---- */

#define UNARY(name, f, low, high)                                                                  \
  {name, f, NULL, NULL, low, high, {{5, 7}}, 1}, {name, f, NULL, NULL, low, high, {{1, 9}}, 1},    \
      {name, f, NULL, NULL, low, high, {{9, 1}}, 1}, {                                             \
    name, f, NULL, NULL, low, high, {{0, 4}}, 1                                                    \
  }
#define PAIR(name, f, low, high, a, b, c, d)                                                       \
  { name, NULL, f, NULL, low, high, {{a, b}, {c, d}}, 2 }
#define BINARY(name, f, low, high)                                                                 \
  PAIR(name, f, low, high, 5, 7, 5, 7), PAIR(name, f, low, high, 5, 7, 1, 7),                      \
      PAIR(name, f, low, high, 5, 7, 5, 1), PAIR(name, f, low, high, 5, 7, 1, 1),                  \
      PAIR(name, f, low, high, 1, 7, 5, 7), PAIR(name, f, low, high, 5, 1, 5, 7),                  \
      PAIR(name, f, low, high, 1, 1, 5, 7), PAIR(name, f, low, high, 5, 1, 1, 7),                  \
      PAIR(name, f, low, high, 1, 7, 5, 1), PAIR(name, f, low, high, 6, 1, 1, 1),                  \
      PAIR(name, f, low, high, 1, 1, 6, 1), PAIR(name, f, low, high, 1, 6, 1, 1),                  \
      PAIR(name, f, low, high, 6, 1, 6, 1), PAIR(name, f, low, high, 1, 1, 1, 1),                  \
      PAIR(name, f, low, high, 0, 3, 1, 3), PAIR(name, f, low, high, 1, 1, 0, 3),                  \
      PAIR(name, f, low, high, 0, 1, 1, 1), PAIR(name, f, low, high, 3, 1, 1, 0)
#define ONE(name, f, rows, cols)                                                                   \
  { name, f, NULL, NULL, -2, 2, {{rows, cols}}, 1 }
#define THREE(name, f, a, b, c, d, e, g)                                                           \
  { name, NULL, NULL, f, -2, 2, {{a, b}, {c, d}, {e, g}}, 3 }

static const tape_case tape_cases[] = {
    UNARY("tanh", pl_tape_tanh, -3, 3),
    UNARY("sigmoid", pl_tape_sigmoid, -3, 3),
    UNARY("silu", pl_tape_silu, -3, 3),
    UNARY("softplus", pl_tape_softplus, -3, 3),
    UNARY("relu", pl_tape_relu, -3, 3),
    UNARY("exp", pl_tape_exp, -2, 2),
    UNARY("log", pl_tape_log, .5, 2),
    UNARY("sqrt", pl_tape_sqrt, .5, 2),
    UNARY("square", pl_tape_square, -2, 2),
    UNARY("abs", pl_tape_abs, -2, 2),
    UNARY("sign", pl_tape_sign, -2, 2),
    UNARY("soft_threshold", case_soft, -2, 2),
    UNARY("scale", case_scale, -2, 2),
    UNARY("dropout", case_dropout, -2, 2),
    UNARY("sum", pl_tape_sum, -2, 2),
    UNARY("mean", pl_tape_mean, -2, 2),
    UNARY("row_sums", pl_tape_row_sums, -2, 2),
    UNARY("col_sums", pl_tape_col_sums, -2, 2),
    UNARY("row_max", pl_tape_row_max, -2, 2),
    UNARY("softmax", case_softmax, -2, 2),
    UNARY("log_softmax", case_log_softmax, -2, 2),
    UNARY("transpose", pl_tape_transpose, -2, 2),
    BINARY("add", pl_tape_add, -2, 2),
    BINARY("subtract", pl_tape_subtract, -2, 2),
    BINARY("multiply", pl_tape_multiply, -2, 2),
    BINARY("divide", pl_tape_divide, .5, 2),
    BINARY("maximum", pl_tape_maximum, -2, 2),
    PAIR("matmul", pl_tape_matmul, -2, 2, 4, 5, 5, 3),
    PAIR("matmul", pl_tape_matmul, -2, 2, 9, 8, 8, 7),
    PAIR("matmul", pl_tape_matmul, -2, 2, 1, 5, 5, 1),
    PAIR("matmul", pl_tape_matmul, -2, 2, 5, 1, 1, 4),
    PAIR("matmul", pl_tape_matmul, -2, 2, 0, 3, 3, 2),
    PAIR("matmul", pl_tape_matmul, -2, 2, 3, 0, 0, 2),
    PAIR("matmul_nt", pl_tape_matmul_nt, -2, 2, 4, 5, 3, 5),
    PAIR("matmul_nt", pl_tape_matmul_nt, -2, 2, 9, 8, 7, 8),
    PAIR("matmul_tn", pl_tape_matmul_tn, -2, 2, 5, 4, 5, 3),
    PAIR("matmul_tn", pl_tape_matmul_tn, -2, 2, 8, 9, 8, 7),
    THREE("affine", case_affine, 4, 5, 5, 3, 1, 3),
    THREE("affine", case_affine, 9, 8, 8, 7, 1, 7),
    THREE("affine", case_affine, 0, 2, 2, 3, 1, 3),
    ONE("spmm", case_spmm, 6, 1),
    ONE("spmm", case_spmm, 6, 77),
    ONE("spmm", case_spmm_turned, 6, 4),
    PAIR("spmm_weighted", case_spmm_weighted, -2, 2, 8, 1, 6, 5),
    ONE("segment_sum", case_segment_sum, 6, 1),
    ONE("segment_sum", case_segment_sum, 6, 5),
    ONE("segment_max", case_segment_max, 6, 5),
    ONE("softmax_segments", case_softmax_segments, 6, 1),
    ONE("softmax_segments", case_softmax_segments, 6, 5),
    ONE("softmax", case_softmax_masked, 4, 4),
    ONE("pick", case_nll, 4, 4),
    ONE("pick", case_pick, 4, 5),
    ONE("gather", case_gather, 6, 3),
    ONE("gather", case_gather_none, 6, 3),
    ONE("rows", case_rows, 6, 3),
    ONE("cols", case_cols, 3, 6),
    THREE("concat_rows", case_concat_rows, 2, 3, 0, 3, 4, 3),
    THREE("concat_cols", case_concat_cols, 3, 2, 3, 0, 3, 4),
    ONE("concat_cols", case_concat_twice, 3, 2),
    ONE("reshape", case_reshape, 4, 6),
    ONE("im2col", case_im2col, 40, 3),
    ONE("mean_pool", case_mean_pool, 40, 3),
    ONE("max_pool", case_max_pool, 40, 3),
    ONE("solve", case_solve, 6, 3),
    THREE("mean", case_classifier, 4, 5, 5, 4, 1, 4),
    PAIR("tanh", case_attention, -2, 2, 6, 3, 3, 1),
};
enum { TAPE_CASES = sizeof tape_cases / sizeof *tape_cases };

#endif
