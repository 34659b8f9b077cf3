#include "nets/example/perceptron.h"

#include "base/rng.h"

typedef struct values {
  pl_net_values net;
  int64_t dim;
} values;

static pl_status shapes(pl_net *net) {
  int64_t dim = ((const values *)pl_net_values_of(&net->spec))->dim;
  pl_net_add(net, (pl_net_weight){"w", "weights", "weight", 0, dim, 1, PL_INIT_NORMAL, 1});
  return PL_OK;
}

/* (1/N) sum_i log(1 + exp(-<w, sign(x_i0) x_i>)) */
static pl_node *objective(const pl_net *net, pl_tape *t, pl_node *const *w, const pl_take *take) {
  int64_t d = net->weight[0].rows;
  double *x = pl_tape_alloc(t, (size_t)(take->count * d), sizeof *x);
  for (int64_t i = 0; i < take->count; i++) {
    pl_rng_normals(pl_data_seed(&net->spec), PL_STREAM(PL_STREAM_SAMPLE, take->entry[i]), 0, d,
                   x + i * d);
    for (int64_t k = d - 1; k >= 0; k--) x[i * d + k] *= x[i * d] < 0 ? 1 : -1;
  }
  pl_node *margin = pl_tape_matmul(t, pl_tape_constant(t, take->count, d, x), w[0]);
  return pl_tape_scale(t, pl_tape_sum(t, pl_tape_softplus(t, margin)), 1 / (double)take->total);
}

static void alignment(const void *state, double *out) {
  const pl_net_record *r = state;
  *out = r->net->w[0] / r->parameter_norm;
}

static const pl_key rows[] = {{"model.dimension", PL_KEY_INT, offsetof(values, dim),
                               PL_COST | PL_DATA | PL_RESULTS, "4", .min = 1, .max = 1e6,
                               .help = "length of x"}};
static const pl_measure measure_rows[] = {
    {"alignment", NULL, "1", "w_0 / ||w||", .compute = alignment}};
static const pl_keys table = PL_KEYS(PL_IN_NETWORK, rows);
static const pl_measures own = PL_MEASURES(measure_rows);
const pl_data_kind pl_data_line = {.name = "line",
                                   .keys = (const pl_keys *const[]){&pl_size_keys, NULL}};

const pl_net_kind pl_perceptron = {
    .door = {.name = "perceptron",
             .help = "linear, on points",
             .summary = "loss and direction of a perceptron",
             .reference = "https://doi.org/10.1037/h0042519",
             PL_NET_DOOR,
             .headline = (const char *const[]){"loss", "alignment", NULL},
             .example = "{model.kind: perceptron, data.samples: 7, steps: 20}",
             .keys = (const pl_keys *const[]){&table, &pl_net_init_keys, &pl_batch_keys,
                                              &pl_spectrum_keys, NULL},
             .data = (const pl_data_kind *const[]){&pl_data_line, NULL},
             .measures = (const pl_measures *const[]){&pl_net_measures, &own, NULL},
             .fits = pl_net_fits,
             .check = pl_net_check},
    .objective = objective,
    .shapes = shapes};
