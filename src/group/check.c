#include "group/check.h"

#include "base/blas.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/rng.h"
#include "group/family.h"
#include "group/fourier.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Work and memory that a check may take before it goes over to samples. */
static const double max_flops = 1e10, max_entries = 6e7;
/* What a matrix costs beyond its entries. */
static const double overhead = 20;
enum { MAX_IRREPS = 1000, MAX_ELEMENTS = 16, EXHAUSTIVE = 64, IMPULSES = 8 };

typedef struct checker {
  const pl_group *g;
  pl_fourier *plan;
  int64_t n, size;
  uint64_t draws;
  double tables; /* numbers that a transform reads, beside the function */
  double *f, *F; /* a function, a record */
} checker;

static int64_t draw(checker *c, int64_t n) {
  return pl_rng_below(1, PL_STREAM(PL_STREAM_MISC, 0), c->draws++, n);
}

/* Numbers 0..n-1, or 0 and max-1 random ones; *count of them. */
static int64_t *sample(checker *c, int64_t n, int64_t max, int64_t *count) {
  *count = n < max ? n : max;
  int64_t *list = pl_alloc((size_t)*count, sizeof *list, "a sample");
  for (int64_t k = 0; k < *count; k++) list[k] = n <= max || k == 0 ? k : draw(c, n);
  return list;
}

static void worsen(pl_check *check, double residual) {
  /* A NaN must not pass for a small number. */
  if (!(residual <= check->residual)) check->residual = residual;
}

/* max |x y - z| of matrices as stored, or with y^H and z = 1 if z is NULL; xy: workspace. */
static double deviation(pl_irrep r, const double *x, const double *y, const double *z, double *xy) {
  int d = r.dim;
  CBLAS_TRANSPOSE trans = z ? CblasNoTrans : CblasConjTrans;
  if (r.type == PL_REAL) {
    cblas_dgemm(CblasRowMajor, CblasNoTrans, trans, d, d, d, 1, x, d, y, d, 0, xy, d);
  } else {
    const double one[2] = {1, 0}, zero[2] = {0, 0};
    cblas_zgemm(CblasRowMajor, CblasNoTrans, trans, d, d, d, one, x, d, y, d, zero, xy, d);
  }
  int width = r.type == PL_REAL ? 1 : 2;
  double worst = 0;
  for (int64_t k = 0; k < pl_irrep_size(r); k++) {
    double want = z ? z[k] : k % ((int64_t)width * (d + 1)) == 0;
    double off = fabs(xy[k] - want);
    if (!(off <= worst)) worst = off;
  }
  return worst;
}

/* rho(a) rho(b) = rho(ab) and rho(a) rho(a)^H = 1 for all a and b in small groups; otherwise for
 * a among the generators and the random elements and b random. */
static void check_irreps(checker *c, pl_check *homomorphism, pl_check *unitarity) {
  const pl_group *g = c->g;
  int64_t irreps, total = pl_group_num_irreps(g), gens[256];
  int64_t *list = sample(c, total, MAX_IRREPS, &irreps);
  int all = c->n <= EXHAUSTIVE;
  int num_gens = all ? 0 : pl_group_generators(g, gens, 256);
  if (num_gens > 256) num_gens = 256;

  double cost = 1;
  for (int64_t k = 0; k < irreps; k++) cost += 2 * pow(pl_group_irrep(g, list[k]).dim, 3);
  double afford = sqrt(max_flops / cost);
  int64_t elements = all ? c->n : afford < 2 ? 2 : fmin(afford, MAX_ELEMENTS);
  int64_t firsts = num_gens + elements;
  int64_t *a = pl_alloc((size_t)firsts, sizeof *a, "a sample");
  for (int64_t k = 0; k < firsts; k++) a[k] = k < num_gens ? gens[k] : all ? k : draw(c, c->n);

  for (int64_t k = 0; k < irreps; k++) {
    pl_irrep r = pl_group_irrep(g, list[k]);
    size_t size = (size_t)pl_irrep_size(r);
    double *x = pl_alloc(4 * size, sizeof *x, "irrep matrices");
    double *y = x + size, *z = y + size, *work = z + size;
    for (int64_t i = 0; i < firsts; i++) {
      pl_group_irrep_matrix(g, list[k], a[i], x);
      worsen(unitarity, deviation(r, x, x, NULL, work));
      for (int64_t j = num_gens; j < firsts; j++) {
        pl_group_irrep_matrix(g, list[k], a[j], y);
        pl_group_irrep_matrix(g, list[k], pl_group_mul(g, a[i], a[j]), z);
        worsen(homomorphism, deviation(r, x, y, z, work));
      }
    }
    pl_free(x);
  }
  const char *which = irreps == total ? "all" : "random";
  if (all)
    snprintf(homomorphism->cases, sizeof homomorphism->cases, "all pairs of elements, all irreps");
  else
    snprintf(homomorphism->cases, sizeof homomorphism->cases,
             "%d generators and %lld elements times %lld elements, %s %lld irreps", num_gens,
             (long long)elements, (long long)elements, which, (long long)irreps);
  snprintf(unitarity->cases, sizeof unitarity->cases, "%lld elements, %s %lld irreps",
           (long long)firsts, which, (long long)irreps);
  pl_free(list);
  pl_free(a);
}

/* The transform of the impulse at a is rho(a). */
static void check_impulses(checker *c, pl_check *check) {
  const pl_group *g = c->g;
  int64_t elements, irreps = pl_group_num_irreps(g), step = 1 + irreps / (16 * MAX_IRREPS);
  int64_t *list = sample(c, c->n, IMPULSES, &elements);
  for (int64_t k = 0; k < elements; k++) {
    memset(c->f, 0, (size_t)c->n * sizeof *c->f);
    c->f[list[k]] = 1;
    pl_fourier_forward(c->plan, 1, c->f, c->n, c->F, c->size);
    const double *F = c->F;
    for (int64_t i = 0; i < irreps; i++) {
      int64_t size = pl_irrep_size(pl_group_irrep(g, i));
      if (i % step == 0) {
        double *rho = pl_alloc((size_t)size, sizeof *rho, "an irrep matrix");
        pl_group_irrep_matrix(g, i, list[k], rho);
        for (int64_t e = 0; e < size; e++) worsen(check, fabs(F[e] - rho[e]));
        pl_free(rho);
      }
      F += size;
    }
  }
  snprintf(check->cases, sizeof check->cases, "%lld elements, %s", (long long)elements,
           step == 1 ? "all irreps" : "a part of the irreps");
  pl_free(list);
}

/* Every component of an irrep, as a function on G, has a transform that is zero but for that
 * component: there it is |G|/d, or |G|/(2d) where real and imaginary parts share it. */
static void check_orthogonality(checker *c, pl_check *check) {
  const pl_group *g = c->g;
  int64_t irreps, total = pl_group_num_irreps(g), functions = 0;
  int64_t *list = sample(c, total, MAX_IRREPS, &irreps);
  double spent = 0;
  for (int64_t k = 0; k < irreps; k++) {
    pl_irrep r = pl_group_irrep(g, list[k]);
    int64_t full = pl_irrep_size(r), size = pl_compact_size(r), at = 0;
    double cost = (double)c->n * ((double)full + overhead) + (double)size * c->tables / 8;
    /* The trivial irrep comes first, and something must be checked in any group. */
    if (k > 0 && spent + cost > max_entries) continue;
    spent += cost;
    for (int64_t i = 0; i < list[k]; i++) at += pl_irrep_size(pl_group_irrep(g, i));
    double *rho = pl_alloc((size_t)full, sizeof *rho, "an irrep matrix");
    double *want = pl_alloc((size_t)full, sizeof *want, "an irrep matrix");
    double *unit = pl_alloc((size_t)size, sizeof *unit, "an irrep matrix");
    double *entries = pl_alloc((size_t)(c->n * size), sizeof *entries, "entries of an irrep");
    for (int64_t a = 0; a < c->n; a++) {
      pl_group_irrep_matrix(g, list[k], a, rho);
      pl_compact_reduce(r, rho, unit);
      for (int64_t e = 0; e < size; e++) entries[e * c->n + a] = unit[e];
    }
    double square = (double)c->n / r.dim / (r.type == PL_REAL ? 1 : 2);
    for (int64_t e = 0; e < size; e++, functions++) {
      pl_fourier_forward(c->plan, 1, entries + e * c->n, c->n, c->F, c->size);
      memset(unit, 0, (size_t)size * sizeof *unit);
      unit[e] = square;
      pl_compact_expand(r, unit, want);
      for (int64_t i = 0; i < c->size; i++) {
        double w = i >= at && i < at + full ? want[i - at] : 0;
        worsen(check, fabs(c->F[i] - w) / square);
      }
    }
    pl_free(rho);
    pl_free(want);
    pl_free(unit);
    pl_free(entries);
  }
  snprintf(check->cases, sizeof check->cases, "%lld of %lld components of irreps, against all",
           (long long)functions, (long long)c->n);
  pl_free(list);
}

static void check_round_trip(checker *c, pl_check *check) {
  pl_rng_normals(1, PL_STREAM(PL_STREAM_MISC, 1), 0, c->n, c->f);
  pl_fourier_forward(c->plan, 1, c->f, c->n, c->F, c->size);
  double *back = pl_alloc((size_t)c->n, sizeof *back, "a function");
  pl_fourier_inverse(c->plan, 1, c->F, c->size, back, c->n);
  for (int64_t a = 0; a < c->n; a++) worsen(check, fabs(back[a] - c->f[a]));
  snprintf(check->cases, sizeof check->cases, "one random function");
  pl_free(back);
}

static void check_sum(const pl_group *g, pl_check *check) {
  int64_t count[3], squares[3];
  pl_group_irrep_sums(g, count, squares);
  int64_t sum = squares[PL_REAL] + 2 * squares[PL_COMPLEX] + squares[PL_QUATERNIONIC];
  int64_t members = count[PL_REAL] + 2 * count[PL_COMPLEX] + count[PL_QUATERNIONIC];
  worsen(check, fabs((double)(sum - g->order)));
  worsen(check, fabs((double)(members - pl_group_num_classes(g))));
  snprintf(check->cases, sizeof check->cases, "exact; and as many irreps as classes");
}

pl_status pl_group_check(const pl_group *g, pl_check out[PL_NUM_CHECKS]) {
  checker c = {.g = g, .n = g->order, .size = pl_fourier_size(g)};
  double need = (double)pl_fourier_bytes(g) + 8 * (2.0 * (double)c.n + (double)c.size) +
                8 * fmax((double)c.n, max_entries);
  pl_memory have = pl_memory_limit(1);
  if (need > have.bytes)
    return pl_error(PL_EENV, "group %s: the check needs %.3g GB of memory; %s allows %.3g GB",
                    g->spec, need * 1e-9, have.says, have.bytes * 1e-9);
  PL_TRY(pl_fourier_new(g, NULL, &c.plan));
  c.tables = fmax(0, (double)pl_fourier_bytes(g) / 8 - 8 * (double)c.n);
  c.f = pl_alloc((size_t)c.n, sizeof *c.f, "a function");
  c.F = pl_alloc((size_t)c.size, sizeof *c.F, "a Fourier record");

  static const char *const names[PL_NUM_CHECKS] = {"sum of m d^2 = |G|",  "homomorphism",
                                                   "unitarity",           "transforms of impulses",
                                                   "Schur orthogonality", "round trip"};
  for (int i = 0; i < PL_NUM_CHECKS; i++)
    out[i] = (pl_check){.name = names[i], .tolerance = i ? 1e-11 : 0};
  for (int t = 0; t < g->factors; t++)
    for (int i = 1; i < PL_NUM_CHECKS; i++)
      out[i].tolerance = fmax(out[i].tolerance, g->factor[t].family->tolerance);
  check_sum(g, &out[0]);
  check_irreps(&c, &out[1], &out[2]);
  check_impulses(&c, &out[3]);
  check_orthogonality(&c, &out[4]);
  check_round_trip(&c, &out[5]);
  pl_fourier_free(c.plan);
  pl_free(c.f);
  pl_free(c.F);
  for (int i = 0; i < PL_NUM_CHECKS; i++)
    if (!(out[i].residual <= out[i].tolerance))
      return pl_error(PL_EBUG, "group %s fails the check \"%s\": residual %.3g above %.3g", g->spec,
                      out[i].name, out[i].residual, out[i].tolerance);
  return PL_OK;
}
