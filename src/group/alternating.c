/* A_n, by restriction from S_n (conventions: group/group.h).  With T' the transpose of a tableau
 * T, S e_T = sign(T) e_T' takes lambda to its conjugate, commutes with even permutations and
 * anticommutes with odd ones; sign(s_i T) = -sign(T).  (James and Kerber 1981, section 2.5.) */
#include "base/mem.h"
#include "group/family.h"
#include "group/perm.h"
#include "group/sn_fft.h"
#include "group/young.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

typedef enum { WHOLE, PLUS, MINUS, PAIR } part; /* PAIR: complex, PLUS and MINUS at once */

typedef struct restricted {
  int64_t lambda; /* of S_n */
  part share;
  int dim; /* of lambda */
} restricted;

typedef struct alternating {
  pl_partition *partition;
  int64_t *conjugate; /* of every partition */
  int partitions;
  restricted *irrep;
} alternating;

static const alternating *of(const pl_factor *f) {
  return f->data;
}

/* ---- tableaux ---- */

/* Row of every letter in the transpose, and the sign. */
static int transpose(int n, const int8_t *t, int8_t *out) {
  int inversions = 0;
  for (int k = 0; k < n; k++) {
    out[k] = 0;
    for (int j = 0; j < k; j++) {
      out[k] = (int8_t)(out[k] + (t[j] == t[k]));
      inversions += t[j] > t[k];
    }
  }
  return inversions % 2 ? -1 : 1;
}

/* Last-letter order, the lower row first. */
static int before(int n, const int8_t *a, const int8_t *b) {
  for (int k = n - 1; k >= 0; k--)
    if (a[k] != b[k]) return a[k] > b[k];
  return 0;
}

/* Where the transposes of the tableaux of p stand among those of its conjugate; their signs. */
static void transposes(const pl_partition *p, const pl_partition *conjugate, int *to,
                       int8_t *sign) {
  int n = p->n, d = (int)pl_partition_dim(p);
  int8_t *rows = pl_tableaux(p), *others = pl_tableaux(conjugate), t[PL_MAX_N];
  for (int a = 0; a < d; a++) {
    sign[a] = (int8_t)transpose(n, rows + (int64_t)a * n, t);
    int low = 0, high = d;
    while (high - low > 1) {
      int middle = low + (high - low) / 2;
      *(before(n, t, others + (int64_t)middle * n) ? &high : &low) = middle;
    }
    to[a] = low;
  }
  pl_free(rows);
  pl_free(others);
}

static void conjugate_shape(const pl_partition *p, pl_partition *out) {
  *out = (pl_partition){.n = p->n};
  for (int r = 0; r < p->rows; r++)
    for (int c = 0; c < p->part[r]; c++) out->part[c]++;
  out->rows = p->part[0];
}

/* ---- the group ---- */

static void init(pl_factor *f) {
  int n = (int)f->n;
  alternating *a = pl_alloc(1, sizeof *a, "an alternating group");
  a->partition = pl_partitions(n, &a->partitions);
  a->conjugate = pl_alloc((size_t)a->partitions, sizeof *a->conjugate, "conjugate partitions");
  a->irrep = pl_alloc((size_t)(2 * a->partitions), sizeof *a->irrep, "irreps");
  f->order = n > 1 ? pl_factorial(n) / 2 : 1;
  for (int64_t i = 0; i < a->partitions; i++) {
    pl_partition shape, *p = &a->partition[i];
    conjugate_shape(p, &shape);
    int64_t j = 0;
    while (pl_partition_compare(&a->partition[j], &shape) != 0) j++;
    a->conjugate[i] = j;
    int dim = (int)pl_partition_dim(p), diagonal = 0;
    /* The tableau of one letter has no partner to differ from. */
    bool whole = j > i || n == 1;
    if (whole) a->irrep[f->irreps++] = (restricted){i, WHOLE, dim};
    f->classes += whole ? 1 : j == i ? 2 : 0;
    if (whole || j != i) continue;
    while (diagonal < p->rows && p->part[diagonal] > diagonal) diagonal++;
    if ((n - diagonal) / 2 % 2) {
      a->irrep[f->irreps++] = (restricted){i, PAIR, dim};
    } else {
      a->irrep[f->irreps++] = (restricted){i, PLUS, dim};
      a->irrep[f->irreps++] = (restricted){i, MINUS, dim};
    }
  }
  f->data = a;
}
static void fini(pl_factor *f) {
  alternating *a = f->data;
  pl_free(a->partition);
  pl_free(a->conjugate);
  pl_free(a->irrep);
  pl_free(a);
}

/* Parity of the permutation with this lexicographic rank: that of the sum of its digits. */
static int parity(int n, int64_t rank) {
  int64_t sum = 0;
  for (int k = 2; k <= n; k++) {
    sum += rank % k;
    rank /= k;
  }
  return sum % 2;
}
/* Ranks 2a and 2a + 1 differ in the two last images; one is even. */
static int64_t rank_in_sn(const pl_factor *f, int64_t a) {
  return 2 * a + parity((int)f->n, 2 * a);
}

static int64_t mul(const pl_factor *f, int64_t a, int64_t b) {
  int n = (int)f->n;
  int8_t s[PL_MAX_N], t[PL_MAX_N], st[PL_MAX_N];
  pl_perm_unrank(n, rank_in_sn(f, a), s);
  pl_perm_unrank(n, rank_in_sn(f, b), t);
  pl_perm_compose(n, s, t, st);
  return pl_perm_rank(n, st) / 2;
}
static int64_t inv(const pl_factor *f, int64_t a) {
  int8_t s[PL_MAX_N], t[PL_MAX_N];
  pl_perm_unrank((int)f->n, rank_in_sn(f, a), s);
  pl_perm_inverse((int)f->n, s, t);
  return pl_perm_rank((int)f->n, t) / 2;
}

static int element_label(const pl_factor *f, int64_t a, char *buf, size_t size) {
  int8_t s[PL_MAX_N];
  char text[4 * PL_MAX_N];
  int len = 0;
  pl_perm_unrank((int)f->n, rank_in_sn(f, a), s);
  for (int i = 0; i < f->n; i++)
    len += snprintf(text + len, sizeof text - (size_t)len, i ? " %d" : "%d", s[i] + 1);
  return snprintf(buf, size, "%s", text);
}

/* The cycles (i i+1 i+2). */
static int generators(const pl_factor *f, int64_t *gens, int max) {
  int n = (int)f->n;
  for (int g = 0; g < n - 2 && g < max; g++) {
    int8_t s[PL_MAX_N];
    for (int i = 0; i < n; i++) s[i] = (int8_t)i;
    s[g] = (int8_t)(g + 1), s[g + 1] = (int8_t)(g + 2), s[g + 2] = (int8_t)g;
    gens[g] = pl_perm_rank(n, s) / 2;
  }
  return n > 2 ? n - 2 : 0;
}

/* ---- irreps ---- */

static pl_irrep irrep(const pl_factor *f, int64_t i) {
  const restricted *r = &of(f)->irrep[i];
  return (pl_irrep){r->share == WHOLE ? r->dim : r->dim / 2,
                    r->share == PAIR ? PL_COMPLEX : PL_REAL, r->share == PAIR ? 2 : 1};
}
static int64_t complex_before(const pl_factor *f, int64_t i) {
  int64_t pairs = 0;
  while (i-- > 0) pairs += of(f)->irrep[i].share == PAIR;
  return pairs;
}

static int irrep_label(const pl_factor *f, int64_t i, int conj, char *buf, size_t n) {
  const restricted *r = &of(f)->irrep[i];
  char name[4 * PL_MAX_N];
  pl_partition_label(&of(f)->partition[r->lambda], name, sizeof name);
  return snprintf(buf, n, "%s%s", name,
                  r->share == WHOLE           ? ""
                  : r->share == MINUS || conj ? "-"
                                              : "+");
}

static int64_t irrep_by_label(const pl_factor *f, const char *label, int *conj) {
  char name[4 * PL_MAX_N + 2];
  for (int64_t i = 0; i < f->irreps; i++)
    for (*conj = 0; *conj <= (of(f)->irrep[i].share == PAIR); ++*conj) {
      irrep_label(f, i, *conj, name, sizeof name);
      if (!strcmp(name, label)) return i;
    }
  return -1;
}

/* How lambda splits.  Pairs (a, b) of tableaux T, T': basis vectors (e_a + c e_b) / sqrt 2. */
typedef struct splitting {
  int d, half;
  int *a, *b;
  int8_t *sign; /* S e_a = sign e_b */
} splitting;

static splitting splitting_new(const pl_partition *p) {
  splitting s = {.d = (int)pl_partition_dim(p)};
  size_t d = (size_t)s.d;
  int *to = pl_alloc(d, sizeof *to, "transposed tableaux");
  int8_t *sign = pl_alloc(d, sizeof *sign, "signs of tableaux");
  s.a = pl_alloc(d, sizeof *s.a, "pairs of tableaux");
  s.b = pl_alloc(d, sizeof *s.b, "pairs of tableaux");
  s.sign = pl_alloc(d, sizeof *s.sign, "signs of tableaux");
  transposes(p, p, to, sign);
  for (int k = 0; k < s.d; k++)
    if (k < to[k]) s.a[s.half] = k, s.b[s.half] = to[k], s.sign[s.half++] = sign[k];
  pl_free(to);
  pl_free(sign);
  return s;
}
static void splitting_free(splitting *s) {
  pl_free(s->a);
  pl_free(s->b);
  pl_free(s->sign);
}

/* F of lambda, commuting with S, to its blocks.  Complex: c = -i sign, as S^2 = -1. */
static void split(const splitting *s, part share, const double *F, double *out) {
  for (int i = 0; i < s->half; i++)
    for (int j = 0; j < s->half; j++, out += share == PAIR ? 2 : 1) {
      const double *top = F + (int64_t)s->a[i] * s->d, *bottom = F + (int64_t)s->b[i] * s->d;
      double aa = top[s->a[j]], ab = s->sign[j] * top[s->b[j]], ba = s->sign[i] * bottom[s->a[j]];
      double bb = s->sign[i] * s->sign[j] * bottom[s->b[j]];
      if (share == PAIR)
        out[0] = (aa + bb) / 2, out[1] = (ba - ab) / 2;
      else
        *out = (aa + bb + (share == PLUS ? ab + ba : -ab - ba)) / 2;
    }
}

/* Back: adds the part of one irrep to F. */
static void merge(const splitting *s, part share, const double *in, double *F) {
  for (int i = 0; i < s->half; i++)
    for (int j = 0; j < s->half; j++, in += share == PAIR ? 2 : 1) {
      double *top = F + (int64_t)s->a[i] * s->d, *bottom = F + (int64_t)s->b[i] * s->d;
      double same = share == PAIR ? in[0] : in[0] / 2;
      double ab = share == PAIR   ? -in[1]
                  : share == PLUS ? same
                                  : -same,
             ba = share == PAIR ? in[1] : ab;
      top[s->a[j]] += same;
      top[s->b[j]] += s->sign[j] * ab;
      bottom[s->a[j]] += s->sign[i] * ba;
      bottom[s->b[j]] += s->sign[i] * s->sign[j] * same;
    }
}

static void irrep_matrix(const pl_factor *f, int64_t i, int64_t element, double *compact) {
  int n = (int)f->n;
  const restricted *r = &of(f)->irrep[i];
  const pl_partition *p = &of(f)->partition[r->lambda];
  int8_t s[PL_MAX_N], t[PL_MAX_N];
  pl_perm_unrank(n, rank_in_sn(f, element), s);
  for (int k = 0; k < n; k++) t[k] = (int8_t)(n - 1 - s[n - 1 - k]);
  if (r->share == WHOLE) {
    pl_young_orthogonal(p, t, compact);
    return;
  }
  double *full = pl_alloc((size_t)r->dim * (size_t)r->dim, sizeof *full, "an irrep matrix");
  splitting parts = splitting_new(p);
  pl_young_orthogonal(p, t, full);
  split(&parts, r->share, full, compact);
  splitting_free(&parts);
  pl_free(full);
}

/* ---- transform: on S_n, of a function that is zero on odd permutations ---- */

typedef struct plan {
  const pl_factor *f;
  pl_sn_fft *sn;
  int64_t *offset;  /* of every partition's matrix in F */
  splitting *parts; /* of self-conjugate irreps */
  int **to;         /* of the others: transposes, and their signs */
  int8_t **sign;
  double *function, *F; /* n! each */
} plan;

static void *plan_new(const pl_factor *f, const int64_t *offset) {
  (void)offset;
  const alternating *a = of(f);
  plan *p = pl_alloc(1, sizeof *p, "a transform");
  *p = (plan){.f = f};
  if (pl_sn_fft_new((int)f->n, NULL, &p->sn)) pl_die(PL_EBUG, "%s", pl_error_message());
  p->offset = pl_alloc((size_t)a->partitions, sizeof *p->offset, "offsets");
  int64_t at = 0;
  for (int i = 0; i < a->partitions; i++) {
    int64_t d = pl_partition_dim(&a->partition[i]);
    p->offset[i] = at;
    at += d * d;
  }
  p->parts = pl_zalloc((size_t)f->irreps, sizeof *p->parts, "a transform");
  p->to = pl_zalloc((size_t)f->irreps, sizeof *p->to, "a transform");
  p->sign = pl_zalloc((size_t)f->irreps, sizeof *p->sign, "a transform");
  for (int64_t i = 0; i < f->irreps; i++) {
    const restricted *r = &a->irrep[i];
    const pl_partition *shape = &a->partition[r->lambda];
    if (r->share != WHOLE) {
      p->parts[i] = splitting_new(shape);
      continue;
    }
    p->to[i] = pl_alloc((size_t)r->dim, sizeof **p->to, "transposed tableaux");
    p->sign[i] = pl_alloc((size_t)r->dim, sizeof **p->sign, "signs of tableaux");
    transposes(shape, &a->partition[a->conjugate[r->lambda]], p->to[i], p->sign[i]);
  }
  p->function = pl_alloc((size_t)(2 * f->order), sizeof *p->function, "a function on S_n");
  p->F = pl_alloc((size_t)(2 * f->order), sizeof *p->F, "a function on S_n");
  return p;
}

static void plan_free(void *plan_) {
  plan *p = plan_;
  for (int64_t i = 0; i < p->f->irreps; i++) {
    splitting_free(&p->parts[i]);
    pl_free(p->to[i]);
    pl_free(p->sign[i]);
  }
  pl_free(p->parts);
  pl_free(p->to);
  pl_free(p->sign);
  pl_free(p->offset);
  pl_free(p->function);
  pl_free(p->F);
  pl_sn_fft_free(p->sn);
  pl_free(p);
}

static void forward(void *plan_, int64_t rows, const double *in, int64_t in_stride, double *out,
                    int64_t out_stride) {
  plan *p = plan_;
  int64_t n = p->f->order;
  for (; rows > 0; rows--, in += in_stride, out += out_stride) {
    memset(p->function, 0, (size_t)(2 * n) * sizeof *in);
    for (int64_t a = 0; a < n; a++) p->function[rank_in_sn(p->f, a)] = in[a];
    pl_sn_fft_forward(p->sn, 1, p->function, 2 * n, p->F, 2 * n);
    double *to = out;
    for (int64_t i = 0; i < p->f->irreps; i++) {
      const restricted *r = &of(p->f)->irrep[i];
      const double *F = p->F + p->offset[r->lambda];
      int64_t size = pl_compact_size(irrep(p->f, i));
      if (r->share == WHOLE)
        memcpy(to, F, (size_t)size * sizeof *to);
      else
        split(&p->parts[i], r->share, F, to);
      to += size;
    }
  }
}

static void inverse(void *plan_, int64_t rows, const double *in, int64_t in_stride, double *out,
                    int64_t out_stride) {
  plan *p = plan_;
  const alternating *a = of(p->f);
  int64_t n = p->f->order;
  for (; rows > 0; rows--, in += in_stride, out += out_stride) {
    const double *from = in;
    memset(p->F, 0, (size_t)(2 * n) * sizeof *in);
    for (int64_t i = 0; i < p->f->irreps; i++) {
      const restricted *r = &a->irrep[i];
      double *F = p->F + p->offset[r->lambda], *G = p->F + p->offset[a->conjugate[r->lambda]];
      int64_t size = pl_compact_size(irrep(p->f, i)), d = r->dim;
      if (r->share == WHOLE) {
        memcpy(F, from, (size_t)size * sizeof *F);
        for (int64_t j = 0; j < d; j++)
          for (int64_t k = 0; k < d; k++)
            G[p->to[i][j] * d + p->to[i][k]] = p->sign[i][j] * p->sign[i][k] * F[j * d + k];
      } else {
        merge(&p->parts[i], r->share, from, F);
      }
      from += size;
    }
    pl_sn_fft_inverse(p->sn, 1, p->F, 2 * n, p->function, 2 * n);
    for (int64_t e = 0; e < n; e++) out[e] = p->function[rank_in_sn(p->f, e)];
  }
}

static int64_t bytes(const pl_factor *f) {
  return pl_sn_fft_bytes((int)f->n) + 32 * f->order;
}

static const pl_fast fast = {
    .make = plan_new, .free = plan_free, .forward = forward, .inverse = inverse, .bytes = bytes};

const pl_family pl_family_alternating = {
    .letter = 'A',
    .form = "A_n  alternating group of order n!/2, n = 1..13",
    .min = 1,
    .max = 13,
    .init = init,
    .fini = fini,
    .mul = mul,
    .inv = inv,
    .element_label = element_label,
    .generators = generators,
    .irrep = irrep,
    .complex_before = complex_before,
    .irrep_label = irrep_label,
    .irrep_by_label = irrep_by_label,
    .irrep_matrix = irrep_matrix,
    .fast = &fast,
};
