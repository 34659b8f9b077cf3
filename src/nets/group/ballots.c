#include "ballots.h"

#include "base/mem.h"
#include "base/rng.h"
#include "group/rankings.h"
#include "nets/group/keys.h"

#include <stdlib.h>
#include <string.h>

enum { CHOICE = 0x7ffffff4, MOST_SHUFFLED = 100000000 };
/* Linear extensions of a ballot, and of all ballots of a sample. */
enum { MOST_EXTENSIONS = 5040, MOST_TERMS = 1000000 };

/* One file: ballots are numbered by order, those of order o from upto[o-1] to upto[o] - 1. */
typedef struct side {
  int64_t num;
  int8_t *rank; /* [num][n]: weak orders */
  int64_t *upto;
  int32_t *shuffled; /* ballots in random order; NULL: bootstrap */
} side;

struct ballots {
  int n;
  int64_t m;    /* ballots per sample */
  int64_t most; /* extensions of a ballot */
  uint64_t seed;
  side side[2]; /* +1, -1 */
};

/* Samples of the class: labels alternate, +1 first. */
static int64_t samples_of(const pl_spec *spec, int k) {
  return (spec->common.samples + 1 - k) / 2;
}

static const char *path_of(const pl_spec *spec, int k) {
  const pl_group_data_values *v = pl_group_data_of(spec);
  return k ? v->negative : v->positive;
}

/* A sample is written out as permutations. */
static pl_status check_extensions(const pl_rankings *r, const char *path, int64_t m,
                                  const char **key) {
  double most = 1;
  int64_t beyond = 0;
  for (int64_t o = 0; o < r->num; o++) {
    double extensions = pl_weak_order_extensions(r->n, r->rank + o * r->n);
    if (extensions > MOST_EXTENSIONS) beyond += r->count[o];
    most = extensions > most ? extensions : most;
  }
  if (beyond)
    return pl_error(PL_EINPUT,
                    "%s: %lld of %lld ballots have ties or missing items with more than %d linear "
                    "extensions, up to %.3g; data.drop: true leaves out all open ballots",
                    path, (long long)beyond, (long long)r->ballots, MOST_EXTENSIONS, most);
  if (most == 1 || (double)m * most <= MOST_TERMS) return PL_OK;
  *key = "data.ballots";
  return pl_error(PL_EINPUT,
                  "%s: samples of %lld ballots of up to %.0f linear extensions each; expected at "
                  "most %d in all",
                  path, (long long)m, most, MOST_TERMS);
}

static pl_status check_side(const pl_spec *spec, const pl_group *g, int k, const char **key) {
  const pl_group_data_values *v = pl_group_data_of(spec);
  const char *path = path_of(spec, k);
  int n = pl_group_letters(g);
  *key = k ? "data.negative" : "data.positive";
  pl_rankings *r;
  PL_TRY(pl_rankings_read(path, &(pl_rankings_how){v->drop, v->zero_based}, &r));
  int64_t have = r->ballots, want = samples_of(spec, k);
  int items = r->n;
  pl_status st = items == n ? check_extensions(r, path, v->ballots, key) : PL_OK;
  pl_rankings_free(r);
  if (st) return st;
  if (items != n)
    return pl_error(PL_EINPUT, "%s: rankings of %d items, but the group is %s", path, items,
                    pl_group_spec(g));
  if (v->sampling != PL_SAMPLING_BLOCKS) return PL_OK;
  *key = "data.ballots";
  if (have / v->ballots < want)
    return pl_error(PL_EINPUT, "%lld samples need %lld blocks of %lld ballots, %s has %lld ballots",
                    (long long)spec->common.samples, (long long)want, (long long)v->ballots, path,
                    (long long)have);
  *key = "data.sampling";
  if (have > MOST_SHUFFLED)
    return pl_error(PL_EINPUT, "%s has %lld ballots; blocks are made of up to %d", path,
                    (long long)have, MOST_SHUFFLED);
  return PL_OK;
}

pl_status ballots_check(const pl_spec *spec, const pl_group *g, const char **key) {
  *key = "group";
  if (!pl_group_letters(g))
    return pl_error(PL_EINPUT, "rankings of n items are functions on S_n, not on %s",
                    pl_group_spec(g));
  PL_TRY(check_side(spec, g, 0, key));
  return check_side(spec, g, 1, key);
}

/* Read on rank 0, known to all. */
static pl_status read_side(const char *path, const pl_rankings_how *how, const pl_comm *team,
                           ballots *b, side *s) {
  pl_rankings *r = NULL;
  PL_TRY(pl_agree(team, team->rank == 0 ? pl_rankings_read(path, how, &r) : PL_OK));
  int64_t size[2] = {r ? r->n : 0, r ? r->num : 0};
  pl_comm_bcast(team, size, sizeof size, 0);
  b->n = (int)size[0];
  s->num = size[1];
  s->rank = pl_alloc((size_t)(s->num * b->n), 1, "ballots");
  s->upto = pl_alloc((size_t)s->num, sizeof *s->upto, "ballots");
  int64_t sum = 0;
  for (int64_t o = 0; r && o < s->num; o++) s->upto[o] = sum += r->count[o];
  if (r) memcpy(s->rank, r->rank, (size_t)(s->num * b->n));
  pl_rankings_free(r);
  pl_comm_bcast(team, s->rank, (size_t)(s->num * b->n), 0);
  pl_comm_bcast(team, s->upto, (size_t)s->num * sizeof *s->upto, 0);
  for (int64_t o = 0; o < s->num; o++) {
    int64_t extensions = (int64_t)pl_weak_order_extensions(b->n, s->rank + o * b->n);
    b->most = extensions > b->most ? extensions : b->most;
  }
  return PL_OK;
}

static int64_t total(const side *s) {
  return s->upto[s->num - 1];
}

/* Fisher and Yates, as far as blocks are needed. */
static void shuffle(side *s, uint64_t seed, uint64_t stream, int64_t needed) {
  int64_t n = total(s);
  s->shuffled = pl_alloc((size_t)n, sizeof *s->shuffled, "ballots");
  for (int64_t i = 0; i < n; i++) s->shuffled[i] = (int32_t)i;
  for (int64_t i = 0; i < needed; i++) {
    int64_t j = i + pl_rng_below(seed, stream, (uint64_t)i, n - i);
    int32_t chosen = s->shuffled[j];
    s->shuffled[j] = s->shuffled[i];
    s->shuffled[i] = chosen;
  }
}

pl_status ballots_new(const pl_spec *spec, const pl_comm *team, uint64_t seed, ballots **out) {
  const pl_group_data_values *v = pl_group_data_of(spec);
  ballots *b = pl_zalloc(1, sizeof *b, "ballots");
  b->m = v->ballots;
  b->seed = seed;
  pl_rankings_how how = {v->drop, v->zero_based};
  pl_status st = PL_OK;
  for (int k = 0; k < 2 && !st; k++) {
    st = read_side(path_of(spec, k), &how, team, b, &b->side[k]);
    if (!st && v->sampling == PL_SAMPLING_BLOCKS)
      shuffle(&b->side[k], seed, PL_STREAM(PL_STREAM_MISC, CHOICE + k), samples_of(spec, k) * b->m);
  }
  if (st)
    ballots_free(b);
  else
    *out = b;
  return st;
}

void ballots_free(ballots *b) {
  if (!b) return;
  for (int k = 0; k < 2; k++) {
    pl_free(b->side[k].rank);
    pl_free(b->side[k].upto);
    pl_free(b->side[k].shuffled);
  }
  pl_free(b);
}

/* The order of a ballot. */
static int64_t order_of(const side *s, int64_t ballot) {
  int64_t low = 0, high = s->num - 1;
  while (low < high) {
    int64_t middle = (low + high) / 2;
    if (s->upto[middle] > ballot)
      high = middle;
    else
      low = middle + 1;
  }
  return low;
}

static int ascending(const void *a, const void *b) {
  int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return x < y ? -1 : x > y;
}

int64_t ballots_most(const ballots *b) {
  return b->m * b->most;
}

/* The extensions of an order that stands so often in a sample; how many. */
static int64_t extend(int n, const int8_t *rank, double times, int8_t *perms, double *weights) {
  double each = times / pl_weak_order_extensions(n, rank);
  int64_t num = 0;
  pl_extensions x;
  int8_t perm[PL_RANKINGS_MAX];
  pl_weak_order_begin(&x, n, rank, perm);
  do {
    memcpy(perms + num * n, perm, (size_t)n);
    weights[num++] = each;
  } while (pl_weak_order_next(&x, perm));
  return num;
}

int64_t ballots_sample(const ballots *b, int64_t sample, int8_t *perms, double *weights) {
  const side *s = &b->side[sample % 2];
  int64_t *orders = pl_alloc((size_t)b->m, sizeof *orders, "ballots"), num = 0;
  for (int64_t i = 0; i < b->m; i++) {
    int64_t ballot = s->shuffled ? s->shuffled[sample / 2 * b->m + i]
                                 : pl_rng_below(b->seed, PL_STREAM(PL_STREAM_MISC, sample),
                                                (uint64_t)i, total(s));
    orders[i] = order_of(s, ballot);
  }
  qsort(orders, (size_t)b->m, sizeof *orders, ascending);
  for (int64_t i = 0, next; i < b->m; i = next) {
    for (next = i + 1; next < b->m && orders[next] == orders[i];) next++;
    num += extend(b->n, s->rank + orders[i] * b->n, (double)(next - i), perms + num * b->n,
                  weights + num);
  }
  pl_free(orders);
  return num;
}
