#include "linalg/grid.h"

#include "base/mem.h"
#include "linalg/scalapack.h"

#include <stdbool.h>

pl_grid pl_grid_elsewhere(int nprow, int npcol) {
  return (pl_grid){.comm = {.mpi = MPI_COMM_NULL},
                   .ctx = -1,
                   .handle = -1,
                   .nprow = nprow,
                   .npcol = npcol,
                   .myrow = -1,
                   .mycol = -1};
}

pl_status pl_grid_new(const pl_comm *comm, int nprow, int npcol, pl_grid **out) {
  if (nprow < 1 || npcol < 1 || (int64_t)nprow * npcol > comm->size)
    return pl_error(PL_EINPUT, "a grid of %d x %d processes does not fit %d ranks", nprow, npcol,
                    comm->size);
  pl_grid *g = pl_alloc(1, sizeof *g, "a process grid");
  *g = pl_grid_elsewhere(nprow, npcol);
  bool inside = comm->rank < nprow * npcol;
  g->comm = pl_comm_split(comm, inside ? 0 : -1, comm->rank);
  if (inside) {
    g->handle = Csys2blacs_handle(g->comm.mpi);
    g->ctx = g->handle;
    Cblacs_gridinit(&g->ctx, "R", nprow, npcol);
    Cblacs_gridinfo(g->ctx, &g->nprow, &g->npcol, &g->myrow, &g->mycol);
    pl_require(g->myrow * npcol + g->mycol == g->comm.rank);
  }
  *out = g;
  return PL_OK;
}

void pl_grid_free(pl_grid *grid) {
  if (!grid) return;
  if (grid->myrow >= 0) {
    /* In this order: the context holds duplicates made from the handle's communicator. */
    Cblacs_gridexit(grid->ctx);
    Cfree_blacs_system_handle(grid->handle);
    pl_comm_free(&grid->comm);
  }
  pl_free(grid);
}

void pl_grid_shape(int ranks, int *nprow, int *npcol) {
  /* A long grid sends more: each unit of aspect ratio beyond a square costs about a twentieth. */
  double best = 0;
  for (int p = 1; p * p <= ranks; p++) {
    int q = ranks / p;
    double speed = p * q / (1 + 0.05 * ((double)q / p - 1));
    if (speed >= best) {
      best = speed;
      *nprow = p;
      *npcol = q;
    }
  }
}
