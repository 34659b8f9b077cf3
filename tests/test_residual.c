/* ranks: 1 2 3 */
#include "pl_test.h"

#include "base/rng.h"
#include "group/fourier.h"
#include "group/perm.h"
#include "linalg/eigenvalues.h"
#include "linalg/momentum.h"
#include "model/optim.h"
#include "nets/group/residual.h"
#include "run/config.h"

/* ---- one network ---- */

typedef struct run {
  pl_config *cfg;
  pl_spec spec;
  pl_model *m;
  pl_schema schema;
} run;

static run start(const pl_comm *team, const char *text) {
  run r;
  const char *key = "";
  pl_rates rates = pl_rates_nominal();
  assert_ok(pl_config_parse(text, strlen(text), "test", NULL, 0, &r.cfg));
  pl_config_run(r.cfg, 0, &r.spec);
  assert_ptr_equal(r.spec.model, &pl_residual);
  assert_ok(pl_residual.check(&r.spec, &key));
  assert_ok(pl_residual.create(&r.spec, team, &rates, &r.m));
  assert_ok(pl_residual.describe(&r.spec, &r.schema));
  return r;
}

static void end(run *r) {
  pl_residual.destroy(r->m);
  pl_schema_free(&r->schema);
  pl_config_free(r->cfg);
}

static void train(run *r, int64_t steps) {
  pl_optim *o = pl_optim_new(&r->spec, r->m, steps);
  for (int64_t t = 0; t < steps; t++) {
    double vote = 0;
    pl_residual.step(r->m, t, pl_optim_step(o, t), &vote);
  }
  pl_optim_free(o);
}

static double objective(const run *r) {
  return pl_residual.standing(r->m).objective;
}

/* One record, on rank 0 of the team; the caller frees it. */
static double *record(run *r) {
  double *out = pl_zalloc((size_t)r->schema.size, sizeof *out, "a record");
  assert_ok(pl_residual.observe(r->m, out));
  return out;
}

/* Where a variable stands in a record, and how long it is. */
static const double *variable(const run *r, const double *rec, const char *name, int64_t *n) {
  for (int k = 0; k < r->schema.num_measures; k++)
    if (!strcmp(r->schema.measures[k]->name, name)) {
      if (n) *n = r->schema.length[k];
      return rec + r->schema.offset[k];
    }
  fail_msg("no variable %s", name);
  return NULL;
}

/* ---- the gradient ---- */

typedef struct keeper {
  pl_update update;
  double log_scale;
  double **g;
} keeper;

static void keep_scale(pl_update *u, double log_scale, double norm) {
  (void)norm;
  ((keeper *)u)->log_scale = log_scale;
}

static void keep_gradient(pl_update *u, int p, const pl_param *param, const double *g) {
  if (param->n) memcpy(((keeper *)u)->g[p], g, (size_t)param->n * sizeof *g);
}

/* Gradients of all blocks at the weights as they are; ask_norm: after the pass for the norm. */
static keeper gradients(pl_model *m, bool ask_norm) {
  keeper k = {.update = {.needs_norm = ask_norm, .begin = keep_scale, .apply = keep_gradient}};
  double vote = 0;
  k.g = pl_alloc((size_t)m->num_params, sizeof *k.g, "gradients");
  for (int p = 0; p < m->num_params; p++)
    k.g[p] = pl_zalloc((size_t)m->params[p].n, sizeof(double), "gradient");
  pl_residual.step(m, 0, &k.update, &vote);
  return k;
}

static void forget(keeper *k, const pl_model *m) {
  for (int p = 0; p < m->num_params; p++) pl_free(k->g[p]);
  pl_free(k->g);
}

static double direction(int64_t i, int p) {
  return sin((double)(7 * i + p + 1));
}

static double objective_beside(run *r, const pl_param *b, const double *w, int p, double h) {
  for (int64_t i = 0; i < b->n; i++) b->w[i] = w[i] + h * direction(i, p);
  pl_residual.refresh(r->m, 0);
  return objective(r);
}

static void check(const char *text) {
  run r = start(&pl_test_world, text);
  keeper k = gradients(r.m, false);
  double sum = 0;
  for (int p = 0; p < r.m->num_params; p++) {
    const pl_param *b = &r.m->params[p];
    double *w = pl_alloc((size_t)b->n, sizeof *w, "weights"), slope = 0, h = 1e-4;
    if (b->n) memcpy(w, b->w, (size_t)b->n * sizeof *w);
    double change = objective_beside(&r, b, w, p, h) - objective_beside(&r, b, w, p, -h);
    objective_beside(&r, b, w, p, 0);
    for (int64_t i = 0; i < b->n; i++) {
      slope += b->weight * k.g[p][i] * direction(i, p);
      sum += b->weight * k.g[p][i] * k.g[p][i];
    }
    pl_comm_sum(&pl_test_world, &slope, 1);
    slope *= exp(k.log_scale);
    double scale = fmax(1e-3, fabs(slope));
    assert_close(change / (2 * h) / scale, slope / scale, 1e-5);
    pl_free(w);
  }
  pl_comm_sum(&pl_test_world, &sum, 1);
  double *rec = record(&r), norm = exp(k.log_scale) * sqrt(sum);
  if (pl_test_world.rank == 0)
    assert_close(*variable(&r, rec, "gradient_norm", NULL) / norm, 1, 1e-9);
  pl_free(rec);
  forget(&k, r.m);
  end(&r);
}

#define GRIDS "mapping: {grid_min_dim: 4, grid_ranks: 2, block: 2}"
static void gradients_equal_differences(void **state) {
  (void)state;
  check("{model: {kind: residual, depth: 1, init.scale: 1}, group: S_3, data.samples: 4}");
  check("{model: {kind: residual, depth: 5, gamma: 0, init.scale: 2}, group: S_4, "
        "data.samples: 4, loss: logistic}");
  check("{model: {kind: residual, depth: 5, gamma: 0.8, tied: true, init.scale: 2}, group: Q_8, "
        "data.samples: 4}");
  check("{model: {kind: residual, depth: 4, gamma: 0.5, tied: true, init.scale: 2, "
        "store: reversible}, group: C_5 x Q_8, data.samples: 3}");
  check("{model: {kind: residual, depth: 5, gamma: 0.9, init.scale: 3}, group: S_4, "
        "data: {kind: target, target: 'cycle:2', target_scale: 0.5}}");
  check("{model: {kind: residual, depth: 4, gamma: 0.9, tied: true, init.scale: 3, scale: 0.4}, "
        "group: S_5, data: {kind: target, target: 'element:17'}, " GRIDS "}");
  check("{model: {kind: residual, depth: 3, gamma: 0.75, init.scale: 3, store: reversible}, "
        "group: S_5, data: {kind: target, target: 'irrep:3,2'}, " GRIDS "}");
}

/* ---- the store ---- */

/* With every optimiser the fixed point trains as the floating point does, but for its noise: two
 * passes for a norm, functions over G, polar factors, moments. */
static void stores_train_alike(void **state) {
  (void)state;
  for (int i = 0; pl_optim_name(i); i++) {
    if (!strcmp(pl_optim_name(i), "flow")) continue; /* of networks on a tape */
    run r[2];
    for (int k = 0; k < 2; k++) {
      char text[400];
      snprintf(text, sizeof text,
               "{model: {kind: residual, depth: 6, gamma: 0.9, init.scale: 1, store: %s}, group: "
               "S_4, data.samples: 4, optimizer: {kind: %s, lr: 1e-2}, " GRIDS "}",
               k ? "reversible" : "all", pl_optim_name(i));
      r[k] = start(&pl_test_world, text);
      train(&r[k], 6);
    }
    assert_close(objective(&r[1]) / objective(&r[0]), 1, 1e-8);
    for (int k = 0; k < 2; k++) end(&r[k]);
  }
}

/* The pass for the norm leaves the state that the next one starts from. */
static void a_pass_for_the_norm_changes_nothing(void **state) {
  (void)state;
  run r = start(&pl_test_world, "{model: {kind: residual, depth: 6, gamma: 0.9, init.scale: 1, "
                                "store: reversible}, group: S_4, data.samples: 4}");
  keeper once = gradients(r.m, false), twice = gradients(r.m, true);
  for (int p = 0; p < r.m->num_params; p++)
    if (r.m->params[p].n)
      assert_memory_equal(once.g[p], twice.g[p], (size_t)r.m->params[p].n * sizeof(double));
  forget(&once, r.m);
  forget(&twice, r.m);
  end(&r);
}

/* A thousand layers: nothing of the reversal is lost, and the store is far smaller. */
static void deep_stores_are_small_and_exact(void **state) {
  (void)state;
  double bytes[2], cost[2], loss[2];
  pl_rates rates = pl_rates_nominal();
  for (int k = 0; k < 2; k++) {
    char text[400];
    snprintf(text, sizeof text,
             "{model: {kind: residual, depth: 1000, gamma: 0.99, tied: true, init.scale: 3, "
             "store: %s}, group: S_4, data.samples: 4}",
             k ? "reversible" : "all");
    run r = start(&pl_test_world, text);
    pl_cost c;
    pl_residual.cost(&r.spec, 1, &rates, &c);
    double *rec = record(&r);
    cost[k] = c.bytes;
    loss[k] = objective(&r);
    bytes[k] = *variable(&r, rec, "store_bytes", NULL);
    if (pl_test_world.rank == 0) {
      double error = *variable(&r, rec, "reversal_error", NULL);
      double bits = *variable(&r, rec, "bits_lost", NULL);
      if (k) assert_true(error == 0 && fabs(bits + 1000 * log2(0.99)) < 4);
      if (!k) assert_true(error > 0 && error < 1e-8 && isnan(bits));
    }
    pl_free(rec);
    end(&r);
  }
  if (pl_test_world.rank == 0) assert_true(bytes[0] > 20 * bytes[1]);
  /* A thousand states of |G| numbers in place of X, V and a buffer. */
  assert_close((cost[0] - cost[1]) / (8 * 24), 997, 1e-2);
  assert_close(loss[1] / loss[0], 1, 1e-9);
}

static void beyond_the_fixed_point_a_run_has_diverged(void **state) {
  (void)state;
  run r = start(&pl_test_world, "{model: {kind: residual, depth: 30, gamma: 0.5, init.scale: 100, "
                                "scale: 1, store: reversible}, group: S_3, data.samples: 4}");
  assert_false(pl_standing_finite(pl_residual.standing(r.m)));
  end(&r);
}

static void what_does_not_fit_is_refused(void **state) {
  (void)state;
  const char *const texts[][2] = {
      {"{model: {kind: residual, gamma: 0, store: reversible}, group: S_3}", "model.store"},
      {"{model: {kind: residual, gamma: 1e-9, store: reversible}, group: S_3}", "model.gamma"},
      {"{model: {kind: residual, gamma: 1}, group: S_3}", "model.gamma"},
      {"{model: {kind: residual, depth: 10001}, group: S_3}", "model.depth"},
      {"{model.kind: residual, group: S_3, loss: square}", "loss"},
      {"{model.kind: residual, group: S_3, loss: logistic, data: {kind: target, target: file}}",
       "data."},
      {"{model.kind: residual, group: S_3, data: {kind: target, target: 'cycle:2', "
       "target_scale: 0}}",
       "data.target_scale"},
      {"{model.kind: gcnn, group: S_3, data: {kind: target, target: 'cycle:2'}}", "data.kind"},
  };
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    pl_config *cfg;
    assert_int_equal(pl_config_parse(texts[i][0], strlen(texts[i][0]), "t", NULL, 0, &cfg),
                     PL_EINPUT);
    assert_non_null(strstr(pl_error_message(), texts[i][1]));
  }
  const char *const targets[] = {"cycle:4",    "cycle:2,2", "cycle:", "element:6",
                                 "element:-1", "irrep:9",   "nothing"};
  for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
    char text[200];
    pl_config *cfg;
    pl_spec spec;
    const char *key = "";
    snprintf(text, sizeof text,
             "{model.kind: residual, group: S_3, data: {kind: target, target: '%s'}}", targets[i]);
    assert_ok(pl_config_parse(text, strlen(text), "t", NULL, 0, &cfg));
    pl_config_run(cfg, 0, &spec);
    assert_int_equal(pl_residual.check(&spec, &key), PL_EINPUT);
    assert_string_equal(key, "data.target");
    pl_config_free(cfg);
  }
}

/* ---- what is reached ---- */

/* sign of det rho(g) for every irrep: all +1? */
static bool identity_component(pl_eigenvalues *w, const pl_group *g, int64_t element) {
  double a[64], sign, log_abs;
  for (int64_t i = 0; i < pl_group_num_irreps(g); i++) {
    pl_group_irrep_matrix(g, i, element, a);
    pl_determinant(w, pl_group_irrep(g, i).dim, false, a, &sign, &log_abs);
    assert_true(fabs(log_abs) < 1e-12);
    if (sign < 0) return false;
  }
  return true;
}

static bool is_even(int n, int64_t rank) {
  int8_t p[8];
  int inversions = 0;
  pl_perm_unrank(n, rank, p);
  for (int i = 0; i < n; i++)
    for (int j = i + 1; j < n; j++) inversions += p[i] > p[j];
  return inversions % 2 == 0;
}

static void reachable_translations_are_the_even_permutations(void **state) {
  (void)state;
  const int64_t expected[] = {3, 12, 60};
  pl_eigenvalues *w = pl_eigenvalues_new(8, false);
  for (int n = 3; n <= 5; n++) {
    char name[8];
    pl_group *g;
    int64_t reached = 0;
    snprintf(name, sizeof name, "S_%d", n);
    assert_ok(pl_group_parse(name, &g));
    for (int64_t e = 0; e < pl_group_order(g); e++) {
      bool in = identity_component(w, g, e);
      assert_true(in == is_even(n, e));
      reached += in;
    }
    assert_int_equal(reached, expected[n - 3]);
    pl_group_free(g);
  }
  pl_eigenvalues_free(w);
}

/* Gaussian filters over the group: independent signs, one for each of the p(n) irreps. */
static void gaussian_filters_are_reachable_with_two_to_minus_p(void **state) {
  (void)state;
  enum { DRAWS = 10000 };
  const int partitions[] = {3, 5, 7};
  pl_eigenvalues *w = pl_eigenvalues_new(8, false);
  for (int n = 3; n <= 5; n++) {
    char name[8];
    double f[120], F[120], sign, log_abs;
    pl_group *g;
    pl_fourier *plan;
    snprintf(name, sizeof name, "S_%d", n);
    assert_ok(pl_group_parse(name, &g));
    assert_ok(pl_fourier_new(g, NULL, &plan));
    assert_int_equal(pl_group_num_irreps(g), partitions[n - 3]);
    int reached = 0;
    for (uint64_t k = 0; k < DRAWS; k++) {
      bool in = true;
      double *block = F;
      pl_rng_normals(9, k + DRAWS * (uint64_t)n, 0, pl_group_order(g), f);
      pl_fourier_forward(plan, 1, f, 0, F, 0);
      for (int64_t i = 0; i < pl_group_num_irreps(g); i++) {
        int d = pl_group_irrep(g, i).dim;
        pl_determinant(w, d, false, block, &sign, &log_abs);
        block += d * d;
        in &= sign > 0;
      }
      reached += in;
    }
    double p = pow(2, -partitions[n - 3]), spread = sqrt(p * (1 - p) / DRAWS);
    assert_true(fabs((double)reached / DRAWS - p) < 3 * spread);
    pl_fourier_free(plan);
    pl_group_free(g);
  }
  pl_eigenvalues_free(w);
}

/* Trained on one rank: twice the loss. */
static double trained(run *r, const char *group, const char *target, bool momentum) {
  char text[500];
  snprintf(text, sizeof text,
           "{model: {kind: residual, depth: 40, gamma: %s, tied: %s}, group: %s, optimizer.lr: 5, "
           "data: {kind: target, target: '%s', target_scale: %s}, record.beta: true}",
           momentum ? "0.975" : "0", momentum ? "true" : "false", group, target,
           momentum ? "0.5" : "1");
  pl_comm self = pl_comm_split(&pl_test_world, pl_test_world.rank, 0);
  *r = start(&self, text);
  train(r, momentum ? 3000 : 20000);
  double *rec = record(r), sum = 0;
  int64_t n = 0;
  const double *error = variable(r, rec, "block_error", &n);
  const double *sign = variable(r, rec, "det_sign", NULL);
  const double *negative = variable(r, rec, "negative_eigenvalues", NULL);
  for (int64_t i = 0; i < n; i++) {
    sum += error[i];
    assert_true(fmod(negative[i], 2) == (sign[i] < 0));
    if (!momentum) assert_true(sign[i] > 0);
  }
  assert_close(sum, 2 * objective(r), 1e-12);
  pl_free(rec);
  pl_comm_free(&self);
  return sum;
}

static double floor_of(const char *group, const char *target, bool momentum) {
  run r;
  double sum = trained(&r, group, target, momentum);
  end(&r);
  return sum;
}

static void floors_of_the_targets(void **state) {
  (void)state;
  if (pl_test_world.size > 1) return;
  assert_true(fabs(floor_of("S_3", "cycle:2", false) - 0.5) < 0.01);
  assert_true(floor_of("S_3", "cycle:3", false) < 1e-4);
  double saddle = floor_of("S_4", "cycle:2", false);
  assert_true(saddle > 0.25 && saddle < 0.51);
  assert_true(floor_of("S_4", "cycle:3", false) < 1e-4);
  const char *const groups[] = {"S_3", "S_4"}, *const targets[] = {"cycle:2", "cycle:3"};
  for (int i = 0; i < 2; i++)
    for (int k = 0; k < 2; k++) assert_true(floor_of(groups[i], targets[k], true) < 1e-2);
}

/* What is reached is what was named: c times the indicator of the element. */
static void targets_are_what_they_say(void **state) {
  (void)state;
  if (pl_test_world.size > 1) return;
  const struct {
    const char *target;
    int64_t element;
  } cases[] = {{"cycle:2", 6}, {"cycle:3,1", 8}, {"element:13", 13}};
  for (int i = 0; i < 3; i++) {
    run r;
    assert_true(trained(&r, "S_4", cases[i].target, true) < 1e-8);
    double *rec = record(&r);
    int64_t n = 0;
    const double *beta = variable(&r, rec, "beta", &n);
    for (int64_t e = 0; e < n; e++)
      assert_true(fabs(beta[e] - (e == cases[i].element ? 0.5 : 0)) < 1e-4);
    pl_free(rec);
    end(&r);
  }
}

/* On the trivial group the recursion is a number: that of the flow, up to 1/N. */
static void one_number_follows_the_flow(void **state) {
  (void)state;
  run r =
      start(&pl_test_world, "{model: {kind: residual, depth: 10000, gamma: 0.9999, tied: true}, "
                            "group: S_2, data.samples: 2, record.beta: true}");
  for (double theta = -15; theta < 2; theta += 4) {
    for (int p = 0; p < r.m->num_params; p++)
      for (int64_t i = 0; i < r.m->params[p].n; i++) r.m->params[p].w[i] = theta;
    pl_residual.refresh(r.m, 0);
    double *rec = record(&r);
    const double *beta = variable(&r, rec, "beta", NULL);
    if (pl_test_world.rank == 0) {
      assert_close(beta[0] + beta[1], pl_momentum_flow(1, theta), 2e-2);
      assert_close(*variable(&r, rec, "lambda_eps", NULL), -0.61350, 1e-5);
    }
    pl_free(rec);
  }
  end(&r);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(gradients_equal_differences),
    cmocka_unit_test(stores_train_alike),
    cmocka_unit_test(a_pass_for_the_norm_changes_nothing),
    cmocka_unit_test(deep_stores_are_small_and_exact),
    cmocka_unit_test(beyond_the_fixed_point_a_run_has_diverged),
    cmocka_unit_test(what_does_not_fit_is_refused),
    cmocka_unit_test(reachable_translations_are_the_even_permutations),
    cmocka_unit_test(gaussian_filters_are_reachable_with_two_to_minus_p),
    cmocka_unit_test(floors_of_the_targets),
    cmocka_unit_test(targets_are_what_they_say),
    cmocka_unit_test(one_number_follows_the_flow),
};
PL_TEST_MAIN(tests)
