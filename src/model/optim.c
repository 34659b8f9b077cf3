#include "model/optim.h"

#include "base/mem.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum { MAX_MOMENTS = 2 };

/* One optimiser: how a block moves once its gradient is known. */
typedef struct optim_kind {
  const char *name, *help;
  const pl_keys *const *keys;
  bool needs_norm;
  bool conditioned; /* its last moment is v, the accumulated squares */
  bool polar;
  bool flow; /* the model moves its weights by itself */
  int num_moments;
  const char *moment_names[MAX_MOMENTS];
  void (*apply)(pl_optim *o, int p, const pl_param *param, const double *g);
} optim_kind;

struct pl_optim {
  pl_update update; /* first, so that the update leads back here */
  const optim_kind *kind;
  const pl_spec *spec;
  const pl_optim_values *values; /* of spec */
  pl_model *model;
  int64_t steps; /* of the run */
  int num_blocks;
  const pl_param *blocks; /* the model's params, or its functions over G */
  double ***moment;       /* [moment][block] */
  double *work;           /* [matrices of a block], where polar factors are taken [largest block] */
  double *decayed;        /* [largest block]: gradient with weight decay; NULL: none */
  double coordinates;     /* of the whole model */
  bool steady;            /* the learning rate never changes */
  bool frozen;            /* late phase */
  int64_t t;
  double log_lr, log_scale; /* of the step under way; log_scale is that of the gradient used */
  double lr, scale, rate;   /* their exponentials and that of the sum, once for all blocks */
  double keep, add;         /* the gradient used is keep g + add w */
  double norm;
};

/* ---- the conditioner of adagrad, rmsprop and adam ---- */

/* h = 1 / sqrt(epsilon + v), or 1 / (sqrt(v) + epsilon); v divided by its bias first. */
static double conditioner(const pl_optim *o, double v, double bias) {
  double eps = o->values->epsilon;
  return o->values->epsilon_inside ? 1 / sqrt(eps + v / bias) : 1 / (sqrt(v / bias) + eps);
}

static double *squares(const pl_optim *o, int p) {
  return o->moment[o->kind->num_moments - 1][p];
}

/* 1 - beta^t of adam's means after step t (from 0); 1 for the others. */
static double bias(const pl_optim *o, double beta) {
  return o->kind->num_moments == 2 ? -expm1((double)(o->t + 1) * log(beta)) : 1;
}

/* v <- keep v + add s^2, s the coordinates of the gradient in true scale; with coarser granularity
 * the mean of s^2.  v has one number per coordinate all the same: states then are alike. */
static void accumulate(pl_optim *o, int p, const pl_param *param, const double *g, double keep,
                       double add) {
  double *restrict v = squares(o, p), scale = o->scale;
  int64_t grain = o->values->granularity, count = param->count, n = param->n / count;
  add *= scale * scale * param->weight;
  if (grain == PL_GRAIN_COORDINATE) {
    for (int64_t k = 0; k < param->n; k++) v[k] = keep * v[k] + add * g[k] * g[k];
    return;
  }
  double all = o->norm * o->norm / param->weight / o->coordinates;
  double *sum = o->work, whole = (double)pl_param_whole(param) / (double)count;
  for (int64_t i = 0; i < count; i++) {
    sum[i] = 0;
    for (int64_t k = 0; k < n; k++) sum[i] += g[i * n + k] * g[i * n + k] / whole;
  }
  if (grain == PL_GRAIN_IRREP) o->model->kind->block_sum(o->model, p, sum, count);
  for (int64_t i = 0; i < count; i++) {
    double mean = grain == PL_GRAIN_IRREP ? sum[i] : all;
    for (int64_t k = 0; k < n; k++) v[i * n + k] = keep * v[i * n + k] + add * mean;
  }
}

/* ---- how blocks move ---- */

/* w <- w - lr gradient */
static void gd(pl_optim *o, int p, const pl_param *param, const double *g) {
  (void)p;
  double lr = o->rate, *restrict w = param->w;
  for (int64_t k = 0; k < param->n; k++) w[k] -= lr * g[k];
}

/* w <- w - lr gradient / ||gradient||: the scale of g drops out. */
static void ngd(pl_optim *o, int p, const pl_param *param, const double *g) {
  (void)p;
  if (o->norm == 0) return;
  double lr = o->lr / o->norm, *restrict w = param->w;
  for (int64_t k = 0; k < param->n; k++) w[k] -= lr * g[k];
}

/* u <- momentum u + gradient */
static double *gather_momentum(pl_optim *o, int p, const pl_param *param, const double *g) {
  double scale = o->scale, *restrict u = o->moment[0][p];
  for (int64_t k = 0; k < param->n; k++) u[k] = o->values->momentum * u[k] + scale * g[k];
  return u;
}

static void momentum(pl_optim *o, int p, const pl_param *param, const double *g) {
  double lr = o->lr, *restrict w = param->w;
  const double *u = gather_momentum(o, p, param, g);
  for (int64_t k = 0; k < param->n; k++) w[k] -= lr * u[k];
}

static void adagrad(pl_optim *o, int p, const pl_param *param, const double *g) {
  double lr = o->rate, *restrict w = param->w;
  const double *v = squares(o, p);
  accumulate(o, p, param, g, 1, 1);
  for (int64_t k = 0; k < param->n; k++) w[k] -= lr * conditioner(o, v[k], 1) * g[k];
}

static void rmsprop(pl_optim *o, int p, const pl_param *param, const double *g) {
  double lr = o->rate, *restrict w = param->w, keep = o->values->beta2;
  const double *v = squares(o, p);
  accumulate(o, p, param, g, keep, 1 - keep);
  for (int64_t k = 0; k < param->n; k++) w[k] -= lr * conditioner(o, v[k], 1) * g[k];
}

static void adam(pl_optim *o, int p, const pl_param *param, const double *g) {
  double *restrict w = param->w, *restrict u = o->moment[0][p], keep = o->values->beta1;
  const double *v = squares(o, p);
  accumulate(o, p, param, g, o->values->beta2, 1 - o->values->beta2);
  double scale = (1 - keep) * o->scale, b = bias(o, o->values->beta2);
  double lr = o->lr / bias(o, keep);
  for (int64_t k = 0; k < param->n; k++) {
    u[k] = keep * u[k] + scale * g[k];
    w[k] -= lr * conditioner(o, v[k], b) * u[k];
  }
}

static void muon(pl_optim *o, int p, const pl_param *param, const double *g) {
  double lr = o->lr, *restrict w = param->w;
  /* In the late phase the gradient itself: its polar factor does not depend on its scale. */
  const double *u = o->frozen ? g : gather_momentum(o, p, param, g);
  memcpy(o->work, u, (size_t)param->n * sizeof *u);
  o->model->kind->block_polar(o->model, p, o->work);
  for (int64_t k = 0; k < param->n; k++) w[k] -= lr * o->work[k];
}

/* w <- w - lr h g / ||h g||, h no longer changing. */
static void late(pl_optim *o, int p, const pl_param *param, const double *g) {
  if (!o->kind->conditioned) {
    ngd(o, p, param, g);
    return;
  }
  if (o->norm == 0) return;
  double lr = o->lr / o->norm, b = bias(o, o->values->beta2), *restrict w = param->w;
  const double *v = squares(o, p);
  for (int64_t k = 0; k < param->n; k++) w[k] -= lr * conditioner(o, v[k], b) * g[k];
}

/* This rank's part of ||h g||^2, or of ||g||^2 with weight decay. */
static double measure(pl_update *u, int p, const pl_param *param, const double *g,
                      double log_scale) {
  const pl_optim *o = (const pl_optim *)u;
  double sum = 0, b = bias(o, o->values->beta2), keep = 1, add = 0;
  bool conditioned = o->frozen && o->kind->conditioned;
  const double *v = conditioned ? squares(o, p) : NULL;
  if (o->decayed) pl_update_mix(u, log_scale, &keep, &add);
  for (int64_t k = 0; k < param->n; k++) {
    double x = add == 0 ? g[k] : keep * g[k] + add * param->w[k];
    if (conditioned) x *= conditioner(o, v[k], b);
    sum += x * x;
  }
  return param->weight * sum;
}

/* ---- the tables ---- */

PL_WORDS(domains, "group", "fourier")
PL_WORDS(granularities, "coordinate", "irrep", "scalar")
PL_WORDS(schedules, "constant", "cosine", "warmup")

#define F(member) offsetof(pl_optim_values, member)
#define BELOW_ONE 0x1.fffffffffffffp-1

static const pl_key lr_rows[] = {
    {"optimizer.lr", PL_KEY_REAL, F(lr), PL_RESULTS, "0.01", .min = DBL_MIN, .max = DBL_MAX,
     .help = "learning rate"},
};
static const pl_key flow_rows[] = {
    {"optimizer.lr", PL_KEY_REAL, F(lr), PL_RESULTS, "0.01", .min = DBL_MIN, .max = DBL_MAX,
     .help = "length of the first step"},
};
static const pl_key all_rows[] = {
    {"optimizer.growth.factor", PL_KEY_REAL, F(growth_factor), PL_RESULTS, "1", .min = DBL_MIN,
     .max = DBL_MAX, .help = "the learning rate is multiplied by this .."},
    {"optimizer.growth.every", PL_KEY_INT, F(growth_every), PL_RESULTS, "100", .min = 1, .max = 1e9,
     .units = "steps", .help = ".. every so many steps"},
    {"optimizer.schedule", PL_KEY_CHOICE, F(schedule), PL_RESULTS, "constant", .choice = schedules,
     .help = "constant; cosine: down to 0 at the last step; warmup: up from 0 over "
             "optimizer.warmup steps; growth acts beside it"},
    {"optimizer.warmup", PL_KEY_INT, F(warmup), PL_RESULTS, "100", .min = 1, .max = 1e9,
     .units = "steps", .with = "optimizer.schedule", .with_word = "warmup",
     .help = "steps of the warm-up"},
    {"optimizer.weight_decay", PL_KEY_REAL, F(weight_decay), PL_RESULTS | PL_COST, "0", .min = 0,
     .max = DBL_MAX, .help = "so many times the weights are added to the gradient"},
    {"optimizer.clip", PL_KEY_REAL, F(clip), PL_RESULTS | PL_COST, "0", .min = 0, .max = DBL_MAX,
     .help = "largest norm of the gradient, weight decay included; longer ones are scaled down (0: "
             "none)"},
    {"optimizer.freeze_loss", PL_KEY_REAL, F(freeze_loss), PL_RESULTS | PL_COST, "0", .min = 0,
     .max = DBL_MAX, .help = "below this loss: conditioner frozen, normalised steps (0: never)"},
};
static const pl_key conditioner_rows[] = {
    {"optimizer.domain", PL_KEY_CHOICE, F(domain), PL_RESULTS | PL_COST, "group", .choice = domains,
     .help = "coordinates of adagrad, rmsprop and adam on a linear G-CNN: filter values over G, or "
             "Fourier entries"},
    {"optimizer.granularity", PL_KEY_CHOICE, F(granularity), PL_RESULTS | PL_COST, "coordinate",
     .choice = granularities,
     .help = "one conditioner per coordinate, per layer and irrep, or for everything"},
    {"optimizer.epsilon", PL_KEY_REAL, F(epsilon), PL_RESULTS, "1e-08", .min = DBL_MIN,
     .max = DBL_MAX, .help = "epsilon of adagrad, rmsprop and adam"},
    {"optimizer.epsilon_inside", PL_KEY_BOOL, F(epsilon_inside), PL_RESULTS, "true",
     .help = "epsilon inside the root, sqrt(epsilon + v), or sqrt(v) + epsilon"},
};
static const pl_key beta1_rows[] = {
    {"optimizer.beta1", PL_KEY_REAL, F(beta1), PL_RESULTS, "0.9", .min = 0, .max = BELOW_ONE,
     .help = "decay of adam's mean gradient; 0: conditioner only"},
};
static const pl_key beta2_rows[] = {
    {"optimizer.beta2", PL_KEY_REAL, F(beta2), PL_RESULTS, "0.999", .min = 0, .max = BELOW_ONE,
     .help = "decay of the mean square of rmsprop and adam"},
};
static const pl_key momentum_rows[] = {
    {"optimizer.momentum", PL_KEY_REAL, F(momentum), PL_RESULTS, "0.9", .min = 0, .max = BELOW_ONE,
     .help = "decay of the gradient of momentum and muon"},
};
static const pl_keys rate = PL_KEYS(PL_IN_OPTIMIZER, lr_rows);
static const pl_keys flow = PL_KEYS(PL_IN_OPTIMIZER, flow_rows);
static const pl_keys all = PL_KEYS(PL_IN_OPTIMIZER, all_rows);
static const pl_keys conditioners = PL_KEYS(PL_IN_OPTIMIZER, conditioner_rows);
static const pl_keys beta1 = PL_KEYS(PL_IN_OPTIMIZER, beta1_rows);
static const pl_keys beta2 = PL_KEYS(PL_IN_OPTIMIZER, beta2_rows);
static const pl_keys decay = PL_KEYS(PL_IN_OPTIMIZER, momentum_rows);
#define OWNS(...)                                                                                  \
  (const pl_keys *const[]) {                                                                       \
    __VA_ARGS__, NULL                                                                              \
  }

static const optim_kind kinds[] = {
    {.name = "gd", .help = "gradient descent", .keys = OWNS(&rate, &all), .apply = gd},
    {.name = "ngd",
     .help = "the gradient divided by its norm",
     .keys = OWNS(&rate, &all),
     .needs_norm = true,
     .apply = ngd},
    {.name = "momentum",
     .help = "heavy ball",
     .keys = OWNS(&rate, &all, &decay),
     .num_moments = 1,
     .moment_names = {"momentum"},
     .apply = momentum},
    {.name = "adagrad",
     .help = "divided by the root of the sum of squares",
     .keys = OWNS(&rate, &all, &conditioners),
     .conditioned = true,
     .num_moments = 1,
     .moment_names = {"squares"},
     .apply = adagrad},
    {.name = "rmsprop",
     .help = "divided by the root of the mean square",
     .keys = OWNS(&rate, &all, &conditioners, &beta2),
     .conditioned = true,
     .num_moments = 1,
     .moment_names = {"squares"},
     .apply = rmsprop},
    {.name = "adam",
     .help = "mean gradient over the root of the mean square",
     .keys = OWNS(&rate, &all, &conditioners, &beta1, &beta2),
     .conditioned = true,
     .num_moments = 2,
     .moment_names = {"momentum", "squares"},
     .apply = adam},
    {.name = "muon",
     .help = "polar factor of the momentum, matrix by matrix",
     .keys = OWNS(&rate, &all, &decay),
     .polar = true,
     .num_moments = 1,
     .moment_names = {"momentum"},
     .apply = muon},
    {.name = "flow",
     .help = "gradient descent by steps short enough to follow the flow (networks on a tape)",
     .keys = OWNS(&flow),
     .flow = true},
};
enum { NUM_KINDS = sizeof kinds / sizeof *kinds };

static const optim_kind *kind(int i) {
  return i >= 0 && i < NUM_KINDS ? &kinds[i] : NULL;
}

const char *pl_optim_name(int i) {
  return kind(i) ? kind(i)->name : NULL;
}
const char *pl_optim_help(int i) {
  return kind(i) ? kind(i)->help : NULL;
}
const pl_keys *const *pl_optim_keys(int i) {
  return kind(i) ? kind(i)->keys : NULL;
}

/* ---- what an optimiser needs ---- */

static const optim_kind *kind_of(const pl_spec *spec) {
  return &kinds[spec->common.optimizer_kind];
}

bool pl_optim_over_group(const pl_spec *spec) {
  const pl_optim_values *v = pl_optim_values_of(spec);
  return kind_of(spec)->conditioned && v->domain == PL_DOMAIN_GROUP &&
         v->granularity == PL_GRAIN_COORDINATE;
}

bool pl_optim_polar(const pl_spec *spec) {
  return kind_of(spec)->polar;
}

bool pl_optim_flow(const pl_spec *spec) {
  return kind_of(spec)->flow;
}

bool pl_optim_looks_ahead(const pl_spec *spec) {
  return !kind_of(spec)->flow && pl_optim_values_of(spec)->schedule == PL_LR_COSINE;
}

/* In every step, whatever the phase. */
static bool live_norm(const pl_spec *spec) {
  const optim_kind *k = kind_of(spec);
  const pl_optim_values *v = pl_optim_values_of(spec);
  return k->needs_norm || v->clip > 0 || (k->conditioned && v->granularity == PL_GRAIN_SCALAR);
}

bool pl_optim_two_passes(const pl_spec *spec) {
  return live_norm(spec) || (pl_optim_values_of(spec)->freeze_loss > 0 && !kind_of(spec)->polar);
}

double pl_optim_bytes(const pl_spec *spec, double doubles) {
  int copies = kind_of(spec)->num_moments + (spec->common.record_best == 1);
  return copies * doubles * (double)sizeof(double);
}

/* ---- a step ---- */

static void begin(pl_update *u, double log_scale, double norm) {
  pl_optim *o = (pl_optim *)u;
  o->norm = norm;
  o->log_scale = o->decayed ? pl_update_mix(u, log_scale, &o->keep, &o->add) : log_scale;
  /* A gradient of known norm is clipped by its scale alone. */
  double clip = o->values->clip;
  if (clip > 0 && norm > 0 && !o->frozen)
    o->log_scale += fmin(0, log(clip) - log(norm) - o->log_scale);
  o->scale = exp(o->log_scale);
  o->rate = exp(o->log_lr + o->log_scale);
}

static void apply(pl_update *u, int p, const pl_param *param, const double *g) {
  pl_optim *o = (pl_optim *)u;
  if (o->decayed) {
    for (int64_t k = 0; k < param->n; k++) o->decayed[k] = o->keep * g[k] + o->add * param->w[k];
    g = o->decayed;
  }
  if (o->frozen && !o->kind->polar)
    late(o, p, param, g);
  else
    o->kind->apply(o, p, param, g);
}

double pl_log_lr(const pl_spec *spec, int64_t t, int64_t steps) {
  const pl_optim_values *v = pl_optim_values_of(spec);
  if (pl_optim_flow(spec)) return log(v->lr);
  double lr = log(v->lr) + (double)((t + 1) / v->growth_every) * log(v->growth_factor);
  if (v->schedule == PL_LR_COSINE)
    lr += log(fmax(0, (1 + cos(M_PI * (double)t / (double)steps)) / 2));
  if (v->schedule == PL_LR_WARMUP) lr += log(fmin(1, (double)(t + 1) / (double)v->warmup));
  return lr;
}

static void set_rate(pl_optim *o, int64_t t) {
  o->log_lr = pl_log_lr(o->spec, t, o->steps);
  o->lr = exp(o->log_lr);
}

pl_update *pl_optim_step(pl_optim *o, int64_t t) {
  const pl_optim_values *v = o->values;
  o->t = t;
  if (!o->steady) set_rate(o, t);
  o->frozen =
      v->freeze_loss > 0 && pl_standing_below(o->model->kind->standing(o->model), v->freeze_loss);
  bool conditioned = o->frozen && o->kind->conditioned;
  o->update.measure = conditioned || o->decayed ? measure : NULL;
  o->update.needs_norm = live_norm(o->spec) || (o->frozen && !o->kind->polar);
  return &o->update;
}

/* ---- life ---- */

pl_optim *pl_optim_new(const pl_spec *spec, pl_model *model, int64_t steps) {
  pl_optim *o = pl_zalloc(1, sizeof *o, "optimiser");
  o->kind = kind_of(spec);
  o->spec = spec;
  o->values = pl_optim_values_of(spec);
  o->update = (pl_update){.over_group = pl_optim_over_group(spec) && model->num_functions,
                          .decay = o->values->weight_decay,
                          .flow = o->kind->flow ? o->values->lr : 0,
                          .begin = begin,
                          .apply = apply};
  o->model = model;
  o->steps = steps;
  o->steady =
      o->kind->flow || (o->values->growth_factor == 1 && o->values->schedule == PL_LR_CONSTANT);
  set_rate(o, 0);
  o->num_blocks = o->update.over_group ? model->num_functions : model->num_params;
  o->blocks = o->update.over_group ? model->functions : model->params;
  int64_t most = 0, count = 0;
  for (int p = 0; p < o->num_blocks; p++) {
    const pl_param *b = &o->blocks[p];
    most = b->n > most ? b->n : most;
    count = b->count > count ? b->count : count;
    o->coordinates += (double)pl_param_whole(b);
  }
  int64_t work = o->kind->polar && most > count ? most : count;
  o->work = pl_alloc((size_t)work, sizeof *o->work, "optimiser");
  /* Functions hold no weights: there the model adds the decay, and hands over its scale. */
  if (o->values->weight_decay > 0 && !o->update.over_group)
    o->decayed = pl_alloc((size_t)most, sizeof *o->decayed, "optimiser");
  o->moment = pl_alloc((size_t)o->kind->num_moments, sizeof *o->moment, "optimiser");
  for (int s = 0; s < o->kind->num_moments; s++) {
    o->moment[s] = pl_alloc((size_t)o->num_blocks, sizeof **o->moment, "optimiser");
    for (int p = 0; p < o->num_blocks; p++)
      o->moment[s][p] = pl_zalloc((size_t)o->blocks[p].n, sizeof(double), "optimiser's moments");
  }
  return o;
}

void pl_optim_free(pl_optim *o) {
  if (!o) return;
  for (int s = 0; s < o->kind->num_moments; s++) {
    for (int p = 0; p < o->num_blocks; p++) pl_free(o->moment[s][p]);
    pl_free(o->moment[s]);
  }
  pl_free(o->moment);
  pl_free(o->work);
  pl_free(o->decayed);
  pl_free(o);
}

int pl_optim_num_moments(const pl_optim *o) {
  return o->kind->num_moments;
}
const char *pl_optim_moment_name(const pl_optim *o, int s) {
  return o->kind->moment_names[s];
}
double *pl_optim_moment(pl_optim *o, int s, int p) {
  return o->moment[s][p];
}
bool pl_optim_functions(const pl_optim *o) {
  return o->update.over_group;
}
