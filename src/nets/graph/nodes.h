/* The data of one run on a graph: operator, features, targets, parts. */
#ifndef PL_NETS_GRAPH_NODES_H
#define PL_NETS_GRAPH_NODES_H

#include "graph/cayley.h"
#include "graph/file.h"
#include "model/data.h"

enum { SOURCE_CAYLEY, SOURCE_SBM, SOURCE_CSBM, SOURCE_KARATE, SOURCE_FILE };
enum { TARGET_GIVEN, TARGET_SHUFFLED, TARGET_RANDOM, TARGET_IRREPS };
enum { NORMALIZE_NONE, NORMALIZE_ROW };

/* Values of data.kind graph (place PL_IN_DATA). */
typedef struct graph_values {
  int64_t source;
  const char *group, *generators, *path;
  int64_t nodes, blocks, features;
  double p_in, p_out, signal;
  int64_t operator_kind;
  double self_loop;
  int64_t normalize, target, rows; /* target PL_UNSET: by source */
  pl_texts irreps;
  int64_t samples, validation, test; /* samples PL_UNSET: all that are in no other part */
  int64_t split;
} graph_values;

static inline const graph_values *graph_values_of(const pl_spec *spec) {
  return (const graph_values *)(const void *)spec->data_values;
}

typedef struct graph_nodes {
  int64_t nodes;
  pl_group *group;   /* of a Cayley graph, else NULL */
  pl_cayley *cayley; /* likewise */
  pl_csr *graph;     /* A */
  pl_csr *op, *op_t; /* S and its transpose, which is S itself where that is symmetric */
  int64_t features;  /* columns of X */
  double *dense;     /* X, [nodes][features]; or NULL */
  pl_csr *sparse;    /* X; or NULL */
  pl_csr *sparse_t;  /* its transpose */
  bool classes;      /* targets are classes .. */
  int64_t outputs;   /* .. so many; or so many numbers for each node */
  int32_t *label;    /* [nodes]: -1 none; NULL: targets are numbers */
  double *target;    /* [nodes][outputs]: y; of classes, 1 in the column of the class */
  int64_t count[PL_NUM_PARTS];
  int *member[PL_NUM_PARTS]; /* [count]: nodes of the part, increasing */
} graph_nodes;

/* All of it.  PL_EINPUT: *key is at fault (key may be NULL).  Local: every rank makes its own. */
pl_status graph_nodes_new(const pl_spec *spec, const char **key, graph_nodes **out);
/* d may be NULL. */
void graph_nodes_free(graph_nodes *d);
/* "csbm", or of a Cayley graph its group: for labels of runs.  Borrowed. */
const char *graph_source_name(const pl_spec *spec);
/* Is S symmetric whatever the graph?  Pure. */
bool graph_symmetric(const pl_spec *spec);

/* ---- parts of its making ---- */

/* The graph and what its source says of the nodes: features (or none), classes (or none), parts (or
 * none).  As above. */
pl_status graph_source(const pl_spec *spec, const char **key, graph_nodes *d, pl_graph_data *raw);
/* Targets, from the source's labels or drawn.  As above. */
pl_status graph_targets(const pl_spec *spec, const char **key, graph_nodes *d,
                        const pl_graph_data *raw);
/* Parts, from the source's or drawn.  As above. */
pl_status graph_parts(const pl_spec *spec, const char **key, graph_nodes *d,
                      const pl_graph_data *raw);

extern const pl_keys graph_data_keys;
/* What the values say without any file: nodes of a part. */
int64_t graph_part_count(const pl_spec *spec, pl_part part);

#endif
