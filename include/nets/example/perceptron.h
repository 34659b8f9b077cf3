/* f(x) = <w, x>, logistic loss, on Gaussian x labelled by the sign of x_0. */
#include "nets/net.h"

extern const pl_data_kind pl_data_line;
extern const pl_net_kind pl_perceptron;
