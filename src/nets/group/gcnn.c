#include "nets/group/gcnn.h"

#include "base/mem.h"
#include "fourier_block.h"
#include "fourier_cost.h"
#include "fourier_observe.h"
#include "fourier_weights.h"
#include "functional.h"
#include "gcnn_dual.h"
#include "gcnn_observe.h"
#include "gcnn_regular.h"
#include "model/regularizer.h"

/* ---- life ---- */

static double *keep(pl_model *model, int i, const char **name, int64_t *n) {
  gcnn *m = gcnn_of(model);
  if (i > 0) return NULL;
  *name = "loss_weights";
  *n = gcnn_running_size(m->net.train->num);
  return m->running;
}

static void destroy(pl_model *model) {
  gcnn *m = gcnn_of(model);
  for (int l = 0; m->prefix && l < m->depth * m->channels; l++) pl_free(m->prefix[l]);
  pl_free(m->prefix);
  pl_free(m->kept);
  pl_free(m->running);
  gcnn_regular_free(m->regular);
  fourier_fini(&m->net);
  pl_free(m);
}

static pl_status create(const pl_spec *spec, const pl_comm *team, const pl_rates *rates,
                        pl_model **out) {
  gcnn *m = pl_zalloc(1, sizeof *m, "network");
  fourier_net *net = &m->net;
  net->base.kind = &pl_gcnn;
  net->ops = &gcnn_ops;
  m->depth = (int)pl_group_values_of(spec)->depth;
  m->channels = pl_group_channels(spec);
  pl_status st = fourier_init(net, spec, team, rates);
  if (!st) gcnn_regular_new(m);
  if (!st) st = fourier_load(net);
  if (st) {
    destroy(&net->base);
    return st;
  }
  int prefixes = m->depth * m->channels;
  m->prefix = pl_zalloc((size_t)prefixes, sizeof *m->prefix, "prefix products");
  for (int k = 2 * m->channels; k < prefixes; k++)
    m->prefix[k] = pl_zalloc((size_t)net->layout->local, sizeof(double), "prefix products");
  if (m->channels > 1)
    m->kept = pl_alloc((size_t)net->layout->scratch, sizeof *m->kept, "workspace of a step");
  m->running =
      pl_zalloc((size_t)gcnn_running_size(net->train->num), sizeof *m->running, "running averages");
  m->dear = GCNN_DUAL_DEAR;
  fourier_refresh(&net->base, 0);
  *out = &net->base;
  return PL_OK;
}

/* ---- the description ---- */

static void cost(const pl_spec *spec, int team, const pl_rates *rates, pl_cost *out) {
  fourier_cost(&gcnn_ops, spec, team, rates, out);
}

static void explain(const pl_spec *spec, int team, const pl_rates *rates) {
  fourier_explain(&gcnn_ops, spec, team, rates);
}

static const char *fits(const pl_spec *spec) {
  const char *key = fourier_fits(spec);
  return key ? key : gcnn_regular_fits(spec);
}

static const pl_keys *const keys[] = {&pl_group_keys,
                                      &pl_band_keys,
                                      &pl_layers_keys,
                                      &pl_bank_keys,
                                      &pl_bro_keys,
                                      &pl_gini_keys,
                                      &pl_init_keys,
                                      &pl_functional_keys,
                                      &pl_kkt_keys,
                                      &pl_spectrum_keys,
                                      &pl_grid_keys,
                                      &pl_store_keys,
                                      NULL};

const pl_model_kind pl_gcnn = {
    .name = "gcnn",
    .help = "linear G-CNN, trained in Fourier space",
    .example = "{model.kind: gcnn, group: S_4, data: {samples: 5, test: 3}, record.kkt: true}",
    .summary = pl_functional_summary,
    .reference = pl_functional_reference,
    .headline = pl_functional_headline,
    .keys = keys,
    .data = pl_group_data_kinds,
    .measures = gcnn_measures,
    .metric = "accuracy",
    .convergence = pl_functional_convergence,
    .fits = fits,
    .check = fourier_check,
    .label = fourier_label,
    .describe = gcnn_describe,
    .cost = cost,
    .explain = explain,
    .create = create,
    .destroy = destroy,
    .refresh = fourier_refresh,
    .step = fourier_step,
    .standing = fourier_standing,
    .judge = pl_functional_judge,
    .observe = gcnn_observe,
    .block_sum = fourier_block_sum,
    .block_polar = fourier_block_polar,
    .weights = &fourier_weights,
    .functions = &fourier_functions,
    .keep = keep,
    .save = fourier_save,
    .apply = fourier_apply,
};
