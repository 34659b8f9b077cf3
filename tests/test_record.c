/* ranks: 1 */
#include "pl_test.h"

#include "base/nc.h"
#include "fake_model.h"
#include "run/outline.h"
#include "run/record.h"
#include "run/shard.h"

#include <math.h>
#include <unistd.h>

static char path[64];

static void name_file(void) {
  snprintf(path, sizeof path, "/tmp/plancherel_record_%d.nc", (int)getpid());
  unlink(path);
}

static pl_config *sweep(const char *text) {
  pl_config *cfg;
  assert_ok(pl_config_parse(text, strlen(text), "sweep", NULL, 0, &cfg));
  return cfg;
}

static pl_recorder *create(const char *file, const pl_config *cfg) {
  pl_rates rates = pl_rates_nominal();
  pl_plan *plan;
  pl_recorder *rec;
  assert_ok(pl_plan_new(cfg, 1, 1e12, &rates, &plan));
  assert_ok(pl_recorder_create(file, true, cfg, plan, "a command", &rec));
  pl_plan_free(plan);
  return rec;
}

/* A record that nothing else is like. */
static void fill(double *values, int64_t n, int64_t run, int64_t index) {
  for (int64_t k = 0; k < n; k++)
    values[k] = 1e6 * (double)run + 1e3 * (double)index + (double)k + 0.25;
  values[PL_RECORD_STEP] = (double)index;
}

static void put(pl_recorder *rec, int64_t run, int64_t index) {
  int64_t n = pl_recorder_size(rec, run);
  double *values = pl_alloc((size_t)n, sizeof *values, "a record");
  fill(values, n, run, index);
  assert_ok(pl_recorder_record(rec, run, index, values, n));
  pl_free(values);
}

static void assert_record(const pl_recorder *rec, int64_t run, int64_t index, int64_t as_run) {
  int64_t n = pl_recorder_size(rec, run);
  double *got = pl_alloc((size_t)n, sizeof *got, "a record"), *want;
  want = pl_alloc((size_t)n, sizeof *want, "a record");
  fill(want, n, as_run, index);
  assert_ok(pl_recorder_read(rec, run, index, got));
  assert_memory_equal(got, want, (size_t)n * sizeof *got);
  pl_free(got);
  pl_free(want);
}

static pl_outcome outcome(pl_run_state state, int64_t records) {
  return (pl_outcome){.state = state,
                      .steps_done = records - 1,
                      .records = records,
                      .best = pl_best_none(),
                      .wall_time = 1.5,
                      .memory = 100};
}

static pl_outcome read_run(const pl_recorder *rec, int64_t run) {
  pl_outcome o;
  assert_ok(pl_recorder_run(rec, run, &o));
  return o;
}

/* Two groups and three depths: axes of many segments. */
static const char *const MIXED =
    "{group: [S_3, S_4], model.depth: [2, 3, 4], steps: 4, record.points: 5, seed: 0..1}";

static void what_is_recorded_is_read(void **state) {
  (void)state;
  name_file();
  pl_config *cfg = sweep(MIXED);
  pl_recorder *rec = create(path, cfg);
  for (int64_t run = 0; run < 12; run++) {
    assert_int_equal(read_run(rec, run).state, PL_RUN_PENDING);
    assert_ok(pl_recorder_start(rec, run, 3));
    for (int64_t i = 0; i <= run % 5; i++) put(rec, run, i);
  }
  pl_outcome done = outcome(PL_RUN_DONE, 4);
  assert_ok(pl_recorder_end(rec, 3, &done));
  assert_ok(pl_recorder_close(rec));
  assert_ok(pl_recorder_open(path, true, cfg, &rec));
  for (int64_t run = 0; run < 12; run++) {
    pl_outcome o = read_run(rec, run);
    int ranks;
    assert_int_equal(o.state, run == 3 ? PL_RUN_DONE : PL_RUN_RUNNING);
    assert_int_equal(o.records, run % 5 + 1);
    assert_int_equal(o.steps_done, run == 3 ? 3 : run % 5);
    assert_ok(pl_recorder_ranks(rec, run, &ranks));
    assert_int_equal(ranks, 3);
    assert_true(pl_recorder_size(rec, run) <= pl_recorder_longest(rec));
    for (int64_t i = 0; i <= run % 5; i++) assert_record(rec, run, i, run);
  }
  /* One run forgotten, the others as they were. */
  assert_ok(pl_recorder_clear(rec, 8));
  assert_int_equal(read_run(rec, 8).state, PL_RUN_PENDING);
  assert_int_equal(read_run(rec, 8).records, 0);
  for (int64_t i = 0; i <= 2; i++) assert_record(rec, 7, i, 7);
  for (int64_t i = 0; i <= 4; i++) assert_record(rec, 9, i, 9);
  put(rec, 8, 0);
  assert_record(rec, 8, 0, 8);
  assert_ok(pl_recorder_close(rec));
  pl_config_free(cfg);
  unlink(path);
}

/* What is gathered reaches the file whole, in whatever order it came; nothing of it before. */
static void gathered_records_are_read(void **state) {
  (void)state;
  name_file();
  pl_config *cfg = sweep(MIXED);
  pl_recorder *rec = create(path, cfg), *reader;
  pl_outcome done = outcome(PL_RUN_DONE, 5);
  done.verdict = (pl_verdict){1, 0};
  pl_recorder_gather(rec, 1e9);
  assert_true(isinf(pl_recorder_oldest(rec)));
  /* Runs come mixed, as from several teams; one has a gap to the next, one is not done. */
  for (int64_t i = 0; i < 5; i++)
    for (int64_t run = 11; run >= 0; run--) {
      if (run == 5) continue;
      if (i == 0) assert_ok(pl_recorder_start(rec, run, 2));
      if (run != 7 || i < 3) put(rec, run, i);
      if (i == 4 && run != 7) assert_ok(pl_recorder_end(rec, run, &done));
    }
  assert_false(isinf(pl_recorder_oldest(rec)));
  assert_ok(pl_recorder_open(path, false, cfg, &reader));
  assert_int_equal(read_run(reader, 0).state, PL_RUN_PENDING);
  assert_ok(pl_recorder_close(reader));
  assert_ok(pl_recorder_flush(rec));
  assert_true(isinf(pl_recorder_oldest(rec)));
  assert_ok(pl_recorder_open(path, false, cfg, &reader));
  for (int64_t run = 0; run < 12; run++) {
    pl_outcome o = read_run(reader, run);
    int64_t records = run == 5 ? 0 : run == 7 ? 3 : 5;
    assert_int_equal(o.state, run == 5 ? PL_RUN_PENDING : run == 7 ? PL_RUN_RUNNING : PL_RUN_DONE);
    assert_int_equal(o.records, records);
    assert_int_equal(o.verdict.separated, run == 5 || run == 7 ? PL_UNSAID : 1);
    assert_int_equal(o.verdict.converged, run == 5 || run == 7 ? PL_UNSAID : 0);
    for (int64_t i = 0; i < records; i++) assert_record(reader, run, i, run);
  }
  assert_ok(pl_recorder_close(reader));
  /* A record written twice: the later holds. */
  pl_recorder_gather(rec, 1e9);
  put(rec, 7, 3);
  put(rec, 7, 3);
  assert_record(rec, 7, 3, 7);
  assert_ok(pl_recorder_close(rec));
  pl_config_free(cfg);
  unlink(path);
}

/* Irreps of S_3, then of S_4: each run writes into its own. */
static void axes_stand_one_after_the_other(void **state) {
  (void)state;
  name_file();
  pl_config *cfg = sweep("{group: [S_3, S_4], steps: 1, record.points: 2}");
  pl_recorder *rec = create(path, cfg);
  for (int64_t run = 0; run < 2; run++) put(rec, run, 0);
  assert_ok(pl_recorder_close(rec));
  pl_nc *nc;
  double fill_value, x[2][2][3 + 5];
  assert_ok(pl_nc_open(path, false, &nc));
  assert_ok(pl_nc_expect(nc, "irrep_energy", false, 3, (int64_t[]){2, 2, 8}));
  assert_int_equal(pl_nc_get_att_doubles(nc, "irrep_energy", "_FillValue", &fill_value, 1), 1);
  assert_ok(pl_nc_get_doubles(nc, "irrep_energy", NULL, NULL, x[0][0]));
  for (int run = 0; run < 2; run++)
    for (int i = 0; i < 8; i++) {
      bool own = run == 0 ? i < 3 : i >= 3;
      assert_true((x[run][0][i] != fill_value) == own);
      assert_true(x[run][1][i] == fill_value);
    }
  pl_nc_close(nc);
  pl_config_free(cfg);
  unlink(path);
}

static void another_sweep_is_refused(void **state) {
  (void)state;
  name_file();
  pl_config *cfg = sweep(MIXED), *was;
  pl_recorder *rec = create(path, cfg), *other;
  assert_ok(pl_recorder_close(rec));
  pl_config *longer = sweep("{group: [S_3, S_4], model.depth: [2, 3, 4], steps: 5, "
                            "record.points: 5, seed: 0..1}");
  assert_int_equal(pl_recorder_open(path, false, longer, &other), PL_EINPUT);
  assert_non_null(strstr(pl_error_message(), "steps"));
  pl_plan none = {.rates = pl_rates_nominal()};
  assert_int_equal(pl_recorder_create(path, false, longer, &none, "", &other), PL_EINPUT);
  assert_ok(pl_recorder_config(path, &was));
  assert_ok(pl_config_same(was, cfg));
  pl_config_free(was);
  pl_config_free(longer);
  pl_config_free(cfg);
  unlink(path);
}

/* A run that does not own a key has nothing in its variable; nobody owns, no variable. */
static void keys_stand_where_they_are_owned(void **state) {
  (void)state;
  name_file();
  pl_config *cfg = sweep("{group: S_3, zip: [[optimizer.kind, model.depth]], "
                         "optimizer.kind: [gd, momentum, muon], model.depth: [2, 3, 4], "
                         "optimizer.momentum: 0.5, stop.loss: [0.1, 0.2], steps: 3}");
  assert_ok(pl_recorder_close(create(path, cfg)));
  pl_nc *nc;
  double real[6], fill_value;
  int64_t whole[6];
  char text[6][16];
  assert_ok(pl_nc_open(path, false, &nc));
  assert_int_equal(pl_nc_get_att_doubles(nc, "optimizer_momentum", "_FillValue", &fill_value, 1),
                   1);
  assert_ok(pl_nc_get_doubles(nc, "optimizer_momentum", NULL, NULL, real));
  for (int r = 0; r < 6; r++) assert_true(real[r] == (r < 2 ? fill_value : 0.5));
  assert_ok(pl_nc_get_ints(nc, "model_depth", NULL, NULL, whole));
  for (int r = 0; r < 6; r++) assert_int_equal(whole[r], 2 + r / 2);
  assert_ok(pl_nc_get_doubles(nc, "stop_loss", NULL, NULL, real));
  for (int r = 0; r < 6; r++) assert_true(real[r] == (r % 2 ? 0.2 : 0.1));
  int64_t shape[] = {6, 8};
  assert_ok(pl_nc_expect(nc, "optimizer_kind", true, 2, shape));
  assert_ok(pl_nc_get_text(nc, "optimizer_kind", NULL, NULL, text[0]));
  assert_memory_equal(text[0] + 2 * 8, "momentum", 8);
  /* The name of a measure, one that nobody sets, one that is nobody's. */
  assert_ok(pl_nc_expect(nc, "loss", false, 2, (int64_t[]){6, -1}));
  assert_int_equal(pl_nc_var(nc, "loss_kind", NULL, NULL, NULL, 0), 2);
  assert_int_equal(pl_nc_var(nc, "data_seed", NULL, NULL, NULL, 0), -1);
  assert_int_equal(pl_nc_var(nc, "optimizer_beta1", NULL, NULL, NULL, 0), -1);
  /* No run has a validation part. */
  assert_int_equal(pl_nc_var(nc, "best_step", NULL, NULL, NULL, 0), -1);
  char hue[64];
  assert_true(pl_nc_get_att_text(nc, NULL, "default_hue", hue, sizeof hue));
  assert_string_equal(hue, "optimizer_kind");
  pl_nc_close(nc);
  pl_config_free(cfg);
  unlink(path);
}

/* A text longer than any buffer on the way. */
static void long_values_are_whole(void **state) {
  (void)state;
  name_file();
  enum { N = 2000 };
  char *list = pl_strdup("");
  for (int k = 0; k < N; k++) {
    char *longer = pl_asprintf("%s%s%d", list, k ? ", " : "", k);
    pl_free(list);
    list = longer;
  }
  char *text = pl_asprintf("{group: S_3, steps: 2000, record.steps: [[%s], [1]]}", list);
  pl_config *cfg = sweep(text);
  assert_ok(pl_recorder_close(create(path, cfg)));
  pl_nc *nc;
  size_t n = strlen(list) + 2;
  char *got = pl_zalloc(2 * n, 1, "text");
  assert_ok(pl_nc_open(path, false, &nc));
  assert_ok(pl_nc_expect(nc, "record_steps", true, 2, (int64_t[]){2, (int64_t)n}));
  assert_ok(pl_nc_get_text(nc, "record_steps", NULL, NULL, got));
  assert_memory_equal(got + 1, list, n - 2);
  assert_memory_equal(got + n, "[1]", 4);
  pl_nc_close(nc);
  pl_free(got);
  pl_free(list);
  pl_free(text);
  pl_config_free(cfg);
  unlink(path);
}

/* ---- shards ---- */

static void shards_merge_into_the_whole(void **state) {
  (void)state;
  name_file();
  char part[2][80];
  const char *inputs[2];
  pl_config *cfg = sweep(MIXED);
  for (int i = 0; i < 2; i++) {
    snprintf(part[i], sizeof part[i], "%s.%d", path, i);
    inputs[i] = part[i];
    pl_config_select_all(cfg);
    assert_ok(pl_shard_select(&pl_test_world, cfg, i, 2));
    pl_recorder *rec = create(part[i], cfg);
    for (int64_t r = 0; r < pl_config_num_runs(cfg); r++) {
      int64_t run = pl_config_index(cfg, r), n = pl_recorder_size(rec, r);
      double *values = pl_alloc((size_t)n, sizeof *values, "a record");
      pl_outcome done = outcome(PL_RUN_DONE, 1);
      fill(values, n, run, 0);
      assert_ok(pl_recorder_start(rec, r, 1));
      assert_ok(pl_recorder_record(rec, r, 0, values, n));
      assert_ok(pl_recorder_end(rec, r, &done));
      pl_free(values);
    }
    assert_ok(pl_recorder_close(rec));
  }
  pl_config_select_all(cfg);
  assert_ok(pl_merge(inputs, 2, path, false, "merge"));
  pl_recorder *rec;
  assert_ok(pl_recorder_open(path, false, cfg, &rec));
  for (int64_t run = 0; run < 12; run++) {
    assert_int_equal(read_run(rec, run).state, PL_RUN_DONE);
    assert_record(rec, run, 0, run);
  }
  assert_ok(pl_recorder_close(rec));
  inputs[1] = inputs[0];
  assert_int_equal(pl_merge(inputs, 2, path, true, "merge"), PL_EINPUT);
  assert_non_null(strstr(pl_error_message(), "is in an earlier file, too"));
  pl_config_free(cfg);
  for (int i = 0; i < 2; i++) unlink(part[i]);
  unlink(path);
}

/* ---- what can share a file ---- */

static void nothing(const void *s, double *out) {
  (void)s;
  *out = 0;
}
static const pl_measure other_units[] = {
    {.name = "parameter_norm", .units = "m", .long_name = "norm", .compute = nothing}};
static const pl_measure other_meaning[] = {
    {.name = "parameter_norm", .units = "1", .long_name = "largest weight", .compute = nothing}};
static const pl_measure other_axis[] = {
    {.name = "loss", .axis = "entry", .units = "1", .long_name = "objective", .compute = nothing}};
static const pl_measure same_meaning[] = {
    {.name = "parameter_norm", .units = "1", .long_name = "norm", .compute = nothing},
    {.name = "entries", .axis = "entry", .units = "1", .long_name = "more", .compute = nothing}};

/* What the second network records, on an axis of this key. */
static pl_measures second_table;
static pl_axis second_axis;

static pl_status describe_second(const pl_spec *spec, pl_schema *out) {
  const pl_measures *const tables[] = {&second_table, NULL};
  pl_schema_init(out, spec, tables, &second_axis, 1, NULL, NULL);
  return PL_OK;
}

/* The first network and the second in one sweep. */
static pl_status both(const pl_measure *rows, int n, const char *key, const char *sole,
                      const pl_coord *coords, const char **fault) {
  const pl_model_kind second = {.name = "second", .describe = describe_second};
  pl_spec a = fake_spec("gd"), b = fake_spec("gd");
  b.model = &second;
  second_table = (pl_measures){n, rows};
  second_axis = (pl_axis){.name = "entry",
                          .key = (char *)(uintptr_t)key,
                          .length = 3,
                          .coords = coords,
                          .num_coords = 1,
                          .sole = sole};
  pl_outline *o = pl_zalloc(1, sizeof *o, "an outline");
  assert_ok(pl_outline_add(o, 0, &a, fault));
  pl_status st = pl_outline_add(o, 4, &b, fault);
  if (!st) {
    assert_int_equal(o->num_records, 21);
    assert_true(pl_outline_has(o, "entries") && pl_outline_has(o, "entry_number"));
    assert_false(pl_outline_has(o, "nonsense"));
    assert_int_equal(pl_outline_dimension(o, "entry")->num_segments, *key ? 2 : 1);
  }
  pl_outline_free(o);
  return st;
}

static void one_name_has_one_meaning(void **state) {
  (void)state;
  const char *key;
  assert_ok(both(same_meaning, 2, "", NULL, fake_coords, &key));
  assert_ok(both(same_meaning, 2, "other", NULL, fake_coords, &key));
  const pl_measure *const bad[] = {other_units, other_meaning, other_axis};
  for (int i = 0; i < 3; i++) {
    assert_int_equal(both(bad[i], 1, "", NULL, fake_coords, &key), PL_EINPUT);
    assert_string_equal(key, "model.kind");
    assert_non_null(strstr(pl_error_message(), "fake (run 0)"));
    assert_non_null(strstr(pl_error_message(), "second (run 4)"));
    assert_non_null(strstr(pl_error_message(), bad[i]->name));
  }
  /* Nor may coordinates differ. */
  const pl_coord metres[] = {{"entry_number", "m", "number", .value = fake_entry}};
  assert_int_equal(both(same_meaning, 2, "", NULL, metres, &key), PL_EINPUT);
  assert_string_equal(key, "model.kind");
}

static void an_axis_may_be_one_for_all(void **state) {
  (void)state;
  const char *key;
  assert_ok(both(same_meaning, 2, "", "record.entries", fake_coords, &key));
  assert_int_equal(both(same_meaning, 2, "other", "record.entries", fake_coords, &key), PL_EINPUT);
  assert_string_equal(key, "record.entries");
  assert_non_null(strstr(pl_error_message(), "one entry axis per sweep: run 4 has other, run 0"));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(gathered_records_are_read),       cmocka_unit_test(what_is_recorded_is_read),
    cmocka_unit_test(axes_stand_one_after_the_other),  cmocka_unit_test(another_sweep_is_refused),
    cmocka_unit_test(keys_stand_where_they_are_owned), cmocka_unit_test(long_values_are_whole),
    cmocka_unit_test(shards_merge_into_the_whole),     cmocka_unit_test(one_name_has_one_meaning),
    cmocka_unit_test(an_axis_may_be_one_for_all),
};
PL_TEST_MAIN(tests)
