/* Parameter blocks of networks of filters, and what optimisers ask of them (model/model.h). */
#ifndef PL_NETS_GROUP_FOURIER_BLOCK_H
#define PL_NETS_GROUP_FOURIER_BLOCK_H

#include "fourier_net.h"

/* The list of blocks: of each filter w1..wL its stacks.  And what some optimisers need: filters as
 * functions over G, polar factors.  w must be there. */
void fourier_list_params(fourier_net *m);
void fourier_prepare_optimiser(fourier_net *m);

void fourier_block_sum(pl_model *model, int p, double *x, int64_t n);
void fourier_block_polar(pl_model *model, int p, double *a);

#endif
