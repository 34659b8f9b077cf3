/* Euclidean norms of numbers of any size, 1e-300 or 1e300: squares that would
 * leave the range of doubles are taken of scaled numbers, as in BLAS' dnrm2.
 *
 * The plain sum is formed first and taken where no square in it can have been lost (pl_sum_safe),
 * so that in the ordinary range results are those of a plain sum, bit for bit, and no slower; else
 * the numbers are scaled by a power of two, which is exact. */
#ifndef PL_BASE_NORM_H
#define PL_BASE_NORM_H

#include "base/comm.h"

#include <stdbool.h>
#include <stdint.h>

/* Is this plain sum of squares right to rounding: so large that what squares below the range may
 * have lost is nothing against it, and finite?  0 is not safe: small numbers may hide in it. */
bool pl_sum_safe(double sum);
/* sum_k x[k]^2, plain.  Local, pure. */
double pl_sum_squares(int64_t n, const double *x);
/* max_k |x[k]|; NaN if one is; 0 if n is 0.  Local, pure. */
double pl_max_abs(int64_t n, const double *x);
/* A power of two s for which numbers up to max (finite) times s are at most 1 and their squares sum
 * safely; 1 if max is 0 or not finite. */
double pl_safe_scale(double max);
/* sqrt(sum_k x[k]^2).  NaN if one is, infinite if one is or the norm itself is beyond the range.
 * Local, pure. */
double pl_norm2(int64_t n, const double *x);

/* Parts of one vector, with the weight that the squares of each carry. */
typedef struct pl_norm_part {
  int64_t n;
  const double *x;
  double weight;
} pl_norm_part;
/* sqrt(sum_p weight_p sum_k x_p[k]^2) over all parts of all ranks of comm (NULL: of this process).
 * Collective over comm; one all-reduce in the ordinary range. */
double pl_norm_parts(const pl_comm *comm, int parts, const pl_norm_part *part);

#endif
