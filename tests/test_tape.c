/* ranks: 1 */
#include "pl_test.h"

#include "tape_cases.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void every_operation_agrees_with_differences(void **state) {
  (void)state;
  static problem p;
  pl_tape *t = pl_tape_new();
  for (int k = 0; k < TAPE_CASES; k++) {
    set_up(&p, &tape_cases[k]);
    check_everywhere(t, &p);
  }
  pl_tape_free(t);
}

static void every_operation_of_the_table_is_tested(void **state) {
  (void)state;
  for (int i = 0; pl_tape_builtin(i); i++) {
    bool found = false;
    for (int k = 0; k < TAPE_CASES; k++)
      found |= !strcmp(tape_cases[k].op, pl_tape_builtin(i)->name);
    if (!found) print_error("no case of %s\n", pl_tape_builtin(i)->name);
    assert_true(found);
  }
}

/* ---- the tape itself ---- */

/* A small network with a bit of everything: n samples, two layers, dropout, softmax. */
typedef struct network {
  double x[64 * 6], w1[6 * 8], b1[8], w2[8 * 4];
  double g1[6 * 8], gb[8], g2[8 * 4]; /* gradients */
  double h1[6 * 8], hb[8], h2[8 * 4]; /* Hessian times directions */
  double v1[6 * 8], vb[8], v2[8 * 4];
  int label[64];
} network;

static void make_network(network *k) {
  memset(k, 0, sizeof *k);
  draw(20, 64 * 6, -1, 1, k->x);
  draw(21, 48, -1, 1, k->w1), draw(22, 8, -1, 1, k->b1), draw(23, 32, -1, 1, k->w2);
  draw(24, 48, -1, 1, k->v1), draw(25, 8, -1, 1, k->vb), draw(26, 32, -1, 1, k->v2);
  for (int i = 0; i < 64; i++) k->label[i] = i % 4;
}

static pl_node *network_loss(pl_tape *t, network *k, int64_t samples) {
  pl_node *w1 = pl_tape_variable(t, 6, 8, k->w1, k->g1),
          *b1 = pl_tape_variable(t, 1, 8, k->b1, k->gb);
  pl_node *w2 = pl_tape_variable(t, 8, 4, k->w2, k->g2);
  pl_tape_direction(t, w1, k->v1, k->h1);
  pl_tape_direction(t, b1, k->vb, k->hb);
  pl_tape_direction(t, w2, k->v2, k->h2);
  pl_node *h = pl_tape_silu(t, pl_tape_affine(t, pl_tape_constant(t, samples, 6, k->x), w1, b1));
  h = pl_tape_dropout(t, h, .25, 1, 1, 0);
  pl_node *logits =
      pl_tape_matmul(t, pl_tape_divide(t, h, pl_tape_softplus(t, pl_tape_row_sums(t, h))), w2);
  pl_node *nll = pl_tape_pick(t, pl_tape_log_softmax(t, logits, NULL), k->label);
  return pl_tape_scale(t, pl_tape_mean(t, nll), -1);
}

static double network_step(pl_tape *t, network *k, int64_t samples, int products) {
  pl_tape_reset(t);
  memset(k->g1, 0,
         sizeof k->g1 + sizeof k->gb + sizeof k->g2 + sizeof k->h1 + sizeof k->hb + sizeof k->h2);
  pl_node *loss = network_loss(t, k, samples);
  pl_tape_backward(t, loss, NULL);
  for (int i = 0; i < products; i++) pl_tape_hvp(t);
  for (int i = 1; i < products; i++) /* from the middle, with a seed, and from the end */
    pl_tape_backward(t, i % 2 ? loss->before : loss, i % 2 ? k->x : NULL);
  return loss->value[0];
}

static void evaluations_repeat_bitwise_and_allocate_nothing(void **state) {
  (void)state;
  static network a, b;
  make_network(&a);
  pl_tape *t = pl_tape_new();
  double loss = network_step(t, &a, 64, 1);
  pl_tape_reset(t);
  int64_t blocks = pl_mem_live(), bytes = pl_mem_restart_peak();
  for (int i = 0; i < 4; i++) {
    b = a;
    draw(30, 48, -9, 9, b.g1);
    assert_true(network_step(t, &b, 64, 1) == loss);
    assert_memory_equal(&a, &b, sizeof a);
  }
  network_step(t, &b, 64, 50); /* products at one point reuse what the first has taken */
  network_step(t, &b, 7, 3);   /* and smaller evaluations what larger ones have */
  assert_int_equal(pl_mem_live(), blocks);
  assert_int_equal(pl_mem_peak(), bytes);
  pl_tape_free(t);
}

static void gradients_add_up_and_adjoints_start_anew(void **state) {
  (void)state;
  double x[2] = {3, 5}, g[2] = {100, 200};
  pl_tape *t = pl_tape_new();
  pl_node *in = pl_tape_variable(t, 1, 2, x, g), *input = pl_tape_variable(t, 1, 2, x, NULL);
  pl_node *fixed = pl_tape_constant(t, 1, 2, x), *square = pl_tape_multiply(t, in, input);
  pl_node *y = pl_tape_sum(t, pl_tape_multiply(t, square, fixed)), *z = pl_tape_sum(t, square);
  assert_null(pl_tape_read(t, square, PL_ADJOINT));
  pl_tape_direction(t, in, x, NULL); /* forward alone: d/de of sum (x + e x) x */
  pl_tape_tangents(t);
  assert_close(pl_tape_read(t, z, PL_TANGENT)[0], 9 + 25, 1e-15);
  assert_null(pl_tape_read(t, fixed, PL_TANGENT));
  for (int i = 1; i < 4; i++) {
    pl_tape_backward(t, y, NULL);
    for (int j = 0; j < 2; j++) {
      assert_close(g[j], 100 * (j + 1) + i * x[j] * x[j], 1e-15);
      assert_close(pl_tape_read(t, input, PL_ADJOINT)[j], x[j] * x[j], 1e-15);
      assert_close(pl_tape_read(t, square, PL_ADJOINT)[j], x[j], 1e-15);
    }
    assert_null(pl_tape_read(t, fixed, PL_ADJOINT));
    assert_null(pl_tape_read(t, z, PL_ADJOINT));
  }
  /* From a node in the middle with a seed, and from one without variables. */
  double seed[2] = {1, -1};
  pl_tape_backward(t, square, seed);
  assert_close(pl_tape_read(t, input, PL_ADJOINT)[1], -5, 1e-15);
  assert_null(pl_tape_read(t, y, PL_ADJOINT));
  pl_tape_backward(t, z, NULL);
  assert_close(pl_tape_read(t, square, PL_ADJOINT)[1], 1, 0);
  assert_true(seed[0] == 1 && seed[1] == -1);
  pl_tape_backward(t, pl_tape_sum(t, fixed), NULL);
  assert_null(pl_tape_read(t, input, PL_ADJOINT));
  pl_tape_backward(t, in, x); /* a leaf */
  assert_close(g[0], 100 + 3 * 9 + 3 + 3 + 3, 1e-15);
  pl_tape_free(t);
}

/* x -> tanh(1.01 x) many times over: derivatives by the chain rule, along the values. */
static void deep_chains_follow_the_chain_rule(void **state) {
  (void)state;
  enum { DEPTH = 20000 };
  double x = .3, one = 1, first = 1, second = 0;
  pl_tape *t = pl_tape_new();
  pl_node *in = pl_tape_variable(t, 1, 1, &x, NULL), *y = in;
  pl_tape_direction(t, in, &one, NULL);
  for (int k = 0; k < DEPTH; k++) {
    y = pl_tape_tanh(t, pl_tape_scale(t, y, 1.01));
    double d = 1 - y->value[0] * y->value[0], a = 1.01 * d, b = -2 * y->value[0] * d * 1.01 * 1.01;
    second = b * first * first + a * second;
    first *= a;
    if (k != 30) continue; /* before both have died away */
    pl_tape_backward(t, y, NULL);
    pl_tape_hvp(t);
    assert_close(pl_tape_read(t, in, PL_ADJOINT)[0] / first, 1, 1e-13);
    assert_close(pl_tape_read(t, in, PL_ADJOINT_TANGENT)[0] / second, 1, 1e-12);
  }
  pl_tape_backward(t, y, NULL);
  pl_tape_hvp(t);
  assert_close(pl_tape_read(t, in, PL_ADJOINT)[0] / first, 1, 1e-9);
  assert_close(pl_tape_read(t, y, PL_TANGENT)[0] / first, 1, 1e-9);
  pl_tape_free(t);
}

/* f(x) = x^T A x/2 + sum x^3/6: H v = (A + A^T) v/2 + x v, to rounding. */
static void hessians_of_polynomials_are_exact(void **state) {
  (void)state;
  enum { N = 23 };
  double a[N * N], x[N], v[N], hv[N] = {0};
  draw(40, N * N, -1, 1, a), draw(41, N, -1, 1, x), draw(42, N, -1, 1, v);
  pl_tape *t = pl_tape_new();
  pl_node *in = pl_tape_variable(t, N, 1, x, NULL);
  pl_tape_direction(t, in, v, hv);
  pl_node *f = pl_tape_matmul_tn(t, in, pl_tape_matmul(t, pl_tape_constant(t, N, N, a), in));
  pl_node *cube = pl_tape_multiply(t, pl_tape_square(t, in), in);
  f = pl_tape_add(t, pl_tape_scale(t, f, .5), pl_tape_scale(t, pl_tape_sum(t, cube), 1. / 6));
  pl_tape_backward(t, f, NULL);
  for (int twice = 0; twice < 2; twice++) {
    memset(hv, 0, sizeof hv);
    pl_tape_hvp(t);
    for (int i = 0; i < N; i++) {
      double want = x[i] * v[i];
      for (int j = 0; j < N; j++) want += (a[i * N + j] + a[j * N + i]) * v[j] / 2;
      assert_close(hv[i], want, 1e-14);
    }
    for (int i = 0; i < N; i++) v[i] = 2 - v[i];
  }
  pl_tape_free(t);
}

/* An operation from outside the table: y = x^3, saying nothing of its own to the tape. */
static void cube_forward(pl_tape *t, pl_node *y, double *out) {
  (void)t;
  for (int64_t i = 0; i < pl_tape_count(y); i++) out[i] = pow(y->input[0]->value[i], 3);
}
static void cube_terms(const pl_node *y, const double *from, const double *dot, pl_into to) {
  for (int64_t i = 0; to.at && i < pl_tape_count(y); i++) {
    double x = y->input[0]->value[i], d = dot ? 6 * x * dot[i] : 3 * x * x;
    to.at[i] = (to.add ? to.at[i] : 0) + d * from[i];
  }
}
static void cube_backward(pl_tape *t, const pl_node *y, const double *dy) {
  cube_terms(y, dy, NULL, pl_tape_into(t, y->input[0]));
}
static void cube_tangent(pl_tape *t, const pl_node *y) {
  cube_terms(y, pl_tape_read(t, y->input[0], PL_TANGENT), NULL, pl_tape_into(t, y));
}
static void cube_bend(pl_tape *t, const pl_node *y, const double *dy) {
  cube_terms(y, dy, pl_tape_read(t, y->input[0], PL_TANGENT), pl_tape_into(t, y->input[0]));
}
static const pl_tape_op cube_op = {"cube",    cube_forward, cube_backward, cube_tangent,
                                   cube_bend, NULL,         NULL};
static pl_node *cube(pl_tape *t, pl_node *x) {
  return pl_tape_apply(t, &cube_op, x->rows, x->cols, 1, &x, NULL, 0);
}

static void operations_of_others_join_in(void **state) {
  (void)state;
  static problem p;
  const tape_case c = {"cube", cube, NULL, NULL, -2, 2, {{3, 4}}, 1};
  pl_tape *t = pl_tape_new();
  p = (problem){.c = &c, .variables = 1, .moved = 1, .n = 12};
  draw(1, p.n, -2, 2, p.x), draw(2, p.n, -1, 1, p.v), draw(3, MOST, -1, 1, p.u);
  for (int nested = 0; nested < 2; nested++) {
    p.nested = nested;
    check(t, &p);
  }
  pl_tape_free(t);
}

/* ---- broken invariants ---- */

static const double some[16];
static const int64_t wrong_start[] = {0, 2, 3};
static const int wrong_index[] = {0, 5, 0, 0};

static void bad_matmul(pl_tape *t, pl_node *a, pl_node *b) {
  pl_tape_matmul(t, a, b);
}
static void bad_bias(pl_tape *t, pl_node *a, pl_node *b) {
  pl_tape_affine(t, a, pl_tape_transpose(t, b), b);
}
static void bad_broadcast(pl_tape *t, pl_node *a, pl_node *b) {
  pl_tape_add(t, a, pl_tape_transpose(t, b));
}
static void bad_segments(pl_tape *t, pl_node *a, pl_node *b) {
  (void)b;
  pl_tape_segment_sum(t, a, 2, wrong_start);
}
static void bad_gather(pl_tape *t, pl_node *a, pl_node *b) {
  (void)b;
  pl_tape_gather(t, a, 4, wrong_index);
}
static void bad_reshape(pl_tape *t, pl_node *a, pl_node *b) {
  (void)b;
  pl_tape_reshape(t, a, 3, 5);
}
static void bad_root(pl_tape *t, pl_node *a, pl_node *b) {
  (void)b;
  pl_tape_backward(t, a, NULL);
}
static void bad_product(pl_tape *t, pl_node *a, pl_node *b) {
  (void)a, (void)b;
  pl_tape_hvp(t);
}
static void good(pl_tape *t, pl_node *a, pl_node *b) {
  pl_tape_backward(t, pl_tape_sum(t, pl_tape_matmul_nt(t, a, b)), NULL);
}

static void leave(int code) {
  _exit(code);
}

/* How a process ends in which f meets a 4 x 4 and a 2 x 4 variable. */
static int ending(void (*f)(pl_tape *, pl_node *, pl_node *)) {
  int status = 0;
  pid_t child = fork();
  if (child == 0) {
    if (!freopen("/dev/null", "w", stderr)) _exit(1);
    pl_set_abort_hook(leave);
    pl_tape *t = pl_tape_new();
    f(t, pl_tape_variable(t, 4, 4, some, NULL), pl_tape_variable(t, 2, 4, some, NULL));
    _exit(0);
  }
  assert_true(child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status));
  return WEXITSTATUS(status);
}

static void shapes_that_do_not_fit_end_the_program(void **state) {
  (void)state;
  void (*const bad[])(pl_tape *, pl_node *, pl_node *) = {bad_matmul,   bad_bias,   bad_broadcast,
                                                          bad_segments, bad_gather, bad_reshape,
                                                          bad_root,     bad_product};
  assert_int_equal(ending(good), 0);
  for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) assert_int_equal(ending(bad[k]), PL_EBUG);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(every_operation_agrees_with_differences),
    cmocka_unit_test(every_operation_of_the_table_is_tested),
    cmocka_unit_test(evaluations_repeat_bitwise_and_allocate_nothing),
    cmocka_unit_test(gradients_add_up_and_adjoints_start_anew),
    cmocka_unit_test(deep_chains_follow_the_chain_rule),
    cmocka_unit_test(hessians_of_polynomials_are_exact),
    cmocka_unit_test(operations_of_others_join_in),
    cmocka_unit_test(shapes_that_do_not_fit_end_the_program),
};

/* ---- for test_tape_torch.py ---- */

static void print_line(const char *what, int64_t n, const double *x) {
  printf("%s", what);
  for (int64_t i = 0; i < n; i++) printf(" %a", x[i]);
  printf("\n");
}

/* Every case, plain and nested: its inputs, and what the tape makes of them. */
static int print_values(void) {
  static problem p;
  pl_tape *t = pl_tape_new();
  for (int k = 0; k < TAPE_CASES; k++)
    for (int nested = 0; nested < 2; nested++) {
      set_up(&p, &tape_cases[k]);
      p.nested = nested, p.variables = p.moved = (1u << p.c->inputs) - 1;
      const pl_node *y = evaluate(t, &p, p.x, p.v, p.hv);
      printf("case %s %d %lld %lld", p.c->op, nested, (long long)y->rows, (long long)y->cols);
      for (int i = 0; i < p.c->inputs; i++) printf(" %d %d", p.c->shape[i][0], p.c->shape[i][1]);
      printf("\n");
      print_line("x", p.n, p.x), print_line("v", p.n, p.v), print_line("u", p.m, p.u);
      print_line("y", p.m, p.y), print_line("tangent", p.m, p.ydot);
      print_line("gradient", p.n, p.g), print_line("hvp", p.n, p.hv);
    }
  pl_tape_free(t);
  return 0;
}

int main(int argc, char **argv) {
  if (argc == 2 && !strcmp(argv[1], "values")) return print_values();
  return pl_test_run(argc, argv, __FILE__, tests, sizeof tests / sizeof *tests);
}
