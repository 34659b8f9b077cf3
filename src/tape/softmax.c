#include "tape/elementary.h"
#include "tape/ops.h"
#include "rows.h"
#include "table.h"

#include <string.h>

enum { SOFTMAX, LOG_SOFTMAX, SOFTMAX_SEGMENTS };

/* A softmax over groups of rows of an [n][inner] matrix, each of the inner columns on its own.
 * Over the rows of a matrix itself: its entries in one column, cut into groups of `width`. */
typedef struct groups {
  int64_t count, width, inner;
  const int64_t *start; /* NULL: every group has width rows */
  const bool *mask;     /* of entries; NULL: all */
} groups;

/* p: the shares e^x / sum e^x; work: two numbers per inner column, or per group of one column. */
typedef struct saved {
  double *p, *work;
} saved;

static inline int64_t begin(const groups *g, int64_t s) {
  return g->start ? g->start[s] : s * g->width;
}

static inline bool taken(const groups *g, int64_t i) {
  return !g->mask || g->mask[i];
}

/* Entries from the first of group s on. */
static inline int64_t room(const groups *g, int64_t s) {
  return (begin(g, g->count) - begin(g, s)) * g->inner;
}

/* sum[j] = sum of a_ij b_ij over the rows of group s; b NULL: of a_ij. */
static inline void dot(const groups *g, int64_t s, const double *a, const double *b, double *sum) {
  int64_t first = begin(g, s), last = begin(g, s + 1), n = g->inner;
  if (n == 1) {
    *sum = pl_row_dot(last - first, room(g, s), a + first, b ? b + first : NULL);
    return;
  }
  memset(sum, 0, (size_t)n * sizeof *sum);
  for (int64_t i = first; i < last; i++) {
    const double *ai = a + i * n, *bi = b ? b + i * n : NULL;
#pragma omp simd
    for (int64_t j = 0; j < n; j++) sum[j] += bi ? ai[j] * bi[j] : ai[j];
  }
}

static void exp_all(int64_t n, const double *x, double *y) {
#pragma omp simd simdlen(8)
  for (int64_t i = 0; i < n; i++) y[i] = pl_exp_negative(x[i]);
}

/* y_i = e^x_i.  True where no e^x_i and no sum of them is far from what numbers hold, so that
 * shares need no largest entry taken off first, and are more exact without. */
static bool exp_plain(int64_t n, const double *x, double *y) {
  int64_t plain = 1;
#pragma omp simd reduction(& : plain)
  for (int64_t i = 0; i < n; i++) {
    y[i] = pl_exp_moderate(x[i]);
    plain &= fabs(x[i]) <= 600;
  }
  return plain;
}

/* Groups whose entries fill about the first-level cache go together, so that short groups share
 * one long loop over exp. */
enum { BLOCK = 2048 };

static int64_t block_end(const groups *g, int64_t s) {
  int64_t e = s + 1;
  while (e < g->count && (begin(g, e + 1) - begin(g, s)) * g->inner <= BLOCK) e++;
  return e;
}

/* ---- one column ---- */

/* to = x - max x, minus infinity where masked; without a finite maximum x itself. */
static inline void shift(int64_t n, int64_t space, const bool *mask, const double *x, double *to) {
  double top = -INFINITY;
  if (!mask) {
    top = pl_row_largest(n, space, x);
    pl_row_minus(n, space, x, top > -INFINITY ? top : 0, to);
    return;
  }
  for (int64_t i = 0; i < n; i++) top = mask[i] && x[i] > top ? x[i] : top;
  top = top > -INFINITY ? top : 0;
  for (int64_t i = 0; i < n; i++) to[i] = mask[i] ? x[i] - top : -INFINITY;
}

/* The groups s .. end - 1.  y, if not NULL: the logarithms of p.  z and e may be p or y. */
static void block_shares(const groups *g, int64_t s, int64_t end, const double *x, double *z,
                         double *e, double *p, double *y, double *work) {
  double *sum = work, *logs = work + g->count;
  int64_t first = begin(g, s), n = begin(g, end) - first;
  for (int64_t k = s; k < end; k++) {
    int64_t at = begin(g, k) - first;
    shift(begin(g, k + 1) - begin(g, k), n - at, g->mask ? g->mask + first + at : NULL,
          x + first + at, z + at);
  }
  exp_all(n, z, e);
  for (int64_t k = s; k < end; k++) {
    int64_t at = begin(g, k) - first;
    sum[k] = pl_row_dot(begin(g, k + 1) - begin(g, k), n - at, e + at, NULL);
  }
#pragma omp simd simdlen(8)
  for (int64_t k = s; k < end; k++) { /* a group without entries: nothing is shared */
    double all = sum[k] == 0 ? 1 : sum[k];
    if (y) logs[k] = pl_log(all);
    sum[k] = 1 / all;
  }
  for (int64_t k = s; k < end; k++) {
    int64_t at = begin(g, k) - first, row = begin(g, k + 1) - begin(g, k);
    pl_row_times(row, e == p + first ? row : n - at, e + at, sum[k], p + first + at);
    if (y) pl_row_minus(row, z == y + first ? row : n - at, z + at, logs[k], y + first + at);
  }
}

/* p = e / sum e of the groups s .. end - 1, e of which is not p.  Groups of up to SHORT registers
 * alike, whatever their lengths, which nobody can guess. */
static void divide_groups(const groups *g, int64_t s, int64_t end, const double *e, double *p) {
  enum { SHORT = 3 };
  int64_t first = begin(g, s), n = begin(g, end) - first;
  for (int64_t k = s; k < end; k++) {
    int64_t at = begin(g, k) - first, row = begin(g, k + 1) - first - at;
    if (row > SHORT * PL_LANES || at + SHORT * PL_LANES > n) {
      double share = 1 / pl_row_dot(row, n - at, e + at, NULL);
      pl_row_times(row, n - at, e + at, share, p + at);
      continue;
    }
    pl_lanes v[SHORT], sums = {0};
    double sum = 0;
    for (int u = 0; u < SHORT; u++) {
      v[u] = pl_lanes_at(e + at + u * PL_LANES);
      sums += pl_lanes_first(row - u * PL_LANES, v[u], 0);
    }
    for (int i = 0; i < PL_LANES; i++) sum += sums[i];
    for (int u = 0; u < SHORT; u++) *(pl_lanes *)(p + at + u * PL_LANES) = v[u] * (1 / sum);
  }
}

/* Between whiles in the cache, but for a group too long for that. */
static void row_shares(const groups *g, const double *x, double *p, double *y, double *work) {
  double z[BLOCK], e[BLOCK];
  for (int64_t s = 0, end; s < g->count; s = end) {
    end = block_end(g, s);
    int64_t first = begin(g, s), n = begin(g, end) - first;
    if (!y && !g->mask && n <= BLOCK && exp_plain(n, x + first, e))
      divide_groups(g, s, end, e, p + first);
    else if (n <= BLOCK)
      block_shares(g, s, end, x, z, e, p, y, work);
    else
      block_shares(g, s, end, x, (y ? y : p) + first, p + first, p, y, work);
  }
}

/* ---- many columns ---- */

/* p = e^(x - the largest of its column) of the rows first .. last - 1. */
static void column_exp(int64_t first, int64_t last, int64_t n, const double *x, double *p,
                       double *top) {
  for (int64_t j = 0; j < n; j++) top[j] = -INFINITY;
  for (int64_t i = first; i < last; i++)
#pragma omp simd
    for (int64_t j = 0; j < n; j++) top[j] = x[i * n + j] > top[j] ? x[i * n + j] : top[j];
  for (int64_t j = 0; j < n; j++) top[j] = top[j] > -INFINITY ? top[j] : 0;
  for (int64_t i = first; i < last; i++)
#pragma omp simd
    for (int64_t j = 0; j < n; j++) p[i * n + j] = x[i * n + j] - top[j];
  exp_all((last - first) * n, p + first * n, p + first * n);
}

/* p_ij /= sum of p_ij over the rows, in as many columns as w registers have; no sum: p is 0. */
PL_ROW_INLINE void divide_panel(int w, int64_t rows, int64_t n, double *p) {
  pl_lanes sum[4];
#pragma GCC unroll 4
  for (int u = 0; u < w; u++) sum[u] = (pl_lanes){0};
  for (int64_t i = 0; i < rows; i++)
#pragma GCC unroll 4
    for (int u = 0; u < w; u++) sum[u] += pl_lanes_at(p + i * n + u * PL_LANES);
#pragma GCC unroll 4
  for (int u = 0; u < w; u++) sum[u] = pl_lanes_select(sum[u] == 0, sum[u], 1 / sum[u]);
  for (int64_t i = 0; i < rows; i++)
#pragma GCC unroll 4
    for (int u = 0; u < w; u++) *(pl_lanes *)(p + i * n + u * PL_LANES) *= sum[u];
}

static void divide_columns(int64_t rows, int64_t n, double *p) {
  int64_t j = 0;
  for (; j + 4 * PL_LANES <= n; j += 4 * PL_LANES) divide_panel(4, rows, n, p + j);
  for (; j + 2 * PL_LANES <= n; j += 2 * PL_LANES) divide_panel(2, rows, n, p + j);
  for (; j < n; j++) {
    double sum = 0;
    for (int64_t i = 0; i < rows; i++) sum += p[i * n + j];
    sum = sum == 0 ? 0 : 1 / sum;
    for (int64_t i = 0; i < rows; i++) p[i * n + j] *= sum;
  }
}

static void column_shares(const groups *g, const double *x, double *p, double *work) {
  int64_t n = g->inner;
  for (int64_t s = 0, end; s < g->count; s = end) {
    end = block_end(g, s);
    int64_t from = begin(g, s) * n;
    bool plain = exp_plain(begin(g, end) * n - from, x + from, p + from);
    for (int64_t k = s; k < end; k++) {
      if (!plain) column_exp(begin(g, k), begin(g, k + 1), n, x, p, work);
      divide_columns(begin(g, k + 1) - begin(g, k), n, p + begin(g, k) * n);
    }
  }
}

static void forward(pl_tape *t, pl_node *y, double *out) {
  const groups *g = y->data;
  saved *s = y->saved = pl_tape_alloc(t, 1, sizeof *s);
  s->work = pl_tape_alloc(t, 2 * (size_t)(g->inner == 1 ? g->count : g->inner), sizeof(double));
  bool logs = y->op == &pl_softmax_ops[LOG_SOFTMAX];
  s->p = logs ? pl_tape_alloc(t, (size_t)pl_tape_count(y), sizeof(double)) : out;
  if (g->inner == 1)
    row_shares(g, y->input[0]->value, s->p, logs ? out : NULL, s->work);
  else
    column_shares(g, y->input[0]->value, s->p, s->work);
}

/* to_ij (+)= p_ij (from_ij - sum_k p_kj from_kj): backward and tangent alike, the matrix of
 * derivatives being symmetric. */
static void project(const pl_node *y, const double *from, pl_into to) {
  const groups *g = y->data;
  const saved *v = y->saved;
  for (int64_t s = 0; s < g->count; s++) {
    double *c = v->work;
    dot(g, s, from, v->p, c);
    for (int64_t i = begin(g, s); i < begin(g, s + 1); i++) {
      int64_t at = i * g->inner;
#pragma omp simd
      for (int64_t j = 0; j < g->inner; j++)
        to.at[at + j] = (to.add ? to.at[at + j] : 0) + v->p[at + j] * (from[at + j] - c[j]);
    }
  }
}

/* The same for one column, where the loop over the group is the long one. */
static void project_rows(const pl_node *y, const double *from, pl_into to) {
  const groups *g = y->data;
  const double *p = ((const saved *)y->saved)->p;
  for (int64_t s = 0; s < g->count; s++) {
    double c;
    dot(g, s, from, p, &c);
    int64_t at = begin(g, s), n = begin(g, s + 1) - at;
    pl_row_project(n, to.add ? n : room(g, s), to.add, p + at, from + at, c, to.at + at);
  }
}

static void any_project(const pl_node *y, const double *from, pl_into to) {
  if (((const groups *)y->data)->inner == 1)
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
  const groups *g = y->data;
  const saved *v = y->saved;
  const double *p = v->p, *ydot = pl_tape_read(t, y, PL_TANGENT);
  double *c = v->work, *moved = v->work + g->inner;
  for (int64_t s = 0; s < g->count; s++) {
    dot(g, s, dy, p, c);
    dot(g, s, dy, ydot, moved);
    for (int64_t i = begin(g, s); i < begin(g, s + 1); i++)
      for (int64_t j = 0; j < g->inner; j++) {
        int64_t e = i * g->inner + j;
        dx.at[e] = (dx.add ? dx.at[e] : 0) + ydot[e] * (dy[e] - c[j]) - p[e] * moved[j];
      }
  }
}

/* ---- logarithms: one column ---- */

/* Sum over the entries of group s that the mask takes. */
static double sum_taken(const groups *g, int64_t s, const double *x) {
  double sum = 0;
  if (!g->mask)
    dot(g, s, x, NULL, &sum);
  else
    for (int64_t i = begin(g, s); i < begin(g, s + 1); i++) sum += g->mask[i] ? x[i] : 0;
  return sum;
}

static void log_backward(pl_tape *t, const pl_node *y, const double *dy) {
  pl_into dx = pl_tape_into(t, y->input[0]);
  const groups *g = y->data;
  const double *p = ((const saved *)y->saved)->p;
  if (!dx.at) return;
  for (int64_t s = 0; s < g->count; s++) {
    double sum = sum_taken(g, s, dy);
    int64_t at = begin(g, s), n = begin(g, s + 1) - at;
    if (!g->mask) {
      pl_row_less(n, dx.add ? n : room(g, s), dx.add, dy + at, p + at, sum, dx.at + at);
      continue;
    }
    for (int64_t i = at; i < at + n; i++)
      dx.at[i] = (dx.add ? dx.at[i] : 0) + (g->mask[i] ? dy[i] - p[i] * sum : 0);
  }
}

static void log_tangent(pl_tape *t, const pl_node *y) {
  pl_into to = pl_tape_into(t, y);
  const groups *g = y->data;
  const double *p = ((const saved *)y->saved)->p;
  const double *xdot = pl_tape_read(t, y->input[0], PL_TANGENT);
  for (int64_t s = 0; s < g->count; s++) {
    double mean;
    dot(g, s, xdot, p, &mean);
    for (int64_t i = begin(g, s); i < begin(g, s + 1); i++)
      to.at[i] = (to.add ? to.at[i] : 0) + (taken(g, i) ? xdot[i] - mean : 0);
  }
}

static void log_bend(pl_tape *t, const pl_node *y, const double *dy) {
  pl_into dx = pl_tape_into(t, y->input[0]);
  const groups *g = y->data;
  const double *p = ((const saved *)y->saved)->p, *ydot = pl_tape_read(t, y, PL_TANGENT);
  for (int64_t s = 0; s < g->count; s++) {
    double sum = sum_taken(g, s, dy);
    for (int64_t i = begin(g, s); i < begin(g, s + 1); i++)
      dx.at[i] = (dx.add ? dx.at[i] : 0) - p[i] * ydot[i] * sum;
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
  groups g = {x->rows, x->cols, 1, NULL, mask};
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
  groups g = {segments, 0, x->cols, start, NULL};
  return pl_apply_one(t, &pl_softmax_ops[SOFTMAX_SEGMENTS], x->rows, x->cols, x, &g, sizeof g);
}
