#include "spectral/layout.h"

#include "base/mem.h"

#include <stdlib.h>

typedef struct entry {
  int64_t irrep;
  int dim;
  pl_irrep_type type;
  pl_place place;
} entry;

/* Grids first, then by rank, type and dimension; the group's order inside. */
static int batch_order(const void *a, const void *b) {
  const entry *x = a, *y = b;
  int gx = x->place.grid < 0, gy = y->place.grid < 0;
  if (gx != gy) return gx - gy;
  if (x->place.grid != y->place.grid) return x->place.grid < y->place.grid ? -1 : 1;
  if (x->place.rank != y->place.rank) return x->place.rank < y->place.rank ? -1 : 1;
  if (x->dim != y->dim) return x->dim > y->dim ? -1 : 1;
  if (x->type != y->type) return x->type < y->type ? -1 : 1;
  return x->irrep < y->irrep ? -1 : x->irrep > y->irrep;
}

static bool together(const entry *a, const entry *b) {
  return a->place.grid < 0 && b->place.grid < 0 && a->place.rank == b->place.rank &&
         a->dim == b->dim && a->type == b->type;
}

/* Place the stack's part on this rank behind the ones before it. */
static pl_status place_here(pl_layout *l, pl_stack *b) {
  if (b->grid < 0) {
    if (b->owner != l->team.rank) return PL_OK;
    b->here = true;
    b->size = pl_irrep_size((pl_irrep){.dim = b->dim, .type = b->type});
    if (b->dim > l->max_dim) l->max_dim = b->dim;
    if (b->type != PL_REAL) l->any_complex = true;
  } else {
    const pl_grid *g = l->grids[b->grid];
    if (g->myrow < 0) return PL_OK;
    b->here = true;
    PL_TRY(pl_dmat_describe(g, b->dim, b->dim, b->nb, &b->mat));
    b->size = pl_dmat_local(&b->mat);
  }
  b->offset = l->local;
  /* Whole cache lines, so that stacks stay aligned. */
  l->local += (pl_stack_doubles(b) + 7) / 8 * 8;
  if (pl_stack_doubles(b) > l->scratch) l->scratch = pl_stack_doubles(b);
  return PL_OK;
}

static pl_status make_grids(pl_layout *l, const pl_mapping *m) {
  l->grids = pl_zalloc((size_t)m->num_grids + 1, sizeof(pl_grid *), "grids");
  for (; l->num_grids < m->num_grids; l->num_grids++) {
    pl_grid_spec s = m->grids[l->num_grids];
    /* A grid takes the first ranks of a communicator, so rotate its ranks to the front. */
    int key = (l->team.rank - s.first + l->team.size) % l->team.size;
    pl_comm rotated = pl_comm_split(&l->team, 0, key);
    pl_status st = pl_grid_new(&rotated, s.nprow, s.npcol, &l->grids[l->num_grids]);
    pl_comm_free(&rotated);
    if (st) return st;
  }
  return PL_OK;
}

pl_status pl_layout_new(const pl_group *group, const pl_comm *team, const pl_mapping *mapping,
                        int block, int64_t stack_doubles, pl_layout **out) {
  int64_t n = pl_group_num_irreps(group);
  pl_require(mapping->team == team->size && mapping->num_irreps == n);
  pl_layout *l = pl_zalloc(1, sizeof *l, "layout");
  l->group = group;
  l->team = *team;
  entry *e = pl_alloc((size_t)n, sizeof *e, "layout");
  for (int64_t i = 0; i < n; i++) {
    pl_irrep r = pl_group_irrep(group, i);
    e[i] = (entry){i, r.dim, r.type, mapping->place[i]};
  }
  qsort(e, (size_t)n, sizeof *e, batch_order);
  l->irreps = pl_alloc((size_t)n, sizeof *l->irreps, "layout");
  for (int64_t i = 0; i < n; i++) l->irreps[i] = e[i].irrep;

  pl_status st = make_grids(l, mapping);
  int capacity = 0;
  for (int64_t i = 0, end; i < n && !st; i = end) {
    int64_t most = stack_doubles / pl_irrep_size((pl_irrep){.dim = e[i].dim, .type = e[i].type});
    for (end = i + 1; end < n && end - i < most && together(&e[i], &e[end]);) end++;
    if (l->num_stacks == capacity) {
      capacity = 2 * capacity + 16;
      l->stacks = pl_realloc(l->stacks, (size_t)capacity, sizeof *l->stacks, "layout");
    }
    int mult = pl_group_irrep(group, e[i].irrep).mult;
    pl_stack *b = &l->stacks[l->num_stacks++];
    *b = (pl_stack){.dim = e[i].dim,
                    .type = e[i].type,
                    .count = end - i,
                    .irrep = l->irreps + i,
                    .mult = mult,
                    .weight = mult * e[i].dim / pl_group_volume(group),
                    .owner = e[i].place.rank,
                    .grid = e[i].place.grid};
    if (b->grid >= 0) b->nb = block ? block : pl_dmat_block(l->grids[b->grid], b->dim);
    st = place_here(l, b);
  }
  pl_free(e);
  st = pl_agree(team, st);
  if (st) {
    pl_layout_free(l);
    return st;
  }
  *out = l;
  return PL_OK;
}

pl_status pl_layout_alone(const pl_group *group, pl_layout **out) {
  enum { BATCH_DOUBLES = 4096 };
  pl_comm alone = pl_comm_wrap(MPI_COMM_SELF);
  int64_t n = pl_group_num_irreps(group);
  double *cost = pl_zalloc((size_t)n, sizeof *cost, "mapping");
  int *dim = pl_zalloc((size_t)n, sizeof *dim, "mapping");
  bool *spread = pl_zalloc((size_t)n, sizeof *spread, "mapping");
  pl_mapping *map =
      pl_mapping_new(1, n, cost, dim, spread, (pl_mapping_options){.grid_efficiency = 1});
  pl_status st = pl_layout_new(group, &alone, map, 0, BATCH_DOUBLES, out);
  pl_mapping_free(map);
  pl_free(cost);
  pl_free(dim);
  pl_free(spread);
  return st;
}

void pl_layout_free(pl_layout *l) {
  if (!l) return;
  for (int g = 0; g < l->num_grids; g++) pl_grid_free(l->grids[g]);
  pl_free(l->grids);
  pl_free(l->stacks);
  pl_free(l->irreps);
  pl_free(l);
}
