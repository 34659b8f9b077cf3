/* ranks: 1 2 3 4 6 */
#include "pl_test.h"

#include "base/clock.h"
#include "base/elementary.h"
#include "base/rng.h"

static void agreement_spreads_the_worst_status_and_its_message(void **state) {
  (void)state;
  const pl_comm *c = &pl_test_world;
  assert_int_equal(pl_agree(c, PL_OK), PL_OK);
  int culprit = c->size - 1;
  pl_status st = c->rank == culprit ? pl_error(PL_EINPUT, "rank %d failed", culprit) : PL_OK;
  assert_int_equal(pl_agree(c, st), PL_EINPUT);
  char want[32];
  snprintf(want, sizeof want, "rank %d failed", culprit);
  assert_string_equal(pl_error_message(), want);
}

static void errors_take_prefixes(void **state) {
  (void)state;
  pl_error(PL_EINPUT, "bad");
  assert_int_equal(pl_error_in(PL_EINPUT, "f.yaml:%d: ", 3), PL_EINPUT);
  assert_string_equal(pl_error_message(), "f.yaml:3: bad");
}

static void split_leaves_out_negative_colors(void **state) {
  (void)state;
  const pl_comm *c = &pl_test_world;
  pl_comm half = pl_comm_split(c, c->rank % 2 ? -1 : 0, c->rank);
  if (c->rank % 2) {
    assert_int_equal(half.size, 0);
  } else {
    double x = 1;
    pl_comm_sum(&half, &x, 1);
    assert_close(x, (c->size + 1) / 2, 0);
  }
  pl_comm_free(&half);
}

static void philox_matches_its_published_vector(void **state) {
  (void)state;
  /* Random123 kat_vectors: philox4x32 10, all bits set. */
  uint64_t b[2];
  pl_rng_bits(UINT64_MAX, UINT64_MAX, UINT64_MAX, b);
  assert_int_equal(b[0], 0x408f276d | (uint64_t)0x41c83b0e << 32);
  assert_int_equal(b[1], 0xa20bc7c6 | (uint64_t)0x6d5451fd << 32);
}

static void words_are_the_bits_in_order(void **state) {
  (void)state;
  enum { BLOCKS = 43 };
  const uint64_t seed = 0x123456789abcdef, stream = PL_STREAM(PL_STREAM_MISC, 0xfedcba98);
  const uint64_t first[] = {0, 5, UINT32_MAX - 20, UINT64_MAX - 20}; /* over carries */
  for (int f = 0; f < 4; f++)
    for (int n = 0; n <= BLOCKS; n++) {
      uint32_t word[4 * BLOCKS + 1] = {0};
      pl_rng_words(seed, stream, first[f], n, word);
      for (int i = 0; i < n; i++) {
        uint64_t b[2];
        pl_rng_bits(seed, stream, first[f] + (uint64_t)i, b);
        for (int k = 0; k < 4; k++)
          assert_int_equal(word[4 * i + k], (uint32_t)(b[k / 2] >> 32 * (k % 2)));
      }
      assert_int_equal(word[4 * n], 0);
    }
}

static void normals_do_not_depend_on_how_they_are_cut(void **state) {
  (void)state;
  enum { N = 20000, MOST = 150 };
  double *x = pl_alloc(N, sizeof *x, "x"), y[MOST + 1];
  pl_rng_normals(5, 9, 0, N, x);
  for (int first = 0; first < 4; first++)
    for (int n = 1; n <= MOST; n++) {
      y[n] = 7;
      pl_rng_normals(5, 9, first, n, y);
      assert_memory_equal(y, x + first, (size_t)n * sizeof *y);
      assert_true(y[n] == 7);
    }
  double m = 0, v = 0, k = 0;
  for (int i = 0; i < N; i++) m += x[i], v += x[i] * x[i], k += pow(x[i], 4);
  assert_close(m / N, 0, 4 / sqrt(N));
  assert_close(v / N, 1, 4 * sqrt(2.0 / N));
  assert_close(k / N, 3, 4 * sqrt(96.0 / N));
  pl_free(x);
}

static double unit(uint64_t bits) {
  return ((double)(bits >> 11) + 0.5) * 0x1p-53;
}

static double ulps(double y, long double exact) {
  return (double)(fabsl(y - exact) / ldexpl(1, ilogbl(exact) - 52));
}

/* sin of 2 pi (t + more/4), the quarters taken off first, since pi is rounded. */
static long double sine(double t, int more) {
  long double quarter = roundl(4.0L * t), x = 2 * acosl(-1) * (t - quarter / 4);
  int q = ((int)quarter + more) % 4;
  return (q > 1 ? -1 : 1) * (q % 2 ? cosl(x) : sinl(x));
}

/* Of every pair the formula in long double. */
static void normals_are_those_of_box_and_muller(void **state) {
  (void)state;
  enum { PAIRS = 100000 };
  double *x = pl_alloc(2 * PAIRS, sizeof *x, "x"), worst = 0;
  pl_rng_normals(3, 4, 0, 2 * PAIRS, x);
  for (int i = 0; i < PAIRS; i++) {
    uint64_t b[2];
    pl_rng_bits(3, 4, (uint64_t)i, b);
    assert_true(pl_rng_uniform(3, 4, (uint64_t)i) == unit(b[0]));
    long double r = sqrtl(-2 * logl(unit(b[0])));
    worst = fmax(worst, ulps(x[2 * i], r * sine(unit(b[1]), 1)));
    worst = fmax(worst, ulps(x[2 * i + 1], r * sine(unit(b[1]), 0)));
  }
  assert_true(worst < 4);
  pl_free(x);
}

/* At all eighths, beside them, and in between, also close to 0. */
static void sines_keep_their_bound(void **state) {
  (void)state;
  double worst = 0;
  for (int k = 0; k < 100000; k++) {
    double u = pl_rng_uniform(1, 1, (uint64_t)k);
    double t = k < 27      ? nextafter(k / 3 / 8.0, k % 3 == 0   ? 2
                                                    : k % 3 == 1 ? k / 3 / 8.0
                                                                 : -1)
               : k < 20000 ? ldexp(u, -k % 60)
                           : u;
    if (t < 0x1p-1022 || t > 1) continue;
    double s, c;
    pl_sincos_turns(t, &s, &c);
    if (sine(t, 0) == 0)
      assert_true(s == 0);
    else
      worst = fmax(worst, ulps(s, sine(t, 0)));
    if (sine(t, 1) == 0)
      assert_true(c == 0);
    else
      worst = fmax(worst, ulps(c, sine(t, 1)));
  }
  assert_true(worst < 2);
  double s, c;
  pl_sincos_turns(0, &s, &c);
  assert_true(s == 0 && c == 1);
}

static void rest(void *count) {
  ++*(int *)count;
  pl_sleep(2e-3);
}

/* What waits, as a process does that others leave no processor, seems no slower. */
static void times_are_those_of_the_processor(void **state) {
  (void)state;
  int count = 0;
  assert_true(pl_best_time(rest, &count, 0) < 1e-3);
  assert_true(count > 0);
}

static void memory_is_counted_and_aligned(void **state) {
  (void)state;
  int64_t live = pl_mem_live(), bytes = pl_mem_bytes();
  char *p = pl_alloc(100, 3, "p");
  assert_int_equal((uintptr_t)p % 64, 0);
  assert_int_equal(pl_mem_bytes() - bytes, 300);
  p = pl_realloc(p, 7, 1, "p");
  assert_int_equal(pl_mem_bytes() - bytes, 7);
  pl_free(p);
  assert_int_equal(pl_mem_live(), live);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(agreement_spreads_the_worst_status_and_its_message),
    cmocka_unit_test(errors_take_prefixes),
    cmocka_unit_test(split_leaves_out_negative_colors),
    cmocka_unit_test(philox_matches_its_published_vector),
    cmocka_unit_test(words_are_the_bits_in_order),
    cmocka_unit_test(normals_do_not_depend_on_how_they_are_cut),
    cmocka_unit_test(normals_are_those_of_box_and_muller),
    cmocka_unit_test(sines_keep_their_bound),
    cmocka_unit_test(times_are_those_of_the_processor),
    cmocka_unit_test(memory_is_counted_and_aligned),
};
PL_TEST_MAIN(tests)
