#include "csv.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/output.h"
#include "base/remains.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

pl_status csv_begin(csv *out, const char *path, bool overwrite, int num_others,
                    const char *const *others) {
  int fd;
  PL_TRY(pl_output_apart(path, num_others, others));
  PL_TRY(pl_file_absent(path, overwrite));
  char *target = pl_file_target(path);
  pl_status st = pl_file_temporary(target, &out->name, &fd);
  pl_free(target);
  PL_TRY(st);
  pl_remains_add(out->name);
  out->path = path;
  out->file = fdopen(fd, "w");
  if (out->file) return PL_OK;
  close(fd);
  return pl_error(PL_EENV, "%s: %s", path, strerror(errno));
}

pl_status csv_end(csv *out, pl_status st) {
  if (!out->name) return st;
  /* Where writing failed before, closing may not, and the reason is gone. */
  bool failed = out->file && ferror(out->file);
  errno = 0;
  failed |= out->file && fclose(out->file);
  if (!st && failed)
    st = pl_error(PL_EENV, "%s: %s", out->path,
                  errno ? pl_file_reason(errno) : "could not be written whole");
  if (st) {
    unlink(out->name);
  } else {
    char *target = pl_file_target(out->path);
    st = pl_file_replace(out->name, target, NULL);
    pl_free(target);
  }
  pl_remains_drop(out->name);
  pl_free(out->name);
  *out = (csv){0};
  return st;
}

void csv_text(FILE *file, const char *text) {
  putc('"', file);
  for (; *text; text++) {
    if (*text == '"') putc('"', file);
    putc(*text, file);
  }
  putc('"', file);
}
