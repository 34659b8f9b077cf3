/* Linear G-CNN of any depth, trained wholly in Fourier space.
 *
 * f(x) = <x, beta>, B_rho = W_L .. W_1 irrep by irrep; dLoss/dW_l = S_l^H R P_l^H with prefix
 * products P_l = W_(l-1) .. W_1, suffix products S_l = W_L .. W_(l+1), and R = -sum_i a_i y_i X_i
 * the Fourier matrix of dLoss/dbeta.  Lawrence et al., ICML 2022 (arXiv:2110.06084). */
#ifndef PL_NETS_GROUP_GCNN_H
#define PL_NETS_GROUP_GCNN_H

#include "model/model.h"

extern const pl_model_kind pl_gcnn;

#endif
