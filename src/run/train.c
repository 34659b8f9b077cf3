#include "run/train.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/pause.h"

#include <math.h>
#include <string.h>

const char *pl_run_state_name(pl_run_state s) {
  static const char *const names[PL_NUM_RUN_STATES] = {"pending",  "running", "done",
                                                       "diverged", "failed",  "stopped"};
  return s < PL_NUM_RUN_STATES ? names[s] : "unknown";
}

/* One run on its way. */
typedef struct trainer {
  const pl_comm *team;
  const pl_spec *spec;
  const pl_length *length;
  const pl_train_hooks *hooks;
  pl_model *model;
  pl_optim *optim;
  const pl_schema *schema;
  double *values; /* a record: n doubles */
  int64_t n;
  pl_watch watch;
  double **best; /* weights of the best record, block by block; NULL: not wanted */
  double *kept;  /* what the model keeps beside its weights, as it was before a record */
  double start;  /* pl_clock when the run would have begun, had it never been interrupted */
  pl_outcome *out;
} trainer;

/* ---- weights of the best record ---- */

/* The model's weights into copies of its blocks, or changed for them. */
static void copy_blocks(pl_model *m, double *const *blocks, bool exchange) {
  for (int p = 0; p < m->num_params; p++)
    for (int64_t i = 0; i < m->params[p].n; i++) {
      double kept = blocks[p][i];
      blocks[p][i] = m->params[p].w[i];
      if (exchange) m->params[p].w[i] = kept;
    }
}

static void make_best(trainer *r) {
  const pl_model *m = r->model;
  if (!r->spec->common.record_best) return;
  r->best = pl_alloc((size_t)m->num_params, sizeof *r->best, "best weights");
  for (int p = 0; p < m->num_params; p++)
    r->best[p] = pl_zalloc((size_t)m->params[p].n, sizeof **r->best, "best weights");
}

static void free_best(trainer *r) {
  for (int p = 0; r->best && p < r->model->num_params; p++) pl_free(r->best[p]);
  pl_free(r->best);
}

/* Hand them over in the model, which has its own again afterwards.  A run that diverges has had
 * them all the same. */
static pl_status save_best(trainer *r) {
  const pl_outcome *o = r->out;
  bool ended = o->state == PL_RUN_DONE || o->state == PL_RUN_DIVERGED;
  if (!r->best || !r->hooks->best || !ended || o->best.step < 0) return PL_OK;
  copy_blocks(r->model, r->best, true);
  pl_status st = r->hooks->best(r->hooks->context, r->model);
  copy_blocks(r->model, r->best, true);
  return pl_agree(r->team, st);
}

/* ---- work that may be given up ---- */

static void begin_work(const trainer *r) {
  pl_pause_do(r->hooks->pause, r->hooks->context);
}

/* The work's status, the same on every rank.  PL_STOPPED: it was given up at a pause of some rank,
 * and what has come of it counts for nothing. */
static pl_status end_work(const trainer *r, pl_status st) {
  pl_status answer = pl_pause_answer();
  pl_pause_do(NULL, NULL);
  return pl_agree(r->team, answer ? answer : st);
}

/* What the model keeps beside its weights into r->kept, or back. */
static void copy_kept(const trainer *r, bool back) {
  double *at = r->kept, *x;
  const char *name;
  int64_t n;
  const pl_model_kind *kind = r->model->kind;
  for (int i = 0; kind->keep && (x = kind->keep(r->model, i, &name, &n)); at += n, i++)
    memcpy(back ? x : at, back ? at : x, (size_t)n * sizeof *x);
}

static void make_kept(trainer *r) {
  int64_t n, total = 0;
  const char *name;
  const pl_model_kind *kind = r->model->kind;
  for (int i = 0; kind->keep && kind->keep(r->model, i, &name, &n); i++) total += n;
  if (total) r->kept = pl_alloc((size_t)total, sizeof *r->kept, "what the run keeps");
}

/* ---- records ---- */

/* What a record tells all ranks. */
typedef struct learnt {
  pl_verdict verdict;
  pl_best best;
  bool finite;
} learnt;

/* One record of the present state; the run may have diverged by it.  PL_STOPPED: given up, as if it
 * had not been begun.  Collective over the team. */
static pl_status record(trainer *r, int64_t t) {
  double *own = r->values + PL_RECORD_HEAD;
  r->values[PL_RECORD_STEP] = (double)t;
  r->values[PL_RECORD_LR] = exp(pl_log_lr(r->spec, t, r->length->steps));
  copy_kept(r, false);
  begin_work(r);
  /* Networks whose ranks compute alike need not agree themselves; what follows is collective. */
  pl_status st = end_work(r, r->model->kind->observe(r->model, own));
  if (st == PL_STOPPED) {
    copy_kept(r, true);
    return st;
  }
  if (r->team->rank == 0) r->hooks->record(r->hooks->context, r->out->records, r->values, r->n);
  r->out->records++;
  if (st) return st;
  /* Only rank 0 has the numbers. */
  learnt l = {r->out->verdict, r->out->best, true};
  if (r->team->rank == 0) {
    l.finite = pl_schema_finite(r->schema, own);
    if (r->model->kind->judge) l.verdict = r->model->kind->judge(r->schema, own);
    if (pl_watch_any(&r->watch)) pl_best_take(&l.best, &r->watch, t, own);
  }
  pl_comm_bcast(r->team, &l, sizeof l, 0);
  r->out->verdict = l.verdict;
  r->out->best = l.best;
  if (!l.finite) r->out->state = PL_RUN_DIVERGED;
  if (r->best && l.best.step == t) copy_blocks(r->model, r->best, false);
  return PL_OK;
}

/* Where the run stands after t steps. */
static pl_ckpt mark(const trainer *r, int64_t t) {
  return (pl_ckpt){.step = t,
                   .records = r->out->records,
                   .wall_time = pl_clock() - r->start,
                   .best = r->out->best,
                   .verdict = r->out->verdict,
                   .best_weights = r->best};
}

/* A checkpoint after t steps.  Collective over the team. */
static void save(trainer *r, int64_t t) {
  pl_ckpt at = mark(r, t);
  pl_status st = r->hooks->save(r->hooks->context, r->model, r->optim, &at);
  if (st && r->team->rank == 0)
    pl_log_all(PL_LOG_WARNING, "no checkpoint at step %lld: %s", (long long)t, pl_error_message());
  r->out->unsaved = st != PL_OK;
}

/* The number of steps done already, zero or from a checkpoint. */
static int64_t take_up(trainer *r) {
  pl_ckpt at = {.best_weights = r->best};
  if (!r->hooks->resume(r->hooks->context, r->model, r->optim, &at)) return 0;
  r->out->records = at.records;
  r->out->best = at.best;
  r->out->verdict = at.verdict;
  r->start -= at.wall_time;
  return at.step;
}

/* The state from which more steps could go on.  Collective over the team. */
static void keep(trainer *r) {
  if (r->out->state != PL_RUN_DONE || !r->hooks->keep) return;
  pl_ckpt at = mark(r, r->out->steps_done);
  pl_status st = r->hooks->keep(r->hooks->context, r->model, r->optim, &at);
  if (st && r->team->rank == 0)
    pl_log_all(PL_LOG_WARNING, "the final state is not kept: %s", pl_error_message());
}

/* By the objective alone, after t steps. */
static pl_run_state state_after(const trainer *r, int64_t t) {
  pl_standing now = r->model->kind->standing(r->model);
  double limit = r->spec->common.stop_loss;
  if (!pl_standing_finite(now)) return PL_RUN_DIVERGED;
  if (t == r->length->steps || (limit > 0 && pl_standing_below(now, limit))) return PL_RUN_DONE;
  return PL_RUN_RUNNING;
}

static pl_status loop(trainer *r) {
  pl_outcome *out = r->out;
  int64_t num_records;
  int64_t *at = pl_record_steps(r->spec, r->length, &num_records);
  pl_status st = PL_OK;
  out->state = PL_RUN_RUNNING;
  for (int64_t t = take_up(r); out->state == PL_RUN_RUNNING; t++) {
    out->steps_done = t;
    out->state = state_after(r, t);
    int64_t next = out->records;
    /* Of the run that ended here, shorter then, or by its limit and before its time. */
    bool there = next > 0 && at[next - 1] >= t;
    bool due = !there && next < num_records && (at[next] == t || out->state == PL_RUN_DONE);
    if (due && out->state != PL_RUN_DIVERGED) st = record(r, t);
    if (st == PL_STOPPED) {
      save(r, t);
      out->state = PL_RUN_STOPPED;
      st = PL_OK;
      break;
    }
    if ((due || there) && out->state == PL_RUN_RUNNING && pl_best_over(&out->best, &r->watch))
      out->state = PL_RUN_DONE;
    if (st) out->state = PL_RUN_FAILED;
    if (out->state != PL_RUN_RUNNING) break;
    double vote = r->hooks->poll(r->hooks->context, t);
    r->model->kind->step(r->model, t, pl_optim_step(r->optim, t), &vote);
    if (vote == PL_VOTE_NONE) continue;
    save(r, t + 1);
    if (fmod(vote, PL_VOTE_SAVE) == PL_VOTE_NONE) continue;
    out->steps_done = t + 1;
    out->state = PL_RUN_STOPPED;
  }
  pl_free(at);
  return st;
}

static pl_status create(trainer *r, const pl_rates *rates) {
  begin_work(r);
  pl_status made = r->spec->model->create(r->spec, r->team, rates, &r->model);
  pl_status st = end_work(r, made);
  if (st && !made) r->model->kind->destroy(r->model);
  return st;
}

/* The run of a trainer whose schema is known. */
static pl_status train(trainer *r, const pl_rates *rates, const pl_schema *schema) {
  r->schema = schema;
  PL_TRY(pl_agree(r->team, pl_watch_init(&r->watch, r->spec, schema)));
  PL_TRY(create(r, rates));
  make_kept(r);
  r->optim = pl_optim_new(r->spec, r->model, r->length->steps);
  make_best(r);
  r->n = PL_RECORD_HEAD + schema->size;
  r->values = pl_alloc((size_t)r->n, sizeof *r->values, "a record");
  pl_status st = loop(r);
  if (!st && r->hooks->finish)
    st = pl_agree(r->team, r->hooks->finish(r->hooks->context, r->model, r->out->state));
  if (!st) keep(r);
  if (!st) st = save_best(r);
  if (st) r->out->state = PL_RUN_FAILED;
  free_best(r);
  pl_free(r->values);
  pl_free(r->kept);
  pl_optim_free(r->optim);
  r->model->kind->destroy(r->model);
  return st;
}

pl_status pl_train(const pl_comm *team, const pl_spec *spec, const pl_length *length,
                   const pl_rates *rates, const pl_train_hooks *hooks, pl_outcome *out) {
  trainer r = {.team = team,
               .spec = spec,
               .length = length,
               .hooks = hooks,
               .start = pl_clock(),
               .out = out};
  pl_schema schema;
  *out = (pl_outcome){
      .state = PL_RUN_FAILED, .best = pl_best_none(), .verdict = {PL_UNSAID, PL_UNSAID}};
  int64_t before = pl_mem_restart_peak();
  PL_TRY(pl_agree(team, spec->model->describe(spec, &schema)));
  pl_status st = train(&r, rates, &schema);
  pl_schema_free(&schema);
  out->wall_time = pl_clock() - r.start;
  out->memory = (double)(pl_mem_peak() - before);
  pl_comm_max(team, &out->memory, 1);
  return st;
}
