/* ranks: 1 2 3 4 6 */
#include "pl_test.h"

#include "base/clock.h"
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
  enum { N = 20000 };
  double *x = pl_alloc(N, sizeof *x, "x"), y[7];
  pl_rng_normals(5, 9, 0, N, x);
  pl_rng_normals(5, 9, 3, 7, y);
  for (int i = 0; i < 7; i++) assert_true(y[i] == x[3 + i]);
  double m = 0, v = 0, k = 0;
  for (int i = 0; i < N; i++) m += x[i], v += x[i] * x[i], k += pow(x[i], 4);
  assert_close(m / N, 0, 4 / sqrt(N));
  assert_close(v / N, 1, 4 * sqrt(2.0 / N));
  assert_close(k / N, 3, 4 * sqrt(96.0 / N));
  pl_free(x);
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
    cmocka_unit_test(times_are_those_of_the_processor),
    cmocka_unit_test(memory_is_counted_and_aligned),
};
PL_TEST_MAIN(tests)
