#include "linalg/svd.h"

#include "base/blas.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/rng.h"
#include "linalg/bidiag.h"
#include "linalg/scalapack.h"

#include <limits.h>
#include <math.h>
#include <string.h>

void dlas2_(const double *f, const double *g, const double *h, double *smin, double *smax);

struct pl_svd {
  int max_dim, two_stage[2]; /* real, complex */
  bool complex_too;
  int64_t lwork, lzwork;
  double *work, *rwork;
  double _Complex *zwork;
  int *iwork;
};

/* IWORK, RWORK: per dimension, dgesdd and zgesdd without vectors.  The reduction in two stages is
 * the faster one from a size between LEAST and MOST on (twice as fast at 768). */
enum { IWORK = 8, RWORK = 7, LEAST = 96, MOST = 256, GATHER_RANKS = 4 };

static int min(int a, int b) {
  return a < b ? a : b;
}

static int64_t direct_work(int d) {
  int query = -1, info, lda = d > 1 ? d : 1;
  double best;
  dgesdd_("N", &d, &d, NULL, &lda, NULL, NULL, &lda, NULL, &lda, &best, &query, NULL, &info, 1);
  return (int64_t)best;
}

static int64_t direct_work_complex(int d) {
  int query = -1, info, lda = d > 1 ? d : 1;
  double _Complex best;
  zgesdd_("N", &d, &d, NULL, &lda, NULL, NULL, &lda, NULL, &lda, &best, &query, NULL, NULL, &info,
          1);
  return (int64_t)creal(best);
}

/* Enough for every dimension up to d by either method; complex: doubles of the two stages. */
static int64_t real_work(int d) {
  int64_t two = d < LEAST ? 0 : pl_bidiag_work(d, false), direct = direct_work(min(d, MOST));
  return two > direct ? two : direct;
}
static int64_t complex_work(int d) {
  return d < LEAST ? 0 : pl_bidiag_work(d, true);
}
static int64_t work_of(int d, bool complex_too) {
  int64_t real = real_work(d), two = complex_too ? complex_work(d) : 0;
  return real > two ? real : two;
}

pl_svd *pl_svd_new(int max_dim, bool complex_too, const pl_rates *rates) {
  const pl_rates nominal = pl_rates_nominal();
  pl_svd *s = pl_zalloc(1, sizeof *s, "a singular value plan");
  s->max_dim = max_dim;
  s->complex_too = complex_too;
  for (int z = 0; z < 2; z++) {
    double from = (rates ? rates : &nominal)->two_stage[z];
    s->two_stage[z] = (int)fmin(fmax(from, LEAST), MOST);
  }
  s->lwork = work_of(max_dim, complex_too);
  s->work = pl_alloc((size_t)s->lwork, sizeof *s->work, "singular value workspace");
  s->iwork = pl_alloc((size_t)max_dim * IWORK, sizeof *s->iwork, "singular value workspace");
  if (complex_too) {
    s->lzwork = direct_work_complex(min(max_dim, MOST));
    s->zwork = pl_alloc((size_t)s->lzwork, sizeof *s->zwork, "singular value workspace");
    s->rwork = pl_alloc((size_t)max_dim * RWORK, sizeof *s->rwork, "singular value workspace");
  }
  return s;
}

void pl_svd_free(pl_svd *svd) {
  if (!svd) return;
  pl_free(svd->work);
  pl_free(svd->iwork);
  pl_free(svd->zwork);
  pl_free(svd->rwork);
  pl_free(svd);
}

int64_t pl_svd_bytes(int max_dim, bool complex_too) {
  int64_t bytes = (int64_t)sizeof(pl_svd) + 8 * work_of(max_dim, complex_too) +
                  (int64_t)sizeof(int) * IWORK * max_dim;
  if (complex_too)
    bytes += 16 * direct_work_complex(min(max_dim, MOST)) + 8 * (int64_t)RWORK * max_dim;
  return bytes;
}

/* max |a_i|, infinite when an entry is not finite.  Without their signs doubles are ordered as
 * their bits are, infinity and NaN above all others. */
static double largest(int64_t n, const double *a) {
  int64_t most = 0;
  for (int64_t i = 0; i < n; i++) {
    int64_t bits;
    memcpy(&bits, &a[i], sizeof bits);
    bits &= INT64_MAX;
    most = bits > most ? bits : most;
  }
  double x;
  memcpy(&x, &most, sizeof x);
  return isfinite(x) ? x : INFINITY;
}

/* a <- 2^e a, exactly unless it leaves the range; in two factors, since 2^e alone may do so. */
static void scale(int64_t n, double *a, int e) {
  double x = ldexp(1, e / 2), y = ldexp(1, e - e / 2);
  for (int64_t i = 0; i < n; i++) a[i] = a[i] * x * y;
}

/* The power of two that brings the largest entry into [1/2, 1).  Every matrix is scaled: squares
 * and products can then neither overflow nor lose anything that matters beside sigma_1, and the
 * values of 2^k A are those of A times 2^k to the bit. */
static int exponent(double most) {
  int e;
  frexp(most, &e);
  return e;
}

static pl_status fail(int d, double *sigma, const char *what) {
  for (int i = 0; i < d; i++) sigma[i] = NAN;
  return pl_error(PL_NUMERIC, "singular values of a %d x %d matrix: %s", d, d, what);
}

/* Take the scaling back. */
static pl_status finish(int d, double *sigma, int e, int info) {
  if (info == 0) scale(d, sigma, e);
  if (info != 0 || isinf(largest(d, sigma)))
    return fail(d, sigma, info ? "no convergence" : "beyond the range of a double");
  return PL_OK;
}

/* Singular values of [[a, b], [c, d]].  With the larger column first, a rotation leaves a triangle
 * [f g; 0 h] whose moduli alone matter, as phases of rows and columns can be taken out. */
static void two_by_two(double _Complex a, double _Complex b, double _Complex c, double _Complex d,
                       double sigma[2]) {
  double first = hypot(cabs(a), cabs(c)), second = hypot(cabs(b), cabs(d));
  double f = fmax(first, second);
  double g = cabs(conj(a) * b + conj(c) * d) / f, h = cabs(a * d - b * c) / f;
  dlas2_(&f, &g, &h, &sigma[1], &sigma[0]);
}

static pl_status real_values(int d, int two_stage, double *a, double *sigma, double *work,
                             int64_t lwork, int *iwork) {
  int64_t size = (int64_t)d * d;
  double most = largest(size, a);
  if (isinf(most)) return fail(d, sigma, "an entry is not finite");
  if (most == 0 || d == 1) {
    for (int i = 0; i < d; i++) sigma[i] = most;
    return PL_OK;
  }
  int info = 0, e = exponent(most);
  scale(size, a, -e);
  if (d == 2)
    two_by_two(a[0], a[1], a[2], a[3], sigma);
  else if (d >= two_stage)
    info = pl_bidiag_values(d, false, a, sigma, work);
  else
    dgesdd_("N", &d, &d, a, &d, sigma, NULL, &d, NULL, &d, work, &(int){pl_int(lwork)}, iwork,
            &info, 1);
  return finish(d, sigma, e, info);
}

pl_status pl_svd_real(pl_svd *svd, int d, double *a, double *sigma) {
  pl_require(d >= 0 && d <= svd->max_dim);
  return real_values(d, svd->two_stage[0], a, sigma, svd->work, svd->lwork, svd->iwork);
}

pl_status pl_svd_complex(pl_svd *svd, int d, double *a, double *sigma) {
  pl_require(d >= 0 && d <= svd->max_dim && svd->complex_too);
  int64_t size = 2 * (int64_t)d * d;
  double most = largest(size, a);
  if (isinf(most)) return fail(d, sigma, "an entry is not finite");
  if (most == 0) {
    for (int i = 0; i < d; i++) sigma[i] = 0;
    return PL_OK;
  }
  int info = 0, e = exponent(most);
  scale(size, a, -e);
  double _Complex *z = (double _Complex *)a;
  if (d == 1)
    sigma[0] = hypot(a[0], a[1]);
  else if (d == 2)
    two_by_two(z[0], z[1], z[2], z[3], sigma);
  else if (d >= svd->two_stage[1])
    info = pl_bidiag_values(d, true, a, sigma, svd->work);
  else
    zgesdd_("N", &d, &d, z, &d, sigma, NULL, &d, NULL, &d, svd->zwork, &(int){pl_int(svd->lzwork)},
            svd->rwork, svd->iwork, &info, 1);
  return finish(d, sigma, e, info);
}

static void grid_values(const pl_dmat *d, double *a, double *sigma, double *work, int lwork,
                        int *info) {
  const int one = 1;
  /* Without vectors the arguments of U and V^T are not read. */
  pdgesvd_("N", "N", &d->n, &d->n, a, &one, &one, d->desc, sigma, NULL, &one, &one, d->desc, NULL,
           &one, &one, d->desc, work, &lwork, info, 1, 1);
}

/* pdgesvd reduces in one stage, at the speed of memory.  On few ranks the two-stage reduction on
 * one of them, for which the matrix is gathered, is faster: on 2 ranks about 2.5 times at d = 768
 * and 2310, more at small d.  Four is an estimate from pdgesvd scaling perfectly. */
static bool on_root(const pl_dmat *d) {
  return d->grid->comm.size <= GATHER_RANKS;
}

/* The first rank's workspace: the gathered matrix, dgesdd's integers, then the rest. */
static int64_t gathered_size(const pl_dmat *d) {
  return d->grid->comm.size == 1 ? 0 : (int64_t)d->n * d->n;
}
static int64_t integers_size(const pl_dmat *d) {
  return (int64_t)d->n * IWORK * (int64_t)sizeof(int) / (int64_t)sizeof(double);
}

int64_t pl_svd_grid_work(const pl_dmat *d) {
  pl_require(d->m == d->n);
  if (d->grid->myrow < 0) return 0;
  if (on_root(d))
    return d->grid->comm.rank ? 0 : gathered_size(d) + integers_size(d) + real_work(d->n);
  int info;
  double best;
  grid_values(d, NULL, NULL, &best, -1, &info);
  pl_require(info == 0);
  return (int64_t)best;
}

int64_t pl_svd_grid_bytes(int d, int ranks) {
  int64_t square = 8 * (int64_t)d * d;
  return ranks <= GATHER_RANKS ? square + pl_svd_bytes(d, false) : square / ranks;
}

static pl_status values_on_root(const pl_dmat *d, double *a, double *sigma, double *work,
                                int64_t lwork) {
  const pl_comm *comm = &d->grid->comm;
  int64_t gathered = gathered_size(d), used = gathered + integers_size(d);
  if (gathered > 0) pl_dmat_gather(d, a, work);
  pl_status st = PL_OK;
  if (comm->rank == 0)
    st = real_values(d->n, (int)pl_rates_nominal().two_stage[0], gathered > 0 ? work : a, sigma,
                     work + used, lwork - used, (int *)(work + gathered));
  st = pl_agree(comm, st);
  pl_comm_bcast(comm, sigma, (size_t)d->n * sizeof *sigma, 0);
  return st;
}

static pl_status values_on_grid(const pl_dmat *d, double *a, double *sigma, double *work,
                                int64_t lwork) {
  const pl_comm *comm = &d->grid->comm;
  int n = d->n, info;
  double most = largest(pl_dmat_local(d), a);
  pl_comm_max(comm, &most, 1);
  if (isinf(most)) return fail(n, sigma, "an entry is not finite");
  if (most == 0) {
    for (int i = 0; i < n; i++) sigma[i] = 0;
    return PL_OK;
  }
  int e = exponent(most);
  scale(pl_dmat_local(d), a, -e);
  grid_values(d, a, sigma, work, lwork < INT_MAX ? (int)lwork : INT_MAX, &info);
  pl_require(info >= 0);
  /* n + 1 says that processors rounded differently: each has good values, the first decides. */
  if (info == n + 1) info = 0;
  double failed = info;
  pl_comm_max(comm, &failed, 1);
  pl_comm_bcast(comm, sigma, (size_t)n * sizeof *sigma, 0);
  return finish(n, sigma, e, failed > 0);
}

pl_status pl_svd_grid(const pl_dmat *d, double *a, double *sigma, double *work, int64_t lwork) {
  pl_require(d->m == d->n);
  if (d->grid->myrow < 0) return PL_OK;
  return on_root(d) ? values_on_root(d, a, sigma, work, lwork)
                    : values_on_grid(d, a, sigma, work, lwork);
}

/* ---- calibration ---- */

typedef struct sample {
  pl_svd *svd;
  int d;
  bool is_complex;
  double *a, *copy, *sigma;
} sample;

static void values(void *context) {
  sample *x = context;
  int64_t size = (int64_t)x->d * x->d * (x->is_complex ? 2 : 1);
  memcpy(x->copy, x->a, (size_t)size * sizeof *x->copy);
  if (x->is_complex)
    pl_svd_complex(x->svd, x->d, x->copy, x->sigma);
  else
    pl_svd_real(x->svd, x->d, x->copy, x->sigma);
}

/* Do two stages win at size d?  In turn, and on the processor's clock, so that other work on the
 * machine has no say. */
static bool two_stages_win(sample *x, int d) {
  enum { ROUNDS = 2 };
  double best[2] = {INFINITY, INFINITY};
  x->d = d;
  for (int k = 0; k < 2 * ROUNDS; k++) {
    x->svd->two_stage[x->is_complex] = k % 2 ? d : d + 1;
    double start = pl_clock_processor();
    values(x);
    best[k % 2] = fmin(best[k % 2], pl_clock_processor() - start);
  }
  return best[1] < best[0];
}

/* The first of a few sizes where they do, so that chance does not make many methods. */
static double first_win(sample *x) {
  static const int sizes[] = {LEAST, 128, 192, MOST};
  int k = two_stages_win(x, sizes[1]) ? 0 : 2;
  return two_stages_win(x, sizes[k]) ? sizes[k] : sizes[k + 1];
}

void pl_svd_rates(pl_rates *rates) {
  enum { LARGEST = 400 };
  size_t n = (size_t)LARGEST * LARGEST;
  sample x = {.svd = pl_svd_new(LARGEST, true, NULL),
              .a = pl_alloc(n, sizeof(double), "calibration"),
              .copy = pl_alloc(n, sizeof(double), "calibration"),
              .sigma = pl_alloc(LARGEST, sizeof(double), "calibration")};
  pl_rng_normals(1, 0, 0, (int64_t)n, x.a);
  for (int z = 0; z < 2; z++) {
    x.is_complex = z;
    rates->two_stage[z] = first_win(&x);
    x.svd->two_stage[z] = (int)rates->two_stage[z];
  }
  x.is_complex = false;
  for (int i = 0; i < PL_RATE_SIZES; i++) {
    x.d = (int)rates->dim[i];
    if (x.d <= LARGEST) rates->svd[i] = pl_best_time(values, &x, 0.01);
    /* Beyond, the reduction to bidiagonal form rules: d^3. */
    else
      rates->svd[i] = rates->svd[i - 1] * pow(rates->dim[i] / rates->dim[i - 1], 3);
  }
  pl_svd_free(x.svd);
  pl_free(x.a);
  pl_free(x.copy);
  pl_free(x.sigma);
}
