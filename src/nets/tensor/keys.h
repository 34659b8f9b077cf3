/* Keys of the tensor networks and of their data, and the structs that hold the values. */
#ifndef PL_NETS_TENSOR_KEYS_H
#define PL_NETS_TENSOR_KEYS_H

#include "nets/net.h"

enum { OUTPUT_INVARIANT, OUTPUT_EQUIVARIANT };
enum { ACTIVATION_SIGMOID, ACTIVATION_TANH, ACTIVATION_RELU };
enum { QUANTITY_DIAMETER, QUANTITY_ECCENTRICITY, QUANTITY_EIGENVECTOR };

/* Of a network (place PL_IN_NETWORK). */
typedef struct tensor_values {
  pl_net_values net;                           /* first */
  int64_t order, channels, output, activation; /* tensor */
  int64_t depth, loss, record_kkt;             /* tensor-linear */
  double init_scale;
} tensor_values;

/* Of its data (place PL_IN_DATA). */
typedef struct tensor_data_values {
  pl_ints sizes, test_sizes;
  int64_t quantity; /* PL_UNSET: the network's own */
  int64_t nodes;
  const char *path;
} tensor_data_values;

_Static_assert(sizeof(tensor_values) <= PL_VALUES && sizeof(tensor_data_values) <= PL_VALUES,
               "a run has room for an owner's values");

static inline const tensor_values *tensor_values_of(const pl_spec *spec) {
  return (const tensor_values *)(const void *)spec->network_values;
}
static inline const tensor_data_values *tensor_data_of(const pl_spec *spec) {
  return (const tensor_data_values *)(const void *)spec->data_values;
}

#define DATA_FIELD(member) offsetof(tensor_data_values, member)
enum { DATA_DRAWN = PL_DATA | PL_RESULTS, DATA_ALL = PL_COST | PL_DATA | PL_RESULTS };

extern const pl_keys tensor_keys, tensor_linear_keys;

#endif
