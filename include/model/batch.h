/* Minibatches.  Which samples a step takes follows from (seed, epoch) alone, by counter-based
 * numbers: the same on any number of ranks, and a resumed run needs no state of it. */
#ifndef PL_MODEL_BATCH_H
#define PL_MODEL_BATCH_H

#include "model/spec.h"

/* Samples of a step, the last of an epoch excepted: train.batch, or all n.  Pure. */
int64_t pl_batch_size(const pl_spec *spec, int64_t n);
/* Steps of an epoch over n samples; the last batch may be short.  Pure. */
int64_t pl_batch_count(const pl_spec *spec, int64_t n);
/* The order in which an epoch visits n samples: order[k], k < n, a permutation of 0..n-1; the
 * identity without train.shuffle.  Local, pure. */
void pl_batch_order(const pl_spec *spec, int64_t epoch, int64_t n, int64_t *order);
/* Steps of the run: steps, or epochs times the steps of one.  May read a file (pl_data_count).
 * Local. */
int64_t pl_run_steps(const pl_spec *spec);

#endif
