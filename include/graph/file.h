/* A graph with what is known of its nodes, and the laboratory's own format for it, NetCDF:
 *   dimension node                      number of nodes
 *   edge(edges, 2)                      integers, nodes from 0; an edge may stand once or both ways
 *   weight(edges)                       optional, finite and not negative; else all 1
 *   feature(node, features)             optional, dense; or by rows, with a dimension "features"
 * (or feature_start(node + 1)             "feature"): node i has the entries feature_start(i) ..
 *   feature_index, feature_value        feature_start(i+1) - 1, feature_index(entry) < features
 *   label(node)                         optional: class from 0, -1 for none
 *   target(node, targets)               optional: numbers to learn, beside classes or instead
 *   split(node), split(fold, node)      optional: parts, 0 train, 1 validation, 2 test, 3 none
 *   node_name(node, letters)            optional, for those who read the file elsewhere
 * Dimensions count by their lengths; their names are free, save those that are quoted.  (xarray
 * opens no file in which a variable of two dimensions has the name of one of them.)
 * analysis/convert.py makes such files of other formats. */
#ifndef PL_GRAPH_FILE_H
#define PL_GRAPH_FILE_H

#include "base/nc.h"
#include "graph/graph.h"

#include <stdbool.h>

enum { PL_PART_TRAIN, PL_PART_VALIDATION, PL_PART_TEST, PL_PART_NONE, PL_NUM_SPLIT_PARTS };

typedef struct pl_graph_data {
  pl_csr *graph;          /* A */
  pl_graph_counts counts; /* of the file it was read from */
  int64_t features;       /* 0: none */
  double *dense;          /* [nodes][features], or NULL */
  pl_csr *sparse;         /* nodes x features, or NULL; at most one of the two */
  int64_t classes;        /* largest label + 1 */
  int32_t *label;         /* [nodes], -1: none; or NULL */
  int64_t targets;        /* 0: none */
  double *target;         /* [nodes][targets], or NULL */
  int64_t splits;
  int8_t *part; /* [splits][nodes], or NULL */
} pl_graph_data;

/* PL_EINPUT with path, variable and index where something does not fit: an edge to a node that does
 * not exist, weights, features, labels or parts out of their range, dimensions, a node in a part
 * without a label where there are labels.  *out is unchanged then; otherwise the caller frees what
 * it holds (pl_graph_data_fini). */
pl_status pl_graph_read(const char *path, pl_graph_data *out);
void pl_graph_data_fini(pl_graph_data *d);
/* Into a new file in define mode, which stays open.  Status of base/nc.h.  A graph needs an edge,
 * and sparse features an entry, to have a file: PL_EINPUT otherwise. */
pl_status pl_graph_put(pl_nc *nc, const pl_graph_data *d);

/* The first class that has nodes and none of them in the training part, or -1; but not a class of
 * one node, which any split leaves out of some part: *single receives such a class, or -1.  label:
 * [nodes], 0 .. classes - 1, or -1; part: [nodes]. */
int64_t pl_graph_untrained(int64_t nodes, int64_t classes, const int32_t *label, const int8_t *part,
                           int64_t *single);

#endif
