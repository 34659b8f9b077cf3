#include "linalg/momentum.h"

#include <math.h>

static double sinc(double x) {
  return fabs(x) < 1e-8 ? 1 : sin(x) / x;
}

double pl_momentum_flow(double eps, double theta) {
  if (eps == 0) return exp(theta);
  double a = 1 / (2 * eps), s = a * a + theta / eps;
  /* r = -a +- sqrt(s): Psi = e^-a (cosh q + a sinh q / q), q = sqrt(s). */
  if (s < 0) return exp(-a) * (cos(sqrt(-s)) + a * sinc(sqrt(-s)));
  double q = sqrt(s);
  if (q < 1e-8) return exp(-a) * (1 + a);
  return (exp(q - a) * (1 + a / q) + exp(-q - a) * (1 - a / q)) / 2;
}

double pl_momentum_least(double eps) {
  if (eps == 0) return 0;
  /* The derivative by omega is negative at pi and positive at 3 pi / 2. */
  double a = 1 / (2 * eps), low = M_PI, high = 1.5 * M_PI, w = 0;
  for (int k = 0; k < 60; k++) {
    w = (low + high) / 2;
    double slope = a * cos(w) / w - (1 + a / (w * w)) * sin(w);
    *(slope < 0 ? &low : &high) = w;
  }
  return exp(-a) * (cos(w) + a * sinc(w));
}

void pl_momentum_layer(double gamma, double complex mu, double complex l[2]) {
  double complex half = (1 + gamma + (1 - gamma) * mu) / 2, root = csqrt(half * half - gamma);
  /* The larger one first, the other from their product. */
  l[0] = cabs(half + root) > cabs(half - root) ? half + root : half - root;
  l[1] = l[0] == 0 ? 0 : gamma / l[0];
}
