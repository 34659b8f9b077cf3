/* Keys of the networks on groups and of their data, and the structs that hold the values. */
#ifndef PL_NETS_GROUP_KEYS_H
#define PL_NETS_GROUP_KEYS_H

#include "group/group.h"
#include "model/loss.h"
#include "model/spec.h"

enum { PL_INNER_BAND, PL_INNER_GROUP };
enum { PL_POOLING_NONE, PL_POOLING_MEAN };
enum { PL_LAYER_FIRST, PL_LAYER_ALL };
enum { PL_INIT_GAUSSIAN, PL_INIT_UNIFORM, PL_INIT_FILE };
enum { PL_STORE_ALL, PL_STORE_REVERSIBLE };
enum { PL_LOSS_SQUARE = PL_LOSS_LOGISTIC + 1 }; /* beside the losses of model/loss.h */
enum { PL_SAMPLING_BOOTSTRAP, PL_SAMPLING_BLOCKS };

/* Of a network (place PL_IN_NETWORK). */
typedef struct pl_group_values {
  const char *group;
  int64_t band_codepth, band_inner; /* codepth PL_UNSET: the whole group */
  int64_t depth, pooling;
  int64_t channels;          /* gcnn; networks without the key have 0 */
  int64_t regularizer_layer; /* gcnn: PL_LAYER_* */
  int64_t tied, store;       /* residual */
  double gamma, model_scale; /* model_scale NaN: 1/depth */
  int64_t init_kind;
  double init_scale, init_readout_scale; /* read-out NaN: as init_scale */
  const char *init_path;
  int64_t loss;            /* model/loss.h */
  int64_t record_irreps;   /* 0, 1 or PL_UNSET: by the number of irreps */
  int64_t record_elements; /* 0, 1 or PL_UNSET: by the group's order */
  int64_t record_beta, record_kkt;
  int64_t record_weights; /* residual: 0, 1 or PL_UNSET: by the number of filters */
  pl_reals record_exponents;
  int64_t grid_min_dim, grid_block, grid_ranks; /* mapping.*; PL_UNSET: by measurement and size */
  int64_t data_store; /* PL_DATA_* of nets/group/data.h; PL_UNSET: by memory */
} pl_group_values;

/* Of its data (place PL_IN_DATA). */
typedef struct pl_group_data_values {
  double scale; /* 0: unit norm */
  int64_t nonzeros;
  pl_texts irreps;
  int64_t rank;
  double margin;
  const char *path, *labels, *target;
  pl_ints digits;
  const char *positive, *negative;
  int64_t ballots, sampling, center, drop, zero_based;
} pl_group_data_values;

_Static_assert(sizeof(pl_group_values) <= PL_VALUES && sizeof(pl_group_data_values) <= PL_VALUES,
               "a run has room for an owner's values");

static inline const pl_group_values *pl_group_values_of(const pl_spec *spec) {
  return (const pl_group_values *)(const void *)spec->network_values;
}
static inline const pl_group_data_values *pl_group_data_of(const pl_spec *spec) {
  return (const pl_group_data_values *)(const void *)spec->data_values;
}

/* Filters of a layer: model.channels, 1 where there is no such key. */
static inline int pl_group_channels(const pl_spec *spec) {
  int64_t channels = pl_group_values_of(spec)->channels;
  return channels > 1 ? (int)channels : 1;
}

/* Tables:
 *   group       group
 *   band        band.*
 *   layers      model.depth, model.init.readout_scale, loss
 *   bank        model.channels, regularizer.layer
 *   init        model.init.kind, .scale, .path
 *   pooling     model.pooling
 *   functional  record.irreps, .elements, .beta, .exponents
 *   store       data.store
 *   kkt         record.kkt
 *   grid        mapping.grid_*, mapping.block */
extern const pl_keys pl_group_keys, pl_band_keys, pl_layers_keys, pl_bank_keys, pl_init_keys,
    pl_pooling_keys, pl_functional_keys, pl_kkt_keys, pl_grid_keys, pl_store_keys;

#endif
