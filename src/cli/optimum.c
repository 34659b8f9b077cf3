#include "base/log.h"
#include "base/mem.h"
#include "model/data.h"
#include "nets/group/optimum.h"
#include "optimum_file.h"
#include "run/adopt.h"
#include "run/config.h"
#include "run/inputs.h"
#include "run/sweep.h"
#include "sweep_options.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct optimum_options {
  sweep_options sweep;
  const char *output, *into;
  bool overwrite;
  double gap;
} optimum_options;

enum { KEY_INTO = 256, KEY_GAP, KEY_OVERWRITE };

static const struct argp_option options[] = {
    {"output", 'o', "OUT.nc", 0, "Write optimum(run) and optimum_bound(run) to a file of their own",
     0},
    {"into", KEY_INTO, "OUT.nc", 0, "Add them to the output file of this sweep", 0},
    {"overwrite", KEY_OVERWRITE, 0, 0, "Replace an existing output", 0},
    {"gap", KEY_GAP, "X", 0, "Relative distance of the two bounds (default: 1e-4)", 0},
    {0}};

static error_t parse(int key, char *arg, struct argp_state *state) {
  optimum_options *o = state->input;
  char *end;
  switch (key) {
  case ARGP_KEY_INIT:
    state->child_inputs[0] = &o->sweep;
    return 0;
  case 'o':
    o->output = arg;
    return 0;
  case KEY_INTO:
    o->into = arg;
    return 0;
  case KEY_OVERWRITE:
    o->overwrite = true;
    return 0;
  case KEY_GAP:
    o->gap = strtod(arg, &end);
    if (*end || end == arg || !(o->gap > 0 && o->gap < 1))
      argp_error(state, "--gap %s: expected a number between 0 and 1", arg);
    return 0;
  }
  return ARGP_ERR_UNKNOWN;
}

/* ---- runs of the same data ---- */

/* Only data of one seed can be the same, unless no seed matters: a chain of them for each of
 * so many remainders. */
static int64_t chain_of(const pl_spec *spec, int64_t chains) {
  return spec->data->seedless ? 0 : (int64_t)(pl_data_seed(spec) % (uint64_t)chains);
}

/* original[r]: the first run whose data run r shares.  Runs that agree in every key that touches
 * the data are taken together; what is left to compare are the first runs of these classes. */
static void find_originals(const pl_config *cfg, int64_t *original) {
  int64_t runs = pl_config_num_runs(cfg);
  int64_t *class_of = pl_alloc((size_t)runs, sizeof *class_of, "optima");
  int64_t classes = pl_config_classes(cfg, PL_DATA, class_of), seen = 0;
  int64_t *first = pl_alloc((size_t)classes, sizeof *first, "optima");
  int64_t *chain = pl_alloc((size_t)classes, sizeof *chain, "optima"); /* newest class, or -1 */
  int64_t *older = pl_alloc((size_t)classes, sizeof *older, "optima");
  memset(chain, -1, (size_t)classes * sizeof *chain);
  for (int64_t r = 0; r < runs; r++) {
    int64_t c = class_of[r];
    if (c == seen) {
      pl_spec spec, other;
      pl_config_run(cfg, r, &spec);
      int64_t *newest = &chain[chain_of(&spec, classes)], k = *newest;
      for (; k >= 0; k = older[k]) {
        pl_config_run(cfg, first[k], &other);
        if (pl_data_same(&other, &spec)) break;
      }
      first[c] = k < 0 ? r : first[k];
      if (k < 0) {
        older[c] = *newest;
        *newest = c;
      }
      seen++;
    }
    original[r] = first[c];
  }
  pl_free(class_of);
  pl_free(first);
  pl_free(chain);
  pl_free(older);
}

/* Margins and bounds of all runs, on every rank: distinct data in turn to the ranks. */
static pl_status solve_all(const pl_config *cfg, const pl_comm *world, double gap, double *margin,
                           double *bound, double *separable) {
  int64_t runs = pl_config_num_runs(cfg), distinct = 0;
  int64_t *original = pl_alloc((size_t)runs, sizeof *original, "optima");
  pl_status worst = PL_OK;
  find_originals(cfg, original);
  for (int64_t r = 0; r < runs; r++) {
    pl_spec spec;
    pl_optimum out = {.bound = INFINITY};
    margin[r] = bound[r] = separable[r] = 0;
    if (original[r] != r || distinct++ % world->size != world->rank) continue;
    pl_config_run(cfg, r, &spec);
    pl_status st = pl_optimum_solve(&spec, gap, &out);
    if (st) {
      pl_log_all(PL_LOG_WARNING, "run %lld: %s", (long long)r, pl_error_message());
      worst = st == PL_NUMERIC ? pl_error(PL_UNFINISHED, "optima not found to %g", gap) : st;
    }
    margin[r] = out.margin;
    bound[r] = out.bound;
    separable[r] = out.margin > 0 ? 1 : out.inseparable ? 0 : -1;
  }
  pl_comm_sum(world, separable, runs);
  pl_comm_sum(world, margin, runs);
  pl_comm_sum(world, bound, runs);
  for (int64_t r = 0; r < runs; r++) {
    margin[r] = margin[original[r]];
    bound[r] = bound[original[r]];
    separable[r] = separable[original[r]];
  }
  pl_free(original);
  return pl_agree(world, worst);
}

/* Before any work, with file, line and key. */
static pl_status check_data(const pl_config *cfg) {
  for (int64_t r = 0; r < pl_config_num_runs(cfg); r++) {
    pl_spec spec;
    pl_config_run(cfg, r, &spec);
    pl_status st = pl_optimum_fits(&spec);
    if (st) return pl_config_blame(cfg, r, "data.kind", st);
  }
  return PL_OK;
}

static const char *word_of(double separable) {
  return separable > 0 ? "yes" : separable < 0 ? "unknown" : "no";
}

static pl_status report(optimum_file *file, const pl_config *cfg, const double *margin,
                        const double *bound, const double *separable) {
  printf("run optimum optimum_bound gap separable\n");
  for (int64_t r = 0; r < pl_config_num_runs(cfg); r++)
    printf("%lld %.10g %.10g %.2g %s\n", (long long)r, margin[r], bound[r],
           bound[r] > 0 && separable[r] != 0 ? 1 - margin[r] / bound[r] : 0, word_of(separable[r]));
  return optimum_file_write(file, cfg, margin, bound, separable);
}

pl_status pl_cli_optimum(int argc, char **argv, const pl_comm *world) {
  static const struct argp_child children[] = {{&sweep_argp, 0, NULL, 0}, {0}};
  static const struct argp argp = {
      options,
      parse,
      "SWEEP.yaml",
      "The largest normalised margin that any beta has on the data of each run (depth 2, a convex "
      "problem), between two certified bounds.  Runs are shared out over the MPI ranks.",
      children,
      NULL,
      NULL};
  optimum_options o = {.gap = 1e-4};
  pl_config *cfg = NULL;
  pl_cli_parse(&argp, argc, argv, &o, world);
  PL_TRY(pl_comm_wired(world));
  PL_TRY(pl_config_read(world, o.sweep.sweep, o.sweep.sets, o.sweep.num_sets, &cfg));
  optimum_file file = {.output = o.output, .into = o.into, .overwrite = o.overwrite};
  bool selected;
  pl_status st = o.into ? pl_adopt(world, o.into, false, 0, 0, &cfg, &selected) : PL_OK;
  if (!st) st = pl_sweep_check(world, cfg);
  if (!st) st = check_data(cfg);
  if (!st) st = pl_inputs_share(world, cfg);
  if (!st)
    st = pl_agree(world, world->rank == 0 ? optimum_file_begin(&file, cfg, o.sweep.sweep) : PL_OK);
  if (!st) {
    size_t runs = (size_t)pl_config_num_runs(cfg);
    double *margin = pl_alloc(runs, sizeof *margin, "optima");
    double *bound = pl_alloc(runs, sizeof *bound, "optima");
    double *separable = pl_alloc(runs, sizeof *separable, "optima");
    st = solve_all(cfg, world, o.gap, margin, bound, separable);
    if (!st || st == PL_UNFINISHED) {
      pl_status wrote = world->rank == 0 ? report(&file, cfg, margin, bound, separable) : PL_OK;
      wrote = pl_agree(world, wrote);
      if (wrote) st = wrote;
    }
    pl_free(margin);
    pl_free(bound);
    pl_free(separable);
  }
  optimum_file_end(&file);
  pl_config_free(cfg);
  return st;
}
