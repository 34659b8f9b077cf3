/* What is recorded of the linear G-CNN (model/model.h). */
#ifndef PL_NETS_GROUP_GCNN_OBSERVE_H
#define PL_NETS_GROUP_GCNN_OBSERVE_H

#include "gcnn_net.h"

/* NULL-terminated. */
extern const pl_measures *const gcnn_measures[];

pl_status gcnn_describe(const pl_spec *spec, pl_schema *out);
pl_status gcnn_observe(pl_model *model, double *out);

#endif
