/* ranks: 1 3 */
#include "pl_test.h"

#include "model/model.h"
#include "run/shard.h"

static void shards_are_counted_from_0(void **state) {
  (void)state;
  int64_t i = -7, n = -7;
  assert_true(pl_shard_parse("0/1", &i, &n) && i == 0 && n == 1);
  assert_true(pl_shard_parse("2/5", &i, &n) && i == 2 && n == 5);
  assert_true(pl_shard_parse("99/100", &i, &n) && i == 99 && n == 100);
  static const char *const bad[] = {"",     "1",     "/",      "1/",    "/2",   "2/2",
                                    "3/2",  "-1/2",  "0/0",    "0/-1",  "a/2",  "0/b",
                                    "0/2x", "0 / 2", "0x0/2x", "1/2/3", "0.5/2"};
  for (size_t k = 0; k < sizeof bad / sizeof *bad; k++)
    assert_false(pl_shard_parse(bad[k], &i, &n));
  /* Beyond 64 bits. */
  assert_false(pl_shard_parse("0/99999999999999999999", &i, &n));
  assert_true(i == 99 && n == 100);
}

static pl_config *sweep(const char *text) {
  pl_config *cfg;
  assert_ok(pl_config_parse(text, strlen(text), "sweep", NULL, 0, &cfg));
  return cfg;
}

static double work_of(const pl_config *cfg, int64_t r) {
  pl_rates rates = pl_rates_nominal();
  pl_spec spec;
  pl_cost cost;
  pl_config_run(cfg, r, &spec);
  spec.model->cost(&spec, 1, &rates, &cost);
  return cost.flops * (double)spec.common.steps;
}

/* Every run is in one shard, and the heaviest shard has at most one run more than the lightest:
 * that is what "largest first, to the least" promises. */
static void check_shards(const char *text, int64_t shards) {
  pl_config *cfg = sweep(text);
  int64_t n = pl_config_num_runs(cfg);
  int *seen = pl_zalloc((size_t)n, sizeof *seen, "runs");
  double *work = pl_alloc((size_t)n, sizeof *work, "work");
  double least = INFINITY, most = 0, longest = 0;
  for (int64_t r = 0; r < n; r++) {
    work[r] = work_of(cfg, r);
    longest = fmax(longest, work[r]);
  }
  for (int64_t i = 0; i < shards; i++) {
    double load = 0;
    pl_config_select_all(cfg);
    assert_ok(pl_shard_select(&pl_test_world, cfg, i, shards));
    for (int64_t r = 0; r < pl_config_num_runs(cfg); r++) {
      int64_t index = pl_config_index(cfg, r);
      assert_true(r == 0 || index > pl_config_index(cfg, r - 1));
      seen[index]++;
      load += work[index];
    }
    least = fmin(least, load);
    most = fmax(most, load);
  }
  for (int64_t r = 0; r < n; r++) assert_int_equal(seen[r], 1);
  assert_true(longest > 0 && most - least <= longest * (1 + 1e-12));
  pl_free(seen);
  pl_free(work);
  pl_config_free(cfg);
}

static void each_run_is_in_one_shard(void **state) {
  (void)state;
  for (int64_t shards = 1; shards <= 8; shards++) {
    check_shards("{group: S_3, seed: 0..7}", shards);
    check_shards("{group: [S_5, S_3, S_4], model.depth: [2, 3, 5], steps: [100, 1000, 300]}",
                 shards);
    check_shards("{group: S_4, model.kind: [gcnn, cnn, fc], data.samples: [2, 40]}",
                 shards < 6 ? shards : 6);
  }
  check_shards("{group: S_3, seed: 0..999}", 333);
}

/* By least load and, of equal ones, in order: as it was when a list was searched. */
static void equal_runs_are_dealt_in_turn(void **state) {
  (void)state;
  pl_config *cfg = sweep("{group: S_3, seed: 0..9}");
  for (int64_t i = 0; i < 4; i++) {
    pl_config_select_all(cfg);
    assert_ok(pl_shard_select(&pl_test_world, cfg, i, 4));
    assert_int_equal(pl_config_num_runs(cfg), i < 2 ? 3 : 2);
    for (int64_t k = 0; k < pl_config_num_runs(cfg); k++)
      assert_int_equal(pl_config_index(cfg, k), i + 4 * k);
  }
  pl_config_select_all(cfg);
  assert_int_equal(pl_shard_select(&pl_test_world, cfg, 0, 11), PL_EINPUT);
  assert_false(pl_config_selected(cfg));
  pl_config_free(cfg);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(shards_are_counted_from_0),
    cmocka_unit_test(each_run_is_in_one_shard),
    cmocka_unit_test(equal_runs_are_dealt_in_turn),
};
PL_TEST_MAIN(tests)
