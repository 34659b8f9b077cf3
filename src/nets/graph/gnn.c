/* Graph networks.  Rows are nodes here, X_l = act(S X_(l-1) B_l), S the operator:
 *     plain       f = X_H W
 *     multiscale  f = sum_{l=0..H} X_l W_l
 * (Xu et al. write columns: f = W X_(H).) */
#include "gnn.h"

#include "base/mem.h"
#include "model/regularizer.h"
#include "nets/graph/data.h"
#include "nets/graph/graph.h"

#include <float.h>
#include <math.h>
#include <stdio.h>

/* ---- keys ---- */

PL_WORDS(forms, "plain", "multiscale")
PL_WORDS(activations, "none", "relu", "tanh")
PL_WORDS(init_kinds, "random", "file", "identity")

#define F(member) offsetof(gnn_values, member)
enum { SHAPE = PL_COST | PL_RESULTS };

static const pl_key rows[] = {
    {"model.form", PL_KEY_CHOICE, F(form), SHAPE, "plain", .choice = forms,
     .help = "plain: read out from the last layer; multiscale: skip connections from every layer, "
             "the features themselves included"},
    {"model.activation", PL_KEY_CHOICE, F(activation), SHAPE, "none", .choice = activations,
     .help = "applied to every layer"},
    {"model.depth", PL_KEY_INT, F(depth), SHAPE, "2", .min = 1, .max = 64,
     .help = "layers H: how often the operator acts"},
    {"model.width", PL_KEY_INT, F(width), SHAPE, .min = 1, .max = 1e6,
     .help = "width of the layers (default: as many as features)"},
    {"model.init.kind", PL_KEY_CHOICE, F(net.init_kind), SHAPE, "random", .choice = init_kinds,
     .help =
         "initial weights: normal, of variance scale^2 over the rows of the matrix; from a file; "
         "or layers the identity, read-outs 0"},
    {"model.init.path", PL_KEY_TEXT, F(net.init_path), SHAPE, .path = true,
     .with = "model.init.kind", .with_word = "file",
     .help = "NetCDF file with a variable for each weight, as record.final writes it"},
    {"model.init.scale", PL_KEY_REAL, F(init_scale), PL_RESULTS, "1", .min = DBL_MIN,
     .max = DBL_MAX, .help = "scale of the initial weights"},
    {"loss", PL_KEY_CHOICE, F(loss), SHAPE, "square", .choice = graph_loss_name,
     .help = "square, the sum over the labelled nodes; or softmax, their mean"},
    {"record.bound", PL_KEY_BOOL, F(record_bound), SHAPE,
     .help = "record optimum, singular values of the features and, with optimizer.kind flow, the "
             "bound on the loss (default: linear networks of up to 256 features, the loss square, "
             "without regularisers)"},
    {"record.irreps", PL_KEY_BOOL, F(record_irreps), SHAPE,
     .help = "record the variables on (run, record, irrep) of Cayley graphs (default: up to 50000 "
             "elements)"},
};
static const pl_keys own_keys = PL_KEYS(PL_IN_NETWORK, rows);
static const pl_keys *const keys[] = {&own_keys,      &pl_bro_keys,      &pl_gini_keys,
                                      &pl_batch_keys, &pl_spectrum_keys, NULL};

static const char *fits(const pl_spec *spec) {
  const gnn_values *v = gnn_values_of(spec);
  if (v->loss == LOSS_SOFTMAX && !graph_classes(spec)) {
    pl_error(PL_EINPUT, "softmax is for classes; the targets are numbers");
    return "loss";
  }
  if (v->record_bound == 1 && !gnn_has_bound(spec)) {
    pl_error(PL_EINPUT, "the bound is that of linear networks (model.activation none, loss square) "
                        "without regularisers");
    return "record.bound";
  }
  if (v->record_irreps == 1 && graph_values_of(spec)->source != SOURCE_CAYLEY) {
    pl_error(PL_EINPUT, "irreps are those of a Cayley graph's group (data.graph: cayley)");
    return "record.irreps";
  }
  return pl_net_fits(spec);
}

static pl_status check(const pl_spec *spec, const char **key) {
  return graph_check(spec, key, NULL);
}

static int label(const pl_spec *spec, char *buf, size_t n) {
  const gnn_values *v = gnn_values_of(spec);
  return snprintf(buf, n, "gnn, %s, %s, depth %lld", graph_source_name(spec), forms((int)v->form),
                  (long long)v->depth);
}

/* ---- weights ---- */

static void add(pl_net *net, const char *name, const char *what, const char *group, int64_t layer,
                int64_t in, int64_t out) {
  const gnn_values *v = gnn_values_of(&net->spec);
  bool identity = v->net.init_kind == GNN_INIT_IDENTITY, layers = *group == 'l';
  pl_net_weight w = {.group = group,
                     .layer = (int)layer,
                     .rows = in,
                     .cols = out,
                     .init = !identity ? PL_INIT_NORMAL
                             : layers  ? PL_INIT_IDENTITY
                                       : PL_INIT_ZERO,
                     .scale = v->init_scale / sqrt((double)in)};
  snprintf(w.name, sizeof w.name, name, (long long)layer);
  snprintf(w.what, sizeof w.what, "%s", what);
  pl_net_add(net, w);
}

static void add_weights(pl_net *net, int64_t features, int64_t outputs) {
  const gnn_values *v = gnn_values_of(&net->spec);
  int64_t width = v->width == PL_UNSET ? features : v->width;
  for (int64_t l = 1; l <= v->depth; l++)
    add(net, "layer%lld_weight", "B of X_l = act(S X_(l-1) B)", "layer", l,
        l == 1 ? features : width, width);
  for (int64_t s = 0; s < gnn_scales(v); s++) {
    int64_t l = v->form == FORM_MULTISCALE ? s : v->depth;
    add(net, "readout%lld_weight", "W, read-out of X_l", "readout", l, l ? width : features,
        outputs);
  }
}

static int readout(const pl_net *net, int *first) {
  const gnn_values *v = gnn_values_of(&net->spec);
  *first = gnn_readout_weight(v, 0);
  return (int)gnn_scales(v);
}

static pl_status shapes(pl_net *net) {
  int64_t features, outputs;
  PL_TRY(graph_widths(&net->spec, &features, &outputs));
  add_weights(net, features, outputs);
  return PL_OK;
}

/* ---- the network ---- */

static pl_node *activate(int64_t activation, pl_tape *t, pl_node *x) {
  return activation == ACTIVATION_RELU   ? pl_tape_relu(t, x)
         : activation == ACTIVATION_TANH ? pl_tape_tanh(t, x)
                                         : x;
}

/* X_H, of one graph, for its regulariser; every rank has all of it. */
static void embed(const pl_net *net, pl_tape *t, pl_node *x) {
  int64_t *start = pl_tape_alloc(t, 2, sizeof *start);
  start[0] = 0;
  start[1] = x->rows;
  pl_net_embed(net, t, x, 1, start, 1.0 / net->team.size);
}

static pl_node *answer(const pl_net *net, pl_tape *t, pl_node *const *w, const pl_take *take) {
  const gnn_values *v = gnn_values_of(&net->spec);
  const graph_own *own = graph_own_of(net);
  bool skips = v->form == FORM_MULTISCALE;
  pl_node *x = NULL, *f = NULL;
  if (skips) f = graph_features_times(net, t, w[gnn_readout_weight(v, 0)], 0, take);
  for (int64_t l = 1; l <= v->depth; l++) {
    pl_node *b = w[gnn_layer_weight(l)];
    x = l == 1 ? graph_features_times(net, t, b, 0, take) : pl_tape_matmul(t, x, b);
    x = activate(v->activation, t, graph_propagate(t, &own->once, x));
    if (skips) f = pl_tape_add(t, f, pl_tape_matmul(t, x, w[gnn_readout_weight(v, l)]));
  }
  if (take->part == PL_TRAIN) embed(net, t, x);
  return skips ? f : pl_tape_matmul(t, x, w[gnn_readout_weight(v, 0)]);
}

/* ---- life ---- */

static pl_status make(pl_net *net, gnn_own *own) {
  const gnn_values *v = gnn_values_of(&net->spec);
  const graph_nodes *d = own->base.data;
  PL_TRY(graph_own_init(&own->base, net, v->width == PL_UNSET ? d->features : v->width));
  own->base.loss = v->loss;
  own->base.answer = answer;
  add_weights(net, d->features, d->outputs);
  return PL_OK;
}

/* What is recorded beside the network itself. */
static pl_status make_records(pl_net *net, gnn_own *own) {
  const gnn_values *v = gnn_values_of(&net->spec);
  const graph_nodes *d = own->base.data;
  own->bounded = gnn_bounded(&net->spec);
  if (own->bounded) PL_TRY(gnn_bound_init(&own->bound, &net->spec, d));
  if (graph_wants_irreps(&net->spec, v->record_irreps))
    PL_TRY(pl_irrep_energies_new(d->group, &own->energies));
  return PL_OK;
}

static pl_status load(pl_net *net) {
  gnn_own *own = net->own = pl_zalloc(1, sizeof *own, "network on a graph");
  pl_status st = graph_nodes_new(&net->spec, NULL, &own->base.data);
  if (!st) st = make(net, own);
  if (!st) st = make_records(net, own);
  return pl_agree(&net->team, st);
}

static pl_status open(pl_net *net, const pl_nc *weights, const pl_nc *data) {
  (void)data; /* every rank reads the graph for itself */
  net->own = pl_zalloc(1, sizeof(gnn_own), "network on a graph");
  PL_TRY(graph_open(net, weights));
  return pl_agree(&net->team, make(net, net->own));
}

static void unload(pl_net *net) {
  gnn_own *own = net->own;
  if (!own) return;
  pl_irrep_energies_free(own->energies);
  graph_own_fini(&own->base);
  pl_free(own);
}

static void begin(pl_net *net) {
  gnn_own *own = net->own;
  if (!own->bounded) return;
  own->bound.start = pl_net_standing(&net->base).objective;
  own->bound.lambda = INFINITY;
}

static double *keep(pl_net *net, int i, const char **name, int64_t *n) {
  gnn_own *own = net->own;
  double *const kept[] = {&own->bound.lambda, &own->bound.start};
  static const char *const names[] = {"lambda_t", "start_loss"};
  if (!own->bounded || i >= 2) return NULL;
  *name = names[i];
  *n = 1;
  return kept[i];
}

static void work(const pl_spec *spec, double *sample_flops, double *sample_bytes,
                 double *fixed_flops, double *fixed_bytes) {
  const gnn_values *v = gnn_values_of(spec);
  int64_t features = 1, outputs = 1;
  double nodes, entries;
  graph_size(spec, &nodes, &entries);
  if (graph_widths(spec, &features, &outputs)) return;
  double width = (double)(v->width == PL_UNSET ? features : v->width), depth = (double)v->depth;
  *sample_flops = 10 * (double)outputs;
  *sample_bytes = 64 * (double)outputs;
  *fixed_flops = 6 * nodes * width * ((depth - 1) * width + depth * (double)outputs) +
                 6 * depth * entries * width;
  *fixed_bytes = 8 * nodes * (4 * depth * width + 5 * width + 8 * (double)outputs) + 24 * entries;
  if (gnn_bounded(spec)) *fixed_bytes += 40 * nodes * (double)features * (depth + 1);
}

static const pl_measures *const measures[] = {&pl_net_measures,     &graph_output_measures,
                                              &gnn_measures,        &pl_net_gini_measures,
                                              &pl_net_bro_measures, NULL};
static const char *const headline[] = {"loss", "gradient_norm", NULL};

const pl_net_kind pl_gnn = {
    .door = {.name = "gnn",
             .help = "graph networks, linear or not, with or without skip connections",
             PL_NET_DOOR,
             .example = "{model: {kind: gnn, form: multiscale, depth: 2}, group: S_3, data: "
                        "{graph: cayley, rows: 2}, optimizer: {kind: flow, lr: 0.1}, steps: 20}",
             .summary = "Training of graph networks, its speed with and without skip connections",
             .reference =
                 "Xu, Zhang, Jegelka and Kawaguchi, Optimization of Graph Neural Networks: "
                 "Implicit Acceleration by Skip Connections and More Depth, ICML 2021 "
                 "(arXiv:2105.04550)",
             .headline = headline,
             .keys = keys,
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
    .record_bytes = sizeof(gnn_record),
    .load = load,
    .unload = unload,
    .begin = begin,
    .keep = keep,
    .objective = graph_objective,
    .readout = readout,
    .metrics = graph_metrics,
    .observe = gnn_observe,
    .axes = gnn_axes,
    .shapes = shapes,
    .note = graph_note,
    .open = open,
    .predict = graph_predict,
    .work = work,
};
