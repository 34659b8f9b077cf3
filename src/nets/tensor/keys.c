#include "keys.h"

#include "model/loss.h"
#include "patterns.h"

#include <float.h>

PL_WORDS(outputs, "invariant", "equivariant")
PL_WORDS(activations, "sigmoid", "tanh", "relu")
PL_WORDS(square, "square")

#define F(member) offsetof(tensor_values, member)
#define SHAPE     PL_COST | PL_RESULTS

static const pl_key rows[] = {
    {"model.order", PL_KEY_INT, F(order), SHAPE, "2", .min = 1, .max = TENSOR_MOST_ORDER,
     .help = "indices of the hidden tensors"},
    {"model.channels", PL_KEY_INT, F(channels), SHAPE, "20", .min = 1, .max = 65536,
     .help = "hidden tensors"},
    {"model.output", PL_KEY_CHOICE, F(output), SHAPE, "invariant", .choice = outputs,
     .help = "invariant: a number for a sample; equivariant: one for each of its points"},
    {"model.activation", PL_KEY_CHOICE, F(activation), SHAPE, "relu", .choice = activations,
     .help = "entry by entry on the hidden tensors"},
    {"model.init.scale", PL_KEY_REAL, F(init_scale), PL_RESULTS, "0.5", DBL_MIN, DBL_MAX,
     .help = "initial weights are uniform on +-scale/sqrt(inputs)"},
    {"loss", PL_KEY_CHOICE, F(loss), SHAPE, "square", .choice = square,
     .help = "square: mean over the samples of the mean square error of a sample"},
};
const pl_keys tensor_keys = PL_KEYS(PL_IN_NETWORK, rows);

static const pl_key linear_rows[] = {
    {"model.depth", PL_KEY_INT, F(depth), SHAPE, "2", .min = 2, .max = 16,
     .help = "factors, the read-out included"},
    {"model.init.scale", PL_KEY_REAL, F(init_scale), PL_RESULTS, "1", DBL_MIN, DBL_MAX,
     .help = "initial weights are Gaussian with mean 0; standard deviation of each: "
             "scale/sqrt(columns of its block), of the read-out scale/sqrt(n^2)"},
    {"loss", PL_KEY_CHOICE, F(loss), SHAPE, "exponential", .choice = pl_margin_loss_name,
     .help = "of the margins y f(x)"},
    {"record.kkt", PL_KEY_BOOL, F(record_kkt), SHAPE, "false",
     .help = "record how near the weights are to a stationary point of the margin problem"},
};
const pl_keys tensor_linear_keys = PL_KEYS(PL_IN_NETWORK, linear_rows);
