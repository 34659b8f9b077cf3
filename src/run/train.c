#include "run/train.h"

#include "base/clock.h"
#include "base/mem.h"
#include "model/optim.h"

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

/* One record of the present state.  Collective over the team. */
static pl_status record(pl_model *model, const pl_comm *team, const pl_spec *spec, int64_t t,
                        const pl_train_hooks *hooks, double *values, int64_t n, pl_outcome *out) {
  values[PL_RECORD_STEP] = (double)t;
  values[PL_RECORD_LR] = exp(pl_log_lr(spec, t));
  pl_status st = model->kind->observe(model, values + PL_RECORD_HEAD);
  if (team->rank == 0) hooks->record(hooks->context, out->records, values, n);
  out->records++;
  return st;
}

static pl_status loop(pl_model *model, pl_optim *optim, const pl_comm *team, const pl_spec *spec,
                      const pl_train_hooks *hooks, double *values, int64_t n, pl_outcome *out) {
  int64_t num_records, next = 0;
  int64_t *at = pl_record_steps(spec, &num_records);
  double log_stop = spec->stop_loss > 0 ? log(spec->stop_loss) : -INFINITY;
  pl_status st = PL_OK;
  out->state = PL_RUN_RUNNING;
  for (int64_t t = 0; out->state == PL_RUN_RUNNING; t++) {
    double log_loss = model->kind->log_loss(model);
    out->steps_done = t;
    if (!isfinite(log_loss))
      out->state = PL_RUN_DIVERGED;
    else if (t == spec->steps || log_loss < log_stop)
      out->state = PL_RUN_DONE;
    bool due = next < num_records && (at[next] == t || out->state == PL_RUN_DONE);
    if (due && out->state != PL_RUN_DIVERGED) {
      st = record(model, team, spec, t, hooks, values, n, out);
      next++;
      if (st) out->state = PL_RUN_FAILED;
    }
    if (out->state != PL_RUN_RUNNING) break;
    double vote = hooks->poll(hooks->context, t) ? 1 : 0;
    model->kind->step(model, pl_optim_step(optim, t), &vote);
    if (vote > 0) {
      out->steps_done = t + 1;
      out->state = PL_RUN_STOPPED;
    }
  }
  pl_free(at);
  return st;
}

pl_status pl_train(const pl_comm *team, const pl_spec *spec, const pl_rates *rates,
                   const pl_train_hooks *hooks, pl_outcome *out) {
  const pl_model_kind *kind = pl_model_kind_get((int)spec->model_kind);
  pl_model *model = NULL;
  pl_schema schema;
  double start = pl_clock();
  *out = (pl_outcome){.state = PL_RUN_FAILED};
  pl_status st = pl_agree(team, kind->describe(spec, &schema));
  if (st) return st;
  st = kind->create(spec, team, rates, &model);
  if (!st) {
    pl_optim *optim = pl_optim_new(spec, model);
    int64_t n = PL_RECORD_HEAD + schema.size;
    double *values = pl_alloc((size_t)n, sizeof *values, "a record");
    st = loop(model, optim, team, spec, hooks, values, n, out);
    if (!st && hooks->finish) st = pl_agree(team, hooks->finish(hooks->context, model, out->state));
    if (st) out->state = PL_RUN_FAILED;
    pl_free(values);
    pl_optim_free(optim);
    kind->destroy(model);
  }
  pl_schema_free(&schema);
  out->wall_time = pl_clock() - start;
  return st;
}
