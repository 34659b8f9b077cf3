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

double pl_effect_sd(int kind, int n, double ballots) {
  const double events[PL_NUM_EFFECTS] = {n, n * (n - 1) / 2, n * (n - 1)};
  return sqrt(ballots * pl_effect_dim(kind, n)) / events[kind];
}

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

static void first_order(const pl_rankings *r, int top, pl_effects *e) {
  int n = r->n;
  for (int64_t o = 0; o < r->num; o++)
    for (int i = 0; i < n; i++) e->marginal[i * n + r->rank[o * n + i]] += (double)r->count[o];
  for (int i = 0; i < n; i++)
    for (int j = 0; j < n; j++) {
      /* Numerators are integers: effects that are equal come out equal. */
      double value = (n * e->marginal[i * n + j] - (double)r->ballots) / n;
      e->norm2[PL_EFFECT_FIRST] += value * value;
      keep(e, PL_EFFECT_FIRST, top, (pl_effect){{i, 0}, {j, 0}, value});
    }
}

/* Effects with ranks j < k; count[a][b]: ballots with a at j and b at k. */
static void second_order(const pl_rankings *r, int top, int j, int k, const double *count,
                         pl_effects *e) {
  int n = r->n;
  double ballots = (double)r->ballots, both = (n - 1.0) * (n - 2.0);
  for (int a = 0; a < n; a++)
    for (int b = a + 1; b < n; b++) {
      const double *ma = e->marginal + a * n, *mb = e->marginal + b * n;
      double ab = count[a * n + b], ba = count[b * n + a];
      double u =
          (both * (ab + ba) - (n - 1) * (ma[j] + ma[k] + mb[j] + mb[k]) + 2 * ballots) / both;
      double o = (n * (ab - ba) - (ma[j] - ma[k] - mb[j] + mb[k])) / (2.0 * n);
      if (pl_effect_exists(PL_EFFECT_UNORDERED, n)) {
        e->norm2[PL_EFFECT_UNORDERED] += u * u;
        keep(e, PL_EFFECT_UNORDERED, top, (pl_effect){{a, b}, {j, k}, u});
      }
      /* Once for each order of the items and of the ranks. */
      e->norm2[PL_EFFECT_ORDERED] += 4 * o * o;
      keep(e, PL_EFFECT_ORDERED, top,
           o > 0 ? (pl_effect){{a, b}, {j, k}, o} : (pl_effect){{b, a}, {j, k}, -o});
    }
}

pl_effects *pl_effects_new(const pl_rankings *r, int top) {
  int n = r->n;
  pl_effects *e = pl_zalloc(1, sizeof *e, "effects");
  e->marginal = pl_zalloc((size_t)(n * n), sizeof *e->marginal, "effects");
  for (int kind = 0; kind < PL_NUM_EFFECTS; kind++)
    e->largest[kind] = pl_alloc((size_t)top, sizeof *e->largest[kind], "effects");
  first_order(r, top, e);
  if (!pl_effect_exists(PL_EFFECT_ORDERED, n)) return e;
  /* at[j][order]: the item at rank j. */
  int8_t *at = pl_alloc((size_t)(n * r->num), 1, "rankings");
  double *count = pl_alloc((size_t)(n * n), sizeof *count, "effects");
  for (int64_t o = 0; o < r->num; o++)
    for (int i = 0; i < n; i++) at[r->rank[o * n + i] * r->num + o] = (int8_t)i;
  for (int j = 0; j < n; j++)
    for (int k = j + 1; k < n; k++) {
      const int8_t *aj = at + j * r->num, *ak = at + k * r->num;
      memset(count, 0, (size_t)(n * n) * sizeof *count);
      for (int64_t o = 0; o < r->num; o++) count[aj[o] * n + ak[o]] += (double)r->count[o];
      second_order(r, top, j, k, count, e);
    }
  pl_free(count);
  pl_free(at);
  return e;
}

void pl_effects_free(pl_effects *e) {
  if (!e) return;
  for (int kind = 0; kind < PL_NUM_EFFECTS; kind++) pl_free(e->largest[kind]);
  pl_free(e->marginal);
  pl_free(e);
}
