/* tensor-linear: f(x) = <w_L, A_(L-1) .. A_1 x> on n x n matrices, each A_l commuting with S_n.
 * Inside this room only.
 *
 * In an isotypic basis (isotypic.h) x is an m x d matrix X for each irrep, A_l an m x m matrix, and
 *   f(x) = <beta, x> = sum_rho tr(beta_rho^T X_rho),  beta_rho = A_1^T .. A_(L-1)^T w_rho.
 * The parameters are coordinates in an orthonormal basis of the maps: A_l = theta_l / sqrt(d),
 * since A stands d times in the operator.  Of all theta, w with one beta the least norm is sum_l
 * ||theta_l||^2 + ||w||^2 = L sum_rho d^((L-1)/L) sum_j sigma_j(beta_rho)^(2/L) = L S_p^p, p = 2/L:
 * the product theta_(L-1) .. theta_1 w is d^((L-1)/2) beta, and the least sum of squares of L
 * factors of a matrix is L times the sum of its sigma^(2/L). */
#ifndef PL_NETS_TENSOR_LINEAR_H
#define PL_NETS_TENSOR_LINEAR_H

#include "isotypic.h"
#include "network.h"

/* The samples in isotypic coordinates, for own->more. */
typedef struct linear_data {
  isotypic *basis;
  double *x[PL_NUM_PARTS]; /* for each irrep, one after the other: [samples][m d] */
  double bound;            /* depth 2: the least found so far; 0: none yet */
} linear_data;

static inline linear_data *linear_data_of(const pl_net *net) {
  return tensor_own_of(net)->more;
}
static inline const isotypic *linear_basis(const pl_net *net) {
  return linear_data_of(net)->basis;
}
/* Samples of part `part` at irrep number k. */
static inline const double *linear_x(const pl_net *net, pl_part part, int k) {
  return linear_data_of(net)->x[part] + net->count[part] * linear_basis(net)->part[k].first;
}

/* Points of all samples of the run; 0: they differ, or cannot be read.  Local. */
int linear_points(const pl_spec *spec);
/* Nodes of beta, [m][d] for each irrep. */
void linear_beta(const pl_net *net, pl_tape *t, pl_node *const *w, pl_node **beta);
/* f of samples x [count][m d], an array for each irrep: [count][1]. */
pl_node *linear_outputs(const pl_net *net, pl_tape *t, pl_node *const *beta, int64_t count,
                        const double *const *x);

/* The state of a record. */
typedef struct linear_record {
  pl_net_record first;
  double min_margin, norm, sum; /* sum: of d^((L-1)/L) sigma^p of beta over its norm */
  double kkt_residual, kkt_slack;
  double energy[4], rank[4]; /* of each irrep */
} linear_record;
pl_status linear_observe(pl_net *net, void *state);
pl_status linear_axes(const pl_spec *spec, pl_axis *axes, int *num, void **context,
                      void (**free_context)(void *));
extern const pl_measures linear_measures;
/* f of all samples of a part at the present weights, on the tape; beta: an array for each irrep. */
pl_node *linear_outputs_at(pl_net *net, pl_tape *t, pl_part part, pl_node **beta);
void linear_metrics(pl_net *net, pl_part part, double *metric);

#endif
