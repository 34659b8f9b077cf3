/* Starts and ends MPI, and hands the command line to cli/. */
#include "base/blas.h"
#include "base/comm.h"

int main(int argc, char **argv) {
  pl_blas_choose_kernels(argv);
  MPI_Init(&argc, &argv);
  pl_comm world = pl_comm_wrap(MPI_COMM_WORLD);
  (void)world;
  MPI_Finalize();
  return 0;
}
