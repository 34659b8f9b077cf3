/* ranks: 1 2 4 */
#include "pl_test.h"

#include "nets/group/gcnn.h"
#include "run/config.h"

/* An update that keeps the gradients and moves nothing. */
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
  memcpy(((keeper *)u)->g[p], g, (size_t)param->n * sizeof *g);
}

static double loss_at(pl_model *m) {
  m->kind->refresh(m, 0);
  return m->kind->standing(m).objective;
}

static pl_model *network(const char *text, pl_config **cfg, pl_spec *spec) {
  pl_model *m;
  pl_rates rates = pl_rates_nominal();
  assert_ok(pl_config_parse(text, strlen(text), "test", NULL, 0, cfg));
  pl_config_run(*cfg, 0, spec);
  assert_ptr_equal(spec->model, &pl_gcnn);
  assert_ok(pl_gcnn.create(spec, &pl_test_world, &rates, &m));
  return m;
}

/* dLoss = weight <g, dw> for every block: against central differences along a random direction of
 * the block, the same on any number of ranks. */
static void check(const char *text) {
  pl_config *cfg;
  pl_spec spec;
  pl_model *m = network(text, &cfg, &spec);
  keeper k = {.update = {.begin = keep_scale, .apply = keep_gradient}};
  k.g = pl_alloc((size_t)m->num_params, sizeof *k.g, "gradients");
  for (int p = 0; p < m->num_params; p++)
    k.g[p] = pl_zalloc((size_t)m->params[p].n, sizeof(double), "gradient");
  double vote = 0;
  m->kind->step(m, 0, &k.update, &vote);
  for (int p = 0; p < m->num_params; p++) {
    const pl_param *b = &m->params[p];
    double *w = pl_alloc((size_t)b->n, sizeof *w, "weights"), slope = 0, h = 1e-4;
    memcpy(w, b->w, (size_t)b->n * sizeof *w);
    double loss[2];
    for (int side = 0; side < 2; side++) {
      for (int64_t i = 0; i < b->n; i++)
        b->w[i] = w[i] + (side ? h : -h) * sin((double)(7 * i + p + 1));
      loss[side] = loss_at(m);
    }
    memcpy(b->w, w, (size_t)b->n * sizeof *w);
    for (int64_t i = 0; i < b->n; i++)
      slope += b->weight * k.g[p][i] * sin((double)(7 * i + p + 1));
    pl_comm_sum(&pl_test_world, &slope, 1);
    slope *= exp(k.log_scale);
    double scale = fmax(1e-3, fabs(slope));
    assert_close((loss[1] - loss[0]) / (2 * h) / scale, slope / scale, 1e-5);
    pl_free(w);
  }
  for (int p = 0; p < m->num_params; p++) pl_free(k.g[p]);
  pl_free(k.g);
  m->kind->destroy(m);
  pl_config_free(cfg);
}

static void gradients_equal_differences_of_the_loss(void **state) {
  (void)state;
  check("{group: S_4, model.depth: 2, data.samples: 5}");
  check("{group: S_4, model.depth: 4, data.samples: 5, loss: logistic}");
  check("{group: S_5, model.depth: 3, data.samples: 4, mapping: {grid_min_dim: 4, grid_ranks: 2, "
        "block: 2}}");
  check("{group: D_5, model.depth: 3, data.samples: 6, loss: logistic}");
  check("{group: Q_8 x C_3, model.depth: 3, data.samples: 4}");
  check("{group: Q_8 x Q_8, model.depth: 2, data.samples: 4}");
  check("{group: C_12, model.depth: 5, data.samples: 3}");
}

/* Blocks of one weight follow each other, w1 to wL, and its numbers come and go as a sequence that
 * knows no ranks. */
static void weights_go_out_and_in(void **state) {
  (void)state;
  pl_config *cfg;
  pl_spec spec;
  pl_model *m =
      network("{group: S_4, model.depth: 3, data.samples: 3, optimizer.kind: adam}", &cfg, &spec);
  assert_int_equal(m->num_functions, 3);
  double **blocks = pl_alloc((size_t)m->num_params, sizeof *blocks, "blocks");
  for (int p = 0; p < m->num_params; p++) blocks[p] = m->params[p].w;
  int p = 0;
  for (int l = 0; l < 3; l++) {
    char name[8];
    snprintf(name, sizeof name, "w%d", l + 1);
    assert_string_equal(m->params[p].name, name);
    assert_string_equal(m->params[p].group, l == 2 ? "readout" : "filter");
    assert_string_equal(m->functions[l].name, name);
    assert_int_equal(m->kind->functions->length(m, l), 24);
    int64_t n = m->kind->weights->length(m, p);
    assert_int_equal(n, 24);
    double before = loss_at(m), x[24], y[24];
    m->kind->weights->gather(m, p, blocks, 0, n, x);
    for (int q = p; q < pl_param_next(m->num_params, m->params, p); q++)
      memset(blocks[q], 0, (size_t)m->params[q].n * sizeof(double));
    memcpy(y, x, sizeof x);
    m->kind->weights->scatter(m, p, blocks, 0, 7, x);
    m->kind->weights->scatter(m, p, blocks, 7, n - 7, x + 7);
    assert_true(loss_at(m) == before);
    m->kind->weights->gather(m, p, blocks, 0, n, x);
    if (pl_test_world.rank == 0) assert_memory_equal(x, y, sizeof x);
    p = pl_param_next(m->num_params, m->params, p);
  }
  assert_int_equal(p, m->num_params);
  pl_free(blocks);
  m->kind->destroy(m);
  pl_config_free(cfg);
}

/* Functions over G hold no weights: the network adds the decay.  What it adds to the gradients is
 * decay times the filters, so its squares add up to decay^2 ||w||^2 (Plancherel). */
static double step_over_group(pl_model *m, double decay, double **g) {
  keeper k = {
      .update = {.over_group = true, .decay = decay, .begin = keep_scale, .apply = keep_gradient},
      .g = g};
  double vote = 0;
  m->kind->step(m, 0, &k.update, &vote);
  return exp(k.log_scale);
}

static void decay_over_the_group_is_that_of_the_filters(void **state) {
  (void)state;
  const double decay = 0.3;
  pl_config *cfg;
  pl_spec spec;
  pl_model *m = network("{group: S_4, model.depth: 3, data.samples: 4, optimizer.kind: adagrad}",
                        &cfg, &spec);
  double *g[2][3];
  for (int s = 0; s < 2; s++)
    for (int l = 0; l < 3; l++)
      g[s][l] = pl_zalloc((size_t)m->functions[l].n, sizeof(double), "gradient");
  double plain = step_over_group(m, 0, g[0]), decayed = step_over_group(m, decay, g[1]);
  for (int l = 0, p = 0; l < 3; l++) {
    double sums[2] = {0};
    for (int64_t k = 0; k < m->functions[l].n; k++) {
      double added = decayed * g[1][l][k] - plain * g[0][l][k];
      sums[0] += added * added;
    }
    for (; p < m->num_params && m->params[p].layer == l; p++)
      for (int64_t k = 0; k < m->params[p].n; k++)
        sums[1] += m->params[p].weight * m->params[p].w[k] * m->params[p].w[k];
    pl_comm_sum(&pl_test_world, sums, 2);
    assert_true(sums[1] > 1e-3);
    assert_close(sums[0] / (decay * decay * sums[1]), 1, 1e-10);
  }
  for (int s = 0; s < 2; s++)
    for (int l = 0; l < 3; l++) pl_free(g[s][l]);
  m->kind->destroy(m);
  pl_config_free(cfg);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(gradients_equal_differences_of_the_loss),
    cmocka_unit_test(weights_go_out_and_in),
    cmocka_unit_test(decay_over_the_group_is_that_of_the_filters),
};
PL_TEST_MAIN(tests)
