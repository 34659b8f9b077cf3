#include "model/model.h"

#include "base/norm.h"

#include <stdio.h>
#include <string.h>

double pl_update_measure(pl_update *u, int p, const pl_param *param, const double *g,
                         double log_scale) {
  return u->measure ? u->measure(u, p, param, g, log_scale)
                    : param->weight * pl_sum_squares(param->n, g);
}

double pl_update_mix(const pl_update *u, double log_scale, double *keep, double *add) {
  *keep = 1;
  *add = 0;
  if (u->decay == 0) return log_scale;
  /* The decay has scale 1: in the larger of the two scales neither overflows. */
  double scale = fmax(log_scale, 0);
  *keep = exp(log_scale - scale);
  *add = u->decay * exp(-scale);
  return scale;
}

pl_standing pl_standing_of(double objective) {
  return (pl_standing){objective, objective > 0 ? log(objective) : NAN};
}

pl_standing pl_standing_of_log(double log_objective) {
  bool known = isfinite(log_objective);
  return (pl_standing){known ? exp(log_objective) : NAN, log_objective};
}

bool pl_standing_finite(pl_standing s) {
  return isfinite(s.objective) || isfinite(s.log_objective);
}

bool pl_standing_below(pl_standing s, double limit) {
  return isfinite(s.log_objective) ? s.log_objective < log(limit) : s.objective < limit;
}

int pl_param_next(int num_params, const pl_param *params, int p) {
  int next = p + 1;
  while (next < num_params && !strcmp(params[next].name, params[p].name)) next++;
  return next;
}

int pl_model_label(const pl_spec *spec, char *buf, size_t n) {
  return spec->model->label ? spec->model->label(spec, buf, n)
                            : snprintf(buf, n, "%s", spec->model->name);
}

const pl_data_kind *pl_model_data(const pl_model_kind *kind, const char *name) {
  for (const pl_data_kind *const *k = kind->data; *k; k++)
    if (!strcmp((*k)->name, name)) return *k;
  return NULL;
}
