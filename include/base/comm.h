/* A communicator with its rank and size.  Everything here is collective over comm unless it says
 * Local.  Ranks that wait for others and share a core nap in turn (sched_yield, which Open MPI
 * calls there). */
#ifndef PL_BASE_COMM_H
#define PL_BASE_COMM_H

#include "base/status.h"

#include <mpi.h>
#include <stddef.h>
#include <stdint.h>

typedef struct pl_comm {
  MPI_Comm mpi;
  int rank, size;
} pl_comm;

/* Wrap a communicator (borrowed) and make pl_die abort it when it is the first.  Local. */
pl_comm pl_comm_wrap(MPI_Comm mpi);
/* PL_EENV if this process is alone although whoever started it started several of one job, each of
 * which would do all of it: MPI and the starter do not know each other.  Local. */
pl_status pl_comm_wired(const pl_comm *world);
/* Split; ranks with the same color meet, ordered by key.  color < 0: the caller gets none
 * (mpi = MPI_COMM_NULL, size 0).  pl_comm_free gives it back. */
pl_comm pl_comm_split(const pl_comm *comm, int color, int key);
void pl_comm_free(pl_comm *comm);

/* Agreement: every rank returns the worst status of all, and holds the message of the lowest rank
 * that has it.  The way to end a piece of work that only some ranks did. */
pl_status pl_agree(const pl_comm *comm, pl_status st);

/* Sum over ranks, in place; a single rank sends nothing. */
void pl_comm_sum(const pl_comm *comm, double *x, int64_t n);
void pl_comm_max(const pl_comm *comm, double *x, int64_t n);
/* Broadcast from root, any length (beyond 2^31 bytes too). */
void pl_comm_bcast(const pl_comm *comm, void *x, size_t bytes, int root);

#endif
