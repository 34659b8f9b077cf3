#include "linalg/bidiag.h"

#include "base/blas.h"
#include "base/mem.h"

#include <math.h>
#include <string.h>

void dlasq1_(const int *n, double *d, double *e, double *work, int *info);

/* B superdiagonals; chasing fills B - 1 subdiagonals and as many more superdiagonals, so column j
 * holds rows j - 2B + 1 .. j + B - 1.  Entry (i, j) stands at band[i + j * LDB], the address of an
 * ordinary matrix; LDB + 1 is the distance down the diagonal, at least the 3B - 1 of a column.
 * SWEEPS are chased together: what they touch should fit the second-level cache. */
enum { B = PL_BAND, LDB = 3 * B, SWEEPS = 4 };

static int min(int a, int b) {
  return a < b ? a : b;
}

/* ---- reflectors ---- */

/* H = I - tau v v^T with v_0 = 1 and H x = (beta, 0, ..): v replaces x and beta is returned.  A
 * tail whose square is at the edge of the range would give an H that is not orthogonal: it counts
 * as zero, tau = 0. */
static double reflector(int n, double *x, double *tau) {
  double tail = 0, alpha = x[0];
#pragma omp simd reduction(+ : tail)
  for (int i = 1; i < n; i++) tail += x[i] * x[i];
  x[0] = 1;
  if (tail < 1e-280) {
    *tau = 0;
    return alpha;
  }
  double beta = -copysign(sqrt(alpha * alpha + tail), alpha), inverse = 1 / (alpha - beta);
  *tau = (beta - alpha) / beta;
  for (int i = 1; i < n; i++) x[i] *= inverse;
  return beta;
}

/* Inlined so that a constant m unrolls. */
__attribute__((always_inline)) static inline void apply_left(int m, int n, double *a, int lda,
                                                             const double *v, double tau) {
  for (int j = 0; j < n; j++) {
    double *c = a + (int64_t)j * lda, dot = 0;
#pragma omp simd reduction(+ : dot)
    for (int i = 0; i < m; i++) dot += c[i] * v[i];
    dot *= tau;
#pragma omp simd
    for (int i = 0; i < m; i++) c[i] -= dot * v[i];
  }
}

__attribute__((always_inline)) static inline void apply_right(int m, int n, double *a, int lda,
                                                              const double *v, double tau) {
  double y[B] = {0};
  for (int j = 0; j < n; j++) {
    const double *c = a + (int64_t)j * lda;
#pragma omp simd
    for (int i = 0; i < m; i++) y[i] += c[i] * v[j];
  }
  for (int i = 0; i < m; i++) y[i] *= tau;
  for (int j = 0; j < n; j++) {
    double *c = a + (int64_t)j * lda;
#pragma omp simd
    for (int i = 0; i < m; i++) c[i] -= y[i] * v[j];
  }
}

/* ---- first stage: dense to band ---- */

typedef struct block {
  double *v; /* m x B: the panel, then its reflectors, zeros above and ones on the diagonal */
  double *y; /* m x B: V T, where H_1 .. H_w = I - V T V^T */
  double *r; /* B x B: the panel's triangle */
  double *w; /* B x d: products on their way */
  double *u; /* B x B: T^-1 */
} block;

/* QR of the m x w panel in k->v (leading dimension m).  T^-1 = D^-1 + striu(V^T V), D the tau's
 * (Puglisi 1992), so V T is one product and one triangular solve. */
static void factor(block *k, int m, int w) {
  double tau[B];
  int n = min(m, w); /* reflectors */
  memset(k->r, 0, sizeof(double) * B * B);
  for (int j = 0; j < w; j++) {
    double *x = k->v + (int64_t)j * m;
    memcpy(k->r + j * B, x, sizeof(double) * (size_t)min(j, m));
    if (j >= n) continue;
    memset(x, 0, sizeof(double) * (size_t)j);
    k->r[j + j * B] = reflector(m - j, x + j, &tau[j]);
    apply_left(m - j, w - j - 1, x + j + m, m, x + j, tau[j]);
    /* No reflection: a zero column drops out of every product. */
    if (tau[j] == 0) memset(x + j, 0, sizeof(double) * (size_t)(m - j));
  }
  cblas_dgemm(CblasColMajor, CblasTrans, CblasNoTrans, n, n, m, 1, k->v, m, k->v, m, 0, k->u, B);
  for (int j = 0; j < n; j++) k->u[j + j * B] = tau[j] == 0 ? 1 : 1 / tau[j];
  memcpy(k->y, k->v, sizeof(double) * (size_t)m * (size_t)n);
  cblas_dtrsm(CblasColMajor, CblasRight, CblasUpper, CblasNoTrans, CblasNonUnit, m, n, 1, k->u, B,
              k->y, m);
}

/* C (m x n) <- Q^T C = C - V (V T)^T C. */
static void from_left(const block *k, int m, int n, int w, double *c, int ldc) {
  if (n == 0) return;
  cblas_dgemm(CblasColMajor, CblasTrans, CblasNoTrans, w, n, m, 1, k->y, m, c, ldc, 0, k->w, B);
  cblas_dgemm(CblasColMajor, CblasNoTrans, CblasNoTrans, m, n, w, -1, k->v, m, k->w, B, 1, c, ldc);
}

/* C (m x n) <- C Q = C - (C V T) V^T. */
static void from_right(const block *k, int m, int n, int w, double *c, int ldc) {
  if (m == 0) return;
  cblas_dgemm(CblasColMajor, CblasNoTrans, CblasNoTrans, m, w, n, 1, c, ldc, k->y, n, 0, k->w, m);
  cblas_dgemm(CblasColMajor, CblasNoTrans, CblasTrans, m, n, w, -1, k->w, m, k->v, n, 1, c, ldc);
}

static void dense_to_band(int d, double *a, double *band, block *k) {
  for (int p = 0; p < d; p += B) {
    /* A block of columns: its triangle is the diagonal block of the band. */
    int m = d - p, w = min(B, m), rest = m - w;
    double *corner = a + p + (int64_t)p * d;
    for (int j = 0; j < w; j++)
      memcpy(k->v + (int64_t)j * m, corner + (int64_t)j * d, sizeof(double) * (size_t)m);
    factor(k, m, w);
    for (int j = 0; j < w; j++)
      for (int i = 0; i <= j; i++) band[p + i + (int64_t)(p + j) * LDB] = k->r[i + j * B];
    from_left(k, m, rest, w, corner + (int64_t)w * d, d);
    if (rest == 0) break;
    /* A block of rows, transposed so that the same factorisation serves. */
    double *right = corner + (int64_t)w * d;
    for (int j = 0; j < rest; j++)
      for (int i = 0; i < w; i++) k->v[j + (int64_t)i * rest] = right[i + (int64_t)j * d];
    factor(k, rest, w);
    for (int i = 0; i < w; i++)
      for (int j = 0; j <= min(i, rest - 1); j++)
        band[p + i + (int64_t)(p + w + j) * LDB] = k->r[j + i * B];
    from_right(k, rest, rest, min(rest, w), right + w, d);
  }
}

/* ---- second stage: band to bidiagonal ---- */

/* Step k of sweep s.  Step 0 clears row s beyond its superdiagonal, by a reflection of the B
 * columns that follow the diagonal; that fills a triangle below the diagonal, and a reflection of
 * those rows clears its first column, which fills the B x B block to the right, whose first row
 * step 1 clears in its turn, B columns on.  The rest of each bulge is left to the next sweep,
 * whose blocks lie one row and column further. */
static void chase(int d, double *band, int s, int k) {
  int c0 = s + 1 + k * B, c1 = min(c0 + B, d), n = c1 - c0; /* columns, then rows, c0 .. c1 - 1 */
  int row = k == 0 ? s : c0 - B;
  double v[B], tau;
  double *a = band + row + (int64_t)c0 * LDB;
  for (int j = 0; j < n; j++) v[j] = a[(int64_t)j * LDB];
  double beta = reflector(n, v, &tau);
  if (tau != 0) {
    int m = c1 - row, i = 0;
    if (n == B)
      for (; i + B <= m; i += B) apply_right(B, B, a + i, LDB, v, tau);
    for (; i < m; i += B) apply_right(min(B, m - i), n, a + i, LDB, v, tau);
    a[0] = beta;
    for (int j = 1; j < n; j++) a[(int64_t)j * LDB] = 0;
  }
  a = band + c0 + (int64_t)c0 * LDB;
  memcpy(v, a, sizeof(double) * (size_t)n);
  beta = reflector(n, v, &tau);
  if (tau != 0) {
    int columns = min(c1 + B, d) - c0;
    if (n == B)
      apply_left(B, columns, a, LDB, v, tau);
    else
      apply_left(n, columns, a, LDB, v, tau);
    a[0] = beta;
    for (int i = 1; i < n; i++) a[i] = 0;
  }
}

/* Step k of a sweep may follow step k + 2 of the sweep before it; so a few sweeps go down the band
 * together, each two blocks behind the last, while that part of it is in cache. */
static void band_to_bidiagonal(int d, double *band) {
  for (int s0 = 0; s0 < d - 1; s0 += SWEEPS) {
    int sweeps = min(SWEEPS, d - 1 - s0), steps = (d - 2 - s0) / B + 1;
    for (int t = 0; t < steps + 2 * (sweeps - 1); t++)
      for (int g = 0; g < sweeps; g++) {
        int k = t - 2 * g;
        if (k >= 0 && s0 + g + 1 + k * B < d) chase(d, band, s0 + g, k);
      }
  }
}

static int64_t band_size(int d) {
  return (int64_t)(LDB + 1) * d;
}

int64_t pl_bidiag_work(int d) {
  int64_t stage1 = 3 * (int64_t)B * d + 2 * B * B, stage3 = 5 * (int64_t)d;
  return band_size(d) + (stage1 > stage3 ? stage1 : stage3);
}

int pl_bidiag_values(int d, double *a, double *sigma, double *work) {
  double *band = work, *rest = work + band_size(d);
  memset(band, 0, sizeof(double) * (size_t)band_size(d));
  block k = {.v = rest, .y = rest + (int64_t)B * d, .w = rest + 2 * (int64_t)B * d};
  k.r = k.w + (int64_t)B * d;
  k.u = k.r + B * B;
  dense_to_band(d, a, band, &k);
  band_to_bidiagonal(d, band);
  double *e = rest, *scratch = rest + d;
  for (int i = 0; i < d; i++) {
    sigma[i] = band[i + (int64_t)i * LDB];
    e[i] = i + 1 < d ? band[i + (int64_t)(i + 1) * LDB] : 0;
  }
  int info;
  dlasq1_(&d, sigma, e, scratch, &info);
  return info;
}
