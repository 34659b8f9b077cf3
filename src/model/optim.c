#include "model/optim.h"

#include "base/mem.h"

#include <math.h>
#include <string.h>

enum { MAX_STATES = 2 };

/* One optimiser: how a block moves once its gradient is known. */
typedef struct optim_kind {
  const char *name;
  bool needs_norm;
  bool conditioned; /* its last state is v, the accumulated squares */
  bool polar;
  int num_states;
  const char *state_names[MAX_STATES];
  void (*apply)(pl_optim *o, int p, const pl_param *param, const double *g);
} optim_kind;

struct pl_optim {
  pl_update update; /* first, so that the update leads back here */
  const optim_kind *kind;
  const pl_spec *spec;
  pl_model *model;
  int num_blocks;
  const pl_param *blocks; /* the model's params, or its functions over G */
  double ***state;        /* [state][block] */
  double *work;           /* [largest block] */
  double coordinates;     /* of the whole model */
  bool frozen;            /* late phase */
  int64_t t;
  double log_lr, log_scale; /* of the step under way */
  double norm;
};

/* ---- the conditioner of adagrad, rmsprop and adam ---- */

/* h = 1 / sqrt(epsilon + v), or 1 / (sqrt(v) + epsilon); v divided by its bias first. */
static double conditioner(const pl_optim *o, double v, double bias) {
  double eps = o->spec->epsilon;
  return o->spec->epsilon_inside ? 1 / sqrt(eps + v / bias) : 1 / (sqrt(v / bias) + eps);
}

static double *squares(const pl_optim *o, int p) {
  return o->state[o->kind->num_states - 1][p];
}

/* 1 - beta^t of adam's means after step t (from 0); 1 for the others. */
static double bias(const pl_optim *o, double beta) {
  return o->kind->num_states == 2 ? -expm1((double)(o->t + 1) * log(beta)) : 1;
}

/* v <- keep v + add s^2, s the coordinates of the gradient in true scale; with coarser granularity
 * the mean of s^2.  v has one number per coordinate all the same: states then are alike. */
static void accumulate(pl_optim *o, int p, const pl_param *param, const double *g, double keep,
                       double add) {
  double *restrict v = squares(o, p), scale = exp(o->log_scale);
  int64_t grain = o->spec->optimizer_granularity, count = param->count, n = param->n / count;
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
  double lr = exp(o->log_lr + o->log_scale), *restrict w = param->w;
  for (int64_t k = 0; k < param->n; k++) w[k] -= lr * g[k];
}

/* w <- w - lr gradient / ||gradient||: the scale of g drops out. */
static void ngd(pl_optim *o, int p, const pl_param *param, const double *g) {
  (void)p;
  if (o->norm == 0) return;
  double lr = exp(o->log_lr) / o->norm, *restrict w = param->w;
  for (int64_t k = 0; k < param->n; k++) w[k] -= lr * g[k];
}

/* u <- momentum u + gradient */
static double *gather_momentum(pl_optim *o, int p, const pl_param *param, const double *g) {
  double scale = exp(o->log_scale), *restrict u = o->state[0][p];
  for (int64_t k = 0; k < param->n; k++) u[k] = o->spec->momentum * u[k] + scale * g[k];
  return u;
}

static void momentum(pl_optim *o, int p, const pl_param *param, const double *g) {
  double lr = exp(o->log_lr), *restrict w = param->w;
  const double *u = gather_momentum(o, p, param, g);
  for (int64_t k = 0; k < param->n; k++) w[k] -= lr * u[k];
}

static void adagrad(pl_optim *o, int p, const pl_param *param, const double *g) {
  double lr = exp(o->log_lr + o->log_scale), *restrict w = param->w;
  const double *v = squares(o, p);
  accumulate(o, p, param, g, 1, 1);
  for (int64_t k = 0; k < param->n; k++) w[k] -= lr * conditioner(o, v[k], 1) * g[k];
}

static void rmsprop(pl_optim *o, int p, const pl_param *param, const double *g) {
  double lr = exp(o->log_lr + o->log_scale), *restrict w = param->w, keep = o->spec->beta2;
  const double *v = squares(o, p);
  accumulate(o, p, param, g, keep, 1 - keep);
  for (int64_t k = 0; k < param->n; k++) w[k] -= lr * conditioner(o, v[k], 1) * g[k];
}

static void adam(pl_optim *o, int p, const pl_param *param, const double *g) {
  double *restrict w = param->w, *restrict u = o->state[0][p], keep = o->spec->beta1;
  const double *v = squares(o, p);
  accumulate(o, p, param, g, o->spec->beta2, 1 - o->spec->beta2);
  double scale = (1 - keep) * exp(o->log_scale), b = bias(o, o->spec->beta2);
  double lr = exp(o->log_lr) / bias(o, keep);
  for (int64_t k = 0; k < param->n; k++) {
    u[k] = keep * u[k] + scale * g[k];
    w[k] -= lr * conditioner(o, v[k], b) * u[k];
  }
}

static void muon(pl_optim *o, int p, const pl_param *param, const double *g) {
  double lr = exp(o->log_lr), *restrict w = param->w;
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
  double lr = exp(o->log_lr) / o->norm, b = bias(o, o->spec->beta2), *restrict w = param->w;
  const double *v = squares(o, p);
  for (int64_t k = 0; k < param->n; k++) w[k] -= lr * conditioner(o, v[k], b) * g[k];
}

/* This rank's part of ||h g||^2. */
static double measure(pl_update *u, int p, const pl_param *param, const double *g) {
  const pl_optim *o = (const pl_optim *)u;
  double sum = 0, b = bias(o, o->spec->beta2);
  const double *v = squares(o, p);
  for (int64_t k = 0; k < param->n; k++) {
    double hg = conditioner(o, v[k], b) * g[k];
    sum += hg * hg;
  }
  return param->weight * sum;
}

static const optim_kind kinds[] = {
    {.name = "gd", .apply = gd},
    {.name = "ngd", .needs_norm = true, .apply = ngd},
    {.name = "momentum", .num_states = 1, .state_names = {"momentum"}, .apply = momentum},
    {.name = "adagrad",
     .conditioned = true,
     .num_states = 1,
     .state_names = {"squares"},
     .apply = adagrad},
    {.name = "rmsprop",
     .conditioned = true,
     .num_states = 1,
     .state_names = {"squares"},
     .apply = rmsprop},
    {.name = "adam",
     .conditioned = true,
     .num_states = 2,
     .state_names = {"momentum", "squares"},
     .apply = adam},
    {.name = "muon", .polar = true, .num_states = 1, .state_names = {"momentum"}, .apply = muon},
};

const char *pl_optim_name(int i) {
  return i >= 0 && (size_t)i < sizeof kinds / sizeof *kinds ? kinds[i].name : NULL;
}

/* ---- what an optimiser needs ---- */

static const optim_kind *kind_of(const pl_spec *spec) {
  return &kinds[spec->optimizer_kind];
}

bool pl_optim_over_group(const pl_spec *spec) {
  return kind_of(spec)->conditioned && spec->optimizer_domain == PL_DOMAIN_GROUP &&
         spec->optimizer_granularity == PL_GRAIN_COORDINATE;
}

bool pl_optim_polar(const pl_spec *spec) {
  return kind_of(spec)->polar;
}

static bool live_norm(const pl_spec *spec) {
  const optim_kind *k = kind_of(spec);
  return k->needs_norm || (k->conditioned && spec->optimizer_granularity == PL_GRAIN_SCALAR);
}

bool pl_optim_two_passes(const pl_spec *spec) {
  return live_norm(spec) || (spec->freeze_loss > 0 && !kind_of(spec)->polar);
}

double pl_optim_bytes(const pl_spec *spec, double doubles) {
  return kind_of(spec)->num_states * doubles * (double)sizeof(double);
}

/* ---- a step ---- */

static void begin(pl_update *u, double log_scale, double norm) {
  pl_optim *o = (pl_optim *)u;
  o->log_scale = log_scale;
  o->norm = norm;
}

static void apply(pl_update *u, int p, const pl_param *param, const double *g) {
  pl_optim *o = (pl_optim *)u;
  if (o->frozen && !o->kind->polar)
    late(o, p, param, g);
  else
    o->kind->apply(o, p, param, g);
}

double pl_log_lr(const pl_spec *spec, int64_t t) {
  return log(spec->lr) + (double)((t + 1) / spec->growth_every) * log(spec->growth_factor);
}

pl_update *pl_optim_step(pl_optim *o, int64_t t) {
  o->t = t;
  o->log_lr = pl_log_lr(o->spec, t);
  o->frozen =
      o->spec->freeze_loss > 0 && o->model->kind->log_loss(o->model) < log(o->spec->freeze_loss);
  o->update.measure = o->frozen && o->kind->conditioned ? measure : NULL;
  o->update.needs_norm = live_norm(o->spec) || (o->frozen && !o->kind->polar);
  return &o->update;
}

/* ---- life ---- */

pl_optim *pl_optim_new(const pl_spec *spec, pl_model *model) {
  pl_optim *o = pl_zalloc(1, sizeof *o, "optimiser");
  o->kind = kind_of(spec);
  o->update = (pl_update){.over_group = pl_optim_over_group(spec), .begin = begin, .apply = apply};
  o->spec = spec;
  o->model = model;
  o->num_blocks = o->update.over_group ? model->num_functions : model->num_params;
  o->blocks = o->update.over_group ? model->functions : model->params;
  int64_t most = 0;
  for (int p = 0; p < o->num_blocks; p++) {
    const pl_param *b = &o->blocks[p];
    most = b->n > most ? b->n : most;
    most = b->count > most ? b->count : most;
    o->coordinates += (double)pl_param_whole(b);
  }
  o->work = pl_alloc((size_t)most, sizeof *o->work, "optimiser");
  o->state = pl_alloc((size_t)o->kind->num_states, sizeof *o->state, "optimiser");
  for (int s = 0; s < o->kind->num_states; s++) {
    o->state[s] = pl_alloc((size_t)o->num_blocks, sizeof **o->state, "optimiser");
    for (int p = 0; p < o->num_blocks; p++)
      o->state[s][p] = pl_zalloc((size_t)o->blocks[p].n, sizeof(double), "optimiser state");
  }
  return o;
}

void pl_optim_free(pl_optim *o) {
  if (!o) return;
  for (int s = 0; s < o->kind->num_states; s++) {
    for (int p = 0; p < o->num_blocks; p++) pl_free(o->state[s][p]);
    pl_free(o->state[s]);
  }
  pl_free(o->state);
  pl_free(o->work);
  pl_free(o);
}

int pl_optim_num_states(const pl_optim *o) {
  return o->kind->num_states;
}
const char *pl_optim_state_name(const pl_optim *o, int s) {
  return o->kind->state_names[s];
}
double *pl_optim_state(pl_optim *o, int s, int p) {
  return o->state[s][p];
}
