#include "group/positive.h"

#include "base/blas.h"
#include "base/mem.h"
#include "base/rng.h"
#include "group/eigen.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef double _Complex cplx;
/* Attempts at an element a with an isolated eigenvalue, its terms, and the gap, relative to the
 * spectrum, that ends the search.  Where elements commute or anticommute few terms will not do. */
enum { ATTEMPTS = 5, MAX_TERMS = 128 };
static const int terms[ATTEMPTS] = {8, 8, 32, 64, MAX_TERMS};
static const double good_gap = 0.05;
static const cplx one = 1, zero = 0;

struct pl_positive {
  const pl_finite *f;
  const pl_classes *c;
  int64_t n;                /* |G| */
  uint64_t *draws;          /* borrowed */
  int64_t *right[ATTEMPTS]; /* x -> x s and x s^-1, s of every term; or NULL yet */
  int64_t *by_order;        /* classes, by the order of their elements */
  cplx *lanczos, *next;     /* widest |G| and |G| */
};

/* ---- life ---- */

static int by_order(const void *a_, const void *b_, void *classes) {
  int64_t a = *(const int64_t *)a_, b = *(const int64_t *)b_;
  int x = ((const pl_classes *)classes)->order[a], y = ((const pl_classes *)classes)->order[b];
  return x != y ? (x < y ? -1 : 1) : a < b ? -1 : a > b;
}

pl_positive *pl_positive_new(const pl_finite *f, const pl_classes *c, int64_t widest,
                             uint64_t *draws) {
  pl_positive *s = pl_zalloc(1, sizeof *s, "functions on a group");
  *s = (pl_positive){.f = f, .c = c, .n = f->order, .draws = draws};
  s->by_order = pl_alloc((size_t)c->n, sizeof *s->by_order, "conjugacy classes");
  for (int64_t k = 0; k < c->n; k++) s->by_order[k] = k;
  qsort_r(s->by_order, (size_t)c->n, sizeof *s->by_order, by_order, (void *)(uintptr_t)c);
  s->lanczos = pl_alloc((size_t)(widest * s->n), sizeof *s->lanczos, "functions on a group");
  s->next = pl_alloc((size_t)s->n, sizeof *s->next, "a function on a group");
  return s;
}

void pl_positive_free(pl_positive *s) {
  if (!s) return;
  for (int t = 0; t < ATTEMPTS; t++) pl_free(s->right[t]);
  pl_free(s->by_order);
  pl_free(s->lanczos);
  pl_free(s->next);
  pl_free(s);
}

/* ---- an element with a small eigenspace ---- */

/* The projection e onto the part of rho where h is lambda = exp(2 pi i turn/order). */
typedef struct eigenspace {
  int64_t h;
  int order, turn, dim;
} eigenspace;

/* exp(2 pi i turns / order), real where that is exact. */
static cplx unit(int64_t turns, int order) {
  if (2 * turns % order == 0) return turns ? -1 : 1;
  double angle = 2 * M_PI * (double)turns / order;
  return cos(angle) + I * sin(angle);
}
static cplx power(const eigenspace *e, int64_t k) {
  return unit(k * e->turn % e->order, e->order);
}

/* The smallest eigenspace of an element; a real one for real type. */
static eigenspace smallest_eigenspace(const pl_positive *s, const cplx *chi, int d,
                                      pl_irrep_type type) {
  eigenspace best = {.order = 1, .dim = d};
  for (int64_t k = 1; k < s->c->n && best.dim > 1; k++) {
    int64_t class = s->by_order[k], x = 0;
    eigenspace e = {.h = s->c->rep[class], .order = s->c->order[class]};
    cplx *value = pl_alloc(2 * (size_t)e.order, sizeof *value, "a character"),
         *root = value + e.order;
    for (int i = 0; i < e.order; i++, x = pl_finite_mul(s->f, x, e.h)) {
      value[i] = chi[s->c->of[x]];
      root[i] = conj(unit(i, e.order));
    }
    for (e.turn = 0; e.turn < e.order && best.dim > 1; e.turn++) {
      if (type == PL_REAL && 2 * e.turn % e.order) continue;
      cplx sum = 0;
      for (int64_t i = 0; i < e.order; i++) sum += value[i] * root[i * e.turn % e.order];
      e.dim = (int)lround(creal(sum) / e.order);
      if (e.dim > 0 && e.dim < best.dim) best = e;
    }
    pl_free(value);
  }
  return best;
}

/* u <- R(e) u, where (R(g) u)(x) = u(xg), along the cycles of h; done: workspace, all zero. */
static void project(const pl_positive *s, const eigenspace *e, const int64_t *times_h, char *done,
                    cplx *u) {
  if (e->order == 1) return;
  for (int64_t x = 0; x < s->n; x++) {
    if (done[x]) continue;
    cplx sum = 0;
    int64_t y = x;
    for (int i = 0; i < e->order; i++, y = times_h[y]) sum += u[y] * conj(power(e, i));
    for (int i = 0; i < e->order; i++, y = times_h[y])
      u[y] = sum / e->order * power(e, i), done[y] = 1;
  }
  memset(done, 0, (size_t)s->n);
}

/* ---- the eigenvector ---- */

static void draw_steps(pl_positive *s, int attempt) {
  int64_t *to = s->right[attempt] =
      pl_alloc((size_t)(2 * terms[attempt] * s->n), sizeof *to, "right multiplication");
  for (int i = 0; i < terms[attempt]; i++) {
    int64_t g = 1 + pl_rng_below(1, PL_STREAM(PL_STREAM_MISC, 3), (*s->draws)++, s->n - 1),
            inverse = pl_finite_inv(s->f, g);
    for (int64_t x = 0; x < s->n; x++) *to++ = pl_finite_mul(s->f, x, g);
    for (int64_t x = 0; x < s->n; x++) *to++ = pl_finite_mul(s->f, x, inverse);
  }
}

/* next <- R(a) v. */
static void step(const pl_positive *s, int attempt, const cplx *coef, const cplx *v) {
  const int64_t *to = s->right[attempt];
  memset(s->next, 0, (size_t)s->n * sizeof *s->next);
  for (int i = 0; i < 2 * terms[attempt]; i++, to += s->n)
    for (int64_t x = 0; x < s->n; x++) s->next[x] += coef[i] * v[to[x]];
}

/* One run of Lanczos' method. */
typedef struct krylov {
  eigenspace e;
  int64_t *times_h;
  char *done;
  cplx *weight; /* of the eigenvector, e.dim of them */
  double gap;
} krylov;

/* From the first of the functions s->lanczos, with e a e.  Where rho has several equal eigenvalues
 * the gap is 0. */
static pl_status lanczos(const pl_positive *s, int attempt, const cplx *coef, krylov *run) {
  int n = pl_int(s->n), d = run->e.dim, m = 0;
  const cplx minus = -1;
  cplx *T = pl_zalloc((size_t)d * (size_t)d, sizeof *T, "a tridiagonal matrix");
  cplx *overlap = pl_alloc((size_t)d, sizeof *overlap, "overlaps");
  double *value = pl_alloc((size_t)d, sizeof *value, "eigenvalues"), scale = 0;
  for (;;) {
    cplx *v = s->lanczos + (int64_t)m * s->n, *alpha = T + (int64_t)m * (d + 1);
    step(s, attempt, coef, v);
    project(s, &run->e, run->times_h, run->done, s->next);
    m++;
    for (int twice = 0; twice < 2; twice++) {
      for (int j = 0; j < m; j++)
        cblas_zdotc_sub(n, s->lanczos + (int64_t)j * s->n, 1, s->next, 1, overlap + j);
      cblas_zgemv(CblasRowMajor, CblasTrans, m, n, &minus, s->lanczos, n, overlap, 1, &one, s->next,
                  1);
      *alpha += creal(overlap[m - 1]);
    }
    double beta = cblas_dznrm2(n, s->next, 1);
    scale = fmax(scale, fabs(creal(*alpha)) + beta);
    if (m == d || beta < 1e-6 * scale) break;
    alpha[1] = alpha[d] = beta;
    for (int64_t x = 0; x < s->n; x++) v[s->n + x] = s->next[x] / beta;
  }
  pl_status st = PL_OK;
  run->gap = 0;
  if (m == d) {
    st = pl_eigen(d, T, value);
    double range = d > 1 ? value[d - 1] - value[0] : 1;
    double low = d > 1 ? (value[1] - value[0]) / range : 1;
    double high = d > 1 ? (value[d - 1] - value[d - 2]) / range : 1;
    run->gap = fmax(low, high);
    memcpy(run->weight, T + (low > high ? 0 : (int64_t)(d - 1) * d), (size_t)d * sizeof *T);
  }
  pl_free(T);
  pl_free(overlap);
  pl_free(value);
  return st;
}

pl_status pl_positive_function(pl_positive *s, const cplx *chi, int d, pl_irrep_type type,
                               cplx *phi) {
  krylov run = {.e = smallest_eigenspace(s, chi, d, type)};
  run.weight = pl_alloc((size_t)run.e.dim, sizeof *run.weight, "weights");
  run.times_h = pl_alloc((size_t)s->n, sizeof *run.times_h, "right multiplication");
  run.done = pl_zalloc((size_t)s->n, 1, "right multiplication");
  for (int64_t x = 0; x < s->n; x++) {
    run.times_h[x] = pl_finite_mul(s->f, x, run.e.h);
    cplx value = chi[s->c->of[x]];
    s->lanczos[x] = type == PL_REAL ? creal(value) : value;
  }
  project(s, &run.e, run.times_h, run.done, s->lanczos);
  double norm = cblas_dznrm2(pl_int(s->n), s->lanczos, 1), best = 0;
  for (int64_t x = 0; x < s->n; x++) s->lanczos[x] /= norm;
  pl_status st = PL_OK;
  for (int attempt = 0; !st && attempt < ATTEMPTS && best < good_gap; attempt++) {
    double random[2 * MAX_TERMS];
    cplx coef[2 * MAX_TERMS];
    if (!s->right[attempt]) draw_steps(s, attempt);
    pl_rng_normals(1, PL_STREAM(PL_STREAM_MISC, 4), attempt * 2 * MAX_TERMS, 2 * MAX_TERMS, random);
    for (int i = 0; i < terms[attempt]; i++) {
      coef[2 * i] = type == PL_REAL ? random[2 * i] : random[2 * i] + I * random[2 * i + 1];
      coef[2 * i + 1] = conj(coef[2 * i]);
    }
    st = lanczos(s, attempt, coef, &run);
    if (st || run.gap <= best) continue;
    cblas_zgemv(CblasRowMajor, CblasTrans, run.e.dim, pl_int(s->n), &one, s->lanczos, pl_int(s->n),
                run.weight, 1, &zero, s->next, 1);
    /* Of norm 1, and c phi: |c|^2 = d/|G|, unless other irreps have come in. */
    if (!(fabs(cabs(s->next[0]) / sqrt(d / (double)s->n) - 1) < 1e-6)) continue;
    best = run.gap;
    for (int64_t x = 0; x < s->n; x++) phi[x] = s->next[x] / s->next[0];
  }
  pl_free(run.weight);
  pl_free(run.times_h);
  pl_free(run.done);
  if (!st && !(best > 1e-6))
    st = pl_error(PL_NUMERIC, "no simple eigenvalue was found in an irrep of dimension %d", d);
  for (int64_t x = 0; !st && type == PL_REAL && x < s->n; x++) phi[x] = creal(phi[x]);
  return st;
}
