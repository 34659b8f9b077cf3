/* What `data` and `apply` share: an output that takes its place only when whole, and is none of the
 * inputs.  Inside cli/ only. */
#ifndef PL_CLI_DOOR_FILES_H
#define PL_CLI_DOOR_FILES_H

#include "base/comm.h"
#include "base/output.h"
#include "run/config.h"

#include <stdbool.h>

typedef struct door_output {
  pl_output out;   /* rank 0's */
  char *temporary; /* to be written, on every rank */
} door_output;

/* PL_EINPUT: there is a file at path, unless overwrite, or it is one that cfg reads, or sweep_file
 * (may be NULL).  Collective; the same status on every rank; door_output_end follows in any case.
 */
pl_status door_output_begin(door_output *o, const char *path, bool overwrite, pl_config *cfg,
                            const char *sweep_file, const pl_comm *world);
/* Put it in its place if st is PL_OK, else remove it.  Collective; returns st or why that failed.
 */
pl_status door_output_end(door_output *o, pl_status st, const pl_comm *world);

#endif
