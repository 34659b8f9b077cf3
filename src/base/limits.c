#include "base/limits.h"

#include "base/mem.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { LINE = 4096 };
static const double megabyte = 1048576;
/* Of the memory installed, what programs may use in good conscience. */
static const double share_of_machine = 0.9;
/* What version 1 writes for "no limit" is just below 2^63. */
static const double no_limit = 0x1p60;

static void bound(pl_memory *m, double node, pl_memory_bound by, const char *says) {
  if (!(node > 0) || node >= m->node) return;
  m->node = node;
  m->bound = by;
  snprintf(m->says, sizeof m->says, "%s", says);
}

/* ---- the queue ---- */

/* 0 if unset or not a number. */
static double env_number(const char *name) {
  const char *text = getenv(name);
  char *end;
  double x = text ? strtod(text, &end) : 0;
  return text && end != text && !*end ? x : 0;
}

/* In MB.  That of a CPU holds for all CPUs that the job has here. */
static void bound_by_slurm(pl_memory *m, int sharing) {
  double cpus = env_number("SLURM_CPUS_ON_NODE"),
         per_task = fmax(1, env_number("SLURM_CPUS_PER_TASK"));
  bound(m, megabyte * env_number("SLURM_MEM_PER_NODE"), PL_MEMORY_SLURM, "SLURM_MEM_PER_NODE");
  bound(m, megabyte * env_number("SLURM_MEM_PER_CPU") * (cpus > 0 ? cpus : per_task * sharing),
        PL_MEMORY_SLURM, "SLURM_MEM_PER_CPU");
}

/* ---- control groups ---- */

/* 0 if there is no such file or no number in it ("max"). */
static double file_number(const char *path) {
  double x = 0;
  FILE *f = fopen(path, "re");
  if (!f) return 0;
  if (fscanf(f, "%lf", &x) != 1 || x >= no_limit) x = 0;
  fclose(f);
  return x;
}

/* The limits of the group at mount/path and of all above it, up to the mount. */
static void bound_by_groups(pl_memory *m, const char *root, const char *mount, const char *path,
                            const char *file) {
  char *at = pl_strdup(path), says[sizeof m->says];
  for (;;) {
    size_t n = strlen(at);
    while (n && at[n - 1] == '/') at[--n] = 0;
    char *name = pl_asprintf("%s%s%s/%s", root, mount, at, file);
    snprintf(says, sizeof says, "control group %.120s, %s", *at ? at : "/", file);
    bound(m, file_number(name), PL_MEMORY_CGROUP, says);
    pl_free(name);
    char *slash = strrchr(at, '/');
    if (!slash) break;
    *slash = 0;
  }
  pl_free(at);
}

/* Is word one of a list with commas? */
static bool among(const char *list, const char *word) {
  size_t n = strlen(word);
  for (const char *at = list; at; at = strchr(at, ','), at = at ? at + 1 : NULL)
    if (!strncmp(at, word, n) && (at[n] == ',' || !at[n])) return true;
  return false;
}

/* Where the hierarchy is mounted: v2, or v1 with the memory controller.  In a container `top` is
 * the group that the mount shows as its root. */
static bool find_mount(const char *root, bool v2, char *mount, char *top) {
  char *name = pl_asprintf("%s/proc/self/mountinfo", root), line[LINE];
  FILE *f = fopen(name, "re");
  bool found = false;
  pl_free(name);
  while (f && !found && fgets(line, sizeof line, f)) {
    /* id parent major:minor root mount options .. - type source superoptions */
    char *dash = strstr(line, " - "), type[64] = "", options[LINE] = "";
    if (!dash || sscanf(dash, " - %63s %*s %4095s", type, options) < 1) continue;
    found = v2 ? !strcmp(type, "cgroup2") : !strcmp(type, "cgroup") && among(options, "memory");
    if (found && sscanf(line, "%*s %*s %*s %4095s %4095s", top, mount) != 2) found = false;
  }
  if (f) fclose(f);
  return found;
}

static void bound_by_cgroups(pl_memory *m, const char *root) {
  char *name = pl_asprintf("%s/proc/self/cgroup", root), line[LINE], mount[LINE], top[LINE];
  FILE *f = fopen(name, "re");
  pl_free(name);
  while (f && fgets(line, sizeof line, f)) {
    /* hierarchy:controllers:path, v2 with number 0 and no controllers */
    line[strcspn(line, "\n")] = 0;
    char *controllers = strchr(line, ':'),
         *path = controllers ? strchr(controllers + 1, ':') : NULL;
    if (!path) continue;
    *path++ = 0;
    bool v2 = !controllers[1];
    if ((!v2 && !among(controllers + 1, "memory")) || !find_mount(root, v2, mount, top)) continue;
    size_t n = strlen(top);
    if (n > 1 && !strncmp(path, top, n) && (path[n] == '/' || !path[n])) path += n;
    bound_by_groups(m, root, mount, path, v2 ? "memory.max" : "memory.limit_in_bytes");
  }
  if (f) fclose(f);
}

/* ---- this process ---- */

static double address_space_used(void) {
  double pages = 0;
  FILE *f = fopen("/proc/self/statm", "re");
  if (!f) return 0;
  if (fscanf(f, "%lf", &pages) != 1) pages = 0;
  fclose(f);
  return pages * (double)sysconf(_SC_PAGESIZE);
}

static void bound_by_process(pl_memory *m) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_AS, &limit) || limit.rlim_cur == RLIM_INFINITY) return;
  double left = fmax(0, (double)limit.rlim_cur - address_space_used());
  if (left >= m->bytes) return;
  m->bytes = left;
  m->bound = PL_MEMORY_PROCESS;
  snprintf(m->says, sizeof m->says, "ulimit -v");
}

/* As the kernel counts it, or as a file below root says. */
static double installed(const char *root) {
  char *name = pl_asprintf("%s/proc/meminfo", root);
  FILE *f = *root ? fopen(name, "re") : NULL;
  double kb = 0;
  pl_free(name);
  if (!f) return (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE);
  if (fscanf(f, "MemTotal: %lf", &kb) != 1) kb = 0;
  fclose(f);
  return 1024 * kb;
}

pl_memory pl_memory_limit_below(const char *root, int sharing) {
  pl_memory m = {.node = INFINITY};
  bound(&m, share_of_machine * installed(root), PL_MEMORY_MACHINE, "the memory of this machine");
  bound_by_slurm(&m, sharing);
  bound_by_cgroups(&m, root);
  m.bytes = m.node / sharing;
  bound_by_process(&m);
  return m;
}

pl_memory pl_memory_limit(int sharing) {
  return pl_memory_limit_below("", sharing);
}
