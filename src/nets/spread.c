#include "nets/spread.h"

#include <math.h>

static double times_of(const double *times, int64_t i) {
  return times ? times[i] : 1;
}

double pl_spread_schatten(int64_t n, const double *s, const double *times) {
  double sum = 0;
  for (int64_t i = 0; i < n; i++) sum += times_of(times, i) * (s[i] / s[0]);
  double squares = 0;
  for (int64_t i = 0; i < n; i++) squares += times_of(times, i) * (s[i] / s[0]) * (s[i] / s[0]);
  return s[0] > 0 ? sum / sqrt(squares) : NAN;
}

double pl_spread_rank(int64_t n, const double *s, const double *times) {
  double above = 0;
  for (int64_t i = 0; i < n; i++) above += times_of(times, i) * (s[i] > 1e-3 * s[0]);
  return above;
}

double pl_spread_entropy_rank(int64_t n, const double *s, const double *times) {
  double all = 0, entropy = 0;
  if (!(s[0] > 0)) return NAN;
  for (int64_t i = 0; i < n; i++) all += times_of(times, i) * (s[i] / s[0]) * (s[i] / s[0]);
  for (int64_t i = 0; i < n; i++) {
    double share = s[i] / s[0] * (s[i] / s[0]) / all;
    if (share > 0) entropy -= times_of(times, i) * share * log(share);
  }
  return exp(entropy);
}

double pl_spread_gini(int64_t n, const double *s, const double *times) {
  double sum = 0, ordered = 0, count = 0, before = 0;
  for (int64_t i = 0; i < n; i++) count += times_of(times, i);
  for (int64_t i = 0; i < n; i++) {
    double equal = times_of(times, i);
    sum += equal * s[i];
    ordered += equal * (count - equal - 2 * before) * s[i];
    before += equal;
  }
  if (!(s[0] > 0)) return NAN;
  return count > 1 ? ordered / ((count - 1) * sum) : 0;
}
