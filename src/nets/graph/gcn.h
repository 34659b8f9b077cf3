/* model.kind gcn from inside: gcn.c (keys, weights, the door), gcn_net.c (batches, layers, the
 * objective), attribution.c, gcn_measures.c (records), gcn_apply.c (a saved network on a file). */
#ifndef PL_NETS_GRAPH_GCN_H
#define PL_NETS_GRAPH_GCN_H

#include "graph_set.h"
#include "nets/net.h"

enum { LAYER_GCN, LAYER_GIN, LAYER_GRAPHCONV };
enum { GCN_RELU, GCN_TANH, GCN_SILU };
enum { POOL_MEAN, POOL_SUM };
enum { GCN_LOGISTIC, GCN_SOFTMAX };
enum { GCN_ACCURACY, GCN_AUROC, GCN_METRICS };

typedef struct gcn_values {
  pl_net_values net; /* first */
  int64_t layer, depth, width, activation, pooling, self_path, loss, balanced;
  double epsilon, init_scale;
  int64_t record_attribution, record_graphs, points;
} gcn_values;

static inline const gcn_values *gcn_values_of(const pl_spec *spec) {
  return (const gcn_values *)(const void *)spec->network_values;
}

typedef struct gcn_own {
  graph_set data;
  int64_t *member[PL_NUM_PARTS]; /* graphs of a part */
  double *class_weight;          /* [classes], their mean over the training part 1 */
} gcn_own;

static inline gcn_own *gcn_own_of(const pl_net *net) {
  return net->own;
}

/* Columns of what the network answers for a graph. */
int64_t gcn_outputs(const pl_spec *spec, const graph_shape *shape);
/* Does the layer take edge features, if there are any? */
bool gcn_takes_edges(const pl_spec *spec, const graph_shape *shape);

/* ---- weights, by number ---- */

/* Of each layer, in this order; those that it has not are left out. */
enum { W_FIRST, W_SELF, W_EDGE, W_BIAS, W_SECOND, W_SECOND_BIAS, W_KINDS };
void gcn_add_weights(pl_net *net, const graph_shape *shape);
/* Number of a weight of layer l, -1: it has none; of the head's matrix; the bias follows. */
int gcn_weight(const pl_spec *spec, const graph_shape *shape, int64_t l, int kind);
int gcn_head(const pl_spec *spec, const graph_shape *shape);

/* ---- the network ---- */

/* Graphs side by side: one matrix of edges, block by block. */
typedef struct gcn_batch {
  int64_t graphs, nodes;
  const int64_t *graph; /* [graphs]: their numbers in the set */
  int64_t *start;       /* [graphs + 1]: nodes */
  double *feature;      /* [nodes][features] */
  double *size;         /* [graphs]: 1 / nodes of each */
  pl_tape_csr op; /* [nodes][nodes]: of gcn D^-1/2 (A + I) D^-1/2, D - 1 the degrees; else A */
  double *edge;   /* per entry, of gin; summed over a node's, of graphconv; NULL: none */
} gcn_batch;

/* In memory of t, until its reset. */
void gcn_batch_make(const pl_net *net, pl_tape *t, int64_t graphs, const int64_t *graph,
                    gcn_batch *out);
/* H, embeddings of nodes, from their features x; f, the answers, from H. */
pl_node *gcn_embeddings(const pl_net *net, pl_tape *t, pl_node *const *w, const gcn_batch *b,
                        pl_node *x);
pl_node *gcn_answers(const pl_net *net, pl_tape *t, pl_node *const *w, const gcn_batch *b,
                     pl_node *h);
/* The class that an answer speaks for. */
int gcn_class_of(int64_t n, const double *f);

pl_node *gcn_objective(const pl_net *net, pl_tape *t, pl_node *const *w, const pl_take *take);
void gcn_metrics(pl_net *net, pl_part part, double *metric);
/* Answers for all graphs of a record, [total][outputs], on every rank.  Collective. */
void gcn_collect(pl_net *net, pl_part part, int64_t cols, double *f);
/* Of answers f[n][cols] to graphs: shares of the right class; area under the curve (two classes,
 * else NaN). */
void gcn_score(const graph_set *data, int64_t n, const int64_t *graph, int64_t cols,
               const double *f, double *metric);

/* ---- attribution ---- */

enum { METHOD_CAM, METHOD_GRADINPUT, METHOD_IG, METHOD_SENSITIVITY, METHODS };
/* "cam", "gradinput", "ig", "sensitivity"; what it is, in words. */
const char *gcn_method_name(int method);
const char *gcn_method_help(int method);

/* For the answer f_c of each graph, c its class (not known: the one predicted; one answer: that
 * one), with node features x and embeddings h, pooled by the mean or the sum:
 *   cam          h_i . W_c (over the number of nodes, for the mean)
 *   gradinput    x_i . df_c/dx_i
 *   ig           x_i . mean of df_c/dx_i over the points a = (k - 1/2)/points of the line a x
 *   sensitivity  || df_c/dx_i ||
 * out[method]: [nodes of the graphs], one graph after the other.  Local; allocates. */
void gcn_attribute(pl_net *net, int64_t graphs, const int64_t *graph, double *const *out);
/* AUROC of a graph's node scores: the best over the alternatives in which both kinds of nodes
 * exist; NaN: there is none. */
double gcn_node_auroc(const graph_set *data, int64_t graph, const double *score);
/* Their means over the first `most` such graphs of a part (all of them: most < 0), every rank
 * taking its share; NaN without one.  Collective. */
void gcn_attribution_scores(pl_net *net, pl_part part, int64_t most, double score[METHODS]);
/* pl_net_kind.observe_work. */
void gcn_attribution_work(const pl_spec *spec, double *samples, double *together);

/* ---- records ---- */

typedef struct gcn_record {
  pl_net_record net; /* first */
  double auroc[PL_NUM_PARTS][METHODS];
} gcn_record;

pl_status gcn_observe(pl_net *net, void *state);
extern const pl_measures gcn_measures;

/* ---- on files ---- */

pl_status gcn_note(const pl_net *net, pl_nc *nc);
pl_status gcn_open(pl_net *net, const pl_nc *weights, const pl_nc *data);
pl_status gcn_predict(pl_net *net, pl_nc *out);
pl_status gcn_apply(const pl_spec *spec, const pl_comm *team, const pl_rates *rates,
                    const char *path, const pl_attribute *attributes, int num);
/* What is known once the data are there: members of parts, weights of classes. */
void gcn_own_init(pl_net *net);

#endif
