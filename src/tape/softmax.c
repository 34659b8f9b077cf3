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

/* p: the shares e^x / sum e^x; work: two numbers per inner column. */
typedef struct saved {
  double *p, *work;
} saved;

static inline int64_t begin(const groups *g, int64_t s) {
  return g->start ? g->start[s] : s * g->width;
}

static inline bool taken(const groups *g, int64_t i) {
  return !g->mask || g->mask[i];
}

/* sum[j] = sum of a_ij b_ij over the rows of group s. */
static inline void dot(const groups *g, int64_t s, const double *a, const double *b, double *sum) {
  int64_t n = g->inner;
  memset(sum, 0, (size_t)n * sizeof *sum);
  for (int64_t i = begin(g, s); i < begin(g, s + 1); i++) {
#pragma omp simd
    for (int64_t j = 0; j < n; j++) sum[j] += a[i * n + j] * b[i * n + j];
  }
}

/* ---- groups of one column ---- */

/* Entries that fill about half of the first-level cache. */
enum { BLOCK = 1024 };

/* Groups taken together: adding up registers, dividing and what follows are short loops of their
 * own, in which a processor sees many groups at a time.  Group k has the entries at[k] ..
 * at[k + 1] - 1 of arrays of `all`. */
enum { TOGETHER = 64 };
typedef struct batch {
  int64_t count, all, at[TOGETHER + 1];
  bool uneven; /* of lengths that nobody can guess */
} batch;

/* The groups from s on, before `end`; entries are counted from those of group `from`, as far as
 * group `to`.  Returns the group after them. */
static int64_t gather_groups(const groups *g, int64_t s, int64_t end, int64_t from, int64_t to,
                             batch *b) {
  int64_t first = begin(g, from);
  b->all = begin(g, to) - first;
  b->uneven = g->start;
  b->at[0] = begin(g, s) - first;
  int64_t k = 0, most = b->at[0] + BLOCK;
  do b->at[k + 1] = begin(g, s + k + 1) - first, k++;
  while (k < TOGETHER && s + k < end && b->at[k] < most);
  b->count = k;
  return s + b->count;
}

/* Up to SHORT entries, wherever there is room for as many, are worked on as SHORT of them: no loop,
 * which would end at a place of its own in each group. */
enum { SHORT = 3 * PL_LANES };
static inline bool is_short(const batch *b, int64_t k) {
  return b->at[k + 1] - b->at[k] <= SHORT && b->at[k] + SHORT <= b->all;
}

/* sum[k] = sum of a_i b_i over group k; b NULL: of a_i. */
PL_ROW_INLINE void dots(const batch *g, const double *a, const double *b, double *sum) {
  static const int64_t marks[2 * SHORT] = {[0 ... SHORT - 1] = -1};
  pl_lanes part[TOGETHER];
  for (int64_t k = 0; k < g->count; k++) {
    int64_t n = g->at[k + 1] - g->at[k];
    const double *ak = a + g->at[k], *bk = b ? b + g->at[k] : NULL;
    pl_lanes sums = {0};
    if (is_short(g, k))
#pragma GCC unroll 3
      for (int64_t u = 0; u < SHORT; u += PL_LANES) {
        pl_marks inside = *(const pl_marks *)(marks + SHORT - n + u);
        sums += (pl_lanes)(inside & (pl_marks)pl_lanes_product(ak + u, bk ? bk + u : NULL));
      }
    else
      sums[0] = pl_row_dot(n, g->all - g->at[k], ak, bk);
    part[k] = sums;
  }
  for (int64_t k = 0; k < g->count; k++) {
    double all = part[k][0];
    for (int l = 1; l < PL_LANES; l++) all += part[k][l];
    sum[k] = all;
  }
}

/* ---- shares ---- */

/* y_i = e^x_i where that is within what numbers hold, 0 or more than PLAIN_MOST elsewhere. */
static void exp_plain(int64_t n, const double *x, double *y) {
#pragma omp simd
  for (int64_t i = 0; i < n; i++) y[i] = pl_exp_negative(pl_no_more(pl_limits.most, x[i]));
}

/* Shares need no largest entry taken off first where sums of e^x are such: what counts as 0 is none
 * of 1e-200 of them. */
#define PLAIN_LEAST 1e-100
#define PLAIN_MOST  1e300
static inline bool is_plain(double sum) {
  return sum > PLAIN_LEAST && sum < PLAIN_MOST;
}

static int64_t block_end(const groups *g, int64_t s) {
  int64_t e = s + 1;
  while (e < g->count && (begin(g, e + 1) - begin(g, s)) * g->inner <= BLOCK) e++;
  return e;
}

/* e_j = exp(x_j - top); returns their sum.  e may be x. */
PL_ROW_INLINE double exp_row(int64_t n, const double *x, double top, double *e) {
  double sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int64_t j = 0; j < n; j++) {
    e[j] = pl_exp_negative(x[j] - top);
    sum += e[j];
  }
  return sum;
}

/* What is taken off before exp: the largest, or nothing where that is not finite. */
static inline double reference(double top) {
  return top > -INFINITY ? top : 0;
}

/* p, and y, if not NULL, its logarithms.  x may be y, or p where y is NULL. */
static void wide_shares(const batch *g, const double *x, double *p, double *y) {
  double top[TOGETHER], sum[TOGETHER], logs[TOGETHER];
  for (int64_t k = 0; k < g->count; k++) {
    int64_t at = g->at[k], n = g->at[k + 1] - at;
    top[k] = reference(pl_row_largest(n, g->all - at, x + at));
    sum[k] = exp_row(n, x + at, top[k], p + at);
  }
#pragma omp simd
  for (int64_t k = 0; k < g->count; k++) { /* a group without entries: nothing is shared */
    double all = sum[k] == 0 ? 1 : sum[k];
    logs[k] = pl_log(all);
    sum[k] = 1 / all;
  }
  for (int64_t k = 0; k < g->count; k++) {
    int64_t at = g->at[k], n = g->at[k + 1] - at;
    pl_row_times(n, n, p + at, sum[k], p + at);
    if (y) pl_row_minus(n, n, x + at, top[k], logs[k], y + at);
  }
}

/* p = e / sum e of one group of n entries, behind which `space` may be read and written; e is not
 * p. Up to SHORT entries alike.  Returns the sum. */
PL_ROW_INLINE double divide_group(int64_t n, int64_t space, const double *e, double *p) {
  double sum = 0;
  if (n > SHORT || SHORT > space) {
    sum = pl_row_dot(n, space, e, NULL);
    pl_row_times(n, space, e, 1 / sum, p);
    return sum;
  }
  pl_lanes v[SHORT / PL_LANES], sums = {0};
  for (int u = 0; u < SHORT / PL_LANES; u++) {
    v[u] = pl_lanes_at(e + u * PL_LANES);
    sums += pl_lanes_first(n - u * PL_LANES, v[u], 0);
  }
  for (int l = 0; l < PL_LANES; l++) sum += sums[l];
  for (int u = 0; u < SHORT / PL_LANES; u++) *(pl_lanes *)(p + u * PL_LANES) = v[u] * (1 / sum);
  return sum;
}

/* The groups s .. end - 1, of up to BLOCK entries; x and p from the first of them on. */
static void plain_shares(const groups *g, int64_t s, int64_t end, const double *x, double *p) {
  double e[BLOCK];
  int64_t first = begin(g, s), all = begin(g, end) - first;
  bool plain = true;
  exp_plain(all, x, e);
  for (int64_t k = s; k < end; k++) {
    int64_t at = begin(g, k) - first, n = begin(g, k + 1) - first - at;
    double sum = divide_group(n, all - at, e + at, p + at);
    plain &= is_plain(sum) || n == 0;
  }
  for (int64_t k = s; k < end && !plain; k++) {
    int64_t at = begin(g, k) - first, n = begin(g, k + 1) - first - at;
    batch one = {1, all, {at, at + n}, true};
    if (!is_plain(pl_row_dot(n, all - at, e + at, NULL))) wide_shares(&one, x, p, NULL);
  }
}

/* Rows of up to NARROW entries, as many as TILE of them side by side: turned, so that an operation
 * takes an entry of several rows. */
enum { NARROW = 16, TILE = 32 };

PL_ROW_INLINE void narrow_tile(int64_t rows, int64_t n, const double *x, double *p, double *y) {
  double z[NARROW][TILE], e[NARROW][TILE], top[TILE], sum[TILE], logs[TILE];
  for (int64_t r = 0; r < rows; r++) top[r] = -INFINITY, sum[r] = 0;
  for (int64_t r = 0; r < rows; r++)
    for (int64_t j = 0; j < n; j++) z[j][r] = x[r * n + j];
  for (int64_t j = 0; j < n; j++)
#pragma omp simd
    for (int64_t r = 0; r < rows; r++) top[r] = z[j][r] > top[r] ? z[j][r] : top[r];
  for (int64_t r = 0; r < rows; r++) top[r] = reference(top[r]);
  for (int64_t j = 0; j < n; j++)
#pragma omp simd
    for (int64_t r = 0; r < rows; r++) {
      z[j][r] -= top[r];
      e[j][r] = pl_exp_negative(z[j][r]);
      sum[r] += e[j][r];
    }
#pragma omp simd
  for (int64_t r = 0; r < rows; r++) {
    double all = sum[r] == 0 ? 1 : sum[r];
    if (y) logs[r] = pl_log(all);
    sum[r] = 1 / all;
  }
  for (int64_t r = 0; r < rows; r++)
    for (int64_t j = 0; j < n; j++) p[r * n + j] = e[j][r] * sum[r];
  for (int64_t r = 0; r < rows && y; r++)
    for (int64_t j = 0; j < n; j++) y[r * n + j] = z[j][r] - logs[r];
}

static void narrow_shares(int64_t rows, int64_t n, const double *x, double *p, double *y) {
  int64_t i = 0;
  for (; i + TILE <= rows; i += TILE)
    narrow_tile(TILE, n, x + i * n, p + i * n, y ? y + i * n : NULL);
  narrow_tile(rows - i, n, x + i * n, p + i * n, y ? y + i * n : NULL);
}

static void row_shares(const groups *g, const double *x, double *p, double *y) {
  if (g->mask) { /* where the results will stand: x, minus infinity where it is masked */
    double *taken_x = y ? y : p;
    for (int64_t i = 0; i < begin(g, g->count); i++) taken_x[i] = g->mask[i] ? x[i] : -INFINITY;
    x = taken_x;
  }
  if (!g->start && g->width <= NARROW) {
    narrow_shares(g->count, g->width, x, p, y);
    return;
  }
  for (int64_t s = 0, end; s < g->count; s = end) {
    int64_t at = begin(g, s);
    batch b;
    end = block_end(g, s);
    if (!y && x != p && begin(g, end) - at <= BLOCK) {
      plain_shares(g, s, end, x + at, p + at);
    } else {
      end = gather_groups(g, s, end, 0, g->count, &b);
      wide_shares(&b, x, p, y);
    }
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
  for (int64_t j = 0; j < n; j++) top[j] = reference(top[j]);
  for (int64_t i = first; i < last; i++)
#pragma omp simd
    for (int64_t j = 0; j < n; j++) p[i * n + j] = pl_exp_negative(x[i * n + j] - top[j]);
}

/* p_ij /= sum of p_ij over the rows, in as many columns as w registers have; no sum: p is 0.
 * Marks the columns whose sums are plain. */
PL_ROW_INLINE pl_marks divide_panel(int w, int64_t rows, int64_t n, double *p) {
  pl_lanes sum[4];
  pl_marks plain = (pl_marks){0} - 1;
#pragma GCC unroll 4
  for (int u = 0; u < w; u++) sum[u] = (pl_lanes){0};
  for (int64_t i = 0; i < rows; i++)
#pragma GCC unroll 4
    for (int u = 0; u < w; u++) sum[u] += pl_lanes_at(p + i * n + u * PL_LANES);
#pragma GCC unroll 4
  for (int u = 0; u < w; u++) {
    plain &= (sum[u] > PLAIN_LEAST) & (sum[u] < PLAIN_MOST);
    sum[u] = pl_lanes_select(sum[u] == 0, sum[u], 1 / sum[u]);
  }
  for (int64_t i = 0; i < rows; i++)
#pragma GCC unroll 4
    for (int u = 0; u < w; u++) *(pl_lanes *)(p + i * n + u * PL_LANES) *= sum[u];
  return plain;
}

/* True where all columns are plain. */
static bool divide_columns(int64_t rows, int64_t n, double *p) {
  pl_marks plain = (pl_marks){0} - 1;
  bool all = true;
  int64_t j = 0;
  for (; j + 4 * PL_LANES <= n; j += 4 * PL_LANES) plain &= divide_panel(4, rows, n, p + j);
  for (; j + 2 * PL_LANES <= n; j += 2 * PL_LANES) plain &= divide_panel(2, rows, n, p + j);
  for (; j < n; j++) {
    double sum = 0;
    for (int64_t i = 0; i < rows; i++) sum += p[i * n + j];
    all &= is_plain(sum);
    sum = sum == 0 ? 0 : 1 / sum;
    for (int64_t i = 0; i < rows; i++) p[i * n + j] *= sum;
  }
  for (int l = 0; l < PL_LANES; l++) all &= plain[l] != 0;
  return all;
}

static void column_shares(const groups *g, const double *x, double *p, double *work) {
  int64_t n = g->inner;
  for (int64_t s = 0, end; s < g->count; s = end) {
    end = block_end(g, s);
    int64_t from = begin(g, s) * n;
    exp_plain(begin(g, end) * n - from, x + from, p + from);
    for (int64_t k = s; k < end; k++) {
      int64_t rows = begin(g, k + 1) - begin(g, k);
      if (rows == 0 || divide_columns(rows, n, p + begin(g, k) * n)) continue;
      column_exp(begin(g, k), begin(g, k + 1), n, x, p, work);
      divide_columns(rows, n, p + begin(g, k) * n);
    }
  }
}

static void forward(pl_tape *t, pl_node *y, double *out) {
  const groups *g = y->data;
  saved *s = y->saved = pl_tape_alloc(t, 1, sizeof *s);
  s->work = pl_tape_alloc(t, 2 * (size_t)g->inner, sizeof(double));
  bool logs = y->op == &pl_softmax_ops[LOG_SOFTMAX];
  s->p = logs ? pl_tape_alloc(t, (size_t)pl_tape_count(y), sizeof(double)) : out;
  if (g->inner == 1)
    row_shares(g, y->input[0]->value, s->p, logs ? out : NULL);
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
  double c[TOGETHER];
  batch b;
  for (int64_t s = 0; s < g->count;) {
    s = gather_groups(g, s, g->count, 0, g->count, &b);
    dots(&b, from, p, c);
    for (int64_t k = 0; k < b.count; k++) {
      int64_t at = b.at[k], n = b.at[k + 1] - at, space = to.add ? n : b.all - at;
      if (b.uneven && !to.add && is_short(&b, k)) n = space = SHORT;
      pl_row_project(n, space, to.add, p + at, from + at, c[k], to.at + at);
    }
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

/* sum[k] = sum of x_i over the entries of group k that the mask, if any, takes. */
static void sums_taken(const batch *b, const bool *mask, const double *x, double *sum) {
  if (!mask) {
    dots(b, x, NULL, sum);
    return;
  }
  for (int64_t k = 0; k < b->count; k++) {
    sum[k] = 0;
    for (int64_t i = b->at[k]; i < b->at[k + 1]; i++) sum[k] += mask[i] ? x[i] : 0;
  }
}

static void log_backward(pl_tape *t, const pl_node *y, const double *dy) {
  pl_into dx = pl_tape_into(t, y->input[0]);
  const groups *g = y->data;
  const double *p = ((const saved *)y->saved)->p;
  double sum[TOGETHER];
  batch b;
  for (int64_t s = 0; s < g->count && dx.at;) {
    s = gather_groups(g, s, g->count, 0, g->count, &b);
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
  const groups *g = y->data;
  const double *p = ((const saved *)y->saved)->p;
  const double *xdot = pl_tape_read(t, y->input[0], PL_TANGENT);
  double mean[TOGETHER];
  batch b;
  for (int64_t s = 0; s < g->count;) {
    s = gather_groups(g, s, g->count, 0, g->count, &b);
    dots(&b, xdot, p, mean);
    for (int64_t k = 0; k < b.count; k++)
      for (int64_t i = b.at[k]; i < b.at[k + 1]; i++)
        to.at[i] = (to.add ? to.at[i] : 0) + (taken(g, i) ? xdot[i] - mean[k] : 0);
  }
}

static void log_bend(pl_tape *t, const pl_node *y, const double *dy) {
  pl_into dx = pl_tape_into(t, y->input[0]);
  const groups *g = y->data;
  const double *p = ((const saved *)y->saved)->p, *ydot = pl_tape_read(t, y, PL_TANGENT);
  double sum[TOGETHER];
  batch b;
  for (int64_t s = 0; s < g->count;) {
    s = gather_groups(g, s, g->count, 0, g->count, &b);
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
