#include "network.h"

#include "base/rng.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- layers ---- */

static void add_one(pl_net *net, const char *name, const char *part, const char *what, int layer,
                    int64_t rows, int64_t cols, double spread) {
  bool bias = !strcmp(part, "bias");
  pl_net_weight w = {.group = bias ? "bias" : "weight",
                     .layer = layer,
                     .rows = bias ? 1 : rows,
                     .cols = cols,
                     .init = PL_INIT_SPREAD,
                     .scale = spread};
  snprintf(w.name, sizeof w.name, "%s_%s", name, part);
  snprintf(w.what, sizeof w.what, "%s of %s", part, what);
  pl_net_add(net, w);
}

void vector_add(pl_net *net, const char *name, const char *what, int layer, int64_t rows,
                int64_t cols) {
  const pl_layer_values *v = &pl_block_values_of(&net->spec)->layer;
  double spread = v->init_scale / sqrt((double)rows);
  add_one(net, name, "weight", what, layer, rows, cols, spread);
  if (v->bias) add_one(net, name, "bias", what, layer, rows, cols, spread);
}

pl_node *vector_affine(const pl_net *net, pl_tape *t, pl_node *const *w, int *at, pl_node *x) {
  int k = *at;
  bool bias = pl_block_values_of(&net->spec)->layer.bias;
  *at += bias ? 2 : 1;
  return bias ? pl_tape_affine(t, x, w[k], w[k + 1]) : pl_tape_matmul(t, x, w[k]);
}

static void add_row(pl_net *net, const char *name, const char *part, const char *what, int layer,
                    int64_t cols, double value) {
  pl_net_weight w = {.group = part,
                     .layer = layer,
                     .rows = 1,
                     .cols = cols,
                     .init = PL_INIT_CONSTANT,
                     .scale = value};
  snprintf(w.name, sizeof w.name, "%s_%s", name, part);
  snprintf(w.what, sizeof w.what, "%s of the norm of %s", part, what);
  pl_net_add(net, w);
}

void vector_add_norm(pl_net *net, const char *name, const char *what, int layer, int64_t cols) {
  add_row(net, name, "gain", what, layer, cols, 1);
  add_row(net, name, "shift", what, layer, cols, 0);
}

pl_node *vector_norm(pl_tape *t, pl_node *const *w, int *at, pl_node *x) {
  static const double epsilon = 1e-5;
  double each = 1 / (double)x->rows;
  pl_node *gain = w[*at], *shift = w[*at + 1];
  *at += 2;
  x = pl_tape_subtract(t, x, pl_tape_scale(t, pl_tape_col_sums(t, x), each));
  pl_node *variance = pl_tape_scale(t, pl_tape_col_sums(t, pl_tape_square(t, x)), each);
  pl_node *deviation =
      pl_tape_sqrt(t, pl_tape_add(t, variance, pl_tape_constant(t, 1, 1, &epsilon)));
  return pl_tape_add(t, pl_tape_multiply(t, x, pl_tape_divide(t, gain, deviation)), shift);
}

pl_node *vector_activation(const pl_net *net, pl_tape *t, pl_node *x) {
  return pl_activate(t, (pl_activation)pl_block_values_of(&net->spec)->layer.activation, x);
}

pl_node *vector_dropout(const pl_net *net, pl_tape *t, pl_node *x, int layer, const pl_take *take) {
  double rate = vector_values_of(&net->spec)->dropout;
  if (!take->training || rate == 0 || take->count == 0) return x;
  int64_t each = pl_tape_count(x) / take->count;
  /* 2^48 numbers for a layer of a step: batches have up to 10^6 samples. */
  return pl_tape_dropout(t, x, rate, (uint64_t)net->spec.common.seed,
                         PL_STREAM(PL_STREAM_DROPOUT, take->step),
                         ((int64_t)layer << 48) + take->first * each);
}

/* ---- samples ---- */

int64_t vector_outputs(const pl_spec *spec, const pl_vector_shape *shape) {
  return vector_values_of(spec)->loss == LOSS_LOGISTIC ? 1 : shape->outputs;
}

static bool in_a_row(const pl_take *take) {
  for (int64_t i = 1; i < take->count; i++)
    if (take->entry[i] != take->entry[0] + i) return false;
  return true;
}

/* Rows of `cols` doubles of the take, borrowed or copied onto the tape. */
static const double *rows_of(pl_tape *t, const pl_take *take, int64_t cols, const double *from) {
  if (take->count == 0 || in_a_row(take)) return from + (take->count ? take->entry[0] * cols : 0);
  double *to = pl_tape_alloc(t, (size_t)(take->count * cols), sizeof *to);
  for (int64_t i = 0; i < take->count; i++)
    memcpy(to + i * cols, from + take->entry[i] * cols, (size_t)cols * sizeof *to);
  return to;
}

pl_node *vector_input_of(const pl_net *net, pl_tape *t, const pl_take *take) {
  const pl_vectors *data = vector_data(net);
  int64_t cols = data->shape.features;
  return pl_tape_constant(t, take->count, cols, rows_of(t, take, cols, data->part[take->part].x));
}

/* ---- losses ---- */

static const int *labels_of(const pl_net *net, pl_tape *t, const pl_take *take) {
  const int *label = vector_data(net)->part[take->part].label;
  int *to = pl_tape_alloc(t, (size_t)take->count, sizeof *to);
  for (int64_t i = 0; i < take->count; i++) to[i] = label[take->entry[i]];
  return to;
}

/* -(1/N) sum_i log softmax(f_i)_{y_i} */
static pl_node *softmax_loss(const pl_net *net, pl_tape *t, pl_node *f, const pl_take *take) {
  pl_node *log_p = pl_tape_pick(t, pl_tape_log_softmax(t, f, NULL), labels_of(net, t, take));
  return pl_tape_scale(t, pl_tape_sum(t, log_p), -1 / (double)take->total);
}

/* Targets of a square loss: y, or 1 for the class. */
static pl_node *targets_of(const pl_net *net, pl_tape *t, const pl_take *take) {
  const pl_vectors *data = vector_data(net);
  int64_t cols = data->shape.outputs;
  if (!data->shape.classes)
    return pl_tape_constant(t, take->count, cols, rows_of(t, take, cols, data->part[take->part].y));
  const int *label = labels_of(net, t, take);
  double *y = pl_tape_alloc(t, (size_t)(take->count * cols), sizeof *y);
  memset(y, 0, (size_t)(take->count * cols) * sizeof *y);
  for (int64_t i = 0; i < take->count; i++) y[i * cols + label[i]] = 1;
  return pl_tape_constant(t, take->count, cols, y);
}

/* (1/(N outputs)) sum (f - y)^2 */
static pl_node *square_loss(const pl_net *net, pl_tape *t, pl_node *f, const pl_take *take) {
  pl_node *e = pl_tape_square(t, pl_tape_subtract(t, f, targets_of(net, t, take)));
  return pl_tape_scale(t, pl_tape_sum(t, e), 1 / ((double)take->total * (double)f->cols));
}

/* (1/N) sum_i log(1 + exp(-s_i f_i)), s = -1 for class 0 and +1 for class 1 */
static pl_node *logistic_loss(const pl_net *net, pl_tape *t, pl_node *f, const pl_take *take) {
  const int *label = labels_of(net, t, take);
  double *minus = pl_tape_alloc(t, (size_t)take->count, sizeof *minus);
  for (int64_t i = 0; i < take->count; i++) minus[i] = label[i] ? -1 : 1;
  pl_node *m = pl_tape_multiply(t, f, pl_tape_constant(t, take->count, 1, minus));
  return pl_tape_scale(t, pl_tape_sum(t, pl_tape_softplus(t, m)), 1 / (double)take->total);
}

pl_node *vector_outputs_of(const pl_net *net, pl_tape *t, pl_node *const *w, const pl_take *take) {
  const pl_vectors *data = vector_data(net);
  return vector_kind_of(&net->spec)
      ->outputs(net, t, w, vector_input_of(net, t, take), &data->shape, take);
}

pl_node *vector_objective(const pl_net *net, pl_tape *t, pl_node *const *w, const pl_take *take) {
  pl_node *f = vector_outputs_of(net, t, w, take);
  switch (vector_values_of(&net->spec)->loss) {
  case LOSS_SOFTMAX:
    return softmax_loss(net, t, f, take);
  case LOSS_SQUARE:
    return square_loss(net, t, f, take);
  default:
    return logistic_loss(net, t, f, take);
  }
}

/* ---- metrics ---- */

enum { ACCURACY, MSE };

int vector_class_of(int64_t n, const double *f) {
  if (n == 1) return f[0] > 0;
  int best = 0;
  for (int j = 1; j < n; j++)
    if (f[j] > f[best]) best = j;
  return best;
}

static void count_right(const pl_net *net, pl_tape *t, pl_node *const *w, const pl_take *take,
                        void *context) {
  const int *label = vector_data(net)->part[take->part].label;
  const pl_node *f = vector_outputs_of(net, t, w, take);
  for (int64_t i = 0; i < take->count; i++)
    *(double *)context += vector_class_of(f->cols, f->value + i * f->cols) == label[take->entry[i]];
}

static void add_squares(const pl_net *net, pl_tape *t, pl_node *const *w, const pl_take *take,
                        void *context) {
  const pl_node *f = vector_outputs_of(net, t, w, take);
  const double *y = vector_data(net)->part[take->part].y;
  for (int64_t i = 0; i < take->count; i++)
    for (int64_t j = 0; j < f->cols; j++) {
      double e = f->value[i * f->cols + j] - y[take->entry[i] * f->cols + j];
      *(double *)context += e * e;
    }
}

void vector_metrics(pl_net *net, pl_part part, double *metric) {
  const pl_vector_shape *s = &vector_data(net)->shape;
  double sum = 0, entries = (double)pl_net_recorded(net, part).total;
  metric[ACCURACY] = metric[MSE] = NAN;
  pl_net_each(net, part, s->classes ? count_right : add_squares, &sum);
  pl_comm_sum(&net->team, &sum, 1);
  metric[s->classes ? ACCURACY : MSE] = sum / (s->classes ? entries : entries * (double)s->outputs);
}

static bool has_classes(const pl_spec *spec, const void *context) {
  pl_vector_shape s = {0};
  (void)context;
  return !pl_vector_shape_of(spec, &s) && s.classes;
}
static bool has_targets(const pl_spec *spec, const void *context) {
  return !has_classes(spec, context);
}
static bool classes_validation(const pl_spec *spec, const void *context) {
  return pl_net_wants_validation(spec, context) && has_classes(spec, context);
}
static bool classes_test(const pl_spec *spec, const void *context) {
  return pl_net_wants_test(spec, context) && has_classes(spec, context);
}
static bool targets_validation(const pl_spec *spec, const void *context) {
  return pl_net_wants_validation(spec, context) && !has_classes(spec, context);
}
static bool targets_test(const pl_spec *spec, const void *context) {
  return pl_net_wants_test(spec, context) && !has_classes(spec, context);
}

static const pl_measure rows[] = {
    PL_NET_METRIC_WHERE(ACCURACY, "accuracy", PL_ACCURACY, 1, has_classes, classes_validation,
                        classes_test),
    PL_NET_METRIC_WHERE(MSE, "mse", PL_MSE, -1, has_targets, targets_validation, targets_test),
};
const pl_measures vector_measures = PL_MEASURES(rows);
const char *const vector_headline[] = {"loss",      "test_accuracy", "test_mse", "train_accuracy",
                                       "train_mse", "gradient_norm", NULL};
