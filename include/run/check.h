/* What a sweep file cannot tell by itself: does every run fit its network and its files? */
#ifndef PL_RUN_CHECK_H
#define PL_RUN_CHECK_H

#include "run/config.h"

/* Check every run of the sweep, and that all can share a file (run/outline.h): networks and files,
 * once per class of runs that agree in the keys that touch cost or data; stop.metric.  Collective;
 * PL_EINPUT with file, line and key. */
pl_status pl_sweep_check(const pl_comm *world, const pl_config *cfg);

#endif
