#include "gcnn_internal.h"

#include <math.h>

void gcnn_block_sum(pl_model *model, int p, double *x, int64_t n) {
  const pl_layout *l = gcnn_of(model)->layout;
  const pl_stack *b = &l->stacks[p % l->num_stacks];
  if (b->grid >= 0) pl_comm_sum(&l->grids[b->grid]->comm, x, n);
}

static void polar(gcnn *m, const pl_stack *b, double *a) {
  int64_t n = pl_irrep_size((pl_irrep){.dim = b->dim, .type = b->type});
  if (pl_usv_polar(m->usv, b->dim, pl_stack_complex(b), a))
    for (int64_t k = 0; k < n; k++) a[k] = NAN;
}

void gcnn_block_polar(pl_model *model, int p, double *a) {
  gcnn *m = gcnn_of(model);
  const pl_stack *b = &m->layout->stacks[p % m->layout->num_stacks];
  if (b->grid >= 0) {
    pl_dmat_gather(&b->mat, a, m->whole);
    if (b->owner == m->layout->team.rank) polar(m, b, m->whole);
    pl_dmat_scatter(&b->mat, m->whole, a);
    return;
  }
  for (int64_t k = 0; k < b->count; k++) polar(m, b, a + k * b->size);
}
