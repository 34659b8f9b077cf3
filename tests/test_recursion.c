/* ranks: 1 */
/* The recursion on the tape: with the reversible store as it is recorded, and both against
 * differences; to the last bit back; memory that does not grow. */
#include "pl_test.h"

#include "base/rng.h"
#include "tape/ops.h"
#include "tape/recursion.h"

enum { ROWS = 3, COLS = 4, HIDDEN = 5, COUNT = ROWS * COLS, MOST_DEPTH = 1000 };

/* ---- one instance: f(x) = tanh(x W_1 + u) W_2, u a node that all layers share ---- */

typedef struct instance {
  pl_recursion r;
  pl_reversible rule;
  bool tied;
  int nodes;  /* that the layers read, u first */
  int64_t n;  /* numbers of x, u and the weights */
  double *at; /* [n], one after the other */
} instance;

static pl_node *layer(pl_tape *t, const void *context, int k, int half, pl_node *const *node,
                      pl_node *x) {
  (void)context, (void)k, (void)half;
  return pl_tape_matmul(t, pl_tape_tanh(t, pl_tape_add(t, pl_tape_matmul(t, x, node[1]), node[0])),
                        node[2]);
}

static void shape_of(const instance *m, int i, int64_t *rows, int64_t *cols) {
  int64_t width = m->r.revnet ? COLS / 2 : COLS;
  *rows = i == 0 ? 1 : i % 2 ? width : HIDDEN;
  *cols = i == 0 ? HIDDEN : i % 2 ? HIDDEN : width;
}

static instance make(int depth, int64_t n, int64_t d, bool tied, bool revnet) {
  instance m = {.tied = tied};
  double gamma = (double)n / (double)d;
  m.r = (pl_recursion){.depth = depth,
                       .gamma = revnet ? 0 : gamma,
                       .c = revnet ? .3 : 1 - gamma,
                       .revnet = revnet,
                       .shared = tied ? 3 : 1,
                       .each = tied ? 0 : 2,
                       .layer = layer};
  if (n > 0) m.rule = pl_reversible_of(n, d);
  m.nodes = pl_recursion_nodes(&m.r);
  m.n = COUNT;
  for (int i = 0; i < m.nodes; i++) {
    int64_t rows, cols;
    shape_of(&m, i, &rows, &cols);
    m.n += rows * cols;
  }
  m.at = pl_alloc((size_t)m.n, sizeof *m.at, "an instance");
  for (int64_t i = 0; i < m.n; i++) m.at[i] = 2 * pl_rng_uniform(5, 1, (uint64_t)i) - 1;
  return m;
}

/* x_N from the numbers `at`; direction and product as those, or NULL. */
static pl_node *record(pl_tape *t, const instance *m, bool reversible, const double *at, double *g,
                       const double *direction, double *product, pl_node **nodes) {
  pl_recursion r = m->r;
  pl_node **node = pl_alloc((size_t)m->nodes, sizeof(pl_node *), "nodes");
  int64_t from = COUNT;
  r.rule = reversible ? &m->rule : NULL;
  pl_node *x = pl_tape_variable(t, ROWS, COLS, at, g);
  if (direction) pl_tape_direction(t, x, direction, product);
  for (int i = 0; i < m->nodes; i++) {
    int64_t rows, cols;
    shape_of(m, i, &rows, &cols);
    node[i] = pl_tape_variable(t, rows, cols, at + from, g ? g + from : NULL);
    if (direction) pl_tape_direction(t, node[i], direction + from, product + from);
    from += rows * cols;
  }
  pl_node *y = pl_tape_recursion(t, &r, x, node);
  pl_free(node);
  if (nodes) *nodes = y;
  return y;
}

typedef struct answer {
  double y[COUNT], ydot[COUNT];
  double *g, *hv; /* of y + y^2/3 against a seed */
} answer;

static const double seed[COUNT] = {.3, -1, .7, .2, -.4, .9, 1.1, -.6, .5, -.8, .1, .4};

static answer answer_new(const instance *m) {
  answer a = {.g = pl_zalloc((size_t)m->n, 8, "gradient"), .hv = pl_zalloc((size_t)m->n, 8, "H v")};
  return a;
}

static void answer_free(answer *a) {
  pl_free(a->g);
  pl_free(a->hv);
}

static double velocity(int64_t i) {
  return cos((double)(3 * i + 1));
}

static void evaluate(pl_tape *t, const instance *m, bool reversible, double shift, answer *a) {
  double *at = pl_alloc((size_t)m->n, 8, "shifted"), *v = pl_alloc((size_t)m->n, 8, "direction");
  for (int64_t i = 0; i < m->n; i++) v[i] = velocity(i), at[i] = m->at[i] + shift * v[i];
  memset(a->g, 0, (size_t)m->n * 8);
  memset(a->hv, 0, (size_t)m->n * 8);
  pl_tape_reset(t);
  pl_node *y = record(t, m, reversible, at, a->g, v, a->hv, NULL);
  pl_node *z = pl_tape_add(t, y, pl_tape_scale(t, pl_tape_square(t, y), 1. / 3));
  memcpy(a->y, y->value, sizeof a->y);
  pl_tape_backward(t, z, seed);
  pl_tape_hvp(t);
  memcpy(a->ydot, pl_tape_read(t, y, PL_TANGENT), sizeof a->ydot);
  pl_free(at);
  pl_free(v);
}

static void close_all(int64_t n, const double *a, const double *b, double tol) {
  for (int64_t i = 0; i < n; i++) assert_close(a[i], b[i], tol);
}

/* gamma 0, momenta, RevNet; tied and not. */
static const struct {
  int depth;
  int64_t n, d;
  bool tied, revnet;
} cases[] = {{1, 9, 10, true, false},   {7, 9, 10, true, false}, {7, 9, 10, false, false},
             {40, 39, 40, true, false}, {6, 0, 1, false, false}, {5, 0, 1, true, true},
             {5, 0, 1, false, true},    {9, 1, 2, false, false}};
enum { CASES = sizeof cases / sizeof *cases };

static instance make_case(int k) {
  return make(cases[k].depth, cases[k].n, cases[k].d, cases[k].tied, cases[k].revnet);
}

static void the_store_changes_nothing(void **state) {
  (void)state;
  pl_tape *t = pl_tape_new();
  for (int k = 0; k < CASES; k++) {
    if (cases[k].n == 0) continue;
    instance m = make_case(k);
    answer a = answer_new(&m), b = answer_new(&m);
    evaluate(t, &m, false, 0, &a);
    evaluate(t, &m, true, 0, &b);
    close_all(COUNT, b.y, a.y, 1e-11);
    close_all(COUNT, b.ydot, a.ydot, 1e-10);
    close_all(m.n, b.g, a.g, 1e-10);
    close_all(m.n, b.hv, a.hv, 1e-10);
    answer_free(&a);
    answer_free(&b);
    pl_free(m.at);
  }
  pl_tape_free(t);
}

static void derivatives_equal_differences(void **state) {
  (void)state;
  pl_tape *t = pl_tape_new();
  for (int k = 0; k < CASES; k++)
    for (int reversible = 0; reversible < (cases[k].n ? 2 : 1); reversible++) {
      instance m = make_case(k);
      const double h = 1e-5;
      answer a = answer_new(&m), plus = answer_new(&m), minus = answer_new(&m);
      evaluate(t, &m, reversible, 0, &a);
      evaluate(t, &m, reversible, h, &plus);
      evaluate(t, &m, reversible, -h, &minus);
      double slope = 0, loss[2] = {0, 0};
      for (int64_t i = 0; i < COUNT; i++) {
        assert_close((plus.y[i] - minus.y[i]) / (2 * h), a.ydot[i], 1e-7);
        loss[0] += seed[i] * (minus.y[i] + minus.y[i] * minus.y[i] / 3);
        loss[1] += seed[i] * (plus.y[i] + plus.y[i] * plus.y[i] / 3);
      }
      for (int64_t i = 0; i < m.n; i++) {
        assert_close((plus.g[i] - minus.g[i]) / (2 * h), a.hv[i], 1e-6);
        slope += a.g[i] * velocity(i);
      }
      assert_close((loss[1] - loss[0]) / (2 * h), slope, 1e-7);
      answer_free(&a);
      answer_free(&plus);
      answer_free(&minus);
      pl_free(m.at);
    }
  pl_tape_free(t);
}

/* Sweeps in any order and number find the state where they need it. */
static void sweeps_may_be_repeated(void **state) {
  (void)state;
  instance m = make(20, 9, 10, false, false);
  pl_tape *t = pl_tape_new();
  double *g = pl_zalloc((size_t)m.n, 8, "gradient"), *h = pl_zalloc((size_t)m.n, 8, "H v");
  double *v = pl_alloc((size_t)m.n, 8, "direction");
  for (int64_t i = 0; i < m.n; i++) v[i] = velocity(i);
  pl_node *y = record(t, &m, true, m.at, g, v, h, NULL);
  pl_tape_backward(t, y, seed);
  double once = g[COUNT + 7];
  pl_tape_backward(t, y, seed);
  assert_close(g[COUNT + 7], 2 * once, 1e-14);
  pl_tape_hvp(t);
  double bent = h[COUNT + 7];
  assert_true(pl_recursion_undo(t, y) == 0);
  pl_tape_hvp(t);
  assert_close(h[COUNT + 7], 2 * bent, 1e-14);
  pl_tape_tangents(t);
  pl_tape_backward(t, y, seed);
  assert_close(g[COUNT + 7], 3 * once, 1e-14);
  pl_tape_free(t);
  pl_free(g);
  pl_free(h);
  pl_free(v);
  pl_free(m.at);
}

/* 10^3 layers, velocities of both signs, tied. */
static void it_comes_back_to_the_last_bit(void **state) {
  (void)state;
  static const int64_t ratio[][2] = {{9, 10}, {58983, 65536}, {99, 100}, {64881, 65536}};
  for (int k = 0; k < 4; k++) {
    instance m = make(MOST_DEPTH, ratio[k][0], ratio[k][1], true, false);
    m.r.c = .002;
    pl_tape *t = pl_tape_new();
    pl_node *y = record(t, &m, true, m.at, NULL, NULL, NULL, NULL);
    double bits = pl_recursion_bits(t, y) / COUNT, gamma = m.r.gamma;
    int signs[2] = {0, 0};
    for (int i = 0; i < COUNT; i++) signs[y->value[i] > m.at[i]]++;
    assert_true(signs[0] > 0 && signs[1] > 0);
    assert_true(pl_recursion_undo(t, y) == 0);
    assert_true(fabs(bits / (-MOST_DEPTH * log2(gamma)) - 1) < .15);
    pl_tape_free(t);
    pl_free(m.at);
  }
}

/* What leaves the range is NaN, and told; what stays is not. */
static void saturation_is_told(void **state) {
  (void)state;
  for (int far = 0; far < 2; far++) {
    instance m = make(40, 9, 10, true, false);
    m.r.c = far ? 1000 : .1;
    pl_tape *t = pl_tape_new();
    pl_node *y = record(t, &m, true, m.at, NULL, NULL, NULL, NULL);
    assert_int_equal(pl_recursion_beyond(y), far);
    for (int i = 0; i < COUNT; i++) assert_int_equal(isnan(y->value[i]) != 0, far);
    pl_tape_free(t);
    pl_free(m.at);
  }
}

/* Bytes of the tape after forward and backward. */
static double bytes_at(int depth, bool reversible, int64_t n, int64_t d) {
  instance m = make(depth, n, d, true, false);
  pl_tape *t = pl_tape_new();
  double *g = pl_zalloc((size_t)m.n, 8, "gradient");
  for (int turn = 0; turn < 3; turn++) {
    int64_t blocks = pl_mem_live();
    size_t before = pl_tape_bytes(t);
    pl_tape_reset(t);
    if (turn == 2) blocks = pl_mem_live(), before = pl_tape_bytes(t);
    pl_node *y = record(t, &m, reversible, m.at, g, NULL, NULL, NULL);
    pl_tape_backward(t, y, seed);
    if (turn < 2) continue;
    /* What was learned is enough. */
    assert_int_equal(pl_mem_live(), blocks);
    assert_int_equal(pl_tape_bytes(t), before);
    if (reversible)
      assert_true(pl_recursion_bytes(y) ==
                  8. * COUNT * (2 + pl_reversible_buffers(&m.rule, depth)));
  }
  double bytes = (double)pl_tape_bytes(t);
  pl_tape_free(t);
  pl_free(g);
  pl_free(m.at);
  return bytes;
}

static void memory_is_flat_in_depth(void **state) {
  (void)state;
  assert_true(bytes_at(1000, true, 999, 1000) == bytes_at(10, true, 999, 1000));
  assert_true(bytes_at(1000, false, 999, 1000) > 50 * bytes_at(10, false, 999, 1000));
  assert_true(bytes_at(1000, false, 99, 100) > 20 * bytes_at(1000, true, 99, 100));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(the_store_changes_nothing), cmocka_unit_test(derivatives_equal_differences),
    cmocka_unit_test(sweeps_may_be_repeated),    cmocka_unit_test(it_comes_back_to_the_last_bit),
    cmocka_unit_test(saturation_is_told),        cmocka_unit_test(memory_is_flat_in_depth),
};
PL_TEST_MAIN(tests)
