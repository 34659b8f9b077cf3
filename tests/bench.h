/* Shared by the benchmarks: medians of repeats, side by side in one run. */
#ifndef PL_BENCH_H
#define PL_BENCH_H

#include "base/blas.h"
#include "base/clock.h"
#include "base/comm.h"
#include "base/mem.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline int bench_compare(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static inline double bench_median(double *t, int n) {
  qsort(t, (size_t)n, sizeof *t, bench_compare);
  return t[n / 2];
}

/* Seconds of one call of f: median of `rounds` rounds, each of enough calls to last `least` s. */
static inline double bench_time_by(double (*clock)(void), void (*f)(void *), void *context,
                                   int rounds, double least) {
  double t[32], start = clock();
  int64_t calls = 1;
  f(context); /* warm */
  double once = clock() - start;
  if (once < least) calls = (int64_t)(least / (once + 1e-9)) + 1;
  for (int r = 0; r < rounds; r++) {
    start = clock();
    for (int64_t i = 0; i < calls; i++) f(context);
    t[r] = (clock() - start) / (double)calls;
  }
  return bench_median(t, rounds);
}
static inline double bench_time(void (*f)(void *), void *context, int rounds, double least) {
  return bench_time_by(pl_clock, f, context, rounds, least);
}

#endif
