#include "output_options.h"

#include "base/mem.h"
#include "base/output.h"
#include "group/group.h"

enum { KEY_OVERWRITE = 256 };

const struct argp_option output_options_known[] = {
    {"output", 'o', "OUT.nc", 0, "Output file (required)", 0},
    {"overwrite", KEY_OVERWRITE, 0, 0, "Replace an existing output", 0},
    {0}};

error_t output_parse(int key, char *arg, struct argp_state *state, int inputs) {
  output_options *o = state->input;
  switch (key) {
  case 'o':
    o->output = arg;
    return 0;
  case KEY_OVERWRITE:
    o->overwrite = true;
    return 0;
  case ARGP_KEY_ARG:
    if (inputs == 1 && o->num_inputs) argp_error(state, "more than one input: %s", arg);
    o->inputs = pl_realloc(o->inputs, (size_t)o->num_inputs + 1, sizeof *o->inputs, "inputs");
    o->inputs[o->num_inputs++] = arg;
    return 0;
  case ARGP_KEY_END:
    if (!o->num_inputs) argp_error(state, "no input given");
    if (!o->output) argp_error(state, "no output given: -o OUT.nc");
    return 0;
  }
  return ARGP_ERR_UNKNOWN;
}

pl_status output_apart_from_spec(const char *output, const char *spec) {
  pl_status st = PL_OK;
  for (int at = 0, n; spec && !st && (at = pl_group_file(spec, at, &n)) >= 0; at += n) {
    char *file = pl_asprintf("%.*s", n, spec + at);
    st = pl_output_apart(output, 1, (const char *const[]){file});
    pl_free(file);
  }
  return st;
}
