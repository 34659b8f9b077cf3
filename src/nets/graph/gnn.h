/* model.kind gnn from inside: gnn.c (the network), gnn_bound.c (the bound on its flow),
 * gnn_measures.c (what it records). */
#ifndef PL_NETS_GRAPH_GNN_H
#define PL_NETS_GRAPH_GNN_H

#include "nets/irreps.h"
#include "output.h"

enum { FORM_PLAIN, FORM_MULTISCALE };
enum { ACTIVATION_NONE, ACTIVATION_RELU, ACTIVATION_TANH };
enum { GNN_INIT_IDENTITY = 2 }; /* behind PL_NET_INIT_FILE */

typedef struct gnn_values {
  pl_net_values net; /* first */
  double init_scale;
  int64_t form, activation, depth, width; /* width PL_UNSET: as many as features */
  int64_t loss;
  int64_t record_bound, record_irreps; /* PL_UNSET: by size */
} gnn_values;

static inline const gnn_values *gnn_values_of(const pl_spec *spec) {
  return (const gnn_values *)(const void *)spec->network_values;
}

/* Read-outs: one per scale.  Pure. */
static inline int64_t gnn_scales(const gnn_values *v) {
  return v->form == FORM_MULTISCALE ? v->depth + 1 : 1;
}
/* Weight number of read-out s, and of layer l (from 1).  Pure. */
static inline int gnn_layer_weight(int64_t l) {
  return (int)l - 1;
}
static inline int gnn_readout_weight(const gnn_values *v, int64_t s) {
  return (int)(v->depth + s);
}

/* What the linear network's flow obeys.  G: for each labelled node a row, X S^H or X, XS, .., XS^H
 * side by side (columns of the note are rows here). */
typedef struct gnn_bound {
  double sigma2_min;     /* smallest of the min(rows, columns) squared singular values of G .. */
  double sigma2_nonzero; /* .. and the smallest of those that are not rounding */
  double optimum;        /* min over all matrices W of ||G W - Y||^2 */
  double lambda;         /* least so far */
  double start;          /* the loss at the start of the flow */
} gnn_bound;

/* Is there one?  Pure. */
bool gnn_has_bound(const pl_spec *spec);
/* Is it recorded?  Reads no file but that of the data.  Local. */
bool gnn_bounded(const pl_spec *spec);
/* All but lambda and start.  PL_NUMERIC: no convergence.  Local. */
pl_status gnn_bound_init(gnn_bound *b, const pl_spec *spec, const graph_nodes *d);
/* lambda_min over the features' space of P P^T, P = B_1 .. B_l, the least over the scales.  Local.
 */
double gnn_lambda(const pl_net *net);

typedef struct gnn_own {
  graph_own base; /* first */
  bool bounded;
  gnn_bound bound;
  pl_irrep_energies *energies; /* NULL: not recorded */
} gnn_own;

static inline gnn_own *gnn_own_of(const pl_net *net) {
  return net->own;
}

/* State at a record. */
typedef struct gnn_record {
  pl_net_record net; /* first */
  double lambda, sigma2_min, sigma2_nonzero, bound, bound_gap, optimum;
  double *gradient_w, *gradient_b; /* borrowed from the work below */
  const double *label_energy, *residual_energy;
} gnn_record;

pl_status gnn_observe(pl_net *net, void *state);
pl_status gnn_axes(const pl_spec *spec, pl_axis *axes, int *num, void **context,
                   void (**free_context)(void *));
extern const pl_measures gnn_measures;

#endif
