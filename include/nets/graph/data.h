/* Graphs as a kind of data: where the graph comes from, what is known of its nodes, which of them
 * are trained on, and the operator that networks apply. */
#ifndef PL_NETS_GRAPH_DATA_H
#define PL_NETS_GRAPH_DATA_H

#include "model/data.h"

/* data.kind: graph, and file: its data.graph: file under the name that all families have. */
extern const pl_data_kind pl_data_graph, pl_data_graph_file;
/* The kinds that networks on graphs take, NULL-terminated. */
extern const pl_data_kind *const pl_graph_data_kinds[];

/* Many graphs, each with a class: data.kind motif, drawn; and file, NetCDF:
 *   graph_start(graph)              first node of each graph, from 0, increasing
 *   node_feature(node, features)    numbers
 *   edge(edges, 2)                  nodes of one graph, from 0; an edge stands once
 *   edge_feature(edges, features)   optional: numbers
 *   label(graph)                    class from 0 (`plancherel apply`: optional)
 *   split(graph)                    optional: 0 training, 1 validation, 2 test; else all train
 *   attribution(node, alternative)  optional: 1, the node belongs to that explanation of the class;
 *                                   a graph of fewer alternatives has columns of zeros
 * Dimensions count by their lengths; their names are free.  The kinds that gcn takes. */
extern const pl_data_kind pl_data_motif, pl_data_molecules;
extern const pl_data_kind *const pl_gcn_data_kinds[];

#endif
