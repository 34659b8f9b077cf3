/* What is recorded of a network: the table of observables, and the axes they stand on.  A network
 * hands in the state of one linear functional beta (its own, or its linearisation at a sample) and
 * gets the record. */
#ifndef PL_NETS_GROUP_FUNCTIONAL_H
#define PL_NETS_GROUP_FUNCTIONAL_H

#include "model/model.h"
#include "spectral/spectrum.h"

/* Singular values above PL_RANK times the largest of all irreps count as rank, values of beta
 * above PL_SUPPORT times its largest as support. */
static const double PL_RANK = 1e-3, PL_SUPPORT = 1e-3;

/* Which observables a network has: bits. */
typedef enum {
  PL_NET_GCNN = 1,      /* linear, in Fourier space: with certificates */
  PL_NET_LINEAR = 2,    /* linear, over the elements */
  PL_NET_NONLINEAR = 4, /* recorded: mean over the linearisations at the samples, and spread */
  PL_NET_ANY = 7
} pl_network;

/* Residuals of the optimality conditions: gcnn_internal.h. */
typedef struct gcnn_kkt {
  double residual, slack, stationarity, excess;
} gcnn_kkt;

/* The state of one record.  All pointers are borrowed. */
typedef struct pl_state {
  const pl_spec *spec;
  const pl_group *group;
  int depth;
  int64_t num_samples;
  const double *margin;         /* [num_samples] */
  const int64_t *sv_start;      /* [irreps + 1]: first singular value of an irrep */
  const double *sigma;          /* [sv_start[irreps]]: singular values of B, decreasing per irrep */
  const double *full;           /* [|G|]: beta over G, if recorded */
  double p;                     /* 2/L */
  double norm;                  /* ||beta||_2 over G */
  double parameter_norm2;       /* sum_l ||w_l||^2 */
  double least_parameter_norm2; /* PL_NET_LINEAR: the least that gives this beta */
  double real_sum;              /* sum_g |beta(g)|^p */
  double sum, sum_thresholded;  /* sum m d sigma^p, sigma of normalised beta: pl_observe_sums */
  double linf;                  /* largest |w_l(g)| */
  double support;               /* number of g where |beta| is above PL_SUPPORT of its largest */
  double live_samples;          /* samples at which a nonlinear network has a gradient */
  double test_accuracy;         /* share of fresh samples that the network puts on the right side */
  double dual_bound;            /* depth 2 */
  const double *orientation;    /* [irreps] */
  gcnn_kkt kkt;
} pl_state;

/* The schema of a run of spec.  Local. */
pl_status pl_observe_describe(const pl_spec *spec, pl_network network, pl_schema *out);
/* Does record.irreps hold for this group?  Pure. */
bool pl_records_irreps(const pl_spec *spec, const pl_group *g);

/* Fill sum and sum_thresholded from the singular values.  Local, pure. */
void pl_observe_sums(pl_state *s);
/* One record in the schema's order into out.  Local. */
void pl_observe_compute(const pl_schema *schema, const pl_state *s, double *out);
/* Entries of a record that are spreads (standard deviations) over linearisations take sqrt(var[k]),
 * the others keep their mean.  mean, var: schema->size doubles.  Local. */
void pl_observe_spread(const pl_schema *schema, double *mean, const double *var);

/* [irreps + 1]: where the singular values of each irrep start; owned by the caller. */
int64_t *pl_observe_starts(const pl_group *g);
/* Most singular values of a stack on this rank. */
int64_t pl_observe_most_values(const pl_layout *l);
/* Singular values of every irrep of the spectrum beta into sigma on rank 0 of the team (others:
 * workspace).  copy: l->scratch doubles; values: pl_observe_most_values.  Collective.  PL_NUMERIC:
 * some are NaN. */
pl_status pl_observe_spectrum(const pl_layout *l, const double *beta, const int64_t *sv_start,
                              pl_spectrum_svd *svd, double *copy, double *values, double *sigma);
/* Signs of the one-dimensional real irreps of a spectrum on rank 0 of the team, NaN at the others:
 * [irreps], owned by the caller.  Collective. */
double *pl_observe_orientation(const pl_layout *l, const double *beta);

#endif
