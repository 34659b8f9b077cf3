#include "linalg/leading.h"

#include "base/blas.h"
#include "base/rng.h"

#include <math.h>
#include <string.h>

void dgeqrf_(const int *m, const int *n, double *a, const int *lda, double *tau, double *work,
             const int *lwork, int *info);
void dorgqr_(const int *m, const int *n, const int *k, double *a, const int *lda, const double *tau,
             double *work, const int *lwork, int *info);
void dsyev_(const char *jobz, const char *uplo, const int *n, double *a, const int *lda, double *w,
            double *work, const int *lwork, int *info, size_t, size_t);

/* Squares of values, relative to the largest, below which left vectors, which are made from right
 * ones, lose too many digits. */
static const double SMALL = 1e-6;
/* The Krylov space has SPACE / BLOCK blocks. */
enum { SPACE = PL_LEADING_SPACE, BLOCK = 8, LWORK = 64 * SPACE };

static int min(int a, int b) {
  return a < b ? a : b;
}

int64_t pl_leading_work(int d) {
  return 2 * (int64_t)SPACE * d + 2 * SPACE * SPACE + SPACE + LWORK;
}

/* Make num new rows behind the `old` orthonormal ones of w orthonormal to them and each other. */
static void extend(int d, int old, int num, double *w, double *work) {
  double *x = w + (int64_t)old * d, *tau = work, *dots = work + SPACE;
  int lwork = LWORK, info;
  /* Once more than enough: what A has no more directions for is noise at first. */
  for (int time = 0; time < 3; time++) {
    if (old) {
      cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, num, old, d, 1, x, d, w, d, 0, dots,
                  old);
      cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, num, d, old, -1, dots, old, w, d, 1, x,
                  d);
    }
    dgeqrf_(&d, &num, x, &d, tau, dots, &lwork, &info);
    dorgqr_(&d, &num, &num, x, &d, tau, dots, &lwork, &info);
  }
}

void pl_leading(int d, int r, pl_products *products, void *context, double *sigma, double *left,
                double *right, double *work) {
  int space = min(SPACE, d), block = min(BLOCK, d);
  double *w = work, *y = w + (int64_t)SPACE * d, *gram = y + (int64_t)SPACE * d;
  double *value = gram + SPACE * SPACE, *rest = value + SPACE;
  pl_rng_normals(1, PL_STREAM(PL_STREAM_MISC, 1), 0, (int64_t)block * d, w);
  extend(d, 0, block, w, rest);
  for (int at = block; at < space; at += block) {
    int num = min(block, space - at);
    double *last = w + (int64_t)(at - block) * d;
    products(context, false, num, last, y);
    products(context, true, num, y, last + (int64_t)block * d);
    extend(d, at, num, w, rest);
  }
  products(context, false, space, w, y);
  cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, space, space, d, 1, y, d, y, d, 0, gram,
              space);
  int lwork = LWORK, info;
  dsyev_("V", "U", &space, gram, &space, value, rest, &lwork, &info, 1, 1);
  bool known = !info && isfinite(value[space - 1]);
  for (int j = 0; j < r; j++) {
    /* Values ascend; the vector of each is a row for us. */
    int k = space - 1 - j;
    const double *q = gram + (int64_t)k * space;
    bool some = j < space && known && value[k] > SMALL * value[space - 1];
    sigma[j] = some ? sqrt(value[k]) : known ? 0 : NAN;
    memset(left + (int64_t)j * d, 0, (size_t)d * sizeof *left);
    memset(right + (int64_t)j * d, 0, (size_t)d * sizeof *right);
    if (!some) continue;
    cblas_dgemv(CblasRowMajor, CblasTrans, space, d, 1 / sigma[j], y, d, q, 1, 0,
                left + (int64_t)j * d, 1);
    cblas_dgemv(CblasRowMajor, CblasTrans, space, d, 1, w, d, q, 1, 0, right + (int64_t)j * d, 1);
  }
}
