/* Images in IDX files (base/idx.h) as functions over groups of symmetries of the square. */
#ifndef PL_NETS_GROUP_IDX_H
#define PL_NETS_GROUP_IDX_H

#include "group/group.h"
#include "model/data.h"

/* Do the files and the group fit the keys?  PL_EINPUT: *key is at fault.  Local. */
pl_status idx_check(const pl_spec *spec, const pl_group *g, const char **key);
/* The chosen images, of data.digits in turn, each as a function over G: x[i * |G|], i <
 * data.samples.  Local. */
pl_status idx_read(const pl_spec *spec, const pl_group *g, uint64_t seed, double *x);

#endif
