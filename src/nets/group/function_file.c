#include "function_file.h"

#include "base/mem.h"
#include "base/norm.h"
#include "group/elements.h"
#include "group/fourier.h"
#include "spectral/packed.h"

#include <stdio.h>
#include <string.h>

/* Functions over the elements are read and transformed whole on one rank. */
enum { LARGEST_WHOLE = 10 };
enum { ROOM = 1 << 16 }; /* doubles looked at together */
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
  bool there = pl_nc_var(nc, v.name, NULL, NULL, NULL, 0) >= 0;
  bool both = there && pl_nc_var(nc, var, NULL, NULL, NULL, 0) >= 0;
  if (pl_group_codepth(g) ? there || pl_group_letters(g) > LARGEST_WHOLE : there && !both) {
    v.dim = "component";
    v.length = pl_fourier_size(g);
    return v;
  }
  snprintf(v.name, sizeof v.name, "%s", var);
  v.length = pl_group_order(g);
  return v;
}

static bool on_elements(const variable *v) {
  return !strcmp(v->dim, "element");
}

/* *rows: how many are expected; below 0: any number, which it becomes. */
static pl_status open_variable(const pl_nc *nc, const char *what, const char *first_dim,
                               const pl_group *g, int64_t *rows, pl_nc_input **in,
                               int64_t **order) {
  variable v = variable_of(nc, what, g);
  char *is = on_elements(&v) ? pl_asprintf("the order of %s", pl_group_spec(g))
                             : pl_strdup("the components of the group or band");
  pl_nc_axis axes[] = {{first_dim, *rows, NULL}, {v.dim, v.length, is}};
  pl_status st = pl_nc_input_new(nc, v.name, PL_NC_REAL, 2, axes, in);
  pl_free(is);
  if (st) return st;
  *order = NULL;
  st = pl_elements_same_group(nc, g);
  if (!st && on_elements(&v)) st = pl_elements_order(nc, g, order);
  if (st) {
    pl_nc_input_free(*in);
    *in = NULL;
    return st;
  }
  *rows = axes[0].length;
  return PL_OK;
}

/* ---- checks ---- */

typedef struct zero_rows {
  const pl_nc *nc;
  const char *name;
  int64_t length;
} zero_rows;

static pl_status refuse_zero(void *context, int64_t first, int64_t rows, const double *row) {
  const zero_rows *z = context;
  for (int64_t i = 0; i < rows; i++) {
    int64_t k = 0;
    while (k < z->length && row[i * z->length + k] == 0) k++;
    if (k == z->length)
      return pl_error(PL_EINPUT, "%s: %s[%lld, :] is zero everywhere", pl_nc_path(z->nc), z->name,
                      (long long)(first + i));
  }
  return PL_OK;
}

pl_status function_file_check(const pl_nc *nc, const char *what, const char *first_dim,
                              const pl_group *g, int64_t *rows, bool not_zero) {
  pl_nc_input *in;
  int64_t *order;
  PL_TRY(open_variable(nc, what, first_dim, g, rows, &in, &order));
  variable v = variable_of(nc, what, g);
  zero_rows z = {nc, v.name, v.length};
  pl_status st = pl_nc_input_each(in, ROOM, not_zero ? refuse_zero : NULL, &z);
  pl_free(order);
  pl_nc_input_free(in);
  return st;
}

/* ---- into a band, or as components ---- */

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

/* Row `row` as the file has it into out, elements in the group's order. */
static pl_status read_row(const function_file *file, int64_t row, double *out) {
  const int64_t start[] = {row, 0}, count[] = {1, file->length};
  double *as_filed = file->order ? file->filed : out;
  PL_TRY(pl_nc_input_doubles(file->in, start, count, as_filed));
  if (file->order) pl_elements_arrange(file->length, file->order, as_filed, out);
  return PL_OK;
}

/* A function over the elements, projected. */
static pl_status read_projected(const function_file *file, const pl_group *g, int64_t row,
                                double *F) {
  int64_t size = pl_fourier_size(g), n = file->length;
  double *f = pl_alloc((size_t)n, sizeof *f, "a function over the group");
  double *all = pl_alloc((size_t)n, sizeof *all, "its coefficients");
  pl_status st = read_row(file, row, f);
  if (!st) st = project(g, f, all);
  if (!st) {
    memcpy(F, all, (size_t)size * sizeof *F);
    double inside = pl_sum_squares(size, F), norm2 = pl_sum_squares(n, f);
    if (inside <= NOTHING * norm2 && norm2 > 0)
      st = pl_error(PL_EINPUT, "%s: %s[%lld, :] has no part in the band of codepth %d",
                    pl_nc_path(file->nc), file->what, (long long)row, pl_group_codepth(g));
  }
  pl_free(f);
  pl_free(all);
  return st;
}

/* Components first .. first + n - 1 of a row that has them. */
static pl_status read_components(const function_file *file, int64_t row, int64_t first, int64_t n,
                                 double *x) {
  const int64_t start[] = {row, first}, count[] = {1, n};
  return pl_nc_input_doubles(file->in, start, count, x);
}

/* A row as a spectrum without a transform: components piece by piece, or projected. */
static pl_status read_spectrum(const function_file *file, const pl_layout *l, int64_t row,
                               double *F) {
  pl_packed *order = pl_packed_new(l);
  int64_t size = pl_packed_doubles(order), piece = file->elements || size < ROOM ? size : ROOM;
  double *x = pl_alloc((size_t)piece, sizeof *x, "coefficients of a function");
  double **stacks = pl_alloc((size_t)l->num_stacks, sizeof *stacks, "stacks");
  for (int i = 0; i < l->num_stacks; i++) stacks[i] = F + l->stacks[i].offset;
  pl_status st = PL_OK;
  for (int64_t first = 0; first < size && !st; first += piece) {
    int64_t n = size - first < piece ? size - first : piece;
    if (l->team.rank == 0)
      st = file->elements ? read_projected(file, l->group, row, x)
                          : read_components(file, row, first, n, x);
    st = pl_agree(&l->team, st);
    if (!st) pl_packed_scatter(order, stacks, first, n, x);
  }
  pl_packed_free(order);
  pl_free(stacks);
  pl_free(x);
  return st;
}

/* ---- reading ---- */

static pl_status open_root(const pl_group *g, const char *path, const char *what,
                           const char *first_dim, function_file *out) {
  PL_TRY(pl_nc_open(path, false, &out->nc));
  PL_TRY(open_variable(out->nc, what, first_dim, g, &out->rows, &out->in, &out->order));
  variable v = variable_of(out->nc, what, g);
  out->what = what;
  out->elements = on_elements(&v);
  out->length = v.length;
  if (out->order) out->filed = pl_alloc((size_t)v.length, sizeof *out->filed, "a row of a file");
  if (!pl_group_codepth(g) && out->elements)
    out->full = pl_alloc((size_t)v.length, sizeof *out->full, "a row of a file");
  return PL_OK;
}

pl_status function_file_open(const pl_layout *l, const char *path, const char *what,
                             const char *first_dim, int64_t rows, function_file *out) {
  *out = (function_file){.rows = rows};
  pl_status st = l->team.rank == 0 ? open_root(l->group, path, what, first_dim, out) : PL_OK;
  st = pl_agree(&l->team, st);
  pl_comm_bcast(&l->team, &out->elements, sizeof out->elements, 0);
  return st;
}

void function_file_close(function_file *file) {
  pl_free(file->full);
  pl_free(file->filed);
  pl_free(file->order);
  pl_nc_input_free(file->in);
  pl_nc_close(file->nc);
  *file = (function_file){0};
}

pl_status function_file_read(const function_file *file, const pl_layout *l, pl_transform *t,
                             int64_t row, double *f, double *F) {
  if (pl_group_codepth(l->group) || !file->elements) return read_spectrum(file, l, row, F);
  PL_TRY(pl_agree(&l->team, l->team.rank == 0 ? read_row(file, row, file->full) : PL_OK));
  pl_transform_scatter(t, file->full, f);
  pl_transform_forward(t, f, F);
  return PL_OK;
}
