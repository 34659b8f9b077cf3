/* An output that its sweep goes on with, or that a larger sweep extends.
 *
 * A sweep extends an earlier one if every run of that stands in it with the same values of all keys
 * that touch results: values may be added to lists (more seeds, more points of an axis, a new axis
 * with the earlier value among its own), in any place.  Where steps (or epochs) are one number for
 * all runs, it may grow: runs that had ended at their last step go on from the state that a
 * checkpoint kept (pl_spec_keeps_state); those that ended earlier, by a rule of theirs, have ended.
 * Records that are there stay as they are, to the last bit.
 *
 * With more steps, a schedule of records goes on as record.stages says (run/schedule.h), and a list
 * record.steps may go on behind the earlier last step.  Learning rates that look ahead
 * (pl_optim_looks_ahead) do not grow. */
#ifndef PL_RUN_EXTEND_H
#define PL_RUN_EXTEND_H

#include "base/lock.h"
#include "run/plan.h"

/* Put before a message that names the key. */
#define PL_NO_EXTENSION "%s: not extended by this sweep: "

/* Make the output at path that of cfg: a new file takes its place when it is whole, with all that
 * was there, and what stands beside it follows (OUT.nc.ckpt and the others, by number of run).
 * Whatever ends the program in the middle leaves the old output or the new one
 * (pl_folders_settle).  Nothing is done where it is that of cfg already.  lock: of path; shows life
 * meanwhile.  PL_EINPUT as above, or from other input files, or the final state of a run that would
 * grow was not kept; PL_EENV: it cannot be written.  Then the output is as it was.  Local: rank 0.
 */
pl_status pl_extend(const char *path, const pl_config *cfg, const pl_plan *plan,
                    const char *command, pl_lock *lock);

#endif
