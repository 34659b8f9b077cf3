/* B_n, the signed permutations: sign changes v, then s, an element v s (conventions:
 * group/group.h).  The transform along the signs is Walsh and Hadamard's; for a character, of
 * subset A, and cosets A = s B it leaves functions on S_(n-k) x S_k, which have fast transforms.
 * (Little groups: Serre 1977, section 8.2.) */
#include "base/mem.h"
#include "group/family.h"
#include "group/fourier.h"
#include "group/perm.h"

#include <stdio.h>
#include <string.h>

enum { MAX = 8 };

/* Irreps with k sign characters: of S_(n-k) x S_k, induced. */
typedef struct stratum {
  pl_group *group; /* S_(n-k) x S_k, S_1 for S_0 */
  int subsets;
  int *mask;   /* of every subset of k points */
  int8_t *rep; /* [subset][n]: increasing off the subset, then on it */
} stratum;

typedef struct signed_group {
  stratum stratum[MAX + 1];
  int64_t first[MAX + 2]; /* irreps before a stratum */
} signed_group;

static const signed_group *of(const pl_factor *f) {
  return f->data;
}

static void init_stratum(stratum *s, int n, int k) {
  char spec[32];
  snprintf(spec, sizeof spec, "S_%d x S_%d", k < n ? n - k : 1, k > 0 ? k : 1);
  if (pl_group_parse(spec, &s->group)) pl_die(PL_EBUG, "%s", pl_error_message());
  s->mask = pl_alloc((size_t)1 << n, sizeof *s->mask, "subsets");
  s->rep = pl_alloc((size_t)n << n, sizeof *s->rep, "coset representatives");
  for (int mask = 0; mask < 1 << n; mask++) {
    if (__builtin_popcount((unsigned)mask) != k) continue;
    int8_t *off = s->rep + s->subsets * n, *on = off + n - k;
    s->mask[s->subsets++] = mask;
    for (int i = 0; i < n; i++) *(mask >> i & 1 ? on++ : off++) = (int8_t)i;
  }
}

static void init(pl_factor *f) {
  int n = (int)f->n;
  signed_group *b = pl_zalloc(1, sizeof *b, "signed permutations");
  for (int k = 0; k <= n; k++) {
    init_stratum(&b->stratum[k], n, k);
    b->first[k + 1] = b->first[k] + pl_group_num_irreps(b->stratum[k].group);
  }
  f->order = pl_factorial(n) << n;
  f->classes = f->irreps = b->first[n + 1];
  f->data = b;
}
static void fini(pl_factor *f) {
  signed_group *b = f->data;
  for (int k = 0; k <= f->n; k++) {
    pl_group_free(b->stratum[k].group);
    pl_free(b->stratum[k].mask);
    pl_free(b->stratum[k].rep);
  }
  pl_free(b);
}

/* ---- elements ---- */

static int unpack(const pl_factor *f, int64_t a, int8_t *s) {
  pl_perm_unrank((int)f->n, a >> f->n, s);
  return (int)(a & ((INT64_C(1) << f->n) - 1));
}
static int64_t pack(const pl_factor *f, int signs, const int8_t *s) {
  return (pl_perm_rank((int)f->n, s) << f->n) + signs;
}
/* Images of the points in a bit mask. */
static int image(int n, const int8_t *s, int mask) {
  int out = 0;
  for (int i = 0; i < n; i++)
    if (mask >> i & 1) out |= 1 << s[i];
  return out;
}

static int64_t mul(const pl_factor *f, int64_t a, int64_t b) {
  int n = (int)f->n;
  int8_t s[MAX], t[MAX], st[MAX];
  int v = unpack(f, a, s), w = unpack(f, b, t);
  pl_perm_compose(n, s, t, st);
  return pack(f, v ^ image(n, s, w), st);
}
static int64_t inv(const pl_factor *f, int64_t a) {
  int n = (int)f->n;
  int8_t s[MAX], t[MAX];
  int v = unpack(f, a, s);
  pl_perm_inverse(n, s, t);
  return pack(f, image(n, t, v), t);
}

static int element_label(const pl_factor *f, int64_t a, char *buf, size_t size) {
  int8_t s[MAX];
  char text[8 * MAX];
  int v = unpack(f, a, s), len = 0;
  for (int i = 0; i < f->n; i++)
    len += snprintf(text + len, sizeof text - (size_t)len, "%s%s%d", i ? " " : "",
                    v >> s[i] & 1 ? "-" : "", s[i] + 1);
  return snprintf(buf, size, "%s", text);
}

/* A sign at 1, and (1 2), (2 3), .. */
static int generators(const pl_factor *f, int64_t *gens, int max) {
  int n = (int)f->n;
  if (max > 0) gens[0] = 1;
  for (int g = 1; g < n && g < max; g++) gens[g] = pl_factorial(n - g) << n;
  return n;
}

/* ---- irreps ---- */

/* The stratum of irrep i, which becomes its number there. */
static const stratum *find(const pl_factor *f, int64_t *i, int *k) {
  const signed_group *b = of(f);
  for (*k = 0; *i >= b->first[*k + 1];) ++*k;
  *i -= b->first[*k];
  return &b->stratum[*k];
}

static pl_irrep irrep(const pl_factor *f, int64_t i) {
  int k;
  const stratum *s = find(f, &i, &k);
  return (pl_irrep){s->subsets * pl_group_irrep(s->group, i).dim, PL_REAL, 1};
}

static int irrep_label(const pl_factor *f, int64_t i, int conj, char *buf, size_t size) {
  (void)conj;
  int k;
  const stratum *s = find(f, &i, &k);
  char name[16 * MAX];
  pl_group_irrep_label(s->group, i, name, sizeof name);
  char *cut = strstr(name, " x ");
  *cut = 0;
  return snprintf(buf, size, "%s|%s", k < f->n ? name : "-", k > 0 ? cut + 3 : "-");
}

static int64_t irrep_by_label(const pl_factor *f, const char *label, int *conj) {
  *conj = 0;
  size_t size = strlen(label) + 1;
  char *name = pl_alloc(size, 1, "a label");
  int64_t found = -1;
  for (int64_t i = 0; i < f->irreps && found < 0; i++)
    if (irrep_label(f, i, 0, name, size) < (int)size && !strcmp(name, label)) found = i;
  pl_free(name);
  return found;
}

static int odd(int mask) {
  return __builtin_popcount((unsigned)mask) % 2;
}

/* Number in the stratum's group of t_A^-1 s t_B, which keeps 0..n-k-1 apart from the others. */
static int64_t coset_part(const stratum *s, int n, int k, int A, int B, const int8_t *perm) {
  int8_t back[MAX], part[MAX];
  pl_perm_inverse(n, s->rep + A * n, back);
  for (int i = 0; i < n; i++) part[i] = back[perm[s->rep[B * n + i]]];
  for (int i = n - k; i < n; i++) part[i] = (int8_t)(part[i] - (n - k));
  return pl_perm_rank(n - k, part) * pl_factorial(k) + pl_perm_rank(k, part + n - k);
}

static void irrep_matrix(const pl_factor *f, int64_t i, int64_t element, double *compact) {
  int n = (int)f->n, k;
  int8_t perm[MAX];
  int v = unpack(f, element, perm);
  const stratum *s = find(f, &i, &k);
  int64_t d = pl_group_irrep(s->group, i).dim, wide = d * s->subsets;
  double *block = pl_alloc((size_t)(d * d), sizeof *block, "an irrep matrix");
  memset(compact, 0, (size_t)(wide * wide) * sizeof *compact);
  for (int B = 0; B < s->subsets; B++) {
    int A = 0, mask = image(n, perm, s->mask[B]);
    while (s->mask[A] != mask) A++;
    pl_group_irrep_matrix(s->group, i, coset_part(s, n, k, A, B, perm), block);
    for (int64_t r = 0; r < d; r++)
      for (int64_t c = 0; c < d; c++)
        compact[(A * d + r) * wide + B * d + c] =
            odd(v & mask) ? -block[r * d + c] : block[r * d + c];
  }
  pl_free(block);
}

/* ---- transform ---- */

typedef struct plan {
  const pl_factor *f;
  pl_fourier *fourier[MAX + 1];
  int32_t *rank[MAX + 1]; /* [A][B][element of the stratum's group] -> rank of t_A (it) t_B^-1 */
  double *signs;          /* |G|: along the signs transformed */
  double *x, *F;          /* functions on a stratum's group, one for every B, and records */
} plan;

static void *plan_new(const pl_factor *f, const int64_t *offset) {
  (void)offset;
  int n = (int)f->n;
  plan *p = pl_zalloc(1, sizeof *p, "a transform");
  p->f = f;
  for (int k = 0; k <= n; k++) {
    const stratum *s = &of(f)->stratum[k];
    int64_t part = pl_group_order(s->group);
    if (pl_fourier_new(s->group, NULL, &p->fourier[k])) pl_die(PL_EENV, "%s", pl_error_message());
    p->rank[k] = pl_alloc((size_t)(part * s->subsets * s->subsets), sizeof **p->rank,
                          "tables of a transform");
    int32_t *to = p->rank[k];
    for (int A = 0; A < s->subsets; A++)
      for (int B = 0; B < s->subsets; B++)
        for (int64_t e = 0; e < part; e++) {
          int8_t inner[MAX], perm[MAX];
          pl_perm_unrank(n - k, e / pl_factorial(k), inner);
          pl_perm_unrank(k, e % pl_factorial(k), inner + n - k);
          for (int i = n - k; i < n; i++) inner[i] = (int8_t)(inner[i] + n - k);
          for (int i = 0; i < n; i++) perm[s->rep[B * n + i]] = s->rep[A * n + inner[i]];
          *to++ = (int32_t)pl_perm_rank(n, perm);
        }
  }
  /* C(n, k) (n-k)! k! = n! numbers at a time. */
  int64_t most = pl_factorial(n);
  p->signs = pl_alloc((size_t)f->order, sizeof *p->signs, "workspace of a transform");
  p->x = pl_alloc((size_t)most, sizeof *p->x, "workspace of a transform");
  p->F = pl_alloc((size_t)most, sizeof *p->F, "workspace of a transform");
  return p;
}

static void plan_free(void *plan_) {
  plan *p = plan_;
  for (int k = 0; k <= p->f->n; k++) {
    pl_fourier_free(p->fourier[k]);
    pl_free(p->rank[k]);
  }
  pl_free(p->signs);
  pl_free(p->x);
  pl_free(p->F);
  pl_free(p);
}

/* Walsh and Hadamard's transform of rows of 2^n numbers, in place. */
static void hadamard(int64_t total, int64_t width, double *x) {
  for (int64_t half = 1; half < width; half *= 2)
    for (int64_t at = 0; at < total; at += 2 * half)
      for (int64_t i = at; i < at + half; i++) {
        double a = x[i], b = x[i + half];
        x[i] = a + b;
        x[i + half] = a - b;
      }
}

/* Between the records of row A of a stratum, in p->F, and the matrices of its irreps. */
static void exchange(const plan *p, int k, int A, const double *in, double *out) {
  const stratum *s = &of(p->f)->stratum[k];
  double *record = p->F;
  for (int B = 0; B < s->subsets; B++) {
    int64_t first = 0;
    for (int64_t i = 0; i < pl_group_num_irreps(s->group); i++) {
      int64_t d = pl_group_irrep(s->group, i).dim, wide = d * s->subsets;
      int64_t at = first + A * d * wide + B * d;
      for (int64_t r = 0; r < d; r++, record += d, at += wide)
        if (out)
          memcpy(out + at, record, (size_t)d * sizeof *out);
        else
          memcpy(record, in + at, (size_t)d * sizeof *in);
      first += wide * wide;
    }
  }
}

static void forward(void *plan_, int64_t rows, const double *in, int64_t in_stride, double *out,
                    int64_t out_stride) {
  plan *p = plan_;
  int n = (int)p->f->n;
  for (; rows > 0; rows--, in += in_stride, out += out_stride) {
    double *to = out;
    memcpy(p->signs, in, (size_t)p->f->order * sizeof *in);
    hadamard(p->f->order, 1 << n, p->signs);
    for (int k = 0; k <= n; k++) {
      const stratum *s = &of(p->f)->stratum[k];
      int64_t part = pl_group_order(s->group), row = part * s->subsets;
      for (int A = 0; A < s->subsets; A++) {
        for (int64_t e = 0; e < row; e++)
          p->x[e] = p->signs[((int64_t)p->rank[k][A * row + e] << n) + s->mask[A]];
        pl_fourier_forward(p->fourier[k], s->subsets, p->x, part, p->F, part);
        exchange(p, k, A, NULL, to);
      }
      to += row * s->subsets;
    }
  }
}

static void inverse(void *plan_, int64_t rows, const double *in, int64_t in_stride, double *out,
                    int64_t out_stride) {
  plan *p = plan_;
  int n = (int)p->f->n;
  double share = 1.0 / (1 << n);
  for (; rows > 0; rows--, in += in_stride, out += out_stride) {
    const double *from = in;
    for (int k = 0; k <= n; k++) {
      const stratum *s = &of(p->f)->stratum[k];
      int64_t part = pl_group_order(s->group), row = part * s->subsets;
      for (int A = 0; A < s->subsets; A++) {
        exchange(p, k, A, from, NULL);
        pl_fourier_inverse(p->fourier[k], s->subsets, p->F, part, p->x, part);
        for (int64_t e = 0; e < row; e++)
          out[((int64_t)p->rank[k][A * row + e] << n) + s->mask[A]] = share * p->x[e];
      }
      from += row * s->subsets;
    }
    hadamard(p->f->order, 1 << n, out);
  }
}

static int64_t bytes(const pl_factor *f) {
  int64_t sum = 12 * f->order + 16 * pl_factorial((int)f->n);
  for (int k = 0; k <= f->n; k++) sum += pl_fourier_bytes(of(f)->stratum[k].group);
  return sum;
}

static const pl_fast fast = {
    .make = plan_new, .free = plan_free, .forward = forward, .inverse = inverse, .bytes = bytes};

const pl_family pl_family_signed = {
    .letter = 'B',
    .form = "B_n  signed permutations, order 2^n n!, n = 1..8",
    .min = 1,
    .max = MAX,
    .init = init,
    .fini = fini,
    .mul = mul,
    .inv = inv,
    .element_label = element_label,
    .generators = generators,
    .irrep = irrep,
    .irrep_label = irrep_label,
    .irrep_by_label = irrep_by_label,
    .irrep_matrix = irrep_matrix,
    .fast = &fast,
};
