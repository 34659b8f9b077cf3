/* Groups known by their multiplication, with irreps found numerically: from generators
 * (perm:.., named groups) or from a table (cayley:..). */
#include "base/blas.h"
#include "base/mem.h"
#include "group/family.h"
#include "group/generators.h"
#include "group/irreps.h"

#include <stdio.h>
#include <string.h>

/* What all factors of one group share while any of them lives. */
typedef struct numeric {
  pl_finite *finite;
  pl_irreps *irreps;
  int64_t classes;
  int users;
  struct numeric *next;
} numeric;
static numeric *alive;

static const numeric *of(const pl_factor *f) {
  return f->data;
}

static const char *after(const char *word, const char *prefix) {
  size_t n = strlen(prefix);
  return strncmp(word, prefix, n) ? NULL : word + n;
}

static int reads(const char *word) {
  static const char *const starts[] = {"perm:", "cayley:", "M_",   "PSL_2(",
                                       "SL_2(", "Dic_",    "Heis_"};
  for (size_t i = 0; i < sizeof starts / sizeof *starts; i++)
    if (after(word, starts[i])) return 1;
  return 0;
}

/* The group that word names, and its canonical spelling. */
static pl_status read_group(const char *word, pl_finite **out, char **spec) {
  const char *table = after(word, "cayley:");
  if (table) {
    PL_TRY(pl_finite_from_table(table, out));
    *spec = pl_strdup(word);
    return PL_OK;
  }
  pl_perms p;
  pl_status st;
  if (!pl_perms_spec(word, &p, spec, &st)) {
    char nearest[160];
    pl_group_nearest(word, (int)strnlen(word, 64), nearest, sizeof nearest);
    return pl_error(PL_EINPUT, "\"%.64s\" is not a known group; nearest: %s", word, nearest);
  }
  if (st) return st;
  st = pl_finite_from_perms(&p, out);
  pl_free(p.image);
  if (!st && ((*out)->order < 0 || (*out)->order > PL_MAX_IRREP_ORDER)) {
    char *order = pl_chain_order_text((*out)->chain);
    st = pl_error(PL_EINPUT, "its order is %s; irreps are found up to order %d", order,
                  PL_MAX_IRREP_ORDER);
    pl_free(order);
    pl_finite_free(*out);
  }
  if (st) pl_free(*spec);
  return st;
}

static pl_status find_irreps(pl_finite *finite, numeric **out) {
  for (numeric *m = alive; m; m = m->next)
    if (m->finite->hash == finite->hash && m->finite->order == finite->order) {
      pl_finite_free(finite);
      *out = m;
      return PL_OK;
    }
  pl_irreps *irreps;
  pl_status st = pl_irreps_cached(finite, &irreps);
  if (st) {
    pl_finite_free(finite);
    return st;
  }
  numeric *m = pl_alloc(1, sizeof *m, "a finite group");
  *m = (numeric){.finite = finite, .irreps = irreps, .next = alive};
  for (int64_t i = 0; i < irreps->n; i++) m->classes += irreps->irrep[i].mult;
  *out = alive = m;
  return PL_OK;
}

static pl_status parse(const char *word, pl_factor *f) {
  pl_finite *finite;
  numeric *m;
  char *spec = NULL;
  PL_TRY(read_group(word, &finite, &spec));
  pl_status st = find_irreps(finite, &m);
  if (st) {
    pl_free(spec);
    return st;
  }
  m->users++;
  f->spec = spec;
  f->data = m;
  f->n = f->order = m->finite->order;
  f->classes = m->classes;
  f->irreps = m->irreps->n;
  return PL_OK;
}

static void fini(pl_factor *f) {
  numeric *m = f->data, **at = &alive;
  if (!m || --m->users) return;
  while (*at != m) at = &(*at)->next;
  *at = m->next;
  pl_finite_free(m->finite);
  pl_irreps_free(m->irreps);
  pl_free(m);
}

static int64_t mul(const pl_factor *f, int64_t a, int64_t b) {
  return pl_finite_mul(of(f)->finite, a, b);
}
static int64_t inv(const pl_factor *f, int64_t a) {
  return pl_finite_inv(of(f)->finite, a);
}

static int element_label(const pl_factor *f, int64_t a, char *buf, size_t n) {
  return pl_finite_label(of(f)->finite, a, buf, n);
}

static int generators(const pl_factor *f, int64_t *gens, int max) {
  const pl_finite *g = of(f)->finite;
  for (int i = 0; i < g->num_gens && i < max; i++) gens[i] = g->gens[i];
  return g->num_gens;
}

static pl_irrep irrep(const pl_factor *f, int64_t i) {
  return of(f)->irreps->irrep[i];
}
static int64_t complex_before(const pl_factor *f, int64_t i) {
  int64_t pairs = 0;
  while (i-- > 0) pairs += irrep(f, i).type == PL_COMPLEX;
  return pairs;
}

static int irrep_label(const pl_factor *f, int64_t i, int conj, char *buf, size_t n) {
  return snprintf(buf, n, "%s%s", of(f)->irreps->label[i], conj ? "*" : "");
}

static int64_t irrep_by_label(const pl_factor *f, const char *label, int *conj) {
  for (int64_t i = 0; i < f->irreps; i++) {
    const char *rest = after(label, of(f)->irreps->label[i]);
    if (!rest || (*rest && (strcmp(rest, "*") != 0 || irrep(f, i).type != PL_COMPLEX))) continue;
    *conj = *rest != 0;
    return i;
  }
  return -1;
}

static void irrep_matrix(const pl_factor *f, int64_t i, int64_t element, double *compact) {
  pl_irrep r = irrep(f, i);
  double *full = pl_alloc((size_t)pl_irrep_size(r), sizeof *full, "an irrep matrix");
  pl_irreps_matrix(of(f)->irreps, of(f)->finite, i, element, full);
  pl_compact_reduce(r, full, compact);
  pl_free(full);
}

/* ---- transform ---- */

/* G is the union of cosets t H of a subgroup of its chain, numbers t |H| + h, and
 *   F_rho = sum_t rho(t) (sum_h f(th) rho(h)):
 * two products of matrices per irrep, the second one with all rho(t) side by side.  H balances the
 * two tables, of |G/H| |G| and |H| |G| entries; with one transversal only, H is G. */
typedef struct plan {
  const pl_factor *f;
  int64_t cosets, size_h;
  double **head; /* [d][coset][d] of every irrep */
  double **tail; /* [h][d*d] */
  double *x, *full;
} plan;

static int64_t subgroup(const pl_factor *f) {
  const pl_finite *g = of(f)->finite;
  int64_t best = f->order, h = f->order;
  for (int level = 0; level < pl_finite_levels(g); level++) {
    h /= pl_finite_level_size(g, level);
    if (h > 1 && h + f->order / h < best + f->order / best) best = h;
  }
  return best;
}

static void *plan_new(const pl_factor *f, const int64_t *offset) {
  (void)offset;
  plan *p = pl_zalloc(1, sizeof *p, "a transform");
  p->f = f;
  p->size_h = subgroup(f);
  p->cosets = f->order / p->size_h;
  p->head = pl_zalloc((size_t)f->irreps, sizeof *p->head, "a transform");
  p->tail = pl_alloc((size_t)f->irreps, sizeof *p->tail, "a transform");
  int64_t widest = 0;
  for (int64_t i = 0; i < f->irreps; i++) {
    pl_irrep r = irrep(f, i);
    int64_t size = pl_irrep_size(r), row = size / r.dim;
    if (size > widest) widest = size;
    p->tail[i] = pl_alloc((size_t)(p->size_h * size), sizeof(double), "tables of a transform");
    for (int64_t h = 0; h < p->size_h; h++)
      pl_irreps_matrix(of(f)->irreps, of(f)->finite, i, h, p->tail[i] + h * size);
    if (p->cosets == 1) continue;
    p->head[i] = pl_alloc((size_t)(p->cosets * size), sizeof(double), "tables of a transform");
    double *rho = pl_alloc((size_t)size, sizeof *rho, "an irrep matrix");
    for (int64_t t = 0; t < p->cosets; t++) {
      pl_irreps_matrix(of(f)->irreps, of(f)->finite, i, t * p->size_h, rho);
      for (int k = 0; k < r.dim; k++)
        memcpy(p->head[i] + (k * p->cosets + t) * row, rho + k * row, (size_t)row * sizeof *rho);
    }
    pl_free(rho);
  }
  p->x = pl_alloc((size_t)(p->cosets * widest), sizeof *p->x, "workspace of a transform");
  p->full = pl_alloc((size_t)widest, sizeof *p->full, "workspace of a transform");
  return p;
}

static void plan_free(void *plan_) {
  plan *p = plan_;
  for (int64_t i = 0; i < p->f->irreps; i++) {
    pl_free(p->head[i]);
    pl_free(p->tail[i]);
  }
  pl_free(p->head);
  pl_free(p->tail);
  pl_free(p->x);
  pl_free(p->full);
  pl_free(p);
}

/* head (d x n d) times x (n d x d), or its adjoint times x (d x d). */
static void times_head(const plan *p, int64_t i, CBLAS_TRANSPOSE trans, const double *x,
                       double *out) {
  pl_irrep r = irrep(p->f, i);
  int d = r.dim, wide = pl_int(p->cosets * d), m = trans == CblasNoTrans ? d : wide,
      k = trans == CblasNoTrans ? wide : d;
  if (r.type == PL_REAL) {
    cblas_dgemm(CblasRowMajor, trans, CblasNoTrans, m, d, k, 1, p->head[i], wide, x, d, 0, out, d);
  } else {
    const double one[2] = {1, 0}, zero[2] = {0, 0};
    cblas_zgemm(CblasRowMajor, trans, CblasNoTrans, m, d, k, one, p->head[i], wide, x, d, zero, out,
                d);
  }
}

static void forward(void *plan_, int64_t rows, const double *in, int64_t in_stride, double *out,
                    int64_t out_stride) {
  plan *p = plan_;
  int n = pl_int(p->cosets), h = pl_int(p->size_h);
  for (int64_t i = 0, first = 0; i < p->f->irreps; i++) {
    pl_irrep r = irrep(p->f, i);
    int size = pl_int(pl_irrep_size(r)), compact = r.type != PL_QUATERNIONIC;
    for (int64_t b = 0; b < rows; b++) {
      double *to = out + b * out_stride + first, *F = compact ? to : p->full;
      cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, n, size, h, 1, in + b * in_stride, h,
                  p->tail[i], size, 0, n > 1 ? p->x : F, size);
      if (n > 1) times_head(p, i, CblasNoTrans, p->x, F);
      if (!compact) pl_compact_reduce(r, F, to);
    }
    first += pl_compact_size(r);
  }
}

static void inverse(void *plan_, int64_t rows, const double *in, int64_t in_stride, double *out,
                    int64_t out_stride) {
  plan *p = plan_;
  int n = pl_int(p->cosets), h = pl_int(p->size_h);
  for (int64_t i = 0, first = 0; i < p->f->irreps; i++) {
    pl_irrep r = irrep(p->f, i);
    int size = pl_int(pl_irrep_size(r)), compact = r.type != PL_QUATERNIONIC;
    double weight = (double)r.mult * r.dim / (double)p->f->order;
    for (int64_t b = 0; b < rows; b++) {
      const double *from = in + b * in_stride + first, *F = compact ? from : p->full;
      if (!compact) pl_compact_expand(r, from, p->full);
      if (n > 1) times_head(p, i, CblasConjTrans, F, p->x);
      cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, n, h, size, weight, n > 1 ? p->x : F,
                  size, p->tail[i], size, i > 0, out + b * out_stride, h);
    }
    first += pl_compact_size(r);
  }
}

/* Quaternionic matrices take twice their share of |G|. */
static int64_t bytes(const pl_factor *f) {
  int64_t h = subgroup(f), n = f->order / h, total = f->order;
  for (int64_t i = 0; i < f->irreps; i++)
    total += pl_irrep_size(irrep(f, i)) - pl_compact_size(irrep(f, i));
  return 8 * total * (h + (n > 1 ? n : 0) + 1);
}

static const pl_fast fast = {
    .make = plan_new, .free = plan_free, .forward = forward, .inverse = inverse, .bytes = bytes};

const pl_family pl_family_numeric = {
    .form =
        "perm:(1,2,3)(4,5),(1,2)  generated by permutations of 1..4096\n"
        "perm:FILE  the same, a generator per line: cycles or one-line notation\n"
        "cayley:FILE.nc  from a table(g, h) of integers from 0, order up to 4096\n"
        "M_11  PSL_2(q)  SL_2(q)  Dic_n  Heis_p  Mathieu, linear, dicyclic, Heisenberg groups: q "
        "up to 27, 19, n up to 250, p up to 19",
    .reads = reads,
    .parse = parse,
    .tolerance = 1e-10,
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
