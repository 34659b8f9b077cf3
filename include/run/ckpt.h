/* Checkpoints of running runs: one CDF-5 file per run, independent of ranks and mapping.
 *
 * A file holds every weight and the optimiser's moments of it, each a variable of its own
 * (weight_NAME, MOMENT_NAME) in the order that the network gives them; whatever else the network
 * keeps (keep_NAME); where the run stands; and a checksum over all of it, written last.  Random
 * numbers are counter-based: the step is their position.  A new file takes its place only when
 * whole, and the one before it is kept beside it. */
#ifndef PL_RUN_CKPT_H
#define PL_RUN_CKPT_H

#include "model/optim.h"
#include "run/best.h"
#include "run/config.h"

/* Where a run stands between two steps. */
typedef struct pl_ckpt {
  int64_t step, records;
  double wall_time; /* s, over all sessions */
  pl_best best;
  pl_verdict verdict; /* of the last record */
  /* Weights of the best record, [num_params] blocks like the model's: the caller's, here and in a
   * checkpoint that is read; NULL: none are kept. */
  double *const *best_weights;
} pl_ckpt;

/* What a checkpoint must have in common with the run that reads it: a digest of all keys that the
 * run owns and that touch results, with their values, and of the files that they name
 * (pl_config_inputs).  How far the run goes (PL_GROWS) is no part of it.  Local, pure. */
int64_t pl_ckpt_digest(const pl_config *cfg, int64_t run);

/* Write path.  PL_EENV: nothing has changed.  Collective over team; so is the status. */
pl_status pl_ckpt_write(const char *path, const pl_comm *team, pl_model *model, pl_optim *optim,
                        int64_t digest, const pl_ckpt *at);
/* Read path or, where it is missing, damaged or of another format, the one before it; why one is
 * not used is told as a warning.  Checkpoints with more than `records` records are passed over: the
 * output has not got them.  False: there is none, nothing has changed.  Collective over team. */
bool pl_ckpt_read(const char *path, const pl_comm *team, pl_model *model, pl_optim *optim,
                  int64_t digest, int64_t records, pl_ckpt *at);
/* What path says of where its run stands, without best weights; weights and checksum are not looked
 * at.  PL_EINPUT: there is none, or it is of another format or of a run with other keys.  Local. */
pl_status pl_ckpt_look(const char *path, int64_t digest, pl_ckpt *at);
/* Remove path and the one before it, if they are there; or only the one before it, and is it there?
 * Local. */
void pl_ckpt_remove(const char *path);
void pl_ckpt_settle(const char *path);
bool pl_ckpt_unsettled(const char *path);

#endif
