#include "nets/group/elements.h"

#include "apply.h"
#include "base/mem.h"
#include "elements_batch.h"
#include "elements_block.h"
#include "elements_cost.h"
#include "elements_data.h"
#include "elements_observe.h"
#include "elements_weights.h"
#include "functional.h"
#include "model/loss.h"
#include "model/optim.h"
#include "nets/group/data.h"

#include <math.h>
#include <stdio.h>

enum { FULL_MAX = 10000 };

/* ---- the step ---- */

static void refresh(pl_model *model, int64_t t) {
  elements_net *m = elements_of(model);
  double vote = 0;
  elements_refresh_layers(m);
  elements_margins(m, t, &vote);
}

/* Weight decay where the optimiser leaves it to the network; returns the scale of the gradients. */
static double add_decay(elements_net *m, const pl_update *u) {
  if (!u->over_group) return m->log_scale;
  double keep, add, log_scale = pl_update_mix(u, m->log_scale, &keep, &add);
  for (int l = 0; l < m->depth && add != 0; l++) {
    const pl_param *p = &m->base.params[l];
    for (int64_t k = 0; k < p->n; k++) m->gradient[l][k] = keep * m->gradient[l][k] + add * p->w[k];
  }
  return log_scale;
}

static double squared_norm(elements_net *m, pl_update *u, double log_scale) {
  double sum = 0;
  for (int l = 0; l < m->depth; l++)
    sum += pl_update_measure(u, l, &m->base.params[l], m->gradient[l], log_scale);
  return sum;
}

/* The gradient and its scale trade a power of two, so that squares of the gradient are in range:
 * deep networks near 0 have tiny ones. */
static double bring_in_range(elements_net *m, double log_scale) {
  double most = 0;
  for (int l = 0; l < m->depth; l++)
    most = fmax(most, pl_max_abs(m->base.params[l].n, m->gradient[l]));
  double scale = pl_safe_scale(most);
  for (int l = 0; l < m->depth; l++)
    for (int64_t k = 0; k < m->base.params[l].n; k++) m->gradient[l][k] *= scale;
  return log_scale - log(scale);
}

static void step(pl_model *model, int64_t t, pl_update *u, double *vote) {
  elements_net *m = elements_of(model);
  elements_gradients(m, t);
  double norm2 = 0, log_scale = add_decay(m, u);
  if (u->needs_norm) norm2 = squared_norm(m, u, log_scale);
  if (u->needs_norm && !pl_sum_safe(norm2)) {
    log_scale = bring_in_range(m, log_scale);
    norm2 = squared_norm(m, u, log_scale);
  }
  u->begin(u, log_scale, sqrt(norm2));
  for (int l = 0; l < m->depth; l++) u->apply(u, l, &m->base.params[l], m->gradient[l]);
  elements_refresh_layers(m);
  elements_margins(m, t + 1, vote);
}

static pl_standing standing(const pl_model *model) {
  const elements_net *m = (const elements_net *)model;
  return pl_standing_of_log(pl_log_loss(m->values->loss, m->batch.num, m->margin));
}

/* ---- life ---- */

static void destroy(pl_model *model) {
  elements_net *m = elements_of(model);
  elements_observe_free(m);
  elements_batch_fini(m);
  elements_free_layers(m);
  elements_free_data(m);
  pl_free(m->F);
  pl_transform_free(m->transform);
  pl_layout_free(m->layout);
  pl_usv_free(m->usv);
  pl_group_free(m->own);
  pl_group_free(m->group);
  pl_free(m);
}

static pl_status create(const pl_spec *spec, const pl_comm *team, const pl_rates *rates,
                        pl_model **out) {
  elements_net *m = pl_zalloc(1, sizeof *m, "network");
  m->spec = *spec;
  m->values = pl_group_values_of(&m->spec);
  m->recipe = elements_recipe_of(spec);
  m->base.kind = spec->model;
  m->depth = (int)m->values->depth;
  m->team = *team;
  pl_status st = elements_group(spec, &m->group);
  if (!st) st = elements_own_group(spec, m->group, &m->own);
  if (!st) st = pl_layout_alone(m->group, &m->layout);
  if (!st) st = pl_transform_new(m->layout, &m->transform);
  st = pl_agree(team, st);
  if (st) goto fail;
  m->order = pl_group_order(m->group);
  m->F = pl_zalloc((size_t)m->layout->local, sizeof *m->F, "a spectrum");
  st = elements_make_data(m);
  if (!st) st = pl_agree(team, elements_make_layers(m));
  if (st) goto fail;
  elements_batch_init(m);
  elements_prepare_optimiser(m);
  st = pl_agree(team, elements_init_weights(m));
  if (!st) st = pl_agree(team, elements_observe_new(m, rates));
  if (st) goto fail;
  refresh(&m->base, 0);
  *out = &m->base;
  return PL_OK;
fail:
  destroy(&m->base);
  return st;
}

/* ---- the table ---- */

static const char *at_fault(const char *key, const char *what) {
  pl_error(PL_EINPUT, "%s", what);
  return key;
}

static const char *fits(const pl_spec *spec) {
  const pl_group_values *v = pl_group_values_of(spec);
  if (v->init_kind == PL_INIT_FILE && !v->init_path)
    return at_fault("model.init.kind", "file needs model.init.path");
  if (pl_optim_values_of(spec)->domain == PL_DOMAIN_FOURIER)
    return at_fault("optimizer.domain", "only gcnn has Fourier entries as coordinates");
  return NULL;
}

static pl_status check_group(const pl_spec *spec, const pl_group *g, const char **key) {
  long long order = (long long)pl_group_order(g);
  const char *group = pl_group_values_of(spec)->group;
  if (elements_recipe_of(spec)->hidden == HIDDEN_FULL && order > FULL_MAX) {
    *key = "model.kind";
    return pl_error(PL_EINPUT,
                    "full layers on %s of order %lld need %.3g GB; allowed up to order %d", group,
                    order, elements_weight_bytes(spec, (double)order) / 1e9, FULL_MAX);
  }
  if (order > INT32_MAX) {
    *key = "group";
    return pl_error(PL_EINPUT, "%s of order %lld is too large for a network over its elements",
                    group, order);
  }
  if (pl_group_values_of(spec)->record_beta && order > 1000000) {
    *key = "record.beta";
    return pl_error(PL_EINPUT, "beta over %s has %lld values; recorded up to 10^6", group, order);
  }
  return PL_OK;
}

static pl_status check(const pl_spec *spec, const char **key) {
  pl_group *g;
  *key = "group";
  PL_TRY(elements_group(spec, &g));
  pl_status st = check_group(spec, g, key);
  if (!st) st = elements_check_weights(spec, g, key);
  if (!st) st = pl_group_data_check(spec, g, key);
  pl_group_free(g);
  return st;
}

static int label(const pl_spec *spec, char *buf, size_t n) {
  const pl_group_values *v = pl_group_values_of(spec);
  return snprintf(buf, n, "%s, %s, depth %lld", v->group, spec->model->name, (long long)v->depth);
}

static pl_status apply(const pl_spec *spec, const pl_comm *team, const pl_rates *rates,
                       const char *path, const pl_attribute *attributes, int num) {
  return group_apply(spec, team, rates, path, attributes, num, elements_outputs);
}

#define KEYS                                                                                       \
  &pl_group_keys, &pl_layers_keys, &pl_init_keys, &pl_pooling_keys, &pl_functional_keys,           \
      &pl_spectrum_keys
static const pl_keys *const linear_keys[] = {KEYS, NULL};
static const pl_keys *const relu_keys[] = {KEYS, &pl_batch_keys, NULL};

#define KIND(id, word, text, own_keys, own_measures, more)                                         \
  const pl_model_kind id = {                                                                       \
      .name = word,                                                                                \
      .help = text,                                                                                \
      .example = "{model.kind: " word ", group: S_3, " more "data: {samples: 5, test: 3}}",        \
      .summary = pl_functional_summary,                                                            \
      .reference = pl_functional_reference,                                                        \
      .headline = pl_functional_headline,                                                          \
      .keys = own_keys,                                                                            \
      .data = pl_group_data_kinds,                                                                 \
      .measures = own_measures,                                                                    \
      .metric = "accuracy",                                                                        \
      .convergence = pl_functional_convergence,                                                    \
      .judge = pl_functional_judge,                                                                \
      .fits = fits,                                                                                \
      .check = check,                                                                              \
      .label = label,                                                                              \
      .describe = elements_describe,                                                               \
      .cost = elements_cost,                                                                       \
      .explain = elements_explain,                                                                 \
      .create = create,                                                                            \
      .destroy = destroy,                                                                          \
      .refresh = refresh,                                                                          \
      .step = step,                                                                                \
      .standing = standing,                                                                        \
      .observe = elements_observe,                                                                 \
      .block_sum = elements_block_sum,                                                             \
      .block_polar = elements_block_polar,                                                         \
      .weights = &elements_weights,                                                                \
      .save = elements_save,                                                                       \
      .apply = apply,                                                                              \
  };
#define LINEAR(id, word, text) KIND(id, word, text, linear_keys, elements_linear_measures, "")
#define RELU(id, word, text)                                                                       \
  KIND(id, word, text, relu_keys, elements_relu_measures, "train.batch: 2, ")
LINEAR(pl_cnn, "cnn", "linear, convolutions over the cyclic group of the same order")
LINEAR(pl_fc, "fc", "linear, full matrices")
RELU(pl_gcnn_relu, "gcnn-relu", "convolutions over the group, ReLU between layers")
RELU(pl_cnn_relu, "cnn-relu", "as cnn, ReLU between layers")
RELU(pl_fc_relu, "fc-relu", "as fc, ReLU between layers")
