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
 *   flow      c -= h g, h halved until the objective falls by at least 0.9 h ||g||^2, doubled after
 *             ten steps; the sum of h is the time of the flow (networks on a tape, whole batches)
 * epsilon stands inside the root as in Wang, Meng, Chen, Liu (ICML 2021, arXiv:2012.06244); common
 * libraries write sqrt(v) + epsilon: optimizer.epsilon_inside false.
 *
 * optimizer.granularity makes g^2 in v its mean over the numbers stored of each (layer, irrep), or
 * over everything; then the domain no longer matters.  Below optimizer.freeze_loss the conditioner
 * h = 1/sqrt(epsilon + v) is kept, momentum is dropped, and c -= lr h g / ||h g||: what the step
 * tends to, up to its length, once g^2 << epsilon, and exact in log space however small the loss.
 *
 * For all of them but flow: optimizer.weight_decay adds weight_decay * w to the gradient;
 * optimizer.clip then scales the whole gradient down to that norm where it is longer.  The learning
 * rate of step t (from 0, of `steps`) is lr * factor^floor((t+1)/every) times 1 (constant), (1 +
 * cos(pi t / steps)) / 2 (cosine), or min(1, (t+1) / warmup) (warmup). */
#ifndef PL_MODEL_OPTIM_H
#define PL_MODEL_OPTIM_H

#include "model/model.h"

enum { PL_DOMAIN_GROUP, PL_DOMAIN_FOURIER };
enum { PL_GRAIN_COORDINATE, PL_GRAIN_IRREP, PL_GRAIN_SCALAR };
enum { PL_LR_CONSTANT, PL_LR_COSINE, PL_LR_WARMUP };

/* Values of optimizer.* (place PL_IN_OPTIMIZER). */
typedef struct pl_optim_values {
  double lr, growth_factor;
  int64_t growth_every, schedule, warmup;
  double weight_decay, clip; /* 0: none */
  double freeze_loss;
  int64_t domain, granularity, epsilon_inside;
  double epsilon, beta1, beta2, momentum;
} pl_optim_values;

static inline const pl_optim_values *pl_optim_values_of(const pl_spec *spec) {
  return (const pl_optim_values *)(const void *)spec->optimizer_values;
}

typedef struct pl_optim pl_optim;

/* Word i of optimizer.kind, its meaning, and the tables of its keys (NULL-terminated); NULL past
 * the last. */
const char *pl_optim_name(int i);
const char *pl_optim_help(int i);
const pl_keys *const *pl_optim_keys(int i);

/* Does the optimiser of spec work on functions over G (pl_update.over_group)?  Pure. */
bool pl_optim_over_group(const pl_spec *spec);
/* Does it take polar factors (pl_model_kind.block_polar)?  Pure. */
bool pl_optim_polar(const pl_spec *spec);
/* Does it follow the gradient flow (pl_update.flow)?  Pure. */
bool pl_optim_flow(const pl_spec *spec);
/* Do its steps depend on how many there are (optimizer.schedule cosine)?  Pure. */
bool pl_optim_looks_ahead(const pl_spec *spec);
/* Does it need two passes over the data, at some time?  Pure. */
bool pl_optim_two_passes(const pl_spec *spec);
/* Bytes of state on a rank that holds `doubles` weights, the best ones with record.best included.
 */
double pl_optim_bytes(const pl_spec *spec, double doubles);

/* Moments for the model's blocks; spec and model are borrowed; steps: of the whole run.  Local. */
pl_optim *pl_optim_new(const pl_spec *spec, pl_model *model, int64_t steps);
void pl_optim_free(pl_optim *o);

/* log of the learning rate of step t (from 0) of steps.  Pure. */
double pl_log_lr(const pl_spec *spec, int64_t t, int64_t steps);
/* The update of step t, to hand to the model's step.  Borrowed. */
pl_update *pl_optim_step(pl_optim *o, int64_t t);

/* Moments, for checkpoints: num arrays per block, each shaped like the block's weights on this rank
 * (p->n doubles); name says which.  The blocks are the model's params, or its functions where
 * pl_optim_functions.  Borrowed. */
int pl_optim_num_moments(const pl_optim *o);
const char *pl_optim_moment_name(const pl_optim *o, int s);
double *pl_optim_moment(pl_optim *o, int s, int p);
bool pl_optim_functions(const pl_optim *o);

#endif
