/* A sweep in parts: shards that run apart, on any machines, and merge into the file of the whole.
 * Local but for pl_shard_select. */
#ifndef PL_RUN_SHARD_H
#define PL_RUN_SHARD_H

#include "run/config.h"

/* "2/5": shard 2 of 5, counted from 0, as Slurm counts the tasks of an array.  False if it is not
 * of that form. */
bool pl_shard_parse(const char *text, int64_t *shard, int64_t *shards);
/* Keep the runs of one shard.  They are shared out by flop counts alone, the same on every machine,
 * largest first to the shard with the least.  PL_EINPUT: fewer runs than shards.  Collective: rank
 * 0 counts, for networks may have to look into files. */
pl_status pl_shard_select(const pl_comm *comm, pl_config *cfg, int64_t shard, int64_t shards);

/* The share of one shard among the runs of cfg by the same rule: *mine of them, ascending, which
 * may be none.  The caller frees them.  Local. */
int64_t *pl_shard_share(const pl_config *cfg, int64_t shard, int64_t shards, int64_t *mine);

/* Merge the outputs of shards into out, the output of the whole sweep, or what was merged before
 * with what was missing; runs that no input has begun stay pending, and are counted in a warning.
 * What stands beside the inputs comes to stand beside out, by links or copies, and what belonged to
 * an output that out replaces goes; the end of the program in the middle leaves the old or the new
 * one (pl_folders_settle).
 * PL_EINPUT: of different sweeps, or a run in two of them; out exists and overwrite is not set.
 * PL_EENV: cannot be written. */
pl_status pl_merge(const char *const *inputs, int num_inputs, const char *out, bool overwrite,
                   const char *command);

#endif
