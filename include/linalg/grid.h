/* A BLACS process grid.  Made once per team and shared by all its matrices. */
#ifndef PL_LINALG_GRID_H
#define PL_LINALG_GRID_H

#include "base/comm.h"

typedef struct pl_grid {
  pl_comm comm;     /* own duplicate; the grid's ranks in row-major order */
  int ctx, handle;  /* BLACS context and system handle */
  int nprow, npcol; /* shape */
  int myrow, mycol; /* my place; -1 on a rank outside the grid */
} pl_grid;

/* A grid of nprow x npcol over the first nprow*npcol ranks of comm, row-major.  Collective over
 * comm.  A rank outside the grid gets myrow = -1 and skips every call on the grid's matrices (they
 * return at once there).  PL_EINPUT, on every rank alike, when the shape does not fit comm. */
pl_status pl_grid_new(const pl_comm *comm, int nprow, int npcol, pl_grid **out);
/* Collective over the ranks inside; grid may be NULL. */
void pl_grid_free(pl_grid *grid);
/* A grid this rank is no part of, known by its shape alone, to describe matrices with.  Local;
 * nothing to free. */
pl_grid pl_grid_elsewhere(int nprow, int npcol);
/* The shape with nprow <= npcol that uses most of the ranks and, among those, is most nearly
 * square: 6 -> 2 x 3, 5 -> 1 x 5, 8 -> 2 x 4.  Local. */
void pl_grid_shape(int ranks, int *nprow, int *npcol);

#endif
