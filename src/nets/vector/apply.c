/* A saved network on samples of a file. */
#include "base/mem.h"
#include "network.h"

#include <string.h>

/* ---- the shape of samples, in the file of weights ---- */

/* Those of an image may be missing. */
static const char *const sizes[] = {"features", "outputs", "classes",
                                    "height",   "width",   "channels"};
enum { SIZES = sizeof sizes / sizeof *sizes, IMAGE = 3 };

pl_status vector_note(const pl_net *net, pl_nc *nc) {
  const pl_vector_shape *s = &vector_data(net)->shape;
  const int v[SIZES] = {(int)s->features, (int)s->outputs, s->classes,
                        (int)s->height,   (int)s->width,   (int)s->channels};
  for (int k = 0; k < SIZES; k++) PL_TRY(pl_nc_att_ints(nc, NULL, sizes[k], PL_NC_INT, &v[k], 1));
  return PL_OK;
}

static pl_status read_shape(const pl_nc *nc, pl_vector_shape *s) {
  double v[SIZES] = {0};
  for (int k = 0; k < SIZES; k++) {
    int n = pl_nc_get_att_number(nc, sizes[k], &v[k]);
    if ((n != 1 && (k < IMAGE || n > 1)) || !(v[k] >= 0 && v[k] <= 1e9))
      return pl_error(PL_EINPUT,
                      "%s: expected an attribute %s, a number, as record.final writes it",
                      pl_nc_path(nc), sizes[k]);
  }
  *s = (pl_vector_shape){.features = (int64_t)v[0],
                         .outputs = (int64_t)v[1],
                         .classes = v[2] != 0,
                         .height = (int64_t)v[3],
                         .width = (int64_t)v[4],
                         .channels = (int64_t)v[5]};
  if (s->features < 1 || s->outputs < 1 ||
      (s->height && s->height * s->width * s->channels != s->features))
    return pl_error(PL_EINPUT,
                    "%s: attributes features, outputs, height, width and channels do not "
                    "fit each other",
                    pl_nc_path(nc));
  return PL_OK;
}

pl_status vector_open(pl_net *net, const pl_nc *weights, const pl_nc *data) {
  const pl_vector_kind *kind = vector_kind_of(&net->spec);
  pl_vector_shape shape = {0};
  pl_vectors found;
  const char *key;
  pl_status st = weights ? read_shape(weights, &shape) : PL_OK;
  if (weights && !st && kind->fits_shape) {
    st = kind->fits_shape(&net->spec, &shape, &key);
    if (st) pl_error_in(st, "%s: %s: ", pl_nc_path(weights), key);
  }
  PL_TRY(pl_agree(&net->team, st));
  pl_comm_bcast(&net->team, &shape, sizeof shape, 0);
  PL_TRY(pl_vectors_open(data, &net->team, &shape, &found));
  vector_own_new(net, &found);
  kind->add(net, &shape, vector_outputs(&net->spec, &shape));
  return PL_OK;
}

/* ---- predictions ---- */

typedef struct answers {
  int64_t cols;
  double *f; /* [num][cols] */
} answers;

static void keep(const pl_net *net, pl_tape *t, pl_node *const *w, const pl_take *take,
                 void *context) {
  answers *a = context;
  const pl_node *f = vector_outputs_of(net, t, w, take);
  memcpy(a->f + take->first * a->cols, f->value, (size_t)pl_tape_count(f) * sizeof *a->f);
}

static pl_status define(const pl_vectors *data, int64_t cols, pl_nc *out) {
  const pl_vector_shape *s = &data->shape;
  const char *dims[] = {"sample", "output", NULL}, *alone[] = {"sample", NULL};
  PL_TRY(pl_nc_def_dim(out, "sample", data->part[PL_TEST].num));
  PL_TRY(pl_nc_def_dim(out, "output", cols));
  PL_TRY(pl_nc_def_var(out, "f", PL_NC_DOUBLE, dims,
                       s->classes ? "outputs of the network, before any softmax or sigmoid"
                                  : "outputs of the network",
                       "1"));
  if (s->classes)
    PL_TRY(pl_nc_def_var(out, "prediction", PL_NC_INT, alone, "class of the largest output", "1"));
  if (data->part[PL_TEST].y)
    PL_TRY(pl_nc_def_var(out, s->classes ? "accuracy" : "mse", PL_NC_DOUBLE, NULL,
                         s->classes ? PL_ACCURACY : PL_MSE, "1"));
  return pl_nc_end_def(out);
}

static pl_status write_all(pl_net *net, const answers *a, const double *metric, pl_nc *out) {
  const pl_vectors *data = vector_data(net);
  int64_t n = data->part[PL_TEST].num;
  PL_TRY(define(data, a->cols, out));
  PL_TRY(pl_nc_put_doubles(out, "f", NULL, NULL, a->f));
  if (data->part[PL_TEST].y)
    PL_TRY(pl_nc_put_doubles(out, data->shape.classes ? "accuracy" : "mse", NULL, NULL,
                             &metric[data->shape.classes ? 0 : 1]));
  if (!data->shape.classes) return PL_OK;
  int64_t *class = pl_alloc((size_t)n, sizeof *class, "classes");
  for (int64_t i = 0; i < n; i++) class[i] = vector_class_of(a->cols, a->f + i * a->cols);
  pl_status st = pl_nc_put_ints(out, "prediction", NULL, NULL, class);
  pl_free(class);
  return st;
}

pl_status vector_predict(pl_net *net, pl_nc *out) {
  const pl_vectors *data = vector_data(net);
  int64_t n = data->part[PL_TEST].num;
  answers a = {.cols = vector_outputs(&net->spec, &data->shape)};
  double metric[2];
  a.f = pl_zalloc((size_t)(n * a.cols), sizeof *a.f, "outputs");
  pl_net_each(net, PL_TEST, keep, &a);
  pl_comm_sum(&net->team, a.f, n * a.cols);
  if (data->part[PL_TEST].y) vector_metrics(net, PL_TEST, metric);
  pl_status st = out ? write_all(net, &a, metric, out) : PL_OK;
  pl_free(a.f);
  return pl_agree(&net->team, st);
}

pl_status vector_apply(const pl_spec *spec, const pl_comm *team, const pl_rates *rates,
                       const char *path, const pl_attribute *attributes, int num) {
  (void)rates;
  return pl_net_apply(spec, team, vector_data_of(spec)->path, path, attributes, num);
}
