/* Samples from a NetCDF file, and into one: x(sample, node, node_to), all of the largest size, of
 * which the first points(sample) rows and columns count. */
#include "base/mem.h"
#include "base/nc_read.h"
#include "keys.h"
#include "model/split.h"
#include "nets/tensor/data.h"

#include <string.h>

/* What a file holds. */
typedef struct head {
  int64_t num, most; /* samples, points of the largest */
  bool targets, of_points;
  int64_t *points, *split; /* [num] */
} head;

static void head_fini(head *h) {
  pl_free(h->points);
  pl_free(h->split);
}

/* An integer for each sample, from least to most, or what they are without the variable. */
static pl_status read_ints(const pl_nc *nc, const char *name, int64_t num, int64_t least,
                           int64_t most, int64_t without, const char *what, int64_t **out) {
  int64_t *v = *out = pl_alloc((size_t)num, sizeof *v, what);
  for (int64_t i = 0; i < num; i++) v[i] = without;
  if (pl_nc_var(nc, name, NULL, NULL, NULL, 0) < 0) return PL_OK;
  pl_nc_axis axis = {"sample", num, NULL};
  pl_nc_input *in;
  PL_TRY(pl_nc_input_new(nc, name, PL_NC_INTEGER, 1, &axis, &in));
  pl_status st = pl_nc_input_ints(in, NULL, NULL, v);
  pl_nc_input_free(in);
  for (int64_t i = 0; i < num && !st; i++)
    if (v[i] < least || v[i] > most)
      st =
          pl_error(PL_EINPUT, "%s: %s[%lld] is %lld, expected %s from %lld to %lld", pl_nc_path(nc),
                   name, (long long)i, (long long)v[i], what, (long long)least, (long long)most);
  return st;
}

/* x or y: dimensions and lengths as they must be. */
static pl_status open_x(const pl_nc *nc, int64_t *num, int64_t *most, pl_nc_input **in) {
  pl_nc_axis axes[] = {{"sample", *num, NULL}, {"node", *most, NULL}, {"node_to", *most, NULL}};
  PL_TRY(pl_nc_input_new(nc, "x", PL_NC_REAL, 3, axes, in));
  *num = axes[0].length;
  *most = axes[1].length;
  if (axes[2].length == *most) return PL_OK;
  pl_nc_input_free(*in);
  return pl_error(PL_EINPUT, "%s: x has %lld rows and %lld columns, expected as many",
                  pl_nc_path(nc), (long long)*most, (long long)axes[2].length);
}

static pl_status open_y(const pl_nc *nc, const head *h, pl_nc_input **in) {
  pl_nc_axis axes[] = {{"sample", h->num, NULL}, {"node", h->most, NULL}};
  return pl_nc_input_new(nc, "y", PL_NC_REAL, h->of_points ? 2 : 1, axes, in);
}

static pl_status read_head(const pl_nc *nc, bool targets, head *h) {
  pl_nc_input *in;
  *h = (head){.num = -1, .most = -1};
  PL_TRY(open_x(nc, &h->num, &h->most, &in));
  pl_nc_input_free(in);
  if (h->most > PL_TENSOR_MOST_POINTS)
    return pl_error(PL_EINPUT, "%s: x has %lld points, expected at most %d", pl_nc_path(nc),
                    (long long)h->most, PL_TENSOR_MOST_POINTS);
  int dims = pl_nc_var(nc, "y", NULL, NULL, NULL, 0);
  h->targets = targets || dims >= 0;
  h->of_points = dims == 2;
  if (h->targets) {
    PL_TRY(open_y(nc, h, &in));
    pl_nc_input_free(in);
  }
  PL_TRY(read_ints(nc, "points", h->num, 1, h->most, h->most, "points", &h->points));
  return read_ints(nc, "split", h->num, 0, PL_NUM_PARTS - 1, 0, "part", &h->split);
}

static int64_t count_part(const head *h, pl_part part) {
  int64_t sum = 0;
  for (int64_t i = 0; i < h->num; i++) sum += h->split[i] == (int64_t)part;
  return sum;
}

/* Samples of a part, or with every: all. */
static pl_status read_samples(const pl_nc *nc, const head *h, pl_part part, bool every,
                              pl_tensor_part *out) {
  pl_nc_input *x, *y = NULL;
  int64_t num = h->num, most = h->most, at = 0;
  PL_TRY(open_x(nc, &num, &most, &x));
  pl_status st = h->targets ? open_y(nc, h, &y) : PL_OK;
  for (int64_t i = 0; i < num && !st; i++) {
    if (!every && h->split[i] != (int64_t)part) continue;
    const int64_t n = h->points[i], start[] = {i, 0, 0}, count[] = {1, n, n};
    st = pl_nc_input_doubles(x, start, count, out->w + out->matrix[at]);
    if (y && !st)
      st = pl_nc_input_doubles(y, start, count, out->y + (h->of_points ? out->point[at] : at));
    at++;
  }
  pl_nc_input_free(x);
  pl_nc_input_free(y);
  return st;
}

/* ---- the kind of data ---- */

static const char *path_of(const pl_spec *spec) {
  return tensor_data_of(spec)->path;
}

static int64_t count(const pl_spec *spec, pl_part part) {
  pl_nc *nc;
  head h;
  if (pl_nc_open(path_of(spec), false, &nc)) return 0;
  int64_t n = read_head(nc, true, &h) ? 0 : count_part(&h, part);
  head_fini(&h);
  pl_nc_close(nc);
  return n;
}

static pl_status sizes(const pl_spec *spec, pl_part part, int64_t num, bool *of_points,
                       int *points) {
  pl_nc *nc;
  head h;
  PL_TRY(pl_nc_open(path_of(spec), false, &nc));
  pl_status st = read_head(nc, true, &h);
  if (!st && count_part(&h, part) != num)
    st = pl_error(PL_EINPUT, "%s: has changed while it was read", path_of(spec));
  for (int64_t i = 0; i < h.num && !st; i++)
    if (h.split[i] == (int64_t)part) *points++ = (int)h.points[i];
  *of_points = h.of_points;
  head_fini(&h);
  pl_nc_close(nc);
  return st;
}

static pl_status samples(const pl_spec *spec, pl_part part, pl_tensor_part *out) {
  pl_nc *nc;
  head h;
  PL_TRY(pl_nc_open(path_of(spec), false, &nc));
  pl_status st = read_head(nc, true, &h);
  if (!st) st = read_samples(nc, &h, part, false, out);
  head_fini(&h);
  pl_nc_close(nc);
  return st;
}

static pl_status check(const pl_spec *spec, const char **key) {
  pl_nc *nc;
  pl_nc_input *in;
  head h;
  *key = "data.path";
  PL_TRY(pl_nc_open(path_of(spec), false, &nc));
  pl_status st = read_head(nc, true, &h);
  if (!st && count_part(&h, PL_TRAIN) == 0)
    st = pl_error(PL_EINPUT, "%s: no samples for training, split(sample) is nowhere 0",
                  path_of(spec));
  /* All values are looked at once. */
  enum { ROOM = 1 << 16 };
  if (!st && !(st = open_x(nc, &h.num, &h.most, &in))) {
    st = pl_nc_input_each(in, ROOM, NULL, NULL);
    pl_nc_input_free(in);
  }
  if (!st && !(st = open_y(nc, &h, &in))) {
    st = pl_nc_input_each(in, ROOM, NULL, NULL);
    pl_nc_input_free(in);
  }
  head_fini(&h);
  pl_nc_close(nc);
  return st;
}

static const pl_key rows[] = {
    {"data.path", PL_KEY_TEXT, DATA_FIELD(path), DATA_ALL, .required = true, .path = true,
     .help = "NetCDF file with x(sample, node, node_to) and y(sample) or y(sample, node); where "
             "samples differ in size, points(sample), and zeros behind; split(sample), if there: 0 "
             "training, 1 validation, 2 test"},
};
static const pl_keys table = PL_KEYS(PL_IN_DATA, rows);
static const pl_keys *const keys[] = {&table, NULL};

const pl_tensor_data pl_data_tensor_file = {
    .base = {.name = "file",
             .help = "matrices over points, from a NetCDF file",
             .keys = keys,
             .seedless = true,
             .count = count,
             .write_data = pl_tensors_write},
    .check = check,
    .sizes = sizes,
    .samples = samples,
};

/* ---- an open file, for predictions ---- */

pl_status pl_tensors_open(const pl_nc *nc, const pl_comm *team, pl_tensors *out) {
  head h = {0};
  pl_status st = team->rank == 0 ? read_head(nc, false, &h) : PL_OK;
  *out = (pl_tensors){0};
  st = pl_agree(team, st);
  if (!st) {
    pl_comm_bcast(team, &h.num, sizeof h.num, 0);
    pl_comm_bcast(team, &h.targets, sizeof h.targets, 0);
    pl_comm_bcast(team, &h.of_points, sizeof h.of_points, 0);
    out->of_points = h.of_points;
    int *points = pl_zalloc((size_t)h.num, sizeof *points, "sizes of samples");
    for (int64_t i = 0; team->rank == 0 && i < h.num; i++) points[i] = (int)h.points[i];
    pl_comm_bcast(team, points, (size_t)h.num * sizeof *points, 0);
    pl_tensor_part *p = &out->part[PL_TEST];
    pl_tensor_part_init(p, h.num, points, h.targets, h.of_points);
    if (team->rank == 0) st = read_samples(nc, &h, PL_TEST, true, p);
    st = pl_agree(team, st);
    pl_tensor_part_share(p, h.of_points, team);
  }
  head_fini(&h);
  if (st) pl_tensors_fini(out);
  return st;
}

/* ---- out ---- */

static pl_status define(pl_nc *nc, const pl_tensors *d, int64_t num, int64_t most,
                        const pl_attribute *attributes, int num_attributes) {
  const char *xs[] = {"sample", "node", "node_to", NULL}, *ys[] = {"sample", "node", NULL};
  const char *of_samples[] = {"sample", NULL};
  if (!d->of_points) ys[1] = NULL;
  PL_TRY(pl_nc_def_dim(nc, "sample", num));
  PL_TRY(pl_nc_def_dim(nc, "node", most));
  PL_TRY(pl_nc_def_dim(nc, "node_to", most));
  PL_TRY(pl_nc_def_var(nc, "x", PL_NC_DOUBLE, xs, "matrices over the points", "1"));
  PL_TRY(pl_nc_def_var(nc, "y", PL_NC_DOUBLE, ys, "targets", "1"));
  PL_TRY(pl_nc_def_var(nc, "points", PL_NC_INT, of_samples, "rows and columns that count", "1"));
  PL_TRY(pl_split_define(nc, "sample"));
  for (int i = 0; i < num_attributes; i++)
    PL_TRY(pl_nc_att_text(nc, NULL, attributes[i].name, attributes[i].text));
  return pl_nc_end_def(nc);
}

static pl_status put_sample(pl_nc *nc, const pl_tensors *d, pl_part part, int64_t i, int64_t at,
                            int64_t most, double *room) {
  const pl_tensor_part *p = &d->part[part];
  int64_t n = p->points[i], split = part;
  const int64_t start[] = {at, 0, 0}, count[] = {1, most, most};
  memset(room, 0, (size_t)(most * most) * sizeof *room);
  for (int64_t k = 0; k < n; k++)
    memcpy(room + k * most, p->w + p->matrix[i] + k * n, (size_t)n * sizeof *room);
  PL_TRY(pl_nc_put_doubles(nc, "x", start, count, room));
  memset(room, 0, (size_t)most * sizeof *room);
  if (d->of_points) memcpy(room, p->y + p->point[i], (size_t)n * sizeof *room);
  PL_TRY(pl_nc_put_doubles(nc, "y", start, count, d->of_points ? room : p->y + i));
  PL_TRY(pl_nc_put_ints(nc, "points", start, count, &n));
  return pl_nc_put_ints(nc, "split", start, count, &split);
}

static pl_status write_file(const pl_tensors *d, const char *path, const pl_attribute *attributes,
                            int num_attributes) {
  int64_t num = 0, most = 1, at = 0;
  for (int p = 0; p < PL_NUM_PARTS; p++) {
    num += d->part[p].num;
    for (int64_t i = 0; i < d->part[p].num; i++)
      if (d->part[p].points[i] > most) most = d->part[p].points[i];
  }
  pl_nc *nc;
  double *room = pl_alloc((size_t)(most * most), sizeof *room, "a sample");
  pl_status st = pl_nc_create(path, true, false, &nc);
  if (!st) {
    st = define(nc, d, num, most, attributes, num_attributes);
    for (int p = 0; p < PL_NUM_PARTS; p++)
      for (int64_t i = 0; i < d->part[p].num && !st; i++)
        st = put_sample(nc, d, (pl_part)p, i, at++, most, room);
    pl_status closed = pl_nc_close(nc);
    if (!st) st = closed;
  }
  pl_free(room);
  return st;
}

pl_status pl_tensors_write(const pl_spec *spec, const pl_comm *team, const char *path,
                           const pl_attribute *attributes, int num) {
  pl_tensors d;
  PL_TRY(pl_tensors_init(spec, team, &d));
  pl_status st = team->rank == 0 ? write_file(&d, path, attributes, num) : PL_OK;
  pl_tensors_fini(&d);
  return pl_agree(team, st);
}
