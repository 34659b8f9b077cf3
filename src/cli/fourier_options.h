/* What the command line of `fourier` asks for.  Inside cli/ only. */
#ifndef PL_CLI_FOURIER_OPTIONS_H
#define PL_CLI_FOURIER_OPTIONS_H

#include "base/output.h"
#include "csv.h"
#include "group/rankings.h"

#include <stdbool.h>

typedef struct fourier_options {
  const char *input, *output, *group;
  bool inverse, overwrite;
  pl_output *out; /* that is being made; NULL: none */
  const char *csv, *effects_csv;
  csv energies, ranked; /* that are being made: of --csv and --effects-csv */
  /* Of rankings: */
  int effects; /* -1: not given */
  pl_rankings_how how;
} fourier_options;

#endif
