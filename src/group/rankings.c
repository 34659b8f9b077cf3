#include "group/rankings.h"

#include "base/file.h"
#include "base/mem.h"
#include "group/perm.h"
#include "rankings_text.h"

#include <stdlib.h>
#include <string.h>

static const int64_t MOST_BYTES = INT64_C(1) << 30;

/* ---- equal orders made one ---- */

static int compare(const void *a, const void *b, void *context) {
  const rankings_text *t = context;
  const pl_rankings *r = t->r;
  const int64_t *x = a, *y = b;
  int differ = memcmp(r->rank + *x * r->n, r->rank + *y * r->n, (size_t)r->n);
  return differ ? differ : t->listed[*x] - t->listed[*y];
}

/* Sort the orders and make one of equal ones.  Returns how many differ as they are written: items
 * left out are below the others, tied or alone, as are those that are listed there. */
static int64_t merge(rankings_text *t) {
  pl_rankings *r = t->r;
  size_t n = (size_t)r->n;
  int64_t *by = pl_alloc((size_t)r->num, sizeof *by, "rankings"), last = -1, written = 0;
  int8_t *rank = pl_alloc((size_t)r->num * n, 1, "rankings");
  int64_t *count = pl_alloc((size_t)r->num, sizeof *count, "rankings");
  for (int64_t o = 0; o < r->num; o++) by[o] = o;
  qsort_r(by, (size_t)r->num, sizeof *by, compare, t);
  for (int64_t o = 0; o < r->num; o++) {
    const int8_t *own = r->rank + by[o] * r->n;
    written += !o || compare(by + o - 1, by + o, t);
    if (!o || memcmp(rank + last * r->n, own, n)) {
      memcpy(rank + ++last * r->n, own, n);
      count[last] = 0;
    }
    count[last] += r->count[by[o]];
  }
  pl_free(by);
  pl_free(r->rank);
  pl_free(r->count);
  r->rank = rank;
  r->count = count;
  r->num = last + 1;
  return written;
}

/* Count the open orders; leave them out if so wanted. */
static void sort_out(pl_rankings *r, bool drop) {
  int64_t kept = 0;
  for (int64_t o = 0; o < r->num; o++) {
    int8_t *rank = r->rank + o * r->n;
    bool open = !pl_weak_order_strict(r->n, rank);
    if (open) r->open += r->count[o];
    if (open && drop) continue;
    memmove(r->rank + kept * r->n, rank, (size_t)r->n);
    r->count[kept++] = r->count[o];
  }
  r->num = kept;
  if (!drop) return;
  r->dropped = r->open;
  r->ballots -= r->open;
  r->open = 0;
}

static pl_status finish(const char *path, rankings_text *t, bool drop) {
  pl_rankings *r = t->r;
  if (!r->num) return pl_error(PL_EINPUT, "%s: no ballots; expected orders of items", path);
  int64_t written = merge(t);
  if (t->voters >= 0 && t->voters != r->ballots)
    return pl_error(PL_EINPUT, "%s, line %d: %lld voters, but the counts add up to %lld", path,
                    t->voters_line, (long long)t->voters, (long long)r->ballots);
  if (t->unique >= 0 && t->unique != written)
    return pl_error(PL_EINPUT, "%s, line %d: %lld unique orders, but the file has %lld", path,
                    t->unique_line, (long long)t->unique, (long long)written);
  sort_out(r, drop);
  if (r->num) return PL_OK;
  return pl_error(PL_EINPUT, "%s: no ballots left: all %lld have ties or miss items", path,
                  (long long)r->dropped);
}

pl_status pl_rankings_parse(const char *path, const char *text, size_t size,
                            const pl_rankings_how *how, pl_rankings **out) {
  if (size && memchr(text, 0, size))
    return pl_error(PL_EINPUT, "%s: not a text file; expected rankings", path);
  rankings_text t;
  char *copy = pl_alloc(size + 1, 1, "a file of rankings");
  if (size) memcpy(copy, text, size);
  copy[size] = 0;
  pl_status st = rankings_text_read(path, copy, how, &t);
  pl_free(copy);
  if (!st) st = finish(path, &t, how && how->drop);
  pl_free(t.listed);
  if (st)
    pl_rankings_free(t.r);
  else
    *out = t.r;
  return st;
}

pl_status pl_rankings_read(const char *path, const pl_rankings_how *how, pl_rankings **out) {
  char *text;
  size_t size;
  PL_TRY(pl_file_read(path, MOST_BYTES, "rankings", &text, &size));
  pl_status st = pl_rankings_parse(path, text, size, how, out);
  pl_free(text);
  return st;
}

void pl_rankings_free(pl_rankings *r) {
  if (!r) return;
  for (int i = 0; r->name && i < r->n; i++) pl_free(r->name[i]);
  pl_free(r->name);
  pl_free(r->rank);
  pl_free(r->count);
  pl_free(r);
}

/* ---- as functions on S_n ---- */

double pl_rankings_extensions(const pl_rankings *r) {
  double sum = 0;
  for (int64_t o = 0; o < r->num; o++) sum += pl_weak_order_extensions(r->n, r->rank + o * r->n);
  return sum;
}

void pl_rankings_function(const pl_rankings *r, double *f) {
  int8_t perm[PL_RANKINGS_MAX];
  pl_extensions x;
  memset(f, 0, (size_t)pl_factorial(r->n) * sizeof *f);
  for (int64_t o = 0; o < r->num; o++) {
    const int8_t *rank = r->rank + o * r->n;
    double each = (double)r->count[o] / pl_weak_order_extensions(r->n, rank);
    pl_weak_order_begin(&x, r->n, rank, perm);
    do f[pl_perm_rank(r->n, perm)] += each;
    while (pl_weak_order_next(&x, perm));
  }
}

double pl_rankings_norm2(const pl_rankings *r) {
  double sum = 0;
  int n = r->n;
  for (int64_t a = 0; a < r->num; a++) {
    const int8_t *rank = r->rank + a * n;
    double count = (double)r->count[a], others = 0;
    if (pl_weak_order_strict(n, rank)) {
      sum += count * count;
      continue;
    }
    /* Pairs of open orders are met twice, a strict one and an open one here alone. */
    for (int64_t b = 0; b < r->num; b++) {
      const int8_t *other = r->rank + b * n;
      double inner = (double)r->count[b] * pl_weak_order_inner(n, rank, other);
      others += inner != 0 && pl_weak_order_strict(n, other) ? 2 * inner : inner;
    }
    sum += count * others;
  }
  return sum;
}

/* The sizes of an order's ties as a partition. */
static pl_partition ties_of(int n, const int8_t *rank) {
  pl_partition p = {.n = (int8_t)n};
  int8_t size[PL_RANKINGS_MAX];
  pl_weak_order_sizes(n, rank, size);
  for (int j = 0; j < n; j += size[j]) {
    int k = p.rows++;
    for (; k > 0 && p.part[k - 1] < size[j]; k--) p.part[k] = p.part[k - 1];
    p.part[k] = size[j];
  }
  return p;
}

double *pl_rankings_means(const pl_rankings *r) {
  int shapes;
  pl_partition *shape = pl_partitions(r->n, &shapes);
  double *mean = pl_zalloc((size_t)shapes, sizeof *mean, "means of energies");
  double *ballots = pl_zalloc((size_t)shapes, sizeof *ballots, "means of energies");
  for (int64_t o = 0; o < r->num; o++) {
    pl_partition ties = ties_of(r->n, r->rank + o * r->n);
    int k = shapes - 1; /* strict orders, the most frequent */
    while (pl_partition_compare(&shape[k], &ties)) k--;
    ballots[k] += (double)r->count[o];
  }
  for (int i = 0; i < shapes; i++)
    for (int k = 0; k < shapes; k++) {
      if (!ballots[k]) continue;
      mean[i] +=
          ballots[k] * (k == shapes - 1 ? (double)pl_partition_dim(&shape[i])
                                        : pl_kostka(&shape[i], shape[k].rows, shape[k].part));
    }
  mean[0] = (double)r->ballots * (double)r->ballots;
  pl_free(ballots);
  pl_free(shape);
  return mean;
}
