/* Convolutions, each followed by the activation and pooling, and a dense head: the windows of an
 * image are rows (im2col), so that a convolution is one product. */
#include "model/regularizer.h"
#include "network.h"

#include <stdio.h>

/* An image on its way through the layers. */
typedef struct stage {
  int64_t height, width, channels;
} stage;

/* Windows of a convolution, or of the pooling behind it, over `count` images of a stage. */
static pl_tape_windows windows_of(const vector_values *v, const stage *s, int64_t count,
                                  bool pooling) {
  return (pl_tape_windows){.count = count,
                           .height = s->height,
                           .width = s->width,
                           .channels = s->channels,
                           .size = pooling ? v->window : v->kernel,
                           .stride = pooling ? v->window : v->stride,
                           .pad = pooling ? 0 : v->padding};
}

static bool fit(const pl_tape_windows *w) {
  return w->size <= w->height + 2 * w->pad && w->size <= w->width + 2 * w->pad;
}

static void pass(const pl_tape_windows *w, stage *s) {
  s->height = pl_tape_windows_down(w);
  s->width = pl_tape_windows_across(w);
}

/* One layer's stages: false where the image has become smaller than a window.  convolved: before
 * pooling. */
static bool advance(const vector_values *v, stage *s, stage *convolved) {
  pl_tape_windows w = windows_of(v, s, 1, false);
  if (!fit(&w)) return false;
  pass(&w, s);
  s->channels = v->width;
  *convolved = *s;
  if (v->pooling == POOLING_NONE) return true;
  w = windows_of(v, s, 1, true);
  if (!fit(&w)) return false;
  pass(&w, s);
  return true;
}

static int64_t head_inputs(const vector_values *v, const stage *s) {
  return v->head == HEAD_MEAN ? s->channels : s->height * s->width * s->channels;
}

static stage stage_of(const pl_vector_shape *shape) {
  return (stage){shape->height, shape->width, shape->channels};
}

static void add(pl_net *net, const pl_vector_shape *shape, int64_t outputs) {
  const vector_values *v = vector_values_of(&net->spec);
  stage s = stage_of(shape), convolved;
  for (int l = 0; l < v->depth; l++) {
    char name[32], what[64];
    snprintf(name, sizeof name, "layer%d", l);
    snprintf(what, sizeof what, "convolution %d of %lld", l, (long long)v->depth);
    vector_add(net, name, what, l, v->kernel * v->kernel * s.channels, v->width);
    if (v->norm) vector_add_norm(net, name, what, l, v->width);
    /* Without room left the run is refused by fits_shape; elsewhere one pixel stands for it. */
    if (!advance(v, &s, &convolved)) s = (stage){1, 1, v->width};
  }
  vector_add(net, "head", "the dense head", (int)v->depth, head_inputs(v, &s), outputs);
}

static pl_node *pool(const vector_values *v, pl_tape *t, pl_node *x, pl_tape_windows w) {
  return v->pooling == POOLING_MAX ? pl_tape_max_pool(t, x, w) : pl_tape_mean_pool(t, x, w);
}

/* [count][channels]: the mean over each image's pixels. */
static pl_node *image_means(pl_tape *t, pl_node *x, int64_t count, int64_t pixels) {
  int64_t *start = pl_tape_alloc(t, (size_t)count + 1, sizeof *start);
  for (int64_t i = 0; i <= count; i++) start[i] = i * pixels;
  return pl_tape_scale(t, pl_tape_segment_sum(t, x, count, start), 1 / (double)pixels);
}

static pl_node *outputs_of(const pl_net *net, pl_tape *t, pl_node *const *w, pl_node *x,
                           const pl_vector_shape *shape, const pl_take *take) {
  const vector_values *v = vector_values_of(&net->spec);
  stage s = stage_of(shape);
  int64_t count = take->count;
  int at = 0;
  x = pl_tape_reshape(t, x, count * s.height * s.width, s.channels);
  for (int l = 0; l < v->depth; l++) {
    pl_tape_windows windows = windows_of(v, &s, count, false);
    x = vector_affine(net, t, w, &at, pl_tape_im2col(t, x, windows));
    pass(&windows, &s);
    s.channels = v->width;
    if (v->norm) x = vector_norm(t, w, &at, x);
    x = vector_activation(net, t, x);
    if (v->pooling != POOLING_NONE) {
      windows = windows_of(v, &s, count, true);
      x = pool(v, t, x, windows);
      pass(&windows, &s);
    }
    x = vector_dropout(net, t, x, l, take);
  }
  x = v->head == HEAD_MEAN ? image_means(t, x, count, s.height * s.width)
                           : pl_tape_reshape(t, x, count, s.height * s.width * s.channels);
  return vector_affine(net, t, w, &at, x);
}

static void work(const pl_spec *spec, const pl_vector_shape *shape, int64_t outputs,
                 double *products, double *doubles) {
  const vector_values *v = vector_values_of(spec);
  stage s = stage_of(shape), convolved = s;
  *doubles = (double)shape->features + 3 * (double)outputs;
  for (int l = 0; l < v->depth; l++) {
    double rows = (double)(v->kernel * v->kernel * s.channels);
    if (!advance(v, &s, &convolved)) break;
    double pixels = (double)(convolved.height * convolved.width);
    *products += pixels * rows * (double)v->width;
    *doubles += pixels * (rows + (v->norm ? 6 : 2) * (double)v->width) +
                (v->dropout > 0 ? 3 : 1) * (double)(s.height * s.width * s.channels);
  }
  *products += (double)(head_inputs(v, &s) * outputs);
}

static pl_status fits_shape(const pl_spec *spec, const pl_vector_shape *shape, const char **key) {
  const vector_values *v = vector_values_of(spec);
  stage s = stage_of(shape), convolved;
  *key = "data.path";
  if (shape->height == 0)
    return pl_error(PL_EINPUT, "the samples are no images: attribute image of x is missing");
  *key = "model.padding";
  if (v->padding >= v->kernel)
    return pl_error(PL_EINPUT, "%lld, expected fewer than model.kernel, %lld",
                    (long long)v->padding, (long long)v->kernel);
  *key = "model.depth";
  for (int l = 0; l < v->depth; l++) {
    stage before = s;
    if (!advance(v, &s, &convolved))
      return pl_error(PL_EINPUT,
                      "%lld x %lld pixels are left before convolution %d: too few for its windows",
                      (long long)before.height, (long long)before.width, l);
  }
  return PL_OK;
}

static int label(const pl_spec *spec, char *buf, size_t n) {
  const vector_values *v = vector_values_of(spec);
  return snprintf(buf, n, "conv, %lld x %lld channels", (long long)v->depth, (long long)v->width);
}

static const pl_keys *const keys[] = {&vector_conv_keys, &pl_layer_keys,    &vector_dropout_keys,
                                      &vector_loss_keys, &pl_net_init_keys, &pl_gini_keys,
                                      &pl_batch_keys,    &pl_spectrum_keys, NULL};
static const pl_measures *const measures[] = {&pl_net_measures, &vector_measures,
                                              &pl_net_gini_measures, NULL};

const pl_vector_kind pl_conv = {
    .net = {.door = {.name = "conv",
                     .help = "convolutions on images, and a dense head",
                     .example = "{model: {kind: conv, depth: 2, width: 3, activation: tanh}, "
                                "train.batch: 4, data: {samples: 6, validation: 3, test: 4, side: "
                                "6}}",
                     .summary = "loss, metrics and spectra of the weights of networks on images",
                     .reference = "https://doi.org/10.1109/5.726791",
                     .headline = vector_headline,
                     PL_NET_DOOR,
                     .keys = keys,
                     .data = pl_image_data_kinds,
                     .measures = measures,
                     .metric = "accuracy",
                     .other_metric = "mse",
                     .fits = vector_fits,
                     .check = vector_check,
                     .label = label,
                     .apply = vector_apply},
            VECTOR_NET},
    .add = add,
    .outputs = outputs_of,
    .work = work,
    .fits_shape = fits_shape,
};
