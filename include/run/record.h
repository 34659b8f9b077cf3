/* The output file of a sweep: one CDF-5 NetCDF file, all dimensions fixed from the plan and
 * prefilled, one sync per record, readable while the sweep runs.  Names and meanings of the
 * variables: README, "Output".  Local: rank 0 alone calls these.
 *
 * What a model records is described by its schema (model/model.h); nothing here knows groups. */
#ifndef PL_RUN_RECORD_H
#define PL_RUN_RECORD_H

#include "run/config.h"
#include "run/plan.h"
#include "run/train.h"

typedef struct pl_recorder pl_recorder;

/* Create path for the runs of cfg.  command: the command line, for the history attribute.
 * PL_EINPUT: the file exists and overwrite is not set; PL_EENV: it cannot be written, or the disk
 * is too small for it (nothing is left behind then). */
pl_status pl_recorder_create(const char *path, bool overwrite, const pl_config *cfg,
                             const pl_plan *plan, const char *command, pl_recorder **out);
/* A run begins, on `ranks` ranks. */
pl_status pl_recorder_start(pl_recorder *rec, int64_t run, int ranks);
/* Record number index of a run: PL_RECORD_HEAD values, then the model's.  Written and synced when
 * it returns. */
pl_status pl_recorder_record(pl_recorder *rec, int64_t run, int64_t index, const double *values,
                             int64_t n);
/* A run has ended. */
pl_status pl_recorder_end(pl_recorder *rec, int64_t run, const pl_outcome *outcome);
/* Close; rec may be NULL. */
pl_status pl_recorder_close(pl_recorder *rec);

/* Longest record of any run, in doubles. */
int64_t pl_recorder_longest(const pl_recorder *rec);

#endif
