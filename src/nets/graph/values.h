/* What a sweep says of a graph and its nodes: keys of data.kind graph and file. */
#ifndef PL_NETS_GRAPH_VALUES_H
#define PL_NETS_GRAPH_VALUES_H

#include "graph/graph.h"
#include "model/data.h"

/* A file is 0: data.kind file has no key that says so. */
enum { SOURCE_FILE, SOURCE_CAYLEY, SOURCE_SBM, SOURCE_CSBM, SOURCE_KARATE };
enum { TARGET_GIVEN, TARGET_SHUFFLED, TARGET_RANDOM, TARGET_IRREPS, TARGET_NUMBERS };
enum { NORMALIZE_NONE, NORMALIZE_ROW };

/* Values of data.kind graph and file (place PL_IN_DATA). */
typedef struct graph_values {
  int64_t source;
  const char *group, *generators, *path;
  int64_t nodes, blocks, features;
  double p_in, p_out, signal;
  int64_t operator_kind;
  double self_loop;
  int64_t normalize, target, rows; /* target PL_UNSET: by source */
  pl_texts irreps;
  int64_t samples, validation, test; /* samples PL_UNSET: all that are in no other part */
  int64_t split;
} graph_values;

static inline const graph_values *graph_values_of(const pl_spec *spec) {
  return (const graph_values *)(const void *)spec->data_values;
}

/* Tables of data.kind graph, and of file; NULL-terminated. */
extern const pl_keys *const graph_keys[], *const graph_file_keys[];
/* pl_data_kind.fits of both. */
const char *graph_fits(const pl_spec *spec);

/* "csbm", or of a Cayley graph its group: for labels of runs.  Borrowed. */
const char *graph_source_name(const pl_spec *spec);
/* Is S symmetric whatever the graph?  Pure. */
bool graph_symmetric(const pl_spec *spec);
/* Are the targets classes?  Pure. */
bool graph_classes(const pl_spec *spec);

#endif
