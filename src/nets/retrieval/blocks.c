/* The score of linear encoders is a bilinear form of the features, and these are a representation
 * of S_n.  g moves places: of the permutation matrix the columns, of the signs sign(p(j) - p(i))
 * the pairs {i, j}, with a sign.  With the orthonormal vectors 1/sqrt(n), h_1, .., h_{n-1} of R^n,
 *   h_l (x) h_k            of the matrix, h_k along its columns: n - 1 copies of (n-1,1)
 *   1/sqrt(n) ^ h_k        of the signs: one more copy
 *   h_k ^ h_l, k < l       of the signs: (n-2,1,1)
 * are orthonormal bases of where the features live: rows and columns of the centred matrix add up
 * to 0.  Queries are turned back first: M = R^T W_q W_d^T, restricted to there. */
#include "base/mem.h"
#include "linalg/rect.h"
#include "own.h"
#include "tape/kernels.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { STANDARD, HOOK, NUM_IRREPS }; /* (n-1,1), (n-2,1,1) */

static int64_t dim_of(int n, int irrep) {
  return irrep == STANDARD ? (int64_t)n * (n - 1) : (int64_t)(n - 1) * (n - 2) / 2;
}

static int irrep_of(int block, int side) {
  return side == SIDE_QUERY ? block / NUM_IRREPS : block % NUM_IRREPS;
}

int64_t blocks_sv(int n, int64_t width, int block) {
  int64_t a = dim_of(n, irrep_of(block, SIDE_QUERY)), b = dim_of(n, irrep_of(block, SIDE_DOCUMENT));
  int64_t least = a < b ? a : b;
  return least < width ? least : width;
}

int blocks_label(int n, int block, int side, char *buf, size_t size) {
  return irrep_of(block, side) == STANDARD ? snprintf(buf, size, "%d,1", n - 1)
                                           : snprintf(buf, size, "%d,1,1", n - 2);
}

/* ---- bases ---- */

/* h_k, k = 1 .. n - 1: (1, .., 1, -k, 0, ..) normed; h_0: constant. */
static double helmert(int n, int k, int j) {
  if (k == 0) return 1 / sqrt(n);
  double norm = sqrt((double)k * (k + 1));
  return j < k ? 1 / norm : j == k ? -k / norm : 0;
}

/* (h_k ^ h_l) over the pairs i < j. */
static void wedge(int n, int k, int l, double *x) {
  for (int i = 0; i < n; i++)
    for (int j = i + 1; j < n; j++)
      *x++ = helmert(n, k, i) * helmert(n, l, j) - helmert(n, k, j) * helmert(n, l, i);
}

/* Rows of an orthonormal basis, [dim][features]. */
static double *basis(int n, int irrep, int64_t features) {
  int64_t dim = dim_of(n, irrep);
  double *u = pl_zalloc((size_t)(dim * features), sizeof *u, "a basis"), *at = u;
  for (int l = 1; irrep == STANDARD && l < n; l++)
    for (int k = 1; k < n; k++, at += features)
      for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) at[i * n + j] = helmert(n, l, i) * helmert(n, k, j);
  for (int k = 0; k < n; k++)
    for (int l = k + 1; l < n; l++) {
      if ((k == 0) != (irrep == STANDARD)) continue;
      wedge(n, k, l, at + (int64_t)n * n);
      at += features;
    }
  return u;
}

/* ---- blocks ---- */

static double squares(int64_t n, const double *x) {
  double sum = 0;
  for (int64_t k = 0; k < n; k++) sum += x[k] * x[k];
  return sum;
}

/* Features as the swap of places s and s + 1 moves them: x has rows of features, [features][cols].
 */
static void move_rows(int n, int s, int64_t cols, const double *x, double *y) {
  size_t row = (size_t)cols * sizeof *x;
  int64_t at = 0;
#define MOVED(i) ((i) == s ? s + 1 : (i) == s + 1 ? s : (i))
  for (int i = 0; i < n; i++)
    for (int j = 0; j < n; j++, at++) memcpy(y + at * cols, x + (i * n + MOVED(j)) * cols, row);
  int64_t pairs = at;
  for (int i = 0; i < n; i++)
    for (int j = i + 1; j < n; j++, at++) {
      int a = MOVED(i), b = MOVED(j), low = a < b ? a : b, high = a < b ? b : a;
      int64_t from = pairs + (int64_t)low * n - (int64_t)low * (low + 1) / 2 + high - low - 1;
      for (int64_t c = 0; c < cols; c++) y[at * cols + c] = (a < b ? 1 : -1) * x[from * cols + c];
    }
#undef MOVED
}

/* A B^T for A, B: [features][width]. */
static void form(int64_t features, int64_t width, const double *a, const double *b, double *m) {
  pl_gemm(false, true, features, features, width, a, b, m, false);
}

/* rho(g) is orthogonal and, for a swap, its own inverse: M rho - rho M = A (rho B)^T - (rho A) B^T.
 */
static double defect_of(int n, int64_t features, int64_t width, const double *a, const double *b) {
  int64_t size = features * width;
  double *moved = pl_alloc((size_t)size, sizeof *moved, "moved features"), largest = 0;
  double *m[2];
  for (int k = 0; k < 2; k++)
    m[k] = pl_alloc((size_t)(features * features), sizeof **m, "a bilinear form");
  form(features, width, a, b, m[0]);
  double all = squares(features * features, m[0]);
  for (int s = 0; s + 1 < n; s++) {
    move_rows(n, s, width, b, moved);
    form(features, width, a, moved, m[0]);
    move_rows(n, s, width, a, moved);
    form(features, width, moved, b, m[1]);
    for (int64_t k = 0; k < features * features; k++) m[0][k] -= m[1][k];
    largest = fmax(largest, sqrt(squares(features * features, m[0]) / all));
  }
  for (int k = 0; k < 2; k++) pl_free(m[k]);
  pl_free(moved);
  return largest;
}

/* An encoder by irreps, and what the parts add up to. */
typedef struct split_encoder {
  double *part[NUM_IRREPS]; /* [dim][width], in the basis */
  double *whole;            /* [features][width] */
} split_encoder;

static split_encoder split(int n, int64_t features, int64_t width, double *const *u,
                           const double *w) {
  split_encoder e;
  e.whole = pl_zalloc((size_t)(features * width), sizeof *e.whole, "encoder");
  for (int r = 0; r < NUM_IRREPS; r++) {
    int64_t dim = dim_of(n, r);
    e.part[r] = pl_alloc((size_t)(dim * width), sizeof *w, "a part of an encoder");
    pl_gemm(false, false, dim, width, features, u[r], w, e.part[r], false);
    pl_gemm(true, false, features, width, dim, u[r], e.part[r], e.whole, true);
  }
  return e;
}

static void split_free(split_encoder *e) {
  for (int r = 0; r < NUM_IRREPS; r++) pl_free(e->part[r]);
  pl_free(e->whole);
}

static pl_status spectra(int n, int64_t width, const split_encoder *q, const split_encoder *d,
                         double *sigma, double *energy) {
  int64_t widest = dim_of(n, STANDARD);
  pl_status st = PL_OK;
  pl_rect *rect = pl_rect_new(widest, widest);
  double *block = pl_alloc((size_t)(widest * widest), sizeof *block, "a block"), sum = 0;
  double *all = pl_alloc((size_t)widest, sizeof *all, "singular values");
  for (int b = 0; b < NUM_BLOCKS; b++) {
    int l = irrep_of(b, SIDE_QUERY), m = irrep_of(b, SIDE_DOCUMENT);
    int64_t rows = dim_of(n, l), cols = dim_of(n, m), sv = blocks_sv(n, width, b);
    pl_gemm(false, true, rows, cols, width, q->part[l], d->part[m], block, false);
    sum += energy[b] = squares(rows * cols, block);
    if (pl_rect_singular_values(rect, rows, cols, block, all)) st = PL_NUMERIC;
    memcpy(sigma, all, (size_t)sv * sizeof *sigma);
    sigma += sv;
  }
  for (int b = 0; b < NUM_BLOCKS; b++) energy[b] /= sum;
  pl_free(block);
  pl_free(all);
  pl_rect_free(rect);
  return st;
}

pl_status blocks_of(const pl_permuted *p, int64_t width, const double *w_query,
                    const double *w_document, double *sigma, double *energy, double *defect) {
  int n = p->n;
  int64_t features = (int64_t)n * n + n * (n - 1) / 2;
  double *u[NUM_IRREPS], *turned = pl_alloc((size_t)(features * width), sizeof *turned, "encoder");
  for (int r = 0; r < NUM_IRREPS; r++) u[r] = basis(n, r, features);
  pl_gemm(true, false, features, width, features, p->rotation, w_query, turned, false);
  split_encoder query = split(n, features, width, u, turned);
  split_encoder document = split(n, features, width, u, w_document);
  pl_status st = spectra(n, width, &query, &document, sigma, energy);
  *defect = defect_of(n, features, width, query.whole, document.whole);
  split_free(&query);
  split_free(&document);
  for (int r = 0; r < NUM_IRREPS; r++) pl_free(u[r]);
  pl_free(turned);
  return st;
}
