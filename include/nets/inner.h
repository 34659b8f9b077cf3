/* Networks that an outer loop adapts: a family offers one by a row of the zoo's table, and the
 * outer loop (nets/meta) reaches it by this alone.  Weights are an argument, as everywhere on the
 * tape, and so are the samples.
 *
 * The run is the outer loop's.  Its struct of values (place PL_IN_NETWORK) begins with
 * pl_inner_values, in which the keys that describe an inner network stand (pl_inner_keys); each
 * kind reads of them what it needs, and those that it does not are refused where they are given
 * (pl_inner_check). */
#ifndef PL_NETS_INNER_H
#define PL_NETS_INNER_H

#include "nets/net.h"

/* What one sample of a task is. */
typedef struct pl_inner_shape {
  int64_t features, outputs;       /* outputs: classes, or targets of a regression */
  bool classes;                    /* y is a class, 0..outputs - 1 */
  int64_t height, width, channels; /* of an image, its pixels row by row; height 0: none */
  char group[128];                 /* the features are the elements of this group; "": of none */
} pl_inner_shape;

/* Numbers of y to a sample. */
static inline int64_t pl_inner_targets(const pl_inner_shape *s) {
  return s->classes ? 1 : s->outputs;
}

enum { PL_INNER_NORM_NONE, PL_INNER_NORM_BATCH };

typedef struct pl_inner_values {
  pl_net_values net;                               /* first */
  int64_t inner;                                   /* number of the kind */
  int64_t depth, width;                            /* PL_UNSET: the kind's own */
  int64_t activation, norm, stride, pooling, head; /* in the order of nets/vector's words */
  double init_scale;
} pl_inner_values;
static inline const pl_inner_values *pl_inner_values_of(const pl_spec *spec) {
  return (const pl_inner_values *)(const void *)spec->network_values;
}

/* meta.inner and model.depth, .width, .activation, .norm, .stride, .pooling, .head, .init.scale. */
extern const pl_keys pl_inner_keys;

typedef struct pl_inner {
  const char *name, *help;
  bool has_depth, has_width; /* it reads model.depth, model.width */
  /* Does it take samples of this shape, with these keys?  PL_EINPUT: *key is at fault.  Local. */
  pl_status (*check)(const pl_spec *spec, const pl_inner_shape *shape, const char **key);
  /* A network for samples of this shape: its own view of the spec, and its weights (pl_net_add),
   * into *net, which is empty but for spec; own may be set.  check has passed.  Local. */
  void (*make)(pl_net *net, const pl_inner_shape *shape);
  void (*unmake)(pl_net *net); /* frees own; NULL: nothing to free */
  /* [num][outputs] of samples x, [num][features].  w: nodes of the weights.  Local. */
  pl_node *(*outputs)(const pl_net *net, pl_tape *t, pl_node *const *w, const pl_inner_shape *shape,
                      int64_t num, pl_node *x);
  /* Multiplications of one sample, forward; doubles that the tape keeps of it. */
  void (*work)(const pl_net *net, const pl_inner_shape *shape, double *products, double *doubles);
} pl_inner;

/* Inner network i of the zoo (src/zoo.c); NULL past the last.  Its name as a word of meta.inner. */
const pl_inner *pl_zoo_inner(int i);
const char *pl_zoo_inner_name(int i);

static inline const pl_inner *pl_inner_of(const pl_spec *spec) {
  return pl_zoo_inner((int)pl_inner_values_of(spec)->inner);
}

/* check, and that no key is given which the kind does not read. */
pl_status pl_inner_check(const pl_spec *spec, const pl_inner_shape *shape, const char **key);
/* The network of spec for samples of this shape, freed by pl_inner_fini.  check has passed.  Local.
 */
void pl_inner_init(pl_net *net, const pl_spec *spec, const pl_inner_shape *shape);
void pl_inner_fini(pl_net *net, const pl_spec *spec);

#endif
