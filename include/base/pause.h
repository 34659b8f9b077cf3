/* Work that takes long looks up now and then: a signal may have come, or others wait for this
 * process.  What is looked after is the business of whoever began the work. */
#ifndef PL_BASE_PAUSE_H
#define PL_BASE_PAUSE_H

#include "base/status.h"

/* From now on f(context) is called at every pause, until it returns something else than PL_OK: that
 * is then the answer to all further ones.  NULL: nothing is called.  Local. */
void pl_pause_do(pl_status (*f)(void *context), void *context);
/* To be called several times a second, between two pieces of the work: a sample made, a matrix
 * decomposed, a file read.  PL_STOPPED: give the work up, as after any other error; or leave out
 * what is left of a loop without collective calls and go on, for whoever began the work throws the
 * result away (pl_pause_answer).  Local: ranks that work together agree (pl_agree) before one of
 * them leaves out a collective call. */
pl_status pl_pause(void);
/* What pauses have been told since pl_pause_do.  Local. */
pl_status pl_pause_answer(void);

#endif
