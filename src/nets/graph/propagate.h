/* Propagation along a graph, p(S) x for a fixed function p of the operator S, as one operation of
 * the tape:
 *     Z_0 = first x + second S x,   Z_k = ratio S Z_(k-1) + keep Z_0,   y = Z_K     (iterated)
 *     y = keep (I - ratio S)^-1 Z_0                                                 (closed)
 * A power S^K is first 1, second 0, ratio 1, keep 0.
 *
 * The columns of x are shared over the ranks of a team: each propagates its own without any
 * message, then they are put together, so that x and y are whole on every rank.  Numbers do not
 * depend on how the columns were cut.
 *
 * Closed: S symmetric.  A dense Cholesky factor up to GRAPH_DENSE nodes, conjugate gradients beyond
 * (never an inverse); where a graph beyond is so dense that these cost more, a team of several
 * ranks has a dense factor spread over them.  I - ratio S is positive definite for |ratio| < 1 and
 * operator sym. */
#ifndef PL_NETS_GRAPH_PROPAGATE_H
#define PL_NETS_GRAPH_PROPAGATE_H

#include "base/comm.h"
#include "base/csr.h"
#include "linalg/cholesky.h"
#include "tape/ops.h"

#include <stdbool.h>

enum { GRAPH_DENSE = 1024 }; /* most nodes of a whole factor on every rank */

typedef struct graph_rule {
  double first, second, ratio, keep;
  int64_t depth; /* K */
  bool closed;
} graph_rule;

typedef struct graph_map {
  graph_rule rule;
  const pl_csr *s, *s_t; /* borrowed */
  const pl_comm *team;   /* borrowed; NULL: alone */
  int64_t most;          /* columns */
  double *factor;        /* lower Cholesky factor, [n][n]; or NULL */
  pl_cholesky *spread;   /* one over the team; or NULL */
  double *work;          /* [5][n][most, in whole registers] */
} graph_map;

/* s_t: S^T, which may be s.  PL_NUMERIC: not positive definite.  Closed: Collective, the same
 * status on every rank; else Local, and PL_OK. */
pl_status graph_map_init(graph_map *m, const graph_rule *rule, const pl_csr *s, const pl_csr *s_t,
                         const pl_comm *team, int64_t most);
void graph_map_fini(graph_map *m);
/* A graph in numbers, and the ranks of a team that propagate columns along it. */
typedef struct graph_load {
  double nodes, entries, cols;
  int ranks;
} graph_load;
/* Is a factor spread over the team?  Pure. */
bool graph_map_spreads(const graph_rule *rule, const graph_load *load);
/* Bytes on each rank.  Pure. */
double graph_map_bytes(const graph_rule *rule, const graph_load *load);
/* Flops of one application, all ranks.  Pure. */
double graph_map_flops(const graph_rule *rule, const graph_load *load);

/* y = p(S) x, or p(S^T) x; x, y: [n][cols], apart from each other.  Collective over the team. */
void graph_map_apply(const graph_map *m, bool transposed, int64_t cols, const double *x, double *y,
                     bool add);
/* The same on the tape; m is borrowed until the reset.  Collective, and so are sweeps over it. */
pl_node *graph_propagate(pl_tape *t, const graph_map *m, pl_node *x);

/* y = S x for a matrix by rows and its transpose. */
pl_node *graph_sparse(pl_tape *t, const pl_csr *s, const pl_csr *transposed, pl_node *x);

#endif
