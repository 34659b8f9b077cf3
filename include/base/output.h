/* Outputs of a command: nobody else writes them meanwhile, they replace nothing that the command
 * reads, and a new file takes its name only when it is whole.  Local: rank 0. */
#ifndef PL_BASE_OUTPUT_H
#define PL_BASE_OUTPUT_H

#include "base/lock.h"
#include "base/nc.h"

/* PL_EINPUT if path leads to one of the inputs: by another spelling, a symbolic or a hard link.
 * NULL and "-" among them are passed over. */
pl_status pl_output_apart(const char *path, int num_inputs, const char *const *inputs);

/* Zero-initialise. */
typedef struct pl_output {
  const char *path; /* borrowed */
  pl_lock *lock;
  pl_nc *nc;
} pl_output;

/* Take the lock of path, after pl_output_apart; then PL_EINPUT if it exists, unless overwrite.
 * PL_EENV: someone writes it.  End it whatever the status. */
pl_status pl_output_begin(pl_output *out, const char *path, bool overwrite, int num_inputs,
                          const char *const *inputs);
/* Show life (pl_lock_beat), and create out->nc, a new file beside path, in define mode. */
pl_status pl_output_create(pl_output *out, bool netcdf4);
/* Close out->nc; give it its name if all went well, remove it otherwise (st: of what came before,
 * whose message stays).  Gives the lock back.  Returns the first trouble. */
pl_status pl_output_end(pl_output *out, pl_status st);

#endif
