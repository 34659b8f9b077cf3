/* ranks: 1 */
/* The rows that networks on sequences add to the tape, against differences and against the same
 * sums by rows of the table. */
#include "tape_check.h"

#include "../src/nets/sequence/ops.h"

#include <string.h>

/* Three sequences of 3, 2 and 2 steps; their keys and queries. */
static const int64_t steps_start[] = {0, 3, 6, 7}, keys_start[] = {0, 3, 3, 7},
                     queries_begin[] = {0, 2, 2, 5};
static const int query_row[] = {3, 0, 4, 1, 2};
static const packed steps = {3, steps_start};
static const glances look = {3, 5, keys_start, queries_begin, query_row};

static pl_node *case_lstm(pl_tape *t, pl_node *const *x) {
  return sequence_lstm(t, steps, x[0], x[1], x[2], x[3], x[4], x[5]);
}
static pl_node *case_scores(pl_tape *t, pl_node *const *x) {
  return sequence_scores(t, look, x[0], x[1], x[2]);
}
static pl_node *case_mix(pl_tape *t, pl_node *a, pl_node *e) {
  return sequence_mix(t, look, a, e);
}
static pl_node *case_one_step(pl_tape *t, pl_node *const *x) {
  static const int64_t start[] = {0, 2};
  return sequence_lstm(t, (packed){1, start}, x[0], x[1], x[2], x[3], x[4], x[5]);
}

static const tape_case cases[] = {
    {"lstm", NULL, NULL, case_lstm, -1, 1, {{7, 2}, {2, 12}, {3, 12}, {1, 12}, {3, 3}, {3, 3}}, 6},
    {"lstm", NULL, NULL, case_one_step, -1, 1, {{2, 1}, {1, 4}, {1, 4}, {1, 4}, {2, 1}, {2, 1}}, 6},
    {"scores", NULL, NULL, case_scores, -1, 1, {{7, 4}, {5, 4}, {4, 1}}, 3},
    {"mix", NULL, case_mix, NULL, -1, 1, {{5, 5}, {7, 4}}, 2},
};
enum { CASES = sizeof cases / sizeof *cases };

static void operations_agree_with_differences(void **state) {
  (void)state;
  static problem p;
  pl_tape *t = pl_tape_new();
  for (int k = 0; k < CASES; k++) {
    set_up(&p, &cases[k]);
    check_everywhere(t, &p);
  }
  pl_tape_free(t);
}

static void every_row_is_tested(void **state) {
  (void)state;
  for (int i = 0; sequence_op(i); i++) {
    bool found = false;
    for (int k = 0; k < CASES; k++) found |= !strcmp(cases[k].op, sequence_op(i)->name);
    assert_true(found);
  }
}

/* ---- the same by rows of the table ---- */

enum { B = 3, T = 5, IN = 2, H = 6 };

static pl_node *constant(pl_tape *t, uint64_t stream, int64_t rows, int64_t cols) {
  double *x = pl_tape_alloc(t, (size_t)(rows * cols), sizeof *x);
  draw(stream, rows * cols, -1, 1, x);
  return pl_tape_variable(t, rows, cols, x, NULL);
}

/* A cell in ten rows of the table. */
static void plain_step(pl_tape *t, pl_node *x, pl_node *const *w, pl_node **h, pl_node **c) {
  pl_node *a = pl_tape_add(t, pl_tape_affine(t, x, w[0], w[2]), pl_tape_matmul(t, *h, w[1]));
  pl_node *i = pl_tape_sigmoid(t, pl_tape_cols(t, a, 0, H));
  pl_node *f = pl_tape_sigmoid(t, pl_tape_cols(t, a, H, H));
  pl_node *g = pl_tape_tanh(t, pl_tape_cols(t, a, 2 * H, H));
  pl_node *o = pl_tape_sigmoid(t, pl_tape_cols(t, a, 3 * H, H));
  *c = pl_tape_add(t, pl_tape_multiply(t, f, *c), pl_tape_multiply(t, i, g));
  *h = pl_tape_multiply(t, o, pl_tape_tanh(t, *c));
}

/* Result and gradients of the fused recursion are those of the plain one. */
static void fused_gates_are_the_plain_ones(void **state) {
  (void)state;
  int64_t start[T + 1];
  double kept[3][(IN + H + 1) * 4 * H];
  double values[T * B * H];
  pl_tape *t = pl_tape_new();
  for (int k = 0; k <= T; k++) start[k] = k * B;
  for (int fused = 1; fused >= 0; fused--) {
    pl_tape_reset(t);
    pl_node *x = constant(t, 1, T * B, IN), *h = constant(t, 5, B, H), *c = constant(t, 6, B, H);
    pl_node *w[] = {constant(t, 2, IN, 4 * H), constant(t, 3, H, 4 * H), constant(t, 4, 1, 4 * H)};
    pl_node *all[T], *y;
    if (fused) {
      y = sequence_lstm(t, (packed){T, start}, x, w[0], w[1], w[2], h, c);
      y = pl_tape_rows(t, y, 0, T * B);
    } else {
      for (int k = 0; k < T; k++) {
        plain_step(t, pl_tape_rows(t, x, k * B, B), w, &h, &c);
        all[k] = h;
      }
      y = pl_tape_concat_rows(t, T, all);
    }
    pl_tape_backward(t, pl_tape_sum(t, pl_tape_square(t, y)), NULL);
    for (int64_t i = 0; i < T * B * H; i++) {
      if (!fused) assert_close(values[i], y->value[i], 1e-14);
      values[i] = y->value[i];
    }
    for (int k = 0; k < 3; k++) {
      const double *g = pl_tape_read(t, w[k], PL_ADJOINT);
      for (int64_t i = 0; i < pl_tape_count(w[k]); i++) {
        if (!fused) assert_close(kept[k][i], g[i], 1e-13);
        kept[k][i] = g[i];
      }
    }
  }
  pl_tape_free(t);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(operations_agree_with_differences),
    cmocka_unit_test(every_row_is_tested),
    cmocka_unit_test(fused_gates_are_the_plain_ones),
};
PL_TEST_MAIN(tests)
