/* Residual and momentum graph networks: X_0 = X W_in, a recursion of layers (nets/blocks.h), by
 * default act(S X B), and f = X_N W_out. */
#include "base/mem.h"
#include "nets/blocks.h"
#include "nets/graph/data.h"
#include "nets/graph/graph.h"
#include "output.h"

#include <math.h>
#include <stdio.h>

/* ---- the layer act(S X B), for any recursion on this graph ---- */

static void add_matrix(pl_net *net, const char *name, const char *what, int layer, int64_t rows,
                       int64_t cols) {
  pl_net_weight w = {.group = "weight",
                     .layer = layer,
                     .rows = rows,
                     .cols = cols,
                     .init = PL_INIT_SPREAD,
                     .scale =
                         pl_block_values_of(&net->spec)->layer.init_scale / sqrt((double)rows)};
  snprintf(w.name, sizeof w.name, "%s_weight", name);
  snprintf(w.what, sizeof w.what, "%s", what);
  pl_net_add(net, w);
}

static int block_weights(const pl_spec *spec) {
  (void)spec;
  return 1;
}

static void block_add(pl_net *net, const char *prefix, int layer, int64_t width) {
  add_matrix(net, prefix, "B of f(X) = act(S X B)", layer, width, width);
}

static pl_node *block_layer(const pl_net *net, pl_tape *t, pl_node *const *w, pl_node *x) {
  int64_t activation = pl_block_values_of(&net->spec)->layer.activation;
  x = graph_propagate(t, &graph_own_of(net)->once, pl_tape_matmul(t, x, w[0]));
  return pl_activate(t, (pl_activation)activation, x);
}

static void block_work(const pl_spec *spec, int64_t width, double *products, double *doubles) {
  (void)spec;
  *products = (double)width * (double)width;
  *doubles = 3 * (double)width;
}

const pl_block pl_gnn_block = {
    .name = "gnn",
    .help = "act(S X B) on the nodes of a graph",
    .on_nodes = true,
    .weights = block_weights,
    .add = block_add,
    .layer = block_layer,
    .work = block_work,
};

/* ---- keys ---- */

typedef struct resgnn_values {
  pl_block_values base; /* first */
  int64_t width, loss;
} resgnn_values;

_Static_assert(sizeof(resgnn_values) <= PL_VALUES, "a run has room for an owner's values");

static const resgnn_values *values_of(const pl_spec *spec) {
  return (const resgnn_values *)(const void *)spec->network_values;
}

#define F(member) offsetof(resgnn_values, member)
static const pl_key rows[] = {
    {"model.width", PL_KEY_INT, F(width), PL_COST | PL_RESULTS, "16", .min = 1, .max = 1e6,
     .help = "width of the state"},
    {"loss", PL_KEY_CHOICE, F(loss), PL_COST | PL_RESULTS, "square", .choice = graph_loss_name,
     .help = "square, the sum over the labelled nodes; or softmax, their mean"},
};
static const pl_keys own_keys = PL_KEYS(PL_IN_NETWORK, rows);
static const pl_keys *const keys[] = {
    &pl_recursion_keys, &pl_block_keys, &own_keys,         &pl_layer_keys,
    &pl_net_init_keys,  &pl_batch_keys, &pl_spectrum_keys, NULL};
static const pl_default defaults[] = {{"model.block", "gnn"}, {NULL, NULL}};

static const char *fits(const pl_spec *spec) {
  const resgnn_values *v = values_of(spec);
  if (v->loss == LOSS_SOFTMAX && !graph_classes(spec)) {
    pl_error(PL_EINPUT, "softmax is for classes; the targets are numbers");
    return "loss";
  }
  if (v->base.recursion.update == PL_UPDATE_REVNET && v->width % 2) {
    pl_error(PL_EINPUT, "%lld: a RevNet has two halves, expected an even number",
             (long long)v->width);
    return "model.width";
  }
  const char *key = pl_recursion_fits(spec);
  return key ? key : pl_net_fits(spec);
}

static pl_status check(const pl_spec *spec, const char **key) {
  return graph_check(spec, key, NULL);
}

static int label(const pl_spec *spec, char *buf, size_t n) {
  const pl_recursion_values *r = &values_of(spec)->base.recursion;
  return snprintf(buf, n, "resgnn, %s, %s, depth %lld", graph_source_name(spec),
                  pl_update_name((int)r->update), (long long)r->depth);
}

/* ---- the network ---- */

typedef struct resgnn_own {
  graph_own base; /* first */
  pl_recursion_own recursion;
} resgnn_own;

static resgnn_own *own_of(const pl_net *net) {
  return net->own;
}

static void add_weights(pl_net *net, int64_t features, int64_t outputs) {
  const resgnn_values *v = values_of(&net->spec);
  add_matrix(net, "readin", "W_in of X_0 = X W_in", 0, features, v->width);
  pl_recursion_add(net, v->width);
  add_matrix(net, "readout", "W_out of f = X_N W_out", (int)v->base.recursion.depth, v->width,
             outputs);
}

static pl_status shapes(pl_net *net) {
  int64_t features, outputs;
  PL_TRY(graph_widths(&net->spec, &features, &outputs));
  add_weights(net, features, outputs);
  return PL_OK;
}

static pl_node *answer(const pl_net *net, pl_tape *t, pl_node *const *w, const pl_take *take) {
  int at = 1;
  pl_node *x = graph_features_times(net, t, w[0], 0, take);
  x = pl_recursion_blocks(net, &own_of(net)->recursion, t, w, &at, x);
  return pl_tape_matmul(t, x, w[at]);
}

/* Of data that are there. */
static pl_status make(pl_net *net, resgnn_own *own) {
  const graph_nodes *d = own->base.data;
  PL_TRY(graph_own_init(&own->base, net, values_of(&net->spec)->width));
  own->base.loss = values_of(&net->spec)->loss;
  own->base.answer = answer;
  own->recursion = pl_recursion_own_of(&net->spec);
  add_weights(net, d->features, d->outputs);
  return PL_OK;
}

static pl_status load(pl_net *net) {
  resgnn_own *own = net->own = pl_zalloc(1, sizeof *own, "network on a graph");
  pl_status st = graph_nodes_new(&net->spec, NULL, &own->base.data);
  if (!st) st = make(net, own);
  return pl_agree(&net->team, st);
}

static pl_status open(pl_net *net, const pl_nc *weights, const pl_nc *data) {
  (void)data; /* every rank reads the graph for itself */
  net->own = pl_zalloc(1, sizeof(resgnn_own), "network on a graph");
  PL_TRY(graph_open(net, weights));
  return pl_agree(&net->team, make(net, net->own));
}

static void unload(pl_net *net) {
  resgnn_own *own = net->own;
  if (!own) return;
  graph_own_fini(&own->base);
  pl_free(own);
}

static void work(const pl_spec *spec, double *sample_flops, double *sample_bytes,
                 double *fixed_flops, double *fixed_bytes) {
  const resgnn_values *v = values_of(spec);
  int64_t features = 1, outputs = 1;
  double nodes, entries, width = (double)v->width, products = 0, doubles = 2 * width;
  graph_size(spec, &nodes, &entries);
  if (graph_widths(spec, &features, &outputs)) return;
  pl_recursion_work(spec, v->width, &products, &doubles);
  products += width * (double)outputs;
  *sample_flops = 10 * (double)outputs;
  *sample_bytes = 64 * (double)outputs;
  *fixed_flops =
      nodes * (6 * products + 20 * doubles) + 6 * (double)v->base.recursion.depth * entries * width;
  *fixed_bytes = nodes * (16 * doubles + 64 * (double)outputs) + 24 * entries;
}

/* ---- records ---- */

static pl_status observe(pl_net *net, void *state) {
  pl_tape *t = pl_net_tape(net);
  pl_node **w = pl_tape_alloc(t, (size_t)net->num_weights, sizeof *w);
  pl_take take = {.part = PL_TEST};
  pl_recursion_sums sums = {0};
  int at = 1;
  pl_net_variables(net, t, net->w, NULL, w);
  pl_recursion_visit_blocks(net, &own_of(net)->recursion, t, w, &at,
                            graph_features_times(net, t, w[0], 0, &take), &sums);
  pl_recursion_observe(net, &sums, state);
  return PL_OK;
}

static const pl_measures *const measures[] = {&pl_net_measures, &graph_output_measures,
                                              &pl_recursion_measures, NULL};
static const char *const headline[] = {"loss", "gradient_norm", NULL};

const pl_net_kind pl_resgnn = {
    .door = {.name = "resgnn",
             .help = "residual and momentum networks, and RevNets, of layers on a graph",
             PL_NET_DOOR,
             .example = "{model: {kind: resgnn, depth: 4, width: 4, store: reversible, activation: "
                        "tanh}, group: S_3, data: {graph: cayley, rows: 2}, optimizer.lr: 0.1, "
                        "steps: 20}",
             .summary = "Training of residual and momentum networks on a graph, and what their "
                        "stores keep",
             .reference = "Sander, Ablin, Blondel, Peyre, Momentum Residual Neural Networks, ICML "
                          "2021, arXiv:2102.07870",
             .headline = headline,
             .keys = keys,
             .defaults = defaults,
             .data = pl_graph_data_kinds,
             .measures = measures,
             .metric = "accuracy",
             .other_metric = "mse",
             .tie_metric = "cross_entropy",
             .fits = fits,
             .check = check,
             .label = label,
             .apply = graph_apply},
    .split = PL_SPLIT_OWN,
    .num_metrics = NUM_METRICS,
    .record_bytes = sizeof(pl_recursion_record),
    .load = load,
    .unload = unload,
    .objective = graph_objective,
    .metrics = graph_metrics,
    .observe = observe,
    .shapes = shapes,
    .work = work,
    .note = graph_note,
    .open = open,
    .predict = graph_predict,
};
