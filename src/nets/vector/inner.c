/* mlp and conv as networks that an outer loop adapts. */
#include "network.h"

#include <string.h>

static pl_vector_shape shape_of(const pl_inner_shape *s) {
  return (pl_vector_shape){.features = s->features,
                           .outputs = s->outputs,
                           .classes = s->classes,
                           .height = s->height,
                           .width = s->width,
                           .channels = s->channels};
}

static int64_t given(int64_t value, int64_t otherwise) {
  return value == PL_UNSET ? otherwise : value;
}

/* The run as these networks see it. */
static void translate(const pl_spec *outer, const pl_vector_kind *kind, int64_t depth,
                      int64_t width, pl_spec *out) {
  const pl_inner_values *from = pl_inner_values_of(outer);
  bool norm = kind == &pl_conv && from->norm == PL_INNER_NORM_BATCH;
  vector_values v = {
      .base.layer = {.activation = from->activation, .bias = 1, .init_scale = from->init_scale},
      .depth = given(from->depth, depth),
      .width = given(from->width, width),
      .kernel = 3,
      .stride = from->stride,
      .padding = 1,
      .pooling = from->pooling,
      .window = 2,
      .head = from->head,
      .norm = norm};
  pl_spec spec = *outer;
  memset(spec.network_values, 0, sizeof spec.network_values);
  memcpy(spec.network_values, &v, sizeof v);
  spec.model = &kind->net.door;
  *out = spec;
}

static void make(pl_net *net, const pl_inner_shape *shape, const pl_vector_kind *kind,
                 int64_t depth, int64_t width) {
  pl_vector_shape s = shape_of(shape);
  pl_spec spec;
  translate(&net->spec, kind, depth, width, &spec);
  net->spec = spec;
  kind->add(net, &s, s.outputs);
}

static void make_mlp(pl_net *net, const pl_inner_shape *shape) {
  make(net, shape, &pl_mlp, 3, 40);
}

enum { CONV_DEPTH = 4, CONV_WIDTH = 64 };

static void make_conv(pl_net *net, const pl_inner_shape *shape) {
  make(net, shape, &pl_conv, CONV_DEPTH, CONV_WIDTH);
}

static pl_status check_conv(const pl_spec *spec, const pl_inner_shape *shape, const char **key) {
  pl_vector_shape s = shape_of(shape);
  pl_spec seen;
  if (s.height == 0)
    return pl_error(PL_EINPUT, "conv takes images, and data.kind %s has none", spec->data->name);
  translate(spec, &pl_conv, CONV_DEPTH, CONV_WIDTH, &seen);
  return pl_conv.fits_shape(&seen, &s, key);
}

static pl_node *outputs_of(const pl_net *net, pl_tape *t, pl_node *const *w,
                           const pl_inner_shape *shape, int64_t num, pl_node *x) {
  pl_vector_shape s = shape_of(shape);
  pl_take take = {.total = num, .count = num};
  return vector_kind_of(&net->spec)->outputs(net, t, w, x, &s, &take);
}

static void work(const pl_net *net, const pl_inner_shape *shape, double *products,
                 double *doubles) {
  pl_vector_shape s = shape_of(shape);
  *products = 0;
  vector_kind_of(&net->spec)->work(&net->spec, &s, s.outputs, products, doubles);
}

const pl_inner pl_inner_mlp = {.name = "mlp",
                               .help = "fully connected layers",
                               .has_depth = true,
                               .has_width = true,
                               .make = make_mlp,
                               .outputs = outputs_of,
                               .work = work};
const pl_inner pl_inner_conv = {.name = "conv",
                                .help = "convolutions of 3 x 3 pixels on images, and a dense head",
                                .has_depth = true,
                                .has_width = true,
                                .check = check_conv,
                                .make = make_conv,
                                .outputs = outputs_of,
                                .work = work};
