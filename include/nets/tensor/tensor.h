/* Networks on matrices over n points that commute with every permutation of the points.  Formulas,
 * keys, names of weights: src/nets/tensor/README.md. */
#ifndef PL_NETS_TENSOR_TENSOR_H
#define PL_NETS_TENSOR_TENSOR_H

#include "nets/net.h"
#include "nets/tensor/data.h"

/* f(W) = sum_s H_s[sigma(F_s[W] + B_s)] + b */
extern const pl_net_kind pl_tensor;
/* <w_L, A_(L-1) .. A_1 x>, every A_l commuting with the permutations. */
extern const pl_net_kind pl_tensor_linear;

#endif
