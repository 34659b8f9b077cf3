/* ranks: 1 */
#include "pl_test.h"

#include "base/rng.h"
#include "tape/ops.h"

#include <float.h>
#include <string.h>

static void draw(uint64_t stream, int64_t n, double *x) {
  pl_rng_normals(11, stream, 0, n, x);
}

static void assert_same(int64_t n, const double *a, const double *b, double tolerance) {
  for (int64_t i = 0; i < n; i++) assert_close(a[i], b[i], tolerance);
}

/* ---- elementary functions ---- */

static long double exact_exp(long double x) {
  return expl(x);
}
static long double exact_log(long double x) {
  return logl(x);
}
static long double exact_tanh(long double x) {
  return tanhl(x);
}
static long double exact_sigmoid(long double x) {
  return 1 / (1 + expl(-x));
}
static long double exact_silu(long double x) {
  return x / (1 + expl(-x));
}
static long double exact_softplus(long double x) {
  return x > 0 ? x + log1pl(expl(-x)) : log1pl(expl(x));
}

static const struct elementary {
  const char *name;
  pl_node *(*record)(pl_tape *, pl_node *);
  long double (*exact)(long double);
  double bound;             /* stated in base/elementary.h */
  double at_minus, at_plus; /* limits at the infinities */
} elementary[] = {
    {"exp", pl_tape_exp, exact_exp, 1, 0, INFINITY},
    {"log", pl_tape_log, exact_log, 1, NAN, INFINITY},
    {"tanh", pl_tape_tanh, exact_tanh, 3, -1, 1},
    {"sigmoid", pl_tape_sigmoid, exact_sigmoid, 2.5, 0, 1},
    {"silu", pl_tape_silu, exact_silu, 3.5, 0, INFINITY},
    {"softplus", pl_tape_softplus, exact_softplus, 3, 0, INFINITY},
};
enum { FUNCTIONS = sizeof elementary / sizeof *elementary, FAN = 64, EVEN = 200000 };

/* Numbers of every binary magnitude with either sign, and evenly over where exp is finite. */
static int64_t arguments(double *x) {
  int64_t n = 0;
  for (int e = -1074; e < 1024; e++)
    for (int k = 0; k < FAN; k++) {
      double m = 1 + pl_rng_uniform(1, (uint64_t)k, (uint64_t)(e + 2000));
      x[n++] = ldexp(k % 2 ? m : -m, e);
    }
  for (int k = 0; k < EVEN; k++) x[n++] = 760 * (2 * pl_rng_uniform(2, 0, (uint64_t)k) - 1);
  for (int k = 0; k < EVEN; k++) x[n++] = 4 * (2 * pl_rng_uniform(3, 0, (uint64_t)k) - 1);
  return n;
}

/* Distance in units in the last place of the true result. */
static double error_in_ulp(double y, long double r) {
  if (isnan(y) || isnan(r)) return isnan(y) && isnan(r) ? 0 : INFINITY;
  if (fabsl(r) > DBL_MAX) return fabs(y) >= DBL_MAX && (y > 0) == (r > 0) ? 0 : INFINITY;
  int e;
  frexpl(r, &e);
  long double ulp = ldexpl(1, e - 53 > -1074 ? e - 53 : -1074);
  return (double)(fabsl((long double)y - r) / ulp);
}

static void elementary_functions_keep_their_bounds(void **state) {
  (void)state;
  int64_t most = 2098 * FAN + 2 * EVEN;
  double *x = pl_alloc((size_t)most, sizeof *x, "x");
  int64_t n = arguments(x);
  assert_int_equal(n, most);
  pl_tape *t = pl_tape_new();
  for (int f = 0; f < FUNCTIONS; f++) {
    const struct elementary *g = &elementary[f];
    pl_tape_reset(t);
    const double *y = g->record(t, pl_tape_constant(t, 1, n, x))->value;
    double worst = 0, where = 0;
    for (int64_t i = 0; i < n; i++) {
      long double r = g->exact(x[i]);
      double error = error_in_ulp(y[i], r);
      if (g->exact != exact_log && g->exact != exact_tanh && x[i] < -707)
        error = fabsl(y[i] - r) < 1e-304L ? 0 : INFINITY;
      if (error > worst) worst = error, where = x[i];
    }
    if (worst > g->bound) print_error("%s: %.3f ulp at %.17g\n", g->name, worst, where);
    assert_true(worst <= g->bound);
  }
  pl_tape_free(t);
  pl_free(x);
}

/* The vector code and its remainder both: five of each. */
static void elementary_functions_reach_their_limits(void **state) {
  (void)state;
  const double ends[4] = {-INFINITY, INFINITY, NAN, 0};
  pl_tape *t = pl_tape_new();
  for (int f = 0; f < FUNCTIONS; f++) {
    const struct elementary *g = &elementary[f];
    double x[20];
    for (int i = 0; i < 20; i++) x[i] = ends[i / 5];
    const double *y = g->record(t, pl_tape_constant(t, 4, 5, x))->value;
    for (int i = 0; i < 5; i++) {
      assert_true(y[i] == g->at_minus || (isnan(g->at_minus) && isnan(y[i])));
      assert_true(y[5 + i] == g->at_plus);
      assert_true(isnan(y[10 + i]));
      assert_true(error_in_ulp(y[15 + i], g->exact(0)) <= 1 || isinf(y[15 + i]));
    }
  }
  double zero[2] = {0, -0.0};
  assert_true(pl_tape_log(t, pl_tape_constant(t, 1, 2, zero))->value[1] == -INFINITY);
  assert_true(signbit(pl_tape_tanh(t, pl_tape_constant(t, 1, 2, zero))->value[1]));
  double bad[3] = {NAN, 1, NAN}, fine[3] = {1, NAN, NAN};
  pl_node *a = pl_tape_constant(t, 1, 3, bad), *b = pl_tape_constant(t, 1, 3, fine);
  pl_node *lost[] = {pl_tape_relu(t, a),
                     pl_tape_maximum(t, a, b),
                     pl_tape_soft_threshold(t, a, 2),
                     pl_tape_softmax(t, pl_tape_constant(t, 2, 1, (double[]){NAN, NAN}), NULL),
                     pl_tape_row_max(t, a),
                     pl_tape_row_max(t, b)};
  for (int k = 0; k < 6; k++) assert_true(isnan(lost[k]->value[0]));
  pl_tape_free(t);
}

/* A number gives the same bits alone, among the lanes, in the remainder after them, and beside a
 * number for which the whole piece is done with care. */
static void elementary_functions_do_not_depend_on_the_place(void **state) {
  (void)state;
  enum { MANY = 512 + 11 };
  const double odd[] = {1, 0, -1, NAN, INFINITY, -INFINITY, 5e-324, 1e-310};
  double x[MANY], alone[MANY];
  pl_tape *t = pl_tape_new();
  for (int f = 0; f < FUNCTIONS; f++) {
    draw(14, MANY, x);
    for (int i = 0; i < MANY; i++)
      x[i] = elementary[f].exact == exact_log ? exp(9 * x[i]) : 9 * x[i];
    for (int i = 0; i < MANY; i++) {
      pl_tape_reset(t);
      alone[i] = elementary[f].record(t, pl_tape_constant(t, 1, 1, &x[i]))->value[0];
    }
    for (size_t k = 0; k < sizeof odd / sizeof *odd; k++) {
      pl_tape_reset(t);
      x[77] = odd[k];
      const double *y = elementary[f].record(t, pl_tape_constant(t, 1, MANY, x))->value;
      assert_memory_equal(y, alone, 77 * sizeof *y);
      assert_memory_equal(y + 78, alone + 78, (MANY - 78) * sizeof *y);
    }
  }
  pl_tape_free(t);
}

/* sigma(x) is had from x sigma(x), also where that tells nothing. */
static void slopes_of_silu_reach_their_limits(void **state) {
  (void)state;
  const double x[6] = {0, -0.0, 5e-324, -1e-310, -INFINITY, -750}, seed[6] = {1, 1, 1, 1, 1, 1};
  pl_tape *t = pl_tape_new();
  pl_node *in = pl_tape_variable(t, 1, 6, x, NULL);
  pl_tape_backward(t, pl_tape_silu(t, in), seed);
  for (int i = 0; i < 6; i++) assert_true(pl_tape_read(t, in, PL_ADJOINT)[i] == (i < 4 ? 0.5 : 0));
  pl_tape_free(t);
}

/* Two points may be one: their distance leads nowhere, and to no NaN. */
static void slopes_of_a_norm_are_zero_at_zero(void **state) {
  (void)state;
  const double x[4] = {0, -0.0, 3, -4}, v[4] = {1, 2, 1, 0};
  pl_tape *t = pl_tape_new();
  pl_node *in = pl_tape_variable(t, 2, 2, x, NULL);
  pl_tape_direction(t, in, v, NULL);
  pl_node *norms = pl_tape_sqrt(t, pl_tape_row_sums(t, pl_tape_square(t, in)));
  pl_tape_backward(t, pl_tape_sum(t, norms), NULL);
  pl_tape_hvp(t);
  const double *g = pl_tape_read(t, in, PL_ADJOINT), *hv = pl_tape_read(t, in, PL_ADJOINT_TANGENT);
  assert_true(g[0] == 0 && g[1] == 0 && hv[0] == 0 && hv[1] == 0);
  /* x/|x|, and (v - x <x, v>/|x|^2)/|x| */
  assert_close(g[2], .6, 1e-15);
  assert_close(g[3], -.8, 1e-15);
  assert_close(hv[2], (1 - 9. / 25) / 5, 1e-15);
  assert_close(hv[3], 12. / 125, 1e-15);
  pl_tape_free(t);
}

/* ---- products ---- */

static void products_agree_with_sums(void **state) {
  (void)state;
  static const int sizes[][3] = {{1, 1, 1},   {2, 3, 4},    {7, 6, 7},   {1, 40, 30}, {40, 1, 30},
                                 {40, 30, 1}, {33, 17, 65}, {1, 1, 900}, {3, 0, 5},   {3, 5, 0}};
  enum { N = 40 * 65 };
  static double a[N], b[N], c[N], want[N];
  draw(1, N, a);
  draw(2, N, b);
  for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
    for (int how = 0; how < 8; how++) {
      bool ta = how & 1, tb = how & 2, add = how & 4;
      int64_t m = sizes[s][0], n = sizes[s][1], k = sizes[s][2];
      draw(3, N, c);
      memcpy(want, c, sizeof c);
      for (int64_t i = 0; i < m; i++)
        for (int64_t j = 0; j < n; j++) {
          double sum = add ? c[i * n + j] : 0;
          for (int64_t l = 0; l < k; l++)
            sum += (ta ? a[l * m + i] : a[i * k + l]) * (tb ? b[j * k + l] : b[l * n + j]);
          want[i * n + j] = sum;
        }
      pl_gemm(ta, tb, m, n, k, a, b, c, add);
      assert_same(N, c, want, 1e-12);
    }
}

/* A random sparse matrix of 50 x 40, dense beside it. */
enum { ROWS = 50, COLS = 40, ENTRIES = 300 };
typedef struct sparse {
  int64_t start[ROWS + 1];
  int index[ENTRIES];
  double value[ENTRIES], dense[ROWS * COLS], ones[ROWS * COLS];
} sparse;

static void make_sparse(sparse *s) {
  memset(s, 0, sizeof *s);
  draw(4, ENTRIES, s->value);
  for (int64_t e = 0; e < ENTRIES; e++) s->start[1 + pl_rng_below(5, 0, (uint64_t)e, ROWS)]++;
  for (int i = 0; i < ROWS; i++) s->start[i + 1] += s->start[i];
  for (int i = 0; i < ROWS; i++)
    for (int64_t e = s->start[i]; e < s->start[i + 1]; e++) {
      s->index[e] = (int)pl_rng_below(5, 1, (uint64_t)e, COLS);
      s->dense[i * COLS + s->index[e]] += s->value[e];
      s->ones[i * COLS + s->index[e]] += 1;
    }
}

static void sparse_products_agree_with_dense_ones(void **state) {
  (void)state;
  enum { WIDE = 83 };
  static sparse s;
  static double x[ROWS * WIDE], y[ROWS * WIDE], want[ROWS * WIDE];
  make_sparse(&s);
  draw(6, ROWS * WIDE, x);
  for (int64_t cols = 0; cols <= WIDE; cols += cols < 40 ? 1 : 43)
    for (int how = 0; how < 4; how++) {
      bool add = how & 1, ones = how & 2;
      pl_tape_csr csr = {ROWS, COLS, s.start, s.index, ones ? NULL : s.value};
      const double *dense = ones ? s.ones : s.dense;
      draw(7, ROWS * WIDE, y);
      memcpy(want, y, sizeof y);
      pl_spmm(&csr, cols, x, y, add);
      pl_gemm(false, false, ROWS, cols, COLS, dense, x, want, add);
      assert_same(ROWS * WIDE, y, want, 1e-13);
      pl_spmm_transposed(&csr, cols, x, y, add);
      pl_gemm(true, false, COLS, cols, ROWS, dense, x, want, add);
      assert_same(ROWS * WIDE, y, want, 1e-13);
    }
}

static void convolution_by_im2col_is_the_direct_one(void **state) {
  (void)state;
  enum { COUNT = 3, H = 7, W = 6, C = 2, SIZE = 3, F = 4 };
  static double x[COUNT * H * W * C], w[SIZE * SIZE * C * F];
  draw(8, COUNT * H * W * C, x);
  draw(9, SIZE * SIZE * C * F, w);
  pl_tape *t = pl_tape_new();
  for (int64_t stride = 1; stride <= 3; stride++)
    for (int64_t pad = 0; pad < SIZE; pad++) {
      pl_tape_windows v = {COUNT, H, W, C, SIZE, stride, pad};
      int64_t down = pl_tape_windows_down(&v), across = pl_tape_windows_across(&v), row = 0;
      pl_tape_reset(t);
      pl_node *y = pl_tape_matmul(t, pl_tape_im2col(t, pl_tape_constant(t, COUNT * H * W, C, x), v),
                                  pl_tape_constant(t, SIZE * SIZE * C, F, w));
      assert_int_equal(y->rows, COUNT * down * across);
      for (int64_t n = 0; n < COUNT; n++)
        for (int64_t i = 0; i < down; i++)
          for (int64_t j = 0; j < across; j++, row++)
            for (int64_t f = 0; f < F; f++) {
              double sum = 0;
              for (int64_t k = 0; k < SIZE * SIZE * C; k++) {
                int64_t r = i * stride + k / C / SIZE - pad, q = j * stride + k / C % SIZE - pad;
                if (r < 0 || r >= H || q < 0 || q >= W) continue;
                sum += x[((n * H + r) * W + q) * C + k % C] * w[k * F + f];
              }
              assert_close(y->value[row * F + f], sum, 1e-14);
            }
    }
  pl_tape_free(t);
}

/* ---- what the headers promise besides ---- */

static void dropout_does_not_depend_on_how_it_is_cut(void **state) {
  (void)state;
  enum { N = 40000 };
  double *x = pl_alloc(N, sizeof *x, "x"), kept = 0;
  for (int i = 0; i < N; i++) x[i] = 1;
  pl_tape *t = pl_tape_new();
  const double *whole = pl_tape_dropout(t, pl_tape_constant(t, 1, N, x), .3, 1, 2, 0)->value;
  const double *part = pl_tape_dropout(t, pl_tape_constant(t, 1, 77, x), .3, 1, 2, 1001)->value;
  const double *other = pl_tape_dropout(t, pl_tape_constant(t, 1, N, x), .3, 1, 3, 0)->value;
  assert_same(77, part, whole + 1001, 0);
  assert_true(memcmp(other, whole, N * sizeof *x) != 0);
  for (int i = 0; i < N; i++) {
    uint64_t b[2];
    pl_rng_bits(1, 2, (uint64_t)i / 4, b);
    double u = (double)(uint32_t)(b[i % 4 / 2] >> (i % 2 * 32)) / 0x1p32;
    assert_close(whole[i], u < .3 ? 0 : 1 / .7, 1e-15);
    kept += whole[i];
  }
  assert_close(kept / N, 1, 4 * sqrt(.3 / .7 / N));
  pl_tape_free(t);
  pl_free(x);
}

static void shifted(const void *context, int64_t cols, const double *x, double *y) {
  const double *diagonal = context;
  for (int64_t i = 0; i < 3 * cols; i++) y[i] = diagonal[i / cols] * x[i];
}

static void solves_tell_an_operator_that_is_not_positive(void **state) {
  (void)state;
  const double diagonal[3] = {2, 4, -1}, b[6] = {2, 0, 4, 0, 0, 1};
  pl_tape *t = pl_tape_new();
  pl_tape_operator a = {shifted, diagonal};
  const double *y = pl_tape_solve(t, &a, pl_tape_constant(t, 3, 2, b), 1e-14, 10)->value;
  for (int i = 0; i < 3; i++) assert_close(y[2 * i], i < 2, 1e-14);
  for (int i = 0; i < 3; i++) assert_true(isnan(y[2 * i + 1]) || i < 2);
  assert_true(isnan(y[5]));
  pl_tape_free(t);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(elementary_functions_keep_their_bounds),
    cmocka_unit_test(elementary_functions_reach_their_limits),
    cmocka_unit_test(elementary_functions_do_not_depend_on_the_place),
    cmocka_unit_test(slopes_of_silu_reach_their_limits),
    cmocka_unit_test(slopes_of_a_norm_are_zero_at_zero),
    cmocka_unit_test(products_agree_with_sums),
    cmocka_unit_test(sparse_products_agree_with_dense_ones),
    cmocka_unit_test(convolution_by_im2col_is_the_direct_one),
    cmocka_unit_test(dropout_does_not_depend_on_how_it_is_cut),
    cmocka_unit_test(solves_tell_an_operator_that_is_not_positive),
};
PL_TEST_MAIN(tests)
