/* Samples of a network over the elements: those that the linear G-CNN of the spec would have, back
 * over the elements, each part of them shared out over the team. */
#ifndef PL_NETS_GROUP_ELEMENTS_DATA_H
#define PL_NETS_GROUP_ELEMENTS_DATA_H

#include "elements_net.h"

/* m->part.  Collective over the team; the same status on every rank. */
pl_status elements_make_data(elements_net *m);
void elements_free_data(elements_net *m);

/* f(x) of the samples of a part, f[num], on every rank; activations are lost.  Collective. */
void elements_outputs(pl_model *model, pl_part part, double *f);
/* Share of a part on the right side.  m->betas must be known; a nonlinear network's activations
 * are lost.  Collective. */
double elements_accuracy(elements_net *m, pl_part part);

#endif
