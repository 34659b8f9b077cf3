#include "sweep_options.h"

#include "base/log.h"
#include "base/mem.h"
#include "linalg/svd.h"
#include "run/adopt.h"
#include "run/machine.h"
#include "run/record.h"
#include "run/shard.h"
#include "run/sweep.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct argp_option options[] = {
    {"set", 's', "KEY=VALUE", 0, "Override a key of the sweep file; VALUE in YAML, lists sweep", 0},
    {"memory-per-rank", 'm', "SIZE", 0,
     "Memory a rank may use, such as 8G (default: Slurm's limit, or nine tenths of the node over "
     "its ranks)",
     0},
    {0}};

static error_t parse(int key, char *arg, struct argp_state *state) {
  sweep_options *o = state->input;
  switch (key) {
  case 's':
    if (o->num_sets == PL_MAX_SETS) argp_error(state, "more than %d --set", PL_MAX_SETS);
    o->sets[o->num_sets++] = arg;
    return 0;
  case 'm':
    o->memory_per_rank = pl_parse_bytes(arg);
    if (o->memory_per_rank == 0)
      argp_error(state, "--memory-per-rank %s: expected a size such as 500M or 8G", arg);
    return 0;
  case ARGP_KEY_ARG:
    if (o->sweep) argp_error(state, "more than one sweep file: %s and %s", o->sweep, arg);
    o->sweep = arg;
    return 0;
  case ARGP_KEY_END:
    if (!o->sweep) argp_error(state, "no sweep file given");
    return 0;
  }
  return ARGP_ERR_UNKNOWN;
}

const struct argp sweep_argp = {.options = options, .parser = parse};

/* For this machine.  Measuring it takes longer than the best plan could save of a sweep that is
 * over in a second: such ones go by fixed rates. */
static pl_status plan_here(const pl_config *cfg, int ranks, double memory, pl_plan **plan) {
  static const double worth = 1; /* rank-seconds */
  pl_rates rates = pl_rates_nominal();
  PL_TRY(pl_plan_new(cfg, ranks, memory, &rates, plan));
  if ((*plan)->work < worth) return PL_OK;
  pl_plan_free(*plan);
  *plan = NULL;
  rates = pl_rates_measure();
  pl_svd_rates(&rates);
  return pl_plan_new(cfg, ranks, memory, &rates, plan);
}

/* On rank 0: for this machine, or for the one described. */
static pl_status make_plan(const sweep_options *o, const pl_comm *world, const pl_config *cfg,
                           double memory, const char *says, pl_plan **plan) {
  pl_rates rates;
  bool known = true;
  int ranks = o->ranks ? o->ranks : world->size;
  if (o->machine) {
    pl_machine m;
    PL_TRY(pl_machine_read(o->machine, &m));
    rates = pl_machine_rates(&m);
    memory = pl_machine_memory_per_rank(&m);
    says = o->machine;
    if (!o->ranks) ranks = m.nodes > 0 ? (int)(m.nodes * m.ranks) : 0;
  } else if (o->planned_as && pl_recorder_planned(o->planned_as, ranks, &rates, &memory)) {
    says = "as planned before";
    const pl_rates fixed = pl_rates_nominal(); /* of a small sweep, which may grow out of them */
    known = !(o->extend && !memcmp(&rates, &fixed, sizeof rates));
  } else {
    known = false;
  }
  if (o->memory_per_rank > 0) memory = o->memory_per_rank, says = "--memory-per-rank";
  PL_TRY(known ? pl_plan_new(cfg, ranks, memory, &rates, plan)
               : plan_here(cfg, ranks, memory, plan));
  snprintf((*plan)->memory_says, sizeof(*plan)->memory_says, "%s", says);
  return PL_OK;
}

/* Of runs that agree in every key that they read only the first tells anything. */
static void warn_duplicates(const pl_config *cfg) {
  int64_t runs = pl_config_num_runs(cfg);
  int64_t *class_of = pl_alloc((size_t)runs, sizeof *class_of, "classes of runs");
  int64_t distinct = pl_config_classes(cfg, PL_COST | PL_DATA | PL_RESULTS, class_of), first = 0;
  for (int64_t r = 0, seen = 0; r < runs && distinct < runs; r++, first = r)
    if (class_of[r] < seen++) break;
  if (distinct < runs)
    pl_log(PL_LOG_WARNING,
           "%lld of %lld runs are the same as an earlier one in every key that they read, such as "
           "run %lld: the sweep may list a value twice, or a key that they do not have",
           (long long)(runs - distinct), (long long)runs, (long long)first);
  pl_free(class_of);
}

pl_status plan_sweep(const sweep_options *o, const pl_comm *world, pl_config **cfg,
                     pl_plan **plan) {
  *cfg = NULL;
  *plan = NULL;
  PL_TRY(pl_config_read(world, o->sweep, o->sets, o->num_sets, cfg));
  bool selected = false;
  pl_status st = PL_OK;
  if (o->planned_as)
    st = pl_adopt(world, o->planned_as, o->extend, o->shard, o->shards, cfg, &selected);
  if (!st) st = pl_sweep_check(world, *cfg);
  if (!st && world->rank == 0) warn_duplicates(*cfg);
  if (!st && o->shards && !selected) st = pl_shard_select(world, *cfg, o->shard, o->shards);
  if (!st) {
    char says[192];
    double memory = pl_memory_per_rank(world, says, sizeof says);
    if (world->rank == 0) st = make_plan(o, world, *cfg, memory, says, plan);
    st = pl_agree(world, st);
  }
  if (st) {
    pl_config_free(*cfg);
    *cfg = NULL;
    return st;
  }
  pl_plan_bcast(world, plan);
  return PL_OK;
}
