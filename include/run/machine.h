/* A machine described in a file, to plan for before one has it.
 *
 *   nodes: 64             # how many there are (default: as many as needed)
 *   cores: 64             # per node
 *   ranks: 64             # MPI ranks per node (default: cores)
 *   memory: 256           # GB per node
 *   gflops: 2500          # GFLOP/s per node that DGEMM reaches
 *   bandwidth: 300        # GB/s per node from memory
 *   latency: 1.5          # microseconds of a small message
 *   network: 12           # GB/s per rank between nodes (default 5)
 */
#ifndef PL_RUN_MACHINE_H
#define PL_RUN_MACHINE_H

#include "base/rates.h"

typedef struct pl_machine {
  double nodes, cores, ranks, memory, gflops, bandwidth, latency, network;
} pl_machine;

/* Read a description.  Local.  PL_EINPUT with file, line and key. */
pl_status pl_machine_read(const char *path, pl_machine *out);
/* Rates of one of its ranks: the shape of the nominal curves, scaled. */
pl_rates pl_machine_rates(const pl_machine *m);
/* Bytes a rank may use: nine tenths of the node's memory over its ranks. */
double pl_machine_memory_per_rank(const pl_machine *m);

#endif
