/* Random graphs, by counter-based numbers (base/rng.h): the same on any number of ranks and in any
 * order.
 *
 * Contextual stochastic block model.  Node i of n lies in block b(i) = floor(i blocks / n), so that
 * blocks are contiguous and differ by at most one node.  A pair in one block is an edge with
 * probability p_in, another pair with p_out, independently.  Node i has the features
 *   x_i = signal c_b(i) + z_i,   z_i standard normal,
 * c_b unit vectors drawn for each block, orthogonal to each other if there are no more blocks than
 * features: two centres are then sqrt(2) signal apart.  Without features it is the stochastic block
 * model, with one block Erdos and Renyi's graph. */
#ifndef PL_GRAPH_RANDOM_H
#define PL_GRAPH_RANDOM_H

#include "graph/graph.h"

typedef struct pl_block_model {
  int64_t nodes, blocks, features;
  double p_in, p_out, signal;
} pl_block_model;

/* PL_EINPUT with a message that names the key. */
pl_status pl_block_model_check(const pl_block_model *m);
/* b(node). */
static inline int64_t pl_block_of(const pl_block_model *m, int64_t node) {
  return (int64_t)((unsigned __int128)node * (uint64_t)m->blocks / (uint64_t)m->nodes);
}
/* The neighbours of a node that have larger numbers, increasing, into out, which has room for
 * nodes - node - 1.  Returns how many.  Takes time in proportion to them: the gaps between
 * neighbours are geometric, drawn one after the other. */
int64_t pl_block_model_row(const pl_block_model *m, uint64_t seed, int64_t node, int32_t *out);
/* All of them.  The caller frees it (pl_edges_fini). */
pl_edges pl_block_model_edges(const pl_block_model *m, uint64_t seed);
/* out: [nodes][features]. */
void pl_block_model_features(const pl_block_model *m, uint64_t seed, double *out);

/* Parts as in Planetoid's: per_class nodes of each class to train (part 0), then validation nodes
 * (1) and test nodes (2), all at random among nodes with a label (>= 0), the rest 3.  PL_EINPUT if
 * there are not enough.  label and part: [nodes]. */
pl_status pl_split_draw(int64_t nodes, const int32_t *label, int64_t per_class, int64_t validation,
                        int64_t test, uint64_t seed, int8_t *part);

#endif
