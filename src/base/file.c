#include "base/file.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { COPIED = 1 << 20 }; /* bytes at a time */
enum { MAX_LINKS = 40, MAX_NAMES = 100 };

/* ---- inputs ---- */

const char *pl_file_irregular(mode_t mode) {
  return S_ISDIR(mode)    ? "not a regular file but a directory"
         : S_ISFIFO(mode) ? "not a regular file but a FIFO"
         : S_ISCHR(mode)  ? "not a regular file but a device"
                          : "not a regular file";
}

pl_status pl_file_open(const char *path, int *fd) {
  /* Without O_NONBLOCK a FIFO would keep us here until someone writes to it. */
  int got = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (got < 0) {
    bool missing = errno == ENOENT || errno == ENOTDIR || errno == ENXIO || errno == ELOOP;
    return pl_error(missing ? PL_EINPUT : PL_EENV, "%s: %s", path,
                    errno == ENXIO ? "not a regular file" : strerror(errno));
  }
  struct stat s = {0};
  if (fstat(got, &s) || !S_ISREG(s.st_mode)) {
    close(got);
    return pl_error(PL_EINPUT, "%s: %s", path, pl_file_irregular(s.st_mode));
  }
  *fd = got;
  return PL_OK;
}

pl_status pl_file_read(const char *path, int64_t most, const char *what, char **text,
                       size_t *size) {
  int fd;
  PL_TRY(pl_file_open(path, &fd));
  struct stat s;
  /* Files of /proc have size 0 and yet content. */
  size_t room = !fstat(fd, &s) && s.st_size < most ? (size_t)s.st_size + 4096 : (size_t)most + 1;
  size_t used = 0;
  char *buf = pl_alloc(room + 1, 1, "a text file");
  pl_status st = PL_OK;
  for (;;) {
    if (used == room) buf = pl_realloc(buf, (room *= 2) + 1, 1, "a text file");
    ssize_t got = read(fd, buf + used, room - used);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) st = pl_error(PL_EENV, "%s: cannot read: %s", path, strerror(errno));
    if (got <= 0) break;
    used += (size_t)got;
    if (used <= (size_t)most) continue;
    st = pl_error(PL_EINPUT, "%s: larger than %lld bytes, too large for %s", path, (long long)most,
                  what);
    break;
  }
  close(fd);
  if (st) {
    pl_free(buf);
    return st;
  }
  buf[used] = 0;
  *text = buf;
  if (size) *size = used;
  return PL_OK;
}

static char *folder_of(const char *path) {
  const char *slash = strrchr(path, '/');
  if (!slash) return pl_strdup(".");
  return pl_asprintf("%.*s", slash == path ? 1 : (int)(slash - path), path);
}

char *pl_file_target(const char *path) {
  char *at = pl_strdup(path), link[PATH_MAX];
  for (int i = 0; i < MAX_LINKS; i++) {
    ssize_t n = readlink(at, link, sizeof link - 1);
    if (n <= 0) break;
    link[n] = 0;
    char *folder = folder_of(at);
    char *next = *link == '/' ? pl_strdup(link) : pl_asprintf("%s/%s", folder, link);
    pl_free(folder);
    pl_free(at);
    at = next;
  }
  return at;
}

static bool same_inode(const struct stat *a, const struct stat *b) {
  return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* Of names that are not there: the same name in the same folder. */
static bool same_absent(const char *a, const char *b) {
  char *at_a = pl_file_target(a), *at_b = pl_file_target(b), *in_a = folder_of(at_a),
       *in_b = folder_of(at_b);
  const char *slash_a = strrchr(at_a, '/'), *slash_b = strrchr(at_b, '/');
  struct stat sa, sb;
  bool same = !strcmp(slash_a ? slash_a + 1 : at_a, slash_b ? slash_b + 1 : at_b) &&
              !stat(in_a, &sa) && !stat(in_b, &sb) && same_inode(&sa, &sb);
  pl_free(in_a);
  pl_free(in_b);
  pl_free(at_a);
  pl_free(at_b);
  return same;
}

bool pl_file_same(const char *a, const char *b) {
  struct stat sa, sb;
  bool no_a = stat(a, &sa) != 0, no_b = stat(b, &sb) != 0;
  if (no_a && no_b) return same_absent(a, b);
  return !no_a && !no_b && same_inode(&sa, &sb);
}

/* ---- outputs ---- */

const char *pl_file_reason(int error) {
  return error == EFBIG ? "File too large (for ulimit -f, or for the disk)" : strerror(error);
}

pl_status pl_file_absent(const char *path, bool overwrite) {
  if (overwrite) return pl_file_replaceable(path);
  if (access(path, F_OK)) return PL_OK;
  return pl_error(PL_EINPUT, "%s: exists already; use --overwrite to replace it", path);
}

pl_status pl_file_replaceable(const char *path) {
  struct stat s;
  if (stat(path, &s) || S_ISREG(s.st_mode)) return PL_OK;
  return pl_error(PL_EENV, "%s: cannot replace: %s", path,
                  S_ISDIR(s.st_mode) ? strerror(EISDIR) : "not a regular file");
}

/* Hardly ever given twice: names of several processes on several hosts beside each other. */
static uint64_t scramble(int i) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  uint64_t x = (uint64_t)now.tv_nsec ^ (uint64_t)now.tv_sec << 30 ^ (uint64_t)getpid() << 17;
  x = (x + (uint64_t)i) * UINT64_C(0x9E3779B97F4A7C15);
  return x ^ x >> 29;
}

pl_status pl_file_temporary(const char *path, char **name, int *fd) {
  static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789";
  /* Not mkstemp: the mode is that of other outputs, 0666 less the umask. */
  for (int i = 0; i < MAX_NAMES; i++) {
    char suffix[9] = ".", *s = suffix + 1;
    for (uint64_t x = scramble(i); s < suffix + 8; x /= 36) *s++ = letters[x % 36];
    char *try = pl_asprintf("%s%s", path, suffix);
    int got = open(try, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (got >= 0) {
      if (fd)
        *fd = got;
      else
        close(got);
      *name = try;
      return PL_OK;
    }
    int reason = errno;
    pl_free(try);
    if (reason != EEXIST)
      return pl_error(PL_EENV, "%s: cannot create a file beside it: %s", path,
                      pl_file_reason(reason));
  }
  return pl_error(PL_EENV, "%s: cannot create a file beside it: no free name", path);
}

/* The name of what failed, or NULL. */
static const char *copy_bytes(int from, int to) {
  char *block = pl_alloc(COPIED, 1, "a piece of a file");
  const char *failed = NULL;
  for (ssize_t n; !failed && (n = read(from, block, COPIED)) != 0;) {
    if (n < 0) {
      failed = errno == EINTR ? NULL : "read";
      continue;
    }
    for (ssize_t done = 0, m; done < n && !failed; done += m > 0 ? m : 0) {
      m = write(to, block + done, (size_t)(n - done));
      if (m < 0 && errno != EINTR) failed = "write a copy of";
    }
  }
  int reason = errno;
  pl_free(block);
  errno = reason;
  return failed;
}

pl_status pl_file_copy_beside(const char *from, const char *path, char **name) {
  int in, out;
  PL_TRY(pl_file_open(from, &in));
  pl_status st = pl_file_temporary(path, name, &out);
  if (!st) {
    const char *failed = copy_bytes(in, out);
    if (failed) st = pl_error(PL_EENV, "%s: cannot %s it: %s", from, failed, pl_file_reason(errno));
    close(out);
    if (st) {
      unlink(*name);
      pl_free(*name);
    }
  }
  close(in);
  return st;
}

static int sync_at(const char *path, int flags) {
  int fd = open(path, O_RDONLY | O_CLOEXEC | flags);
  if (fd < 0) return -1;
  int rc = fsync(fd), kept = errno;
  close(fd);
  errno = kept;
  return rc;
}

/* Some file systems cannot sync a folder: they have no more to give. */
static int sync_folder(const char *folder) {
  int rc = sync_at(folder, O_DIRECTORY);
  return rc && errno != EINVAL ? rc : 0;
}

static int sync_folder_of(const char *path) {
  char *folder = folder_of(path);
  int rc = sync_folder(folder), reason = errno;
  pl_free(folder);
  errno = reason;
  return rc;
}

pl_status pl_file_sync_folder(const char *folder) {
  if (!sync_folder(folder)) return PL_OK;
  return pl_error(PL_EENV, "%s: cannot sync the folder: %s", folder, strerror(errno));
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
  return pl_error(PL_EENV, "%s: cannot %s: %s", path, doing, pl_file_reason(reason));
}
