/* Messages to stderr.  Data never goes here, messages never to stdout. */
#ifndef PL_BASE_LOG_H
#define PL_BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

typedef enum { PL_LOG_ERROR, PL_LOG_WARNING, PL_LOG_INFO } pl_log_level;

/* rank decides who speaks; level is the most talkative that is printed (--quiet: warnings). */
void pl_log_init(int rank, pl_log_level level);
/* From now on warnings and errors only. */
void pl_log_quiet(void);
/* Printed by rank 0 only. */
void pl_log(pl_log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Printed by the calling rank, with its number. */
void pl_log_all(pl_log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Progress of a sweep.  On a terminal one line that is rewritten at most five times a second;
 * elsewhere a plain line at least every 10 % of the work and at most one a second. */
typedef struct pl_progress {
  double start, last;  /* seconds of pl_clock */
  double next_percent; /* off a terminal: the next share of the work to announce */
  bool tty, open_line;
  int64_t steps; /* steps done so far, this session */
  double before; /* share of the work that earlier sessions did: the time left is told without it */
} pl_progress;
void pl_progress_init(pl_progress *p);
/* Would an update print now? */
bool pl_progress_due(const pl_progress *p, double work, bool final);
/* done of total runs finished; work is the share (0..1) of the sweep's work that is done. */
void pl_progress_update(pl_progress *p, int64_t done, int64_t total, double work, bool final);

#endif
