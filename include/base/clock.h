/* Wall clock: seconds since an arbitrary start, monotonic. */
#ifndef PL_BASE_CLOCK_H
#define PL_BASE_CLOCK_H

double pl_clock(void);
/* Seconds of this process on its processor, which other work on the machine does not lengthen. */
double pl_clock_processor(void);
/* Let others run: sleep for s seconds (fractions allowed). */
void pl_sleep(double s);
/* Seconds for one call of f(context), which does not wait, on a machine of its own: those of the
 * processor, or of the wall clock where threads make them fewer.  The best of repeats that go on
 * for `budget` seconds, each long enough for the clock.  Local. */
double pl_best_time(void (*f)(void *context), void *context, double budget);

#endif
