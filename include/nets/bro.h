/* Batch representation orthonormality (model/regularizer.h) as an operation of the tape. */
#ifndef PL_NETS_BRO_H
#define PL_NETS_BRO_H

#include "tape/tape.h"

/* y = share sum_s || H_s H_s^T - I ||_p, 1 x 1: over segments of rows of h, segment s being rows
 * start[s] .. start[s + 1] - 1 of it (tape/ops.h), the norm over all entries of the matrix, p >= 1.
 * With p = 2 and more rows than columns that is sqrt(||H^T H - I||^2 + rows - columns), and no
 * matrix of rows x rows is formed.  Where the norm is 0 so is its slope.  start is borrowed until
 * the reset.  Local. */
pl_node *pl_tape_bro(pl_tape *t, pl_node *h, int64_t segments, const int64_t *start, double p,
                     double share);

/* exp of the entropy of the shares of squared singular values of each segment of h, [rows][cols],
 * their sum; a segment of zeros counts 0.  Local; allocates. */
double pl_entropy_ranks(int64_t cols, const double *h, int64_t segments, const int64_t *start);

#endif
