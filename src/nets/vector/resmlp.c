/* Residual and momentum networks and RevNets over vectors: a linear read-in, a recursion of layers
 * (nets/blocks.h), a linear read-out. */
#include "network.h"

#include <stdio.h>

static int64_t width_of(const pl_spec *spec, const pl_vector_shape *shape) {
  const vector_values *v = vector_values_of(spec);
  if (v->width != PL_UNSET) return v->width;
  return v->read_in ? 64 : shape->features;
}

static void add(pl_net *net, const pl_vector_shape *shape, int64_t outputs) {
  const vector_values *v = vector_values_of(&net->spec);
  int64_t width = width_of(&net->spec, shape);
  int depth = (int)v->base.recursion.depth;
  if (v->read_in) vector_add(net, "readin", "the read-in", 0, shape->features, width);
  pl_recursion_add(net, width);
  if (v->read_out) vector_add(net, "readout", "the read-out", depth, width, outputs);
}

static pl_node *start_of(const pl_net *net, pl_tape *t, pl_node *const *w, int *at, pl_node *x) {
  return vector_values_of(&net->spec)->read_in ? vector_affine(net, t, w, at, x) : x;
}

static pl_node *outputs_of(const pl_net *net, pl_tape *t, pl_node *const *w, pl_node *x,
                           const pl_vector_shape *shape, const pl_take *take) {
  int at = 0;
  (void)shape, (void)take;
  x = start_of(net, t, w, &at, x);
  x = pl_recursion_blocks(net, &vector_own_of(net)->recursion, t, w, &at, x);
  return vector_values_of(&net->spec)->read_out ? vector_affine(net, t, w, &at, x) : x;
}

static void work(const pl_spec *spec, const pl_vector_shape *shape, int64_t outputs,
                 double *products, double *doubles) {
  const vector_values *v = vector_values_of(spec);
  int64_t width = width_of(spec, shape);
  *doubles = (double)(shape->features + width + 3 * outputs);
  if (v->read_in) *products += (double)(shape->features * width);
  if (v->read_out) *products += (double)(width * outputs);
  pl_recursion_work(spec, width, products, doubles);
}

/* ---- checks ---- */

static pl_status fits_shape(const pl_spec *spec, const pl_vector_shape *shape, const char **key) {
  const vector_values *v = vector_values_of(spec);
  int64_t width = width_of(spec, shape), outputs = vector_outputs(spec, shape);
  *key = "model.width";
  if (!v->read_in && width != shape->features)
    return pl_error(PL_EINPUT, "%lld, and without a read-in x_0 are the samples' %lld features",
                    (long long)width, (long long)shape->features);
  if (v->base.recursion.update == PL_UPDATE_REVNET && width % 2)
    return pl_error(PL_EINPUT, "%lld: a RevNet has two halves, expected an even number",
                    (long long)width);
  *key = "model.read_out";
  if (!v->read_out && width != outputs)
    return pl_error(PL_EINPUT, "without a read-out x_N, %lld values, are the %lld outputs",
                    (long long)width, (long long)outputs);
  return PL_OK;
}

static const char *fits(const pl_spec *spec) {
  if (pl_block_of(spec)->on_nodes) {
    pl_error(PL_EINPUT, "%s acts on the nodes of a graph", pl_block_of(spec)->name);
    return "model.block";
  }
  const char *key = pl_recursion_fits(spec);
  return key ? key : vector_fits(spec);
}

static int label(const pl_spec *spec, char *buf, size_t n) {
  const pl_recursion_values *r = &vector_values_of(spec)->base.recursion;
  return snprintf(buf, n, "resmlp, %s, depth %lld%s", pl_update_name((int)r->update),
                  (long long)r->depth, r->tied ? ", tied" : "");
}

/* ---- records ---- */

static void visit(const pl_net *net, pl_tape *t, pl_node *const *w, const pl_take *take,
                  void *context) {
  int at = 0;
  pl_node *x = start_of(net, t, w, &at, vector_input_of(net, t, take));
  pl_recursion_visit_blocks(net, &vector_own_of(net)->recursion, t, w, &at, x, context);
}

static pl_status observe(pl_net *net, void *state) {
  pl_recursion_sums sums = {0};
  pl_net_each(net, PL_TRAIN, visit, &sums);
  pl_recursion_observe(net, &sums, state);
  return PL_OK;
}

static const pl_keys *const keys[] = {&pl_recursion_keys, &pl_block_keys,    &vector_resmlp_keys,
                                      &pl_layer_keys,     &vector_loss_keys, &pl_net_init_keys,
                                      &pl_batch_keys,     &pl_spectrum_keys, NULL};
static const pl_measures *const measures[] = {&pl_net_measures, &vector_measures,
                                              &pl_recursion_measures, NULL};

const pl_vector_kind pl_resmlp = {
    .net = {.door = {.name = "resmlp",
                     .help = "residual and momentum networks, and RevNets, of dense layers",
                     .example = "{model: {kind: resmlp, depth: 4, width: 5, hidden: 3, store: "
                                "reversible, activation: tanh}, train.batch: 4, data: {samples: "
                                "11, validation: 3, test: 4}}",
                     .summary = "loss, metrics and spectra of the weights of residual, momentum "
                                "and reversible networks, and what their stores keep",
                     .reference = "Sander, Ablin, Blondel, Peyre, Momentum Residual Neural "
                                  "Networks, ICML 2021, arXiv:2102.07870",
                     .headline = vector_headline,
                     PL_NET_DOOR,
                     .keys = keys,
                     .data = pl_vector_data_kinds,
                     .measures = measures,
                     .metric = "accuracy",
                     .other_metric = "mse",
                     .fits = fits,
                     .check = vector_check,
                     .label = label,
                     .apply = vector_apply},
            VECTOR_NET,
            .observe = observe,
            .record_bytes = sizeof(pl_recursion_record)},
    .add = add,
    .outputs = outputs_of,
    .work = work,
    .fits_shape = fits_shape,
};
