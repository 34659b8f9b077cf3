/* Velocities that shrink layer by layer and can be brought back to the last bit.
 *
 *   v <- (n/d) v + f,   x <- x + v,   0 < n < d <= 65536
 *
 * x and v are fixed-point numbers: int64_t with 2^52 steps per unit.  The digits that a product by
 * n/d drops go into a buffer, from which the low digits of the result come:
 *
 *   v = q d + r, 0 <= r < d;   b <- b d + r;   v <- q n + (b mod n);   b <- floor(b / n)
 *
 * and back,  b <- b n + (v mod n);   v <- floor(v / n) d + (b mod d);   b <- floor(b / d).
 *
 * Quotients are floored and remainders lie in 0..d-1 for velocities of either sign.  A layer leaves
 * -log2(n/d) bits in the buffer, and moves v by less than n steps.  Before a buffer could pass 49
 * bits a new one takes its place: after `period` layers, whatever the numbers.  (Maclaurin,
 * Duvenaud and Adams, ICML 2015; Sander, Ablin, Blondel and Peyre, ICML 2021.)
 *
 * All of it Local, pure, without allocation. */
#ifndef PL_BASE_REVERSIBLE_H
#define PL_BASE_REVERSIBLE_H

#include <stdbool.h>
#include <stdint.h>

enum { PL_REVERSIBLE_BITS = 52, PL_REVERSIBLE_LIMIT = 2048, PL_REVERSIBLE_MOST = 65536 };

/* Division by a number that stays the same. */
typedef struct pl_divisor {
  double by, inverse;
} pl_divisor;

typedef struct pl_reversible {
  pl_divisor n, d;
  int period; /* layers that one buffer serves */
} pl_reversible;

/* n/d for gamma: the simplest fraction that rounds to it, with d up to 65536 (9/10 for .9), else
 * the nearest with d = 65536.  False: there is none in (0, 1). */
bool pl_reversible_ratio(double gamma, int64_t *n, int64_t *d);
/* 0 < n < d <= 65536. */
pl_reversible pl_reversible_of(int64_t n, int64_t d);
/* Buffers that so many layers (from 1) need. */
int pl_reversible_buffers(const pl_reversible *r, int layers);

/* Fixed point from and to numbers.  False: some |x[k]| is not below 2^11. */
bool pl_reversible_set(int64_t count, const double *x, int64_t *fixed);
void pl_reversible_get(int64_t count, const int64_t *fixed, double *x);

/* One layer, f[k] = round(c force[k] in steps): v and x move on, now[k] is x[k] as a number.
 * buffer: the one of layer / period, zero at a layer that is a multiple of period.  False: some
 * |f|, |v| or |x| has left the range below 2^11; the arrays are then of no use.  now may be force.
 */
bool pl_reversible_forward(const pl_reversible *r, int64_t count, double c, const double *force,
                           int64_t *v, int64_t *x, uint64_t *buffer, double *now);
/* The layer undone in two halves, since its force stands at the x before it, which is now: first x,
 * then v. */
void pl_reversible_back_x(int64_t count, const int64_t *v, int64_t *x, double *now);
void pl_reversible_back_v(const pl_reversible *r, int64_t count, double c, const double *force,
                          int64_t *v, uint64_t *buffer);

/* Sum of log2(1 + buffer[k]): bits that a buffer holds. */
double pl_reversible_bits(int64_t count, const uint64_t *buffer);

#endif
