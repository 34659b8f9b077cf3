/* ranks: 1 2 3 */
#include "pl_test.h"

#include "../src/nets/group/gcnn_net.h"

#include "base/rng.h"
#include "linalg/usv.h"
#include "model/model.h"
#include "linalg/nnls.h"
#include "model/optim.h"
#include "nets/group/keys.h"
#include "nets/group/optimum.h"
#include "run/config.h"

#include <limits.h>

/* ---- non-negative least squares ---- */

/* Vectors in the plane, w beside their cone: the answer is the nearest edge. */
static void nnls_by_hand(void **state) {
  (void)state;
  /* v1 = (1, 0), v2 = (1, 1) */
  const double K[] = {1, 1, 1, 2};
  double a[2];
  pl_nnls(2, K, (double[]){3, 5}, a); /* w = (3, 2) = v1 + 2 v2 */
  assert_close(a[0], 1, 1e-14);
  assert_close(a[1], 2, 1e-14);
  pl_nnls(2, K, (double[]){2, 1}, a); /* w = (2, -1): on v1 */
  assert_close(a[0], 2, 1e-14);
  assert_true(a[1] == 0);
  pl_nnls(2, K, (double[]){0, 3}, a); /* w = (0, 3): on v2 */
  assert_true(a[0] == 0);
  assert_close(a[1], 1.5, 1e-14);
  pl_nnls(2, K, (double[]){-1, -2}, a);
  assert_true(a[0] == 0 && a[1] == 0);
}

/* The conditions of Karush, Kuhn and Tucker, which decide; some vectors twice. */
static void nnls_conditions(void **state) {
  (void)state;
  enum { N = 12, D = 9, TRIALS = 200 };
  for (uint64_t trial = 0; trial < TRIALS; trial++) {
    double V[N * D], w[D], K[N * N], h[N], a[N], size = 0;
    pl_rng_normals(trial, 1, 0, N * D, V);
    pl_rng_normals(trial, 2, 0, D, w);
    if (trial % 2) memcpy(V, V + 3 * D, 2 * D * sizeof *V);
    for (int i = 0; i < N; i++) {
      h[i] = 0;
      for (int k = 0; k < D; k++) h[i] += V[i * D + k] * w[k];
      for (int j = 0; j < N; j++) {
        K[i * N + j] = 0;
        for (int k = 0; k < D; k++) K[i * N + j] += V[i * D + k] * V[j * D + k];
      }
      size = fmax(size, fabs(h[i]));
    }
    pl_nnls(N, K, h, a);
    for (int i = 0; i < N; i++) {
      double slope = h[i];
      for (int j = 0; j < N; j++) slope -= K[i * N + j] * a[j];
      assert_true(a[i] >= 0);
      assert_true(slope <= 1e-10 * size);
      if (a[i] > 0) assert_true(fabs(slope) <= 1e-10 * size);
    }
  }
}

/* ---- singular vectors ---- */

static double entry(const double *a, int d, bool z, int i, int j, int part) {
  return a[((int64_t)i * d + j) * (z ? 2 : 1) + part];
}

/* (A B^H or A B)_ij, plainly. */
static void times(int d, bool z, const double *a, const double *b, bool adjoint, double *c) {
  for (int i = 0; i < d; i++)
    for (int j = 0; j < d; j++) {
      double re = 0, im = 0;
      for (int k = 0; k < d; k++) {
        int r = adjoint ? j : k, s = adjoint ? k : j;
        double x = entry(a, d, z, i, k, 0), y = z ? entry(a, d, z, i, k, 1) : 0;
        double u = entry(b, d, z, r, s, 0);
        double v = z ? entry(b, d, z, r, s, 1) * (adjoint ? -1 : 1) : 0;
        re += x * u - y * v;
        im += x * v + y * u;
      }
      c[(i * d + j) * (z ? 2 : 1)] = re;
      if (z) c[(i * d + j) * 2 + 1] = im;
    }
}

static void singular_vectors(void **state) {
  (void)state;
  enum { MAX = 17, SIZE = 2 * MAX * MAX };
  pl_usv *w = pl_usv_new(MAX, true);
  for (int d = 1; d <= MAX; d += d < 4 ? 1 : 13)
    for (int z = 0; z < 2; z++) {
      double a[SIZE], copy[SIZE], u[SIZE], vh[SIZE], c[SIZE], sigma[MAX];
      int n = d * d * (z + 1);
      pl_rng_normals(5, (uint64_t)d, 0, n, a);
      memcpy(copy, a, sizeof a);
      assert_ok(pl_usv_apply(w, d, z, a, u, sigma, vh));
      for (int i = 0; i < d; i++) assert_true(sigma[i] > 0 && (i == 0 || sigma[i] <= sigma[i - 1]));
      times(d, z, u, u, true, c);
      for (int k = 0; k < n; k++)
        assert_close(c[k], k % ((z + 1) * (d + 1)) == 0 && k / (z + 1) % (d + 1) == 0, 1e-13);
      for (int i = 0; i < d; i++)
        for (int k = 0; k < d * (z + 1); k++) vh[i * d * (z + 1) + k] *= sigma[i];
      times(d, z, u, vh, false, c);
      for (int k = 0; k < n; k++) assert_close(c[k], copy[k], 1e-13);
      /* The polar factor P is unitary and P^H A, so A P^H, is hermitian and positive. */
      double p[SIZE];
      memcpy(p, copy, sizeof p);
      assert_ok(pl_usv_polar(w, d, z, p));
      times(d, z, p, p, true, c);
      for (int i = 0; i < d; i++) assert_close(entry(c, d, z, i, i, 0), 1, 1e-13);
      times(d, z, copy, p, true, c);
      double trace = 0, nuclear = 0;
      for (int i = 0; i < d; i++) {
        trace += entry(c, d, z, i, i, 0);
        nuclear += sigma[i];
      }
      assert_close(trace, nuclear, 1e-13);
    }
  double bad[] = {NAN, 0, 0, 1}, u[4], vh[4], sigma[2];
  assert_int_equal(pl_usv_apply(w, 2, false, bad, u, sigma, vh), PL_NUMERIC);
  /* Null spaces stay: rank one. */
  double one[] = {3, 0, 4, 0};
  assert_ok(pl_usv_polar(w, 2, false, one));
  assert_close(one[0], 0.6, 1e-15);
  assert_close(one[2], 0.8, 1e-15);
  assert_true(fabs(one[1]) < 1e-15 && fabs(one[3]) < 1e-15);
  pl_usv_free(w);
}

/* ---- the convex problem, by hand ---- */

static pl_spec spec_of(pl_config **cfg, const char *text) {
  pl_spec spec;
  assert_ok(pl_config_parse(text, strlen(text), "test", NULL, 0, cfg));
  pl_config_run(*cfg, 0, &spec);
  return spec;
}

static void optimum_is(const char *text, double want) {
  pl_config *cfg;
  pl_spec spec = spec_of(&cfg, text);
  pl_optimum out;
  assert_ok(pl_optimum_solve(&spec, 1e-6, &out));
  assert_true(out.margin <= want * (1 + 1e-12) && want <= out.bound * (1 + 1e-12));
  assert_true(out.bound - out.margin <= 1e-6 * out.bound);
  pl_config_free(cfg);
}

/* Samples that are matrix elements of one irrep, scaled to norm 1: X = sqrt(|G|/(m d)) E_rc.  One:
 * the bound is ||X||_2 / |G|.  Two in a row, labels +1 and -1: M = (a_1, -a_2), shortest at 1/2.
 * All four of a 2 x 2: b is the rank one matrix of signs. */
static void optimum_by_hand(void **state) {
  (void)state;
  optimum_is("{group: S_3, data: {kind: irrep, irreps: [\"2,1\"], samples: 1}}", sqrt(3) / 6);
  optimum_is("{group: S_3, data: {kind: irrep, irreps: [\"2,1\"], samples: 2}}",
             sqrt(3) / 6 * sqrt(0.5));
  optimum_is("{group: S_3, data: {kind: irrep, irreps: [\"2,1\"], samples: 4}}", sqrt(3) / 6 / 2);
  /* A complex pair counts twice, a quaternionic irrep once but with d = 2. */
  optimum_is("{group: C_5, data: {kind: irrep, irreps: [\"1\"], samples: 1}}", sqrt(2.5) / 5);
  optimum_is("{group: Q_8, data: {kind: irrep, irreps: [\"H\"], samples: 1}}", sqrt(2) / 8);
  /* Two frequencies share the work: D(a) = max(a_1 r, a_2 r). */
  optimum_is("{group: C_8, data: {kind: irrep, irreps: [\"1\", \"2\"], samples: 2}}", 2. / 8 / 2);
}

/* ---- certificates of a run ---- */

static double value_of(const pl_schema *s, const double *values, const char *name) {
  int k = pl_schema_find(s, name);
  if (k < 0) fail_msg("no measure %s", name);
  return values[s->offset[k]];
}

/* A network of its own, and room for a record. */
typedef struct trial {
  pl_config *cfg;
  pl_spec spec;
  const pl_model_kind *kind;
  pl_model *m;
  pl_schema schema;
  double *values;
} trial;

static void begin(trial *t, const char *text) {
  pl_rates rates = pl_rates_nominal();
  t->spec = spec_of(&t->cfg, text);
  t->kind = t->spec.model;
  assert_ok(t->kind->describe(&t->spec, &t->schema));
  assert_ok(t->kind->create(&t->spec, &pl_test_world, &rates, &t->m));
  t->values = pl_alloc((size_t)t->schema.size, sizeof *t->values, "a record");
}

/* So many steps, and the record behind them. */
static void train(trial *t, int64_t steps) {
  double vote = 0;
  pl_optim *o = pl_optim_new(&t->spec, t->m, steps);
  for (int64_t k = 0; k < steps; k++) t->kind->step(t->m, k, pl_optim_step(o, k), &vote);
  assert_ok(t->kind->observe(t->m, t->values));
  pl_optim_free(o);
}

static void end(trial *t) {
  pl_free(t->values);
  t->kind->destroy(t->m);
  pl_schema_free(&t->schema);
  pl_config_free(t->cfg);
}

/* One sample: the optimum of every depth is the rank one matrix of the largest singular value, and
 * all conditions hold there.  Teams of any size agree. */
static void one_sample(void **state) {
  (void)state;
  static const char *const texts[] = {
      "{group: S_4, model.depth: 2, data.samples: 1, record.kkt: true, steps: 1, seed: 3, "
      "optimizer: {kind: ngd, lr: 0.01, growth: {factor: 2.5}}}",
      "{group: S_4, model.depth: 3, data.samples: 1, record.kkt: true, steps: 1, seed: 3, "
      "optimizer: {kind: ngd, lr: 0.01, growth: {factor: 2.5}}}",
      "{group: Q_8, model.depth: 2, data.samples: 1, record.kkt: true, steps: 1, "
      "optimizer: {kind: ngd, lr: 0.01, growth: {factor: 2.5}}}",
      "{group: C_9, model.depth: 2, data.samples: 1, record.kkt: true, steps: 1, "
      "optimizer: {kind: ngd, lr: 0.01, growth: {factor: 2.5}}}"};
  for (size_t k = 0; k < sizeof texts / sizeof *texts; k++) {
    trial t;
    begin(&t, texts[k]);
    train(&t, 6000);
    if (pl_test_world.rank == 0) {
      assert_true(value_of(&t.schema, t.values, "kkt_residual") < 0.02);
      assert_true(value_of(&t.schema, t.values, "kkt_slack") == 0);
      assert_true(value_of(&t.schema, t.values, "schatten_stationarity") < 0.02);
      if (pl_group_values_of(&t.spec)->depth == 2) {
        double gap = value_of(&t.schema, t.values, "optimality_gap");
        pl_optimum best;
        assert_ok(pl_optimum_solve(&t.spec, 1e-8, &best));
        /* With one sample the only weights are a = 1: the bound is the optimum. */
        assert_close(value_of(&t.schema, t.values, "dual_bound") / best.bound, 1, 1e-7);
        assert_true(gap > -1e-9 && gap < 2e-3);
        assert_true(value_of(&t.schema, t.values, "schatten_excess") < 1e-2);
      } else {
        assert_true(isnan(value_of(&t.schema, t.values, "dual_bound")));
      }
    }
    end(&t);
  }
}

/* The certificate after all steps; irreps of more dimensions than `dear` are estimated first. */
static double certificate(const char *text, int dear) {
  trial t;
  begin(&t, text);
  gcnn_of(t.m)->dear = dear;
  train(&t, t.spec.common.steps);
  double bound = pl_test_world.rank == 0 ? value_of(&t.schema, t.values, "dual_bound") : 0;
  end(&t);
  return bound;
}

/* Estimated first or not: the same certificate, where polishing comes to the same end. */
static void estimated_certificates(void **state) {
  (void)state;
  static const struct {
    const char *text;
    double near;
  } rows[] = {{"{group: S_5, model.depth: 2, data.samples: 6, steps: 800, "
               "optimizer: {kind: ngd, lr: 0.01, growth: {factor: 1.2}}}",
               1e-3},
              /* Irreps of up to 216 dimensions: through products. */
              {"{group: S_9, model.depth: 2, data: {kind: sparse, samples: 3}, steps: 12, "
               "optimizer: {kind: ngd, lr: 0.1}}",
               1e-6}};
  for (size_t t = 0; t < sizeof rows / sizeof *rows; t++) {
    double proved = certificate(rows[t].text, INT_MAX), estimated = certificate(rows[t].text, 0);
    if (pl_test_world.rank) continue;
    assert_true(proved > 0 && estimated > 0);
    assert_close(estimated / proved, 1, rows[t].near);
  }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(nnls_by_hand),     cmocka_unit_test(nnls_conditions),
    cmocka_unit_test(singular_vectors), cmocka_unit_test(optimum_by_hand),
    cmocka_unit_test(one_sample),       cmocka_unit_test(estimated_certificates),
};
PL_TEST_MAIN(tests)
