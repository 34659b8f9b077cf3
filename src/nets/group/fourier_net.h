/* Networks of filters in Fourier space from inside: what the linear G-CNN and the residual network
 * share.  f(x) = <x, beta>, B_rho made of the Fourier matrices of the filters irrep by irrep; a
 * step takes one stack after the other.
 *
 * fourier_net.c: life; fourier_step.c: the step; fourier_block.c, fourier_weights.c: parameters;
 * fourier_observe.c: records; fourier_cost.c: placement and costs. */
#ifndef PL_NETS_GROUP_FOURIER_NET_H
#define PL_NETS_GROUP_FOURIER_NET_H

#include "linalg/usv.h"
#include "model/model.h"
#include "nets/group/data.h"
#include "nets/group/keys.h"
#include "spectral/packed.h"
#include "spectral/spectrum.h"
#include "spectral/transform.h"

enum { FOURIER_SCRATCH = 8 };

typedef struct fourier_net fourier_net;

/* What to do with the gradient of one block; the weights may move. */
typedef struct fourier_visitor {
  void (*visit)(struct fourier_visitor *v, fourier_net *m, int p, const double *g);
  pl_update *update;
  double norm2, largest;
} fourier_visitor;

/* What a step and a record take beside the samples, in units of one irrep: products of d x d
 * matrices, arrays of d x d entries. */
typedef struct fourier_work {
  double products; /* of a step */
  double moves;    /* arrays that a step streams from memory: filters, gradients, .. */
  double arrays;   /* that a step touches */
  double spectra;  /* kept for good, beta aside */
  double later;    /* those of them that are made when the samples are there */
  double record_values, record_products; /* singular values, and products, of a record */
  double record_looks;                   /* at the largest singular values (gcnn_polish.h) */
  double record_samples;                 /* how often a record reads all samples */
  /* Its workspace: stacks, whole matrices, and vectors as long as the largest has rows. */
  double record_stacks, record_matrices, record_vectors;
  int record_triplets; /* largest singular values of each irrep whose vectors a record keeps */
} fourier_work;

/* How B comes from the filters, and back.  All of it Collective over the stack's grid, Local
 * otherwise. */
typedef struct fourier_ops {
  int scratch;  /* stacks of workspace, 3 to FOURIER_SCRATCH */
  bool whole;   /* its records need beta as a whole spectrum */
  bool readout; /* the last filter is one */
  /* two_passes: the gradient's norm is needed before it moves.  Pure. */
  fourier_work (*work)(const pl_spec *spec, int64_t samples, bool two_passes);
  /* B_rho of one stack into m->scratch[0], and whatever backward needs. */
  void (*forward)(fourier_net *m, const pl_stack *b);
  /* B_rho of one stack into out, from what forward left.  Uses no scratch. */
  void (*product)(const fourier_net *m, const pl_stack *b, double *out);
  /* m->beta <- 2^shift beta from filters near 1 each, where products of very small or large ones
   * lose their digits; returns shift.  NULL: B is no product.  Collective. */
  int (*scaled)(fourier_net *m);
  /* Gradients of one stack, each handed to v, from R = dLoss/dB in m->scratch[0]. */
  void (*backward)(fourier_net *m, int stack, fourier_visitor *v);
  /* The weights of the samples in the gradient of a step, a >= 0.  Local.  NULL: not wanted. */
  void (*weights)(fourier_net *m, const double *a);
} fourier_ops;

/* What an objective has beside the task (gcnn_regular.h). */
typedef struct fourier_terms {
  int sums; /* numbers behind the vote in fourier_net.sums, which ops->forward adds up */
  /* They are summed over the team, the margins known.  Collective. */
  void (*settle)(fourier_net *m, const double *sums);
  /* The task's part of the gradient of the step to come: coefficient (of one sign still) and
   * log_scale, which become the whole gradient's.  Local. */
  void (*weigh)(fourier_net *m);
  /* The objective, from that of the task.  Local, pure. */
  pl_standing (*standing)(const fourier_net *m, double log_task);
} fourier_terms;

struct fourier_net {
  pl_model base;                 /* first */
  pl_spec spec;                  /* strings borrowed from the sweep configuration */
  const pl_group_values *values; /* of spec */
  const fourier_ops *ops;
  const fourier_terms *terms; /* NULL: the task alone */
  bool forgets; /* backward undoes what forward left: forward comes before the next one */
  int filters;
  pl_group *group;
  pl_layout *layout;
  pl_packed *packed;
  pl_transform *transform; /* NULL where nobody needs functions over G (fourier_choice) */
  int store;               /* of the samples: PL_DATA_* */
  pl_data *data;
  const pl_samples *train; /* its training part, N samples; loss square: the target alone */
  double **w;              /* [filters]: spectra */
  double *scratch[FOURIER_SCRATCH]; /* largest stack each; NULL beyond ops->scratch */
  double *margin, *coefficient;     /* [N]: y_i <x_i, beta>; -a_i y_i */
  double *sums; /* [N + 1 ..]: margins, vote, terms->sums on their way through the all-reduce */
  double log_scale;
  double target_norm2, square; /* loss square: ||target||^2, and the loss */
  double **gradient;           /* [filters]: spectra, and */
  double *delta;               /* a function over G: only where the optimiser works over G */
  /* records */
  double *beta;        /* spectrum of beta; NULL: made stack by stack (fourier_beta) */
  double *f;           /* this rank's range of a function over G; NULL without transform */
  int64_t *sv_start;   /* [irreps + 1]: first singular value of an irrep */
  double *stack_sigma; /* singular values of one stack */
  double *sigma;       /* [sv_start[irreps]]: singular values of B, whole on rank 0 of the team */
  double *orientation; /* [irreps], if recorded */
  double *full;        /* beta over G on rank 0 of the team, if recorded */
  pl_spectrum_svd *svd;
  pl_usv *usv;   /* only for optimisers that take polar factors */
  double *whole; /* one matrix off a grid, likewise */
  pl_schema schema;
};

static inline fourier_net *fourier_of(pl_model *m) {
  return (fourier_net *)m;
}
static inline bool fourier_square(const fourier_net *m) {
  return m->values->loss == PL_LOSS_SQUARE;
}
static inline int fourier_more_sums(const fourier_net *m) {
  return m->terms ? m->terms->sums : 0;
}
/* Number of parameter block (filter from 0, stack), and the stack of one. */
static inline int fourier_param(const fourier_net *m, int filter, int stack) {
  return filter * m->layout->num_stacks + stack;
}
static inline const pl_stack *fourier_stack(const fourier_net *m, int p) {
  return &m->layout->stacks[p % m->layout->num_stacks];
}

/* ---- life ---- */

/* Everything of spec but what the network itself keeps: group, layout, filters, data, workspace of
 * steps and records.  m is zero but for kind and ops; after a failure too fourier_fini frees what
 * there is.  Collective over team. */
pl_status fourier_init(fourier_net *m, const pl_spec *spec, const pl_comm *team,
                       const pl_rates *rates);
void fourier_fini(fourier_net *m);
/* Samples, and target, once the rest is there.  Collective. */
pl_status fourier_load(fourier_net *m);
/* "S_5, codepth 2, gcnn, depth 3": a label.  As snprintf. */
int fourier_label(const pl_spec *spec, char *buf, size_t n);
/* Do keys fit each other; is spec valid?  As pl_model_kind. */
const char *fourier_fits(const pl_spec *spec);
pl_status fourier_check(const pl_spec *spec, const char **key);

/* ---- the step: as pl_model_kind ---- */

void fourier_refresh(pl_model *model, int64_t t);
void fourier_step(pl_model *model, int64_t t, pl_update *u, double *vote);
pl_standing fourier_standing(const pl_model *model);
/* Norm of the gradient of the step to come.  What forward left stays.  Collective. */
double fourier_gradient_norm(fourier_net *m);
/* Gradients of one stack, each handed to v.  With m->forgets, forward comes next. */
void fourier_backward(fourier_net *m, int stack, fourier_visitor *v);
/* beta of one stack: in m->beta, or made in scratch[0]; valid until that is used again. */
const double *fourier_beta(fourier_net *m, const pl_stack *b);
/* Products of one stack, then its part of <x_i, beta>, or of ||beta - target||^2, added to m->sums.
 */
void fourier_forward(fourier_net *m, const pl_stack *b);

#endif
