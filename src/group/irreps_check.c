#include "group/irreps.h"

#include "base/mem.h"
#include "base/rng.h"
#include "group/family.h"

#include <complex.h>
#include <math.h>
#include <string.h>

typedef double _Complex cplx;
enum { VECTORS = 3 };
/* Values of characters that differ do so by more than this. */
static const double same = 1e-6;

/* chi_i on all classes.  Of dimension 1 there may be thousands: without matrices. */
static void character(const pl_irreps *r, const pl_finite *f, const pl_classes *c, int64_t i,
                      double *matrix, cplx *chi) {
  pl_irrep irrep = r->irrep[i];
  int64_t size = pl_irrep_size(irrep);
  int width = irrep.type == PL_REAL ? 1 : 2, digit[64];
  for (int64_t k = 0; k < c->n; k++) {
    if (irrep.dim == 1) {
      const double *level = r->matrix[i];
      pl_finite_digits(f, c->rep[k], digit);
      chi[k] = 1;
      for (int l = 0; l < pl_finite_levels(f); l++) {
        const double *u = level + digit[l] * size;
        chi[k] *= width == 1 ? u[0] : u[0] + I * u[1];
        level += pl_finite_level_size(f, l) * size;
      }
      continue;
    }
    pl_irreps_matrix(r, f, i, c->rep[k], matrix);
    chi[k] = 0;
    for (int j = 0; j < irrep.dim; j++) {
      const double *u = matrix + (int64_t)width * j * (irrep.dim + 1);
      chi[k] += width == 1 ? u[0] : u[0] + I * u[1];
    }
  }
}

/* 1 for real type, 0 complex, -1 quaternionic. */
static bool of_its_type(pl_irrep irrep, const pl_finite *f, const pl_classes *c, const cplx *chi) {
  double sum = 0;
  for (int64_t k = 0; k < c->n; k++) sum += (double)c->size[k] * creal(chi[c->square[k]]);
  int want = irrep.type == PL_REAL ? 1 : irrep.type == PL_COMPLEX ? 0 : -1;
  return fabs(sum / (double)f->order - want) < same;
}

/* Quaternions in their places, to the last bit. */
static bool of_its_form(const pl_irreps *r, int64_t i) {
  if (r->irrep[i].type != PL_QUATERNIONIC) return true;
  size_t size = (size_t)pl_irrep_size(r->irrep[i]);
  double *compact = pl_alloc(2 * size, sizeof *compact, "an irrep matrix"), *full = compact + size;
  bool right = true;
  for (int64_t e = 0; e < r->transversal && right; e++) {
    const double *m = r->matrix[i] + e * (int64_t)size;
    pl_compact_reduce(r->irrep[i], m, compact);
    pl_compact_expand(r->irrep[i], compact, full);
    for (size_t k = 0; k < size; k++) right &= full[k] == m[k];
  }
  pl_free(compact);
  return right;
}

/* Does chi stand before other in the order of pl_characters? */
static bool before(int64_t n, const cplx *chi, const cplx *other) {
  for (int64_t k = 0; k < n; k++) {
    double re = creal(chi[k]) - creal(other[k]), im = cimag(chi[k]) - cimag(other[k]);
    if (fabs(re) > same) return re > 0;
    if (fabs(im) > same) return im > 0;
  }
  return false;
}

/* Of a pair the one that stands first is stored. */
static bool first_of_pair(int64_t n, const cplx *chi) {
  for (int64_t k = 0; k < n; k++)
    if (fabs(cimag(chi[k])) > same) return cimag(chi[k]) > 0;
  return false;
}

/* X has a row for each irrep, and one more for the conjugate of each of complex type. */
static bool characters(const pl_irreps *r, const pl_finite *f, const pl_classes *c, cplx *X) {
  int64_t n = c->n, row = 0;
  const cplx *last = NULL;
  bool right = true;
  for (int64_t i = 0, count = 0; i < r->n && right; i++) {
    pl_irrep irrep = r->irrep[i];
    if (row + irrep.mult > n) return false;
    cplx *chi = X + row * n;
    double *matrix = pl_alloc((size_t)pl_irrep_size(irrep), sizeof *matrix, "an irrep matrix");
    character(r, f, c, i, matrix, chi);
    pl_free(matrix);
    bool follows = i && irrep.dim == r->irrep[i - 1].dim;
    count = follows ? count + 1 : 0;
    char label[16] = "";
    pl_irreps_name(irrep.dim, (int)count, label);
    right = of_its_type(irrep, f, c, chi) && of_its_form(r, i) && !strcmp(label, r->label[i]) &&
            (!i || irrep.dim >= r->irrep[i - 1].dim) && (!follows || before(n, last, chi)) &&
            (irrep.type != PL_COMPLEX || first_of_pair(n, chi));
    last = chi;
    row += irrep.mult;
    for (int64_t k = 0; irrep.mult == 2 && k < n; k++) chi[n + k] = conj(chi[k]);
  }
  return right && row == n;
}

/* max |X (X^H v) - v| over the entries, relative to those of v. */
static double deviation(int64_t n, const cplx *X, cplx *v, cplx *image) {
  double worst = 0, scale = 0;
  memset(image, 0, (size_t)n * sizeof *image);
  for (int64_t i = 0; i < n; i++)
    for (int64_t k = 0; k < n; k++) image[k] += conj(X[i * n + k]) * v[i];
  for (int64_t i = 0; i < n; i++) {
    cplx sum = 0;
    for (int64_t k = 0; k < n; k++) sum += X[i * n + k] * image[k];
    scale = fmax(scale, cabs(v[i]));
    double off = cabs(sum - v[i]);
    if (!(off <= worst)) worst = off;
  }
  return worst / scale;
}

double pl_irreps_disorder(const pl_irreps *r, const pl_finite *f) {
  pl_classes *c = pl_classes_new(f);
  int64_t n = c->n, rows = 0;
  double worst = INFINITY;
  for (int64_t i = 0; i < r->n; i++) rows += r->irrep[i].mult;
  if (rows == n && n <= PL_MAX_CLASSES) {
    cplx *X = pl_alloc((size_t)(n * n + 2 * n), sizeof *X, "characters"), *v = X + n * n;
    if (characters(r, f, c, X)) {
      worst = 0;
      for (int64_t i = 0; i < n; i++)
        for (int64_t k = 0; k < n; k++) X[i * n + k] *= sqrt((double)c->size[k] / (double)f->order);
      for (int t = 0; t < VECTORS; t++) {
        pl_rng_normals(1, PL_STREAM(PL_STREAM_MISC, 7), t * 2 * n, 2 * n, (double *)v);
        double off = deviation(n, X, v, v + n);
        if (!(off <= worst)) worst = off;
      }
    }
    pl_free(X);
  }
  pl_classes_free(c);
  return worst;
}
