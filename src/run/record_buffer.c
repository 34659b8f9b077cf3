#include "record_buffer.h"

#include "base/clock.h"
#include "base/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A record in the pool. */
typedef struct entry {
  int64_t run, index;
  size_t at; /* first of its doubles */
  int kind;  /* number in the outline */
} entry;

typedef struct beginning {
  int64_t run, ranks;
} beginning;

typedef struct ending {
  int64_t run;
  pl_outcome outcome;
} ending;

/* An array that grows. */
typedef struct list {
  void *v;
  size_t n, room, size;
} list;

/* Where a kind of records has a variable; measure -1: it has it not. */
typedef struct spot {
  int measure;
  int64_t offset, start, length;
} spot;

struct pl_record_buffer {
  pl_nc *nc;
  const pl_outline *o;
  spot *spots; /* [kinds][variables] */
  list pool;   /* doubles */
  list entries, begun, ended;
  list slab; /* bytes: what goes into one variable at once */
  double oldest;
};

/* ---- lists ---- */

static void *list_add(list *l, size_t n) {
  if (l->n + n > l->room) {
    while (l->n + n > l->room) l->room = l->room ? 2 * l->room : 64;
    l->v = pl_realloc(l->v, l->room, l->size, "records to be written");
  }
  void *at = (char *)l->v + l->n * l->size;
  l->n += n;
  return at;
}

static void *slab_of(pl_record_buffer *b, int64_t numbers) {
  b->slab.n = 0;
  return list_add(&b->slab, (size_t)numbers * sizeof(double));
}

/* ---- life ---- */

void pl_record_place(const pl_outline *o, const pl_schema *s, int i, int64_t at[3],
                     int64_t count[3]) {
  const pl_measure *m = s->measures[i];
  at[2] = 0;
  count[2] = s->length[i];
  if (!m->axis) return;
  const pl_dimension *d = pl_outline_dimension(o, m->axis);
  for (int a = 0; a < s->num_axes; a++)
    if (!strcmp(s->axes[a].name, m->axis))
      at[2] = d->segment[pl_dimension_segment(d, s->axes[a].key)].start;
}

static spot find_spot(const pl_outline *o, const pl_schema *s, const char *name) {
  for (int i = 0; i < s->num_measures; i++) {
    if (strcmp(s->measures[i]->name, name)) continue;
    int64_t at[3], count[3];
    pl_record_place(o, s, i, at, count);
    return (spot){i, PL_RECORD_HEAD + s->offset[i], at[2], count[2]};
  }
  return (spot){.measure = -1};
}

pl_record_buffer *pl_record_buffer_new(pl_nc *nc, const pl_outline *o) {
  pl_record_buffer *b = pl_zalloc(1, sizeof *b, "records to be written");
  b->nc = nc;
  b->o = o;
  b->oldest = INFINITY;
  b->pool.size = sizeof(double);
  b->entries.size = sizeof(entry);
  b->begun.size = sizeof(beginning);
  b->ended.size = sizeof(ending);
  b->slab.size = 1;
  b->spots = pl_alloc((size_t)(o->num_kinds * o->num_variables), sizeof *b->spots, "variables");
  for (int k = 0; k < o->num_kinds; k++)
    for (int v = 0; v < o->num_variables; v++)
      b->spots[k * o->num_variables + v] =
          find_spot(o, &o->kinds[k]->schema, o->variables[v].measure->name);
  return b;
}

void pl_record_buffer_free(pl_record_buffer *b) {
  if (!b) return;
  list *lists[] = {&b->pool, &b->entries, &b->begun, &b->ended, &b->slab};
  for (size_t k = 0; k < sizeof lists / sizeof *lists; k++) pl_free(lists[k]->v);
  pl_free(b->spots);
  pl_free(b);
}

/* ---- taking in ---- */

static void touch(pl_record_buffer *b) {
  if (isinf(b->oldest)) b->oldest = pl_clock();
}

void pl_record_buffer_start(pl_record_buffer *b, int64_t run, int ranks) {
  touch(b);
  *(beginning *)list_add(&b->begun, 1) = (beginning){run, ranks};
}

void pl_record_buffer_take(pl_record_buffer *b, int64_t run, int64_t index, const double *values,
                           int64_t n) {
  touch(b);
  *(entry *)list_add(&b->entries, 1) =
      (entry){run, index, b->pool.n, b->o->class_kind[b->o->classes.of[run]]};
  memcpy(list_add(&b->pool, (size_t)n), values, (size_t)n * sizeof *values);
}

void pl_record_buffer_end(pl_record_buffer *b, int64_t run, const pl_outcome *outcome) {
  touch(b);
  *(ending *)list_add(&b->ended, 1) = (ending){run, *outcome};
}

size_t pl_record_buffer_bytes(const pl_record_buffer *b) {
  const list *lists[] = {&b->pool, &b->entries, &b->begun, &b->ended};
  size_t bytes = 0;
  for (size_t k = 0; k < sizeof lists / sizeof *lists; k++) bytes += lists[k]->n * lists[k]->size;
  return bytes;
}

double pl_record_buffer_oldest(const pl_record_buffer *b) {
  return b->oldest;
}

/* ---- records ---- */

/* By run and record; of two of one place the later goes last. */
static int by_place(const void *x, const void *y) {
  const entry *a = x, *b = y;
  if (a->run != b->run) return a->run < b->run ? -1 : 1;
  if (a->index != b->index) return a->index < b->index ? -1 : 1;
  return a->at < b->at ? -1 : a->at > b->at;
}

static const entry *entry_at(const pl_record_buffer *b, size_t i) {
  return (const entry *)b->entries.v + i;
}

/* Entries first..: how many are records of one run, one behind the other, and have the spot. */
static size_t stretch(const pl_record_buffer *b, size_t first) {
  size_t n = 1;
  const entry *e = entry_at(b, first);
  while (first + n < b->entries.n && e[n].run == e->run && e[n].index == e->index + (int64_t)n) n++;
  return n;
}

static const spot *spot_of(const pl_record_buffer *b, size_t i, int variable) {
  return &b->spots[entry_at(b, i)->kind * b->o->num_variables + variable];
}

/* A rectangle: the same records of consecutive runs. */
typedef struct block {
  size_t first, runs, records;
} block;

/* The block that begins at an entry; variable -1: of what every record has. */
static block block_at(const pl_record_buffer *b, size_t first, int variable) {
  block k = {first, 1, stretch(b, first)};
  const entry *e = entry_at(b, first);
  const spot *s = variable < 0 ? NULL : spot_of(b, first, variable);
  for (size_t next = first + k.records; next < b->entries.n; next += k.records, k.runs++) {
    const entry *f = entry_at(b, next);
    if (f->run != e->run + (int64_t)k.runs || f->index != e->index || stretch(b, next) != k.records)
      break;
    if (!s) continue;
    const spot *t = spot_of(b, next, variable);
    if (t->measure < 0 || t->start != s->start || t->length != s->length) break;
  }
  return k;
}

static pl_status put_variable(pl_record_buffer *b, int variable) {
  for (size_t i = 0; i < b->entries.n;) {
    block k = block_at(b, i, variable);
    const entry *e = entry_at(b, i);
    const spot *s = spot_of(b, i, variable);
    i += k.runs * k.records;
    if (s->measure < 0) continue;
    int64_t at[] = {e->run, e->index, s->start};
    int64_t count[] = {(int64_t)k.runs, (int64_t)k.records, s->length};
    double *out = slab_of(b, count[0] * count[1] * count[2]);
    for (size_t j = 0; j < k.runs * k.records; j++)
      memcpy(out + (int64_t)j * s->length,
             (const double *)b->pool.v + e[j].at + spot_of(b, k.first + j, variable)->offset,
             (size_t)s->length * sizeof *out);
    PL_TRY(pl_nc_put_doubles(b->nc, b->o->variables[variable].measure->name, at, count, out));
  }
  return PL_OK;
}

/* One of the numbers that stand before the measures. */
static pl_status put_head(pl_record_buffer *b, const char *name, int which) {
  for (size_t i = 0; i < b->entries.n;) {
    block k = block_at(b, i, -1);
    const entry *e = entry_at(b, i);
    size_t n = k.runs * k.records;
    int64_t at[] = {e->run, e->index}, count[] = {(int64_t)k.runs, (int64_t)k.records};
    double *out = slab_of(b, (int64_t)n);
    for (size_t j = 0; j < n; j++) out[j] = ((const double *)b->pool.v)[e[j].at + (size_t)which];
    PL_TRY(pl_nc_put_doubles(b->nc, name, at, count, out));
    i += n;
  }
  return PL_OK;
}

/* Steps of the last record of each run. */
static pl_status put_progress(pl_record_buffer *b) {
  for (size_t i = 0; i < b->entries.n;) {
    int64_t run = entry_at(b, i)->run, n = 0;
    int64_t *out = slab_of(b, (int64_t)b->entries.n);
    for (; i < b->entries.n && entry_at(b, i)->run == run + n; n++) {
      while (i + 1 < b->entries.n && entry_at(b, i + 1)->run == run + n) i++;
      out[n] = (int64_t)((const double *)b->pool.v)[entry_at(b, i++)->at + PL_RECORD_STEP];
    }
    PL_TRY(pl_nc_put_ints(b->nc, "steps_done", &run, &n, out));
  }
  return PL_OK;
}

static pl_status put_records(pl_record_buffer *b) {
  if (!b->entries.n) return PL_OK;
  /* Nearly in order: only those of several teams mix. */
  qsort(b->entries.v, b->entries.n, sizeof(entry), by_place);
  for (int v = 0; v < b->o->num_variables; v++) PL_TRY(put_variable(b, v));
  PL_TRY(put_head(b, "lr", PL_RECORD_LR));
  PL_TRY(put_progress(b));
  return put_head(b, "step", PL_RECORD_STEP);
}

/* ---- runs ---- */

static int by_run(const void *x, const void *y) {
  int64_t a = *(const int64_t *)x, b = *(const int64_t *)y;
  return a < b ? -1 : a > b;
}

/* One variable of the runs that ended. */
typedef struct fate {
  const char *name;
  bool (*has)(const pl_records *k, const pl_outcome *o); /* NULL: all do */
  double (*real)(const pl_outcome *o);
  int64_t (*whole)(const pl_outcome *o);
} fate;

static double wall_time(const pl_outcome *o) {
  return o->wall_time;
}
static double memory(const pl_outcome *o) {
  return o->memory;
}
static int64_t steps_done(const pl_outcome *o) {
  return o->steps_done;
}
static bool has_best(const pl_records *k, const pl_outcome *o) {
  return k->best && o->best.step >= 0;
}
static bool has_test(const pl_records *k, const pl_outcome *o) {
  return k->test && has_best(k, o);
}
static int64_t best_step(const pl_outcome *o) {
  return o->best.step;
}
static double validation_best(const pl_outcome *o) {
  return o->best.validation;
}
static double test_at_best(const pl_outcome *o) {
  return o->best.test;
}
static int64_t state(const pl_outcome *o) {
  return o->state;
}

/* Nothing said is written too: an earlier session may have said something. */
static bool has_verdict(const pl_records *k, const pl_outcome *o) {
  (void)k, (void)o;
  return true;
}
static int64_t separated(const pl_outcome *o) {
  return o->verdict.separated;
}
static int64_t converged(const pl_outcome *o) {
  return o->verdict.converged;
}

/* status last: a run that has one has the rest. */
static const fate fates[] = {
    {"wall_time", NULL, wall_time, NULL},
    {"memory", NULL, memory, NULL},
    {"steps_done", NULL, NULL, steps_done},
    {"best_step", has_best, NULL, best_step},
    {"validation_best", has_best, validation_best, NULL},
    {"test_at_best", has_test, test_at_best, NULL},
    {"separated", has_verdict, NULL, separated},
    {"converged", has_verdict, NULL, converged},
    {"status", NULL, NULL, state},
};

static bool has(const pl_record_buffer *b, const fate *f, const ending *e) {
  return !f->has || f->has(pl_outline_of(b->o, e->run), &e->outcome);
}

static pl_status put_fate(pl_record_buffer *b, const fate *f) {
  const ending *e = b->ended.v;
  /* Files of older versions lack the flags. */
  if (f->has && pl_nc_var(b->nc, f->name, NULL, NULL, NULL, 0) < 0) return PL_OK;
  for (size_t i = 0; i < b->ended.n;) {
    int64_t run = e[i].run, n = 0, *whole = slab_of(b, (int64_t)b->ended.n);
    double *real = (double *)whole;
    for (; i < b->ended.n && e[i].run == run + n && has(b, f, &e[i]); i++, n++)
      if (f->real)
        real[n] = f->real(&e[i].outcome);
      else
        whole[n] = f->whole(&e[i].outcome);
    if (n == 0)
      i++;
    else
      PL_TRY(f->real ? pl_nc_put_doubles(b->nc, f->name, &run, &n, real)
                     : pl_nc_put_ints(b->nc, f->name, &run, &n, whole));
  }
  return PL_OK;
}

static pl_status put_beginnings(pl_record_buffer *b) {
  const beginning *g = b->begun.v;
  if (b->begun.n) qsort(b->begun.v, b->begun.n, sizeof *g, by_run);
  for (size_t i = 0; i < b->begun.n;) {
    int64_t run = g[i].run, n = 0, *ranks = slab_of(b, 2 * (int64_t)b->begun.n);
    int64_t *running = ranks + b->begun.n;
    for (; i < b->begun.n && g[i].run == run + n; i++, n++) {
      ranks[n] = g[i].ranks;
      running[n] = PL_RUN_RUNNING;
    }
    PL_TRY(pl_nc_put_ints(b->nc, "status", &run, &n, running));
    PL_TRY(pl_nc_put_ints(b->nc, "ranks", &run, &n, ranks));
  }
  return PL_OK;
}

static pl_status put_all(pl_record_buffer *b) {
  PL_TRY(put_beginnings(b));
  PL_TRY(put_records(b));
  if (b->ended.n) qsort(b->ended.v, b->ended.n, sizeof(ending), by_run);
  for (size_t k = 0; k < sizeof fates / sizeof *fates; k++) PL_TRY(put_fate(b, &fates[k]));
  return PL_OK;
}

void pl_record_buffer_drop(pl_record_buffer *b) {
  b->pool.n = b->entries.n = b->begun.n = b->ended.n = 0;
  b->oldest = INFINITY;
}

pl_status pl_record_buffer_flush(pl_record_buffer *b) {
  pl_status st = put_all(b);
  pl_record_buffer_drop(b);
  return st;
}
