#include "group/chain.h"

#include "base/mem.h"
#include "base/rng.h"

#include <math.h>
#include <string.h>

/* Elements taken at random before the chain is checked; so many in a row must sift to 1. */
enum { QUIET = 24, SLOTS = 12 };
static const double max_work = 2e10, max_bytes = 1e9; /* work: points looked up */

/* Strong generators: permutation k fixes the first depth[k] base points. */
typedef struct builder {
  pl_chain *c;
  int num, room, *depth;
  pl_point *gen;
  pl_point *sifted, *product; /* workspace */
  double bytes, work;
} builder;

static int spent(const builder *b) {
  return b->work > max_work || b->bytes > max_bytes;
}

static void compose(int n, const pl_point *s, const pl_point *t, pl_point *st) {
  for (int i = 0; i < n; i++) st[i] = s[t[i]];
}
static void invert(int n, const pl_point *s, pl_point *inv) {
  for (int i = 0; i < n; i++) inv[s[i]] = (pl_point)i;
}
static int first_moved(int n, const pl_point *s) {
  int i = 0;
  while (i < n && s[i] == i) i++;
  return i;
}

/* ---- levels ---- */

static void add_level(builder *b, int base) {
  pl_chain *c = b->c;
  int n = c->degree;
  c->level = pl_realloc(c->level, (size_t)(c->levels + 1), sizeof *c->level, "a stabiliser chain");
  pl_level *l = &c->level[c->levels++];
  *l = (pl_level){.base = base, .size = 1};
  l->index = pl_alloc((size_t)n, sizeof *l->index, "an orbit");
  l->rep = pl_alloc((size_t)n, sizeof *l->rep, "a transversal");
  l->inv = pl_alloc((size_t)n, sizeof *l->inv, "a transversal");
  for (int i = 0; i < n; i++) l->index[i] = -1, l->rep[i] = l->inv[i] = (pl_point)i;
  l->index[base] = 0;
  b->bytes += 8.0 * n;
}

/* Close the orbit of level k, which was closed before the last generator came; what stands there
 * stays. */
static void extend_orbit(builder *b, int k) {
  pl_level *l = &b->c->level[k];
  int n = b->c->degree, room = l->size, before = l->size;
  for (int j = 0; j < l->size; j++) {
    int first = j < before ? b->num - 1 : 0;
    b->work += b->num - first;
    for (int s = first; s < b->num; s++) {
      if (b->depth[s] < k) continue;
      const pl_point *gen = b->gen + (size_t)s * (size_t)n, *u = l->rep + (size_t)j * (size_t)n;
      int point = gen[u[l->base]];
      if (l->index[point] >= 0) continue;
      if (l->size == room) {
        room = 2 * room < n ? 2 * room : n;
        l->rep = pl_realloc(l->rep, (size_t)room * (size_t)n, sizeof *l->rep, "a transversal");
        l->inv = pl_realloc(l->inv, (size_t)room * (size_t)n, sizeof *l->inv, "a transversal");
        u = l->rep + (size_t)j * (size_t)n;
      }
      size_t at = (size_t)l->size * (size_t)n;
      compose(n, gen, u, l->rep + at);
      invert(n, l->rep + at, l->inv + at);
      l->index[point] = l->size++;
      b->bytes += 4.0 * n;
      b->work += 2.0 * n;
    }
  }
}

/* Strip g, in place, of its factors from level k on; the level where that ends. */
static int sift(const pl_chain *c, int k, pl_point *g) {
  for (; k < c->levels; k++) {
    const pl_level *l = &c->level[k];
    int j = l->index[g[l->base]];
    if (j < 0) return k;
    if (j) compose(c->degree, l->inv + (size_t)j * (size_t)c->degree, g, g);
  }
  return k;
}

/* Sift g, which lies in G_k; what remains becomes a generator.  The level it reaches, or -1. */
static int absorb(builder *b, int k, const pl_point *g) {
  int n = b->c->degree;
  memcpy(b->sifted, g, (size_t)n * sizeof *g);
  int depth = sift(b->c, k, b->sifted), moved = first_moved(n, b->sifted);
  b->work += (double)n * (depth - k + 1);
  if (moved == n) return -1;
  if (depth == b->c->levels) add_level(b, moved);
  if (b->num == b->room) {
    b->room *= 2;
    b->gen = pl_realloc(b->gen, (size_t)b->room * (size_t)n, sizeof *b->gen, "strong generators");
    b->depth = pl_realloc(b->depth, (size_t)b->room, sizeof *b->depth, "strong generators");
  }
  memcpy(b->gen + (size_t)b->num * (size_t)n, b->sifted, (size_t)n * sizeof *g);
  b->depth[b->num++] = depth;
  for (int l = k; l <= depth; l++) extend_orbit(b, l);
  return depth;
}

/* ---- the order ---- */

static double log_order(const pl_chain *c) {
  double sum = 0;
  for (int k = 0; k < c->levels; k++) sum += log(c->level[k].size);
  return sum;
}

/* log of the product of the factorials of the orbits' sizes, halved if all generators are even. */
static double log_bound(const pl_perms *p) {
  int n = p->degree, even = 1;
  int *orbit = pl_alloc((size_t)n, sizeof *orbit, "orbits"),
      *seen = pl_alloc((size_t)n, sizeof *seen, "cycles");
  for (int i = 0; i < n; i++) orbit[i] = i;
  for (int s = 0; s < p->num; s++) {
    const pl_point *g = p->image + (size_t)s * (size_t)n;
    int cycles = 0;
    memset(seen, 0, (size_t)n * sizeof *seen);
    for (int i = 0; i < n; i++) {
      int a = i, b = g[i];
      while (orbit[a] != a) a = orbit[a] = orbit[orbit[a]];
      while (orbit[b] != b) b = orbit[b] = orbit[orbit[b]];
      orbit[a > b ? a : b] = a > b ? b : a;
      if (!seen[i]) cycles++;
      for (int j = i; !seen[j]; j = g[j]) seen[j] = 1;
    }
    even &= (n - cycles) % 2 == 0;
  }
  memset(seen, 0, (size_t)n * sizeof *seen);
  for (int i = 0; i < n; i++) {
    int a = i;
    while (orbit[a] != a) a = orbit[a];
    seen[a]++;
  }
  double sum = even ? -log(2) : 0;
  for (int i = 0; i < n; i++) sum += lgamma(seen[i] + 1.0);
  pl_free(orbit);
  pl_free(seen);
  return sum;
}

/* Products of random generators (product replacement: Celler and others 1995). */
static void absorb_random(builder *b, const pl_perms *p) {
  int n = p->degree;
  size_t row = (size_t)n;
  pl_point *slot = pl_alloc((size_t)(SLOTS + p->num) * row, sizeof *slot, "random elements");
  int slots = p->num < SLOTS ? SLOTS : p->num;
  for (int k = 0; k < slots; k++)
    memcpy(slot + (size_t)k * row, p->image + (size_t)(k % p->num) * row, row * sizeof *slot);
  pl_point *last = slot;
  uint64_t stream = PL_STREAM(PL_STREAM_MISC, 2), draw = 0;
  for (int quiet = 0; quiet < QUIET && !spent(b); quiet++) {
    /* The first rounds only mix. */
    for (int mix = draw ? 1 : 8 * slots; mix > 0; mix--) {
      int64_t i = pl_rng_below(1, stream, draw++, slots),
              j = pl_rng_below(1, stream, draw++, slots - 1);
      j += j >= i;
      last = slot + (size_t)i * row;
      compose(n, last, slot + (size_t)j * row, b->product);
      memcpy(last, b->product, row * sizeof *last);
    }
    if (absorb(b, 0, last) >= 0) quiet = -1;
  }
  pl_free(slot);
}

/* Sift every Schreier generator, from the last level up.  False if that costs too much. */
static int verify(builder *b) {
  pl_chain *c = b->c;
  int n = c->degree;
  pl_point *schreier = pl_alloc((size_t)n, sizeof *schreier, "a Schreier generator");
  for (int k = c->levels - 1; k >= 0 && !spent(b);) {
    int found = -1;
    for (int j = 0; j < c->level[k].size && found < 0; j++)
      for (int s = 0; s < b->num && found < 0; s++) {
        if (b->depth[s] < k || spent(b)) continue;
        const pl_level *l = &c->level[k];
        const pl_point *gen = b->gen + (size_t)s * (size_t)n, *u = l->rep + (size_t)j * (size_t)n;
        compose(n, gen, u, b->product);
        int to = l->index[b->product[l->base]];
        compose(n, l->inv + (size_t)to * (size_t)n, b->product, schreier);
        found = absorb(b, k + 1, schreier);
        b->work += 2.0 * n;
      }
    k = found >= 0 ? found : k - 1;
  }
  pl_free(schreier);
  return !spent(b);
}

pl_status pl_chain_new(const pl_perms *p, pl_chain **out) {
  pl_require(p->degree >= 1 && p->degree <= PL_MAX_DEGREE);
  int n = p->degree;
  builder b = {.room = 16};
  b.c = pl_zalloc(1, sizeof *b.c, "a stabiliser chain");
  b.c->degree = n;
  b.gen = pl_alloc((size_t)b.room * (size_t)n, sizeof *b.gen, "strong generators");
  b.depth = pl_alloc((size_t)b.room, sizeof *b.depth, "strong generators");
  b.sifted = pl_alloc((size_t)n, sizeof *b.sifted, "a permutation");
  b.product = pl_alloc((size_t)n, sizeof *b.product, "a permutation");
  int done = 1;
  if (p->num > 0) {
    for (int s = 0; s < p->num && !spent(&b); s++) absorb(&b, 0, p->image + (size_t)s * (size_t)n);
    absorb_random(&b, p);
    /* Orders in the bound are at least a factor 2 apart. */
    if (spent(&b) || log_order(b.c) < log_bound(p) - 0.1) done = verify(&b);
  }
  pl_free(b.gen);
  pl_free(b.depth);
  pl_free(b.sifted);
  pl_free(b.product);
  if (!done) {
    pl_chain_free(b.c);
    return pl_error(
        PL_EENV,
        "the order of this permutation group of degree %d takes too much time or memory to certify",
        n);
  }
  double order = 1;
  b.c->order = 1;
  for (int k = 0; k < b.c->levels; k++) {
    order *= b.c->level[k].size;
    b.c->order = order < 0x1p62 && b.c->order > 0 ? b.c->order * b.c->level[k].size : -1;
  }
  *out = b.c;
  return PL_OK;
}

void pl_chain_free(pl_chain *c) {
  if (!c) return;
  for (int k = 0; k < c->levels; k++) {
    pl_free(c->level[k].index);
    pl_free(c->level[k].rep);
    pl_free(c->level[k].inv);
  }
  pl_free(c->level);
  pl_free(c);
}

char *pl_chain_order_text(const pl_chain *c) {
  int room = 2 + (int)(log_order(c) / log(10)) + 1, len = 1;
  char *digits = pl_zalloc((size_t)room + 1, 1, "an order");
  digits[0] = 1; /* least significant first */
  for (int k = 0; k < c->levels; k++) {
    int carry = 0;
    for (int i = 0; i < len || carry; i++) {
      carry += digits[i] * c->level[k].size;
      digits[i] = (char)(carry % 10);
      carry /= 10;
      if (i >= len) len = i + 1;
    }
  }
  for (int i = 0; i < len; i++) digits[i] = (char)(digits[i] + '0');
  for (int i = 0; i < len / 2; i++) {
    char d = digits[i];
    digits[i] = digits[len - 1 - i];
    digits[len - 1 - i] = d;
  }
  return digits;
}

/* ---- elements ---- */

static void split(const pl_chain *c, int64_t a, int *digit) {
  for (int k = c->levels - 1; k >= 0; k--) {
    digit[k] = (int)(a % c->level[k].size);
    a /= c->level[k].size;
  }
}

/* Number of the element that takes the base to the points given, or -1; they are overwritten. */
static int64_t rank_images(const pl_chain *c, int *image) {
  int64_t rank = 0;
  for (int k = 0; k < c->levels; k++) {
    const pl_level *l = &c->level[k];
    int j = l->index[image[k]];
    if (j < 0) return -1;
    rank = rank * l->size + j;
    const pl_point *inv = l->inv + (size_t)j * (size_t)c->degree;
    for (int i = k + 1; i < c->levels; i++) image[i] = inv[image[i]];
  }
  return rank;
}

/* An order below 2^62 has fewer levels than this. */
enum { MAX_LEVELS = 64 };

int64_t pl_chain_mul(const pl_chain *c, int64_t a, int64_t b) {
  int x[MAX_LEVELS], y[MAX_LEVELS], image[MAX_LEVELS];
  size_t n = (size_t)c->degree;
  split(c, a, x);
  split(c, b, y);
  for (int k = 0; k < c->levels; k++) {
    int point = c->level[k].base;
    for (int l = k; l >= 0; l--) point = c->level[l].rep[(size_t)y[l] * n + (size_t)point];
    for (int l = c->levels - 1; l >= 0; l--)
      point = c->level[l].rep[(size_t)x[l] * n + (size_t)point];
    image[k] = point;
  }
  return rank_images(c, image);
}

int64_t pl_chain_inv(const pl_chain *c, int64_t a) {
  int x[MAX_LEVELS], image[MAX_LEVELS];
  size_t n = (size_t)c->degree;
  split(c, a, x);
  for (int k = 0; k < c->levels; k++) {
    int point = c->level[k].base;
    for (int l = 0; l < c->levels; l++) point = c->level[l].inv[(size_t)x[l] * n + (size_t)point];
    image[k] = point;
  }
  return rank_images(c, image);
}

/* Only 1 fixes the base: the least common multiple of the lengths of the cycles of its points. */
int64_t pl_chain_element_order(const pl_chain *c, int64_t a) {
  int x[MAX_LEVELS];
  size_t n = (size_t)c->degree;
  int64_t order = 1;
  split(c, a, x);
  for (int k = 0; k < c->levels; k++) {
    int base = c->level[k].base, point = base;
    int64_t length = 0, gcd = order;
    do {
      for (int l = c->levels - 1; l >= 0; l--)
        point = c->level[l].rep[(size_t)x[l] * n + (size_t)point];
      length++;
    } while (point != base);
    for (int64_t rest = length; rest;) {
      int64_t next = gcd % rest;
      gcd = rest, rest = next;
    }
    order = order / gcd * length;
  }
  return order;
}

int64_t pl_chain_rank(const pl_chain *c, const pl_point *perm) {
  int image[MAX_LEVELS];
  for (int k = 0; k < c->levels; k++) image[k] = perm[c->level[k].base];
  int64_t rank = rank_images(c, image);
  if (rank < 0) return -1;
  pl_point *back = pl_alloc((size_t)c->degree, sizeof *back, "a permutation");
  pl_chain_unrank(c, rank, back);
  int same = !memcmp(back, perm, (size_t)c->degree * sizeof *back);
  pl_free(back);
  return same ? rank : -1;
}

void pl_chain_unrank(const pl_chain *c, int64_t a, pl_point *perm) {
  int x[MAX_LEVELS];
  size_t n = (size_t)c->degree;
  split(c, a, x);
  for (int i = 0; i < c->degree; i++) {
    int point = i;
    for (int l = c->levels - 1; l >= 0; l--)
      point = c->level[l].rep[(size_t)x[l] * n + (size_t)point];
    perm[i] = (pl_point)point;
  }
}
