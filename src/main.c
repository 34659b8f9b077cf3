/* Starts and ends MPI; the command line is cli/'s. */
#include "base/blas.h"
#include "base/comm.h"
#include "base/log.h"
#include "cli/cli.h"

#include <stdlib.h>

/* Also when argp ends the program after --help or a usage error. */
static void finalize(void) {
  int done;
  MPI_Finalized(&done);
  if (!done) MPI_Finalize();
}

int main(int argc, char **argv) {
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
