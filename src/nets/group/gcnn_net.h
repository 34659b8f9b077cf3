/* The linear G-CNN from inside: its struct, and its products. */
#ifndef PL_NETS_GROUP_GCNN_NET_H
#define PL_NETS_GROUP_GCNN_NET_H

#include "linalg/usv.h"
#include "model/model.h"
#include "nets/group/data.h"
#include "nets/group/keys.h"
#include "spectral/packed.h"
#include "spectral/spectrum.h"
#include "spectral/transform.h"

enum { GCNN_SCRATCH = 3 };

typedef struct gcnn {
  pl_model base;                 /* first */
  pl_spec spec;                  /* strings borrowed from the sweep configuration */
  const pl_group_values *values; /* of spec */
  int depth;
  pl_group *group;
  pl_layout *layout;
  pl_packed *packed;
  pl_transform *transform; /* NULL in a band, which has no functions over G */
  pl_data *data;
  const pl_samples *train; /* its training part, N samples */
  double **w;              /* [l-1]: spectrum of w_l, l = 1..L */
  double **prefix; /* [l-1]: P_l = W_(l-1) .. W_1, l = 2..L; P_2 is w[0] itself; [0] unused */
  double *scratch[GCNN_SCRATCH]; /* largest stack each */
  double *margin, *coefficient;  /* [N]: y_i <x_i, beta>; -a_i y_i */
  double *sums;                  /* [N + 1]: margins and vote on their way through the all-reduce */
  double log_scale;
  double **gradient; /* [l-1]: spectra, and */
  double *delta;     /* a function over G: only where the optimiser works over G */
  double *running;   /* averages that outlive a record: gcnn_dual.h; part of a checkpoint */
  /* records */
  double *beta;        /* spectrum of beta */
  double *f;           /* this rank's range of a function over G; NULL in a band */
  int64_t *sv_start;   /* [irreps + 1]: first singular value of an irrep */
  double *stack_sigma; /* singular values of one stack */
  double *sigma;       /* [sv_start[irreps]]: singular values of B, whole on rank 0 of the team */
  double *orientation; /* [irreps], if recorded */
  double *full;        /* beta over G on rank 0 of the team, if recorded */
  pl_spectrum_svd *svd;
  pl_usv *usv;   /* only for optimisers that take polar factors */
  double *whole; /* one matrix off a grid, likewise */
  pl_schema schema;
} gcnn;

static inline gcnn *gcnn_of(pl_model *m) {
  return (gcnn *)m;
}
/* Number of parameter block (layer from 0, stack), and the stack of one. */
static inline int gcnn_param(const gcnn *m, int layer, int stack) {
  return layer * m->layout->num_stacks + stack;
}
static inline const pl_stack *gcnn_stack(const gcnn *m, int p) {
  return &m->layout->stacks[p % m->layout->num_stacks];
}
/* P_l of one stack, l = 2..L (l from 1 as in the formulas). */
static inline double *gcnn_prefix(const gcnn *m, int l, const pl_stack *b) {
  return (l == 2 ? m->w[0] : m->prefix[l - 1]) + b->offset;
}

/* B_rho = W_L P_L of one stack into out. */
void gcnn_product(const gcnn *m, const pl_stack *b, double *out);
/* Prefix products of one stack, then its part of <x_i, beta> added to m->sums. */
void gcnn_forward(gcnn *m, const pl_stack *b);

#endif
