/* What is recorded of networks of filters in Fourier space (model/model.h). */
#ifndef PL_NETS_GROUP_FOURIER_OBSERVE_H
#define PL_NETS_GROUP_FOURIER_OBSERVE_H

#include "fourier_net.h"
#include "functional.h"

/* Workspace of records; what reads m->layout, transform and group.  beta: with a whole spectrum for
 * it.  Local. */
pl_status fourier_observe_new(fourier_net *m, const pl_rates *rates, bool beta);
void fourier_observe_free(fourier_net *m);
/* beta into m->beta (where it is), its singular values into m->sigma on rank 0 of the team, and all
 * else that *s says; p = 2/depth.  Overwrites the workspace of a step.  Collective.  PL_NUMERIC:
 * some singular values are NaN. */
pl_status fourier_observe(fourier_net *m, int depth, pl_functional *s);
/* pl_model_kind.apply. */
pl_status fourier_apply(const pl_spec *spec, const pl_comm *team, const pl_rates *rates,
                        const char *path, const pl_attribute *attributes, int num);

#endif
