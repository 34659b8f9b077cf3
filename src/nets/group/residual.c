#include "nets/group/residual.h"

#include "base/mem.h"
#include "fourier_block.h"
#include "fourier_cost.h"
#include "fourier_observe.h"
#include "fourier_weights.h"
#include "functional.h"
#include "residual_observe.h"

#include <float.h>
#include <stdio.h>

/* ---- life ---- */

static void destroy(pl_model *model) {
  residual *m = residual_of(model);
  residual_observe_free(m);
  residual_free_store(m);
  fourier_fini(&m->net);
  pl_free(m);
}

static pl_status create(const pl_spec *spec, const pl_comm *team, const pl_rates *rates,
                        pl_model **out) {
  residual *m = pl_zalloc(1, sizeof *m, "network");
  fourier_net *net = &m->net;
  const pl_group_values *v = pl_group_values_of(spec);
  net->base.kind = &pl_residual;
  net->ops = &residual_ops;
  net->forgets = v->store == PL_STORE_REVERSIBLE;
  m->depth = (int)v->depth;
  m->gamma = residual_gamma(spec);
  m->c = (1 - m->gamma) * (isnan(v->model_scale) ? 1.0 / m->depth : v->model_scale);
  pl_status st = fourier_init(net, spec, team, rates);
  if (!st) st = fourier_load(net);
  if (st) {
    destroy(&net->base);
    return st;
  }
  residual_make_store(m);
  residual_observe_new(m);
  fourier_refresh(&net->base, 0);
  *out = &net->base;
  return PL_OK;
}

/* ---- the description ---- */

static void cost(const pl_spec *spec, int team, const pl_rates *rates, pl_cost *out) {
  fourier_cost(&residual_ops, spec, team, rates, out);
}

static void explain(const pl_spec *spec, int team, const pl_rates *rates) {
  fourier_explain(&residual_ops, spec, team, rates);
}

static const char *at_fault(const char *key, const char *what) {
  pl_error(PL_EINPUT, "%s", what);
  return key;
}

static const char *fits(const pl_spec *spec) {
  const pl_group_values *v = pl_group_values_of(spec);
  int64_t n, d;
  bool target = spec->data == &pl_data_target.base;
  if (v->store == PL_STORE_REVERSIBLE && v->gamma == 0)
    return at_fault("model.store",
                    "reversible needs model.gamma above 0: a residual network has no "
                    "velocity to invert");
  if (v->store == PL_STORE_REVERSIBLE && !pl_reversible_ratio(v->gamma, &n, &d))
    return at_fault("model.gamma", "no fraction in (0, 1) with denominator up to 65536 is near it, "
                                   "as store: reversible needs");
  if ((v->loss == PL_LOSS_SQUARE) != target)
    return at_fault("loss", target ? "data.kind target is for the loss square"
                                   : "square needs data.kind target");
  return fourier_fits(spec);
}

static int label(const pl_spec *spec, char *buf, size_t n) {
  const pl_group_values *v = pl_group_values_of(spec);
  int used = fourier_label(spec, buf, n);
  size_t at = (size_t)used < n ? (size_t)used : n;
  return used + snprintf(buf + at, n - at, ", gamma %g%s", v->gamma, v->tied ? ", tied" : "");
}

PL_WORDS(stores, "all", "reversible")

static const char *loss_name(int i) {
  return i == PL_LOSS_SQUARE ? "square" : pl_margin_loss_name(i);
}

#define F(member) offsetof(pl_group_values, member)
static const pl_key rows[] = {
    {"model.depth", PL_KEY_INT, F(depth), PL_COST | PL_RESULTS, "40", .min = 1, .max = 1e4,
     .help = "layers N of the recursion"},
    {"model.gamma", PL_KEY_REAL, F(gamma), PL_COST | PL_RESULTS, "0.9", .min = 0,
     .max = 1 - DBL_EPSILON / 2,
     .help = "momentum, below 1; 0: a residual network.  eps = 1/((1 - gamma) N) in units of the "
             "whole depth.  With store: reversible the nearest n/d, d up to 65536"},
    {"model.tied", PL_KEY_BOOL, F(tied), PL_COST | PL_RESULTS, "false",
     .help = "all layers share one filter"},
    {"model.scale", PL_KEY_REAL, F(model_scale), PL_RESULTS, .min = DBL_MIN, .max = DBL_MAX,
     .help = "s, a layer's step along its filter (default: 1/depth)"},
    {"model.store", PL_KEY_CHOICE, F(store), PL_COST | PL_RESULTS, "all", .choice = stores,
     .help = "all: every state is kept for the gradient; reversible: the last one in fixed point, "
             "from which the others come back to the last bit"},
    {"loss", PL_KEY_CHOICE, F(loss), PL_COST | PL_RESULTS, "exponential", .choice = loss_name,
     .help = "loss, a mean over the samples; square: ||beta - target||^2 / (2 ||target||^2), for "
             "data.kind target"},
    {"record.weights", PL_KEY_BOOL, F(record_weights), PL_COST | PL_RESULTS,
     .help = "record how the singular values of each layer's filter are spread (default: up to 64 "
             "filters over groups of order up to 50000)"},
};
static const pl_keys table = PL_KEYS(PL_IN_NETWORK, rows);
static const pl_keys *const keys[] = {&pl_group_keys, &pl_band_keys,       &table,
                                      &pl_init_keys,  &pl_functional_keys, &pl_spectrum_keys,
                                      &pl_grid_keys,  &pl_store_keys,      NULL};
static const pl_default defaults[] = {{"model.init.scale", "0.01"}, {NULL, NULL}};

static const pl_data_kind *const data[] = {
    &pl_data_gaussian.base, &pl_data_target.base,     &pl_data_sparse.base,
    &pl_data_irrep.base,    &pl_data_group_file.base, &pl_data_teacher.base,
    &pl_data_idx.base,      &pl_data_rankings.base,   NULL};

static const char *const headline[] = {"loss", "fourier_rank", "increment_rank", NULL};

const pl_model_kind pl_residual = {
    .name = "residual",
    .help = "residual and momentum recursions of filters, trained in Fourier space",
    .example = "{model: {kind: residual, depth: 6, gamma: 0.9, store: reversible, init.scale: 1}, "
               "group: S_4, data: {samples: 5, test: 3}, steps: 20}",
    .summary = pl_functional_summary,
    .reference = "Sander, Ablin, Blondel, Peyre, Momentum Residual Neural Networks, ICML 2021, "
                 "arXiv:2102.07870",
    .headline = headline,
    .keys = keys,
    .defaults = defaults,
    .data = data,
    .measures = residual_measures,
    .metric = "accuracy",
    .fits = fits,
    .check = fourier_check,
    .label = label,
    .describe = residual_describe,
    .cost = cost,
    .explain = explain,
    .create = create,
    .destroy = destroy,
    .refresh = fourier_refresh,
    .step = fourier_step,
    .standing = fourier_standing,
    .judge = pl_functional_judge,
    .observe = residual_observe,
    .block_sum = fourier_block_sum,
    .block_polar = fourier_block_polar,
    .weights = &fourier_weights,
    .functions = &fourier_functions,
    .save = fourier_save,
    .apply = fourier_apply,
};
