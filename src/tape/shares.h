/* Softmax over groups of rows of a matrix: the shares of their entries, and sums over many groups.
 * Internal to the tape. */
#ifndef PL_TAPE_SHARES_H
#define PL_TAPE_SHARES_H

#include "rows.h"

/* A softmax over groups of rows of an [n][inner] matrix, each of the inner columns on its own.
 * Over the rows of a matrix itself: its entries in one column, cut into groups of `width`. */
typedef struct pl_groups {
  int64_t count, width, inner;
  const int64_t *start; /* NULL: every group has width rows */
  const bool *mask;     /* of entries; NULL: all */
} pl_groups;

static inline int64_t pl_group_begin(const pl_groups *g, int64_t s) {
  return g->start ? g->start[s] : s * g->width;
}

/* ---- groups of one column ---- */

/* Entries that fill about half of the first-level cache. */
enum { PL_GROUPS_BLOCK = 1024 };

/* Groups taken together: adding up registers, dividing and what follows are short loops of their
 * own, in which a processor sees many groups at a time.  Group k has the entries at[k] ..
 * at[k + 1] - 1 of arrays of `all`. */
enum { PL_TOGETHER = 64 };
typedef struct pl_batch {
  int64_t count, all, at[PL_TOGETHER + 1];
  bool uneven; /* of lengths that nobody can guess */
} pl_batch;

/* The groups from s on, before `end`.  Returns the group after them. */
static inline int64_t pl_batch_take(const pl_groups *g, int64_t s, int64_t end, pl_batch *b) {
  b->all = pl_group_begin(g, g->count);
  b->uneven = g->start;
  b->at[0] = pl_group_begin(g, s);
  int64_t k = 0, most = b->at[0] + PL_GROUPS_BLOCK;
  do b->at[k + 1] = pl_group_begin(g, s + k + 1), k++;
  while (k < PL_TOGETHER && s + k < end && b->at[k] < most);
  b->count = k;
  return s + b->count;
}

/* Up to PL_SHORT entries, wherever there is room for as many, are worked on as PL_SHORT of them: no
 * loop, which would end at a place of its own in each group. */
enum { PL_SHORT = 3 * PL_LANES };
static inline bool pl_batch_short(const pl_batch *b, int64_t k) {
  return b->at[k + 1] - b->at[k] <= PL_SHORT && b->at[k] + PL_SHORT <= b->all;
}

/* sum[k] = sum of a_i b_i over group k; b NULL: of a_i. */
PL_ROW_INLINE void pl_batch_dots(const pl_batch *g, const double *a, const double *b, double *sum) {
  static const int64_t marks[2 * PL_SHORT] = {[0 ... PL_SHORT - 1] = -1};
  pl_lanes part[PL_TOGETHER];
  for (int64_t k = 0; k < g->count; k++) {
    int64_t n = g->at[k + 1] - g->at[k];
    const double *ak = a + g->at[k], *bk = b ? b + g->at[k] : NULL;
    pl_lanes sums = {0};
    if (pl_batch_short(g, k))
#pragma GCC unroll 3
      for (int64_t u = 0; u < PL_SHORT; u += PL_LANES) {
        pl_marks inside = *(const pl_marks *)(marks + PL_SHORT - n + u);
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

/* p = e^x / sum of e^x over a group, of one column; y, if not NULL: the logarithms of p.  A group's
 * shares do not depend on what stands in other groups. */
void pl_row_shares(const pl_groups *g, const double *x, double *p, double *y);
/* The same of each of the inner columns; work: [inner]. */
void pl_column_shares(const pl_groups *g, const double *x, double *p, double *work);

#endif
