/* One operation of the tape against differences: tangent, gradient, Hessian times vector.  Shared
 * by test_tape.c and by tests of rows that families add. */
#ifndef PL_TAPE_CHECK_H
#define PL_TAPE_CHECK_H

#include "pl_test.h"

#include "base/rng.h"
#include "tape/ops.h"

enum { TAPE_INPUTS = 6 };

typedef struct tape_case {
  const char *op; /* name of the last node's operation */
  pl_node *(*one)(pl_tape *t, pl_node *x);
  pl_node *(*two)(pl_tape *t, pl_node *a, pl_node *b);
  pl_node *(*any)(pl_tape *t, pl_node *const *x);
  double low, high; /* range of the inputs */
  int shape[TAPE_INPUTS][2];
  int inputs;
} tape_case;

static inline pl_node *tape_case_build(const tape_case *c, pl_tape *t, pl_node *const *x) {
  return c->one ? c->one(t, x[0]) : c->two ? c->two(t, x[0], x[1]) : c->any(t, x);
}

enum { MOST = 2048 }; /* numbers of all inputs, or of the output, of a case */

static inline void draw(uint64_t stream, int64_t n, double low, double high, double *x) {
  for (int64_t i = 0; i < n; i++)
    x[i] = low + (high - low) * pl_rng_uniform(7, stream, (uint64_t)i);
}

static inline double dot(int64_t n, const double *a, const double *b) {
  double s = 0;
  for (int64_t i = 0; i < n; i++) s += a[i] * b[i];
  return s;
}

/* One case as a function of all numbers of its inputs.  Plain, or inside others, so that what comes
 * in has a tangent of its own, what comes back too, and adjoints meet:
 * x -> a = x + x^2/20 -> f(a) f(a). */
typedef struct problem {
  const tape_case *c;
  bool nested;
  unsigned variables, moved; /* inputs that are not constants; that have a direction */
  int64_t n, m;              /* numbers of inputs, of outputs */
  double x[MOST], v[MOST], u[MOST];
  double y[MOST], ydot[MOST], g[MOST], hv[MOST];
} problem;

static inline int64_t size_of(const tape_case *c, int k) {
  return (int64_t)c->shape[k][0] * c->shape[k][1];
}

/* Value, tangent along v, gradient of <u, y> and its tangent at x. */
static inline pl_node *evaluate(pl_tape *t, problem *p, const double *x, const double *v,
                                double *hv) {
  pl_node *in[TAPE_INPUTS], *y;
  pl_tape_reset(t);
  memset(p->g, 0, sizeof p->g);
  memset(hv, 0, sizeof p->hv);
  for (int64_t k = 0, at = 0; k < p->c->inputs; at += size_of(p->c, (int)k), k++) {
    const int *s = p->c->shape[k];
    if (!(p->variables >> k & 1)) {
      in[k] = pl_tape_constant(t, s[0], s[1], x + at);
    } else {
      in[k] = pl_tape_variable(t, s[0], s[1], x + at, p->g + at);
      pl_tape_direction(t, in[k], p->moved >> k & 1 ? v + at : NULL, hv + at);
    }
    if (p->nested) in[k] = pl_tape_add(t, in[k], pl_tape_scale(t, pl_tape_square(t, in[k]), .05));
  }
  y = tape_case_build(p->c, t, in);
  assert_string_equal(y->op->name, p->c->op);
  if (p->nested) y = pl_tape_multiply(t, y, tape_case_build(p->c, t, in));
  p->m = pl_tape_count(y);
  assert_true(p->m <= MOST);
  memcpy(p->y, y->value, (size_t)p->m * sizeof *p->y);
  pl_tape_backward(t, y, p->u);
  pl_tape_hvp(t);
  const double *ydot = pl_tape_read(t, y, PL_TANGENT);
  memset(p->ydot, 0, sizeof p->ydot);
  if (ydot) memcpy(p->ydot, ydot, (size_t)p->m * sizeof *ydot);
  return y;
}

/* max |a - (plus - minus)/2h| over the size of the numbers. */
static inline void assert_difference(const problem *p, const char *what, int64_t n, const double *a,
                                     const double *plus, const double *minus, double h) {
  for (int64_t i = 0; i < n; i++) {
    double d = (plus[i] - minus[i]) / (2 * h);
    if (fabs(a[i] - d) <= 2e-8 * (1 + fabs(d))) continue;
    print_error("%s (%d x %d, %s, variables %x, moved %x): %s %lld is %.12g, differences %.12g\n",
                p->c->op, p->c->shape[0][0], p->c->shape[0][1], p->nested ? "nested" : "plain",
                p->variables, p->moved, what, (long long)i, a[i], d);
    fail();
  }
}

static inline void check(pl_tape *t, problem *p) {
  static problem plus, minus;
  const double h = 1e-5;
  double shifted[MOST], w[MOST], hw[MOST];
  draw(4, p->n, -1, 1, w);
  evaluate(t, p, p->x, w, hw);
  evaluate(t, p, p->x, p->v, p->hv);
  for (int64_t k = 0, at = 0; k < p->c->inputs; at += size_of(p->c, (int)k), k++)
    if (!(p->moved >> k & 1))
      memset(p->v + at, 0, (size_t)size_of(p->c, (int)k) * sizeof(double)),
          memset(w + at, 0, (size_t)size_of(p->c, (int)k) * sizeof(double));
  plus = minus = *p;
  for (int64_t i = 0; i < p->n; i++) shifted[i] = p->x[i] + h * p->v[i];
  evaluate(t, &plus, shifted, p->v, plus.hv);
  for (int64_t i = 0; i < p->n; i++) shifted[i] = p->x[i] - h * p->v[i];
  evaluate(t, &minus, shifted, p->v, minus.hv);
  assert_difference(p, "tangent", p->m, p->ydot, plus.y, minus.y, h);
  assert_difference(p, "H v", p->n, p->hv, plus.g, minus.g, h);
  double scale = sqrt(dot(p->m, p->ydot, p->ydot) * dot(p->m, p->u, p->u));
  double gap = dot(p->m, p->u, p->ydot) - dot(p->n, p->g, p->v);
  if (!(fabs(gap) <= 1e-13 * (1 + scale))) {
    print_error("%s: <u, J v> and <J^T u, v> differ by %g of %g\n", p->c->op, gap, scale);
    fail();
  }
  assert_close(dot(p->n, w, p->hv), dot(p->n, p->v, hw), 1e-12);
}

/* Numbers of a case for the first evaluation. */
static inline void set_up(problem *p, const tape_case *c) {
  p->c = c, p->n = 0;
  for (int i = 0; i < c->inputs; i++) p->n += size_of(c, i);
  assert_true(p->n <= MOST);
  draw(1, p->n, c->low, c->high, p->x);
  draw(2, p->n, -1, 1, p->v);
  draw(3, MOST, -1, 1, p->u);
}

/* Every choice of what is variable and what has a direction, plain and nested. */
static inline void check_everywhere(pl_tape *t, problem *p) {
  unsigned all = (1u << p->c->inputs) - 1;
  for (p->variables = 1; p->variables <= all; p->variables++)
    for (p->moved = 1; p->moved <= all; p->moved++) {
      if (p->moved & ~p->variables) continue;
      for (int nested = 0; nested < 2; nested++) {
        p->nested = nested;
        draw(2, p->n, -1, 1, p->v);
        check(t, p);
      }
    }
}

#endif
