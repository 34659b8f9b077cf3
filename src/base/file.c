#include "base/file.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

pl_status pl_file_absent(const char *path, bool overwrite) {
  if (overwrite || access(path, F_OK)) return PL_OK;
  return pl_error(PL_EINPUT, "%s: exists already; use --overwrite to replace it", path);
}

static int sync_at(const char *path, int flags) {
  int fd = open(path, O_RDONLY | O_CLOEXEC | flags);
  if (fd < 0) return -1;
  int rc = fsync(fd), kept = errno;
  close(fd);
  errno = kept;
  return rc;
}

static int sync_folder_of(const char *path) {
  const char *slash = strrchr(path, '/');
  char *folder =
      slash ? pl_asprintf("%.*s", slash == path ? 1 : (int)(slash - path), path) : pl_strdup(".");
  int rc = sync_at(folder, O_DIRECTORY);
  pl_free(folder);
  /* Some file systems cannot sync a folder: they have no more to give. */
  return rc && errno != EINVAL ? rc : 0;
}

pl_status pl_file_replace(const char *from, const char *path, const char *previous) {
  const char *doing = "sync to disk";
  int rc = sync_at(from, 0);
  if (!rc && previous) {
    doing = "keep the file before it";
    rc = rename(path, previous);
    if (rc && errno == ENOENT) rc = 0;
  }
  if (!rc) {
    doing = "rename";
    rc = rename(from, path);
  }
  if (!rc) {
    doing = "sync the folder";
    rc = sync_folder_of(path);
  }
  if (!rc) return PL_OK;
  int reason = errno;
  unlink(from);
  return pl_error(PL_EENV, "%s: cannot %s: %s", path, doing, strerror(reason));
}
