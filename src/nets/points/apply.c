/* A saved network on samples of a file: predicted positions, edges, properties. */
#include "base/mem.h"
#include "file.h"
#include "network.h"

#include <math.h>
#include <string.h>

/* ---- what a file of weights tells ---- */

pl_status points_note(const pl_net *net, pl_nc *nc) {
  const pl_points *p = points_of(net);
  const pl_points_shape *s = &p->shape;
  const int task = (int)s->task, dimension = (int)s->dimension, property = (int)s->property;
  PL_TRY(pl_nc_att_ints(nc, NULL, "task", PL_NC_INT, &task, 1));
  PL_TRY(pl_nc_att_ints(nc, NULL, "dimension", PL_NC_INT, &dimension, 1));
  if (s->task != PL_POINTS_PROPERTY) return PL_OK;
  PL_TRY(pl_nc_att_ints(nc, NULL, "elements", PL_NC_INT, s->element, s->elements));
  PL_TRY(pl_nc_att_ints(nc, NULL, "property", PL_NC_INT, &property, 1));
  PL_TRY(pl_nc_att_doubles(nc, NULL, "mean", &p->mean, 1));
  return pl_nc_att_doubles(nc, NULL, "deviation", &p->deviation, 1);
}

static pl_status wrong(const pl_nc *nc, const char *name) {
  return pl_error(PL_EINPUT, "%s: expected an attribute %s, as record.final writes it",
                  pl_nc_path(nc), name);
}

static pl_status read_elements(const pl_nc *nc, pl_points *out) {
  double z[PL_POINTS_ELEMENTS], property;
  int n = pl_nc_get_att_doubles(nc, NULL, "elements", z, PL_POINTS_ELEMENTS);
  if (n < 1 || n > PL_POINTS_ELEMENTS) return wrong(nc, "elements");
  out->shape.elements = n;
  for (int k = 0; k < n; k++) {
    if (!(z[k] >= 1 && z[k] <= 118) || (k > 0 && z[k] <= z[k - 1])) return wrong(nc, "elements");
    out->shape.element[k] = (int)z[k];
  }
  if (pl_nc_get_att_number(nc, "property", &property) != 1 || !(property >= 0 && property <= 1e6) ||
      property != floor(property))
    return wrong(nc, "property");
  out->shape.property = (int64_t)property;
  if (pl_nc_get_att_number(nc, "mean", &out->mean) != 1 || !isfinite(out->mean))
    return wrong(nc, "mean");
  if (pl_nc_get_att_number(nc, "deviation", &out->deviation) != 1 ||
      !(out->deviation > 0 && isfinite(out->deviation)))
    return wrong(nc, "deviation");
  return PL_OK;
}

static pl_status read_shape(const pl_nc *nc, pl_points *out) {
  double task, dimension;
  if (pl_nc_get_att_number(nc, "task", &task) != 1 || !(task == 0 || task == 1 || task == 2))
    return wrong(nc, "task");
  if (pl_nc_get_att_number(nc, "dimension", &dimension) != 1 ||
      !(dimension >= 1 && dimension <= PL_POINTS_AXES) || dimension != floor(dimension))
    return wrong(nc, "dimension");
  out->shape = (pl_points_shape){.task = (pl_points_task)task, .dimension = (int64_t)dimension};
  return out->shape.task == PL_POINTS_PROPERTY ? read_elements(nc, out) : PL_OK;
}

pl_status points_open(pl_net *net, const pl_nc *weights, const pl_nc *data) {
  pl_points told = {.deviation = 1}, found;
  pl_status st = weights ? read_shape(weights, &told) : PL_OK;
  PL_TRY(pl_agree(&net->team, st));
  pl_comm_bcast(&net->team, &told, sizeof told, 0);
  PL_TRY(pl_points_open(data, &net->team, &told.shape, &found));
  points_own *own = net->own = pl_zalloc(1, sizeof *own, "data");
  own->data = found;
  own->data.mean = told.mean;
  own->data.deviation = told.deviation;
  net->count[PL_TEST] = own->data.part[PL_TEST].num;
  points_kind_of(&net->spec)->add(net, &own->data.shape);
  return PL_OK;
}

/* ---- predictions ---- */

static const struct {
  const char *name, *what;
} answers[] = {
    [PL_POINTS_POSITIONS] = {"position", "predicted positions"},
    [PL_POINTS_ADJACENCY] = {"probability", "probability of an edge"},
    [PL_POINTS_PROPERTY] = {"prediction", "predicted property"},
};

/* Numbers of an answer before sample k of the part. */
static int64_t before(const pl_points *data, int64_t k) {
  const pl_points_part *p = &data->part[PL_TEST];
  return data->shape.task == PL_POINTS_POSITIONS   ? p->start[k] * data->shape.dimension
         : data->shape.task == PL_POINTS_ADJACENCY ? p->pair_start[k]
                                                   : k;
}

static void keep(const pl_net *net, pl_tape *t, pl_node *const *w, const pl_take *take,
                 void *context) {
  const pl_points *data = points_of(net);
  points_batch b = points_batch_new(net, t, take, NULL);
  const pl_node *f = points_answer(net, t, w, &b);
  if (take->count == 0) return;
  double *out = (double *)context + before(data, take->entry[0]);
  for (int64_t i = 0; i < pl_tape_count(f); i++)
    out[i] = data->shape.task == PL_POINTS_POSITIONS   ? f->value[i]
             : data->shape.task == PL_POINTS_ADJACENCY ? 1 / (1 + exp(-f->value[i]))
                                                       : f->value[i] * data->deviation + data->mean;
}

/* Metrics of a task, as they stand in points_measures. */
static const struct {
  pl_points_task task;
  int metric;
  const char *name, *what;
} told[] = {
    {PL_POINTS_POSITIONS, METRIC_MSE, "mse", PL_MSE},
    {PL_POINTS_ADJACENCY, METRIC_BCE, "bce", "cross entropy over the pairs of a graph, their sum"},
    {PL_POINTS_ADJACENCY, METRIC_ERROR, "error", "share of pairs told wrongly"},
    {PL_POINTS_ADJACENCY, METRIC_F1, "f1", "F1 score"},
    {PL_POINTS_PROPERTY, METRIC_MAE, "mae", "mean absolute error"},
};
enum { TOLD = sizeof told / sizeof *told };

static bool has_targets(const pl_points *data) {
  return data->shape.task == PL_POINTS_ADJACENCY || data->part[PL_TEST].y;
}

static pl_status define(const pl_points *data, pl_nc *out) {
  const pl_points_part *p = &data->part[PL_TEST];
  pl_points_task task = data->shape.task;
  const char *nodes[4], *pairs[] = {"pair", NULL}, *both[] = {"pair", "ends", NULL};
  const char *sample[] = {points_names_of(task)->sample, NULL};
  PL_TRY(points_file_dims(out, task, p->num, p->start));
  points_node_dims(task, p->num, p->start, "axis", nodes);
  if (task == PL_POINTS_POSITIONS) PL_TRY(pl_nc_def_dim(out, "axis", data->shape.dimension));
  if (task == PL_POINTS_ADJACENCY) {
    PL_TRY(pl_nc_def_dim(out, "pair", p->pair_start[p->num]));
    PL_TRY(pl_nc_def_dim(out, "ends", 2));
    PL_TRY(pl_nc_def_var(out, "pair_node", PL_NC_INT64, both, "the two nodes of a pair", "1"));
    PL_TRY(pl_nc_def_var(out, "adjacency", PL_NC_BYTE, pairs,
                         "1 where an edge is more likely than none", "1"));
  }
  PL_TRY(pl_nc_def_var(out, answers[task].name, PL_NC_DOUBLE,
                       task == PL_POINTS_POSITIONS   ? nodes
                       : task == PL_POINTS_ADJACENCY ? pairs
                                                     : sample,
                       answers[task].what, "1"));
  for (int k = 0; k < TOLD; k++)
    if (told[k].task == task && has_targets(data))
      PL_TRY(pl_nc_def_var(out, told[k].name, PL_NC_DOUBLE, NULL, told[k].what, "1"));
  return pl_nc_end_def(out);
}

static pl_status put_pairs(const pl_points_part *p, const double *probability, pl_nc *out) {
  int64_t num = p->pair_start[p->num], e = 0;
  int64_t *end = pl_alloc((size_t)num, 2 * sizeof *end, "pairs");
  int64_t *edge = pl_alloc((size_t)num, sizeof *edge, "pairs");
  for (int64_t g = 0; g < p->num; g++)
    for (int64_t i = p->start[g]; i < p->start[g + 1]; i++)
      for (int64_t j = p->start[g]; j < p->start[g + 1]; j++)
        if (j != i) end[2 * e] = i, end[2 * e + 1] = j, e++;
  for (e = 0; e < num; e++) edge[e] = probability[e] > 0.5;
  pl_status st = pl_nc_put_ints(out, "pair_node", NULL, NULL, end);
  if (!st) st = pl_nc_put_ints(out, "adjacency", NULL, NULL, edge);
  pl_free(end);
  pl_free(edge);
  return st;
}

static pl_status write_all(const pl_points *data, const double *f, const double *metric,
                           pl_nc *out) {
  const pl_points_part *p = &data->part[PL_TEST];
  pl_points_task task = data->shape.task;
  PL_TRY(define(data, out));
  PL_TRY(points_put_starts(out, task, p->num, p->start));
  PL_TRY(pl_nc_put_doubles(out, answers[task].name, NULL, NULL, f));
  if (task == PL_POINTS_ADJACENCY) PL_TRY(put_pairs(p, f, out));
  for (int k = 0; k < TOLD; k++)
    if (told[k].task == task && has_targets(data))
      PL_TRY(pl_nc_put_doubles(out, told[k].name, NULL, NULL, &metric[told[k].metric]));
  return PL_OK;
}

pl_status points_predict(pl_net *net, pl_nc *out) {
  const pl_points *data = points_of(net);
  int64_t n = before(data, data->part[PL_TEST].num);
  double metric[NUM_METRICS], *f = pl_zalloc((size_t)n, sizeof *f, "predictions");
  pl_net_each(net, PL_TEST, keep, f);
  pl_comm_sum(&net->team, f, n);
  if (has_targets(data)) points_metrics(net, PL_TEST, metric);
  pl_status st = out ? write_all(data, f, metric, out) : PL_OK;
  pl_free(f);
  return pl_agree(&net->team, st);
}

pl_status points_apply(const pl_spec *spec, const pl_comm *team, const pl_rates *rates,
                       const char *path, const pl_attribute *attributes, int num) {
  (void)rates;
  return pl_net_apply(spec, team, points_data_of(spec)->path, path, attributes, num);
}
