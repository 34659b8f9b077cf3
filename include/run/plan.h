/* The plan of a sweep: which runs are trained by teams of how many ranks, in which order.
 *
 * In a phase all teams have T ranks: the smallest T whose memory fits and, when runs are fewer than
 * ranks, the T that keeps ranks busy.  Within a phase the longest runs go first. */
#ifndef PL_RUN_PLAN_H
#define PL_RUN_PLAN_H

#include "base/rates.h"
#include "model/model.h"
#include "run/classes.h"
#include "run/schedule.h"

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
  pl_run_classes classes; /* of runs that cost the same */
  pl_length *length;      /* [classes.num] */
  pl_cost *cost;          /* [classes.num], on the team chosen */
  double *class_seconds;  /* [classes.num]: one whole run */
  int *class_team;        /* [classes.num] */
  double work;            /* rank-seconds of the whole sweep */
  double seconds;         /* predicted for the whole sweep */
} pl_plan;

/* Make a plan.  ranks 0: as many as the largest run needs.  Reads the files that say how many
 * samples there are.  Local: rank 0 plans and broadcasts.  PL_EENV when a run does not fit into the
 * memory of all ranks together: the message says how many ranks it would need. */
pl_status pl_plan_new(const pl_config *cfg, int ranks, double memory_per_rank,
                      const pl_rates *rates, pl_plan **out);
void pl_plan_free(pl_plan *plan);
/* The same plan on every rank, from rank 0.  Collective. */
void pl_plan_bcast(const pl_comm *comm, pl_plan **plan);

/* Predicted seconds and cost of run r on the team chosen; how long it is; its steps. */
double pl_plan_run_seconds(const pl_plan *plan, int64_t r);
const pl_cost *pl_plan_run_cost(const pl_plan *plan, int64_t r);
const pl_length *pl_plan_run_length(const pl_plan *plan, int64_t r);
int64_t pl_plan_run_steps(const pl_plan *plan, int64_t r);
/* Print phases, teams, memory, time, and how each network is spread over its team.  Local. */
void pl_plan_print(const pl_plan *plan, const pl_config *cfg);

/* Bytes a rank may use here: SLURM_MEM_PER_NODE or SLURM_MEM_PER_CPU where set, else nine tenths
 * of the node's memory, over the ranks of the node.  Collective over the world. */
double pl_memory_per_rank(const pl_comm *world);
/* "8G", "500M", "1.5T" or plain bytes; 0 if not understood. */
double pl_parse_bytes(const char *text);

#endif
