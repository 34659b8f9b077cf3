/* What the tensor networks share: data, checks, files.  Inside this room only. */
#ifndef PL_NETS_TENSOR_NETWORK_H
#define PL_NETS_TENSOR_NETWORK_H

#include "keys.h"
#include "nets/tensor/tensor.h"

typedef struct tensor_own {
  pl_tensors data; /* first */
  void *more;      /* the network's */
} tensor_own;

static inline tensor_own *tensor_own_of(const pl_net *net) {
  return net->own;
}
static inline const pl_tensors *tensor_data(const pl_net *net) {
  return net->own;
}
static inline const pl_tensor_part *tensor_part(const pl_net *net, pl_part part) {
  return &tensor_data(net)->part[part];
}

/* Data and counts into a net. */
pl_status tensor_load(pl_net *net);
/* `open` of pl_net_kind but for the parameters. */
pl_status tensor_open_data(pl_net *net, const pl_nc *data);
pl_status tensor_check_data(const pl_spec *spec, const char **key);
pl_status tensor_apply(const pl_spec *spec, const pl_comm *team, const pl_rates *rates,
                       const char *path, const pl_attribute *attributes, int num);

/* ---- the nonlinear network ---- */

/* What the network gives for the samples of a take, one below the other: a number each or, with
 * model.output equivariant, one for each point.  matrix: the samples' matrices, in order. */
pl_node *tensor_outputs(const pl_net *net, pl_tape *t, pl_node *const *w, int64_t count,
                        const int *points, const double *const *matrix);
/* .. of the take itself; start: [count + 1], where the points of each begin; may be NULL. */
pl_node *tensor_outputs_of(const pl_net *net, pl_tape *t, pl_node *const *w, const pl_take *take,
                           int64_t **start);
pl_node *tensor_objective(const pl_net *net, pl_tape *t, pl_node *const *w, const pl_take *take);
void tensor_metrics(pl_net *net, pl_part part, double *metric);
enum { TENSOR_METRICS = 2 };
extern const pl_measures tensor_measures;
/* The state of a record. */
typedef struct tensor_record {
  pl_net_record first;
  double defect;
} tensor_record;
/* The different sizes of samples, in order of the first of each, for own->more. */
typedef struct tensor_sizes tensor_sizes;
tensor_sizes *tensor_sizes_new(int64_t num, const int *points);
void tensor_sizes_free(void *sizes); /* may be NULL */
pl_status tensor_observe(pl_net *net, void *state);
pl_status tensor_axes(const pl_spec *spec, pl_axis *axes, int *num, void **context,
                      void (**free_context)(void *));

#endif
