/* Instances in NetCDF files: ragged arrays one behind the other, as CF has them. */
#include "base/mem.h"
#include "model/split.h"
#include "source.h"

#include <stdlib.h>
#include <string.h>

/* ---- in ---- */

/* Integers of a variable on one dimension; *n -1: any number, which it becomes. */
static pl_status read_ints(const pl_nc *nc, const char *name, const char *dim, int64_t *n,
                           int64_t **out) {
  pl_nc_axis axis = {dim, *n, NULL};
  pl_nc_input *in;
  PL_TRY(pl_nc_input_new(nc, name, PL_NC_INTEGER, 1, &axis, &in));
  *n = axis.length;
  *out = pl_alloc((size_t)*n, sizeof **out, "a file");
  pl_status st = pl_nc_input_ints(in, NULL, NULL, *out);
  pl_nc_input_free(in);
  return st;
}

/* count[num] becomes the places where they begin, [num + 1]. */
static pl_status add_up(const pl_nc *nc, const char *name, int64_t num, int64_t least, int64_t most,
                        int64_t total, int64_t **count) {
  int64_t *start = pl_alloc((size_t)num + 1, sizeof *start, "a file"), sum = 0;
  pl_status st = PL_OK;
  for (int64_t i = 0; i < num; i++) {
    int64_t c = (*count)[i];
    if (!st && (c < least || c > most))
      st = pl_error(PL_EINPUT, "%s: %s[%lld] is %lld, expected an integer from %lld to %lld",
                    pl_nc_path(nc), name, (long long)i, (long long)c, (long long)least,
                    (long long)most);
    start[i] = sum;
    sum += st ? 0 : c;
  }
  start[num] = sum;
  pl_free(*count);
  *count = start;
  if (!st && sum != total)
    st = pl_error(PL_EINPUT, "%s: %s adds up to %lld, and there are %lld", pl_nc_path(nc), name,
                  (long long)sum, (long long)total);
  return st;
}

static pl_status read_points(const pl_nc *nc, const task *t, stored *f) {
  pl_nc_axis axes[] = {{"point", -1, NULL}, {"coordinate", t->coordinates, "those of the task"}};
  pl_nc_input *in;
  f->num = -1;
  PL_TRY(read_ints(nc, "points", "sample", &f->num, &f->start));
  PL_TRY(pl_nc_input_new(nc, "x", PL_NC_REAL, 2, axes, &in));
  pl_status st = add_up(nc, "points", f->num, t->least, MOST_POINTS, axes[0].length, &f->start);
  if (!st) {
    f->x = pl_alloc((size_t)(axes[0].length * t->coordinates), sizeof *f->x, "points");
    st = pl_nc_input_doubles(in, NULL, NULL, f->x);
  }
  pl_nc_input_free(in);
  return st;
}

static pl_status read_outputs(const pl_nc *nc, const task *t, stored *f) {
  int64_t symbols = -1, *output = NULL;
  PL_TRY(read_ints(nc, "length", "sample", &f->num, &f->begin));
  pl_status st = read_ints(nc, "output", "symbol", &symbols, &output);
  if (!st) st = add_up(nc, "length", f->num, 1, t->most(MOST_POINTS), symbols, &f->begin);
  if (!st) f->output = pl_alloc((size_t)symbols, sizeof *f->output, "outputs");
  for (int64_t i = 0; i < f->num && !st; i++) {
    int64_t n = f->start[i + 1] - f->start[i], length = f->begin[i + 1] - f->begin[i];
    if (length > t->most((int)n))
      st = pl_error(PL_EINPUT, "%s: length[%lld] is %lld, and %s of %lld points has up to %d",
                    pl_nc_path(nc), (long long)i, (long long)length, t->name, (long long)n,
                    t->most((int)n));
    for (int64_t k = f->begin[i]; k < f->begin[i + 1] && !st; k++) {
      f->output[k] = (int)output[k];
      if (output[k] < 1 || output[k] > n)
        st = pl_error(PL_EINPUT, "%s: output[%lld] is %lld, expected a point, from 1 to %lld",
                      pl_nc_path(nc), (long long)k, (long long)output[k], (long long)n);
    }
  }
  pl_free(output);
  return st;
}

/* Files from elsewhere need not know. */
static pl_status read_optimal(const pl_nc *nc, stored *f) {
  if (pl_nc_var(nc, "optimal", NULL, NULL, NULL, 0) < 0) return PL_OK;
  PL_TRY(read_ints(nc, "optimal", "sample", &f->num, &f->optimal));
  for (int64_t i = 0; i < f->num; i++)
    if (f->optimal[i] != 0 && f->optimal[i] != 1)
      return pl_error(PL_EINPUT, "%s: optimal[%lld] is %lld, expected 0 or 1", pl_nc_path(nc),
                      (long long)i, (long long)f->optimal[i]);
  return PL_OK;
}

/* split(sample), or all for testing. */
static pl_status read_parts(const pl_nc *nc, bool all_test, stored *f) {
  int64_t *split = NULL;
  pl_status st = all_test ? PL_OK : pl_split_read(nc, (pl_nc_axis){"sample", f->num, NULL}, &split);
  for (int p = 0; p < PL_NUM_PARTS; p++)
    f->part[p] = pl_alloc((size_t)f->num, sizeof *f->part[p], "parts of the data");
  for (int64_t i = 0; i < f->num && !st; i++) {
    int64_t p = all_test ? PL_TEST : split[i];
    f->part[p][f->count[p]++] = i;
  }
  pl_free(split);
  return st;
}

static pl_status read_task(const pl_nc *nc, source *s) {
  char name[32] = "", canonical[32] = "";
  pl_nc_get_att_text(nc, NULL, "task", name, sizeof name);
  pl_nc_get_att_text(nc, NULL, "canonical", canonical, sizeof canonical);
  s->task = task_named(name);
  s->canonical = !strcmp(canonical, "geometry");
  if (!s->task)
    return pl_error(PL_EINPUT, "%s: attribute task: expected hull, delaunay, tsp or sort",
                    pl_nc_path(nc));
  return PL_OK;
}

/* Sizes of training instances, and the different ones of test instances, ascending. */
static pl_status find_sizes(const pl_nc *nc, const stored *f, source *s) {
  bool there[MOST_POINTS + 1] = {false}, doubted[MOST_POINTS + 1] = {false};
  s->low = MOST_POINTS, s->high = s->most_points = s->num_sizes = 0;
  for (int p = 0; p < PL_NUM_PARTS; p++)
    for (int64_t k = 0; k < f->count[p]; k++) {
      int64_t i = f->part[p][k];
      int n = (int)(f->start[i + 1] - f->start[i]);
      if (p == PL_TEST) there[n] = true, doubted[n] |= !f->optimal || !f->optimal[i];
      if (p == PL_TRAIN && n < s->low) s->low = n;
      if (p == PL_TRAIN && n > s->high) s->high = n;
      if (n > s->most_points) s->most_points = n;
    }
  for (int n = 0; n <= MOST_POINTS; n++) {
    if (!there[n]) continue;
    if (s->num_sizes == MOST_SIZES)
      return pl_error(PL_EINPUT, "%s: test instances of more than %d sizes", pl_nc_path(nc),
                      MOST_SIZES);
    s->optimal[s->num_sizes] = !doubted[n];
    s->size[s->num_sizes++] = n;
  }
  memcpy(s->count, f->count, sizeof s->count);
  return PL_OK;
}

pl_status sequence_file_read(const pl_nc *nc, bool all_test, source *s) {
  PL_TRY(read_task(nc, s));
  stored *f = s->file = pl_zalloc(1, sizeof *f, "instances");
  PL_TRY(read_points(nc, s->task, f));
  if (pl_nc_var(nc, "output", NULL, NULL, NULL, 0) >= 0)
    PL_TRY(read_outputs(nc, s->task, f));
  else
    f->begin = pl_zalloc((size_t)f->num + 1, sizeof *f->begin, "instances");
  PL_TRY(read_optimal(nc, f));
  PL_TRY(read_parts(nc, all_test, f));
  return find_sizes(nc, f, s);
}

/* The whole file is read: sizes need all of it, and what is wrong is told before any work. */
pl_status sequence_file_head(const pl_nc *nc, source *out) {
  source s = {0};
  pl_status st = sequence_file_read(nc, false, &s);
  if (!st && !s.file->output) st = pl_error(PL_EINPUT, "%s: no variable output", pl_nc_path(nc));
  if (!st && s.count[PL_TRAIN] == 0)
    st = pl_error(PL_EINPUT, "%s: no samples for training, split(sample) is nowhere 0",
                  pl_nc_path(nc));
  source head = s;
  head.file = NULL;
  source_fini(&s);
  if (!st) *out = head;
  return st;
}

/* ---- out ---- */

typedef struct writer {
  const source *s;
  pl_nc *nc;
  int64_t sample, point, symbol; /* written so far */
  double *x;
  int *output;
} writer;

static int64_t all(const source *s) {
  return s->count[PL_TRAIN] + s->count[PL_VALIDATION] + s->count[PL_TEST];
}

/* Lengths are known only from the outputs: they are made twice. */
static void count_up(const source *s, double *x, int *output, int64_t *points, int64_t *symbols) {
  problem p;
  *points = *symbols = 0;
  for (int part = 0; part < PL_NUM_PARTS; part++)
    for (int64_t e = 0; e < s->count[part]; e++) {
      source_instance(s, (pl_part)part, e, x, output, &p);
      *points += p.n, *symbols += p.length;
    }
}

static pl_status define(const source *s, pl_nc *nc, int64_t points, int64_t symbols,
                        const pl_attribute *attributes, int num) {
  const char *sample[] = {"sample", NULL}, *xs[] = {"point", "coordinate", NULL},
             *symbol[] = {"symbol", NULL};
  PL_TRY(pl_nc_def_dim(nc, "sample", all(s)));
  PL_TRY(pl_nc_def_dim(nc, "point", points));
  PL_TRY(pl_nc_def_dim(nc, "coordinate", s->task->coordinates));
  PL_TRY(pl_nc_def_dim(nc, "symbol", symbols));
  PL_TRY(pl_nc_def_var(nc, "points", PL_NC_INT, sample, "points of the sample", "1"));
  PL_TRY(pl_nc_att_text(nc, "points", "sample_dimension", "point"));
  PL_TRY(pl_nc_def_var(nc, "x", PL_NC_DOUBLE, xs, "points, those of a sample in a row", "1"));
  PL_TRY(pl_nc_def_var(nc, "length", PL_NC_INT, sample, "symbols of the output", "1"));
  PL_TRY(pl_nc_att_text(nc, "length", "sample_dimension", "symbol"));
  PL_TRY(pl_nc_def_var(nc, "output", PL_NC_INT, symbol, "output: points, from 1", "1"));
  PL_TRY(
      pl_nc_def_var(nc, "optimal", PL_NC_BYTE, sample, "1: the output is proved to be best", "1"));
  PL_TRY(pl_split_define(nc, sample[0]));
  PL_TRY(pl_nc_att_text(nc, NULL, "task", s->task->name));
  PL_TRY(pl_nc_att_text(nc, NULL, "canonical", s->canonical ? "geometry" : "index"));
  for (int i = 0; i < num; i++)
    PL_TRY(pl_nc_att_text(nc, NULL, attributes[i].name, attributes[i].text));
  return pl_nc_end_def(nc);
}

static int64_t is_optimal(const source *s, pl_part part, int64_t entry, const problem *p) {
  const stored *f = s->file;
  if (!f) return p->n <= s->task->exact;
  return f->optimal ? f->optimal[f->part[part][entry]] : 0;
}

static pl_status put(writer *w, pl_part part, int64_t entry, const problem *p, int64_t *wide) {
  const int64_t one = 1, points = p->n, length = p->length, split = part;
  const int64_t optimal = is_optimal(w->s, part, entry, p);
  for (int i = 0; i < p->length; i++) wide[i] = p->output[i];
  PL_TRY(pl_nc_put_ints(w->nc, "points", &w->sample, &one, &points));
  PL_TRY(pl_nc_put_doubles(w->nc, "x", (int64_t[]){w->point, 0},
                           (int64_t[]){p->n, w->s->task->coordinates}, p->x));
  PL_TRY(pl_nc_put_ints(w->nc, "length", &w->sample, &one, &length));
  if (length) PL_TRY(pl_nc_put_ints(w->nc, "output", &w->symbol, &length, wide));
  PL_TRY(pl_nc_put_ints(w->nc, "optimal", &w->sample, &one, &optimal));
  PL_TRY(pl_nc_put_ints(w->nc, "split", &w->sample, &one, &split));
  w->sample++, w->point += points, w->symbol += length;
  return PL_OK;
}

static pl_status write_all(writer *w, const pl_attribute *attributes, int num) {
  const source *s = w->s;
  int64_t points, symbols,
      *wide = pl_alloc((size_t)source_room(s, s->most_points), sizeof *wide, "outputs");
  problem p;
  count_up(s, w->x, w->output, &points, &symbols);
  pl_status st = define(s, w->nc, points, symbols, attributes, num);
  for (int part = 0; part < PL_NUM_PARTS; part++)
    for (int64_t e = 0; e < s->count[part] && !st; e++) {
      source_instance(s, (pl_part)part, e, w->x, w->output, &p);
      st = put(w, (pl_part)part, e, &p, wide);
    }
  pl_free(wide);
  return st;
}

static pl_status write_file(const source *s, const char *path, const pl_attribute *attributes,
                            int num) {
  writer w = {.s = s};
  PL_TRY(pl_nc_create(path, true, false, &w.nc));
  w.x = pl_alloc((size_t)(s->most_points * s->task->coordinates), sizeof *w.x, "points");
  w.output = pl_alloc((size_t)source_room(s, s->most_points), sizeof *w.output, "outputs");
  pl_status st = write_all(&w, attributes, num);
  pl_free(w.x);
  pl_free(w.output);
  pl_status closed = pl_nc_close(w.nc);
  return st ? st : closed;
}

pl_status sequence_write(const pl_spec *spec, const pl_comm *team, const char *path,
                         const pl_attribute *attributes, int num) {
  source s;
  PL_TRY(source_init(spec, team, &s));
  pl_status st = team->rank == 0 ? write_file(&s, path, attributes, num) : PL_OK;
  source_fini(&s);
  return pl_agree(team, st);
}
