#include "values.h"

#include "group/group.h"

#include <float.h>

PL_WORDS(sources, "file", "cayley", "sbm", "csbm", "karate")
PL_WORDS(operators, "sym", "row", "none") /* as pl_operator */
PL_WORDS(normalizations, "none", "row")
PL_WORDS(targets, "given", "shuffled", "random", "irreps", "numbers")

#define F(member) offsetof(graph_values, member)
enum { ALL = PL_COST | PL_DATA | PL_RESULTS, DRAWN = PL_DATA | PL_RESULTS };

/* What every run on a graph has. */
static const pl_key rows[] = {
    {"data.normalize", PL_KEY_CHOICE, F(normalize), DRAWN, "none", .choice = normalizations,
     .saved = true,
     .help = "row: each node's features divided by the sum of their absolute values"},
    {"data.operator", PL_KEY_CHOICE, F(operator_kind), ALL, "sym", .choice = operators,
     .saved = true,
     .help = "the operator: sym D^-1/2 (A + s) D^-1/2, row D^-1 (A + s), none A + s"},
    {"data.self_loop", PL_KEY_REAL, F(self_loop), ALL, "1", .min = 0, .max = 1e6, .saved = true,
     .help = "weight s of the self-loop that every node gets"},
    {"data.labelling", PL_KEY_CHOICE, F(target), ALL, .choice = targets,
     .help = "what is learnt: given, the classes of blocks, factions or the file; shuffled, the "
             "same at random nodes; random, rows of normal numbers, each of norm 1; irreps, such "
             "rows inside data.irreps; numbers, target(node, output) of the file (default: random "
             "on Cayley graphs, else given)"},
    {"data.rows", PL_KEY_INT, F(rows), ALL, "1", .min = 1, .max = 1e4,
     .help = "rows of targets that are drawn: outputs of a node"},
    {"data.samples", PL_KEY_INT, F(samples), ALL, .min = 1, .max = 1e8,
     .help = "nodes to train on, as many of each class (default: those of the file, or all that "
             "are in no other part)"},
    {"data.validation", PL_KEY_INT, F(validation), ALL, "0", .min = 0, .max = 1e8,
     .help = "nodes of the validation part, drawn"},
    {"data.test", PL_KEY_INT, F(test), ALL, "0", .min = 0, .max = 1e8,
     .help = "nodes of the test part, drawn"},
};
static const pl_keys common_keys = PL_KEYS(PL_IN_DATA, rows);

static const pl_key source_rows[] = {
    {"data.graph", PL_KEY_CHOICE, F(source), ALL, "csbm", .choice = sources,
     .help = "the graph: a Cayley graph of `group`, a block model without (sbm) or with features "
             "(csbm), Zachary's karate club, or a file"},
    {"group", PL_KEY_TEXT, F(group), ALL, .file = pl_group_file, .with = "data.graph",
     .with_word = "cayley", .help = "the group, see plancherel group"},
    {"data.generators", PL_KEY_TEXT, F(generators), ALL, "transpositions", .with = "data.graph",
     .with_word = "cayley",
     .help = "generators of the Cayley graph: transpositions, adjacent, star, cycle+transposition "
             "(S_n), standard, cycles, or labels of elements separated by \";\""},
    {"data.path", PL_KEY_TEXT, F(path), ALL, .path = true, .with = "data.graph",
     .with_word = "file",
     .help = "NetCDF file with edge(edge, 2), weight, feature, label and split, as "
             "analysis/convert.py makes it"},
    {"data.split", PL_KEY_INT, F(split), ALL, "0", .min = 0, .max = 1e6, .with = "data.graph",
     .with_word = "file", .help = "which split of the file"},
    {"data.nodes", PL_KEY_INT, F(nodes), ALL, "400", .min = 1, .max = 1e8,
     .help = "nodes of a block model"},
    {"data.blocks", PL_KEY_INT, F(blocks), ALL, "2", .min = 1, .max = 1e6,
     .help = "blocks of a block model, which are its classes"},
    {"data.p_in", PL_KEY_REAL, F(p_in), ALL, "0.05", .min = 0, .max = 1,
     .help = "probability of an edge inside a block"},
    {"data.p_out", PL_KEY_REAL, F(p_out), ALL, "0.01", .min = 0, .max = 1,
     .help = "probability of an edge between two blocks"},
    {"data.features", PL_KEY_INT, F(features), ALL, "20", .min = 1, .max = 1e6,
     .with = "data.graph", .with_word = "csbm", .help = "features of a node"},
    {"data.signal", PL_KEY_REAL, F(signal), DRAWN, "1", .min = 0, .max = DBL_MAX,
     .with = "data.graph", .with_word = "csbm",
     .help = "length of a block's mean feature, in standard deviations of one feature"},
    {"data.irreps", PL_KEY_TEXTS, F(irreps), DRAWN, .with = "data.labelling", .with_word = "irreps",
     .help = "labels of the irreps that the targets lie in"},
};
static const pl_keys source_keys = PL_KEYS(PL_IN_DATA, source_rows);
const pl_keys *const graph_keys[] = {&source_keys, &common_keys, NULL};

/* data.kind file: the source is SOURCE_FILE, which no key says. */
static const pl_key file_rows[] = {
    {"data.path", PL_KEY_TEXT, F(path), ALL, .path = true, .required = true,
     .help = "NetCDF file with edge(edge, 2), weight, feature, label and split, as "
             "analysis/convert.py makes it"},
    {"data.split", PL_KEY_INT, F(split), ALL, "0", .min = 0, .max = 1e6,
     .help = "which split of the file"},
};
static const pl_keys file_keys = PL_KEYS(PL_IN_DATA, file_rows);
const pl_keys *const graph_file_keys[] = {&file_keys, &common_keys, NULL};

const char *graph_source_name(const pl_spec *spec) {
  const graph_values *v = graph_values_of(spec);
  return v->source == SOURCE_CAYLEY ? v->group : sources((int)v->source);
}

bool graph_classes(const pl_spec *spec) {
  const graph_values *v = graph_values_of(spec);
  if (v->target == PL_UNSET) return v->source != SOURCE_CAYLEY;
  return v->target == TARGET_GIVEN || v->target == TARGET_SHUFFLED;
}

bool graph_symmetric(const pl_spec *spec) {
  return graph_values_of(spec)->operator_kind != PL_OPERATOR_ROW;
}

static const char *at_fault(const char *key, const char *what) {
  pl_error(PL_EINPUT, "%s", what);
  return key;
}

const char *graph_fits(const pl_spec *spec) {
  const graph_values *v = graph_values_of(spec);
  bool cayley = v->source == SOURCE_CAYLEY;
  if (cayley && !v->group) return at_fault("data.graph", "cayley needs a group");
  if (v->source == SOURCE_FILE && !v->path) return at_fault("data.graph", "file needs data.path");
  if (v->blocks > v->nodes) return at_fault("data.blocks", "more blocks than nodes");
  bool drawn = v->target == TARGET_RANDOM || v->target == TARGET_IRREPS;
  if (cayley && v->target != (int64_t)PL_UNSET && !drawn)
    return at_fault("data.labelling", "a Cayley graph has no classes: random or irreps");
  if (v->target == TARGET_IRREPS && !cayley)
    return at_fault("data.labelling", "irreps are those of a Cayley graph's group");
  if (v->target == TARGET_IRREPS && !v->irreps.n)
    return at_fault("data.labelling", "irreps needs data.irreps");
  if (v->target == TARGET_NUMBERS && v->source != SOURCE_FILE)
    return at_fault("data.labelling", "numbers are those of a file");
  return NULL;
}
