/* ranks: 1 */
#include "pl_test.h"

#include "base/reversible.h"
#include "base/rng.h"

enum { COUNT = 64, LAYERS = 1000 };

/* ---- one instance ---- */

typedef struct walk {
  pl_reversible rule;
  int64_t x[COUNT], v[COUNT], x0[COUNT], v0[COUNT];
  uint64_t *buffer;
  double now[COUNT];
} walk;

/* Half of the velocities negative, some of them smaller than one denominator. */
static walk start(int64_t n, int64_t d, int layers) {
  walk w = {.rule = pl_reversible_of(n, d)};
  for (uint64_t k = 0; k < COUNT; k++) {
    double scale = k % 5 == 0 ? 1e-13 : 1;
    double x[2] = {2 * pl_rng_uniform(1, 1, k) - 1, scale * (2 * pl_rng_uniform(1, 2, k) - 1)};
    assert_true(pl_reversible_set(1, &x[0], &w.x[k]) && pl_reversible_set(1, &x[1], &w.v[k]));
  }
  memcpy(w.x0, w.x, sizeof w.x);
  memcpy(w.v0, w.v, sizeof w.v);
  w.buffer = pl_zalloc(COUNT * (size_t)pl_reversible_buffers(&w.rule, layers), 8, "buffers");
  return w;
}

static uint64_t *buffer_of(const walk *w, int layer) {
  return w->buffer + layer / w->rule.period * COUNT;
}

static void force(int layer, const int64_t *fixed, double *f) {
  double x[COUNT];
  pl_reversible_get(COUNT, fixed, x);
  for (int k = 0; k < COUNT; k++) f[k] = sin(3 * x[(k + layer) % COUNT]) - 0.3 * x[k];
}

/* now is x, rounded once. */
static void check_numbers(const walk *w) {
  for (int k = 0; k < COUNT; k++) assert_true(w->now[k] == (double)w->x[k] * 0x1p-52);
}

static void forward(walk *w, int layers) {
  double f[COUNT];
  for (int k = 0; k < layers; k++) {
    force(k, w->x, f);
    assert_true(
        pl_reversible_forward(&w->rule, COUNT, 0.1, f, w->v, w->x, buffer_of(w, k), w->now));
  }
}

static void back(walk *w, int layers) {
  double f[COUNT];
  for (int k = layers - 1; k >= 0; k--) {
    pl_reversible_back_x(COUNT, w->v, w->x, w->now);
    check_numbers(w);
    force(k, w->x, f);
    pl_reversible_back_v(&w->rule, COUNT, 0.1, f, w->v, buffer_of(w, k));
  }
}

static const int64_t ratios[][2] = {{58983, 65536}, {9, 10}, {99, 100},     {64881, 65536},
                                    {39, 40},       {1, 2},  {999, 1000},   {1, 65536},
                                    {65535, 65536}, {2, 3},  {32768, 65535}};
enum { NUM_RATIOS = sizeof ratios / sizeof *ratios };

/* ---- tests ---- */

static void a_thousand_layers_come_back_to_the_bit(void **state) {
  (void)state;
  for (int i = 0; i < NUM_RATIOS; i++) {
    walk w = start(ratios[i][0], ratios[i][1], LAYERS);
    int negative = 0, positive = 0;
    forward(&w, LAYERS);
    for (int k = 0; k < COUNT; k++) negative += w.v[k]<0, positive += w.v[k]> 0;
    assert_true(negative > 5 && positive > 5);
    assert_memory_not_equal(w.x, w.x0, sizeof w.x);
    back(&w, LAYERS);
    assert_memory_equal(w.x, w.x0, sizeof w.x);
    assert_memory_equal(w.v, w.v0, sizeof w.v);
    for (int k = 0; k < COUNT * pl_reversible_buffers(&w.rule, LAYERS); k++)
      assert_true(w.buffer[k] == 0);
    pl_free(w.buffer);
  }
}

/* The rule as the header has it, in wide integers. */
static void plain(int64_t n, int64_t d, int64_t f, int64_t *v, int64_t *x, uint64_t *b) {
  int64_t q = *v / d - (*v % d < 0), r = *v - q * d;
  unsigned __int128 wide = (unsigned __int128)*b * (uint64_t)d + (uint64_t)r;
  *v = q * n + (int64_t)(wide % (uint64_t)n) + f;
  *b = (uint64_t)(wide / (uint64_t)n);
  assert_true(wide >> 49 == 0);
  *x += *v;
}

static void layers_follow_the_rule(void **state) {
  (void)state;
  for (int i = 0; i < NUM_RATIOS; i++) {
    int64_t n = ratios[i][0], d = ratios[i][1];
    walk w = start(n, d, LAYERS), p = start(n, d, LAYERS);
    double f[COUNT];
    for (int layer = 0; layer < LAYERS; layer++) {
      force(layer, w.x, f);
      pl_reversible_forward(&w.rule, COUNT, 0.1, f, w.v, w.x, buffer_of(&w, layer), w.now);
      check_numbers(&w);
      for (int k = 0; k < COUNT; k++)
        plain(n, d, llrint(0.1 * f[k] * 0x1p52), &p.v[k], &p.x[k], &buffer_of(&p, layer)[k]);
      assert_memory_equal(w.v, p.v, sizeof w.v);
      assert_memory_equal(w.x, p.x, sizeof w.x);
      assert_memory_equal(buffer_of(&w, layer), buffer_of(&p, layer), COUNT * sizeof(uint64_t));
    }
    pl_free(w.buffer);
    pl_free(p.buffer);
  }
}

static void velocities_shrink_by_the_ratio(void **state) {
  (void)state;
  for (int i = 0; i < NUM_RATIOS; i++) {
    walk w = start(ratios[i][0], ratios[i][1], 1);
    double zero[COUNT] = {0}, gamma = (double)ratios[i][0] / (double)ratios[i][1];
    pl_reversible_forward(&w.rule, COUNT, 1, zero, w.v, w.x, w.buffer, w.now);
    for (int k = 0; k < COUNT; k++) {
      assert_true(fabs((double)w.v[k] - gamma * (double)w.v0[k]) <= (double)ratios[i][0] + 1);
      assert_true(w.x[k] == w.x0[k] + w.v[k]);
    }
    pl_free(w.buffer);
  }
}

/* Up to a few bits a buffer, as each one starts empty. */
static void a_layer_keeps_minus_log2_gamma_bits(void **state) {
  (void)state;
  const struct {
    int64_t n, d;
    double known; /* of an independent code, one buffer of any length */
  } cases[] = {{58983, 65536, 154}, {64881, 65536, 17}, {9, 10, 154}, {99, 100, 17}};
  for (int i = 0; i < 4; i++) {
    walk w = start(cases[i].n, cases[i].d, LAYERS);
    int buffers = pl_reversible_buffers(&w.rule, LAYERS);
    forward(&w, LAYERS);
    double bits = pl_reversible_bits(COUNT * buffers, w.buffer) / COUNT;
    double gamma = (double)cases[i].n / (double)cases[i].d, expected = -LAYERS * log2(gamma);
    assert_true(fabs(bits - expected) < 4 * buffers);
    assert_true(fabs(bits - cases[i].known) < 10);
    assert_true(bits < LAYERS * 16.0 / 50);
    pl_free(w.buffer);
  }
}

static void what_leaves_the_range_is_told(void **state) {
  (void)state;
  const pl_reversible r = pl_reversible_of(9, 10);
  const double inside = 2047.999, outside = 2048, none = NAN, zero = 0;
  int64_t x, v;
  uint64_t b;
  double now;
  assert_true(pl_reversible_set(1, &inside, &x));
  assert_false(pl_reversible_set(1, &outside, &x));
  assert_false(pl_reversible_set(1, &none, &x));
  for (int sign = -1; sign <= 1; sign += 2) {
    double x0 = sign * 2000, small = sign * 30, large = sign * 60, huge = sign * 2048.0;
    x = v = 0, b = 0;
    assert_true(pl_reversible_set(1, &x0, &x));
    assert_true(pl_reversible_forward(&r, 1, 1, &small, &v, &x, &b, &now)); /* x = 2030 */
    assert_false(pl_reversible_forward(&r, 1, 1, &zero, &v, &x, &b, &now) &&
                 pl_reversible_forward(&r, 1, 1, &small, &v, &x, &b, &now)); /* beyond 2048 */
    x = v = 0, b = 0;
    assert_true(pl_reversible_set(1, &x0, &v));
    assert_false(pl_reversible_forward(&r, 1, 5, &large, &v, &x, &b, &now)); /* v = 1800 + 300 */
    x = v = 0, b = 0;
    assert_false(pl_reversible_forward(&r, 1, 1, &huge, &v, &x, &b, &now));
  }
  x = v = 0, b = 0;
  assert_false(pl_reversible_forward(&r, 1, 1, &none, &v, &x, &b, &now));
}

static void gamma_becomes_the_simplest_fraction(void **state) {
  (void)state;
  const struct {
    double gamma;
    int64_t n, d;
  } cases[] = {{0.9, 9, 10},
               {0.99, 99, 100},
               {0.975, 39, 40},
               {0.5, 1, 2},
               {0.999, 999, 1000},
               {58983.0 / 65536, 58983, 65536},
               {1.0 / 3, 1, 3},
               {0.25 + 1e-9, 16384, 65536},
               {0.123456789, 8091, 65536}};
  int64_t n, d;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    assert_true(pl_reversible_ratio(cases[i].gamma, &n, &d));
    assert_int_equal(n, cases[i].n);
    assert_int_equal(d, cases[i].d);
  }
  const double none[] = {0, 1, -0.5, 2, 1e-9, 1 - 1e-9, NAN};
  for (size_t i = 0; i < sizeof none / sizeof *none; i++)
    assert_false(pl_reversible_ratio(none[i], &n, &d));
}

/* Without the buffer: the recursion run backwards in floating point, depth 200, d = 8.  The
 * velocities grow by 1/gamma a layer, and their rounding with them. */
static double floating_drift(double gamma) {
  enum { D = 8, DEPTH = 200 };
  static double theta[DEPTH][D * D];
  double x[D], v[D] = {0}, x0[D], most = 0;
  for (int k = 0; k < DEPTH; k++) pl_rng_normals(3, (uint64_t)k, 0, D * D, theta[k]);
  pl_rng_normals(3, 1000, 0, D, x);
  memcpy(x0, x, sizeof x);
  for (int k = 0; k < 2 * DEPTH; k++) {
    int layer = k < DEPTH ? k : 2 * DEPTH - 1 - k;
    double f[D] = {0};
    for (int i = 0; i < D && k >= DEPTH; i++) x[i] -= v[i];
    for (int i = 0; i < D; i++)
      for (int j = 0; j < D; j++) f[i] += 0.1 * theta[layer][i * D + j] * x[j];
    for (int i = 0; i < D; i++) {
      if (k < DEPTH)
        x[i] += v[i] = gamma * v[i] + (1 - gamma) * f[i];
      else
        v[i] = (v[i] - (1 - gamma) * f[i]) / gamma;
    }
  }
  for (int i = 0; i < D; i++) most = fmax(most, fmax(fabs(x[i] - x0[i]), fabs(v[i])));
  return most;
}

static void floating_point_drifts(void **state) {
  (void)state;
  double drift[] = {floating_drift(0.9), floating_drift(0.99), floating_drift(0.999)};
  assert_true(drift[0] > 1e-9 && drift[0] < 1e-3);
  assert_true(drift[1] > 1e-15 && drift[1] < 1e-11);
  assert_true(drift[2] < 1e-13);
  assert_true(drift[0] > 1e3 * drift[1]);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_thousand_layers_come_back_to_the_bit),
    cmocka_unit_test(layers_follow_the_rule),
    cmocka_unit_test(velocities_shrink_by_the_ratio),
    cmocka_unit_test(a_layer_keeps_minus_log2_gamma_bits),
    cmocka_unit_test(what_leaves_the_range_is_told),
    cmocka_unit_test(gamma_becomes_the_simplest_fraction),
    cmocka_unit_test(floating_point_drifts),
};
PL_TEST_MAIN(tests)
