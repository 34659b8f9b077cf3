/* The output file of a sweep: one CDF-5 NetCDF file, all dimensions fixed from the plan and
 * prefilled, readable while the sweep runs.  Names and meanings of the
 * variables: README, "Output".  Local: rank 0 alone calls these.
 *
 * What a network records is described by its schema (model/measure.h), for a whole sweep by the
 * outline (run/outline.h); nothing here knows networks. */
#ifndef PL_RUN_RECORD_H
#define PL_RUN_RECORD_H

#include "run/plan.h"
#include "run/train.h"

typedef struct pl_recorder pl_recorder;

/* Create path for the runs of cfg.  command: the command line, for the history attribute, and on
 * further lines what the history was before.  The file
 * appears under its name only when its head is whole.  PL_EINPUT: the file exists and overwrite is
 * not set, or the runs cannot share a file (run/outline.h); PL_EENV: it cannot be written, or the
 * disk is too small for it (nothing is left behind, and what stood there before stays). */
pl_status pl_recorder_create(const char *path, bool overwrite, const pl_config *cfg,
                             const pl_plan *plan, const char *command, pl_recorder **out);
/* Open path, which the same sweep has made, to go on with it (writable) or to read it.  PL_EINPUT:
 * it was made by another sweep, the differing key is named; or it is no output file. */
pl_status pl_recorder_open(const char *path, bool writable, const pl_config *cfg,
                           pl_recorder **out);
/* The rates and the memory per rank by which path was planned for so many ranks, so that a resumed
 * sweep has the same plan.  False, and nothing changed: another number of ranks, or none stored. */
bool pl_recorder_planned(const char *path, int ranks, pl_rates *rates, double *memory_per_rank);
/* The sweep that made path, its runs selected as there.  PL_EINPUT: no output file. */
pl_status pl_recorder_config(const char *path, pl_config **out);

/* What the file holds of a run: its outcome, records counted from the first without a gap. */
pl_status pl_recorder_run(const pl_recorder *rec, int64_t run, pl_outcome *out);
/* Number of ranks that trained it; 0 if it never began. */
pl_status pl_recorder_ranks(const pl_recorder *rec, int64_t run, int *out);
/* Forget all records of a run: it is pending again. */
pl_status pl_recorder_clear(pl_recorder *rec, int64_t run);

/* What follows is written and synced when it returns or, if it may be gathered for some seconds
 * (0 at first), by the first call after that time and before anything is read, synced to disk or
 * closed: many runs and records then go out together, at a fraction of the cost.  What is synced
 * survives the death of the program. */
void pl_recorder_gather(pl_recorder *rec, double seconds);
/* pl_clock of the oldest that waits; infinity if nothing does. */
double pl_recorder_oldest(const pl_recorder *rec);
/* Write and sync what waits. */
pl_status pl_recorder_flush(const pl_recorder *rec);

/* A run begins, on `ranks` ranks. */
pl_status pl_recorder_start(pl_recorder *rec, int64_t run, int ranks);
/* Record number index of a run: PL_RECORD_HEAD values, then the network's. */
pl_status pl_recorder_record(pl_recorder *rec, int64_t run, int64_t index, const double *values,
                             int64_t n);
/* The reverse: room for pl_recorder_size(rec, run) values. */
pl_status pl_recorder_read(const pl_recorder *rec, int64_t run, int64_t index, double *values);
int64_t pl_recorder_size(const pl_recorder *rec, int64_t run);
/* Steps that the run is to have. */
int64_t pl_recorder_steps(const pl_recorder *rec, int64_t run);
/* All that `from` has of its run r into run `to` of another file, which records alike: the outcome,
 * which is handed over as pl_recorder_run gave it, and may have been changed; values: room for a
 * record. */
pl_status pl_recorder_copy(const pl_recorder *from, int64_t r, const pl_outcome *out,
                           pl_recorder *rec, int64_t to, double *values);
/* A run has ended. */
pl_status pl_recorder_end(pl_recorder *rec, int64_t run, const pl_outcome *outcome);
/* Down to the disk: what was written survives a power cut. */
pl_status pl_recorder_fsync(pl_recorder *rec);
/* What is still gathered is not written: someone else writes the file now, or it cannot be. */
void pl_recorder_drop(pl_recorder *rec);
/* Close; rec may be NULL. */
pl_status pl_recorder_close(pl_recorder *rec);

/* Longest record of any run, in doubles. */
int64_t pl_recorder_longest(const pl_recorder *rec);

#endif
