#include "base/cores.h"
#include "base/log.h"
#include "base/mem.h"
#include "run/inputs.h"
#include "run/shard.h"
#include "run/stop.h"
#include "run/sweep.h"
#include "run/tables.h"
#include "sweep_options.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct run_options {
  sweep_options sweep;
  const char *output;
  bool overwrite, resume, extend, retry, dry_run;
  double max_time;   /* s; 0: no limit */
  int64_t max_steps; /* 0: no limit */
} run_options;

enum {
  KEY_OVERWRITE = 256,
  KEY_RESUME,
  KEY_EXTEND,
  KEY_RETRY,
  KEY_MAX_TIME,
  KEY_MAX_STEPS,
  KEY_SHARD,
  KEY_DRY_RUN,
  KEY_KEYS,
  KEY_VARIABLES
};

static const struct argp_option options[] = {
    {"output", 'o', "OUT.nc", 0, "Output file (default: the sweep file's name with .nc)", 0},
    {"overwrite", KEY_OVERWRITE, 0, 0, "Replace an existing output", 0},
    {"resume", KEY_RESUME, 0, 0, "Go on with the output of the same sweep, if it exists", 0},
    {"extend", KEY_EXTEND, 0, 0,
     "Extend the output by this sweep, which has all runs of it and more, or more steps: only what "
     "is new is trained, records that are there stay; then as --resume",
     0},
    {"retry", KEY_RETRY, 0, 0, "With --resume or --extend: train diverged and failed runs again",
     0},
    {"max-time", KEY_MAX_TIME, "H:MM:SS", 0,
     "Save and leave after so long, with exit code 75 (also 90m, 1.5h, seconds)", 0},
    {"max-steps", KEY_MAX_STEPS, "N", 0,
     "Save and leave, with exit code 75, once a rank has made so many steps in this session", 0},
    {"shard", KEY_SHARD, "I/N", 0,
     "Train part I = 0..N-1 of N of the sweep; plancherel merge puts the outputs together", 0},
    {"dry-run", KEY_DRY_RUN, 0, 0, "Check everything, print runs and plan, train nothing", 0},
    {"quiet", 'q', 0, 0, "No progress; warnings and errors only", 0},
    {"keys", KEY_KEYS, "NETWORK", OPTION_ARG_OPTIONAL,
     "Print the keys of the sweep file, all or those of one network, with default and meaning", 0},
    {"variables", KEY_VARIABLES, "NETWORK", OPTION_ARG_OPTIONAL,
     "Print what is recorded, by all networks or by one, with dimensions, units and meaning", 0},
    {0}};

/* argp takes only what stands behind "=" as an optional argument. */
static void print_table(pl_status (*print)(FILE *out, const char *network), const char *network,
                        struct argp_state *state) {
  const char *next = state->next < state->argc ? state->argv[state->next] : NULL;
  if (!network && next && *next != '-') network = next;
  if (print(stdout, network)) argp_error(state, "%s", pl_error_message());
  exit(0);
}

static error_t parse(int key, char *arg, struct argp_state *state) {
  run_options *o = state->input;
  char *end;
  switch (key) {
  case ARGP_KEY_INIT:
    state->child_inputs[0] = &o->sweep;
    return 0;
  case 'o':
    o->output = arg;
    return 0;
  case 'q':
    pl_log_quiet();
    return 0;
  case KEY_OVERWRITE:
    o->overwrite = true;
    return 0;
  case KEY_RESUME:
    o->resume = true;
    return 0;
  case KEY_EXTEND:
    o->extend = true;
    return 0;
  case KEY_RETRY:
    o->retry = true;
    return 0;
  case KEY_MAX_TIME:
    o->max_time = pl_parse_duration(arg);
    if (!(o->max_time > 0))
      argp_error(state,
                 "--max-time %s: expected H:MM:SS, D-HH:MM:SS, or a number with s, m, h or d", arg);
    return 0;
  case KEY_MAX_STEPS:
    o->max_steps = strtoll(arg, &end, 10);
    if (end == arg || *end || o->max_steps < 1)
      argp_error(state, "--max-steps %s: expected a number of steps, at least 1", arg);
    return 0;
  case KEY_SHARD:
    if (!pl_shard_parse(arg, &o->sweep.shard, &o->sweep.shards))
      argp_error(state, "--shard %s: expected I/N with I from 0 to N-1, such as 0/3", arg);
    return 0;
  case ARGP_KEY_END:
    if (o->resume && o->overwrite) argp_error(state, "--resume and --overwrite exclude each other");
    if (o->extend && o->overwrite) argp_error(state, "--extend and --overwrite exclude each other");
    if (o->retry && !o->resume && !o->extend)
      argp_error(state, "--retry needs --resume or --extend");
    return 0;
  case KEY_DRY_RUN:
    o->dry_run = true;
    return 0;
  case KEY_KEYS:
    print_table(pl_keys_print, arg, state);
    return 0;
  case KEY_VARIABLES:
    print_table(pl_variables_print, arg, state);
    return 0;
  }
  return ARGP_ERR_UNKNOWN;
}

/* "jobs/depth_s5.yaml" -> "depth_s5.nc" */
static char *default_output(const char *sweep) {
  const char *base = strrchr(sweep, '/');
  base = base ? base + 1 : sweep;
  if (!strcmp(sweep, "-")) base = "sweep";
  const char *dot = strrchr(base, '.');
  return pl_asprintf("%.*s.nc", dot && dot != base ? (int)(dot - base) : (int)strlen(base), base);
}

static void print_value(const pl_config *cfg, int64_t r, int k) {
  size_t n = (size_t)pl_config_value(cfg, r, k, NULL, 0) + 1;
  char *value = pl_alloc(n, 1, "a value");
  pl_config_value(cfg, r, k, value, n);
  printf(" %s=%s", pl_config_key(cfg, k)->name, value);
  pl_free(value);
}

/* One line per run: the values of the swept keys that it owns. */
static void print_runs(const pl_config *cfg) {
  for (int64_t r = 0; r < pl_config_num_runs(cfg); r++) {
    printf("run %lld:", (long long)r);
    for (int k = 0; k < pl_config_num_keys(cfg); k++)
      if (pl_config_swept(cfg, k) && pl_config_typed(cfg, r, k, NULL)) print_value(cfg, r, k);
    printf("\n");
  }
}

/* Said once, since nothing else tells why many ranks are slow. */
static void tell_crowd(const pl_comm *world) {
  pl_cores c = pl_cores_count(world);
  char *complaint = world->rank == 0 ? pl_cores_complaint(&c) : NULL;
  if (complaint) pl_log(PL_LOG_INFO, "%s", complaint);
  pl_free(complaint);
}

pl_status pl_cli_run(int argc, char **argv, const pl_comm *world) {
  static const struct argp_child children[] = {{&sweep_argp, 0, NULL, 0}, {0}};
  static const struct argp argp = {
      options,
      parse,
      "SWEEP.yaml",
      "Train the sweep of a YAML file, runs shared out over the MPI "
      "ranks, and write one NetCDF file."
      "\vplancherel run --keys lists the keys of a sweep file, run --keys "
      "gcnn those that a gcnn reads, run --variables gcnn what it records."
      "\n\nmpirun -n N plancherel run SWEEP.yaml uses N ranks, best one per core.  Open MPI counts "
      "cores as slots: where it says \"not enough slots\", N is more than there are, and "
      "--oversubscribe, which starts them all the same, makes them take turns.  Where all ranks "
      "turn "
      "up on one core, as in some containers, --bind-to none frees them.",
      children,
      NULL,
      NULL};
  run_options o = {0};
  char *command = pl_cli_command_line(argc, argv);
  pl_cli_parse(&argp, argc, argv, &o, world);
  /* A step may well start its shards side by side. */
  pl_status st = o.sweep.shards ? PL_OK : pl_comm_wired(world);
  if (st) {
    pl_free(command);
    return st;
  }
  if (world->size > 1) tell_crowd(world);
  pl_stop_install(o.max_time > 0 ? o.max_time : INFINITY);
  if (o.max_steps) pl_stop_after(o.max_steps);
  pl_config *cfg;
  pl_plan *plan;
  char *named = default_output(o.sweep.sweep);
  const char *output = o.output ? o.output : named;
  if (o.resume || o.extend) o.sweep.planned_as = output;
  o.sweep.extend = o.extend;
  st = plan_sweep(&o.sweep, world, &cfg, &plan);
  if (!st && o.dry_run) {
    if (world->rank == 0) {
      print_runs(cfg);
      pl_plan_print(plan, cfg);
    }
  } else if (!st) {
    st = pl_inputs_share(world, cfg);
  }
  if (!st && !o.dry_run) {
    pl_sweep_options so = {.output = output,
                           .sweep_file = o.sweep.sweep,
                           .overwrite = o.overwrite,
                           .resume = o.resume,
                           .retry = o.retry,
                           .extend = o.extend,
                           .command = command};
    st = pl_sweep_run(world, cfg, plan, &so);
  }
  pl_plan_free(plan);
  pl_config_free(cfg);
  pl_free(named);
  pl_free(command);
  return st;
}
