/* What optimisers and checkpoints ask of a network over the elements (model/model.h).  Its
 * functions are the blocks themselves. */
#ifndef PL_NETS_GROUP_ELEMENTS_BLOCK_H
#define PL_NETS_GROUP_ELEMENTS_BLOCK_H

#include "elements_net.h"

void elements_prepare_optimiser(elements_net *m);
void elements_block_sum(pl_model *model, int p, double *x, int64_t n);
void elements_block_polar(pl_model *model, int p, double *a);

extern const pl_transfer elements_weights;

#endif
