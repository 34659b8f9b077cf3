/* ranks: 1 */
/* Orthonormality of embeddings on the tape, and areas under curves. */
#include "pl_test.h"

#include "model/auroc.h"
#include "nets/bro.h"
#include "tape/ops.h"

enum { SEGMENTS = 5, MOST = 64 };
static const int64_t start[SEGMENTS + 1] = {0, 2, 2, 7, 8, 12}; /* one is empty */

static void fill(int64_t n, double seed, double *x) {
  for (int64_t i = 0; i < n; i++) x[i] = sin(seed + 1.7 * (double)i) + 0.3 * cos(5.1 * (double)i);
}

/* Entry by entry, whatever the shape. */
static double plain(int64_t cols, const double *h, double p, double share) {
  double y = 0;
  for (int s = 0; s < SEGMENTS; s++) {
    double sum = 0;
    for (int64_t i = start[s]; i < start[s + 1]; i++)
      for (int64_t j = start[s]; j < start[s + 1]; j++) {
        double e = i == j ? -1 : 0;
        for (int64_t k = 0; k < cols; k++) e += h[i * cols + k] * h[j * cols + k];
        sum += pow(fabs(e), p);
      }
    y += share * pow(sum, 1 / p);
  }
  return y;
}

/* Value, gradient and Hessian times vector; gradient alone into g where hv is NULL. */
static double evaluate(pl_tape *t, int64_t cols, const double *h, const double *v, double p,
                       double *g, double *hv) {
  int64_t n = start[SEGMENTS] * cols;
  memset(g, 0, (size_t)n * sizeof *g);
  pl_tape_reset(t);
  pl_node *x = pl_tape_variable(t, start[SEGMENTS], cols, h, g);
  pl_node *y = pl_tape_bro(t, x, SEGMENTS, start, p, 0.4);
  pl_tape_backward(t, y, NULL);
  if (!hv) return y->value[0];
  memset(hv, 0, (size_t)n * sizeof *hv);
  pl_tape_direction(t, x, v, hv);
  pl_tape_hvp(t);
  return y->value[0];
}

static void check(pl_tape *t, int64_t cols, double p) {
  double h[MOST], v[MOST], g[MOST], hv[MOST], above[MOST], below[MOST], unused[MOST];
  int64_t n = start[SEGMENTS] * cols;
  const double step = 1e-5;
  fill(n, 0.2, h);
  fill(n, 1.1, v);
  assert_close(evaluate(t, cols, h, v, p, g, hv), plain(cols, h, p, 0.4), 1e-12);
  for (int64_t i = 0; i < n; i++) {
    double was = h[i];
    h[i] = was + step;
    double up = plain(cols, h, p, 0.4);
    h[i] = was - step;
    double down = plain(cols, h, p, 0.4);
    h[i] = was;
    assert_close((up - down) / (2 * step), g[i], 1e-7);
  }
  if (p == 1) return; /* slopes jump */
  for (int side = 0; side < 2; side++) {
    for (int64_t i = 0; i < n; i++) unused[i] = h[i] + (side ? step : -step) * v[i];
    evaluate(t, cols, unused, v, p, side ? above : below, NULL);
  }
  for (int64_t i = 0; i < n; i++)
    assert_close((above[i] - below[i]) / (2 * step) / fmax(1, fabs(hv[i])),
                 hv[i] / fmax(1, fabs(hv[i])), 1e-6);
}

/* Ragged segments, more columns than rows and fewer. */
static void derivatives_of_orthonormality(void **state) {
  (void)state;
  pl_tape *t = pl_tape_new();
  for (int64_t cols = 1; cols <= 5; cols += 2) {
    check(t, cols, 2);
    check(t, cols, 3);
    check(t, cols, 2.5);
    check(t, cols, 1);
  }
  pl_tape_free(t);
}

static void orthonormal_rows_have_no_slope(void **state) {
  (void)state;
  const int64_t one[] = {0, 2}, tall[] = {0, 4};
  double h[6] = {1, 0, 0, 0, 1, 0}, g[8] = {0}, zero[8] = {0};
  pl_tape *t = pl_tape_new();
  pl_node *x = pl_tape_variable(t, 2, 3, h, g);
  pl_node *y = pl_tape_bro(t, x, 1, one, 2, 1);
  assert_true(y->value[0] == 0);
  pl_tape_backward(t, y, NULL);
  for (int i = 0; i < 6; i++) assert_true(g[i] == 0);
  /* More nodes than width: sqrt(nodes - width) is the least. */
  pl_tape_reset(t);
  double e[8] = {1, 0, 0, 1, 0, 0, 0, 0};
  x = pl_tape_variable(t, 4, 2, e, g);
  assert_close(pl_tape_bro(t, x, 1, tall, 2, 1)->value[0], sqrt(2), 1e-15);
  /* No embeddings at all: ||I||. */
  x = pl_tape_variable(t, 4, 2, zero, g);
  y = pl_tape_bro(t, x, 1, tall, 2, 1);
  assert_close(y->value[0], 2, 1e-15);
  memset(g, 0, sizeof g);
  pl_tape_backward(t, y, NULL);
  for (int i = 0; i < 8; i++) assert_true(g[i] == 0);
  pl_tape_free(t);
}

static void entropy_ranks_of_known_matrices(void **state) {
  (void)state;
  const int64_t segment[] = {0, 2, 4, 6};
  double h[12] = {1, 0, 0, 1, 1, 2, 2, 4, 0, 0, 0, 0};
  assert_close(pl_entropy_ranks(2, h, 3, segment), 2 + 1 + 0, 1e-12);
}

static void areas_count_ties_half(void **state) {
  (void)state;
  pl_scored right[] = {{1, 0}, {2, 0}, {3, 1}, {4, 1}};
  pl_scored wrong[] = {{1, 1}, {2, 1}, {3, 0}};
  pl_scored level[] = {{1, 1}, {1, 0}, {1, 0}};
  pl_scored mixed[] = {{2, 1}, {1, 0}, {2, 0}, {3, 1}, {0, 1}};
  pl_scored alone[] = {{1, 1}, {2, 1}};
  assert_true(pl_auroc(4, right) == 1);
  assert_true(pl_auroc(3, wrong) == 0);
  assert_true(pl_auroc(3, level) == 0.5);
  assert_close(pl_auroc(5, mixed), (1 + 0.5 + 2) / 6, 1e-15);
  assert_true(isnan(pl_auroc(2, alone)));
  assert_true(isnan(pl_auroc(0, NULL)));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(derivatives_of_orthonormality),
    cmocka_unit_test(orthonormal_rows_have_no_slope),
    cmocka_unit_test(entropy_ranks_of_known_matrices),
    cmocka_unit_test(areas_count_ties_half),
};
PL_TEST_MAIN(tests)
