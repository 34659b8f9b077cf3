#include "sweep_options.h"

#include <stdlib.h>

static const struct argp_option options[] = {
    {"ranks", 'n', "N", 0, "Plan for N ranks instead of those of this job", 0},
    {"machine", 'M', "FILE.yaml", 0,
     "Plan for a machine described in FILE.yaml: cores, memory (GB), gflops and bandwidth (GB/s) "
     "per node, latency (us); optional nodes, ranks per node, network (GB/s).  Without --ranks and "
     "nodes: the fewest ranks that can hold the largest run",
     0},
    {0}};

static error_t parse(int key, char *arg, struct argp_state *state) {
  sweep_options *o = state->input;
  char *end;
  long n;
  switch (key) {
  case ARGP_KEY_INIT:
    state->child_inputs[0] = o;
    return 0;
  case 'M':
    o->machine = arg;
    return 0;
  case 'n':
    n = strtol(arg, &end, 10);
    if (*end || end == arg || n < 1 || n > 10000000)
      argp_error(state, "--ranks %s: expected a positive integer", arg);
    o->ranks = (int)n;
    return 0;
  }
  return ARGP_ERR_UNKNOWN;
}

pl_status pl_cli_plan(int argc, char **argv, const pl_comm *world) {
  static const struct argp_child children[] = {{&sweep_argp, 0, NULL, 0}, {0}};
  static const struct argp argp = {options,
                                   parse,
                                   "SWEEP.yaml",
                                   "Show how a sweep would run: phases, teams, what each rank "
                                   "holds, memory and time.  Trains nothing.",
                                   children,
                                   NULL,
                                   NULL};
  sweep_options o = {0};
  pl_cli_parse(&argp, argc, argv, &o, world);
  pl_config *cfg;
  pl_plan *plan;
  pl_status st = plan_sweep(&o, world, &cfg, &plan);
  if (!st && world->rank == 0) pl_plan_print(plan, cfg);
  pl_plan_free(plan);
  pl_config_free(cfg);
  return st;
}
