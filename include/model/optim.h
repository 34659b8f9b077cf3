/* Optimisers, written block by block against model/model.h.  A new one is one row in the table of
 * src/model/optim.c.
 *
 * c are coordinates in which the inner product is Euclidean (filter values over G, or sqrt(weight)
 * times the Fourier entries), g the gradient there, lr the learning rate.
 *   gd        c -= lr g
 *   ngd       c -= lr g / ||g||
 *   momentum  u = momentum u + g;  c -= lr u  (Polyak's heavy ball)
 *   adagrad   v += g^2;  c -= lr g / sqrt(epsilon + v)
 *   rmsprop   v = beta2 v + (1 - beta2) g^2;  c -= lr g / sqrt(epsilon + v)
 *   adam      u = beta1 u + (1 - beta1) g, v as rmsprop, both divided by 1 - beta^t;
 *             c -= lr u / sqrt(epsilon + v)
 *   muon      u = momentum u + g;  W_rho -= lr U V^H for u_rho = U S V^H, irrep by irrep
 * epsilon stands inside the root as in Wang, Meng, Chen, Liu (ICML 2021, arXiv:2012.06244); common
 * libraries write sqrt(v) + epsilon: optimizer.epsilon_inside false.
 *
 * optimizer.granularity makes g^2 in v its mean over the numbers stored of each (layer, irrep), or
 * over everything; then the domain no longer matters.  Below optimizer.freeze_loss the conditioner
 * h = 1/sqrt(epsilon + v) is kept, momentum is dropped, and c -= lr h g / ||h g||: what the step
 * tends to, up to its length, once g^2 << epsilon, and exact in log space however small the loss.
 */
#ifndef PL_MODEL_OPTIM_H
#define PL_MODEL_OPTIM_H

#include "model/model.h"

typedef struct pl_optim pl_optim;

/* Word i of optimizer.kind; NULL past the last. */
const char *pl_optim_name(int i);
/* Does the optimiser of spec work on functions over G (pl_update.over_group)?  Pure. */
bool pl_optim_over_group(const pl_spec *spec);
/* Does it take polar factors (pl_model_kind.block_polar)?  Pure. */
bool pl_optim_polar(const pl_spec *spec);
/* Does it need two passes over the data, at some time?  Pure. */
bool pl_optim_two_passes(const pl_spec *spec);
/* Bytes of state on a rank that holds `doubles` weights. */
double pl_optim_bytes(const pl_spec *spec, double doubles);

/* State for the model's blocks; spec and model are borrowed.  Local. */
pl_optim *pl_optim_new(const pl_spec *spec, pl_model *model);
void pl_optim_free(pl_optim *o);

/* log of the learning rate of step t (from 0): lr * factor^floor((t+1)/every).  Pure. */
double pl_log_lr(const pl_spec *spec, int64_t t);
/* The update of step t, to hand to the model's step.  Borrowed. */
pl_update *pl_optim_step(pl_optim *o, int64_t t);

/* State arrays for checkpoints: num arrays per block, each shaped like the block's weights on this
 * rank (p->n doubles); name says which.  The blocks are the model's params, or its functions where
 * pl_optim_over_group.  Borrowed. */
int pl_optim_num_states(const pl_optim *o);
const char *pl_optim_state_name(const pl_optim *o, int s);
double *pl_optim_state(pl_optim *o, int s, int p);

#endif
