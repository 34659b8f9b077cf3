#include "spectral/packed.h"

#include "base/mem.h"

#include <string.h>

struct pl_packed {
  const pl_layout *layout;
  int64_t *start; /* [irreps + 1]: first entry of each irrep */
  int64_t doubles;
};

pl_packed *pl_packed_new(const pl_layout *l) {
  pl_packed *p = pl_zalloc(1, sizeof *p, "packed order");
  int64_t n = pl_group_num_irreps(l->group);
  p->layout = l;
  p->start = pl_alloc((size_t)n + 1, sizeof *p->start, "packed order");
  for (int64_t i = 0; i < n; i++) {
    p->start[i] = p->doubles;
    p->doubles += pl_irrep_size(pl_group_irrep(l->group, i));
  }
  p->start[n] = p->doubles;
  return p;
}

void pl_packed_free(pl_packed *p) {
  if (!p) return;
  pl_free(p->start);
  pl_free(p);
}

int64_t pl_packed_doubles(const pl_packed *p) {
  return p->doubles;
}

/* The part of a range of packed entries that this rank holds, copied out of or into place. */
typedef struct window {
  int64_t first, n;
  double *x;
  bool out;
} window;

/* local holds the packed entries at .. at + n - 1. */
static void copy(const window *w, int64_t at, int64_t n, double *local) {
  int64_t from = at > w->first ? at : w->first;
  int64_t end = at + n < w->first + w->n ? at + n : w->first + w->n;
  if (from >= end) return;
  double *x = w->x + (from - w->first), *y = local + (from - at);
  memcpy(w->out ? x : y, w->out ? y : x, (size_t)(end - from) * sizeof *x);
}

/* Local row r and column c of F^T: the packed entries of a column stand together, block by block.
 */
static void copy_grid(const window *w, int64_t at, const pl_stack *b, double *local) {
  const pl_dmat *m = &b->mat;
  for (int c = 0; c < m->ln; c++) {
    int64_t column = at + (int64_t)pl_dmat_col(m, c) * b->dim;
    if (column + b->dim <= w->first || column >= w->first + w->n) continue;
    for (int r = 0; r < m->lm; r += m->nb) {
      int n = m->lm - r < m->nb ? m->lm - r : m->nb;
      copy(w, column + pl_dmat_row(m, r), n, local + (int64_t)c * m->lld + r);
    }
  }
}

/* First k whose irrep reaches into the window: a stack lists its irreps in the group's order. */
static int64_t first_inside(const pl_packed *p, const pl_stack *b, int64_t first) {
  int64_t low = 0, high = b->count;
  while (low < high) {
    int64_t k = low + (high - low) / 2;
    if (p->start[b->irrep[k] + 1] <= first)
      low = k + 1;
    else
      high = k;
  }
  return low;
}

static void copy_all(const pl_packed *p, double *const *stacks, const window *w) {
  const pl_layout *l = p->layout;
  for (int i = 0; i < l->num_stacks; i++) {
    const pl_stack *b = &l->stacks[i];
    if (!b->here || b->size == 0) continue;
    for (int64_t k = first_inside(p, b, w->first); k < b->count; k++) {
      int64_t at = p->start[b->irrep[k]];
      if (at >= w->first + w->n) break;
      double *local = stacks[i] + k * b->size;
      if (b->grid < 0)
        copy(w, at, b->size, local);
      else
        copy_grid(w, at, b, local);
    }
  }
}

void pl_packed_gather(const pl_packed *p, double *const *stacks, int64_t first, int64_t n,
                      double *out) {
  const pl_comm *team = &p->layout->team;
  memset(out, 0, (size_t)n * sizeof *out);
  copy_all(p, stacks, &(window){first, n, out, true});
  /* Each entry stands on one rank, so that "or" is a gather that keeps every bit. */
  if (team->size > 1)
    MPI_Reduce(team->rank ? (void *)out : MPI_IN_PLACE, out, pl_int(n), MPI_UINT64_T, MPI_BOR, 0,
               team->mpi);
}

void pl_packed_scatter(const pl_packed *p, double *const *stacks, int64_t first, int64_t n,
                       double *x) {
  pl_comm_bcast(&p->layout->team, x, (size_t)n * sizeof *x, 0);
  copy_all(p, stacks, &(window){first, n, x, false});
}
