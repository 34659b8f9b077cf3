/* Status codes and the one error message of this process.
 *
 * Three kinds of trouble (CONTRIBUTING.md, "Rules"):
 *   1. input or environment: functions return a pl_status and leave a message (pl_error);
 *   2. a broken invariant or no memory: pl_die ends the whole job;
 *   3. numerical trouble: PL_NUMERIC, recorded as the outcome of one run; the sweep goes on.
 * Codes equal to exit codes of the program stand first. */
#ifndef PL_BASE_STATUS_H
#define PL_BASE_STATUS_H

#define PL_STATUS_LIST(X)                                                                          \
  X(PL_OK, 0, "done")                                                                              \
  X(PL_UNFINISHED, 1, "some runs failed or diverged")                                              \
  X(PL_EINPUT, 2, "usage or bad input")                                                            \
  X(PL_EENV, 3, "environment: memory, disk, file system or MPI")                                   \
  X(PL_EBUG, 70, "broken invariant in the program")                                                \
  X(PL_STOPPED, 75, "stopped by a signal or the clock, everything saved")                          \
  X(PL_NUMERIC, 80, "numerical trouble in one run")

typedef enum {
#define X(name, value, text) name = value,
  PL_STATUS_LIST(X)
#undef X
} pl_status;

/* Set this process's error message (printf format) and return st.  Local.
 * A later message replaces an earlier one. */
pl_status pl_error(pl_status st, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Put "prefix" before the current message and return st: callers add file, line or key. */
pl_status pl_error_in(pl_status st, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The current message ("" if none).  Borrowed, valid until the next pl_error. */
const char *pl_error_message(void);

/* End the whole job: print place and message, then call the abort hook (MPI_Abort once MPI runs)
 * with st.  For broken invariants (PL_EBUG) and exhausted memory (PL_EENV) only.  Never returns. */
_Noreturn void pl_die_at(const char *file, int line, pl_status st, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
#define pl_die(st, ...) pl_die_at(__FILE__, __LINE__, st, __VA_ARGS__)
#define pl_require(cond)                                                                           \
  do {                                                                                             \
    if (!(cond)) pl_die(PL_EBUG, "invariant violated: %s", #cond);                                 \
  } while (0)

/* Installed by comm: how to end every rank of the job. */
void pl_set_abort_hook(void (*hook)(int code));

/* Return early on a status that is the same on every rank (or in code that no other rank waits
 * for).  Never on a status that can differ by rank before a collective: pl_agree first. */
#define PL_TRY(call)                                                                               \
  do {                                                                                             \
    pl_status pl_try_ = (call);                                                                    \
    if (pl_try_) return pl_try_;                                                                   \
  } while (0)

#endif
