#include "base/mem.h"
#include "base/pause.h"
#include "gcn.h"

#include "model/auroc.h"

#include <math.h>
#include <string.h>

static const struct {
  const char *name, *help;
} methods[METHODS] = {
    [METHOD_CAM] = {"cam", "class activation map: embedding times the head's weights"},
    [METHOD_GRADINPUT] = {"gradinput", "features times the gradient by them"},
    [METHOD_IG] = {"ig", "integrated gradients, from features that are all 0"},
    [METHOD_SENSITIVITY] = {"sensitivity", "norm of the gradient by the features"},
};

const char *gcn_method_name(int method) {
  return methods[method].name;
}
const char *gcn_method_help(int method) {
  return methods[method].help;
}

/* ---- of some graphs ---- */

typedef struct asked {
  pl_net *net;
  gcn_batch batch;
  int64_t features, outputs;
  double *seed;     /* [graphs][outputs]: 1 at the answer that is explained; NULL: not known yet */
  double *x, *grad; /* [nodes][features] */
  double *h;        /* [nodes][width]: embeddings */
} asked;

/* Of graphs whose class is not known, the predicted one. */
static void choose_answers(asked *a, const double *f) {
  const graph_set *s = &gcn_own_of(a->net)->data;
  for (int64_t g = 0; g < a->batch.graphs; g++) {
    int class =
        s->label ? s->label[a->batch.graph[g]] : gcn_class_of(a->outputs, f + g * a->outputs);
    a->seed[g * a->outputs + (a->outputs == 1 ? 0 : class)] = 1;
  }
}

/* Answers at x, their derivatives by x into grad; embeddings into h. */
static void differentiate(asked *a, bool first) {
  const pl_net *net = a->net;
  pl_tape *t = pl_net_tape(a->net);
  pl_node **w = pl_tape_alloc(t, (size_t)net->num_weights, sizeof *w);
  for (int k = 0; k < net->num_weights; k++)
    w[k] = pl_tape_constant(t, net->weight[k].rows, net->weight[k].cols, net->w + net->start[k]);
  memset(a->grad, 0, (size_t)(a->batch.nodes * a->features) * sizeof *a->grad);
  pl_node *x = pl_tape_variable(t, a->batch.nodes, a->features, a->x, a->grad);
  pl_node *h = gcn_embeddings(net, t, w, &a->batch, x);
  pl_node *f = gcn_answers(net, t, w, &a->batch, h);
  if (first) choose_answers(a, f->value);
  if (first) memcpy(a->h, h->value, (size_t)pl_tape_count(h) * sizeof *a->h);
  pl_tape_backward(t, f, a->seed);
}

static void activation_map(const asked *a, double *out) {
  const pl_net *net = a->net;
  const gcn_values *v = gcn_values_of(&net->spec);
  const double *head = net->w + net->start[gcn_head(&net->spec, &gcn_own_of(net)->data.shape)];
  for (int64_t g = 0; g < a->batch.graphs; g++) {
    int64_t c = 0;
    while (a->seed[g * a->outputs + c] == 0) c++;
    double share = v->pooling == POOL_MEAN ? a->batch.size[g] : 1;
    for (int64_t i = a->batch.start[g]; i < a->batch.start[g + 1]; i++) {
      out[i] = 0;
      for (int64_t k = 0; k < v->width; k++)
        out[i] += share * a->h[i * v->width + k] * head[k * a->outputs + c];
    }
  }
}

/* out_i += factor <x_i, grad_i> */
static void add_products(const asked *a, const double *x, double factor, double *out) {
  for (int64_t i = 0; i < a->batch.nodes; i++)
    for (int64_t k = 0; k < a->features; k++)
      out[i] += factor * x[i * a->features + k] * a->grad[i * a->features + k];
}

static void norms(const asked *a, double *out) {
  for (int64_t i = 0; i < a->batch.nodes; i++) {
    double sum = 0;
    for (int64_t k = 0; k < a->features; k++) {
      double g = a->grad[i * a->features + k];
      sum += g * g;
    }
    out[i] = sqrt(sum);
  }
}

/* Midpoints of the line's pieces. */
static void integrate(asked *a, double *out) {
  int64_t points = gcn_values_of(&a->net->spec)->points, n = a->batch.nodes * a->features;
  for (int64_t k = 0; k < points && !pl_pause(); k++) {
    double at = ((double)k + 0.5) / (double)points;
    for (int64_t i = 0; i < n; i++) a->x[i] = at * a->batch.feature[i];
    differentiate(a, false);
    add_products(a, a->batch.feature, 1 / (double)points, out);
  }
}

void gcn_attribute(pl_net *net, int64_t graphs, const int64_t *graph, double *const *out) {
  const graph_shape *shape = &gcn_own_of(net)->data.shape;
  pl_tape *arena = pl_tape_new();
  asked a = {.net = net, .features = shape->features, .outputs = gcn_outputs(&net->spec, shape)};
  gcn_batch_make(net, arena, graphs, graph, &a.batch);
  int64_t n = a.batch.nodes, width = gcn_values_of(&net->spec)->width;
  a.seed = pl_zalloc((size_t)(graphs * a.outputs), sizeof *a.seed, "attributions");
  a.x = pl_alloc((size_t)(n * a.features), sizeof *a.x, "attributions");
  a.grad = pl_alloc((size_t)(n * a.features), sizeof *a.grad, "attributions");
  a.h = pl_alloc((size_t)(n * width), sizeof *a.h, "attributions");
  memcpy(a.x, a.batch.feature, (size_t)(n * a.features) * sizeof *a.x);
  for (int m = 0; m < METHODS; m++) memset(out[m], 0, (size_t)n * sizeof **out);
  differentiate(&a, true);
  activation_map(&a, out[METHOD_CAM]);
  add_products(&a, a.batch.feature, 1, out[METHOD_GRADINPUT]);
  norms(&a, out[METHOD_SENSITIVITY]);
  integrate(&a, out[METHOD_IG]);
  pl_free(a.seed);
  pl_free(a.x);
  pl_free(a.grad);
  pl_free(a.h);
  pl_tape_free(arena);
}

/* ---- against the truth ---- */

/* Has some alternative both kinds of nodes? */
static bool scored(const graph_set *s, int64_t graph) {
  for (int64_t k = 0; s->truth && k < s->alternatives; k++) {
    int64_t inside = 0, n = s->start[graph + 1] - s->start[graph];
    for (int64_t i = s->start[graph]; i < s->start[graph + 1]; i++)
      inside += s->truth[i * s->alternatives + k];
    if (inside > 0 && inside < n) return true;
  }
  return false;
}

double gcn_node_auroc(const graph_set *s, int64_t graph, const double *score) {
  int64_t first = s->start[graph], n = s->start[graph + 1] - first;
  double best = NAN;
  pl_scored *node = pl_alloc((size_t)n, sizeof *node, "scores of nodes");
  for (int64_t k = 0; s->truth && k < s->alternatives; k++) {
    for (int64_t i = 0; i < n; i++)
      node[i] = (pl_scored){score[i], s->truth[(first + i) * s->alternatives + k]};
    best = fmax(best, pl_auroc(n, node)); /* fmax passes over NaN */
  }
  pl_free(node);
  return best;
}

enum { TOGETHER = 64 };

/* Backward to the features, and to no weights: measured, .6 to .95 of a sample's work. */
static const double TO_FEATURES = 0.8;

void gcn_attribution_work(const pl_spec *spec, double *samples, double *together) {
  const gcn_values *v = gcn_values_of(spec);
  graph_shape s;
  *samples = *together = 0;
  if (!v->record_attribution || graph_set_shape(spec, &s)) return;
  for (int p = PL_VALIDATION; p < PL_NUM_PARTS; p++) {
    double graphs = s.explained * (double)pl_data_count(spec, (pl_part)p);
    graphs = fmin(graphs, (double)v->record_graphs);
    *samples += TO_FEATURES * (double)(v->points + 1) * graphs;
    *together = fmax(*together, fmin(graphs, TOGETHER));
  }
}

void gcn_attribution_scores(pl_net *net, pl_part part, int64_t most, double score[METHODS]) {
  const gcn_own *own = gcn_own_of(net);
  const graph_set *s = &own->data;
  int64_t n = 0, first, count, most_nodes = 0;
  int64_t *graph = pl_alloc((size_t)net->count[part], sizeof *graph, "graphs to attribute");
  for (int64_t i = 0; i < net->count[part] && (most < 0 || n < most); i++)
    if (scored(s, own->member[part][i])) graph[n++] = own->member[part][i];
  for (int64_t g = 0; g < n; g++)
    most_nodes = s->start[graph[g] + 1] - s->start[graph[g]] > most_nodes
                     ? s->start[graph[g] + 1] - s->start[graph[g]]
                     : most_nodes;
  pl_net_share(net, n, &first, &count);
  double *out[METHODS];
  for (int m = 0; m < METHODS; m++) {
    score[m] = 0;
    out[m] = pl_alloc((size_t)(TOGETHER * most_nodes), sizeof **out, "attributions");
  }
  for (int64_t g = first; g < first + count && !pl_pause(); g += TOGETHER) {
    int64_t some = first + count - g < TOGETHER ? first + count - g : TOGETHER, node = 0;
    gcn_attribute(net, some, graph + g, out);
    for (int64_t i = g; i < g + some; i++) {
      for (int m = 0; m < METHODS; m++) score[m] += gcn_node_auroc(s, graph[i], out[m] + node);
      node += s->start[graph[i] + 1] - s->start[graph[i]];
    }
  }
  pl_comm_sum(&net->team, score, METHODS);
  for (int m = 0; m < METHODS; m++) {
    score[m] /= (double)n; /* NaN where there is none */
    pl_free(out[m]);
  }
  pl_free(graph);
}
