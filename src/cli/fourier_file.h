/* Functions on a group and their Fourier coefficients in NetCDF files, as `fourier` reads and
 * writes them.  Inside cli/ only.  Local: rank 0. */
#ifndef PL_CLI_FOURIER_FILE_H
#define PL_CLI_FOURIER_FILE_H

#include "base/nc.h"
#include "energies.h"
#include "fourier_options.h"
#include "group/effects.h"
#include "group/group.h"

/* The group of the options, or of the file.  The caller frees it (pl_group_free).  PL_EINPUT. */
pl_status fourier_file_group(const fourier_options *o, const pl_nc *nc, pl_group **out);
/* The side of the transform that the options say is given, its length looked at. */
pl_status fourier_file_expect(const fourier_options *o, const pl_nc *nc, const pl_group *g);
/* f: |G| values.  PL_EINPUT: values that are missing or not finite, labels of other elements; those
 * in another order are brought into the group's. */
pl_status fourier_file_function(const pl_nc *nc, const pl_group *g, double *f);
/* F: packed matrices (group/group.h).  PL_EINPUT likewise. */
pl_status fourier_file_coefficients(const pl_nc *nc, const pl_group *g, double *F);
/* Write the side that was not given to o->output, and the table of energies.  r and e: the rankings
 * that f counts, and their effects; or NULL. */
pl_status fourier_file_write(const fourier_options *o, const pl_group *g, const double *f,
                             const double *F, const energies *table, const pl_rankings *r,
                             const pl_effects *e);

#endif
