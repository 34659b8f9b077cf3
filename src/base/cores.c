#include "base/cores.h"

#include "base/mem.h"

#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The first of the threads that share a core with this one; itself where the system does not say.
 */
static int first_sibling(int cpu) {
  char path[96];
  int first = cpu;
  snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%d/topology/thread_siblings_list", cpu);
  FILE *f = fopen(path, "r");
  if (!f) return cpu;
  if (fscanf(f, "%d", &first) != 1) first = cpu;
  fclose(f);
  return first;
}

static void count_set(const cpu_set_t *set, pl_cores *c) {
  bool seen[CPU_SETSIZE] = {false};
  c->threads = CPU_COUNT(set);
  for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
    if (!CPU_ISSET(cpu, set)) continue;
    int first = first_sibling(cpu);
    if (first < 0 || first >= CPU_SETSIZE || seen[first]) continue;
    seen[first] = true;
    c->cores++;
  }
}

pl_cores pl_cores_count(const pl_comm *world) {
  pl_cores c = {.online = (int)sysconf(_SC_NPROCESSORS_ONLN)};
  cpu_set_t mine, all;
  CPU_ZERO(&mine);
  /* More processors than a set holds: then ranks have no want of them. */
  if (sched_getaffinity(0, sizeof mine, &mine)) CPU_ZERO(&mine);
  MPI_Comm node;
  MPI_Comm_split_type(world->mpi, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &node);
  MPI_Comm_size(node, &c.ranks);
  MPI_Allreduce(&mine, &all, (int)sizeof mine, MPI_BYTE, MPI_BOR, node);
  MPI_Comm_free(&node);
  count_set(&all, &c);
  if (gethostname(c.node, sizeof c.node - 1)) snprintf(c.node, sizeof c.node, "here");
  struct {
    double full;
    int rank;
  } own = {c.cores ? (double)c.ranks / c.cores : 0, world->rank}, most;
  MPI_Allreduce(&own, &most, 1, MPI_DOUBLE_INT, MPI_MAXLOC, world->mpi);
  pl_comm_bcast(world, &c, sizeof c, most.rank);
  return c;
}

char *pl_cores_complaint(const pl_cores *c) {
  if (c->cores == 0 || c->ranks <= c->cores) return NULL;
  if (c->ranks <= c->threads)
    return pl_asprintf("%d ranks on the %d physical cores of %s, two and more threads to a core: "
                       "they share its arithmetic, and one rank per core is as fast (mpirun "
                       "--map-by core, srun --hint=nomultithread)",
                       c->ranks, c->cores, c->node);
  const char *bound = c->threads < c->online && c->ranks <= c->online
                          ? ", or let them run on all of its processors (mpirun --bind-to none)"
                          : "";
  return pl_asprintf("%d ranks share %d of the %d processors of %s and take turns: slower than one "
                     "rank per core; start %d%s",
                     c->ranks, c->threads, c->online, c->node, c->cores, bound);
}
