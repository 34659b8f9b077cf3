#include "cli/cli.h"

#include "base/file.h"
#include "fourier_file.h"
#include "fourier_rankings.h"
#include "fourier_sides.h"
#include "output_options.h"
#include "run/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { KEY_OVERWRITE = 256, KEY_EFFECTS, KEY_DROP, KEY_ZERO, KEY_CSV, KEY_EFFECTS_CSV };
enum { EFFECTS_MAX = 100000 };

static const struct argp_option known[] = {
    {"output", 'o', "OUT.nc", 0, "Write the coefficients (or, with --inverse, the function)", 0},
    {"inverse", 'i', NULL, 0, "IN.nc holds coefficients; give the function back", 0},
    {"group", 'g', "SPEC", 0, "The group (default: the attribute `group' of IN.nc)", 0},
    {"overwrite", KEY_OVERWRITE, NULL, 0, "Replace an existing output", 0},
    {"effects", KEY_EFFECTS, "K", 0, "Rankings: show the K largest effects of each kind (10)", 0},
    {"csv", KEY_CSV, "FILE.csv", 0, "Write the table of energies", 0},
    {"effects-csv", KEY_EFFECTS_CSV, "FILE.csv", 0, "Rankings: write the largest effects", 0},
    {"drop", KEY_DROP, NULL, 0,
     "Rankings: leave out ballots with ties or missing items, instead of averaging over their "
     "linear "
     "extensions",
     0},
    {"zero-based", KEY_ZERO, NULL, 0, "Rankings: items are numbered from 0", 0},
    {0}};

static error_t parse(int key, char *arg, struct argp_state *state) {
  fourier_options *o = state->input;
  switch (key) {
  case 'o':
    o->output = arg;
    return 0;
  case 'i':
    o->inverse = true;
    return 0;
  case 'g':
    o->group = arg;
    return 0;
  case KEY_OVERWRITE:
    o->overwrite = true;
    return 0;
  case KEY_EFFECTS: {
    char *end;
    long k = strtol(arg, &end, 10);
    if (end == arg || *end || k < 0 || k > EFFECTS_MAX)
      argp_error(state, "--effects: expected a number from 0 to %d, not \"%s\"", EFFECTS_MAX, arg);
    o->effects = (int)k;
    return 0;
  }
  case KEY_CSV:
    o->csv = arg;
    return 0;
  case KEY_EFFECTS_CSV:
    o->effects_csv = arg;
    return 0;
  case KEY_DROP:
    o->how.drop = true;
    return 0;
  case KEY_ZERO:
    o->how.zero_based = true;
    return 0;
  case ARGP_KEY_ARG:
    if (o->input) argp_error(state, "more than one input file: %s and %s", o->input, arg);
    o->input = arg;
    return 0;
  case ARGP_KEY_END:
    if (!o->input) argp_error(state, "no input file given");
    return 0;
  }
  return ARGP_ERR_UNKNOWN;
}

/* The side that the file has, read and checked, and the other. */
static pl_status transform(const fourier_options *o, const pl_nc *nc, fourier_sides *s) {
  const pl_group *g = s->group;
  PL_TRY(o->inverse ? fourier_file_coefficients(nc, g, s->F) : fourier_file_function(nc, g, s->f));
  return fourier_sides_transform(s, o->inverse);
}

/* Also where the input names the group. */
static pl_status apart_from_group(const fourier_options *o, const pl_group *g) {
  PL_TRY(o->output ? output_apart_from_spec(o->output, pl_group_spec(g)) : PL_OK);
  return o->csv ? output_apart_from_spec(o->csv, pl_group_spec(g)) : PL_OK;
}

static pl_status run_netcdf(const fourier_options *o, double memory) {
  pl_nc *nc;
  pl_group *g = NULL;
  fourier_sides sides = {0};
  const char *of_rankings = o->effects >= 0     ? "--effects"
                            : o->effects_csv    ? "--effects-csv"
                            : o->how.drop       ? "--drop"
                            : o->how.zero_based ? "--zero-based"
                                                : NULL;
  if (of_rankings) return pl_error(PL_EINPUT, "%s is for rankings", of_rankings);
  PL_TRY(pl_nc_open(o->input, false, &nc));
  pl_status st = fourier_file_group(o, nc, &g);
  if (!st) st = apart_from_group(o, g);
  if (!st) st = fourier_file_expect(o, nc, g);
  if (!st) st = fourier_sides_fit(g, memory);
  if (!st) {
    fourier_sides_init(&sides, g, NULL);
    st = transform(o, nc, &sides);
  }
  pl_nc_close(nc);
  if (!st) st = fourier_sides_show(o, &sides, NULL);
  fourier_sides_fini(&sides);
  pl_group_free(g);
  return st;
}

/* By name, and by the first bytes. */
static bool is_netcdf(const char *path) {
  size_t n = strlen(path);
  if (n > 3 && !strcmp(path + n - 3, ".nc")) return true;
  char start[4] = "";
  int fd;
  if (pl_file_open(path, &fd)) return !pl_rankings_path(path);
  ssize_t got = read(fd, start, sizeof start);
  close(fd);
  return got == 4 && (!memcmp(start, "CDF", 3) || !memcmp(start, "\211HDF", 4));
}

static pl_status begin_csv(fourier_options *o) {
  if (o->csv)
    PL_TRY(csv_begin(&o->energies, o->csv, o->overwrite, 2,
                     (const char *const[]){o->input, o->output}));
  if (o->effects_csv)
    PL_TRY(csv_begin(&o->ranked, o->effects_csv, o->overwrite, 3,
                     (const char *const[]){o->input, o->output, o->csv}));
  return PL_OK;
}

static pl_status run(fourier_options *o, double memory) {
  pl_output out = {0};
  pl_status st = PL_OK;
  if (o->output) {
    o->out = &out;
    st = pl_output_begin(&out, o->output, o->overwrite, 1, &o->input);
  }
  if (!st) st = begin_csv(o);
  if (!st) st = is_netcdf(o->input) ? run_netcdf(o, memory) : fourier_rankings(o, memory);
  st = csv_end(&o->energies, csv_end(&o->ranked, st));
  return pl_output_end(&out, st);
}

pl_status pl_cli_fourier(int argc, char **argv, const pl_comm *world) {
  char doc[4096];
  snprintf(
      doc, sizeof doc,
      "Fourier transform of a real function f(element) on a group: energy (m d/|G|) ||F||^2 "
      "of each irrep.\n\nRankings (PrefLib .soc, .soi, .toc, .toi, or an order per line, best "
      "first): "
      "f(pi) is the number of ballots on which every item i has rank pi(i), so that pi t renames "
      "items and s pi moves ranks, (st)(i) = s(t(i)); a ballot with ties, or with missing items, "
      "which are tied below the others, is the mean of its linear extensions.  Beside the "
      "energies, the largest effects of first and second order, item by item.\vGroups:\n%s",
      pl_group_forms());
  const struct argp argp = {
      .options = known, .parser = parse, .args_doc = "IN.nc|RANKINGS", .doc = doc};
  fourier_options o = {.effects = -1};
  pl_cli_parse(&argp, argc, argv, &o, world);
  double memory = pl_memory_per_rank(world, NULL, 0);
  return pl_agree(world, world->rank == 0 ? run(&o, memory) : PL_OK);
}
