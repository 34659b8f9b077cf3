/* Keys that several kinds of data have. */
#ifndef PL_NETS_GROUP_DATA_KEYS_H
#define PL_NETS_GROUP_DATA_KEYS_H

#include "model/data.h"

#define DATA_FIELD(member) offsetof(pl_group_data_values, member) /* with nets/group/keys.h */

/* What keys of data touch: the samples alone, or the time to make them too. */
enum { DATA_DRAWN = PL_DATA | PL_RESULTS, DATA_ALL = PL_COST | PL_DATA | PL_RESULTS };

/* Tables:
 *   scale   data.scale
 *   alone   data.samples, for kinds without other parts
 *   irreps  data.irreps */
extern const pl_keys data_scale_keys, data_alone_keys, data_irreps_keys;

/* pl_data_kind.count of kinds without other parts: data.samples.  Pure. */
int64_t data_alone_count(const pl_spec *spec, pl_part part);

#endif
