/* Solvers on plain vectors: what a task's inner problem and its meta-gradient need.  Workspace is
 * the caller's; nothing here allocates.  Local. */
#ifndef PL_NETS_META_SOLVE_H
#define PL_NETS_META_SOLVE_H

#include <stdbool.h>
#include <stdint.h>

/* ---- conjugate gradients ---- */

enum { PL_CG_MOST = 200 }; /* steps */

/* y <- A x, A symmetric, n x n. */
typedef void pl_cg_operator(void *context, const double *x, double *y);

typedef struct pl_cg_report {
  int steps;                       /* made */
  int negative;                    /* 1: a direction with p^T A p <= 0 was met, and ended it */
  double residual[PL_CG_MOST + 1]; /* ||b - A x_j|| / ||b||, j = 0..steps */
  double smallest, largest;        /* of the Ritz values: estimates of A's extreme eigenvalues */
} pl_cg_report;

/* x <- the steps-th iterate of A x = b from 0, sooner where the residual is below tolerance times
 * ||b||.  For positive definite A the error's A-norm is at most
 *   2 ((sqrt k - 1)/(sqrt k + 1))^j
 * of the first one's, k the condition of A.  At a direction of negative curvature it stops: x is
 * the iterate so far or, if that is the first direction, b.  steps at most PL_CG_MOST.
 * work: 3 n doubles.  x, b and work do not overlap.  report may be NULL. */
void pl_cg_solve(int64_t n, pl_cg_operator *a, void *context, const double *b, int steps,
                 double tolerance, double *x, double *work, pl_cg_report *report);

/* ---- minima ---- */

/* A function of n variables, twice differentiable almost everywhere. */
typedef struct pl_smooth {
  int64_t n;
  void *context;
  /* f(x); g <- its gradient. */
  double (*value)(void *context, const double *x, double *g);
  /* hv <- (Hessian at the last x of value) v. */
  void (*hessian)(void *context, const double *v, double *hv);
} pl_smooth;

enum { PL_LBFGS_MEMORY = 10 };

/* What each needs, in multiples of n doubles. */
enum { PL_DESCEND_WORK = 1, PL_NEWTON_WORK = 6, PL_LBFGS_WORK = 4 + 2 * PL_LBFGS_MEMORY };

typedef struct pl_minimum {
  int steps;          /* made */
  double first, last; /* norms of the first and the last gradient taken; 0: none was */
} pl_minimum;

/* x, in place: `steps` times x -= lr g.  states, [steps][n], may be NULL: every x that a gradient
 * is taken at, the first to the last but one. */
pl_minimum pl_descend(const pl_smooth *f, int steps, double lr, double *x, double *work,
                      double *states);
/* At most `steps` Newton steps, each by conjugate gradients to a part of the gradient that shrinks
 * with it, and halved until f falls enough (Armijo); sooner where the gradient's norm is below
 * tolerance times the first. */
pl_minimum pl_newton_cg(const pl_smooth *f, int steps, double tolerance, double *x, double *work);
/* The same by limited-memory BFGS (Nocedal and Wright, algorithm 7.4). */
pl_minimum pl_lbfgs(const pl_smooth *f, int steps, double tolerance, double *x, double *work);

#endif
