/* One writer per output: a file OUT.nc.lock beside it, which holds who writes.  Local: rank 0 of a
 * job holds it for all.
 *
 * Made for shared file systems, where flock is not to be relied on.  The lock is created
 * exclusively, with its content (a hard link to a finished file), and shows life by its time of
 * change, the heartbeat.  It is stale
 *   - at once, if its process is known to be dead: this host has none of that number and starting
 *     time;
 *   - if its process ran elsewhere, in another container or before this host started anew, and its
 *     heartbeat is older than it promised: PL_LOCK_STALE seconds unless pl_lock_promise said
 *     otherwise.
 * A process on this host that lives holds its lock, however long it was stopped.  A stale lock is
 * taken over with a warning.  Times of change are compared with that of a file just made beside the
 * lock, since the clock of a file server is not ours.
 *
 * Links: the lock stands beside the file that path leads to (pl_file_target), so that two names of
 * one output share it. */
#ifndef PL_BASE_LOCK_H
#define PL_BASE_LOCK_H

#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PL_LOCK_BEAT = 10, PL_LOCK_STALE = 60 }; /* seconds */

/* Who writes, as the lock says. */
typedef struct pl_lock_holder {
  char host[256];
  int64_t pid;     /* 0: the lock cannot be read, or is not one */
  int64_t started; /* start of the process: clock ticks since boot */
  char boot[40];   /* the host's start, and the process' name space; empty: not known */
  int64_t pid_space;
  int64_t since;  /* when it took the lock: seconds of the epoch, by its clock */
  char job[64];   /* of the queue; empty: none */
  double promise; /* s within which the next heartbeat will come */
  double age;     /* s since the last one; below 0: the clock has been set back since */
  char token[40]; /* unlike that of any other lock */
} pl_lock_holder;

typedef enum { PL_LOCK_FREE, PL_LOCK_HELD, PL_LOCK_DEAD } pl_lock_state;

typedef struct pl_lock pl_lock;

/* Take the lock of the output at path, which need not exist.  PL_EENV: someone holds it, as the
 * message says, or it cannot be made.  wait: where a process elsewhere holds it, wait so many
 * seconds at most for its heartbeat to grow stale (the first wait is announced); stop, if not NULL,
 * is asked several times a second meanwhile: true ends with PL_STOPPED. */
pl_status pl_lock_take(const char *path, double wait, bool (*stop)(void), pl_lock **out);
/* A heartbeat that was first seen at `since` by pl_clock, which no change of the time disturbs. */
typedef struct pl_lock_watch {
  double changed, since;
} pl_lock_watch;
/* Has the heartbeat, `changed` as seen now, stood still for longer than promised?  A process that
 * died before a clock was set back would else hold its lock until the time is reached again: who
 * waits (pl_lock_take) looks at this too.  Zero-initialise w.  Pure. */
bool pl_lock_stands_still(pl_lock_watch *w, double changed, double now, double promise);
/* Now and then, at least every PL_LOCK_STALE / 2 seconds: shows life, and does nothing if it did in
 * the last PL_LOCK_BEAT seconds.  PL_EENV: the lock has been removed or taken over, and the output
 * must not be written any more; it stays so.  lock NULL: PL_OK. */
pl_status pl_lock_beat(pl_lock *lock);
/* The same, asked now: before something is written that cannot be taken back. */
pl_status pl_lock_confirm(pl_lock *lock);
/* From now on heartbeats may be so many seconds apart (at least PL_LOCK_STALE): for steps that take
 * longer than that. */
pl_status pl_lock_promise(pl_lock *lock, double seconds);
/* The file's own path, borrowed. */
const char *pl_lock_path(const pl_lock *lock);
/* Remove it, if it is still ours, and free lock (may be NULL). */
void pl_lock_release(pl_lock *lock);

/* Is the output at path written by anyone?  Takes nothing.  holder (may be NULL) is set unless
 * PL_LOCK_FREE. */
pl_lock_state pl_lock_query(const char *path, pl_lock_holder *holder);
/* Warn, if someone writes the output at path, that it is taken as it now is. */
void pl_lock_warn(const char *path);
/* "host n7, process 4711, since 2026-01-31 12:00:00, job 17, last sign of life 3 s ago".  Returns
 * buf. */
const char *pl_lock_describe(const pl_lock_holder *holder, char *buf, size_t n);

#endif
