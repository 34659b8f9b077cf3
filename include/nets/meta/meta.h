/* An outer loop around an inner network (nets/inner.h): initial weights theta from which each of
 * many tasks is adapted to.  With phi_i the weights adapted to task i, the objective is the mean
 * over tasks of the query loss at phi_i.  Formulas, keys, variables: src/nets/meta/README.md. */
#ifndef PL_NETS_META_META_H
#define PL_NETS_META_META_H

#include "nets/inner.h"
#include "nets/meta/data.h"

extern const pl_net_kind pl_meta;
/* A quadratic function of the weights: y = x phi, one layer without bias. */
extern const pl_inner pl_inner_quadratic;

#endif
