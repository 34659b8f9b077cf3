/* The keeper of a sweep's output: its lock, its recorder, what earlier sessions left in it, and the
 * checkpoints beside it.  Local: rank 0 alone has one.
 *
 * Trouble with the output is told once, at the end: from the first error on the keeper writes
 * nothing more, and whoever asks (pl_keeper_failed) ends the sweep. */
#ifndef PL_RUN_KEEPER_H
#define PL_RUN_KEEPER_H

#include "run/sweep.h"
#include "run/train.h"

typedef struct pl_keeper pl_keeper;

/* What earlier sessions have done of a run. */
enum {
  PL_KEPT_DONE = -2, /* it has ended */
  PL_KEPT_NONE = -1  /* it starts from its first step */
};                   /* else: it goes on from a checkpoint, with so many records in the output */

/* Records wait at most so long to be written together (seconds); by prediction, so half of what is
 * promised. */
#define PL_KEEPER_GATHER 0.5

/* Take the output (base/lock.h), and end what a killed extension or merge left (pl_folders_settle);
 * then create it or, with opt->resume, go on with it or, with opt->extend, extend it first;
 * checkpoints that no run will go on from are removed.  *out is to be closed even after an error.
 * Errors as pl_sweep_run. */
pl_status pl_keeper_open(const pl_config *cfg, const pl_plan *plan, const pl_sweep_options *opt,
                         pl_keeper **out);
/* Returns what went wrong with the output or else st, how the sweep went.  k may be NULL. */
pl_status pl_keeper_close(pl_keeper *k, pl_status st);

/* PL_KEPT_DONE, PL_KEPT_NONE or the number of records; and how many of the runs that have ended
 * did so badly. */
int64_t pl_keeper_kept(const pl_keeper *k, int64_t run);
int64_t pl_keeper_kept_bad(const pl_keeper *k);
/* Longest record of any run, in doubles. */
int64_t pl_keeper_longest(const pl_keeper *k);

void pl_keeper_start(pl_keeper *k, int64_t run, int ranks);
void pl_keeper_record(pl_keeper *k, int64_t run, int64_t index, const double *values, int64_t n);
/* A run has ended; when it is in the output once and for all, its checkpoint goes or, where that is
 * to stay (pl_spec_keeps_state), the one before it. */
void pl_keeper_end(pl_keeper *k, int64_t run, const pl_outcome *outcome);
/* Records so far come to the disk: before a checkpoint that counts on them, and at the end. */
void pl_keeper_secure(pl_keeper *k);
/* Something that takes so long comes next: what would have waited too long at its end goes out. */
void pl_keeper_before(pl_keeper *k, double seconds);
/* A sign of life for the lock, every now and then. */
void pl_keeper_beat(pl_keeper *k);
bool pl_keeper_failed(const pl_keeper *k);

#endif
