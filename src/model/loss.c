#include "model/loss.h"

#include "model/key.h"

#include <math.h>

PL_WORDS(names, "exponential", "logistic")

const char *pl_margin_loss_name(int i) {
  return names(i);
}

/* log(1 + exp(x)) without overflow. */
static double softplus(double x) {
  return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x));
}

static double log_term(int64_t loss, double m) {
  if (loss == PL_LOSS_EXPONENTIAL) return -m;
  /* For large m, log1p(exp(-m)) = exp(-m) (1 - exp(-m)/2 + ..): beyond 37 the log is -m exactly. */
  return m > 37 ? -m : log(softplus(-m));
}

double pl_log_loss(int64_t loss, int64_t n, const double *m) {
  double top = -INFINITY, sum = 0;
  for (int64_t i = 0; i < n; i++) {
    if (!isfinite(m[i])) return NAN;
    top = fmax(top, log_term(loss, m[i]));
  }
  for (int64_t i = 0; i < n; i++) sum += exp(log_term(loss, m[i]) - top);
  return top + log(sum) - log((double)n);
}

void pl_loss_weights(int64_t loss, int64_t n, const double *m, double *log_scale, double *a) {
  double top = -INFINITY;
  for (int64_t i = 0; i < n; i++) {
    a[i] = loss == PL_LOSS_EXPONENTIAL ? -m[i] : -softplus(m[i]);
    top = fmax(top, a[i]);
  }
  for (int64_t i = 0; i < n; i++) a[i] = exp(a[i] - top);
  *log_scale = top - log((double)n);
}
