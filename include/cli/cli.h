/* The subcommands: one file each in src/cli, one row each in the table of src/cli/cli.c.
 * Data goes to stdout, messages to stderr, both from rank 0 only. */
#ifndef PL_CLI_CLI_H
#define PL_CLI_CLI_H

#include "base/comm.h"

#include <argp.h>

/* Run the command line; returns the exit code, the same on every rank.  Collective over world. */
int pl_cli_main(int argc, char **argv, const pl_comm *world);

/* The commands: argv[0] is the command's name for messages ("plancherel run").  Collective; each
 * returns a status, with a message for pl_cli_main to print. */
pl_status pl_cli_run(int argc, char **argv, const pl_comm *world);
pl_status pl_cli_plan(int argc, char **argv, const pl_comm *world);
pl_status pl_cli_data(int argc, char **argv, const pl_comm *world);
pl_status pl_cli_apply(int argc, char **argv, const pl_comm *world);
pl_status pl_cli_optimum(int argc, char **argv, const pl_comm *world);
pl_status pl_cli_status(int argc, char **argv, const pl_comm *world);
pl_status pl_cli_group(int argc, char **argv, const pl_comm *world);
pl_status pl_cli_fourier(int argc, char **argv, const pl_comm *world);
pl_status pl_cli_merge(int argc, char **argv, const pl_comm *world);
pl_status pl_cli_pack(int argc, char **argv, const pl_comm *world);

/* argv joined by blanks, for the history of a file.  The caller frees it (pl_free). */
char *pl_cli_command_line(int argc, char **argv);

/* argp_parse on every rank, with output from rank 0 only.  Usage errors end the program with exit
 * code 2, --help and --version with 0, on every rank alike (MPI is finalised at exit). */
void pl_cli_parse(const struct argp *argp, int argc, char **argv, void *input,
                  const pl_comm *world);

#endif
