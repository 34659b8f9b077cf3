#include "base/comm.h"

#include "base/mem.h"

#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* ---- ranks that share a core ---- */

static _Thread_local bool is_rank; /* this thread is one of several */

/* In place of the C library's.  A rank that waits and shares its core is made to yield by Open MPI
 * without end; on recent kernels (seen on Linux 6.18) that costs a turn each time, and it is late
 * when its message comes.  So it naps, after a few looks.  All other threads yield as ever. */
int sched_yield(void) {
  enum { LOOKS = 5, NAP = 20000 /* ns */ };
  static _Thread_local int looks;
  if (!is_rank) return (int)syscall(SYS_sched_yield);
  if (++looks % LOOKS == 0) nanosleep(&(struct timespec){0, NAP}, NULL);
  return 0;
}

/* ---- communicators ---- */

static MPI_Comm abort_comm = MPI_COMM_NULL;

static void abort_job(int code) {
  MPI_Abort(abort_comm, code);
}

pl_comm pl_comm_wrap(MPI_Comm mpi) {
  pl_comm c = {.mpi = mpi};
  MPI_Comm_rank(mpi, &c.rank);
  MPI_Comm_size(mpi, &c.size);
  if (c.size > 1) is_rank = true;
  if (abort_comm == MPI_COMM_NULL) {
    abort_comm = mpi;
    pl_set_abort_hook(abort_job);
  }
  return c;
}

static long number_in(const char *name) {
  const char *text = getenv(name);
  return text ? strtol(text, NULL, 10) : 0;
}

pl_status pl_comm_wired(const pl_comm *world) {
  /* Of mpirun, of PMI, of MVAPICH, of a Slurm step. */
  static const char *const sizes[] = {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "MV2_COMM_WORLD_SIZE",
                                      "SLURM_STEP_NUM_TASKS"};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes && world->size == 1; i++) {
    long n = number_in(sizes[i]);
    /* A starter inside another one, that started one process on purpose. */
    if (n == 1) return PL_OK;
    if (n > 1)
      return pl_error(PL_EENV,
                      "MPI was not wired up: %ld processes were started together (%s), and each is "
                      "alone.  Start them by the mpirun of this MPI, or by srun --mpi=pmix (srun "
                      "--mpi=list shows what there is; SLURM_MPI_TYPE=pmix in job scripts); for "
                      "one process on purpose unset %s",
                      n, sizes[i], sizes[i]);
  }
  return PL_OK;
}

pl_comm pl_comm_split(const pl_comm *comm, int color, int key) {
  pl_comm c = {.mpi = MPI_COMM_NULL};
  MPI_Comm_split(comm->mpi, color < 0 ? MPI_UNDEFINED : color, key, &c.mpi);
  if (c.mpi != MPI_COMM_NULL) {
    MPI_Comm_rank(c.mpi, &c.rank);
    MPI_Comm_size(c.mpi, &c.size);
  }
  return c;
}

void pl_comm_free(pl_comm *comm) {
  if (comm->mpi != MPI_COMM_NULL) MPI_Comm_free(&comm->mpi);
  *comm = (pl_comm){.mpi = MPI_COMM_NULL};
}

pl_status pl_agree(const pl_comm *comm, pl_status st) {
  if (comm->size == 1) return st;
  struct {
    int st, rank;
  } mine = {(int)st, comm->rank}, worst;
  MPI_Allreduce(&mine, &worst, 1, MPI_2INT, MPI_MAXLOC, comm->mpi);
  if (worst.st == PL_OK) return PL_OK;
  char text[4096];
  strncpy(text, pl_error_message(), sizeof text - 1);
  text[sizeof text - 1] = 0;
  MPI_Bcast(text, sizeof text, MPI_CHAR, worst.rank, comm->mpi);
  return pl_error((pl_status)worst.st, "%s", text);
}

static void reduce(const pl_comm *comm, double *x, int64_t n, MPI_Op op) {
  if (comm->size > 1) MPI_Allreduce(MPI_IN_PLACE, x, pl_int(n), MPI_DOUBLE, op, comm->mpi);
}

void pl_comm_sum(const pl_comm *comm, double *x, int64_t n) {
  reduce(comm, x, n, MPI_SUM);
}
void pl_comm_max(const pl_comm *comm, double *x, int64_t n) {
  reduce(comm, x, n, MPI_MAX);
}

void pl_comm_bcast(const pl_comm *comm, void *x, size_t bytes, int root) {
  if (comm->size == 1) return;
  for (char *p = x; bytes > 0;) {
    size_t n = bytes < (1u << 30) ? bytes : (1u << 30);
    MPI_Bcast(p, (int)n, MPI_BYTE, root, comm->mpi);
    p += n;
    bytes -= n;
  }
}
