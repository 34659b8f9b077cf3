/* What `run` and `plan` share: the sweep file, --set, ranks and memory.  Inside cli/ only. */
#ifndef PL_CLI_SWEEP_OPTIONS_H
#define PL_CLI_SWEEP_OPTIONS_H

#include "cli/cli.h"
#include "run/config.h"
#include "run/plan.h"

#include <stdbool.h>

enum { PL_MAX_SETS = 256 };

typedef struct sweep_options {
  const char *sweep;
  const char *sets[PL_MAX_SETS];
  int num_sets;
  double memory_per_rank; /* 0: from the machine */
  int ranks;              /* 0: those of the job */
  int64_t shard, shards;  /* shards 0: the whole sweep */
  const char *planned_as; /* go on with this output, and keep its plan if it fits; or NULL */
  bool extend;            /* .. which the sweep extends */
  const char *machine;    /* description of another machine, or NULL */
} sweep_options;

/* argp child that fills them. */
extern const struct argp sweep_argp;

/* Read and check the sweep, measure the machine if that is worth it, and plan: all the same on
 * every rank. Collective.  On failure *cfg and *plan are NULL. */
pl_status plan_sweep(const sweep_options *o, const pl_comm *world, pl_config **cfg, pl_plan **plan);

#endif
