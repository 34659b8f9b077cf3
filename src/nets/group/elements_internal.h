/* Networks over the elements from inside: shared by elements_net.c (training), elements_weights.c
 * (initial weights, files), elements_observe.c (what is recorded) and elements_cost.c (what it
 * costs). */
#ifndef PL_NETS_GROUP_ELEMENTS_INTERNAL_H
#define PL_NETS_GROUP_ELEMENTS_INTERNAL_H

#include "group/fourier.h"
#include "linalg/usv.h"
#include "nets/group/data.h"
#include "nets/group/layer.h"
#include "nets/group/elements.h"
#include "functional.h"

typedef enum { HIDDEN_GROUP, HIDDEN_CYCLIC, HIDDEN_FULL } hidden_kind;

/* What tells one network from another. */
typedef struct recipe {
  const pl_model_kind *kind;
  hidden_kind hidden;
  bool relu;
} recipe;
const recipe *elements_recipe(const pl_spec *spec);

typedef struct elements_net {
  pl_model base; /* first */
  pl_spec spec;  /* strings borrowed from the sweep configuration */
  const recipe *recipe;
  int depth;
  pl_comm team; /* borrowed */
  int64_t order;
  pl_group *group, *own; /* G; the group that is convolved over, if another */
  pl_layout *layout;     /* of G, whole on this rank */
  pl_transform *transform;
  int num_layers;
  pl_layer **layers;
  pl_layer **weighted; /* [depth]: those with weights */
  const double *x0;    /* samples of the last forward */
  double **z;          /* [num_layers + 1]: their activations; z[0] unused */
  int64_t capacity;    /* samples that the layers have room for */
  double *dz[2];       /* derivatives on their way back */
  double **gradient;   /* [depth] */
  pl_usv *usv;         /* full layers with an optimiser that takes polar factors */
  /* data: this rank has samples first .. first + count - 1 */
  int64_t num_samples, first, count;
  double *x, *y; /* [count][|G|]; [num_samples] */
  int64_t num_test, test_count;
  double *test_x, *test_y;      /* this rank's share of the fresh samples */
  double *sum;                  /* [|G|] linear: weighted sum of samples */
  double *margin, *coefficient; /* [num_samples] */
  double *sums;                 /* [num_samples + 1]: outputs and vote in the all-reduce */
  double log_scale;
  /* records */
  pl_schema schema;
  double *betas; /* [count][|G|]: linearisations; one for a linear network */
  double *F;     /* spectrum */
  int64_t *sv_start;
  double *values, *sigma, *copy;
  double *record, *mean, *square; /* one record; mean and sum of squared deviations */
  pl_spectrum_svd *svd;
  pl_fourier *cyclic; /* linear cnn: for its least norm */
} elements_net;

static inline elements_net *elements_of(pl_model *m) {
  return (elements_net *)m;
}
static inline bool elements_pools(const pl_spec *spec) {
  return spec->model_pooling == PL_POOLING_MEAN;
}

/* df/dx of this rank's samples into m->betas; linear: of f itself, on every rank. */
void elements_linearise(elements_net *m);

/* Share of the fresh samples on the right side.  m->betas must be known; overwrites activations,
 * which are then made anew. */
double elements_test_accuracy(elements_net *m);

pl_status elements_check_weights(const pl_spec *spec, const pl_group *g, const char **key);
pl_status elements_init_weights(elements_net *m);
pl_status elements_save(pl_model *model, const char *path);

/* What optimisers and checkpoints ask for (model/model.h).  The functions are the blocks; a layer
 * is padded with zeros to the longest. */
void elements_prepare_optimiser(elements_net *m);
void elements_block_sum(pl_model *model, int p, double *x, int64_t n);
void elements_block_polar(pl_model *model, int p, double *a);
int64_t elements_layer_doubles(const pl_model *model, bool functions);
void elements_gather(pl_model *model, bool functions, int layer, double *const *blocks,
                     int64_t first, int64_t n, double *x);
void elements_scatter(pl_model *model, bool functions, int layer, double *const *blocks,
                      int64_t first, int64_t n, double *x);

pl_status elements_describe(const pl_spec *spec, pl_schema *out);
pl_status elements_observe_new(elements_net *m);
void elements_observe_free(elements_net *m);
pl_status elements_observe(pl_model *model, double *out);

void elements_cost(const pl_spec *spec, int team, const pl_rates *rates, pl_cost *out);
void elements_explain(const pl_spec *spec, int team, const pl_rates *rates);
/* Bytes of weights, gradients and optimiser state. */
double elements_weight_bytes(const pl_spec *spec, double order);
/* The group that hidden layers convolve over; NULL for full layers.  Owned by the caller. */
pl_status elements_own_group(const pl_spec *spec, const pl_group *g, pl_group **out);

#endif
