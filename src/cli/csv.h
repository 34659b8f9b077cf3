/* CSV files (RFC 4180) that a command writes beside its output.  Inside cli/ only.  Local: rank 0.
 */
#ifndef PL_CLI_CSV_H
#define PL_CLI_CSV_H

#include "base/status.h"

#include <stdbool.h>
#include <stdio.h>

/* Zero-initialise. */
typedef struct csv {
  const char *path; /* borrowed */
  char *name;       /* under which it is written */
  FILE *file;
} csv;

/* A new file beside the one that path leads to, under another name.  PL_EINPUT: path is one of the
 * others (NULL among them is passed over), or exists and is not to be overwritten.  End it whatever
 * the status. */
pl_status csv_begin(csv *out, const char *path, bool overwrite, int num_others,
                    const char *const *others);
/* Give the file its name if all went well, remove it otherwise (st: of what came before).  Returns
 * the first trouble. */
pl_status csv_end(csv *out, pl_status st);
/* Text in quotes. */
void csv_text(FILE *file, const char *text);

#endif
