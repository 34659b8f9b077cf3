/* Starts and ends MPI; the command line is cli/'s. */
#include "base/blas.h"
#include "base/comm.h"
#include "base/file.h"
#include "base/log.h"
#include "cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Of the ranks that a launcher started, MPI tells which one speaks.  Open MPI's, PMI's, Slurm's
 * srun; a batch script is no rank. */
static bool launched(void) {
  static const char *const marks[] = {"OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_RANK",
                                      "MV2_COMM_WORLD_SIZE", "SLURM_STEP_NUM_TASKS"};
  for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
    if (getenv(marks[i])) return true;
  return false;
}

/* Do the arguments only ask what the program is and takes? */
static bool only_asks(int argc, char **argv) {
  const char *first = argc > 1 ? argv[1] : "--help", *last = argv[argc - 1];
  if (argc <= 2) return *first == '-';
  if (argc == 3 && !strcmp(last, "--help")) return true;
  return !strcmp(first, "run") &&
         (!strncmp(argv[2], "--keys", 6) || !strncmp(argv[2], "--variables", 11));
}

/* Commands that read files, or a group, in one process; a plan is one rank's, for any number. */
static bool only_reads(int argc, char **argv) {
  static const char *const commands[] = {"status", "merge", "pack", "group", "fourier", "plan"};
  for (size_t i = 0; argc > 1 && i < sizeof commands / sizeof *commands; i++)
    if (!strcmp(argv[1], commands[i])) return true;
  return false;
}

/* Also when argp ends the program after --help or a usage error. */
static void finalize(void) {
  int done;
  MPI_Finalized(&done);
  if (!done) MPI_Finalize();
}

/* Of what was closed (`>&-`) the number would go to the next file that is opened, such as an
 * output, and words with it.  Using these fails. */
static void hold_standard_files(void) {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
    if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd ? O_RDONLY : O_WRONLY) != fd) _exit(PL_EENV);
}

/* Also when argp ends the program after --help: words that did not arrive are no success. */
static void end_stdout(void) {
  bool failed = ferror(stdout);
  errno = 0;
  if (!fflush(stdout) && !failed) return;
  pl_log(PL_LOG_ERROR, "cannot write to standard output%s%s", errno ? ": " : "",
         errno ? pl_file_reason(errno) : "");
  _exit(PL_EENV);
}

int main(int argc, char **argv) {
  /* A file that reaches `ulimit -f` is then what a full disk is, and not the end of the program. */
  signal(SIGXFSZ, SIG_IGN);
  hold_standard_files();
  atexit(end_stdout);
  /* Without MPI: also on a login node that has none. */
  pl_comm world = {MPI_COMM_NULL, 0, 1};
  bool alone = !launched();
  if (alone && only_asks(argc, argv)) {
    pl_log_init(0, PL_LOG_INFO);
    return pl_cli_main(argc, argv, &world);
  }
  pl_blas_choose_kernels(argv);
  if (!alone || !only_reads(argc, argv)) {
    MPI_Init(&argc, &argv);
    atexit(finalize);
    world = pl_comm_wrap(MPI_COMM_WORLD);
  }
  pl_log_init(world.rank, PL_LOG_INFO);
  pl_blas_threads();
  pl_status st = pl_agree(&world, pl_blas_runs());
  if (st) {
    pl_log(PL_LOG_ERROR, "%s", pl_error_message());
    return st;
  }
  pl_blas_reserve();
  return pl_cli_main(argc, argv, &world);
}
