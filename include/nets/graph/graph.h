/* Networks on one graph (src/nets/graph/README.md). */
#ifndef PL_NETS_GRAPH_GRAPH_H
#define PL_NETS_GRAPH_GRAPH_H

#include "nets/blocks.h"

/* model.kind gnn: linear and nonlinear graph networks, plain and multiscale (Xu, Zhang, Jegelka,
 * Kawaguchi, ICML 2021, arXiv 2105.04550). */
extern const pl_net_kind pl_gnn;

/* model.kind filter: propagation filters (Zhu, Wang, Shi, Ji, Cui, WWW 2021, arXiv 2101.11859). */
extern const pl_net_kind pl_filter;

/* model.kind resgnn: residual and momentum networks of layers on a graph, and the layer that it
 * wraps unless told, act(S X B) (Sander, Ablin, Blondel, Peyre, ICML 2021, arXiv 2102.07870). */
extern const pl_net_kind pl_resgnn;
extern const pl_block pl_gnn_block;

#endif
