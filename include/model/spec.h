/* What one run is: the values of the keys that all runs share, and of those that its network, its
 * kind of data and its optimiser own, each in a struct of its own. */
#ifndef PL_MODEL_SPEC_H
#define PL_MODEL_SPEC_H

#include "base/status.h"
#include "model/key.h"

#include <math.h>
#include <stdalign.h>

struct pl_model_kind;
struct pl_data_kind;

enum { PL_SCHEDULE_LOG, PL_SCHEDULE_LINEAR };
enum { PL_BATCH_WHOLE = 0 }; /* train.batch */

/* Strings and lists are borrowed from the sweep configuration, here and in the owners' structs. */
typedef struct pl_common {
  const char *title;
  int64_t model_kind, data_kind, optimizer_kind; /* choices: resolved in pl_spec */
  int64_t seed, data_seed;                       /* data_seed PL_UNSET: as seed */
  int64_t steps, epochs;                         /* epochs at most 0: steps hold */
  double stop_loss;
  int64_t stop_patience;   /* records; 0: never */
  const char *stop_metric; /* NULL: the network's own */
  int64_t record_schedule, record_points, record_every_epoch;
  pl_ints record_steps;  /* n = 0: by schedule */
  pl_ints record_stages; /* earlier values of steps, or epochs */
  int64_t record_final, record_best;
  double checkpoint_every; /* minutes */
  int64_t checkpoint_keep;
  int64_t team; /* mapping.team; PL_UNSET: by measurement and size */
  /* Owned by those who name the table (model/spec.c): */
  int64_t samples, validation, test; /* data.*, of generated data */
  int64_t batch, shuffle;            /* train.* */
  int64_t record_spectrum;
  /* Owned by those who name a table of model/regularizer.h: */
  double bro, bro_p, gini, gini_power;
  int64_t gini_of;
} pl_common;

/* Room of an owner's struct. */
enum { PL_VALUES = 512 };

typedef struct pl_spec {
  pl_common common;
  const struct pl_model_kind *model;
  const struct pl_data_kind *data;
  alignas(max_align_t) char network_values[PL_VALUES];
  alignas(max_align_t) char data_values[PL_VALUES];
  alignas(max_align_t) char optimizer_values[PL_VALUES];
} pl_spec;

/* The struct that a place stands for. */
static inline void *pl_spec_place(pl_spec *spec, pl_key_place place) {
  switch (place) {
  case PL_IN_NETWORK:
    return spec->network_values;
  case PL_IN_DATA:
    return spec->data_values;
  case PL_IN_OPTIMIZER:
    return spec->optimizer_values;
  default:
    return &spec->common;
  }
}

/* The value of one row of a table in a run.  Borrowed. */
static inline const void *pl_spec_value(const pl_spec *spec, const pl_keys *table,
                                        const pl_key *key) {
  return (const char *)pl_spec_place((pl_spec *)(uintptr_t)spec, table->place) + key->field;
}

/* Does the run's final state stay in a checkpoint, from which more steps can go on? */
static inline bool pl_spec_keeps_state(const pl_spec *spec) {
  return spec->common.record_final || spec->common.checkpoint_keep;
}

/* The seed of the data: data.seed, or seed. */
static inline uint64_t pl_data_seed(const pl_spec *spec) {
  const pl_common *c = &spec->common;
  return (uint64_t)(c->data_seed == PL_UNSET ? c->seed : c->data_seed);
}

/* Tables for all runs and, beside them, for those that name them:
 *   sizes     data.samples, data.validation, data.test: kinds of data that are generated
 *   batches   train.batch, train.shuffle, epochs, record.every_epoch: networks that take
 * minibatches spectrum  record.spectrum */
extern const pl_keys pl_common_keys, pl_size_keys, pl_batch_keys, pl_spectrum_keys;

#endif
