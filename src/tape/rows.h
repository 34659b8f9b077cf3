/* Sums, maxima and maps of rows, most of them short: a few registers each, whatever the length.  A
 * row's last register reads on into the rows after it and leaves out what it finds there, as far as
 * `room` numbers from the row's start; where that is not enough it goes number by number.  Internal
 * to the tape. */
#ifndef PL_TAPE_ROWS_H
#define PL_TAPE_ROWS_H

#include "base/lanes.h"

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef int64_t pl_marks
    __attribute__((vector_size(PL_LANES * sizeof(int64_t)), aligned(8), may_alias));

#define PL_ROW_INLINE static inline __attribute__((always_inline))

PL_ROW_INLINE pl_lanes pl_lanes_at(const double *x) {
  return *(const pl_lanes *)x;
}

PL_ROW_INLINE pl_lanes pl_lanes_product(const double *a, const double *b) {
  if (!b) return pl_lanes_at(a);
  return pl_lanes_at(a) * pl_lanes_at(b);
}

/* a where marked, else b. */
PL_ROW_INLINE pl_lanes pl_lanes_select(pl_marks marked, pl_lanes a, pl_lanes b) {
  return (pl_lanes)((marked & (pl_marks)a) | (~marked & (pl_marks)b));
}

/* 0, 1, .. */
PL_ROW_INLINE pl_lanes pl_lanes_places(void) {
  pl_lanes place;
  for (int k = 0; k < PL_LANES; k++) place[k] = k;
  return place;
}

/* The first n of them, others in place of the rest. */
PL_ROW_INLINE pl_lanes pl_lanes_first(int64_t n, pl_lanes x, double others) {
  return pl_lanes_select(pl_lanes_places() < (double)n, x, (pl_lanes){0} + others);
}

/* NaN in a passed over. */
PL_ROW_INLINE pl_lanes pl_lanes_larger(pl_lanes a, pl_lanes b) {
  return pl_lanes_select(a > b, a, b);
}

/* The largest of n numbers, NaN passed over.  Short rows number by number, here and in sums:
 * folding a register costs more. */
PL_ROW_INLINE double pl_row_largest(int64_t n, int64_t room, const double *x) {
  if (n <= 2 * PL_LANES) {
    double most_of_few = -INFINITY;
    for (int64_t i = 0; i < n; i++) most_of_few = x[i] > most_of_few ? x[i] : most_of_few;
    return most_of_few;
  }
  pl_lanes most = (pl_lanes){0} - INFINITY, m[4] = {most, most, most, most};
  int64_t i = 0;
  for (; i + 4 * PL_LANES <= n; i += 4 * PL_LANES)
#pragma GCC unroll 4
    for (int k = 0; k < 4; k++) m[k] = pl_lanes_larger(pl_lanes_at(x + i + k * PL_LANES), m[k]);
  if (i > 0) most = pl_lanes_larger(pl_lanes_larger(m[0], m[1]), pl_lanes_larger(m[2], m[3]));
  for (; i + PL_LANES <= n; i += PL_LANES) most = pl_lanes_larger(pl_lanes_at(x + i), most);
  if (i < n && i + PL_LANES <= room) {
    most = pl_lanes_larger(pl_lanes_first(n - i, pl_lanes_at(x + i), -INFINITY), most);
    i = n;
  }
  double top = most[0];
  for (int k = 1; k < PL_LANES; k++) top = most[k] > top ? most[k] : top;
  for (; i < n; i++) top = x[i] > top ? x[i] : top;
  return top;
}

/* Where the first NaN stands, or else the first of n > 0 numbers that is best. */
PL_ROW_INLINE int64_t pl_row_place(int64_t n, int64_t room, const double *x, double best) {
  const pl_lanes none = (pl_lanes){0} + (double)n;
  pl_lanes first = none, nan = none, place = pl_lanes_places();
  int64_t i = 0;
  for (; i < n && i + PL_LANES <= room; i += PL_LANES, place += PL_LANES) {
    pl_lanes v = pl_lanes_at(x + i), here = pl_lanes_select(v == best, place, none);
    pl_lanes lost = pl_lanes_select(v != v, place, none);
    first = pl_lanes_select(here < first, here, first);
    nan = pl_lanes_select(lost < nan, lost, nan);
  }
  double at = (double)n, odd = (double)n;
  for (int k = 0; k < PL_LANES; k++) {
    at = first[k] < at ? first[k] : at;
    odd = nan[k] < odd ? nan[k] : odd;
  }
  for (; i < n; i++) {
    at = x[i] == best && (double)i < at ? (double)i : at;
    odd = x[i] != x[i] && (double)i < odd ? (double)i : odd;
  }
  return (int64_t)(odd < (double)n ? odd : at);
}

/* Sum of a_i b_i; b NULL: of a_i. */
PL_ROW_INLINE double pl_row_dot(int64_t n, int64_t room, const double *a, const double *b) {
  if (n <= 2 * PL_LANES) {
    double sum_of_few = 0;
    for (int64_t i = 0; i < n; i++) sum_of_few += b ? a[i] * b[i] : a[i];
    return sum_of_few;
  }
  pl_lanes sums = {0}, s[4] = {sums, sums, sums, sums};
  int64_t i = 0;
  for (; i + 4 * PL_LANES <= n; i += 4 * PL_LANES)
#pragma GCC unroll 4
    for (int k = 0; k < 4; k++)
      s[k] += pl_lanes_product(a + i + k * PL_LANES, b ? b + i + k * PL_LANES : NULL);
  if (i > 0) sums = (s[0] + s[1]) + (s[2] + s[3]);
  for (; i + PL_LANES <= n; i += PL_LANES) sums += pl_lanes_product(a + i, b ? b + i : NULL);
  if (i < n && i + PL_LANES <= room) {
    sums += pl_lanes_first(n - i, pl_lanes_product(a + i, b ? b + i : NULL), 0);
    i = n;
  }
  double sum = 0;
  for (int k = 0; k < PL_LANES; k++) sum += sums[k];
  for (; i < n; i++) sum += b ? a[i] * b[i] : a[i];
  return sum;
}

/* y_i = a_i c.  Where there is room y is written beyond the row: rows go in order, and a is not y.
 */
PL_ROW_INLINE void pl_row_times(int64_t n, int64_t room, const double *a, double c, double *y) {
  int64_t i = 0;
  for (; i < n && i + PL_LANES <= room; i += PL_LANES)
    *(pl_lanes *)(y + i) = pl_lanes_at(a + i) * c;
  for (; i < n; i++) y[i] = a[i] * c;
}

/* y_i (+)= p_i (a_i - c), and a_i - p_i c; added: room n. */
PL_ROW_INLINE void pl_row_project(int64_t n, int64_t room, bool add, const double *p,
                                  const double *a, double c, double *y) {
  int64_t i = 0;
  for (; i < n && i + PL_LANES <= room; i += PL_LANES) {
    pl_lanes v = pl_lanes_at(p + i) * (pl_lanes_at(a + i) - c);
    *(pl_lanes *)(y + i) = add ? (pl_lanes)(pl_lanes_at(y + i) + v) : v;
  }
  for (; i < n; i++) y[i] = (add ? y[i] : 0) + p[i] * (a[i] - c);
}
PL_ROW_INLINE void pl_row_less(int64_t n, int64_t room, bool add, const double *a, const double *p,
                               double c, double *y) {
  int64_t i = 0;
  for (; i < n && i + PL_LANES <= room; i += PL_LANES) {
    pl_lanes v = pl_lanes_at(a + i) - pl_lanes_at(p + i) * c;
    *(pl_lanes *)(y + i) = add ? (pl_lanes)(pl_lanes_at(y + i) + v) : v;
  }
  for (; i < n; i++) y[i] = (add ? y[i] : 0) + (a[i] - p[i] * c);
}

#endif
