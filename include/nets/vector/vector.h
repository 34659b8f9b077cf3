/* Networks on vectors and images: the plainest clients of nets/net.h.  Formulas, keys, names of
 * weights: src/nets/vector/README.md. */
#ifndef PL_NETS_VECTOR_VECTOR_H
#define PL_NETS_VECTOR_VECTOR_H

#include "nets/blocks.h"
#include "nets/vector/data.h"

/* What one of them adds to what they share. */
typedef struct pl_vector_kind {
  pl_net_kind net; /* first */
  /* Its weights (pl_net_add), for samples of this shape and so many outputs. */
  void (*add)(pl_net *net, const pl_vector_shape *shape, int64_t outputs);
  /* [count][outputs] of the samples of a take, x: [count][features].  Local. */
  pl_node *(*outputs)(const pl_net *net, pl_tape *t, pl_node *const *w, pl_node *x,
                      const pl_vector_shape *shape, const pl_take *take);
  /* Products of one sample, forward, in multiplications; doubles that the tape keeps of it. */
  void (*work)(const pl_spec *spec, const pl_vector_shape *shape, int64_t outputs, double *products,
               double *doubles);
  /* Does the network take samples of this shape?  PL_EINPUT: *key is at fault.  NULL: of any. */
  pl_status (*fits_shape)(const pl_spec *spec, const pl_vector_shape *shape, const char **key);
} pl_vector_kind;

/* resmlp: residual and momentum networks, and RevNets, of dense layers. */
extern const pl_vector_kind pl_mlp, pl_conv, pl_resmlp;
/* unrolled: soft thresholds of linear maps, as in LISTA, whose fixed point is to be a code. */
extern const pl_vector_kind pl_unrolled;

/* act(x W_1 + b_1) W_2 + b_2. */
extern const pl_block pl_mlp_block;

#endif
