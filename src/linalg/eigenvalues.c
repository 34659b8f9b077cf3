#include "linalg/eigenvalues.h"

#include "base/blas.h"
#include "base/mem.h"

#include <math.h>
#include <stdint.h>

struct pl_eigenvalues {
  int max_dim, lwork, lzwork; /* lzwork 0: real matrices only */
  double *work, *rwork;
  double _Complex *zwork;
  int *pivot;
};

static int real_values(int d, double *a, double *re, double *im, double *work, int lwork) {
  int info, lda = d > 1 ? d : 1, one = 1;
  dgeev_("N", "N", &d, a, &lda, re, im, NULL, &one, NULL, &one, work, &lwork, &info, 1, 1);
  return info;
}

static int complex_values(int d, double *a, double *values, double _Complex *work, int lwork,
                          double *rwork) {
  int info, lda = d > 1 ? d : 1, one = 1;
  zgeev_("N", "N", &d, (double _Complex *)a, &lda, (double _Complex *)values, NULL, &one, NULL,
         &one, work, &lwork, rwork, &info, 1, 1);
  return info;
}

pl_eigenvalues *pl_eigenvalues_new(int max_dim, bool complex_too) {
  static const char what[] = "workspace of eigenvalues";
  pl_eigenvalues *w = pl_zalloc(1, sizeof *w, what);
  size_t d = (size_t)max_dim;
  double best = 1;
  double _Complex zbest = 1;
  w->max_dim = max_dim;
  if (max_dim) real_values(max_dim, NULL, NULL, NULL, &best, -1);
  w->lwork = pl_int((int64_t)best);
  /* Behind LAPACK's workspace, real and imaginary parts apart. */
  w->work = pl_alloc((size_t)w->lwork + 2 * d, sizeof *w->work, what);
  w->pivot = pl_alloc(d, sizeof *w->pivot, what);
  if (complex_too) {
    if (max_dim) complex_values(max_dim, NULL, NULL, &zbest, -1, NULL);
    w->lzwork = pl_int((int64_t)creal(zbest));
    w->zwork = pl_alloc((size_t)w->lzwork, sizeof *w->zwork, what);
    w->rwork = pl_alloc(2 * d, sizeof *w->rwork, what);
  }
  return w;
}

void pl_eigenvalues_free(pl_eigenvalues *w) {
  if (!w) return;
  pl_free(w->work);
  pl_free(w->rwork);
  pl_free(w->zwork);
  pl_free(w->pivot);
  pl_free(w);
}

static bool all_finite(int d, bool is_complex, const double *a) {
  int64_t n = (int64_t)d * d * (is_complex ? 2 : 1);
  for (int64_t k = 0; k < n; k++)
    if (!isfinite(a[k])) return false;
  return true;
}

pl_status pl_eigenvalues_apply(pl_eigenvalues *w, int d, bool is_complex, double *a,
                               double *values) {
  pl_require(d > 0 && d <= w->max_dim && (!is_complex || w->lzwork));
  double *re = w->work + w->lwork, *im = re + d;
  int info = 1;
  if (all_finite(d, is_complex, a))
    info = is_complex ? complex_values(d, a, values, w->zwork, w->lzwork, w->rwork)
                      : real_values(d, a, re, im, w->work, w->lwork);
  for (int k = 0; k < d && !is_complex && !info; k++) {
    values[2 * k] = re[k];
    values[2 * k + 1] = im[k];
  }
  if (!info) return PL_OK;
  for (int k = 0; k < 2 * d; k++) values[k] = NAN;
  return pl_error(PL_NUMERIC, "eigenvalues could not be computed");
}

void pl_determinant(pl_eigenvalues *w, int d, bool is_complex, double *a, double *sign,
                    double *log_abs) {
  pl_require(d > 0 && d <= w->max_dim && (!is_complex || w->lzwork));
  int info, parts = is_complex ? 2 : 1;
  *sign = *log_abs = NAN;
  if (!all_finite(d, is_complex, a)) return;
  if (is_complex)
    zgetrf_(&d, &d, (double _Complex *)a, &d, w->pivot, &info);
  else
    dgetrf_(&d, &d, a, &d, w->pivot, &info);
  *sign = is_complex ? NAN : 1;
  *log_abs = 0;
  for (int k = 0; k < d; k++) {
    const double *u = a + (int64_t)parts * k * (d + 1);
    *log_abs += log(is_complex ? hypot(u[0], u[1]) : fabs(u[0]));
    if (w->pivot[k] != k + 1) *sign = -*sign;
    *sign *= (u[0] > 0) - (u[0] < 0);
  }
}
