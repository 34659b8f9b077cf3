#include "nets/inner.h"

#include "base/mem.h"

#include <float.h>

PL_WORDS(activations, "relu", "tanh", "silu", "sigmoid", "softplus", "none")
PL_WORDS(norms, "none", "batch")
PL_WORDS(poolings, "none", "max", "mean")
PL_WORDS(heads, "flatten", "mean")

#define F(member) offsetof(pl_inner_values, member)
#define SHAPE     PL_COST | PL_RESULTS
#define OF_CONV   .with = "meta.inner", .with_word = "conv"

static const pl_key rows[] = {
    {"meta.inner", PL_KEY_CHOICE, F(inner), SHAPE, "mlp", .choice = pl_zoo_inner_name,
     .help = "the network that is adapted to each task"},
    {"model.depth", PL_KEY_INT, F(depth), SHAPE, .min = 1, .max = 64,
     .help = "its layers: of mlp and gcnn the last one included, of conv convolutions (default: "
             "mlp 3, conv 4, gcnn 2)"},
    {"model.width", PL_KEY_INT, F(width), SHAPE, .min = 1, .max = 65536,
     .help = "values, or channels, between two of them (default: mlp 40, conv 64)"},
    {"model.activation", PL_KEY_CHOICE, F(activation), SHAPE, "relu", .choice = activations,
     .help = "of mlp and conv, entry by entry between the layers"},
    {"model.norm", PL_KEY_CHOICE, F(norm), SHAPE, "batch", .choice = norms, OF_CONV,
     .help = "batch: each channel of a convolution less its mean over the samples of the task that "
             "are looked at together, over its standard deviation, times a gain, plus a shift"},
    {"model.stride", PL_KEY_INT, F(stride), SHAPE, "2", .min = 1, .max = 64, OF_CONV,
     .units = "pixels", .help = "distance between two places of a filter of 3 x 3 pixels"},
    {"model.pooling", PL_KEY_CHOICE, F(pooling), SHAPE, "none", .choice = poolings, OF_CONV,
     .help = "of squares of 2 x 2 pixels, after the activation"},
    {"model.head", PL_KEY_CHOICE, F(head), SHAPE, "flatten", .choice = heads, OF_CONV,
     .help = "what the dense head reads: all values, or their mean over the image"},
    {"model.init.scale", PL_KEY_REAL, F(init_scale), PL_RESULTS, "1", DBL_MIN, DBL_MAX,
     .help = "initial weights: of mlp and conv uniform on +-scale/sqrt(inputs of the layer), of "
             "gcnn normal with variance scale^2/|G|, of quadratic normal with variance scale^2"},
};
const pl_keys pl_inner_keys = PL_KEYS(PL_IN_NETWORK, rows);

pl_status pl_inner_check(const pl_spec *spec, const pl_inner_shape *shape, const char **key) {
  const pl_inner *kind = pl_inner_of(spec);
  const pl_inner_values *v = pl_inner_values_of(spec);
  *key = "model.depth";
  if (!kind->has_depth && v->depth != PL_UNSET)
    return pl_error(PL_EINPUT, "not used by meta.inner: %s", kind->name);
  *key = "model.width";
  if (!kind->has_width && v->width != PL_UNSET)
    return pl_error(PL_EINPUT, "not used by meta.inner: %s", kind->name);
  *key = "meta.inner";
  return kind->check ? kind->check(spec, shape, key) : PL_OK;
}

void pl_inner_init(pl_net *net, const pl_spec *spec, const pl_inner_shape *shape) {
  *net = (pl_net){.spec = *spec, .team = {.size = 1}};
  pl_inner_of(spec)->make(net, shape);
}

void pl_inner_fini(pl_net *net, const pl_spec *spec) {
  const pl_inner *kind = pl_inner_of(spec);
  if (kind->unmake) kind->unmake(net);
  pl_free(net->weight);
  pl_free(net->start);
  *net = (pl_net){0};
}
