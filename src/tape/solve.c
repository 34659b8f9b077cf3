#include "tape/ops.h"
#include "table.h"

#include <math.h>
#include <string.h>

typedef struct solve {
  pl_tape_operator a;
  double tolerance;
  int steps;
} solve;

/* Workspace of the iteration, [n][cols] each, then numbers of columns. */
typedef struct workspace {
  double *x, *r, *p, *ap;  /* the iterate, residual, direction, A times it */
  double *rr, *pap, *goal; /* r.r, p.Ap, the r.r that is small enough */
} workspace;

static void column_dots(int64_t n, int64_t cols, const double *a, const double *b, double *sum) {
  memset(sum, 0, (size_t)cols * sizeof *sum);
  for (int64_t i = 0; i < n; i++)
#pragma omp simd
    for (int64_t j = 0; j < cols; j++) sum[j] += a[i * cols + j] * b[i * cols + j];
}

static bool all_done(int64_t cols, const workspace *w) {
  for (int64_t j = 0; j < cols; j++)
    if (w->rr[j] > w->goal[j]) return false; /* a NaN is done too */
  return true;
}

/* One step of every column that is not done, whose factor is then 0. */
static void step(int64_t n, int64_t cols, const workspace *w, double *factor) {
  for (int64_t j = 0; j < cols; j++) {
    bool going = w->rr[j] > w->goal[j];
    factor[j] = !going ? 0 : w->pap[j] > 0 ? w->rr[j] / w->pap[j] : NAN;
  }
  for (int64_t i = 0; i < n; i++)
#pragma omp simd
    for (int64_t j = 0; j < cols; j++) {
      int64_t e = i * cols + j;
      w->x[e] += factor[j] * w->p[e];
      w->r[e] -= factor[j] * w->ap[e];
    }
  for (int64_t j = 0; j < cols; j++) factor[j] = w->rr[j];
  column_dots(n, cols, w->r, w->r, w->rr);
  for (int64_t j = 0; j < cols; j++) factor[j] = factor[j] > 0 ? w->rr[j] / factor[j] : 0;
  for (int64_t i = 0; i < n; i++)
#pragma omp simd
    for (int64_t j = 0; j < cols; j++) {
      int64_t e = i * cols + j;
      w->p[e] = w->r[e] + factor[j] * w->p[e];
    }
}

/* w->x = A^-1 b, by Hestenes and Stiefel's iteration (1952). */
static void conjugate_gradients(const solve *s, int64_t n, int64_t cols, const double *b,
                                const workspace *w) {
  memset(w->x, 0, (size_t)(n * cols) * sizeof *b);
  memcpy(w->r, b, (size_t)(n * cols) * sizeof *b);
  memcpy(w->p, b, (size_t)(n * cols) * sizeof *b);
  column_dots(n, cols, b, b, w->rr);
  for (int64_t j = 0; j < cols; j++) w->goal[j] = s->tolerance * s->tolerance * w->rr[j];
  for (int k = 0; k < s->steps && !all_done(cols, w); k++) {
    s->a.apply(s->a.context, cols, w->p, w->ap);
    column_dots(n, cols, w->p, w->ap, w->pap);
    step(n, cols, w, w->pap);
  }
}

static void map(const pl_node *y, const double *b, double *out, bool add) {
  const workspace *w = y->saved;
  conjugate_gradients(y->data, y->rows, y->cols, b, w);
  pl_copy_or_add(pl_tape_count(y), w->x, out, add);
}

static void forward(pl_tape *t, pl_node *y, double *out) {
  size_t n = (size_t)pl_tape_count(y), cols = (size_t)y->cols;
  workspace *w = y->saved = pl_tape_alloc(t, 1, sizeof *w);
  double **array[] = {&w->x, &w->r, &w->p, &w->ap, &w->rr, &w->pap, &w->goal};
  for (int k = 0; k < 7; k++) *array[k] = pl_tape_alloc(t, k < 4 ? n : cols, sizeof(double));
  map(y, y->input[0]->value, out, false);
}

/* Y = A^-1 B, A symmetric: Bbar += A^-1 Ybar. */
const pl_tape_op pl_solve_ops[] = {
    {"solve", .forward = forward, .map = map, .transposed = map},
    {0},
};

pl_node *pl_tape_solve(pl_tape *t, const pl_tape_operator *a, pl_node *b, double tolerance,
                       int steps) {
  pl_require(tolerance >= 0 && steps >= 0);
  solve s = {*a, tolerance, steps};
  return pl_apply_one(t, &pl_solve_ops[0], b->rows, b->cols, b, &s, sizeof s);
}
