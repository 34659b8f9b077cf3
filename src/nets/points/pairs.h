/* The pairs of a batch, and the tape's operations on them.  No pair of nodes' values ever stands
 * side by side: what a message sees of its two ends is a sum of two products, one for each node.
 *
 * Pairs e = (i, j) stand by i.  Sums over e of i are over j != i of the same sample.  Everything
 * is Local; arrays of pairs are borrowed until the tape's reset. */
#ifndef PL_NETS_POINTS_PAIRS_H
#define PL_NETS_POINTS_PAIRS_H

#include "tape/tape.h"

typedef struct points_pairs {
  int64_t nodes, num;
  const int *first, *second; /* [num]: i and j */
  const int64_t *start;      /* [nodes + 1]: pairs of node i */
  const double *mean;        /* [nodes]: C = 1/(M - 1), M nodes in the sample; alone: 0 */
} points_pairs;

/* r_e = ||x_i - x_j||^2; x: [nodes][axes], out: [num][1]. */
pl_node *points_distances(pl_tape *t, const points_pairs *p, pl_node *x);
/* y_e = silu(a_i + b_j + sum_k s_ek w_k); a, b: [nodes][cols], s: [num][k], w: [k][cols]. */
pl_node *points_messages(pl_tape *t, const points_pairs *p, pl_node *a, pl_node *b, pl_node *s,
                         pl_node *w);
/* y_i = C sum_e (x_i - x_j) f_e; x: [nodes][axes], f: [num][1]. */
pl_node *points_moves(pl_tape *t, const points_pairs *p, pl_node *x, pl_node *f);

#endif
