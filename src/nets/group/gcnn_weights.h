/* Weights of the linear G-CNN in and out (model/model.h): checkpoints, and files of filters. */
#ifndef PL_NETS_GROUP_GCNN_WEIGHTS_H
#define PL_NETS_GROUP_GCNN_WEIGHTS_H

#include "gcnn_net.h"

/* Spectra in packed order, and functions over G element by element. */
extern const pl_transfer gcnn_weights, gcnn_functions;

pl_status gcnn_save(pl_model *model, const char *path, const pl_attribute *attributes, int num);

#endif
