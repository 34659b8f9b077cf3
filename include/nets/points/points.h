/* Networks on points: E(n)-equivariant ones, and those they are measured against.  Formulas, keys,
 * names of weights: src/nets/points/README.md. */
#ifndef PL_NETS_POINTS_POINTS_H
#define PL_NETS_POINTS_POINTS_H

#include "nets/net.h"
#include "nets/points/data.h"

typedef struct points_batch points_batch;

/* What one of them adds to what they share. */
typedef struct pl_points_kind {
  pl_net_kind net; /* first */
  /* Its weights (pl_net_add). */
  void (*add)(pl_net *net, const pl_points_shape *shape);
  /* What it says to a batch: positions [nodes][dimension]; log odds of edges [pairs][1]; the
   * property [samples][1], in deviations from the mean.  Local. */
  pl_node *(*answer)(const pl_net *net, pl_tape *t, pl_node *const *w, const points_batch *b);
  /* Multiplications of a forward sweep, and doubles that the tape keeps, of one sample. */
  void (*work)(const pl_spec *spec, const pl_points_shape *shape, double *products,
               double *doubles);
} pl_points_kind;

extern const pl_points_kind pl_egnn, pl_gnn_points, pl_radial, pl_linear_points;

#endif
