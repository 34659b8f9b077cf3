#include "linalg/bidiag.h"

#include "base/blas.h"
#include "base/mem.h"
#include "base/pause.h"

#include <math.h>
#include <string.h>

void dbdsdc_(const char *uplo, const char *compq, const int *n, double *d, double *e, double *u,
             const int *ldu, double *vt, const int *ldvt, double *q, int *iq, double *work,
             int *iwork, int *info, size_t, size_t);
void dlasq1_(const int *n, double *d, double *e, double *work, int *info);

/* Real and complex matrices share this file: z is 1 or 2, the doubles of an entry, and functions
 * are inlined for either.
 *
 * B superdiagonals; chasing fills B - 1 subdiagonals and as many more superdiagonals, so column j
 * holds rows j - 2B + 1 .. j + B - 1.  Entry (i, j) stands at band[i + j * LDB], the address of an
 * ordinary matrix; LDB + 1 is the distance down the diagonal, at least the 3B - 1 of a column.
 * SWEEPS are chased together: what they touch should fit the second-level cache.  Panels are
 * factored INNER columns at a time. */
enum { B = PL_BAND, LDB = 3 * B, SWEEPS = 4, INNER = 8 };

#define ALWAYS __attribute__((always_inline)) static inline

static int min(int a, int b) {
  return a < b ? a : b;
}

/* ---- reflectors ---- */

/* H = I - tau v v^H with v_0 = 1 and H x = (beta, 0, ..), tau real: v replaces x and beta is left
 * in *beta.  A tail whose square is at the edge of the range would give an H that is not unitary:
 * it counts as zero, tau = 0. */
ALWAYS double reflector(const int z, int n, double *x, double *beta) {
  double tail = 0, alpha[2] = {x[0], z == 2 ? x[1] : 0};
#pragma omp simd reduction(+ : tail)
  for (int i = z; i < z * n; i++) tail += x[i] * x[i];
  x[0] = 1;
  if (z == 2) x[1] = 0;
  memcpy(beta, alpha, (size_t)z * sizeof *beta);
  if (tail < 1e-280) return 0;
  double size = sqrt(alpha[0] * alpha[0] + alpha[1] * alpha[1]), norm = sqrt(size * size + tail);
  /* beta = -norm alpha / |alpha|, and 1 / (alpha - beta) = conj(alpha) / |alpha| / (|alpha| +
   * norm). */
  double phase[2] = {copysign(1, alpha[0]), 0}, inverse = 1 / (size + norm);
  if (z == 2 && size > 0) phase[0] = alpha[0] / size, phase[1] = alpha[1] / size;
  for (int c = 0; c < z; c++) beta[c] = -norm * phase[c];
  double re = inverse * phase[0], im = -inverse * phase[1];
  if (z == 1)
    for (int i = 1; i < n; i++) x[i] *= re;
  else
    for (int i = 1; i < n; i++) {
      double first = x[2 * i], second = x[2 * i + 1];
      x[2 * i] = first * re - second * im;
      x[2 * i + 1] = first * im + second * re;
    }
  return (size + norm) * (1 / norm);
}

/* C (m x n) <- H C. */
ALWAYS void apply_left(const int z, int m, int n, double *a, int lda, const double *v, double tau) {
  for (int j = 0; j < n; j++) {
    double *c = a + (int64_t)j * lda * z, re = 0, im = 0;
    if (z == 1) {
#pragma omp simd reduction(+ : re)
      for (int i = 0; i < m; i++) re += c[i] * v[i];
      re *= tau;
#pragma omp simd
      for (int i = 0; i < m; i++) c[i] -= re * v[i];
    } else {
#pragma omp simd reduction(+ : re, im)
      for (int i = 0; i < m; i++) {
        re += v[2 * i] * c[2 * i] + v[2 * i + 1] * c[2 * i + 1];
        im += v[2 * i] * c[2 * i + 1] - v[2 * i + 1] * c[2 * i];
      }
      re *= tau;
      im *= tau;
#pragma omp simd
      for (int i = 0; i < m; i++) {
        c[2 * i] -= re * v[2 * i] - im * v[2 * i + 1];
        c[2 * i + 1] -= re * v[2 * i + 1] + im * v[2 * i];
      }
    }
  }
}

/* C (m x n) <- C H, m <= B. */
ALWAYS void apply_right(const int z, int m, int n, double *a, int lda, const double *v,
                        double tau) {
  double y[2 * B] = {0};
  for (int j = 0; j < n; j++) {
    const double *c = a + (int64_t)j * lda * z;
    if (z == 1) {
#pragma omp simd
      for (int i = 0; i < m; i++) y[i] += c[i] * v[j];
    } else {
      double re = v[2 * j], im = v[2 * j + 1];
#pragma omp simd
      for (int i = 0; i < m; i++) {
        y[2 * i] += c[2 * i] * re - c[2 * i + 1] * im;
        y[2 * i + 1] += c[2 * i] * im + c[2 * i + 1] * re;
      }
    }
  }
  for (int i = 0; i < z * m; i++) y[i] *= tau;
  for (int j = 0; j < n; j++) {
    double *c = a + (int64_t)j * lda * z;
    if (z == 1) {
#pragma omp simd
      for (int i = 0; i < m; i++) c[i] -= y[i] * v[j];
    } else {
      double re = v[2 * j], im = -v[2 * j + 1];
#pragma omp simd
      for (int i = 0; i < m; i++) {
        c[2 * i] -= y[2 * i] * re - y[2 * i + 1] * im;
        c[2 * i + 1] -= y[2 * i] * im + y[2 * i + 1] * re;
      }
    }
  }
}

/* ---- first stage: dense to band ---- */

static const CBLAS_TRANSPOSE N = CblasNoTrans, H = CblasConjTrans;

/* C <- alpha op(A) op(B) + beta C, column-major. */
ALWAYS void gemm(const int z, CBLAS_TRANSPOSE ta, CBLAS_TRANSPOSE tb, int m, int n, int k,
                 double alpha, const double *a, int lda, const double *b, int ldb, double beta,
                 double *c, int ldc) {
  if (m == 0 || n == 0) return;
  if (z == 1)
    cblas_dgemm(CblasColMajor, ta == N ? N : CblasTrans, tb == N ? N : CblasTrans, m, n, k, alpha,
                a, lda, b, ldb, beta, c, ldc);
  else
    cblas_zgemm(CblasColMajor, ta, tb, m, n, k, (double[]){alpha, 0}, a, lda, b, ldb,
                (double[]){beta, 0}, c, ldc);
}

typedef struct block {
  double *v; /* m x B: the panel, then its reflectors, zeros above and ones on the diagonal */
  double *y; /* m x B: V T, where H_1 .. H_w = I - V T V^H */
  double *r; /* B x B: the panel's triangle */
  double *u; /* B x B: T^-1 */
} block;

/* Y = V T for n reflectors.  T^-1 = D^-1 + striu(V^H V), D the tau's (Puglisi 1992), so it is one
 * product and one triangular solve.  As tau = 2 / v^H v, V has it all; a zero column drops out. */
ALWAYS void aggregate(const int z, int m, int n, const double *v, double *y, double *u) {
  gemm(z, H, N, n, n, m, 1, v, m, v, m, 0, u, B);
  for (int j = 0; j < n; j++) {
    double *x = u + (j + j * B) * z;
    x[0] = x[0] == 0 ? 1 : x[0] / 2;
    if (z == 2) x[1] = 0;
  }
  memcpy(y, v, (size_t)z * sizeof(double) * (size_t)m * (size_t)n);
  if (z == 1)
    cblas_dtrsm(CblasColMajor, CblasRight, CblasUpper, N, CblasNonUnit, m, n, 1, u, B, y, m);
  else
    cblas_ztrsm(CblasColMajor, CblasRight, CblasUpper, N, CblasNonUnit, m, n, (double[]){1, 0}, u,
                B, y, m);
}

/* QR of the m x w panel in k->v (leading dimension m); work: B x B. */
ALWAYS void factor(const int z, block *k, int m, int w, double *work) {
  int n = min(m, w); /* reflectors */
  size_t entry = (size_t)z * sizeof(double);
  memset(k->r, 0, entry * B * B);
  for (int p = 0; p < w; p += INNER) {
    int end = min(p + INNER, w), some = min(end, n) - p;
    for (int j = p; j < end; j++) {
      double *x = k->v + (int64_t)j * m * z;
      memcpy(k->r + j * B * z, x, entry * (size_t)min(j, m));
      if (j >= n) continue;
      memset(x, 0, entry * (size_t)j);
      double tau = reflector(z, m - j, x + j * z, k->r + (j + j * B) * z);
      apply_left(z, m - j, end - j - 1, x + (j + m) * z, m, x + j * z, tau);
      /* No reflection: a zero column drops out of every product. */
      if (tau == 0) memset(x + j * z, 0, entry * (size_t)(m - j));
    }
    if (end == w || some <= 0) continue;
    /* The columns behind: C - V (V T)^H C. */
    double *v = k->v + (int64_t)p * m * z, *c = k->v + (int64_t)end * m * z;
    aggregate(z, m, some, v, k->y, k->u);
    gemm(z, H, N, some, w - end, m, 1, k->y, m, c, m, 0, work, B);
    gemm(z, N, N, m, w - end, some, -1, v, m, work, B, 1, c, m);
  }
  aggregate(z, m, n, k->v, k->y, k->u);
}

/* Rows i and columns j of the panel of rows, transposed so that the same factorisation serves. */
ALWAYS void adjoint(const int z, int rows, int cols, const double *a, int lda, double *out) {
  for (int j = 0; j < cols; j++)
    for (int i = 0; i < rows; i++) {
      const double *x = a + (i + (int64_t)j * lda) * z;
      double *y = out + (j + (int64_t)i * cols) * z;
      y[0] = x[0];
      if (z == 2) y[1] = -x[1];
    }
}

/* A block of columns, then one of rows, is reflected away; what is left of the matrix is read for
 * either and changed but once:
 *
 *   C - V W, W = (V T)^H C, from the left;  then, with V' of the rows and Y' = V' T',
 *   (C - V W)(1 - Y' V'^H) = C - V W - X V'^H,  X = C Y' - V (W Y'), from the right.
 *
 * left is [V X], right [W^H V'], so that this is one product.  keep: V and V'^H take the place of
 * the panels in a. */
ALWAYS bool dense_to_band(const int z, int d, double *a, double *band, double *work,
                          const bool keep) {
  int64_t panel = (int64_t)B * d * z, square = (int64_t)B * B * z;
  double *left = work, *right = left + 2 * panel, *small = right + 2 * panel;
  block k = {.y = small + 3 * square, .r = small, .u = small + square};
  double *product = small + 2 * square;
  size_t entry = (size_t)z * sizeof(double);
  for (int p = 0; p < d; p += B) {
    if (pl_pause()) return false;
    /* Columns: the triangle is the diagonal block of the band. */
    int m = d - p, w = min(B, m), rest = m - w, n = min(w, rest);
    double *corner = a + (p + (int64_t)p * d) * z, *top = corner + (int64_t)w * d * z;
    k.v = left;
    for (int j = 0; j < w; j++)
      memcpy(k.v + (int64_t)j * m * z, corner + (int64_t)j * d * z, entry * (size_t)m);
    factor(z, &k, m, w, product);
    for (int j = 0; j < w; j++)
      memcpy(band + (p + (int64_t)(p + j) * LDB) * z, k.r + j * B * z, entry * (size_t)(j + 1));
    for (int j = 0; keep && j < w; j++)
      memcpy(corner + (int64_t)j * d * z, k.v + (int64_t)j * m * z, entry * (size_t)m);
    if (rest == 0) return true;
    gemm(z, H, N, rest, w, m, 1, top, d, k.y, m, 0, right, rest);
    /* Rows: first they take their part of that. */
    gemm(z, N, H, w, rest, w, -1, left, m, right, rest, 1, top, d);
    k.v = right + (int64_t)w * rest * z;
    adjoint(z, w, rest, top, d, k.v);
    factor(z, &k, rest, w, product);
    for (int i = 0; i < w; i++)
      for (int j = 0; j <= min(i, rest - 1); j++)
        adjoint(z, 1, 1, k.r + (j + i * B) * z, 1, band + (p + i + (int64_t)(p + w + j) * LDB) * z);
    for (int i = 0; keep && i < w; i++)
      for (int j = 0; j < rest; j++)
        adjoint(z, 1, 1, k.v + (j + (int64_t)i * rest) * z, 1, top + (i + (int64_t)j * d) * z);
    double *c = top + w * z, *v = left + w * z, *x = v + (int64_t)w * m * z;
    gemm(z, H, N, w, n, rest, 1, right, rest, k.y, rest, 0, product, B);
    gemm(z, N, N, rest, n, rest, 1, c, d, k.y, rest, 0, x, m);
    gemm(z, N, N, rest, n, w, -1, v, m, product, B, 1, x, m);
    gemm(z, N, H, rest, rest, w + n, -1, v, m, right, rest, 1, c, d);
  }
  return true;
}

/* ---- second stage: band to bidiagonal ---- */

/* A reflection where it is kept: none is a zero vector. */
ALWAYS void store(const int z, int n, const double *v, double tau, double *out) {
  if (tau == 0)
    memset(out, 0, sizeof(double) * (size_t)(n * z));
  else
    memcpy(out, v, sizeof(double) * (size_t)(n * z));
}

/* Step k of sweep s.  Step 0 clears row s beyond its superdiagonal, by a reflection of the B
 * columns that follow the diagonal; that fills a triangle below the diagonal, and a reflection of
 * those rows clears its first column, which fills the B x B block to the right, whose first row
 * step 1 clears in its turn, B columns on.  The rest of each bulge is left to the next sweep,
 * whose blocks lie one row and column further.  rows, columns: if not NULL, d x d matrices whose
 * column s gets the reflections of sweep s, each where it acts. */
ALWAYS void chase(const int z, int d, double *band, int s, int k, double *rows, double *columns) {
  int c0 = s + 1 + k * B, c1 = min(c0 + B, d), n = c1 - c0; /* columns, then rows, c0 .. c1 - 1 */
  int row = k == 0 ? s : c0 - B;
  double v[2 * B] = {0}, beta[2];
  double *a = band + (row + (int64_t)c0 * LDB) * z;
  /* The conjugate row: then it is cleared from the right. */
  adjoint(z, 1, n, a, LDB, v);
  double tau = reflector(z, n, v, beta);
  if (columns) store(z, n, v, tau, columns + (c0 + (int64_t)s * d) * z);
  if (tau != 0) {
    int m = c1 - row, i = 0;
    if (n == B)
      for (; i + B <= m; i += B) apply_right(z, B, B, a + i * z, LDB, v, tau);
    for (; i < m; i += B) apply_right(z, min(B, m - i), n, a + i * z, LDB, v, tau);
    adjoint(z, 1, 1, beta, 1, a);
    for (int j = 1; j < n; j++) memset(a + (int64_t)j * LDB * z, 0, (size_t)z * sizeof *a);
  }
  a = band + (c0 + (int64_t)c0 * LDB) * z;
  memcpy(v, a, sizeof(double) * (size_t)(n * z));
  tau = reflector(z, n, v, beta);
  if (rows) store(z, n, v, tau, rows + (c0 + (int64_t)s * d) * z);
  if (tau != 0) {
    int touched = min(c1 + B, d) - c0;
    if (n == B)
      apply_left(z, B, touched, a, LDB, v, tau);
    else
      apply_left(z, n, touched, a, LDB, v, tau);
    memset(a, 0, sizeof(double) * (size_t)(n * z));
    memcpy(a, beta, (size_t)z * sizeof *a);
  }
}

/* Step k of a sweep may follow step k + 2 of the sweep before it; so a few sweeps go down the band
 * together, each two blocks behind the last, while that part of it is in cache. */
ALWAYS bool band_to_bidiagonal(const int z, int d, double *band, double *rows, double *columns) {
  for (int s0 = 0; s0 < d - 1; s0 += SWEEPS) {
    if (pl_pause()) return false;
    int sweeps = min(SWEEPS, d - 1 - s0), steps = (d - 2 - s0) / B + 1;
    for (int t = 0; t < steps + 2 * (sweeps - 1); t++)
      for (int g = 0; g < sweeps; g++) {
        int k = t - 2 * g;
        if (k >= 0 && s0 + g + 1 + k * B < d) chase(z, d, band, s0 + g, k, rows, columns);
      }
  }
  return true;
}

/* ---- all of it ---- */

enum { GIVEN_UP = -1 }; /* at a pause */

static int64_t band_size(int d) {
  return (int64_t)(LDB + 1) * d;
}

/* Phases of rows and columns can be taken out of a bidiagonal matrix: moduli are enough. */
static double modulus(int z, const double *x) {
  return z == 2 ? hypot(x[0], x[1]) : *x;
}

ALWAYS int values(const int z, int d, double *a, double *sigma, double *work) {
  double *band = work, *rest = work + z * band_size(d);
  memset(band, 0, sizeof(double) * (size_t)(z * band_size(d)));
  if (!dense_to_band(z, d, a, band, rest, false) || !band_to_bidiagonal(z, d, band, NULL, NULL))
    return GIVEN_UP;
  double *e = rest, *scratch = rest + d;
  for (int i = 0; i < d; i++) {
    sigma[i] = modulus(z, band + (i + (int64_t)i * LDB) * z);
    e[i] = i + 1 < d ? modulus(z, band + (i + (int64_t)(i + 1) * LDB) * z) : 0;
  }
  int info;
  dlasq1_(&d, sigma, e, scratch, &info);
  return info;
}

int64_t pl_bidiag_work(int d, bool is_complex) {
  int64_t stage1 = 5 * (int64_t)B * d + 3 * B * B, stage3 = 5 * (int64_t)d;
  return (is_complex ? 2 : 1) * (band_size(d) + (stage1 > stage3 ? stage1 : stage3));
}

int pl_bidiag_values(int d, bool is_complex, double *a, double *sigma, double *work) {
  return is_complex ? values(2, d, a, sigma, work) : values(1, d, a, sigma, work);
}

/* ---- vectors ---- */

/* X (d x r) <- Q X, Q = H_1 H_2 .. the reflections kept of the second stage: GROUP sweeps at a
 * time, the last ones first, each step of them as one block.  A step of a later sweep meets the
 * same and the next step of earlier ones only, and goes before them. */
enum { GROUP = B };
ALWAYS void apply_sweeps(const int z, int d, const double *kept, int r, double *x, double *work) {
  enum { TALL = B + GROUP - 1 };
  double *v = work, *y = v + TALL * GROUP * z, *u = y + TALL * GROUP * z, *w = u + B * B * z;
  for (int s0 = (d - 2) / GROUP * GROUP; s0 >= 0; s0 -= GROUP) {
    int sweeps = min(GROUP, d - 1 - s0);
    for (int k = 0; s0 + 1 + k * B < d; k++) {
      int first = s0 + 1 + k * B, m = min(TALL, d - first);
      memset(v, 0, sizeof(double) * (size_t)(m * sweeps * z));
      for (int g = 0; g < sweeps && g < m; g++)
        memcpy(v + (g + (int64_t)g * m) * z, kept + (first + g + (int64_t)(s0 + g) * d) * z,
               sizeof(double) * (size_t)(min(B, m - g) * z));
      aggregate(z, m, sweeps, v, y, u);
      gemm(z, H, N, sweeps, r, m, 1, v, m, x + first * z, d, 0, w, GROUP);
      gemm(z, N, N, m, r, sweeps, -1, y, m, w, GROUP, 1, x + first * z, d);
    }
  }
}

/* X <- Q X, Q of the first stage: from the left, or from the right, which a holds as adjoints. */
ALWAYS void apply_panels(const int z, int d, const double *a, bool right, int r, double *x,
                         double *work) {
  double *v = work, *y = v + (int64_t)B * d * z, *u = y + (int64_t)B * d * z, *w = u + B * B * z;
  for (int p = (d - 1) / B * B; p >= 0; p -= B) {
    int width = min(B, d - p), first = right ? p + width : p, m = d - first, n = min(width, m);
    if (m == 0) continue;
    const double *from = a + (p + (int64_t)first * d) * z;
    if (right)
      adjoint(z, width, m, from, d, v);
    else
      for (int j = 0; j < n; j++)
        memcpy(v + (int64_t)j * m * z, a + (p + (int64_t)(p + j) * d) * z,
               sizeof(double) * (size_t)(m * z));
    aggregate(z, m, n, v, y, u);
    gemm(z, H, N, n, r, m, 1, v, m, x + first * z, d, 0, w, B);
    gemm(z, N, N, m, r, n, -1, y, m, w, B, 1, x + first * z, d);
  }
}

/* The phase of x y, of modulus 1 also where that is zero. */
static void phase_of(int z, const double *x, const double *y, double *out) {
  double re = z == 2 ? x[0] * y[0] - x[1] * y[1] : x[0] * y[0];
  double im = z == 2 ? x[0] * y[1] + x[1] * y[0] : 0;
  double size = hypot(re, im);
  out[0] = size > 0 ? re / size : 1;
  if (z == 2) out[1] = size > 0 ? im / size : 0;
}

/* Out of the bidiagonal C: moduli into diagonal and e, and the phases with C = P |C| Q^H. */
static void take_phases(int z, int d, const double *band, double *diagonal, double *e, double *p,
                        double *q) {
  memset(q, 0, sizeof(double) * (size_t)z);
  q[0] = 1;
  for (int i = 0; i < d; i++) {
    const double *x = band + (i + (int64_t)i * LDB) * z;
    const double *next = band + (i + (int64_t)(i + 1) * LDB) * z;
    diagonal[i] = fabs(modulus(z, x));
    phase_of(z, x, q + i * z, p + i * z);
    if (i + 1 == d) break;
    e[i] = fabs(modulus(z, next));
    /* |e_i| = conj(p_i) e_i q_(i+1). */
    double back[2] = {p[i * z], z == 2 ? -p[i * z + 1] : 0}, phase[2] = {0};
    phase_of(z, next, back, phase);
    adjoint(z, 1, 1, phase, 1, q + (i + 1) * z);
  }
}

/* out (d x r) <- diag(phase) X, X[i, j] at x[i row + j column]. */
static void with_phases(int z, int d, int r, const double *x, int64_t row, int64_t column,
                        const double *phase, double *out) {
  for (int j = 0; j < r; j++)
    for (int i = 0; i < d; i++)
      for (int c = 0; c < z; c++) *out++ = x[i * row + j * column] * phase[i * z + c];
}

ALWAYS int vectors(const int z, int d, double *a, double floor, int *r, double *sigma, double *left,
                   double *right, double *work, int *iwork) {
  int64_t square = (int64_t)d * d;
  double *band = work, *rows = band + z * band_size(d), *columns = rows + z * square;
  double *u = columns + z * square, *vt = u + square, *p = vt + square, *q = p + z * (int64_t)d;
  double *e = q + z * (int64_t)d, *rest = e + d;
  memset(band, 0, sizeof(double) * (size_t)(z * band_size(d)));
  if (!dense_to_band(z, d, a, band, rest, true) || !band_to_bidiagonal(z, d, band, rows, columns))
    return GIVEN_UP;
  take_phases(z, d, band, sigma, e, p, q);
  int info;
  dbdsdc_("U", "I", &d, sigma, e, u, &d, vt, &d, NULL, NULL, rest, iwork, &info, 1, 1);
  if (info) return info;
  for (*r = 0; *r < d && sigma[*r] > floor;) ++*r;
  with_phases(z, d, *r, u, 1, d, p, left);
  with_phases(z, d, *r, vt, d, 1, q, right);
  apply_sweeps(z, d, rows, *r, left, rest);
  apply_sweeps(z, d, columns, *r, right, rest);
  apply_panels(z, d, a, false, *r, left, rest);
  apply_panels(z, d, a, true, *r, right, rest);
  return 0;
}

int64_t pl_bidiag_vectors_work(int d, bool is_complex) {
  int64_t z = is_complex ? 2 : 1, square = (int64_t)d * d;
  int64_t conquer = 3 * square + 4 * (int64_t)d, sweeps = 4 * B * (2 * B + d),
          panels = 5 * (int64_t)B * d;
  int64_t rest = z * (sweeps > panels ? sweeps : panels) + 4 * z * B * B;
  return z * (band_size(d) + 2 * square + 2 * d) + 2 * square + d +
         (conquer > rest ? conquer : rest);
}

int pl_bidiag_vectors(int d, bool is_complex, double *a, double floor, int *r, double *sigma,
                      double *left, double *right, double *work, int *iwork) {
  return is_complex ? vectors(2, d, a, floor, r, sigma, left, right, work, iwork)
                    : vectors(1, d, a, floor, r, sigma, left, right, work, iwork);
}
