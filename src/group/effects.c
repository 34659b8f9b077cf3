#include "group/effects.h"

#include "base/mem.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

int pl_effect_exists(int kind, int n) {
  static const int least[PL_NUM_EFFECTS] = {2, 4, 3};
  return n >= least[kind];
}

void pl_effect_irrep(int kind, int n, char *buf, size_t size) {
  static const char *const below[PL_NUM_EFFECTS] = {"1", "2", "1,1"};
  snprintf(buf, size, "%d,%s", n - (kind == PL_EFFECT_FIRST ? 1 : 2), below[kind]);
}

double pl_effect_dim(int kind, int n) {
  const double dim[PL_NUM_EFFECTS] = {n - 1, n * (n - 3) / 2, (n - 1) * (n - 2) / 2};
  return dim[kind];
}

/* Both items of a pair lie in the tie at rank j, in that at rank k or elsewhere; the effect is the
 * same for all such pairs. */
double pl_effect_variance(int kind, int n, int p, int q) {
  if (kind == PL_EFFECT_FIRST) return 1.0 / ((double)n * p) - 1.0 / ((double)n * n);
  int items[3] = {p, q, n - p - q};
  double at_j[3] = {1.0 / p, 0, 0}, at_k[3] = {q ? 0 : 1.0 / p, q ? 1.0 / q : 0, 0}, sum = 0;
  for (int x = 0; x < 3; x++)
    for (int y = 0; y < 3; y++) {
      double pairs = (double)items[x] * (items[y] - (x == y)), ab, ba;
      if (!pairs) continue;
      if (q) {
        ab = at_j[x] * at_k[y];
        ba = at_j[y] * at_k[x];
      } else {
        ab = ba = x || y ? 0 : 1.0 / ((double)p * (p - 1));
      }
      double value = kind == PL_EFFECT_UNORDERED
                         ? ab + ba - (at_j[x] + at_k[x] + at_j[y] + at_k[y]) / (n - 2) +
                               2.0 / ((n - 1.0) * (n - 2.0))
                         : (ab - ba - (at_j[x] - at_k[x] - at_j[y] + at_k[y]) / n) / 2;
      sum += pairs * value * value;
    }
  return sum / ((double)n * (n - 1));
}

/* ---- orders by place ---- */

typedef struct orders {
  int n;
  int64_t strict, open;
  double ballots; /* of the strict ones */
  /* Strict ones: */
  int8_t *at; /* [n][strict]: the item at a place */
  double *weight;
  /* Open ones, each with items tie by tie; place j lies in a tie of size[j] items from start[j] on.
   */
  int8_t *item, *start, *size; /* [open][n] */
  double *count;
} orders;

static void orders_init(orders *o, const pl_rankings *r) {
  int n = r->n;
  size_t num = (size_t)r->num, all = num * (size_t)n;
  *o = (orders){.n = n};
  o->at = pl_alloc(all, 1, "rankings");
  o->item = pl_alloc(all, 1, "rankings");
  o->start = pl_alloc(all, 1, "rankings");
  o->size = pl_alloc(all, 1, "rankings");
  o->weight = pl_alloc(num, sizeof *o->weight, "rankings");
  o->count = pl_alloc(num, sizeof *o->count, "rankings");
  for (int64_t k = 0; k < r->num; k++) {
    const int8_t *rank = r->rank + k * n;
    if (pl_weak_order_strict(n, rank)) {
      for (int i = 0; i < n; i++) o->at[rank[i] * r->num + o->strict] = (int8_t)i;
      o->weight[o->strict++] = (double)r->count[k];
      o->ballots += (double)r->count[k];
      continue;
    }
    pl_extensions x;
    int8_t perm[PL_RANKINGS_MAX];
    pl_weak_order_begin(&x, n, rank, perm);
    memcpy(o->item + o->open * n, x.item, (size_t)n);
    memcpy(o->start + o->open * n, x.start, (size_t)n);
    pl_weak_order_sizes(n, rank, o->size + o->open * n);
    o->count[o->open++] = (double)r->count[k];
  }
}

static void orders_fini(orders *o) {
  pl_free(o->count);
  pl_free(o->weight);
  pl_free(o->size);
  pl_free(o->start);
  pl_free(o->item);
  pl_free(o->at);
}

/* ---- what uniform ballots would do ---- */

static void set_means(const orders *o, double *mean) {
  for (int kind = 0; kind < PL_NUM_EFFECTS; kind++)
    mean[kind] = pl_effect_exists(kind, o->n) ? o->ballots * pl_effect_dim(kind, o->n) : 0;
  for (int64_t k = 0; k < o->open; k++) {
    const int8_t *size = o->size + k * o->n;
    double ties = 0, large = 0;
    for (int j = 0; j < o->n; j += size[j]) {
      ties++;
      large += size[j] > 1;
    }
    mean[PL_EFFECT_FIRST] += o->count[k] * (ties - 1);
    if (pl_effect_exists(PL_EFFECT_UNORDERED, o->n))
      mean[PL_EFFECT_UNORDERED] += o->count[k] * (ties * (ties - 1) / 2 + large - ties);
    mean[PL_EFFECT_ORDERED] += o->count[k] * (ties - 1) * (ties - 2) / 2;
  }
}

/* The standard deviation of effects at ranks j and k; first-order ones: at j, k is not used. */
static double deviation(const orders *o, int kind, int j, int k) {
  double sum = o->ballots * pl_effect_variance(kind, o->n, 1, 1);
  for (int64_t x = 0; x < o->open; x++) {
    const int8_t *start = o->start + x * o->n, *size = o->size + x * o->n;
    bool together = start[j] == start[k];
    sum += o->count[x] * pl_effect_variance(kind, o->n, size[j], together ? 0 : size[k]);
  }
  return sqrt(fmax(sum, 0));
}

/* ---- effects ---- */

/* Insert if it is among the largest so far; of equal ones the earlier stays first. */
static void keep(pl_effects *e, int kind, int top, pl_effect new) {
  pl_effect *list = e->largest[kind];
  int at = e->num[kind];
  if (new.value == 0 || (at == top && (!top || fabs(new.value) <= fabs(list[at - 1].value))))
    return;
  if (at < top)
    e->num[kind]++;
  else
    at--;
  for (; at > 0 && fabs(list[at - 1].value) < fabs(new.value); at--) list[at] = list[at - 1];
  list[at] = new;
}

/* Means of open ballots are no integers: what would be 0 is rounding. */
static double rounded(const pl_rankings *r, double value) {
  return r->open && fabs(value) < 1e-12 * (double)r->ballots ? 0 : value;
}

static void first_order(const pl_rankings *r, const orders *o, int top, pl_effects *e) {
  int n = r->n;
  double *sd = e->sd[PL_EFFECT_FIRST];
  for (int j = 0; j < n; j++) {
    sd[j] = deviation(o, PL_EFFECT_FIRST, j, j);
    for (int64_t x = 0; x < o->strict; x++)
      e->marginal[o->at[j * r->num + x] * n + j] += o->weight[x];
    for (int64_t x = 0; x < o->open; x++) {
      const int8_t *item = o->item + x * n;
      int start = o->start[x * n + j], size = o->size[x * n + j];
      for (int k = start; k < start + size; k++) e->marginal[item[k] * n + j] += o->count[x] / size;
    }
  }
  for (int i = 0; i < n; i++)
    for (int j = 0; j < n; j++) {
      /* Numerators of strict ballots are integers: effects that are equal come out equal. */
      double value = rounded(r, (n * e->marginal[i * n + j] - (double)r->ballots) / n);
      e->norm2[PL_EFFECT_FIRST] += value * value;
      keep(e, PL_EFFECT_FIRST, top, (pl_effect){{i, 0}, {j, 0}, value, value / sd[j]});
    }
}

/* Effects with ranks j < k; count[a][b]: ballots with a at j and b at k. */
static void second_order(const pl_rankings *r, int top, int j, int k, const double *count,
                         pl_effects *e) {
  int n = r->n;
  double ballots = (double)r->ballots, both = (n - 1.0) * (n - 2.0);
  double sd_u = e->sd[PL_EFFECT_UNORDERED][j * n + k], sd_o = e->sd[PL_EFFECT_ORDERED][j * n + k];
  for (int a = 0; a < n; a++)
    for (int b = a + 1; b < n; b++) {
      const double *ma = e->marginal + a * n, *mb = e->marginal + b * n;
      double ab = count[a * n + b], ba = count[b * n + a];
      double u =
          (both * (ab + ba) - (n - 1) * (ma[j] + ma[k] + mb[j] + mb[k]) + 2 * ballots) / both;
      double o = (n * (ab - ba) - (ma[j] - ma[k] - mb[j] + mb[k])) / (2.0 * n);
      u = rounded(r, u);
      o = rounded(r, o);
      if (pl_effect_exists(PL_EFFECT_UNORDERED, n)) {
        e->norm2[PL_EFFECT_UNORDERED] += u * u;
        keep(e, PL_EFFECT_UNORDERED, top, (pl_effect){{a, b}, {j, k}, u, u / sd_u});
      }
      /* Once for each order of the items and of the ranks. */
      e->norm2[PL_EFFECT_ORDERED] += 4 * o * o;
      keep(e, PL_EFFECT_ORDERED, top,
           o > 0 ? (pl_effect){{a, b}, {j, k}, o, o / sd_o}
                 : (pl_effect){{b, a}, {j, k}, -o, -o / sd_o});
    }
}

/* ---- pairs of open orders ---- */

/* What they say of a at j and b at k is constant while j and k stay in their ties.  For the ties at
 * rank j, change[k][a][b] is by how much it grows from rank k - 1 to k. */
static void add(const orders *o, double *change, int from, int to, const int8_t *a, int num_a,
                const int8_t *b, int num_b, double value) {
  int64_t n = o->n;
  for (int x = 0; x < num_a; x++)
    for (int y = 0; y < num_b; y++) {
      if (a[x] == b[y]) continue;
      change[(from * n + a[x]) * n + b[y]] += value;
      change[(to * n + a[x]) * n + b[y]] -= value;
    }
}

/* The tie of open order x that begins at `start` comes (weight 1) or goes (-1). */
static void add_tie(const orders *o, int64_t x, int start, double weight, double *change) {
  int n = o->n;
  const int8_t *item = o->item + x * n, *size = o->size + x * n, *tie = item + start;
  int p = size[start];
  double count = weight * o->count[x];
  if (p > 1) add(o, change, start, start + p, tie, p, tie, p, count / (p * (p - 1.0)));
  for (int k = start + p; k < n; k += size[k])
    add(o, change, k, k + size[k], tie, p, item + k, size[k], count / ((double)p * size[k]));
}

static void move_to(const orders *o, int j, double *change) {
  for (int64_t x = 0; x < o->open; x++) {
    const int8_t *start = o->start + x * o->n;
    if (start[j] != j) continue;
    if (j) add_tie(o, x, start[j - 1], -1, change);
    add_tie(o, x, j, 1, change);
  }
}

/* All effects of pairs. */
static void pairs(const pl_rankings *r, const orders *o, int top, pl_effects *e) {
  size_t n = (size_t)r->n;
  double *count = pl_alloc(n * n, sizeof *count, "effects");
  double *open = pl_zalloc(n * n, sizeof *open, "effects");
  double *change = o->open ? pl_zalloc((n + 1) * n * n, sizeof *change, "effects") : NULL;
  for (int j = 0; j < r->n; j++) {
    if (change) move_to(o, j, change);
    memset(open, 0, n * n * sizeof *open);
    for (int k = 0; k < r->n; k++) {
      for (size_t c = 0; change && c < n * n; c++) open[c] += change[(size_t)k * n * n + c];
      if (k <= j) continue;
      const int8_t *aj = o->at + j * r->num, *ak = o->at + k * r->num;
      memcpy(count, open, n * n * sizeof *count);
      for (int64_t x = 0; x < o->strict; x++) count[aj[x] * r->n + ak[x]] += o->weight[x];
      for (int kind = PL_EFFECT_UNORDERED; kind < PL_NUM_EFFECTS; kind++)
        if (pl_effect_exists(kind, r->n)) e->sd[kind][j * r->n + k] = deviation(o, kind, j, k);
      second_order(r, top, j, k, count, e);
    }
  }
  pl_free(change);
  pl_free(open);
  pl_free(count);
}

pl_effects *pl_effects_new(const pl_rankings *r, int top) {
  size_t n = (size_t)r->n;
  orders o;
  pl_effects *e = pl_zalloc(1, sizeof *e, "effects");
  e->marginal = pl_zalloc(n * n, sizeof *e->marginal, "effects");
  for (int kind = 0; kind < PL_NUM_EFFECTS; kind++) {
    e->largest[kind] = pl_alloc((size_t)top, sizeof *e->largest[kind], "effects");
    e->sd[kind] = pl_zalloc(kind == PL_EFFECT_FIRST ? n : n * n, sizeof *e->sd[kind], "effects");
  }
  orders_init(&o, r);
  set_means(&o, e->mean2);
  first_order(r, &o, top, e);
  if (pl_effect_exists(PL_EFFECT_ORDERED, r->n)) pairs(r, &o, top, e);
  orders_fini(&o);
  return e;
}

void pl_effects_free(pl_effects *e) {
  if (!e) return;
  for (int kind = 0; kind < PL_NUM_EFFECTS; kind++) {
    pl_free(e->largest[kind]);
    pl_free(e->sd[kind]);
  }
  pl_free(e->marginal);
  pl_free(e);
}
