/* The layer act(x W_1 + b_1) W_2 + b_2, for any network that wraps layers. */
#include "network.h"

#include <stdio.h>

static int weights(const pl_spec *spec) {
  return pl_block_values_of(spec)->layer.bias ? 4 : 2;
}

static void add(pl_net *net, const char *prefix, int layer, int64_t width) {
  int64_t hidden = pl_block_hidden(&net->spec, width);
  for (int part = 0; part < 2; part++) {
    char name[32], what[64];
    snprintf(name, sizeof name, "%s_%s", prefix, part ? "out" : "in");
    snprintf(what, sizeof what, "map %s the middle of layer %d", part ? "out of" : "into", layer);
    vector_add(net, name, what, layer, part ? hidden : width, part ? width : hidden);
  }
}

static pl_node *layer(const pl_net *net, pl_tape *t, pl_node *const *w, pl_node *x) {
  int at = 0;
  x = vector_activation(net, t, vector_affine(net, t, w, &at, x));
  return vector_affine(net, t, w, &at, x);
}

static void work(const pl_spec *spec, int64_t width, double *products, double *doubles) {
  double hidden = (double)pl_block_hidden(spec, width);
  *products = 2 * (double)width * hidden;
  *doubles = 2 * hidden + (double)width;
}

const pl_block pl_mlp_block = {
    .name = "mlp",
    .help = "act(x W_1 + b_1) W_2 + b_2",
    .weights = weights,
    .add = add,
    .layer = layer,
    .work = work,
};
