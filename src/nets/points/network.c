/* What networks on points hand to net.c beside their answers: losses, metrics, checks, costs. */
#include "network.h"

#include "base/mem.h"

#include <math.h>

/* ---- losses ---- */

/* 1/(M d total) for each node of a sample of M: their sum is a mean over samples of means. */
static pl_node *node_shares(pl_tape *t, const points_batch *b) {
  double *share = pl_tape_alloc(t, (size_t)b->pairs.nodes, sizeof *share);
  for (int64_t s = 0; s < b->take->count; s++)
    for (int64_t i = b->start[s]; i < b->start[s + 1]; i++)
      share[i] = 1 / ((double)(b->start[s + 1] - b->start[s]) * (double)b->shape->dimension *
                      (double)b->take->total);
  return pl_tape_constant(t, b->pairs.nodes, 1, share);
}

static pl_node *size_of(const pl_net *net, pl_tape *t, pl_node *error) {
  return points_values_of(&net->spec)->loss == LOSS_ABSOLUTE ? pl_tape_abs(t, error)
                                                             : pl_tape_square(t, error);
}

static pl_node *position_loss(const pl_net *net, pl_tape *t, const points_batch *b, pl_node *f) {
  pl_node *y = pl_tape_constant(t, b->pairs.nodes, b->shape->dimension, b->y);
  pl_node *e = size_of(net, t, pl_tape_subtract(t, f, y));
  return pl_tape_sum(t, pl_tape_multiply(t, e, node_shares(t, b)));
}

/* Of (y - mean)/deviation. */
static pl_node *property_loss(const pl_net *net, pl_tape *t, const points_batch *b, pl_node *f) {
  const pl_points *data = points_of(net);
  double *y = pl_tape_alloc(t, (size_t)b->take->count, sizeof *y);
  for (int64_t s = 0; s < b->take->count; s++)
    y[s] = (b->part->y[b->take->entry[s]] - data->mean) / data->deviation;
  pl_node *e = pl_tape_subtract(t, f, pl_tape_constant(t, b->take->count, 1, y));
  return pl_tape_scale(t, pl_tape_sum(t, size_of(net, t, e)), 1 / (double)b->take->total);
}

/* sum over pairs of log(1 + exp(-+f)), - for an edge. */
static pl_node *edge_loss(pl_tape *t, const points_batch *b, pl_node *f) {
  const pl_node *edge = points_marks(t, b);
  double *sign = pl_tape_alloc(t, (size_t)b->pairs.num, sizeof *sign);
  for (int64_t e = 0; e < b->pairs.num; e++) sign[e] = 1 - 2 * edge->value[e];
  pl_node *m = pl_tape_multiply(t, f, pl_tape_constant(t, b->pairs.num, 1, sign));
  return pl_tape_scale(t, pl_tape_sum(t, pl_tape_softplus(t, m)), 1 / (double)b->take->total);
}

pl_node *points_objective(const pl_net *net, pl_tape *t, pl_node *const *w, const pl_take *take) {
  points_batch b = points_batch_new(net, t, take, NULL);
  pl_node *f = points_answer(net, t, w, &b);
  switch (b.shape->task) {
  case PL_POINTS_POSITIONS:
    return position_loss(net, t, &b, f);
  case PL_POINTS_ADJACENCY:
    return edge_loss(t, &b, f);
  default:
    return property_loss(net, t, &b, f);
  }
}

/* ---- metrics ---- */

enum { SQUARES, ABSOLUTES, ENTROPY, WRONG, PAIRS, HITS, SUMS };

static void add_positions(const points_batch *b, const pl_node *f, double *sum) {
  int64_t d = b->shape->dimension;
  for (int64_t s = 0; s < b->take->count; s++) {
    const double *y = b->part->y + b->part->start[b->take->entry[s]] * d;
    const double *x = f->value + b->start[s] * d;
    int64_t n = (b->start[s + 1] - b->start[s]) * d;
    double squares = 0;
    for (int64_t k = 0; k < n; k++) squares += (x[k] - y[k]) * (x[k] - y[k]);
    sum[SQUARES] += squares / (double)n;
  }
}

static void add_properties(const pl_net *net, const points_batch *b, const pl_node *f,
                           double *sum) {
  const pl_points *data = points_of(net);
  for (int64_t s = 0; s < b->take->count; s++)
    sum[ABSOLUTES] +=
        fabs(f->value[s] * data->deviation + data->mean - b->part->y[b->take->entry[s]]);
}

static void add_edges(pl_tape *t, const points_batch *b, const pl_node *f, double *sum) {
  const pl_node *edge = points_marks(t, b);
  for (int64_t e = 0; e < b->pairs.num; e++) {
    bool said = f->value[e] > 0, is = edge->value[e] > 0;
    double m = is ? -f->value[e] : f->value[e];
    sum[ENTROPY] += fmax(m, 0) + log1p(exp(-fabs(m)));
    sum[WRONG] += said != is;
    sum[HITS] += said && is;
  }
  sum[PAIRS] += (double)b->pairs.num;
}

static void add_sums(const pl_net *net, pl_tape *t, pl_node *const *w, const pl_take *take,
                     void *context) {
  points_batch b = points_batch_new(net, t, take, NULL);
  const pl_node *f = points_answer(net, t, w, &b);
  switch (b.shape->task) {
  case PL_POINTS_POSITIONS:
    add_positions(&b, f, context);
    break;
  case PL_POINTS_ADJACENCY:
    add_edges(t, &b, f, context);
    break;
  default:
    add_properties(net, &b, f, context);
  }
}

void points_metrics(pl_net *net, pl_part part, double *metric) {
  double sum[SUMS] = {0}, n = (double)pl_net_recorded(net, part).total;
  pl_net_each(net, part, add_sums, sum);
  pl_comm_sum(&net->team, sum, SUMS);
  metric[METRIC_MSE] = sum[SQUARES] / n;
  metric[METRIC_MAE] = sum[ABSOLUTES] / n;
  metric[METRIC_BCE] = sum[ENTROPY] / n;
  metric[METRIC_ERROR] = sum[PAIRS] > 0 ? sum[WRONG] / sum[PAIRS] : NAN;
  /* Without edges, told or true, there is nothing to find. */
  double told = sum[HITS] + sum[WRONG] / 2;
  metric[METRIC_F1] = told > 0 ? sum[HITS] / told : NAN;
}

static bool asks(const pl_spec *spec, pl_points_task task) {
  pl_points_shape s = {0};
  return !pl_points_shape_of(spec, &s) && s.task == task;
}

#define WANTED(name, task)                                                                         \
  static bool name(const pl_spec *spec, const void *context) {                                     \
    (void)context;                                                                                 \
    return asks(spec, task);                                                                       \
  }                                                                                                \
  static bool name##_validation(const pl_spec *spec, const void *context) {                        \
    return pl_net_wants_validation(spec, context) && asks(spec, task);                             \
  }                                                                                                \
  static bool name##_test(const pl_spec *spec, const void *context) {                              \
    return pl_net_wants_test(spec, context) && asks(spec, task);                                   \
  }
WANTED(positions, PL_POINTS_POSITIONS)
WANTED(edges, PL_POINTS_ADJACENCY)
WANTED(property, PL_POINTS_PROPERTY)
#undef WANTED

static const pl_measure rows[] = {
    PL_NET_METRIC_WHERE(METRIC_MSE, "mse", PL_MSE, -1, positions, positions_validation,
                        positions_test),
    PL_NET_METRIC_WHERE(METRIC_MAE, "mae", "mean absolute error", -1, property, property_validation,
                        property_test),
    PL_NET_METRIC_WHERE(METRIC_BCE, "bce", "cross entropy over the pairs of a graph, their sum", -1,
                        edges, edges_validation, edges_test),
    PL_NET_METRIC_WHERE(METRIC_ERROR, "error", "share of pairs told wrongly", -1, edges,
                        edges_validation, edges_test),
    PL_NET_METRIC_WHERE(METRIC_F1, "f1", "F1 score", 1, edges, edges_validation, edges_test),
};
const pl_measures points_measures = PL_MEASURES(rows);
const pl_measures *const points_all_measures[] = {&pl_net_measures, &points_measures,
                                                  &points_defect_measures, NULL};
const char *const points_headline[] = {"loss", "gradient_norm", NULL};
const pl_default points_defaults[] = {{"train.batch", "100"}, {NULL, NULL}};

/* ---- life ---- */

pl_status points_load(pl_net *net) {
  pl_points data;
  PL_TRY(pl_points_init(&net->spec, &net->team, &data));
  points_own *own = net->own = pl_zalloc(1, sizeof *own, "data");
  own->data = data;
  for (int p = 0; p < PL_NUM_PARTS; p++) net->count[p] = own->data.part[p].num;
  points_kind_of(&net->spec)->add(net, &own->data.shape);
  return pl_agree(&net->team, points_defect_new(net, &own->defect));
}

void points_unload(pl_net *net) {
  points_own *own = net->own;
  if (!own) return;
  points_defect_free(own->defect);
  pl_points_fini(&own->data);
  pl_free(own);
}

pl_status points_shapes(pl_net *net) {
  pl_points_shape shape;
  PL_TRY(pl_points_shape_of(&net->spec, &shape));
  points_kind_of(&net->spec)->add(net, &shape);
  return PL_OK;
}

void points_work(const pl_spec *spec, double *sample_flops, double *sample_bytes,
                 double *fixed_flops, double *fixed_bytes) {
  pl_points_shape s = {0};
  double products = 0, doubles = 0, samples = 0;
  *fixed_flops = *fixed_bytes = *sample_flops = *sample_bytes = 0;
  if (pl_points_shape_of(spec, &s)) return;
  points_kind_of(spec)->work(spec, &s, &products, &doubles);
  for (int p = 0; p < PL_NUM_PARTS; p++) samples += (double)pl_data_count(spec, (pl_part)p);
  /* Every rank has all samples. */
  *fixed_bytes = samples * (8 * s.nodes * (3 * (double)s.dimension + 2) + s.pairs + 24);
  *sample_flops = 6 * products + 20 * doubles; /* each product forward, and twice back */
  *sample_bytes = 2 * 8 * doubles;             /* values and their adjoints */
}

/* ---- checks ---- */

const char *points_fits(const pl_spec *spec) {
  return pl_net_fits(spec);
}

pl_status points_check(const pl_spec *spec, const char **key) {
  const pl_points_data *data = (const pl_points_data *)spec->data;
  int64_t loss = points_values_of(spec)->loss;
  pl_points_shape s;
  *key = "data.kind";
  if (data->check) PL_TRY(data->check(spec, key));
  PL_TRY(pl_points_shape_of(spec, &s));
  bool moves = spec->model != &pl_linear_points.net.door, edges = s.task == PL_POINTS_ADJACENCY;
  bool reads = spec->model == &pl_egnn.net.door || spec->model == &pl_linear_points.net.door;
  *key = "data.path";
  if ((edges && !moves) || (s.task == PL_POINTS_PROPERTY && !reads))
    return pl_error(PL_EINPUT, "%s is not for model.kind %s", edges ? "a graph" : "a molecule",
                    spec->model->name);
  *key = "loss";
  if ((loss == LOSS_LOGISTIC) != edges)
    return pl_error(PL_EINPUT, "%s",
                    edges ? "edges are told by logistic loss"
                          : "logistic is for edges; here square or absolute");
  return pl_net_check(spec, key);
}
