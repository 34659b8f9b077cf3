/* What tells one network over the elements from another. */
#ifndef PL_NETS_GROUP_ELEMENTS_RECIPE_H
#define PL_NETS_GROUP_ELEMENTS_RECIPE_H

#include "model/model.h"
#include "nets/group/keys.h"

typedef enum { HIDDEN_GROUP, HIDDEN_CYCLIC, HIDDEN_FULL } hidden_kind;

typedef struct elements_recipe {
  const char *name; /* of the network */
  hidden_kind hidden;
  bool relu;
} elements_recipe;

/* Of the network of spec.  Pure. */
const elements_recipe *elements_recipe_of(const pl_spec *spec);
static inline bool elements_pools(const pl_spec *spec) {
  return pl_group_values_of(spec)->pooling == PL_POOLING_MEAN;
}
/* The group of spec, never a band, and the one that hidden layers convolve over, NULL for full
 * layers.  Owned by the caller.  Local. */
pl_status elements_group(const pl_spec *spec, pl_group **out);
pl_status elements_own_group(const pl_spec *spec, const pl_group *g, pl_group **out);

#endif
