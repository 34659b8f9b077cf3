#include "nets/example/perceptron.h"

#include "base/mem.h"
#include "base/nc.h"
#include "base/rng.h"
#include "model/loss.h"

#include <float.h>
#include <stdio.h>
#include <string.h>

typedef struct values {
  int64_t dim, init_kind;
  const char *init_path;
} values;

/* Every rank holds the weights and, of the samples, every size-th. */
typedef struct perceptron {
  pl_model base;
  pl_comm team;
  pl_param w;
  pl_schema schema;
  int64_t num;
  double *x, *g, *margin; /* [num][dim] with the label's sign; [dim + 1]; [num] */
  double alignment;
} perceptron;

static const values *of(const pl_spec *spec) {
  return (const values *)(const void *)spec->network_values;
}

/* ---- keys ---- */

PL_WORDS(inits, "zero", "file")
static const pl_key rows[] = {
    {"model.dimension", PL_KEY_INT, offsetof(values, dim), PL_COST | PL_DATA | PL_RESULTS, "4",
     .min = 1, .max = 1e6, .help = "length of x"},
    {"model.init.kind", PL_KEY_CHOICE, offsetof(values, init_kind), PL_COST | PL_RESULTS, "zero",
     .choice = inits, .help = "initial weights"},
    {"model.init.path", PL_KEY_TEXT, offsetof(values, init_path), PL_COST | PL_RESULTS,
     .path = true, .with = "model.init.kind", .with_word = "file", .help = "NetCDF file with w(x)"},
};
static const pl_key data_rows[] = {
    {"data.noise", PL_KEY_REAL, 0, PL_DATA | PL_RESULTS, "0.1", .min = 0, .max = DBL_MAX,
     .help = "standard deviation of what is added to x_0 before the label is taken"},
};
static const pl_keys table = PL_KEYS(PL_IN_NETWORK, rows);
static const pl_keys data_table = PL_KEYS(PL_IN_DATA, data_rows);
static const pl_keys *const keys[] = {&table, NULL};
static const pl_keys *const data_keys[] = {&pl_size_keys, &data_table, NULL};
const pl_data_kind pl_data_line = {
    .name = "line", .help = "Gaussian points on two sides of a hyperplane", .keys = data_keys};
static const pl_data_kind *const data[] = {&pl_data_line, NULL};

/* ---- measures ---- */

static double log_loss(const perceptron *m) {
  return pl_log_loss(PL_LOSS_LOGISTIC, m->num, m->margin);
}
static void loss(const void *m, double *out) {
  *out = exp(log_loss(m));
}
static const pl_measure measure_rows[] = {
    {"loss", NULL, "1", "mean loss over the samples", .compute = loss, .better = -1},
    {"alignment", NULL, "1", "w_0 / ||w||: 1 where only x_0 counts", .better = 1,
     .from = offsetof(perceptron, alignment)},
};
static const pl_measures measures = PL_MEASURES(measure_rows);
static const pl_measures *const tables[] = {&measures, NULL};
static const char *const headline[] = {"loss", "alignment", NULL};

static pl_status describe(const pl_spec *spec, pl_schema *out) {
  pl_schema_init(out, spec, tables, NULL, 0, NULL, NULL);
  return PL_OK;
}

static pl_status observe(pl_model *model, double *out) {
  perceptron *m = (perceptron *)model;
  double sum = 0;
  for (int64_t k = 0; k < m->w.n; k++) sum += m->w.w[k] * m->w.w[k];
  m->alignment = m->w.w[0] / sqrt(sum);
  if (m->team.rank == 0) pl_schema_compute(&m->schema, m, out);
  return PL_OK;
}

/* ---- steps ---- */

static void look(perceptron *m, double *vote) {
  double *sums = pl_zalloc((size_t)m->num + 1, sizeof *sums, "margins");
  for (int64_t i = m->team.rank; i < m->num; i += m->team.size)
    for (int64_t k = 0; k < m->w.n; k++) sums[i] += m->w.w[k] * m->x[i * m->w.n + k];
  sums[m->num] = *vote;
  pl_comm_sum(&m->team, sums, m->num + 1);
  memcpy(m->margin, sums, (size_t)m->num * sizeof *sums);
  *vote = sums[m->num];
  pl_free(sums);
}

static void refresh(pl_model *model, int64_t t) {
  (void)t;
  look((perceptron *)model, &(double){0});
}

static void step(pl_model *model, int64_t t, pl_update *u, double *vote) {
  perceptron *m = (perceptron *)model;
  double scale, *a = pl_alloc((size_t)m->num, sizeof *a, "loss weights");
  (void)t;
  pl_loss_weights(PL_LOSS_LOGISTIC, m->num, m->margin, &scale, a);
  memset(m->g, 0, (size_t)m->w.n * sizeof *m->g);
  for (int64_t i = m->team.rank; i < m->num; i += m->team.size)
    for (int64_t k = 0; k < m->w.n; k++) m->g[k] -= a[i] * m->x[i * m->w.n + k];
  pl_free(a);
  pl_comm_sum(&m->team, m->g, m->w.n);
  u->begin(u, scale, u->needs_norm ? sqrt(pl_update_measure(u, 0, &m->w, m->g, scale)) : 0);
  u->apply(u, 0, &m->w, m->g);
  look(m, vote);
}

static pl_standing standing(const pl_model *m) {
  return pl_standing_of_log(log_loss((const perceptron *)m));
}

static void block_sum(pl_model *m, int p, double *x, int64_t n) {
  (void)m, (void)p, (void)x, (void)n;
}

static void block_polar(pl_model *m, int p, double *a) {
  double sum = 0;
  for (int64_t k = 0; k < m->params[p].n; k++) sum += a[k] * a[k];
  for (int64_t k = 0; k < m->params[p].n && sum > 0; k++) a[k] /= sqrt(sum);
}

/* ---- weights ---- */

static int64_t length(const pl_model *m, int p) {
  return m->params[p].n;
}
static void gather(pl_model *m, int p, double *const *b, int64_t first, int64_t n, double *x) {
  (void)m;
  memcpy(x, b[p] + first, (size_t)n * sizeof *x);
}
static void scatter(pl_model *m, int p, double *const *b, int64_t first, int64_t n, double *x) {
  pl_comm_bcast(&((perceptron *)m)->team, x, (size_t)n * sizeof *x, 0);
  memcpy(b[p] + first, x, (size_t)n * sizeof *x);
}
static const pl_transfer transfer = {length, gather, scatter};

static pl_status save(pl_model *m, const char *path, const pl_attribute *attributes, int num) {
  pl_nc *nc;
  if (((perceptron *)m)->team.rank > 0) return PL_OK;
  PL_TRY(pl_nc_create(path, true, false, &nc));
  pl_nc_def_dim(nc, "x", m->params->n);
  pl_nc_def_var(nc, "w", PL_NC_DOUBLE, (const char *[]){"x", NULL}, "weights", "1");
  for (int i = 0; i < num; i++) pl_nc_att_text(nc, NULL, attributes[i].name, attributes[i].text);
  pl_nc_end_def(nc);
  pl_nc_put_doubles(nc, "w", NULL, NULL, m->params->w);
  return pl_nc_close(nc);
}

static pl_status read_weights(const values *v, double *w) {
  pl_nc *nc;
  PL_TRY(pl_nc_open(v->init_path, false, &nc));
  pl_status st = pl_nc_expect(nc, "w", false, 1, (int64_t[]){v->dim});
  if (!st) st = pl_nc_get_doubles(nc, "w", NULL, NULL, w);
  pl_nc_close(nc);
  return st;
}

/* ---- life ---- */

static void destroy(pl_model *model) {
  perceptron *m = (perceptron *)model;
  pl_schema_free(&m->schema);
  pl_free(m->w.w);
  pl_free(m->x);
  pl_free(m->g);
  pl_free(m->margin);
  pl_free(m);
}

static void draw(perceptron *m, const pl_spec *spec) {
  double noise = *(const double *)(const void *)spec->data_values;
  for (int64_t i = 0; i < m->num; i++) {
    double extra, *x = m->x + i * m->w.n;
    uint64_t stream = PL_STREAM(PL_STREAM_SAMPLE, i);
    pl_rng_normals(pl_data_seed(spec), stream, 0, m->w.n, x);
    pl_rng_normals(pl_data_seed(spec), stream, m->w.n, 1, &extra);
    double y = x[0] + noise * extra < 0 ? -1 : 1;
    for (int64_t k = 0; k < m->w.n; k++) x[k] *= y;
  }
}

static pl_status create(const pl_spec *spec, const pl_comm *team, const pl_rates *rates,
                        pl_model **out) {
  perceptron *m = pl_zalloc(1, sizeof *m, "a perceptron");
  int64_t n = of(spec)->dim, num = m->num = pl_data_count(spec, PL_TRAIN);
  (void)rates;
  m->team = *team;
  m->x = pl_alloc((size_t)(num * n), sizeof *m->x, "samples");
  m->g = pl_alloc((size_t)n, sizeof *m->g, "a gradient");
  m->margin = pl_alloc((size_t)num, sizeof *m->margin, "margins");
  m->w = (pl_param){.name = "w",
                    .group = "filter",
                    .count = 1,
                    .rows = 1,
                    .cols = n,
                    .shared = true,
                    .weight = 1,
                    .n = n,
                    .w = pl_zalloc((size_t)n, sizeof(double), "weights")};
  m->base = (pl_model){.kind = &pl_perceptron, .num_params = 1, .params = &m->w};
  describe(spec, &m->schema);
  draw(m, spec);
  pl_status st = pl_agree(team, of(spec)->init_kind ? read_weights(of(spec), m->w.w) : PL_OK);
  if (st) {
    destroy(&m->base);
    return st;
  }
  refresh(&m->base, 0);
  *out = &m->base;
  return PL_OK;
}

static pl_status check(const pl_spec *spec, const char **key) {
  *key = "model.init.path";
  if (of(spec)->init_kind && !of(spec)->init_path) return pl_error(PL_EINPUT, "is missing");
  return PL_OK;
}
static int label(const pl_spec *spec, char *buf, size_t n) {
  return snprintf(buf, n, "perceptron, dimension %lld", (long long)of(spec)->dim);
}
static void cost(const pl_spec *spec, int team, const pl_rates *rates, pl_cost *out) {
  double size = (double)(of(spec)->dim * pl_data_count(spec, PL_TRAIN));
  *out = (pl_cost){.step = pl_rates_stream(rates, 16 * size / team, 8 * size),
                   .bytes = 8 * size,
                   .flops = 4 * size,
                   .imbalance = 1};
}
static void explain(const pl_spec *spec, int team, const pl_rates *rates) {
  (void)spec, (void)rates;
  printf("  every %dth sample to a rank\n", team);
}

const pl_model_kind pl_perceptron = {.name = "perceptron",
                                     .help = "linear, on points",
                                     .summary = "a perceptron's loss",
                                     .reference = "",
                                     .example =
                                         "{model.kind: perceptron, steps: 20, data.samples: 7}",
                                     .headline = headline,
                                     .keys = keys,
                                     .data = data,
                                     .measures = tables,
                                     .metric = "accuracy",
                                     .check = check,
                                     .label = label,
                                     .describe = describe,
                                     .cost = cost,
                                     .explain = explain,
                                     .create = create,
                                     .destroy = destroy,
                                     .refresh = refresh,
                                     .step = step,
                                     .standing = standing,
                                     .observe = observe,
                                     .block_sum = block_sum,
                                     .block_polar = block_polar,
                                     .weights = &transfer,
                                     .save = save};
