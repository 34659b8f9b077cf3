/* Preloaded into the program by tests/sessions.py: kills one rank when it has come so far, whatever
 * the speed of the machine.  KILL_RANK: which rank; KILL_STEPS: at so many looks of the program at
 * the clock (one or a few in a step); KILL_WRITES: at so many calls that write to regular files;
 * KILL_RENAMES: at so many that rename one; KILL_REMOVES: at the first that removes one whose name
 * ends so; KILL_STARVES: not killed, but left so many bytes of memory beyond what it has;
 * KILL_FOLDERS: nor here, but that folder of a row cannot be synced.  KILL_SLOWS: the other ranks
 * wait so many microseconds at each look, and leave it the work.  Nothing counts before MPI is
 * there: mpirun may hang when a process dies while it launches the others. */
#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static long steps = -1, writes = -1, renames = -1, folders = -1, pause_for = -1;
static const char *removes;
static uintptr_t begin, end; /* of the program itself, whose looks count: MPI has its own */

static int find_program(struct dl_phdr_info *info, size_t size, void *unused) {
  (void)size, (void)unused;
  for (int i = 0; i < info->dlpi_phnum; i++) {
    const ElfW(Phdr) *h = &info->dlpi_phdr[i];
    if (h->p_type != PT_LOAD || !(h->p_flags & PF_X)) continue;
    begin = info->dlpi_addr + h->p_vaddr;
    end = begin + h->p_memsz;
  }
  return 1; /* the first is the program */
}

static long number(const char *name) {
  const char *text = getenv(name);
  return text ? atol(text) : -1;
}

__attribute__((constructor)) static void begin_counting(void) {
  const char *rank = getenv("OMPI_COMM_WORLD_RANK"), *mine = getenv("KILL_RANK");
  char name[4096];
  ssize_t n = readlink("/proc/self/exe", name, sizeof name - 1);
  name[n > 0 ? n : 0] = 0;
  if (!mine || !strstr(name, "plancherel")) return;
  dl_iterate_phdr(find_program, NULL);
  if (strcmp(rank ? rank : "0", mine) != 0) {
    pause_for = number("KILL_SLOWS");
    return;
  }
  steps = number("KILL_STEPS");
  writes = number("KILL_WRITES");
  renames = number("KILL_RENAMES");
  folders = number("KILL_FOLDERS");
  removes = getenv("KILL_REMOVES");
}

static void starve(long bytes) {
  long pages = 0;
  FILE *f = fopen("/proc/self/statm", "r");
  if (!f || fscanf(f, "%ld", &pages) != 1) abort();
  fclose(f);
  struct rlimit limit = {0, 0};
  limit.rlim_cur = limit.rlim_max = (rlim_t)(pages * sysconf(_SC_PAGESIZE) + bytes);
  setrlimit(RLIMIT_AS, &limit);
}

/* The program's; not there where it is not loaded. */
int MPI_Initialized(int *flag) __attribute__((weak));

static int ready(void) {
  int there = 0;
  return MPI_Initialized && !MPI_Initialized(&there) && there;
}

static void count(long *left) {
  if (*left <= 0 || !ready() || --*left) return;
  long room = number("KILL_STARVES");
  if (room < 0)
    raise(SIGKILL);
  else
    starve(room);
}

static void count_write(int file) {
  struct stat s;
  if (writes > 0 && !fstat(file, &s) && S_ISREG(s.st_mode)) count(&writes);
}

/* As the C library's, counted. */
#define NEXT(name)                                                                                 \
  static __typeof__(&name) next;                                                                   \
  if (!next) *(void **)&next = dlsym(RTLD_NEXT, #name)

int clock_gettime(clockid_t id, struct timespec *t) {
  uintptr_t from = (uintptr_t)__builtin_return_address(0);
  NEXT(clock_gettime);
  if (from >= begin && from < end) {
    count(&steps);
    if (pause_for > 0 && ready()) usleep((useconds_t)pause_for);
  }
  return next(id, t);
}

ssize_t write(int file, const void *data, size_t n) {
  NEXT(write);
  count_write(file);
  return next(file, data, n);
}

ssize_t pwrite64(int file, const void *data, size_t n, off64_t at) {
  NEXT(pwrite64);
  count_write(file);
  return next(file, data, n, at);
}

int fsync(int file) {
  struct stat s;
  NEXT(fsync);
  count_write(file);
  if (folders > 0 && !fstat(file, &s) && S_ISDIR(s.st_mode) && !--folders) {
    errno = EIO;
    return -1;
  }
  return next(file);
}

int ftruncate64(int file, off64_t n) {
  NEXT(ftruncate64);
  count_write(file);
  return next(file, n);
}

int rename(const char *from, const char *to) {
  NEXT(rename);
  count(&writes);
  count(&renames);
  return next(from, to);
}

int unlink(const char *path) {
  size_t n = strlen(path), m = removes ? strlen(removes) : 0;
  NEXT(unlink);
  count(&writes);
  if (m && n >= m && !strcmp(path + n - m, removes)) raise(SIGKILL);
  return next(path);
}

int link(const char *from, const char *to) {
  NEXT(link);
  count(&writes);
  return next(from, to);
}
