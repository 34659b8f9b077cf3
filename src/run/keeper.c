#include "run/keeper.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/output.h"
#include "folders.h"
#include "run/extend.h"
#include "run/inputs.h"
#include "run/record.h"
#include "run/stop.h"

#include <math.h>
#include <unistd.h>

struct pl_keeper {
  const pl_config *cfg;
  const pl_plan *plan;
  const pl_sweep_options *opt;
  pl_lock *lock;
  pl_recorder *rec;
  int64_t *kept; /* [num_runs]: as pl_keeper_kept */
  int64_t bad;   /* of those that have ended */
  bool saves;    /* there may be checkpoints */
  pl_status trouble;
  char *message; /* of the first trouble */
};

static void note(pl_keeper *k, pl_status st) {
  if (st == PL_OK || k->trouble) return;
  k->trouble = st;
  k->message = pl_strdup(pl_error_message());
}

void pl_keeper_beat(pl_keeper *k) {
  note(k, pl_lock_beat(k->lock));
}

bool pl_keeper_failed(const pl_keeper *k) {
  return k->trouble != PL_OK;
}

/* ---- while the sweep runs ---- */

/* Who lost the lock writes nothing more: another process does. */
static bool may_write(pl_keeper *k) {
  pl_keeper_beat(k);
  return !k->trouble;
}

void pl_keeper_start(pl_keeper *k, int64_t run, int ranks) {
  if (may_write(k)) note(k, pl_recorder_start(k->rec, run, ranks));
}

void pl_keeper_record(pl_keeper *k, int64_t run, int64_t index, const double *values, int64_t n) {
  if (may_write(k)) note(k, pl_recorder_record(k->rec, run, index, values, n));
}

void pl_keeper_secure(pl_keeper *k) {
  k->saves = true;
  if (!k->trouble) note(k, pl_lock_confirm(k->lock));
  if (!k->trouble) note(k, pl_recorder_fsync(k->rec));
}

static bool keeps_state(const pl_keeper *k, int64_t run) {
  pl_spec spec;
  pl_config_run(k->cfg, run, &spec);
  return pl_spec_keeps_state(&spec);
}

/* The run is in the output, once and for all: that comes to the disk before its checkpoint goes or,
 * where that stays, the one before it. */
static void drop_checkpoint(pl_keeper *k, int64_t run, bool stays) {
  if (!k->saves) return; /* most sweeps of many small runs: nothing to ask the file system for */
  char *path = pl_checkpoint_of(k->opt->output, run);
  if (pl_ckpt_unsettled(path) || (!stays && !access(path, F_OK))) pl_keeper_secure(k);
  if (!k->trouble) (stays ? pl_ckpt_settle : pl_ckpt_remove)(path);
  pl_free(path);
}

void pl_keeper_end(pl_keeper *k, int64_t run, const pl_outcome *outcome) {
  if (may_write(k)) note(k, pl_recorder_end(k->rec, run, outcome));
  if (outcome->wall_time > PL_KEEPER_GATHER) pl_keeper_before(k, INFINITY);
  if (outcome->state != PL_RUN_STOPPED && !k->trouble)
    drop_checkpoint(k, run, outcome->state == PL_RUN_DONE && keeps_state(k, run));
}

void pl_keeper_before(pl_keeper *k, double seconds) {
  if (!k->trouble && pl_recorder_oldest(k->rec) + PL_KEEPER_GATHER < pl_clock() + seconds &&
      may_write(k))
    note(k, pl_recorder_flush(k->rec));
}

/* ---- what earlier sessions have done ---- */

static pl_status take_stock(pl_keeper *k) {
  int64_t ended = 0;
  for (int64_t r = 0; r < k->plan->num_runs; r++) {
    pl_outcome o;
    PL_TRY(pl_recorder_run(k->rec, r, &o));
    bool bad = o.state == PL_RUN_DIVERGED || o.state == PL_RUN_FAILED;
    if (o.state == PL_RUN_RUNNING || o.state == PL_RUN_STOPPED) {
      k->kept[r] = o.records;
    } else if (bad && k->opt->retry) {
      PL_TRY(pl_recorder_clear(k->rec, r));
    } else if (bad || o.state == PL_RUN_DONE) {
      k->kept[r] = PL_KEPT_DONE;
      k->bad += bad;
      ended++;
    }
  }
  pl_log(PL_LOG_INFO, "%lld of %lld runs are done already", (long long)ended,
         (long long)k->plan->num_runs);
  return PL_OK;
}

int64_t pl_keeper_kept(const pl_keeper *k, int64_t run) {
  return k->kept[run];
}

int64_t pl_keeper_kept_bad(const pl_keeper *k) {
  return k->bad;
}

int64_t pl_keeper_longest(const pl_keeper *k) {
  return pl_recorder_longest(k->rec);
}

/* ---- opening and closing ---- */

/* Nobody else writes the output, and it is none of the files that are read. */
static pl_status take_output(pl_keeper *k) {
  const pl_sweep_options *o = k->opt;
  double wait = o->resume || o->extend ? PL_LOCK_STALE + 1 : 0;
  PL_TRY(pl_output_apart(o->output, 1, &o->sweep_file));
  PL_TRY(pl_inputs_apart(k->cfg, o->output));
  PL_TRY(pl_lock_take(o->output, wait, pl_stop_requested, &k->lock));
  PL_TRY(pl_lock_promise(k->lock, PL_LOCK_STALE + 4 * pl_plan_longest(k->plan)));
  pl_stop_removes(pl_lock_path(k->lock));
  return PL_OK;
}

static pl_status create_output(pl_keeper *k) {
  const pl_sweep_options *o = k->opt;
  PL_TRY(pl_recorder_create(o->output, o->overwrite, k->cfg, k->plan, o->command, &k->rec));
  if (o->overwrite) pl_output_clear(o->output);
  return PL_OK;
}

static void drop_unused_checkpoints(pl_keeper *k) {
  k->saves = pl_checkpoints_any(k->opt->output);
  for (int64_t r = 0; k->saves && r < k->plan->num_runs; r++)
    if (k->kept[r] < 0) drop_checkpoint(k, r, k->kept[r] == PL_KEPT_DONE && keeps_state(k, r));
  pl_checkpoints_end(k->opt->output);
}

pl_status pl_keeper_open(const pl_config *cfg, const pl_plan *plan, const pl_sweep_options *opt,
                         pl_keeper **out) {
  pl_keeper *k = *out = pl_zalloc(1, sizeof *k, "keeper of the output");
  *k = (pl_keeper){.cfg = cfg, .plan = plan, .opt = opt};
  k->kept = pl_alloc((size_t)plan->num_runs, sizeof *k->kept, "runs of earlier sessions");
  for (int64_t r = 0; r < plan->num_runs; r++) k->kept[r] = PL_KEPT_NONE;
  PL_TRY(take_output(k));
  PL_TRY(pl_folders_settle(opt->output));
  if (opt->extend) PL_TRY(pl_extend(opt->output, cfg, plan, opt->command, k->lock));
  if (opt->extend || (opt->resume && !access(opt->output, F_OK))) {
    PL_TRY(pl_recorder_open(opt->output, true, cfg, &k->rec));
    PL_TRY(take_stock(k));
  } else {
    PL_TRY(create_output(k));
  }
  pl_recorder_gather(k->rec, PL_KEEPER_GATHER);
  drop_unused_checkpoints(k);
  return PL_OK;
}

pl_status pl_keeper_close(pl_keeper *k, pl_status st) {
  if (!k) return st;
  if (k->rec && !k->trouble) note(k, pl_lock_confirm(k->lock));
  if (k->trouble) pl_recorder_drop(k->rec);
  if (k->trouble) st = pl_error(k->trouble, "%s", k->message);
  pl_status closed = pl_recorder_close(k->rec);
  pl_stop_removes("");
  pl_lock_release(k->lock);
  pl_free(k->kept);
  pl_free(k->message);
  pl_free(k);
  return st ? st : closed;
}
