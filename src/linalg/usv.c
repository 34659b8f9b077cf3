#include "linalg/usv.h"

#include "base/blas.h"
#include "base/mem.h"
#include "linalg/bidiag.h"

#include <float.h>
#include <math.h>
#include <string.h>

struct pl_usv {
  int max_dim, lwork, lzwork; /* lzwork 0: real matrices only */
  double *work, *rwork;
  double _Complex *zwork;
  int *iwork;
  double *u, *vh, *sigma; /* of pl_usv_polar, and of pl_usv_leading where LAPACK does it */
  double *two_stages;     /* of pl_usv_leading */
};

/* From this size on two stages find leading vectors sooner. */
enum { TWO_STAGES = 192 };

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
  pl_free(w->two_stages);
  pl_free(w);
}

static pl_status check(int d, bool is_complex, const double *a) {
  int64_t n = (int64_t)d * d * (is_complex ? 2 : 1);
  for (int64_t k = 0; k < n; k++)
    if (!isfinite(a[k])) return pl_error(PL_NUMERIC, "singular vectors: an entry is not finite");
  return PL_OK;
}

pl_status pl_usv_apply(pl_usv *w, int d, bool is_complex, double *a, double *u, double *sigma,
                       double *vh) {
  pl_require(d > 0 && d <= w->max_dim && (!is_complex || w->lzwork));
  PL_TRY(check(d, is_complex, a));
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

/* ---- leading ones ---- */

pl_usv *pl_usv_leading_new(int max_dim, bool complex_too) {
  static const char what[] = "workspace of singular vectors";
  bool large = max_dim >= TWO_STAGES;
  pl_usv *w = pl_usv_new(large ? TWO_STAGES - 1 : max_dim, complex_too);
  w->max_dim = max_dim;
  if (!large) return w;
  int64_t real = pl_bidiag_vectors_work(max_dim, false);
  int64_t size = complex_too ? pl_bidiag_vectors_work(max_dim, true) : real;
  w->two_stages = pl_alloc((size_t)(size > real ? size : real), sizeof *w->two_stages, what);
  pl_free(w->iwork);
  w->iwork = pl_alloc(8 * (size_t)max_dim, sizeof *w->iwork, what);
  return w;
}

/* Entries are brought to order 1, exactly.  A^T = conj(V) S U^T is what columns first read: its
 * left vectors are the rows of our V^H, its right ones those of U^H. */
static pl_status by_two_stages(pl_usv *w, int d, bool z, double *a, double floor, int *r,
                               double *sigma, double *left, double *right) {
  int64_t n = (int64_t)d * d * (z ? 2 : 1);
  double most = 0;
  for (int64_t k = 0; k < n; k++) most = fmax(most, fabs(a[k]));
  int e = most > 0 ? ilogb(most) : 0;
  for (int64_t k = 0; k < n; k++) a[k] = ldexp(a[k], -e);
  if (pl_bidiag_vectors(d, z, a, ldexp(floor, -e), r, sigma, right, left, w->two_stages, w->iwork))
    return pl_error(PL_NUMERIC, "singular vectors: no convergence");
  for (int j = 0; j < d; j++) sigma[j] = ldexp(sigma[j], e);
  return PL_OK;
}

pl_status pl_usv_leading(pl_usv *w, int d, bool is_complex, double *a, double floor, int *r,
                         double *sigma, double *left, double *right) {
  int z = is_complex ? 2 : 1;
  PL_TRY(check(d, is_complex, a));
  if (d >= TWO_STAGES) {
    pl_require(d <= w->max_dim && w->two_stages);
    return by_two_stages(w, d, is_complex, a, floor, r, sigma, left, right);
  }
  PL_TRY(pl_usv_apply(w, d, is_complex, a, w->u, sigma, right));
  for (*r = 0; *r < d && sigma[*r] > floor;) ++*r;
  for (int j = 0; j < *r; j++)
    for (int i = 0; i < d; i++)
      for (int c = 0; c < z; c++) {
        double x = w->u[((int64_t)i * d + j) * z + c];
        left[((int64_t)j * d + i) * z + c] = c ? -x : x;
      }
  return PL_OK;
}
