/* `plancherel apply` for networks on groups: f(x) of every sample of a file.  Inside this room. */
#ifndef PL_NETS_GROUP_APPLY_H
#define PL_NETS_GROUP_APPLY_H

#include "model/model.h"

/* f of the samples of a part into f[num], on every rank.  Collective. */
typedef void group_outputs(pl_model *model, pl_part part, double *f);

/* pl_model_kind.apply, with the network's own outputs. */
pl_status group_apply(const pl_spec *spec, const pl_comm *team, const pl_rates *rates,
                      const char *path, const pl_attribute *attributes, int num,
                      group_outputs *outputs);

#endif
