/* What is recorded of a linear functional beta, a network's own or its linearisation at a sample:
 * the state that all networks on groups share, its measures and the axes they stand on.
 * functional.c fills the state, functional_measures.c holds the table, functional_axes.c the axes.
 */
#ifndef PL_NETS_GROUP_FUNCTIONAL_H
#define PL_NETS_GROUP_FUNCTIONAL_H

#include "model/data.h"
#include "model/measure.h"
#include "nets/group/keys.h"
#include "spectral/spectrum.h"

/* Singular values above PL_RANK times the largest of all irreps count as rank, values of beta
 * above PL_SUPPORT times its largest as support. */
static const double PL_RANK = 1e-3, PL_SUPPORT = 1e-3;

/* The state of one functional at one record; a network's own state begins with it.  All pointers
 * are borrowed. */
typedef struct pl_functional {
  const pl_spec *spec;
  const pl_group *group;
  int depth;
  int64_t num_samples;
  const double *margin;          /* [num_samples] */
  double log_square;             /* log of the loss, of loss square only */
  const double *objective;       /* [2]: it and its log, where the loss is not the task's alone */
  double accuracy[PL_NUM_PARTS]; /* of the validation and the test part, where there is one */
  const int64_t *sv_start;       /* [irreps + 1]: first singular value of an irrep */
  const double *sigma;       /* [sv_start[irreps]]: singular values of B, decreasing per irrep */
  const double *full;        /* [|G|]: beta over G, if recorded */
  const double *orientation; /* [irreps], if recorded */
  double p;                  /* 2/L */
  /* Squares of beta can leave the range of doubles where beta does not, and beta itself at great
   * depth.  Then sigma, full, norm, real_sum and scaled_margin are those of 2^shift beta; else
   * shift is 0, and scaled_margin the margins. */
  int shift;
  const double *scaled_margin; /* [num_samples] */
  double norm;                 /* ||beta||_2 over G */
  double parameter_norm; /* sqrt(sum_l ||w_l||^2), and its square, which may be out of range */
  double parameter_norm2;
  double real_sum;             /* sum_g |beta(g)|^p */
  double sum, sum_thresholded; /* sum m d sigma^p, sigma of normalised beta: pl_functional_sums */
  double linf;                 /* largest |w_l(g)| */
  double support;              /* number of g where |beta| is above PL_SUPPORT of its largest */
} pl_functional;

/* ---- the state ---- */

/* sum of m d sigma^q over irrep i, and over all of them, sigma of normalised beta; thresholded:
 * only sigma > d eps sigma_1, the rest being rounding noise.  NaN if some sigma is.  Local, pure.
 */
double pl_functional_irrep_sum(const pl_functional *s, int64_t i, double q, bool thresholded);
double pl_functional_sum(const pl_functional *s, double q, bool thresholded);
/* Fill sum and sum_thresholded from the singular values.  Local, pure. */
void pl_functional_sums(pl_functional *s);

/* x over the squared norm of all weights; ||beta||^q; both where squares would be out of range,
 * too.
 */
double pl_functional_over_norm2(const pl_functional *s, double x);
double pl_functional_norm_power(const pl_functional *s, double q);
/* The power of two that brings a norm near 1; 0 where there is nothing to scale. */
int pl_functional_shift(double norm);

/* [irreps + 1]: where the singular values of each irrep start; owned by the caller. */
int64_t *pl_functional_starts(const pl_group *g);
/* Most singular values of a stack on this rank. */
int64_t pl_functional_most_values(const pl_layout *l);
/* Where a functional's spectrum comes from, stack by stack: this rank's part of b, valid until the
 * next one is asked for.  Asked for where b->here. */
typedef struct pl_stack_source {
  const double *(*stack)(void *of, const pl_stack *b);
  void *of;
} pl_stack_source;
/* That of a spectrum in memory. */
pl_stack_source pl_stack_source_of(const double *F);
/* Singular values of every irrep of beta into sigma on rank 0 of the team (others: workspace).
 * copy: l->scratch doubles; values: pl_functional_most_values.  Collective.  PL_NUMERIC: some are
 * NaN. */
pl_status pl_functional_spectrum(const pl_layout *l, pl_stack_source beta, const int64_t *sv_start,
                                 pl_spectrum_svd *svd, double *copy, double *values, double *sigma);
/* Signs of the one-dimensional real irreps of beta into sign[irreps] on rank 0 of the team (others:
 * workspace), NaN at the other irreps.  Collective. */
void pl_functional_orientation(const pl_layout *l, pl_stack_source beta, double *sign);

/* ---- its measures ---- */

/* What a schema's coordinates and `wanted` read. */
typedef struct pl_functional_context {
  pl_group *group;
  pl_spec spec;
  int64_t *sv_irrep; /* irrep of a singular value; only if recorded */
} pl_functional_context;

/* Of every network on groups; and of those that are homogeneous of degree `depth` in their weights,
 * whose Schatten values are at p = 2/depth. */
extern const pl_measures pl_functional_measures, pl_product_measures;
/* The loss without regularisers. */
double pl_functional_task_loss(const pl_functional *s);
/* Functions of rows of it, for a network's own measures. */
void pl_functional_beta_norm(const void *state, double *out);
void pl_functional_schatten(const void *state, double *out);
void pl_functional_schatten_thresholded(const void *state, double *out);
void pl_functional_schatten_real(const void *state, double *out);
void pl_functional_normalized_margin(const void *state, double *out);
/* pl_model_kind's judge: separated if the smallest margin is positive; converged by the words of
 * pl_functional_convergence. */
pl_verdict pl_functional_judge(const pl_schema *schema, const double *record);
extern const char pl_functional_convergence[];
void pl_functional_schatten_at(const void *state, double *out);
void pl_functional_fourier_rank(const void *state, double *out);
void pl_functional_irrep_rank(const void *state, double *out);
/* Does record.elements hold for this group?  Never for a band.  Does record.irreps?  Pure. */
bool pl_functional_elements(const pl_spec *spec, const pl_group *g);
bool pl_functional_irreps(const pl_spec *spec, const pl_group *g);

/* long_name of `tightness`, which each network computes in its own way. */
extern const char pl_functional_tightness[];
/* pl_model_kind's summary, reference and headline. */
extern const char pl_functional_summary[], pl_functional_reference[];
extern const char *const pl_functional_headline[];

/* ---- the schema ---- */

/* The wanted measures of tables (NULL-terminated) on the axes irrep, sv, element, sample, exponent,
 * and on a network's own, at most two, whose coordinates read a pl_functional_context.  g is the
 * schema's from now on.  Local; reads the data's file for the number of samples. */
void pl_functional_describe(const pl_spec *spec, pl_group *g, const pl_measures *const *tables,
                            const pl_axis *own, int num_own, pl_schema *out);

#endif
