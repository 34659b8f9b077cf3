/* Keys of the networks on vectors and of their data, and the structs that hold the values. */
#ifndef PL_NETS_VECTOR_KEYS_H
#define PL_NETS_VECTOR_KEYS_H

#include "nets/blocks.h"

enum { LOSS_SOFTMAX, LOSS_SQUARE, LOSS_LOGISTIC };
enum { POOLING_NONE, POOLING_MAX, POOLING_MEAN };
enum { HEAD_FLATTEN, HEAD_MEAN };

/* Of a network (place PL_IN_NETWORK). */
typedef struct vector_values {
  pl_block_values base; /* first */
  int64_t depth, width, loss;
  double dropout;
  int64_t read_in, read_out;                              /* resmlp */
  double threshold;                                       /* unrolled */
  int64_t kernel, stride, padding, pooling, window, head; /* conv */
} vector_values;

/* Of its data (place PL_IN_DATA). */
typedef struct vector_data_values {
  int64_t classes, function, side, features, atoms;
  double noise, range, lambda;
  const char *path, *labels, *test_path, *test_labels;
  pl_ints digits;
} vector_data_values;

_Static_assert(sizeof(vector_values) <= PL_VALUES && sizeof(vector_data_values) <= PL_VALUES,
               "a run has room for an owner's values");

static inline const vector_values *vector_values_of(const pl_spec *spec) {
  return (const vector_values *)(const void *)spec->network_values;
}
static inline const vector_data_values *vector_data_of(const pl_spec *spec) {
  return (const vector_data_values *)(const void *)spec->data_values;
}

#define DATA_FIELD(member) offsetof(vector_data_values, member)
enum { DATA_DRAWN = PL_DATA | PL_RESULTS, DATA_ALL = PL_COST | PL_DATA | PL_RESULTS };

/* Tables: of one network each, model.dropout, loss. */
extern const pl_keys vector_mlp_keys, vector_conv_keys, vector_resmlp_keys, vector_unrolled_keys,
    vector_dropout_keys, vector_loss_keys;

#endif
