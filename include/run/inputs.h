/* The files that a sweep reads: size and SHA-256 of each, kept in outputs and checkpoints, so that
 * nothing goes on with others by mistake. */
#ifndef PL_RUN_INPUTS_H
#define PL_RUN_INPUTS_H

#include "base/nc.h"
#include "run/config.h"

/* Look at every file that the runs of cfg read, and keep that in it (pl_config_inputs).  Local. */
pl_status pl_inputs_take(pl_config *cfg);
/* The same on rank 0, for all ranks.  Collective; the same status everywhere. */
pl_status pl_inputs_share(const pl_comm *comm, pl_config *cfg);

/* PL_EINPUT if path leads to one of them (pl_output_apart).  Local. */
pl_status pl_inputs_apart(const pl_config *cfg, const char *path);

/* In define mode: the attribute `inputs`, one file per line as KEY, size, SHA-256, path as written;
 * none if there are no files.  Local. */
void pl_inputs_define(pl_nc *nc, const pl_config *cfg);
/* PL_EINPUT unless each file that nc and cfg both name is the same: the first that is not, with
 * both digests.  Files without that attribute, and sweeps not looked at, pass.  Local. */
pl_status pl_inputs_same(const pl_nc *nc, const pl_config *cfg);

#endif
