/* What is recorded of the residual network (model/model.h). */
#ifndef PL_NETS_GROUP_RESIDUAL_OBSERVE_H
#define PL_NETS_GROUP_RESIDUAL_OBSERVE_H

#include "residual_net.h"

/* NULL-terminated. */
extern const pl_measures *const residual_measures[];

pl_status residual_describe(const pl_spec *spec, pl_schema *out);
pl_status residual_observe(pl_model *model, double *out);
/* Workspace of records.  Local. */
void residual_observe_new(residual *m);
void residual_observe_free(residual *m);

#endif
