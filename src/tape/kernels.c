#include "tape/kernels.h"

#include "base/blas.h"
#include "base/mem.h"
#include "rows.h"
#include "table.h"

#include <string.h>

/* Below this many multiplications a call of DGEMM costs more than its work. */
enum { SMALL_PRODUCT = 256 };

static void small_gemm(bool ta, bool tb, int64_t m, int64_t n, int64_t k, const double *a,
                       const double *b, double *c) {
  int64_t ai = ta ? 1 : k, al = ta ? m : 1, bl = tb ? 1 : n, bj = tb ? k : 1;
  for (int64_t i = 0; i < m; i++)
    for (int64_t j = 0; j < n; j++) {
      double s = c[i * n + j];
      for (int64_t l = 0; l < k; l++) s += a[i * ai + l * al] * b[l * bl + j * bj];
      c[i * n + j] = s;
    }
}

void pl_gemm(bool ta, bool tb, int64_t m, int64_t n, int64_t k, const double *a, const double *b,
             double *c, bool add) {
  bool small = m * n * k <= SMALL_PRODUCT;
  if (!add && (small || k == 0)) memset(c, 0, (size_t)(m * n) * sizeof *c);
  if (m == 0 || n == 0 || k == 0) return;
  if (small) {
    small_gemm(ta, tb, m, n, k, a, b, c);
    return;
  }
  CBLAS_TRANSPOSE op_a = ta ? CblasTrans : CblasNoTrans, op_b = tb ? CblasTrans : CblasNoTrans;
  int M = pl_int(m), N = pl_int(n), K = pl_int(k);
  /* A column times a matrix is bound by memory; DGEMM would copy it first. */
  if (n == 1)
    cblas_dgemv(CblasRowMajor, op_a, ta ? K : M, ta ? M : K, 1, a, ta ? M : K, b, 1, add, c, 1);
  else if (m == 1)
    cblas_dgemv(CblasRowMajor, tb ? CblasNoTrans : CblasTrans, tb ? N : K, tb ? K : N, 1, b,
                tb ? K : N, a, 1, add, c, 1);
  else
    cblas_dgemm(CblasRowMajor, op_a, op_b, M, N, K, 1, a, ta ? M : K, b, tb ? K : N, add, c, N);
}

/* ---- sparse ---- */

void pl_spmm(const pl_tape_csr *s, int64_t cols, const double *x, double *y, bool add) {
  pl_csr_view_times(s, cols, 1, x, cols, 1, add ? y : NULL, cols, y, cols);
}

void pl_spmm_transposed(const pl_tape_csr *s, int64_t cols, const double *x, double *y, bool add) {
  if (!add) memset(y, 0, (size_t)(s->cols * cols) * sizeof *y);
  for (int64_t i = 0; i < s->rows; i++)
    for (int64_t e = s->start[i]; e < s->start[i + 1]; e++) {
      double v = s->value ? s->value[e] : 1, *to = y + s->index[e] * cols;
      const double *from = x + i * cols;
      if (cols >= 8 && e + PL_AHEAD < s->start[s->rows])
        pl_fetch(y + s->index[e + PL_AHEAD] * cols, cols);
#pragma omp simd
      for (int64_t j = 0; j < cols; j++) to[j] += v * from[j];
    }
}

/* ---- sums of rows ---- */

static inline __attribute__((always_inline)) void sum_block(int w, int64_t n, int64_t cols,
                                                            const double *x, double *y, bool add) {
  pl_lanes sum[8];
#pragma GCC unroll 8
  for (int k = 0; k < w; k++) sum[k] = add ? *(const pl_lanes *)(y + k * PL_LANES) : (pl_lanes){0};
  for (int64_t i = 0; i < n; i++)
#pragma GCC unroll 8
    for (int k = 0; k < w; k++) sum[k] += *(const pl_lanes *)(x + i * cols + k * PL_LANES);
#pragma GCC unroll 8
  for (int k = 0; k < w; k++) *(pl_lanes *)(y + k * PL_LANES) = sum[k];
}

void pl_sum_rows(int64_t n, int64_t cols, const double *x, double *y, bool add) {
  int64_t j = 0;
  for (; j + 8 * PL_LANES <= cols; j += 8 * PL_LANES) sum_block(8, n, cols, x + j, y + j, add);
  for (; j + 2 * PL_LANES <= cols; j += 2 * PL_LANES) sum_block(2, n, cols, x + j, y + j, add);
  for (; j < cols; j++) {
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < n; i++) sum += x[i * cols + j];
    y[j] = (add ? y[j] : 0) + sum;
  }
}
