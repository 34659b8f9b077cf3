/* Files: inputs are read only if they are regular and bounded; outputs are not lost by mistake, and
 * replaced so that a kill or a power cut leaves the old or the new one, whole.  Local. */
#ifndef PL_BASE_FILE_H
#define PL_BASE_FILE_H

#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* ---- inputs ---- */

/* What stands there in place of a regular file: "not a regular file but a directory", .. */
const char *pl_file_irregular(mode_t mode);
/* A descriptor to read path by.  Only regular files: a folder, a device or a FIFO (which would keep
 * the caller waiting) is PL_EINPUT, as is a missing file; one that may not be read is PL_EENV.  The
 * caller closes it. */
pl_status pl_file_open(const char *path, int *fd);
/* The whole of a regular file of at most `most` bytes, of which a zero byte not counted in *size
 * (may be NULL) follows the last; the caller frees *text (pl_free).  what says in messages what was
 * expected ("rankings").  PL_EINPUT as pl_file_open, or larger. */
pl_status pl_file_read(const char *path, int64_t most, const char *what, char **text, size_t *size);
/* Do both paths lead to one file: by another spelling, a symbolic or a hard link?  Of names that do
 * not exist yet: would both create the same file?  false where either cannot be known. */
bool pl_file_same(const char *a, const char *b);
/* Where path leads: symbolic links at its end are followed, to a name that need not exist.  The
 * caller frees it (pl_free). */
char *pl_file_target(const char *path);

/* ---- outputs ---- */

/* Why a write failed, in words: as strerror, but a file beyond what a process may write names
 * `ulimit -f`, which users set and forget. */
const char *pl_file_reason(int error);
/* PL_EINPUT if there is something at path, unless overwrite: said before long work.  pl_nc_create
 * says the same, after it. */
pl_status pl_file_absent(const char *path, bool overwrite);
/* PL_EENV if what is at path is no regular file, such as a folder or a device: no output takes its
 * place.  pl_file_absent asks it, where it is to overwrite. */
pl_status pl_file_replaceable(const char *path);
/* A new empty file beside path, under a name that nothing had, "PATH.XXXXXX": never an existing
 * file, nor one behind a link.  *fd (NULL: closed) is open for writing; the caller frees *name
 * (pl_free), and removes or renames the file (pl_file_replace). */
pl_status pl_file_temporary(const char *path, char **name, int *fd);
/* A copy of the file `from` beside path, which may be the same, under a name of its own
 * (pl_file_temporary); the caller frees *name (pl_free), and removes or renames the file. */
pl_status pl_file_copy_beside(const char *from, const char *path, char **name);
/* The names in a folder survive a power cut.  PL_EENV: it cannot be told to the disk. */
pl_status pl_file_sync_folder(const char *folder);
/* fsync from and rename it to path, and see to it that the name survives a power cut.  PL_EENV:
 * from is removed, path is as it was; or, where the last could not be seen to, from is at path, and
 * a power cut may undo that.  previous, if not NULL, first takes over the file at path: at every
 * moment one of the two is whole. */
pl_status pl_file_replace(const char *from, const char *path, const char *previous);

#endif
