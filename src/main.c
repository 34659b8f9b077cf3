/* Starts and ends MPI; the command line is cli/'s. */
#include "base/blas.h"
#include "base/comm.h"
#include "base/log.h"
#include "cli/cli.h"

#include <stdlib.h>
#include <string.h>

/* Do the arguments only ask what the program is and takes?  Answered without MPI, also on a login
 * node that has none; of the ranks that a launcher started, MPI tells which one speaks. */
static bool only_asks(int argc, char **argv) {
  if (getenv("OMPI_COMM_WORLD_SIZE") || getenv("SLURM_PROCID")) return false;
  const char *first = argc > 1 ? argv[1] : "--help", *last = argv[argc - 1];
  if (argc <= 2) return *first == '-';
  if (argc == 3 && !strcmp(last, "--help")) return true;
  return !strcmp(first, "run") &&
         (!strncmp(argv[2], "--keys", 6) || !strncmp(argv[2], "--variables", 11));
}

/* Also when argp ends the program after --help or a usage error. */
static void finalize(void) {
  int done;
  MPI_Finalized(&done);
  if (!done) MPI_Finalize();
}

int main(int argc, char **argv) {
  if (only_asks(argc, argv)) {
    pl_log_init(0, PL_LOG_INFO);
    return pl_cli_main(argc, argv, &(pl_comm){MPI_COMM_NULL, 0, 1});
  }
  pl_blas_choose_kernels(argv);
  MPI_Init(&argc, &argv);
  atexit(finalize);
  pl_comm world = pl_comm_wrap(MPI_COMM_WORLD);
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
