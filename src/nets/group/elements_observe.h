/* What is recorded of a network over the elements (model/model.h). */
#ifndef PL_NETS_GROUP_ELEMENTS_OBSERVE_H
#define PL_NETS_GROUP_ELEMENTS_OBSERVE_H

#include "elements_net.h"

/* Of the linear ones, and of those with ReLU; NULL-terminated. */
extern const pl_measures *const elements_linear_measures[];
extern const pl_measures *const elements_relu_measures[];

pl_status elements_describe(const pl_spec *spec, pl_schema *out);
/* Workspace of records.  The data must be there.  Local. */
pl_status elements_observe_new(elements_net *m, const pl_rates *rates);
void elements_observe_free(elements_net *m);
pl_status elements_observe(pl_model *model, double *out);

#endif
