/* Saved initial weights on the tasks of a file: each is adapted to. */
#include "base/mem.h"
#include "net.h"

#include <string.h>

pl_status meta_note(const pl_net *net, pl_nc *nc) {
  const pl_inner_shape *s = &meta_of(net)->tasks.shape.sample;
  const int features = (int)s->features, outputs = (int)s->outputs;
  PL_TRY(pl_nc_att_ints(nc, NULL, "features", PL_NC_INT, &features, 1));
  return pl_nc_att_ints(nc, NULL, "outputs", PL_NC_INT, &outputs, 1);
}

pl_status meta_open(pl_net *net, const pl_nc *weights, const pl_nc *data) {
  pl_tasks tasks;
  const char *key = "";
  (void)weights; /* weights of other shapes are refused where they are read */
  PL_TRY(pl_tasks_open(&net->spec, data, &net->team, &tasks));
  pl_status st = pl_inner_check(&net->spec, &tasks.shape.sample, &key);
  if (st) {
    pl_tasks_fini(&tasks);
    return pl_agree(&net->team, pl_error_in(st, "%s: ", key));
  }
  return pl_agree(&net->team, meta_furnish(net, &tasks));
}

/* ---- predictions ---- */

typedef struct answers {
  int64_t query, cols;
  double *f; /* [task][query][cols] */
} answers;

static void keep(const pl_net *net, pl_tape *t, pl_node *const *w, const pl_take *take,
                 void *context) {
  meta_net *m = meta_of(net);
  answers *a = context;
  (void)t, (void)w;
  memcpy(m->theta, net->w, (size_t)m->n * sizeof *m->theta);
  for (int64_t i = 0; i < take->count; i++) {
    double metric;
    meta_adapt(m, take->part, take->entry[i], &metric);
    const pl_node *f = meta_outputs(m, meta_query(m), m->phi);
    memcpy(a->f + (take->first + i) * a->query * a->cols, f->value,
           (size_t)pl_tape_count(f) * sizeof *a->f);
  }
}

static pl_status define(const pl_tasks *t, const answers *a, pl_nc *out) {
  bool classes = t->shape.sample.classes;
  const char *dims[] = {"task", "query", "output", NULL}, *alone[] = {"task", "query", NULL};
  PL_TRY(pl_nc_def_dim(out, "task", t->count[PL_TEST]));
  PL_TRY(pl_nc_def_dim(out, "query", a->query));
  PL_TRY(pl_nc_def_dim(out, "output", a->cols));
  PL_TRY(pl_nc_def_var(out, "f", PL_NC_DOUBLE, dims,
                       classes ? "outputs of the adapted network, before any softmax"
                               : "outputs of the adapted network",
                       "1"));
  if (classes)
    PL_TRY(pl_nc_def_var(out, "prediction", PL_NC_INT, alone, "class of the largest output", "1"));
  PL_TRY(pl_nc_def_var(out, classes ? "accuracy" : "mse", PL_NC_DOUBLE, NULL,
                       classes ? PL_ACCURACY : PL_MSE, "1"));
  return pl_nc_end_def(out);
}

static pl_status write_all(const pl_tasks *t, const answers *a, const double *metric, pl_nc *out) {
  int64_t n = t->count[PL_TEST] * a->query;
  bool classes = t->shape.sample.classes;
  PL_TRY(define(t, a, out));
  PL_TRY(pl_nc_put_doubles(out, "f", NULL, NULL, a->f));
  PL_TRY(pl_nc_put_doubles(out, classes ? "accuracy" : "mse", NULL, NULL, &metric[!classes]));
  if (!classes) return PL_OK;
  int64_t *best = pl_zalloc((size_t)n, sizeof *best, "classes");
  for (int64_t i = 0; i < n; i++)
    for (int64_t j = 1; j < a->cols; j++)
      if (a->f[i * a->cols + j] > a->f[i * a->cols + best[i]]) best[i] = j;
  pl_status st = pl_nc_put_ints(out, "prediction", NULL, NULL, best);
  pl_free(best);
  return st;
}

pl_status meta_predict(pl_net *net, pl_nc *out) {
  const pl_tasks *t = &meta_of(net)->tasks;
  answers a = {.query = t->shape.query, .cols = t->shape.sample.outputs};
  int64_t n = t->count[PL_TEST] * a.query * a.cols;
  double metric[2];
  a.f = pl_zalloc((size_t)n, sizeof *a.f, "outputs");
  pl_net_each(net, PL_TEST, keep, &a);
  pl_comm_sum(&net->team, a.f, n);
  meta_metrics(net, PL_TEST, metric);
  pl_status st = out ? write_all(t, &a, metric, out) : PL_OK;
  pl_free(a.f);
  return pl_agree(&net->team, st);
}

pl_status meta_apply(const pl_spec *spec, const pl_comm *team, const pl_rates *rates,
                     const char *path, const pl_attribute *attributes, int num) {
  (void)rates;
  return pl_net_apply(spec, team, meta_data_of(spec)->path, path, attributes, num);
}
