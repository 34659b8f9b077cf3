/* What networks on a graph share: their data and propagation, the loss at the nodes of a part, what
 * they answer. */
#ifndef PL_NETS_GRAPH_OUTPUT_H
#define PL_NETS_GRAPH_OUTPUT_H

#include "nets/net.h"
#include "nodes.h"
#include "propagate.h"

enum { LOSS_SQUARE, LOSS_SOFTMAX };
const char *graph_loss_name(int i);

enum { METRIC_ACCURACY, METRIC_MSE, METRIC_CROSS_ENTROPY, NUM_METRICS };

/* A family's own state at a record begins with pl_net_record; its network's `own` with this. */
typedef struct graph_own {
  graph_nodes *data;
  graph_map once; /* S */
  int64_t loss;
  double *output; /* [nodes][outputs], at the last record */
  /* The network: outputs of all nodes, [nodes][outputs], on the tape. */
  pl_node *(*answer)(const pl_net *net, pl_tape *t, pl_node *const *w, const pl_take *take);
} graph_own;

static inline graph_own *graph_own_of(const pl_net *net) {
  return net->own;
}

/* For data that are there already: counts of the parts, and S for up to `most` columns.  Local. */
pl_status graph_own_init(graph_own *own, pl_net *net, int64_t most);
void graph_own_fini(graph_own *own);

/* pl_model_kind.check: data, and initial weights from a file.  Of those on a Cayley graph, whose
 * nodes are the elements, PL_EINPUT too if the file's attribute `group` names another group.
 * nodes: as graph_nodes_check.  Local. */
pl_status graph_check(const pl_spec *spec, const char **key, int64_t *nodes);

/* Columns of X and of the targets, without making the data where the keys tell.  PL_EINPUT as
 * graph_nodes_new.  Local. */
pl_status graph_widths(const pl_spec *spec, int64_t *features, int64_t *outputs);
/* Nodes, and about how many entries the operator has.  Local. */
void graph_size(const pl_spec *spec, double *nodes, double *entries);

/* x with entries dropped in training; place tells layers apart. */
pl_node *graph_dropout(const pl_net *net, pl_tape *t, pl_node *x, double rate, int64_t place,
                       const pl_take *take);
/* X w; training: with dropout of X's entries, rate in [0, 1). */
pl_node *graph_features_times(const pl_net *net, pl_tape *t, pl_node *w, double rate,
                              const pl_take *take);
/* The loss of the take, this rank's share: every rank evaluates all of it, and adds 1/T. */
pl_node *graph_objective(const pl_net *net, pl_tape *t, pl_node *const *w, const pl_take *take);
/* pl_net_kind.metrics. */
void graph_metrics(pl_net *net, pl_part part, double *metric);
/* pl_net_kind.note, and the front of open: own->data from the spec's file, for a network of the
 * widths that the weights tell (rank 0 has that file).  Collective. */
pl_status graph_note(const pl_net *net, pl_nc *nc);
pl_status graph_open(pl_net *net, const pl_nc *weights);
/* pl_net_kind.predict, pl_model_kind.apply. */
pl_status graph_predict(pl_net *net, pl_nc *out);
pl_status graph_apply(const pl_spec *spec, const pl_comm *team, const pl_rates *rates,
                      const char *path, const pl_attribute *attributes, int num);
/* The column of the largest of n outputs.  Pure. */
int64_t graph_class_of(int64_t n, const double *f);
/* Outputs of all nodes at the present weights, as in a test, into own->output.  Collective. */
void graph_evaluate(pl_net *net);

/* Are energies of irreps recorded: key is record.irreps, PL_UNSET by size.  Local. */
bool graph_wants_irreps(const pl_spec *spec, int64_t key);
/* `wanted` of measures of classes. */
bool graph_wants_classes(const pl_spec *spec, const void *context);

/* train_, validation_ and test_ accuracy (classes), mse and, where the loss is softmax,
 * cross_entropy. */
extern const pl_measures graph_output_measures;

#endif
