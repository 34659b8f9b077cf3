#include "spectral/mapping.h"

#include "base/mem.h"
#include "linalg/grid.h"

#include <stdlib.h>
#include <string.h>

typedef struct item {
  double cost;
  int64_t irrep;
} item;

static int longest_first(const void *a, const void *b) {
  const item *x = a, *y = b;
  if (x->cost != y->cost) return x->cost < y->cost ? 1 : -1;
  return x->irrep < y->irrep ? -1 : x->irrep > y->irrep; /* a total order: the same everywhere */
}

/* A binary heap of ranks by load keeps the assignment of 10^6 irreps cheap. */
typedef struct heap {
  int n;
  int *rank;
  const double *load;
} heap;

static bool lighter(const heap *h, int a, int b) {
  double x = h->load[h->rank[a]], y = h->load[h->rank[b]];
  return x != y ? x < y : h->rank[a] < h->rank[b];
}

static void sift_down(heap *h, int i) {
  for (;;) {
    int least = i;
    for (int c = 2 * i + 1; c <= 2 * i + 2 && c < h->n; c++)
      if (lighter(h, c, least)) least = c;
    if (least == i) return;
    int t = h->rank[i];
    h->rank[i] = h->rank[least];
    h->rank[least] = t;
    i = least;
  }
}

static double assign_whole(pl_mapping *m, const item *items, const bool *placed) {
  heap h = {m->team, pl_alloc((size_t)m->team, sizeof(int), "mapping"), m->load};
  for (int r = 0; r < m->team; r++) h.rank[r] = r;
  for (int i = h.n / 2; i >= 0; i--) sift_down(&h, i);
  for (int64_t k = 0; k < m->num_irreps; k++) {
    int64_t i = items[k].irrep;
    if (placed[i]) continue;
    m->place[i] = (pl_place){-1, h.rank[0]};
    m->load[h.rank[0]] += items[k].cost;
    sift_down(&h, 0);
  }
  pl_free(h.rank);
  double max = 0, sum = 0;
  for (int r = 0; r < m->team; r++) {
    sum += m->load[r];
    if (m->load[r] > max) max = m->load[r];
  }
  m->imbalance = sum > 0 ? max * m->team / sum : 1;
  return max;
}

static void add_to_grid(pl_mapping *m, int g, int64_t irrep, double cost, double efficiency) {
  pl_grid_spec s = m->grids[g];
  int n = s.nprow * s.npcol;
  m->place[irrep] = (pl_place){g, s.first};
  for (int r = 0; r < n; r++) m->load[s.first + r] += cost / (n * efficiency);
}

/* Grids by share.  An irrep whose work is q team shares gets floor(q + round_up) ranks. */
static double by_share(pl_mapping *m, const item *items, double total, const int *dim,
                       const bool *spreadable, pl_mapping_options opt, double round_up,
                       bool *placed) {
  int next = 0;
  m->num_grids = 0;
  memset(m->load, 0, (size_t)m->team * sizeof *m->load);
  memset(placed, 0, (size_t)m->num_irreps * sizeof *placed);
  for (int64_t k = 0; k < m->num_irreps; k++) {
    int64_t i = items[k].irrep;
    double q = items[k].cost / total * m->team;
    if (q < 1) break;
    if (!spreadable[i] || dim[i] < opt.min_dim) continue;
    int want = (int)(q + round_up);
    if (want < 2 || next + want > m->team) continue;
    int p, c;
    pl_grid_shape(want, &p, &c);
    m->grids[m->num_grids] = (pl_grid_spec){next, p, c};
    next += p * c;
    add_to_grid(m, m->num_grids++, i, items[k].cost, opt.grid_efficiency);
    placed[i] = true;
  }
  return assign_whole(m, items, placed);
}

static void by_request(pl_mapping *m, const item *items, const int *dim, const bool *spreadable,
                       pl_mapping_options opt, bool *placed) {
  int p, c, ranks = opt.grid_ranks < m->team ? opt.grid_ranks : m->team;
  pl_grid_shape(ranks, &p, &c);
  for (int first = 0; first + p * c <= m->team; first += p * c)
    m->grids[m->num_grids++] = (pl_grid_spec){first, p, c};
  for (int64_t k = 0; k < m->num_irreps; k++) {
    int64_t i = items[k].irrep;
    if (!spreadable[i] || dim[i] < opt.min_dim) continue;
    int best = 0;
    for (int g = 1; g < m->num_grids; g++)
      if (m->load[m->grids[g].first] < m->load[m->grids[best].first]) best = g;
    add_to_grid(m, best, i, items[k].cost, opt.grid_efficiency);
    placed[i] = true;
  }
  assign_whole(m, items, placed);
}

pl_mapping *pl_mapping_new(int team, int64_t num_irreps, const double *cost, const int *dim,
                           const bool *spreadable, pl_mapping_options opt) {
  pl_mapping *m = pl_zalloc(1, sizeof *m, "mapping");
  size_t n = (size_t)num_irreps, t = (size_t)team;
  m->team = team;
  m->num_irreps = num_irreps;
  m->place = pl_alloc(n, sizeof *m->place, "mapping");
  m->grids = pl_alloc(t, sizeof *m->grids, "mapping");
  m->load = pl_zalloc(t, sizeof *m->load, "mapping");
  item *items = pl_alloc(n, sizeof *items, "mapping");
  bool *placed = pl_zalloc(n, sizeof *placed, "mapping");
  double total = 0;
  for (int64_t i = 0; i < num_irreps; i++) {
    items[i] = (item){cost[i], i};
    total += cost[i];
  }
  qsort(items, n, sizeof *items, longest_first);
  if (team > 1 && opt.grid_ranks > 1) {
    by_request(m, items, dim, spreadable, opt, placed);
  } else {
    /* How generously to round is not clear beforehand: too few ranks make a grid the bottleneck,
     * too many waste its efficiency.  Try, and keep the shortest. */
    static const double round_up[] = {0, 0.25, 0.5, 0.75, 0.999};
    int best = 0, tries = team > 1 ? 5 : 1;
    double least = 0;
    for (int k = 0; k < tries; k++) {
      double t_max = by_share(m, items, total, dim, spreadable, opt, round_up[k], placed);
      if (k == 0 || t_max < 0.999 * least) {
        least = t_max;
        best = k;
      }
    }
    if (tries > 1) by_share(m, items, total, dim, spreadable, opt, round_up[best], placed);
  }
  pl_free(items);
  pl_free(placed);
  return m;
}

void pl_mapping_free(pl_mapping *m) {
  if (!m) return;
  pl_free(m->place);
  pl_free(m->grids);
  pl_free(m->load);
  pl_free(m);
}

void pl_mapping_share(const pl_comm *team, pl_mapping *m) {
  pl_comm_bcast(team, m->place, (size_t)m->num_irreps * sizeof *m->place, 0);
  pl_comm_bcast(team, &m->num_grids, sizeof m->num_grids, 0);
  pl_comm_bcast(team, m->grids, (size_t)m->num_grids * sizeof *m->grids, 0);
}
