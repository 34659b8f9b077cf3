#include "run/extend.h"

#include "base/log.h"
#include "base/mem.h"
#include "folders.h"
#include "growth.h"
#include "run/ckpt.h"
#include "run/inputs.h"
#include "run/record.h"

#include <math.h>
#include <string.h>

typedef struct extension {
  const char *path;
  const pl_config *cfg;
  pl_config *was; /* the runs of the file selected */
  int64_t *place; /* [runs of the file]: which run of cfg each is */
  bool moves;     /* some have another number */
  pl_growth growth;
  pl_recorder *from;
} extension;

/* Where the runs of the whole stand among those of cfg; -1: it has them not. */
static int64_t *places_of(const pl_config *cfg, int64_t whole) {
  int64_t *at = pl_alloc((size_t)whole, sizeof *at, "runs of the sweep");
  memset(at, -1, (size_t)whole * sizeof *at);
  for (int64_t r = 0; r < pl_config_num_runs(cfg); r++) at[pl_config_index(cfg, r)] = r;
  return at;
}

static pl_status match_runs(extension *x) {
  int64_t num_was = pl_config_num_whole(x->was), runs = pl_config_num_runs(x->was);
  int64_t *place = pl_alloc((size_t)num_was, sizeof *place, "runs of the output");
  int64_t *at = places_of(x->cfg, pl_config_num_whole(x->cfg));
  pl_status st = pl_config_match(x->was, x->cfg, place);
  x->place = pl_alloc((size_t)runs, sizeof *x->place, "runs of the output");
  for (int64_t r = 0; r < runs && !st; r++) {
    pl_spec a, b;
    x->place[r] = at[place[pl_config_index(x->was, r)]];
    x->moves = x->moves || x->place[r] != r;
    if (x->place[r] < 0) {
      st = pl_error(PL_EINPUT, "--shard: its runs are those of another one");
      break;
    }
    pl_config_run(x->was, r, &a);
    pl_config_run(x->cfg, x->place[r], &b);
    st = pl_growth_add(&x->growth, &a, &b, true);
  }
  pl_free(place);
  pl_free(at);
  return st ? pl_error_in(st, PL_NO_EXTENSION, x->path) : PL_OK;
}

/* Is the file that of cfg, to the letter? */
static bool same_sweep(const extension *x) {
  return !x->moves && pl_config_num_runs(x->was) == pl_config_num_runs(x->cfg) &&
         !strcmp(pl_config_text(x->was), pl_config_text(x->cfg)) &&
         !strcmp(pl_config_sets(x->was), pl_config_sets(x->cfg));
}

static pl_status not_kept(int64_t run, const pl_outcome *out, pl_status looked) {
  char *reason = looked ? pl_strdup(pl_error_message()) : pl_strdup("it is of another step");
  pl_status st = pl_error(PL_EINPUT,
                          "steps: run %lld has ended at step %lld and its final state was not "
                          "kept, as checkpoint.keep: true or record.final: true would have done "
                          "(%s)",
                          (long long)run, (long long)out->steps_done, reason);
  pl_free(reason);
  return st;
}

/* Does a run go on that had ended at its last step, not before, by a rule of its own? */
static bool grows(const extension *x, int64_t r, const pl_outcome *out) {
  return x->growth.from && out->state == PL_RUN_DONE &&
         out->steps_done == pl_recorder_steps(x->from, r);
}

static pl_status expect_state(const extension *x, int64_t r, const pl_outcome *out) {
  char *path = pl_checkpoint_of(x->path, r);
  pl_ckpt at;
  pl_status st = pl_ckpt_look(path, pl_ckpt_digest(x->cfg, x->place[r]), &at);
  pl_free(path);
  if (!st && at.step == out->steps_done && at.records == out->records) return PL_OK;
  return pl_error_in(not_kept(r, out, st), PL_NO_EXTENSION, x->path);
}

static pl_status expect_states(const extension *x) {
  for (int64_t r = 0; r < pl_config_num_runs(x->was); r++) {
    pl_outcome out;
    PL_TRY(pl_recorder_run(x->from, r, &out));
    if (grows(x, r, &out)) PL_TRY(expect_state(x, r, &out));
  }
  return PL_OK;
}

static pl_status copy_runs(const extension *x, pl_recorder *to, pl_lock *lock) {
  int64_t a = pl_recorder_longest(x->from), b = pl_recorder_longest(to);
  double *values = pl_alloc((size_t)(a > b ? a : b), sizeof *values, "a record");
  pl_status st = PL_OK;
  for (int64_t r = 0; r < pl_config_num_runs(x->was) && !st; r++) {
    pl_outcome out;
    st = pl_lock_beat(lock);
    if (!st) st = pl_recorder_run(x->from, r, &out);
    if (st || out.state == PL_RUN_PENDING) continue;
    if (grows(x, r, &out)) out.state = PL_RUN_STOPPED;
    st = pl_recorder_copy(x->from, r, &out, to, x->place[r], values);
  }
  pl_free(values);
  return st;
}

/* The command line, and the history that the file has. */
static pl_status history(const char *path, const char *command, char **out) {
  pl_nc *nc;
  PL_TRY(pl_nc_open(path, false, &nc));
  char *was = pl_nc_get_att_string(nc, NULL, "history");
  *out = pl_asprintf("%s%s%s", command, was ? "\n" : "", was ? was : "");
  pl_free(was);
  return pl_nc_close(nc);
}

static pl_status write_new(const extension *x, const pl_plan *plan, const char *command,
                           pl_lock *lock, const char *name) {
  pl_recorder *to;
  char *past;
  PL_TRY(history(x->path, command, &past));
  pl_status st = pl_recorder_create(name, false, x->cfg, plan, past, &to);
  pl_free(past);
  if (st) return st;
  pl_recorder_gather(to, INFINITY);
  st = copy_runs(x, to, lock);
  if (st) pl_recorder_drop(to);
  pl_status closed = pl_recorder_close(to);
  return st ? st : closed;
}

/* What others have added to the runs, such as optima. */
static pl_status carry_over(const extension *x, const char *name) {
  pl_nc *from, *to;
  PL_TRY(pl_nc_open(x->path, false, &from));
  pl_status st = pl_nc_open(name, true, &to);
  if (!st) {
    st = pl_nc_carry(from, "run", x->place, to);
    pl_status closed = pl_nc_close(to); /* tells of what failed before */
    if (!st) st = closed;
  }
  pl_nc_close(from);
  return st;
}

static pl_status replace(const extension *x, const pl_plan *plan, const char *command,
                         pl_lock *lock) {
  char *name = pl_extending_of(x->path);
  pl_status st = write_new(x, plan, command, lock, name);
  if (!st) st = carry_over(x, name);
  if (!st && x->moves)
    st = pl_folders_stage(x->path, x->path, pl_config_num_runs(x->was), x->place);
  if (!st) st = pl_lock_confirm(lock);
  pl_free(name);
  return pl_folders_place(x->path, st);
}

static pl_status same_inputs(const extension *x) {
  pl_nc *nc;
  PL_TRY(pl_nc_open(x->path, false, &nc));
  pl_status st = pl_inputs_same(nc, x->cfg);
  pl_nc_close(nc);
  return st ? pl_error_in(st, PL_NO_EXTENSION, x->path) : PL_OK;
}

static pl_status extend(extension *x, const pl_plan *plan, const char *command, pl_lock *lock) {
  PL_TRY(match_runs(x));
  PL_TRY(same_inputs(x));
  if (same_sweep(x)) return PL_OK;
  PL_TRY(pl_recorder_open(x->path, false, x->was, &x->from));
  PL_TRY(expect_states(x));
  PL_TRY(replace(x, plan, command, lock));
  pl_log(PL_LOG_INFO, "%s: extended from %lld runs to %lld", x->path,
         (long long)pl_config_num_runs(x->was), (long long)pl_config_num_runs(x->cfg));
  return PL_OK;
}

pl_status pl_extend(const char *path, const pl_config *cfg, const pl_plan *plan,
                    const char *command, pl_lock *lock) {
  extension x = {.path = path, .cfg = cfg};
  PL_TRY(pl_recorder_config(path, &x.was));
  pl_status st = extend(&x, plan, command, lock);
  pl_recorder_close(x.from);
  pl_free(x.place);
  pl_config_free(x.was);
  return st;
}
