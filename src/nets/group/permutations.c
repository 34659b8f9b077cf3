#include "permutations.h"

#include "base/mem.h"
#include "group/perm.h"

#include <string.h>

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

pl_band *permutations_tables(const pl_layout *l) {
  int codepth = pl_group_codepth(l->group);
  return codepth ? pl_band_new(pl_group_letters(l->group), codepth) : NULL;
}

void permutations_sum(const pl_layout *l, pl_transform *t, const pl_band *tables, int64_t count,
                      const int8_t *perms, const double *weights, double *f, double *F) {
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
