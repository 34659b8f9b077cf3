/* Outputs: not to be lost by mistake, and replaced so that a kill or a power cut leaves the old or
 * the new one, whole.  Local. */
#ifndef PL_BASE_FILE_H
#define PL_BASE_FILE_H

#include "base/status.h"

#include <stdbool.h>

/* PL_EINPUT if there is something at path, unless overwrite: said before long work.  pl_nc_create
 * says the same, after it. */
pl_status pl_file_absent(const char *path, bool overwrite);
/* fsync from and rename it to path, and see to it that the name survives a power cut.  PL_EENV:
 * from is removed, path is as it was.  previous, if not NULL, first takes over the file at path:
 * at every moment one of the two is whole. */
pl_status pl_file_replace(const char *from, const char *path, const char *previous);

#endif
