/* The linear G-CNN on the tape, to be adapted by an outer loop: over the elements of a small group,
 * with exact Hessians times vectors.  f(x) = <x, w_L * .. * w_1> as in nets/group/gcnn.h. */
#ifndef PL_NETS_GROUP_INNER_H
#define PL_NETS_GROUP_INNER_H

#include "nets/inner.h"

extern const pl_inner pl_inner_gcnn;

#endif
