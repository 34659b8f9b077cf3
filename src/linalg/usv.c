#include "linalg/usv.h"

#include "base/blas.h"
#include "base/mem.h"

#include <float.h>
#include <math.h>
#include <string.h>

struct pl_usv {
  int max_dim, lwork, lzwork; /* lzwork 0: real matrices only */
  double *work, *rwork;
  double _Complex *zwork;
  int *iwork;
  double *u, *vh, *sigma; /* of pl_usv_polar */
};

/* LAPACK counts columns first, so it decomposes A^T = conj(V) S U^T: its "U" read row by row is our
 * V^H, and its "V^H" our U. */
static int real_svd(int d, double *a, double *u, double *sigma, double *vh, double *work, int lwork,
                    int *iwork) {
  int info, lda = d > 1 ? d : 1;
  dgesdd_("S", &d, &d, a, &lda, sigma, vh, &lda, u, &lda, work, &lwork, iwork, &info, 1);
  return info;
}

static int complex_svd(int d, double *a, double *u, double *sigma, double *vh,
                       double _Complex *work, int lwork, double *rwork, int *iwork) {
  int info, lda = d > 1 ? d : 1;
  zgesdd_("S", &d, &d, (double _Complex *)a, &lda, sigma, (double _Complex *)vh, &lda,
          (double _Complex *)u, &lda, work, &lwork, rwork, iwork, &info, 1);
  return info;
}

pl_usv *pl_usv_new(int max_dim, bool complex_too) {
  static const char what[] = "workspace of singular vectors";
  pl_usv *w = pl_zalloc(1, sizeof *w, what);
  size_t d = (size_t)max_dim, size = d * d * (complex_too ? 2 : 1);
  double best = 1;
  double _Complex zbest = 1;
  w->max_dim = max_dim;
  if (max_dim) real_svd(max_dim, NULL, NULL, NULL, NULL, &best, -1, NULL);
  w->lwork = pl_int((int64_t)best);
  w->work = pl_alloc((size_t)w->lwork, sizeof *w->work, what);
  w->iwork = pl_alloc(8 * d, sizeof *w->iwork, what);
  if (complex_too) {
    if (max_dim) complex_svd(max_dim, NULL, NULL, NULL, NULL, &zbest, -1, NULL, NULL);
    w->lzwork = pl_int((int64_t)creal(zbest));
    w->zwork = pl_alloc((size_t)w->lzwork, sizeof *w->zwork, what);
    w->rwork = pl_alloc(5 * d * d + 7 * d, sizeof *w->rwork, what);
  }
  w->u = pl_alloc(size, sizeof *w->u, what);
  w->vh = pl_alloc(size, sizeof *w->vh, what);
  w->sigma = pl_alloc(d, sizeof *w->sigma, what);
  return w;
}

void pl_usv_free(pl_usv *w) {
  if (!w) return;
  pl_free(w->work);
  pl_free(w->iwork);
  pl_free(w->zwork);
  pl_free(w->rwork);
  pl_free(w->u);
  pl_free(w->vh);
  pl_free(w->sigma);
  pl_free(w);
}

pl_status pl_usv_apply(pl_usv *w, int d, bool is_complex, double *a, double *u, double *sigma,
                       double *vh) {
  pl_require(d > 0 && d <= w->max_dim && (!is_complex || w->lzwork));
  int64_t n = (int64_t)d * d * (is_complex ? 2 : 1);
  for (int64_t k = 0; k < n; k++)
    if (!isfinite(a[k])) return pl_error(PL_NUMERIC, "singular vectors: an entry is not finite");
  int info = is_complex ? complex_svd(d, a, u, sigma, vh, w->zwork, w->lzwork, w->rwork, w->iwork)
                        : real_svd(d, a, u, sigma, vh, w->work, w->lwork, w->iwork);
  if (info) return pl_error(PL_NUMERIC, "singular vectors: no convergence");
  return PL_OK;
}

pl_status pl_usv_polar(pl_usv *w, int d, bool is_complex, double *a) {
  PL_TRY(pl_usv_apply(w, d, is_complex, a, w->u, w->sigma, w->vh));
  int r = 0;
  while (r < d && w->sigma[r] > d * DBL_EPSILON * w->sigma[0]) r++;
  const double one[2] = {1, 0}, zero[2] = {0, 0};
  if (is_complex)
    cblas_zgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, d, d, r, one, w->u, d, w->vh, d, zero, a,
                d);
  else
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, d, d, r, 1, w->u, d, w->vh, d, 0, a, d);
  return PL_OK;
}
