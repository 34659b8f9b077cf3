/* ranks: 1 */
#include "pl_test.h"

#include "base/blas.h"
#include "base/rng.h"
#include "linalg/leading.h"
#include "linalg/svd.h"

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
 * the first, orthonormal and A right = sigma left; what is beyond the rank is zero. */
static void check(int d, const double *a, int rank, double near) {
  int r = d < PL_LEADING ? d : PL_LEADING, found = r < rank ? r : rank;
  double *copy = pl_alloc((size_t)d * (size_t)d, sizeof *copy, "copy");
  double *all = pl_alloc((size_t)d, sizeof *all, "values");
  double *sigma = pl_alloc((size_t)r, sizeof *sigma, "values");
  double *left = pl_alloc((size_t)(r * d), sizeof *left, "vectors");
  double *right = pl_alloc((size_t)(r * d), sizeof *right, "vectors");
  double *image = pl_alloc((size_t)(r * d), sizeof *image, "vectors");
  double *work = pl_alloc((size_t)pl_leading_work(d), sizeof *work, "workspace");
  pl_svd *svd = pl_svd_new(d, false);
  memcpy(copy, a, (size_t)d * (size_t)d * sizeof *copy);
  assert_ok(pl_svd_real(svd, d, copy, all));
  matrix m = {d, a};
  pl_leading(d, r, products, &m, sigma, left, right, work);
  products(&m, false, r, right, image);
  for (int j = 0; j < r; j++) {
    if (j >= found) {
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

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(largest_triplets_are_found),
    cmocka_unit_test(clusters_and_low_ranks),
};
PL_TEST_MAIN(tests)
