/* What the second-order recursion can reach and where it is stable: scalar laws.
 *
 * v <- gamma v + (1 - gamma) f(x), x <- x + v; with eps = 1/((1 - gamma) N) in units of the time
 * that N layers take it discretises eps x'' + x' = f.  (Sander, Ablin, Blondel, Peyre, ICML 2021,
 * arXiv:2102.07870.)  All of it Local, pure. */
#ifndef PL_LINALG_MOMENTUM_H
#define PL_LINALG_MOMENTUM_H

#include <complex.h>

/* Psi_eps(theta) = x(1)/x(0) of eps x'' + x' = theta x, x'(0) = 0: (r+ e^(r-) - r- e^(r+)) / (r+ -
 * r-), eps r^2 + r - theta = 0; eps 0: e^theta. */
double pl_momentum_flow(double eps, double theta);
/* The least value of Psi_eps: min over omega of e^-a (cos omega + a sin omega / omega), a = 1/(2
 * eps).  Below it every real eigenvalue of what the flow reaches has an even number of Jordan
 * blocks; 0 at eps 0, where the flow is of first order. */
double pl_momentum_least(double eps);
/* The two eigenvalues of one layer with f = mu x: l^2 - (1 + gamma + (1 - gamma) mu) l + gamma = 0.
 * Real mu are stable (both inside the circle) where -2 (1 + gamma)/(1 - gamma) < mu < 0. */
void pl_momentum_layer(double gamma, double complex mu, double complex l[2]);

#endif
