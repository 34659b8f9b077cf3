/* Where optima are written: a file of their own, or the output of the sweep, of which a whole new
 * one takes the place.  Inside cli/ only.  Local: rank 0. */
#ifndef PL_CLI_OPTIMUM_FILE_H
#define PL_CLI_OPTIMUM_FILE_H

#include "base/output.h"
#include "run/config.h"

/* Zero-initialise; paths are borrowed, NULL: not asked for. */
typedef struct optimum_file {
  const char *output, *into;
  bool overwrite;
  pl_output own;  /* of output */
  pl_lock *taken; /* of into */
} optimum_file;

/* Before long work: take the locks, and see that into is an output of this very sweep.  PL_EINPUT:
 * it is not, or output exists or is read; PL_EENV: someone writes one of them.  End it whatever the
 * status. */
pl_status optimum_file_begin(optimum_file *f, const pl_config *cfg, const char *sweep_file);
/* margin, bound, separable (1, 0, -1: not known): [num_runs]. */
pl_status optimum_file_write(optimum_file *f, const pl_config *cfg, const double *margin,
                             const double *bound, const double *separable);
void optimum_file_end(optimum_file *f);

#endif
