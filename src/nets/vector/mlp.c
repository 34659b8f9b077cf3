/* x -> W_L^T s(.. s(W_1^T x + b_1) ..) + b_L, s the activation. */
#include "model/regularizer.h"
#include "network.h"

#include <stdio.h>

static void add(pl_net *net, const pl_vector_shape *shape, int64_t outputs) {
  const vector_values *v = vector_values_of(&net->spec);
  int64_t rows = shape->features;
  for (int l = 0; l < v->depth; l++) {
    char name[32], what[64];
    int64_t cols = l == v->depth - 1 ? outputs : v->width;
    snprintf(name, sizeof name, "layer%d", l);
    snprintf(what, sizeof what, "layer %d of %lld", l, (long long)v->depth);
    vector_add(net, name, what, l, rows, cols);
    rows = cols;
  }
}

static pl_node *outputs_of(const pl_net *net, pl_tape *t, pl_node *const *w, pl_node *x,
                           const pl_vector_shape *shape, const pl_take *take) {
  const vector_values *v = vector_values_of(&net->spec);
  int at = 0;
  (void)shape;
  for (int l = 0; l < v->depth; l++) {
    x = vector_affine(net, t, w, &at, x);
    if (l == v->depth - 1) break;
    x = vector_dropout(net, t, vector_activation(net, t, x), l, take);
  }
  return x;
}

static void work(const pl_spec *spec, const pl_vector_shape *shape, int64_t outputs,
                 double *products, double *doubles) {
  const vector_values *v = vector_values_of(spec);
  double rows = (double)shape->features;
  *doubles = rows + 3 * (double)outputs;
  for (int l = 0; l < v->depth; l++) {
    double cols = (double)(l == v->depth - 1 ? outputs : v->width);
    *products += rows * cols;
    *doubles += (v->dropout > 0 ? 4 : 2) * cols;
    rows = cols;
  }
}

static int label(const pl_spec *spec, char *buf, size_t n) {
  const vector_values *v = vector_values_of(spec);
  return snprintf(buf, n, "mlp, depth %lld, width %lld", (long long)v->depth, (long long)v->width);
}

static const pl_keys *const keys[] = {&vector_mlp_keys,  &pl_layer_keys,    &vector_dropout_keys,
                                      &vector_loss_keys, &pl_net_init_keys, &pl_gini_keys,
                                      &pl_batch_keys,    &pl_spectrum_keys, NULL};
static const pl_measures *const measures[] = {&pl_net_measures, &vector_measures,
                                              &pl_net_gini_measures, NULL};

const pl_vector_kind pl_mlp = {
    .net = {.door = {.name = "mlp",
                     .help = "fully connected layers on vectors",
                     .example = "{model: {kind: mlp, width: 5, dropout: 0.2}, train.batch: 4, "
                                "data: {samples: 11, validation: 3, test: 4}}",
                     .summary = "loss, metrics and spectra of the weights of networks on vectors",
                     .reference = "https://doi.org/10.1038/323533a0",
                     .headline = vector_headline,
                     PL_NET_DOOR,
                     .keys = keys,
                     .data = pl_vector_data_kinds,
                     .measures = measures,
                     .metric = "accuracy",
                     .other_metric = "mse",
                     .fits = vector_fits,
                     .check = vector_check,
                     .label = label,
                     .apply = vector_apply},
            VECTOR_NET},
    .add = add,
    .outputs = outputs_of,
    .work = work,
};
