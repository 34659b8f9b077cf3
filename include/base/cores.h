/* How many processors the ranks of a node have between them. */
#ifndef PL_BASE_CORES_H
#define PL_BASE_CORES_H

#include "base/comm.h"

typedef struct pl_cores {
  int ranks;   /* of the node that is fullest */
  int threads; /* processors on which these ranks may run, by their affinity */
  int cores;   /* physical ones among them: threads of a core share it */
  int online;  /* processors that the node has */
  char node[64];
} pl_cores;

/* Of the node with most ranks for each physical core, the same on every rank.  Collective. */
pl_cores pl_cores_count(const pl_comm *world);
/* In words, where ranks must share cores: what is so, and what to do about it; else NULL.  The
 * caller frees it (pl_free).  Local. */
char *pl_cores_complaint(const pl_cores *c);

#endif
