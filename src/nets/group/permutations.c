#include "permutations.h"

#include "base/mem.h"
#include "group/perm.h"

#include <string.h>

/* Rows of F^T on a grid, so columns of F, that are done at a time. */
enum { MOST = 64 };

int64_t permutations_room(const pl_layout *l) {
  int64_t most = 0;
  for (int i = 0; i < l->num_stacks; i++) {
    const pl_stack *b = &l->stacks[i];
    if (b->grid >= 0 && b->size && b->dim > most) most = b->dim;
  }
  return MOST * most;
}

/* The columns of F that are local rows first .. of a grid's F^T: how many. */
static int columns_of(const pl_dmat *m, int first, int cols[MOST]) {
  int n = m->lm - first < MOST ? m->lm - first : MOST;
  for (int r = 0; r < n; r++) cols[r] = pl_dmat_row(m, first + r);
  return n;
}

static void add_on_grid(const pl_stack *b, const pl_band *tables, int count, const int8_t *perms,
                        const double *weights, double *panel, double *F) {
  const pl_dmat *m = &b->mat;
  int cols[MOST];
  for (int first = 0; first < m->lm; first += MOST) {
    int n = columns_of(m, first, cols);
    memset(panel, 0, (size_t)b->dim * (size_t)n * sizeof *panel);
    pl_band_add(tables, (int)b->irrep[0], count, perms, weights, n, cols, panel);
    for (int c = 0; c < m->ln; c++) {
      const double *from = panel + (int64_t)pl_dmat_col(m, c) * n;
      for (int r = 0; r < n; r++) F[(int64_t)c * m->lld + first + r] += from[r];
    }
  }
}

static void dot_on_grid(const pl_stack *b, const pl_band *tables, int count, const int8_t *perms,
                        double *panel, const double *F, double *out) {
  const pl_dmat *m = &b->mat;
  int cols[MOST];
  for (int first = 0; first < m->lm; first += MOST) {
    int n = columns_of(m, first, cols);
    memset(panel, 0, (size_t)b->dim * (size_t)n * sizeof *panel);
    for (int c = 0; c < m->ln; c++)
      memcpy(panel + (int64_t)pl_dmat_col(m, c) * n, F + (int64_t)c * m->lld + first,
             (size_t)n * sizeof *panel);
    pl_band_dot(tables, (int)b->irrep[0], count, perms, n, cols, panel, out);
  }
}

void permutations_add(const pl_stack *b, const pl_band *tables, int64_t without, int count,
                      const int8_t *perms, const double *weights, double *room, double *F) {
  if (b->size == 0) return;
  if (b->grid >= 0) {
    add_on_grid(b, tables, count, perms, weights, room, F);
    return;
  }
  for (int64_t k = 0; k < b->count; k++)
    if (b->irrep[k] != without)
      pl_band_add(tables, (int)b->irrep[k], count, perms, weights, 0, NULL, F + k * b->size);
}

void permutations_dot(const pl_stack *b, const pl_band *tables, int64_t without, int count,
                      const int8_t *perms, double *room, const double *F, double *out) {
  if (b->size == 0) return;
  if (b->grid >= 0) {
    dot_on_grid(b, tables, count, perms, room, F, out);
    return;
  }
  for (int64_t k = 0; k < b->count; k++)
    if (b->irrep[k] != without)
      pl_band_dot(tables, (int)b->irrep[k], count, perms, 0, NULL, F + k * b->size, out);
}

pl_band *permutations_tables(const pl_layout *l, bool whole_too) {
  int codepth = pl_group_codepth(l->group), n = pl_group_letters(l->group);
  /* The last codepth has all irreps. */
  if (!codepth && whole_too) codepth = n - 1;
  return codepth ? pl_band_new(n, codepth) : NULL;
}

static void sum_by_tables(const pl_layout *l, const pl_band *tables, int count, const int8_t *perms,
                          const double *weights, double *F) {
  double *room = pl_alloc((size_t)permutations_room(l), sizeof *room, "columns of an irrep");
  memset(F, 0, (size_t)l->local * sizeof *F);
  for (int i = 0; i < l->num_stacks; i++)
    permutations_add(&l->stacks[i], tables, -1, count, perms, weights, room,
                     F + l->stacks[i].offset);
  pl_free(room);
}

void permutations_sum(const pl_layout *l, pl_transform *t, const pl_band *tables, int64_t count,
                      const int8_t *perms, const double *weights, double *f, double *F) {
  if (tables) {
    sum_by_tables(l, tables, pl_int(count), perms, weights, F);
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
