/* The subcommands.  Each takes the command line from its own name on (argv[0] is "group"), prints
 * data to stdout and messages to stderr on rank 0 only, and returns the exit code of the program,
 * the same on every rank.  Collective over world. */
#ifndef PL_CLI_CLI_H
#define PL_CLI_CLI_H

#include "base/comm.h"

/* plancherel group SPEC [--irreps] [--check] */
int pl_cli_group(int argc, char **argv, const pl_comm *world);

#endif
