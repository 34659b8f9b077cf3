/* Graphs as a kind of data: where the graph comes from, what is known of its nodes, which of them
 * are trained on, and the operator that networks apply. */
#ifndef PL_NETS_GRAPH_DATA_H
#define PL_NETS_GRAPH_DATA_H

#include "model/data.h"

/* data.kind: graph, and file: its data.graph: file under the name that all families have. */
extern const pl_data_kind pl_data_graph, pl_data_graph_file;
/* The kinds that networks on graphs take, NULL-terminated. */
extern const pl_data_kind *const pl_graph_data_kinds[];

#endif
