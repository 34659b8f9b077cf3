#include "keys.h"

#include <float.h>

PL_WORDS(encoders, "linear", "mlp")
PL_WORDS(activations, "relu", "tanh")
PL_WORDS(losses, "logistic", "exponential")
PL_WORDS(negatives, "random", "inbatch", "static", "star", "adore")
PL_WORDS(lists, "model", "bm25")

#define F(member) offsetof(retrieval_values, member)
enum { SHAPE = PL_COST | PL_RESULTS };

static const pl_key rows[] = {
    {"model.encoder", PL_KEY_CHOICE, F(encoder), SHAPE, "linear", .choice = encoders,
     .help = "linear: one matrix; mlp: several, with biases and the activation between them"},
    {"model.depth", PL_KEY_INT, F(depth), SHAPE, "2", .min = 2, .max = 16, .with = "model.encoder",
     .with_word = "mlp", .help = "matrices of an encoder"},
    {"model.hidden", PL_KEY_INT, F(hidden), SHAPE, "64", .min = 1, .max = 65536,
     .with = "model.encoder", .with_word = "mlp", .help = "values between two of them"},
    {"model.activation", PL_KEY_CHOICE, F(activation), SHAPE, "relu", .choice = activations,
     .with = "model.encoder", .with_word = "mlp", .help = "entry by entry between the layers"},
    {"model.width", PL_KEY_INT, F(width), SHAPE, "32", .min = 1, .max = 4096,
     .help = "numbers that a query or a document becomes"},
    {"model.shared", PL_KEY_BOOL, F(shared), SHAPE, "false",
     .help = "queries and documents go through one encoder"},
    {"model.init.alike", PL_KEY_BOOL, F(alike), PL_RESULTS, "true",
     .help = "the two encoders start equal"},
    {"model.init.scale", PL_KEY_REAL, F(init_scale), PL_RESULTS, "1", DBL_MIN, DBL_MAX,
     .help = "initial weights are normal with variance scale^2 over the inputs of the layer; of a "
             "layer that reads features, over its outputs"},
    {"loss", PL_KEY_CHOICE, F(loss), SHAPE, "logistic", .choice = losses,
     .help = "of a pair with margin m, the relevant document's score minus the other's: log(1 + "
             "e^-m), or e^-m"},
    {"retrieval.negatives", PL_KEY_CHOICE, F(negatives), SHAPE, "random", .choice = negatives,
     .help = "random: drawn from the corpus; inbatch: what is relevant to other queries of the "
             "batch; static: from the top of a list made once; star: static and, with "
             "retrieval.random_weight, inbatch; adore: the present top at every step, weighted by "
             "ranks, documents frozen"},
    {"retrieval.start", PL_KEY_TEXT, F(start), SHAPE, .path = true,
     .help = "weights file of the phase before (record.final, record.best): the run starts there, "
             "and lists that are made once are its"},
    {"retrieval.warmup", PL_KEY_INT, F(warmup), SHAPE, "0", .min = 0, .max = 1e9, .units = "steps",
     .help = "steps with random negatives first; lists are made, and documents freeze, after them"},
    {"retrieval.lists", PL_KEY_CHOICE, F(lists), SHAPE, "model", .choice = lists,
     .help = "what makes the lists of static and star: the network as it then is, or BM25"},
    {"retrieval.top", PL_KEY_INT, F(top), SHAPE, "50", .min = 1, .max = 10000,
     .help = "K: documents of a list"},
    {"retrieval.first", PL_KEY_INT, F(first), SHAPE, "1", .min = 1, .max = 10000,
     .help = "the window of ranks: negatives of a list are those from this rank on, to "
             "retrieval.top"},
    {"retrieval.margin", PL_KEY_REAL, F(margin), PL_RESULTS, .min = 0, .max = DBL_MAX,
     .help = "negatives count where their score is below s - margin |s|, s that of the relevant "
             "document (default: all count)"},
    {"retrieval.draws", PL_KEY_INT, F(draws), SHAPE, "4", .min = 1, .max = 64,
     .help = "negatives of a query and step that random, static and star draw"},
    {"retrieval.random_weight", PL_KEY_REAL, F(random_weight), PL_RESULTS, "0.1", .min = 0,
     .max = DBL_MAX, .with = "retrieval.negatives", .with_word = "star",
     .help = "weight of the in-batch loss of star"},
    {"retrieval.cut", PL_KEY_INT, F(cut), PL_RESULTS, .min = 1, .max = 1e9,
     .with = "retrieval.negatives", .with_word = "adore",
     .help = "1/rank counts as 0 beyond this rank (default: nowhere)"},
    {"retrieval.refresh", PL_KEY_INT, F(refresh), SHAPE, "1", .min = 1, .max = 1e9,
     .with = "retrieval.negatives", .with_word = "adore", .units = "steps",
     .help = "steps that the lists of adore serve"},
};
const pl_keys retrieval_keys = PL_KEYS(PL_IN_NETWORK, rows);
