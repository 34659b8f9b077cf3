/* The data of one run on a graph: operator, features, targets, parts. */
#ifndef PL_NETS_GRAPH_NODES_H
#define PL_NETS_GRAPH_NODES_H

#include "graph/cayley.h"
#include "graph/file.h"
#include "values.h"

typedef struct graph_nodes {
  int64_t nodes;
  pl_group *group;   /* of a Cayley graph, else NULL */
  pl_cayley *cayley; /* likewise */
  pl_csr *graph;     /* A */
  pl_csr *op, *op_t; /* S and its transpose, which is S itself where that is symmetric */
  int64_t features;  /* columns of X */
  bool identity;     /* X is the identity: the source says nothing of the nodes */
  double *dense;     /* X, [nodes][features]; or NULL */
  pl_csr *sparse;    /* X; or NULL */
  pl_csr *sparse_t;  /* its transpose */
  bool classes;      /* targets are classes .. */
  int64_t outputs;   /* .. so many; or so many numbers for each node */
  int32_t *label;    /* [nodes]: -1 none; NULL: targets are numbers */
  double *target;    /* [nodes][outputs]: y; of classes, 1 in the column of the class */
  int64_t count[PL_NUM_PARTS];
  int *member[PL_NUM_PARTS]; /* [count]: nodes of the part, increasing */
  int64_t untrained;         /* a class whose only node is in no training part; -1: none */
} graph_nodes;

/* All of it.  PL_EINPUT: *key is at fault (key may be NULL).  Local: every rank makes its own. */
pl_status graph_nodes_new(const pl_spec *spec, const char **key, graph_nodes **out);
/* All of a file without regard to its parts: for a network of these widths, which learnt classes or
 * not.  Nodes with a target, which the file need not have, are the test part.  Local. */
typedef struct graph_shape {
  int64_t features, outputs;
  bool classes;
} graph_shape;
pl_status graph_nodes_open(const pl_spec *spec, const graph_shape *shape, graph_nodes **out);
/* Is the data of a run all right?  As pl_model_kind.check: all is made and thrown away; *nodes, if
 * not NULL, receives how many there were.  Local. */
pl_status graph_nodes_check(const pl_spec *spec, const char **key, int64_t *nodes);
/* d may be NULL. */
void graph_nodes_free(graph_nodes *d);

/* ---- parts of its making ---- */

/* The graph and what its source says of the nodes: features (or none), classes (or none), parts (or
 * none).  As above. */
pl_status graph_source(const pl_spec *spec, const char **key, graph_nodes *d, pl_graph_data *raw);
/* Targets, from the source's labels or drawn.  As above. */
pl_status graph_targets(const pl_spec *spec, const char **key, graph_nodes *d,
                        const pl_graph_data *raw);
/* For graph_nodes_open: the targets that the file has, which may be none; nodes with one are the
 * test part. */
pl_status graph_known_targets(const char *path, const graph_shape *shape, graph_nodes *d,
                              const pl_graph_data *raw);
/* Parts, from the source's or drawn.  As above. */
pl_status graph_parts(const pl_spec *spec, const char **key, graph_nodes *d,
                      const pl_graph_data *raw);

/* What the values say without any file: nodes of a part. */
int64_t graph_part_count(const pl_spec *spec, pl_part part);

#endif
