/* Parts of the data in files: split(sample) is 0 (training), 1 (validation) or 2 (test). */
#ifndef PL_MODEL_SPLIT_H
#define PL_MODEL_SPLIT_H

#include "base/nc_read.h"
#include "model/data.h"

/* (*split)[axis.length]: the part of each sample, all training where the file has no split.  The
 * caller frees it whatever the status.  PL_EINPUT: another axis, another number.  Local. */
pl_status pl_split_read(const pl_nc *nc, pl_nc_axis axis, int64_t **split);
/* How many are of a part.  Pure. */
int64_t pl_split_count(int64_t n, const int64_t *split, pl_part part);
/* The variable in a new file, on a dimension that it has.  Local. */
pl_status pl_split_define(pl_nc *nc, const char *dim);

#endif
