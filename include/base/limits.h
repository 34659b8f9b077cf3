/* How much memory this process may use, and by whose word.  Local. */
#ifndef PL_BASE_LIMITS_H
#define PL_BASE_LIMITS_H

#include <stddef.h>

typedef enum {
  PL_MEMORY_MACHINE, /* nine tenths of what is installed */
  PL_MEMORY_SLURM,   /* SLURM_MEM_PER_NODE; SLURM_MEM_PER_CPU times the job's CPUs here */
  PL_MEMORY_CGROUP,  /* memory.max (v2), memory.limit_in_bytes (v1): of its own control group or of
                      * one above */
  PL_MEMORY_PROCESS  /* RLIMIT_AS (ulimit -v), less the address space in use */
} pl_memory_bound;

typedef struct pl_memory {
  double bytes; /* for one of the processes that share this node */
  double node;  /* for all of them, whatever RLIMIT_AS says */
  pl_memory_bound bound;
  char says[192]; /* who bounds: "control group /system.slice/job_7, memory.max" */
} pl_memory;

/* The least of all; bounds of the node are divided by `sharing`, the processes of this job on it.
 */
pl_memory pl_memory_limit(int sharing);
/* The same where /proc and the mounts of control groups stand below root. */
pl_memory pl_memory_limit_below(const char *root, int sharing);

#endif
