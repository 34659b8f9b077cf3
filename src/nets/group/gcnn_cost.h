/* How irreps of the linear G-CNN are placed on a team, how large stacks may be, what a run costs.
 */
#ifndef PL_NETS_GROUP_GCNN_COST_H
#define PL_NETS_GROUP_GCNN_COST_H

#include "model/model.h"
#include "nets/group/keys.h"
#include "spectral/mapping.h"

/* samples: N of the training part. */
pl_mapping *gcnn_map(const pl_spec *spec, const pl_group *g, int team, const pl_rates *rates,
                     int64_t samples);
int64_t gcnn_stack_doubles(const pl_spec *spec, int64_t samples);

/* Of pl_model_kind. */
void gcnn_cost(const pl_spec *spec, int team, const pl_rates *rates, pl_cost *out);
void gcnn_explain(const pl_spec *spec, int team, const pl_rates *rates);

#endif
