/* Keys of the networks on points and of their data, and the structs that hold the values. */
#ifndef PL_NETS_POINTS_KEYS_H
#define PL_NETS_POINTS_KEYS_H

#include "nets/net.h"

enum { LOSS_SQUARE, LOSS_ABSOLUTE, LOSS_LOGISTIC };
enum { VELOCITY_INITIAL, VELOCITY_UPDATED };
enum { FORM_SQUARE, FORM_ROOT, FORM_TANH };
enum { AUGMENT_TRIVIAL, AUGMENT_INVERSION, AUGMENT_MIRRORS, AUGMENT_ROTATIONS, AUGMENT_OCTAHEDRAL };
enum { GRAPH_ERDOS_RENYI, GRAPH_COMMUNITY };

/* Of a network (place PL_IN_NETWORK). */
typedef struct points_values {
  pl_net_values net; /* first */
  int64_t depth, width, attention, velocity, form, noise, loss, record_defect;
  double init_scale, gain, shrink;
} points_values;

/* Of its data (place PL_IN_DATA). */
typedef struct points_data_values {
  int64_t nodes, test_nodes, dimension, augment; /* test_nodes PL_UNSET: as nodes */
  int64_t input, output;                         /* snapshots */
  int64_t graph, nodes_min, nodes_max;
  double p, p_between;
  const char *path, *initial;
  int64_t property;
} points_data_values;

_Static_assert(sizeof(points_values) <= PL_VALUES && sizeof(points_data_values) <= PL_VALUES,
               "a run has room for an owner's values");

static inline const points_values *points_values_of(const pl_spec *spec) {
  return (const points_values *)(const void *)spec->network_values;
}
static inline const points_data_values *points_data_of(const pl_spec *spec) {
  return (const points_data_values *)(const void *)spec->data_values;
}

#define DATA_FIELD(member) offsetof(points_data_values, member)
enum { DATA_DRAWN = PL_DATA | PL_RESULTS, DATA_ALL = PL_COST | PL_DATA | PL_RESULTS };

/* Tables: of layers, of egnn, of radial, of gnn-points, of those that move points, and of all. */
extern const pl_keys points_layer_keys, points_egnn_keys, points_radial_keys, points_gnn_keys,
    points_move_keys, points_common_keys;
/* data.augment, for systems of particles. */
extern const pl_keys points_augment_keys;

#endif
