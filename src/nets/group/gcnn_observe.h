/* What is recorded of the linear G-CNN (model/model.h). */
#ifndef PL_NETS_GROUP_GCNN_OBSERVE_H
#define PL_NETS_GROUP_GCNN_OBSERVE_H

#include "gcnn_net.h"

/* NULL-terminated. */
extern const pl_measures *const gcnn_measures[];

pl_status gcnn_describe(const pl_spec *spec, pl_schema *out);
/* Workspace of records; what reads m->layout, transform and group.  Local. */
pl_status gcnn_observe_new(gcnn *m);
void gcnn_observe_free(gcnn *m);
pl_status gcnn_observe(pl_model *model, double *out);
/* <x, beta> of the samples of a part, f[num], on every rank.  Collective. */
void gcnn_outputs(pl_model *model, pl_part part, double *f);

#endif
