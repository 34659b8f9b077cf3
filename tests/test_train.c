/* ranks: 1 3 */
#include "pl_test.h"

#include "fake_model.h"
#include "run/train.h"

#include <unistd.h>

/* What a run told its hooks, and what they are to do. */
typedef struct teller {
  char path[64]; /* of the checkpoint */
  int64_t num, saves, finishes;
  double step[64], lr[64], loss[64];
  int64_t saved_step;
  pl_run_state ended;
  int64_t stop_at, save_at; /* votes of the last rank; -1: none */
  bool no_disk, keeps;
} teller;

static void on_record(void *context, int64_t index, const double *values, int64_t n) {
  teller *t = context;
  assert_int_equal(pl_test_world.rank, 0);
  assert_true(n >= PL_RECORD_HEAD + 2 + FAKE_ENTRIES);
  t->num = index + 1;
  t->step[index] = values[PL_RECORD_STEP];
  t->lr[index] = values[PL_RECORD_LR];
  t->loss[index] = values[PL_RECORD_HEAD];
}

static double on_poll(void *context, int64_t step) {
  teller *t = context;
  if (pl_test_world.rank != pl_test_world.size - 1) return PL_VOTE_NONE;
  return (step == t->stop_at ? PL_VOTE_STOP : PL_VOTE_NONE) +
         (step == t->save_at ? PL_VOTE_SAVE : PL_VOTE_NONE);
}

static bool on_resume(void *context, pl_model *model, pl_optim *optim, pl_ckpt *at) {
  teller *t = context;
  return pl_ckpt_read(t->path, &pl_test_world, model, optim, 7, INT64_MAX, at);
}

static pl_status on_save(void *context, pl_model *model, pl_optim *optim, const pl_ckpt *at) {
  teller *t = context;
  t->saves++;
  t->saved_step = at->step;
  if (t->no_disk) return pl_error(PL_EENV, "no disk");
  return pl_ckpt_write(t->path, &pl_test_world, model, optim, 7, at);
}

static pl_status on_finish(void *context, pl_model *model, pl_run_state state) {
  teller *t = context;
  assert_non_null(model);
  t->finishes++;
  t->ended = state;
  return PL_OK;
}

static teller new_teller(void) {
  teller t = {.stop_at = -1, .save_at = -1};
  int id = (int)getpid();
  pl_comm_bcast(&pl_test_world, &id, sizeof id, 0);
  snprintf(t.path, sizeof t.path, "/tmp/plancherel_train_%d.nc", id);
  return t;
}

static pl_status train(teller *t, const pl_spec *spec, pl_outcome *out) {
  pl_rates rates = pl_rates_nominal();
  pl_length length = pl_length_of(spec);
  pl_train_hooks hooks = {.context = t,
                          .record = on_record,
                          .poll = on_poll,
                          .resume = on_resume,
                          .save = on_save,
                          .keep = t->keeps ? on_save : NULL,
                          .finish = on_finish};
  return pl_train(&pl_test_world, spec, &length, &rates, &hooks, out);
}

static pl_outcome outcome_of(const pl_spec *spec) {
  teller t = new_teller();
  pl_outcome out;
  assert_ok(train(&t, spec, &out));
  assert_int_equal(t.finishes, 1);
  assert_int_equal(t.ended, out.state);
  if (pl_test_world.rank == 0) assert_int_equal(t.num, out.records);
  return out;
}

/* ---- how a run ends ---- */

static void a_run_makes_all_its_steps(void **state) {
  (void)state;
  pl_spec spec = fake_spec("gd");
  teller t = new_teller();
  pl_outcome out;
  assert_ok(train(&t, &spec, &out));
  assert_int_equal(out.state, PL_RUN_DONE);
  assert_int_equal(out.steps_done, 20);
  assert_int_equal(out.records, 21);
  assert_int_equal(out.best.step, -1);
  assert_int_equal(t.saves, 0);
  for (int i = 0; i < 21 && pl_test_world.rank == 0; i++) {
    assert_true(t.step[i] == i);
    assert_close(t.lr[i], 0.1 * pow(1.01, (i + 1) / 3), 1e-14);
    assert_true(i == 0 || t.loss[i] < t.loss[i - 1]);
  }
}

static pl_standing falling(int64_t t) {
  return pl_standing_of(1 / (double)(t + 1));
}
static pl_standing far_below(int64_t t) {
  return pl_standing_of_log(-200 * (double)t);
}
static pl_standing through_zero(int64_t t) {
  return pl_standing_of(3 - (double)t);
}

static void a_run_ends_below_its_limit(void **state) {
  (void)state;
  pl_spec spec = fake_spec("gd");
  spec.common.record_points = 2;
  fake_values_in(&spec)->standing = falling;
  spec.common.stop_loss = 0.15;
  pl_outcome out = outcome_of(&spec);
  assert_int_equal(out.state, PL_RUN_DONE);
  assert_int_equal(out.steps_done, 6);
  assert_int_equal(out.records, 2); /* the last one where it ended */
  /* The objective underflows at step 4, its logarithm decides. */
  fake_values_in(&spec)->standing = far_below;
  spec.common.stop_loss = 1e-300;
  assert_int_equal(outcome_of(&spec).steps_done, 4);
}

static void no_objective_is_too_small(void **state) {
  (void)state;
  pl_spec spec = fake_spec("gd");
  fake_values_in(&spec)->standing = through_zero;
  pl_outcome out = outcome_of(&spec);
  assert_int_equal(out.state, PL_RUN_DONE);
  assert_int_equal(out.steps_done, 20);
  /* Exactly 0 at step 3: below any limit. */
  spec.common.stop_loss = 1e-30;
  out = outcome_of(&spec);
  assert_int_equal(out.state, PL_RUN_DONE);
  assert_int_equal(out.steps_done, 3);
}

static pl_standing not_a_number(int64_t t) {
  return t < 4 ? pl_standing_of(1) : (pl_standing){NAN, NAN};
}
static pl_standing infinite(int64_t t) {
  return t < 4 ? pl_standing_of(1) : (pl_standing){INFINITY, NAN};
}
static pl_standing infinite_of_log(int64_t t) {
  return t < 4 ? pl_standing_of(1) : pl_standing_of_log(INFINITY);
}
static pl_standing overflowing(int64_t t) {
  return pl_standing_of_log(100 * (double)t);
}

static void a_run_diverges_where_nothing_is_finite(void **state) {
  (void)state;
  pl_standing (*const bad[])(int64_t) = {not_a_number, infinite, infinite_of_log};
  pl_spec spec = fake_spec("gd");
  spec.common.stop_loss = 1e-3;
  for (int i = 0; i < 3; i++) {
    fake_values_in(&spec)->standing = bad[i];
    pl_outcome out = outcome_of(&spec);
    assert_int_equal(out.state, PL_RUN_DIVERGED);
    assert_int_equal(out.steps_done, 4);
    assert_int_equal(out.records, 4);
  }
  /* The objective overflows at step 8, its logarithm does not. */
  fake_values_in(&spec)->standing = overflowing;
  assert_int_equal(outcome_of(&spec).state, PL_RUN_DONE);
}

static void a_record_that_fails_ends_the_run(void **state) {
  (void)state;
  pl_spec spec = fake_spec("gd");
  fake_values_in(&spec)->sick = 5;
  teller t = new_teller();
  pl_outcome out;
  assert_int_equal(train(&t, &spec, &out), PL_NUMERIC);
  assert_int_equal(out.state, PL_RUN_FAILED);
  assert_int_equal(out.steps_done, 5);
  assert_int_equal(t.finishes, 0);
}

/* ---- votes ---- */

static void one_vote_stops_all(void **state) {
  (void)state;
  pl_spec spec = fake_spec("gd");
  teller t = new_teller();
  pl_outcome out;
  t.stop_at = 5;
  assert_ok(train(&t, &spec, &out));
  assert_int_equal(out.state, PL_RUN_STOPPED);
  assert_int_equal(out.steps_done, 6);
  assert_int_equal(out.records, 6);
  assert_false(out.unsaved);
  assert_int_equal(t.saves, 1);
  assert_int_equal(t.saved_step, 6);
  if (pl_test_world.rank == 0) pl_ckpt_remove(t.path);
}

static void a_vote_to_save_goes_on(void **state) {
  (void)state;
  pl_spec spec = fake_spec("gd");
  teller t = new_teller();
  pl_outcome out;
  t.save_at = 3;
  assert_ok(train(&t, &spec, &out));
  assert_int_equal(out.state, PL_RUN_DONE);
  assert_int_equal(t.saves, 1);
  assert_int_equal(t.saved_step, 4);
  if (pl_test_world.rank == 0) pl_ckpt_remove(t.path);
  /* Both at once, and nowhere to write: stopped, and it says that nothing was saved. */
  t = new_teller();
  t.save_at = t.stop_at = 3;
  t.no_disk = true;
  pl_log_init(pl_test_world.rank, PL_LOG_ERROR);
  assert_ok(train(&t, &spec, &out));
  pl_log_init(pl_test_world.rank, PL_LOG_WARNING);
  assert_int_equal(out.state, PL_RUN_STOPPED);
  assert_true(out.unsaved);
}

/* ---- the best record, and patience ---- */

static double validation(int64_t t) {
  return t == 5 || t == 9 ? 0.8 : t == 2 ? 0.7 : t == 3 ? NAN : 0.5;
}
static double never_known(int64_t t) {
  (void)t;
  return NAN;
}
static double test(int64_t t) {
  return (double)t / 20;
}
static pl_standing flat_from_four(int64_t t) {
  return pl_standing_of(t < 4 ? 8 - (double)t : 4);
}

static void the_first_of_the_best_records_counts(void **state) {
  (void)state;
  pl_spec spec = fake_spec("gd");
  fake_values_in(&spec)->validation = validation;
  pl_outcome out = outcome_of(&spec);
  assert_int_equal(out.best.step, 5);
  assert_true(out.best.validation == 0.8 && isnan(out.best.test));
  fake_values_in(&spec)->test = test;
  out = outcome_of(&spec);
  assert_int_equal(out.best.step, 5);
  assert_true(out.best.test == 0.25);
}

static void patience_ends(void **state) {
  (void)state;
  pl_spec spec = fake_spec("gd");
  fake_values_in(&spec)->validation = validation;
  spec.common.stop_patience = 4; /* records 6, 7, 8, 9 are no better than 5 */
  pl_outcome out = outcome_of(&spec);
  assert_int_equal(out.state, PL_RUN_DONE);
  assert_int_equal(out.steps_done, 9);
  assert_int_equal(out.records, 10);
  /* At 2 comes the best so far, then a NaN and two worse ones: 5 comes in time for three. */
  spec.common.stop_patience = 2;
  assert_int_equal(outcome_of(&spec).steps_done, 4);
  /* Of loss, smaller is better; and without a validation part it is the one watched. */
  fake_values_in(&spec)->validation = NULL;
  spec.common.stop_patience = 3;
  assert_int_equal(outcome_of(&spec).steps_done, 20);
  fake_values_in(&spec)->standing = flat_from_four;
  assert_int_equal(outcome_of(&spec).steps_done, 7);
  fake_values_in(&spec)->validation = validation;
  spec.common.stop_metric = "loss";
  assert_int_equal(outcome_of(&spec).steps_done, 7);
  /* What is not a number is never better. */
  spec.common.stop_metric = NULL;
  fake_values_in(&spec)->validation = never_known;
  out = outcome_of(&spec);
  assert_int_equal(out.steps_done, 2);
  assert_int_equal(out.best.step, -1);
  /* Records are counted, not steps. */
  fake_values_in(&spec)->validation = validation;
  spec.common.record_points = 5; /* 0, 5, 10, 15, 20 */
  spec.common.stop_patience = 2;
  assert_int_equal(outcome_of(&spec).steps_done, 15);
}

static void a_metric_has_a_direction(void **state) {
  (void)state;
  pl_spec spec = fake_spec("gd");
  spec.common.stop_patience = 2;
  const char *const bad[] = {"parameter_norm", "kept", "validation_accuracy", "nonsense"};
  for (int i = 0; i < 4; i++) {
    teller t = new_teller();
    pl_outcome out;
    spec.common.stop_metric = bad[i];
    assert_int_equal(train(&t, &spec, &out), PL_EINPUT);
    assert_int_equal(out.state, PL_RUN_FAILED);
    assert_non_null(strstr(pl_error_message(), "expected one of loss, not "));
    assert_non_null(strstr(pl_error_message(), bad[i]));
  }
}

/* ---- resuming ---- */

/* Stopped after `at` steps and taken up, a run is what it is without. */
static void check_resumed(const pl_spec *spec, int64_t at) {
  teller whole = new_teller(), halves = new_teller();
  pl_outcome want, first, got;
  assert_ok(train(&whole, spec, &want));
  halves.stop_at = at;
  assert_ok(train(&halves, spec, &first));
  assert_int_equal(first.state, PL_RUN_STOPPED);
  halves.stop_at = -1;
  assert_ok(train(&halves, spec, &got));
  if (pl_test_world.rank == 0) {
    pl_ckpt_remove(halves.path);
    assert_memory_equal(whole.step, halves.step, sizeof whole.step);
    assert_memory_equal(whole.lr, halves.lr, sizeof whole.lr);
    assert_memory_equal(whole.loss, halves.loss, sizeof whole.loss);
  }
  assert_int_equal(want.state, got.state);
  assert_int_equal(want.steps_done, got.steps_done);
  assert_int_equal(want.records, got.records);
  assert_memory_equal(&want.best, &got.best, sizeof want.best);
}

static void a_resumed_run_is_the_same(void **state) {
  (void)state;
  const char *const optimizers[] = {"gd", "ngd", "momentum", "adagrad", "rmsprop", "adam"};
  for (int i = 0; i < 6; i++)
    for (int functions = 0; functions < 2; functions++) {
      pl_spec spec = fake_spec(optimizers[i]);
      fake_values_in(&spec)->functions = functions;
      check_resumed(&spec, 0);
      check_resumed(&spec, 11);
    }
}

static void a_resumed_run_waits_no_longer(void **state) {
  (void)state;
  pl_spec spec = fake_spec("gd");
  fake_values_in(&spec)->validation = validation;
  fake_values_in(&spec)->test = test;
  spec.common.stop_patience = 6; /* ends at 11 */
  for (int64_t at = 3; at < 11; at++) check_resumed(&spec, at);
}

/* A kill takes the end of a run and leaves its final state. */
static void a_run_that_has_ended_ends_again(void **state) {
  (void)state;
  pl_spec spec = fake_spec("gd");
  spec.common.record_points = 3; /* 0, 10, 20 */
  fake_values_in(&spec)->standing = falling;
  const double limits[] = {0.15, 0}; /* before the time of the record made there; at it */
  for (int i = 0; i < 2; i++) {
    teller t = new_teller();
    pl_outcome first, again;
    spec.common.stop_loss = limits[i];
    t.keeps = true;
    assert_ok(train(&t, &spec, &first));
    assert_int_equal(first.records, i ? 3 : 2);
    t.num = 0;
    assert_ok(train(&t, &spec, &again));
    assert_int_equal(t.num, 0);
    assert_int_equal(again.state, PL_RUN_DONE);
    assert_int_equal(again.records, first.records);
    assert_int_equal(again.steps_done, first.steps_done);
    if (pl_test_world.rank == 0) pl_ckpt_remove(t.path);
  }
}

/* ---- when to record ---- */

static void check_records(const pl_spec *spec, pl_length length, int64_t n, const int64_t *want) {
  int64_t count, *at = pl_record_steps(spec, &length, &count);
  assert_int_equal(count, n);
  assert_memory_equal(at, want, (size_t)n * sizeof *at);
  pl_free(at);
}

static void records_by_schedule(void **state) {
  (void)state;
  pl_spec spec = fake_spec("gd");
  spec.common.record_points = 5;
  check_records(&spec, (pl_length){.steps = 8}, 5, (const int64_t[]){0, 2, 4, 6, 8});
  check_records(&spec, (pl_length){.steps = 2}, 3, (const int64_t[]){0, 1, 2});
  spec.common.record_schedule = PL_SCHEDULE_LOG;
  check_records(&spec, (pl_length){.steps = 80}, 5, (const int64_t[]){0, 2, 8, 26, 80});
  check_records(&spec, (pl_length){.steps = 5}, 5, (const int64_t[]){0, 1, 2, 3, 5});
  const int64_t listed[] = {3, 4, 100};
  spec.common.record_steps = (pl_ints){3, listed};
  check_records(&spec, (pl_length){.steps = 8}, 3, listed);
}

static void records_by_epoch(void **state) {
  (void)state;
  pl_spec spec = fake_spec("gd");
  spec.common.record_every_epoch = 1;
  check_records(&spec, (pl_length){.steps = 6, .epoch = 2}, 4, (const int64_t[]){0, 2, 4, 6});
  check_records(&spec, (pl_length){.steps = 7, .epoch = 3}, 4, (const int64_t[]){0, 3, 6, 7});
  check_records(&spec, (pl_length){.steps = 2, .epoch = 3}, 2, (const int64_t[]){0, 2});
  /* 10 samples in batches of 4 are 3 steps. */
  spec.common.batch = 4;
  spec.common.epochs = 5;
  pl_length l = pl_length_of(&spec);
  assert_int_equal(l.steps, 15);
  assert_int_equal(l.epoch, 3);
  pl_outcome out = outcome_of(&spec);
  assert_int_equal(out.steps_done, 15);
  assert_int_equal(out.records, 6);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_run_makes_all_its_steps),
    cmocka_unit_test(a_run_ends_below_its_limit),
    cmocka_unit_test(no_objective_is_too_small),
    cmocka_unit_test(a_run_diverges_where_nothing_is_finite),
    cmocka_unit_test(a_record_that_fails_ends_the_run),
    cmocka_unit_test(one_vote_stops_all),
    cmocka_unit_test(a_vote_to_save_goes_on),
    cmocka_unit_test(the_first_of_the_best_records_counts),
    cmocka_unit_test(patience_ends),
    cmocka_unit_test(a_metric_has_a_direction),
    cmocka_unit_test(a_resumed_run_is_the_same),
    cmocka_unit_test(a_resumed_run_waits_no_longer),
    cmocka_unit_test(a_run_that_has_ended_ends_again),
    cmocka_unit_test(records_by_schedule),
    cmocka_unit_test(records_by_epoch),
};
PL_TEST_MAIN(tests)
