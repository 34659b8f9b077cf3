/* Samples from a NetCDF file. */
#include "base/mem.h"
#include "data_keys.h"
#include "function_file.h"
#include "nets/group/data.h"
#include "nets/group/keys.h"

#include <string.h>

/* The file while samples are read from it. */
typedef struct source_file {
  function_file file;
  int64_t num;
  double *y;      /* [num]: labels, in the file's order like all that follows */
  int64_t *split; /* [num]: parts */
  int64_t next;   /* the first row not yet looked at, of the part that is being read */
  pl_part part;
} source_file;

static const char *path_of(const pl_spec *spec) {
  return pl_group_data_of(spec)->path;
}

/* 0: neither labels nor samples. */
static int64_t samples_in(const pl_nc *nc) {
  int64_t shape[2];
  if (pl_nc_var(nc, "y", NULL, NULL, shape, 1) == 1) return shape[0];
  if (pl_nc_var(nc, "x_fourier", NULL, NULL, shape, 2) == 2) return shape[0];
  return pl_nc_var(nc, "x", NULL, NULL, shape, 2) == 2 ? shape[0] : 0;
}

/* The part of each of n samples: split(sample), or all for training. */
static pl_status read_split(const pl_nc *nc, int64_t n, int64_t *split) {
  memset(split, 0, (size_t)n * sizeof *split);
  if (pl_nc_var(nc, "split", NULL, NULL, NULL, 0) < 0) return PL_OK;
  PL_TRY(pl_nc_expect(nc, "split", false, 1, (int64_t[]){n}));
  PL_TRY(pl_nc_get_ints(nc, "split", NULL, NULL, split));
  for (int64_t i = 0; i < n; i++)
    if (split[i] < 0 || split[i] >= PL_NUM_PARTS)
      return pl_error(PL_EINPUT,
                      "%s: split[%lld] is %lld, expected 0 (training), 1 (validation) or 2 (test)",
                      pl_nc_path(nc), (long long)i, (long long)split[i]);
  return PL_OK;
}

static int64_t count_part(int64_t n, const int64_t *split, pl_part part) {
  int64_t sum = 0;
  for (int64_t i = 0; i < n; i++) sum += split[i] == (int64_t)part;
  return sum;
}

static int64_t count(const pl_spec *spec, pl_part part) {
  pl_nc *nc;
  if (pl_nc_open(path_of(spec), false, &nc)) return 0;
  int64_t n = samples_in(nc), sum = 0;
  int64_t *split = pl_alloc((size_t)n, sizeof *split, "parts of the data");
  if (!read_split(nc, n, split)) sum = count_part(n, split, part);
  pl_free(split);
  pl_nc_close(nc);
  return sum;
}

/* ---- checks ---- */

static pl_status check_labels(const pl_nc *nc, int64_t n) {
  char dims[1][64];
  int64_t shape[1];
  pl_nc_type type;
  if (pl_nc_var(nc, "y", &type, dims, shape, 1) != 1 || type == PL_NC_CHAR || shape[0] != n)
    return pl_error(PL_EINPUT, "%s: expected labels y(sample), %lld of them", pl_nc_path(nc),
                    (long long)n);
  double *y = pl_alloc((size_t)n, sizeof *y, "labels");
  pl_status st = pl_nc_get_doubles(nc, "y", (int64_t[]){0}, (int64_t[]){n}, y);
  for (int64_t i = 0; i < n && !st; i++)
    if (y[i] != 1 && y[i] != -1)
      st = pl_error(PL_EINPUT, "%s: label y[%lld] is %g, expected 1 or -1", pl_nc_path(nc),
                    (long long)i, y[i]);
  pl_free(y);
  return st;
}

static pl_status check_split(const pl_nc *nc, int64_t n) {
  int64_t *split = pl_alloc((size_t)n, sizeof *split, "parts of the data");
  pl_status st = read_split(nc, n, split);
  if (!st && count_part(n, split, PL_TRAIN) == 0)
    st = pl_error(PL_EINPUT, "%s: no samples for training, split(sample) is nowhere 0",
                  pl_nc_path(nc));
  pl_free(split);
  return st;
}

static pl_status check(const pl_spec *spec, const pl_group *g, const char **key) {
  pl_nc *nc;
  *key = "data.path";
  PL_TRY(pl_nc_open(path_of(spec), false, &nc));
  int64_t n = -1;
  pl_status st = function_file_check_shape(nc, "x", "sample", g, &n);
  if (!st && n == 0) st = pl_error(PL_EINPUT, "%s: no samples", path_of(spec));
  if (!st) st = check_labels(nc, n);
  if (!st) st = check_split(nc, n);
  if (!st) st = function_file_check_values(nc, "x", g, n, true);
  pl_nc_close(nc);
  return st;
}

pl_status pl_group_file_open(const char *path, const pl_group *g, int64_t *n, int64_t **split,
                             bool *labelled) {
  pl_nc *nc;
  *n = -1;
  *split = NULL;
  PL_TRY(pl_nc_open(path, false, &nc));
  pl_status st = function_file_check_shape(nc, "x", "sample", g, n);
  if (!st && *n == 0) st = pl_error(PL_EINPUT, "%s: no samples", path);
  *labelled = pl_nc_var(nc, "y", NULL, NULL, NULL, 0) >= 0;
  if (!st && *labelled) st = check_labels(nc, *n);
  if (!st) {
    *split = pl_alloc((size_t)*n, sizeof **split, "parts of the data");
    st = read_split(nc, *n, *split);
  }
  if (!st) st = function_file_check_values(nc, "x", g, *n, false);
  pl_nc_close(nc);
  if (st) pl_free(*split);
  return st;
}

/* ---- reading ---- */

/* Rows are read on rank 0 of the team, labels and parts known to all. */
static pl_status begin(pl_source *s) {
  const pl_comm *team = &s->layout->team;
  source_file *f = s->own = pl_zalloc(1, sizeof *f, "a data file");
  PL_TRY(function_file_open(s->layout, path_of(s->spec), &f->file));
  if (f->file.nc) f->num = samples_in(f->file.nc);
  pl_comm_bcast(team, &f->num, sizeof f->num, 0);
  f->y = pl_alloc((size_t)f->num, sizeof *f->y, "labels");
  f->split = pl_alloc((size_t)f->num, sizeof *f->split, "parts of the data");
  pl_status st = PL_OK;
  /* Without labels, which only `plancherel apply` lets pass, all are +1. */
  for (int64_t i = 0; i < f->num; i++) f->y[i] = 1;
  if (f->file.nc && pl_nc_var(f->file.nc, "y", NULL, NULL, NULL, 0) >= 0)
    st = pl_nc_get_doubles(f->file.nc, "y", NULL, NULL, f->y);
  if (f->file.nc && !st) st = read_split(f->file.nc, f->num, f->split);
  PL_TRY(pl_agree(team, st));
  pl_comm_bcast(team, f->y, (size_t)f->num * sizeof *f->y, 0);
  pl_comm_bcast(team, f->split, (size_t)f->num * sizeof *f->split, 0);
  return PL_OK;
}

static pl_status sample(pl_source *s, pl_part part, int64_t i, double *F, double *y) {
  source_file *f = s->own;
  (void)i;
  if (f->part != part) f->next = 0;
  f->part = part;
  while (f->next < f->num && f->split[f->next] != (int64_t)part) f->next++;
  if (f->next == f->num)
    return pl_error(PL_EINPUT, "%s: has changed while it was read", path_of(s->spec));
  *y = f->y[f->next];
  return function_file_read(&f->file, s->layout, s->transform, "x", f->next++, s->f, F);
}

static void end(pl_source *s) {
  source_file *f = s->own;
  function_file_close(&f->file);
  pl_free(f->y);
  pl_free(f->split);
  pl_free(f);
}

static const pl_key rows[] = {
    {"data.path", PL_KEY_TEXT, DATA_FIELD(path), DATA_ALL, .required = true, .path = true,
     .help =
         "NetCDF file with x(sample, element), in a band also x_fourier(sample, component), and "
         "y(sample); split(sample), if there, puts samples into parts: 0 training, 1 "
         "validation, 2 test"},
};
static const pl_keys table = PL_KEYS(PL_IN_DATA, rows);
static const pl_keys *const keys[] = {&data_scale_keys, &table, NULL};
static const pl_default defaults[] = {{"data.scale", "1"}, {NULL, NULL}};

const pl_group_data pl_data_group_file = {
    .base = {.name = "file",
             .help = "samples and labels from a NetCDF file",
             .keys = keys,
             .write_data = pl_group_data_write,
             .defaults = defaults,
             .seedless = true,
             .count = count},
    .over_group = true,
    .check = check,
    .begin = begin,
    .sample = sample,
    .end = end,
};
