/* Paths in values of keys, relative to a folder.  Local. */
#ifndef PL_RUN_PATHS_H
#define PL_RUN_PATHS_H

#include "model/key.h"
#include "run/arena.h"

/* The folder that the file at path is in: "" for the working folder, "jobs", "/".  The caller frees
 * it. */
char *pl_path_folder(const char *path);
/* A folder's place from anywhere ("": the working folder's), as it is spelt where it does not
 * exist.  The caller frees it. */
char *pl_path_absolute(const char *folder);
/* The value of a key that names files, those with relative paths led through folder.  The arena's.
 */
const char *pl_path_lead(pl_arena *arena, const pl_key *key, const char *value, const char *folder);
/* Number i of the files that the value names: where it begins, and its length; false past the last.
 */
bool pl_path_file(const pl_key *key, const char *value, int i, const char **start, int *length);

#endif
