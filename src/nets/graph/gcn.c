/* model.kind gcn: graph classification.  Keys, weights, the door. */
#include "gcn.h"

#include "base/mem.h"
#include "model/regularizer.h"
#include "nets/graph/data.h"
#include "nets/graph/graph.h"

#include <float.h>
#include <math.h>
#include <stdio.h>

/* ---- keys ---- */

PL_WORDS(layers, "gcn", "gin", "graphconv")
PL_WORDS(activations, "relu", "tanh", "silu")
PL_WORDS(poolings, "mean", "sum")
PL_WORDS(losses, "logistic", "softmax")
PL_WORDS(class_weights, "none", "balanced")

#define F(member) offsetof(gcn_values, member)
enum { SHAPE = PL_COST | PL_RESULTS };

static const pl_key key_rows[] = {
    {"model.layer", PL_KEY_CHOICE, F(layer), SHAPE, "gcn", .choice = layers,
     .help = "gcn: propagation by D^-1/2 (A + I) D^-1/2; gin: sums of neighbours into a network of "
             "two layers; graphconv: sums of neighbours"},
    {"model.depth", PL_KEY_INT, F(depth), SHAPE, "3", .min = 1, .max = 64, .help = "layers"},
    {"model.width", PL_KEY_INT, F(width), SHAPE, "32", .min = 1, .max = 65536,
     .help = "numbers of a node's embedding"},
    {"model.activation", PL_KEY_CHOICE, F(activation), SHAPE, "relu", .choice = activations,
     .help = "behind every layer"},
    {"model.pooling", PL_KEY_CHOICE, F(pooling), SHAPE, "mean", .choice = poolings,
     .help = "of a graph's embeddings, before the linear head"},
    {"model.self_path", PL_KEY_BOOL, F(self_path), SHAPE, "true",
     .help = "a path of its own for a node's own embedding: a matrix (gcn, graphconv), 1 + "
             "epsilon (gin)"},
    {"model.epsilon", PL_KEY_REAL, F(epsilon), PL_RESULTS, "0", .min = -DBL_MAX, .max = DBL_MAX,
     .with = "model.layer", .with_word = "gin", .help = "epsilon of gin"},
    {"model.init.scale", PL_KEY_REAL, F(init_scale), PL_RESULTS, "1", DBL_MIN, DBL_MAX,
     .help = "factor on the initial weights, uniform as Glorot and Bengio's; biases are 0"},
    {"loss", PL_KEY_CHOICE, F(loss), SHAPE, "logistic", .choice = losses,
     .help = "logistic: one output, two classes; softmax: cross entropy, one output a class"},
    {"train.class_weights", PL_KEY_CHOICE, F(balanced), PL_RESULTS, "none", .choice = class_weights,
     .help = "balanced: a graph counts N/(classes N_y) for N_y training graphs of its class"},
    {"record.attribution", PL_KEY_BOOL, F(record_attribution), SHAPE, "true",
     .help = "record the AUROC of node attributions, where the truth is known"},
    {"record.graphs", PL_KEY_INT, F(record_graphs), SHAPE, "200", .min = 1, .max = 1e9,
     .help = "the first so many graphs of a part that have both kinds of nodes are attributed"},
    {"attribution.points", PL_KEY_INT, F(points), SHAPE, "100", .min = 1, .max = 1e6,
     .help = "points on the line of integrated gradients"},
};
static const pl_keys own_keys = PL_KEYS(PL_IN_NETWORK, key_rows);
static const pl_keys *const keys[] = {&own_keys,     &pl_net_init_keys, &pl_bro_keys,
                                      &pl_gini_keys, &pl_batch_keys,    &pl_spectrum_keys,
                                      NULL};

static pl_status check(const pl_spec *spec, const char **key) {
  graph_set s = {0};
  *key = "data.kind";
  if (spec->data == &pl_data_molecules) *key = "data.path";
  PL_TRY(graph_set_make(spec, &s));
  int64_t train, classes = s.shape.classes;
  pl_free(graph_set_members(&s, PL_TRAIN, &train));
  graph_set_fini(&s);
  if (train == 0) return pl_error(PL_EINPUT, "no graph of the training part (split 0)");
  *key = "loss";
  if (gcn_values_of(spec)->loss == GCN_LOGISTIC && classes != 2)
    return pl_error(PL_EINPUT, "logistic is for two classes, and the data have %lld: softmax",
                    (long long)classes);
  return pl_net_check(spec, key);
}

static int label(const pl_spec *spec, char *buf, size_t n) {
  const gcn_values *v = gcn_values_of(spec);
  return snprintf(buf, n, "gcn, %s, depth %lld, width %lld", layers((int)v->layer),
                  (long long)v->depth, (long long)v->width);
}

/* ---- weights ---- */

int64_t gcn_outputs(const pl_spec *spec, const graph_shape *shape) {
  return gcn_values_of(spec)->loss == GCN_LOGISTIC ? 1 : shape->classes;
}

bool gcn_takes_edges(const pl_spec *spec, const graph_shape *shape) {
  return shape->edge_features > 0 && gcn_values_of(spec)->layer != LAYER_GCN;
}

static bool has_weight(const pl_spec *spec, const graph_shape *shape, int kind) {
  const gcn_values *v = gcn_values_of(spec);
  bool gin = v->layer == LAYER_GIN;
  switch (kind) {
  case W_SELF:
    return !gin && v->self_path;
  case W_EDGE:
    return gcn_takes_edges(spec, shape);
  case W_SECOND:
  case W_SECOND_BIAS:
    return gin;
  default:
    return true;
  }
}

int gcn_weight(const pl_spec *spec, const graph_shape *shape, int64_t l, int kind) {
  int each = 0, at = 0;
  for (int k = 0; k < W_KINDS; k++) {
    at += k < kind && has_weight(spec, shape, k);
    each += has_weight(spec, shape, k);
  }
  return has_weight(spec, shape, kind) ? (int)l * each + at : -1;
}

int gcn_head(const pl_spec *spec, const graph_shape *shape) {
  return gcn_weight(spec, shape, gcn_values_of(spec)->depth, W_FIRST);
}

static void add(pl_net *net, const char *place, const char *name, const char *what, int64_t layer,
                int64_t rows, int64_t cols, bool bias) {
  double scale = gcn_values_of(&net->spec)->init_scale * sqrt(6.0 / (double)(rows + cols));
  pl_net_weight w = {.group = bias ? "bias" : "weight",
                     .layer = (int)layer,
                     .rows = bias ? 1 : rows,
                     .cols = cols,
                     .init = bias ? PL_INIT_ZERO : PL_INIT_SPREAD,
                     .scale = scale};
  snprintf(w.name, sizeof w.name, "%s_%s", place, name);
  snprintf(w.what, sizeof w.what, "%s", what);
  pl_net_add(net, w);
}

void gcn_add_weights(pl_net *net, const graph_shape *shape) {
  static const struct {
    const char *name, *what;
    bool bias;
  } own[W_KINDS] = {[W_FIRST] = {"weight", "W, of what comes from the neighbours", false},
                    [W_SELF] = {"self_weight", "V, of the node's own embedding", false},
                    [W_EDGE] = {"edge_weight", "U, of the features of edges", false},
                    [W_BIAS] = {"bias", "b", true},
                    [W_SECOND] = {"second_weight", "W', of the second layer inside gin", false},
                    [W_SECOND_BIAS] = {"second_bias", "b', of the second layer inside gin", true}};
  const gcn_values *v = gcn_values_of(&net->spec);
  bool gin = v->layer == LAYER_GIN;
  for (int64_t l = 0; l < v->depth; l++) {
    char place[32];
    int64_t in = l ? v->width : shape->features;
    snprintf(place, sizeof place, "layer%lld", (long long)l);
    for (int k = 0; k < W_KINDS; k++) {
      int64_t rows = k == W_EDGE ? shape->edge_features : k >= W_SECOND ? v->width : in;
      int64_t cols = k == W_EDGE && gin ? in : v->width;
      if (has_weight(&net->spec, shape, k))
        add(net, place, own[k].name, own[k].what, l, rows, cols, own[k].bias);
    }
  }
  int64_t outputs = gcn_outputs(&net->spec, shape);
  add(net, "head", "weight", "W of the head, of pooled embeddings", v->depth, v->width, outputs,
      false);
  add(net, "head", "bias", "b of the head", v->depth, v->width, outputs, true);
}

static int readout(const pl_net *net, int *first) {
  *first = net->num_weights - 2; /* the head, whose bias follows */
  return 1;
}

static pl_status shapes(pl_net *net) {
  graph_shape shape;
  PL_TRY(graph_set_shape(&net->spec, &shape));
  gcn_add_weights(net, &shape);
  return PL_OK;
}

/* ---- life ---- */

void gcn_own_init(pl_net *net) {
  gcn_own *own = net->own;
  const graph_set *s = &own->data;
  for (int p = 0; p < PL_NUM_PARTS; p++)
    own->member[p] = graph_set_members(s, (pl_part)p, &net->count[p]);
  size_t classes = (size_t)s->shape.classes;
  double *weight = own->class_weight = pl_zalloc(classes, sizeof *weight, "classes");
  int64_t n = net->count[PL_TRAIN];
  for (int64_t i = 0; i < n && s->label; i++) weight[s->label[own->member[PL_TRAIN][i]]]++;
  bool balanced = gcn_values_of(&net->spec)->balanced;
  for (size_t c = 0; c < classes; c++)
    weight[c] = !balanced || weight[c] == 0 ? 1 : (double)n / (double)classes / weight[c];
}

static pl_status load(pl_net *net) {
  gcn_own *own = net->own = pl_zalloc(1, sizeof *own, "network on graphs");
  PL_TRY(pl_agree(&net->team, graph_set_make(&net->spec, &own->data)));
  gcn_own_init(net);
  gcn_add_weights(net, &own->data.shape);
  return PL_OK;
}

static void unload(pl_net *net) {
  gcn_own *own = net->own;
  if (!own) return;
  graph_set_fini(&own->data);
  for (int p = 0; p < PL_NUM_PARTS; p++) pl_free(own->member[p]);
  pl_free(own->class_weight);
  pl_free(own);
}

static void work(const pl_spec *spec, double *sample_flops, double *sample_bytes,
                 double *fixed_flops, double *fixed_bytes) {
  const gcn_values *v = gcn_values_of(spec);
  graph_shape s;
  *sample_flops = *sample_bytes = *fixed_flops = *fixed_bytes = 0;
  if (graph_set_shape(spec, &s)) return;
  double in = (double)s.features, width = (double)v->width, depth = (double)v->depth;
  double entries = s.entries + s.nodes, edges = gcn_takes_edges(spec, &s) ? s.entries : 0;
  double products = s.nodes * (v->layer == LAYER_GIN ? in + width : 2 * in) * width +
                    (depth - 1) * s.nodes * 2 * width * width +
                    depth * edges * (double)s.edge_features * width;
  double doubles = s.nodes * (in + depth * 5 * width) + depth * edges * 4 * width;
  if (spec->common.bro > 0) products += s.nodes * fmin(s.nodes, width) * width * 2;
  if (spec->common.bro > 0) doubles += pow(fmin(s.nodes, width), 2);
  *sample_flops = 6 * products + 6 * depth * entries * width + 20 * doubles;
  *sample_bytes = 16 * doubles + 12 * entries;
  for (int p = 0; p < PL_NUM_PARTS; p++)
    *fixed_bytes +=
        (double)pl_data_count(spec, (pl_part)p) *
        (8 * s.nodes * in + s.entries * (4 + 8 * (double)s.edge_features) + 24 * s.nodes);
}

static const pl_measures *const measures[] = {&pl_net_measures, &gcn_measures,
                                              &pl_net_gini_measures, &pl_net_bro_measures, NULL};
static const char *const headline[] = {"loss", "embedding_entropy_rank", NULL};

const pl_net_kind pl_gcn = {
    .door = {.name = "gcn",
             .help = "classification of graphs, molecules among them, and attribution to nodes",
             PL_NET_DOOR,
             .example =
                 "{model: {kind: gcn, layer: graphconv, depth: 2, width: 6, activation: tanh}, "
                 "train.batch: 4, data: {samples: 9, validation: 3, test: 5, nodes: 8}, "
                 "regularizer: {bro: 0.1, gini: 0.5}, attribution.points: 4}",
             .summary =
                 "Training of networks that classify graphs, with explicit regularisers, and "
                 "how well their attributions find what makes the class",
             .reference = "Henderson, Clevert and Montanari, Improving Molecular Graph Neural "
                          "Network Explainability with Orthonormalization and Induced Sparsity, "
                          "ICML 2021 (arXiv:2105.04854)",
             .headline = headline,
             .keys = keys,
             .data = pl_gcn_data_kinds,
             .measures = measures,
             .metric = "accuracy",
             .fits = pl_net_fits,
             .check = check,
             .label = label,
             .apply = gcn_apply},
    .split = PL_SPLIT_SAMPLES,
    .num_metrics = GCN_METRICS,
    .record_bytes = sizeof(gcn_record),
    .watched = true,
    .load = load,
    .unload = unload,
    .objective = gcn_objective,
    .readout = readout,
    .metrics = gcn_metrics,
    .observe = gcn_observe,
    .shapes = shapes,
    .note = gcn_note,
    .open = gcn_open,
    .predict = gcn_predict,
    .work = work,
    .observe_work = gcn_attribution_work,
};
