/* Spectral analysis of rankings of first and second order (Diaconis, A generalization of spectral
 * analysis with application to ranked data, Annals of Statistics 17, 1989), by counting: for any n,
 * without a transform.
 *
 * P_lambda f: the part of f on the irrep lambda.  An effect is the inner product over S_n of
 * P_lambda f with the indicator of an event, N = sum f, M(i, j) = ballots that give item i rank j:
 *   first      (n-1,1):   item a at rank j
 *                         M(a,j) - N/n
 *   unordered  (n-2,2):   items {a, b} at ranks {j, k}, n >= 4; U: ballots that do
 *                         U - (M(a,j) + M(a,k) + M(b,j) + M(b,k)) / (n-2) + 2N / ((n-1)(n-2))
 *   ordered    (n-2,1,1): a at j and b at k, n >= 3; O(a,b): ballots that do
 *                         (O(a,b) - O(b,a) - (M(a,j) - M(a,k) - M(b,j) + M(b,k)) / n) / 2,
 *                         antisymmetric in a, b and in j, k: a at j and b at k, not the reverse
 * An open ballot (group/rankings.h) counts in N, M, U, O as the mean of its linear extensions: in a
 * tie of b items each place has each of them 1/b of the time, two places two of them 1/(b (b-1)).
 *
 * sd: of an effect if items were drawn uniformly for ballots with ties of the same sizes; z is an
 * effect over its sd, its mean is 0.  For N strict ballots the variance is N p q: p the probability
 * of the event, q = d / (number of events with these ranks) = the share of its indicator on lambda.
 * norm2 has the mean N d; in general that of pl_rankings_means, with l ties, g of them of two items
 * or more: sum of l - 1, l(l-1)/2 + g - l, (l-1)(l-2)/2. */
#ifndef PL_GROUP_EFFECTS_H
#define PL_GROUP_EFFECTS_H

#include "group/rankings.h"

enum { PL_EFFECT_FIRST, PL_EFFECT_UNORDERED, PL_EFFECT_ORDERED, PL_NUM_EFFECTS };

typedef struct pl_effect {
  int item[2], rank[2]; /* from 0; the second of each: pairs only */
  double value, z;
} pl_effect;

typedef struct pl_effects {
  double *marginal;             /* M: [n][n], item, rank */
  double norm2[PL_NUM_EFFECTS]; /* squared Frobenius norm of F_lambda; 0 where n is too small */
  double mean2[PL_NUM_EFFECTS]; /* its mean for ballots drawn uniformly */
  double *sd[PL_NUM_EFFECTS];   /* by rank(s): first [n]; the others [n][n], j < k */
  int num[PL_NUM_EFFECTS];      /* of largest, at most top */
  pl_effect *largest[PL_NUM_EFFECTS]; /* by decreasing |value|, none 0; ordered: value > 0 */
} pl_effects;

/* All effects; the largest top of each kind are kept.  Takes n^2/2 passes over the strict orders,
 * and n^2 steps for each open one.  The caller frees it (pl_effects_free). */
pl_effects *pl_effects_new(const pl_rankings *r, int top);
void pl_effects_free(pl_effects *e);

/* Does the kind exist for n items?  Its irrep lambda as "3,1,1", and d. */
int pl_effect_exists(int kind, int n);
void pl_effect_irrep(int kind, int n, char *buf, size_t size);
double pl_effect_dim(int kind, int n);
/* Variance of an effect of one ballot whose items are drawn uniformly, where p items are tied at
 * rank j and q at rank k; first-order effects: q is not used; q = 0: j and k lie in the same tie.
 */
double pl_effect_variance(int kind, int n, int p, int q);

#endif
