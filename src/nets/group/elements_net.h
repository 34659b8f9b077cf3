/* A network over the elements from inside: its struct, and its layers one after the other,
 * forward and back. */
#ifndef PL_NETS_GROUP_ELEMENTS_NET_H
#define PL_NETS_GROUP_ELEMENTS_NET_H

#include "elements_recipe.h"
#include "group/fourier.h"
#include "linalg/usv.h"
#include "nets/group/layer.h"
#include "spectral/spectrum.h"
#include "spectral/transform.h"

/* One part of the data: num samples over the team; this rank has first .. first + count - 1. */
typedef struct elements_part {
  int64_t num, first, count;
  double *x, *y; /* [count][|G|]; [num] */
} elements_part;

/* The samples of a step: elements_batch.h. */
typedef struct elements_batch {
  int64_t size; /* at most so many over the team; 0: every step takes the whole training part */
  int64_t per_epoch; /* steps */
  int64_t step;      /* whose samples these are; -1: none yet, or those of all steps */
  int64_t epoch;     /* whose order this is; -1: none yet */
  int64_t *order;    /* [N] */
  /* those of the present step: num over the team, of which this rank has count */
  int64_t num, count;
  double *x;             /* [count][|G|] */
  const int64_t *sample; /* [num]: their numbers; here and below for minibatches only */
  int64_t *at;           /* [count]: the places in the batch of those that this rank has */
  double *out;           /* [count]: derivatives by their outputs */
  double *all;           /* [N]: margins of the whole training part; m->margin itself otherwise */
} elements_batch;

typedef struct elements_net {
  pl_model base;                 /* first */
  pl_spec spec;                  /* strings borrowed from the sweep configuration */
  const pl_group_values *values; /* of spec */
  const elements_recipe *recipe;
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
  double *ones;        /* [capacity] */
  double **gradient;   /* [depth] */
  pl_usv *usv;         /* full layers with an optimiser that takes polar factors */
  elements_part part[PL_NUM_PARTS];
  elements_batch batch;
  double *sum;                  /* [|G|] linear: weighted sum of samples */
  double *margin, *coefficient; /* [N], batch.num of them in use */
  double *sums;                 /* [N + 1]: outputs and vote in the all-reduce */
  double log_scale;
  /* records */
  pl_schema schema;
  double *betas; /* [count][|G|]: linearisations; one for a linear network */
  double *F;     /* spectrum */
  int64_t *sv_start;
  double *sigma_work, *sigma, *copy, *orientation;
  double *scaled, *scaled_margin; /* [|G|], [N]: one beta and its margins out of range, in it */
  double *record, *mean, *square; /* one record; mean and sum of squared deviations */
  pl_spectrum_svd *svd;
  pl_fourier *cyclic; /* linear cnn: for its least norm */
} elements_net;

static inline elements_net *elements_of(pl_model *m) {
  return (elements_net *)m;
}
static inline const elements_part *elements_train(const elements_net *m) {
  return &m->part[PL_TRAIN];
}

/* Layers, activations and the list of blocks w1..wL.  The data must be there: a nonlinear network
 * takes all samples of this rank at a time, a linear one a single sample.  Local. */
pl_status elements_make_layers(elements_net *m);
void elements_free_layers(elements_net *m);
/* Weights have moved.  Local. */
void elements_refresh_layers(elements_net *m);

/* Outputs of so many samples into m->z[num_layers]; x is borrowed until backward.  Local. */
void elements_forward(elements_net *m, int64_t samples, const double *x);
/* From df/d(outputs) of the last forward: gradients of the weights into m->gradient (if asked for)
 * and df/dx (if not NULL).  Local. */
void elements_backward(elements_net *m, int64_t samples, const double *out, bool weights,
                       double *dx);
/* df/dx of the samples of the last forward into m->betas; linear: of f itself.  Local. */
void elements_linearise(elements_net *m);

#endif
