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
  m->kind->refresh(m);
  return exp(m->kind->log_loss(m));
}

/* dLoss = weight <g, dw> for every block: against central differences along a random direction of
 * the block, the same on any number of ranks. */
static void check(const char *text) {
  pl_config *cfg;
  pl_spec spec;
  pl_model *m;
  pl_rates rates = pl_rates_nominal();
  assert_ok(pl_config_parse(text, strlen(text), "test", NULL, 0, &cfg));
  pl_config_run(cfg, 0, &spec);
  assert_ok(pl_gcnn.create(&spec, &pl_test_world, &rates, &m));
  keeper k = {.update = {.begin = keep_scale, .apply = keep_gradient}};
  k.g = pl_alloc((size_t)m->num_params, sizeof *k.g, "gradients");
  for (int p = 0; p < m->num_params; p++)
    k.g[p] = pl_zalloc((size_t)m->params[p].n, sizeof(double), "gradient");
  double vote = 0;
  m->kind->step(m, &k.update, &vote);
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

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(gradients_equal_differences_of_the_loss),
};
PL_TEST_MAIN(tests)
