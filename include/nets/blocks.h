/* Layers that families offer to each other, and the recursion that wraps any of them: residual,
 * momentum (tape/recursion.h) or RevNet, with all states kept or with the reversible store.
 *
 * A layer f takes rows of `width` numbers to rows of `width` numbers.  Its family fills a pl_block,
 * a row of src/zoo.c; what it reads of a run are the values below, with which the values of every
 * network that wraps layers begin. */
#ifndef PL_NETS_BLOCKS_H
#define PL_NETS_BLOCKS_H

#include "nets/net.h"
#include "tape/recursion.h"

/* ---- keys ---- */

typedef enum { PL_RELU, PL_TANH, PL_SILU, PL_SIGMOID, PL_SOFTPLUS, PL_NO_ACTIVATION } pl_activation;

/* What dense layers are made of. */
typedef struct pl_layer_values {
  int64_t activation, bias, hidden; /* hidden PL_UNSET: as many as the width */
  double init_scale;
} pl_layer_values;

enum { PL_UPDATE_RESIDUAL, PL_UPDATE_MOMENTUM, PL_UPDATE_REVNET };
enum { PL_KEEP_ALL, PL_KEEP_REVERSIBLE };
/* Word i of model.update. */
const char *pl_update_name(int i);

typedef struct pl_recursion_values {
  int64_t block, depth, update, tied, store;
  double gamma, scale;
} pl_recursion_values;

/* Values of a network that wraps layers begin with this. */
typedef struct pl_block_values {
  pl_net_values net; /* first */
  pl_layer_values layer;
  pl_recursion_values recursion;
} pl_block_values;
static inline const pl_block_values *pl_block_values_of(const pl_spec *spec) {
  return (const pl_block_values *)(const void *)spec->network_values;
}

/* model.activation, model.bias, model.init.scale. */
extern const pl_keys pl_layer_keys;
/* model.block, model.hidden. */
extern const pl_keys pl_block_keys;
/* model.depth, model.update, model.gamma, model.tied, model.scale, model.store. */
extern const pl_keys pl_recursion_keys;
/* Do they fit each other?  As pl_data_kind.fits. */
const char *pl_recursion_fits(const pl_spec *spec);

pl_node *pl_activate(pl_tape *t, pl_activation kind, pl_node *x);

/* ---- layers ---- */

typedef struct pl_block {
  const char *name, *help;
  bool on_nodes; /* its rows are the nodes of a graph: for networks on graphs */
  /* How many weights a layer has; and to add them (pl_net_add), named PREFIX_... */
  int (*weights)(const pl_spec *spec);
  void (*add)(pl_net *net, const char *prefix, int layer, int64_t width);
  /* f(x), w: the nodes of those weights.  Local, or Collective where the network's are. */
  pl_node *(*layer)(const pl_net *net, pl_tape *t, pl_node *const *w, pl_node *x);
  /* Of one row: multiplications of f; doubles that the tape keeps. */
  void (*work)(const pl_spec *spec, int64_t width, double *products, double *doubles);
} pl_block;

/* Row i of the table in src/zoo.c; NULL past the last. */
const pl_block *pl_zoo_block(int i);
/* The one that a run wraps. */
const pl_block *pl_block_of(const pl_spec *spec);
/* Values of a dense layer's middle, on rows of `width` numbers.  Pure. */
static inline int64_t pl_block_hidden(const pl_spec *spec, int64_t width) {
  int64_t hidden = pl_block_values_of(spec)->layer.hidden;
  return hidden == PL_UNSET ? width : hidden;
}

/* ---- the recursion ---- */

/* gamma: of the fixed point where there is one; of a residual network 0.  Pure. */
double pl_recursion_gamma(const pl_spec *spec);

/* What a network keeps for its recursion, part of its own. */
typedef struct pl_recursion_own {
  pl_reversible rule;
  bool told; /* that a number left its range */
} pl_recursion_own;
/* Pure. */
pl_recursion_own pl_recursion_own_of(const pl_spec *spec);

/* The recursion of a run but for its layers and nodes.  rule: of own, which is borrowed; NULL
 * where all is kept, or asked for. */
pl_recursion pl_recursion_of(const pl_spec *spec, const pl_recursion_own *own, bool keep_all);
/* x_N on the tape; the first time that a number leaves the fixed point's range it is told. */
pl_node *pl_recursion_run(pl_recursion_own *own, pl_tape *t, const pl_recursion *r, pl_node *x,
                          pl_node *const *node);

/* The weights of all layers of the run's block, layer0_.. and so on; of a RevNet layer0_f_.. and
 * layer0_g_.., on halves. */
void pl_recursion_add(pl_net *net, int64_t width);
/* x_N of the run's block; w: nodes of all weights, those of the recursion from *at on, which is
 * moved on. */
pl_node *pl_recursion_blocks(const pl_net *net, pl_recursion_own *own, pl_tape *t,
                             pl_node *const *w, int *at, pl_node *x);
/* As pl_block.work, of all layers. */
void pl_recursion_work(const pl_spec *spec, int64_t width, double *products, double *doubles);

/* ---- what is recorded of it ---- */

#define PL_LAMBDA_EPS                                                                              \
  "least eigenvalue that the linear flow of eps = 1/((1 - gamma) depth) reaches; 0 for gamma 0"
#define PL_BITS_LOST                                                                               \
  "mean over the entries of X of the bits that the buffers of model.store: reversible hold after " \
  "the last layer; about -depth log2 gamma"
#define PL_REVERSAL_ERROR                                                                          \
  "largest entry of X_0, less what it was, and of V_0 after the recursion was run backwards from " \
  "its end: in fixed point (store: reversible), or in floating point without a buffer (store: "    \
  "all)"
#define PL_STORE_BYTES "what the recursion keeps from forward to backward, all ranks"

/* Sums over pieces of samples and ranks; error: the largest. */
typedef struct pl_recursion_sums {
  double bits, entries, bytes, error;
} pl_recursion_sums;

/* A record of a network that wraps layers begins with this. */
typedef struct pl_recursion_record {
  pl_net_record net; /* first */
  double lambda_eps, bits_lost, reversal_error, store_bytes;
} pl_recursion_record;
/* lambda_eps, bits_lost, reversal_error, store_bytes. */
extern const pl_measures pl_recursion_measures;

/* Run r from x, there and back, and add to the sums.  Local. */
void pl_recursion_visit(pl_recursion_own *own, pl_tape *t, const pl_recursion *r, pl_node *x,
                        pl_node *const *node, pl_recursion_sums *sums);
/* The same of the run's block. */
void pl_recursion_visit_blocks(const pl_net *net, pl_recursion_own *own, pl_tape *t,
                               pl_node *const *w, int *at, pl_node *x, pl_recursion_sums *sums);
/* A rank's sums into the record.  Collective. */
void pl_recursion_observe(const pl_net *net, pl_recursion_sums *sums, pl_recursion_record *out);

#endif
