/* Functions over a group, or in a band, in a NetCDF file: rows of a variable ("x" for samples, "w"
 * for filters) on the elements, or NAME_fourier on the components (packed, group/group.h): in a
 * band if the file has it, or if n is above 10; on a group if the file has nothing else. */
#ifndef PL_NETS_GROUP_FUNCTION_FILE_H
#define PL_NETS_GROUP_FUNCTION_FILE_H

#include "base/nc_read.h"
#include "spectral/transform.h"

/* One such variable of a file that rank 0 of the team reads. */
typedef struct function_file {
  bool elements; /* on the elements, not on components; the same on every rank */
  pl_nc *nc;     /* on rank 0, as all that follows; NULL elsewhere */
  pl_nc_input *in;
  const char *what;
  int64_t rows, length;
  int64_t *order; /* of the elements in the file; NULL: the group's own */
  double *full;   /* outside a band: room for a row */
  double *filed;  /* with order: room for a row as it stands in the file */
} function_file;

/* Functions called what must stand on (first_dim, elements or components of g), *rows of them where
 * that is 0 or more on entry; it becomes their number.  Their values must be there and finite, and
 * no function zero everywhere if not_zero.  Labels `element`, an attribute `group` are those of g;
 * elements may stand in another order.  PL_EINPUT.  Local. */
pl_status function_file_check(const pl_nc *nc, const char *what, const char *first_dim,
                              const pl_group *g, int64_t *rows, bool not_zero);

/* Open the functions called what (static text), `rows` of them (below 0: any number).  Close it
 * whatever the status.  Collective; the same status on every rank. */
pl_status function_file_open(const pl_layout *l, const char *path, const char *what,
                             const char *first_dim, int64_t rows, function_file *out);
/* Local. */
void function_file_close(function_file *file);
/* Row `row` as a spectrum; functions over the elements are projected to a band.  t and f (a
 * function over G) as for pl_data_new.  PL_EINPUT if nothing is left.  Collective. */
pl_status function_file_read(const function_file *file, const pl_layout *l, pl_transform *t,
                             int64_t row, double *f, double *F);

#endif
