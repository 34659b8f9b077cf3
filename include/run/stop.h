/* When to leave early: a signal (SIGUSR1, SIGTERM, SIGINT, SIGHUP unless it was ignored, SIGXCPU),
 * the program's own clock, or so many steps made.  The first one asks the sweep to save and leave;
 * a second SIGINT ends the program at once.  Before pl_stop_later there is nothing to save, and
 * every signal ends the program at once, with PL_STOPPED.  Local: ranks agree in the training loop.
 */
#ifndef PL_RUN_STOP_H
#define PL_RUN_STOP_H

#include <stdbool.h>
#include <stdint.h>

/* Install the handlers, after MPI_Init (which has handlers of its own).  seconds: the clock runs
 * out so long after now; INFINITY: never. */
void pl_stop_install(double seconds);
/* From now on signals wait until the caller asks. */
void pl_stop_later(void);
/* There is nothing to save again, for a while that may be long: signals end the program at once,
 * also one that waits already. */
void pl_stop_at_once(void);
/* A file that ending at once removes (copied; "": none), if it is still the one that is there now:
 * a lock. */
void pl_stop_removes(const char *path);
/* Leave after so many calls of pl_stop_step. */
void pl_stop_after(int64_t steps);
/* A step comes; true: it is the last one of this session. */
bool pl_stop_step(void);
/* Is it time to leave? */
bool pl_stop_requested(void);
/* "SIGTERM", "--max-time", "--max-steps"; NULL while nothing asks. */
const char *pl_stop_reason(void);

/* "3:50:00", "50:00" (minutes), "600" (seconds), "1.5h", "30m", "45s", "2d", Slurm's
 * "2-12:00:00" (days, then hours and less) in seconds; 0 if not understood. */
double pl_parse_duration(const char *text);

#endif
