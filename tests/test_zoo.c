/* ranks: 1 3 */
/* The suite of all networks: what holds for every row of the zoo, on the small sweep that the row
 * itself names.  A new network is tested by its row. */
#include "zoo_run.h"

#include "base/file.h"
#include "base/pause.h"
#include "model/batch.h"
#include "model/optim.h"
#include "run/ckpt.h"
#include "run/keys.h"
#include "run/train.h"

#include <float.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- the tables ---- */

static void rows_of_one_name_agree(void **state) {
  (void)state;
  pl_arena arena = {0};
  int num;
  const pl_owned *list = pl_keys_list(&arena, &num);
  for (int i = 0; i < num; i++) {
    const pl_key *a = list[i].row, *b = pl_keys_find(list, num, a->name);
    bool agree = a->type == b->type && a->range == b->range && a->whole == b->whole &&
                 a->ascending == b->ascending && a->touches == b->touches &&
                 (a->word != NULL) == (b->word != NULL);
    if (!agree) print_error("%s: rows of %s and another differ\n", a->name, list[i].name);
    assert_true(agree);
    assert_non_null(a->help);
    assert_true(a->type != PL_KEY_CHOICE || a->choice);
  }
  pl_arena_free(&arena);
}

static void same_meaning(const pl_measure *a, const pl_measure *b) {
  if (strcmp(a->name, b->name) != 0) return;
  assert_true(a->axis && b->axis ? !strcmp(a->axis, b->axis) : a->axis == b->axis);
  assert_string_equal(a->units, b->units);
  assert_string_equal(a->long_name, b->long_name);
}

static void measures_of_one_name_have_one_meaning(void **state) {
  (void)state;
  for (int i = 0; pl_zoo_model(i); i++)
    for (const pl_measures *const *s = pl_zoo_model(i)->measures; *s; s++)
      for (int j = 0; j <= i; j++)
        for (const pl_measures *const *t = pl_zoo_model(j)->measures; *t; t++)
          for (int k = 0; k < (*s)->num; k++)
            for (int l = 0; l < (*t)->num; l++) same_meaning(&(*s)->row[k], &(*t)->row[l]);
}

static void rows_are_whole(const pl_model_kind *kind) {
  assert_true(kind->name && kind->help && kind->example && kind->summary && kind->reference);
  assert_true(kind->headline && kind->headline[0] && kind->weights);
  /* What decides who owns keys has no default of one network. */
  for (const pl_default *d = kind->defaults; d && d->key; d++)
    assert_false(strlen(d->key) > 5 && !strcmp(d->key + strlen(d->key) - 5, ".kind") &&
                 strcmp(d->key, "model.init.kind") != 0);
  for (const pl_data_kind *const *d = kind->data; *d; d++) {
    int i = 0;
    while (pl_zoo_data(i) && pl_zoo_data(i) != *d) i++;
    assert_ptr_equal(pl_zoo_data(i), *d);
    assert_ptr_equal(pl_model_data(kind, (*d)->name), *d);
  }
}

static void every_row_is_whole(void **state) {
  (void)state;
  each(rows_are_whole);
}

/* A text that the key must refuse; NULL: it takes any. */
static const char *bad_value(const pl_key *k) {
  static char text[64];
  switch (k->type) {
  case PL_KEY_INT:
  case PL_KEY_INTS:
    snprintf(text, sizeof text, "%.0f", k->min - 1);
    return text;
  case PL_KEY_REAL:
  case PL_KEY_REALS:
    return "-1";
  case PL_KEY_BOOL:
  case PL_KEY_CHOICE:
    return "neither";
  default:
    return NULL;
  }
}

static void refuses_bad_values(const pl_model_kind *kind) {
  for (const pl_keys *const *t = kind->keys; *t; t++)
    for (int k = 0; k < (*t)->num; k++) {
      const pl_key *key = &(*t)->row[k];
      const char *value = bad_value(key);
      if (!value) continue;
      pl_config *cfg;
      char *set = pl_asprintf("%s=%s", key->name, value);
      assert_int_equal(parse(kind, set, &cfg), PL_EINPUT);
      assert_non_null(strstr(pl_error_message(), key->name));
      pl_free(set);
    }
}

static void bad_values_are_refused(void **state) {
  (void)state;
  each(refuses_bad_values);
}

/* ---- the gradient ---- */

/* An update that keeps the gradients and moves nothing. */
typedef struct keeper {
  pl_update update;
  double log_scale;
  double **g;
} keeper;

static void keep_scale(pl_update *u, double log_scale, double norm) {
  (void)norm;
  ((keeper *)u)->log_scale = log_scale;
}

static void keep_gradient(pl_update *u, int p, const pl_param *param, const double *g) {
  if (param->n) memcpy(((keeper *)u)->g[p], g, (size_t)param->n * sizeof *g);
}

static double objective_at(pl_model *m) {
  m->kind->refresh(m, 0);
  return m->kind->standing(m).objective;
}

/* dObjective = weight <g, dw>, block by block, against central differences. */
static void check_gradient(const pl_model_kind *kind) {
  run r = start(kind, NULL, &pl_test_world);
  pl_model *m = r.m;
  keeper k = {.update = {.begin = keep_scale, .apply = keep_gradient}};
  k.g = pl_alloc((size_t)m->num_params, sizeof *k.g, "gradients");
  for (int p = 0; p < m->num_params; p++)
    k.g[p] = pl_zalloc((size_t)m->params[p].n, sizeof(double), "gradient");
  double vote = 0;
  m->kind->step(m, 0, &k.update, &vote);
  for (int p = 0; p < m->num_params; p++) {
    const pl_param *b = &m->params[p];
    double *w = pl_alloc((size_t)b->n, sizeof *w, "weights"), slope = 0, h = 1e-5, at[2];
    if (b->n) memcpy(w, b->w, (size_t)b->n * sizeof *w);
    for (int side = 0; side < 2; side++) {
      for (int64_t i = 0; i < b->n; i++) b->w[i] = w[i] + (side ? h : -h) * direction(i, p);
      at[side] = objective_at(m);
    }
    if (b->n) memcpy(b->w, w, (size_t)b->n * sizeof *w);
    for (int64_t i = 0; i < b->n; i++) slope += b->weight * k.g[p][i] * direction(i, p);
    if (!b->shared) pl_comm_sum(&pl_test_world, &slope, 1);
    slope *= exp(k.log_scale);
    double scale = fmax(1e-2, fabs(slope));
    assert_close((at[1] - at[0]) / (2 * h) / scale, slope / scale, 1e-5);
    pl_free(w);
  }
  for (int p = 0; p < m->num_params; p++) pl_free(k.g[p]);
  pl_free(k.g);
  end(&r);
}

static void gradients_equal_differences(void **state) {
  (void)state;
  each(check_gradient);
}

/* ---- weights out and in ---- */

static void save_and_read(const pl_model_kind *kind) {
  char path[64] = "/tmp/pl_zoo_XXXXXX";
  if (pl_test_world.rank == 0) {
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
  }
  pl_comm_bcast(&pl_test_world, path, sizeof path, 0);
  run r = start(kind, NULL, &pl_test_world);
  train(&r, 0, 3);
  const pl_attribute note = {"note", "for the test"};
  assert_ok(kind->save(r.m, path, &note, 1));
  int64_t n, again;
  double *w = all_weights(r.m, &n);
  double objective = objective_at(r.m);
  char *more = pl_asprintf("model.init={kind: file, path: %s}", path);
  run s = start(kind, more, &pl_test_world);
  double *v = all_weights(s.m, &again);
  assert_int_equal(n, again);
  for (int64_t i = 0; i < n && pl_test_world.rank == 0; i++)
    assert_close(v[i], w[i], 1e-12 * fmax(1, fabs(w[i])));
  assert_close(objective_at(s.m), objective, 1e-11 * fmax(1, fabs(objective)));
  pl_free(more);
  pl_free(w);
  pl_free(v);
  end(&r);
  end(&s);
  if (pl_test_world.rank == 0) unlink(path);
}

static void weights_go_out_and_in(void **state) {
  (void)state;
  each(save_and_read);
}

/* ---- records ---- */

/* Among all that the network may record. */
static bool may_record(const pl_model_kind *kind, const char *name) {
  for (const pl_measures *const *t = kind->measures; *t; t++)
    for (int i = 0; i < (*t)->num; i++)
      if (!strcmp((*t)->row[i].name, name)) return true;
  return false;
}

static void observe_fills_the_schema(const pl_model_kind *kind) {
  run r = start(kind, NULL, &pl_test_world);
  pl_schema s;
  assert_ok(kind->describe(&r.spec, &s));
  enum { GUARD = 16 };
  double *out = pl_alloc((size_t)s.size + GUARD, sizeof *out, "a record");
  for (int64_t i = 0; i < s.size + GUARD; i++) out[i] = -123456.75;
  assert_ok(kind->observe(r.m, out));
  if (pl_test_world.rank == 0) {
    for (int64_t i = 0; i < s.size; i++) assert_true(out[i] != -123456.75);
    for (int64_t i = s.size; i < s.size + GUARD; i++) assert_true(out[i] == -123456.75);
  }
  /* Readers show first what there is of it: what training lowers and one thing more at least. */
  int there = 0;
  for (const char *const *h = kind->headline; *h; h++) {
    assert_true(may_record(kind, *h));
    there += pl_schema_find(&s, *h) >= 0;
  }
  assert_true(there >= 2 && pl_schema_find(&s, kind->headline[0]) >= 0);
  /* A record changes nothing. */
  int64_t n;
  double *before = all_weights(r.m, &n);
  train(&r, 0, 2);
  double *after = all_weights(r.m, &n);
  run plain = start(kind, NULL, &pl_test_world);
  train(&plain, 0, 2);
  double *want = all_weights(plain.m, &n);
  if (pl_test_world.rank == 0) assert_memory_equal(after, want, (size_t)n * sizeof *want);
  pl_free(before);
  pl_free(after);
  pl_free(want);
  pl_free(out);
  pl_schema_free(&s);
  end(&plain);
  end(&r);
}

static void describe_and_observe_agree(void **state) {
  (void)state;
  each(observe_fills_the_schema);
}

/* ---- ranks ---- */

static void check_ranks(const pl_model_kind *kind) {
  compare_ranks(kind, NULL);
}

static void teams_of_any_size_agree(void **state) {
  (void)state;
  each(check_ranks);
}

/* ---- resuming ---- */

typedef struct session {
  const run *r;
  const char *path;
  int64_t stop; /* after so many steps; -1: never */
  bool resume;
  int enough; /* number of the pause, of records alone, that gives up; 0: none does */
  int pauses; /* so far, on rank 0 */
  bool set_up;
  double *weights; /* at the end */
  int64_t n;
  int64_t records, size;
  double *last; /* record */
} session;

static void on_record(void *context, int64_t index, const double *values, int64_t n) {
  session *s = context;
  (void)index;
  s->records++;
  s->size = n;
  s->last = pl_realloc(s->last, (size_t)n, sizeof *s->last, "a record");
  memcpy(s->last, values, (size_t)n * sizeof *s->last);
}

static double on_poll(void *context, int64_t step) {
  session *s = context;
  return s->stop >= 0 && step + 1 >= s->stop ? PL_VOTE_STOP : PL_VOTE_NONE;
}

static bool on_resume(void *context, pl_model *model, pl_optim *optim, pl_ckpt *at) {
  session *s = context;
  s->set_up = true;
  return s->resume && pl_ckpt_read(s->path, &pl_test_world, model, optim, 7, INT64_MAX, at);
}

static pl_status on_save(void *context, pl_model *model, pl_optim *optim, const pl_ckpt *at) {
  session *s = context;
  return pl_ckpt_write(s->path, &pl_test_world, model, optim, 7, at);
}

static pl_status on_finish(void *context, pl_model *model, pl_run_state state) {
  session *s = context;
  if (state == PL_RUN_DONE) s->weights = all_weights(model, &s->n);
  return PL_OK;
}

/* By rank 0 alone. */
static pl_status on_pause(void *context) {
  session *s = context;
  if (pl_test_world.rank != 0 || !s->set_up) return PL_OK;
  return ++s->pauses == s->enough ? pl_error(PL_STOPPED, "enough") : PL_OK;
}

static pl_run_state sit(session *s) {
  pl_outcome out;
  pl_train_hooks hooks = {.context = s,
                          .record = on_record,
                          .poll = on_poll,
                          .pause = on_pause,
                          .resume = on_resume,
                          .save = on_save,
                          .finish = on_finish};
  pl_length length = pl_length_of(&s->r->spec);
  assert_ok(pl_train(&pl_test_world, &s->r->spec, &length, rates(), &hooks, &out));
  return out.state;
}

static void leave(session *s) {
  pl_free(s->weights);
  pl_free(s->last);
}

static int num_records_given_up;

/* A record given up at a pause is as if it had not been begun: what is saved then leads to the same
 * weights and the same record, to the last bit. */
static void check_records_given_up(const run *r, const char *path, session *whole, int places) {
  pl_comm_bcast(&pl_test_world, &whole->pauses, sizeof whole->pauses, 0);
  for (int k = 1; k <= places && whole->pauses > 0; k++) {
    session first = {
        .r = r, .path = path, .stop = -1, .enough = 1 + whole->pauses * k / (places + 1)};
    session second = {.r = r, .path = path, .stop = -1, .resume = true};
    assert_int_equal(sit(&first), PL_RUN_STOPPED);
    assert_int_equal(sit(&second), PL_RUN_DONE);
    if (pl_test_world.rank == 0) {
      assert_memory_equal(whole->weights, second.weights, (size_t)whole->n * sizeof(double));
      assert_memory_equal(whole->last, second.last, (size_t)whole->size * sizeof(double));
      assert_int_equal(whole->records, first.records + second.records);
      pl_ckpt_remove(path);
    }
    num_records_given_up++;
    leave(&first);
    leave(&second);
  }
}

/* 2N steps are N, a checkpoint, and N more, to the last bit. */
static void check_resume_of(const pl_model_kind *kind, const char *set, int64_t most_steps,
                            int places) {
  char path[64] = "/tmp/pl_zoo_XXXXXX";
  if (pl_test_world.rank == 0) {
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    unlink(path);
  }
  pl_comm_bcast(&pl_test_world, path, sizeof path, 0);
  run r;
  assert_ok(parse(kind, set, &r.cfg));
  pl_config_run(r.cfg, 0, &r.spec);
  if (r.spec.common.steps > most_steps) r.spec.common.steps = most_steps;
  assert_string_equal(r.spec.model->name, kind->name);
  session whole = {.r = &r, .path = path, .stop = -1};
  session first = {.r = &r, .path = path, .stop = pl_run_steps(&r.spec) / 2};
  session second = {.r = &r, .path = path, .stop = -1, .resume = true};
  assert_int_equal(sit(&whole), PL_RUN_DONE);
  assert_int_equal(sit(&first), PL_RUN_STOPPED);
  assert_int_equal(sit(&second), PL_RUN_DONE);
  assert_int_equal(whole.n, second.n);
  if (pl_test_world.rank == 0) {
    assert_memory_equal(whole.weights, second.weights, (size_t)whole.n * sizeof(double));
    assert_int_equal(whole.records, first.records + second.records);
    pl_ckpt_remove(path);
  }
  check_records_given_up(&r, path, &whole, places);
  leave(&whole);
  leave(&first);
  leave(&second);
  pl_config_free(r.cfg);
}

static void check_resume(const pl_model_kind *kind) {
  check_resume_of(kind, NULL, 40, 2);
  /* With a dual bound, which is remembered. */
  if (!strcmp(kind->name, "gcnn")) check_resume_of(kind, "model.depth=2", 100, 6);
}

static void resumed_runs_are_bitwise_the_same(void **state) {
  (void)state;
  each(check_resume);
  assert_true(num_records_given_up > 0);
}

/* ---- given up while they are set up ---- */

/* By rank 0 alone, at the pause that is counted down to. */
static pl_status countdown(void *left) {
  bool now = pl_test_world.rank == 0 && --*(int *)left == 0;
  return now ? pl_error(PL_STOPPED, "enough") : PL_OK;
}

static int num_given_up;

/* All ranks leave; what was there goes, as the balance of memory tells. */
static void check_given_up(const pl_model_kind *kind) {
  for (int left, pauses = 1; pauses <= 4; pauses += 3) {
    pl_config *cfg;
    pl_spec spec;
    pl_model *m;
    assert_ok(parse(kind, NULL, &cfg));
    pl_config_run(cfg, 0, &spec);
    left = pauses;
    pl_pause_do(countdown, &left);
    pl_status st = kind->create(&spec, &pl_test_world, rates(), &m);
    pl_pause_do(NULL, NULL);
    assert_true(st == PL_STOPPED || st == PL_OK); /* it pauses less often */
    assert_true(pl_test_world.rank != 0 || (st == PL_STOPPED) == (left <= 0));
    if (st) assert_string_equal(pl_error_message(), "enough");
    if (!st) kind->destroy(m);
    num_given_up += st != PL_OK;
    pl_config_free(cfg);
  }
}

static void setting_up_is_given_up(void **state) {
  (void)state;
  each(check_given_up);
  assert_true(num_given_up > 0);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(rows_of_one_name_agree),
    cmocka_unit_test(measures_of_one_name_have_one_meaning),
    cmocka_unit_test(every_row_is_whole),
    cmocka_unit_test(bad_values_are_refused),
    cmocka_unit_test(gradients_equal_differences),
    cmocka_unit_test(weights_go_out_and_in),
    cmocka_unit_test(describe_and_observe_agree),
    cmocka_unit_test(teams_of_any_size_agree),
    cmocka_unit_test(resumed_runs_are_bitwise_the_same),
    cmocka_unit_test(setting_up_is_given_up),
};
PL_TEST_MAIN(tests)
