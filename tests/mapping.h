/* Irreps of a group over the world, as tests spread them. */
#ifndef PL_TEST_MAPPING_H
#define PL_TEST_MAPPING_H

#include "pl_test.h"

#include "spectral/layout.h"

/* By share of the work, or with every real irrep of at least min_dim on grids of grid_ranks ranks
 * (0: by share). */
static inline pl_mapping *test_mapping(const pl_group *g, int min_dim, int grid_ranks) {
  int64_t n = pl_group_num_irreps(g);
  double *cost = pl_alloc((size_t)n, sizeof *cost, "cost");
  int *dim = pl_alloc((size_t)n, sizeof *dim, "dim");
  bool *real = pl_alloc((size_t)n, sizeof *real, "real");
  for (int64_t i = 0; i < n; i++) {
    pl_irrep r = pl_group_irrep(g, i);
    dim[i] = r.dim;
    cost[i] = pow(r.dim, 3);
    real[i] = r.type == PL_REAL;
  }
  pl_mapping_options opt = {min_dim, grid_ranks, 0.75};
  pl_mapping *m = pl_mapping_new(pl_test_world.size, n, cost, dim, real, opt);
  for (int64_t i = 0; i < n; i++) {
    pl_place p = m->place[i];
    assert_true(p.rank >= 0 && p.rank < m->team && p.grid < m->num_grids);
    assert_true(p.grid < 0 || (real[i] && dim[i] >= min_dim));
  }
  pl_free(cost);
  pl_free(dim);
  pl_free(real);
  return m;
}

/* Irreps of dimension min_dim and more on one grid of all ranks. */
static inline pl_layout *test_layout(const pl_group *g, int min_dim, int block) {
  int ranks = pl_test_world.size;
  pl_mapping *m = test_mapping(g, min_dim, ranks > 1 ? ranks : 0);
  pl_layout *l;
  assert_ok(pl_layout_new(g, &pl_test_world, m, block, 1000, &l));
  pl_mapping_free(m);
  return l;
}

#endif
