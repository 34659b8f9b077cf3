/* ranks: 1 3 */
#include "pl_test.h"

#include "base/rng.h"
#include "model/batch.h"
#include "model/optim.h"
#include "nets/group/layer.h"
#include "run/config.h"

/* ---- layers ---- */

static double *random_numbers(int stream, int64_t n) {
  double *x = pl_alloc((size_t)n, sizeof *x, "random numbers");
  pl_rng_normals(11, (uint64_t)stream, 0, n, x);
  return x;
}

static const char *const groups[] = {"C_6",       "D_4",       "S_3", "Q_8",
                                     "C_3 x S_3", "Q_8 x C_3", "S_4", "p4m_2"};
enum { NUM_GROUPS = sizeof groups / sizeof *groups, SAMPLES = 5 };

typedef struct both {
  pl_group *g;
  pl_layer *layer[PL_NUM_CONVOLVE];
  int64_t n;
} both;

static both convolutions(const char *spec) {
  both b = {0};
  assert_ok(pl_group_parse(spec, &b.g));
  b.n = pl_group_order(b.g);
  double *w = random_numbers(1, b.n);
  for (int k = 0; k < PL_NUM_CONVOLVE; k++) {
    assert_ok(pl_layer_convolution(b.g, SAMPLES, (pl_convolve)k, &b.layer[k]));
    memcpy(b.layer[k]->w, w, (size_t)b.n * sizeof *w);
    b.layer[k]->kind->refresh(b.layer[k]);
  }
  pl_free(w);
  return b;
}

static void drop(both *b) {
  for (int k = 0; k < PL_NUM_CONVOLVE; k++) pl_layer_free(b->layer[k]);
  pl_group_free(b->g);
}

static void convolution_is_its_sum_either_way(void **state) {
  (void)state;
  for (int i = 0; i < NUM_GROUPS; i++) {
    both b = convolutions(groups[i]);
    int64_t n = b.n;
    double *x = random_numbers(2, SAMPLES * n), *dz = random_numbers(3, SAMPLES * n);
    double *z = random_numbers(4, SAMPLES * n), *dx = random_numbers(5, SAMPLES * n);
    double *want = pl_zalloc((size_t)n, sizeof *want, "want"), *dw = random_numbers(6, n);
    for (int64_t s = 0; s < SAMPLES; s++)
      for (int64_t g = 0; g < n; g++)
        for (int64_t h = 0; h < n; h++)
          want[h] += dz[s * n + g] * x[s * n + pl_group_mul(b.g, g, h)];
    for (int k = 0; k < PL_NUM_CONVOLVE; k++) {
      pl_layer *l = b.layer[k];
      l->kind->forward(l, SAMPLES, x, z);
      l->kind->backward(l, SAMPLES, x, dz, dx, dw);
      double inner = 0, adjoint = 0;
      for (int64_t s = 0; s < SAMPLES; s++)
        for (int64_t g = 0; g < n; g++) {
          double sum = 0;
          for (int64_t h = 0; h < n; h++) sum += l->w[h] * x[s * n + pl_group_mul(b.g, g, h)];
          assert_close(z[s * n + g], sum, 1e-12);
          inner += dz[s * n + g] * z[s * n + g];
          adjoint += dx[s * n + g] * x[s * n + g];
        }
      /* dx is the adjoint of the layer applied to dz: checked entry by entry below. */
      assert_close(adjoint, inner, 1e-12 * fabs(inner) + 1e-12);
      for (int64_t h = 0; h < n; h++) assert_close(dw[h], want[h], 1e-11);
    }
    double *other = random_numbers(7, SAMPLES * n);
    b.layer[0]->kind->backward(b.layer[0], SAMPLES, x, dz, other, NULL);
    for (int64_t j = 0; j < SAMPLES * n; j++) assert_close(dx[j], other[j], 1e-12);
    double *all[] = {x, dz, z, dx, want, dw, other};
    for (int k = 0; k < 7; k++) pl_free(all[k]);
    drop(&b);
  }
}

static void convolution_is_equivariant(void **state) {
  (void)state;
  for (int i = 0; i < NUM_GROUPS; i++) {
    both b = convolutions(groups[i]);
    int64_t n = b.n, u = n - 1;
    double *x = random_numbers(2, n), *z = random_numbers(3, n), *moved = random_numbers(4, n),
           *got = random_numbers(5, n);
    for (int64_t g = 0; g < n; g++) moved[g] = x[pl_group_mul(b.g, u, g)];
    for (int k = 0; k < PL_NUM_CONVOLVE; k++) {
      b.layer[k]->kind->forward(b.layer[k], 1, x, z);
      b.layer[k]->kind->forward(b.layer[k], 1, moved, got);
      for (int64_t g = 0; g < n; g++) assert_close(got[g], z[pl_group_mul(b.g, u, g)], 1e-13);
    }
    pl_free(x);
    pl_free(z);
    pl_free(moved);
    pl_free(got);
    drop(&b);
  }
}

static void large_groups_go_through_transforms(void **state) {
  (void)state;
  pl_group *small, *large;
  assert_ok(pl_group_parse("D_4", &small));
  assert_ok(pl_group_parse("S_8", &large));
  assert_int_equal(pl_convolve_choose(small, 10), PL_CONVOLVE_TABLE);
  assert_int_equal(pl_convolve_choose(large, 10), PL_CONVOLVE_FOURIER);
  pl_group_free(small);
  pl_group_free(large);
}

/* ---- networks ---- */

/* An update that keeps the gradients and moves nothing. */
typedef struct keeper {
  pl_update base;
  double scale, norm, *g[8];
} keeper;

static void keep_begin(pl_update *u, double log_scale, double norm) {
  ((keeper *)u)->scale = exp(log_scale);
  ((keeper *)u)->norm = norm;
}
static void keep_apply(pl_update *u, int p, const pl_param *param, const double *g) {
  keeper *k = (keeper *)u;
  k->g[p] = pl_alloc((size_t)param->n, sizeof *g, "gradient");
  memcpy(k->g[p], g, (size_t)param->n * sizeof *g);
}

static pl_config *config(const char *group, const char *kind, const char *more) {
  pl_config *c;
  char *text =
      pl_asprintf("group: %s\nmodel.kind: %s\nmodel.init.scale: 1.5\ndata.scale: 1\n%s%s", group,
                  kind, strstr(more, "data.samples") ? "" : "data.samples: 4\n", more);
  assert_ok(pl_config_parse(text, strlen(text), "test", NULL, 0, &c));
  pl_free(text);
  return c;
}

static pl_model *network(const pl_config *c, const pl_comm *team) {
  const pl_rates rates = pl_rates_nominal();
  const char *key = "";
  pl_spec spec;
  pl_model *m;
  pl_config_run(c, 0, &spec);
  const pl_model_kind *kind = spec.model;
  assert_ok(kind->check(&spec, &key));
  assert_ok(kind->create(&spec, team, &rates, &m));
  return m;
}

/* Of the samples of step t. */
static double loss(pl_model *m, int64_t t) {
  m->kind->refresh(m, t);
  return m->kind->standing(m).objective;
}

/* The gradient of step t. */
static void check_gradient_of(const char *group, const char *kind, const char *more, int64_t t) {
  pl_config *c = config(group, kind, more);
  pl_model *m = network(c, &pl_test_world);
  keeper k = {.base = {.needs_norm = true, .begin = keep_begin, .apply = keep_apply}};
  double vote = 1, norm2 = 0, size = 0;
  m->kind->step(m, t, &k.base, &vote);
  assert_close(vote, pl_test_world.size, 0);
  for (int p = 0; p < m->num_params; p++)
    for (int64_t i = 0; i < m->params[p].n; i++) {
      norm2 += k.g[p][i] * k.g[p][i];
      size = fmax(size, k.scale * fabs(k.g[p][i]));
    }
  assert_close(k.norm, sqrt(norm2), 1e-13);
  assert_true(size > 1e-3);
  const double h = 1e-5;
  for (int p = 0; p < m->num_params; p++) {
    const pl_param *b = &m->params[p];
    assert_close(b->weight, 1, 0);
    for (int64_t i = 0; i < b->n; i += 1 + b->n / 9) {
      double w = b->w[i];
      b->w[i] = w + h;
      double up = loss(m, t);
      b->w[i] = w - h;
      double down = loss(m, t);
      b->w[i] = w;
      assert_close(k.scale * k.g[p][i] / size, (up - down) / (2 * h * size), 1e-6);
    }
    pl_free(k.g[p]);
  }
  m->kind->destroy(m);
  pl_config_free(c);
}

static void check_gradient(const char *group, const char *kind, const char *more) {
  check_gradient_of(group, kind, more, 0);
}

static const char *const kinds[] = {"cnn", "fc", "gcnn-relu", "cnn-relu", "fc-relu"};
enum { NUM_KINDS = sizeof kinds / sizeof *kinds };

static void gradients_equal_differences(void **state) {
  (void)state;
  static const char *const variants[] = {"model.depth: 2\n", "model.depth: 3\nloss: logistic\n",
                                         "model.depth: 4\nmodel.pooling: mean\n"};
  for (int i = 0; i < NUM_KINDS; i++)
    for (int g = 0; g < 4; g++)
      for (int v = 0; v < 3; v++) check_gradient(groups[g], kinds[i], variants[v]);
}

/* With a Fourier convolution between ReLUs. */
static void gradients_of_a_larger_group(void **state) {
  (void)state;
  check_gradient("C_10 x C_10 x C_2", "gcnn-relu", "model.depth: 3\n");
}

static void a_team_equals_one_rank(void **state) {
  (void)state;
  pl_comm alone = pl_comm_wrap(MPI_COMM_SELF);
  for (int i = 0; i < NUM_KINDS; i++) {
    pl_config *c = config("S_3", kinds[i], "model.depth: 3\nrecord.spectrum: true\n");
    pl_model *a = network(c, &pl_test_world), *b = network(c, &alone);
    pl_schema schema;
    pl_spec spec;
    pl_config_run(c, 0, &spec);
    assert_close(a->kind->standing(a).log_objective, b->kind->standing(b).log_objective, 1e-13);
    assert_ok(a->kind->describe(&spec, &schema));
    double *x = random_numbers(1, schema.size), *y = random_numbers(1, schema.size);
    assert_ok(a->kind->observe(a, x));
    assert_ok(b->kind->observe(b, y));
    for (int64_t k = 0; pl_test_world.rank == 0 && k < schema.size; k++)
      if (!isnan(y[k])) assert_close(x[k], y[k], 1e-11);
    pl_free(x);
    pl_free(y);
    pl_schema_free(&schema);
    a->kind->destroy(a);
    b->kind->destroy(b);
    pl_config_free(c);
  }
}

/* Where functions are asked for, the network itself adds the decay: decay w to each gradient. */
static void decay_is_that_of_the_weights(void **state) {
  (void)state;
  const double decay = 0.3;
  for (int i = 0; i < NUM_KINDS; i++) {
    pl_config *c = config("S_3", kinds[i], "model.depth: 3\noptimizer.kind: adam\n");
    pl_model *m = network(c, &pl_test_world);
    keeper plain = {.base = {.over_group = true, .begin = keep_begin, .apply = keep_apply}};
    keeper decayed = plain;
    decayed.base.decay = decay;
    double vote = 0;
    assert_int_equal(m->num_functions, m->num_params);
    m->kind->step(m, 0, &plain.base, &vote);
    m->kind->step(m, 0, &decayed.base, &vote);
    for (int p = 0; p < m->num_params; p++) {
      for (int64_t k = 0; k < m->params[p].n; k++)
        assert_close(decayed.scale * decayed.g[p][k],
                     plain.scale * plain.g[p][k] + decay * m->params[p].w[k], 1e-13);
      pl_free(plain.g[p]);
      pl_free(decayed.g[p]);
    }
    m->kind->destroy(m);
    pl_config_free(c);
  }
}

/* ---- minibatches ---- */

static const char *const with_relu[] = {"gcnn-relu", "cnn-relu", "fc-relu"};
enum { NUM_RELU = sizeof with_relu / sizeof *with_relu };
static const char batches[] = "model.depth: 3\ndata.samples: 8\ntrain.batch: 3\n";

/* Three steps an epoch, the last of two samples; some ranks of a team have none of it. */
static void gradients_of_batches_equal_differences(void **state) {
  (void)state;
  for (int i = 0; i < NUM_RELU; i++)
    for (int64_t t = 0; t < 5; t++) check_gradient_of("S_3", with_relu[i], batches, t);
}

static void every_epoch_takes_every_sample_once(void **state) {
  (void)state;
  enum { N = 41, EPOCHS = 20 };
  pl_spec spec = {.common = {.seed = 3, .batch = 4, .shuffle = 1}};
  int64_t order[N], before[N] = {0};
  int moved = 0;
  assert_int_equal(pl_batch_count(&spec, N), 11);
  for (int64_t epoch = 0; epoch < EPOCHS; epoch++) {
    bool seen[N] = {0};
    pl_batch_order(&spec, epoch, N, order);
    for (int k = 0; k < N; k++) {
      assert_true(order[k] >= 0 && order[k] < N && !seen[order[k]]);
      seen[order[k]] = true;
    }
    if (epoch > 0) moved += memcmp(order, before, sizeof order) != 0;
    memcpy(before, order, sizeof order);
  }
  assert_int_equal(moved, EPOCHS - 1);
  spec.common.shuffle = 0;
  pl_batch_order(&spec, 5, N, order);
  for (int k = 0; k < N; k++) assert_int_equal(order[k], k);
}

/* At fixed weights the batches of an epoch add up to the whole: sum_b n_b grad_b = N grad. */
static void an_epoch_adds_up_to_the_whole(void **state) {
  (void)state;
  enum { N = 8, STEPS = 3 };
  static const int size[STEPS] = {3, 3, 2};
  for (int i = 0; i < NUM_RELU; i++) {
    pl_config *c = config("S_3", with_relu[i], batches);
    pl_config *all = config("S_3", with_relu[i], "model.depth: 3\ndata.samples: 8\n");
    pl_model *m = network(c, &pl_test_world), *w = network(all, &pl_test_world);
    keeper whole = {.base = {.begin = keep_begin, .apply = keep_apply}};
    double vote = 0, loss_sum = 0;
    loss_sum -= N * w->kind->standing(w).objective;
    w->kind->step(w, 0, &whole.base, &vote);
    for (int p = 0; p < w->num_params; p++)
      for (int64_t k = 0; k < w->params[p].n; k++) whole.g[p][k] *= -N * whole.scale;
    /* The second epoch, in another order. */
    for (int64_t t = STEPS; t < 2 * STEPS; t++) {
      keeper part = {.base = {.begin = keep_begin, .apply = keep_apply}};
      loss_sum += size[t - STEPS] * loss(m, t);
      m->kind->step(m, t, &part.base, &vote);
      for (int p = 0; p < m->num_params; p++) {
        for (int64_t k = 0; k < m->params[p].n; k++)
          whole.g[p][k] += size[t - STEPS] * part.scale * part.g[p][k];
        pl_free(part.g[p]);
      }
    }
    assert_close(loss_sum, 0, 1e-12);
    for (int p = 0; p < w->num_params; p++) {
      for (int64_t k = 0; k < w->params[p].n; k++) assert_close(whole.g[p][k], 0, 1e-12);
      pl_free(whole.g[p]);
    }
    m->kind->destroy(m);
    w->kind->destroy(w);
    pl_config_free(c);
    pl_config_free(all);
  }
}

/* A record on the way changes nothing, though it looks at all samples and all parts; it says of the
 * weights what it would say of them without batches. */
static void records_leave_batches_alone(void **state) {
  (void)state;
  static const char parts[] = "model.depth: 3\ndata.samples: 8\ndata.validation: 4\ndata.test: 5\n"
                              "train.batch: 3\noptimizer.kind: momentum\noptimizer.lr: 0.1\n";
  enum { STEPS = 8 };
  for (int i = 0; i < NUM_RELU; i++) {
    pl_config *c = config("S_3", with_relu[i], parts);
    pl_spec spec;
    pl_schema schema;
    pl_config_run(c, 0, &spec);
    assert_ok(spec.model->describe(&spec, &schema));
    double *values = random_numbers(1, schema.size), vote = 0;
    pl_model *m[2] = {network(c, &pl_test_world), network(c, &pl_test_world)};
    pl_optim *o[2];
    for (int k = 0; k < 2; k++) o[k] = pl_optim_new(&spec, m[k], STEPS);
    for (int64_t t = 0; t < STEPS; t++)
      for (int k = 0; k < 2; k++) {
        if (k) assert_ok(m[k]->kind->observe(m[k], values));
        m[k]->kind->step(m[k], t, pl_optim_step(o[k], t), &vote);
      }
    assert_true(m[0]->kind->standing(m[0]).objective == m[1]->kind->standing(m[1]).objective);
    for (int p = 0; p < m[0]->num_params; p++)
      assert_memory_equal(m[0]->params[p].w, m[1]->params[p].w,
                          (size_t)m[0]->params[p].n * sizeof(double));
    assert_ok(m[1]->kind->observe(m[1], values));
    double one = 0;
    for (int64_t t = 2 * STEPS + 2; t < 2 * STEPS + 5; t++) /* an epoch */
      one += (t % 3 == 2 ? 2 : 3) * loss(m[1], t) / 8;
    if (pl_test_world.rank == 0) {
      assert_close(values[schema.offset[pl_schema_find(&schema, "loss")]], one, 1e-12);
      double right = 5 * values[schema.offset[pl_schema_find(&schema, "test_accuracy")]];
      assert_close(right, round(right), 1e-12);
      assert_true(pl_schema_find(&schema, "validation_accuracy") >= 0);
    }
    for (int k = 0; k < 2; k++) {
      pl_optim_free(o[k]);
      m[k]->kind->destroy(m[k]);
    }
    pl_free(values);
    pl_schema_free(&schema);
    pl_config_free(c);
  }
}

static void full_layers_have_a_limit(void **state) {
  (void)state;
  pl_config *c = config("S_8", "fc", "");
  pl_spec spec;
  const char *key = "";
  pl_config_run(c, 0, &spec);
  assert_int_equal(spec.model->check(&spec, &key), PL_EINPUT);
  assert_string_equal(key, "model.kind");
  assert_non_null(strstr(pl_error_message(), "GB"));
  pl_config_free(c);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(convolution_is_its_sum_either_way),
    cmocka_unit_test(convolution_is_equivariant),
    cmocka_unit_test(large_groups_go_through_transforms),
    cmocka_unit_test(gradients_equal_differences),
    cmocka_unit_test(gradients_of_a_larger_group),
    cmocka_unit_test(a_team_equals_one_rank),
    cmocka_unit_test(decay_is_that_of_the_weights),
    cmocka_unit_test(gradients_of_batches_equal_differences),
    cmocka_unit_test(every_epoch_takes_every_sample_once),
    cmocka_unit_test(an_epoch_adds_up_to_the_whole),
    cmocka_unit_test(records_leave_batches_alone),
    cmocka_unit_test(full_layers_have_a_limit),
};
PL_TEST_MAIN(tests)
