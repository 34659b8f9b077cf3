#include "keys.h"

#include <float.h>

PL_WORDS(losses, "square", "absolute", "logistic")
PL_WORDS(velocities, "initial", "updated")
PL_WORDS(forms, "square", "root", "tanh")
PL_WORDS(subgroups, "trivial", "inversion", "mirrors", "rotations", "octahedral")

#define F(member) offsetof(points_values, member)
#define SHAPE     PL_COST | PL_RESULTS

static const pl_key layer_rows[] = {
    {"model.depth", PL_KEY_INT, F(depth), SHAPE, "4", .min = 1, .max = 256, .help = "layers"},
    {"model.width", PL_KEY_INT, F(width), SHAPE, "64", .min = 1, .max = 65536,
     .help = "values of a node, of a message, and inside every function"},
    {"model.init.scale", PL_KEY_REAL, F(init_scale), PL_RESULTS, "1", DBL_MIN, DBL_MAX,
     .help = "initial weights and biases are uniform on +-scale/sqrt(inputs of the function)"},
};
static const pl_key egnn_rows[] = {
    {"model.edge_attention", PL_KEY_BOOL, F(attention), SHAPE, "false",
     .help = "messages times the sigmoid of a linear function of themselves"},
    {"model.velocity", PL_KEY_CHOICE, F(velocity), SHAPE, "initial", .choice = velocities,
     .help = "initial: every layer adds phi_v times the velocity at the start; updated: the "
             "velocity of a layer is what moved the points in it"},
};
static const pl_key radial_rows[] = {
    {"model.form", PL_KEY_CHOICE, F(form), SHAPE, "square", .choice = forms,
     .help = "phi of the squared distance; root: of the distance, as the published code has it for "
             "graphs; tanh: tanh of that, as it has it for particles"},
};
static const pl_key gnn_rows[] = {
    {"model.noise", PL_KEY_INT, F(noise), SHAPE, "0", .min = 0, .max = 1000,
     .help = "normal numbers that a node of a graph starts from; 0: all start alike"},
};
static const pl_key move_rows[] = {
    {"model.gain", PL_KEY_REAL, F(gain), PL_RESULTS, "0.001", .min = 0, .max = DBL_MAX,
     .help = "the last weights of phi_x (phi) are uniform on +-gain sqrt(6/(inputs + 1))"},
    {"model.shrink", PL_KEY_REAL, F(shrink), SHAPE, "0", .min = 0, .max = 1,
     .help = "after each layer positions are multiplied by 1 - shrink"},
};
static const pl_key common_rows[] = {
    {"loss", PL_KEY_CHOICE, F(loss), SHAPE, "square", .choice = losses,
     .help = "square: mean over the coordinates of a sample, or square of its property; absolute: "
             "likewise of absolute values; logistic: cross entropy of edges, the sum over the "
             "pairs of a graph"},
    {"record.defect", PL_KEY_INT, F(record_defect), SHAPE, "16", .min = 0, .max = 1000,
     .units = "samples",
     .help = "equivariance is recorded over so many samples, of the test part if there is one (0: "
             "not)"},
};

const pl_keys points_layer_keys = PL_KEYS(PL_IN_NETWORK, layer_rows);
const pl_keys points_egnn_keys = PL_KEYS(PL_IN_NETWORK, egnn_rows);
const pl_keys points_radial_keys = PL_KEYS(PL_IN_NETWORK, radial_rows);
const pl_keys points_gnn_keys = PL_KEYS(PL_IN_NETWORK, gnn_rows);
const pl_keys points_move_keys = PL_KEYS(PL_IN_NETWORK, move_rows);
const pl_keys points_common_keys = PL_KEYS(PL_IN_NETWORK, common_rows);

static const pl_key augment_rows[] = {
    {"data.augment", PL_KEY_CHOICE, DATA_FIELD(augment), PL_RESULTS, "trivial", .choice = subgroups,
     .help = "each training sample of a step is moved by a random element of a group of signed "
             "permutations of the axes: trivial (1), inversion (2), mirrors (sign changes, 8 in "
             "three dimensions), rotations (24), octahedral (48)"},
};
const pl_keys points_augment_keys = PL_KEYS(PL_IN_DATA, augment_rows);
