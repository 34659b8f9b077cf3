#include "group/eigen.h"

#include "base/blas.h"
#include "base/mem.h"

pl_status pl_eigen(int n, double _Complex *a, double *value) {
  /* LAPACK reads columns: it sees the conjugate matrix. */
  for (int i = 0; i < n * n; i++) a[i] = conj(a[i]);
  int lwork = -1, lrwork = -1, liwork = -1, info, ints;
  double _Complex best;
  double reals;
  zheevd_("V", "L", &n, a, &n, value, &best, &lwork, &reals, &lrwork, &ints, &liwork, &info, 1, 1);
  lwork = (int)creal(best), lrwork = (int)reals, liwork = ints;
  double _Complex *work = pl_alloc((size_t)lwork, sizeof *work, "workspace of eigenvectors");
  double *rwork = pl_alloc((size_t)lrwork, sizeof *rwork, "workspace of eigenvectors");
  int *iwork = pl_alloc((size_t)liwork, sizeof *iwork, "workspace of eigenvectors");
  zheevd_("V", "L", &n, a, &n, value, work, &lwork, rwork, &lrwork, iwork, &liwork, &info, 1, 1);
  pl_free(work);
  pl_free(rwork);
  pl_free(iwork);
  return info ? pl_error(PL_NUMERIC, "LAPACK's zheevd on %d x %d: info = %d", n, n, info) : PL_OK;
}
