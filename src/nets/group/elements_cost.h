/* What a run of a network over the elements costs. */
#ifndef PL_NETS_GROUP_ELEMENTS_COST_H
#define PL_NETS_GROUP_ELEMENTS_COST_H

#include "elements_recipe.h"

/* Of pl_model_kind. */
void elements_cost(const pl_spec *spec, int team, const pl_rates *rates, pl_cost *out);
void elements_explain(const pl_spec *spec, int team, const pl_rates *rates);
/* Bytes of weights, gradients and the optimiser's moments.  Pure. */
double elements_weight_bytes(const pl_spec *spec, double order);

#endif
