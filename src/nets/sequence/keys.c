#include "keys.h"

#include <float.h>

PL_WORDS(encoders, "lstm", "set")
PL_WORDS(attentions, "pointer", "seq2seq", "none")
PL_WORDS(decoders, "greedy", "beam")

#define F(member) offsetof(pointer_values, member)
#define SHAPE     PL_COST | PL_RESULTS

static const pl_key rows[] = {
    {"model.encoder", PL_KEY_CHOICE, F(encoder), SHAPE, "lstm", .choice = encoders,
     .help = "lstm reads the points in their order; set: layers that every order suits alike"},
    {"model.width", PL_KEY_INT, F(width), SHAPE, "128", .min = 1, .max = 8192,
     .help = "numbers in a state of encoder and decoder"},
    {"model.depth", PL_KEY_INT, F(depth), SHAPE, "3", .min = 1, .max = 64, .with = "model.encoder",
     .with_word = "set", .help = "layers of the set encoder"},
    {"model.attention", PL_KEY_CHOICE, F(attention), SHAPE, "pointer", .choice = attentions,
     .help = "pointer: attention is the output; seq2seq: it mixes the states into what a softmax "
             "over fixed places reads, for as many points as in training; none: that softmax "
             "without attention"},
    {"model.init.scale", PL_KEY_REAL, F(init_scale), PL_RESULTS, "0.08", DBL_MIN, DBL_MAX,
     .help = "initial weights are uniform on +-scale"},
    {"decode.kind", PL_KEY_CHOICE, F(decode), SHAPE, "greedy", .choice = decoders,
     .help = "the likeliest next symbol, or the likeliest sequences of a beam"},
    {"decode.beam", PL_KEY_INT, F(beam), SHAPE, "4", .min = 1, .max = 1000, .with = "decode.kind",
     .with_word = "beam", .help = "sequences in the beam"},
    {"decode.mask", PL_KEY_BOOL, F(mask), SHAPE, "true",
     .help = "only symbols that keep the output valid"},
    {"record.relabel", PL_KEY_INT, F(relabel), SHAPE, "32", .min = 0, .max = 100000,
     .units = "samples",
     .help = "test samples over which relabel_violation is taken; 0: it is not recorded"},
    {"record.policy", PL_KEY_INT, F(policy), SHAPE, "4", .min = 0, .max = 100000,
     .units = "samples",
     .help = "test samples of up to 8 points over which policy_energy is taken, where all outputs "
             "are permutations; 0: it is not recorded"},
};
const pl_keys pointer_keys = PL_KEYS(PL_IN_NETWORK, rows);
