#include "keys.h"

#include <float.h>

PL_WORDS(losses, "softmax", "square", "logistic")
PL_WORDS(poolings, "none", "max", "mean")
PL_WORDS(heads, "flatten", "mean")

#define F(member) offsetof(vector_values, member)
#define SHAPE     PL_COST | PL_RESULTS
#define BELOW_1   0x1.fffffffffffffp-1

static const pl_key dropout_rows[] = {
    {"model.dropout", PL_KEY_REAL, F(dropout), SHAPE, "0", .min = 0, .max = BELOW_1,
     .help = "share of the hidden values that a training step sets to 0, the others divided by "
             "what is left"},
};
static const pl_key loss_rows[] = {
    {"loss", PL_KEY_CHOICE, F(loss), SHAPE, "softmax", .choice = losses,
     .help = "softmax: cross entropy, one output a class; square: mean square over samples and "
             "outputs (of classes: against 1 for the class, else 0); logistic: one output, two "
             "classes"},
};
static const pl_key mlp_rows[] = {
    {"model.depth", PL_KEY_INT, F(depth), SHAPE, "3", .min = 1, .max = 256,
     .help = "matrices, the last one included"},
    {"model.width", PL_KEY_INT, F(width), SHAPE, "64", .min = 1, .max = 65536,
     .help = "values between two of them"},
};
static const pl_key resmlp_rows[] = {
    {"model.width", PL_KEY_INT, F(width), SHAPE, .min = 1, .max = 65536,
     .help = "values of the state x (default: 64; without a read-in as many as x has features)"},
    {"model.read_in", PL_KEY_BOOL, F(read_in), SHAPE, "true",
     .help = "x_0 is a linear map of the features; false: the features themselves"},
    {"model.read_out", PL_KEY_BOOL, F(read_out), SHAPE, "true",
     .help = "the outputs are a linear map of x_N; false: x_N itself"},
};
static const pl_key unrolled_rows[] = {
    {"model.threshold", PL_KEY_REAL, F(threshold), PL_RESULTS, "0.1", .min = 0, .max = DBL_MAX,
     .help = "initial thresholds"},
    {"model.init.scale", PL_KEY_REAL, F(base.layer.init_scale), PL_RESULTS, "1", DBL_MIN, DBL_MAX,
     .help = "initial matrices are uniform on +-scale/sqrt(their rows)"},
};
static const pl_key conv_rows[] = {
    {"model.depth", PL_KEY_INT, F(depth), SHAPE, "4", .min = 1, .max = 64,
     .help = "convolutions, before the dense head"},
    {"model.width", PL_KEY_INT, F(width), SHAPE, "64", .min = 1, .max = 65536,
     .help = "channels of each"},
    {"model.kernel", PL_KEY_INT, F(kernel), SHAPE, "3", .min = 1, .max = 64, .units = "pixels",
     .help = "side of the filters"},
    {"model.stride", PL_KEY_INT, F(stride), SHAPE, "1", .min = 1, .max = 64, .units = "pixels",
     .help = "distance between two places of a filter"},
    {"model.padding", PL_KEY_INT, F(padding), SHAPE, "1", .min = 0, .max = 63, .units = "pixels",
     .help = "zeros around the image, fewer than model.kernel"},
    {"model.pooling", PL_KEY_CHOICE, F(pooling), SHAPE, "max", .choice = poolings,
     .help = "of squares of model.window pixels, after the activation"},
    {"model.window", PL_KEY_INT, F(window), SHAPE, "2", .min = 1, .max = 64, .units = "pixels",
     .help = "side of the squares; what is left at the edge is dropped"},
    {"model.head", PL_KEY_CHOICE, F(head), SHAPE, "flatten", .choice = heads,
     .help = "what the dense head reads: all values, or their mean over the image"},
};

const pl_keys vector_dropout_keys = PL_KEYS(PL_IN_NETWORK, dropout_rows);
const pl_keys vector_loss_keys = PL_KEYS(PL_IN_NETWORK, loss_rows);
const pl_keys vector_resmlp_keys = PL_KEYS(PL_IN_NETWORK, resmlp_rows);
const pl_keys vector_mlp_keys = PL_KEYS(PL_IN_NETWORK, mlp_rows);
const pl_keys vector_unrolled_keys = PL_KEYS(PL_IN_NETWORK, unrolled_rows);
const pl_keys vector_conv_keys = PL_KEYS(PL_IN_NETWORK, conv_rows);
