/* ranks: 1 3 */
/* Regularisers: Gini of a row, and the linear G-CNN's objective with them, whose gradient is
 * written by hand. */
#include "pl_test.h"

#include "model/regularizer.h"
#include "nets/group/gcnn.h"
#include "run/config.h"

/* ---- Gini ---- */

static double plain_gini(int64_t n, const double *w, bool absolute) {
  double sum = 0, apart = 0;
  for (int64_t j = 0; j < n; j++) {
    sum += fabs(w[j]);
    for (int64_t k = 0; k < n; k++)
      apart += absolute ? fabs(fabs(w[j]) - fabs(w[k])) : fabs(w[j] - w[k]);
  }
  return n > 1 && sum > 0 ? apart / (2 * (double)(n * n - n) * sum / (double)n) : 0;
}

static void gini_is_its_formula(void **state) {
  (void)state;
  enum { MOST = 7 };
  double w[MOST], slope[MOST];
  pl_gini_place work[MOST];
  for (int64_t n = 1; n <= MOST; n++)
    for (int of = 0; of < 2; of++) {
      for (int64_t i = 0; i < n; i++) w[i] = sin(3.0 * (double)i + (double)n);
      double gini = pl_gini_row(n, 1, w, of, work, slope);
      assert_close(gini, plain_gini(n, w, of), 1e-14);
      for (int64_t i = 0; i < n; i++) {
        double h = 1e-6, was = w[i];
        w[i] = was + h;
        double above = plain_gini(n, w, of);
        w[i] = was - h;
        double below = plain_gini(n, w, of);
        w[i] = was;
        assert_close((above - below) / (2 * h), slope[i], 1e-8);
      }
    }
}

static void gini_of_special_rows(void **state) {
  (void)state;
  pl_gini_place work[4];
  double slope[4], zero[4] = {0}, one[4] = {0, 0, -3, 0}, pair[2] = {1, -1}, same[4] = {2, 2, 2, 2};
  assert_true(pl_gini_row(4, 1, zero, PL_GINI_SIGNED, work, slope) == 0);
  for (int i = 0; i < 4; i++) assert_true(slope[i] == 0);
  assert_close(pl_gini_row(4, 1, one, PL_GINI_SIGNED, work, slope), 1, 1e-15);
  assert_true(pl_gini_row(4, 1, same, PL_GINI_SIGNED, work, slope) == 0);
  assert_close(pl_gini_row(2, 1, pair, PL_GINI_SIGNED, work, slope), 1, 1e-15);
  assert_true(pl_gini_row(2, 1, pair, PL_GINI_ABSOLUTE, work, slope) == 0);
  assert_true(pl_gini_row(1, 1, pair, PL_GINI_SIGNED, work, NULL) == 0);
  /* Columns of a matrix: every other number. */
  double matrix[4] = {1, 7, -1, 9};
  assert_close(pl_gini_row(2, 2, matrix, PL_GINI_SIGNED, work, slope), 1, 1e-15);
}

/* ---- the linear G-CNN ---- */

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
  assert_ok(pl_gcnn.create(spec, &pl_test_world, &rates, &m));
  return m;
}

/* dObjective = weight <g, dw> for every block, against differences along a direction of its own. */
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
    double *w = pl_alloc((size_t)b->n, sizeof *w, "weights"), slope = 0, h = 1e-6, at[2];
    memcpy(w, b->w, (size_t)b->n * sizeof *w);
    for (int side = 0; side < 2; side++) {
      for (int64_t i = 0; i < b->n; i++)
        b->w[i] = w[i] + (side ? h : -h) * sin((double)(7 * i + p + 1));
      at[side] = loss_at(m);
    }
    memcpy(b->w, w, (size_t)b->n * sizeof *w);
    for (int64_t i = 0; i < b->n; i++)
      slope += b->weight * k.g[p][i] * sin((double)(7 * i + p + 1));
    pl_comm_sum(&pl_test_world, &slope, 1);
    slope *= exp(k.log_scale);
    double scale = fmax(1e-1, fabs(slope));
    assert_close((at[1] - at[0]) / (2 * h) / scale, slope / scale, 1e-6);
    pl_free(w);
  }
  for (int p = 0; p < m->num_params; p++) pl_free(k.g[p]);
  pl_free(k.g);
  m->kind->destroy(m);
  pl_config_free(cfg);
}

static void gradients_of_orthonormality(void **state) {
  (void)state;
  check("{group: S_4, model.depth: 2, data.samples: 5, regularizer.bro: 0.1}");
  check("{group: S_4, model.depth: 3, data.samples: 5, regularizer: {bro: 0.1, layer: all}}");
  check("{group: C_7, model: {depth: 3, channels: 3}, data.samples: 4, loss: logistic, "
        "regularizer: {bro: 0.2, layer: all}}");
  check("{group: Q_8, model: {depth: 2, channels: 2}, data.samples: 4, regularizer.bro: 0.2}");
  check("{group: S_5, model: {depth: 2, channels: 2}, data.samples: 3, regularizer: {bro: 1e-3, "
        "layer: all}, mapping: {grid_min_dim: 4, grid_ranks: 2, block: 2}}");
  check("{group: S_6, band.codepth: 1, model.depth: 2, data.samples: 3, regularizer.bro: 0.1}");
}

static void gradients_of_inequality(void **state) {
  (void)state;
  check("{group: S_4, model.depth: 2, data.samples: 5, regularizer.gini: 1}");
  check("{group: S_4, model: {depth: 3, channels: 2}, data.samples: 5, regularizer: {gini: 0.5, "
        "gini_power: 3, gini_of: absolute}}");
  check("{group: D_5, model: {depth: 2, channels: 2}, data.samples: 4, regularizer: {bro: 0.1, "
        "gini: 2}}");
  /* Of complex types, but not quaternionic ones: there a direction may lead off the real functions,
   * of which alone there are values over G. */
  check("{group: C_7, model.depth: 3, data.samples: 4, regularizer: {bro: 0.1, gini: 1, layer: "
        "all}}");
}

static void gradients_of_a_bank(void **state) {
  (void)state;
  check("{group: S_4, model: {depth: 4, channels: 3}, data.samples: 5}");
  check("{group: S_5, model: {depth: 3, channels: 2}, data.samples: 4, mapping: {grid_min_dim: 4, "
        "grid_ranks: 2, block: 2}}");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(gini_is_its_formula),         cmocka_unit_test(gini_of_special_rows),
    cmocka_unit_test(gradients_of_orthonormality), cmocka_unit_test(gradients_of_inequality),
    cmocka_unit_test(gradients_of_a_bank),
};
PL_TEST_MAIN(tests)
