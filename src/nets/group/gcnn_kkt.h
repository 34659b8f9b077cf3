/* Optimality conditions of the margin problem at the filters of the linear G-CNN, and at beta. */
#ifndef PL_NETS_GROUP_GCNN_KKT_H
#define PL_NETS_GROUP_GCNN_KKT_H

#include "gcnn_net.h"

/* How near the filters, and beta, are to a stationary point of the margin problem.
 *   residual      min over a >= 0 of ||w - sum_i a_i y_i grad_w f(x_i)|| / ||w||, over the samples
 *                 with margin up to 1.01 of the smallest, in the Plancherel metric
 *   slack         sum_i a_i (margin_i / smallest - 1) / sum_i a_i
 *   stationarity  with these a, M = sum_i a_i y_i X_i, B = U S V^H on its numerical rank and
 *                 q = 1/2 - p/4: ||S^q U^H M V S^q - c S^(p/2)|| / ||c S^(p/2)||, one c for all
 *                 irreps, the best; zero where M is c times the gradient of S_p^p / p
 *   excess        depth 2: how far ||M||_2 off those row and column spaces is above c, over c
 * NaN where some margin is not positive, or c is not. */
typedef struct gcnn_kkt {
  double residual, slack, stationarity, excess;
} gcnn_kkt;

/* After m->sigma (rank 0) and m->beta are known.  Collective; overwrites the workspace of a step.
 * multipliers: [N], a_i, zero off the active samples.  Matrices on grids are gathered on the first
 * rank of theirs.  PL_NUMERIC: no singular vectors. */
pl_status gcnn_kkt_observe(gcnn *m, double parameter_norm, double *multipliers, gcnn_kkt *out);

#endif
