/* Optimisers, written block by block against model/model.h.  A new one is one row in the table of
 * src/model/optim.c. */
#ifndef PL_MODEL_OPTIM_H
#define PL_MODEL_OPTIM_H

#include "model/model.h"

typedef struct pl_optim pl_optim;

/* Word i of optimizer.kind; NULL past the last. */
const char *pl_optim_name(int i);
/* Bytes of state on a rank that holds `doubles` weights. */
double pl_optim_bytes(const pl_spec *spec, double doubles);

/* State for the model's blocks; spec and model are borrowed.  Local. */
pl_optim *pl_optim_new(const pl_spec *spec, const pl_model *model);
void pl_optim_free(pl_optim *o);

/* log of the learning rate of step t (from 0): lr * factor^floor((t+1)/every).  Pure. */
double pl_log_lr(const pl_spec *spec, int64_t t);
/* The update of step t, to hand to the model's step.  Borrowed. */
pl_update *pl_optim_step(pl_optim *o, int64_t t);

/* State arrays for checkpoints: num arrays per block, each shaped like the block's weights on this
 * rank (p->n doubles); name says which.  Borrowed. */
int pl_optim_num_states(const pl_optim *o);
const char *pl_optim_state_name(const pl_optim *o, int s);
double *pl_optim_state(pl_optim *o, int s, int p);

#endif
