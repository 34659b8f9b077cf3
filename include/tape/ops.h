/* The built-in operations of the tape.  Each records a node and returns it (tape/tape.h); x, a, b
 * are nodes of the same tape.  Masks, indices, starts and sparse matrices are borrowed until the
 * reset.  Local; shapes that do not fit are broken invariants. */
#ifndef PL_TAPE_OPS_H
#define PL_TAPE_OPS_H

#include "tape/kernels.h"
#include "tape/tape.h"

/* All rows of the table, one after the other; NULL behind the last. */
const pl_tape_op *pl_tape_builtin(int i);

/* ---- products ---- */

pl_node *pl_tape_matmul(pl_tape *t, pl_node *a, pl_node *b);    /* y_ij = sum_k a_ik b_kj */
pl_node *pl_tape_matmul_nt(pl_tape *t, pl_node *a, pl_node *b); /* y_ij = sum_k a_ik b_jk */
pl_node *pl_tape_matmul_tn(pl_tape *t, pl_node *a, pl_node *b); /* y_ij = sum_k a_ki b_kj */
/* y_ij = sum_k x_ik w_kj + b_j; b: 1 x columns of w. */
pl_node *pl_tape_affine(pl_tape *t, pl_node *x, pl_node *w, pl_node *b);
/* y_ij = sum_e v_e x_{k(e) j} over the entries e of row i of s, k(e) their columns.  transposed:
 * S^T by rows, for a backward sweep without scattering; s itself if symmetric; may be NULL. */
pl_node *pl_tape_spmm(pl_tape *t, const pl_tape_csr *s, const pl_tape_csr *transposed, pl_node *x);
/* The same with v_e = w_e, a node [entries][1] in the order of s, whose own values are not read. */
pl_node *pl_tape_spmm_weighted(pl_tape *t, const pl_tape_csr *s, pl_node *w, pl_node *x);

/* ---- entry by entry ---- */

/* y_ij = a_ij o b_ij; a side of one row, one column or both is repeated. */
pl_node *pl_tape_add(pl_tape *t, pl_node *a, pl_node *b);
pl_node *pl_tape_subtract(pl_tape *t, pl_node *a, pl_node *b);
pl_node *pl_tape_multiply(pl_tape *t, pl_node *a, pl_node *b);
pl_node *pl_tape_divide(pl_tape *t, pl_node *a, pl_node *b);
pl_node *pl_tape_maximum(pl_tape *t, pl_node *a, pl_node *b); /* equal: a's */

/* y_ij = f(x_ij); errors of f: base/elementary.h. */
pl_node *pl_tape_tanh(pl_tape *t, pl_node *x);
pl_node *pl_tape_sigmoid(pl_tape *t, pl_node *x);  /* 1/(1 + e^-x) */
pl_node *pl_tape_silu(pl_tape *t, pl_node *x);     /* x/(1 + e^-x) */
pl_node *pl_tape_softplus(pl_tape *t, pl_node *x); /* log(1 + e^x) */
pl_node *pl_tape_relu(pl_tape *t, pl_node *x);     /* max(x, 0); slope 0 at 0 */
pl_node *pl_tape_exp(pl_tape *t, pl_node *x);
pl_node *pl_tape_log(pl_tape *t, pl_node *x);
pl_node *pl_tape_sqrt(pl_tape *t, pl_node *x); /* slopes 0 at 0, as of a norm */
pl_node *pl_tape_square(pl_tape *t, pl_node *x);
pl_node *pl_tape_abs(pl_tape *t, pl_node *x);  /* slope 0 at 0 */
pl_node *pl_tape_sign(pl_tape *t, pl_node *x); /* -1, 0, 1; slope 0 */
/* sign(x) max(|x| - threshold, 0); slope 0 where that is 0. */
pl_node *pl_tape_soft_threshold(pl_tape *t, pl_node *x, double threshold);
pl_node *pl_tape_scale(pl_tape *t, pl_node *x, double factor);
/* x_ij/(1 - rate) or, with probability rate in [0, 1), 0.  Entry i of x, counted row by row, takes
 * number (first + i) of (seed, stream) of base/rng.h, 32 bits each, four to a block: the same
 * whatever the batch is cut into. */
pl_node *pl_tape_dropout(pl_tape *t, pl_node *x, double rate, uint64_t seed, uint64_t stream,
                         int64_t first);

/* ---- reductions ---- */

pl_node *pl_tape_sum(pl_tape *t, pl_node *x);      /* 1 x 1 */
pl_node *pl_tape_mean(pl_tape *t, pl_node *x);     /* 1 x 1; of no entries: 0 */
pl_node *pl_tape_row_sums(pl_tape *t, pl_node *x); /* y_i = sum_j x_ij, rows x 1 */
pl_node *pl_tape_col_sums(pl_tape *t, pl_node *x); /* y_j = sum_i x_ij, 1 x cols */
pl_node *pl_tape_row_max(pl_tape *t, pl_node *x);  /* y_i = max_j x_ij, the first; rows x 1 */

/* Over segments of rows: segment s is rows start[s] .. start[s + 1] - 1 of x, start[0] = 0,
 * start[segments] = rows. */
pl_node *pl_tape_segment_sum(pl_tape *t, pl_node *x, int64_t segments, const int64_t *start);
/* The first largest row of each segment and column; of an empty segment: 0. */
pl_node *pl_tape_segment_max(pl_tape *t, pl_node *x, int64_t segments, const int64_t *start);
/* y_ij = e^x_ij / sum of e^x_kj over the segment of i. */
pl_node *pl_tape_softmax_segments(pl_tape *t, pl_node *x, int64_t segments, const int64_t *start);

/* Over rows, among the entries whose mask (like x; NULL: all) is true.  The others are 0, and minus
 * infinity in the logarithm, with no derivative; so is a row without any. */
pl_node *pl_tape_softmax(pl_tape *t, pl_node *x, const bool *mask);
pl_node *pl_tape_log_softmax(pl_tape *t, pl_node *x, const bool *mask);

/* ---- moving entries ---- */

pl_node *pl_tape_pick(pl_tape *t, pl_node *x, const int *index); /* y_i = x_{i k(i)}; 0: k(i) < 0 */
pl_node *pl_tape_gather(pl_tape *t, pl_node *x, int64_t count,
                        const int *index); /* y_ij = x_{k(i) j}
                                            */
pl_node *pl_tape_rows(pl_tape *t, pl_node *x, int64_t first, int64_t count);
pl_node *pl_tape_cols(pl_tape *t, pl_node *x, int64_t first, int64_t count);
pl_node *pl_tape_concat_rows(pl_tape *t, int count, pl_node *const *x); /* one below the other */
pl_node *pl_tape_concat_cols(pl_tape *t, int count, pl_node *const *x); /* side by side */
pl_node *pl_tape_transpose(pl_tape *t, pl_node *x);
pl_node *pl_tape_reshape(pl_tape *t, pl_node *x, int64_t rows, int64_t cols); /* entries in order */

/* ---- images ---- */

/* x: [count * height * width][channels]; windows of size x size pixels every stride pixels, over
 * the image with pad zeros around it: (height + 2 pad - size)/stride + 1 of them down, rounded
 * down, and so across. */
typedef struct pl_tape_windows {
  int64_t count, height, width, channels, size, stride, pad;
} pl_tape_windows;
int64_t pl_tape_windows_down(const pl_tape_windows *w);
int64_t pl_tape_windows_across(const pl_tape_windows *w);
/* [count * down * across][size * size * channels]: a window's pixels row by row, so that a
 * convolution is its product with a matrix of weights. */
pl_node *pl_tape_im2col(pl_tape *t, pl_node *x, pl_tape_windows w);
/* [count * down * across][channels], pad 0. */
pl_node *pl_tape_mean_pool(pl_tape *t, pl_node *x, pl_tape_windows w);
pl_node *pl_tape_max_pool(pl_tape *t, pl_node *x, pl_tape_windows w);

/* ---- linear solve ---- */

/* A symmetric positive definite operator: apply writes y = A x; x, y: [n][cols], not overlapping.
 */
typedef struct pl_tape_operator {
  void (*apply)(const void *context, int64_t cols, const double *x, double *y);
  const void *context;
} pl_tape_operator;
/* A y = b by conjugate gradients, each column on its own until its residual is below tolerance
 * times its b or steps are done; derivatives by the same solve.  A column along which A shows not
 * to be positive becomes NaN.  a borrowed. */
pl_node *pl_tape_solve(pl_tape *t, const pl_tape_operator *a, pl_node *b, double tolerance,
                       int steps);

#endif
