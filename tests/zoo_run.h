/* One run of a network's own example, for the suites over the table of networks. */
#ifndef ZOO_RUN_H
#define ZOO_RUN_H

#include "pl_test.h"

#include "model/batch.h"
#include "model/optim.h"
#include "run/config.h"

/* ---- one run of an example ---- */

typedef struct run {
  pl_config *cfg;
  pl_spec spec;
  pl_model *m;
  int64_t steps;
} run;

static inline const pl_rates *rates(void) {
  static pl_rates r;
  r = pl_rates_nominal();
  return &r;
}

/* set: one more --set, or NULL. */
static inline pl_status parse(const pl_model_kind *kind, const char *set, pl_config **out) {
  const char *const sets[] = {set};
  return pl_config_parse(kind->example, strlen(kind->example), kind->name, sets, set != NULL, out);
}

static inline run start(const pl_model_kind *kind, const char *set, const pl_comm *team) {
  run r;
  const char *key = "";
  assert_ok(parse(kind, set, &r.cfg));
  pl_config_run(r.cfg, 0, &r.spec);
  assert_ok(kind->check(&r.spec, &key));
  assert_ok(kind->create(&r.spec, team, rates(), &r.m));
  r.steps = pl_run_steps(&r.spec);
  return r;
}

static inline void end(run *r) {
  r->m->kind->destroy(r->m);
  pl_config_free(r->cfg);
}

/* Call f for every network. */
static inline void each(void (*f)(const pl_model_kind *kind)) {
  for (int i = 0; pl_zoo_model(i); i++) f(pl_zoo_model(i));
}

/* All weights, one after the other, on rank 0. */
static inline double *all_weights(pl_model *m, int64_t *n) {
  double **blocks = pl_alloc((size_t)m->num_params, sizeof *blocks, "blocks");
  const pl_transfer *t = m->kind->weights;
  *n = 0;
  for (int p = 0; p < m->num_params; p++) blocks[p] = m->params[p].w;
  for (int p = 0; p < m->num_params; p = pl_param_next(m->num_params, m->params, p))
    *n += t->length(m, p);
  double *x = pl_alloc((size_t)*n, sizeof *x, "weights"), *at = x;
  for (int p = 0; p < m->num_params; p = pl_param_next(m->num_params, m->params, p)) {
    t->gather(m, p, blocks, 0, t->length(m, p), at);
    at += t->length(m, p);
  }
  pl_free(blocks);
  return x;
}

static inline void train(run *r, int64_t from, int64_t to) {
  pl_optim *o = pl_optim_new(&r->spec, r->m, r->steps);
  for (int64_t t = from; t < to; t++) {
    double vote = 0;
    r->m->kind->step(r->m, t, pl_optim_step(o, t), &vote);
  }
  pl_optim_free(o);
}

static inline double direction(int64_t i, int p) {
  return sin((double)(7 * i + p + 1));
}

static inline void compare_ranks(const pl_model_kind *kind, const char *set) {
  enum { STEPS = 20 };
  pl_comm self = pl_comm_split(&pl_test_world, pl_test_world.rank, 0);
  run alone = start(kind, set, &self), team = start(kind, set, &pl_test_world);
  train(&alone, 0, STEPS);
  train(&team, 0, STEPS);
  int64_t n, m;
  double *a = all_weights(alone.m, &n), *b = all_weights(team.m, &m);
  assert_int_equal(n, m);
  for (int64_t i = 0; i < n && pl_test_world.rank == 0; i++)
    assert_close(b[i], a[i], 1e-9 * fmax(1, fabs(a[i])));
  pl_free(a);
  pl_free(b);
  end(&alone);
  end(&team);
  pl_comm_free(&self);
}

#endif
