/* ranks: 1 3 */
#include "pl_test.h"

#include "base/nc.h"
#include "fake_model.h"
#include "run/ckpt.h"

#include <sys/stat.h>
#include <unistd.h>

enum { DIGEST = 7, STEPS = 5 };
static char path[64], before[80];

static void name_files(void) {
  int id = (int)getpid();
  pl_comm_bcast(&pl_test_world, &id, sizeof id, 0);
  snprintf(path, sizeof path, "/tmp/plancherel_ckpt_%d.nc", id);
  snprintf(before, sizeof before, "%s.previous", path);
}

/* ---- a run under way ---- */

typedef struct run {
  pl_comm team;
  pl_spec spec;
  pl_model *model;
  pl_optim *optim;
} run;

static void begin(run *r, const pl_comm *team, const char *optimizer, bool functions) {
  r->team = *team;
  r->spec = fake_spec(optimizer);
  fake_values_in(&r->spec)->functions = functions;
  assert_ok(fake_create(&r->spec, &r->team, NULL, &r->model));
  r->optim = pl_optim_new(&r->spec, r->model, 2 * STEPS);
}

static void make_steps(run *r, int64_t first, int64_t end) {
  double vote = 0;
  for (int64_t t = first; t < end; t++) fake_step(r->model, t, pl_optim_step(r->optim, t), &vote);
}

static void end(run *r) {
  pl_optim_free(r->optim);
  fake_destroy(r->model);
}

static pl_ckpt at_step(int64_t step) {
  return (pl_ckpt){.step = step,
                   .records = step + 1,
                   .wall_time = 0.1,
                   .best = {.step = 2, .validation = 0.1, .test = NAN, .metric = -3, .waited = 4},
                   .verdict = {1, 0}};
}

static void write_at(run *r, int64_t step) {
  pl_ckpt at = at_step(step);
  assert_ok(pl_ckpt_write(path, &r->team, r->model, r->optim, DIGEST, &at));
}

/* Two runs hold the same, to the last bit. */
static void assert_same(run *a, run *b) {
  const fake *x = (const fake *)a->model, *y = (const fake *)b->model;
  assert_memory_equal(x->w, y->w, sizeof x->w);
  assert_memory_equal(x->bias, y->bias, sizeof x->bias);
  assert_memory_equal(x->kept, y->kept, sizeof x->kept);
  assert_int_equal(x->t, y->t);
  bool functions = pl_optim_functions(a->optim);
  int n = functions ? a->model->num_functions : a->model->num_params;
  const pl_param *p = functions ? a->model->functions : a->model->params;
  for (int s = 0; s < pl_optim_num_moments(a->optim); s++)
    for (int q = 0; q < n; q++)
      assert_memory_equal(pl_optim_moment(a->optim, s, q), pl_optim_moment(b->optim, s, q),
                          (size_t)p[q].n * sizeof(double));
}

static bool reads(run *r, int64_t digest, int64_t records, pl_ckpt *at) {
  pl_log_init(pl_test_world.rank, PL_LOG_ERROR);
  bool found = pl_ckpt_read(path, &r->team, r->model, r->optim, digest, records, at);
  pl_log_init(pl_test_world.rank, PL_LOG_WARNING);
  return found;
}

static void clean(void) {
  if (pl_test_world.rank == 0) pl_ckpt_remove(path);
  MPI_Barrier(pl_test_world.mpi);
}

/* ---- tests ---- */

static const char *const optimizers[] = {"gd", "momentum", "adagrad", "adam"};

static void what_is_written_is_read(void **state) {
  (void)state;
  name_files();
  for (int i = 0; i < 4; i++)
    for (int functions = 0; functions < 2; functions++) {
      run a, b;
      begin(&a, &pl_test_world, optimizers[i], functions);
      begin(&b, &pl_test_world, optimizers[i], functions);
      make_steps(&a, 0, STEPS);
      write_at(&a, STEPS);
      pl_ckpt at = {0}, want = at_step(STEPS);
      assert_true(reads(&b, DIGEST, INT64_MAX, &at));
      assert_memory_equal(&at, &want, sizeof at);
      assert_ok(pl_ckpt_look(path, DIGEST, &at));
      assert_memory_equal(&at, &want, sizeof at);
      assert_int_equal(pl_ckpt_look(path, DIGEST + 1, &at), PL_EINPUT);
      assert_int_equal(pl_ckpt_look("/nowhere.nc", DIGEST, &at), PL_EINPUT);
      assert_same(&a, &b);
      make_steps(&a, STEPS, 2 * STEPS);
      make_steps(&b, STEPS, 2 * STEPS);
      assert_same(&a, &b);
      end(&a);
      end(&b);
      clean();
    }
}

/* The file does not know how many ranks wrote it: here all of them, read by one alone. */
static void any_team_reads_it(void **state) {
  (void)state;
  name_files();
  run a;
  begin(&a, &pl_test_world, "adam", true);
  make_steps(&a, 0, STEPS);
  write_at(&a, STEPS);
  pl_comm one = pl_comm_split(&pl_test_world, pl_test_world.rank == 0 ? 0 : -1, 0);
  if (pl_test_world.rank == 0) {
    run b, c;
    pl_ckpt at = {0};
    begin(&b, &one, "adam", true);
    begin(&c, &one, "adam", true);
    assert_true(reads(&b, DIGEST, INT64_MAX, &at));
    make_steps(&c, 0, STEPS);
    const fake *x = (const fake *)b.model, *y = (const fake *)c.model;
    for (int k = 0; k < 2 * FAKE_BLOCK; k++)
      assert_close(x->w[k / FAKE_BLOCK][k % FAKE_BLOCK], y->w[k / FAKE_BLOCK][k % FAKE_BLOCK],
                   1e-14);
    assert_memory_equal(((const fake *)a.model)->bias, x->bias, sizeof x->bias);
    end(&b);
    end(&c);
  }
  pl_comm_free(&one);
  end(&a);
  clean();
}

static void a_variable_for_each_weight(void **state) {
  (void)state;
  name_files();
  run a;
  begin(&a, &pl_test_world, "adam", false);
  write_at(&a, STEPS);
  if (pl_test_world.rank == 0) {
    static const struct {
      const char *name;
      int64_t length;
    } want[] = {{"weight_matrix", 2 * FAKE_BLOCK},   {"weight_bias", FAKE_BIAS},
                {"momentum_matrix", 2 * FAKE_BLOCK}, {"momentum_bias", FAKE_BIAS},
                {"squares_matrix", 2 * FAKE_BLOCK},  {"squares_bias", FAKE_BIAS},
                {"keep_entries", FAKE_ENTRIES}};
    pl_nc *nc;
    assert_ok(pl_nc_open(path, false, &nc));
    for (int i = 0; i < 7; i++) {
      int64_t n = want[i].length;
      assert_ok(pl_nc_expect(nc, want[i].name, false, 1, &n));
    }
    double w[2 * FAKE_BLOCK];
    assert_ok(pl_nc_get_doubles(nc, "weight_matrix", NULL, NULL, w));
    for (int k = 0; k < 2 * FAKE_BLOCK; k++)
      assert_true(w[k] == 1 + k / FAKE_BLOCK + 0.1 * (k % FAKE_BLOCK));
    pl_nc_close(nc);
  }
  end(&a);
  clean();
}

static void other_runs_and_later_records_are_passed_over(void **state) {
  (void)state;
  name_files();
  run a;
  pl_ckpt at = {.step = -5};
  begin(&a, &pl_test_world, "gd", false);
  assert_false(reads(&a, DIGEST, INT64_MAX, &at)); /* there is none */
  write_at(&a, 3);
  write_at(&a, 4);
  assert_false(reads(&a, DIGEST + 1, INT64_MAX, &at));
  assert_false(reads(&a, DIGEST, 3, &at));
  assert_int_equal(at.step, -5);
  assert_true(reads(&a, DIGEST, 5, &at));
  assert_int_equal(at.step, 4);
  /* The output has only what the one before it counts on. */
  assert_true(reads(&a, DIGEST, 4, &at));
  assert_int_equal(at.step, 3);
  end(&a);
  clean();
}

static void flip(const char *file, long at) {
  FILE *f = fopen(file, "r+b");
  assert_non_null(f);
  fseek(f, at, SEEK_SET);
  int c = fgetc(f);
  fseek(f, at, SEEK_SET);
  fputc(c ^ 1, f);
  fclose(f);
}

/* Wherever it is among the numbers, which end the file: the one before it is used, the run that
 * reads is as it was then. */
static void one_flipped_bit_shows(void **state) {
  (void)state;
  name_files();
  run a, b;
  begin(&a, &pl_test_world, "momentum", false);
  begin(&b, &pl_test_world, "momentum", false);
  make_steps(&b, 0, 3);
  make_steps(&a, 0, 3);
  write_at(&a, 3);
  make_steps(&a, 3, 4);
  write_at(&a, 4);
  struct stat s;
  assert_int_equal(stat(path, &s), 0);
  /* digest .. converged, weights, moments, kept, checksum: eight bytes each */
  long bytes = 8 * (13 + 2 * (2 * FAKE_BLOCK + FAKE_BIAS) + FAKE_ENTRIES + 1);
  for (long back = 1; back <= bytes; back += 13) {
    run c;
    pl_ckpt at = {0};
    begin(&c, &pl_test_world, "momentum", false);
    MPI_Barrier(pl_test_world.mpi);
    if (pl_test_world.rank == 0) flip(path, (long)s.st_size - back);
    assert_true(reads(&c, DIGEST, INT64_MAX, &at));
    assert_int_equal(at.step, 3);
    assert_same(&b, &c);
    if (pl_test_world.rank == 0) flip(path, (long)s.st_size - back);
    end(&c);
  }
  end(&a);
  end(&b);
  clean();
}

static void other_formats_are_refused(void **state) {
  (void)state;
  name_files();
  for (int format = 3; format <= 5; format += 2) {
    run a;
    pl_ckpt at = {0};
    begin(&a, &pl_test_world, "gd", false);
    write_at(&a, STEPS);
    if (pl_test_world.rank == 0) {
      pl_nc *nc;
      assert_ok(pl_nc_open(path, true, &nc));
      assert_ok(pl_nc_redefine(nc));
      assert_ok(pl_nc_att_ints(nc, NULL, "format", PL_NC_INT, &format, 1));
      assert_ok(pl_nc_end_def(nc));
      assert_ok(pl_nc_close(nc));
    }
    assert_false(reads(&a, DIGEST, INT64_MAX, &at));
    if (pl_test_world.rank == 0) {
      char want[64];
      snprintf(want, sizeof want, "format %d, expected 4", format);
      assert_non_null(strstr(pl_error_message(), want));
    }
    end(&a);
    clean();
  }
}

static void a_folder_that_is_missing_is_told_to_all(void **state) {
  (void)state;
  run a;
  pl_ckpt at = at_step(STEPS);
  begin(&a, &pl_test_world, "gd", false);
  assert_int_equal(pl_ckpt_write("/nowhere/at/all.nc", &pl_test_world, a.model, a.optim, 7, &at),
                   PL_EENV);
  end(&a);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(what_is_written_is_read),
    cmocka_unit_test(any_team_reads_it),
    cmocka_unit_test(a_variable_for_each_weight),
    cmocka_unit_test(other_runs_and_later_records_are_passed_over),
    cmocka_unit_test(one_flipped_bit_shows),
    cmocka_unit_test(other_formats_are_refused),
    cmocka_unit_test(a_folder_that_is_missing_is_told_to_all),
};
PL_TEST_MAIN(tests)
