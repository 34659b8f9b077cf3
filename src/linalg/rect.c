#include "linalg/rect.h"

#include "base/blas.h"
#include "base/mem.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

static const char what[] = "workspace of singular values";

struct pl_rect {
  int lwork, values; /* values: of a matrix at most */
  int64_t most;      /* entries of a matrix */
  double *work, *copy, *u, *vt, *sigma;
  int *iwork;
};

/* LAPACK counts columns first: the m x n row-major matrix is its n x m one, A^T = V S U^T. */
static int decompose(char job, int m, int n, double *a, double *u, double *sigma, double *vt,
                     double *work, int lwork, int *iwork) {
  int info, k = m < n ? m : n, ldvt = n, ldu = k;
  dgesdd_(&job, &n, &m, a, &n, sigma, vt, &ldvt, u, &ldu, work, &lwork, iwork, &info, 1);
  return info;
}

pl_rect *pl_rect_new(int64_t rows, int64_t cols) {
  pl_rect *w = pl_zalloc(1, sizeof *w, what);
  pl_rect_admit(w, rows, cols);
  return w;
}

static void enlarge(double **x, int64_t n) {
  *x = pl_realloc(*x, (size_t)n, sizeof **x, what);
}

void pl_rect_admit(pl_rect *w, int64_t rows, int64_t cols) {
  int m = pl_int(rows), n = pl_int(cols), k = m < n ? m : n, lwork = 1;
  for (int turn = 0; turn < 2 && k > 0; turn++) {
    double best;
    decompose('S', turn ? n : m, turn ? m : n, NULL, NULL, NULL, NULL, &best, -1, NULL);
    if ((int)best > lwork) lwork = (int)best;
  }
  if (lwork > w->lwork) enlarge(&w->work, w->lwork = lwork);
  if (k > w->values) {
    enlarge(&w->sigma, w->values = k);
    w->iwork = pl_realloc(w->iwork, 8 * (size_t)k, sizeof *w->iwork, what);
  }
  if (rows * cols <= w->most) return;
  w->most = rows * cols;
  enlarge(&w->copy, w->most);
  enlarge(&w->u, w->most);
  enlarge(&w->vt, w->most);
}

void pl_rect_free(pl_rect *w) {
  if (!w) return;
  pl_free(w->work);
  pl_free(w->copy);
  pl_free(w->u);
  pl_free(w->vt);
  pl_free(w->sigma);
  pl_free(w->iwork);
  pl_free(w);
}

static bool all_finite(int64_t n, const double *a) {
  for (int64_t k = 0; k < n; k++)
    if (!isfinite(a[k])) return false;
  return true;
}

pl_status pl_rect_singular_values(pl_rect *w, int64_t rows, int64_t cols, const double *a,
                                  double *sigma) {
  int64_t k = rows < cols ? rows : cols;
  pl_require(rows * cols <= w->most);
  if (k == 0) return PL_OK;
  memcpy(w->copy, a, (size_t)(rows * cols) * sizeof *a);
  /* dgesdd answers NaN with anything. */
  if (all_finite(rows * cols, a) && !decompose('N', (int)rows, (int)cols, w->copy, w->u, sigma,
                                               w->vt, w->work, w->lwork, w->iwork))
    return PL_OK;
  for (int64_t i = 0; i < k; i++) sigma[i] = NAN;
  return pl_error(PL_NUMERIC, "singular values: not finite, or no convergence");
}

pl_status pl_rect_polar(pl_rect *w, int64_t rows, int64_t cols, double *a) {
  int m = (int)rows, n = (int)cols, k = m < n ? m : n, r = 0;
  pl_require(rows * cols <= w->most);
  if (k == 0) return PL_OK;
  bool good = all_finite(rows * cols, a) &&
              !decompose('S', m, n, a, w->u, w->sigma, w->vt, w->work, w->lwork, w->iwork);
  if (!good) {
    for (int64_t i = 0; i < rows * cols; i++) a[i] = NAN;
    return pl_error(PL_NUMERIC, "polar factor: not finite, or no convergence");
  }
  while (r < k && w->sigma[r] > (m > n ? m : n) * DBL_EPSILON * w->sigma[0]) r++;
  /* Column-major V (n x k) and U^T (k x m): V U^T is the row-major U V^T. */
  cblas_dgemm(CblasColMajor, CblasNoTrans, CblasNoTrans, n, m, r, 1, w->vt, n, w->u, k, 0, a, n);
  return PL_OK;
}
