/* Products with arrays that lie one after the other: norms are in base/norm.h. */
#ifndef PL_BASE_SUMS_H
#define PL_BASE_SUMS_H

#include <stdint.h>

/* Products are summed up in pieces of so many entries, and pieces one after the other: four arrays
 * of a piece stay in the second-level cache for whoever makes them as he goes. */
enum { PL_SUM_PIECE = 1 << 13 };

/* out[i] += weight sum_k x[i*stride + k] y[k], i < count, k < n: this rank's share of <x_i, y>.
 * Local, pure. */
void pl_multi_dot(int64_t count, int64_t n, double weight, const double *x, int64_t stride,
                  const double *y, double *out);
/* r[k] = sum_i c[i] x[i*stride + k].  Local, pure. */
void pl_multi_axpy(int64_t count, int64_t n, const double *c, const double *x, int64_t stride,
                   double *r);
/* r[k] += that sum.  From r = 0 the result is that of pl_multi_axpy bit by bit, also where it comes
 * in several calls for four samples each, in order.  Local, pure. */
void pl_multi_add(int64_t count, int64_t n, const double *c, const double *x, int64_t stride,
                  double *r);

#endif
