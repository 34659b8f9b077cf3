#include "group/weak_order.h"

#include <string.h>

void pl_weak_order_sizes(int n, const int8_t *rank, int8_t *size) {
  memset(size, 0, (size_t)n);
  for (int i = 0; i < n; i++) size[rank[i]]++;
  for (int j = 1; j < n; j++)
    if (!size[j]) size[j] = size[j - 1];
}

bool pl_weak_order_strict(int n, const int8_t *rank) {
  bool seen[PL_WEAK_ORDER_MAX] = {false};
  for (int i = 0; i < n; i++) {
    if (seen[rank[i]]) return false;
    seen[rank[i]] = true;
  }
  return true;
}

double pl_weak_order_extensions(int n, const int8_t *rank) {
  int met[PL_WEAK_ORDER_MAX] = {0};
  double all = 1;
  for (int i = 0; i < n; i++) all *= ++met[rank[i]];
  return all;
}

/* ---- one after the other ---- */

void pl_weak_order_begin(pl_extensions *x, int n, const int8_t *rank, int8_t *perm) {
  int met[PL_WEAK_ORDER_MAX] = {0};
  x->n = n;
  for (int i = 0; i < n; i++) {
    int place = rank[i] + met[rank[i]]++;
    x->item[place] = (int8_t)i;
    x->start[place] = rank[i];
    perm[i] = (int8_t)place;
  }
}

/* The next permutation of the places of items from .. to - 1; after the last, the first and
 * false. */
static bool next_of_tie(const int8_t *item, int from, int to, int8_t *perm) {
  int k = to - 2, low = from, high = to - 1;
  while (k >= from && perm[item[k]] > perm[item[k + 1]]) k--;
  bool found = k >= from;
  if (found) {
    int l = to - 1;
    while (perm[item[l]] < perm[item[k]]) l--;
    int8_t held = perm[item[k]];
    perm[item[k]] = perm[item[l]];
    perm[item[l]] = held;
    low = k + 1;
  }
  for (; low < high; low++, high--) {
    int8_t held = perm[item[low]];
    perm[item[low]] = perm[item[high]];
    perm[item[high]] = held;
  }
  return found;
}

bool pl_weak_order_next(const pl_extensions *x, int8_t *perm) {
  for (int from = 0, to; from < x->n; from = to) {
    for (to = from + 1; to < x->n && x->start[to] == from;) to++;
    if (next_of_tie(x->item, from, to, perm)) return true;
  }
  return false;
}

/* ---- two of them ---- */

double pl_weak_order_inner(int n, const int8_t *a, const int8_t *b) {
  int8_t size_a[PL_WEAK_ORDER_MAX], size_b[PL_WEAK_ORDER_MAX];
  int met[PL_WEAK_ORDER_MAX] = {0}; /* by the first place that both ties have */
  double common = 1;
  pl_weak_order_sizes(n, a, size_a);
  pl_weak_order_sizes(n, b, size_b);
  for (int i = 0; i < n; i++) {
    int first = a[i] > b[i] ? a[i] : b[i];
    int end_a = a[i] + size_a[a[i]], end_b = b[i] + size_b[b[i]];
    int places = (end_a < end_b ? end_a : end_b) - first;
    /* Places sum to n over the pairs of ties, as items do: none too many, then none too few. */
    if (places <= 0 || ++met[first] > places) return 0;
    common *= met[first];
  }
  return common / pl_weak_order_extensions(n, a) / pl_weak_order_extensions(n, b);
}

/* ---- Kostka numbers ---- */

static double tableaux(int rows, const int8_t *shape, int parts, const int8_t *mu);

/* Tableaux whose last letter fills so many boxes of the rows from `row` on, at the ends of rows and
 * no two in a column; inner: what is left of the rows above. */
static double strips(int rows, const int8_t *shape, int row, int boxes, int8_t *inner, int parts,
                     const int8_t *mu) {
  if (row == rows) return boxes == 0 ? tableaux(rows, inner, parts - 1, mu) : 0;
  int most = shape[row] - (row + 1 < rows ? shape[row + 1] : 0);
  double sum = 0;
  for (int take = 0; take <= most && take <= boxes; take++) {
    inner[row] = (int8_t)(shape[row] - take);
    sum += strips(rows, shape, row + 1, boxes - take, inner, parts, mu);
  }
  return sum;
}

static double tableaux(int rows, const int8_t *shape, int parts, const int8_t *mu) {
  int8_t inner[PL_MAX_N] = {0};
  return parts == 0 ? 1 : strips(rows, shape, 0, mu[parts - 1], inner, parts, mu);
}

double pl_kostka(const pl_partition *lambda, int parts, const int8_t *mu) {
  return tableaux(lambda->rows, lambda->part, parts, mu);
}
