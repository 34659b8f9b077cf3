#include "run/stop.h"

#include "base/clock.h"
#include "base/status.h"

#include <limits.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct {
  int number;
  const char *name;
} signals[] = {{SIGUSR1, "SIGUSR1"},
               {SIGTERM, "SIGTERM"},
               {SIGINT, "SIGINT"},
               {SIGHUP, "SIGHUP"},
               {SIGXCPU, "SIGXCPU"}};
enum { NUM_SIGNALS = sizeof signals / sizeof *signals };

static volatile sig_atomic_t caught, working, worked;
static double deadline = INFINITY;
static int64_t steps_left = INT64_MAX;
static char removed[PATH_MAX]; /* by leave */
static struct stat removed_as;

/* While there is nothing to save, whatever the program is about to do or waits for.  Only what a
 * handler may call. */
static void leave(void) {
  static const char before[] = "plancherel: warning: stopped by a signal before any training\n",
                    again[] =
                        "plancherel: warning: stopped by a signal while a run was set up; run "
                        "again with --resume\n";
  struct stat now;
  if (*removed && !stat(removed, &now) && now.st_dev == removed_as.st_dev &&
      now.st_ino == removed_as.st_ino)
    unlink(removed);
  ssize_t written = worked ? write(STDERR_FILENO, again, sizeof again - 1)
                           : write(STDERR_FILENO, before, sizeof before - 1);
  (void)written;
  _exit(PL_STOPPED);
}

static void handle(int signal) {
  if (signal == SIGINT && caught == SIGINT) _exit(128 + SIGINT);
  caught = signal;
  if (!working) leave();
}

void pl_stop_install(double seconds) {
  struct sigaction action = {.sa_handler = handle, .sa_flags = SA_RESTART}, was;
  sigemptyset(&action.sa_mask);
  for (int i = 0; i < NUM_SIGNALS; i++) {
    /* nohup's choice stands. */
    if (signals[i].number == SIGHUP && !sigaction(SIGHUP, NULL, &was) && was.sa_handler == SIG_IGN)
      continue;
    sigaction(signals[i].number, &action, NULL);
  }
  deadline = pl_clock() + seconds;
}

void pl_stop_later(void) {
  working = worked = 1;
}

void pl_stop_at_once(void) {
  working = 0;
  if (caught) leave();
}

void pl_stop_removes(const char *path) {
  *removed = 0;
  if (*path && strlen(path) < sizeof removed && !stat(path, &removed_as)) strcpy(removed, path);
}

void pl_stop_after(int64_t steps) {
  steps_left = steps;
}

bool pl_stop_step(void) {
  return --steps_left <= 0;
}

bool pl_stop_requested(void) {
  return caught || steps_left <= 0 || pl_clock() >= deadline;
}

const char *pl_stop_reason(void) {
  for (int i = 0; i < NUM_SIGNALS; i++)
    if (caught == signals[i].number) return signals[i].name;
  if (steps_left <= 0) return "--max-steps";
  return pl_stop_requested() ? "--max-time" : NULL;
}

/* "[HH:]MM:SS", "MM" minutes or, behind the days of Slurm, "HH[:MM[:SS]]". */
static double parse_clock(const char *text, double scale) {
  double total = 0;
  for (int parts = 1; parts <= 3; parts++) {
    char *end;
    if (*text < '0' || *text > '9') return 0;
    double x = strtod(text, &end);
    total += scale ? scale * x : 59 * total + x;
    scale /= 60;
    if (!*end) return isfinite(total) ? total : 0;
    if (*end != ':') return 0;
    text = end + 1;
  }
  return 0;
}

double pl_parse_duration(const char *text) {
  char *end;
  if (*text < '0' || *text > '9') return 0;
  double x = strtod(text, &end);
  const char *unit = *end ? strchr("smhd", *end) : NULL;
  if (unit)
    return end[1] || !isfinite(x) ? 0
                                  : x * (*unit == 's'   ? 1
                                         : *unit == 'm' ? 60
                                         : *unit == 'h' ? 3600
                                                        : 86400);
  if (*end != '-') return parse_clock(text, 0);
  /* 2-00:00:00: no hours is no time unless there are days. */
  bool zero = strspn(end + 1, "0:") == strlen(end + 1) && end[1];
  double rest = zero ? 0 : parse_clock(end + 1, 3600);
  return isfinite(x) && (rest > 0 || zero) ? 86400 * x + rest : 0;
}
