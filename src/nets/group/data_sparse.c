/* Sparse functions on a group. */
#include "base/mem.h"
#include "base/rng.h"
#include "data_keys.h"
#include "draw.h"
#include "group/perm.h"
#include "group/young.h"
#include "nets/group/data.h"
#include "nets/group/keys.h"
#include "permutations.h"

#include <math.h>
#include <string.h>

enum { MOST_IN_BAND = 1000000 }; /* permutations in a sample: hours, on a large group */

/* Put a number into an open hash table of size slots, a power of two, empty ones -1: whether it was
 * there already. */
static bool insert(int64_t *table, int64_t size, int64_t x) {
  uint64_t slot = (uint64_t)x * 0x9E3779B97F4A7C15u & (uint64_t)(size - 1);
  while (table[slot] >= 0 && table[slot] != x) slot = (slot + 1) & (uint64_t)(size - 1);
  bool there = table[slot] == x;
  table[slot] = x;
  return there;
}

/* k distinct elements.  Floyd's sampling: distinct without rejection. */
static void draw_elements(uint64_t seed, uint64_t stream, int64_t order, int64_t k, int64_t *g) {
  int64_t size = 2;
  while (size < 2 * k) size *= 2;
  int64_t *table = pl_alloc((size_t)size, sizeof *table, "sparse sample");
  memset(table, -1, (size_t)size * sizeof *table);
  for (int64_t i = 0; i < k; i++) {
    int64_t top = order - k + i;
    g[i] = pl_rng_below(seed, stream, (uint64_t)i, top + 1);
    if (insert(table, size, g[i])) insert(table, size, g[i] = top);
  }
  pl_free(table);
}

/* k permutations of so many letters that two are hardly ever equal: Fisher-Yates. */
static void draw_permutations(uint64_t seed, uint64_t stream, int n, int64_t k, int8_t *perm) {
  for (int64_t i = 0; i < k; i++, perm += n) {
    for (int m = 0; m < n; m++) perm[m] = (int8_t)m;
    for (int m = n - 1; m > 0; m--) {
      int64_t j = pl_rng_below(seed, stream, (uint64_t)(i * n + m), m + 1);
      int8_t kept = perm[m];
      perm[m] = perm[j];
      perm[j] = kept;
    }
  }
}

/* Elements of the whole group with Gaussian values, the same on every rank, in g; or as
 * permutations (g is then workspace): those of the numbers of the elements as long as they have
 * numbers. */
static void draw_sample(const pl_source *s, pl_part part, int64_t i, double *v, int64_t *g,
                        int8_t *perms) {
  int64_t k = pl_group_data_of(s->spec)->nonzeros, member = draw_member(part, i);
  const pl_group *group = s->layout->group;
  int n = pl_group_letters(group);
  uint64_t where = PL_STREAM(PL_STREAM_MISC, member);
  pl_rng_normals(s->seed, PL_STREAM(PL_STREAM_SAMPLE, member), 0, k, v);
  if (perms && n > PL_MAX_N) {
    draw_permutations(s->seed, where, n, k, perms);
    return;
  }
  draw_elements(s->seed, where, pl_group_order(group), k, g);
  for (int64_t p = 0; p < k && perms; p++) pl_perm_unrank(n, g[p], perms + p * n);
}

/* Into f, each rank the ones it holds, and then F; or through tables. */
static pl_status sample(pl_source *s, pl_part part, int64_t i, double *F, double *y) {
  (void)y;
  const pl_band *tables = s->own;
  int64_t k = pl_group_data_of(s->spec)->nonzeros;
  size_t n = (size_t)pl_group_letters(s->layout->group);
  int64_t *g = pl_alloc((size_t)k, sizeof *g, "sparse sample");
  double *v = pl_alloc((size_t)k, sizeof *v, "sparse sample");
  int8_t *perms = tables ? pl_alloc((size_t)k, n, "sparse sample") : NULL;
  draw_sample(s, part, i, v, g, perms);
  if (tables) {
    permutations_sum(s->layout, s->transform, tables, k, perms, v, s->f, F);
  } else {
    int64_t first = pl_transform_first(s->transform), count = pl_transform_count(s->transform);
    memset(s->f, 0, (size_t)count * sizeof *s->f);
    for (int64_t p = 0; p < k; p++)
      if (g[p] >= first && g[p] < first + count) s->f[g[p] - first] = v[p];
    pl_transform_forward(s->transform, s->f, F);
  }
  pl_free(g);
  pl_free(v);
  pl_free(perms);
  return PL_OK;
}

static pl_status recipe(pl_source *s, pl_part part, int64_t i, pl_recipe *out) {
  out->count = pl_group_data_of(s->spec)->nonzeros;
  int64_t *g = pl_alloc((size_t)out->count, sizeof *g, "sparse sample");
  draw_sample(s, part, i, out->weights, g, out->perms);
  pl_free(g);
  return PL_OK;
}

static pl_status begin(pl_source *s) {
  if (!s->regenerates) s->own = permutations_tables(s->layout, !s->transform);
  return PL_OK;
}

static void end(pl_source *s) {
  pl_band_free(s->own);
}

static double permutations(const pl_spec *spec) {
  return (double)pl_group_data_of(spec)->nonzeros;
}

static pl_status check(const pl_spec *spec, const pl_group *g, const char **key) {
  int64_t nonzeros = pl_group_data_of(spec)->nonzeros;
  *key = "data.nonzeros";
  if (pl_group_codepth(g) && nonzeros > MOST_IN_BAND)
    return pl_error(PL_EINPUT, "a sample in a band is a sum of at most %d permutations",
                    MOST_IN_BAND);
  if (log((double)nonzeros) < pl_group_log_order(g) - 1) return PL_OK;
  if (nonzeros > pl_group_order(g))
    return pl_error(PL_EINPUT, "%lld nonzeros do not fit into %s of order %lld",
                    (long long)nonzeros, pl_group_spec(g), (long long)pl_group_order(g));
  return PL_OK;
}

static const pl_key rows[] = {
    {"data.nonzeros", PL_KEY_INT, DATA_FIELD(nonzeros), DATA_ALL, "3", .min = 1, .max = 1e9,
     .help = "nonzeros per sample"},
};
static const pl_keys table = PL_KEYS(PL_IN_DATA, rows);
static const pl_keys *const keys[] = {&pl_size_keys, &data_scale_keys, &table, NULL};

const pl_group_data pl_data_sparse = {
    .base = {.name = "sparse",
             .help = "Gaussian values at a few elements, labels +1, -1 in turn",
             .keys = keys,
             .write_data = pl_group_data_write},
    .over_group = true,
    .permutations = permutations,
    .check = check,
    .begin = begin,
    .sample = sample,
    .recipe = recipe,
    .end = end,
};
