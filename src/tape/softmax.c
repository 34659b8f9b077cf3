#include "tape/ops.h"
#include "shares.h"
#include "table.h"

#include <string.h>

enum { SOFTMAX, LOG_SOFTMAX, SOFTMAX_SEGMENTS };

/* p: the shares e^x / sum e^x; work: two numbers per inner column. */
typedef struct saved {
  double *p, *work;
} saved;

static inline bool taken(const pl_groups *g, int64_t i) {
  return !g->mask || g->mask[i];
}

/* sum[j] = sum of a_ij b_ij over the rows of group s. */
static inline void dot(const pl_groups *g, int64_t s, const double *a, const double *b,
                       double *sum) {
  int64_t n = g->inner;
  memset(sum, 0, (size_t)n * sizeof *sum);
  for (int64_t i = pl_group_begin(g, s); i < pl_group_begin(g, s + 1); i++) {
#pragma omp simd
    for (int64_t j = 0; j < n; j++) sum[j] += a[i * n + j] * b[i * n + j];
  }
}

static void forward(pl_tape *t, pl_node *y, double *out) {
  const pl_groups *g = y->data;
  saved *s = y->saved = pl_tape_alloc(t, 1, sizeof *s);
  s->work = pl_tape_alloc(t, 2 * (size_t)g->inner, sizeof(double));
  bool logs = y->op == &pl_softmax_ops[LOG_SOFTMAX];
  s->p = logs ? pl_tape_alloc(t, (size_t)pl_tape_count(y), sizeof(double)) : out;
  if (g->inner == 1)
    pl_row_shares(g, y->input[0]->value, s->p, logs ? out : NULL);
  else
    pl_column_shares(g, y->input[0]->value, s->p, s->work);
}

/* to_ij (+)= p_ij (from_ij - sum_k p_kj from_kj): backward and tangent alike, the matrix of
 * derivatives being symmetric. */
static void project(const pl_node *y, const double *from, pl_into to) {
  const pl_groups *g = y->data;
  const saved *v = y->saved;
  for (int64_t s = 0; s < g->count; s++) {
    double *c = v->work;
    dot(g, s, from, v->p, c);
    for (int64_t i = pl_group_begin(g, s); i < pl_group_begin(g, s + 1); i++) {
      int64_t at = i * g->inner;
#pragma omp simd
      for (int64_t j = 0; j < g->inner; j++)
        to.at[at + j] = (to.add ? to.at[at + j] : 0) + v->p[at + j] * (from[at + j] - c[j]);
    }
  }
}

/* The same for one column, where the loop over the group is the long one. */
static void project_rows(const pl_node *y, const double *from, pl_into to) {
  const pl_groups *g = y->data;
  const double *p = ((const saved *)y->saved)->p;
  double c[PL_TOGETHER];
  pl_batch b;
  for (int64_t s = 0; s < g->count;) {
    s = pl_batch_take(g, s, g->count, &b);
    pl_batch_dots(&b, from, p, c);
    for (int64_t k = 0; k < b.count; k++) {
      int64_t at = b.at[k], n = b.at[k + 1] - at, space = to.add ? n : b.all - at;
      if (b.uneven && !to.add && pl_batch_short(&b, k)) n = space = PL_SHORT;
      pl_row_project(n, space, to.add, p + at, from + at, c[k], to.at + at);
    }
  }
}

static void any_project(const pl_node *y, const double *from, pl_into to) {
  if (((const pl_groups *)y->data)->inner == 1)
    project_rows(y, from, to);
  else
    project(y, from, to);
}

static void backward(pl_tape *t, const pl_node *y, const double *dy) {
  pl_into dx = pl_tape_into(t, y->input[0]);
  if (dx.at) any_project(y, dy, dx);
}

static void tangent(pl_tape *t, const pl_node *y) {
  any_project(y, pl_tape_read(t, y->input[0], PL_TANGENT), pl_tape_into(t, y));
}

static void bend(pl_tape *t, const pl_node *y, const double *dy) {
  pl_into dx = pl_tape_into(t, y->input[0]);
  const pl_groups *g = y->data;
  const saved *v = y->saved;
  const double *p = v->p, *ydot = pl_tape_read(t, y, PL_TANGENT);
  double *c = v->work, *moved = v->work + g->inner;
  for (int64_t s = 0; s < g->count; s++) {
    dot(g, s, dy, p, c);
    dot(g, s, dy, ydot, moved);
    for (int64_t i = pl_group_begin(g, s); i < pl_group_begin(g, s + 1); i++)
      for (int64_t j = 0; j < g->inner; j++) {
        int64_t e = i * g->inner + j;
        dx.at[e] = (dx.add ? dx.at[e] : 0) + ydot[e] * (dy[e] - c[j]) - p[e] * moved[j];
      }
  }
}

/* ---- logarithms: one column ---- */

/* sum[k] = sum of x_i over the entries of group k that the mask, if any, takes. */
static void sums_taken(const pl_batch *b, const bool *mask, const double *x, double *sum) {
  if (!mask) {
    pl_batch_dots(b, x, NULL, sum);
    return;
  }
  for (int64_t k = 0; k < b->count; k++) {
    sum[k] = 0;
    for (int64_t i = b->at[k]; i < b->at[k + 1]; i++) sum[k] += mask[i] ? x[i] : 0;
  }
}

static void log_backward(pl_tape *t, const pl_node *y, const double *dy) {
  pl_into dx = pl_tape_into(t, y->input[0]);
  const pl_groups *g = y->data;
  const double *p = ((const saved *)y->saved)->p;
  double sum[PL_TOGETHER];
  pl_batch b;
  for (int64_t s = 0; s < g->count && dx.at;) {
    s = pl_batch_take(g, s, g->count, &b);
    sums_taken(&b, g->mask, dy, sum);
    for (int64_t k = 0; k < b.count; k++) {
      int64_t at = b.at[k], n = b.at[k + 1] - at;
      if (!g->mask)
        pl_row_less(n, dx.add ? n : b.all - at, dx.add, dy + at, p + at, sum[k], dx.at + at);
      else
        for (int64_t i = at; i < at + n; i++)
          dx.at[i] = (dx.add ? dx.at[i] : 0) + (g->mask[i] ? dy[i] - p[i] * sum[k] : 0);
    }
  }
}

static void log_tangent(pl_tape *t, const pl_node *y) {
  pl_into to = pl_tape_into(t, y);
  const pl_groups *g = y->data;
  const double *p = ((const saved *)y->saved)->p;
  const double *xdot = pl_tape_read(t, y->input[0], PL_TANGENT);
  double mean[PL_TOGETHER];
  pl_batch b;
  for (int64_t s = 0; s < g->count;) {
    s = pl_batch_take(g, s, g->count, &b);
    pl_batch_dots(&b, xdot, p, mean);
    for (int64_t k = 0; k < b.count; k++)
      for (int64_t i = b.at[k]; i < b.at[k + 1]; i++)
        to.at[i] = (to.add ? to.at[i] : 0) + (taken(g, i) ? xdot[i] - mean[k] : 0);
  }
}

static void log_bend(pl_tape *t, const pl_node *y, const double *dy) {
  pl_into dx = pl_tape_into(t, y->input[0]);
  const pl_groups *g = y->data;
  const double *p = ((const saved *)y->saved)->p, *ydot = pl_tape_read(t, y, PL_TANGENT);
  double sum[PL_TOGETHER];
  pl_batch b;
  for (int64_t s = 0; s < g->count;) {
    s = pl_batch_take(g, s, g->count, &b);
    sums_taken(&b, g->mask, dy, sum);
    for (int64_t k = 0; k < b.count; k++)
      for (int64_t i = b.at[k]; i < b.at[k + 1]; i++)
        dx.at[i] = (dx.add ? dx.at[i] : 0) - p[i] * ydot[i] * sum[k];
  }
}

/* Sums over a row or segment, p the shares.  softmax: y_i = p_i; xbar_i += p_i (ybar_i - c),
 * c = sum p_k ybar_k; ydot likewise from xdot;
 * xbardot_i += ydot_i (ybar_i - c) - p_i sum ydot_k ybar_k.
 * log_softmax: y_i = log p_i; xbar_i += ybar_i - p_i sum ybar_k; ydot_i = xdot_i - sum p_k xdot_k;
 * xbardot_i += - p_i ydot_i sum ybar_k. */
const pl_tape_op pl_softmax_ops[] = {
    [SOFTMAX] = {"softmax", forward, backward, tangent, bend, NULL, NULL},
    [LOG_SOFTMAX] = {"log_softmax", forward, log_backward, log_tangent, log_bend, NULL, NULL},
    [SOFTMAX_SEGMENTS] = {"softmax_segments", forward, backward, tangent, bend, NULL, NULL},
    {0},
};

static pl_node *over_rows(pl_tape *t, int kind, pl_node *x, const bool *mask) {
  pl_groups g = {x->rows, x->cols, 1, NULL, mask};
  return pl_apply_one(t, &pl_softmax_ops[kind], x->rows, x->cols, x, &g, sizeof g);
}

pl_node *pl_tape_softmax(pl_tape *t, pl_node *x, const bool *mask) {
  return over_rows(t, SOFTMAX, x, mask);
}
pl_node *pl_tape_log_softmax(pl_tape *t, pl_node *x, const bool *mask) {
  return over_rows(t, LOG_SOFTMAX, x, mask);
}
pl_node *pl_tape_softmax_segments(pl_tape *t, pl_node *x, int64_t segments, const int64_t *start) {
  pl_require_segments(x, segments, start);
  pl_groups g = {segments, 0, x->cols, start, NULL};
  return pl_apply_one(t, &pl_softmax_ops[SOFTMAX_SEGMENTS], x->rows, x->cols, x, &g, sizeof g);
}
