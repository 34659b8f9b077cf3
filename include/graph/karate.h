/* Zachary's karate club: 34 members, 78 friendships, and the faction each joined when the club fell
 * apart (W. W. Zachary, An information flow model for conflict and fission in small groups, Journal
 * of Anthropological Research 33, 1977). */
#ifndef PL_GRAPH_KARATE_H
#define PL_GRAPH_KARATE_H

#include "graph/graph.h"

enum { PL_KARATE_NODES = 34, PL_KARATE_EDGES = 78 };

/* The caller frees it. */
pl_csr *pl_karate(void);
/* label[i]: 0, the instructor's (node 0), or 1, the officers' (node 33). */
void pl_karate_factions(int32_t label[PL_KARATE_NODES]);

#endif
