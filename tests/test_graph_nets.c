/* ranks: 1 2 3 */
/* Networks on graphs: their laws, and one gradient on any number of ranks. */
#include "pl_test.h"

#include "graph/cayley.h"
#include "model/batch.h"
#include "model/optim.h"
#include "nets/net.h"
#include "run/config.h"

/* ---- one run ---- */

typedef struct run {
  pl_config *cfg;
  pl_spec spec;
  pl_model *m;
  pl_schema schema;
  double *record;
} run;

static run start_on(const pl_comm *team, const char *sweep) {
  run r;
  const char *key = "";
  pl_rates rates = pl_rates_nominal();
  assert_ok(pl_config_parse(sweep, strlen(sweep), "test", NULL, 0, &r.cfg));
  pl_config_run(r.cfg, 0, &r.spec);
  assert_ok(r.spec.model->check(&r.spec, &key));
  assert_ok(r.spec.model->describe(&r.spec, &r.schema));
  assert_ok(r.spec.model->create(&r.spec, team, &rates, &r.m));
  r.record = pl_zalloc((size_t)r.schema.size, sizeof *r.record, "a record");
  return r;
}

static run start(const char *sweep) {
  return start_on(&pl_test_world, sweep);
}

static void end(run *r) {
  r->m->kind->destroy(r->m);
  pl_schema_free(&r->schema);
  pl_config_free(r->cfg);
  pl_free(r->record);
}

/* The numbers of a measure in a new record, on rank 0 and then everywhere. */
static void observe(run *r) {
  assert_ok(r->m->kind->observe(r->m, r->record));
  pl_comm_bcast(&pl_test_world, r->record, (size_t)r->schema.size * sizeof *r->record, 0);
}

static const double *measured(const run *r, const char *name, int64_t *n) {
  for (int k = 0; k < r->schema.num_measures; k++)
    if (!strcmp(r->schema.measures[k]->name, name)) {
      if (n) *n = r->schema.length[k];
      return r->record + r->schema.offset[k];
    }
  if (n) *n = 0;
  print_error("%s is not recorded\n", name);
  fail();
  return NULL;
}

static const pl_axis *axis_of(const run *r, const char *name) {
  for (int i = 0; i < r->schema.num_axes; i++)
    if (!strcmp(r->schema.axes[i].name, name)) return &r->schema.axes[i];
  fail();
  return NULL;
}

static double number(const run *r, const char *name) {
  return *measured(r, name, NULL);
}

static void train(run *r, int64_t from, int64_t to) {
  pl_optim *o = pl_optim_new(&r->spec, r->m, to);
  for (int64_t t = from; t < to; t++) {
    double vote = 0;
    r->m->kind->step(r->m, t, pl_optim_step(o, t), &vote);
  }
  pl_optim_free(o);
}

/* ---- gradients of every form ---- */

typedef struct keeper {
  pl_update update;
  double *const *g;
} keeper;
static void keep_nothing(pl_update *u, double log_scale, double norm) {
  (void)u, (void)norm;
  assert_true(log_scale == 0);
}
static void keep_gradient(pl_update *u, int p, const pl_param *param, const double *g) {
  memcpy(((keeper *)u)->g[p], g, (size_t)param->n * sizeof *g);
}

/* The gradient at the initial weights, all blocks one after the other; the caller frees it. */
static double *gradient(run *r, int64_t *n) {
  *n = 0;
  for (int p = 0; p < r->m->num_params; p++) *n += r->m->params[p].n;
  double *all = pl_alloc((size_t)*n, sizeof *all, "a gradient"), *at = all, vote = 0;
  double **g = pl_alloc((size_t)r->m->num_params, sizeof *g, "gradients");
  for (int p = 0; p < r->m->num_params; at += r->m->params[p++].n) g[p] = at;
  keeper k = {.update = {.begin = keep_nothing, .apply = keep_gradient}, .g = g};
  r->m->kind->refresh(r->m, 0);
  r->m->kind->step(r->m, 0, &k.update, &vote);
  pl_free(g);
  return all;
}

static double objective(run *r) {
  r->m->kind->refresh(r->m, 0);
  return r->m->kind->standing(r->m).objective;
}

#define CSBM                                                                                       \
  "data: {graph: csbm, nodes: 30, features: 4, p_in: 0.3, samples: 12, validation: 6, test: 8"
static const char *const forms[] = {
    "{model: {kind: gnn, form: plain, depth: 3}, group: S_3, data: {graph: cayley, rows: 2}}",
    "{model: {kind: gnn, form: multiscale, depth: 3, width: 5}, " CSBM ", operator: row}}",
    "{model: {kind: gnn, form: plain, activation: tanh, width: 5}, loss: softmax, " CSBM "}}",
    "{model: {kind: gnn, form: multiscale, activation: tanh, width: 5}, loss: softmax, " CSBM "}}",
    "{model: {kind: gnn, form: multiscale, activation: relu, width: 5}, data: {graph: karate}}",
    "{model: {kind: filter, rule: none, head: mlp, width: 5}, " CSBM "}}",
    "{model: {kind: filter, rule: sgc, depth: 3}, " CSBM ", operator: row}}",
    "{model: {kind: filter, rule: gcn, depth: 3, width: 5}, " CSBM ", operator: row}}",
    "{model: {kind: filter, rule: ppnp, dropout: 0.4, head: mlp, width: 5, l2: 0.1}, " CSBM "}}",
    "{model: {kind: filter, rule: appnp, depth: 5}, loss: square, " CSBM "}}",
    "{model: {kind: filter, rule: jknet, depth: 3, width: 5}, data: {graph: karate}}",
    "{model: {kind: filter, rule: jknet, jump: max, depth: 3, width: 5}, " CSBM "}}",
    "{model: {kind: filter, rule: dagnn, depth: 3}, " CSBM "}}",
    "{model: {kind: filter, rule: lf, solve: closed, mu: 0.6}, " CSBM "}}",
    "{model: {kind: filter, rule: hf, depth: 4, dropout: 0.3}, data: {graph: sbm, nodes: 30, "
    "p_in: 0.3, samples: 12}}",
    "{model: {kind: filter, rule: hf, solve: closed, beta: 2}, " CSBM "}}",
};
enum { NUM_FORMS = sizeof forms / sizeof *forms };

static void gradients_of_every_form_equal_differences(void **state) {
  (void)state;
  for (int f = 0; f < NUM_FORMS; f++) {
    run r = start(forms[f]);
    int64_t n, at = 0;
    double *g = gradient(&r, &n), slope = 0, side[2], h = 1e-6;
    double *w = ((pl_net *)r.m)->w, *kept = pl_alloc((size_t)n, sizeof *kept, "weights");
    memcpy(kept, w, (size_t)n * sizeof *w);
    for (int s = 0; s < 2; s++) {
      for (at = 0; at < n; at++) w[at] = kept[at] + (s ? h : -h) * sin((double)(3 * at + 1));
      side[s] = objective(&r);
    }
    for (at = 0; at < n; at++) slope += g[at] * sin((double)(3 * at + 1));
    assert_close((side[1] - side[0]) / (2 * h), slope, 1e-6);
    pl_free(kept);
    pl_free(g);
    end(&r);
  }
}

/* One gradient, and what is recorded, on one rank and on all. */
static void teams_agree(void **state) {
  (void)state;
  pl_comm self = pl_comm_split(&pl_test_world, pl_test_world.rank, 0);
  for (int f = 0; f < NUM_FORMS; f++) {
    run a = start_on(&self, forms[f]), b = start(forms[f]);
    int64_t n, m;
    double *g = gradient(&a, &n), *h = gradient(&b, &m), most = 0;
    assert_int_equal(n, m);
    for (int64_t i = 0; i < n; i++) most = fmax(most, fabs(g[i]));
    for (int64_t i = 0; i < n; i++) assert_close(h[i] / most, g[i] / most, 1e-12);
    assert_close(objective(&b), objective(&a), 1e-12);
    pl_free(g);
    pl_free(h);
    end(&a);
    end(&b);
  }
  pl_comm_free(&self);
}

/* ---- the content law ---- */

/* What a plain network cannot fit, by least squares and by irreps. */
static void the_optimum_is_the_energy_of_dead_irreps(void **state) {
  (void)state;
  for (int n = 3; n <= 5; n++)
    for (int self = 0; self < 2; self++)
      for (int depth = 1; depth <= 2; depth++) {
        char *sweep = pl_asprintf("{model: {kind: gnn, width: 2, depth: %d}, group: S_%d, "
                                  "data: {graph: cayley, self_loop: %d}, record.bound: true}",
                                  depth, n, self);
        run r = start(sweep);
        pl_group *g;
        int64_t irreps = 0;
        double dead = 0;
        observe(&r);
        const double *energy = measured(&r, "label_energy", &irreps);
        assert_ok(pl_group_parse((char[]){'S', '_', (char)('0' + n), 0}, &g));
        for (int64_t i = 0; i < irreps; i++)
          if (pl_cayley_content(g, i) == -self) dead += energy[i];
        assert_close(number(&r, "loss_optimum"), dead, 1e-10);
        assert_true(self ? dead == 0 : dead > 1e-3);
        pl_group_free(g);
        pl_free(sweep);
        end(&r);
      }
}

/* ---- the flow ---- */

static void the_flow_stays_below_its_bound(void **state) {
  (void)state;
  static const char *const sweeps[] = {
      "{model: {kind: gnn, form: plain, depth: 1, init.kind: identity}, group: S_4, data: {graph: "
      "cayley}, optimizer: {kind: flow, lr: 0.1}}",
      "{model: {kind: gnn, form: multiscale, depth: 2, init.kind: identity}, group: S_4, data: "
      "{graph: cayley}, optimizer: {kind: flow, lr: 10}}",
      "{model: {kind: gnn, form: multiscale, depth: 2}, data: {graph: karate, labelling: "
      "shuffled}, "
      "optimizer: {kind: flow, lr: 0.1}}",
      "{model: {kind: gnn, form: plain, depth: 2}, group: S_3, data: {graph: cayley, rows: 3, "
      "self_loop: 0}, optimizer: {kind: flow, lr: 0.1}}",
  };
  for (size_t s = 0; s < sizeof sweeps / sizeof *sweeps; s++) {
    run r = start(sweeps[s]);
    pl_optim *o = pl_optim_new(&r.spec, r.m, 200);
    double before = INFINITY, time = 0;
    for (int64_t t = 0; t <= 200; t++) {
      double vote = 0, squares = 0;
      int64_t scales = 0, layers = 0;
      observe(&r);
      double loss = number(&r, "loss"), fall = before - loss, norm = number(&r, "gradient_norm");
      assert_true(number(&r, "bound_gap") >= -1e-12 * number(&r, "bound"));
      assert_true(number(&r, "sigma2_nonzero") >= number(&r, "sigma2_min"));
      assert_true(loss >= number(&r, "loss_optimum") - 1e-12);
      /* -dL/dt is the sum over the weights. */
      const double *w = measured(&r, "gradient_w", &scales);
      const double *b = measured(&r, "gradient_b", &layers);
      for (int64_t k = 0; k < scales; k++) squares += w[k];
      for (int64_t k = 0; k < layers; k++) squares += b[k];
      assert_close(squares / (norm * norm), 1, 1e-12);
      if (loss - number(&r, "loss_optimum") > 1e-10) assert_true(fall > 0);
      before = loss;
      assert_true(t ? number(&r, "flow_time") > time : number(&r, "flow_time") == 0);
      assert_true(number(&r, "flow_step") > 0); /* optimizer.lr before the first */
      time = number(&r, "flow_time");
      r.m->kind->step(r.m, t, pl_optim_step(o, t), &vote);
    }
    pl_optim_free(o);
    end(&r);
  }
}

/* The squares of the residual, irrep by irrep, are the loss. */
static void energies_of_irreps_are_the_loss(void **state) {
  (void)state;
  run r =
      start("{model: {kind: gnn, form: multiscale, depth: 2}, group: D_5, data: {graph: cayley, "
            "generators: standard, rows: 3}, optimizer: {kind: flow, lr: 0.1}}");
  train(&r, 0, 20);
  observe(&r);
  int64_t n = 0;
  double sum = 0, labels = 0;
  const double *rest = measured(&r, "residual_energy", &n), *y = measured(&r, "label_energy", NULL);
  for (int64_t i = 0; i < n; i++) {
    sum += rest[i];
    labels += y[i];
  }
  assert_close(sum, number(&r, "loss"), 1e-12);
  assert_close(labels, 3, 1e-12);
  end(&r);
}

/* ---- filters ---- */

/* r = t/(t + xi lambda), lambda = 1 - a. */
static double response(int rule, double a, double alpha, double mu, double beta) {
  double t = rule == 0 ? 1 - (1 - mu) * (1 - a) : rule == 1 ? 1 : 1 + beta * (1 - a);
  return t / (t + (1 / alpha - 1) * (1 - a));
}

static const char *const three[] = {"lf", "ppnp", "hf"};

/* r_LF <= r_PPNP <= r_HF, equal at a = 1, and each by its formula: on any graph. */
static void responses_are_ordered(void **state) {
  (void)state;
  static const char *const graphs[] = {"graph: karate", "graph: sbm, nodes: 60, p_in: 0.3",
                                       "graph: csbm, nodes: 50, p_in: 0.02, p_out: 0.3"};
  for (size_t g = 0; g < sizeof graphs / sizeof *graphs; g++) {
    double *kept[3];
    int64_t n = 0;
    for (int rule = 0; rule < 3; rule++) {
      char *sweep = pl_asprintf("{model: {kind: filter, rule: %s, solve: closed, alpha: 0.2, mu: "
                                "0.6, beta: 1.5}, data: {%s}, record.response: true}",
                                three[rule], graphs[g]);
      run r = start(sweep);
      observe(&r);
      const double *at = measured(&r, "response", &n);
      kept[rule] = pl_alloc((size_t)n, sizeof **kept, "a response");
      for (int64_t k = 0; k < n; k++) {
        const pl_axis *axis = axis_of(&r, "eigenvalue");
        double a;
        axis->coords[0].value(r.schema.context, k, &a, NULL);
        assert_close(at[k], response(rule, a, 0.2, 0.6, 1.5), 1e-12);
        kept[rule][k] = at[k];
      }
      assert_close(at[n - 1], 1, 1e-12);
      pl_free(sweep);
      end(&r);
    }
    for (int64_t k = 0; k < n; k++) {
      assert_true(kept[0][k] <= kept[1][k] + 1e-13 && kept[1][k] <= kept[2][k] + 1e-13);
    }
    for (int rule = 0; rule < 3; rule++) pl_free(kept[rule]);
  }
}

/* On a Cayley graph with class generators a filter is one scalar per irrep, a = (content + 1) /
 * (C(n,2) + 1); with adjacent transpositions a matrix, whose trace is recorded. */
static void responses_by_irreps_follow_the_contents(void **state) {
  (void)state;
  for (int rule = 0; rule < 3; rule++)
    for (int adjacent = 0; adjacent < 2; adjacent++) {
      char *sweep =
          pl_asprintf("{model: {kind: filter, rule: %s, solve: closed}, loss: square, group: S_5, "
                      "data: {graph: cayley, generators: %s}}",
                      three[rule], adjacent ? "adjacent" : "transpositions");
      run r = start(sweep);
      pl_group *g;
      pl_cayley *c;
      observe(&r);
      int64_t n = 0;
      const double *at = measured(&r, "irrep_response", &n);
      assert_ok(pl_group_parse("S_5", &g));
      assert_ok(pl_cayley_new(g, adjacent ? "adjacent" : "transpositions", &c));
      for (int64_t i = 0; i < n; i++) {
        double a[16], mean = 0;
        int d = pl_group_irrep(g, i).dim;
        assert_ok(pl_cayley_eigenvalues(c, PL_OPERATOR_SYM, 1, i, a));
        for (int k = 0; k < d; k++) mean += response(rule, a[k], 0.1, 0.7, 1) / d;
        assert_close(at[i], mean, 1e-12);
        double content = pl_cayley_content_eigenvalue(g, PL_OPERATOR_SYM, 1, i);
        if (!adjacent) assert_close(at[i], response(rule, content, 0.1, 0.7, 1), 1e-12);
      }
      pl_cayley_free(c);
      pl_group_free(g);
      pl_free(sweep);
      end(&r);
    }
}

/* Ten powers of the operator on S_5 leave the trivial irrep alone, and the sign at (9/11)^10. */
static void powers_leave_the_trivial_irrep(void **state) {
  (void)state;
  run r = start("{model: {kind: filter, rule: sgc, depth: 10}, loss: square, group: S_5, data: "
                "{graph: cayley}}");
  pl_group *g;
  int64_t n = 0;
  observe(&r);
  const double *at = measured(&r, "irrep_response", &n);
  assert_ok(pl_group_parse("S_5", &g));
  for (int64_t i = 0; i < n; i++)
    assert_close(at[i], pow(pl_cayley_content_eigenvalue(g, PL_OPERATOR_SYM, 1, i), 10), 1e-12);
  assert_close(at[0], 1, 1e-12);
  assert_close(at[n - 1], 0.134431, 1e-6);
  pl_group_free(g);
  end(&r);
}

/* 100 iterations come to the closed form.  lf and hf at the rate of the mode a = 1; ppnp, whose
 * first iterate has that mode right, at that of the next eigenvalue. */
static void iterates_come_to_the_closed_form(void **state) {
  (void)state;
  for (int rule = 0; rule < 3; rule++) {
    double alpha = 0.2, mu = 0.6, beta = 0.5, next;
    char *sweep =
        pl_asprintf("{model: {kind: filter, rule: %s, solve: iterate, depth: 100, alpha: "
                    "0.2, mu: 0.6, beta: 0.5}, data: {graph: csbm, nodes: 80, p_in: 0.4, "
                    "p_out: 0.05, samples: 20}, record: {iterates: true, response: true}}",
                    three[rule]);
    run r = start(sweep);
    int64_t n = 0;
    train(&r, 0, 5);
    observe(&r);
    const double *error = measured(&r, "iterate_error", &n);
    assert_int_equal(n, 101);
    for (int64_t k = 1; k < 60; k++) assert_true(error[k] < error[k - 1]);
    assert_true(error[100] < 1e-5);
    const pl_axis *axis = axis_of(&r, "eigenvalue");
    axis->coords[0].value(r.schema.context, axis->length - 2, &next, NULL);
    double rate = rule == 0   ? (1 + alpha * mu - 2 * alpha) / (1 + alpha * mu - alpha)
                  : rule == 1 ? (1 - alpha) * next
                              : (1 + alpha * beta - alpha) / (1 + alpha * beta);
    assert_true(fabs(number(&r, "iterate_rate") / rate - 1) < 0.01);
    pl_free(sweep);
    end(&r);
  }
}

/* Conjugate gradients, beyond the size of dense factors, against many iterations; and Z is the
 * least of the energy: its parts change against each other along with any other Z. */
static void large_closed_forms_are_solved_too(void **state) {
  (void)state;
  for (int rule = 0; rule < 3; rule++) {
    double term[2][2], *g[2];
    int64_t n = 0;
    for (int closed = 0; closed < 2; closed++) {
      char *sweep = pl_asprintf("{model: {kind: filter, rule: %s, solve: %s, depth: 300}, data: "
                                "{graph: csbm, nodes: 1500, features: 3, p_in: 6e-3, p_out: 6e-4, "
                                "samples: 400}, optimizer.lr: 0.5}",
                                three[rule], closed ? "closed" : "iterate");
      run r = start(sweep);
      observe(&r);
      term[closed][0] = number(&r, "fit_term");
      term[closed][1] = number(&r, "smooth_term");
      g[closed] = gradient(&r, &n);
      pl_free(sweep);
      end(&r);
    }
    assert_close(term[1][0] / term[0][0], 1, 1e-9);
    assert_close(term[1][1] / term[0][1], 1, 1e-9);
    for (int64_t i = 0; i < n; i++) assert_close(g[1][i], g[0][i], 1e-9);
    pl_free(g[0]);
    pl_free(g[1]);
  }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(gradients_of_every_form_equal_differences),
    cmocka_unit_test(teams_agree),
    cmocka_unit_test(the_optimum_is_the_energy_of_dead_irreps),
    cmocka_unit_test(the_flow_stays_below_its_bound),
    cmocka_unit_test(energies_of_irreps_are_the_loss),
    cmocka_unit_test(responses_are_ordered),
    cmocka_unit_test(responses_by_irreps_follow_the_contents),
    cmocka_unit_test(powers_leave_the_trivial_irrep),
    cmocka_unit_test(iterates_come_to_the_closed_form),
    cmocka_unit_test(large_closed_forms_are_solved_too),
};
PL_TEST_MAIN(tests)
