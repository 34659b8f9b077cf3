/* f(x) = <w, x> with logistic loss on Gaussian x whose label is the sign of x_0 + noise. */
#ifndef PL_NETS_EXAMPLE_PERCEPTRON_H
#define PL_NETS_EXAMPLE_PERCEPTRON_H

#include "model/model.h"

extern const pl_data_kind pl_data_line;
extern const pl_model_kind pl_perceptron;

#endif
