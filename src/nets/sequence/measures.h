/* What is recorded of a pointer network.  Inside this room only. */
#ifndef PL_NETS_SEQUENCE_MEASURES_H
#define PL_NETS_SEQUENCE_MEASURES_H

#include "network.h"
#include "nets/irreps.h"

/* Sums over instances of one size. */
typedef struct tally {
  double count, nll, right, valid, quality, length, reference;
} tally;
enum { TALLY_NUMBERS = sizeof(tally) / sizeof(double) };

/* Sums over the recorded samples of a part, in out[sizes]: those of s->size of the test part, else
 * one.  Collective. */
void tally_part(pl_net *net, pl_part part, tally *out);

/* What axes and `wanted` read. */
typedef struct pointer_context {
  pl_irrep_context irreps; /* first; S_n of the policy's spectrum, or no group */
  source head;
  char *sizes; /* key of the axis */
} pointer_context;

/* Points of the instances whose policy is transformed; 0: none is.  Pure. */
int policy_points(const pl_spec *spec, const source *s);
/* Are relabelled outputs right outputs, so that a violation says something?  Pure. */
bool relabel_wanted(const pl_spec *spec, const source *s);

/* Everything of one record beyond pl_net_record. */
typedef struct measures measures;
struct measures {
  tally test[MOST_SIZES];
  pl_node **node; /* [num_weights] */
  const pl_group *group;
  pl_irrep_energies *energies;
  int64_t irreps;
  double *f, *energy, *policy, *violation; /* [3 |G|]; [irreps] each */
};

/* Of a net whose weights and source are there; to be freed either way.  Local. */
pl_status measures_new(const pl_net *net, measures **out);
void measures_free(measures *m); /* may be NULL */

/* The state of a record. */
typedef struct pointer_record {
  pl_net_record net; /* first */
  const pl_net *own;
  double relabel;
} pointer_record;

/* The part that samples beyond the tallies come from: test, or training. */
pl_part sampled_part(const pl_net *net);
/* Largest |log p(sigma pi | sigma P) - log p(pi | P)|.  Collective. */
double relabel_violation(pl_net *net);
/* m->policy and m->violation.  Collective. */
void policy_spectra(pl_net *net);
/* An instance with its points in another order, (sigma P)_sigma(j) = P_j, and its output likewise;
 * sigma from 0.  x, output: room for them. */
problem relabelled(const problem *p, int coordinates, const int *sigma, double *x, int *output);
/* A permutation of 0..n-1 by number `index` of the seed. */
void draw_relabelling(uint64_t seed, int64_t index, int n, int *sigma);

#endif
