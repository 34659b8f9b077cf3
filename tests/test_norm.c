/* ranks: 1 2 3 */
#include "pl_test.h"

#include "base/norm.h"
#include "base/rng.h"

#include <float.h>

enum { N = 1000 };

static double *normals(double factor) {
  double *x = pl_alloc(N, sizeof *x, "x");
  pl_rng_normals(3, 4, 0, N, x);
  for (int k = 0; k < N; k++) x[k] *= factor;
  return x;
}

/* In long double, whose exponents reach far beyond. */
static double true_norm(int64_t n, const double *x, double weight) {
  long double s = 0;
  for (int64_t k = 0; k < n; k++) s += (long double)x[k] * x[k];
  return (double)sqrtl(weight * s);
}

static void norms_scale(void **state) {
  (void)state;
  if (LDBL_MAX_10_EXP < 1000) skip(); /* no wider type to compare with */
  for (double e = -320; e <= 306; e += 2) {
    double *x = normals(pow(10, e));
    double want = true_norm(N, x, 1), got = pl_norm2(N, x);
    assert_true(fabs(got - want) <= 1e-13 * want + DBL_TRUE_MIN);
    pl_free(x);
  }
  /* Both ends in one vector: the small one is nothing. */
  double both[] = {1e-300, 3e200, -4e200, 0};
  assert_close(pl_norm2(4, both) / 5e200, 1, 2 * DBL_EPSILON);
  double small[] = {3e-320, 4e-320}, least[] = {0, -DBL_TRUE_MIN};
  assert_close(pl_norm2(2, small) / 5e-320, 1, 1e-3); /* four digits are left of them */
  assert_true(pl_norm2(2, least) == DBL_TRUE_MIN);
  double large[] = {DBL_MAX / 2, DBL_MAX / 2};
  assert_close(pl_norm2(2, large) / DBL_MAX, sqrt(0.5), 2 * DBL_EPSILON);
}

static void norms_of_the_unusual(void **state) {
  (void)state;
  double x[] = {1, NAN, 2}, y[] = {1, -INFINITY, 2}, z[] = {NAN, INFINITY, 0}, zero[3] = {0},
         m[] = {DBL_MAX, DBL_MAX, DBL_MAX}, tiny[] = {1e-300, NAN};
  assert_true(isnan(pl_norm2(3, x)));
  assert_true(pl_norm2(3, y) == INFINITY);
  assert_true(isnan(pl_norm2(3, z)));
  assert_true(pl_norm2(3, zero) == 0);
  assert_true(pl_norm2(0, x) == 0);
  assert_true(pl_norm2(3, m) == INFINITY);
  assert_true(isnan(pl_norm2(2, tiny)));
  assert_true(pl_max_abs(3, (double[]){-3, 2, 1}) == 3);
}

/* Where a plain sum does, it is what is taken. */
static void the_ordinary_range_is_untouched(void **state) {
  (void)state;
  for (double e = -140; e <= 150; e += 7.25) {
    double *x = normals(pow(10, e));
    assert_true(pl_sum_safe(pl_sum_squares(N, x)));
    assert_true(pl_norm2(N, x) == sqrt(pl_sum_squares(N, x)));
    pl_free(x);
  }
  assert_false(pl_sum_safe(0));
  assert_false(pl_sum_safe(NAN));
  assert_false(pl_sum_safe(INFINITY));
}

/* Parts on all ranks, at all sizes; the largest part on one rank alone. */
static void parts_add_up_over_ranks(void **state) {
  (void)state;
  const pl_comm *c = &pl_test_world;
  for (double e = -318; e <= 304; e += 11) {
    double *x = normals(pow(10, e)), *y = normals(pow(10, c->rank ? -320 : e - 1));
    pl_norm_part part[] = {{N, x, 2}, {N / 2, y, 0.25}, {0, NULL, 1}, {N, x, 0}};
    double *y0 = normals(pow(10, e - 1)), *rest = normals(1e-320);
    double others = c->size - 1,
           want = hypot(true_norm(N, x, 2 * c->size),
                        hypot(true_norm(N / 2, y0, 0.25), true_norm(N / 2, rest, 0.25 * others)));
    double got = pl_norm_parts(c, 4, part);
    if (e > -300) assert_close(got / want, 1, 1e-14);
    assert_true(fabs(got - want) <= 1e-14 * want + 2 * DBL_TRUE_MIN);
    double alone = pl_norm_parts(NULL, 1, part);
    assert_true(fabs(alone - true_norm(N, x, 2)) <= 1e-14 * alone + 2 * DBL_TRUE_MIN);
    pl_free(x), pl_free(y), pl_free(y0), pl_free(rest);
  }
  double bad[] = {1e300, c->rank == c->size - 1 ? NAN : 1};
  assert_true(isnan(pl_norm_parts(c, 1, &(pl_norm_part){2, bad, 1})));
  bad[1] = c->rank == 0 ? INFINITY : 1;
  assert_true(pl_norm_parts(c, 1, &(pl_norm_part){2, bad, 1}) == INFINITY);
  double zero = 0;
  assert_true(pl_norm_parts(c, 1, &(pl_norm_part){1, &zero, 1}) == 0);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(norms_scale),
    cmocka_unit_test(norms_of_the_unusual),
    cmocka_unit_test(the_ordinary_range_is_untouched),
    cmocka_unit_test(parts_add_up_over_ranks),
};
PL_TEST_MAIN(tests)
