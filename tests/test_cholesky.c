/* ranks: 1 2 3 4 */
/* Systems over a team: by residuals, and the closed forms of propagation filters that stand on
 * them, against conjugate gradients on one rank. */
#include "pl_test.h"

#include "base/rng.h"
#include "linalg/cholesky.h"
#include "nets/net.h"
#include "run/config.h"

/* ---- systems ---- */

typedef struct matrix {
  int64_t n;
  double diagonal;
} matrix;

/* Symmetric, entries off the diagonal up to 1 in size. */
static double entry(const matrix *m, int64_t i, int64_t j) {
  int64_t low = i < j ? i : j, high = i < j ? j : i;
  return i == j ? m->diagonal : 2 * pl_rng_uniform(7, 1, (uint64_t)(low * m->n + high)) - 1;
}

static void column(const void *context, int64_t j, double *to) {
  const matrix *m = context;
  for (int64_t i = 0; i < m->n; i++) to[i] = entry(m, i, j);
}

static void systems_are_solved(void **state) {
  (void)state;
  static const int64_t sizes[] = {1, 2, 7, 64, 200}, most = 9;
  for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
    matrix m = {sizes[k], (double)sizes[k] + 1}; /* dominant */
    pl_cholesky *c;
    double b[200 * 9], x[200 * 9];
    assert_ok(pl_cholesky_new(&pl_test_world, m.n, most, column, &m, &c));
    for (int64_t cols = 1; cols <= most; cols += 4) {
      pl_rng_normals(8, (uint64_t)cols, 0, m.n * cols, b);
      memcpy(x, b, sizeof x);
      pl_cholesky_solve(c, cols, x);
      for (int64_t i = 0; i < m.n; i++)
        for (int64_t r = 0; r < cols; r++) {
          double sum = 0;
          for (int64_t j = 0; j < m.n; j++) sum += entry(&m, i, j) * x[j * cols + r];
          assert_close(sum, b[i * cols + r], 1e-12);
        }
    }
    pl_cholesky_free(c);
  }
}

static void what_is_not_positive_is_told_to_all(void **state) {
  (void)state;
  matrix m = {50, 0};
  pl_cholesky *c;
  pl_status st = pl_cholesky_new(&pl_test_world, m.n, 3, column, &m, &c);
  assert_says(PL_NUMERIC, st, "not positive definite");
}

/* ---- closed forms ---- */

typedef struct run {
  pl_config *cfg;
  pl_spec spec;
  pl_model *m;
} run;

static run start(const pl_comm *team, const char *sweep) {
  run r;
  pl_rates rates = pl_rates_nominal();
  assert_ok(pl_config_parse(sweep, strlen(sweep), "test", NULL, 0, &r.cfg));
  pl_config_run(r.cfg, 0, &r.spec);
  assert_ok(r.spec.model->create(&r.spec, team, &rates, &r.m));
  return r;
}

static void end(run *r) {
  r->m->kind->destroy(r->m);
  pl_config_free(r->cfg);
}

typedef struct keeper {
  pl_update update;
  double g[64];
} keeper;
static void keep_nothing(pl_update *u, double log_scale, double norm) {
  (void)u, (void)log_scale, (void)norm;
}
static void keep_gradient(pl_update *u, int p, const pl_param *param, const double *g) {
  assert_true(p == 0 && param->n <= 64);
  memcpy(((keeper *)u)->g, g, (size_t)param->n * sizeof *g);
}

static keeper gradient(run *r) {
  keeper k = {.update = {.begin = keep_nothing, .apply = keep_gradient}};
  double vote = 0;
  r->m->kind->step(r->m, 0, &k.update, &vote);
  return k;
}

static double bytes_of(const run *r, int team) {
  pl_rates rates = pl_rates_nominal();
  pl_cost cost;
  r->spec.model->cost(&r->spec, team, &rates, &cost);
  return cost.bytes;
}

#define NODES 1200
static void dense_closed_forms_agree_with_one_rank(void **state) {
  (void)state;
  static const char *const rules[] = {"lf", "ppnp", "hf"};
  pl_comm self = pl_comm_split(&pl_test_world, pl_test_world.rank, 0);
  for (int k = 0; k < 3; k++) {
    char *sweep = pl_asprintf("{model: {kind: filter, rule: %s, solve: closed}, data: {graph: "
                              "csbm, nodes: %d, features: 3, p_in: 0.1, samples: 200}}",
                              rules[k], NODES);
    run a = start(&self, sweep), b = start(&pl_test_world, sweep);
    keeper g = gradient(&a), h = gradient(&b);
    double most = 0, x = a.m->kind->standing(a.m).objective, y = b.m->kind->standing(b.m).objective;
    assert_close(y, x, 1e-12);
    for (int64_t i = 0; i < a.m->params[0].n; i++) most = fmax(most, fabs(g.g[i]));
    assert_true(most > 1e-6);
    for (int64_t i = 0; i < a.m->params[0].n; i++)
      assert_close(h.g[i] / most, g.g[i] / most, 1e-12);
    /* A rank of a team holds its part of the factor; one rank alone has none, for its conjugate
     * gradients. */
    for (int team = 2; team <= 4; team++) {
      double factor = bytes_of(&a, team) - bytes_of(&a, 1), whole = 8. * NODES * NODES;
      assert_close(factor / (whole / team), 1, 0.02);
    }
    pl_free(sweep);
    end(&a);
    end(&b);
  }
  pl_comm_free(&self);
}

/* Sparse ones stay with conjugate gradients, whatever the team. */
static void sparse_closed_forms_are_not_spread(void **state) {
  (void)state;
  run r = start(&pl_test_world, "{model: {kind: filter, rule: hf, solve: closed}, data: {graph: "
                                "csbm, nodes: 1200, features: 3, p_in: 6e-3, p_out: 6e-4, samples: "
                                "200}}");
  assert_close(bytes_of(&r, 4) / bytes_of(&r, 1), 1, 0.02);
  end(&r);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(systems_are_solved),
    cmocka_unit_test(what_is_not_positive_is_told_to_all),
    cmocka_unit_test(dense_closed_forms_agree_with_one_rank),
    cmocka_unit_test(sparse_closed_forms_are_not_spread),
};
PL_TEST_MAIN(tests)
