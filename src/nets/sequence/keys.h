/* Keys of pointer networks and of their data, and the structs that hold the values. */
#ifndef PL_NETS_SEQUENCE_KEYS_H
#define PL_NETS_SEQUENCE_KEYS_H

#include "nets/net.h"

enum { ENCODER_LSTM, ENCODER_SET };
enum { ATTENTION_POINTER, ATTENTION_SEQ2SEQ, ATTENTION_NONE };
enum { DECODE_GREEDY, DECODE_BEAM };
enum { CANONICAL_INDEX, CANONICAL_GEOMETRY };

/* Of the network (place PL_IN_NETWORK). */
typedef struct pointer_values {
  pl_net_values net; /* first */
  int64_t encoder, width, depth, attention;
  double init_scale;
  int64_t decode, beam, mask;
  int64_t relabel, policy; /* samples of record.relabel, record.policy */
} pointer_values;

/* Of its data (place PL_IN_DATA). */
typedef struct sequence_data_values {
  const char *points; /* "10", "5..20" */
  pl_ints test_points;
  int64_t canonical;
  const char *path;
} sequence_data_values;

_Static_assert(sizeof(pointer_values) <= PL_VALUES && sizeof(sequence_data_values) <= PL_VALUES,
               "a run has room for an owner's values");

static inline const pointer_values *pointer_values_of(const pl_spec *spec) {
  return (const pointer_values *)(const void *)spec->network_values;
}
static inline const sequence_data_values *sequence_data_of(const pl_spec *spec) {
  return (const sequence_data_values *)(const void *)spec->data_values;
}

extern const pl_keys pointer_keys;

#endif
