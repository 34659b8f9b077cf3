#include "nc_internal.h"

#include "base/file.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static int copy_definitions(int from, int to) {
  int dims, vars, atts, rc;
  if ((rc = nc_inq(from, &dims, &vars, &atts, NULL))) return rc;
  for (int d = 0, id; d < dims && !rc; d++) {
    char name[NC_MAX_NAME + 1];
    size_t length;
    rc = nc_inq_dim(from, d, name, &length);
    if (!rc) rc = nc_def_dim(to, name, length, &id);
  }
  for (int v = -1; v < vars && !rc; v++) { /* NC_GLOBAL is -1 */
    char name[NC_MAX_NAME + 1];
    int n, dim[NC_MAX_VAR_DIMS], id = NC_GLOBAL;
    nc_type type;
    if (v >= 0) {
      rc = nc_inq_var(from, v, name, &type, &n, dim, &atts);
      if (!rc) rc = nc_def_var(to, name, type, n, dim, &id);
      if (!rc && n > 0) rc = nc_def_var_deflate(to, id, 1, 1, PL_NC_DEFLATE_LEVEL);
    }
    for (int a = 0; a < atts && !rc; a++) {
      rc = nc_inq_attname(from, v, a, name);
      if (!rc) rc = nc_copy_att(from, v, name, to, id);
    }
  }
  return rc ? rc : nc_enddef(to);
}

/* Copy variable v row by row of its slowest dimension, many rows at a time. */
static int copy_values(int from, int to, int v) {
  enum { ROOM = 4 << 20 };
  int n, dim[NC_MAX_VAR_DIMS], rc = nc_inq_var(from, v, NULL, NULL, &n, dim, NULL);
  size_t start[NC_MAX_VAR_DIMS] = {0}, count[NC_MAX_VAR_DIMS], size = 0, row;
  nc_type type;
  if (!rc) rc = nc_inq_vartype(from, v, &type);
  if (!rc) rc = nc_inq_type(from, type, NULL, &size);
  row = size;
  for (int i = 0; i < n && !rc; i++) {
    rc = nc_inq_dimlen(from, dim[i], &count[i]);
    if (i > 0) row *= count[i];
  }
  if (rc || !row) return rc;
  size_t rows = n ? count[0] : 1, most = row < ROOM ? ROOM / row : 1;
  void *buffer = pl_alloc(most < rows ? most : rows, row, "rows of a variable");
  for (size_t k = 0; k < rows && !rc; k += most) {
    start[0] = k;
    count[0] = rows - k < most ? rows - k : most;
    rc = nc_get_vara(from, v, start, count, buffer);
    if (!rc) rc = nc_put_vara(to, v, start, count, buffer);
  }
  pl_free(buffer);
  return rc;
}

/* Take room for a file as large as nc, and give it back. */
static pl_status try_room(const pl_nc *nc, const char *path) {
  enum { OVERHEAD = 1 << 20 };
  struct stat s;
  int fd = open(path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC), rc = fd < 0 ? errno : 0;
  if (!rc && !stat(nc->path, &s)) rc = posix_fallocate(fd, 0, s.st_size + OVERHEAD);
  if (!rc && ftruncate(fd, 0)) rc = errno;
  if (fd >= 0) close(fd);
  return rc ? pl_error(PL_EENV, "%s: cannot create: %s", path, pl_file_reason(rc)) : PL_OK;
}

pl_status pl_nc_pack(const pl_nc *from, const char *path) {
  pl_nc *to;
  int vars = 0;
  /* HDF5 does not survive a full disk, so that is found out before. */
  PL_TRY(try_room(from, path));
  PL_TRY(pl_nc_create(path, true, true, &to));
  int rc = copy_definitions(from->id, to->id);
  if (!rc) {
    to->defining = false;
    rc = nc_inq_nvars(from->id, &vars);
  }
  for (int v = 0; v < vars && !rc; v++) rc = copy_values(from->id, to->id, v);
  pl_nc_check_write(to, rc, "write", NULL);
  return pl_nc_close(to);
}
