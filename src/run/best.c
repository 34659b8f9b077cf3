#include "run/best.h"

#include "base/mem.h"

#include <stdio.h>

static int find_metric(const char *metric, const pl_schema *schema, pl_part part) {
  char name[128];
  if (!metric) return -1;
  snprintf(name, sizeof name, "%s_%s", pl_part_name(part), metric);
  int k = pl_schema_find(schema, name);
  return k >= 0 && schema->measures[k]->better ? k : -1;
}

int pl_best_measure(const pl_model_kind *kind, const pl_schema *schema, pl_part part) {
  const char *const metrics[] = {kind->metric, kind->other_metric, kind->third_metric};
  int k = -1;
  for (size_t i = 0; i < sizeof metrics / sizeof *metrics && k < 0; i++)
    k = find_metric(metrics[i], schema, part);
  return k;
}

static int64_t offset_of(const pl_schema *schema, int k) {
  return k < 0 ? -1 : schema->offset[k];
}

/* "loss, accuracy": the scalar measures that can be a stop.metric.  The caller frees it. */
static char *candidates(const pl_schema *schema) {
  char *list = pl_strdup("");
  for (int k = 0; k < schema->num_measures; k++) {
    const pl_measure *m = schema->measures[k];
    if (m->axis || !m->better) continue;
    char *longer = pl_asprintf("%s%s%s", list, *list ? ", " : "", m->name);
    pl_free(list);
    list = longer;
  }
  return list;
}

static pl_status no_metric(const pl_schema *schema, const char *name) {
  char *list = candidates(schema);
  pl_status st = *list ? pl_error(PL_EINPUT, "expected one of %s, not %s", list, name)
                       : pl_error(PL_EINPUT, "the run records nothing that can be a stop.metric");
  pl_free(list);
  return st;
}

pl_status pl_watch_init(pl_watch *w, const pl_spec *spec, const pl_schema *schema) {
  const pl_common *c = &spec->common;
  int validation = pl_best_measure(spec->model, schema, PL_VALIDATION), metric = -1;
  int tie = find_metric(spec->model->tie_metric, schema, PL_VALIDATION);
  *w = (pl_watch){.patience = c->stop_patience,
                  .validation = offset_of(schema, validation),
                  .tie = offset_of(schema, tie),
                  .test = offset_of(schema, pl_best_measure(spec->model, schema, PL_TEST)),
                  .second = -1};
  if (validation >= 0) w->validation_better = schema->measures[validation]->better;
  if (tie >= 0) w->tie_better = schema->measures[tie]->better;
  if (c->stop_metric || c->stop_patience > 0) {
    const char *name = c->stop_metric ? c->stop_metric : "loss";
    metric = c->stop_metric || validation < 0 ? pl_schema_find(schema, name) : validation;
    if (metric < 0 || !schema->measures[metric]->better) return no_metric(schema, name);
    w->metric_better = schema->measures[metric]->better;
  }
  w->metric = c->stop_patience > 0 ? offset_of(schema, metric) : -1;
  if (w->metric >= 0 && !c->stop_metric && validation >= 0) w->second = w->tie;
  return PL_OK;
}

bool pl_watch_any(const pl_watch *w) {
  return w->validation >= 0 || w->metric >= 0;
}

pl_best pl_best_none(void) {
  return (pl_best){
      .step = -1, .validation = NAN, .tie = NAN, .test = NAN, .metric = NAN, .second = NAN};
}

/* A value that is not a number is never better, and any other is better than it. */
static bool better(int direction, double x, double best) {
  return !isnan(x) && (isnan(best) || (direction > 0 ? x > best : x < best));
}

static bool as_good(int direction, double x, double best) {
  return !isnan(x) && !better(direction, best, x);
}

static bool best_record(const pl_best *b, const pl_watch *w, const double *values) {
  double x = values[w->validation];
  if (w->tie < 0 || x != b->validation) return better(w->validation_better, x, b->validation);
  return better(w->tie_better, values[w->tie], b->tie);
}

/* Does patience begin anew? */
static bool counts(pl_best *b, const pl_watch *w, const double *values) {
  double x = values[w->metric];
  if (w->second < 0) {
    if (!better(w->metric_better, x, b->metric)) return false;
    b->metric = x;
    return true;
  }
  double y = values[w->second];
  bool first = as_good(w->metric_better, x, b->metric);
  bool second = as_good(w->tie_better, y, b->second);
  if (first) b->metric = x;
  if (second) b->second = y;
  return first || second;
}

void pl_best_take(pl_best *b, const pl_watch *w, int64_t step, const double *values) {
  if (w->validation >= 0 && best_record(b, w, values)) {
    b->step = step;
    b->validation = values[w->validation];
    b->tie = w->tie < 0 ? NAN : values[w->tie];
    b->test = w->test < 0 ? NAN : values[w->test];
  }
  if (w->metric < 0) return;
  b->waited = counts(b, w, values) ? 0 : b->waited + 1;
}

bool pl_best_over(const pl_best *b, const pl_watch *w) {
  return w->metric >= 0 && b->waited >= w->patience;
}
