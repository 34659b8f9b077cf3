/* A saved network on the graphs of a file. */
#include "base/mem.h"
#include "gcn.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- shapes, in the file of weights ---- */

/* Without edge_features edges have none. */
static const char *const sizes[] = {"features", "classes", "edge_features"};
enum { SIZES = sizeof sizes / sizeof *sizes, NEEDED = 2 };

pl_status gcn_note(const pl_net *net, pl_nc *nc) {
  const graph_shape *s = &gcn_own_of(net)->data.shape;
  const int v[SIZES] = {(int)s->features, (int)s->classes, (int)s->edge_features};
  for (int k = 0; k < SIZES; k++) PL_TRY(pl_nc_att_ints(nc, NULL, sizes[k], PL_NC_INT, &v[k], 1));
  return PL_OK;
}

static pl_status read_shape(const pl_nc *nc, graph_shape *s) {
  double v[SIZES] = {0};
  for (int k = 0; k < SIZES; k++) {
    int n = pl_nc_get_att_number(nc, sizes[k], &v[k]);
    if ((n != 1 && (k < NEEDED || n > 1)) || !(v[k] >= 0 && v[k] <= 1e9))
      return pl_error(PL_EINPUT,
                      "%s: expected an attribute %s, a number, as record.final writes it",
                      pl_nc_path(nc), sizes[k]);
  }
  *s = (graph_shape){
      .features = (int64_t)v[0], .classes = (int64_t)v[1], .edge_features = (int64_t)v[2]};
  if (s->features >= 1 && s->classes >= 2) return PL_OK;
  return pl_error(PL_EINPUT, "%s: attributes features and classes do not make a network",
                  pl_nc_path(nc));
}

static pl_status fits(const pl_nc *nc, const graph_set *s, const graph_shape *want) {
  const graph_shape *have = &s->shape;
  if (have->features != want->features || have->edge_features != want->edge_features)
    return pl_error(PL_EINPUT,
                    "%s: nodes have %lld features and edges %lld; the network takes %lld and %lld",
                    pl_nc_path(nc), (long long)have->features, (long long)have->edge_features,
                    (long long)want->features, (long long)want->edge_features);
  for (int64_t g = 0; g < s->graphs && s->label; g++)
    if (s->label[g] >= want->classes)
      return pl_error(PL_EINPUT, "%s: label[%lld] is %d; the network knows %lld classes",
                      pl_nc_path(nc), (long long)g, s->label[g], (long long)want->classes);
  return PL_OK;
}

pl_status gcn_open(pl_net *net, const pl_nc *weights, const pl_nc *data) {
  gcn_own *own = net->own = pl_zalloc(1, sizeof *own, "network on graphs");
  graph_shape shape = {0};
  pl_status st = weights ? read_shape(weights, &shape) : PL_OK;
  if (data && !st) st = graph_set_read(data, false, &own->data);
  if (data && !st) st = fits(data, &own->data, &shape);
  PL_TRY(pl_agree(&net->team, st));
  own->data.shape.classes = shape.classes;
  graph_set_share(&own->data, &net->team);
  memset(own->data.split, PL_TEST, (size_t)own->data.graphs);
  gcn_own_init(net);
  gcn_add_weights(net, &own->data.shape);
  return PL_OK;
}

/* ---- attributions ---- */

typedef struct answers {
  int64_t cols;
  double *f;            /* [graphs][cols] */
  double *out[METHODS]; /* [nodes] */
  double metric[GCN_METRICS], score[METHODS];
} answers;

/* All graphs, every rank a share of them. */
static void attribute_all(pl_net *net, answers *a) {
  enum { TOGETHER = 64 };
  const graph_set *s = &gcn_own_of(net)->data;
  int64_t first, count;
  pl_net_share(net, s->graphs, &first, &count);
  for (int64_t g = first; g < first + count; g += TOGETHER) {
    int64_t some = first + count - g < TOGETHER ? first + count - g : TOGETHER;
    double *at[METHODS];
    for (int m = 0; m < METHODS; m++) at[m] = a->out[m] + s->start[g];
    gcn_attribute(net, some, gcn_own_of(net)->member[PL_TEST] + g, at);
  }
  for (int m = 0; m < METHODS; m++) pl_comm_sum(&net->team, a->out[m], s->nodes);
}

static void score_all(const graph_set *s, answers *a) {
  for (int m = 0; m < METHODS; m++) {
    double sum = 0, n = 0;
    for (int64_t g = 0; g < s->graphs; g++) {
      double one = gcn_node_auroc(s, g, a->out[m] + s->start[g]);
      if (!isnan(one)) sum += one, n++;
    }
    a->score[m] = sum / n;
  }
}

/* ---- out ---- */

static pl_status define(const graph_set *s, int64_t cols, pl_nc *out) {
  const char *graph[] = {"graph", NULL}, *node[] = {"node", NULL};
  const char *answer[] = {"graph", "output", NULL}, *edges[] = {"edge_number", "end", NULL};
  const char *truth[] = {"node", "alternative", NULL};
  PL_TRY(pl_nc_def_dim(out, "graph", s->graphs));
  PL_TRY(pl_nc_def_dim(out, "node", s->nodes));
  PL_TRY(pl_nc_def_dim(out, "output", cols));
  if (s->entries) PL_TRY(pl_nc_def_dim(out, "edge_number", s->entries / 2));
  if (s->entries) PL_TRY(pl_nc_def_dim(out, "end", 2));
  if (s->truth) PL_TRY(pl_nc_def_dim(out, "alternative", s->alternatives));
  PL_TRY(pl_nc_def_var(out, "f", PL_NC_DOUBLE, answer,
                       "outputs of the network, before any softmax or sigmoid", "1"));
  PL_TRY(pl_nc_def_var(out, "prediction", PL_NC_INT, graph, "class of the largest output", "1"));
  PL_TRY(pl_nc_def_var(out, "graph_start", PL_NC_INT64, graph, "first node of each graph", "1"));
  PL_TRY(pl_nc_def_var(out, "node_type", PL_NC_INT, node, "largest feature of each node", "1"));
  if (s->entries) PL_TRY(pl_nc_def_var(out, "edge", PL_NC_INT64, edges, "nodes of each edge", "1"));
  for (int m = 0; m < METHODS; m++) {
    char name[64];
    snprintf(name, sizeof name, "attribution_%s", gcn_method_name(m));
    PL_TRY(pl_nc_def_var(out, name, PL_NC_DOUBLE, node, gcn_method_help(m), "1"));
  }
  if (s->label) PL_TRY(pl_nc_def_var(out, "label", PL_NC_INT, graph, "class, from 0", "1"));
  if (s->label) PL_TRY(pl_nc_def_var(out, "accuracy", PL_NC_DOUBLE, NULL, PL_ACCURACY, "1"));
  if (s->label && s->shape.classes == 2)
    PL_TRY(pl_nc_def_var(out, "auroc", PL_NC_DOUBLE, NULL, "area under the ROC curve of class 1",
                         "1"));
  for (int m = 0; m < METHODS && s->truth; m++) {
    char name[64];
    snprintf(name, sizeof name, "auroc_%s", gcn_method_name(m));
    PL_TRY(pl_nc_def_var(
        out, name, PL_NC_DOUBLE, NULL,
        "AUROC of these attributions: the best over alternatives, mean over graphs", "1"));
  }
  if (s->truth)
    PL_TRY(pl_nc_def_var(out, "attribution", PL_NC_BYTE, truth,
                         "1: the node belongs to that explanation of the class", "1"));
  return pl_nc_end_def(out);
}

/* What the picture of an attribution needs beside it. */
static pl_status put_graphs(const graph_set *s, pl_nc *out) {
  int64_t n = s->entries > s->nodes ? s->entries : s->nodes, k = 0;
  if (s->truth && s->nodes * s->alternatives > n) n = s->nodes * s->alternatives;
  int64_t *room = pl_alloc((size_t)n, sizeof *room, "graphs");
  for (int64_t i = 0; i < s->nodes; i++)
    room[i] = gcn_class_of(s->shape.features, s->feature + i * s->shape.features);
  if (s->shape.features == 1) memset(room, 0, (size_t)s->nodes * sizeof *room);
  pl_status st = pl_nc_put_ints(out, "node_type", NULL, NULL, room);
  for (int64_t u = 0; u < s->nodes; u++)
    for (int64_t e = s->row[u]; e < s->row[u + 1]; e++)
      if (s->neighbour[e] > u) room[k++] = u, room[k++] = s->neighbour[e];
  if (!st) st = pl_nc_put_ints(out, "graph_start", NULL, NULL, s->start);
  if (!st && s->entries) st = pl_nc_put_ints(out, "edge", NULL, NULL, room);
  for (int64_t i = 0; s->truth && i < s->nodes * s->alternatives; i++) room[i] = s->truth[i];
  if (!st && s->truth) st = pl_nc_put_ints(out, "attribution", NULL, NULL, room);
  pl_free(room);
  return st;
}

static pl_status put_classes(const graph_set *s, const answers *a, pl_nc *out) {
  int64_t *class = pl_alloc((size_t)s->graphs, sizeof *class, "classes");
  for (int64_t g = 0; g < s->graphs; g++) class[g] = gcn_class_of(a->cols, a->f + g * a->cols);
  pl_status st = pl_nc_put_ints(out, "prediction", NULL, NULL, class);
  for (int64_t g = 0; s->label && g < s->graphs; g++) class[g] = s->label[g];
  if (!st && s->label) st = pl_nc_put_ints(out, "label", NULL, NULL, class);
  pl_free(class);
  return st;
}

static pl_status put_method(const graph_set *s, const answers *a, int method, pl_nc *out) {
  char name[64];
  snprintf(name, sizeof name, "attribution_%s", gcn_method_name(method));
  PL_TRY(pl_nc_put_doubles(out, name, NULL, NULL, a->out[method]));
  snprintf(name, sizeof name, "auroc_%s", gcn_method_name(method));
  return s->truth ? pl_nc_put_doubles(out, name, NULL, NULL, &a->score[method]) : PL_OK;
}

static pl_status write_all(const graph_set *s, const answers *a, pl_nc *out) {
  PL_TRY(define(s, a->cols, out));
  PL_TRY(pl_nc_put_doubles(out, "f", NULL, NULL, a->f));
  PL_TRY(put_classes(s, a, out));
  for (int m = 0; m < METHODS; m++) PL_TRY(put_method(s, a, m, out));
  if (s->label) PL_TRY(pl_nc_put_doubles(out, "accuracy", NULL, NULL, &a->metric[GCN_ACCURACY]));
  if (s->label && s->shape.classes == 2)
    PL_TRY(pl_nc_put_doubles(out, "auroc", NULL, NULL, &a->metric[GCN_AUROC]));
  return put_graphs(s, out);
}

pl_status gcn_predict(pl_net *net, pl_nc *out) {
  const graph_set *s = &gcn_own_of(net)->data;
  answers a = {.cols = gcn_outputs(&net->spec, &s->shape)};
  a.f = pl_zalloc((size_t)(s->graphs * a.cols), sizeof *a.f, "answers");
  for (int m = 0; m < METHODS; m++)
    a.out[m] = pl_zalloc((size_t)s->nodes, sizeof *a.out[m], "attributions");
  gcn_collect(net, PL_TEST, a.cols, a.f);
  if (s->label) gcn_score(s, s->graphs, gcn_own_of(net)->member[PL_TEST], a.cols, a.f, a.metric);
  attribute_all(net, &a);
  if (s->truth) score_all(s, &a);
  pl_status st = out ? write_all(s, &a, out) : PL_OK;
  pl_free(a.f);
  for (int m = 0; m < METHODS; m++) pl_free(a.out[m]);
  return pl_agree(&net->team, st);
}

pl_status gcn_apply(const pl_spec *spec, const pl_comm *team, const pl_rates *rates,
                    const char *path, const pl_attribute *attributes, int num) {
  (void)rates;
  return pl_net_apply(spec, team, graph_set_values_of(spec)->path, path, attributes, num);
}
