/* ranks: 1 */
/* Orbits of charged particles: the published ones, their order of accuracy, energy, the cut of
 * forces. */
#include "pl_test.h"

#include "base/mem.h"
#include "base/pause.h"
#include "base/rng.h"
#include "nets/points/orbit.h"

enum { N = 5, AXES = 3, STATE = N * AXES };

/* ---- two systems of the published generator, 1000 steps apart ---- */

#include "points_golden.h"

static void orbits_are_the_published_ones(void **state) {
  (void)state;
  double x[GOLDEN * STATE], v[GOLDEN * STATE];
  memcpy(x, golden_x0, sizeof x);
  memcpy(v, golden_v0, sizeof v);
  assert_int_equal(pl_orbit(GOLDEN, N, AXES, golden_q, 1e-3, 100, 1000, x, v), PL_OK);
  for (int k = 0; k < GOLDEN * STATE; k++) {
    assert_close(x[k], golden_x1[k], 1e-12);
    assert_close(v[k], golden_v1[k], 1e-11);
  }
  assert_int_equal(pl_orbit(GOLDEN, N, AXES, golden_q, 1e-3, 100, 3000, x, v), PL_OK);
  for (int k = 0; k < GOLDEN * STATE; k++) assert_close(x[k], golden_x4[k], 1e-9);
}

/* ---- accuracy ---- */

/* Particles of one charge, which never meet. */
static void draw(int64_t systems, double *q, double *x, double *v) {
  for (int64_t i = 0; i < systems * N; i++) q[i] = 1;
  pl_rng_normals(3, 1, 0, systems * STATE, x);
  pl_rng_normals(3, 2, 0, systems * STATE, v);
  for (int64_t i = 0; i < systems * STATE; i++) x[i] *= 2;
}

/* 1/2 sum v^2 + sum over pairs of q_i q_j / r */
static double energy(const double *q, const double *x, const double *v) {
  double e = 0;
  for (int i = 0; i < N; i++) {
    for (int a = 0; a < AXES; a++) e += v[i * AXES + a] * v[i * AXES + a] / 2;
    for (int j = 0; j < i; j++) {
      double r2 = 0;
      for (int a = 0; a < AXES; a++) {
        double d = x[i * AXES + a] - x[j * AXES + a];
        r2 += d * d;
      }
      e += q[i] * q[j] / sqrt(r2);
    }
  }
  return e;
}

/* At the end of 1000 steps of 0.001, against a reference of 64 times smaller steps: first order,
 * and energy drifts as little as that says. */
static void steps_are_of_first_order_and_keep_energy(void **state) {
  (void)state;
  enum { SYSTEMS = 10, LEVELS = 3, FINE = 64 };
  static double q[SYSTEMS * N], x0[SYSTEMS * STATE], v0[SYSTEMS * STATE];
  static double x[SYSTEMS * STATE], v[SYSTEMS * STATE], best[SYSTEMS * STATE];
  double error[LEVELS] = {0}, drift[LEVELS] = {0}, reference = 0;
  draw(SYSTEMS, q, x0, v0);
  for (int level = -1; level < LEVELS; level++) {
    int finer = level < 0 ? FINE : 1 << level;
    memcpy(x, x0, sizeof x);
    memcpy(v, v0, sizeof v);
    assert_int_equal(pl_orbit(SYSTEMS, N, AXES, q, 1e-3 / finer, 100, 1000 * finer, x, v), PL_OK);
    if (level < 0) memcpy(best, x, sizeof best);
    for (int k = 0; k < SYSTEMS * STATE && level >= 0; k++)
      error[level] = fmax(error[level], fabs(x[k] - best[k]));
    for (int s = 0; s < SYSTEMS; s++) {
      double was = energy(q + s * N, x0 + s * STATE, v0 + s * STATE);
      double off = fabs(energy(q + s * N, x + s * STATE, v + s * STATE) / was - 1);
      double *to = level < 0 ? &reference : &drift[level];
      *to = fmax(*to, off);
    }
  }
  assert_true(reference < 1e-4);
  assert_true(drift[0] < 5e-3 && drift[0] > 10 * reference);
  for (int level = 1; level < LEVELS; level++) {
    assert_true(error[level] < 0.6 * error[level - 1] && error[level] > 0.35 * error[level - 1]);
    assert_true(drift[level] < 0.65 * drift[level - 1]);
  }
}

/* Cut as a whole: 650 one way and 600 the other are 50, not two cut forces that cancel; 625 and 600
 * the same way are 100. */
static void forces_are_cut_as_a_whole(void **state) {
  (void)state;
  const double q[] = {1, 1, -1};
  double r = sqrt(1 / 650.0), s = sqrt(1 / 600.0);
  double x[] = {0, -r, -s}, v[3] = {0};
  assert_int_equal(pl_orbit(1, 3, 1, q, 1e-3, 100, 1, x, v), PL_OK);
  assert_close(v[0], 1e-3 * (650 - 600), 1e-12);
  double y[] = {0, -sqrt(1 / 625.0), sqrt(1 / 600.0)}, w[3] = {0};
  const double charge[] = {1, 1, -1};
  assert_int_equal(pl_orbit(1, 3, 1, charge, 1e-3, 100, 1, y, w), PL_OK);
  assert_close(w[0], 0.1, 1e-12);
}

/* A system goes its way whatever others there are, and in pieces. */
static void systems_do_not_see_each_other(void **state) {
  (void)state;
  enum { SYSTEMS = 13 };
  static double q[SYSTEMS * N], x[SYSTEMS * STATE], v[SYSTEMS * STATE];
  static double y[SYSTEMS * STATE], w[SYSTEMS * STATE];
  draw(SYSTEMS, q, x, v);
  memcpy(y, x, sizeof y);
  memcpy(w, v, sizeof w);
  assert_int_equal(pl_orbit(SYSTEMS, N, AXES, q, 1e-3, 100, 200, x, v), PL_OK);
  for (int s = 0; s < SYSTEMS; s++)
    for (int piece = 0; piece < 2; piece++)
      assert_int_equal(
          pl_orbit(1, N, AXES, q + s * N, 1e-3, 100, 100, y + s * STATE, w + s * STATE), PL_OK);
  assert_memory_equal(x, y, sizeof x);
  assert_memory_equal(v, w, sizeof v);
}

/* Asked long before one system of many particles has made one step; told to stop, it does. */
static int pauses;
static pl_status stop_at_third(void *most) {
  return ++pauses < *(int *)most ? PL_OK : PL_STOPPED;
}

static void one_system_can_be_given_up(void **state) {
  (void)state;
  enum { NODES = 4000, THIRD = 3, NEVER = 1000 };
  double *q = pl_zalloc(NODES, sizeof *q, "charges"),
         *x = pl_zalloc(NODES, 2 * sizeof *x, "states");
  pl_rng_normals(3, 1, 0, NODES, x);
  pauses = 0;
  pl_pause_do(stop_at_third, &(int){NEVER});
  assert_int_equal(pl_orbit(1, NODES, 1, q, 1e-3, 100, 1, x, x + NODES), PL_OK);
  assert_true(pauses > THIRD && pauses < 20);
  pauses = 0;
  pl_pause_do(stop_at_third, &(int){THIRD});
  assert_int_equal(pl_orbit(1, NODES, 1, q, 1e-3, 100, 1, x, x + NODES), PL_STOPPED);
  assert_int_equal(pauses, THIRD);
  pl_pause_do(NULL, NULL);
  pl_free(q);
  pl_free(x);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(orbits_are_the_published_ones),
    cmocka_unit_test(steps_are_of_first_order_and_keep_energy),
    cmocka_unit_test(forces_are_cut_as_a_whole),
    cmocka_unit_test(systems_do_not_see_each_other),
    cmocka_unit_test(one_system_can_be_given_up),
};
PL_TEST_MAIN(tests)
