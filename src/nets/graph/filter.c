/* Propagation filters: keys, weights, the row of the zoo. */
#include "filter.h"

#include "base/mem.h"
#include "model/regularizer.h"
#include "nets/graph/data.h"
#include "nets/graph/graph.h"

#include <float.h>
#include <math.h>
#include <stdio.h>

/* ---- keys ---- */

PL_WORDS(rules, "none", "sgc", "gcn", "ppnp", "appnp", "jknet", "dagnn", "lf", "hf")
PL_WORDS(solves, "iterate", "closed")
PL_WORDS(heads, "linear", "mlp")
PL_WORDS(jumps, "cat", "max")
PL_WORDS(init_kinds, "random", "file")

#define F(member) offsetof(filter_values, member)
#define BELOW_ONE 0x1.fffffffffffffp-1
enum { SHAPE = PL_COST | PL_RESULTS };

static const pl_key rows[] = {
    {"model.rule", PL_KEY_CHOICE, F(rule), SHAPE, "appnp", .choice = rules,
     .help = "the filter; none: no propagation, a network that sees no graph"},
    {"model.solve", PL_KEY_CHOICE, F(solve), SHAPE, .choice = solves,
     .help = "of ppnp, lf, hf: model.depth iterations, or the linear system (default: ppnp closed, "
             "the others iterate)"},
    {"model.depth", PL_KEY_INT, F(depth), SHAPE, "10", .min = 1, .max = 10000,
     .help = "K: iterations, powers of the operator, or layers"},
    {"model.alpha", PL_KEY_REAL, F(alpha), PL_RESULTS, "0.1", .min = DBL_MIN, .max = 1,
     .help = "xi = 1/alpha - 1 weighs smoothness; lf: below 2/3"},
    {"model.mu", PL_KEY_REAL, F(mu), PL_RESULTS, "0.7", .min = 0.5, .max = BELOW_ONE,
     .help = "lf fits by (mu I + (1 - mu) A)^1/2"},
    {"model.beta", PL_KEY_REAL, F(beta), PL_RESULTS, "1", .min = DBL_MIN, .max = 1e6,
     .help = "hf fits by (I + beta L)^1/2"},
    {"model.head", PL_KEY_CHOICE, F(head), SHAPE, "linear", .choice = heads,
     .help = "H = X W, or relu(X W_1) W_2; sgc, gcn, jknet: linear"},
    {"model.width", PL_KEY_INT, F(width), SHAPE, "64", .min = 1, .max = 1e6,
     .help = "width of the hidden layers"},
    {"model.jump", PL_KEY_CHOICE, F(jump), SHAPE, "cat", .choice = jumps,
     .help = "jknet: layers side by side, or their largest entries"},
    {"model.dropout", PL_KEY_REAL, F(dropout), SHAPE, "0", .min = 0, .max = BELOW_ONE,
     .help = "share of the entries of X and of hidden layers that a step drops"},
    {"model.l2", PL_KEY_REAL, F(l2), PL_RESULTS, "0", .min = 0, .max = DBL_MAX,
     .help = "(l2/2) ||W_1||^2 is added to the loss, W_1 the first weight"},
    {"model.init.kind", PL_KEY_CHOICE, F(net.init_kind), SHAPE, "random", .choice = init_kinds,
     .help = "initial weights: uniform as Glorot and Bengio's, or from a file"},
    {"model.init.path", PL_KEY_TEXT, F(net.init_path), SHAPE, .path = true,
     .with = "model.init.kind", .with_word = "file",
     .help = "NetCDF file with a variable for each weight, as record.final writes it"},
    {"model.init.scale", PL_KEY_REAL, F(init_scale), PL_RESULTS, "1", .min = DBL_MIN,
     .max = DBL_MAX, .help = "factor on the initial weights"},
    {"loss", PL_KEY_CHOICE, F(loss), SHAPE, "softmax", .choice = graph_loss_name,
     .help = "square, the sum over the labelled nodes; or softmax, their mean"},
    {"record.layers", PL_KEY_BOOL, F(record_layers), SHAPE, "false",
     .help = "record over-smoothing at every depth, not at the last alone"},
    {"record.iterates", PL_KEY_BOOL, F(record_iterates), SHAPE, "false",
     .help = "record how far each iterate of ppnp, appnp, lf, hf is from the closed form"},
    {"record.response", PL_KEY_BOOL, F(record_response), SHAPE, "false",
     .help = "record the response to each eigenvector of the operator (up to 2000 nodes)"},
    {"record.irreps", PL_KEY_BOOL, F(record_irreps), SHAPE,
     .help = "record the variables on (run, record, irrep) of Cayley graphs (default: up to 50000 "
             "elements)"},
};
static const pl_keys own_keys = PL_KEYS(PL_IN_NETWORK, rows);
static const pl_keys *const keys[] = {&own_keys, &pl_gini_keys, &pl_batch_keys, &pl_spectrum_keys,
                                      NULL};

static const char *at_fault(const char *key, const char *what) {
  pl_error(PL_EINPUT, "%s", what);
  return key;
}

static const char *fits_records(const pl_spec *spec) {
  const filter_values *v = filter_values_of(spec);
  const graph_values *g = graph_values_of(spec);
  if (v->record_iterates == 1 && !filter_fits_energy(v->rule))
    return at_fault("record.iterates", "iterates are those of ppnp, appnp, lf, hf");
  bool response = filter_fixed(v->rule) && g->operator_kind == PL_OPERATOR_SYM;
  if (v->record_response == 1 && !response)
    return at_fault("record.response",
                    "a response is that of sgc, ppnp, appnp, lf, hf with data.operator sym");
  if (v->record_irreps == 1 && (!filter_fixed(v->rule) || g->source != SOURCE_CAYLEY))
    return at_fault("record.irreps", "irreps are those of sgc, ppnp, appnp, lf, hf on a Cayley "
                                     "graph (data.graph: cayley)");
  return NULL;
}

static const char *fits(const pl_spec *spec) {
  const filter_values *v = filter_values_of(spec);
  bool energy = filter_fits_energy(v->rule);
  if (v->loss == LOSS_SOFTMAX && !graph_classes(spec))
    return at_fault("loss", "softmax is for classes; the targets are numbers");
  if (v->rule == RULE_LF && !(v->alpha < 2.0 / 3))
    return at_fault("model.alpha", "lf takes an alpha below 2/3");
  if ((v->rule == RULE_SGC || filter_layered(v->rule)) && v->head != HEAD_LINEAR)
    return at_fault("model.head", "sgc, gcn, jknet have a linear head");
  if (v->solve == SOLVE_CLOSED && (!energy || v->rule == RULE_APPNP))
    return at_fault("model.solve", "closed forms are those of ppnp, lf, hf");
  if (energy && graph_values_of(spec)->operator_kind != PL_OPERATOR_SYM)
    return at_fault("data.operator", "ppnp, appnp, lf, hf minimise an energy of operator sym");
  const char *key = fits_records(spec);
  return key ? key : pl_net_fits(spec);
}

static pl_status check(const pl_spec *spec, const char **key) {
  enum { MOST = 2000 };
  int64_t nodes;
  PL_TRY(graph_check(spec, key, &nodes));
  if (filter_values_of(spec)->record_response == 1 && nodes > MOST) {
    *key = "record.response";
    return pl_error(PL_EINPUT, "%lld nodes; responses are recorded up to %d", (long long)nodes,
                    MOST);
  }
  return PL_OK;
}

static int label(const pl_spec *spec, char *buf, size_t n) {
  const filter_values *v = filter_values_of(spec);
  return snprintf(buf, n, "filter, %s, %s%s, depth %lld", graph_source_name(spec),
                  rules((int)v->rule), filter_closed(v) ? " closed" : "", (long long)v->depth);
}

/* ---- rules ---- */

bool filter_closed(const filter_values *v) {
  return v->solve == PL_UNSET ? v->rule == RULE_PPNP : v->solve == SOLVE_CLOSED;
}

graph_rule filter_rule(const filter_values *v, bool closed) {
  double a = v->alpha, c = 1 + a * v->mu - a, d = 1 + a * v->beta;
  graph_rule r = {.first = 1, .ratio = 1, .depth = v->depth, .closed = closed};
  if (!filter_fits_energy(v->rule)) return r;
  r.keep = a;
  r.ratio = 1 - a;
  if (v->rule == RULE_LF) {
    r.first = v->mu / c;
    r.second = (1 - v->mu) / c;
    r.ratio = (1 + a * v->mu - 2 * a) / c;
  } else if (v->rule == RULE_HF) {
    r.first = (1 + v->beta) / d;
    r.second = -v->beta / d;
    r.ratio = (a * v->beta - a + 1) / d;
  }
  return r;
}

void filter_fit(const filter_values *v, double *fit, double *slope) {
  *fit = v->rule == RULE_LF ? v->mu : v->rule == RULE_HF ? 1 + v->beta : 1;
  *slope = 1 - *fit;
}

/* ---- weights ---- */

static void add(pl_net *net, const char *name, int64_t layer, const char *what, const char *group,
                int64_t in, int64_t out) {
  const filter_values *v = filter_values_of(&net->spec);
  pl_net_weight w = {.group = group,
                     .layer = (int)layer,
                     .rows = in,
                     .cols = out,
                     .init = PL_INIT_SPREAD,
                     .scale = v->init_scale * sqrt(6 / (double)(in + out))};
  if (layer)
    snprintf(w.name, sizeof w.name, "layer%lld_weight", (long long)layer);
  else
    snprintf(w.name, sizeof w.name, "%s", name);
  snprintf(w.what, sizeof w.what, "%s", what);
  pl_net_add(net, w);
}

void filter_add_weights(pl_net *net, int64_t features, int64_t outputs) {
  const filter_values *v = filter_values_of(&net->spec);
  int64_t in = features;
  if (filter_layered(v->rule)) {
    for (int64_t l = 1; l <= v->depth; l++, in = v->width)
      add(net, NULL, l, "W of relu(A Z W)", "layer", in,
          l == v->depth && v->rule == RULE_GCN ? outputs : v->width);
    if (v->rule == RULE_JKNET)
      add(net, "head_weight", 0, "read-out of all layers", "head",
          v->jump == JUMP_CAT ? v->depth * v->width : v->width, outputs);
    return;
  }
  if (v->head == HEAD_MLP) {
    add(net, "hidden_weight", 0, "W_1 of H = relu(X W_1) W_2", "hidden", in, v->width);
    in = v->width;
  }
  add(net, "head_weight", 0, v->head == HEAD_MLP ? "W_2 of H = relu(X W_1) W_2" : "W of H = X W",
      "head", in, outputs);
  if (v->rule == RULE_DAGNN)
    add(net, "gate_weight", 0, "s of the gates sigmoid(A^k H s)", "gate", outputs, 1);
}

/* The head, or the last layer of gcn. */
static int readout(const pl_net *net, int *first) {
  const filter_values *v = filter_values_of(&net->spec);
  *first = v->rule == RULE_GCN     ? (int)v->depth - 1
           : v->rule == RULE_JKNET ? (int)v->depth
                                   : v->head == HEAD_MLP;
  return 1;
}

int64_t filter_most(const filter_values *v, int64_t outputs) {
  return filter_layered(v->rule) && v->width > outputs ? v->width : outputs;
}

static pl_status shapes(pl_net *net) {
  int64_t features, outputs;
  PL_TRY(graph_widths(&net->spec, &features, &outputs));
  filter_add_weights(net, features, outputs);
  return PL_OK;
}

/* ---- life ---- */

static pl_status make(pl_net *net, filter_own *own) {
  const filter_values *v = filter_values_of(&net->spec);
  const graph_nodes *d = own->base.data;
  int64_t most = filter_most(v, d->outputs);
  PL_TRY(graph_own_init(&own->base, net, most));
  own->base.loss = v->loss;
  own->base.answer = filter_answer;
  graph_rule rule = filter_rule(v, filter_closed(v));
  if (filter_fixed(v->rule))
    PL_TRY(graph_map_init(&own->map, &rule, d->op, d->op_t, &net->team, most));
  filter_add_weights(net, d->features, d->outputs);
  return PL_OK;
}

/* What is recorded beside the network itself. */
static pl_status make_records(pl_net *net, filter_own *own) {
  const filter_values *v = filter_values_of(&net->spec);
  const graph_nodes *d = own->base.data;
  graph_rule sure = filter_rule(v, true);
  int64_t most = filter_most(v, d->outputs);
  if (v->record_iterates == 1)
    PL_TRY(graph_map_init(&own->sure, &sure, d->op, d->op_t, &net->team, most));
  size_t depths = (size_t)v->depth + 1;
  own->dirichlet = pl_zalloc(depths, sizeof *own->dirichlet, "a record");
  own->distance = pl_zalloc(depths, sizeof *own->distance, "a record");
  own->error = pl_zalloc(depths, sizeof *own->error, "a record");
  return PL_OK;
}

static pl_status load(pl_net *net) {
  filter_own *own = net->own = pl_zalloc(1, sizeof *own, "network on a graph");
  PL_TRY(pl_agree(&net->team, graph_nodes_new(&net->spec, NULL, &own->base.data)));
  pl_status st = make(net, own);
  if (!st) st = make_records(net, own);
  PL_TRY(pl_agree(&net->team, st));
  return pl_agree(&net->team, filter_responses(net));
}

static pl_status open(pl_net *net, const pl_nc *weights, const pl_nc *data) {
  (void)data; /* every rank reads the graph for itself */
  net->own = pl_zalloc(1, sizeof(filter_own), "network on a graph");
  PL_TRY(graph_open(net, weights));
  return pl_agree(&net->team, make(net, net->own));
}

static void unload(pl_net *net) {
  filter_own *own = net->own;
  if (!own) return;
  graph_map_fini(&own->map);
  graph_map_fini(&own->sure);
  graph_own_fini(&own->base);
  pl_free(own->dirichlet);
  pl_free(own->distance);
  pl_free(own->error);
  pl_free(own->irrep_response);
  pl_free(own->response);
  pl_free(own);
}

/* Flops and bytes of propagation for so many ranks. */
static void propagation(const pl_spec *spec, int ranks, double *flops, double *bytes) {
  const filter_values *v = filter_values_of(spec);
  int64_t features, outputs;
  graph_rule rule = filter_rule(v, filter_closed(v)), sure = filter_rule(v, true);
  graph_load load = {.ranks = ranks};
  *flops = *bytes = 0;
  if (graph_widths(spec, &features, &outputs)) return;
  graph_size(spec, &load.nodes, &load.entries);
  load.cols = (double)filter_most(v, outputs);
  *flops = 2 * graph_map_flops(&rule, &load);
  *bytes = graph_map_bytes(&rule, &load);
  if (v->record_iterates == 1) *bytes += graph_map_bytes(&sure, &load);
}

static void work(const pl_spec *spec, double *sample_flops, double *sample_bytes,
                 double *fixed_flops, double *fixed_bytes) {
  const filter_values *v = filter_values_of(spec);
  int64_t features = 1, outputs = 1;
  double nodes, entries;
  graph_size(spec, &nodes, &entries);
  if (graph_widths(spec, &features, &outputs)) return;
  double most = (double)filter_most(v, outputs), width = (double)v->width;
  double layers = filter_layered(v->rule) ? (double)v->depth : 1;
  *sample_flops = 10 * (double)outputs;
  *sample_bytes = 64 * (double)outputs;
  propagation(spec, 1, fixed_flops, fixed_bytes);
  *fixed_flops += 6 * layers * nodes * width * (double)outputs;
  *fixed_bytes += 8 * nodes * (4 * layers * most + 4 * width + 20 * (double)outputs) + 24 * entries;
}

/* A dense factor may be spread over the team. */
static void team_work(const pl_spec *spec, int team, double *fixed_flops, double *fixed_bytes) {
  double flops[2], bytes[2];
  propagation(spec, 1, &flops[0], &bytes[0]);
  propagation(spec, team, &flops[1], &bytes[1]);
  *fixed_flops += flops[1] - flops[0];
  *fixed_bytes += bytes[1] - bytes[0];
}

static const pl_measures *const measures[] = {&pl_net_measures, &graph_output_measures,
                                              &pl_net_gini_measures, &filter_measures, NULL};
static const char *const headline[] = {"loss", "train_mse", NULL};

const pl_net_kind pl_filter = {
    .door = {.name = "filter",
             .help = "propagation filters on graphs: SGC, GCN, PPNP, APPNP, JKNet, DAGNN, LF, HF",
             PL_NET_DOOR,
             .example = "{model: {kind: filter, rule: lf, depth: 4, head: mlp, width: 5, dropout: "
                        "0.3, l2: 0.01}, data: {graph: csbm, nodes: 30, features: 4, p_in: 0.3, "
                        "samples: 12, validation: 6, test: 8}, record: {layers: true, iterates: "
                        "true, response: true}, steps: 20}",
             .summary = "Training of propagation filters on graphs",
             .reference = "Zhu, Wang, Shi, Ji and Cui, Interpreting and Unifying Graph Neural "
                          "Networks with An Optimization Framework, WWW 2021 (arXiv:2101.11859)",
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
    .random = true,
    .num_metrics = NUM_METRICS,
    .record_bytes = sizeof(filter_record),
    .load = load,
    .unload = unload,
    .objective = filter_objective,
    .readout = readout,
    .metrics = graph_metrics,
    .observe = filter_observe,
    .axes = filter_axes,
    .shapes = shapes,
    .note = graph_note,
    .open = open,
    .predict = graph_predict,
    .work = work,
    .team_work = team_work,
};
