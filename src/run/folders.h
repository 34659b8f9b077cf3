/* What stands beside an output: OUT.nc.ckpt, checkpoints of its runs, and OUT.nc.final and
 * OUT.nc.best, their weights.  Beside sweep.c only.  Local, but for what takes a team. */
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

/* PL_EINPUT if a file in one of the folders is among those that cfg reads. */
pl_status pl_folders_apart(const char *output, const pl_config *cfg);
/* ---- an output that another is to replace, whose runs have other numbers (run/extend.h) ---- */

/* The new file before it has its name, beside the one that path leads to.  The caller frees it. */
char *pl_extending_of(const char *output);
/* After that file has been created: the files of runs 0..n-1 as those of runs place[0..n-1], as
 * further links (or copies), in OUT.nc.ckpt.extending and so on.  PL_EENV: they cannot be made. */
pl_status pl_folders_stage(const char *output, int64_t n, const int64_t *place);
/* Neither the new file nor these; the message of an error stays. */
void pl_folders_unstage(const char *output);
/* Whatever was under way: while the new file waits for its name, none of it has happened; once it
 * has it, the folders follow.  Files of others in them stay.  PL_EENV: they cannot be moved. */
pl_status pl_folders_settle(const char *output);

/* Remove what belonged to an output that has been replaced: files run-*.nc and what was made beside
 * them, then the folders. */
void pl_folders_clear(const char *output);

#endif
