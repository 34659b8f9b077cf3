/* libFuzzer target: no bytes may crash, hang or leak the parser of rankings, and what it takes is a
 * set of rankings: weak orders, increasing, whose counts add up, the same when printed as a
 * PrefLib file and read again, with effects that add up.  Input: a file; tests/corpus/rankings has
 * seeds.  Needs clang -fsanitize=fuzzer,address for this file and for the library. */
#include "base/mem.h"
#include "group/effects.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(int holds, const char *law) {
  if (holds) return;
  fprintf(stderr, "%s\n", law);
  abort();
}

static void check(const pl_rankings *r) {
  int n = r->n;
  int64_t sum = 0;
  demand(n >= 2 && n <= PL_RANKINGS_MAX && r->num >= 1, "items and ballots");
  for (int64_t o = 0; o < r->num; o++) {
    const int8_t *rank = r->rank + o * n;
    for (int i = 0; i < n; i++) {
      int above = 0;
      for (int j = 0; j < n; j++) above += rank[j] < rank[i];
      demand(rank[i] == above, "the rank of an item counts those above it");
    }
    demand(!o || memcmp(rank - n, rank, (size_t)n) < 0, "orders increase");
    demand(r->count[o] >= 1, "counts");
    sum += r->count[o];
  }
  demand(sum == r->ballots, "counts add up");
}

/* As a modern PrefLib file, with all items and with braces around ties.  The caller frees it
 * (pl_free). */
static char *print(const pl_rankings *r) {
  int n = r->n;
  char *text = pl_asprintf("# NUMBER ALTERNATIVES: %d\n# NUMBER VOTERS: %lld\n# NUMBER UNIQUE "
                           "ORDERS: %lld\n",
                           n, (long long)r->ballots, (long long)r->num);
  size_t used = strlen(text), names = 0;
  for (int i = 0; i < n; i++) names += strlen(r->name[i]) + 40;
  text = pl_realloc(text, used + names + (size_t)r->num * (size_t)(7 * n + 30), 1, "text");
  for (int i = 0; i < n; i++)
    used += (size_t)sprintf(text + used, "# ALTERNATIVE NAME %d: %s\n", i + 1, r->name[i]);
  for (int64_t o = 0; o < r->num; o++) {
    const int8_t *rank = r->rank + o * n;
    used += (size_t)sprintf(text + used, "%lld:", (long long)r->count[o]);
    for (int j = 0, size; j < n; j += size) {
      used += (size_t)sprintf(text + used, "%s{", j ? "," : " ");
      size = 0;
      for (int i = 0; i < n; i++)
        if (rank[i] == j) used += (size_t)sprintf(text + used, "%s%d", size++ ? "," : "", i + 1);
      used += (size_t)sprintf(text + used, "}");
    }
    used += (size_t)sprintf(text + used, "\n");
  }
  return text;
}

static void check_effects(const pl_rankings *r) {
  pl_effects *e = pl_effects_new(r, 3);
  double total = 0, ballots = (double)r->ballots;
  for (int k = 0; k < r->n * r->n; k++) total += e->marginal[k];
  demand(fabs(total - r->n * ballots) <= 1e-9 * r->n * ballots, "every ballot ranks n items");
  for (int kind = 0; kind < PL_NUM_EFFECTS; kind++) {
    double most = pl_effect_exists(kind, r->n) ? pl_effect_dim(kind, r->n) * ballots * ballots : 0;
    demand(e->norm2[kind] >= 0 && e->mean2[kind] <= most * (1 + 1e-6) &&
               e->norm2[kind] <= most * (1 + 1e-6),
           "a sum of N isometries");
    demand(e->num[kind] <= 3, "as many effects as asked for");
  }
  pl_effects_free(e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  pl_rankings *r, *again;
  if (!pl_rankings_parse("input", (const char *)data, size, NULL, &r)) {
    check(r);
    char *text = print(r);
    demand(!pl_rankings_parse("printed", text, strlen(text), NULL, &again),
           "printed rankings are read");
    demand(again->n == r->n && again->num == r->num && again->ballots == r->ballots &&
               !memcmp(again->rank, r->rank, (size_t)(r->num * r->n)) &&
               !memcmp(again->count, r->count, (size_t)r->num * sizeof *r->count),
           "and are the same");
    for (int i = 0; i < r->n; i++) demand(!strcmp(again->name[i], r->name[i]), "so are the names");
    if (r->n <= 16) check_effects(r);
    pl_rankings_free(again);
    pl_rankings_free(r);
    pl_free(text);
  }
  if (pl_mem_live() != 0) abort();
  return 0;
}
