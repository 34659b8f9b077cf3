/* ranks: 1 3 */
/* The outer loop: conjugate gradients within their bound, exact Hessians, meta-gradients against
 * dense solves and differences, and what averaging over a group leaves. */
#include "zoo_run.h"

#include "base/blas.h"
#include "base/rng.h"
#include "group/fourier.h"
#include "nets/group/inner.h"
#include "nets/meta/meta.h"
#include "nets/meta/solve.h"
#include "nets/net.h"
#include "nets/vector/vector.h"

#include <float.h>

static double *normals(int64_t n, uint64_t stream) {
  double *x = pl_alloc((size_t)n, sizeof *x, "normal numbers");
  pl_rng_normals(7, stream, 0, n, x);
  return x;
}

static double largest(int64_t n, const double *x) {
  double most = 0;
  for (int64_t i = 0; i < n; i++) most = fmax(most, fabs(x[i]));
  return most;
}

static run begin(const char *sweep, const char *set) {
  pl_model_kind kind = pl_meta.door;
  kind.example = sweep;
  return start(&kind, set, &pl_test_world);
}

/* ---- conjugate gradients ---- */

typedef struct diagonal {
  int64_t n;
  const double *d;
} diagonal;

static void times_diagonal(void *context, const double *x, double *y) {
  const diagonal *a = context;
  for (int64_t i = 0; i < a->n; i++) y[i] = a->d[i] * x[i];
}

/* I + H/lambda, H of spectrum 1 to 100 by equal factors, lambda 2. */
enum { DIM = 24 };
static void spectrum(double *d) {
  for (int i = 0; i < DIM; i++) d[i] = 1 + pow(100, i / (double)(DIM - 1)) / 2;
}

/* The error's A-norm stays under Chebyshev's bound at every step, the residual is the true one, and
 * 24 steps find the extreme eigenvalues. */
static void cg_keeps_its_bound(void **state) {
  (void)state;
  double d[DIM], x[DIM], work[3 * DIM];
  spectrum(d);
  diagonal a = {DIM, d};
  double k = d[DIM - 1] / d[0], rate = (sqrt(k) - 1) / (sqrt(k) + 1);
  for (uint64_t draw = 0; draw < 20; draw++) {
    double *b = normals(DIM, draw), first = 0, norm = 0;
    pl_cg_report told;
    for (int i = 0; i < DIM; i++) first += b[i] * b[i] / d[i], norm += b[i] * b[i];
    for (int j = 1; j <= DIM; j++) {
      double error = 0, residual = 0;
      pl_cg_solve(DIM, times_diagonal, &a, b, j, 0, x, work, &told);
      assert_int_equal(told.steps, j);
      for (int i = 0; i < DIM; i++) {
        double e = x[i] - b[i] / d[i], r = b[i] - d[i] * x[i];
        error += d[i] * e * e;
        residual += r * r;
      }
      assert_true(sqrt(error / first) <= 2 * pow(rate, j) + 1e-14);
      assert_close(told.residual[j], sqrt(residual / norm), 1e-10);
    }
    assert_close(told.smallest / d[0], 1, 0.05);
    assert_close(told.largest / d[DIM - 1], 1, 1e-6);
    assert_int_equal(told.negative, 0);
    pl_free(b);
  }
}

/* It stops where a direction curves down, and says so. */
static void cg_counts_negative_curvature(void **state) {
  (void)state;
  double d[] = {4, 1, -3}, b[] = {1, 1, 0.5}, x[3], work[9];
  diagonal a = {3, d};
  pl_cg_report told;
  pl_cg_solve(3, times_diagonal, &a, b, 3, 0, x, work, &told);
  assert_int_equal(told.negative, 1);
  assert_true(told.steps < 3 && isfinite(x[0]));
  d[0] = -4;
  pl_cg_solve(3, times_diagonal, &a, b, 3, 0, x, work, &told);
  assert_int_equal(told.negative, 1);
  assert_int_equal(told.steps, 0);
  assert_memory_equal(x, b, sizeof b);
  d[0] = 4, d[2] = 3;
  pl_cg_solve(3, times_diagonal, &a, b, 3, 0, x, work, &told);
  assert_int_equal(told.negative, 0);
}

/* ---- inner solvers ---- */

/* Rosenbrock's function in pairs: f = sum 100 (y - x^2)^2 + (1 - x)^2, minimum 0 at 1. */
typedef struct valley {
  double at[8];
} valley;

static double valley_value(void *context, const double *x, double *g) {
  double f = 0;
  memcpy(((valley *)context)->at, x, 8 * sizeof *x);
  for (int i = 0; i < 8; i += 2) {
    double a = x[i + 1] - x[i] * x[i], b = 1 - x[i];
    f += 100 * a * a + b * b;
    g[i] = -400 * a * x[i] - 2 * b;
    g[i + 1] = 200 * a;
  }
  return f;
}
static void valley_hessian(void *context, const double *v, double *hv) {
  const double *x = ((valley *)context)->at;
  for (int i = 0; i < 8; i += 2) {
    hv[i] = (1200 * x[i] * x[i] - 400 * x[i + 1] + 2) * v[i] - 400 * x[i] * v[i + 1];
    hv[i + 1] = -400 * x[i] * v[i] + 200 * v[i + 1];
  }
}

static void solvers_find_minima(void **state) {
  (void)state;
  valley at;
  pl_smooth f = {8, &at, valley_value, valley_hessian};
  double work[8 * PL_LBFGS_WORK];
  for (int solver = 0; solver < 2; solver++) {
    double x[8] = {-1.2, 1, 0.3, -0.5, 2, 2, -1, -1};
    pl_minimum done =
        solver ? pl_lbfgs(&f, 500, 1e-12, x, work) : pl_newton_cg(&f, 500, 1e-12, x, work);
    assert_true(done.last <= 1e-12 * done.first && done.steps < 200);
    for (int i = 0; i < 8; i++) assert_close(x[i], 1, 1e-9);
  }
}

/* ---- the quadratic: everything is known ---- */

static const char quadratic[] =
    "{model: {kind: meta}, meta: {inner: quadratic, inner_solver: newton-cg, cg_steps: 60, tasks: "
    "5, lambda: 2}, data: {kind: quadratic, samples: 5}}";

/* Adjoint of the optimal weights, (I + H/lambda)^-1 (phi - c) with phi = (H + lambda)^-1 (H c +
 * lambda theta), by a dense Cholesky factor of a Hessian that the tape gave; and that Hessian
 * against the known one. */
static void meta_gradient_is_the_dense_one(void **state) {
  (void)state;
  run r = begin(quadratic, NULL);
  pl_net *net = pl_net_of(r.m);
  pl_tasks tasks;
  assert_ok(pl_tasks_init(&r.spec, &pl_test_world, &tasks));
  enum { TASKS = 5 };
  double g[DIM], want[DIM] = {0}, *x = pl_alloc(2 * DIM * DIM, sizeof *x, "x"), y[2 * DIM];
  double objective = pl_net_gradient(net, net->w, g), loss = 0;
  for (int i = 0; i < TASKS; i++) {
    double A[DIM * DIM] = {0}, b[DIM];
    int n = DIM, one = 1, info;
    pl_task_make(&tasks, PL_TRAIN, i, x, y);
    /* Hessian of the mean square loss over the support rows: (2/n) X^T X. */
    for (int k = 0; k < DIM; k++)
      for (int p = 0; p < DIM; p++)
        for (int q = 0; q < DIM; q++) A[p * DIM + q] += 2.0 / DIM * x[k * DIM + p] * x[k * DIM + q];
    for (int p = 0; p < DIM; p++) {
      double h = pow(100, p / (double)(DIM - 1)), c = y[p] / x[p * DIM + p];
      for (int q = 0; q < DIM; q++) assert_close(A[p * DIM + q], p == q ? h : 0, 1e-12);
      double phi = (h * c + 2 * net->w[p]) / (h + 2);
      b[p] = phi - c;
      loss += (phi - c) * (phi - c) / 2 / TASKS;
    }
    for (int k = 0; k < DIM * DIM; k++) A[k] = A[k] / 2 + (k % (DIM + 1) == 0);
    dposv_("U", &n, &one, A, &n, b, &n, &info, 1);
    assert_int_equal(info, 0);
    for (int p = 0; p < DIM; p++) want[p] += b[p] / TASKS;
  }
  assert_close(objective, loss, 1e-12);
  for (int p = 0; p < DIM; p++)
    assert_close(g[p] / largest(DIM, want), want[p] / largest(DIM, want), 1e-10);
  pl_free(x);
  pl_tasks_fini(&tasks);
  end(&r);
}

/* Error of the meta-gradient after so many inner steps, over its norm. */
static double error_after(const char *method, int steps, double *bytes) {
  char *set = pl_asprintf("meta={inner: quadratic, method: %s, inner_solver: gd, inner_lr: 0.0098, "
                          "inner_steps: %d, cg_steps: 60, tasks: 5, lambda: 2}",
                          method, steps);
  run exact = begin(quadratic, NULL), r = begin(quadratic, set);
  pl_net *a = pl_net_of(exact.m), *b = pl_net_of(r.m);
  double g[DIM], h[DIM], error = 0, norm = 0;
  pl_schema s;
  pl_net_gradient(a, a->w, g);
  pl_net_gradient(b, a->w, h);
  for (int p = 0; p < DIM; p++) error += (h[p] - g[p]) * (h[p] - g[p]), norm += g[p] * g[p];
  r.m->kind->refresh(r.m, 0);
  assert_ok(r.m->kind->describe(&r.spec, &s));
  double *out = pl_alloc((size_t)s.size, sizeof *out, "a record");
  assert_ok(r.m->kind->observe(r.m, out));
  *bytes = pl_schema_value(&s, out, "stored_bytes");
  double told = pl_schema_value(&s, out, "meta_gradient_error");
  pl_comm_bcast(&pl_test_world, bytes, sizeof *bytes, 0);
  if (pl_test_world.rank == 0)
    assert_true(told > 0.3 * sqrt(error / norm) && told < 3 * sqrt(error / norm));
  pl_free(out);
  pl_schema_free(&s);
  pl_free(set);
  end(&r);
  end(&exact);
  return sqrt(error / norm);
}

/* The implicit one is nearer at every number of inner steps, and keeps one state. */
static void implicit_beats_unrolled(void **state) {
  (void)state;
  const int steps[] = {4, 16, 64, 256};
  double before = INFINITY, implicit_bytes, unrolled_bytes;
  for (int k = 0; k < 4; k++) {
    double implicit = error_after("imaml", steps[k], &implicit_bytes);
    double unrolled = error_after("maml", steps[k], &unrolled_bytes);
    assert_true(implicit < unrolled && implicit < before);
    assert_close(implicit_bytes, DIM * 8, 0);
    assert_close(unrolled_bytes, DIM * 8 * steps[k], 0);
    before = implicit;
  }
  assert_true(before < 1e-3);
}

/* The published operator is another: (1 + damping) I + H/(lambda + 10). */
static void operators_are_apart(void **state) {
  (void)state;
  run paper = begin(quadratic, "meta.inner_steps=0"), damped = begin(quadratic, NULL);
  end(&damped);
  damped = begin(quadratic, "meta={inner: quadratic, operator: damped, damping: 1, cg_steps: 60, "
                            "inner_steps: 0, inner_lr: 0.01, tasks: 5, lambda: 2}");
  pl_net *a = pl_net_of(paper.m), *b = pl_net_of(damped.m);
  double g[DIM], h[DIM];
  pl_net_gradient(a, a->w, g);
  pl_net_gradient(b, a->w, h);
  for (int p = 0; p < DIM; p++) {
    double H = pow(100, p / (double)(DIM - 1));
    assert_close(h[p] * (2 + H / 12), g[p] * (1 + H / 2), 1e-10);
  }
  end(&paper);
  end(&damped);
}

/* ---- any network: differences through the inner loop ---- */

static const char *const differentiable[] = {
    /* unrolled, with a pull and without */
    "{model: {kind: meta, width: 5, activation: tanh}, meta: {method: maml, inner_steps: 6, "
    "inner_lr: 0.05}, data: {kind: sinusoid, samples: 4}}",
    "{model: {kind: meta, width: 5, activation: silu}, meta: {method: maml, inner_steps: 6, "
    "inner_lr: 0.05, lambda: 0.7}, data: {kind: sinusoid, samples: 4}}",
    "{model: {kind: meta, depth: 3}, group: S_3, meta: {inner: gcnn, method: maml, inner_steps: 5, "
    "inner_lr: 0.02}, data: {kind: group, irreps: [\"2,1\"], shots: 3, samples: 4}}",
    /* implicit, the inner problem being solved */
    "{model: {kind: meta, width: 5, activation: tanh}, meta: {inner_solver: lbfgs, inner_steps: "
    "2000, lambda: 4, cg_steps: 100}, data: {kind: sinusoid, samples: 4}}",
    "{model: {kind: meta}, group: S_3, meta: {inner: gcnn, inner_solver: newton-cg, inner_steps: "
    "100, lambda: 3, cg_steps: 100}, data: {kind: group, irreps: [\"2,1\"], shots: 3, samples: 4}}",
};

static void meta_gradients_equal_differences(void **state) {
  (void)state;
  for (size_t k = 0; k < sizeof differentiable / sizeof *differentiable; k++) {
    run r = begin(differentiable[k], NULL);
    pl_net *net = pl_net_of(r.m);
    int64_t n = net->start[net->num_weights];
    double *g = normals(n, 1), *w = normals(n, 2), at[2], slope = 0, h = 1e-5;
    pl_net_gradient(net, net->w, g);
    double *unused = normals(n, 3);
    for (int side = 0; side < 2; side++) {
      for (int64_t i = 0; i < n; i++) w[i] = net->w[i] + (side ? h : -h) * direction(i, 1);
      at[side] = pl_net_gradient(net, w, unused);
    }
    for (int64_t i = 0; i < n; i++) slope += g[i] * direction(i, 1);
    assert_close((at[1] - at[0]) / (2 * h) / fabs(slope), slope / fabs(slope), 2e-7);
    pl_free(g);
    pl_free(w);
    pl_free(unused);
    end(&r);
  }
}

/* ---- the G-CNN on the tape ---- */

/* f(x) = <x, beta> with the Fourier matrices of beta the products of the filters', and the
 * derivative by each filter from those: the formulas of the network in Fourier space. */
static void gcnn_is_the_fourier_one(void **state) {
  (void)state;
  static const char *const groups[] = {"S_4", "D_5", "Q_8", "C_7"};
  for (int k = 0; k < 4; k++) {
    pl_group *g;
    pl_fourier *plan;
    assert_ok(pl_group_parse(groups[k], &g));
    assert_ok(pl_fourier_new(g, NULL, &plan));
    int64_t n = pl_group_order(g), size = pl_fourier_size(g);
    pl_inner_shape shape = {.features = n, .outputs = 1};
    memcpy(shape.group, groups[k], strlen(groups[k]));
    pl_net net = {.spec = {.network_values = {0}}};
    pl_inner_values *v = (pl_inner_values *)(void *)net.spec.network_values;
    v->depth = PL_UNSET;
    v->init_scale = 1;
    pl_inner_gcnn.make(&net, &shape);
    assert_int_equal(net.num_weights, 2);
    double *w = normals(2 * n, 4), *x = normals(n, 5), *F = normals(3 * size, 6);
    double *beta = normals(n, 7), *slope = pl_zalloc((size_t)(2 * n), sizeof *slope, "slope");
    pl_tape *t = pl_tape_new();
    pl_node *node[2];
    pl_net_variables(&net, t, w, slope, node);
    pl_node *f = pl_inner_gcnn.outputs(&net, t, node, &shape, 1, pl_tape_constant(t, 1, n, x));
    pl_tape_backward(t, f, NULL);
    pl_fourier_forward(plan, 2, w, n, F, size);
    double *B = F + 2 * size;
    const double *W1 = F, *W2 = F + size;
    for (int64_t i = 0; i < pl_group_num_irreps(g); i++) {
      pl_irrep r = pl_group_irrep(g, i);
      int d = r.dim;
      if (r.type == PL_REAL)
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, d, d, d, 1, W2, d, W1, d, 0, B, d);
      else
        cblas_zgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, d, d, d, (double[]){1, 0}, W2, d, W1,
                    d, (double[]){0, 0}, B, d);
      int64_t step = pl_irrep_size(r);
      W1 += step, W2 += step, B += step;
    }
    pl_fourier_inverse(plan, 1, F + 2 * size, size, beta, n);
    double want = 0;
    for (int64_t i = 0; i < n; i++) want += x[i] * beta[i];
    assert_close(f->value[0], want, 1e-12);
    /* f is linear in each filter: <slope, w> = f; and changes as differences say. */
    for (int l = 0; l < 2; l++) {
      double sum = 0;
      for (int64_t i = 0; i < n; i++) sum += slope[l * n + i] * w[l * n + i];
      assert_close(sum, want, 1e-12);
    }
    pl_tape_free(t);
    pl_inner_gcnn.unmake(&net);
    pl_free(net.weight);
    pl_free(net.start);
    pl_free(w), pl_free(x), pl_free(F), pl_free(beta), pl_free(slope);
    pl_fourier_free(plan);
    pl_group_free(g);
  }
}

/* ---- Hessians ---- */

/* Mean square distance of the outputs from 0.3 at w, its gradient, and with v its Hessian times v.
 */
static void curve(const pl_inner *kind, const pl_net *net, const pl_inner_shape *shape, int num,
                  const double *x, const double *w, const double *v, double *g, double *hv) {
  static const double target = 0.3;
  int64_t n = net->start[net->num_weights];
  pl_node **node = pl_alloc((size_t)net->num_weights, sizeof *node, "weights");
  pl_tape *t = pl_tape_new();
  memset(g, 0, (size_t)n * sizeof *g);
  pl_net_variables(net, t, w, g, node);
  pl_node *f =
      kind->outputs(net, t, node, shape, num, pl_tape_constant(t, num, shape->features, x));
  f = pl_tape_square(t, pl_tape_subtract(t, f, pl_tape_constant(t, 1, 1, &target)));
  if (v) memset(hv, 0, (size_t)n * sizeof *hv);
  for (int k = 0; k < net->num_weights && v; k++)
    pl_tape_direction(t, node[k], v + net->start[k], hv + net->start[k]);
  pl_tape_backward(t, pl_tape_mean(t, f), NULL);
  if (v) pl_tape_hvp(t);
  pl_tape_free(t);
  pl_free(node);
}

/* H v from the tape against differences of gradients whose error is of the sixth order in h. */
static void check_hessian(const pl_inner *kind, const pl_inner_shape *shape, int norm) {
  enum { SAMPLES = 5 };
  static const double weight[] = {1.5, -0.6, 0.1};
  pl_net net = {.spec = {.network_values = {0}}};
  pl_inner_values *v = (pl_inner_values *)(void *)net.spec.network_values;
  *v = (pl_inner_values){
      .depth = 2, .width = 4, .activation = 1, .norm = norm, .stride = 2, .init_scale = 1};
  kind->make(&net, shape);
  int64_t n = net.start[net.num_weights];
  double *x = normals(SAMPLES * shape->features, 8), *w = normals(n, 9), *to = normals(n, 10);
  double *d = normals(n, 11), *hv = normals(n, 12), *sum = pl_zalloc((size_t)n, sizeof *sum, "sum");
  double *g = normals(n, 13), h = 8e-4, most = 0;
  for (int64_t i = 0; i < n; i++) w[i] *= 0.4;
  curve(kind, &net, shape, SAMPLES, x, w, d, g, hv);
  for (int k = 1; k <= 3; k++)
    for (int side = -1; side <= 1; side += 2) {
      for (int64_t i = 0; i < n; i++) to[i] = w[i] + side * k * h * d[i];
      curve(kind, &net, shape, SAMPLES, x, to, NULL, g, NULL);
      for (int64_t i = 0; i < n; i++) sum[i] += side * weight[k - 1] * g[i] / (2 * k * h);
    }
  most = largest(n, hv);
  for (int64_t i = 0; i < n; i++) assert_close(sum[i] / most, hv[i] / most, 1e-10);
  pl_free(x), pl_free(w), pl_free(to), pl_free(d), pl_free(hv), pl_free(sum), pl_free(g);
  if (kind->unmake) kind->unmake(&net);
  pl_free(net.weight);
  pl_free(net.start);
}

static void hessians_are_exact(void **state) {
  (void)state;
  const pl_inner_shape numbers = {.features = 3, .outputs = 2},
                       functions = {.features = 6, .outputs = 1, .group = "S_3"};
  const pl_inner_shape images = {
      .features = 64, .outputs = 2, .height = 8, .width = 8, .channels = 1};
  check_hessian(&pl_inner_mlp, &numbers, PL_INNER_NORM_NONE);
  check_hessian(&pl_inner_conv, &images, PL_INNER_NORM_NONE);
  check_hessian(&pl_inner_conv, &images, PL_INNER_NORM_BATCH);
  check_hessian(&pl_inner_gcnn, &functions, PL_INNER_NORM_NONE);
  check_hessian(&pl_inner_quadratic, &numbers, PL_INNER_NORM_NONE);
}

/* ---- averaging over a group ---- */

/* Tasks that come with all their translates pull a one-layer network to functions that no
 * translation changes: the non-trivial blocks of theta's meta-gradient at a constant are 0, and
 * stay 0 in training, whatever the method. */
static void averaging_kills_nontrivial_blocks(void **state) {
  (void)state;
  static const char *const methods[] = {"imaml", "maml", "fomaml", "reptile"};
  for (int k = 0; k < 4; k++) {
    char *sweep = pl_asprintf(
        "{model: {kind: meta, depth: 1}, group: S_4, meta: {inner: gcnn, method: %s, inner_steps: "
        "4, inner_lr: 0.02, tasks: whole}, data: {kind: group, irreps: [\"3,1\", \"4\"], "
        "translates: true, shots: 8, samples: 48}, optimizer.lr: 0.1, steps: 30}",
        methods[k]);
    run r = begin(sweep, NULL);
    pl_net *net = pl_net_of(r.m);
    double mean = 0, away = 0;
    for (int i = 0; i < 24; i++) net->w[i] = 0.3;
    r.m->kind->refresh(r.m, 0);
    train(&r, 0, 30);
    for (int i = 0; i < 24; i++) mean += net->w[i] / 24;
    for (int i = 0; i < 24; i++) away = fmax(away, fabs(net->w[i] - mean));
    assert_true(away <= 1e-13);
    assert_true(fabs(mean - 0.3) > 1e-3); /* the trivial block has moved */
    pl_free(sweep);
    end(&r);
    /* Without the translates it does not. */
    sweep = pl_asprintf(
        "{model: {kind: meta, depth: 1}, group: S_4, meta: {inner: gcnn, method: %s, inner_steps: "
        "4, inner_lr: 0.02, tasks: whole}, data: {kind: group, irreps: [\"3,1\", \"4\"], shots: 8, "
        "samples: 48}, optimizer.lr: 0.1, steps: 30}",
        methods[k]);
    r = begin(sweep, NULL);
    net = pl_net_of(r.m);
    for (int i = 0; i < 24; i++) net->w[i] = 0.3;
    r.m->kind->refresh(r.m, 0);
    train(&r, 0, 30);
    for (int i = 0; i < 24; i++) away = fmax(away, fabs(net->w[i] - net->w[0]));
    assert_true(away > 1e-4);
    pl_free(sweep);
    end(&r);
  }
}

/* ---- tasks over ranks ---- */

static void check_ranks(const char *sweep) {
  pl_model_kind kind = pl_meta.door;
  kind.example = sweep;
  compare_ranks(&kind, NULL);
}

static void teams_agree(void **state) {
  (void)state;
  for (size_t k = 0; k < sizeof differentiable / sizeof *differentiable; k++)
    check_ranks(differentiable[k]);
  check_ranks("{model: {kind: meta}, group: S_3, meta: {inner: gcnn, method: reptile, inner_steps: "
              "5, inner_lr: 0.02}, data: {kind: group, irreps: [\"2,1\"], shots: 3, samples: 4}}");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(cg_keeps_its_bound),
    cmocka_unit_test(cg_counts_negative_curvature),
    cmocka_unit_test(solvers_find_minima),
    cmocka_unit_test(meta_gradient_is_the_dense_one),
    cmocka_unit_test(implicit_beats_unrolled),
    cmocka_unit_test(operators_are_apart),
    cmocka_unit_test(meta_gradients_equal_differences),
    cmocka_unit_test(gcnn_is_the_fourier_one),
    cmocka_unit_test(hessians_are_exact),
    cmocka_unit_test(averaging_kills_nontrivial_blocks),
    cmocka_unit_test(teams_agree),
};
PL_TEST_MAIN(tests)
