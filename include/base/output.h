/* Outputs of a command: nobody else writes them meanwhile, they replace nothing that the command
 * reads, and a new file takes its name only when it is whole.  Local: rank 0. */
#ifndef PL_BASE_OUTPUT_H
#define PL_BASE_OUTPUT_H

#include "base/lock.h"
#include "base/nc.h"

#include <dirent.h>

/* Folders beside the output of a sweep, OUT.nc.ckpt, OUT.nc.final and OUT.nc.best, with files
 * run-*.nc and what was made beside these: checkpoints and weights of its runs.  They go with the
 * output. */
enum { PL_OUTPUT_FOLDERS = 3 };
extern const char *const pl_output_folders[PL_OUTPUT_FOLDERS]; /* "ckpt" and so on */
/* The next such file of a folder, whole path; NULL: no more.  The caller frees it (pl_free). */
char *pl_output_next(DIR *dir, const char *folder);
/* Remove such files of a folder, then the folder, if it is empty. */
void pl_output_empty(const char *folder);
/* The same, of all folders beside the output at path. */
void pl_output_clear(const char *path);

/* PL_EINPUT if path leads to one of the inputs, by another spelling, a symbolic or a hard link, or
 * an input lies in a folder beside the output at path.  NULL and "-" among them are passed over. */
pl_status pl_output_apart(const char *path, int num_inputs, const char *const *inputs);

/* Zero-initialise. */
typedef struct pl_output {
  const char *path; /* borrowed */
  pl_lock *lock;
  pl_nc *nc;
  char *name; /* of a file in the making beside it; NULL: none */
} pl_output;

/* Take the lock of path, after pl_output_apart; then PL_EINPUT if it exists, unless overwrite.
 * PL_EENV: someone writes it, or it cannot be replaced.  End it whatever the status. */
pl_status pl_output_begin(pl_output *out, const char *path, bool overwrite, int num_inputs,
                          const char *const *inputs);
/* Show life (pl_lock_beat), and create out->nc, a new file beside path, in define mode. */
pl_status pl_output_create(pl_output *out, bool netcdf4);
/* Likewise, but out->name is that of an empty file, for others to write. */
pl_status pl_output_name(pl_output *out);
/* Close out->nc; if all went well the new file takes the output's place, and what stood beside an
 * older one goes (pl_output_clear); otherwise it is removed (st: of what came before, whose message
 * stays).  Gives the lock back.  Returns the first trouble. */
pl_status pl_output_end(pl_output *out, pl_status st);

#endif
