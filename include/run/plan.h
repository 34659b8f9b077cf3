/* The plan of a sweep: which runs are trained by teams of how many ranks, in which order.
 *
 * In a phase all teams have T ranks: the smallest T whose memory fits and, when runs are fewer than
 * ranks, the T that keeps ranks busy.  Within a phase the longest runs go first. */
#ifndef PL_RUN_PLAN_H
#define PL_RUN_PLAN_H

#include "run/config.h"
#include "base/rates.h"
#include "model/model.h"

typedef struct pl_phase {
  int team; /* ranks per team */
  int64_t num_runs;
  int64_t *runs;  /* longest first */
  double seconds; /* predicted */
} pl_phase;

typedef struct pl_plan {
  int ranks;
  double memory_per_rank; /* bytes allowed */
  pl_rates rates;
  int64_t num_runs;
  int num_phases;
  pl_phase *phases;
  int *run_class; /* [num_runs]: runs of one class cost the same */
  int num_classes;
  pl_cost *cost;         /* [num_classes], on the team chosen */
  double *class_seconds; /* [num_classes]: one whole run */
  int64_t *class_run;    /* [num_classes]: a run of the class */
  int *class_team;
  double work;    /* rank-seconds of the whole sweep */
  double seconds; /* predicted for the whole sweep */
} pl_plan;

/* Make a plan.  ranks 0: as many as the largest run needs.  Local.  PL_EENV when a run does not fit
 * into the memory of all ranks together: the message says how many ranks it would need. */
pl_status pl_plan_new(const pl_config *cfg, int ranks, double memory_per_rank,
                      const pl_rates *rates, pl_plan **out);
void pl_plan_free(pl_plan *plan);
/* The same plan on every rank, from rank 0.  Collective. */
void pl_plan_bcast(const pl_comm *comm, pl_plan **plan);

/* Predicted seconds of run r on the team chosen. */
double pl_plan_run_seconds(const pl_plan *plan, int64_t r);
/* Print phases, teams, memory, time, and how irreps are spread.  Local. */
void pl_plan_print(const pl_plan *plan, const pl_config *cfg);

/* Bytes a rank may use here: SLURM_MEM_PER_NODE or SLURM_MEM_PER_CPU where set, else nine tenths
 * of the node's memory, over the ranks of the node.  Collective over the world. */
double pl_memory_per_rank(const pl_comm *world);
/* "8G", "500M", "1.5T" or plain bytes; 0 if not understood. */
double pl_parse_bytes(const char *text);

#endif
