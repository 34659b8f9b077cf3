/* Commands of the program: run in a process of their own, with a limit of time. */
#ifndef SWEEP_COMMAND_H
#define SWEEP_COMMAND_H

#include "sweep_case.h"

#include "base/log.h"
#include "base/rates.h"
#include "cli/cli.h"
#include "linalg/svd.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* A command that takes longer than PATIENCE seconds is told to stop, and then has GRACE. */
enum { PATIENCE = 20, GRACE = 60, MOST_ARGS = 80, LEAK = 87, MOST_BYTES = 1 << 28 };

static pl_comm world;
/* The program; the folder of all cases, which takes what they print; the case's own. */
static char *program, *folder, *case_folder;
static char **surroundings; /* as they were before MPI started here: mpirun's */

const char *__asan_default_options(void);
const char *__asan_default_options(void) {
  return "detect_leaks=0:exitcode=86:allocator_may_return_null=1:max_allocation_size_mb=4000";
}
const char *__ubsan_default_options(void);
const char *__ubsan_default_options(void) {
  return "print_stacktrace=1";
}

/* Half a second of every command, and not what is tried here. */
pl_rates __wrap_pl_rates_measure(void);
pl_rates __wrap_pl_rates_measure(void) {
  return pl_rates_nominal();
}
void __wrap_pl_svd_rates(pl_rates *rates);
void __wrap_pl_svd_rates(pl_rates *rates) {
  (void)rates;
}

/* ---- commands ---- */

typedef struct outcome {
  int code, signal;
  bool slow;  /* it was told to stop */
  bool hung;  /* and did not */
  char *text; /* what it wrote to stderr */
} outcome;

typedef struct command {
  int argc, ranks;
  const char *argv[MOST_ARGS];
} command;

static void add(command *k, const char *arg) {
  if (k->argc < MOST_ARGS - 1) k->argv[k->argc++] = arg;
  k->argv[k->argc] = NULL;
}

static void leave(int code) {
  fflush(NULL);
  _exit(code);
}

_Noreturn static void be_command(const command *k) {
  /* What would fill the disk meets one that is full. */
  const struct rlimit none = {0, 0}, disk = {MOST_BYTES, MOST_BYTES};
  setrlimit(RLIMIT_CORE, &none);
  setrlimit(RLIMIT_FSIZE, &disk);
  signal(SIGXFSZ, SIG_IGN);
  setpgid(0, 0);
  if (chdir(case_folder) || !freopen("../stdout", "w", stdout) ||
      !freopen("../stderr", "w", stderr))
    _exit(99);
  if (k->ranks > 1) {
    execvpe(k->argv[0], (char *const *)(uintptr_t)k->argv, surroundings);
    _exit(99);
  }
  int64_t live = pl_mem_live();
  pl_log_init(0, PL_LOG_INFO);
  pl_set_abort_hook(leave);
  int code = pl_cli_main(k->argc, (char **)(uintptr_t)k->argv, &world);
  if (pl_mem_live() != live) {
    fprintf(stderr, "%lld blocks of memory left\n", (long long)(pl_mem_live() - live));
    code = LEAK;
  }
  leave(code);
  _exit(99);
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Wait until then; true: it has ended. */
static bool ended(pid_t pid, double until, int *status) {
  struct timespec nap = {0, 1000000};
  for (;;) {
    if (waitpid(pid, status, WNOHANG) == pid) return true;
    if (now() > until) return false;
    nanosleep(&nap, NULL);
  }
}

static char *read_text(const char *name) {
  char *path = pl_asprintf("%s/%s", folder, name), *text = pl_zalloc(1 << 16, 1, "text");
  FILE *f = fopen(path, "r");
  if (f) text[fread(text, 1, (1 << 16) - 1, f)] = 0;
  if (f) fclose(f);
  pl_free(path);
  return text;
}

static outcome execute(const command *k) {
  outcome out = {0};
  int status = 0;
  fflush(NULL);
  pid_t pid = fork();
  if (pid == 0) be_command(k);
  if (!ended(pid, now() + PATIENCE, &status)) {
    out.slow = true;
    kill(pid, SIGTERM);
    if (!ended(pid, now() + GRACE, &status)) {
      out.hung = true;
      kill(-pid, SIGKILL);
      waitpid(pid, &status, 0);
    }
  }
  out.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  out.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  out.text = read_text("stderr");
  return out;
}

#endif
