#include "nets/meta/solve.h"

#include "base/blas.h"
#include "base/norm.h"

#include <float.h>
#include <math.h>
#include <string.h>

static double dot(int64_t n, const double *x, const double *y) {
  return cblas_ddot((int)n, x, 1, y, 1);
}
static void add(int64_t n, double a, const double *x, double *y) {
  cblas_daxpy((int)n, a, x, 1, y, 1);
}
static void copy(int64_t n, const double *x, double *y) {
  memcpy(y, x, (size_t)n * sizeof *y);
}

/* ---- conjugate gradients ---- */

/* Lanczos' tridiagonal matrix, whose entries CG's steps tell: diagonal and squared off-diagonal. */
typedef struct tridiagonal {
  int n;
  double d[PL_CG_MOST], e2[PL_CG_MOST];
} tridiagonal;

/* Eigenvalues below x: negative pivots (Sturm). */
static int below(const tridiagonal *t, double x) {
  int count = 0;
  double pivot = 1;
  for (int j = 0; j < t->n; j++) {
    pivot = t->d[j] - x - (j ? t->e2[j - 1] / pivot : 0);
    if (fabs(pivot) < DBL_MIN) pivot = -DBL_MIN;
    count += pivot < 0;
  }
  return count;
}

/* Eigenvalue k, from 0, between low and high. */
static double bisect(const tridiagonal *t, int k, double low, double high) {
  enum { ROUNDS = 60 };
  for (int i = 0; i < ROUNDS; i++) {
    double middle = (low + high) / 2;
    *(below(t, middle) > k ? &high : &low) = middle;
  }
  return (low + high) / 2;
}

static void ritz(int steps, const double *alpha, const double *beta, pl_cg_report *r) {
  tridiagonal t = {.n = steps};
  double high = 0;
  for (int j = 0; j < steps; j++) {
    t.d[j] = 1 / alpha[j] + (j ? beta[j - 1] / alpha[j - 1] : 0);
    t.e2[j] = beta[j] / (alpha[j] * alpha[j]);
    high = fmax(high, t.d[j] + sqrt(t.e2[j]) + (j ? sqrt(t.e2[j - 1]) : 0));
  }
  r->smallest = steps ? bisect(&t, 0, 0, high) : NAN;
  r->largest = steps ? bisect(&t, steps - 1, 0, high) : NAN;
}

void pl_cg_solve(int64_t n, pl_cg_operator *a, void *context, const double *b, int steps,
                 double tolerance, double *x, double *work, pl_cg_report *report) {
  double *r = work, *p = work + n, *ap = work + 2 * n;
  double alpha[PL_CG_MOST], beta[PL_CG_MOST], norm = pl_norm2(n, b), rr = norm * norm;
  pl_cg_report unused, *told = report ? report : &unused;
  pl_require(steps <= PL_CG_MOST);
  *told = (pl_cg_report){.residual = {norm > 0 ? 1 : 0}};
  memset(x, 0, (size_t)n * sizeof *x);
  copy(n, b, r);
  copy(n, b, p);
  int j = 0;
  for (; j < steps && rr > 0 && sqrt(rr) > tolerance * norm; j++) {
    a(context, p, ap);
    double curvature = dot(n, p, ap);
    if (!(curvature > 0)) {
      told->negative = 1;
      if (j == 0) copy(n, b, x);
      break;
    }
    alpha[j] = rr / curvature;
    add(n, alpha[j], p, x);
    add(n, -alpha[j], ap, r);
    double now = dot(n, r, r);
    beta[j] = now / rr;
    rr = now;
    cblas_dscal((int)n, beta[j], p, 1);
    add(n, 1, r, p);
    told->residual[j + 1] = sqrt(rr) / norm;
  }
  told->steps = j;
  if (report) ritz(j, alpha, beta, report);
}

/* ---- descent ---- */

pl_minimum pl_descend(const pl_smooth *f, int steps, double lr, double *x, double *work,
                      double *states) {
  pl_minimum out = {.steps = steps};
  double *g = work;
  for (int k = 0; k < steps; k++) {
    if (states) copy(f->n, x, states + k * f->n);
    f->value(f->context, x, g);
    out.last = pl_norm2(f->n, g);
    if (k == 0) out.first = out.last;
    add(f->n, -lr, g, x);
  }
  return out;
}

/* ---- line search ---- */

/* to <- x + h p, h halved from 1 until f has fallen by 1e-4 h |slope|; f and its gradient there
 * into *value and g.  false: it does not fall, up to rounding. */
static bool search(const pl_smooth *f, const double *x, const double *p, double slope,
                   double *value, double *to, double *g) {
  enum { HALVINGS = 40 };
  double was = *value, h = 1;
  for (int k = 0; k < HALVINGS; k++, h /= 2) {
    copy(f->n, x, to);
    add(f->n, h, p, to);
    *value = f->value(f->context, to, g);
    /* Near the minimum what is due lies below rounding. */
    if (*value <= was + 1e-4 * h * slope + 8 * DBL_EPSILON * fabs(was)) return true;
  }
  return false;
}

/* ---- Newton ---- */

static void apply_hessian(void *context, const double *x, double *y) {
  const pl_smooth *f = context;
  f->hessian(f->context, x, y);
}

pl_minimum pl_newton_cg(const pl_smooth *f, int steps, double tolerance, double *x, double *work) {
  int64_t n = f->n;
  double *g = work, *p = work + n, *to = work + 2 * n, *cg = work + 3 * n;
  pl_minimum out = {0};
  double value = f->value(f->context, x, g);
  out.first = out.last = pl_norm2(n, g);
  for (; out.steps < steps && out.last > tolerance * out.first; out.steps++) {
    /* The part to which each system is solved makes the steps converge quadratically. */
    double part = fmin(0.1, out.last / out.first);
    pl_cg_solve(n, apply_hessian, (void *)(uintptr_t)f, g, PL_CG_MOST, part, p, cg, NULL);
    cblas_dscal((int)n, -1, p, 1);
    double slope = dot(n, g, p);
    if (!(slope < 0) || !search(f, x, p, slope, &value, to, g)) break;
    copy(n, to, x);
    out.last = pl_norm2(n, g);
  }
  return out;
}

/* ---- limited-memory BFGS ---- */

typedef struct pairs {
  int64_t n;
  int count, next; /* of PL_LBFGS_MEMORY; place of the one to come */
  double *s, *y;   /* [PL_LBFGS_MEMORY][n] */
  double rho[PL_LBFGS_MEMORY];
} pairs;

/* p <- -(inverse Hessian's estimate) g. */
static void direction(const pairs *m, const double *g, double *p) {
  double alpha[PL_LBFGS_MEMORY];
  int64_t n = m->n;
  copy(n, g, p);
  for (int i = 1; i <= m->count; i++) {
    int k = (m->next - i + PL_LBFGS_MEMORY) % PL_LBFGS_MEMORY;
    alpha[k] = m->rho[k] * dot(n, m->s + k * n, p);
    add(n, -alpha[k], m->y + k * n, p);
  }
  int last = (m->next - 1 + PL_LBFGS_MEMORY) % PL_LBFGS_MEMORY;
  double scale = m->count ? 1 / (m->rho[last] * dot(n, m->y + last * n, m->y + last * n))
                          : 1 / fmax(1, pl_norm2(n, g));
  cblas_dscal((int)n, scale, p, 1);
  for (int i = m->count; i >= 1; i--) {
    int k = (m->next - i + PL_LBFGS_MEMORY) % PL_LBFGS_MEMORY;
    add(n, alpha[k] - m->rho[k] * dot(n, m->y + k * n, p), m->s + k * n, p);
  }
  cblas_dscal((int)n, -1, p, 1);
}

/* A pair without positive curvature would spoil the estimate. */
static void remember(pairs *m, const double *x, const double *g, const double *to,
                     const double *then) {
  int64_t n = m->n;
  double *s = m->s + m->next * n, *y = m->y + m->next * n;
  for (int64_t i = 0; i < n; i++) {
    s[i] = to[i] - x[i];
    y[i] = then[i] - g[i];
  }
  double sy = dot(n, s, y);
  if (!(sy > DBL_EPSILON * dot(n, y, y) * 1e-3)) return;
  m->rho[m->next] = 1 / sy;
  m->next = (m->next + 1) % PL_LBFGS_MEMORY;
  if (m->count < PL_LBFGS_MEMORY) m->count++;
}

pl_minimum pl_lbfgs(const pl_smooth *f, int steps, double tolerance, double *x, double *work) {
  int64_t n = f->n;
  double *g = work, *p = work + n, *to = work + 2 * n, *then = work + 3 * n;
  pairs m = {.n = n, .s = work + 4 * n, .y = work + (4 + PL_LBFGS_MEMORY) * n};
  pl_minimum out = {0};
  double value = f->value(f->context, x, g);
  out.first = out.last = pl_norm2(n, g);
  for (; out.steps < steps && out.last > tolerance * out.first; out.steps++) {
    direction(&m, g, p);
    double slope = dot(n, g, p);
    if (!(slope < 0) || !search(f, x, p, slope, &value, to, then)) break;
    remember(&m, x, g, to, then);
    copy(n, to, x);
    copy(n, then, g);
    out.last = pl_norm2(n, g);
  }
  return out;
}
