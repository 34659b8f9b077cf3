#include "output.h"

#include "base/mem.h"
#include "base/rng.h"
#include "graph/karate.h"
#include "graph/random.h"
#include "group/elements.h"

#include <math.h>
#include <string.h>

const char *graph_loss_name(int i) {
  static const char *const words[] = {"square", "softmax"};
  return i >= 0 && i < 2 ? words[i] : NULL;
}

/* ---- checks ---- */

static pl_status check_group(const char *weights, const char *group) {
  pl_group *g;
  pl_nc *nc;
  PL_TRY(pl_group_parse(group, &g));
  pl_status st = pl_nc_open(weights, false, &nc);
  if (!st) {
    st = pl_elements_same_group(nc, g);
    pl_nc_close(nc);
  }
  pl_group_free(g);
  return st;
}

pl_status graph_check(const pl_spec *spec, const char **key, int64_t *nodes) {
  const pl_net_values *v = pl_net_values_of(spec);
  const graph_values *data = graph_values_of(spec);
  PL_TRY(graph_nodes_check(spec, key, nodes));
  if (v->init_kind == PL_NET_INIT_FILE && data->source == SOURCE_CAYLEY) {
    *key = "model.init.path";
    PL_TRY(check_group(v->init_path, data->group));
  }
  return pl_net_check(spec, key);
}

/* ---- sizes ---- */

static int64_t order_of(const pl_spec *spec) {
  pl_group *g;
  if (pl_group_parse(graph_values_of(spec)->group, &g)) return 0;
  int64_t n = pl_group_order(g);
  pl_group_free(g);
  return n;
}

static pl_status file_widths(const pl_spec *spec, int64_t *features, int64_t *outputs) {
  pl_graph_data d = {0};
  PL_TRY(pl_graph_read(graph_values_of(spec)->path, &d));
  *features = d.features ? d.features : d.graph->rows;
  bool numbers = graph_values_of(spec)->target == TARGET_NUMBERS;
  if (graph_classes(spec)) *outputs = d.classes;
  if (numbers) *outputs = d.targets;
  pl_graph_data_fini(&d);
  if (*outputs > 0) return PL_OK;
  return pl_error(PL_EINPUT, "%s: no %s", graph_values_of(spec)->path,
                  numbers ? "target(node, output)" : "label(node)");
}

pl_status graph_widths(const pl_spec *spec, int64_t *features, int64_t *outputs) {
  const graph_values *v = graph_values_of(spec);
  *outputs = graph_classes(spec) ? v->blocks : v->rows;
  switch (v->source) {
  case SOURCE_CAYLEY:
    *features = order_of(spec);
    return PL_OK;
  case SOURCE_KARATE:
    *features = PL_KARATE_NODES;
    if (graph_classes(spec)) *outputs = 2;
    return PL_OK;
  case SOURCE_FILE:
    return file_widths(spec, features, outputs);
  case SOURCE_CSBM:
    *features = v->features;
    return PL_OK;
  default:
    *features = v->nodes;
    return PL_OK;
  }
}

void graph_size(const pl_spec *spec, double *nodes, double *entries) {
  const graph_values *v = graph_values_of(spec);
  *nodes = (double)v->nodes;
  double inside = *nodes / (double)v->blocks;
  *entries = *nodes * (1 + inside * v->p_in + (*nodes - inside) * v->p_out);
  if (v->source == SOURCE_KARATE) {
    *nodes = PL_KARATE_NODES;
    *entries = 2 * PL_KARATE_EDGES + PL_KARATE_NODES;
  } else if (v->source == SOURCE_CAYLEY) {
    graph_nodes d = {0};
    pl_graph_data raw = {0};
    *nodes = *entries = 1;
    if (!pl_group_parse(v->group, &d.group) && !pl_cayley_new(d.group, v->generators, &d.cayley)) {
      *nodes = (double)pl_group_order(d.group);
      *entries = *nodes * (double)(d.cayley->num + 1);
    }
    pl_cayley_free(d.cayley);
    pl_group_free(d.group);
    pl_graph_data_fini(&raw);
  } else if (v->source == SOURCE_FILE) {
    pl_graph_data d = {0};
    *nodes = *entries = 1;
    if (pl_graph_read(v->path, &d)) return;
    *nodes = (double)d.graph->rows;
    *entries = *nodes + (double)pl_csr_entries(d.graph);
    pl_graph_data_fini(&d);
  }
}

bool graph_wants_irreps(const pl_spec *spec, int64_t key) {
  enum { ELEMENTS = 50000 };
  if (graph_values_of(spec)->source != SOURCE_CAYLEY) return false;
  return key == PL_UNSET ? order_of(spec) <= ELEMENTS : key == 1;
}

/* ---- life ---- */

pl_status graph_own_init(graph_own *own, pl_net *net, int64_t most) {
  static const graph_rule once = {.first = 1, .ratio = 1, .depth = 1};
  const graph_nodes *d = own->data;
  memcpy(net->count, d->count, sizeof net->count);
  own->output = pl_zalloc((size_t)(d->nodes * d->outputs), sizeof *own->output, "outputs");
  return graph_map_init(&own->once, &once, d->op, d->op_t, &net->team, most);
}

void graph_own_fini(graph_own *own) {
  graph_map_fini(&own->once);
  graph_nodes_free(own->data);
  pl_free(own->output);
}

/* ---- on the tape ---- */

pl_node *graph_dropout(const pl_net *net, pl_tape *t, pl_node *x, double rate, int64_t place,
                       const pl_take *take) {
  if (rate == 0 || !take->training) return x;
  int64_t blocks = (pl_tape_count(x) + 3) / 4 * 4;
  return pl_tape_dropout(t, x, rate, (uint64_t)net->spec.common.seed,
                         PL_STREAM(PL_STREAM_DROPOUT, place), take->step * blocks);
}

pl_node *graph_features_times(const pl_net *net, pl_tape *t, pl_node *w, double rate,
                              const pl_take *take) {
  const graph_nodes *d = graph_own_of(net)->data;
  if (d->dense) {
    pl_node *x = pl_tape_constant(t, d->nodes, d->features, d->dense);
    return pl_tape_matmul(t, graph_dropout(net, t, x, rate, 0, take), w);
  }
  if (rate == 0 || !take->training) return graph_sparse(t, d->sparse, d->sparse_t, w);
  const pl_csr *s = d->sparse;
  pl_tape_csr pattern = {s->rows, s->cols, s->start, s->index, NULL};
  pl_node *x = pl_tape_constant(t, pl_csr_entries(s), 1, s->value);
  return pl_tape_spmm_weighted(t, &pattern, graph_dropout(net, t, x, rate, 0, take), w);
}

/* The sum over the take of what the loss says of each node. */
static pl_node *sum_of_losses(const graph_own *own, pl_tape *t, pl_node *f, const pl_take *take) {
  const graph_nodes *d = own->data;
  int *node = pl_tape_alloc(t, (size_t)take->count, sizeof *node);
  for (int64_t i = 0; i < take->count; i++) node[i] = d->member[take->part][take->entry[i]];
  pl_node *rows = pl_tape_gather(t, f, take->count, node);
  if (own->loss == LOSS_SOFTMAX) {
    int *label = pl_tape_alloc(t, (size_t)take->count, sizeof *label);
    for (int64_t i = 0; i < take->count; i++) label[i] = d->label[node[i]];
    return pl_tape_scale(
        t, pl_tape_sum(t, pl_tape_pick(t, pl_tape_log_softmax(t, rows, NULL), label)), -1);
  }
  double *y = pl_tape_alloc(t, (size_t)(take->count * d->outputs), sizeof *y);
  for (int64_t i = 0; i < take->count; i++)
    memcpy(y + i * d->outputs, d->target + node[i] * d->outputs, (size_t)d->outputs * sizeof *y);
  pl_node *target = pl_tape_constant(t, take->count, d->outputs, y);
  return pl_tape_sum(t, pl_tape_square(t, pl_tape_subtract(t, rows, target)));
}

pl_node *graph_objective(const pl_net *net, pl_tape *t, pl_node *const *w, const pl_take *take) {
  const graph_own *own = graph_own_of(net);
  pl_node *sum = sum_of_losses(own, t, own->answer(net, t, w, take), take);
  /* Square: a sum over the labelled nodes, estimated by a batch; softmax: a mean. */
  double whole = own->loss == LOSS_SQUARE ? (double)net->count[take->part] : 1;
  return pl_tape_scale(t, sum, whole / (double)take->total / net->team.size);
}

/* ---- metrics ---- */

void graph_evaluate(pl_net *net) {
  graph_own *own = graph_own_of(net);
  pl_tape *t = pl_net_tape(net);
  pl_node **w = pl_tape_alloc(t, (size_t)net->num_weights, sizeof *w);
  pl_take take = {.part = PL_TEST};
  pl_net_variables(net, t, net->w, NULL, w);
  const pl_node *f = own->answer(net, t, w, &take);
  memcpy(own->output, f->value, (size_t)pl_tape_count(f) * sizeof *own->output);
}

int64_t graph_class_of(int64_t n, const double *x) {
  int64_t best = 0;
  for (int64_t k = 1; k < n; k++)
    if (x[k] > x[best]) best = k;
  return best;
}

/* -log of the softmax of row f at its class. */
static double surprise(int64_t n, const double *f, int64_t label) {
  double top = f[graph_class_of(n, f)], sum = 0;
  for (int64_t k = 0; k < n; k++) sum += exp(f[k] - top);
  return log(sum) + top - f[label];
}

void graph_metrics(pl_net *net, pl_part part, double *metric) {
  const graph_own *own = graph_own_of(net);
  const graph_nodes *d = own->data;
  /* Parts come in order, the training part first. */
  if (part == PL_TRAIN) graph_evaluate(net);
  double right = 0, squares = 0, entropy = 0, n = (double)d->count[part];
  for (int64_t i = 0; i < d->count[part]; i++) {
    int64_t node = d->member[part][i];
    const double *f = own->output + node * d->outputs, *y = d->target + node * d->outputs;
    for (int64_t k = 0; k < d->outputs; k++) squares += (f[k] - y[k]) * (f[k] - y[k]);
    if (!d->label) continue;
    right += graph_class_of(d->outputs, f) == d->label[node];
    entropy += surprise(d->outputs, f, d->label[node]);
  }
  metric[METRIC_ACCURACY] = d->label ? right / n : NAN;
  metric[METRIC_MSE] = squares / n / (double)d->outputs;
  metric[METRIC_CROSS_ENTROPY] = d->label ? entropy / n : NAN;
}
