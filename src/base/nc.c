#include "nc_internal.h"

#include "base/file.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* ---- errors ---- */

/* NetCDF passes errno on as a positive code, and also what it happened to find in a damaged file:
 * when reading, only the reasons that a file system has are taken at their word. */
static bool of_the_system(int rc, bool writing) {
  static const int reasons[] = {EIO,    ENOMEM, EACCES, EPERM, EMFILE, ENFILE,
                                ESTALE, ENODEV, ENXIO,  EINTR, EAGAIN, ETIMEDOUT};
  for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
    if (rc == reasons[i]) return true;
  return writing && rc > 0;
}

/* HDF5 hides its reason: when writing it is taken for the disk, when reading for the file. */
static pl_status classify(int rc, bool writing) {
  if (of_the_system(rc, writing) || rc == NC_ENOMEM || rc == NC_EIO) return PL_EENV;
  return writing && rc <= NC_EHDFERR && rc >= NC_EVARMETA ? PL_EENV : PL_EINPUT;
}

static const char *reason(int rc, bool writing) {
  if (rc > 0 && !of_the_system(rc, writing)) return "the file is damaged";
  if (rc > 0) return pl_file_reason(rc);
  return rc == NC_EHDFERR && !writing ? "the file is damaged, says HDF5" : nc_strerror(rc);
}

pl_status pl_nc_check(const pl_nc *nc, int rc, bool writing, const char *doing, const char *name) {
  if (!rc) return PL_OK;
  const char *quote = name ? "'" : "";
  return pl_error(classify(rc, writing), "%s: cannot %s%s%s%s%s: %s", nc->path, doing,
                  name ? " " : "", quote, name ? name : "", quote, reason(rc, writing));
}

pl_status pl_nc_keep(pl_nc *nc, pl_status st) {
  if (st && !nc->failed) {
    nc->failed = st;
    nc->message = pl_strdup(pl_error_message());
  }
  return st;
}

pl_status pl_nc_check_write(pl_nc *nc, int rc, const char *doing, const char *name) {
  return pl_nc_keep(nc, pl_nc_check(nc, rc, true, doing, name));
}

/* ---- open and close ---- */

/* NetCDF and HDF5 blur the reason why a path does not open (and take "http://.." for a request to
 * the network), so the system is asked first.  Anything but a regular file is refused. */
static pl_status probe(const char *path, int flags) {
  bool creating = flags & O_CREAT;
  int fd = open(path, flags | O_CLOEXEC | O_NONBLOCK, 0666);
  if (fd < 0) {
    if (errno == EEXIST)
      return pl_error(PL_EINPUT, "%s: exists already; use --overwrite to replace it", path);
    bool missing = !creating && (errno == ENOENT || errno == ENOTDIR);
    return pl_error(missing ? PL_EINPUT : PL_EENV, "%s: cannot %s: %s", path,
                    creating ? "create" : "open", strerror(errno));
  }
  struct stat s = {0};
  bool regular = !fstat(fd, &s) && S_ISREG(s.st_mode);
  close(fd);
  if (regular) return PL_OK;
  return pl_error(creating ? PL_EENV : PL_EINPUT, "%s: %s", path, pl_file_irregular(s.st_mode));
}

static pl_nc *new_file(const char *path, bool netcdf4, bool defining) {
  pl_nc *nc = pl_zalloc(1, sizeof *nc, "an open NetCDF file");
  nc->path = pl_strdup(path);
  nc->netcdf4 = netcdf4;
  nc->defining = defining;
  return nc;
}

static void free_file(pl_nc *nc) {
  pl_free(nc->message);
  pl_free(nc->path);
  pl_free(nc);
}

/* NetCDF fills a new file in pieces of so many bytes: two pages, were it not told. */
static const size_t PIECE = 1 << 16;

/* The file that probe has found at path. */
static pl_status create(const char *path, bool netcdf4, pl_nc **out) {
  pl_nc *nc = new_file(path, netcdf4, true);
  int mode = NC_CLOBBER | (netcdf4 ? NC_NETCDF4 : NC_64BIT_DATA);
  size_t piece = PIECE;
  pl_status st = pl_nc_check(nc, nc__create(path, mode, 0, &piece, &nc->id), true, "create", NULL);
  if (st) {
    unlink(path);
    free_file(nc);
    return st;
  }
  *out = nc;
  return PL_OK;
}

pl_status pl_nc_create(const char *path, bool overwrite, bool netcdf4, pl_nc **out) {
  PL_TRY(probe(path, O_WRONLY | O_CREAT | (overwrite ? 0 : O_EXCL)));
  PL_TRY(create(path, netcdf4, out));
  stat(path, &(*out)->file);
  (*out)->file.st_size = 0;
  return PL_OK;
}

pl_status pl_nc_create_beside(const char *target, bool netcdf4, pl_nc **out) {
  char *name;
  int fd;
  struct stat made, now;
  PL_TRY(pl_file_temporary(target, &name, &fd));
  fstat(fd, &made);
  close(fd);
  pl_status st = create(name, netcdf4, out);
  /* NetCDF opens by name. */
  if (!st && (lstat(name, &now) || now.st_ino != made.st_ino || now.st_dev != made.st_dev)) {
    st = pl_error(PL_EENV, "%s: replaced while it was created", name);
    nc_abort((*out)->id);
    free_file(*out);
    *out = NULL;
  } else if (!st) {
    (*out)->file = made;
  }
  pl_free(name);
  return st;
}

pl_status pl_nc_open(const char *path, bool writable, pl_nc **out) {
  PL_TRY(probe(path, writable ? O_RDWR : O_RDONLY));
  PL_TRY(pl_nc_check_header(path));
  PL_TRY(pl_nc_try(path));
  int id, format, rc = nc_open(path, writable ? NC_WRITE : NC_NOWRITE, &id);
  if (rc && classify(rc, false) == PL_EENV)
    return pl_error(PL_EENV, "%s: cannot open: %s", path, reason(rc, false));
  if (rc) return pl_error(PL_EINPUT, "%s: not a readable NetCDF file: %s", path, reason(rc, false));
  nc_inq_format(id, &format);
  bool netcdf4 = format == NC_FORMAT_NETCDF4 || format == NC_FORMAT_NETCDF4_CLASSIC;
  *out = new_file(path, netcdf4, false);
  (*out)->id = id;
  stat(path, &(*out)->file);
  return PL_OK;
}

bool pl_nc_is_netcdf4(const pl_nc *nc) {
  return nc->netcdf4;
}

pl_status pl_nc_close(pl_nc *nc) {
  if (!nc) return PL_OK;
  /* Once HDF5 could not write, closing its file crashes the library: it stays open. */
  bool closable = !(nc->netcdf4 && nc->failed == PL_EENV);
  if (nc->defining) {
    if (closable) nc_abort(nc->id);
    unlink(nc->path);
  } else if (closable) {
    pl_nc_check_write(nc, nc_close(nc->id), "close", NULL);
  }
  pl_status st = nc->failed;
  if (st) pl_error(st, "%s", nc->message);
  free_file(nc);
  return st;
}

const char *pl_nc_path(const pl_nc *nc) {
  return nc->path;
}

/* ---- define ---- */

static nc_type to_nc(pl_nc_type type) {
  switch (type) {
  case PL_NC_CHAR:
    return NC_CHAR;
  case PL_NC_BYTE:
    return NC_BYTE;
  case PL_NC_INT:
    return NC_INT;
  case PL_NC_INT64:
    return NC_INT64;
  case PL_NC_DOUBLE:
    return NC_DOUBLE;
  case PL_NC_OTHER:
    break;
  }
  pl_die(PL_EBUG, "no NetCDF type to write for %d", type);
}

pl_nc_type pl_nc_type_of(nc_type type) {
  switch (type) {
  case NC_CHAR:
    return PL_NC_CHAR;
  case NC_BYTE:
    return PL_NC_BYTE;
  case NC_UBYTE:
  case NC_SHORT:
  case NC_USHORT:
  case NC_INT:
    return PL_NC_INT;
  case NC_UINT:
  case NC_INT64:
  case NC_UINT64:
    return PL_NC_INT64;
  case NC_FLOAT:
  case NC_DOUBLE:
    return PL_NC_DOUBLE;
  default:
    return PL_NC_OTHER;
  }
}

pl_status pl_nc_def_dim(pl_nc *nc, const char *name, int64_t length) {
  if (length < 1)
    return pl_nc_keep(nc,
                      pl_error(PL_EINPUT, "%s: dimension '%s' has length %lld, expected at least 1",
                               nc->path, name, (long long)length));
  int dim;
  return pl_nc_check_write(nc, nc_def_dim(nc->id, name, (size_t)length, &dim), "define dimension",
                           name);
}

static pl_status find_dims(pl_nc *nc, const char *var, const char *const *dims, int *id, int *n) {
  for (*n = 0; dims && dims[*n]; ++*n) {
    if (*n == PL_NC_MAX_RANK)
      return pl_nc_keep(nc, pl_error(PL_EINPUT, "%s: variable '%s' has more than %d dimensions",
                                     nc->path, var, PL_NC_MAX_RANK));
    if (nc_inq_dimid(nc->id, dims[*n], &id[*n]))
      return pl_nc_keep(nc,
                        pl_error(PL_EINPUT, "%s: variable '%s' needs dimension '%s', not defined",
                                 nc->path, var, dims[*n]));
  }
  return PL_OK;
}

pl_status pl_nc_def_var(pl_nc *nc, const char *name, pl_nc_type type, const char *const *dims,
                        const char *long_name, const char *units) {
  int dim[PL_NC_MAX_RANK], n, var;
  PL_TRY(find_dims(nc, name, dims, dim, &n));
  int rc = nc_def_var(nc->id, name, to_nc(type), n, dim, &var);
  if (!rc && nc->netcdf4 && n > 0) rc = nc_def_var_deflate(nc->id, var, 1, 1, PL_NC_DEFLATE_LEVEL);
  PL_TRY(pl_nc_check_write(nc, rc, "define variable", name));
  if (long_name) PL_TRY(pl_nc_att_text(nc, name, "long_name", long_name));
  if (units) PL_TRY(pl_nc_att_text(nc, name, "units", units));
  if (type == PL_NC_DOUBLE)
    PL_TRY(pl_nc_att_doubles(nc, name, "_FillValue", (const double[]){NC_FILL_DOUBLE}, 1));
  if (type == PL_NC_CHAR) PL_TRY(pl_nc_att_text(nc, name, "_Encoding", "utf-8"));
  return PL_OK;
}

pl_status pl_nc_no_variable(const pl_nc *nc, const char *var) {
  return pl_error(PL_EINPUT, "%s: no variable '%s'", nc->path, var);
}

pl_status pl_nc_att_text(pl_nc *nc, const char *var, const char *name, const char *value) {
  int id = pl_nc_owner(nc, var);
  if (id == -2) return pl_nc_keep(nc, pl_nc_no_variable(nc, var));
  return pl_nc_check_write(nc, nc_put_att_text(nc->id, id, name, strlen(value), value),
                           "write attribute", name);
}

pl_status pl_nc_att_doubles(pl_nc *nc, const char *var, const char *name, const double *v, int n) {
  int id = pl_nc_owner(nc, var);
  if (id == -2) return pl_nc_keep(nc, pl_nc_no_variable(nc, var));
  return pl_nc_check_write(nc, nc_put_att_double(nc->id, id, name, NC_DOUBLE, (size_t)n, v),
                           "write attribute", name);
}

pl_status pl_nc_att_ints(pl_nc *nc, const char *var, const char *name, pl_nc_type type,
                         const int *v, int n) {
  int id = pl_nc_owner(nc, var);
  if (id == -2) return pl_nc_keep(nc, pl_nc_no_variable(nc, var));
  return pl_nc_check_write(nc, nc_put_att_int(nc->id, id, name, to_nc(type), (size_t)n, v),
                           "write attribute", name);
}

pl_status pl_nc_redefine(pl_nc *nc) {
  return pl_nc_check_write(nc, nc_redef(nc->id), "define more in", NULL);
}

/* Whoever moves, replaces or cuts off an output while it is written would get a success from us and
 * nothing in the file. */
static pl_status still_there(pl_nc *nc) {
  struct stat now;
  const char *what = NULL;
  if (stat(nc->path, &now))
    what = "has been moved or removed";
  else if (now.st_dev != nc->file.st_dev || now.st_ino != nc->file.st_ino)
    what = "has been replaced by another file";
  else if (now.st_size < nc->file.st_size)
    what = "has been cut off";
  if (what) return pl_nc_keep(nc, pl_error(PL_EENV, "%s: %s while it was written", nc->path, what));
  /* What is prefilled or once written stays. */
  nc->file.st_size = now.st_size;
  return PL_OK;
}

pl_status pl_nc_end_def(pl_nc *nc) {
  PL_TRY(pl_nc_check_write(nc, nc_enddef(nc->id), "write the empty file", NULL));
  /* The last page may still be in NetCDF's buffer, and network file systems refuse only at fsync:
   * the file counts as defined once both have passed. */
  PL_TRY(pl_nc_fsync(nc));
  nc->defining = false;
  return PL_OK;
}

pl_status pl_nc_sync(pl_nc *nc) {
  PL_TRY(pl_nc_check_write(nc, nc_sync(nc->id), "write", NULL));
  return still_there(nc);
}

pl_status pl_nc_fsync(pl_nc *nc) {
  PL_TRY(pl_nc_sync(nc));
  /* NetCDF does not show its descriptor; fsync acts on the file, so any descriptor does. */
  int fd = open(nc->path, O_RDONLY | O_CLOEXEC);
  int rc = fd < 0 || fsync(fd) ? errno : 0;
  if (fd >= 0) close(fd);
  return pl_nc_check_write(nc, rc, "sync to disk", NULL);
}
