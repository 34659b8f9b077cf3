/* Which ranks of a team hold which irrep: proportional mapping (Pothen and Sun 1993, for sparse
 * factorisation), decided from costs alone.  Making one is Local and pure: the planner does it for
 * teams that do not exist yet.
 *
 * An irrep whose share of the work is at least 1/T may get a grid of about share x T ranks; the
 * others go whole to single ranks, longest first.  A rank belongs to at most one grid and fills its
 * time with whole irreps. */
#ifndef PL_SPECTRAL_MAPPING_H
#define PL_SPECTRAL_MAPPING_H

#include "base/comm.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct pl_place {
  int grid; /* -1: whole, on rank `rank` */
  int rank; /* the rank, or the grid's first rank */
} pl_place;

typedef struct pl_grid_spec {
  int first, nprow, npcol; /* ranks first .. first + nprow*npcol - 1 of the team */
} pl_grid_spec;

typedef struct pl_mapping {
  int team;
  int64_t num_irreps;
  pl_place *place; /* [num_irreps] */
  int num_grids;
  pl_grid_spec *grids;
  double *load;     /* [team]: predicted seconds */
  double imbalance; /* largest load over mean load */
} pl_mapping;

typedef struct pl_mapping_options {
  int min_dim;            /* smallest irrep that may be spread */
  int grid_ranks;         /* 0: by share; else every irrep of at least min_dim lies on a grid of
                             this many ranks, grids side by side */
  double grid_efficiency; /* speed of a rank on a grid relative to alone, (0, 1] */
} pl_mapping_options;

/* cost[i]: seconds of irrep i on one rank; dim[i], spreadable[i] (real type).  Free with
 * pl_mapping_free. */
pl_mapping *pl_mapping_new(int team, int64_t num_irreps, const double *cost, const int *dim,
                           const bool *spreadable, pl_mapping_options opt);
void pl_mapping_free(pl_mapping *m);
/* Rank 0's mapping on every rank, so that processors whose arithmetic differs in the last bit
 * agree. Collective; every rank has made one of the same team and irreps. */
void pl_mapping_share(const pl_comm *team, pl_mapping *m);

#endif
