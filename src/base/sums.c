#include "base/sums.h"

#include <stdbool.h>
#include <string.h>

/* Four samples at a time: y is loaded once for four products, and four sums hide the latency. */
enum { UNROLL = 4 };

/* Sums of so many products are added up by themselves: whoever makes x piece by piece comes to the
 * same sum. */
_Static_assert(PL_SUM_PIECE % 1024 == 0, "pieces of pl_multi_add lie inside");

/* sum[j] += sum_k x[j*stride + k] y[k] over one piece. */
static void dot_four(int64_t n, const double *x, int64_t stride, const double *y, double *sum) {
  const double *x0 = x, *x1 = x0 + stride, *x2 = x1 + stride, *x3 = x2 + stride;
  double s0 = 0, s1 = 0, s2 = 0, s3 = 0;
#pragma omp simd reduction(+ : s0, s1, s2, s3)
  for (int64_t k = 0; k < n; k++) {
    s0 += x0[k] * y[k];
    s1 += x1[k] * y[k];
    s2 += x2[k] * y[k];
    s3 += x3[k] * y[k];
  }
  sum[0] += s0;
  sum[1] += s1;
  sum[2] += s2;
  sum[3] += s3;
}

static double dot_one(int64_t n, const double *x, const double *y) {
  double s = 0;
#pragma omp simd reduction(+ : s)
  for (int64_t k = 0; k < n; k++) s += x[k] * y[k];
  return s;
}

void pl_multi_dot(int64_t count, int64_t n, double weight, const double *x, int64_t stride,
                  const double *y, double *out) {
  int64_t i = 0;
  for (; i + UNROLL <= count; i += UNROLL) {
    double sum[UNROLL] = {0};
    for (int64_t k = 0; k < n; k += PL_SUM_PIECE)
      dot_four(n - k < PL_SUM_PIECE ? n - k : PL_SUM_PIECE, x + i * stride + k, stride, y + k, sum);
    for (int j = 0; j < UNROLL; j++) out[i + j] += weight * sum[j];
  }
  for (; i < count; i++) {
    double sum = 0;
    for (int64_t k = 0; k < n; k += PL_SUM_PIECE)
      sum += dot_one(n - k < PL_SUM_PIECE ? n - k : PL_SUM_PIECE, x + i * stride + k, y + k);
    out[i] += weight * sum;
  }
}

/* r (or 0) + sum_i c[i] x_i. */
static void add(int64_t count, int64_t n, const double *c, const double *x, int64_t stride,
                bool clear, double *r) {
  /* Pieces of r stay in the first-level cache over all samples. */
  enum { PIECE = 1024 };
  for (int64_t k0 = 0; k0 < n; k0 += PIECE) {
    int64_t m = n - k0 < PIECE ? n - k0 : PIECE, i = 0;
    double *restrict out = r + k0;
    if (clear) memset(out, 0, (size_t)m * sizeof *out);
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

void pl_multi_axpy(int64_t count, int64_t n, const double *c, const double *x, int64_t stride,
                   double *r) {
  add(count, n, c, x, stride, true, r);
}

void pl_multi_add(int64_t count, int64_t n, const double *c, const double *x, int64_t stride,
                  double *r) {
  add(count, n, c, x, stride, false, r);
}
