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

/* Other numeric types of a file count as the next wider one here (float as double, unsigned int as
 * int64); PL_NC_OTHER: strings and user-defined types, which no function here reads. */
typedef enum {
  PL_NC_CHAR,
  PL_NC_BYTE,
  PL_NC_INT,
  PL_NC_INT64,
  PL_NC_DOUBLE,
  PL_NC_OTHER
} pl_nc_type;

/* Create in CDF-5 (or compressed netCDF-4) format and enter define mode.  An existing file is
 * PL_EINPUT unless overwrite; whatever keeps the file from being written is PL_EENV. */
pl_status pl_nc_create(const char *path, bool overwrite, bool netcdf4, pl_nc **out);
/* The same, new, under a name of its own beside target (pl_file_temporary, pl_nc_path): for files
 * that take target's place when they are whole (pl_file_replace). */
pl_status pl_nc_create_beside(const char *target, bool netcdf4, pl_nc **out);
/* A missing file, a truncated or damaged one or one that is not NetCDF is PL_EINPUT, a forbidden
 * one PL_EENV. */
pl_status pl_nc_open(const char *path, bool writable, pl_nc **out);
/* Close; the first failure to define, write or sync, if any, is the status and the message.  A new
 * file that never left define mode is removed.  nc may be NULL. */
pl_status pl_nc_close(pl_nc *nc);
const char *pl_nc_path(const pl_nc *nc);
/* Is it in netCDF-4, which a kill in the middle of a write may leave unreadable? */
bool pl_nc_is_netcdf4(const pl_nc *nc);

/* Define mode.  Lengths are at least 1 (no unlimited dimension).
 * dims: names of dimensions defined before, fastest last, NULL-terminated; NULL for a scalar.
 * long_name and units may be NULL.  Doubles get _FillValue, so that what was never written reads
 * as missing; integers only if the caller sets it; characters get _Encoding. */
pl_status pl_nc_def_dim(pl_nc *nc, const char *name, int64_t length);
pl_status pl_nc_def_var(pl_nc *nc, const char *name, pl_nc_type type, const char *const *dims,
                        const char *long_name, const char *units);
/* var NULL: a global attribute. */
pl_status pl_nc_att_text(pl_nc *nc, const char *var, const char *name, const char *value);
pl_status pl_nc_att_doubles(pl_nc *nc, const char *var, const char *name, const double *v, int n);
pl_status pl_nc_att_ints(pl_nc *nc, const char *var, const char *name, pl_nc_type type,
                         const int *v, int n);
/* Enter define mode again, to add variables to a file that exists. */
pl_status pl_nc_redefine(pl_nc *nc);
/* Leave define mode and fsync; CDF-5 variables are prefilled, so that a full disk shows now. */
pl_status pl_nc_end_def(pl_nc *nc);
/* Hand everything written to the operating system: a reader, or a kill, then finds it.  PL_EENV if
 * another file is at the path meanwhile, or none, or the file has been cut off. */
pl_status pl_nc_sync(pl_nc *nc);
/* pl_nc_sync, then fsync on the file: a power cut then finds it. */
pl_status pl_nc_fsync(pl_nc *nc);

/* Questions.  length -1: no such dimension.  ndims -1: no such variable.  type, dims and shape may
 * be NULL; at most max_dims of dims (cut to 63 bytes) and shape are set. */
int64_t pl_nc_dim(const pl_nc *nc, const char *name);
int pl_nc_var(const pl_nc *nc, const char *name, pl_nc_type *type, char dims[][64], int64_t *shape,
              int max_dims);
/* PL_EINPUT unless var exists, holds text (or numbers) and has ndims dimensions of these lengths; a
 * negative length accepts any and receives it. */
pl_status pl_nc_expect(const pl_nc *nc, const char *var, bool text, int ndims, int64_t *shape);
/* Is there such an attribute, of any type?  var NULL: of the file, also below. */
bool pl_nc_has_att(const pl_nc *nc, const char *var, const char *name);
/* Name of global attribute number i, from 0; NULL past the last.  The caller frees it. */
char *pl_nc_att_name(const pl_nc *nc, int i);
/* Attribute text into buf; false if absent, not text, or longer than n - 1 bytes. */
bool pl_nc_get_att_text(const pl_nc *nc, const char *var, const char *name, char *buf, size_t n);
/* Attribute text of any length; NULL if absent or not text.  The caller frees it (pl_free). */
char *pl_nc_get_att_string(const pl_nc *nc, const char *var, const char *name);
/* At most max numbers of an attribute into v; returns how many it has, -1 if absent or text. */
int pl_nc_get_att_doubles(const pl_nc *nc, const char *var, const char *name, double *v, int max);
/* The same of a global attribute and one number; text that is a number ("4") is one, too. */
int pl_nc_get_att_number(const pl_nc *nc, const char *name, double *v);

/* Hyperslabs, at most 8 dimensions; values convert between the numeric types.  start NULL: from the
 * beginning; count NULL: to the end.  A slab outside the variable, text where numbers are (or the
 * reverse) and a value that does not fit are PL_EINPUT.  Text is not terminated. */
pl_status pl_nc_put_doubles(pl_nc *nc, const char *var, const int64_t *start, const int64_t *count,
                            const double *v);
pl_status pl_nc_put_ints(pl_nc *nc, const char *var, const int64_t *start, const int64_t *count,
                         const int64_t *v);
pl_status pl_nc_put_text(pl_nc *nc, const char *var, const int64_t *start, const int64_t *count,
                         const char *v);
/* Doubles only: as if never written. */
pl_status pl_nc_put_missing(pl_nc *nc, const char *var, const int64_t *start, const int64_t *count);
pl_status pl_nc_get_doubles(const pl_nc *nc, const char *var, const int64_t *start,
                            const int64_t *count, double *v);
pl_status pl_nc_get_ints(const pl_nc *nc, const char *var, const int64_t *start,
                         const int64_t *count, int64_t *v);
pl_status pl_nc_get_text(const pl_nc *nc, const char *var, const int64_t *start,
                         const int64_t *count, char *v);

/* To a file that is open for writing, the variables of numbers on dim alone that it has not and
 * `from` has: entry r of them as entry place[r], the rest missing.  No variables: nothing. */
pl_status pl_nc_carry(const pl_nc *from, const char *dim, const int64_t *place, pl_nc *to);

/* Copy any NetCDF file to a new compressed netCDF-4 one at path, which must not exist. */
pl_status pl_nc_pack(const pl_nc *from, const char *path);

#endif
