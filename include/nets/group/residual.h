/* Residual and momentum networks in Fourier space.
 *
 * X_0 = I, V_0 = 0, and irrep by irrep  V_(k+1) = gamma V_k + (1 - gamma) s Theta_k X_k,
 * X_(k+1) = X_k + V_(k+1), k = 0..N-1;  f(x) = <x, beta> with B = X_N.  gamma 0 is a residual
 * network; tied: all layers share one Theta.  The adjoint, with P = (1 - gamma) s dLoss/dV and E =
 * dLoss/dX:  P_(k+1) = gamma P_(k+2) + (1 - gamma) s E_(k+1),  dLoss/dTheta_k = P_(k+1) X_k^H,
 * E_k = E_(k+1) + Theta_k^H P_(k+1).
 *
 * model.store: all keeps X_1 .. X_N; reversible keeps X_N and V_N in fixed point and runs the
 * recursion backwards to the last bit (base/reversible.h).  Sander, Ablin, Blondel, Peyre, ICML
 * 2021 (arXiv:2102.07870).  The page: src/nets/group/residual.md. */
#ifndef PL_NETS_GROUP_RESIDUAL_H
#define PL_NETS_GROUP_RESIDUAL_H

#include "model/model.h"

extern const pl_model_kind pl_residual;

#endif
