/* ranks: 1 2 */
/* LASSO codes, and networks whose fixed point they are: with the weights that the dictionary gives,
 * residual and momentum layers settle on the codes and RevNets do not; the linearised layers obey
 * their laws. */
#include "zoo_run.h"

#include "nets/vector/vector.h"

enum { FEATURES = 6, ATOMS = 9, SAMPLES = 12 };
static const double LAMBDA = .2;

static double dot(const double *a, const double *b) {
  double sum = 0;
  for (int i = 0; i < FEATURES; i++) sum += a[i] * b[i];
  return sum;
}

static run network_of(int atoms, const char *update, const char *keys) {
  run r;
  const char *key = "";
  char *text =
      pl_asprintf("{model: {kind: unrolled, update: %s, %s}, data: {samples: %d, features: "
                  "%d, atoms: %d, lambda: %g}}",
                  update, keys, SAMPLES, FEATURES, atoms, LAMBDA);
  assert_ok(pl_config_parse(text, strlen(text), "test", NULL, 0, &r.cfg));
  pl_config_run(r.cfg, 0, &r.spec);
  assert_ok(r.spec.model->check(&r.spec, &key));
  assert_ok(r.spec.model->create(&r.spec, &pl_test_world, rates(), &r.m));
  pl_free(text);
  return r;
}

static run network(const char *update, const char *keys) {
  return network_of(ATOMS, update, keys);
}

static void dictionary_of(const run *r, double d[ATOMS][FEATURES]) {
  pl_lasso_dictionary(&r->spec, &d[0][0]);
}

/* The conditions of optimality: <d_j, x - D z> is lambda sign z_j, or within +-lambda at 0. */
static void codes_are_optimal(void **state) {
  (void)state;
  run r = network("residual", "depth: 2");
  double d[ATOMS][FEATURES];
  pl_vectors data;
  int zeros = 0;
  dictionary_of(&r, d);
  assert_ok(pl_vectors_init(&r.spec, &pl_test_world, &data));
  for (int i = 0; i < SAMPLES; i++) {
    const double *x = data.part[PL_TRAIN].x + i * FEATURES, *z = data.part[PL_TRAIN].y + i * ATOMS;
    double rest[FEATURES];
    memcpy(rest, x, sizeof rest);
    assert_close(dot(x, x), 1, 1e-14);
    for (int j = 0; j < ATOMS; j++)
      for (int k = 0; k < FEATURES; k++) rest[k] -= z[j] * d[j][k];
    for (int j = 0; j < ATOMS; j++) {
      zeros += z[j] == 0;
      if (z[j] == 0)
        assert_true(fabs(dot(d[j], rest)) <= LAMBDA + 1e-13);
      else
        assert_close(dot(d[j], rest), copysign(LAMBDA, z[j]), 1e-13);
    }
  }
  assert_true(zeros > 0 && zeros < SAMPLES * ATOMS);
  pl_vectors_fini(&data);
  end(&r);
}

/* Gradient steps of length h: W_1 = I - h D^T D, W_2 = h D as rows have them, theta = h lambda; for
 * a RevNet the same in both halves. */
static void set_weights(run *r, double h) {
  pl_net *net = pl_net_of(r->m);
  double d[ATOMS][FEATURES];
  dictionary_of(r, d);
  for (int k = 0; k < net->num_weights; k += 3) {
    double *code = net->w + net->start[k], *input = net->w + net->start[k + 1];
    for (int i = 0; i < ATOMS; i++)
      for (int j = 0; j < ATOMS; j++) code[i * ATOMS + j] = (i == j) - h * dot(d[i], d[j]);
    for (int i = 0; i < FEATURES; i++)
      for (int j = 0; j < ATOMS; j++) input[i * ATOMS + j] = h * d[j][i];
    for (int j = 0; j < ATOMS; j++) net->w[net->start[k + 2] + j] = h * LAMBDA;
  }
  r->m->kind->refresh(r->m, 0);
}

static double recorded(const pl_schema *s, const double *out, const char *name, int64_t i) {
  for (int k = 0; k < s->num_measures; k++)
    if (!strcmp(s->measures[k]->name, name)) return out[s->offset[k] + i];
  fail();
  return NAN;
}

static void layers_keep_their_law(const pl_schema *s, const double *out, int atoms) {
  for (int64_t k = 0; k < 2 * atoms; k++) {
    double layer = recorded(s, out, "layer_modulus", k);
    if (!isnan(layer)) assert_close(layer, recorded(s, out, "law_modulus", k), 1e-6);
  }
}

/* radius below 1 and the error gone, or not. */
static void check_settling(const char *update, const char *keys, bool settles, double log_det) {
  run r = network(update, keys);
  pl_schema s;
  set_weights(&r, .3);
  assert_ok(r.m->kind->describe(&r.spec, &s));
  double *out = pl_alloc((size_t)s.size, sizeof *out, "a record");
  assert_ok(r.m->kind->observe(r.m, out));
  if (pl_test_world.rank == 0) {
    int64_t depth = pl_block_values_of(&r.spec)->recursion.depth;
    double radius = recorded(&s, out, "layer_radius", 0);
    layers_keep_their_law(&s, out, ATOMS);
    assert_close(recorded(&s, out, "code_error", 0), 1, 1e-14);
    if (settles) {
      assert_true(radius < 1);
      assert_true(recorded(&s, out, "code_error", depth) < 1e-6);
    } else {
      assert_true(radius > 1 + 1e-3);
      assert_true(recorded(&s, out, "code_error", depth) > .1);
    }
    if (!isnan(log_det)) assert_close(recorded(&s, out, "layer_log_det", 0), log_det, 1e-9);
  }
  pl_free(out);
  pl_schema_free(&s);
  end(&r);
}

static void what_settles_and_what_cannot(void **state) {
  (void)state;
  check_settling("residual", "depth: 800", true, NAN);
  check_settling("residual", "depth: 800, tied: false, init.scale: 0.1", true, NAN);
  check_settling("momentum", "depth: 1500, gamma: 0.5", true, ATOMS * log(.5));
  check_settling("momentum", "depth: 1500, gamma: 0.9", true, ATOMS * log(.9));
  check_settling("momentum", "depth: 1500, gamma: 0.9, init.scale: 0.1, store: reversible", true,
                 ATOMS * log(.9));
  check_settling("revnet", "depth: 30", false, 0);
  check_settling("revnet", "depth: 30, scale: 0.1", false, 0);
}

/* A state of one number, and of two. */
static void a_single_code(void **state) {
  (void)state;
  for (int k = 0; k < 3; k++) {
    run r = network_of(1, (const char *[]){"residual", "momentum", "revnet"}[k], "depth: 4");
    pl_schema s;
    assert_ok(r.m->kind->describe(&r.spec, &s));
    double *out = pl_alloc((size_t)s.size, sizeof *out, "a record");
    assert_ok(r.m->kind->observe(r.m, out));
    if (pl_test_world.rank == 0) {
      layers_keep_their_law(&s, out, 1);
      assert_true(isfinite(recorded(&s, out, "layer_radius", 0)));
    }
    pl_free(out);
    pl_schema_free(&s);
    end(&r);
  }
}

/* ---- what does not fit ---- */

static void refused(const char *keys, const char *words) {
  pl_config *cfg;
  pl_spec spec;
  const char *key = "";
  pl_status st = pl_config_parse(keys, strlen(keys), "test", NULL, 0, &cfg);
  if (!st) {
    pl_config_run(cfg, 0, &spec);
    st = spec.model->check(&spec, &key);
    pl_config_free(cfg);
  }
  assert_says(PL_EINPUT, st, words);
}

static void what_does_not_fit_is_refused(void **state) {
  (void)state;
  refused("{model: {kind: unrolled, store: reversible, gamma: 0}}", "no velocity");
  refused("{model: {kind: resmlp, store: reversible, update: residual}}", "no velocity");
  refused("{model: {kind: resmlp, store: reversible, update: revnet}}", "no velocity");
  refused("{model: {kind: resmlp, store: reversible, gamma: 1e-9}}", "no fraction");
  refused("{model: {kind: resmlp, update: revnet, width: 5}}", "even number");
  refused("{model: {kind: resmlp, read_in: false, width: 5}}", "2 features");
  refused("{model: {kind: resmlp, read_out: false, width: 5}}", "2 outputs");
  refused("{model: {kind: resmlp, update: revnet, gamma: 0.5}}", "model.gamma");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(codes_are_optimal),
    cmocka_unit_test(what_settles_and_what_cannot),
    cmocka_unit_test(a_single_code),
    cmocka_unit_test(what_does_not_fit_is_refused),
};
PL_TEST_MAIN(tests)
