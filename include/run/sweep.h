/* The sweep: phases of teams that draw runs from rank 0, and rank 0 writing what they send.
 *
 * Rank 0 keeps the list of runs, longest first, and the output file.  It trains in the first team
 * too, and serves its mailbox between steps.  A team asks for its next run before it finishes the
 * present one.  A sweep on one rank sends no messages. */
#ifndef PL_RUN_SWEEP_H
#define PL_RUN_SWEEP_H

#include "run/check.h"
#include "run/plan.h"

typedef struct pl_sweep_options {
  const char *output;
  const char *sweep_file; /* that the sweep was read from: never replaced; NULL: none */
  bool overwrite;
  bool resume;         /* go on with the output if it is there */
  bool retry;          /* .. and train diverged and failed runs again */
  bool extend;         /* make it the output of this larger sweep first (run/extend.h) */
  const char *command; /* the command line, for the history attribute */
} pl_sweep_options;

/* Train the sweep by plan (the same on every rank).  Collective over world.  PL_OK: all runs done;
 * PL_UNFINISHED: some failed or diverged, as recorded; PL_EINPUT: the output
 * would replace what the sweep reads; PL_EENV: someone else writes the output (base/lock.h; resume
 * waits for a host that is gone), or it, or the checkpoint of a
 * stopped run, could not be written, what was acknowledged stays readable; PL_STOPPED: by a signal
 * or the clock (run/stop.h), everything saved. */
pl_status pl_sweep_run(const pl_comm *world, const pl_config *cfg, const pl_plan *plan,
                       const pl_sweep_options *options);

#endif
