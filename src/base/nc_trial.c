#include "nc_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* Values that the trial reads, in pieces, and what they may cost it. */
enum { PIECE = 1 << 17, MOST = 1 << 26, SECONDS = 60, PATIENCE = 3600 };

/* HDF5's signature stands at 0, 512, 1024, 2048 .. */
static bool is_hdf5(const char *path) {
  static const char signature[8] = "\211HDF\r\n\032\n";
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  bool found = false, inside = fd >= 0;
  for (off_t at = 0; inside && !found; at = at ? 2 * at : 512) {
    char here[sizeof signature];
    inside = pread(fd, here, sizeof here, at) == sizeof here;
    found = inside && !memcmp(here, signature, sizeof here);
  }
  if (fd >= 0) close(fd);
  return found;
}

/* ---- in the child ---- */

static void limit(int what, rlim_t most) {
  struct rlimit l = {most, most};
  setrlimit(what, &l);
}

/* No handler of ours or of MPI, nothing on stderr, no core, no end of time. */
static void alone(void) {
  static const int signals[] = {SIGSEGV, SIGBUS,  SIGFPE, SIGILL, SIGABRT, SIGALRM,
                                SIGXCPU, SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2};
  for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) signal(signals[i], SIG_DFL);
  int null = open("/dev/null", O_WRONLY);
  if (null >= 0) dup2(null, STDERR_FILENO);
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_CPU, SECONDS);
  alarm(PATIENCE);
}

static bool readable(nc_type type) {
  return type == NC_STRING || pl_nc_type_of(type) != PL_NC_OTHER;
}

/* Not pl_alloc, which would end the whole job. */
static void *room(size_t n) {
  return n <= MOST ? calloc(n + 1, sizeof(double)) : NULL;
}

static void try_attributes(int id, int var, int n) {
  for (int a = 0; a < n; a++) {
    char name[NC_MAX_NAME + 1];
    nc_type type;
    size_t length;
    if (nc_inq_attname(id, var, a, name) || nc_inq_att(id, var, name, &type, &length)) continue;
    void *v = readable(type) ? room(length) : NULL;
    if (v && !nc_get_att(id, var, name, v) && type == NC_STRING) nc_free_string(length, v);
    free(v);
  }
}

/* Along the first dimension, so many rows at once as a piece holds, `left` values at most; returns
 * what is left of them. */
static int64_t try_values(int id, int var, int64_t left) {
  int dims, dim[NC_MAX_VAR_DIMS], num_atts;
  size_t start[NC_MAX_VAR_DIMS] = {0}, count[NC_MAX_VAR_DIMS] = {1}, row = 1;
  nc_type type;
  if (nc_inq_var(id, var, NULL, &type, &dims, dim, &num_atts)) return left;
  try_attributes(id, var, num_atts);
  for (int i = 0; i < dims; i++) {
    if (nc_inq_dimlen(id, dim[i], &count[i]) || (i && row && count[i] > MOST / row)) return left;
    row *= i ? count[i] : 1;
  }
  size_t rows = count[0], piece = row > 0 && row < PIECE ? PIECE / row : 1;
  void *v = readable(type) && row > 0 ? room(piece * row) : NULL;
  while (v && start[0] < rows && left > 0) {
    count[0] = piece < rows - start[0] ? piece : rows - start[0];
    if (!nc_get_vara(id, var, start, count, v) && type == NC_STRING)
      nc_free_string(count[0] * row, v);
    left -= (int64_t)(count[0] * row);
    start[0] += count[0];
  }
  free(v);
  return left;
}

static void try_all(const char *path) {
  int id, vars = 0, atts = 0;
  int64_t left = MOST;
  if (nc_open(path, NC_NOWRITE, &id)) return; /* refused: as good as sound */
  nc_inq(id, NULL, &vars, &atts, NULL);
  try_attributes(id, NC_GLOBAL, atts);
  for (int v = 0; v < vars; v++) left = try_values(id, v, left);
  nc_close(id);
}

/* ---- in the parent ---- */

pl_status pl_nc_try(const char *path) {
  if (!is_hdf5(path)) return PL_OK;
  pid_t child = fork();
  if (child == 0) {
    alone();
    try_all(path);
    _exit(0);
  }
  int how = 0;
  /* Where no process can be made, HDF5 is trusted. */
  while (child > 0 && waitpid(child, &how, 0) < 0 && errno == EINTR) continue;
  if (child < 0 || !WIFSIGNALED(how)) return PL_OK;
  int sig = WTERMSIG(how);
  if (sig == SIGKILL || sig == SIGTERM || sig == SIGINT) return PL_OK; /* not by itself */
  bool endless = sig == SIGXCPU || sig == SIGALRM;
  return pl_error(PL_EINPUT, "%s: not a readable NetCDF file: damaged so that HDF5 %s", path,
                  endless ? "does not end reading it" : "crashes on it");
}
