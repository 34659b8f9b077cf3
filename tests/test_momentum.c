/* ranks: 1 */
#include "pl_test.h"

#include "base/rng.h"
#include "linalg/eigenvalues.h"
#include "linalg/momentum.h"

/* ---- the flow ---- */

static void the_least_value_of_the_flow(void **state) {
  (void)state;
  const double table[][2] = {{0.1, -.01083}, {0.2, -.09908}, {0.5, -.38332}, {1, -.61350},
                             {2, -.78115},   {5, -.90529},   {10, -.95135},  {100, -.99501}};
  for (int i = 0; i < 8; i++)
    assert_true(fabs(pl_momentum_least(table[i][0]) - table[i][1]) < 1e-5);
  assert_true(pl_momentum_least(0) == 0 && pl_momentum_least(1e-3) <= 0);
}

/* It is the least of Psi over all theta, and is attained. */
static void no_theta_goes_below(void **state) {
  (void)state;
  for (double eps = 0.05; eps < 50; eps *= 1.7) {
    double least = INFINITY, bound = pl_momentum_least(eps);
    for (double omega = 0; omega < 20; omega += 1e-2) {
      least = fmin(least, pl_momentum_flow(eps, -eps * omega * omega - 0.25 / eps));
      least = fmin(least, pl_momentum_flow(eps, 0.1 * omega - 0.25 / eps));
    }
    assert_true(least >= bound - 1e-13);
    assert_true(least <= bound + 1e-4 * fabs(bound));
  }
}

/* eps x'' + x' = theta x by the layers themselves, whose eps is 1/((1 - gamma) N). */
static void layers_converge_to_the_flow(void **state) {
  (void)state;
  const double eps[] = {0.2, 1, 5}, theta[] = {-20, -3, -0.2, 0.7};
  for (int i = 0; i < 3; i++)
    for (int j = 0; j < 4; j++) {
      double error[2];
      for (int fine = 0; fine < 2; fine++) {
        int N = fine ? 40000 : 20000;
        double gamma = 1 - 1 / (eps[i] * N), x = 1, v = 0;
        for (int k = 0; k < N; k++) {
          v = gamma * v + (1 - gamma) * theta[j] / N * x;
          x += v;
        }
        error[fine] = fabs(x - pl_momentum_flow(eps[i], theta[j]));
      }
      assert_true(error[1] < 1e-3 && error[1] < 0.6 * error[0]);
    }
}

/* ---- one layer ---- */

/* 200 x 400 pairs (gamma, mu): stable exactly where the law says, and there alone. */
static void real_mu_are_stable_between_two_bounds(void **state) {
  (void)state;
  for (int i = 0; i < 200; i++) {
    double gamma = i / 200.0, edge = 2 * (1 + gamma) / (1 - gamma);
    for (int j = 0; j < 400; j++) {
      double mu = -1.5 * edge + 2 * edge * (j + 0.5) / 400;
      double complex l[2];
      pl_momentum_layer(gamma, mu, l);
      bool inside = cabs(l[0]) < 1 && cabs(l[1]) < 1;
      assert_true(inside == (mu > -edge && mu < 0));
      assert_true(cabs(l[0] * l[1] - gamma) < 1e-12 * fmax(1, gamma));
    }
    double complex l[2];
    pl_momentum_layer(gamma, -edge, l);
    assert_close(creal(l[0]), -1, 1e-12);
    pl_momentum_layer(gamma, 0, l);
    assert_close(creal(l[0]), 1, 1e-12);
  }
}

/* They are the eigenvalues of the layer as a matrix on (x, v). */
static void the_law_is_the_layer(void **state) {
  (void)state;
  pl_eigenvalues *w = pl_eigenvalues_new(2, false);
  for (int i = 0; i < 50; i++) {
    double gamma = pl_rng_uniform(5, 1, (uint64_t)i),
           mu = 8 * pl_rng_uniform(5, 2, (uint64_t)i) - 6;
    double f = (1 - gamma) * mu, a[4] = {1 + f, gamma, f, gamma}, value[4];
    double complex l[2];
    pl_momentum_layer(gamma, mu, l);
    assert_ok(pl_eigenvalues_apply(w, 2, false, a, value));
    for (int k = 0; k < 2; k++) {
      double complex z = value[2 * k] + I * value[2 * k + 1];
      assert_true(fmin(cabs(z - l[0]), cabs(z - l[1])) < 1e-6);
    }
  }
  pl_eigenvalues_free(w);
}

/* ---- RevNet ---- */

/* The linearised layer J = [[1, A], [B, 1 + B A]]. */
static void revnet(int d, const double *A, const double *B, double *J) {
  int n = 2 * d;
  memset(J, 0, (size_t)n * (size_t)n * sizeof *J);
  for (int i = 0; i < d; i++) {
    J[i * n + i] = J[(d + i) * n + d + i] = 1;
    for (int j = 0; j < d; j++) {
      J[i * n + d + j] = A[i * d + j];
      J[(d + i) * n + j] = B[i * d + j];
      for (int k = 0; k < d; k++) J[(d + i) * n + d + j] += B[i * d + k] * A[k * d + j];
    }
  }
}

/* Its determinant is 1, and l + 1/l - 2 runs through the spectrum of B A, twice: eigenvalues come
 * in pairs l, 1/l, so that it is never a contraction. */
static void revnet_keeps_volume(void **state) {
  (void)state;
  enum { D = 6, N = 2 * D };
  pl_eigenvalues *w = pl_eigenvalues_new(N, false);
  for (uint64_t seed = 0; seed < 20; seed++) {
    double A[D * D], B[D * D], BA[D * D] = {0}, J[N * N], copy[N * N], value[2 * N], of[2 * D];
    double sign, log_abs, radius = 0;
    pl_rng_normals(seed, 1, 0, D * D, A);
    pl_rng_normals(seed, 2, 0, D * D, B);
    for (int i = 0; i < D; i++)
      for (int j = 0; j < D; j++)
        for (int k = 0; k < D; k++) BA[i * D + j] += B[i * D + k] * A[k * D + j];
    revnet(D, A, B, J);
    memcpy(copy, J, sizeof J);
    pl_determinant(w, N, false, copy, &sign, &log_abs);
    assert_true(sign == 1 && fabs(log_abs) < 1e-11);
    assert_ok(pl_eigenvalues_apply(w, N, false, J, value));
    assert_ok(pl_eigenvalues_apply(w, D, false, BA, of));
    for (int k = 0; k < N; k++) {
      double complex l = value[2 * k] + I * value[2 * k + 1], z = l + 1 / l - 2;
      double nearest = INFINITY, partner = INFINITY;
      for (int j = 0; j < D; j++)
        nearest = fmin(nearest, cabs(z - (of[2 * j] + I * of[2 * j + 1])));
      for (int j = 0; j < N; j++)
        partner = fmin(partner, cabs(1 / l - (value[2 * j] + I * value[2 * j + 1])));
      assert_true(nearest < 1e-6 * fmax(1, cabs(z)));
      assert_true(partner < 1e-6 * fmax(1, cabs(1 / l)));
      radius = fmax(radius, cabs(l));
    }
    assert_true(radius >= 1);
  }
  pl_eigenvalues_free(w);
}

/* ---- determinants ---- */

static void determinants_are_products_of_eigenvalues(void **state) {
  (void)state;
  enum { D = 7 };
  for (int z = 0; z < 2; z++) {
    pl_eigenvalues *w = pl_eigenvalues_new(D, z);
    for (uint64_t seed = 0; seed < 20; seed++) {
      double a[2 * D * D], copy[2 * D * D], value[2 * D], sign, log_abs;
      double complex product = 1;
      pl_rng_normals(seed, 3, 0, D * D * (1 + z), a);
      memcpy(copy, a, sizeof a);
      pl_determinant(w, D, z, copy, &sign, &log_abs);
      assert_ok(pl_eigenvalues_apply(w, D, z, a, value));
      for (int k = 0; k < D; k++) product *= value[2 * k] + I * value[2 * k + 1];
      assert_close(exp(log_abs) / cabs(product), 1, 1e-10);
      assert_true(z ? isnan(sign) : sign * creal(product) > 0);
    }
    double singular[2 * D * D] = {0}, bad[2 * D * D] = {NAN}, sign, log_abs, value[2 * D];
    pl_determinant(w, D, z, singular, &sign, &log_abs);
    assert_true(log_abs == -INFINITY && (z || sign == 0));
    assert_int_equal(pl_eigenvalues_apply(w, D, z, bad, value), PL_NUMERIC);
    assert_true(isnan(value[0]));
    pl_eigenvalues_free(w);
  }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(the_least_value_of_the_flow),
    cmocka_unit_test(no_theta_goes_below),
    cmocka_unit_test(layers_converge_to_the_flow),
    cmocka_unit_test(real_mu_are_stable_between_two_bounds),
    cmocka_unit_test(the_law_is_the_layer),
    cmocka_unit_test(revnet_keeps_volume),
    cmocka_unit_test(determinants_are_products_of_eigenvalues),
};
PL_TEST_MAIN(tests)
