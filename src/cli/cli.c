#include "cli/cli.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/version.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct command {
  const char *name, *help;
  pl_status (*run)(int argc, char **argv, const pl_comm *world);
} commands[] = {
    {"run", "train a sweep", pl_cli_run},
    {"plan", "show phases, teams, mapping, memory and time of a sweep; train nothing", pl_cli_plan},
    {"data", "write the samples of a run to a file", pl_cli_data},
    {"apply", "run a saved network on the samples of a file", pl_cli_apply},
    {"optimum", "solve the margin problem of depth 2 for the data of a sweep", pl_cli_optimum},
    {"status", "show the runs of an output file, also while the sweep runs", pl_cli_status},
    {"merge", "put the outputs of shards together", pl_cli_merge},
    {"pack", "copy an output into compressed netCDF-4", pl_cli_pack},
    {"group", "show a group's order, classes and irreps", pl_cli_group},
    {"fourier", "transform a function on a group", pl_cli_fourier},
};
enum { NUM_COMMANDS = sizeof commands / sizeof *commands };

static void usage(FILE *out) {
  fprintf(out, "Usage: plancherel COMMAND [OPTIONS]\n"
               "Implicit bias of group-equivariant networks: sweeps of training runs in Fourier "
               "space.\n\n");
  for (int i = 0; i < NUM_COMMANDS; i++)
    fprintf(out, "  %-8s  %s\n", commands[i].name, commands[i].help);
  fprintf(out, "\nplancherel COMMAND --help shows the options of a command; run under mpirun or "
               "srun\nto use several ranks.\n"
               "Exit codes: 0 done; 1 some runs failed or diverged; 2 usage or bad input;\n"
               "3 memory, disk, file system or MPI; 70 a fault of the program; 75 stopped by a\n"
               "signal with everything saved.\n");
}

char *pl_cli_command_line(int argc, char **argv) {
  char *line = pl_strdup(argv[0]);
  for (int i = 1; i < argc; i++) {
    char *longer = pl_asprintf("%s %s", line, argv[i]);
    pl_free(line);
    line = longer;
  }
  return line;
}

void pl_cli_parse(const struct argp *argp, int argc, char **argv, void *input,
                  const pl_comm *world) {
  int saved[2] = {-1, -1};
  if (world->rank != 0) {
    int null = open("/dev/null", O_WRONLY);
    for (int k = 0; k < 2; k++) {
      saved[k] = dup(k + 1);
      dup2(null, k + 1);
    }
    close(null);
  }
  argp_err_exit_status = PL_EINPUT;
  argp_parse(argp, argc, argv, 0, NULL, input);
  if (world->rank != 0)
    for (int k = 0; k < 2; k++) {
      fflush(k ? stderr : stdout);
      dup2(saved[k], k + 1);
      close(saved[k]);
    }
}

static pl_status dispatch(int argc, char **argv, const pl_comm *world) {
  bool root = world->rank == 0;
  if (argc < 2 || !strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") ||
      !strcmp(argv[1], "help")) {
    if (root) usage(argc < 2 ? stderr : stdout);
    return argc < 2 ? pl_error(PL_EINPUT, "no command given") : PL_OK;
  }
  if (!strcmp(argv[1], "--version")) {
    if (root) printf("plancherel %s, commit %s\n", pl_version, pl_commit);
    return PL_OK;
  }
  for (int i = 0; i < NUM_COMMANDS; i++) {
    if (strcmp(argv[1], commands[i].name)) continue;
    char name[64];
    snprintf(name, sizeof name, "plancherel %s", commands[i].name);
    argv[1] = name;
    program_invocation_name = program_invocation_short_name = name;
    return commands[i].run(argc - 1, argv + 1, world);
  }
  return pl_error(PL_EINPUT, "unknown command \"%s\"; plancherel --help lists the commands",
                  argv[1]);
}

int pl_cli_main(int argc, char **argv, const pl_comm *world) {
  pl_status st = dispatch(argc, argv, world);
  if (st == PL_STOPPED || st == PL_UNFINISHED)
    pl_log(PL_LOG_WARNING, "%s", pl_error_message());
  else if (st)
    pl_log(PL_LOG_ERROR, "%s", pl_error_message());
  return st;
}
