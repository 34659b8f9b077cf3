/* Keys of the outer loop and of its tasks, and the structs that hold the values. */
#ifndef PL_NETS_META_KEYS_H
#define PL_NETS_META_KEYS_H

#include "nets/inner.h"

enum { METHOD_IMAML, METHOD_MAML, METHOD_FOMAML, METHOD_REPTILE, METHOD_NONE };
enum { SOLVER_GD, SOLVER_NEWTON_CG, SOLVER_LBFGS };
enum { OPERATOR_PAPER, OPERATOR_DAMPED };

/* Of the network (place PL_IN_NETWORK). */
typedef struct meta_values {
  pl_inner_values inner; /* first */
  int64_t method, solver, operator_kind;
  int64_t inner_steps, cg_steps;
  double lambda, inner_lr, damping; /* lambda NaN: lambda_of */
} meta_values;

/* Of its tasks (place PL_IN_DATA). */
typedef struct meta_data_values {
  int64_t shots, queries, ways, classes, rotations, dimension, translates;
  double condition, spread;
  const char *path, *labels, *group;
  pl_texts irreps;
} meta_data_values;

_Static_assert(sizeof(meta_values) <= PL_VALUES && sizeof(meta_data_values) <= PL_VALUES,
               "a run has room for an owner's values");

static inline const meta_values *meta_values_of(const pl_spec *spec) {
  return (const meta_values *)(const void *)spec->network_values;
}
static inline const meta_data_values *meta_data_of(const pl_spec *spec) {
  return (const meta_data_values *)(const void *)spec->data_values;
}

/* meta.lambda, or the method's own: 2 for imaml, 0 (no pull) for the others.  Pure. */
double meta_lambda(const pl_spec *spec);

#define DATA_FIELD(member) offsetof(meta_data_values, member)
enum { DATA_DRAWN = PL_DATA | PL_RESULTS, DATA_ALL = PL_COST | PL_DATA | PL_RESULTS };

/* Tables: meta.* but meta.inner; meta.tasks, train.shuffle, epochs, record.every_epoch;
 * data.samples, data.validation, data.test, numbers of tasks. */
extern const pl_keys meta_keys, meta_batch_keys, meta_size_keys;

#endif
