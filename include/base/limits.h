/* How much memory this process may use, and by whose word.  Local. */
#ifndef PL_BASE_LIMITS_H
#define PL_BASE_LIMITS_H

#include <stddef.h>

typedef enum {
  PL_MEMORY_MACHINE, /* installed */
  PL_MEMORY_SLURM,   /* SLURM_MEM_PER_NODE, or SLURM_MEM_PER_CPU times the CPUs */
  PL_MEMORY_CGROUP,  /* memory.max (v2) or memory.limit_in_bytes (v1), its own group or one above */
  PL_MEMORY_PROCESS  /* RLIMIT_AS, ulimit -v, less what is in use */
} pl_memory_bound;

typedef struct pl_memory {
  double bytes; /* for one of the processes that share this node */
  double node;  /* for all of them; INFINITY where RLIMIT_AS alone bounds */
  pl_memory_bound bound;
  char says[192]; /* "cgroup /user.slice/user-1000.slice, memory.max" */
} pl_memory;

/* The least of all: bounds of the node divided by `sharing`, the processes of this job on it. */
pl_memory pl_memory_limit(int sharing);
/* The same where /proc and /sys stand below root ("": the real ones). */
pl_memory pl_memory_limit_below(const char *root, int sharing);

#endif
