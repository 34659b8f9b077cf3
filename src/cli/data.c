#include "base/log.h"
#include "base/mem.h"
#include "cli/cli.h"
#include "door_files.h"
#include "model/model.h"
#include "run/check.h"
#include "run/final.h"
#include "run/keys.h"
#include "sweep_options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEY_OVERWRITE = 256 };

typedef struct data_options {
  sweep_options sweep;
  const char *output;
  long long run;
  bool overwrite;
} data_options;

static const struct argp_option options[] = {
    {"run", 'r', "R", 0, "Number of the run in the sweep (default: 0, the first)", 0},
    {"output", 'o', "DATA.nc", 0, "Output file (required)", 0},
    {"overwrite", KEY_OVERWRITE, 0, 0, "Replace an existing output", 0},
    {0}};

static error_t parse(int key, char *arg, struct argp_state *state) {
  data_options *o = state->input;
  char *end;
  switch (key) {
  case ARGP_KEY_INIT:
    state->child_inputs[0] = &o->sweep;
    return 0;
  case 'r':
    o->run = strtoll(arg, &end, 10);
    if (*end || end == arg || o->run < 0)
      argp_error(state, "--run %s: expected the number of a run, from 0", arg);
    return 0;
  case 'o':
    o->output = arg;
    return 0;
  case KEY_OVERWRITE:
    o->overwrite = true;
    return 0;
  case ARGP_KEY_END:
    if (!o->output) argp_error(state, "no output given: -o DATA.nc");
    return 0;
  }
  return ARGP_ERR_UNKNOWN;
}

/* A run on the file takes the network's own defaults: say where this kind of data has others. */
static void tell_defaults(const pl_spec *spec) {
  char told[512] = "";
  for (const pl_keys *const *t = spec->model->keys; *t; t++)
    for (int k = 0; k < (*t)->num; k++) {
      const pl_key *row = &(*t)->row[k];
      const char *own = pl_keys_fallback(row, spec->model, NULL);
      const char *here = pl_keys_fallback(row, spec->model, spec->data);
      size_t used = strlen(told);
      if (here && (!own || strcmp(here, own) != 0))
        snprintf(told + used, sizeof told - used, "%s%s: %s", used ? ", " : "", row->name, here);
    }
  if (*told)
    pl_log(PL_LOG_INFO, "by default data.kind %s sets %s; data.kind file does not",
           spec->data->name, told);
}

static pl_status write_run(const data_options *o, pl_config *cfg, const pl_comm *world) {
  pl_spec spec;
  door_output out;
  int num;
  pl_config_run(cfg, 0, &spec);
  if (!spec.data->write_data) {
    pl_error(PL_EINPUT, "%s of model.kind %s has no file format", spec.data->name,
             spec.model->name);
    return pl_config_blame(cfg, 0, "data.kind", PL_EINPUT);
  }
  pl_status st = door_output_begin(&out, o->output, o->overwrite, cfg, o->sweep.sweep, world);
  pl_attribute *attributes = pl_attributes_of(cfg, 0, &num);
  if (!st) {
    st = spec.data->write_data(&spec, world, out.temporary, attributes, num);
    if (st == PL_EINPUT) pl_config_blame(cfg, 0, "data.kind", st);
  }
  if (!st) tell_defaults(&spec);
  pl_attributes_free(attributes, num);
  return door_output_end(&out, st, world);
}

pl_status pl_cli_data(int argc, char **argv, const pl_comm *world) {
  static const struct argp_child children[] = {{&sweep_argp, 0, NULL, 0}, {0}};
  static const struct argp argp = {
      options,
      parse,
      "SWEEP.yaml -o DATA.nc",
      "Write the samples of a run of the sweep, generated or read, in the format that data.kind: "
      "file reads.",
      children,
      NULL,
      NULL};
  data_options o = {0};
  pl_config *cfg = NULL;
  pl_cli_parse(&argp, argc, argv, &o, world);
  PL_TRY(pl_config_read(world, o.sweep.sweep, o.sweep.sets, o.sweep.num_sets, &cfg));
  pl_status st = PL_OK;
  int64_t run = o.run;
  if (run >= pl_config_num_runs(cfg))
    st = pl_error(PL_EINPUT, "--run %lld: the sweep has %lld runs, from 0", o.run,
                  (long long)pl_config_num_runs(cfg));
  if (!st) {
    pl_config_select(cfg, 1, &run);
    st = pl_sweep_check(world, cfg);
  }
  if (!st) st = write_run(&o, cfg, world);
  pl_config_free(cfg);
  return st;
}
