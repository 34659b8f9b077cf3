#include "spectral/spectrum.h"

#include "base/blas.h"
#include "base/mem.h"
#include "small.h"

#include <string.h>

void pl_batch_mul(const pl_batch *b, pl_product op, const double *a, const double *bb, double *c) {
  int d = b->dim;
  if (!b->here) return;
  if (b->grid >= 0) {
    /* The grid holds transposes: (A B)^T = B^T A^T. */
    pl_dmat_gemm(op == PL_NC ? 'T' : 'N', op == PL_CN ? 'T' : 'N', 1, &b->mat, bb, a, 0, c);
    return;
  }
  bool z = pl_batch_complex(b);
  if (d <= (z ? PL_SMALL_COMPLEX : PL_SMALL_REAL)) {
    pl_small_mul(d, z, b->count, op, a, bb, c);
    return;
  }
  const double one[2] = {1, 0}, zero[2] = {0, 0};
  CBLAS_TRANSPOSE h = z ? CblasConjTrans : CblasTrans;
  CBLAS_TRANSPOSE ta = op == PL_CN ? h : CblasNoTrans, tb = op == PL_NC ? h : CblasNoTrans;
  for (int64_t k = 0; k < b->count; k++, a += b->size, bb += b->size, c += b->size) {
    if (z)
      cblas_zgemm(CblasRowMajor, ta, tb, d, d, d, one, a, d, bb, d, zero, c, d);
    else
      cblas_dgemm(CblasRowMajor, ta, tb, d, d, d, 1, a, d, bb, d, 0, c, d);
  }
}

/* Four samples at a time: y is loaded once for four products, and four sums hide the latency. */
enum { UNROLL = 4 };

void pl_multi_dot(int64_t count, int64_t n, double weight, const double *x, int64_t stride,
                  const double *y, double *out) {
  int64_t i = 0;
  for (; i + UNROLL <= count; i += UNROLL) {
    const double *x0 = x + i * stride, *x1 = x0 + stride, *x2 = x1 + stride, *x3 = x2 + stride;
    double s0 = 0, s1 = 0, s2 = 0, s3 = 0;
#pragma omp simd reduction(+ : s0, s1, s2, s3)
    for (int64_t k = 0; k < n; k++) {
      s0 += x0[k] * y[k];
      s1 += x1[k] * y[k];
      s2 += x2[k] * y[k];
      s3 += x3[k] * y[k];
    }
    out[i] += weight * s0;
    out[i + 1] += weight * s1;
    out[i + 2] += weight * s2;
    out[i + 3] += weight * s3;
  }
  for (; i < count; i++) {
    const double *x0 = x + i * stride;
    double s = 0;
#pragma omp simd reduction(+ : s)
    for (int64_t k = 0; k < n; k++) s += x0[k] * y[k];
    out[i] += weight * s;
  }
}

void pl_multi_axpy(int64_t count, int64_t n, const double *c, const double *x, int64_t stride,
                   double *r) {
  /* Pieces of r stay in the first-level cache over all samples. */
  enum { PIECE = 1024 };
  for (int64_t k0 = 0; k0 < n; k0 += PIECE) {
    int64_t m = n - k0 < PIECE ? n - k0 : PIECE, i = 0;
    double *restrict out = r + k0;
    memset(out, 0, (size_t)m * sizeof *out);
    for (; i + UNROLL <= count; i += UNROLL) {
      const double *x0 = x + i * stride + k0, *x1 = x0 + stride, *x2 = x1 + stride,
                   *x3 = x2 + stride;
      double c0 = c[i], c1 = c[i + 1], c2 = c[i + 2], c3 = c[i + 3];
      for (int64_t k = 0; k < m; k++)
        out[k] += (c0 * x0[k] + c1 * x1[k]) + (c2 * x2[k] + c3 * x3[k]);
    }
    for (; i < count; i++) {
      const double *x0 = x + i * stride + k0;
      for (int64_t k = 0; k < m; k++) out[k] += c[i] * x0[k];
    }
  }
}

double pl_spectrum_norm(const pl_layout *l, const double *F) {
  pl_norm_part *part = pl_alloc((size_t)l->num_batches, sizeof *part, "parts of a spectrum");
  for (int i = 0; i < l->num_batches; i++) {
    const pl_batch *b = &l->batches[i];
    part[i] = (pl_norm_part){pl_batch_doubles(b), F + b->offset, b->weight};
  }
  double norm = pl_norm_parts(&l->team, l->num_batches, part);
  pl_free(part);
  return norm;
}

struct pl_spectrum_svd {
  pl_svd *whole;
  double *grid;
  int64_t grid_doubles;
};

static int64_t grid_work(const pl_layout *l) {
  int64_t most = 0;
  for (int i = 0; i < l->num_batches; i++) {
    const pl_batch *b = &l->batches[i];
    if (b->grid < 0 || !b->here) continue;
    int64_t n = pl_svd_grid_work(&b->mat);
    if (n > most) most = n;
  }
  return most;
}

pl_spectrum_svd *pl_spectrum_svd_new(const pl_layout *l) {
  pl_spectrum_svd *w = pl_zalloc(1, sizeof *w, "singular values");
  if (l->max_dim) w->whole = pl_svd_new(l->max_dim, l->any_complex);
  w->grid_doubles = grid_work(l);
  w->grid = pl_alloc((size_t)w->grid_doubles, sizeof *w->grid, "singular values on a grid");
  return w;
}

void pl_spectrum_svd_free(pl_spectrum_svd *w) {
  if (!w) return;
  pl_svd_free(w->whole);
  pl_free(w->grid);
  pl_free(w);
}

pl_status pl_batch_singular_values(const pl_layout *l, const pl_batch *b, double *a,
                                   pl_spectrum_svd *w, double *sigma) {
  if (b->grid >= 0)
    return l->grids[b->grid]->myrow < 0 ? PL_OK
                                        : pl_svd_grid(&b->mat, a, sigma, w->grid, w->grid_doubles);
  pl_status worst = PL_OK;
  for (int64_t k = 0; b->here && k < b->count; k++) {
    pl_status st = pl_batch_complex(b)
                       ? pl_svd_complex(w->whole, b->dim, a + k * b->size, sigma + k * b->dim)
                       : pl_svd_real(w->whole, b->dim, a + k * b->size, sigma + k * b->dim);
    if (st) worst = st;
  }
  return worst;
}
