/* A layout spreads the irreps of a group over the ranks of a team.  Irreps of one dimension and
 * type on one rank form a stack, stored and multiplied together; an irrep on a grid is a stack of
 * its own, block-cyclic.
 *
 * A spectrum, the Fourier matrices of one real function, is then an array of layout->local doubles
 * on each rank: stack b at offset b->offset, count matrices of b->size doubles.  Whole matrices are
 * row-major (group/group.h); on a grid the column-major block-cyclic matrix is F^T, so that both
 * are the same bytes when the grid has one rank.
 *
 * Every rank holds the same list of stacks in the same order, also those it has no part of. */
#ifndef PL_SPECTRAL_LAYOUT_H
#define PL_SPECTRAL_LAYOUT_H

#include "base/comm.h"
#include "group/group.h"
#include "linalg/dmat.h"
#include "spectral/mapping.h"

typedef struct pl_stack {
  int dim;
  pl_irrep_type type;
  int64_t count;
  const int64_t *irrep; /* [count]: their numbers in the group */
  double weight;        /* m d / V: of squares and products of entries in sums over the group */
  int mult;             /* m */
  int owner;            /* rank of the team; on a grid its first rank */
  int grid;             /* number of the grid, or -1 */
  int nb;               /* on a grid: size of its blocks */
  /* this rank's part */
  bool here;      /* this rank takes part: it owns the stack, or is on its grid */
  int64_t size;   /* doubles of one matrix here; 0 on a grid too, if all blocks lie elsewhere */
  int64_t offset; /* of the stack in a spectrum */
  pl_dmat mat;    /* on a grid */
} pl_stack;

typedef struct pl_layout {
  const pl_group *group; /* borrowed */
  pl_comm team;          /* borrowed */
  int num_stacks;
  pl_stack *stacks; /* grids first, so that their ranks meet early */
  int num_grids;
  pl_grid **grids;
  int64_t local;   /* doubles of a spectrum on this rank */
  int64_t scratch; /* largest stack on this rank: doubles */
  int max_dim;     /* largest whole matrix on this rank */
  bool any_complex;
  int64_t *irreps; /* storage of all stacks' lists */
} pl_layout;

/* Collective over team.  mapping: for team->size ranks, not kept.  block: size of blocks on grids,
 * 0: pl_dmat_block.  stack_doubles: a stack is cut so that its matrices fill at most this many
 * doubles (a single matrix may be larger): what a training step touches stays in cache.
 * PL_EENV when a local part is too large for ScaLAPACK's int. */
pl_status pl_layout_new(const pl_group *group, const pl_comm *team, const pl_mapping *mapping,
                        int block, int64_t stack_doubles, pl_layout **out);
/* Every irrep whole on this rank alone.  Local. */
pl_status pl_layout_alone(const pl_group *group, pl_layout **out);
/* Collective over team (grids). */
void pl_layout_free(pl_layout *layout);

static inline bool pl_stack_complex(const pl_stack *b) {
  return b->type != PL_REAL;
}
/* Doubles of the stack on this rank. */
static inline int64_t pl_stack_doubles(const pl_stack *b) {
  return b->size * b->count;
}

#endif
