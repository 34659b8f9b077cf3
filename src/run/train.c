#include "run/train.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

#include <math.h>
#include <string.h>

const char *pl_run_state_name(pl_run_state s) {
  static const char *const names[PL_NUM_RUN_STATES] = {"pending",  "running", "done",
                                                       "diverged", "failed",  "stopped"};
  return s < PL_NUM_RUN_STATES ? names[s] : "unknown";
}

int64_t *pl_record_steps(const pl_spec *spec, int64_t *count) {
  int64_t n = spec->record_steps.n, last = spec->steps, points = spec->record_points;
  if (n > 0) {
    int64_t *at = pl_alloc((size_t)n, sizeof *at, "record steps");
    memcpy(at, spec->record_steps.v, (size_t)n * sizeof *at);
    *count = n;
    return at;
  }
  if (points > last + 1) points = last + 1;
  int64_t *at = pl_alloc((size_t)points, sizeof *at, "record steps");
  for (int64_t i = 0; i < points; i++) {
    double x = (double)i / (double)(points - 1);
    double t =
        spec->record_schedule == PL_SCHEDULE_LOG ? pow((double)last + 1, x) - 1 : (double)last * x;
    at[i] = llround(t);
    /* Early points of a logarithmic schedule fall on one step: move them on, so that all are
     * used; late ones are far apart. */
    if (i > 0 && at[i] <= at[i - 1]) at[i] = at[i - 1] + 1;
  }
  at[points - 1] = last;
  *count = points;
  return at;
}

/* One run on its way. */
typedef struct trainer {
  const pl_comm *team;
  const pl_spec *spec;
  const pl_train_hooks *hooks;
  pl_model *model;
  pl_optim *optim;
  double *values; /* a record: n doubles */
  int64_t n;
  double start; /* pl_clock when the run would have begun, had it never been interrupted */
  pl_outcome *out;
} trainer;

/* One record of the present state.  Collective over the team. */
static pl_status record(trainer *r, int64_t t) {
  r->values[PL_RECORD_STEP] = (double)t;
  r->values[PL_RECORD_LR] = exp(pl_log_lr(r->spec, t));
  pl_status st = r->model->kind->observe(r->model, r->values + PL_RECORD_HEAD);
  if (r->team->rank == 0) r->hooks->record(r->hooks->context, r->out->records, r->values, r->n);
  r->out->records++;
  return st;
}

/* A checkpoint after t steps.  Collective over the team. */
static void save(trainer *r, int64_t t) {
  pl_ckpt at = {.step = t, .records = r->out->records, .wall_time = pl_clock() - r->start};
  pl_status st = r->hooks->save(r->hooks->context, r->model, r->optim, &at);
  if (st && r->team->rank == 0)
    pl_log_all(PL_LOG_WARNING, "no checkpoint at step %lld: %s", (long long)t, pl_error_message());
  r->out->unsaved = st != PL_OK;
}

/* The number of steps done already, zero or from a checkpoint. */
static int64_t take_up(trainer *r) {
  pl_ckpt at = {0};
  if (!r->hooks->resume(r->hooks->context, r->model, r->optim, &at)) return 0;
  r->out->records = at.records;
  r->start -= at.wall_time;
  return at.step;
}

static pl_status loop(trainer *r) {
  const pl_spec *spec = r->spec;
  pl_outcome *out = r->out;
  int64_t num_records;
  int64_t *at = pl_record_steps(spec, &num_records);
  double log_stop = spec->stop_loss > 0 ? log(spec->stop_loss) : -INFINITY;
  pl_status st = PL_OK;
  out->state = PL_RUN_RUNNING;
  for (int64_t t = take_up(r); out->state == PL_RUN_RUNNING; t++) {
    double log_loss = r->model->kind->log_loss(r->model);
    out->steps_done = t;
    if (!isfinite(log_loss))
      out->state = PL_RUN_DIVERGED;
    else if (t == spec->steps || log_loss < log_stop)
      out->state = PL_RUN_DONE;
    int64_t next = out->records;
    bool due = next < num_records && (at[next] == t || out->state == PL_RUN_DONE);
    if (due && out->state != PL_RUN_DIVERGED) {
      st = record(r, t);
      if (st) out->state = PL_RUN_FAILED;
    }
    if (out->state != PL_RUN_RUNNING) break;
    double vote = r->hooks->poll(r->hooks->context, t);
    r->model->kind->step(r->model, pl_optim_step(r->optim, t), &vote);
    if (vote == PL_VOTE_NONE) continue;
    save(r, t + 1);
    if (fmod(vote, PL_VOTE_SAVE) == PL_VOTE_NONE) continue;
    out->steps_done = t + 1;
    out->state = PL_RUN_STOPPED;
  }
  pl_free(at);
  return st;
}

pl_status pl_train(const pl_comm *team, const pl_spec *spec, const pl_rates *rates,
                   const pl_train_hooks *hooks, pl_outcome *out) {
  const pl_model_kind *kind = pl_model_kind_get((int)spec->model_kind);
  trainer r = {.team = team, .spec = spec, .hooks = hooks, .start = pl_clock(), .out = out};
  pl_schema schema;
  *out = (pl_outcome){.state = PL_RUN_FAILED};
  int64_t before = pl_mem_restart_peak();
  pl_status st = pl_agree(team, kind->describe(spec, &schema));
  if (st) return st;
  st = kind->create(spec, team, rates, &r.model);
  if (!st) {
    r.optim = pl_optim_new(spec, r.model);
    r.n = PL_RECORD_HEAD + schema.size;
    r.values = pl_alloc((size_t)r.n, sizeof *r.values, "a record");
    st = loop(&r);
    if (!st && hooks->finish)
      st = pl_agree(team, hooks->finish(hooks->context, r.model, out->state));
    if (st) out->state = PL_RUN_FAILED;
    pl_free(r.values);
    pl_optim_free(r.optim);
    kind->destroy(r.model);
  }
  pl_schema_free(&schema);
  out->wall_time = pl_clock() - r.start;
  out->memory = (double)(pl_mem_peak() - before);
  pl_comm_max(team, &out->memory, 1);
  return st;
}
