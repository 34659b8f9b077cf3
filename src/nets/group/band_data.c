#include "data_internal.h"

#include "base/mem.h"
#include "group/fourier.h"
#include "group/perm.h"
#include "spectral/packed.h"
#include "spectral/spectrum.h"

#include <stdio.h>
#include <string.h>

/* Functions over the elements are read and transformed whole on one rank. */
enum { LARGEST_WHOLE = 10 };
/* Share of a function's squared norm below which its part in a band is rounding. */
static const double NOTHING = 1e-20;

pl_status pl_data_group(const pl_spec *spec, const char **key, pl_group **out) {
  bool band = spec->band_codepth != PL_UNSET;
  if (key) *key = band ? "band.codepth" : "group";
  return band ? pl_group_band(spec->group, (int)spec->band_codepth,
                              spec->band_inner == PL_INNER_GROUP, out)
              : pl_group_parse(spec->group, out);
}

/* ---- sums of permutations ---- */

/* This rank's part of one irrep on a grid, which holds F^T: its rows there are columns of F, done
 * some at a time to keep memory low. */
static void sum_on_grid(const pl_stack *b, const pl_band *tables, int count, const int8_t *perms,
                        const double *weights, double *out) {
  enum { MOST = 64 };
  const pl_dmat *m = &b->mat;
  int cols[MOST];
  double *panel = pl_alloc((size_t)b->dim, MOST * sizeof *panel, "columns of an irrep");
  for (int first = 0; first < m->lm; first += MOST) {
    int n = m->lm - first < MOST ? m->lm - first : MOST;
    memset(panel, 0, (size_t)b->dim * (size_t)n * sizeof *panel);
    for (int r = 0; r < n; r++) cols[r] = pl_dmat_row(m, first + r);
    pl_band_add(tables, (int)b->irrep[0], count, perms, weights, n, cols, panel);
    for (int c = 0; c < m->ln; c++)
      memcpy(out + (int64_t)c * m->lld + first, panel + (int64_t)pl_dmat_col(m, c) * n,
             (size_t)n * sizeof *out);
  }
  pl_free(panel);
}

static void sum_in_band(const pl_layout *l, const pl_band *tables, int count, const int8_t *perms,
                        const double *weights, double *F) {
  memset(F, 0, (size_t)l->local * sizeof *F);
  for (int i = 0; i < l->num_stacks; i++) {
    const pl_stack *b = &l->stacks[i];
    if (b->size == 0) continue;
    if (b->grid >= 0) sum_on_grid(b, tables, count, perms, weights, F + b->offset);
    for (int64_t k = 0; b->grid < 0 && k < b->count; k++)
      pl_band_add(tables, (int)b->irrep[k], count, perms, weights, 0, NULL,
                  F + b->offset + k * b->size);
  }
}

void data_sum_permutations(const pl_layout *l, pl_transform *t, const pl_band *tables,
                           int64_t count, const int8_t *perms, const double *weights, double *f,
                           double *F) {
  if (tables) {
    sum_in_band(l, tables, pl_int(count), perms, weights, F);
    return;
  }
  int n = pl_group_letters(l->group);
  int64_t first = pl_transform_first(t), mine = pl_transform_count(t);
  memset(f, 0, (size_t)mine * sizeof *f);
  for (int64_t p = 0; p < count; p++) {
    int64_t g = pl_perm_rank(n, perms + p * n) - first;
    if (g >= 0 && g < mine) f[g] += weights[p];
  }
  pl_transform_forward(t, f, F);
}

/* ---- files ---- */

data_variable data_variable_of(const pl_nc *nc, const char *var, const pl_group *g) {
  data_variable v = {.dim = "element"};
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
  data_variable v = data_variable_of(nc, var, g);
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

pl_status data_read_band(const pl_layout *l, const pl_nc *nc, const char *var, int64_t row,
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
