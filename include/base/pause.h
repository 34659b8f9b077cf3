/* Work that takes long looks up now and then: a signal may have come, or others wait for this
 * process.  What is looked after is the business of whoever began the work. */
#ifndef PL_BASE_PAUSE_H
#define PL_BASE_PAUSE_H

#include "base/status.h"

/* From now on f(context) is called at every pause; NULL: nothing is.  Local. */
void pl_pause_do(pl_status (*f)(void *context), void *context);
/* To be called several times a second, between two pieces of the work: a sample made, a file read.
 * PL_STOPPED: give the work up, as after any other error.  Local: ranks that work together agree
 * (pl_agree) before the next collective call. */
pl_status pl_pause(void);

#endif
