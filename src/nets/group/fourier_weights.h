/* Weights of networks of filters in and out (model/model.h): checkpoints, and files of filters. */
#ifndef PL_NETS_GROUP_FOURIER_WEIGHTS_H
#define PL_NETS_GROUP_FOURIER_WEIGHTS_H

#include "fourier_net.h"

/* Spectra in packed order, and functions over G element by element. */
extern const pl_transfer fourier_weights, fourier_functions;

pl_status fourier_save(pl_model *model, const char *path, const pl_attribute *attributes, int num);

#endif
