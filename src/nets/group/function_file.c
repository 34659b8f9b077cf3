#include "function_file.h"

#include "base/mem.h"
#include "base/norm.h"
#include "group/fourier.h"
#include "spectral/packed.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Functions over the elements are read and transformed whole on one rank. */
enum { LARGEST_WHOLE = 10 };
/* Share of a function's squared norm below which its part in a band is rounding. */
static const double NOTHING = 1e-20;

/* What functions called var ("x", "w") stand in, what on beside samples or layers, and how many
 * values each has. */
typedef struct variable {
  char name[32];
  const char *dim;
  int64_t length;
} variable;

static variable variable_of(const pl_nc *nc, const char *var, const pl_group *g) {
  variable v = {.dim = "element"};
  snprintf(v.name, sizeof v.name, "%s_fourier", var);
  if (pl_group_codepth(g) &&
      (pl_group_letters(g) > LARGEST_WHOLE || pl_nc_var(nc, v.name, NULL, NULL, NULL, 0) >= 0)) {
    v.dim = "component";
    v.length = pl_fourier_size(g);
    return v;
  }
  snprintf(v.name, sizeof v.name, "%s", var);
  v.length = pl_group_order(g);
  return v;
}

/* ---- checks ---- */

pl_status function_file_check_shape(const pl_nc *nc, const char *what, const char *first_dim,
                                    const pl_group *g, int64_t *rows) {
  variable v = variable_of(nc, what, g);
  const char *var = v.name;
  char dims[2][64];
  int64_t shape[2];
  pl_nc_type type;
  int nd = pl_nc_var(nc, var, &type, dims, shape, 2);
  if (nd < 0)
    return pl_error(PL_EINPUT, "%s: no variable %s(%s, %s)", pl_nc_path(nc), var, first_dim, v.dim);
  if (nd != 2 || type == PL_NC_CHAR)
    return pl_error(PL_EINPUT, "%s: variable %s must be numeric, on (%s, %s)", pl_nc_path(nc), var,
                    first_dim, v.dim);
  if (shape[1] != v.length && pl_group_codepth(g))
    return pl_error(PL_EINPUT, "%s: variable %s has %lld %ss per %s, but this band has %lld",
                    pl_nc_path(nc), var, (long long)shape[1], v.dim, first_dim,
                    (long long)v.length);
  if (shape[1] != v.length)
    return pl_error(PL_EINPUT, "%s: variable %s has %lld elements per %s, but %s has order %lld",
                    pl_nc_path(nc), var, (long long)shape[1], first_dim, pl_group_spec(g),
                    (long long)pl_group_order(g));
  if (*rows >= 0 && shape[0] != *rows)
    return pl_error(PL_EINPUT, "%s: variable %s has %lld rows (%s), expected %lld", pl_nc_path(nc),
                    var, (long long)shape[0], first_dim, (long long)*rows);
  *rows = shape[0];
  return PL_OK;
}

pl_status function_file_check_values(const pl_nc *nc, const char *what, const pl_group *g,
                                     int64_t rows, bool not_zero) {
  variable v = variable_of(nc, what, g);
  const char *var = v.name;
  int64_t n = v.length;
  double *row = pl_alloc((size_t)n, sizeof *row, "a row of a data file");
  pl_status st = PL_OK;
  for (int64_t i = 0; i < rows && !st; i++) {
    st = pl_nc_get_doubles(nc, var, (int64_t[]){i, 0}, (int64_t[]){1, n}, row);
    double sum = 0;
    for (int64_t k = 0; k < n && !st; k++) {
      sum += fabs(row[k]);
      if (!isfinite(row[k]))
        st = pl_error(PL_EINPUT, "%s: %s[%lld, %lld] is not a finite number", pl_nc_path(nc), var,
                      (long long)i, (long long)k);
    }
    if (!st && not_zero && sum == 0)
      st = pl_error(PL_EINPUT, "%s: %s[%lld, :] is zero everywhere", pl_nc_path(nc), var,
                    (long long)i);
  }
  pl_free(row);
  return st;
}

/* ---- into a band ---- */

/* The band's irreps are the first ones of the whole group, so its components are those of f. */
static pl_status project(const pl_group *g, const double *f, double *F) {
  pl_group *whole;
  pl_fourier *plan;
  PL_TRY(pl_group_parse(pl_group_spec(g), &whole));
  pl_status st = pl_fourier_new(whole, NULL, &plan);
  if (!st) {
    pl_fourier_forward(plan, 1, f, 0, F, 0);
    pl_fourier_free(plan);
  }
  pl_group_free(whole);
  return st;
}

static pl_status read_components(const pl_group *g, const pl_nc *nc, const char *var, int64_t row,
                                 double *F) {
  variable v = variable_of(nc, var, g);
  const int64_t start[] = {row, 0}, count[] = {1, v.length};
  int64_t size = pl_fourier_size(g);
  if (!strcmp(v.dim, "component")) return pl_nc_get_doubles(nc, v.name, start, count, F);
  double *f = pl_alloc((size_t)v.length, sizeof *f, "a function over the group");
  double *all = pl_alloc((size_t)v.length, sizeof *all, "its coefficients");
  pl_status st = pl_nc_get_doubles(nc, v.name, start, count, f);
  if (!st) st = project(g, f, all);
  if (!st) {
    memcpy(F, all, (size_t)size * sizeof *F);
    double inside = pl_sum_squares(size, F), norm2 = pl_sum_squares(v.length, f);
    if (inside <= NOTHING * norm2 && norm2 > 0)
      st = pl_error(PL_EINPUT, "%s: %s[%lld, :] has no part in the band of codepth %d",
                    pl_nc_path(nc), var, (long long)row, pl_group_codepth(g));
  }
  pl_free(f);
  pl_free(all);
  return st;
}

static pl_status read_band(const pl_layout *l, const pl_nc *nc, const char *var, int64_t row,
                           double *F) {
  pl_packed *order = pl_packed_new(l);
  int64_t size = pl_packed_doubles(order);
  double *x = pl_alloc((size_t)size, sizeof *x, "coefficients of a function");
  double **stacks = pl_alloc((size_t)l->num_stacks, sizeof *stacks, "stacks");
  for (int i = 0; i < l->num_stacks; i++) stacks[i] = F + l->stacks[i].offset;
  pl_status st = l->team.rank == 0 ? read_components(l->group, nc, var, row, x) : PL_OK;
  st = pl_agree(&l->team, st);
  if (!st) pl_packed_scatter(order, stacks, 0, size, x);
  pl_packed_free(order);
  pl_free(stacks);
  pl_free(x);
  return st;
}

/* ---- reading ---- */

pl_status function_file_open(const pl_layout *l, const char *path, function_file *out) {
  pl_status st = PL_OK;
  *out = (function_file){0};
  if (l->team.rank == 0) {
    st = pl_nc_open(path, false, &out->nc);
    if (!st && !pl_group_codepth(l->group))
      out->full = pl_alloc((size_t)pl_group_order(l->group), sizeof *out->full, "a row of a file");
  }
  return pl_agree(&l->team, st);
}

void function_file_close(function_file *file) {
  pl_free(file->full);
  pl_nc_close(file->nc);
  *file = (function_file){0};
}

pl_status function_file_read(const function_file *file, const pl_layout *l, pl_transform *t,
                             const char *var, int64_t row, double *f, double *F) {
  if (pl_group_codepth(l->group)) return read_band(l, file->nc, var, row, F);
  pl_status st = PL_OK;
  if (l->team.rank == 0)
    st = pl_nc_get_doubles(file->nc, var, (int64_t[]){row, 0},
                           (int64_t[]){1, pl_group_order(l->group)}, file->full);
  PL_TRY(pl_agree(&l->team, st));
  pl_transform_scatter(t, file->full, f);
  pl_transform_forward(t, f, F);
  return PL_OK;
}
