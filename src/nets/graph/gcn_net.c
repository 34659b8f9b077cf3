/* Layers on many graphs at once, x the rows of their nodes, N(i) the neighbours of i, A the matrix
 * of edges, e_ij features of an edge:
 *     gcn        x <- act(P x W + x V + b),  P = D^-1/2 (A + I) D^-1/2
 *     graphconv  x_i <- act(sum_{j in N(i)} (x_j W + e_ij U) + x_i V + b)
 *     gin        x_i <- act(relu(z_i W + b) W' + b'),
 *                z_i = (1 + epsilon) x_i + sum_{j in N(i)} x_j, or relu(x_j + e_ij U)
 * V, and the 1 of gin, are the self path (model.self_path); then f = pool(x) W_head + b_head. */
#include "base/mem.h"
#include "gcn.h"

#include "model/auroc.h"

#include <math.h>
#include <string.h>

/* ---- batches ---- */

static int64_t entries_of(const graph_set *s, int64_t graphs, const int64_t *graph) {
  int64_t n = 0;
  for (int64_t g = 0; g < graphs; g++)
    n += s->row[s->start[graph[g] + 1]] - s->row[s->start[graph[g]]];
  return n;
}

static double degree(const graph_set *s, int64_t node) {
  return (double)(s->row[node + 1] - s->row[node]);
}

/* Rows of the matrix for the nodes of one graph, the first of them being number `first` here. */
static void put_rows(const graph_set *s, int64_t graph, bool loops, int64_t first, int64_t *start,
                     int *index, double *value) {
  int64_t from = s->start[graph], n = s->start[graph + 1] - from;
  for (int64_t i = 0; i < n; i++) {
    int64_t at = start[first + i], node = from + i;
    if (loops) {
      index[at] = (int)(first + i);
      value[at++] = 1 / (degree(s, node) + 1);
    }
    for (int64_t e = s->row[node]; e < s->row[node + 1]; e++, at++) {
      index[at] = (int)(s->neighbour[e] - from + first);
      if (loops) value[at] = 1 / sqrt((degree(s, node) + 1) * (degree(s, s->neighbour[e]) + 1));
    }
    start[first + i + 1] = at;
  }
}

/* Edge features of one graph: of each entry, or their sum over a node's. */
static void put_edges(const graph_set *s, int64_t graph, bool summed, double *out) {
  int64_t width = s->shape.edge_features;
  for (int64_t i = s->start[graph]; i < s->start[graph + 1]; i++) {
    for (int64_t k = 0; summed && k < width; k++) out[k] = 0;
    for (int64_t e = s->row[i]; e < s->row[i + 1]; e++) {
      const double *from = s->edge + e * width;
      for (int64_t k = 0; k < width; k++) out[k] = summed ? out[k] + from[k] : from[k];
      if (!summed) out += width;
    }
    if (summed) out += width;
  }
}

void gcn_batch_make(const pl_net *net, pl_tape *t, int64_t graphs, const int64_t *graph,
                    gcn_batch *b) {
  const graph_set *s = &gcn_own_of(net)->data;
  int64_t layer = gcn_values_of(&net->spec)->layer, features = s->shape.features, done = 0;
  int64_t entries = entries_of(s, graphs, graph), width = s->shape.edge_features;
  bool loops = layer == LAYER_GCN, edges = gcn_takes_edges(&net->spec, &s->shape);
  *b = (gcn_batch){.graphs = graphs, .graph = graph};
  b->start = pl_tape_alloc(t, (size_t)graphs + 1, sizeof *b->start);
  b->size = pl_tape_alloc(t, (size_t)graphs, sizeof *b->size);
  b->start[0] = 0;
  for (int64_t g = 0; g < graphs; g++) {
    int64_t n = s->start[graph[g] + 1] - s->start[graph[g]];
    b->start[g + 1] = b->start[g] + n;
    b->size[g] = 1 / (double)n;
  }
  b->nodes = b->start[graphs];
  int64_t most = entries + (loops ? b->nodes : 0), rows = layer == LAYER_GIN ? entries : b->nodes;
  int64_t *start = pl_tape_alloc(t, (size_t)b->nodes + 1, sizeof *start);
  int *index = pl_tape_alloc(t, (size_t)most, sizeof *index);
  double *value = loops ? pl_tape_alloc(t, (size_t)most, sizeof *value) : NULL;
  b->feature = pl_tape_alloc(t, (size_t)(b->nodes * features), sizeof *b->feature);
  if (edges) b->edge = pl_tape_alloc(t, (size_t)(rows * width), sizeof *b->edge);
  start[0] = 0;
  for (int64_t g = 0; g < graphs; g++) {
    int64_t from = s->start[graph[g]], n = b->start[g + 1] - b->start[g];
    memcpy(b->feature + b->start[g] * features, s->feature + from * features,
           (size_t)(n * features) * sizeof *b->feature);
    put_rows(s, graph[g], loops, b->start[g], start, index, value);
    if (edges) put_edges(s, graph[g], layer != LAYER_GIN, b->edge + done * width);
    done += layer == LAYER_GIN ? s->row[from + n] - s->row[from] : n;
  }
  b->op = (pl_tape_csr){b->nodes, b->nodes, start, index, value};
}

/* ---- layers ---- */

static pl_node *activate(const pl_net *net, pl_tape *t, pl_node *x) {
  switch (gcn_values_of(&net->spec)->activation) {
  case GCN_TANH:
    return pl_tape_tanh(t, x);
  case GCN_SILU:
    return pl_tape_silu(t, x);
  default:
    return pl_tape_relu(t, x);
  }
}

/* sum_{j in N(i)} x_j, or relu(x_j + e_ij U) */
static pl_node *gather_neighbours(pl_tape *t, const gcn_batch *b, pl_node *u, pl_node *x) {
  if (!u) return pl_tape_spmm(t, &b->op, &b->op, x);
  int64_t entries = b->op.start[b->nodes];
  pl_node *e = pl_tape_matmul(t, pl_tape_constant(t, entries, u->rows, b->edge), u);
  pl_node *messages =
      pl_tape_relu(t, pl_tape_add(t, pl_tape_gather(t, x, entries, b->op.index), e));
  return pl_tape_segment_sum(t, messages, b->nodes, b->op.start);
}

static pl_node *gin(const pl_net *net, pl_tape *t, const gcn_batch *b, pl_node *const *w,
                    pl_node *x) {
  const gcn_values *v = gcn_values_of(&net->spec);
  pl_node *z = gather_neighbours(t, b, w[W_EDGE], x);
  if (v->self_path)
    z = pl_tape_add(t, z, v->epsilon == 0 ? x : pl_tape_scale(t, x, 1 + v->epsilon));
  pl_node *inner = pl_tape_relu(t, pl_tape_affine(t, z, w[W_FIRST], w[W_BIAS]));
  return pl_tape_affine(t, inner, w[W_SECOND], w[W_SECOND_BIAS]);
}

/* Propagated at the narrower end. */
static pl_node *convolution(pl_tape *t, const gcn_batch *b, pl_node *const *w, pl_node *x) {
  pl_node *first = w[W_FIRST], *y;
  if (first->rows <= first->cols) {
    y = pl_tape_affine(t, pl_tape_spmm(t, &b->op, &b->op, x), first, w[W_BIAS]);
  } else {
    y = pl_tape_spmm(t, &b->op, &b->op, pl_tape_matmul(t, x, first));
    y = pl_tape_add(t, y, w[W_BIAS]);
  }
  if (w[W_SELF]) y = pl_tape_add(t, y, pl_tape_matmul(t, x, w[W_SELF]));
  if (!w[W_EDGE]) return y;
  pl_node *e = pl_tape_constant(t, b->nodes, w[W_EDGE]->rows, b->edge);
  return pl_tape_add(t, y, pl_tape_matmul(t, e, w[W_EDGE]));
}

pl_node *gcn_embeddings(const pl_net *net, pl_tape *t, pl_node *const *w, const gcn_batch *b,
                        pl_node *x) {
  const gcn_values *v = gcn_values_of(&net->spec);
  const graph_shape *shape = &gcn_own_of(net)->data.shape;
  for (int64_t l = 0; l < v->depth; l++) {
    pl_node *own[W_KINDS];
    for (int k = 0; k < W_KINDS; k++) {
      int at = gcn_weight(&net->spec, shape, l, k);
      own[k] = at < 0 ? NULL : w[at];
    }
    x = v->layer == LAYER_GIN ? gin(net, t, b, own, x) : convolution(t, b, own, x);
    x = activate(net, t, x);
  }
  return x;
}

pl_node *gcn_answers(const pl_net *net, pl_tape *t, pl_node *const *w, const gcn_batch *b,
                     pl_node *h) {
  int head = gcn_head(&net->spec, &gcn_own_of(net)->data.shape);
  pl_node *pooled = pl_tape_segment_sum(t, h, b->graphs, b->start);
  if (gcn_values_of(&net->spec)->pooling == POOL_MEAN)
    pooled = pl_tape_multiply(t, pooled, pl_tape_constant(t, b->graphs, 1, b->size));
  return pl_tape_affine(t, pooled, w[head], w[head + 1]);
}

/* ---- the objective ---- */

/* (1/N) sum_g c_y log(1 + exp(-s f)), s = -1 for class 0 and +1 for class 1; or
 * -(1/N) sum_g c_y log softmax(f)_y, c the weight of the class. */
static pl_node *loss_of(const pl_net *net, pl_tape *t, pl_node *f, const gcn_batch *b,
                        int64_t total) {
  const gcn_own *own = gcn_own_of(net);
  double *weight = pl_tape_alloc(t, (size_t)b->graphs, sizeof *weight);
  int *label = pl_tape_alloc(t, (size_t)b->graphs, sizeof *label);
  bool logistic = gcn_values_of(&net->spec)->loss == GCN_LOGISTIC;
  for (int64_t g = 0; g < b->graphs; g++) {
    label[g] = own->data.label[b->graph[g]];
    weight[g] = own->class_weight[label[g]] / (double)total * (logistic ? 1 : -1);
  }
  pl_node *each;
  if (logistic) {
    double *minus = pl_tape_alloc(t, (size_t)b->graphs, sizeof *minus);
    for (int64_t g = 0; g < b->graphs; g++) minus[g] = label[g] ? -1 : 1;
    each = pl_tape_softplus(t, pl_tape_multiply(t, f, pl_tape_constant(t, b->graphs, 1, minus)));
  } else {
    each = pl_tape_pick(t, pl_tape_log_softmax(t, f, NULL), label);
  }
  return pl_tape_sum(t, pl_tape_multiply(t, each, pl_tape_constant(t, b->graphs, 1, weight)));
}

static const int64_t *graphs_of(const pl_net *net, pl_tape *t, const pl_take *take) {
  int64_t *graph = pl_tape_alloc(t, (size_t)take->count, sizeof *graph);
  for (int64_t i = 0; i < take->count; i++)
    graph[i] = gcn_own_of(net)->member[take->part][take->entry[i]];
  return graph;
}

static pl_node *features_of(const pl_net *net, pl_tape *t, const gcn_batch *b) {
  return pl_tape_constant(t, b->nodes, gcn_own_of(net)->data.shape.features, b->feature);
}

pl_node *gcn_objective(const pl_net *net, pl_tape *t, pl_node *const *w, const pl_take *take) {
  gcn_batch b;
  gcn_batch_make(net, t, take->count, graphs_of(net, t, take), &b);
  pl_node *h = gcn_embeddings(net, t, w, &b, features_of(net, t, &b));
  pl_net_embed(net, t, h, b.graphs, b.start, 1 / (double)take->total);
  return loss_of(net, t, gcn_answers(net, t, w, &b, h), &b, take->total);
}

/* ---- metrics ---- */

typedef struct answers {
  int64_t cols;
  double *f; /* [total][cols] */
} answers;

static void keep(const pl_net *net, pl_tape *t, pl_node *const *w, const pl_take *take,
                 void *context) {
  answers *a = context;
  gcn_batch b;
  gcn_batch_make(net, t, take->count, graphs_of(net, t, take), &b);
  pl_node *h = gcn_embeddings(net, t, w, &b, features_of(net, t, &b));
  const pl_node *f = gcn_answers(net, t, w, &b, h);
  memcpy(a->f + take->first * a->cols, f->value, (size_t)pl_tape_count(f) * sizeof *a->f);
}

void gcn_collect(pl_net *net, pl_part part, int64_t cols, double *f) {
  answers a = {cols, f};
  int64_t n = pl_net_recorded(net, part).total * cols;
  memset(f, 0, (size_t)n * sizeof *f);
  pl_net_each(net, part, keep, &a);
  pl_comm_sum(&net->team, f, n);
}

int gcn_class_of(int64_t n, const double *f) {
  if (n == 1) return f[0] > 0;
  int best = 0;
  for (int j = 1; j < n; j++)
    if (f[j] > f[best]) best = j;
  return best;
}

void gcn_score(const graph_set *data, int64_t n, const int64_t *graph, int64_t cols,
               const double *f, double *metric) {
  pl_scored *scored = pl_alloc((size_t)n, sizeof *scored, "scores of graphs");
  double right = 0;
  for (int64_t i = 0; i < n; i++) {
    const double *answer = f + i * cols;
    int label = data->label[graph[i]];
    right += gcn_class_of(cols, answer) == label;
    scored[i] = (pl_scored){cols == 1 ? answer[0] : answer[1] - answer[0], label == 1};
  }
  metric[GCN_ACCURACY] = right / (double)n;
  metric[GCN_AUROC] = data->shape.classes == 2 ? pl_auroc(n, scored) : NAN;
  pl_free(scored);
}

void gcn_metrics(pl_net *net, pl_part part, double *metric) {
  const gcn_own *own = gcn_own_of(net);
  pl_take whole = pl_net_recorded(net, part);
  int64_t n = whole.total, cols = gcn_outputs(&net->spec, &own->data.shape);
  double *f = pl_alloc((size_t)(n * cols), sizeof *f, "answers");
  int64_t *graph = pl_alloc((size_t)n, sizeof *graph, "graphs");
  double *number = pl_zalloc((size_t)n, sizeof *number, "graphs");
  gcn_collect(net, part, cols, f);
  for (int64_t i = 0; i < whole.count; i++)
    number[whole.first + i] = (double)own->member[part][whole.entry[i]];
  pl_comm_sum(&net->team, number, n);
  for (int64_t i = 0; i < n; i++) graph[i] = (int64_t)number[i];
  gcn_score(&own->data, n, graph, cols, f, metric);
  pl_free(f);
  pl_free(number);
  pl_free(graph);
}
