#include "run/stop.h"

#include "base/clock.h"

#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t caught;
static double deadline = INFINITY;

static void handle(int signal) {
  if (signal == SIGINT && caught == SIGINT) _exit(128 + SIGINT);
  caught = signal;
}

void pl_stop_install(double seconds) {
  struct sigaction action = {.sa_handler = handle, .sa_flags = SA_RESTART};
  sigemptyset(&action.sa_mask);
  sigaction(SIGUSR1, &action, NULL);
  sigaction(SIGTERM, &action, NULL);
  sigaction(SIGINT, &action, NULL);
  deadline = pl_clock() + seconds;
}

bool pl_stop_requested(void) {
  return caught || pl_clock() >= deadline;
}

const char *pl_stop_reason(void) {
  switch (caught) {
  case SIGUSR1:
    return "SIGUSR1";
  case SIGTERM:
    return "SIGTERM";
  case SIGINT:
    return "SIGINT";
  }
  return pl_stop_requested() ? "--max-time" : NULL;
}

double pl_parse_duration(const char *text) {
  double total = 0;
  for (int parts = 1; parts <= 3; parts++) {
    char *end;
    if (*text < '0' || *text > '9') return 0;
    double x = strtod(text, &end);
    total = 60 * total + x;
    if (!*end) return isfinite(total) ? total : 0;
    const char *unit = strchr("smh", *end);
    if (unit && parts == 1) return end[1] ? 0 : x * (*unit == 's' ? 1 : *unit == 'm' ? 60 : 3600);
    if (*end != ':') return 0;
    text = end + 1;
  }
  return 0;
}
