/* Parameter blocks of the linear G-CNN, and what optimisers ask of them (model/model.h). */
#ifndef PL_NETS_GROUP_GCNN_BLOCK_H
#define PL_NETS_GROUP_GCNN_BLOCK_H

#include "gcnn_net.h"

/* The list of blocks: of each filter w1..wL its stacks.  And what some optimisers need: layers as
 * functions over G, polar factors.  w must be there. */
void gcnn_list_params(gcnn *m);
void gcnn_prepare_optimiser(gcnn *m);

void gcnn_block_sum(pl_model *model, int p, double *x, int64_t n);
void gcnn_block_polar(pl_model *model, int p, double *a);

#endif
