#include "record_window.h"

#include "base/mem.h"
#include "record_buffer.h"

/* Numbers in a window; a run that has more is read record by record. */
enum { ROOM = 1 << 20 };

struct pl_record_window {
  const pl_nc *nc;
  const pl_outline *o;
  int64_t first, n; /* runs in the window; of a known one from `good` on */
  int64_t good;
  int kind;
  /* [n] each, and step, lr [n][records] */
  int64_t *status, *steps_done, *ranks, *best_step, *separated, *converged, *step;
  double *wall_time, *memory, *validation, *test, *lr;
  bool has_values;
  double *values; /* measure after measure, [n][records][length] each */
};

/* ---- life ---- */

pl_record_window *pl_record_window_new(const pl_nc *nc, const pl_outline *o) {
  pl_record_window *w = pl_zalloc(1, sizeof *w, "a window of runs");
  w->nc = nc;
  w->o = o;
  return w;
}

static void empty(pl_record_window *w) {
  void *arrays[] = {w->status, w->steps_done, w->ranks,     w->best_step, w->step,
                    w->memory, w->separated,  w->converged, w->wall_time, w->validation,
                    w->test,   w->lr,         w->values};
  for (size_t k = 0; k < sizeof arrays / sizeof *arrays; k++) pl_free(arrays[k]);
  *w = (pl_record_window){.nc = w->nc, .o = w->o};
}

void pl_record_window_free(pl_record_window *w) {
  if (!w) return;
  empty(w);
  pl_free(w);
}

void pl_record_window_forget(pl_record_window *w, int64_t run) {
  if (run >= w->first + w->n)
    empty(w);
  else if (run >= w->good)
    w->good = run + 1;
}

/* ---- moving it ---- */

static int kind_of(const pl_outline *o, int64_t run) {
  return o->class_kind[o->classes.of[run]];
}

static pl_status get_ints(pl_record_window *w, const char *var, int64_t row, int64_t **out) {
  int64_t at[] = {w->first, 0}, count[] = {w->n, row};
  *out = pl_alloc((size_t)(w->n * row), sizeof **out, "a window of runs");
  return pl_nc_get_ints(w->nc, var, at, count, *out);
}

static pl_status get_doubles(pl_record_window *w, const char *var, int64_t row, double **out) {
  int64_t at[] = {w->first, 0}, count[] = {w->n, row};
  *out = pl_alloc((size_t)(w->n * row), sizeof **out, "a window of runs");
  return pl_nc_get_doubles(w->nc, var, at, count, *out);
}

/* Files of older versions have no flags. */
static pl_status get_flag(pl_record_window *w, const char *var, int64_t **out) {
  if (pl_nc_var(w->nc, var, NULL, NULL, NULL, 0) == 1) return get_ints(w, var, 1, out);
  *out = pl_alloc((size_t)w->n, sizeof **out, "a window of runs");
  for (int64_t i = 0; i < w->n; i++) (*out)[i] = PL_UNSAID;
  return PL_OK;
}

static pl_status load(pl_record_window *w) {
  const pl_records *k = w->o->kinds[w->kind];
  PL_TRY(get_ints(w, "status", 1, &w->status));
  PL_TRY(get_ints(w, "steps_done", 1, &w->steps_done));
  PL_TRY(get_ints(w, "ranks", 1, &w->ranks));
  PL_TRY(get_doubles(w, "wall_time", 1, &w->wall_time));
  PL_TRY(get_doubles(w, "memory", 1, &w->memory));
  PL_TRY(get_flag(w, "separated", &w->separated));
  PL_TRY(get_flag(w, "converged", &w->converged));
  if (k->best) PL_TRY(get_ints(w, "best_step", 1, &w->best_step));
  if (k->best) PL_TRY(get_doubles(w, "validation_best", 1, &w->validation));
  if (k->test) PL_TRY(get_doubles(w, "test_at_best", 1, &w->test));
  /* Before the measures: the file may grow meanwhile, and what step counts is whole. */
  return get_ints(w, "step", w->o->num_records, &w->step);
}

static pl_status move(pl_record_window *w, int64_t run) {
  if (run >= w->good && run < w->first + w->n) return PL_OK;
  empty(w);
  w->first = w->good = run;
  w->kind = kind_of(w->o, run);
  int64_t size = w->o->num_records * (1 + w->o->kinds[w->kind]->schema.size), n = 1;
  while (run + n < w->o->num_runs && kind_of(w->o, run + n) == w->kind && (n + 1) * size <= ROOM)
    n++;
  w->n = n;
  pl_status st = load(w);
  if (st) empty(w);
  return st;
}

/* ---- questions ---- */

pl_status pl_record_window_run(pl_record_window *w, int64_t run, pl_outcome *out) {
  PL_TRY(move(w, run));
  const pl_records *k = w->o->kinds[w->kind];
  int64_t i = run - w->first, records = w->o->num_records, state = w->status[i];
  *out = (pl_outcome){.steps_done = w->steps_done[i],
                      .wall_time = w->wall_time[i],
                      .memory = w->memory[i],
                      .best = pl_best_none(),
                      .verdict = {(int)w->separated[i], (int)w->converged[i]}};
  if (state < 0 || state >= PL_NUM_RUN_STATES)
    return pl_error(PL_EINPUT, "%s: run %lld has the unknown status %lld", pl_nc_path(w->nc),
                    (long long)run, (long long)state);
  out->state = (pl_run_state)state;
  if (k->best && w->best_step[i] >= 0) {
    out->best.step = w->best_step[i];
    out->best.validation = w->validation[i];
    if (k->test) out->best.test = w->test[i];
  }
  while (out->records < records && w->step[i * records + out->records] >= 0) out->records++;
  return PL_OK;
}

pl_status pl_record_window_ranks(pl_record_window *w, int64_t run, int *out) {
  PL_TRY(move(w, run));
  *out = (int)w->ranks[run - w->first];
  return PL_OK;
}

/* Measure i of so many records of so many runs. */
static pl_status get_measure(const pl_record_window *w, int i, int64_t run, int64_t runs,
                             int64_t index, int64_t records, double *out) {
  const pl_schema *s = &w->o->kinds[w->kind]->schema;
  int64_t at[3] = {run, index}, count[3] = {runs, records};
  pl_record_place(w->o, s, i, at, count);
  return pl_nc_get_doubles(w->nc, s->measures[i]->name, at, count, out);
}

static pl_status load_values(pl_record_window *w) {
  const pl_schema *s = &w->o->kinds[w->kind]->schema;
  int64_t cells = w->n * w->o->num_records;
  if (w->has_values) return PL_OK;
  PL_TRY(get_doubles(w, "lr", w->o->num_records, &w->lr));
  w->values = pl_alloc((size_t)(cells * s->size), sizeof *w->values, "a window of records");
  for (int i = 0; i < s->num_measures; i++)
    PL_TRY(
        get_measure(w, i, w->first, w->n, 0, w->o->num_records, w->values + cells * s->offset[i]));
  w->has_values = true;
  return PL_OK;
}

pl_status pl_record_window_read(pl_record_window *w, int64_t run, int64_t index, double *values) {
  PL_TRY(move(w, run));
  const pl_schema *s = &w->o->kinds[w->kind]->schema;
  int64_t records = w->o->num_records, cells = w->n * records;
  int64_t cell = (run - w->first) * records + index;
  double *own = values + PL_RECORD_HEAD;
  values[PL_RECORD_STEP] = (double)w->step[cell];
  if (cells * s->size > ROOM) {
    int64_t at[] = {run, index}, one[] = {1, 1};
    for (int i = 0; i < s->num_measures; i++)
      PL_TRY(get_measure(w, i, run, 1, index, 1, own + s->offset[i]));
    return pl_nc_get_doubles(w->nc, "lr", at, one, &values[PL_RECORD_LR]);
  }
  PL_TRY(load_values(w));
  values[PL_RECORD_LR] = w->lr[cell];
  for (int i = 0; i < s->num_measures; i++) {
    const double *from = w->values + cells * s->offset[i] + cell * s->length[i];
    for (int64_t k = 0; k < s->length[i]; k++) own[s->offset[i] + k] = from[k];
  }
  return PL_OK;
}
