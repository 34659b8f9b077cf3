/* The linear G-CNN from inside: shared by gcnn.c (training), gcnn_observe.c (what is recorded) and
 * gcnn_cost.c (what it costs). */
#ifndef PL_NETS_GROUP_GCNN_INTERNAL_H
#define PL_NETS_GROUP_GCNN_INTERNAL_H

#include "nets/group/data.h"
#include "linalg/usv.h"
#include "nets/group/gcnn.h"
#include "functional.h"
#include "spectral/packed.h"
#include "spectral/spectrum.h"
#include "spectral/transform.h"

enum { GCNN_SCRATCH = 3, GCNN_AVERAGES = 4 };

typedef struct gcnn {
  pl_model base; /* first */
  pl_spec spec;  /* strings borrowed from the sweep configuration */
  int depth;
  pl_group *group;
  pl_layout *layout;
  pl_packed *packed;
  pl_transform *transform; /* NULL in a band, which has no functions over G */
  pl_data *data;
  double **w;      /* [l-1]: spectrum of w_l, l = 1..L */
  double **prefix; /* [l-1]: P_l = W_(l-1) .. W_1, l = 2..L; P_2 is w[0] itself; [0] unused */
  double *scratch[GCNN_SCRATCH]; /* largest stack each */
  double *margin, *coefficient;  /* [N]: y_i <x_i, beta>; -a_i y_i */
  double *sums;                  /* [N + 1]: margins and vote on their way through the all-reduce */
  double log_scale;
  double **gradient; /* [l-1]: spectra, and */
  double *delta;     /* a function over G: only where the optimiser works over G */
  double *running;   /* averages that outlive a record: gcnn_dual.c; part of a checkpoint */
  /* records */
  double *beta;      /* spectrum of beta */
  double *f;         /* this rank's range of a function over G; NULL in a band */
  int64_t *sv_start; /* [irreps + 1]: first singular value of an irrep */
  double *values;    /* singular values of one stack */
  double *sigma;     /* [sv_start[irreps]]: singular values of B, whole on rank 0 of the team */
  double *full;      /* beta over G on rank 0 of the team, if recorded */
  pl_spectrum_svd *svd;
  pl_usv *usv;   /* only for optimisers that take polar factors */
  double *whole; /* one matrix off a grid, likewise */
  pl_schema schema;
} gcnn;

static inline gcnn *gcnn_of(pl_model *m) {
  return (gcnn *)m;
}

/* B_rho = W_L P_L of one stack into out. */
void gcnn_product(const gcnn *m, const pl_stack *b, double *out);
/* Number of parameter block (layer from 0, stack). */
static inline int gcnn_param(const gcnn *m, int layer, int stack) {
  return layer * m->layout->num_stacks + stack;
}

pl_status gcnn_observe(pl_model *model, double *out);

/* What optimisers ask of a block (model/model.h). */
void gcnn_block_sum(pl_model *model, int p, double *x, int64_t n);
void gcnn_block_polar(pl_model *model, int p, double *a);

/* ---- certificates ---- */

/* Doubles of m->running. */
int64_t gcnn_running_size(int64_t samples);
/* Take the weights of a step (a >= 0, not all zero) into the running averages.  Local. */
void gcnn_average_weights(gcnn *m, const double *a);
/* The least D(a) = (1/V) max_rho ||sum_i a_i y_i X_i,rho||_2, a >= 0 with sum 1, of the weights
 * now, their averages, multipliers (NULL: none), and all candidates of earlier records.  No beta
 * has a normalised margin min_i y_i <x_i, beta> / S_1(beta) above it, as <x, beta> <= S_1(beta)
 * max_rho ||X_rho||_2 / V (duality of the nuclear and the spectral norm).  From all singular
 * values, never from an iteration that could stop below.  Collective; overwrites the workspace of a
 * step. */
double gcnn_dual_bound(gcnn *m, const double *multipliers);

/* How near the filters, and beta, are to a stationary point of the margin problem.
 *   residual      min over a >= 0 of ||w - sum_i a_i y_i grad_w f(x_i)|| / ||w||, over the samples
 *                 with margin up to 1.01 of the smallest, in the Plancherel metric
 *   slack         sum_i a_i (margin_i / smallest - 1) / sum_i a_i
 *   stationarity  with these a, M = sum_i a_i y_i X_i, B = U S V^H on its numerical rank and
 *                 q = 1/2 - p/4: ||S^q U^H M V S^q - c S^(p/2)|| / ||c S^(p/2)||, one c for all
 *                 irreps, the best; zero where M is c times the gradient of S_p^p / p
 *   excess        depth 2: how far ||M||_2 off those row and column spaces is above c, over c
 * NaN where some margin is not positive, or c is not.
 *
 * After m->sigma (rank 0) and m->beta are known.  Collective; overwrites the workspace of a step.
 * multipliers: [N], a_i, zero off the active samples.  Matrices on grids are gathered on the first
 * rank of theirs.  PL_NUMERIC: no singular vectors. */
pl_status gcnn_kkt_observe(gcnn *m, double parameter_norm2, double *multipliers, gcnn_kkt *out);

/* How irreps are placed on a team, and how large stacks may be. */
pl_mapping *gcnn_map(const pl_spec *spec, const pl_group *g, int team, const pl_rates *rates,
                     int64_t samples);
int64_t gcnn_stack_doubles(const pl_spec *spec, int64_t samples);
void gcnn_cost(const pl_spec *spec, int team, const pl_rates *rates, pl_cost *out);
void gcnn_explain(const pl_spec *spec, int team, const pl_rates *rates);

#endif
