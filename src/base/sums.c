#include "base/sums.h"

#include <string.h>

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
