/* What stands beside an output: OUT.nc.ckpt, checkpoints of its runs, and OUT.nc.final and
 * OUT.nc.best, their weights.  Beside sweep.c, keeper.c, extend.c and shard.c only.  Local, but for
 * what takes a team. */
#ifndef PL_RUN_FOLDERS_H
#define PL_RUN_FOLDERS_H

#include "run/ckpt.h"

/* Names, "OUT.nc.ckpt/run-000012.nc"; the caller frees them. */
char *pl_checkpoints_of(const char *output);
char *pl_checkpoint_of(const char *output, int64_t run);
/* Is the folder there? */
bool pl_checkpoints_any(const char *output);
/* As pl_ckpt_write and pl_ckpt_read; the folder is made if need be.  Collective over team. */
pl_status pl_checkpoint_write(const char *output, int64_t run, const pl_comm *team,
                              const pl_config *cfg, pl_model *model, pl_optim *optim,
                              const pl_ckpt *at);
bool pl_checkpoint_read(const char *output, int64_t run, const pl_comm *team, const pl_config *cfg,
                        pl_model *model, pl_optim *optim, int64_t records, pl_ckpt *at);
/* Remove the folder, if it is empty. */
void pl_checkpoints_end(const char *output);

/* PL_EINPUT if there are files in them: without an output they belong to none. */
pl_status pl_folders_expect_none(const char *output);

/* ---- a new output in the making, that takes over runs by other numbers: an extended one
 * (run/extend.h), or what is merged (run/shard.h) ---- */

/* The new file before it has its name, beside the one that path leads to.  The caller frees it. */
char *pl_extending_of(const char *output);
/* After that file has been created: what stands beside the output `from` of runs 0..n-1 as that of
 * runs place[0..n-1] (-1: left out), as further links (or copies), in OUT.nc.ckpt.extending and so
 * on.  PL_EENV: they cannot be made. */
pl_status pl_folders_stage(const char *from, const char *output, int64_t n, const int64_t *place);
/* Likewise: of what stands beside the output itself nothing is taken over. */
pl_status pl_folders_stage_none(const char *output);
/* End it.  st, how it went so far, is an error: there is neither the new file nor these.  Else the
 * new file takes its place, and from that moment on it is the output, whatever happens; the folders
 * follow.  Returns the last trouble.  PL_EENV: it cannot take its place, or they cannot be moved.
 */
pl_status pl_folders_place(const char *output, pl_status st);
/* Whatever was under way when the program ended: while the new file waits for its name, none of it
 * has happened; once it has it, the folders follow.  Files of others in them stay.  PL_EENV: they
 * cannot be moved. */
pl_status pl_folders_settle(const char *output);
/* PL_EINPUT if the folders have still to follow: their numbers are not those of the output. */
pl_status pl_folders_expect_settled(const char *output);

#endif
