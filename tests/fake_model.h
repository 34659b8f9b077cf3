/* A network for tests of run/: a sum of squares whose standing and measures are what a test wants
 * them to be at each step.  Weight "matrix" in two blocks, each whole on one rank of the team, and
 * weight "bias" that all share; on request also functions in place of the matrix. */
#ifndef FAKE_MODEL_H
#define FAKE_MODEL_H

#include "model/optim.h"

enum { FAKE_BLOCK = 6, FAKE_BIAS = 3, FAKE_FUNCTION = 5, FAKE_ENTRIES = 2 };

/* pl_spec.network_values. */
typedef struct fake_values {
  pl_standing (*standing)(int64_t t); /* NULL: the objective itself */
  double (*validation)(int64_t t);    /* NULL: not recorded */
  double (*test)(int64_t t);          /* NULL: not recorded */
  bool functions;
  int64_t sick; /* the record at this step fails; -1: none does */
} fake_values;

static const fake_values *fake_values_of(const pl_spec *spec) {
  return (const fake_values *)(const void *)spec->network_values;
}

typedef struct fake {
  pl_model base; /* first */
  const fake_values *values;
  pl_comm team;
  pl_param params[3], function;
  double w[2][FAKE_BLOCK], bias[FAKE_BIAS], moved[FAKE_FUNCTION], kept[FAKE_ENTRIES];
  double gradient[FAKE_BLOCK];
  int64_t t; /* steps done */
  double loss, norm;
  pl_schema schema;
} fake;

/* ---- measures ---- */

static void fake_loss(const void *state, double *out) {
  const fake *f = state;
  *out = f->values->standing ? f->values->standing(f->t).objective : f->loss;
}
static void fake_validation(const void *state, double *out) {
  const fake *f = state;
  *out = f->values->validation(f->t);
}
static void fake_test(const void *state, double *out) {
  const fake *f = state;
  *out = f->values->test(f->t);
}
static void fake_entries(const void *state, double *out) {
  memcpy(out, ((const fake *)state)->kept, FAKE_ENTRIES * sizeof *out);
}
static bool fake_validates(const pl_spec *spec, const void *context) {
  (void)context;
  return fake_values_of(spec)->validation;
}
static bool fake_tests(const pl_spec *spec, const void *context) {
  (void)context;
  return fake_values_of(spec)->test;
}

static const pl_measure fake_rows[] = {
    {.name = "loss", .units = "1", .long_name = "objective", .compute = fake_loss, .better = -1},
    {.name = "parameter_norm", .units = "1", .long_name = "norm", .from = offsetof(fake, norm)},
    {.name = "validation_accuracy",
     .units = "1",
     .long_name = "accuracy",
     .wanted = fake_validates,
     .compute = fake_validation,
     .better = +1},
    {.name = "test_accuracy",
     .units = "1",
     .long_name = "accuracy",
     .wanted = fake_tests,
     .compute = fake_test,
     .better = +1},
    {.name = "kept", .axis = "entry", .units = "1", .long_name = "kept", .compute = fake_entries},
};
static const pl_measures fake_measures = PL_MEASURES(fake_rows);
static const pl_measures *const fake_tables[] = {&fake_measures, NULL};

static void fake_entry(const void *context, int64_t i, double *number, char *text) {
  (void)context, (void)text;
  if (number) *number = (double)i;
}
static const pl_coord fake_coords[] = {{"entry_number", "1", "number", .value = fake_entry}};

static pl_status fake_describe(const pl_spec *spec, pl_schema *out) {
  const pl_axis axis = {.name = "entry",
                        .key = (char *)(uintptr_t) "",
                        .length = FAKE_ENTRIES,
                        .coords = fake_coords,
                        .num_coords = 1};
  pl_schema_init(out, spec, fake_tables, &axis, 1, NULL, NULL);
  return PL_OK;
}

/* ---- life and steps ---- */

static void fake_refresh(pl_model *m, int64_t t) {
  fake *f = (fake *)m;
  double sum = 0;
  f->t = t;
  for (int b = 0; b < 2; b++)
    for (int64_t k = 0; k < f->params[b].n; k++) sum += f->w[b][k] * f->w[b][k];
  pl_comm_sum(&f->team, &sum, 1);
  for (int k = 0; k < FAKE_BIAS; k++) sum += f->bias[k] * f->bias[k];
  f->loss = sum / 2;
  f->norm = sqrt(sum);
}

static pl_status fake_create(const pl_spec *spec, const pl_comm *team, const pl_rates *rates,
                             pl_model **out);

static void fake_destroy(pl_model *m) {
  pl_schema_free(&((fake *)m)->schema);
  pl_free(m);
}

static void fake_hand_over(fake *f, pl_update *u, int p) {
  pl_param *b = u->over_group ? &f->function : &f->params[p];
  for (int64_t k = 0; k < b->n; k++) f->gradient[k] = u->over_group ? f->w[0][k] : b->w[k];
  u->apply(u, p, b, f->gradient);
}

static void fake_step(pl_model *m, int64_t t, pl_update *u, double *vote) {
  fake *f = (fake *)m;
  assert_int_equal(t, f->t);
  u->begin(u, 0, u->needs_norm ? f->norm : 0);
  if (u->over_group) {
    memset(f->moved, 0, sizeof f->moved);
    fake_hand_over(f, u, 0);
    for (int64_t k = 0; k < f->function.n; k++) f->w[0][k] += f->moved[k];
  } else {
    for (int p = 0; p < 3; p++) fake_hand_over(f, u, p);
  }
  f->kept[0] += f->norm;
  f->kept[1] = 0.9 * f->kept[1] + (double)t;
  pl_comm_sum(&f->team, vote, 1);
  fake_refresh(m, t + 1);
}

static pl_standing fake_standing(const pl_model *m) {
  const fake *f = (const fake *)m;
  return f->values->standing ? f->values->standing(f->t) : pl_standing_of(f->loss);
}

static pl_status fake_observe(pl_model *m, double *out) {
  fake *f = (fake *)m;
  if (f->team.rank == 0) pl_schema_compute(&f->schema, f, out);
  return f->t == f->values->sick ? pl_error(PL_NUMERIC, "a record fails") : PL_OK;
}

/* ---- weights ---- */

static int64_t fake_length(const pl_model *m, int p) {
  (void)m;
  return p == 0 ? 2 * FAKE_BLOCK : FAKE_BIAS;
}

static void fake_gather(pl_model *m, int p, double *const *blocks, int64_t first, int64_t n,
                        double *x) {
  const fake *f = (const fake *)m;
  for (int64_t i = first; i < first + n; i++) {
    int q = p + (int)(i / FAKE_BLOCK);
    bool mine = p > 0 ? f->team.rank == 0 : f->params[q].n > 0;
    x[i - first] = mine ? blocks[q][i % FAKE_BLOCK] : 0;
  }
  pl_comm_sum(&f->team, x, n);
}

static void fake_scatter(pl_model *m, int p, double *const *blocks, int64_t first, int64_t n,
                         double *x) {
  const fake *f = (const fake *)m;
  pl_comm_bcast(&f->team, x, (size_t)n * sizeof *x, 0);
  for (int64_t i = first; i < first + n; i++) {
    int q = p + (int)(i / FAKE_BLOCK);
    if (f->params[q].n > 0) blocks[q][i % FAKE_BLOCK] = x[i - first];
  }
}

/* The function stands on rank 0. */
static int64_t fake_function_length(const pl_model *m, int p) {
  (void)m, (void)p;
  return FAKE_FUNCTION;
}
static void fake_gather_function(pl_model *m, int p, double *const *blocks, int64_t first,
                                 int64_t n, double *x) {
  if (((fake *)m)->team.rank == 0) memcpy(x, blocks[p] + first, (size_t)n * sizeof *x);
}
static void fake_scatter_function(pl_model *m, int p, double *const *blocks, int64_t first,
                                  int64_t n, double *x) {
  if (((fake *)m)->team.rank == 0) memcpy(blocks[p] + first, x, (size_t)n * sizeof *x);
}

static double *fake_keep(pl_model *m, int i, const char **name, int64_t *n) {
  *name = "entries";
  *n = FAKE_ENTRIES;
  return i == 0 ? ((fake *)m)->kept : NULL;
}

static const pl_transfer fake_weights = {fake_length, fake_gather, fake_scatter};
static const pl_transfer fake_functions = {fake_function_length, fake_gather_function,
                                           fake_scatter_function};
static const pl_keys *const fake_keys[] = {NULL};
static const char *const fake_headline[] = {"loss", "parameter_norm", NULL};

static const pl_model_kind fake_kind = {.name = "fake",
                                        .headline = fake_headline,
                                        .keys = fake_keys,
                                        .measures = fake_tables,
                                        .metric = "accuracy",
                                        .describe = fake_describe,
                                        .create = fake_create,
                                        .destroy = fake_destroy,
                                        .refresh = fake_refresh,
                                        .step = fake_step,
                                        .standing = fake_standing,
                                        .observe = fake_observe,
                                        .weights = &fake_weights,
                                        .functions = &fake_functions,
                                        .keep = fake_keep};
static const pl_data_kind fake_data = {.name = "fake", .keys = fake_keys};

static pl_status fake_create(const pl_spec *spec, const pl_comm *team, const pl_rates *rates,
                             pl_model **out) {
  (void)rates;
  fake *f = pl_zalloc(1, sizeof *f, "a fake");
  f->values = fake_values_of(spec);
  f->team = *team;
  for (int b = 0; b < 2; b++) {
    bool mine = team->rank == b % team->size;
    f->params[b] = (pl_param){.name = "matrix",
                              .block = b,
                              .count = 1,
                              .rows = 2,
                              .cols = 3,
                              .weight = 1,
                              .n = mine ? FAKE_BLOCK : 0,
                              .w = f->w[b]};
    for (int k = 0; k < FAKE_BLOCK; k++) f->w[b][k] = mine ? 1 + b + 0.1 * k : 0;
  }
  f->params[2] = (pl_param){.name = "bias",
                            .layer = 1,
                            .count = 1,
                            .rows = FAKE_BIAS,
                            .cols = 1,
                            .shared = true,
                            .weight = 1,
                            .n = FAKE_BIAS,
                            .w = f->bias};
  for (int k = 0; k < FAKE_BIAS; k++) f->bias[k] = 2 - k;
  f->function = (pl_param){.name = "filter",
                           .count = 1,
                           .rows = FAKE_FUNCTION,
                           .cols = 1,
                           .weight = 1,
                           .n = team->rank == 0 ? FAKE_FUNCTION : 0,
                           .w = f->moved};
  f->base = (pl_model){.kind = &fake_kind, .num_params = 3, .params = f->params};
  if (f->values->functions && pl_optim_over_group(spec)) {
    f->base.num_functions = 1;
    f->base.functions = &f->function;
  }
  fake_describe(spec, &f->schema);
  fake_refresh(&f->base, 0);
  *out = &f->base;
  return PL_OK;
}

/* A run of it: 20 steps, a record at each. */
static inline pl_spec fake_spec(const char *optimizer) {
  pl_spec s = {.model = &fake_kind, .data = &fake_data};
  s.common = (pl_common){.data_seed = PL_UNSET,
                         .steps = 20,
                         .epochs = PL_UNSET,
                         .record_schedule = PL_SCHEDULE_LINEAR,
                         .record_points = 21,
                         .team = PL_UNSET,
                         .samples = 10};
  while (strcmp(pl_optim_name((int)s.common.optimizer_kind), optimizer)) s.common.optimizer_kind++;
  *(pl_optim_values *)(void *)s.optimizer_values =
      (pl_optim_values){.lr = 0.1,
                        .growth_factor = 1.01,
                        .growth_every = 3,
                        .epsilon = 1e-8,
                        .epsilon_inside = 1,
                        .beta1 = 0.9,
                        .beta2 = 0.99,
                        .momentum = 0.9,
                        .domain = PL_DOMAIN_GROUP,
                        .granularity = PL_GRAIN_COORDINATE};
  ((fake_values *)(void *)s.network_values)->sick = -1;
  return s;
}

static inline fake_values *fake_values_in(pl_spec *spec) {
  return (fake_values *)(void *)spec->network_values;
}

#endif
