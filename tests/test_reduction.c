/* ranks: 1 */
#include "patterns.h"
#include "pl_test.h"

#include "base/blas.h"
#include "base/rng.h"
#include "linalg/bidiag.h"
#include "linalg/leading.h"
#include "linalg/svd.h"
#include "linalg/usv.h"

#include <float.h>

typedef struct matrix {
  int d;
  const double *a; /* row-major */
} matrix;

static void products(void *context, bool transposed, int num, const double *x, double *out) {
  const matrix *m = context;
  cblas_dgemm(CblasRowMajor, CblasNoTrans, transposed ? CblasNoTrans : CblasTrans, num, m->d, m->d,
              1, x, m->d, m->a, m->d, 0, out, m->d);
}

static double dot(int d, const double *x, const double *y) {
  return cblas_ddot(d, x, 1, y, 1);
}

/* Triplets of A against all of its singular values: below them, within `near` of them relative to
 * the first, orthonormal and A right = sigma left; what is beyond the rank, or below a thousandth
 * of the first, is zero. */
static void check(int d, const double *a, int rank, double near) {
  int r = d < PL_LEADING ? d : PL_LEADING, found = r < rank ? r : rank;
  double *copy = pl_alloc((size_t)d * (size_t)d, sizeof *copy, "copy");
  double *all = pl_alloc((size_t)d, sizeof *all, "values");
  double *sigma = pl_alloc((size_t)r, sizeof *sigma, "values");
  double *left = pl_alloc((size_t)(r * d), sizeof *left, "vectors");
  double *right = pl_alloc((size_t)(r * d), sizeof *right, "vectors");
  double *image = pl_alloc((size_t)(r * d), sizeof *image, "vectors");
  double *work = pl_alloc((size_t)pl_leading_work(d), sizeof *work, "workspace");
  pl_svd *svd = pl_svd_new(d, false, NULL);
  memcpy(copy, a, (size_t)d * (size_t)d * sizeof *copy);
  assert_ok(pl_svd_real(svd, d, copy, all));
  matrix m = {d, a};
  pl_leading(d, r, products, &m, sigma, left, right, work);
  products(&m, false, r, right, image);
  for (int j = 0; j < r; j++) {
    /* None stands so near the threshold that rounding decides. */
    assert_true(fabs(all[j] - 1e-3 * all[0]) > 1e-6 * all[0]);
    if (j >= found || all[j] < 1e-3 * all[0]) {
      assert_true(sigma[j] == 0 && dot(d, left + j * d, left + j * d) == 0);
      continue;
    }
    assert_true(sigma[j] <= all[j] + 1e-12 * all[0] && sigma[j] >= all[j] - near * all[0]);
    for (int i = 0; i < d; i++)
      assert_true(fabs(image[j * d + i] - sigma[j] * left[j * d + i]) < 1e-12 * all[0]);
    for (int k = 0; k <= j; k++) {
      assert_true(fabs(dot(d, right + j * d, right + k * d) - (j == k)) < 1e-12);
      /* Left vectors are images: they lose what a value is smaller than the first. */
      assert_true(fabs(dot(d, left + j * d, left + k * d) - (j == k)) <
                  1e-13 * pow(all[0] / sigma[j], 2));
    }
  }
  pl_svd_free(svd);
  pl_free(copy), pl_free(all), pl_free(sigma), pl_free(left), pl_free(right), pl_free(image);
  pl_free(work);
}

static void largest_triplets_are_found(void **state) {
  (void)state;
  static const int dims[] = {1, 2, 7, 8, 9, 30, 96, 97, 200, 301};
  for (size_t k = 0; k < sizeof dims / sizeof *dims; k++) {
    int d = dims[k];
    double *a = pl_alloc((size_t)d * (size_t)d, sizeof *a, "matrix");
    pl_rng_normals(3, PL_STREAM(PL_STREAM_MISC, d), 0, (int64_t)d * d, a);
    /* A space of all dimensions has them exactly; of random matrices the values lie close. */
    check(d, a, d, d <= PL_LEADING_SPACE ? 1e-12 : 0.05);
    pl_free(a);
  }
}

static void clusters_and_low_ranks(void **state) {
  (void)state;
  enum { D = 150 };
  static const int ranks[] = {1, 3, 16, 40};
  double *a = pl_alloc(D * D, sizeof *a, "matrix"), *x = pl_alloc(2 * D, sizeof *x, "vectors");
  for (size_t k = 0; k < sizeof ranks / sizeof *ranks; k++) {
    /* Reflections of one diagonal: the values are 2 many times, then smaller ones. */
    pl_rng_normals(4, PL_STREAM(PL_STREAM_MISC, 0), 0, 2 * D, x);
    double u = dot(D, x, x), v = dot(D, x + D, x + D);
    for (int i = 0; i < D; i++)
      for (int j = 0; j < D; j++) {
        double sum = 0;
        for (int q = 0; q < ranks[k]; q++)
          sum += (q < 8 ? 2 : 0.01) * ((i == q) - 2 * x[i] * x[q] / u) *
                 ((j == q) - 2 * x[D + j] * x[D + q] / v);
        a[i * D + j] = sum;
      }
    check(D, a, ranks[k], 1e-9);
  }
  pl_free(a), pl_free(x);
}

/* ---- complex matrices in two stages ---- */

static double angle(int k) {
  return 6.3 * pl_rng_uniform(5, PL_STREAM(PL_STREAM_MISC, 0), (uint64_t)k);
}

/* The values do not see phases of rows and columns. */
static double entry(pattern k, int i, int j) {
  double x = 2 * pl_rng_uniform(6, PL_STREAM(PL_STREAM_MISC, 0), (uint64_t)(1000 * i + j)) - 1;
  return pattern_entry(k, i, j, x);
}

enum { MOST = 200 };
static const int sizes[] = {1, 2, 3, PL_BAND - 1, PL_BAND, PL_BAND + 1, 70, 64, 97, 130, MOST};
enum { NSIZES = sizeof sizes / sizeof *sizes };

static void reduce(int d, double *a, const double *want, double *work) {
  double sigma[MOST];
  for (int64_t i = 0; i < pl_bidiag_work(d, true); i++) work[i] = NAN;
  assert_int_equal(pl_bidiag_values(d, true, a, sigma, work), 0);
  for (int i = 0; i < d; i++)
    assert_true(fabs(sigma[i] - want[i]) <= 16 * DBL_EPSILON * sqrt(d) * want[0]);
}

static void phases_change_no_value(void **state) {
  (void)state;
  static double real[MOST * MOST], a[2 * MOST * MOST], want[MOST];
  double *work = pl_alloc((size_t)pl_bidiag_work(MOST, true), sizeof *work, "workspace");
  pl_rates lapack = pl_rates_nominal();
  lapack.two_stage[0] = 256;
  pl_svd *svd = pl_svd_new(MOST, false, &lapack);
  for (int n = 0; n < NSIZES; n++)
    for (int k = 0; k < RANGE; k++) {
      int d = sizes[n];
      for (int j = 0; j < d; j++)
        for (int i = 0; i < d; i++) {
          double x = real[i + j * d] = entry(k, i, j), phase = angle(i) + angle(1000 + j);
          a[2 * (i + j * d)] = x * cos(phase);
          a[2 * (i + j * d) + 1] = x * sin(phase);
        }
      assert_ok(pl_svd_real(svd, d, real, want));
      reduce(d, a, want, work);
    }
  pl_svd_free(svd);
  pl_free(work);
}

static void complex_values_match_lapack(void **state) {
  (void)state;
  static double a[2 * MOST * MOST], b[2 * MOST * MOST], want[MOST], rwork[7 * MOST];
  static double _Complex zwork[80 * MOST];
  static int iwork[8 * MOST];
  double *work = pl_alloc((size_t)pl_bidiag_work(MOST, true), sizeof *work, "workspace");
  for (int n = 0; n < NSIZES; n++) {
    int d = sizes[n], lwork = 80 * MOST, info;
    pl_rng_normals(7, PL_STREAM(PL_STREAM_MISC, d), 0, 2 * d * d, a);
    memcpy(b, a, sizeof a);
    zgesdd_("N", &d, &d, (double _Complex *)b, &d, want, NULL, &d, NULL, &d, zwork, &lwork, rwork,
            iwork, &info, 1);
    assert_int_equal(info, 0);
    reduce(d, a, want, work);
  }
  pl_free(work);
}

/* <x_i, y_j> of columns, as (re, im). */
static void inner(int z, int d, const double *x, const double *y, double out[2]) {
  out[0] = out[1] = 0;
  for (int i = 0; i < d; i++) {
    if (z == 1) {
      out[0] += x[i] * y[i];
    } else {
      out[0] += x[2 * i] * y[2 * i] + x[2 * i + 1] * y[2 * i + 1];
      out[1] += x[2 * i] * y[2 * i + 1] - x[2 * i + 1] * y[2 * i];
    }
  }
}

static void check_orthonormal(int z, int d, int r, const double *x) {
  double dot[2];
  for (int j = 0; j < r; j++)
    for (int i = 0; i <= j; i++) {
      inner(z, d, x + (int64_t)i * d * z, x + (int64_t)j * d * z, dot);
      assert_true(hypot(dot[0] - (i == j), dot[1]) < 1e-13 * sqrt(d));
    }
}

/* A V = U S, orthonormal both; values as those alone; r of them above the floor. */
static void check_vectors(int z, int d, const double *a, double floor) {
  size_t n = (size_t)(z * d * d);
  double *b = pl_alloc(n, sizeof *b, "copy"), *u = pl_alloc(n, sizeof *u, "left");
  double *v = pl_alloc(n, sizeof *v, "right"), *av = pl_alloc(n, sizeof *av, "image");
  double *work = pl_alloc((size_t)pl_bidiag_vectors_work(d, z == 2), sizeof *work, "workspace");
  double sigma[MOST], alone[MOST];
  int iwork[8 * MOST], r;
  const double one[2] = {1, 0}, zero[2] = {0, 0};
  for (int64_t i = 0; i < pl_bidiag_vectors_work(d, z == 2); i++) work[i] = NAN;
  memcpy(b, a, n * sizeof *b);
  assert_int_equal(pl_bidiag_vectors(d, z == 2, b, floor, &r, sigma, u, v, work, iwork), 0);
  memcpy(b, a, n * sizeof *b);
  assert_int_equal(pl_bidiag_values(d, z == 2, b, alone, work), 0);
  for (int i = 0; i < d; i++) {
    assert_true(fabs(sigma[i] - alone[i]) <= 32 * DBL_EPSILON * sqrt(d) * alone[0]);
    assert_true((sigma[i] > floor) == (i < r));
  }
  check_orthonormal(z, d, r, u);
  check_orthonormal(z, d, r, v);
  if (z == 2)
    cblas_zgemm(CblasColMajor, CblasNoTrans, CblasNoTrans, d, r, d, one, a, d, v, d, zero, av, d);
  else
    cblas_dgemm(CblasColMajor, CblasNoTrans, CblasNoTrans, d, r, d, 1, a, d, v, d, 0, av, d);
  for (int j = 0; j < r; j++)
    for (int i = 0; i < z * d; i++)
      assert_true(fabs(av[(int64_t)j * d * z + i] - sigma[j] * u[(int64_t)j * d * z + i]) <=
                  64 * DBL_EPSILON * sqrt(d) * sigma[0]);
  pl_free(b), pl_free(u), pl_free(v), pl_free(av), pl_free(work);
}

static void vectors_diagonalise(void **state) {
  (void)state;
  static double a[2 * MOST * MOST];
  for (int n = 0; n < NSIZES; n++)
    for (int k = 0; k < RANGE; k++)
      for (int z = 1; z <= 2; z++) {
        int d = sizes[n];
        for (int j = 0; j < d; j++)
          for (int i = 0; i < d; i++) {
            double x = entry(k, i, j), phase = z == 2 ? angle(i) + angle(1000 + j) : 0;
            a[z * (i + j * d)] = x * cos(phase);
            if (z == 2) a[2 * (i + j * d) + 1] = x * sin(phase);
          }
        check_vectors(z, d, a, k == DENSE ? 0.4 : 1e-10);
      }
}

/* sum_j sigma_j u_j v_j^H of the leading vectors is A but for what is below the floor; either
 * method, any scale. */
static void leading_vectors_make_the_matrix(void **state) {
  (void)state;
  static const int dims[] = {1, 5, 60, 191, 192, MOST};
  static const double scales[] = {1, 1e-200, 1e150};
  static double a[2 * MOST * MOST], left[2 * MOST * MOST], right[2 * MOST * MOST];
  static double part[2 * MOST * MOST], sigma[MOST];
  pl_usv *w = pl_usv_leading_new(MOST, true);
  for (size_t k = 0; k < sizeof dims / sizeof *dims; k++)
    for (int z = 1; z <= 2; z++) {
      int d = dims[k], r;
      double scale = scales[k % 3];
      /* Half of the rows small: so many values are. */
      pl_rng_normals(9, PL_STREAM(PL_STREAM_MISC, d), 0, z * d * d, a);
      for (int i = 0; i < z * d * d; i++) a[i] *= scale * (i / (z * d) % 2 ? 1e-6 : 1);
      memcpy(part, a, sizeof a);
      double floor = 1e-3 * scale;
      assert_ok(pl_usv_leading(w, d, z == 2, part, floor, &r, sigma, left, right));
      assert_int_equal(r, (d + 1) / 2);
      /* A - (A V) V^H is small, A V = U S. */
      const double one[2] = {1, 0}, zero[2] = {0, 0}, minus[2] = {-1, 0};
      if (z == 2) {
        cblas_zgemm(CblasRowMajor, CblasNoTrans, CblasConjTrans, d, r, d, one, a, d, right, d, zero,
                    part, r);
      } else {
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, d, r, d, 1, a, d, right, d, 0, part,
                    r);
      }
      for (int i = 0; i < d; i++)
        for (int j = 0; j < r; j++)
          for (int c = 0; c < z; c++) {
            double u = left[((int64_t)j * d + i) * z + c] * (c ? -1 : 1);
            assert_true(fabs(part[((int64_t)i * r + j) * z + c] - sigma[j] * u) <=
                        1e-13 * sqrt(d) * sigma[0]);
          }
      if (z == 2)
        cblas_zgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, d, d, r, minus, part, r, right, d,
                    one, a, d);
      else
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, d, d, r, -1, part, r, right, d, 1, a,
                    d);
      for (int i = 0; i < z * d * d; i++) assert_true(fabs(a[i]) <= floor);
      a[0] = NAN;
      assert_int_equal(pl_usv_leading(w, d, z == 2, a, 0, &r, sigma, left, right), PL_NUMERIC);
    }
  pl_usv_free(w);
}

/* Wherever a machine changes methods, the values are the same to rounding. */
static void methods_agree(void **state) {
  (void)state;
  static double a[2 * MOST * MOST], b[2 * MOST * MOST], first[MOST], second[MOST];
  pl_rates early = pl_rates_nominal(), late = early;
  early.two_stage[0] = early.two_stage[1] = 0;
  late.two_stage[0] = late.two_stage[1] = 1e9;
  pl_svd *one = pl_svd_new(MOST, true, &early), *two = pl_svd_new(MOST, true, &late);
  bool differ = false;
  for (int d = 90; d <= MOST; d += 11)
    for (int z = 0; z < 2; z++) {
      pl_rng_normals(8, PL_STREAM(PL_STREAM_MISC, d), 0, 2 * d * d, a);
      memcpy(b, a, sizeof a);
      assert_ok(z ? pl_svd_complex(one, d, a, first) : pl_svd_real(one, d, a, first));
      assert_ok(z ? pl_svd_complex(two, d, b, second) : pl_svd_real(two, d, b, second));
      for (int i = 0; i < d; i++) {
        assert_true(fabs(first[i] - second[i]) <= 16 * DBL_EPSILON * sqrt(d) * first[0]);
        differ = differ || first[i] != second[i];
      }
    }
  assert_true(differ);
  pl_svd_free(one), pl_svd_free(two);
}

static void rates_name_sizes(void **state) {
  (void)state;
  pl_rates r = pl_rates_nominal();
  pl_svd_rates(&r);
  for (int z = 0; z < 2; z++) assert_true(r.two_stage[z] >= 96 && r.two_stage[z] <= 256);
  for (int i = 0; i < PL_RATE_SIZES; i++) assert_true(r.svd[i] > 0);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(largest_triplets_are_found),
    cmocka_unit_test(clusters_and_low_ranks),
    cmocka_unit_test(phases_change_no_value),
    cmocka_unit_test(complex_values_match_lapack),
    cmocka_unit_test(vectors_diagonalise),
    cmocka_unit_test(leading_vectors_make_the_matrix),
    cmocka_unit_test(methods_agree),
    cmocka_unit_test(rates_name_sizes),
};
PL_TEST_MAIN(tests)
