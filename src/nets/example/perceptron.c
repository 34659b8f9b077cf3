#include "nets/example/perceptron.h"

#include "base/mem.h"
#include "base/rng.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct values {
  pl_net_values net;
  int64_t dim;
} values;

typedef struct record {
  pl_net_record first;
  double alignment;
} record;

static int64_t dim(const pl_spec *spec) {
  return ((const values *)(const void *)spec->network_values)->dim;
}

static pl_status shapes(pl_net *net) {
  pl_net_add(net,
             (pl_net_weight){"w", "weights", "weight", 0, dim(&net->spec), 1, PL_INIT_NORMAL, 1});
  return PL_OK;
}

/* Samples are their label times x. */
static pl_status load(pl_net *net) {
  int64_t n = net->count[PL_TRAIN] = pl_data_count(&net->spec, PL_TRAIN), d = dim(&net->spec);
  double *x = net->own = pl_alloc((size_t)(n * d), sizeof *x, "samples");
  pl_rng_normals(pl_data_seed(&net->spec), PL_STREAM(PL_STREAM_SAMPLE, 0), 0, n * d, x);
  for (int64_t i = 0; i < n; i++, x += d)
    for (int64_t k = d - 1; k >= 0; k--) x[k] *= x[0] < 0 ? -1 : 1;
  return shapes(net);
}

static void unload(pl_net *net) {
  pl_free(net->own);
}

/* (1/N) sum_i log(1 + exp(-<w, y_i x_i>)) */
static pl_node *objective(const pl_net *net, pl_tape *t, pl_node *const *w, const pl_take *take) {
  int64_t d = dim(&net->spec);
  double *x = pl_tape_alloc(t, (size_t)(take->count * d), sizeof *x);
  for (int64_t i = 0; i < take->count; i++)
    memcpy(x + i * d, (double *)net->own + take->entry[i] * d, (size_t)d * sizeof *x);
  pl_node *margin = pl_tape_matmul(t, pl_tape_constant(t, take->count, d, x), w[0]);
  pl_node *loss = pl_tape_softplus(t, pl_tape_scale(t, margin, -1));
  return pl_tape_scale(t, pl_tape_sum(t, loss), 1 / (double)take->total);
}

/* The share of samples on the right side. */
static void metrics(pl_net *net, pl_part part, double *metric) {
  const double *x = net->own;
  double right = 0;
  for (int64_t i = 0, d = dim(&net->spec); i < net->count[part]; i++, x += d) {
    double margin = 0;
    for (int64_t k = 0; k < d; k++) margin += x[k] * net->w[k];
    right += margin > 0;
  }
  *metric = right / (double)net->count[part];
}

static void work(const pl_spec *spec, double *flops, double *bytes, double *fixed_flops,
                 double *fixed_bytes) {
  *flops = 4 * (double)dim(spec);
  *bytes = 16 * (double)dim(spec);
  *fixed_flops = *fixed_bytes = 0;
}

static pl_status observe(pl_net *net, void *state) {
  record *r = state;
  r->alignment = net->w[0] / r->first.parameter_norm;
  return PL_OK;
}

static int label(const pl_spec *spec, char *buf, size_t n) {
  return snprintf(buf, n, "perceptron, dimension %lld", (long long)dim(spec));
}

static const pl_key rows[] = {{"model.dimension", PL_KEY_INT, offsetof(values, dim),
                               PL_COST | PL_DATA | PL_RESULTS, "4", .min = 1, .max = 1e6,
                               .help = "length of x"}};
static const pl_measure measure_rows[] = {
    {"alignment", NULL, "1", "w_0 / ||w||", .better = 1, .from = offsetof(record, alignment)},
    PL_NET_METRIC(0, "accuracy", PL_ACCURACY, 1),
};
static const pl_keys table = PL_KEYS(PL_IN_NETWORK, rows);
static const pl_measures own = PL_MEASURES(measure_rows);
static const pl_keys *const data_keys[] = {&pl_size_keys, NULL};
const pl_data_kind pl_data_line = {
    .name = "line", .help = "points on two sides of a plane", .keys = data_keys};

const pl_net_kind pl_perceptron = {
    .door = {.name = "perceptron",
             .help = "linear, on points",
             PL_NET_DOOR,
             .example = "{model.kind: perceptron, data.samples: 7, steps: 20}",
             .summary = "loss and direction of a perceptron",
             .reference = "",
             .headline = (const char *const[]){"loss", "alignment", NULL},
             .metric = "accuracy",
             .keys = (const pl_keys *const[]){&table, &pl_net_init_keys, &pl_batch_keys,
                                              &pl_spectrum_keys, NULL},
             .data = (const pl_data_kind *const[]){&pl_data_line, NULL},
             .measures = (const pl_measures *const[]){&pl_net_measures, &own, NULL},
             .fits = pl_net_fits,
             .check = pl_net_check,
             .label = label},
    .record_bytes = sizeof(record),
    .num_metrics = 1,
    .metrics = metrics,
    .work = work,
    .load = load,
    .unload = unload,
    .objective = objective,
    .observe = observe,
    .shapes = shapes};
