/* What an output that is there adds to the sweep that goes on with it or extends it
 * (run/extend.h). */
#ifndef PL_RUN_ADOPT_H
#define PL_RUN_ADOPT_H

#include "run/config.h"

/* cfg, as it was read, goes on with the output at path (extend: extends it), for a shard of it
 * (shards 0: the whole).  *cfg is given record.stages, as --set, where the output has them or comes
 * to need them, and, for a shard, is told the runs that the output holds and its share of those
 * that are new; *selected: it has been told.  Nothing is done where there is no output to resume.
 * PL_EINPUT: there is none to extend, or it is not extended by this sweep; the message names the
 * key.  Collective; the same everywhere. */
pl_status pl_adopt(const pl_comm *comm, const char *path, bool extend, int64_t shard,
                   int64_t shards, pl_config **cfg, bool *selected);

#endif
