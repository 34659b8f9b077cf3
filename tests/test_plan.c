/* ranks: 1 3 */
#include "pl_test.h"

#include "run/plan.h"

static pl_config *sweep(const char *text) {
  pl_config *cfg;
  assert_ok(pl_config_parse(text, strlen(text), "sweep", NULL, 0, &cfg));
  return cfg;
}

static pl_plan *plan_of(const pl_config *cfg, int ranks, double memory) {
  pl_rates rates = pl_rates_nominal();
  pl_plan *plan;
  assert_ok(pl_plan_new(cfg, ranks, memory, &rates, &plan));
  return plan;
}

enum { MANY = 4096 }; /* GB */
static const double ROOM = MANY * 1e9;

/* ---- classes ---- */

static void check_classes(const char *text, int64_t classes) {
  pl_config *cfg = sweep(text);
  pl_plan *plan = plan_of(cfg, 4, ROOM);
  if (plan->classes.num != classes) print_error("%s\n", text);
  assert_int_equal(plan->classes.num, classes);
  for (int64_t c = 0; c < plan->classes.num; c++)
    assert_int_equal(plan->classes.of[plan->classes.run[c]], c);
  pl_plan_free(plan);
  pl_config_free(cfg);
}

static void runs_that_cost_the_same_are_one_class(void **state) {
  (void)state;
  check_classes("{group: S_3, seed: 0..99}", 1);
  check_classes("{group: S_3, seed: 0..9, optimizer.lr: [0.1, 0.2], model.init.scale: [1, 2]}", 1);
  check_classes("{group: S_3, model.init.scale: [1, 2], stop.loss: [0, 0.1]}", 1);
  check_classes("{group: [S_3, S_4], seed: 0..9}", 2);
  check_classes("{group: S_3, steps: 5000, record.points: [100, 3000]}", 2);
  check_classes("{group: S_3, optimizer.kind: [gd, muon], model.depth: [2, 3]}", 4);
  check_classes("{group: S_3, mapping.team: [1, 2]}", 2);
}

/* Lists that part only far behind what fits on a line. */
static void the_whole_of_a_list_counts(void **state) {
  (void)state;
  char list[2][20000], *text = NULL;
  for (int i = 0; i < 2; i++) {
    int used = 0;
    for (int k = 0; k < 1500; k++)
      used += snprintf(list[i] + used, sizeof list[i] - (size_t)used, "%s%d", k ? ", " : "",
                       k < 1300 ? k : k + i);
  }
  text = pl_asprintf("{group: S_3, steps: 5000, record.steps: [[%s], [%s]]}", list[0], list[1]);
  check_classes(text, 2);
  pl_free(text);
  text = pl_asprintf("{group: S_3, steps: 5000, record.steps: [[%s], [%s]]}", list[0], list[0]);
  check_classes(text, 1);
  pl_free(text);
}

static void records_and_steps_take_time(void **state) {
  (void)state;
  pl_config *cfg = sweep("{group: S_3, zip: [[steps, record.points]], steps: [5000, 5000, 10000], "
                         "record.points: [100, 3000, 100]}");
  pl_plan *plan = plan_of(cfg, 1, ROOM);
  double few = pl_plan_run_seconds(plan, 0), many = pl_plan_run_seconds(plan, 1);
  double longer = pl_plan_run_seconds(plan, 2);
  const pl_cost *cost = &plan->cost[0];
  assert_close(many - few, 2900 * cost->record, 1e-9);
  assert_close(longer - few, 5000 * cost->step, 1e-9);
  assert_true(few > 0 && cost->record > 0 && cost->step > 0);
  assert_int_equal(pl_plan_run_steps(plan, 0), 5000);
  assert_int_equal(pl_plan_run_steps(plan, 2), 10000);
  pl_plan_free(plan);
  pl_config_free(cfg);
}

static double record_of(const char *format, int ranks, int graphs, int points, int test) {
  char *text = pl_asprintf(format, graphs, points, test);
  pl_config *cfg = sweep(text);
  pl_plan *plan = plan_of(cfg, ranks, ROOM);
  double record = plan->cost[0].record;
  pl_plan_free(plan);
  pl_config_free(cfg);
  pl_free(text);
  return record;
}

/* Gradients by the features at all points of integrated gradients and once more, of so many of the
 * graphs that have a motif. */
static void attributions_take_time(void **state) {
  (void)state;
  static const char on[] = "{model: {kind: gcn, depth: 2, width: 16}, mapping.team: 1000000, "
                           "record.graphs: %d, attribution.points: %d, "
                           "data: {kind: motif, share: 0.25, test: %d}}",
                    off[] = "{model: {kind: gcn, depth: 2, width: 16}, record.attribution: false, "
                            "record.graphs: %d, attribution.points: %d, "
                            "data: {kind: motif, share: 0.25, test: %d}}";
  double without = record_of(off, 1, 10, 99, 1000), sample = record_of(off, 1, 10, 99, 2000);
  double ten = record_of(on, 1, 10, 99, 1000) - without;
  sample = (sample - without) / 1000;
  assert_close(record_of(off, 1, 200, 7, 1000), without, 1e-12);
  assert_close(record_of(on, 1, 20, 99, 1000) - without, 2 * ten, 1e-9);
  assert_close(record_of(on, 1, 10, 199, 1000) - without, 2 * ten, 1e-9);
  assert_close(record_of(on, 1, 900, 99, 1000) - without, 25 * ten, 1e-9);
  assert_true(ten > 0.5 * 1000 * sample && ten < 1000 * sample);
  double halved = record_of(on, 2, 900, 99, 1000) - record_of(on, 2, 10, 99, 1000);
  assert_close(2 * halved, 24 * ten, 1e-9);
}

/* An epoch of 10 samples in batches of 4 is 3 steps. */
static void epochs_become_steps(void **state) {
  (void)state;
  pl_config *cfg = sweep("{group: S_3, model.kind: fc-relu, data.kind: gaussian, train.batch: 4, "
                         "epochs: [2, 7], record.every_epoch: true}");
  pl_plan *plan = plan_of(cfg, 1, ROOM);
  assert_int_equal(pl_plan_run_steps(plan, 0), 6);
  assert_int_equal(pl_plan_run_steps(plan, 1), 21);
  assert_int_equal(pl_plan_run_length(plan, 1)->epoch, 3);
  pl_plan_free(plan);
  pl_config_free(cfg);
}

/* ---- phases ---- */

static void each_run_stands_in_one_phase(void **state) {
  (void)state;
  pl_config *cfg = sweep("{group: [S_3, S_5, S_4], seed: 0..6, steps: [10, 1000]}");
  pl_plan *plan = plan_of(cfg, 4, ROOM);
  int seen[42] = {0};
  assert_int_equal(plan->num_runs, 42);
  for (int i = 0; i < plan->num_phases; i++) {
    const pl_phase *f = &plan->phases[i];
    assert_true(i == 0 || f->team < plan->phases[i - 1].team);
    for (int64_t k = 0; k < f->num_runs; k++) {
      seen[f->runs[k]]++;
      double now = pl_plan_run_seconds(plan, f->runs[k]);
      assert_true(k == 0 || now <= pl_plan_run_seconds(plan, f->runs[k - 1]));
      assert_int_equal(plan->class_team[plan->classes.of[f->runs[k]]], f->team);
    }
  }
  for (int r = 0; r < 42; r++) assert_int_equal(seen[r], 1);
  pl_plan_free(plan);
  pl_config_free(cfg);
}

static void a_team_is_as_large_as_told_or_needed(void **state) {
  (void)state;
  pl_config *cfg = sweep("{group: S_5, mapping.team: [3, 100], seed: 0..9}");
  pl_plan *plan = plan_of(cfg, 8, ROOM);
  assert_int_equal(plan->num_phases, 2);
  assert_int_equal(plan->phases[0].team, 8);
  assert_int_equal(plan->phases[1].team, 3);
  pl_plan_free(plan);
  pl_config_free(cfg);
  /* Half the memory that one rank needs. */
  cfg = sweep("{group: S_7, data.store: keep, seed: 0..99}");
  plan = plan_of(cfg, 64, ROOM);
  assert_int_equal(plan->class_team[0], 1);
  double bytes = plan->cost[0].bytes;
  pl_plan_free(plan);
  plan = plan_of(cfg, 64, bytes / 2);
  assert_true(plan->class_team[0] > 1 && plan->cost[0].bytes <= bytes / 2);
  pl_plan_free(plan);
  /* As many ranks as that takes, where none are given. */
  plan = plan_of(cfg, 0, bytes / 2);
  assert_true(plan->ranks > 1);
  pl_plan_free(plan);
  pl_rates rates = pl_rates_nominal();
  assert_int_equal(pl_plan_new(cfg, 1, bytes / 2, &rates, &plan), PL_EENV);
  assert_non_null(strstr(pl_error_message(), "run 0 (S_7"));
  assert_non_null(strstr(pl_error_message(), "have 1"));
  pl_config_free(cfg);
}

/* Samples are kept where they fit into memory, made anew where only that fits. */
static void samples_are_kept_if_they_fit(void **state) {
  (void)state;
  const char *kept = "{group: S_7, data: {samples: 40, store: keep}}",
             *anew = "{group: S_7, data: {samples: 40, store: regenerate}}",
             *either = "{group: S_7, data.samples: 40}",
             *fixed = "{group: S_7, data: {kind: irrep, "
                      "samples: 40, irreps: ['6,1']}}";
  const char *text[] = {kept, anew, either, fixed};
  pl_config *cfg[4];
  double bytes[4], step[4];
  for (int i = 0; i < 4; i++) {
    cfg[i] = sweep(text[i]);
    pl_plan *plan = plan_of(cfg[i], 1, ROOM);
    bytes[i] = plan->cost[0].bytes;
    step[i] = plan->cost[0].step;
    pl_plan_free(plan);
  }
  double spectrum = 8 * 5040;
  assert_true(bytes[0] - bytes[1] > 35 * spectrum && bytes[0] - bytes[1] < 41 * spectrum);
  assert_true(bytes[2] == bytes[0] && step[2] == step[0] && step[1] > step[0]);
  pl_plan *plan = plan_of(cfg[2], 1, 0.9 * bytes[0]);
  assert_true(plan->cost[0].bytes == bytes[1] && plan->cost[0].step == step[1]);
  pl_plan_free(plan);
  pl_rates rates = pl_rates_nominal();
  assert_int_equal(pl_plan_new(cfg[0], 1, 0.9 * bytes[0], &rates, &plan), PL_EENV);
  assert_int_equal(pl_plan_new(cfg[3], 1, 0.9 * bytes[3], &rates, &plan), PL_EENV);
  for (int i = 0; i < 4; i++) pl_config_free(cfg[i]);
}

static void all_ranks_have_the_plan_of_rank_0(void **state) {
  (void)state;
  pl_config *cfg = sweep("{group: [S_3, S_4], seed: 0..4, steps: [10, 1000]}");
  pl_plan *plan = pl_test_world.rank == 0 ? plan_of(cfg, 2, ROOM) : NULL;
  pl_plan *own = plan_of(cfg, 2, ROOM);
  pl_plan_bcast(&pl_test_world, &plan);
  assert_int_equal(plan->num_runs, own->num_runs);
  assert_int_equal(plan->num_phases, own->num_phases);
  assert_int_equal(plan->classes.num, own->classes.num);
  for (int64_t r = 0; r < own->num_runs; r++) {
    assert_true(pl_plan_run_seconds(plan, r) == pl_plan_run_seconds(own, r));
    assert_int_equal(pl_plan_run_steps(plan, r), pl_plan_run_steps(own, r));
  }
  for (int i = 0; i < own->num_phases; i++) {
    assert_int_equal(plan->phases[i].num_runs, own->phases[i].num_runs);
    assert_memory_equal(plan->phases[i].runs, own->phases[i].runs,
                        (size_t)own->phases[i].num_runs * sizeof(int64_t));
  }
  for (int64_t c = 0; c < own->classes.num; c++) {
    assert_int_equal(plan->class_team[c], own->class_team[c]);
    assert_int_equal(plan->classes.run[c], own->classes.run[c]);
    assert_memory_equal(&plan->cost[c], &own->cost[c], sizeof own->cost[c]);
  }
  pl_plan_free(plan);
  pl_plan_free(own);
  pl_config_free(cfg);
}

static void sizes_in_bytes(void **state) {
  (void)state;
  static const struct {
    const char *text;
    double bytes;
  } rows[] = {{"1024", 1024},
              {"8G", 8589934592},
              {"8GiB", 8589934592},
              {"1.5kib", 1536},
              {"8Gi", 8589934592},
              {"1.5k", 1536},
              {"2MB", 2097152},
              {"0", 0},
              {"-1G", 0},
              {"G", 0},
              {"1X", 0},
              {"1GX", 0},
              {"", 0}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    assert_true(pl_parse_bytes(rows[i].text) == rows[i].bytes);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(runs_that_cost_the_same_are_one_class),
    cmocka_unit_test(the_whole_of_a_list_counts),
    cmocka_unit_test(records_and_steps_take_time),
    cmocka_unit_test(attributions_take_time),
    cmocka_unit_test(epochs_become_steps),
    cmocka_unit_test(each_run_stands_in_one_phase),
    cmocka_unit_test(a_team_is_as_large_as_told_or_needed),
    cmocka_unit_test(samples_are_kept_if_they_fit),
    cmocka_unit_test(all_ranks_have_the_plan_of_rank_0),
    cmocka_unit_test(sizes_in_bytes),
};
PL_TEST_MAIN(tests)
