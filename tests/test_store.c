/* ranks: 1 2 3 */
#include "mapping.h"
#include "pl_test.h"

#include "nets/group/data.h"
#include "nets/group/keys.h"
#include "run/config.h"
#include "run/train.h"
#include "spectral/spectrum.h"

/* Kept samples and those that are made anew, on one layout. */
typedef struct pair {
  pl_config *config;
  pl_spec spec;
  pl_group *group;
  pl_layout *layout;
  pl_data *data[2];
} pair;

static void make(const char *sweep, pair *p) {
  assert_ok(pl_config_parse(sweep, strlen(sweep), "test", NULL, 0, &p->config));
  pl_config_run(p->config, 0, &p->spec);
  assert_ok(pl_group_of(&p->spec, NULL, &p->group));
  assert_true(pl_group_data_regenerates(&p->spec, p->group));
  p->layout = test_layout(p->group, 3, 2);
  pl_transform *t = NULL;
  double *f = NULL, *F = pl_alloc((size_t)p->layout->local, sizeof *F, "F");
  if (pl_group_data_needs_transform(&p->spec, p->group, PL_DATA_KEEP, true)) {
    assert_ok(pl_transform_new(p->layout, &t));
    f = pl_alloc((size_t)pl_transform_count(t), sizeof *f, "f");
  }
  assert_ok(pl_data_new(&p->spec, p->layout, PL_DATA_KEEP, t, f, F, &p->data[0]));
  pl_free(F);
  F = pl_alloc((size_t)p->layout->scratch, sizeof *F, "F");
  assert_ok(pl_data_new(&p->spec, p->layout, PL_DATA_REGENERATE, NULL, NULL, F, &p->data[1]));
  pl_transform_free(t);
  pl_free(f);
  pl_free(F);
}

static void unmake(pair *p) {
  for (int k = 0; k < 2; k++) pl_data_free(p->data[k]);
  pl_layout_free(p->layout);
  pl_group_free(p->group);
  pl_config_free(p->config);
}

/* 0: bit by bit. */
static void assert_alike(int64_t n, const double *a, const double *b, double tolerance) {
  if (tolerance == 0)
    assert_memory_equal(a, b, (size_t)n * sizeof *a);
  else
    for (int64_t k = 0; k < n; k++) assert_close(a[k], b[k], tolerance);
}

/* Every use of the samples of a part, stack by stack. */
static void compare(const pair *p, pl_part part, double tolerance) {
  const pl_samples *kept = &p->data[0]->part[part], *anew = &p->data[1]->part[part];
  int64_t n = kept->num;
  assert_int_equal(anew->num, n);
  assert_true(n > 0 && kept->x && !anew->x);
  double *c = pl_alloc((size_t)n, sizeof *c, "c"), *dot[2], *out[2];
  for (int64_t i = 0; i < n; i++) c[i] = cos((double)i + 1);
  for (int k = 0; k < 2; k++) {
    dot[k] = pl_zalloc((size_t)n, sizeof *dot[k], "products");
    out[k] = pl_alloc((size_t)p->layout->scratch, sizeof *out[k], "a stack");
  }
  for (int s = 0; s < p->layout->num_stacks; s++) {
    const pl_stack *b = &p->layout->stacks[s];
    int64_t doubles = pl_stack_doubles(b);
    if (!b->here) continue;
    for (int64_t i = 0; i < n; i++) {
      pl_samples_get(kept, b, i, out[0]);
      pl_samples_get(anew, b, i, out[1]);
      assert_alike(doubles, out[0], out[1], tolerance);
    }
    pl_samples_sum(kept, b, c, out[0]);
    pl_samples_sum(anew, b, c, out[1]);
    assert_alike(doubles, out[0], out[1], tolerance);
    pl_samples_dot(kept, b, out[0], dot[0]);
    pl_samples_dot(anew, b, out[0], dot[1]);
  }
  assert_alike(n, dot[0], dot[1], tolerance);
  assert_alike(n, kept->y, anew->y, 0);
  for (int k = 0; k < 2; k++) {
    pl_free(dot[k]);
    pl_free(out[k]);
  }
  pl_free(c);
}

static void gaussian_samples_come_back_to_the_bit(void **state) {
  (void)state;
  static const char *const sweeps[] = {
      "{group: S_5, data: {samples: 7, test: 5}}",
      "{group: S_6, data: {samples: 4, test: 1, scale: 3}}",
      "{group: Q_8 x C_3, data: {samples: 6, test: 2}}",
      "{group: D_6 x C_5, data: {samples: 9, test: 3}}",
      /* irreps of more entries than a piece of a sum has */
      "{group: S_25, band.codepth: 2, data: {samples: 5, test: 1}}"};
  for (size_t k = 0; k < sizeof sweeps / sizeof *sweeps; k++) {
    pair p;
    make(sweeps[k], &p);
    compare(&p, PL_TRAIN, 0);
    compare(&p, PL_TEST, 0);
    unmake(&p);
  }
}

/* Samples that come through the transform or through whole matrices, and from transpositions. */
static void sums_of_permutations_come_back(void **state) {
  (void)state;
  static const char *const sweeps[] = {
      "{group: S_5, data: {kind: sparse, samples: 7, nonzeros: 4, test: 5}}",
      "{group: S_6, data: {kind: sparse, samples: 3, nonzeros: 1, test: 2, scale: 3}}",
      "{group: S_8, band.codepth: 3, data: {kind: sparse, samples: 4, test: 2}}",
      "{group: S_25, band.codepth: 2, data: {kind: sparse, samples: 3, test: 2}}"};
  for (size_t k = 0; k < sizeof sweeps / sizeof *sweeps; k++) {
    pair p;
    make(sweeps[k], &p);
    compare(&p, PL_TRAIN, 1e-12);
    compare(&p, PL_TEST, 1e-12);
    unmake(&p);
  }
}

static void only_some_kinds_can(void **state) {
  (void)state;
  static const struct can {
    const char *sweep;
    bool yes;
  } cases[] = {{"{group: D_5, data.kind: gaussian}", true},
               {"{group: D_5, data.kind: sparse}", false},
               {"{group: S_5, data.kind: sparse}", true},
               {"{group: S_5, data: {kind: teacher, irreps: ['4,1']}}", false}};
  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
    pl_config *c;
    pl_spec spec;
    pl_group *g;
    assert_ok(pl_config_parse(cases[k].sweep, strlen(cases[k].sweep), "test", NULL, 0, &c));
    pl_config_run(c, 0, &spec);
    assert_ok(pl_group_of(&spec, NULL, &g));
    assert_int_equal(pl_group_data_regenerates(&spec, g), cases[k].yes);
    pl_group_free(g);
    pl_config_free(c);
  }
}

/* ---- training ---- */

enum { MOST = 20000 };
typedef struct story {
  double value[MOST];
  int64_t n;
} story;

static void on_record(void *context, int64_t index, const double *values, int64_t n) {
  (void)index;
  story *s = context;
  assert_true(s->n + n <= MOST);
  memcpy(s->value + s->n, values, (size_t)n * sizeof *values);
  s->n += n;
}

static double no_vote(void *context, int64_t step) {
  (void)context, (void)step;
  return PL_VOTE_NONE;
}

static bool no_checkpoint(void *context, pl_model *model, pl_optim *optim, pl_ckpt *at) {
  (void)context, (void)model, (void)optim, (void)at;
  return false;
}

static story *train(const char *sweep, const char *set) {
  pl_config *c;
  pl_spec spec;
  pl_outcome out;
  pl_rates rates = pl_rates_nominal();
  story *s = pl_zalloc(1, sizeof *s, "records");
  assert_ok(pl_config_parse(sweep, strlen(sweep), "test", &set, 1, &c));
  pl_config_run(c, 0, &spec);
  pl_train_hooks hooks = {
      .context = s, .record = on_record, .poll = no_vote, .resume = no_checkpoint};
  pl_length length = pl_length_of(&spec);
  assert_ok(pl_train(&pl_test_world, &spec, &length, &rates, &hooks, &out));
  assert_int_equal(out.state, PL_RUN_DONE);
  pl_config_free(c);
  return s;
}

static void check_training(const char *sweep, double tolerance) {
  story *kept = train(sweep, "data.store=keep"), *anew = train(sweep, "data.store=regenerate");
  assert_int_equal(kept->n, anew->n);
  assert_true(pl_test_world.rank > 0 || kept->n > 100);
  for (int64_t k = 0; k < kept->n; k++)
    if (!isnan(kept->value[k]) || !isnan(anew->value[k]))
      assert_close(anew->value[k] / (1 + fabs(kept->value[k])),
                   kept->value[k] / (1 + fabs(kept->value[k])), tolerance);
  if (tolerance == 0)
    assert_memory_equal(kept->value, anew->value, (size_t)kept->n * sizeof(double));
  pl_free(kept);
  pl_free(anew);
}

#define RUN                                                                                        \
  "model.depth: 3, optimizer.lr: 0.3, steps: 30, record.points: 6, mapping.grid_min_dim: 5"

/* Records with and without whole spectra of beta, and the certificates. */
static void trajectories_do_not_depend_on_the_store(void **state) {
  (void)state;
  check_training("{group: S_5, data: {samples: 6, test: 3}, record.kkt: true, " RUN "}", 0);
  check_training("{group: S_5, data: {samples: 6, test: 3}, record.elements: false, record.kkt: "
                 "true, " RUN "}",
                 0);
  check_training("{group: S_5, data: {samples: 5, validation: 4}, optimizer.kind: ngd, model: "
                 "{depth: 2}, record.elements: false, optimizer.lr: 0.1, steps: 30}",
                 0);
  check_training("{model: {kind: residual, depth: 4}, group: D_5, data.samples: 5, steps: 20}", 0);
  check_training("{group: S_5, data: {kind: sparse, samples: 6, test: 3}, " RUN "}", 1e-9);
  check_training("{group: S_5, data: {kind: sparse, samples: 6}, record.elements: false, " RUN "}",
                 1e-9);
}

/* The measures that are left are the same without functions over the group. */
static void records_without_elements_say_the_same(void **state) {
  (void)state;
  const char *sweep =
      "{group: S_5, data: {samples: 6, test: 3}, record: {irreps: false, kkt: "
      "true}, mapping.grid_min_dim: 5, steps: 25, optimizer.lr: 0.3, model.depth: 2}";
  story *with = train(sweep, "record.elements=true"), *none = train(sweep, "record.elements=false");
  if (pl_test_world.rank == 0) {
    int64_t k = 0, found = 0;
    assert_true(none->n < with->n && none->n > 100);
    /* Left-out values are skipped, and the rest comes in the same order. */
    for (int64_t i = 0; i < with->n && k < none->n; i++)
      if (!memcmp(&with->value[i], &none->value[k], sizeof(double))) k++, found++;
    assert_int_equal(found, none->n);
  }
  pl_free(with);
  pl_free(none);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(gaussian_samples_come_back_to_the_bit),
    cmocka_unit_test(sums_of_permutations_come_back),
    cmocka_unit_test(only_some_kinds_can),
    cmocka_unit_test(trajectories_do_not_depend_on_the_store),
    cmocka_unit_test(records_without_elements_say_the_same),
};
PL_TEST_MAIN(tests)
