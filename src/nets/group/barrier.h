/* Newton's method on the barrier of a problem over few numbers and many matrices:
 *
 *   max { min_i Re tr(B^H Y_i) : ||B||_* <= 1 } = min { ||sum_i a_i Y_i||_2 : a >= 0, sum a = 1 },
 *
 * B and Y_i = y_i X_i direct sums of square matrices (nets/group/optimum.h says how). */
#ifndef PL_NETS_GROUP_BARRIER_H
#define PL_NETS_GROUP_BARRIER_H

#include "nets/group/optimum.h"

/* Matrices of one dimension and field: number k of sample i is dim x dim row-major, complex as (re,
 * im) pairs, at x + i * stride + k * its size. */
typedef struct barrier_block {
  int dim;
  bool is_complex;
  int64_t count;
  const double *x; /* borrowed */
  int64_t stride;
} barrier_block;

typedef struct barrier barrier;

/* n samples; y: their signs, c: X_i is c_i times the sample in whose units results are told (both
 * borrowed, as are the matrices).  Norms of X_i should be about 1.  keep: the best B is wanted.
 * Local. */
barrier *barrier_new(int64_t n, const double *y, const double *c, int num,
                     const barrier_block *blocks, bool keep);
void barrier_free(barrier *p);

/* Solve until bound - margin <= gap * bound, or the samples are proved not separable, in at most
 * `most` steps.  PL_NUMERIC: neither was reached; out is what is known.  Local. */
pl_status barrier_solve(barrier *p, double gap, int most, pl_optimum *out);
/* [n]: the a of the last step, > 0; what multiplies sample i is a_i c_i.  Borrowed. */
const double *barrier_point(const barrier *p);
/* Where B was kept, that of the largest margin so far: its matrices of a block, borrowed; NULL:
 * there is none. */
const double *barrier_best(const barrier *p, int block);
/* .. and its margin on a further sample, in the units of results: product = Re tr(B^H Y) with Y = y
 * X, X being c times the sample.  0 or less: on the wrong side, or within rounding of it. */
double barrier_margin(const barrier *p, double product, double c);

#endif
