#include "group/irreps.h"

#include "base/blas.h"
#include "base/mem.h"
#include "base/rng.h"
#include "group/eigen.h"
#include "group/family.h"
#include "group/positive.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef double _Complex cplx;
/* Elements per dimension among which a frame is chosen. */
enum { POOL = 32 };
/* What is found must be right on so many random pairs. */
enum { PAIRS = 8 };
static const double tolerance = 1e-9;

/* What all irreps of one group share. */
typedef struct solver {
  const pl_finite *f;
  const pl_classes *c;
  int64_t n; /* |G| */
  pl_positive *positive;
  uint64_t draws;
} solver;

static const cplx one = 1, zero = 0;
static void multiply(CBLAS_TRANSPOSE ta, CBLAS_TRANSPOSE tb, int m, int n, int k, const cplx *a,
                     int lda, const cplx *b, int ldb, cplx *out) {
  cblas_zgemm(CblasRowMajor, ta, tb, m, n, k, &one, a, lda, b, ldb, &zero, out, n);
}

/* ---- matrices ---- */

/* A <- A (3 - A^H A) / 2, twice: the nearest unitary matrix, to rounding. */
static void make_unitary(int d, cplx *a, cplx *work) {
  cplx *square = work, *product = work + (int64_t)d * d;
  for (int twice = 0; twice < 2; twice++) {
    multiply(CblasConjTrans, CblasNoTrans, d, d, d, a, d, a, d, square);
    multiply(CblasNoTrans, CblasNoTrans, d, d, d, a, d, square, d, product);
    for (int64_t i = 0; i < (int64_t)d * d; i++) a[i] = 1.5 * a[i] - 0.5 * product[i];
  }
}

/* Elements g whose vectors rho(g) v span: d of them by pivoted Cholesky among many, every time the
 * one farthest from the span of those before; then m - d at random, which steadies the frame. */
static void choose_frame(solver *s, int d, int m, const cplx *phi, int64_t *frame) {
  int64_t pool = s->n < (int64_t)POOL * d ? s->n : (int64_t)POOL * d;
  int64_t *g = pl_alloc((size_t)pool, sizeof *g, "elements of a frame");
  double *rest = pl_alloc((size_t)pool, sizeof *rest, "elements of a frame");
  cplx *L = pl_alloc((size_t)(pool * d), sizeof *L, "a Cholesky factor");
  for (int64_t p = 0; p < pool; p++) {
    g[p] = pool == s->n ? p : pl_rng_below(1, PL_STREAM(PL_STREAM_MISC, 3), s->draws++, s->n);
    rest[p] = 1;
  }
  for (int k = 0; k < m; k++) {
    if (k >= d) {
      frame[k] = g[pl_rng_below(1, PL_STREAM(PL_STREAM_MISC, 3), s->draws++, pool)];
      continue;
    }
    int64_t far = 0;
    for (int64_t p = 1; p < pool; p++)
      if (rest[p] > rest[far]) far = p;
    frame[k] = g[far];
    int64_t inverse = pl_finite_inv(s->f, g[far]);
    cplx *row = L + k * pool;
    for (int64_t p = 0; p < pool; p++) row[p] = phi[pl_finite_mul(s->f, inverse, g[p])];
    for (int j = 0; j < k; j++) {
      const cplx *before = L + j * pool, factor = conj(before[far]);
      for (int64_t p = 0; p < pool; p++) row[p] -= factor * before[p];
    }
    double length = sqrt(fmax(rest[far], 1e-300));
    for (int64_t p = 0; p < pool; p++) {
      row[p] /= length;
      rest[p] -= creal(row[p] * conj(row[p]));
    }
  }
  pl_free(g);
  pl_free(rest);
  pl_free(L);
}

/* phi(g_c^-1 x g_c') over the elements of a frame. */
static void frame_matrix(const solver *s, int m, const int64_t *g, const int64_t *inverse,
                         int64_t x, const cplx *phi, cplx *out) {
  for (int j = 0; j < m; j++) {
    int64_t xg = x ? pl_finite_mul(s->f, x, g[j]) : g[j];
    for (int i = 0; i < m; i++) out[i * m + j] = phi[pl_finite_mul(s->f, inverse[i], xg)];
  }
}

/* Matrices of all elements of the transversals, complex, one after the other. */
static pl_status matrices(solver *s, int d, const cplx *phi, cplx *out) {
  int m = 2 * d;
  int64_t *g = pl_alloc(2 * (size_t)m, sizeof *g, "a frame"), *inverse = g + m;
  choose_frame(s, d, m, phi, g);
  for (int i = 0; i < m; i++) inverse[i] = pl_finite_inv(s->f, g[i]);
  size_t entries = (size_t)m * (size_t)m;
  double *value = pl_alloc((size_t)m, sizeof *value, "eigenvalues");
  cplx *gram = pl_alloc(3 * entries, sizeof *gram, "a frame"), *moved = gram + entries,
       *work = moved + entries;
  frame_matrix(s, m, g, inverse, 0, phi, gram);
  pl_status st = pl_eigen(m, gram, value);
  if (!st && !(value[m - d] > 1e-8 * value[m - 1]))
    st = pl_error(PL_NUMERIC, "the frame of an irrep of dimension %d does not span it", d);
  if (!st) {
    /* Rows: the last d eigenvectors over the roots of their eigenvalues. */
    cplx *basis = gram + (int64_t)(m - d) * m;
    for (int i = 0; i < d; i++)
      for (int k = 0; k < m; k++) basis[i * m + k] /= sqrt(value[m - d + i]);
    for (int level = 0; level < pl_finite_levels(s->f); level++)
      for (int j = 0; j < pl_finite_level_size(s->f, level); j++, out += d * d) {
        frame_matrix(s, m, g, inverse, pl_finite_level_element(s->f, level, j), phi, moved);
        multiply(CblasNoTrans, CblasTrans, m, d, m, moved, m, basis, m, work);
        for (int i = 0; i < d * m; i++) moved[i] = conj(basis[i]);
        multiply(CblasNoTrans, CblasNoTrans, d, d, m, moved, m, work, d, out);
        make_unitary(d, out, work);
      }
  }
  pl_free(g);
  pl_free(value);
  pl_free(gram);
  return st;
}

/* Into a basis v, U conj(v), w, U conj(w), ..: rho(g) U = U conj(rho(g)), U conj(U) = -1.  U is the
 * average of rho(g) X rho(g)^T, and the average over G is that over one transversal after the
 * other. */
static void quaternionic_basis(solver *s, int d, int64_t transversal, cplx *rho) {
  int64_t size = (int64_t)d * d;
  cplx *U = pl_alloc(4 * (size_t)size, sizeof *U, "a basis"), *sum = U + size, *work = sum + size,
       *basis = work + size;
  pl_rng_normals(1, PL_STREAM(PL_STREAM_MISC, 5), 0, 2 * size, (double *)U);
  int64_t first = transversal;
  for (int level = pl_finite_levels(s->f) - 1; level >= 0; level--) {
    int count = pl_finite_level_size(s->f, level);
    first -= count;
    memset(sum, 0, (size_t)size * sizeof *sum);
    for (int j = 0; j < count; j++) {
      const cplx *u = rho + (first + j) * size, share = 1.0 / count;
      multiply(CblasNoTrans, CblasNoTrans, d, d, d, u, d, U, d, work);
      cblas_zgemm(CblasRowMajor, CblasNoTrans, CblasTrans, d, d, d, &share, work, d, u, d, &one,
                  sum, d);
    }
    memcpy(U, sum, (size_t)size * sizeof *U);
  }
  double norm = cblas_dznrm2((int)size, U, 1) / sqrt(d);
  for (int64_t i = 0; i < size; i++) U[i] /= norm;

  /* Columns of the basis as rows; the next vector is the axis least covered so far. */
  double *covered = pl_zalloc((size_t)d, sizeof *covered, "a basis");
  for (int k = 0; k < d; k += 2) {
    cplx *v = basis + (int64_t)k * d, *partner = v + d;
    int axis = 0;
    for (int i = 1; i < d; i++)
      if (covered[i] < covered[axis]) axis = i;
    for (int i = 0; i < d; i++) v[i] = i == axis;
    for (int twice = 0; twice < 2; twice++)
      for (int j = 0; j < k; j++) {
        cplx dot;
        cblas_zdotc_sub(d, basis + (int64_t)j * d, 1, v, 1, &dot);
        for (int i = 0; i < d; i++) v[i] -= dot * basis[(int64_t)j * d + i];
      }
    double length = cblas_dznrm2(d, v, 1);
    for (int i = 0; i < d; i++) v[i] /= length;
    for (int i = 0; i < d; i++) {
      partner[i] = 0;
      for (int j = 0; j < d; j++) partner[i] += U[(int64_t)i * d + j] * conj(v[j]);
    }
    for (int i = 0; i < d; i++)
      covered[i] += creal(v[i] * conj(v[i]) + partner[i] * conj(partner[i]));
  }
  pl_free(covered);
  for (int64_t e = 0; e < transversal; e++, rho += size) {
    multiply(CblasNoTrans, CblasTrans, d, d, d, rho, d, basis, d, work);
    for (int64_t i = 0; i < size; i++) sum[i] = conj(basis[i]);
    multiply(CblasNoTrans, CblasNoTrans, d, d, d, sum, d, work, d, rho);
  }
  pl_free(U);
}

/* As stored: real part, or pairs, with the quaternions' symmetry exact. */
static double *stored(pl_irrep r, int64_t count, const cplx *rho) {
  int64_t size = pl_irrep_size(r), square = (int64_t)r.dim * r.dim;
  double *out = pl_alloc((size_t)(count * size), sizeof *out, "matrices of an irrep");
  double *compact = pl_alloc((size_t)(2 * square), sizeof *compact, "an irrep matrix");
  for (int64_t e = 0; e < count; e++, rho += square)
    if (r.type == PL_REAL) {
      for (int64_t i = 0; i < square; i++) out[e * size + i] = creal(rho[i]);
    } else {
      pl_compact_reduce(r, (const double *)rho, compact);
      pl_compact_expand(r, compact, out + e * size);
    }
  pl_free(compact);
  return out;
}

/* An irrep of dimension 1 is its character. */
static void values(const solver *s, const cplx *chi, cplx *out) {
  for (int level = 0; level < pl_finite_levels(s->f); level++)
    for (int j = 0; j < pl_finite_level_size(s->f, level); j++)
      *out++ = chi[s->c->of[pl_finite_level_element(s->f, level, j)]];
}

/* ---- all irreps ---- */

static pl_irrep_type indicator(const pl_finite *f, const pl_classes *c, const cplx *chi) {
  double sum = 0;
  for (int64_t k = 0; k < c->n; k++) sum += (double)c->size[k] * creal(chi[c->square[k]]);
  int nu = (int)lround(sum / (double)f->order);
  return nu == 1 ? PL_REAL : nu == 0 ? PL_COMPLEX : PL_QUATERNIONIC;
}

/* "3a", .., "3z", "3aa", .. */
void pl_irreps_name(int d, int count, char label[16]) {
  char letters[8] = "";
  int at = 7;
  for (count++; count > 0; count /= 26) letters[--at] = (char)('a' + --count % 26);
  snprintf(label, 16, "%d%s", d, letters + at);
}

static pl_status solve(solver *s, const pl_characters *x, pl_irreps *r) {
  int64_t n = x->n, widest = x->dim[n - 1];
  for (int level = 0; level < pl_finite_levels(s->f); level++)
    r->transversal += pl_finite_level_size(s->f, level);
  r->irrep = pl_alloc((size_t)n, sizeof *r->irrep, "irreps");
  r->label = pl_zalloc((size_t)n, sizeof *r->label, "labels of irreps");
  r->matrix = pl_zalloc((size_t)n, sizeof *r->matrix, "matrices of irreps");
  cplx *phi = pl_alloc((size_t)s->n, sizeof *phi, "a positive function");
  cplx *rho =
      pl_alloc((size_t)(r->transversal * widest * widest), sizeof *rho, "matrices of an irrep");
  s->positive = pl_positive_new(s->f, s->c, widest, &s->draws);
  pl_status st = PL_OK;
  for (int64_t i = 0, count = 0; !st && i < n; i++) {
    const cplx *chi = x->chi + i * n;
    int d = x->dim[i];
    pl_irrep_type type = indicator(s->f, s->c, chi);
    if (type == PL_COMPLEX) {
      /* Of a pair the larger imaginary part stands first where they differ first. */
      int64_t k = 0;
      while (k < n - 1 && fabs(cimag(chi[k])) < 1e-6) k++;
      if (cimag(chi[k]) < 0) continue;
    }
    pl_irrep irrep = {d, type, type == PL_COMPLEX ? 2 : 1};
    if (d == 1) {
      values(s, chi, rho);
    } else {
      st = pl_positive_function(s->positive, chi, d, type, phi);
      if (!st) st = matrices(s, d, phi, rho);
      if (st) break;
    }
    if (type == PL_QUATERNIONIC) quaternionic_basis(s, d, r->transversal, rho);
    count = r->n && r->irrep[r->n - 1].dim == d ? count + 1 : 0;
    r->irrep[r->n] = irrep;
    pl_irreps_name(d, (int)count, r->label[r->n]);
    r->matrix[r->n++] = stored(irrep, r->transversal, rho);
  }
  pl_free(phi);
  pl_free(rho);
  pl_positive_free(s->positive);
  return st;
}

pl_status pl_irreps_new(const pl_finite *f, pl_irreps **out) {
  solver s = {.f = f, .n = f->order};
  pl_classes *c = pl_classes_new(f);
  pl_characters *x = NULL;
  pl_status st =
      c->n > PL_MAX_CLASSES
          ? pl_error(PL_EINPUT, "it has %lld conjugacy classes; irreps are found for up to %d",
                     (long long)c->n, PL_MAX_CLASSES)
          : pl_characters_new(f, c, &x);
  s.c = c;
  if (!st) {
    pl_irreps *r = pl_zalloc(1, sizeof *r, "irreps");
    st = solve(&s, x, r);
    double off = st ? 0 : pl_irreps_residual(r, f, PAIRS);
    if (!(off <= tolerance))
      st = pl_error(PL_NUMERIC, "its irreps miss rho(a) rho(b) = rho(ab) by %.2g", off);
    if (st)
      pl_irreps_free(r);
    else
      *out = r;
  }
  pl_characters_free(x);
  pl_classes_free(c);
  return st == PL_NUMERIC ? PL_EBUG : st;
}

void pl_irreps_free(pl_irreps *r) {
  if (!r) return;
  for (int64_t i = 0; i < r->n; i++) pl_free(r->matrix[i]);
  pl_free(r->matrix);
  pl_free(r->irrep);
  pl_free(r->label);
  pl_free(r);
}

static void product(pl_irrep r, CBLAS_TRANSPOSE trans, const double *a, const double *b,
                    double *out) {
  int d = r.dim;
  if (r.type == PL_REAL)
    cblas_dgemm(CblasRowMajor, CblasNoTrans, trans, d, d, d, 1, a, d, b, d, 0, out, d);
  else
    multiply(CblasNoTrans, trans, d, d, d, (const cplx *)a, d, (const cplx *)b, d, (cplx *)out);
}

void pl_irreps_matrix(const pl_irreps *r, const pl_finite *f, int64_t i, int64_t a, double *out) {
  int digit[64], levels = pl_finite_levels(f), started = 0;
  int64_t size = pl_irrep_size(r->irrep[i]), first = 0;
  pl_finite_digits(f, a, digit);
  double *work = pl_alloc((size_t)size, sizeof *work, "an irrep matrix");
  for (int level = 0; level < levels; level++) {
    const double *factor = r->matrix[i] + (first + digit[level]) * size;
    first += pl_finite_level_size(f, level);
    if (digit[level] == 0 && (started || level < levels - 1)) continue;
    if (started) product(r->irrep[i], CblasNoTrans, out, factor, work);
    memcpy(out, started ? work : factor, (size_t)size * sizeof *out);
    started = 1;
  }
  /* The trivial group has no levels. */
  if (!started) out[0] = 1;
  pl_free(work);
}

double pl_irreps_residual(const pl_irreps *r, const pl_finite *f, int pairs) {
  double worst = 0;
  for (int64_t i = 0; i < r->n; i++) {
    pl_irrep irrep = r->irrep[i];
    int64_t size = pl_irrep_size(irrep);
    int width = irrep.type == PL_REAL ? 1 : 2;
    double *a = pl_alloc(4 * (size_t)size, sizeof *a, "irrep matrices"), *b = a + size,
           *c = b + size, *ab = c + size;
    for (int k = 0; k < pairs; k++) {
      uint64_t stream = PL_STREAM(PL_STREAM_MISC, 6), index = (uint64_t)(i * pairs + k) * 2;
      int64_t x = pl_rng_below(1, stream, index, f->order),
              y = pl_rng_below(1, stream, index + 1, f->order);
      pl_irreps_matrix(r, f, i, x, a);
      pl_irreps_matrix(r, f, i, y, b);
      pl_irreps_matrix(r, f, i, pl_finite_mul(f, x, y), c);
      product(irrep, CblasNoTrans, a, b, ab);
      for (int64_t e = 0; e < size; e++)
        if (!(fabs(ab[e] - c[e]) <= worst)) worst = fabs(ab[e] - c[e]);
      product(irrep, CblasConjTrans, a, a, ab);
      for (int64_t e = 0; e < size; e++) {
        double off = fabs(ab[e] - (e % ((int64_t)width * (irrep.dim + 1)) == 0));
        if (!(off <= worst)) worst = off;
      }
    }
    pl_free(a);
  }
  return worst;
}
