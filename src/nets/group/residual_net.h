/* The residual network from inside: its struct, and its recursion. */
#ifndef PL_NETS_GROUP_RESIDUAL_NET_H
#define PL_NETS_GROUP_RESIDUAL_NET_H

#include "base/reversible.h"
#include "fourier_net.h"

typedef struct residual {
  fourier_net net; /* first; its filters are Theta_0 .. Theta_(N-1), or the one that all share */
  int depth;
  double gamma, c; /* c = (1 - gamma) s */
  /* store all: X_1 .. X_N, one stack after the other */
  double *states;
  /* store reversible: X_N and V_N as spectra in fixed point, and the buffers of each stack one
   * after the other */
  pl_reversible rule;
  int buffers;
  int64_t *x, *v;
  uint64_t *buffer;
  bool *beyond; /* [stacks]: the last forward left the range of the fixed point */
  bool told;
  /* records */
  double *irreps;          /* of residual_observe.c */
  double *increment;       /* spectrum of B - 1, */
  double *increment_sigma; /* and its singular values on rank 0 of the team */
  double *filter_sigma;    /* [filters]: those of each filter, likewise; NULL: not recorded */
} residual;

static inline residual *residual_of(pl_model *m) {
  return (residual *)m;
}
static inline bool residual_reverses(const residual *m) {
  return m->net.values->store == PL_STORE_REVERSIBLE;
}
/* Theta_k of one stack, k from 0. */
static inline const double *residual_filter(const residual *m, int k, const pl_stack *b) {
  return m->net.w[m->net.filters == 1 ? 0 : k] + b->offset;
}

/* Are the filters' singular values recorded?  Pure. */
bool residual_wants_weights(const pl_spec *spec, const pl_group *g);

extern const fourier_ops residual_ops;

/* What the recursion keeps from forward to backward.  layout must be there.  Local. */
void residual_make_store(residual *m);
void residual_free_store(residual *m);
/* Bytes of it for a spectrum of so many doubles.  Pure. */
double residual_store_bytes(const pl_spec *spec, double doubles);

/* gamma of a run: that of its fixed point where there is one.  Pure. */
double residual_gamma(const pl_spec *spec);
/* The identity in every matrix of a stack, into out.  Local. */
void residual_identity(const pl_stack *b, double *out);
/* Bits that the buffers of one stack hold, this rank's part, after forward.  store reversible.
 * Local. */
double residual_bits(const residual *m, const pl_stack *b);
/* Largest |entry| of X_0 - 1 and V_0 of one stack after the recursion was run backwards from its
 * end, this rank's part; what forward left is lost.  Overwrites scratch.  Collective over the
 * stack's grid. */
double residual_undo(residual *m, const pl_stack *b);

#endif
