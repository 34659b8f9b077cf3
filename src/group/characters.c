#include "base/blas.h"
#include "base/mem.h"
#include "base/rng.h"
#include "group/eigen.h"
#include "group/irreps.h"

#include <math.h>
#include <string.h>

/* Values nearer than this are the same when characters are put in order. */
static const double same = 1e-6;

/* Weights c of z = sum_k c_k K_k over the class sums K_k, c of inverses conjugate. */
static void draw_central(const pl_classes *c, int attempt, double _Complex *weight) {
  double *x = pl_alloc((size_t)(2 * c->n), sizeof *x, "random numbers");
  pl_rng_normals(1, PL_STREAM(PL_STREAM_MISC, 16 + attempt), 0, 2 * c->n, x);
  for (int64_t k = 0; k < c->n; k++) {
    int64_t inverse = c->inverse[k];
    if (inverse < k) continue;
    weight[k] = x[2 * k] / sqrt((double)c->size[k]);
    if (inverse > k) weight[k] += I * x[2 * k + 1] / sqrt((double)c->size[k]);
    weight[inverse] = conj(weight[k]);
  }
  pl_free(x);
}

/* Matrix of multiplication by z in the orthonormal basis K_k / sqrt |K_k|. */
static void central_matrix(const pl_finite *f, const pl_classes *c, const double _Complex *weight,
                           const int64_t *inverse, double _Complex *matrix) {
  int64_t n = c->n;
  memset(matrix, 0, (size_t)(n * n) * sizeof *matrix);
  for (int64_t j = 0; j < n; j++)
    for (int64_t y = 0; y < f->order; y++)
      matrix[j * n + c->of[y]] += weight[c->of[pl_finite_mul(f, c->rep[j], inverse[y])]];
  for (int64_t j = 0; j < n; j++)
    for (int64_t k = 0; k < n; k++)
      matrix[j * n + k] *= sqrt((double)c->size[j] / (double)c->size[k]);
}

/* Smallest distance of eigenvalues, relative to their range. */
static double smallest_gap(int64_t n, const double *value) {
  double gap = 1;
  for (int64_t i = 1; i < n; i++) {
    double d = (value[i] - value[i - 1]) / (value[n - 1] - value[0]);
    if (!(d >= gap)) gap = d;
  }
  return gap;
}

/* Dimensions and values from eigenvectors, rows of vector: component k is
 * conj(chi_k) sqrt(|K_k| / |G|) up to a phase, and chi is d > 0 at the identity. */
static pl_status read_characters(const pl_finite *f, const pl_classes *c, pl_characters *out) {
  double total = 0;
  for (int64_t i = 0; i < c->n; i++) {
    double _Complex *chi = out->chi + i * c->n;
    double _Complex phase = conj(chi[0]) / cabs(chi[0]);
    double d = cabs(chi[0]) * sqrt((double)f->order);
    out->dim[i] = (int)lround(d);
    total += (double)out->dim[i] * out->dim[i];
    if (!(fabs(d - out->dim[i]) < 1e-4))
      return pl_error(PL_NUMERIC, "a character of degree %.6g was found", d);
    for (int64_t k = 0; k < c->n; k++) {
      chi[k] = conj(chi[k] * phase) * sqrt((double)f->order / (double)c->size[k]);
      if (out->dim[i] == 1) { /* a root of unity */
        double turns = round(carg(chi[k]) * c->order[k] / (2 * M_PI)) / c->order[k];
        chi[k] = cos(2 * M_PI * turns) + I * sin(2 * M_PI * turns);
      }
    }
    chi[0] = out->dim[i];
    /* Real on classes that hold their inverses, conjugate on the others. */
    for (int64_t k = 0; k < c->n; k++) {
      int64_t inverse = c->inverse[k];
      if (inverse >= k) chi[k] = (chi[k] + conj(chi[inverse])) / 2, chi[inverse] = conj(chi[k]);
    }
  }
  if (total != (double)f->order)
    return pl_error(PL_NUMERIC, "squares of the degrees of its characters add up to %.0f", total);
  return PL_OK;
}

static int compare(int64_t n, int d, const double _Complex *a, int e, const double _Complex *b) {
  if (d != e) return d < e ? -1 : 1;
  for (int64_t k = 0; k < n; k++) {
    double re = creal(a[k]) - creal(b[k]), im = cimag(a[k]) - cimag(b[k]);
    if (fabs(re) > same) return re > 0 ? -1 : 1;
    if (fabs(im) > same) return im > 0 ? -1 : 1;
  }
  return 0;
}

static void sort(pl_characters *c) {
  size_t row = (size_t)c->n * sizeof *c->chi;
  double _Complex *chi = pl_alloc((size_t)c->n, sizeof *chi, "a character");
  for (int64_t i = 1; i < c->n; i++) {
    int d = c->dim[i];
    memcpy(chi, c->chi + i * c->n, row);
    int64_t j = i;
    for (; j > 0 && compare(c->n, d, chi, c->dim[j - 1], c->chi + (j - 1) * c->n) < 0; j--) {
      memcpy(c->chi + j * c->n, c->chi + (j - 1) * c->n, row);
      c->dim[j] = c->dim[j - 1];
    }
    memcpy(c->chi + j * c->n, chi, row);
    c->dim[j] = d;
  }
  pl_free(chi);
}

pl_status pl_characters_new(const pl_finite *f, const pl_classes *c, pl_characters **out) {
  int64_t n = c->n;
  pl_require(n <= PL_MAX_CLASSES);
  int attempts = n <= 64 ? 8 : 2;
  size_t entries = (size_t)(n * n);
  double best = -1, *value = pl_alloc((size_t)n, sizeof *value, "eigenvalues");
  double _Complex *weight = pl_alloc((size_t)n, sizeof *weight, "a central element");
  double _Complex *matrix = pl_alloc(entries, sizeof *matrix, "a central element");
  int64_t *inverse = pl_alloc((size_t)f->order, sizeof *inverse, "inverses");
  pl_characters *x = pl_alloc(1, sizeof *x, "characters");
  *x = (pl_characters){.n = n};
  x->dim = pl_alloc((size_t)n, sizeof *x->dim, "characters");
  x->chi = pl_alloc(entries, sizeof *x->chi, "characters");
  for (int64_t y = 0; y < f->order; y++) inverse[y] = pl_finite_inv(f, y);
  pl_status st = PL_OK;
  for (int attempt = 0; !st && attempt < attempts; attempt++) {
    draw_central(c, attempt, weight);
    central_matrix(f, c, weight, inverse, matrix);
    st = pl_eigen(pl_int(n), matrix, value);
    double gap = smallest_gap(n, value);
    if (st || gap <= best) continue;
    best = gap;
    memcpy(x->chi, matrix, entries * sizeof *matrix);
  }
  if (!st) st = read_characters(f, c, x);
  pl_free(value);
  pl_free(weight);
  pl_free(matrix);
  pl_free(inverse);
  if (st) {
    pl_characters_free(x);
    return st;
  }
  sort(x);
  *out = x;
  return PL_OK;
}

void pl_characters_free(pl_characters *c) {
  if (!c) return;
  pl_free(c->dim);
  pl_free(c->chi);
  pl_free(c);
}
