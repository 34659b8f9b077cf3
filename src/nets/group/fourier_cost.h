/* How irreps of networks of filters in Fourier space are placed on a team, how large stacks may be,
 * what a run costs. */
#ifndef PL_NETS_GROUP_FOURIER_COST_H
#define PL_NETS_GROUP_FOURIER_COST_H

#include "fourier_net.h"
#include "spectral/mapping.h"

/* What a run on a team keeps. */
typedef struct fourier_choice {
  int store;      /* of the samples: PL_DATA_* */
  bool transform; /* functions over G, and plans between them and spectra */
  bool beta;      /* as a whole spectrum */
} fourier_choice;
/* Samples are kept if the run then fits into rates->memory, or if nothing else is possible.  Local,
 * pure. */
fourier_choice fourier_choose(const fourier_ops *ops, const pl_spec *spec, const pl_group *g,
                              int team, const pl_rates *rates);

/* samples: N of the training part. */
pl_mapping *fourier_map(const fourier_ops *ops, const pl_spec *spec, const pl_group *g, int team,
                        const pl_rates *rates, int64_t samples);
int64_t fourier_stack_doubles(const fourier_ops *ops, const pl_spec *spec, int64_t samples);

/* Of pl_model_kind. */
void fourier_cost(const fourier_ops *ops, const pl_spec *spec, int team, const pl_rates *rates,
                  pl_cost *out);
void fourier_explain(const fourier_ops *ops, const pl_spec *spec, int team, const pl_rates *rates);

#endif
