#include "base/mem.h"
#include "base/norm.h"
#include "base/pause.h"
#include "model/batch.h"
#include "model/optim.h"
#include "net_work.h"
#include "nets/spread.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

bool pl_net_wants_validation(const pl_spec *spec, const void *context) {
  (void)context;
  return pl_data_count(spec, PL_VALIDATION) > 0;
}

bool pl_net_wants_test(const pl_spec *spec, const void *context) {
  (void)context;
  return pl_data_count(spec, PL_TEST) > 0;
}

static bool wants_spectrum(const pl_spec *spec, const void *context) {
  (void)context;
  return spec->common.record_spectrum == 1;
}

static bool wants_flow(const pl_spec *spec, const void *context) {
  (void)context;
  return pl_optim_flow(spec);
}

/* ---- measures of the weights' singular values ---- */

static int64_t sigma_count(const pl_net_weight *w) {
  return w->rows < w->cols ? w->rows : w->cols;
}

/* Call f for each weight with its singular values. */
static void each_weight(const void *state, double *out,
                        double (*f)(int64_t n, const double *s, const double *times)) {
  const pl_net_record *r = state;
  const double *s = r->sigma;
  for (int k = 0; k < r->net->num_weights; k++) {
    int64_t n = sigma_count(&r->net->weight[k]);
    out[k] = f(n, s, NULL);
    s += n;
  }
}

static void weight_schatten(const void *state, double *out) {
  each_weight(state, out, pl_spread_schatten);
}
static void weight_rank(const void *state, double *out) {
  each_weight(state, out, pl_spread_rank);
}
static void weight_entropy_rank(const void *state, double *out) {
  each_weight(state, out, pl_spread_entropy_rank);
}
static void weight_gini(const void *state, double *out) {
  each_weight(state, out, pl_spread_gini);
}
static void weight_singular_values(const void *state, double *out) {
  const pl_net_record *r = state;
  memcpy(out, r->sigma, (size_t)r->net->work->num_sigma * sizeof *out);
}

#define AT(member) .from = offsetof(pl_net_record, member)
static const pl_measure rows[] = {
    {"loss", NULL, "1", "objective on the training part, regularisers included", .better = -1,
     AT(loss)},
    {"log_loss", NULL, "1", "natural logarithm of the loss", .better = -1, AT(log_loss)},
    {"parameter_norm", NULL, "1", "Euclidean norm of all weights", AT(parameter_norm),
     .finite = true},
    {"gradient_norm", NULL, "1", "Euclidean norm of the gradient of the step to come",
     AT(gradient_norm)},
    {"weight_schatten", "weight", "1", PL_WEIGHT_SCHATTEN, .compute = weight_schatten},
    {"weight_rank", "weight", "1", PL_WEIGHT_RANK, .compute = weight_rank},
    {"weight_entropy_rank", "weight", "1", PL_WEIGHT_ENTROPY_RANK, .compute = weight_entropy_rank},
    {"weight_gini", "weight", "1", PL_WEIGHT_GINI, .compute = weight_gini},
    {"weight_singular_values", "weight_sv", "1", PL_WEIGHT_SINGULAR_VALUES,
     .wanted = wants_spectrum, .compute = weight_singular_values},
    {"flow_time", NULL, "1", "time of the gradient flow: the sum of the lengths of its steps",
     .wanted = wants_flow, AT(flow_time)},
    {"flow_step", NULL, "1", "length of the flow's step to come, before it is halved",
     .wanted = wants_flow, AT(flow_step)},
};
const pl_measures pl_net_measures = PL_MEASURES(rows);

/* ---- axes ---- */

typedef struct context {
  pl_net shapes;
  int64_t *sv_weight; /* weight of each singular value */
  void *own;
  void (*free_own)(void *);
} context;

static void weight_name(const void *c, int64_t i, double *number, char *text) {
  (void)number;
  snprintf(text, 64, "%s", ((const context *)c)->shapes.weight[i].name);
}
static void weight_rows(const void *c, int64_t i, double *number, char *text) {
  (void)text;
  *number = (double)((const context *)c)->shapes.weight[i].rows;
}
static void weight_cols(const void *c, int64_t i, double *number, char *text) {
  (void)text;
  *number = (double)((const context *)c)->shapes.weight[i].cols;
}
static void sv_weight(const void *c, int64_t i, double *number, char *text) {
  (void)text;
  *number = (double)((const context *)c)->sv_weight[i];
}

static const pl_coord weight_coords[] = {PL_WEIGHT_COORDS(weight_name, weight_rows, weight_cols)};
static const pl_coord sv_coords[] = {PL_WEIGHT_SV_COORD(sv_weight)};
#define COORDS(x) x, sizeof x / sizeof *x

const void *pl_net_context(const void *schema_context) {
  return ((const context *)schema_context)->own;
}

static void free_context(void *c) {
  context *x = c;
  pl_net_shapes_free(&x->shapes);
  pl_free(x->sv_weight);
  if (x->free_own) x->free_own(x->own);
  pl_free(x);
}

/* Runs share the axis of weights when these have the same names and shapes. */
static char *shapes_key(const pl_net *n) {
  enum { MOST = sizeof n->weight->name + 48 }; /* of one weight's text */
  size_t size = (size_t)n->num_weights * MOST + 1, at = 0;
  char *key = pl_alloc(size, 1, "schema");
  *key = 0;
  for (int k = 0; k < n->num_weights; k++) {
    const pl_net_weight *w = &n->weight[k];
    at += (size_t)snprintf(key + at, size - at, "%s%s %lldx%lld", k ? ", " : "", w->name,
                           (long long)w->rows, (long long)w->cols);
  }
  return key;
}

pl_status pl_net_describe(const pl_spec *spec, pl_schema *out) {
  enum { MOST_AXES = 8 };
  const pl_net_kind *kind = pl_net_kind_of(spec);
  context *c = pl_zalloc(1, sizeof *c, "schema");
  pl_axis axes[MOST_AXES];
  int num = 2;
  int64_t sv = 0;
  pl_status st = pl_net_shapes_of(spec, &c->shapes);
  if (!st && kind->axes) st = kind->axes(spec, axes, &num, &c->own, &c->free_own);
  if (st) {
    free_context(c);
    return st;
  }
  pl_require(num <= MOST_AXES);
  for (int k = 0; k < c->shapes.num_weights; k++) sv += sigma_count(&c->shapes.weight[k]);
  c->sv_weight = pl_alloc((size_t)sv, sizeof *c->sv_weight, "singular values");
  for (int64_t k = 0, at = 0; k < c->shapes.num_weights; k++)
    for (int64_t i = 0; i < sigma_count(&c->shapes.weight[k]); i++) c->sv_weight[at++] = k;
  char *key = shapes_key(&c->shapes);
  axes[0] = (pl_axis){.name = "weight",
                      .key = key,
                      .length = c->shapes.num_weights,
                      .coords = weight_coords,
                      .num_coords = sizeof weight_coords / sizeof *weight_coords};
  axes[1] = (pl_axis){.name = "weight_sv",
                      .key = key,
                      .length = sv,
                      .coords = sv_coords,
                      .num_coords = sizeof sv_coords / sizeof *sv_coords};
  pl_schema_init(out, spec, kind->door.measures, axes, num, c, free_context);
  pl_free(key);
  return PL_OK;
}

/* ---- a record ---- */

pl_status pl_net_observe_new(pl_net *net) {
  pl_net_work *k = net->work;
  PL_TRY(pl_net_describe(&net->spec, &k->schema));
  size_t bytes = net->kind->record_bytes ? net->kind->record_bytes : sizeof(pl_net_record);
  k->record = pl_zalloc(1, bytes, "a record");
  for (int p = 0; p < net->num_weights; p++) k->num_sigma += sigma_count(&net->weight[p]);
  k->sigma = pl_alloc((size_t)k->num_sigma, sizeof *k->sigma, "singular values");
  return PL_OK;
}

void pl_net_observe_free(pl_net *net) {
  pl_net_work *k = net->work;
  pl_schema_free(&k->schema);
  pl_free(k->record);
  pl_free(k->sigma);
}

static pl_status decompose(pl_net *net) {
  pl_net_work *k = net->work;
  pl_status worst = PL_OK;
  double *s = k->sigma;
  for (int p = 0; p < net->num_weights; p++) {
    const pl_net_weight *w = &net->weight[p];
    if (!pl_pause() &&
        pl_rect_singular_values(k->rect, w->rows, w->cols, net->w + net->start[p], s))
      worst = PL_NUMERIC;
    s += sigma_count(w);
  }
  return worst;
}

pl_verdict pl_net_judge(const pl_schema *schema, const double *record) {
  double accuracy = pl_schema_value(schema, record, "train_accuracy");
  return (pl_verdict){isnan(accuracy) ? PL_UNSAID : accuracy == 1, PL_UNSAID};
}

pl_status pl_net_observe(pl_model *m, double *out) {
  pl_net *net = pl_net_of(m);
  pl_net_work *k = net->work;
  pl_net_record *r = k->record;
  r->net = net;
  r->sigma = k->sigma;
  r->flow_time = k->flow[PL_FLOW_TIME];
  double step = k->flow[PL_FLOW_STEP];
  r->flow_step = step > 0 ? step : pl_optim_values_of(&net->spec)->lr;
  r->gradient_norm = pl_net_gradient_norm(net);
  r->parameter_norm = pl_norm2(net->start[net->num_weights], net->w);
  pl_standing whole = pl_net_standing(m);
  int64_t train = net->count[PL_TRAIN], seen = pl_net_recorded(net, PL_TRAIN).total;
  bool batches = pl_batch_size(&net->spec, train) < train || seen < train;
  /* The tape of the step to come is lost, but its gradient is there. */
  if (k->regular.recorded)
    whole = pl_standing_of(pl_net_regular_watch(net));
  else if (batches || net->kind->random)
    whole = pl_standing_of(pl_net_objective(net, PL_TRAIN));
  r->task_loss = k->regular.task;
  r->bro = k->regular.watched[0];
  r->embedding_entropy_rank = k->regular.watched[1];
  r->gini = k->regular.gini;
  r->loss = whole.objective;
  r->log_loss = whole.log_objective;
  for (int part = 0; part < PL_NUM_PARTS; part++)
    if (net->kind->num_metrics && net->count[part] > 0)
      net->kind->metrics(net, (pl_part)part, r->metric[part]);
  pl_status st = decompose(net);
  if (net->kind->observe) {
    pl_status own = net->kind->observe(net, r);
    if (!st) st = own;
  }
  if (net->team.rank == 0) pl_schema_compute(&k->schema, r, out);
  return pl_agree(&net->team, st);
}
