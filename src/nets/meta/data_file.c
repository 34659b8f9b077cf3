/* Tasks from a NetCDF file, and into one. */
#include "base/mem.h"
#include "base/nc_read.h"
#include "group/group.h"
#include "keys.h"
#include "model/split.h"
#include "nets/image.h"
#include "nets/meta/data.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MOST_CLASSES = 1000000 };

/* ---- the head of a file ---- */

typedef struct head {
  pl_task_shape shape;
  int64_t tasks;
} head;

static pl_status open_x(const pl_nc *nc, head *h, pl_nc_input **in) {
  pl_nc_axis axes[] = {{"task", -1, NULL}, {"sample", -1, NULL}, {"feature", -1, NULL}};
  PL_TRY(pl_nc_input_new(nc, "x", PL_NC_REAL, 3, axes, in));
  h->tasks = axes[0].length;
  h->shape.query = axes[1].length - h->shape.support;
  h->shape.sample.features = axes[2].length;
  return PL_OK;
}

/* y(task, sample), classes, or y(task, sample, target). */
static pl_status open_y(const pl_nc *nc, head *h, pl_nc_input **in) {
  int64_t samples = pl_task_samples(&h->shape);
  pl_inner_shape *s = &h->shape.sample;
  pl_nc_axis axes[] = {{"task", h->tasks, NULL}, {"sample", samples, NULL}, {"target", -1, NULL}};
  s->classes = pl_nc_var(nc, "y", NULL, NULL, NULL, 0) != 3;
  PL_TRY(pl_nc_input_new(nc, "y", PL_NC_REAL, s->classes ? 2 : 3, axes, in));
  if (!s->classes) s->outputs = axes[2].length;
  return PL_OK;
}

static pl_status whole_number(const pl_nc *nc, const char *var, const char *name, int64_t least,
                              int64_t most, int64_t *out) {
  if (pl_nc_has_att(nc, var, name)) return pl_nc_input_count(nc, var, name, least, most, out);
  return pl_error(PL_EINPUT, "%s: expected an attribute %s of %s, an integer from %lld to %lld",
                  pl_nc_path(nc), name, var, (long long)least, (long long)most);
}

static pl_status read_group(const pl_nc *nc, head *h) {
  pl_group *g;
  char *name = h->shape.sample.group;
  name[0] = 0;
  if (!pl_nc_get_att_text(nc, "x", "group", name, sizeof h->shape.sample.group) &&
      pl_nc_has_att(nc, "x", "group"))
    return pl_error(PL_EINPUT, "%s: attribute group of x is no text, or too long", pl_nc_path(nc));
  if (!name[0]) return PL_OK;
  pl_status st = pl_group_parse(name, &g);
  if (st) return pl_error_in(st, "%s: attribute group of x: ", pl_nc_path(nc));
  if (pl_group_order(g) != h->shape.sample.features)
    st = pl_error(PL_EINPUT, "%s: %lld features, and attribute group of x says %s, of order %lld",
                  pl_nc_path(nc), (long long)h->shape.sample.features, name,
                  (long long)pl_group_order(g));
  pl_group_free(g);
  return st;
}

static pl_status read_head(const pl_nc *nc, head *h) {
  pl_nc_input *in;
  *h = (head){0};
  PL_TRY(open_x(nc, h, &in));
  pl_nc_input_free(in);
  if (h->tasks < 1 || h->shape.query < 2 || h->shape.sample.features < 1)
    return pl_error(PL_EINPUT, "%s: expected tasks of two samples or more", pl_nc_path(nc));
  PL_TRY(whole_number(nc, "x", "support", 1, (double)h->shape.query - 1, &h->shape.support));
  h->shape.query -= h->shape.support;
  pl_inner_shape *s = &h->shape.sample;
  PL_TRY(pl_image_read(nc, s->features, &s->height, &s->width, &s->channels));
  PL_TRY(read_group(nc, h));
  PL_TRY(open_y(nc, h, &in));
  pl_nc_input_free(in);
  if (h->shape.sample.classes)
    PL_TRY(whole_number(nc, "y", "classes", 2, MOST_CLASSES, &h->shape.sample.outputs));
  return PL_OK;
}

/* ---- reading ---- */

typedef struct stored {
  double *x, *y;               /* of all tasks */
  int64_t *task[PL_NUM_PARTS]; /* which are of a part */
} stored;

static void end(void *own) {
  stored *s = own;
  pl_free(s->x);
  pl_free(s->y);
  for (int p = 0; p < PL_NUM_PARTS; p++) pl_free(s->task[p]);
  pl_free(s);
}

static size_t x_count(const head *h) {
  return (size_t)(h->tasks * pl_task_samples(&h->shape) * h->shape.sample.features);
}
static size_t y_count(const head *h) {
  return (size_t)(h->tasks * pl_task_samples(&h->shape) * pl_inner_targets(&h->shape.sample));
}

/* x and y, classes checked. */
static pl_status read_samples(const pl_nc *nc, head *h, double *x, double *y) {
  pl_nc_input *in;
  const pl_inner_shape *s = &h->shape.sample;
  int64_t support = h->shape.support;
  PL_TRY(open_x(nc, h, &in));
  pl_status st = pl_nc_input_doubles(in, NULL, NULL, x);
  pl_nc_input_free(in);
  if (!st) st = open_y(nc, h, &in);
  if (st) return st;
  pl_require(h->shape.support == support);
  st = pl_nc_input_doubles(in, NULL, NULL, y);
  pl_nc_input_free(in);
  for (size_t i = 0; i < y_count(h) && s->classes && !st; i++)
    if (!(y[i] >= 0 && y[i] < (double)s->outputs) || y[i] != floor(y[i]))
      st = pl_error(PL_EINPUT,
                    "%s: y[%lld, %lld] is %g, expected a class, an integer from 0 and below the "
                    "attribute classes",
                    pl_nc_path(nc), (long long)i / pl_task_samples(&h->shape),
                    (long long)i % pl_task_samples(&h->shape), y[i]);
  return st;
}

/* All tasks of an open file on every rank; whole: all as the test part, whatever split says. */
static pl_status take(pl_tasks *t, const pl_nc *nc, bool whole, const pl_comm *team) {
  head h = {0};
  int64_t *split = NULL;
  pl_status st = nc ? read_head(nc, &h) : PL_OK;
  if (nc && !st) st = pl_split_read(nc, (pl_nc_axis){"task", h.tasks, NULL}, &split);
  st = pl_agree(team, st);
  if (st) {
    pl_free(split);
    return st;
  }
  pl_comm_bcast(team, &h, sizeof h, 0);
  if (!nc) split = pl_alloc((size_t)h.tasks, sizeof *split, "parts of the data");
  pl_comm_bcast(team, split, (size_t)h.tasks * sizeof *split, 0);
  stored *s = t->own = pl_zalloc(1, sizeof *s, "tasks");
  s->x = pl_alloc(x_count(&h), sizeof *s->x, "tasks");
  s->y = pl_alloc(y_count(&h), sizeof *s->y, "tasks");
  for (int p = 0; p < PL_NUM_PARTS; p++) {
    t->count[p] = 0;
    s->task[p] = pl_alloc((size_t)h.tasks, sizeof *s->task[p], "tasks");
    for (int64_t i = 0; i < h.tasks; i++)
      if ((whole ? PL_TEST : split[i]) == p) s->task[p][t->count[p]++] = i;
  }
  pl_free(split);
  st = pl_agree(team, nc ? read_samples(nc, &h, s->x, s->y) : PL_OK);
  if (st) return st;
  pl_comm_bcast(team, s->x, x_count(&h) * sizeof *s->x, 0);
  pl_comm_bcast(team, s->y, y_count(&h) * sizeof *s->y, 0);
  t->shape = h.shape;
  return PL_OK;
}

static pl_status begin(pl_tasks *t, const pl_comm *team) {
  pl_nc *nc = NULL;
  pl_status st = team->rank == 0 ? pl_nc_open(meta_data_of(t->spec)->path, false, &nc) : PL_OK;
  st = pl_agree(team, st);
  if (!st) st = take(t, nc, false, team);
  pl_nc_close(nc);
  return st;
}

pl_status pl_tasks_open(const pl_spec *spec, const pl_nc *nc, const pl_comm *team, pl_tasks *out) {
  *out = (pl_tasks){.spec = spec};
  pl_status st = take(out, nc, true, team);
  if (st) pl_tasks_fini(out);
  return st;
}

static void make(const pl_tasks *t, pl_part part, int64_t i, double *x, double *y) {
  const stored *s = t->own;
  int64_t task = s->task[part][i], samples = pl_task_samples(&t->shape);
  int64_t xs = samples * t->shape.sample.features;
  int64_t ys = samples * pl_inner_targets(&t->shape.sample);
  memcpy(x, s->x + task * xs, (size_t)xs * sizeof *x);
  memcpy(y, s->y + task * ys, (size_t)ys * sizeof *y);
}

/* ---- the kind of data ---- */

static pl_status head_of(const pl_spec *spec, head *h) {
  pl_nc *nc;
  PL_TRY(pl_nc_open(meta_data_of(spec)->path, false, &nc));
  pl_status st = read_head(nc, h);
  pl_nc_close(nc);
  return st;
}

static pl_status shape(const pl_spec *spec, pl_task_shape *out) {
  head h;
  PL_TRY(head_of(spec, &h));
  *out = h.shape;
  return PL_OK;
}

static int64_t count(const pl_spec *spec, pl_part part) {
  pl_nc *nc;
  head h;
  int64_t *split = NULL, sum = 0;
  if (pl_nc_open(meta_data_of(spec)->path, false, &nc)) return 0;
  if (!read_head(nc, &h) && !pl_split_read(nc, (pl_nc_axis){"task", h.tasks, NULL}, &split))
    sum = pl_split_count(h.tasks, split, part);
  pl_free(split);
  pl_nc_close(nc);
  return sum;
}

static pl_status check_file(const pl_nc *nc) {
  head h;
  int64_t *split = NULL, train = 0;
  PL_TRY(read_head(nc, &h));
  pl_status st = pl_split_read(nc, (pl_nc_axis){"task", h.tasks, NULL}, &split);
  if (!st) train = pl_split_count(h.tasks, split, PL_TRAIN);
  pl_free(split);
  if (st) return st;
  if (train == 0)
    return pl_error(PL_EINPUT, "%s: no tasks for training, split(task) is nowhere 0",
                    pl_nc_path(nc));
  double *x = pl_alloc(x_count(&h), sizeof *x, "tasks"),
         *y = pl_alloc(y_count(&h), sizeof *y, "tasks");
  st = read_samples(nc, &h, x, y);
  pl_free(x);
  pl_free(y);
  return st;
}

static pl_status check(const pl_spec *spec, const char **key) {
  pl_nc *nc;
  *key = "data.path";
  PL_TRY(pl_nc_open(meta_data_of(spec)->path, false, &nc));
  pl_status st = check_file(nc);
  pl_nc_close(nc);
  return st;
}

static const pl_key rows[] = {
    {"data.path", PL_KEY_TEXT, DATA_FIELD(path), DATA_ALL, .required = true, .path = true,
     .help =
         "NetCDF file with x(task, sample, feature), whose attribute support says how many "
         "samples come first to adapt to, and y(task, sample), a class, with attribute classes, "
         "or y(task, sample, target); split(task), if there, puts tasks into parts: 0 training, "
         "1 validation, 2 test; attributes image (height, width, channels) or group of x"},
};
static const pl_keys table = PL_KEYS(PL_IN_DATA, rows);
static const pl_keys *const keys[] = {&table, NULL};

const pl_task_data pl_data_task_file = {
    .base = {.name = "file",
             .help = "tasks from a NetCDF file",
             .keys = keys,
             .seedless = true,
             .count = count,
             .write_data = pl_tasks_write},
    .shape = shape,
    .check = check,
    .begin = begin,
    .end = end,
    .make = make,
};

/* ---- out ---- */

static pl_status define(pl_nc *nc, const pl_tasks *t, int64_t n, const pl_attribute *attributes,
                        int num) {
  const pl_inner_shape *s = &t->shape.sample;
  const char *xs[] = {"task", "sample", "feature", NULL},
             *ys[] = {"task", "sample", "target", NULL};
  int classes = (int)s->outputs, support = (int)t->shape.support;
  PL_TRY(pl_nc_def_dim(nc, "task", n));
  PL_TRY(pl_nc_def_dim(nc, "sample", pl_task_samples(&t->shape)));
  PL_TRY(pl_nc_def_dim(nc, "feature", s->features));
  if (!s->classes) PL_TRY(pl_nc_def_dim(nc, "target", s->outputs));
  if (s->classes) ys[2] = NULL;
  PL_TRY(pl_nc_def_var(nc, "x", PL_NC_DOUBLE, xs, "samples, those to adapt to first", "1"));
  PL_TRY(pl_nc_att_ints(nc, "x", "support", PL_NC_INT, &support, 1));
  PL_TRY(pl_image_define(nc, s->height, s->width, s->channels));
  if (s->group[0]) PL_TRY(pl_nc_att_text(nc, "x", "group", s->group));
  PL_TRY(pl_nc_def_var(nc, "y", s->classes ? PL_NC_INT : PL_NC_DOUBLE, ys,
                       s->classes ? "class, from 0" : "targets", "1"));
  if (s->classes) PL_TRY(pl_nc_att_ints(nc, "y", "classes", PL_NC_INT, &classes, 1));
  PL_TRY(pl_split_define(nc, "task"));
  for (int i = 0; i < num; i++)
    PL_TRY(pl_nc_att_text(nc, NULL, attributes[i].name, attributes[i].text));
  return pl_nc_end_def(nc);
}

/* Task i of a part, number `at` in the file. */
static pl_status put_task(pl_nc *nc, const pl_tasks *t, pl_part part, int64_t i, int64_t at,
                          double *x, double *y) {
  const pl_inner_shape *s = &t->shape.sample;
  const int64_t start[] = {at, 0, 0}, split = part;
  const int64_t xs[] = {1, pl_task_samples(&t->shape), s->features};
  const int64_t ys[] = {1, pl_task_samples(&t->shape), s->outputs};
  pl_task_make(t, part, i, x, y);
  PL_TRY(pl_nc_put_doubles(nc, "x", start, xs, x));
  PL_TRY(pl_nc_put_doubles(nc, "y", start, ys, y));
  return pl_nc_put_ints(nc, "split", start, xs, &split);
}

static pl_status write_file(const pl_tasks *t, const char *path, const pl_attribute *attributes,
                            int num) {
  pl_nc *nc;
  int64_t n = 0, at = 0, samples = pl_task_samples(&t->shape);
  for (int p = 0; p < PL_NUM_PARTS; p++) n += t->count[p];
  PL_TRY(pl_nc_create(path, true, false, &nc));
  pl_status st = define(nc, t, n, attributes, num);
  double *x = pl_alloc((size_t)(samples * t->shape.sample.features), sizeof *x, "a task");
  double *y = pl_alloc((size_t)(samples * pl_inner_targets(&t->shape.sample)), sizeof *y, "a task");
  for (int p = 0; p < PL_NUM_PARTS; p++)
    for (int64_t i = 0; i < t->count[p] && !st; i++)
      st = put_task(nc, t, (pl_part)p, i, at++, x, y);
  pl_free(x);
  pl_free(y);
  pl_status closed = pl_nc_close(nc);
  return st ? st : closed;
}

pl_status pl_tasks_write(const pl_spec *spec, const pl_comm *team, const char *path,
                         const pl_attribute *attributes, int num) {
  pl_tasks t;
  PL_TRY(pl_tasks_init(spec, team, &t));
  pl_status st = team->rank == 0 ? write_file(&t, path, attributes, num) : PL_OK;
  pl_tasks_fini(&t);
  return pl_agree(team, st);
}
