/* Functions over a group, or in a band, in a NetCDF file: rows of a variable ("x" for samples, "w"
 * for filters) on the elements; in a band NAME_fourier on the D components (packed,
 * group/group.h) if the file has it, or if n is above 10. */
#ifndef PL_NETS_GROUP_FUNCTION_FILE_H
#define PL_NETS_GROUP_FUNCTION_FILE_H

#include "base/nc.h"
#include "spectral/transform.h"

/* A file that rank 0 of the team reads. */
typedef struct function_file {
  pl_nc *nc;    /* on rank 0; NULL elsewhere */
  double *full; /* there, outside a band: room for a row */
} function_file;

/* Functions called what must stand on (dim, elements or components of g), *rows of them where that
 * is 0 or more on entry; it becomes their number.  PL_EINPUT.  Local. */
pl_status function_file_check_shape(const pl_nc *nc, const char *what, const char *dim,
                                    const pl_group *g, int64_t *rows);
/* All their values must be finite, and no function zero everywhere if not_zero.  PL_EINPUT.
 * Local. */
pl_status function_file_check_values(const pl_nc *nc, const char *what, const pl_group *g,
                                     int64_t rows, bool not_zero);

/* Close it whatever the status.  Collective; the same status on every rank. */
pl_status function_file_open(const pl_layout *l, const char *path, function_file *out);
/* Local. */
void function_file_close(function_file *file);
/* Row `row` of the functions called var as a spectrum; those over the elements are projected to a
 * band.  t and f (a function over G) as for pl_data_new.  PL_EINPUT if nothing is left.
 * Collective. */
pl_status function_file_read(const function_file *file, const pl_layout *l, pl_transform *t,
                             const char *var, int64_t row, double *f, double *F);

#endif
