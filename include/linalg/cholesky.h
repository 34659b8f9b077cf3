/* Systems with a large dense matrix that is symmetric and positive definite, whose Cholesky factor
 * is spread over a team: block-cyclic on a grid of its ranks, by ScaLAPACK.  On one rank LAPACK's
 * is as good. */
#ifndef PL_LINALG_CHOLESKY_H
#define PL_LINALG_CHOLESKY_H

#include "base/comm.h"

typedef struct pl_cholesky pl_cholesky;

/* Column j of A, n numbers. */
typedef void pl_column(const void *context, int64_t j, double *column);

/* The factor of A, n x n, for systems of at most `most` right-hand sides; column is asked for this
 * rank's columns, and its context not kept.  comm is borrowed.  PL_NUMERIC: A is not positive
 * definite; PL_EENV: too large for so few ranks; the same on every rank.  Collective. */
pl_status pl_cholesky_new(const pl_comm *comm, int64_t n, int64_t most, pl_column *column,
                          const void *context, pl_cholesky **out);
/* Collective; c may be NULL. */
void pl_cholesky_free(pl_cholesky *c);
/* x <- A^-1 x; x: [n][cols], row-major, the same on every rank before and after.  Collective. */
void pl_cholesky_solve(const pl_cholesky *c, int64_t cols, double *x);
/* Bytes on each of so many ranks.  Pure. */
double pl_cholesky_bytes(double n, double most, int ranks);

#endif
