#include "source.h"

#include "base/mem.h"
#include "base/rng.h"
#include "keys.h"
#include "nets/sequence/sequence.h"
#include "qhull.h"

#include <stdlib.h>
#include <string.h>

/* ---- sizes ---- */

/* "10" or "5..20", in 1..MOST_POINTS. */
static bool read_range(const char *text, int *low, int *high) {
  char *end;
  long a = strtol(text, &end, 10), b = a;
  if (end == text) return false;
  if (!strncmp(end, "..", 2)) {
    const char *from = end + 2;
    b = strtol(from, &end, 10);
    if (end == from) return false;
  }
  if (*end || a < 1 || b < a || b > MOST_POINTS) return false;
  *low = (int)a, *high = (int)b;
  return true;
}

static pl_status check_sizes(const source *s, const char **key) {
  const task *t = s->task;
  *key = "data.points";
  if (s->low < t->least)
    return pl_error(PL_EINPUT, "%d: %s needs %d points at least", s->low, t->name, t->least);
  *key = "data.test_points";
  if (s->size[0] < t->least)
    return pl_error(PL_EINPUT, "%d: %s needs %d points at least", s->size[0], t->name, t->least);
  *key = "data.kind";
  if (t->qhull && !qhull_there())
    return pl_error(PL_EINPUT,
                    "%s needs qhull, which this build lacks: install libqhull-dev and build again",
                    t->name);
  return PL_OK;
}

static pl_status drawn_head(const pl_spec *spec, source *out, const char **key) {
  const sequence_data_values *v = sequence_data_of(spec);
  const pl_common *c = &spec->common;
  *key = "data.points";
  if (!read_range(v->points, &out->low, &out->high))
    return pl_error(PL_EINPUT,
                    "\"%s\": expected a number of points up to %d or a range such as "
                    "5..20",
                    v->points, MOST_POINTS);
  out->canonical = (int)v->canonical;
  out->seed = pl_data_seed(spec);
  out->num_sizes = v->test_points.n ? v->test_points.n : 1;
  *key = "data.test_points";
  if (out->num_sizes > MOST_SIZES)
    return pl_error(PL_EINPUT, "%d sizes, of up to %d", out->num_sizes, MOST_SIZES);
  for (int i = 0; i < out->num_sizes; i++) {
    out->size[i] = v->test_points.n ? (int)v->test_points.v[i] : out->high;
    out->optimal[i] = out->size[i] <= out->task->exact;
  }
  out->per_size = c->test;
  out->count[PL_TRAIN] = c->samples;
  out->count[PL_VALIDATION] = c->validation;
  out->count[PL_TEST] = c->test * out->num_sizes;
  int longest = out->size[out->num_sizes - 1];
  out->most_points = longest > out->high ? longest : out->high;
  return check_sizes(out, key);
}

static const task *task_of(const pl_spec *spec) {
  return ((const pl_sequence_data *)(const void *)spec->data)->task;
}

pl_status source_head(const pl_spec *spec, source *out, const char **key) {
  *out = (source){.task = task_of(spec)};
  if (out->task) return drawn_head(spec, out, key);
  pl_nc *nc;
  *key = "data.path";
  PL_TRY(pl_nc_open(sequence_data_of(spec)->path, false, &nc));
  pl_status st = sequence_file_head(nc, out);
  pl_nc_close(nc);
  return st;
}

int source_size(const source *s, int points) {
  for (int i = 0; i < s->num_sizes; i++)
    if (s->size[i] == points) return i;
  return -1;
}

/* ---- life ---- */

static void share_stored(const pl_comm *team, source *s) {
  const task *kept = s->task; /* the same program on every rank, not the same addresses */
  char name[32] = "";
  if (team->rank == 0) strncpy(name, kept->name, sizeof name - 1);
  stored head = {0};
  if (team->rank == 0) head = *s->file;
  bool outputs = team->rank == 0 && head.output;
  stored *own = s->file;
  pl_comm_bcast(team, s, sizeof *s, 0);
  pl_comm_bcast(team, name, sizeof name, 0);
  pl_comm_bcast(team, &head, sizeof head, 0);
  pl_comm_bcast(team, &outputs, sizeof outputs, 0);
  s->task = task_named(name);
  s->solver = NULL;
  s->file = own;
  if (team->rank > 0) {
    s->file = own = pl_zalloc(1, sizeof *own, "instances");
    own->num = head.num;
    memcpy(own->count, head.count, sizeof own->count);
    own->start = pl_alloc((size_t)own->num + 1, sizeof *own->start, "instances");
    own->begin = pl_alloc((size_t)own->num + 1, sizeof *own->begin, "instances");
    for (int p = 0; p < PL_NUM_PARTS; p++)
      own->part[p] = pl_alloc((size_t)own->count[p], sizeof *own->part[p], "instances");
  }
  size_t n = (size_t)own->num + 1;
  pl_comm_bcast(team, own->start, n * sizeof *own->start, 0);
  pl_comm_bcast(team, own->begin, n * sizeof *own->begin, 0);
  for (int p = 0; p < PL_NUM_PARTS; p++)
    pl_comm_bcast(team, own->part[p], (size_t)own->count[p] * sizeof *own->part[p], 0);
  size_t numbers = (size_t)own->start[own->num] * (size_t)s->task->coordinates,
         symbols = (size_t)own->begin[own->num];
  if (team->rank > 0) own->x = pl_alloc(numbers, sizeof *own->x, "points");
  if (team->rank > 0 && outputs) own->output = pl_alloc(symbols, sizeof *own->output, "outputs");
  pl_comm_bcast(team, own->x, numbers * sizeof *own->x, 0);
  if (outputs) pl_comm_bcast(team, own->output, symbols * sizeof *own->output, 0);
}

static pl_status read_file(const pl_spec *spec, source *out) {
  const char *key;
  pl_nc *nc;
  PL_TRY(source_head(spec, out, &key));
  PL_TRY(pl_nc_open(sequence_data_of(spec)->path, false, &nc));
  pl_status st = sequence_file_read(nc, false, out);
  pl_nc_close(nc);
  return st;
}

pl_status source_init(const pl_spec *spec, const pl_comm *team, source *out) {
  const char *key;
  *out = (source){0};
  if (task_of(spec)) { /* every rank for itself: nothing is read */
    PL_TRY(source_head(spec, out, &key));
    if (out->task == &task_tsp) out->solver = solver_new(out->most_points);
    return PL_OK;
  }
  pl_status st = team->rank == 0 ? read_file(spec, out) : PL_OK;
  st = pl_agree(team, st);
  if (st)
    source_fini(out);
  else
    share_stored(team, out);
  return st;
}

pl_status source_open(const pl_nc *nc, const pl_comm *team, source *out) {
  *out = (source){0};
  pl_status st = nc ? sequence_file_read(nc, true, out) : PL_OK;
  st = pl_agree(team, st);
  if (st)
    source_fini(out);
  else
    share_stored(team, out);
  return st;
}

void source_fini(source *s) {
  stored *f = s->file;
  solver_free(s->solver);
  if (f) {
    pl_free(f->start);
    pl_free(f->begin);
    pl_free(f->x);
    pl_free(f->output);
    pl_free(f->optimal);
    for (int p = 0; p < PL_NUM_PARTS; p++) pl_free(f->part[p]);
    pl_free(f);
  }
  *s = (source){0};
}

/* ---- instances ---- */

/* Random numbers of training instances, of validation, and of test instances of n points: the same
 * whatever other sizes are tested. */
static uint64_t stream_of(pl_part part, int n, int which) {
  int member = part == PL_TRAIN ? 0 : part == PL_VALIDATION ? 1 : 1 + n;
  return PL_STREAM(PL_STREAM_SAMPLE, 2 * member + which);
}

int source_points(const source *s, pl_part part, int64_t entry) {
  if (s->file) {
    int64_t i = s->file->part[part][entry];
    return (int)(s->file->start[i + 1] - s->file->start[i]);
  }
  if (part == PL_TEST) return s->size[entry / s->per_size];
  return s->low +
         (int)pl_rng_below(s->seed, stream_of(part, 0, 0), (uint64_t)entry, s->high - s->low + 1);
}

static void draw(const source *s, pl_part part, int64_t entry, int n, double *x) {
  int64_t row = part == PL_TEST ? entry % s->per_size : entry;
  int numbers = n * s->task->coordinates;
  /* Every entry has a place for the largest instance, so that none shares a number. */
  uint64_t first = (uint64_t)row * (uint64_t)(2 * MOST_POINTS);
  for (int i = 0; i < numbers; i++)
    x[i] = pl_rng_uniform(s->seed, stream_of(part, n, 1), first + (uint64_t)i);
}

void source_instance(const source *s, pl_part part, int64_t entry, double *x, int *output,
                     problem *p) {
  *p = (problem){.n = source_points(s, part, entry), .x = x, .output = output};
  if (!s->file) {
    draw(s, part, entry, p->n, x);
    p->length = s->task->solve(s->solver, s->canonical, p->n, x, output);
    return;
  }
  const stored *f = s->file;
  int64_t i = f->part[part][entry], c = s->task->coordinates;
  memcpy(x, f->x + f->start[i] * c, (size_t)(p->n * c) * sizeof *x);
  p->length = f->output ? (int)(f->begin[i + 1] - f->begin[i]) : 0;
  if (p->length) memcpy(output, f->output + f->begin[i], (size_t)p->length * sizeof *output);
}

bool source_has_outputs(const source *s) {
  return !s->file || s->file->output;
}
