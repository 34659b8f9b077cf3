#include "model/optim.h"

#include "base/mem.h"

#include <math.h>

/* One optimiser: how a block moves once its gradient is known. */
typedef struct optim_kind {
  const char *name;
  bool needs_norm;
  int num_states;
  const char *state_names[2];
  void (*apply)(pl_optim *o, int p, const pl_param *param, const double *g);
} optim_kind;

struct pl_optim {
  pl_update update; /* first, so that the update leads back here */
  const optim_kind *kind;
  const pl_spec *spec;
  const pl_model *model;
  double ***state;          /* [state][block] */
  double log_lr, log_scale; /* of the step under way */
  double norm;
};

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

static const optim_kind kinds[] = {
    {.name = "gd", .apply = gd},
    {.name = "ngd", .needs_norm = true, .apply = ngd},
};

const char *pl_optim_name(int i) {
  return i >= 0 && (size_t)i < sizeof kinds / sizeof *kinds ? kinds[i].name : NULL;
}

double pl_optim_bytes(const pl_spec *spec, double doubles) {
  return kinds[spec->optimizer_kind].num_states * doubles * (double)sizeof(double);
}

static void begin(pl_update *u, double log_scale, double norm) {
  pl_optim *o = (pl_optim *)u;
  o->log_scale = log_scale;
  o->norm = norm;
}

static void apply(pl_update *u, int p, const pl_param *param, const double *g) {
  pl_optim *o = (pl_optim *)u;
  o->kind->apply(o, p, param, g);
}

pl_optim *pl_optim_new(const pl_spec *spec, const pl_model *model) {
  pl_optim *o = pl_zalloc(1, sizeof *o, "optimiser");
  o->kind = &kinds[spec->optimizer_kind];
  o->update = (pl_update){.needs_norm = o->kind->needs_norm, .begin = begin, .apply = apply};
  o->spec = spec;
  o->model = model;
  o->state = pl_alloc((size_t)o->kind->num_states, sizeof *o->state, "optimiser");
  for (int s = 0; s < o->kind->num_states; s++) {
    o->state[s] = pl_alloc((size_t)model->num_params, sizeof **o->state, "optimiser");
    for (int p = 0; p < model->num_params; p++)
      o->state[s][p] = pl_zalloc((size_t)model->params[p].n, sizeof(double), "optimiser state");
  }
  return o;
}

void pl_optim_free(pl_optim *o) {
  if (!o) return;
  for (int s = 0; s < o->kind->num_states; s++) {
    for (int p = 0; p < o->model->num_params; p++) pl_free(o->state[s][p]);
    pl_free(o->state[s]);
  }
  pl_free(o->state);
  pl_free(o);
}

double pl_log_lr(const pl_spec *spec, int64_t t) {
  return log(spec->lr) + (double)((t + 1) / spec->growth_every) * log(spec->growth_factor);
}

pl_update *pl_optim_step(pl_optim *o, int64_t t) {
  o->log_lr = pl_log_lr(o->spec, t);
  return &o->update;
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
