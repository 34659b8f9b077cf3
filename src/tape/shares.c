#include "shares.h"

#include "base/elementary.h"

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

static int64_t block_end(const pl_groups *g, int64_t s) {
  int64_t e = s + 1;
  while (e < g->count &&
         (pl_group_begin(g, e + 1) - pl_group_begin(g, s)) * g->inner <= PL_GROUPS_BLOCK)
    e++;
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

/* 1/sum in place of each, and its logarithm; a group without entries shares nothing. */
PL_ROW_INLINE void divide_sums(int64_t n, double *sum, double *logs) {
#pragma omp simd
  for (int64_t k = 0; k < n; k++) {
    double all = sum[k] == 0 ? 1 : sum[k];
    if (logs) logs[k] = pl_logarithm(all);
    sum[k] = 1 / all;
  }
}

/* p_i = e_i share and y_i = x_i - top - log.  p may be e, y may be x. */
PL_ROW_INLINE void share_row(int64_t n, const double *x, double top, double log, double share,
                             const double *e, double *p, double *y) {
  int64_t i = 0;
  for (; i + PL_LANES <= n; i += PL_LANES) {
    *(pl_lanes *)(p + i) = pl_lanes_at(e + i) * share;
    *(pl_lanes *)(y + i) = pl_lanes_at(x + i) - top - log;
  }
  for (; i < n; i++) p[i] = e[i] * share, y[i] = x[i] - top - log;
}

/* p, and y, if not NULL, its logarithms.  x may be y, or p where y is NULL. */
static void wide_shares(const pl_batch *g, const double *x, double *p, double *y) {
  double top[PL_TOGETHER], sum[PL_TOGETHER], logs[PL_TOGETHER];
  for (int64_t k = 0; k < g->count; k++) {
    int64_t at = g->at[k], n = g->at[k + 1] - at;
    top[k] = reference(pl_row_largest(n, g->all - at, x + at));
    sum[k] = exp_row(n, x + at, top[k], p + at);
  }
  divide_sums(g->count, sum, y ? logs : NULL);
  for (int64_t k = 0; k < g->count; k++) {
    int64_t at = g->at[k], n = g->at[k + 1] - at;
    if (y)
      share_row(n, x + at, top[k], logs[k], sum[k], p + at, p + at, y + at);
    else
      pl_row_times(n, n, p + at, sum[k], p + at);
  }
}

/* p = e / sum e of one group of n entries, behind which `space` may be read and written; e is not
 * p. Up to PL_SHORT entries alike.  Returns the sum. */
PL_ROW_INLINE double divide_group(int64_t n, int64_t space, const double *e, double *p) {
  double sum = 0;
  if (n > PL_SHORT || PL_SHORT > space) {
    sum = pl_row_dot(n, space, e, NULL);
    pl_row_times(n, space, e, 1 / sum, p);
    return sum;
  }
  pl_lanes v[PL_SHORT / PL_LANES], sums = {0};
  for (int u = 0; u < PL_SHORT / PL_LANES; u++) {
    v[u] = pl_lanes_at(e + u * PL_LANES);
    sums += pl_lanes_first(n - u * PL_LANES, v[u], 0);
  }
  for (int l = 0; l < PL_LANES; l++) sum += sums[l];
  for (int u = 0; u < PL_SHORT / PL_LANES; u++) *(pl_lanes *)(p + u * PL_LANES) = v[u] * (1 / sum);
  return sum;
}

/* The groups s .. end - 1, of up to PL_GROUPS_BLOCK entries; x and p from the first of them on. */
static void plain_shares(const pl_groups *g, int64_t s, int64_t end, const double *x, double *p) {
  double e[PL_GROUPS_BLOCK];
  int64_t first = pl_group_begin(g, s), all = pl_group_begin(g, end) - first;
  bool plain = true;
  exp_plain(all, x, e);
  for (int64_t k = s; k < end; k++) {
    int64_t at = pl_group_begin(g, k) - first, n = pl_group_begin(g, k + 1) - first - at;
    double sum = divide_group(n, all - at, e + at, p + at);
    plain &= is_plain(sum) || n == 0;
  }
  for (int64_t k = s; k < end && !plain; k++) {
    int64_t at = pl_group_begin(g, k) - first, n = pl_group_begin(g, k + 1) - first - at;
    pl_batch one = {1, all, {at, at + n}, true};
    if (!is_plain(pl_row_dot(n, all - at, e + at, NULL))) wide_shares(&one, x, p, NULL);
  }
}

/* Rows of less than a register, as many as TILE of them side by side: turned, so that an operation
 * takes an entry of several rows. */
enum { TILE = 32 };

PL_ROW_INLINE void turned_tile(int64_t rows, int64_t n, const double *x, double *p, double *y) {
  double z[PL_LANES][TILE], e[PL_LANES][TILE], top[TILE], sum[TILE], logs[TILE];
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
  divide_sums(rows, sum, y ? logs : NULL);
  for (int64_t r = 0; r < rows; r++)
    for (int64_t j = 0; j < n; j++) p[r * n + j] = e[j][r] * sum[r];
  for (int64_t r = 0; r < rows && y; r++)
    for (int64_t j = 0; j < n; j++) y[r * n + j] = z[j][r] - logs[r];
}

static void turned_shares(int64_t rows, int64_t n, const double *x, double *p, double *y) {
  int64_t i = 0;
  for (; i + TILE <= rows; i += TILE)
    turned_tile(TILE, n, x + i * n, p + i * n, y ? y + i * n : NULL);
  turned_tile(rows - i, n, x + i * n, p + i * n, y ? y + i * n : NULL);
}

enum { NARROW = 4 * PL_LANES };

/* Rows of n entries that w registers hold, up to four, of which the last ends where the row does
 * and shares entries with the one before.  Register u of row r: */
PL_ROW_INLINE int64_t narrow_at(int w, int64_t n, int64_t r, int u) {
  return r * n + (u == w - 1 ? n - PL_LANES : (int64_t)u * PL_LANES);
}

PL_ROW_INLINE void narrow_block(int w, int64_t rows, int64_t n, const double *x, double *p,
                                double *y) {
  double z[PL_TOGETHER * NARROW], e[PL_TOGETHER * NARROW], sum[PL_TOGETHER], logs[PL_TOGETHER];
  pl_marks fresh = pl_lanes_places() >= (double)(w * PL_LANES - n);
  for (int64_t r = 0; r < rows; r++) {
    pl_lanes most = pl_lanes_at(x + narrow_at(w, n, r, w - 1));
#pragma GCC unroll 4
    for (int u = 0; u < w - 1; u++)
      most = pl_lanes_larger(pl_lanes_at(x + narrow_at(w, n, r, u)), most);
    double top = most[0];
    for (int k = 1; k < PL_LANES; k++) top = most[k] > top ? most[k] : top;
    top = reference(top);
#pragma GCC unroll 4
    for (int u = 0; u < w; u++) {
      int64_t at = narrow_at(w, n, r, u);
      *(pl_lanes *)(z + at) = pl_lanes_at(x + at) - top;
    }
  }
#pragma omp simd
  for (int64_t i = 0; i < rows * n; i++) e[i] = pl_exp_negative(z[i]);
  for (int64_t r = 0; r < rows; r++) {
    pl_lanes last = pl_lanes_at(e + narrow_at(w, n, r, w - 1));
    pl_lanes sums = (pl_lanes)(fresh & (pl_marks)last);
#pragma GCC unroll 4
    for (int u = 0; u < w - 1; u++) sums += pl_lanes_at(e + narrow_at(w, n, r, u));
    sum[r] = sums[0];
    for (int k = 1; k < PL_LANES; k++) sum[r] += sums[k];
  }
  divide_sums(rows, sum, y ? logs : NULL);
  for (int64_t r = 0; r < rows; r++)
#pragma GCC unroll 4
    for (int u = 0; u < w; u++) {
      int64_t at = narrow_at(w, n, r, u);
      *(pl_lanes *)(p + at) = pl_lanes_at(e + at) * sum[r];
      if (y) *(pl_lanes *)(y + at) = pl_lanes_at(z + at) - logs[r];
    }
}

static void narrow_shares(int64_t rows, int64_t n, const double *x, double *p, double *y) {
  for (int64_t i = 0; i < rows; i += PL_TOGETHER) {
    int64_t now = rows - i < PL_TOGETHER ? rows - i : PL_TOGETHER, at = i * n;
    double *of = y ? y + at : NULL;
    switch ((n + PL_LANES - 1) / PL_LANES) {
    case 1:
      narrow_block(1, now, n, x + at, p + at, of);
      break;
    case 2:
      narrow_block(2, now, n, x + at, p + at, of);
      break;
    case 3:
      narrow_block(3, now, n, x + at, p + at, of);
      break;
    default:
      narrow_block(4, now, n, x + at, p + at, of);
    }
  }
}

void pl_row_shares(const pl_groups *g, const double *x, double *p, double *y) {
  if (g->mask) { /* where the results will stand: x, minus infinity where it is masked */
    double *taken_x = y ? y : p;
    for (int64_t i = 0; i < pl_group_begin(g, g->count); i++)
      taken_x[i] = g->mask[i] ? x[i] : -INFINITY;
    x = taken_x;
  }
  if (!g->start && g->width <= NARROW) {
    (g->width < PL_LANES ? turned_shares : narrow_shares)(g->count, g->width, x, p, y);
    return;
  }
  for (int64_t s = 0, end; s < g->count; s = end) {
    int64_t at = pl_group_begin(g, s);
    pl_batch b;
    end = block_end(g, s);
    if (!y && x != p && pl_group_begin(g, end) - at <= PL_GROUPS_BLOCK) {
      plain_shares(g, s, end, x + at, p + at);
    } else {
      end = pl_batch_take(g, s, end, &b);
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

void pl_column_shares(const pl_groups *g, const double *x, double *p, double *work) {
  int64_t n = g->inner;
  for (int64_t s = 0, end; s < g->count; s = end) {
    end = block_end(g, s);
    int64_t from = pl_group_begin(g, s) * n;
    exp_plain(pl_group_begin(g, end) * n - from, x + from, p + from);
    for (int64_t k = s; k < end; k++) {
      int64_t rows = pl_group_begin(g, k + 1) - pl_group_begin(g, k);
      if (rows == 0 || divide_columns(rows, n, p + pl_group_begin(g, k) * n)) continue;
      column_exp(pl_group_begin(g, k), pl_group_begin(g, k + 1), n, x, p, work);
      divide_columns(rows, n, p + pl_group_begin(g, k) * n);
    }
  }
}
