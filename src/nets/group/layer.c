#include "nets/group/layer.h"

#include "base/blas.h"
#include "base/mem.h"

#include <string.h>

static pl_layer *layer_new(const pl_layer_kind *kind, int64_t in, int64_t out, int64_t rows,
                           int64_t cols) {
  pl_layer *l = pl_zalloc(1, sizeof *l, "layer");
  *l = (pl_layer){.kind = kind, .in = in, .out = out, .rows = rows, .cols = cols};
  l->w = pl_zalloc((size_t)(rows * cols), sizeof *l->w, "weights");
  return l;
}

void pl_layer_free(pl_layer *l) {
  if (!l) return;
  if (l->kind->free) l->kind->free(l);
  pl_free(l->w);
  pl_free(l);
}

/* ---- full: z = W x ---- */

static void full_forward(pl_layer *l, int64_t samples, const double *x, double *z) {
  int n = pl_int(l->in), s = pl_int(samples);
  cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, s, n, n, 1, x, n, l->w, n, 0, z, n);
}

static void full_backward(pl_layer *l, int64_t samples, const double *x, const double *dz,
                          double *dx, double *dw) {
  int n = pl_int(l->in), s = pl_int(samples);
  if (dx)
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, s, n, n, 1, dz, n, l->w, n, 0, dx, n);
  if (dw) cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, n, n, s, 1, dz, n, x, n, 0, dw, n);
}

pl_layer *pl_layer_full(int64_t n) {
  static const pl_layer_kind kind = {.forward = full_forward, .backward = full_backward};
  return layer_new(&kind, n, n, n, n);
}

/* ---- relu: z = max(x, 0) ---- */

static void relu_forward(pl_layer *l, int64_t samples, const double *x, double *z) {
  /* NaN stays NaN, so that a run that has diverged shows. */
  for (int64_t k = 0; k < samples * l->in; k++) z[k] = x[k] < 0 ? 0 : x[k];
}

static void relu_backward(pl_layer *l, int64_t samples, const double *x, const double *dz,
                          double *dx, double *dw) {
  (void)dw;
  for (int64_t k = 0; dx && k < samples * l->in; k++) dx[k] = x[k] > 0 ? dz[k] : 0;
}

pl_layer *pl_layer_relu(int64_t n) {
  static const pl_layer_kind kind = {.forward = relu_forward, .backward = relu_backward};
  return layer_new(&kind, n, n, 0, 0);
}

/* ---- readout: z = <w, x> ---- */

static void readout_forward(pl_layer *l, int64_t samples, const double *x, double *z) {
  cblas_dgemv(CblasRowMajor, CblasNoTrans, pl_int(samples), pl_int(l->in), 1, x, pl_int(l->in),
              l->w, 1, 0, z, 1);
}

static void readout_backward(pl_layer *l, int64_t samples, const double *x, const double *dz,
                             double *dx, double *dw) {
  int64_t n = l->in;
  for (int64_t i = 0; dx && i < samples; i++)
    for (int64_t k = 0; k < n; k++) dx[i * n + k] = dz[i] * l->w[k];
  if (!dw) return;
  /* gemv leaves its result alone where there are no samples. */
  memset(dw, 0, (size_t)n * sizeof *dw);
  if (samples)
    cblas_dgemv(CblasRowMajor, CblasTrans, pl_int(samples), pl_int(n), 1, x, pl_int(n), dz, 1, 0,
                dw, 1);
}

pl_layer *pl_layer_readout(int64_t n) {
  static const pl_layer_kind kind = {.forward = readout_forward, .backward = readout_backward};
  return layer_new(&kind, n, 1, 1, n);
}

/* ---- pool: z = w mean(x) ---- */

static double mean(int64_t n, const double *x) {
  double sum = 0;
  for (int64_t k = 0; k < n; k++) sum += x[k];
  return sum / (double)n;
}

static void pool_forward(pl_layer *l, int64_t samples, const double *x, double *z) {
  for (int64_t i = 0; i < samples; i++) z[i] = l->w[0] * mean(l->in, x + i * l->in);
}

static void pool_backward(pl_layer *l, int64_t samples, const double *x, const double *dz,
                          double *dx, double *dw) {
  int64_t n = l->in;
  if (dw) *dw = 0;
  for (int64_t i = 0; i < samples; i++) {
    double each = dz[i] * l->w[0] / (double)n;
    for (int64_t k = 0; dx && k < n; k++) dx[i * n + k] = each;
    if (dw) *dw += dz[i] * mean(n, x + i * n);
  }
}

pl_layer *pl_layer_pool(int64_t n) {
  static const pl_layer_kind kind = {.forward = pool_forward, .backward = pool_backward};
  return layer_new(&kind, n, 1, 1, 1);
}
