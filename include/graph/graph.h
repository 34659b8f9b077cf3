/* Undirected graphs with weights, and the operators that networks on them apply.
 *
 * A graph is its adjacency matrix A, a symmetric pl_csr: an edge {u, v} of weight w stands as A_uv
 * and A_vu, a self-loop once, on the diagonal.  Nodes are numbered from 0, as everywhere.
 *
 * Operators, D the diagonal of the row sums of A + s I, s the self-loop weight:
 *   sym   D^-1/2 (A + s I) D^-1/2    symmetric, eigenvalues in [-1, 1]
 *   row   D^-1 (A + s I)             rows sum to 1; similar to sym
 *   none  A + s I */
#ifndef PL_GRAPH_GRAPH_H
#define PL_GRAPH_GRAPH_H

#include "base/csr.h"

/* Edges as a file or a generator lists them. */
typedef struct pl_edges {
  int64_t num;
  int64_t (*end)[2]; /* [num] */
  double *weight;    /* [num]; NULL: all 1 */
} pl_edges;
void pl_edges_fini(pl_edges *e);

/* What was met on the way.  An edge listed again, in either direction, is a duplicate. */
typedef struct pl_graph_counts {
  int64_t edges, self_loops;    /* distinct ones; edges: between two nodes */
  int64_t duplicates, isolated; /* isolated: no edge to another node */
} pl_graph_counts;

/* The graph of these edges.  Duplicates count once.  PL_EINPUT, naming the edge by its place in the
 * list, where it names a node that does not exist, where a weight is negative or not finite, and
 * where a duplicate has another weight.  counts may be NULL.  The caller frees *out. */
pl_status pl_graph_new(int64_t nodes, const pl_edges *e, pl_graph_counts *counts, pl_csr **out);

typedef enum { PL_OPERATOR_SYM, PL_OPERATOR_ROW, PL_OPERATOR_NONE, PL_NUM_OPERATORS } pl_operator;
/* "sym", "row", "none". */
const char *pl_operator_name(pl_operator kind);
/* The operator of a graph, self-loops of weight self >= 0 added to its own.  PL_EINPUT, naming the
 * node, where sym or row would divide by a row sum of 0.  The caller frees *out. */
pl_status pl_graph_operator(const pl_csr *a, pl_operator kind, double self, pl_csr **out);

#endif
