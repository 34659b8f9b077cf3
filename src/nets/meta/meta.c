/* The outer loop as a network over a tape: its objective is one operation of the family's own,
 * whose derivative is the meta-gradient. */
#include "net.h"

#include "base/mem.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- the operation ---- */

typedef struct many {
  meta_net *m;
  pl_take take;
} many;

static void read_theta(meta_net *m, const pl_node *y) {
  double *to = m->theta;
  for (int k = 0; k < y->inputs; to += pl_tape_count(y->input[k]), k++)
    memcpy(to, y->input[k]->value, (size_t)pl_tape_count(y->input[k]) * sizeof *to);
}

/* Mean query loss over the tasks of a take, all ranks', and in sum the meta-gradient. */
static double differentiate(const many *d) {
  meta_net *m = d->m;
  double loss = 0;
  memset(m->sum, 0, (size_t)m->n * sizeof *m->sum);
  m->tally = (meta_tally){0};
  for (int64_t i = 0; i < d->take.count; i++)
    loss += meta_gradient(m, d->take.part, d->take.entry[i], 1 / (double)d->take.total, m->sum);
  return loss / (double)d->take.total;
}

/* A training step goes back, so its meta-gradient is made at once, while each task's inner loop is
 * in memory; others may not want one. */
static void forward(pl_tape *t, pl_node *y, double *out) {
  const many *d = y->data;
  meta_net *m = d->m;
  read_theta(m, y);
  *out = 0;
  if (d->take.training) {
    *out = differentiate(d);
    size_t bytes = (size_t)m->n * sizeof(double);
    y->saved = memcpy(pl_tape_alloc(t, (size_t)m->n, sizeof(double)), m->sum, bytes);
    return;
  }
  for (int64_t i = 0; i < d->take.count; i++)
    *out += meta_adapt(m, d->take.part, d->take.entry[i], NULL) / (double)d->take.total;
}

static void backward(pl_tape *t, const pl_node *y, const double *dy) {
  const many *d = y->data;
  const double *g = y->saved;
  if (!g) {
    meta_tally kept = d->m->tally; /* of the step to come */
    read_theta(d->m, y);
    differentiate(d);
    d->m->tally = kept;
    g = d->m->sum;
  }
  for (int k = 0; k < y->inputs; k++) {
    int64_t n = pl_tape_count(y->input[k]);
    pl_into to = pl_tape_into(t, y->input[k]);
    for (int64_t i = 0; i < n && to.at; i++) to.at[i] = (to.add ? to.at[i] : 0) + *dy * g[i];
    g += n;
  }
}

static const pl_tape_op adapt_op = {.name = "adapt", .forward = forward, .backward = backward};

static pl_node *objective(const pl_net *net, pl_tape *t, pl_node *const *w, const pl_take *take) {
  many d = {meta_of(net), *take};
  return pl_tape_apply(t, &adapt_op, 1, 1, net->num_weights, w, &d, sizeof d);
}

/* The sum of one term: said here, since what has a combine is not differentiated twice. */
static double combine(const pl_net *net, const double *terms, double *slope) {
  (void)net;
  slope[0] = 1;
  return terms[0];
}

/* ---- life ---- */

static void add_weights(pl_net *net, const pl_net *inner) {
  for (int k = 0; k < inner->num_weights; k++) pl_net_add(net, inner->weight[k]);
}

static int64_t work_of(const meta_values *v) {
  int64_t solver = v->solver == SOLVER_LBFGS       ? PL_LBFGS_WORK
                   : v->solver == SOLVER_NEWTON_CG ? PL_NEWTON_WORK
                                                   : PL_DESCEND_WORK;
  return solver > 3 ? solver : 3; /* conjugate gradients, and the way back through an inner loop */
}

pl_status meta_furnish(pl_net *net, const pl_tasks *tasks) {
  const meta_values *v = meta_values_of(&net->spec);
  const pl_inner_shape *s = &tasks->shape.sample;
  meta_net *m = net->own = pl_zalloc(1, sizeof *m, "an outer loop");
  size_t samples = (size_t)pl_task_samples(&tasks->shape);
  m->spec = &net->spec;
  m->tasks = *tasks;
  m->tasks.spec = &net->spec;
  m->kind = pl_inner_of(&net->spec);
  pl_inner_init(&m->inner, &net->spec, &m->tasks.shape.sample);
  add_weights(net, &m->inner);
  for (int p = 0; p < PL_NUM_PARTS; p++) net->count[p] = tasks->count[p];
  int64_t n = m->n = net->start[net->num_weights];
  m->tape = pl_tape_new();
  m->node = pl_alloc((size_t)net->num_weights, sizeof(pl_node *), "inner weights");
  m->x = pl_alloc(samples, (size_t)s->features * sizeof *m->x, "a task");
  m->y = pl_alloc(samples, (size_t)pl_inner_targets(s) * sizeof *m->y, "a task");
  m->label = pl_alloc(samples, sizeof *m->label, "a task");
  double **of_weights[] = {&m->theta,     &m->phi,     &m->gradient, &m->part,
                           &m->direction, &m->product, &m->sum};
  for (size_t k = 0; k < sizeof of_weights / sizeof *of_weights; k++)
    *of_weights[k] = pl_zalloc((size_t)n, sizeof(double), "inner weights");
  m->work = pl_alloc((size_t)(work_of(v) * n), sizeof *m->work, "inner weights");
  if (v->method == METHOD_MAML)
    m->states = pl_alloc((size_t)(v->inner_steps * n), sizeof *m->states, "an unrolled inner loop");
  return meta_records_new(m);
}

static pl_status load(pl_net *net) {
  pl_tasks tasks;
  PL_TRY(pl_tasks_init(&net->spec, &net->team, &tasks));
  return pl_agree(&net->team, meta_furnish(net, &tasks));
}

static void unload(pl_net *net) {
  meta_net *m = net->own;
  if (!m) return;
  meta_records_free(m);
  pl_inner_fini(&m->inner, m->spec);
  pl_tasks_fini(&m->tasks);
  pl_tape_free(m->tape);
  pl_free(m->node);
  pl_free(m->x);
  pl_free(m->y);
  pl_free(m->label);
  pl_free(m->theta);
  pl_free(m->phi);
  pl_free(m->gradient);
  pl_free(m->part);
  pl_free(m->direction);
  pl_free(m->product);
  pl_free(m->sum);
  pl_free(m->work);
  pl_free(m->states);
  pl_free(m);
}

static pl_status shapes(pl_net *net) {
  pl_task_shape shape;
  pl_net inner;
  PL_TRY(pl_task_shape_of(&net->spec, &shape));
  pl_inner_init(&inner, &net->spec, &shape.sample);
  add_weights(net, &inner);
  pl_inner_fini(&inner, &net->spec);
  return PL_OK;
}

/* ---- cost: a sample is a task ---- */

static void work(const pl_spec *spec, double *sample_flops, double *sample_bytes,
                 double *fixed_flops, double *fixed_bytes) {
  const meta_values *v = meta_values_of(spec);
  pl_task_shape shape;
  pl_net inner;
  double products = 0, doubles = 0;
  *sample_flops = *sample_bytes = *fixed_flops = *fixed_bytes = 0;
  if (pl_task_shape_of(spec, &shape)) return;
  pl_inner_init(&inner, spec, &shape.sample);
  pl_inner_of(spec)->work(&inner, &shape.sample, &products, &doubles);
  double n = (double)inner.start[inner.num_weights], steps = (double)v->inner_steps;
  pl_inner_fini(&inner, spec);
  double support = (double)shape.support, all = (double)pl_task_samples(&shape);
  double each = 6 * products + 20 * doubles; /* a gradient; H v costs twice that, beside one */
  double evaluations = steps;
  if (v->method == METHOD_IMAML) evaluations += 1 + 2 * (double)v->cg_steps;
  if (v->method == METHOD_MAML) evaluations += 3 * steps;
  *sample_flops = each * (evaluations * support + all - support) + 10 * n * evaluations;
  if (v->method == METHOD_REPTILE) *sample_flops += each * steps * all;
  *fixed_bytes = 8 * (4 * doubles * fmax(support, all - support) + n * (8 + (double)work_of(v)));
  if (v->method == METHOD_MAML) *fixed_bytes += 8 * n * steps;
}

/* ---- checks ---- */

static const char *fits(const pl_spec *spec) {
  const meta_values *v = meta_values_of(spec);
  if (v->method == METHOD_MAML && v->solver != SOLVER_GD) {
    pl_error(PL_EINPUT, "maml goes back through the steps of gd: meta.inner_solver is another");
    return "meta.method";
  }
  if (v->method == METHOD_IMAML && !(meta_lambda(spec) > 0)) {
    pl_error(PL_EINPUT, "imaml needs a pull to theta: expected a number > 0");
    return "meta.lambda";
  }
  if (v->method == METHOD_MAML && v->inner_steps > 10000) {
    pl_error(PL_EINPUT, "maml stores every state: expected at most 10000");
    return "meta.inner_steps";
  }
  return pl_net_fits(spec);
}

static pl_status check(const pl_spec *spec, const char **key) {
  const pl_task_data *data = (const pl_task_data *)spec->data;
  pl_task_shape shape;
  *key = "data.kind";
  if (data->check) PL_TRY(data->check(spec, key));
  PL_TRY(pl_task_shape_of(spec, &shape));
  PL_TRY(pl_inner_check(spec, &shape.sample, key));
  return pl_net_check(spec, key);
}

static int label(const pl_spec *spec, char *buf, size_t n) {
  static const char *const method[] = {"imaml", "maml", "fomaml", "reptile", "none"};
  return snprintf(buf, n, "meta, %s around %s", method[meta_values_of(spec)->method],
                  pl_inner_of(spec)->name);
}

/* ---- the description ---- */

static const pl_keys *const keys[] = {&meta_keys,        &pl_inner_keys,    &meta_batch_keys,
                                      &pl_net_init_keys, &pl_spectrum_keys, NULL};
static const pl_default defaults[] = {{"record.sample", "100"}, {NULL, NULL}};
static const pl_measures *const measures[] = {&pl_net_measures, &meta_measures, NULL};

const pl_net_kind pl_meta = {
    .door = {.name = "meta",
             .help = "an outer loop (implicit MAML, MAML, FOMAML, Reptile) around another network",
             .example = "{model: {kind: meta, width: 4, depth: 2, activation: tanh}, meta: {tasks: "
                        "4, lambda: 3, inner_solver: newton-cg, cg_steps: 40}, data: {kind: "
                        "sinusoid, samples: 7, validation: 2, test: 3, shots: 4, queries: 3}}",
             .summary = "post-adaptation metrics, meta-gradients and spectra of initial weights",
             .reference = "https://doi.org/10.48550/arXiv.1909.04630",
             .headline = (const char *const[]){"loss", "gradient_norm", NULL},
             PL_NET_DOOR,
             .keys = keys,
             .defaults = defaults,
             .data = pl_task_data_kinds,
             .measures = measures,
             .metric = "accuracy",
             .other_metric = "mse",
             .fits = fits,
             .check = check,
             .label = label,
             .apply = meta_apply},
    .split = PL_SPLIT_SAMPLES,
    .num_metrics = 2,
    .record_bytes = sizeof(meta_record),
    .load = load,
    .unload = unload,
    .objective = objective,
    .combine = combine,
    .metrics = meta_metrics,
    .observe = meta_observe,
    .axes = meta_axes,
    .shapes = shapes,
    .note = meta_note,
    .open = meta_open,
    .predict = meta_predict,
    .work = work,
};

/* ---- an inner network for theorems ---- */

static void quadratic_make(pl_net *net, const pl_inner_shape *shape) {
  pl_net_weight w = {.name = "layer0_weight",
                     .what = "the point at which the quadratic function is taken",
                     .group = "weight",
                     .rows = shape->features,
                     .cols = shape->outputs,
                     .init = PL_INIT_NORMAL,
                     .scale = pl_inner_values_of(&net->spec)->init_scale};
  pl_net_add(net, w);
}

static pl_node *quadratic_outputs(const pl_net *net, pl_tape *t, pl_node *const *w,
                                  const pl_inner_shape *shape, int64_t num, pl_node *x) {
  (void)net, (void)shape, (void)num;
  return pl_tape_matmul(t, x, w[0]);
}

static void quadratic_work(const pl_net *net, const pl_inner_shape *shape, double *products,
                           double *doubles) {
  (void)net;
  *products = (double)(shape->features * shape->outputs);
  *doubles = 2 * (double)shape->outputs;
}

const pl_inner pl_inner_quadratic = {
    .name = "quadratic",
    .help = "y = x phi: with the mean square loss a quadratic function of its weights",
    .make = quadratic_make,
    .outputs = quadratic_outputs,
    .work = quadratic_work};
