/* What `merge` and `pack` share: input files, -o and --overwrite.  Inside cli/ only. */
#ifndef PL_CLI_OUTPUT_OPTIONS_H
#define PL_CLI_OUTPUT_OPTIONS_H

#include "base/status.h"

#include <argp.h>
#include <stdbool.h>

typedef struct output_options {
  const char **inputs; /* the caller frees it (pl_free) */
  int num_inputs;
  const char *output;
  bool overwrite;
} output_options;

extern const struct argp_option output_options_known[];

/* An argp parser but for its last argument: 1 if there is one input, more if there may be many. */
error_t output_parse(int key, char *arg, struct argp_state *state, int inputs);

/* PL_EINPUT if the output is a file that a group's spec names (perm:FILE).  spec may be NULL. */
pl_status output_apart_from_spec(const char *output, const char *spec);

#endif
