/* Wall clock: seconds since an arbitrary start, monotonic. */
#ifndef PL_BASE_CLOCK_H
#define PL_BASE_CLOCK_H

double pl_clock(void);
/* Let others run: sleep for s seconds (fractions allowed). */
void pl_sleep(double s);

#endif
