#include "base/clock.h"

#include <math.h>
#include <stdint.h>
#include <time.h>

double pl_clock(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

double pl_clock_processor(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void pl_sleep(double s) {
  struct timespec t = {(time_t)s, (long)((s - (double)(time_t)s) * 1e9)};
  nanosleep(&t, NULL);
}

double pl_best_time(void (*f)(void *context), void *context, double budget) {
  double best = INFINITY, end = pl_clock() + budget, t;
  int64_t repeats = 1;
  do {
    double wall = pl_clock();
    t = pl_clock_processor();
    for (int64_t i = 0; i < repeats; i++) f(context);
    /* More than the wall clock's where BLAS has threads. */
    t = fmin(pl_clock_processor() - t, pl_clock() - wall);
    best = fmin(best, t / (double)repeats);
    if (t < 1e-3) repeats *= 2;
  } while (t < 5e-4 || pl_clock() < end);
  return best;
}
