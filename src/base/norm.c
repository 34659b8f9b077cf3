#include "base/norm.h"

#include <float.h>
#include <math.h>

bool pl_sum_safe(double sum) {
  /* Each of at most 2^50 squares loses less than 2^-1074 below the range: against 2^-960 less than
   * rounding. */
  return sum >= 0x1p-960 && sum <= DBL_MAX;
}

double pl_sum_squares(int64_t n, const double *x) {
  double s = 0;
#pragma omp simd reduction(+ : s)
  for (int64_t k = 0; k < n; k++) s += x[k] * x[k];
  return s;
}

double pl_max_abs(int64_t n, const double *x) {
  double max = 0, nan = 0;
#pragma omp simd reduction(max : max) reduction(+ : nan)
  for (int64_t k = 0; k < n; k++) {
    double a = fabs(x[k]);
    max = a > max ? a : max; /* false for NaN */
    nan += a != a ? 1 : 0;
  }
  return nan > 0 ? NAN : max;
}

double pl_safe_scale(double max) {
  if (!(max > 0) || !isfinite(max)) return 1;
  /* Half the exponent range at least on both sides; 2^1000 is as far as one factor goes. */
  int e = ilogb(max) + 1;
  return ldexp(1, e < -1000 ? 1000 : -e);
}

static double scaled_squares(int64_t n, const double *x, double scale) {
  double s = 0;
#pragma omp simd reduction(+ : s)
  for (int64_t k = 0; k < n; k++) {
    double y = x[k] * scale;
    s += y * y;
  }
  return s;
}

double pl_norm2(int64_t n, const double *x) {
  double sum = pl_sum_squares(n, x);
  if (pl_sum_safe(sum)) return sqrt(sum);
  double max = pl_max_abs(n, x);
  if (!(max > 0) || isinf(max)) return max;
  double scale = pl_safe_scale(max);
  return sqrt(scaled_squares(n, x, scale)) / scale;
}

static double sum_parts(int parts, const pl_norm_part *p, double scale) {
  double sum = 0;
  for (int i = 0; i < parts; i++)
    sum += p[i].weight *
           (scale == 1 ? pl_sum_squares(p[i].n, p[i].x) : scaled_squares(p[i].n, p[i].x, scale));
  return sum;
}

/* Over the parts, in which a NaN is to be seen. */
static double max_parts(int parts, const pl_norm_part *p) {
  double max = 0;
  for (int i = 0; i < parts; i++) {
    double here = pl_max_abs(p[i].n, p[i].x);
    if (isnan(here)) return NAN;
    if (p[i].weight > 0) max = fmax(max, here);
  }
  return max;
}

double pl_norm_parts(const pl_comm *comm, int parts, const pl_norm_part *p) {
  double sum = sum_parts(parts, p, 1);
  if (comm) pl_comm_sum(comm, &sum, 1);
  /* The same on every rank, so that all take the same way. */
  if (pl_sum_safe(sum)) return sqrt(sum);
  double max = max_parts(parts, p), all[2] = {isnan(max), isnan(max) ? 0 : max};
  if (comm) pl_comm_max(comm, all, 2);
  if (all[0] > 0) return NAN;
  if (all[1] == 0 || isinf(all[1])) return all[1];
  double scale = pl_safe_scale(all[1]);
  sum = sum_parts(parts, p, scale);
  if (comm) pl_comm_sum(comm, &sum, 1);
  return sqrt(sum) / scale;
}
