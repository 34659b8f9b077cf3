/* Samples from a NetCDF file, and into one. */
#include "base/mem.h"
#include "base/nc_read.h"
#include "keys.h"
#include "model/split.h"
#include "nets/image.h"
#include "nets/vector/data.h"

#include <math.h>
#include <stdio.h>

enum { MOST_CLASSES = 1000000 };

/* name(sample) or, with columns, name(sample, column): n and cols of them, below 0: any number,
 * which they become. */
static pl_status open_rows(const pl_nc *nc, const char *name, const char *column, int64_t *n,
                           int64_t *cols, pl_nc_input **in) {
  pl_nc_axis axes[] = {{"sample", *n, NULL}, {column, column ? *cols : -1, NULL}};
  PL_TRY(pl_nc_input_new(nc, name, PL_NC_REAL, column ? 2 : 1, axes, in));
  *n = axes[0].length;
  if (column) *cols = axes[1].length;
  return PL_OK;
}

static pl_status expect_rows(const pl_nc *nc, const char *name, const char *column, int64_t *n,
                             int64_t *cols) {
  pl_nc_input *in;
  PL_TRY(open_rows(nc, name, column, n, cols, &in));
  pl_nc_input_free(in);
  return PL_OK;
}

/* Rows first .. of a variable with `cols` numbers to a sample. */
static pl_status read_rows(const pl_nc *nc, const char *name, int64_t first, int64_t n,
                           int64_t cols, double *out) {
  bool two = pl_nc_var(nc, name, NULL, NULL, NULL, 0) == 2;
  const int64_t start[] = {first, 0}, count[] = {n, cols};
  int64_t all = -1;
  pl_nc_input *in;
  PL_TRY(open_rows(nc, name, !two ? NULL : *name == 'x' ? "feature" : "target", &all, &cols, &in));
  pl_status st = pl_nc_input_doubles(in, start, count, out);
  pl_nc_input_free(in);
  return st;
}

/* ---- the head of a file ---- */

/* The number of classes: attribute `classes` of y, or the largest and one. */
static pl_status read_classes(const pl_nc *nc, int64_t n, pl_vector_shape *s) {
  int64_t told = 0;
  PL_TRY(pl_nc_input_count(nc, "y", "classes", 1, MOST_CLASSES, &told));
  bool known = told > 0;
  double largest = 0, *y = pl_alloc((size_t)n, sizeof *y, "classes");
  pl_status st = read_rows(nc, "y", 0, n, 1, y);
  for (int64_t i = 0; i < n && !st; i++) {
    if (!(y[i] >= 0 && y[i] < (double)(known ? told : MOST_CLASSES)) || y[i] != floor(y[i]))
      st = pl_error(PL_EINPUT, "%s: y[%lld] is %g, expected a class, an integer from 0%s",
                    pl_nc_path(nc), (long long)i, y[i],
                    known ? " and below the attribute classes" : "");
    largest = fmax(largest, y[i]);
  }
  pl_free(y);
  s->classes = true;
  s->outputs = known ? told : 1 + (int64_t)largest;
  return st;
}

/* *n: samples.  y may be missing where `targets` does not want it: outputs is then 0. */
static pl_status read_shape(const pl_nc *nc, bool targets, int64_t *n, pl_vector_shape *s) {
  *s = (pl_vector_shape){.features = -1, .outputs = -1};
  *n = -1;
  PL_TRY(expect_rows(nc, "x", "feature", n, &s->features));
  if (*n < 1 || s->features < 1) return pl_error(PL_EINPUT, "%s: no samples", pl_nc_path(nc));
  PL_TRY(pl_image_read(nc, s->features, &s->height, &s->width, &s->channels));
  int dims = pl_nc_var(nc, "y", NULL, NULL, NULL, 0);
  if (dims < 0 && !targets) {
    s->outputs = 0;
    return PL_OK;
  }
  if (dims == 2) return expect_rows(nc, "y", "target", n, &s->outputs);
  PL_TRY(expect_rows(nc, "y", NULL, n, NULL));
  return read_classes(nc, *n, s);
}

/* ---- the kind of data ---- */

static const char *path_of(const pl_spec *spec) {
  return vector_data_of(spec)->path;
}

static pl_status shape(const pl_spec *spec, pl_vector_shape *out) {
  pl_nc *nc;
  int64_t n;
  PL_TRY(pl_nc_open(path_of(spec), false, &nc));
  pl_status st = read_shape(nc, true, &n, out);
  pl_nc_close(nc);
  return st;
}

static int64_t count(const pl_spec *spec, pl_part part) {
  pl_nc *nc;
  int64_t n = -1, cols = -1, *split = NULL, sum = 0;
  if (pl_nc_open(path_of(spec), false, &nc)) return 0;
  if (!expect_rows(nc, "x", "feature", &n, &cols) &&
      !pl_split_read(nc, (pl_nc_axis){"sample", n, NULL}, &split))
    sum = pl_split_count(n, split, part);
  pl_free(split);
  pl_nc_close(nc);
  return sum;
}

/* The rows of a part one below the other: runs of neighbours at a time. */
static pl_status read_part(const pl_nc *nc, const char *name, int64_t n, const int64_t *split,
                           pl_part part, int64_t cols, double *out) {
  for (int64_t i = 0, end; i < n; i = end) {
    for (end = i + 1; end < n && split[end] == split[i];) end++;
    if (split[i] != (int64_t)part) continue;
    PL_TRY(read_rows(nc, name, i, end - i, cols, out));
    out += (end - i) * cols;
  }
  return PL_OK;
}

static pl_status samples(const pl_spec *spec, const pl_vector_shape *s, pl_part part, int64_t num,
                         double *x, double *y) {
  pl_nc *nc;
  pl_vector_shape now;
  int64_t n, *split = NULL;
  PL_TRY(pl_nc_open(path_of(spec), false, &nc));
  pl_status st = read_shape(nc, true, &n, &now);
  if (!st) st = pl_split_read(nc, (pl_nc_axis){"sample", n, NULL}, &split);
  if (!st && (pl_split_count(n, split, part) != num || now.features != s->features))
    st = pl_error(PL_EINPUT, "%s: has changed while it was read", path_of(spec));
  if (!st) st = read_part(nc, "x", n, split, part, s->features, x);
  if (!st) st = read_part(nc, "y", n, split, part, pl_vector_targets(s), y);
  pl_free(split);
  pl_nc_close(nc);
  return st;
}

/* Are all values finite?  A thousand samples at a time. */
static pl_status check_rows(const pl_nc *nc, const char *name, int64_t n, int64_t cols) {
  enum { ROWS = 1000 };
  double *rows = pl_alloc(ROWS, (size_t)cols * sizeof *rows, "samples of a file");
  pl_status st = PL_OK;
  for (int64_t i = 0; i < n && !st; i += ROWS)
    st = read_rows(nc, name, i, n - i < ROWS ? n - i : ROWS, cols, rows);
  pl_free(rows);
  return st;
}

static pl_status check(const pl_spec *spec, const char **key) {
  pl_nc *nc;
  pl_vector_shape s;
  int64_t n, *split = NULL;
  *key = "data.path";
  PL_TRY(pl_nc_open(path_of(spec), false, &nc));
  pl_status st = read_shape(nc, true, &n, &s);
  if (!st) st = pl_split_read(nc, (pl_nc_axis){"sample", n, NULL}, &split);
  if (!st && pl_split_count(n, split, PL_TRAIN) == 0)
    st = pl_error(PL_EINPUT, "%s: no samples for training, split(sample) is nowhere 0",
                  path_of(spec));
  if (!st) st = check_rows(nc, "x", n, s.features);
  if (!st) st = check_rows(nc, "y", n, pl_vector_targets(&s));
  pl_free(split);
  pl_nc_close(nc);
  return st;
}

static const pl_key rows[] = {
    {"data.path", PL_KEY_TEXT, DATA_FIELD(path), DATA_ALL, .required = true, .path = true,
     .help = "NetCDF file with x(sample, feature) and y(sample), a class, or y(sample, target); "
             "split(sample), if there, puts samples into parts: 0 training, 1 validation, 2 test; "
             "attribute image of x: height, width, channels"},
};
static const pl_keys table = PL_KEYS(PL_IN_DATA, rows);
static const pl_keys *const keys[] = {&table, NULL};

const pl_vector_data pl_data_vector_file = {
    .base = {.name = "file",
             .help = "samples and labels from a NetCDF file",
             .keys = keys,
             .seedless = true,
             .count = count,
             .write_data = pl_vectors_write},
    .shape = shape,
    .check = check,
    .samples = samples,
};

/* ---- for `plancherel apply` ---- */

static pl_status open_head(const pl_nc *nc, const pl_vector_shape *want, int64_t *n,
                           pl_vector_shape *s) {
  PL_TRY(read_shape(nc, false, n, s));
  if (s->features != want->features)
    return pl_error(PL_EINPUT, "%s: samples of %lld features, and the network takes %lld",
                    pl_nc_path(nc), (long long)s->features, (long long)want->features);
  if (s->outputs == 0) return PL_OK;
  if (s->classes != want->classes ||
      (s->classes ? s->outputs > want->outputs : s->outputs != want->outputs))
    return pl_error(PL_EINPUT, "%s: y does not fit the network, which has %lld %s", pl_nc_path(nc),
                    (long long)want->outputs, want->classes ? "classes" : "targets");
  return PL_OK;
}

pl_status pl_vectors_open(const pl_nc *nc, const pl_comm *team, const pl_vector_shape *want,
                          pl_vectors *out) {
  pl_vector_shape found = {0};
  pl_vector_part *part = &out->part[PL_TEST];
  int64_t n = 0;
  pl_status st = nc ? open_head(nc, want, &n, &found) : PL_OK;
  *out = (pl_vectors){.shape = *want};
  PL_TRY(pl_agree(team, st));
  pl_comm_bcast(team, &n, sizeof n, 0);
  pl_comm_bcast(team, &found, sizeof found, 0);
  pl_vector_part_init(part, want, n, found.outputs > 0);
  if (nc) st = read_rows(nc, "x", 0, n, want->features, part->x);
  if (nc && !st && part->y) st = read_rows(nc, "y", 0, n, pl_vector_targets(want), part->y);
  st = pl_agree(team, st);
  if (st)
    pl_vectors_fini(out);
  else
    pl_vector_part_share(part, want, team);
  return st;
}

/* ---- out ---- */

static pl_status define(pl_nc *nc, const pl_vectors *v, int64_t n, const pl_attribute *attributes,
                        int num) {
  const pl_vector_shape *s = &v->shape;
  const char *xs[] = {"sample", "feature", NULL}, *ys[] = {"sample", "target", NULL};
  int classes = (int)s->outputs;
  PL_TRY(pl_nc_def_dim(nc, "sample", n));
  PL_TRY(pl_nc_def_dim(nc, "feature", s->features));
  if (!s->classes) PL_TRY(pl_nc_def_dim(nc, "target", s->outputs));
  if (s->classes) ys[1] = NULL;
  PL_TRY(pl_nc_def_var(nc, "x", PL_NC_DOUBLE, xs, "samples", "1"));
  PL_TRY(pl_image_define(nc, s->height, s->width, s->channels));
  PL_TRY(pl_nc_def_var(nc, "y", s->classes ? PL_NC_INT : PL_NC_DOUBLE, ys,
                       s->classes ? "class, from 0" : "targets", "1"));
  if (s->classes) PL_TRY(pl_nc_att_ints(nc, "y", "classes", PL_NC_INT, &classes, 1));
  PL_TRY(pl_split_define(nc, "sample"));
  for (int i = 0; i < num; i++)
    PL_TRY(pl_nc_att_text(nc, NULL, attributes[i].name, attributes[i].text));
  return pl_nc_end_def(nc);
}

static pl_status put_rows(pl_nc *nc, const char *name, int64_t first, int64_t n, int64_t cols,
                          const double *v) {
  int dims = pl_nc_var(nc, name, NULL, NULL, NULL, 0);
  return pl_nc_put_doubles(nc, name, (int64_t[]){first, 0}, dims == 2 ? (int64_t[]){n, cols} : &n,
                           v);
}

static pl_status put_part(pl_nc *nc, const pl_vectors *v, pl_part p, int64_t first) {
  const pl_vector_part *part = &v->part[p];
  int64_t *split = pl_alloc((size_t)part->num, sizeof *split, "parts of the data");
  for (int64_t i = 0; i < part->num; i++) split[i] = p;
  pl_status st = put_rows(nc, "x", first, part->num, v->shape.features, part->x);
  if (!st) st = put_rows(nc, "y", first, part->num, pl_vector_targets(&v->shape), part->y);
  if (!st) st = pl_nc_put_ints(nc, "split", &first, &part->num, split);
  pl_free(split);
  return st;
}

static pl_status write_file(const pl_vectors *v, const char *path, const pl_attribute *attributes,
                            int num) {
  pl_nc *nc;
  int64_t n = 0, first = 0;
  for (int p = 0; p < PL_NUM_PARTS; p++) n += v->part[p].num;
  PL_TRY(pl_nc_create(path, true, false, &nc));
  pl_status st = define(nc, v, n, attributes, num);
  for (int p = 0; p < PL_NUM_PARTS && !st; first += v->part[p++].num)
    if (v->part[p].num > 0) st = put_part(nc, v, (pl_part)p, first);
  pl_status closed = pl_nc_close(nc);
  return st ? st : closed;
}

pl_status pl_vectors_write(const pl_spec *spec, const pl_comm *team, const char *path,
                           const pl_attribute *attributes, int num) {
  pl_vectors v;
  PL_TRY(pl_vectors_init(spec, team, &v));
  pl_status st = team->rank == 0 ? write_file(&v, path, attributes, num) : PL_OK;
  pl_vectors_fini(&v);
  return pl_agree(team, st);
}
