/* Matrices on which reflections degenerate. */
#ifndef PL_TEST_PATTERNS_H
#define PL_TEST_PATTERNS_H

#include "base/rng.h"

#include <math.h>
#include <stdlib.h>

/* Those before RANGE keep their singular values, to rounding, under phases of rows and columns. */
typedef enum {
  DENSE,
  UPPER,
  LOWER,
  BAND,
  HOLES, /* zero rows and columns */
  EDGE,  /* tails whose squares are subnormal */
  IDENTITY,
  ONES,
  RANGE, /* entries from 1 down to the smallest there are */
  PATTERNS
} pattern;

/* Entry (i, j) of a pattern from a random x = x(i, j) in (-1, 1): at most 1. */
static inline double pattern_entry(pattern k, int i, int j, double x) {
  switch (k) {
  case UPPER:
    return j >= i ? x : 0;
  case LOWER:
    return j <= i ? x : 0;
  case BAND:
    return abs(i - j) <= 1 ? x : 0;
  case HOLES:
    return i % 3 && j % 5 ? x : 0;
  case EDGE:
    return i == j ? x : 1e-160 * x;
  case IDENTITY:
    return i == j;
  case ONES:
    return 1;
  case RANGE:
    return ldexp(x, -(int)(1060 * pl_rng_uniform(2, 0, (uint64_t)(i * 1000 + j))));
  default:
    return x;
  }
}

#endif
