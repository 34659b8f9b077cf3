/* A real matrix in two-dimensional block-cyclic layout, column-major locally (ScaLAPACK's
 * convention).  The entries are borrowed: the spectrum owns them.
 *
 * Block (I, J) of nb x nb entries lives on process (I mod nprow, J mod npcol). */
#ifndef PL_LINALG_DMAT_H
#define PL_LINALG_DMAT_H

#include "linalg/grid.h"

typedef struct pl_dmat {
  const pl_grid *grid; /* borrowed */
  int m, n, nb;        /* global shape, block size */
  int lm, ln, lld;     /* local shape; leading dimension max(1, lm) */
  int desc[9];         /* ScaLAPACK descriptor */
} pl_dmat;

/* Describe an m x n matrix (m, n > 0) with square blocks nb on grid.  Local.  PL_EENV, on every
 * process alike, when the largest local part would pass 2^31 - 1 elements (ScaLAPACK counts in
 * int): the message asks for more ranks.  On a rank outside the grid the local part is empty. */
pl_status pl_dmat_describe(const pl_grid *grid, int m, int n, int nb, pl_dmat *out);
/* Local entries: lm * ln, as 64-bit. */
int64_t pl_dmat_local(const pl_dmat *a);
/* Default block size for a d x d matrix: min(64, ceil(d / (2 max(nprow, npcol)))). */
int pl_dmat_block(const pl_grid *grid, int d);
/* Global row of local row i; global column of local column j. */
int pl_dmat_row(const pl_dmat *a, int i);
int pl_dmat_col(const pl_dmat *a, int j);

/* C <- alpha op(A) op(B) + beta C, op N or T.  All three described alike (square, one grid, one
 * nb); c overlaps neither a nor b.  Collective over the grid. */
void pl_dmat_gemm(char opa, char opb, double alpha, const pl_dmat *d, const double *a,
                  const double *b, double beta, double *c);

/* Gather to / scatter from process (0, 0) of the grid, whose full holds m x n column-major (other
 * ranks: ignored).  Collective over the grid; any size (moves column slabs, no count overflows). */
void pl_dmat_gather(const pl_dmat *d, const double *local, double *full);
void pl_dmat_scatter(const pl_dmat *d, const double *full, double *local);

#endif
