#include "group/finite.h"

#include "base/mem.h"
#include "base/nc_read.h"
#include "group/generators.h"

#include <stdio.h>
#include <string.h>

/* FNV-1a. */
static uint64_t hash_bytes(uint64_t hash, const void *data, size_t n) {
  for (const unsigned char *p = data; n > 0; n--, p++) hash = (hash ^ *p) * UINT64_C(1099511628211);
  return hash;
}
static const uint64_t hash_start = UINT64_C(14695981039346656037);

/* ---- from generators ---- */

pl_status pl_finite_from_perms(const pl_perms *p, pl_finite **out) {
  pl_chain *chain;
  PL_TRY(pl_chain_new(p, &chain));
  pl_finite *f = pl_zalloc(1, sizeof *f, "a finite group");
  f->order = chain->order;
  f->chain = chain;
  f->gens = pl_alloc((size_t)p->num + 1, sizeof *f->gens, "generators");
  f->hash = hash_bytes(hash_start, &p->degree, sizeof p->degree);
  for (int s = 0; s < p->num; s++) {
    const pl_point *image = p->image + (size_t)s * (size_t)p->degree;
    f->hash = hash_bytes(f->hash, image, (size_t)p->degree * sizeof *image);
    int64_t g = f->order > 0 ? pl_chain_rank(chain, image) : 0;
    pl_require(g >= 0);
    if (g > 0) f->gens[f->num_gens++] = g;
  }
  *out = f;
  return PL_OK;
}

/* ---- from a table ---- */

static int64_t entry(const pl_finite *f, int64_t a, int64_t b) {
  return f->table[a * f->order + b];
}

/* The number that the file gives to an element. */
static long long filed(const pl_finite *f, int64_t a) {
  return a == 0 ? f->swap : a == f->swap ? 0 : a;
}

typedef struct table_rows {
  pl_finite *f;
  const char *path;
} table_rows;

static pl_status keep_rows(void *context, int64_t first, int64_t rows, const double *row) {
  table_rows *t = context;
  int64_t n = t->f->order;
  for (int64_t k = 0; k < rows * n; k++) {
    if (!(row[k] >= 0 && row[k] < (double)n))
      return pl_error(PL_EINPUT, "%s: table(%lld, %lld) = %.0f is not an element; they are 0..%lld",
                      t->path, (long long)(first + k / n), (long long)(k % n), row[k],
                      (long long)n - 1);
    t->f->table[first * n + k] = (uint16_t)row[k];
  }
  return PL_OK;
}

static pl_status read_table(pl_nc *nc, pl_finite *f) {
  pl_nc_axis axes[] = {{NULL, -1, NULL}, {NULL, -1, NULL}};
  pl_nc_input *in;
  PL_TRY(pl_nc_input_new(nc, "table", PL_NC_INTEGER, 2, axes, &in));
  int64_t n = axes[0].length;
  pl_status st = PL_OK;
  if (axes[1].length != n || n < 1 || n > PL_MAX_TABLE)
    st = pl_error(PL_EINPUT, "%s: table is %lld x %lld; it must be square, with at most %d rows",
                  pl_nc_path(nc), (long long)n, (long long)axes[1].length, PL_MAX_TABLE);
  if (!st) {
    f->order = n;
    f->table = pl_alloc((size_t)(n * n), sizeof *f->table, "a multiplication table");
    table_rows rows = {f, pl_nc_path(nc)};
    st = pl_nc_input_each(in, 1 << 16, keep_rows, &rows);
  }
  pl_nc_input_free(in);
  return st;
}

static pl_status find_identity(pl_finite *f) {
  int64_t n = f->order, e = 0, h, best = -1, nearest = 0, bad = 0;
  for (; e < n; e++) {
    int64_t right = 0, wrong = -1;
    for (h = 0; h < n; h++)
      if (entry(f, e, h) == h && entry(f, h, e) == h)
        right++;
      else
        wrong = h;
    if (right == n) break;
    if (right > best) best = right, nearest = e, bad = wrong;
  }
  if (e == n)
    return pl_error(
        PL_EINPUT,
        "the table has no identity: %lld comes nearest, but (%lld %lld) = %lld, (%lld %lld) = %lld",
        (long long)nearest, (long long)nearest, (long long)bad, (long long)entry(f, nearest, bad),
        (long long)bad, (long long)nearest, (long long)entry(f, bad, nearest));
  f->swap = (int)e;
  if (e == 0) return PL_OK;
  uint16_t *renamed = pl_alloc((size_t)(n * n), sizeof *renamed, "a multiplication table");
  for (int64_t g = 0; g < n; g++)
    for (h = 0; h < n; h++)
      renamed[g * n + h] = (uint16_t)filed(f, entry(f, filed(f, g), filed(f, h)));
  pl_free(f->table);
  f->table = renamed;
  return PL_OK;
}

static pl_status check_inverses(const pl_finite *f) {
  for (int64_t g = 0; g < f->order; g++) {
    int64_t h = 0;
    while (h < f->order && (entry(f, g, h) || entry(f, h, g))) h++;
    if (h == f->order)
      return pl_error(PL_EINPUT, "element %lld has no inverse in the table", filed(f, g));
  }
  return PL_OK;
}

static pl_status light(const pl_finite *f, int64_t s) {
  for (int64_t x = 0; x < f->order; x++) {
    int64_t xs = entry(f, x, s);
    for (int64_t y = 0; y < f->order; y++) {
      int64_t left = entry(f, xs, y), right = entry(f, x, entry(f, s, y));
      if (left != right)
        return pl_error(
            PL_EINPUT,
            "the table is not associative: (%lld %lld) %lld = %lld, but %lld (%lld %lld) = %lld",
            filed(f, x), filed(f, s), filed(f, y), filed(f, left), filed(f, x), filed(f, s),
            filed(f, y), filed(f, right));
    }
  }
  return PL_OK;
}

/* Generators are added until their products are everything.  Those that pass Light's test generate
 * a group if all elements have inverses, and then each one at least doubles it: where more are
 * needed than that, an inverse is missing. */
static pl_status find_generators(pl_finite *f) {
  int64_t n = f->order, found = 1;
  int64_t *list = pl_alloc((size_t)n, sizeof *list, "elements");
  char *seen = pl_zalloc((size_t)n, 1, "elements");
  f->gens = pl_alloc(16, sizeof *f->gens, "generators");
  pl_status st = PL_OK;
  seen[0] = 1, list[0] = 0;
  for (int64_t s = 0; !st && found < n && INT64_C(1) << f->num_gens <= n; s++) {
    if (seen[s]) continue;
    st = light(f, s);
    f->gens[f->num_gens++] = s;
    for (int64_t k = 0; !st && k < found; k++)
      for (int i = 0; i < f->num_gens; i++) {
        int64_t product = entry(f, list[k], f->gens[i]);
        if (!seen[product]) seen[product] = 1, list[found++] = product;
      }
  }
  pl_free(list);
  pl_free(seen);
  return st;
}

pl_status pl_finite_from_table(const char *path, pl_finite **out) {
  pl_nc *nc;
  PL_TRY(pl_nc_open(path, false, &nc));
  pl_finite *f = pl_zalloc(1, sizeof *f, "a finite group");
  pl_status st = read_table(nc, f);
  if (!st) {
    st = find_identity(f);
    if (!st) st = find_generators(f);
    if (!st) st = check_inverses(f);
    if (st) pl_error_in(st, "%s: ", path);
  }
  if (st) {
    pl_finite_free(f);
  } else {
    f->hash =
        hash_bytes(hash_start + 1, f->table, (size_t)(f->order * f->order) * sizeof *f->table);
    *out = f;
  }
  pl_nc_close(nc);
  return st;
}

void pl_finite_free(pl_finite *f) {
  if (!f) return;
  pl_chain_free(f->chain);
  pl_free(f->table);
  pl_free(f->gens);
  pl_free(f);
}

/* ---- elements ---- */

int64_t pl_finite_mul(const pl_finite *f, int64_t a, int64_t b) {
  return f->chain ? pl_chain_mul(f->chain, a, b) : entry(f, a, b);
}

int64_t pl_finite_inv(const pl_finite *f, int64_t a) {
  if (f->chain) return pl_chain_inv(f->chain, a);
  int64_t b = 0;
  while (entry(f, a, b)) b++;
  return b;
}

int pl_finite_label(const pl_finite *f, int64_t a, char *buf, size_t n) {
  if (!f->chain) return snprintf(buf, n, "%lld", filed(f, a));
  pl_point *perm = pl_alloc((size_t)f->chain->degree, sizeof *perm, "a permutation");
  pl_chain_unrank(f->chain, a, perm);
  int len = pl_perm_cycles(f->chain->degree, perm, buf, n);
  pl_free(perm);
  return len;
}

int pl_finite_levels(const pl_finite *f) {
  return f->chain ? f->chain->levels : 1;
}
int pl_finite_level_size(const pl_finite *f, int level) {
  return f->chain ? f->chain->level[level].size : (int)f->order;
}
int64_t pl_finite_level_element(const pl_finite *f, int level, int j) {
  int64_t element = j;
  for (int k = level + 1; k < pl_finite_levels(f); k++) element *= pl_finite_level_size(f, k);
  return element;
}
void pl_finite_digits(const pl_finite *f, int64_t a, int *digit) {
  for (int k = pl_finite_levels(f) - 1; k >= 0; k--) {
    digit[k] = (int)(a % pl_finite_level_size(f, k));
    a /= pl_finite_level_size(f, k);
  }
}

/* ---- classes ---- */

pl_classes *pl_classes_new(const pl_finite *f) {
  pl_classes *c = pl_zalloc(1, sizeof *c, "conjugacy classes");
  int64_t n = f->order, *list = pl_alloc((size_t)n, sizeof *list, "a conjugacy class");
  int64_t inverse[192];
  pl_require(f->num_gens <= 192);
  for (int s = 0; s < f->num_gens; s++) inverse[s] = pl_finite_inv(f, f->gens[s]);
  c->of = pl_alloc((size_t)n, sizeof *c->of, "conjugacy classes");
  c->rep = pl_alloc((size_t)n, sizeof *c->rep, "conjugacy classes");
  c->size = pl_alloc((size_t)n, sizeof *c->size, "conjugacy classes");
  for (int64_t a = 0; a < n; a++) c->of[a] = -1;
  for (int64_t a = 0; a < n; a++) {
    if (c->of[a] >= 0) continue;
    int64_t found = 1;
    list[0] = a;
    c->of[a] = (int)c->n;
    for (int64_t k = 0; k < found; k++)
      for (int s = 0; s < f->num_gens; s++) {
        int64_t b = pl_finite_mul(f, pl_finite_mul(f, f->gens[s], list[k]), inverse[s]);
        if (c->of[b] < 0) c->of[b] = (int)c->n, list[found++] = b;
      }
    c->rep[c->n] = a;
    c->size[c->n++] = found;
  }
  pl_free(list);
  c->inverse = pl_alloc((size_t)c->n, sizeof *c->inverse, "conjugacy classes");
  c->square = pl_alloc((size_t)c->n, sizeof *c->square, "conjugacy classes");
  c->order = pl_alloc((size_t)c->n, sizeof *c->order, "conjugacy classes");
  for (int64_t k = 0; k < c->n; k++) {
    int64_t a = c->rep[k];
    c->inverse[k] = c->of[pl_finite_inv(f, a)];
    c->square[k] = c->of[pl_finite_mul(f, a, a)];
    if (f->chain) {
      c->order[k] = (int)pl_chain_element_order(f->chain, a);
      continue;
    }
    c->order[k] = 1;
    for (int64_t b = a; b; b = entry(f, a, b)) c->order[k]++;
  }
  return c;
}

void pl_classes_free(pl_classes *c) {
  if (!c) return;
  pl_free(c->of);
  pl_free(c->rep);
  pl_free(c->size);
  pl_free(c->inverse);
  pl_free(c->square);
  pl_free(c->order);
  pl_free(c);
}
