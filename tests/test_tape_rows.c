/* ranks: 1 */
/* Operations over short rows, segments and windows: in whole registers and what is left of them. */
#include "pl_test.h"

#include "base/rng.h"
#include "tape/ops.h"

#include <string.h>

static void draw(uint64_t stream, int64_t n, double *x) {
  pl_rng_normals(11, stream, 0, n, x);
}

static void assert_same(int64_t n, const double *a, const double *b, double tolerance) {
  for (int64_t i = 0; i < n; i++) assert_close(a[i], b[i], tolerance);
}

static void masks_take_entries_out(void **state) {
  (void)state;
  const bool mask[9] = {1, 0, 1, 0, 0, 0, 0, 1, 0};
  const double x[9] = {1, 1e9, 2, 3, 4, 5, NAN, -800, 7};
  pl_tape *t = pl_tape_new();
  pl_node *p = pl_tape_softmax(t, pl_tape_variable(t, 3, 3, x, NULL), mask);
  pl_node *in = pl_tape_variable(t, 3, 3, x, NULL), *l = pl_tape_log_softmax(t, in, mask);
  const double want[9] = {1 / (1 + exp(1)), 0, 1 / (1 + exp(-1)), 0, 0, 0, 0, 1, 0};
  assert_same(9, p->value, want, 1e-15);
  for (int i = 0; i < 9; i++)
    assert_true(mask[i] ? fabs(l->value[i] - log(want[i])) < 1e-15 : l->value[i] == -INFINITY);
  const double seed[9] = {1, 1, 1, 1, 1, 1, 1, 1, 1};
  pl_tape_backward(t, l, seed);
  for (int i = 0; i < 9; i++)
    assert_close(pl_tape_read(t, in, PL_ADJOINT)[i], mask[i] && i < 6 ? 1 - 2 * want[i] : 0, 1e-15);
  pl_tape_free(t);
}

/* Rows long enough for every way through the search. */
static void maxima_are_found_anywhere(void **state) {
  (void)state;
  enum { LONG = 41 };
  double x[LONG];
  pl_tape *t = pl_tape_new();
  for (int n = 1; n <= LONG; n++)
    for (int at = 0; at < n; at++)
      for (int nan = 0; nan < 2; nan++) {
        draw(10, n, x);
        x[at] = nan ? NAN : 99;
        x[n - 1] = at < n - 1 ? 99 : x[n - 1]; /* a later equal, or less than NaN */
        pl_tape_reset(t);
        pl_node *in = pl_tape_variable(t, 1, n, x, NULL), *y = pl_tape_row_max(t, in);
        assert_true(nan ? isnan(y->value[0]) : y->value[0] == 99);
        pl_tape_backward(t, y, (const double[]){1});
        for (int j = 0; j < n; j++) assert_true(pl_tape_read(t, in, PL_ADJOINT)[j] == (j == at));
      }
  pl_tape_free(t);
}

/* Rows of every length, one after the other, so that a register's worth of the next is at hand, or
 * is not: values and adjoints against the formulas, entry by entry; near 0, and so far from it that
 * e^x is out of reach. */
static void shares_of_rows_of_any_length(void **state) {
  (void)state;
  enum { ROWS_OF = 5, WIDEST = 37, ALL = ROWS_OF * WIDEST };
  static double x[ALL], seed[ALL];
  pl_tape *t = pl_tape_new();
  for (int width = 1; width <= WIDEST; width++)
    for (int how = 0; how < 12; how++) {
      bool logs = how % 3 == 1, segments = how % 3 == 2, twice = how / 3 % 2;
      double shift = how < 6 ? 0 : 720;
      /* rows alike, or of lengths width, 0, 3, width, 1 */
      int64_t start[ROWS_OF + 1] = {0}, rest[ROWS_OF] = {width, 0, 3, width, 1};
      for (int i = 0; i < ROWS_OF; i++) start[i + 1] = start[i] + (segments ? rest[i] : width);
      int64_t n = start[ROWS_OF];
      draw(20, n, x);
      for (int64_t k = 0; k < n; k++) x[k] += shift;
      draw(21, n, seed);
      pl_tape_reset(t);
      pl_node *in = segments ? pl_tape_variable(t, n, 1, x, NULL)
                             : pl_tape_variable(t, ROWS_OF, width, x, NULL);
      pl_node *y = segments ? pl_tape_softmax_segments(t, in, ROWS_OF, start)
                   : logs   ? pl_tape_log_softmax(t, in, NULL)
                            : pl_tape_softmax(t, in, NULL);
      /* with a second use of x, adjoints are added */
      pl_node *out = twice ? pl_tape_add(t, y, in) : y;
      pl_tape_backward(t, out, seed);
      const double *dx = pl_tape_read(t, in, PL_ADJOINT);
      for (int i = 0; i < ROWS_OF; i++) {
        double sum = 0, dot = 0, seeds = 0;
        for (int64_t k = start[i]; k < start[i + 1]; k++)
          sum += exp(x[k] - shift), seeds += seed[k];
        for (int64_t k = start[i]; k < start[i + 1]; k++) dot += exp(x[k] - shift) / sum * seed[k];
        for (int64_t k = start[i]; k < start[i + 1]; k++) {
          double p = exp(x[k] - shift) / sum;
          assert_close(y->value[k], logs ? log(p) : p, 1e-14);
          double want = logs ? seed[k] - p * seeds : p * (seed[k] - dot);
          assert_close(dx[k], want + (twice ? seed[k] : 0), 1e-13);
        }
      }
    }
  pl_tape_free(t);
}

static void shares_of_columns_of_any_number(void **state) {
  (void)state;
  enum { SEGMENTS = 4, TALL = 9, WIDEST = 41 };
  static double x[TALL * WIDEST];
  const int64_t start[SEGMENTS + 1] = {0, 1, 1, 6, 9};
  pl_tape *t = pl_tape_new();
  for (int cols = 2; cols <= WIDEST; cols++)
    for (int far = 0; far < 2; far++) {
      draw(25, TALL * cols, x);
      for (int k = 0; k < TALL * cols; k++) x[k] += 720 * far;
      pl_tape_reset(t);
      pl_node *in = pl_tape_variable(t, TALL, cols, x, NULL);
      const double *p = pl_tape_softmax_segments(t, in, SEGMENTS, start)->value;
      for (int s = 0; s < SEGMENTS; s++)
        for (int j = 0; j < cols; j++) {
          double sum = 0;
          for (int64_t i = start[s]; i < start[s + 1]; i++) sum += exp(x[i * cols + j] - 720 * far);
          for (int64_t i = start[s]; i < start[s + 1]; i++)
            assert_close(p[i * cols + j], exp(x[i * cols + j] - 720 * far) / sum, 1e-14);
        }
    }
  pl_tape_free(t);
}

static void columns_scale_rows_of_any_length(void **state) {
  (void)state;
  enum { ROWS_OF = 5, WIDEST = 11, ALL = ROWS_OF * WIDEST };
  static double x[ALL], c[ROWS_OF], seed[ALL];
  pl_tape *t = pl_tape_new();
  draw(22, ALL, x);
  draw(23, ALL, seed);
  draw(24, ROWS_OF, c);
  for (int width = 2; width <= WIDEST; width++)
    for (int how = 0; how < 4; how++) {
      bool first = how & 1, twice = how & 2;
      pl_tape_reset(t);
      pl_node *a = pl_tape_variable(t, ROWS_OF, width, x, NULL);
      pl_node *b = pl_tape_variable(t, ROWS_OF, 1, c, NULL);
      pl_node *y = first ? pl_tape_multiply(t, b, a) : pl_tape_multiply(t, a, b);
      pl_node *out = twice ? pl_tape_add(t, pl_tape_add(t, y, a), b) : y;
      pl_tape_backward(t, out, seed);
      const double *da = pl_tape_read(t, a, PL_ADJOINT), *db = pl_tape_read(t, b, PL_ADJOINT);
      for (int i = 0; i < ROWS_OF; i++) {
        double sum = 0;
        for (int k = i * width; k < (i + 1) * width; k++) {
          assert_close(y->value[k], x[k] * c[i], 1e-15);
          assert_close(da[k], seed[k] * c[i] + (twice ? seed[k] : 0), 1e-14);
          sum += seed[k] * (x[k] + (twice ? 1 : 0));
        }
        assert_close(db[i], sum, 1e-13);
      }
    }
  pl_tape_free(t);
}

/* NaN is larger than all, ties go to the first row; of columns in whole registers and the rest. */
static void maxima_of_segments_are_found_in_any_column(void **state) {
  (void)state;
  enum { SEGMENTS = 4, TALL = 9, WIDEST = 41 };
  static double x[TALL * WIDEST], ones[SEGMENTS * WIDEST];
  const int64_t start[SEGMENTS + 1] = {0, 1, 1, 6, 9};
  pl_tape *t = pl_tape_new();
  for (int i = 0; i < SEGMENTS * WIDEST; i++) ones[i] = 1;
  for (int cols = 1; cols <= WIDEST; cols++) {
    for (int k = 0; k < TALL * cols; k++)
      x[k] = pl_rng_below(1, 30, (uint64_t)k, 9) == 0 ? NAN
                                                      : (double)pl_rng_below(1, 31, (uint64_t)k, 3);
    pl_tape_reset(t);
    pl_node *in = pl_tape_variable(t, TALL, cols, x, NULL);
    pl_node *y = pl_tape_segment_max(t, in, SEGMENTS, start);
    pl_tape_backward(t, y, ones);
    const double *dx = pl_tape_read(t, in, PL_ADJOINT);
    for (int s = 0; s < SEGMENTS; s++)
      for (int j = 0; j < cols; j++) {
        int64_t best = -1;
        for (int64_t i = start[s]; i < start[s + 1]; i++) {
          double old = best < 0 ? 0 : x[best * cols + j], v = x[i * cols + j];
          if (best < 0 || v > old || (isnan(v) && !isnan(old))) best = i;
        }
        double got = y->value[s * cols + j], want = best < 0 ? 0 : x[best * cols + j];
        assert_true(got == want || (isnan(got) && isnan(want)));
        for (int64_t i = start[s]; i < start[s + 1]; i++)
          assert_true(dx[i * cols + j] == (i == best));
      }
  }
  pl_tape_free(t);
}

/* The same of windows, which overlap. */
static void maxima_of_windows_are_found_in_any_column(void **state) {
  (void)state;
  enum { COUNT = 2, H = 5, W = 6, WIDEST = 21, SIZE = 3, STRIDE = 2, DOWN = 2, ACROSS = 2 };
  static double x[COUNT * H * W * WIDEST], want[COUNT * H * W * WIDEST];
  static double ones[COUNT * DOWN * ACROSS * WIDEST];
  for (size_t i = 0; i < sizeof ones / sizeof *ones; i++) ones[i] = 1;
  pl_tape *t = pl_tape_new();
  for (int cols = 1; cols <= WIDEST; cols++) {
    for (int k = 0; k < COUNT * H * W * cols; k++)
      x[k] = pl_rng_below(1, 32, (uint64_t)k, 9) == 0 ? NAN
                                                      : (double)pl_rng_below(1, 33, (uint64_t)k, 3);
    pl_tape_reset(t);
    pl_node *in = pl_tape_variable(t, COUNT * H * W, cols, x, NULL);
    pl_node *y = pl_tape_max_pool(t, in, (pl_tape_windows){COUNT, H, W, cols, SIZE, STRIDE, 0});
    pl_tape_backward(t, y, ones);
    memset(want, 0, sizeof want);
    for (int64_t v = 0; v < COUNT * DOWN * ACROSS; v++)
      for (int64_t j = 0; j < cols; j++) {
        int64_t corner = (v / 4 * H + v / 2 % 2 * STRIDE) * W + v % 2 * STRIDE, best = corner;
        for (int64_t k = 0; k < SIZE * SIZE; k++) {
          int64_t i = corner + k / SIZE * W + k % SIZE;
          double old = x[best * cols + j], new = x[i * cols + j];
          if (new > old || (isnan(new) && !isnan(old))) best = i;
        }
        double got = y->value[v * cols + j], most = x[best * cols + j];
        assert_true(got == most || (isnan(got) && isnan(most)));
        want[best * cols + j]++;
      }
    assert_same(COUNT * H * W * cols, pl_tape_read(t, in, PL_ADJOINT), want, 0);
  }
  pl_tape_free(t);
}

static void maxima_keep_the_first(void **state) {
  (void)state;
  const double x[6] = {3, 5, 5, 1, 5, 3}, seed[1] = {2};
  const int64_t start[] = {0, 0, 6};
  pl_tape *t = pl_tape_new();
  pl_node *in = pl_tape_variable(t, 1, 6, x, NULL);
  pl_tape_backward(t, pl_tape_row_max(t, in), seed);
  const double want[6] = {0, 2, 0, 0, 0, 0};
  assert_same(6, pl_tape_read(t, in, PL_ADJOINT), want, 0);
  pl_node *tall = pl_tape_variable(t, 6, 1, x, NULL), *y = pl_tape_segment_max(t, tall, 2, start);
  assert_true(y->value[0] == 0 && y->value[1] == 5);
  pl_tape_backward(t, y, x);
  const double of_segment[6] = {0, 5, 0, 0, 0, 0};
  assert_same(6, pl_tape_read(t, tall, PL_ADJOINT), of_segment, 0);
  pl_tape_free(t);
}

/* To the bit, also where another group needs its largest entry taken off first. */
static void shares_do_not_depend_on_other_groups(void **state) {
  (void)state;
  enum { GROUPS = 50, MOST = GROUPS * 70 };
  static double x[MOST], calm[MOST];
  int64_t start[GROUPS + 1] = {0};
  pl_tape *t = pl_tape_new();
  for (int how = 0; how < 8; how++) {
    bool segments = how < 3, logs = how % 2;
    int64_t cols = how == 0 ? 1 : how == 1 ? 3 : how == 2 ? 9 : how < 6 ? 7 : 64, n = 0;
    for (int g = 0; g < GROUPS; g++) start[g + 1] = start[g] + (g * 5) % 14;
    n = (segments ? start[GROUPS] : GROUPS) * cols;
    assert_true(n <= MOST);
    draw(22, n, x);
    pl_tape_reset(t);
    for (int wild = 0; wild < 2; wild++) {
      int64_t from = (segments ? start[20] : 20) * cols, to = (segments ? start[21] : 21) * cols;
      for (int64_t i = from; i < to && wild; i++) x[i] += 720;
      pl_node *in = pl_tape_constant(t, n / cols, cols, x);
      const double *y = (segments ? pl_tape_softmax_segments(t, in, GROUPS, start)
                         : logs   ? pl_tape_log_softmax(t, in, NULL)
                                  : pl_tape_softmax(t, in, NULL))
                            ->value;
      if (!wild) memcpy(calm, y, (size_t)n * sizeof *y);
      assert_true(to > from);
      assert_memory_equal(calm, y, (size_t)from * sizeof *y);
      assert_memory_equal(calm + to, y + to, (size_t)(n - to) * sizeof *y);
      for (int64_t i = from; i < to; i++) assert_close(y[i], calm[i], 1e-11);
    }
  }
  pl_tape_free(t);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(masks_take_entries_out),
    cmocka_unit_test(maxima_are_found_anywhere),
    cmocka_unit_test(shares_of_rows_of_any_length),
    cmocka_unit_test(shares_of_columns_of_any_number),
    cmocka_unit_test(columns_scale_rows_of_any_length),
    cmocka_unit_test(maxima_of_segments_are_found_in_any_column),
    cmocka_unit_test(maxima_of_windows_are_found_in_any_column),
    cmocka_unit_test(maxima_keep_the_first),
    cmocka_unit_test(shares_do_not_depend_on_other_groups),
};
PL_TEST_MAIN(tests)
