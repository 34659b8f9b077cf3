/* Thin NetCDF helpers; the one place that includes netcdf.h.  Local: rank 0 calls these.
 * Failures are PL_EENV for the system (disk, permissions) and PL_EINPUT for content, with a
 * message that names the path and the variable. */
#ifndef PL_BASE_NC_H
#define PL_BASE_NC_H

#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct pl_nc pl_nc; /* an open file */

typedef enum { PL_NC_CHAR, PL_NC_BYTE, PL_NC_INT, PL_NC_INT64, PL_NC_DOUBLE } pl_nc_type;

/* Create in CDF-5 (or compressed netCDF-4) format and enter define mode; fails if path exists
 * unless overwrite. */
pl_status pl_nc_create(const char *path, bool overwrite, bool netcdf4, pl_nc **out);
pl_status pl_nc_open(const char *path, bool writable, pl_nc **out);
/* Close; the first failure since open, if any, is the status.  nc may be NULL. */
pl_status pl_nc_close(pl_nc *nc);
const char *pl_nc_path(const pl_nc *nc);

/* Define mode.  dims: names of dimensions defined before, fastest last, NULL-terminated. */
pl_status pl_nc_def_dim(pl_nc *nc, const char *name, int64_t length);
pl_status pl_nc_def_var(pl_nc *nc, const char *name, pl_nc_type type, const char *const *dims,
                        const char *long_name, const char *units);
/* var NULL: a global attribute. */
pl_status pl_nc_att_text(pl_nc *nc, const char *var, const char *name, const char *value);
pl_status pl_nc_att_doubles(pl_nc *nc, const char *var, const char *name, const double *v, int n);
pl_status pl_nc_att_ints(pl_nc *nc, const char *var, const char *name, pl_nc_type type,
                         const int *v, int n);
/* Leave define mode; with fill, every variable is prefilled (so that a full disk shows now). */
pl_status pl_nc_end_def(pl_nc *nc);
pl_status pl_nc_sync(pl_nc *nc);
/* fsync on the file's descriptor. */
pl_status pl_nc_fsync(pl_nc *nc);

/* Questions.  length -1: no such dimension.  ndims -1: no such variable. */
int64_t pl_nc_dim(const pl_nc *nc, const char *name);
int pl_nc_var(const pl_nc *nc, const char *name, pl_nc_type *type, char dims[][64], int64_t *shape,
              int max_dims);
/* Attribute text into buf; false if absent or not text. */
bool pl_nc_get_att_text(const pl_nc *nc, const char *var, const char *name, char *buf, size_t n);

/* Hyperslabs; values convert between the numeric types. */
pl_status pl_nc_put_doubles(pl_nc *nc, const char *var, const int64_t *start, const int64_t *count,
                            const double *v);
pl_status pl_nc_put_ints(pl_nc *nc, const char *var, const int64_t *start, const int64_t *count,
                         const int64_t *v);
pl_status pl_nc_put_text(pl_nc *nc, const char *var, const int64_t *start, const int64_t *count,
                         const char *v);
pl_status pl_nc_get_doubles(const pl_nc *nc, const char *var, const int64_t *start,
                            const int64_t *count, double *v);
pl_status pl_nc_get_ints(const pl_nc *nc, const char *var, const int64_t *start,
                         const int64_t *count, int64_t *v);
pl_status pl_nc_get_text(const pl_nc *nc, const char *var, const int64_t *start,
                         const int64_t *count, char *v);

#endif
