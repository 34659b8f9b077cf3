/* Many small graphs, each with a class: data of model.kind gcn. */
#ifndef PL_NETS_GRAPH_GRAPH_SET_H
#define PL_NETS_GRAPH_GRAPH_SET_H

#include "base/comm.h"
#include "base/nc.h"
#include "model/data.h"

/* What a network must know before there are samples. */
typedef struct graph_shape {
  int64_t features, edge_features; /* edge_features 0: none */
  int64_t classes;
  double explained;      /* share of graphs of which it is known which nodes make the class; of a
                            file that says so 1, for the planner */
  double nodes, entries; /* of a graph, on the average */
} graph_shape;

/* Graph g has the nodes start[g] .. start[g + 1] - 1; node i is joined to neighbour[row[i]] ..
 * neighbour[row[i + 1] - 1], increasing, so that an edge stands twice. */
typedef struct graph_set {
  graph_shape shape;
  int64_t graphs, nodes, entries;
  int64_t *start;     /* [graphs + 1] */
  double *feature;    /* [nodes][features] */
  int64_t *row;       /* [nodes + 1] */
  int32_t *neighbour; /* [entries] */
  double *edge;       /* [entries][edge_features]; NULL: none */
  int32_t *label;     /* [graphs]; NULL: not known */
  int8_t *split;      /* [graphs]: pl_part */
  int64_t alternatives;
  int8_t *truth; /* [nodes][alternatives]: 1, the node belongs to that explanation; NULL: not known
                  */
} graph_set;

/* Values of the kinds of data (place PL_IN_DATA). */
typedef struct graph_set_values {
  const char *path;          /* file */
  int64_t difficulty, nodes; /* motif; nodes PL_UNSET: by difficulty */
  double positive;
} graph_set_values;
static inline const graph_set_values *graph_set_values_of(const pl_spec *spec) {
  return (const graph_set_values *)(const void *)spec->data_values;
}

/* Shape of a run's data, of a file from its head and labels; and all samples.  PL_EINPUT: the file
 * is bad.  Local: every rank makes its own. */
pl_status graph_set_shape(const pl_spec *spec, graph_shape *out);
pl_status graph_set_make(const pl_spec *spec, graph_set *out);
/* The same of each kind. */
pl_status motif_shape(const pl_spec *spec, graph_shape *out);
pl_status motif_make(const pl_spec *spec, graph_set *out);
pl_status molecules_shape(const pl_spec *spec, graph_shape *out);
pl_status molecules_make(const pl_spec *spec, graph_set *out);

/* Edges as they are listed, each once: end[num][2], feature[num][edge_features] or NULL. */
typedef struct graph_edges {
  int64_t num;
  const int64_t *end;
  const double *feature;
} graph_edges;
/* row, neighbour, edge and entries from edges between nodes of one graph each; start and shape are
 * there.  PL_EINPUT, naming the edge by its place: a node that does not exist, another graph's, a
 * loop, an edge that stands twice.  Local. */
pl_status graph_set_join(graph_set *s, const graph_edges *e);
void graph_set_fini(graph_set *s);
/* From rank 0 to all.  Collective. */
void graph_set_share(graph_set *s, const pl_comm *team);
/* Numbers of the graphs of a part, increasing, [*n]; the caller frees it. */
int64_t *graph_set_members(const graph_set *s, pl_part part, int64_t *n);

/* All graphs of an open file.  labels: it must have classes.  PL_EINPUT.  Local. */
pl_status graph_set_read(const pl_nc *nc, bool labels, graph_set *out);
/* pl_data_kind.write_data of both kinds. */
pl_status graph_set_write(const pl_spec *spec, const pl_comm *team, const char *path,
                          const pl_attribute *attributes, int num);

#endif
