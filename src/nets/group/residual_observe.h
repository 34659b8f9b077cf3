/* What is recorded of the residual network (model/model.h): residual_observe.c, and
 * residual_weights.c of its filters. */
#ifndef PL_NETS_GROUP_RESIDUAL_OBSERVE_H
#define PL_NETS_GROUP_RESIDUAL_OBSERVE_H

#include "functional.h"
#include "residual_net.h"

/* The state of one record. */
typedef struct residual_record {
  pl_functional first, increment; /* of beta, and of beta less the identity */
  const residual *m;
  double gradient_norm, lambda_eps, bits_lost, reversal_error, store_bytes;
} residual_record;

/* NULL-terminated. */
extern const pl_measures *const residual_measures[];

pl_status residual_describe(const pl_spec *spec, pl_schema *out);
pl_status residual_observe(pl_model *model, double *out);
/* Workspace of records.  Local. */
void residual_observe_new(residual *m);
void residual_observe_free(residual *m);

/* ---- filters ---- */

/* Axes weight and weight_sv (two): the filter of each layer is one matrix over the group, in which
 * a singular value of an irrep stands m d times. */
void residual_weight_axes(const pl_spec *spec, const pl_group *g, pl_axis axes[2]);
extern const pl_measures residual_weight_measures;
/* Singular values of every filter into m on rank 0 of the team, where they are recorded.
 * Collective. PL_NUMERIC: some are NaN. */
pl_status residual_weights_observe(residual *m);
void residual_weights_new(residual *m);
void residual_weights_free(residual *m);

#endif
