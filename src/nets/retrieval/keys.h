/* Keys of the retrieval network and of its data, and the structs that hold the values. */
#ifndef PL_NETS_RETRIEVAL_KEYS_H
#define PL_NETS_RETRIEVAL_KEYS_H

#include "nets/net.h"

enum { ENCODER_LINEAR, ENCODER_MLP };
enum { ACTIVATION_RELU, ACTIVATION_TANH };
enum { LOSS_LOGISTIC, LOSS_EXPONENTIAL };
enum { NEGATIVES_RANDOM, NEGATIVES_INBATCH, NEGATIVES_STATIC, NEGATIVES_STAR, NEGATIVES_ADORE };
enum { LISTS_MODEL, LISTS_BM25 };

/* Of the network (place PL_IN_NETWORK). */
typedef struct retrieval_values {
  pl_net_values net; /* first */
  int64_t encoder, depth, hidden, width, shared, alike, activation, loss;
  double init_scale;
  int64_t negatives, lists, top, first, cut, draws, refresh, warmup; /* cut PL_UNSET: none */
  double random_weight, margin;                                      /* margin NaN: none */
  const char *start;                                                 /* NULL: none */
} retrieval_values;

/* Of its data (place PL_IN_DATA). */
typedef struct retrieval_data_values {
  const char *path;
  int64_t n, documents, clusters, swaps, moves;
  double noise, noisy, noisy_noise;
} retrieval_data_values;

_Static_assert(sizeof(retrieval_values) <= PL_VALUES && sizeof(retrieval_data_values) <= PL_VALUES,
               "a run has room for an owner's values");

static inline const retrieval_values *retrieval_values_of(const pl_spec *spec) {
  return (const retrieval_values *)(const void *)spec->network_values;
}
static inline const retrieval_data_values *retrieval_data_of(const pl_spec *spec) {
  return (const retrieval_data_values *)(const void *)spec->data_values;
}

extern const pl_keys retrieval_keys;

#endif
