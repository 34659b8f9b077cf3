#include "group/young.h"

#include "base/mem.h"
#include "base/status.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* The partitions of the box count `left` into parts of at most `most`, the first of them at least
 * `least`, appended below the rows p already has; counts only when list is NULL. */
static void list_partitions(pl_partition *p, int left, int most, int least, pl_partition *list,
                            int *count) {
  if (left == 0) {
    if (list) list[*count] = *p;
    ++*count;
    return;
  }
  for (int part = left < most ? left : most; part >= least; part--) {
    p->part[p->rows++] = (int8_t)part;
    list_partitions(p, left - part, part, 1, list, count);
    p->part[--p->rows] = 0;
  }
}

pl_partition *pl_partitions_within(int n, int k, int *count) {
  pl_require(n >= 0 && n <= INT8_MAX && k >= 0 && k < PL_MAX_N);
  pl_partition p = {.n = (int8_t)n};
  int least = n - k > 1 ? n - k : 1;
  *count = 0;
  list_partitions(&p, n, n, least, NULL, count);
  pl_partition *list = pl_alloc((size_t)*count, sizeof *list, "partitions");
  *count = 0;
  list_partitions(&p, n, n, least, list, count);
  return list;
}

pl_partition *pl_partitions(int n, int *count) {
  pl_require(n <= PL_MAX_N);
  return pl_partitions_within(n, n ? n - 1 : 0, count);
}

static int64_t common_divisor(int64_t a, int64_t b) {
  while (b) {
    int64_t rest = a % b;
    a = b, b = rest;
  }
  return a;
}

int64_t pl_partition_dim(const pl_partition *p) {
  /* n! over the hooks, largest factors against largest hooks: for long first rows the fraction
   * stays small where n! overflows. */
  int64_t above = 1, below = 1;
  for (int r = 0, k = p->n; r < p->rows; r++)
    for (int c = 0; c < p->part[r]; c++, k--) {
      int leg = 0;
      while (r + leg + 1 < p->rows && p->part[r + leg + 1] > c) leg++;
      above *= k;
      below *= p->part[r] - c + leg;
      if (p->n <= 20) continue;
      int64_t divisor = common_divisor(above, below);
      above /= divisor, below /= divisor;
    }
  return above / below;
}

int pl_partition_compare(const pl_partition *a, const pl_partition *b) {
  for (int r = 0; r < PL_MAX_N; r++)
    if (a->part[r] != b->part[r]) return a->part[r] < b->part[r] ? -1 : 1;
  return 0;
}

int pl_partition_label(const pl_partition *p, char *buf, size_t n) {
  int len = 0;
  if (n > 0) buf[0] = 0;
  for (int r = 0; r < p->rows; r++) {
    size_t left = (size_t)len < n ? n - (size_t)len : 0;
    len += snprintf(left ? buf + len : NULL, left, "%s%d", r ? "," : "", p->part[r]);
  }
  return len;
}

int pl_partition_remove(const pl_partition *p, int r, pl_partition *out) {
  if (r < 0 || r >= p->rows || (r + 1 < p->rows && p->part[r + 1] == p->part[r])) return 0;
  *out = *p;
  out->n--;
  if (--out->part[r] == 0) out->rows--;
  return 1;
}

int pl_partition_add(const pl_partition *p, int r, pl_partition *out) {
  if (p->n == PL_MAX_N || r < 0 || r > p->rows || (r > 0 && p->part[r - 1] == p->part[r])) return 0;
  *out = *p;
  out->n++;
  if (out->part[r]++ == 0) out->rows++;
  return 1;
}

/* Writes all tableaux whose first p->n letters fill the shape p and whose later letters stand in
 * letters[p->n..n-1].  Returns the place after the last one. */
static int8_t *list_tableaux(const pl_partition *p, int n, int8_t *letters, int8_t *out) {
  if (p->n == 0) {
    memcpy(out, letters, (size_t)n);
    return out + n;
  }
  for (int r = p->rows - 1; r >= 0; r--) {
    pl_partition less;
    if (!pl_partition_remove(p, r, &less)) continue;
    letters[p->n - 1] = (int8_t)r;
    out = list_tableaux(&less, n, letters, out);
  }
  return out;
}

int8_t *pl_tableaux(const pl_partition *p) {
  int64_t d = pl_partition_dim(p);
  int8_t *row = pl_alloc((size_t)d, p->n ? (size_t)p->n : 1, "standard tableaux"),
         letters[PL_MAX_N];
  list_tableaux(p, p->n, letters, row);
  return row;
}

/* Last-letter order: at the last letter that differs, the lower row (the larger number) is first.
 */
static int compare_tableaux(int n, const int8_t *a, const int8_t *b) {
  for (int k = n - 1; k >= 0; k--)
    if (a[k] != b[k]) return a[k] > b[k] ? -1 : 1;
  return 0;
}

static int64_t find_tableau(int n, int64_t d, const int8_t *tableaux, const int8_t *t) {
  int64_t lo = 0, hi = d;
  while (hi - lo > 1) {
    int64_t mid = lo + (hi - lo) / 2;
    *(compare_tableaux(n, tableaux + mid * n, t) <= 0 ? &lo : &hi) = mid;
  }
  return lo;
}

static int content(const int8_t *t, int k) {
  int column = 0;
  for (int j = 0; j < k; j++) column += t[j] == t[k];
  return column - t[k];
}

/* m becomes YOR(s_i) m, s_i exchanging letters i and i+1 (from 0). */
static void apply_transposition(int n, int64_t d, const int8_t *tableaux, int i, double *m) {
  for (int64_t a = 0; a < d; a++) {
    const int8_t *t = tableaux + a * n;
    int distance = content(t, i + 1) - content(t, i);
    if (distance == 1 || distance == -1) {
      for (int64_t j = 0; j < d; j++) m[a * d + j] *= distance;
      continue;
    }
    int8_t swapped[PL_MAX_N];
    memcpy(swapped, t, (size_t)n);
    swapped[i] = t[i + 1];
    swapped[i + 1] = t[i];
    int64_t b = find_tableau(n, d, tableaux, swapped);
    if (b < a) continue; /* the pair was done at b */
    double r = 1.0 / distance, q = sqrt(1 - r * r);
    for (int64_t j = 0; j < d; j++) {
      double x = m[a * d + j], y = m[b * d + j];
      m[a * d + j] = r * x + q * y;
      m[b * d + j] = q * x - r * y;
    }
  }
}

void pl_young_orthogonal(const pl_partition *p, const int8_t *perm, double *out) {
  int n = p->n;
  int64_t d = pl_partition_dim(p);
  int8_t *tableaux = pl_tableaux(p), s[PL_MAX_N];
  memset(out, 0, (size_t)(d * d) * sizeof *out);
  for (int64_t a = 0; a < d; a++) out[a * d + a] = 1;
  memcpy(s, perm, (size_t)n);
  /* Sorting positions gives s s_a s_b .. = e, so s = .. s_b s_a: s_a is applied first. */
  for (int end = n - 1; end > 0; end--)
    for (int i = 0; i < end; i++)
      if (s[i] > s[i + 1]) {
        int8_t x = s[i];
        s[i] = s[i + 1];
        s[i + 1] = x;
        apply_transposition(n, d, tableaux, i, out);
      }
  pl_free(tableaux);
}
