/* What the networks of this room share.  Inside it only. */
#ifndef PL_NETS_VECTOR_NETWORK_H
#define PL_NETS_VECTOR_NETWORK_H

#include "keys.h"
#include "nets/vector/vector.h"

/* ---- layers ---- */

/* A weight and its bias (with model.bias) as parameters NAME_weight and NAME_bias, both uniform on
 * +-model.init.scale / sqrt(rows). */
void vector_add(pl_net *net, const char *name, const char *what, int layer, int64_t rows,
                int64_t cols);
/* x W + b; w: the nodes of all weights, from *at on, which is moved on. */
pl_node *vector_affine(const pl_net *net, pl_tape *t, pl_node *const *w, int *at, pl_node *x);
/* Each column of x less its mean, over its standard deviation (variance + 1e-5), times a gain, plus
 * a shift: parameters NAME_gain and NAME_shift, one to a column.  A sum over samples it is not, so
 * only where they are on the tape together. */
void vector_add_norm(pl_net *net, const char *name, const char *what, int layer, int64_t cols);
pl_node *vector_norm(pl_tape *t, pl_node *const *w, int *at, pl_node *x);
pl_node *vector_activation(const pl_net *net, pl_tape *t, pl_node *x);
/* In training: model.dropout of x, whose rows belong to the samples of take in order, several to a
 * sample or one. */
pl_node *vector_dropout(const pl_net *net, pl_tape *t, pl_node *x, int layer, const pl_take *take);

/* ---- the door ---- */

pl_status vector_load(pl_net *net);
void vector_unload(pl_net *net);
int vector_readout(const pl_net *net, int *first);
pl_status vector_shapes(pl_net *net);
pl_node *vector_objective(const pl_net *net, pl_tape *t, pl_node *const *w, const pl_take *take);
void vector_metrics(pl_net *net, pl_part part, double *metric);
void vector_work(const pl_spec *spec, double *sample_flops, double *sample_bytes,
                 double *fixed_flops, double *fixed_bytes);
pl_status vector_note(const pl_net *net, pl_nc *nc);
pl_status vector_open(pl_net *net, const pl_nc *weights, const pl_nc *data);
pl_status vector_predict(pl_net *net, pl_nc *out);
pl_status vector_apply(const pl_spec *spec, const pl_comm *team, const pl_rates *rates,
                       const char *path, const pl_attribute *attributes, int num);
const char *vector_fits(const pl_spec *spec);
pl_status vector_check(const pl_spec *spec, const char **key);
extern const pl_measures vector_measures;
/* The loss, and of what a run has the best of what tells how good it is. */
extern const char *const vector_headline[];

/* ---- samples, for net->own ---- */

/* Numbers that the network gives for a sample: one with logistic loss. */
int64_t vector_outputs(const pl_spec *spec, const pl_vector_shape *shape);
typedef struct vector_own {
  pl_vectors data;            /* first */
  pl_recursion_own recursion; /* of networks that have one */
  double *record;             /* arrays of a record's state; NULL: none */
} vector_own;
static inline vector_own *vector_own_of(const pl_net *net) {
  return net->own;
}
static inline const pl_vectors *vector_data(const pl_net *net) {
  return &vector_own_of(net)->data;
}
/* Makes it of the data, which it then owns, and counts the parts. */
void vector_own_new(pl_net *net, const pl_vectors *data);
static inline const pl_vector_kind *vector_kind_of(const pl_spec *spec) {
  return (const pl_vector_kind *)(const void *)spec->model;
}
/* [count][features] of a take. */
pl_node *vector_input_of(const pl_net *net, pl_tape *t, const pl_take *take);
/* What the network gives for the samples of a take, [count][outputs]. */
pl_node *vector_outputs_of(const pl_net *net, pl_tape *t, pl_node *const *w, const pl_take *take);
/* The class that n outputs speak for. */
int vector_class_of(int64_t n, const double *f);

#define VECTOR_NET                                                                                 \
  .split = PL_SPLIT_SAMPLES, .random = true, .num_metrics = 2, .load = vector_load,                \
  .unload = vector_unload, .readout = vector_readout, .objective = vector_objective,               \
  .metrics = vector_metrics, .shapes = vector_shapes, .work = vector_work, .note = vector_note,    \
  .open = vector_open, .predict = vector_predict

#endif
