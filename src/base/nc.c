#include "base/nc.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <netcdf.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_DIMS = 8, DEFLATE_LEVEL = 4, DESCRIPTION_SIZE = 1024 };

struct pl_nc {
  int id;
  char *path;
  bool netcdf4, defining;
  pl_status failed; /* of the first define, write or sync that failed */
  char *message;
};

_Static_assert(sizeof(long long) == sizeof(int64_t), "NetCDF's long long is int64_t here");

/* ---- errors ---- */

/* NetCDF passes errno on as a positive code.  HDF5 hides its reason: when writing it is taken for
 * the disk, when reading for the file. */
static pl_status classify(int rc, bool writing) {
  if (rc > 0 || rc == NC_ENOMEM || rc == NC_EIO) return PL_EENV;
  return writing && rc <= NC_EHDFERR && rc >= NC_EVARMETA ? PL_EENV : PL_EINPUT;
}

/* PL_OK for NC_NOERR, else a message "path: cannot <doing> 'name': reason". */
static pl_status check(const pl_nc *nc, int rc, bool writing, const char *doing, const char *name) {
  if (!rc) return PL_OK;
  const char *quote = name ? "'" : "";
  return pl_error(classify(rc, writing), "%s: cannot %s%s%s%s%s: %s", nc->path, doing,
                  name ? " " : "", quote, name ? name : "", quote, nc_strerror(rc));
}

static pl_status keep(pl_nc *nc, pl_status st) {
  if (st && !nc->failed) {
    nc->failed = st;
    nc->message = pl_strdup(pl_error_message());
  }
  return st;
}

static pl_status check_write(pl_nc *nc, int rc, const char *doing, const char *name) {
  return keep(nc, check(nc, rc, true, doing, name));
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
  struct stat s;
  bool regular = !fstat(fd, &s) && S_ISREG(s.st_mode);
  close(fd);
  if (regular) return PL_OK;
  return pl_error(creating ? PL_EENV : PL_EINPUT, "%s: not a regular file", path);
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

pl_status pl_nc_create(const char *path, bool overwrite, bool netcdf4, pl_nc **out) {
  PL_TRY(probe(path, O_WRONLY | O_CREAT | (overwrite ? 0 : O_EXCL)));
  pl_nc *nc = new_file(path, netcdf4, true);
  int mode = NC_CLOBBER | (netcdf4 ? NC_NETCDF4 : NC_64BIT_DATA);
  pl_status st = check(nc, nc_create(path, mode, &nc->id), true, "create", NULL);
  if (st) {
    unlink(path);
    free_file(nc);
    return st;
  }
  *out = nc;
  return PL_OK;
}

/* Bytes of all values in a file of a classic format, which the library reads as zeros, without an
 * error, where they lie beyond the end of the file. */
static double least_bytes(int id) {
  int vars = 0;
  double sum = 0;
  nc_inq_nvars(id, &vars);
  for (int v = 0; v < vars; v++) {
    int dims[NC_MAX_VAR_DIMS], n = 0;
    nc_type type = NC_BYTE;
    size_t size = 0, length = 0;
    nc_inq_var(id, v, NULL, &type, &n, dims, NULL);
    nc_inq_type(id, type, NULL, &size);
    double bytes = (double)size;
    for (int d = 0; d < n; d++) bytes *= nc_inq_dimlen(id, dims[d], &length) ? 0 : (double)length;
    sum += bytes;
  }
  return sum;
}

pl_status pl_nc_open(const char *path, bool writable, pl_nc **out) {
  PL_TRY(probe(path, writable ? O_RDWR : O_RDONLY));
  int id, format, rc = nc_open(path, writable ? NC_WRITE : NC_NOWRITE, &id);
  if (rc > 0) return pl_error(PL_EENV, "%s: cannot open: %s", path, nc_strerror(rc));
  if (rc) return pl_error(PL_EINPUT, "%s: not a readable NetCDF file: %s", path, nc_strerror(rc));
  nc_inq_format(id, &format);
  bool netcdf4 = format == NC_FORMAT_NETCDF4 || format == NC_FORMAT_NETCDF4_CLASSIC;
  struct stat s;
  double least = netcdf4 ? 0 : least_bytes(id);
  if (!stat(path, &s) && (double)s.st_size < least) {
    nc_close(id);
    return pl_error(PL_EINPUT, "%s: truncated: %lld bytes, its variables alone fill %.0f", path,
                    (long long)s.st_size, least);
  }
  *out = new_file(path, netcdf4, false);
  (*out)->id = id;
  return PL_OK;
}

pl_status pl_nc_close(pl_nc *nc) {
  if (!nc) return PL_OK;
  /* Once HDF5 could not write, closing its file crashes the library: it stays open. */
  bool closable = !(nc->netcdf4 && nc->failed == PL_EENV);
  if (nc->defining) {
    if (closable) nc_abort(nc->id);
    unlink(nc->path);
  } else if (closable) {
    check_write(nc, nc_close(nc->id), "close", NULL);
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

static pl_nc_type from_nc(nc_type type) {
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
    return keep(nc, pl_error(PL_EINPUT, "%s: dimension '%s' has length %lld, expected at least 1",
                             nc->path, name, (long long)length));
  int dim;
  return check_write(nc, nc_def_dim(nc->id, name, (size_t)length, &dim), "define dimension", name);
}

static pl_status find_dims(pl_nc *nc, const char *var, const char *const *dims, int *id, int *n) {
  for (*n = 0; dims && dims[*n]; ++*n) {
    if (*n == MAX_DIMS)
      return keep(nc, pl_error(PL_EINPUT, "%s: variable '%s' has more than %d dimensions", nc->path,
                               var, MAX_DIMS));
    if (nc_inq_dimid(nc->id, dims[*n], &id[*n]))
      return keep(nc, pl_error(PL_EINPUT, "%s: variable '%s' needs dimension '%s', not defined",
                               nc->path, var, dims[*n]));
  }
  return PL_OK;
}

pl_status pl_nc_def_var(pl_nc *nc, const char *name, pl_nc_type type, const char *const *dims,
                        const char *long_name, const char *units) {
  int dim[MAX_DIMS], n, var;
  PL_TRY(find_dims(nc, name, dims, dim, &n));
  int rc = nc_def_var(nc->id, name, to_nc(type), n, dim, &var);
  if (!rc && nc->netcdf4 && n > 0) rc = nc_def_var_deflate(nc->id, var, 1, 1, DEFLATE_LEVEL);
  PL_TRY(check_write(nc, rc, "define variable", name));
  if (long_name) PL_TRY(pl_nc_att_text(nc, name, "long_name", long_name));
  if (units) PL_TRY(pl_nc_att_text(nc, name, "units", units));
  if (type == PL_NC_DOUBLE)
    PL_TRY(pl_nc_att_doubles(nc, name, "_FillValue", (const double[]){NC_FILL_DOUBLE}, 1));
  if (type == PL_NC_CHAR) PL_TRY(pl_nc_att_text(nc, name, "_Encoding", "utf-8"));
  return PL_OK;
}

static pl_status no_variable(const pl_nc *nc, const char *var) {
  return pl_error(PL_EINPUT, "%s: no variable '%s'", nc->path, var);
}

/* The owner of an attribute: a variable or, for NULL, the file; -2 if there is no such variable. */
static int owner(const pl_nc *nc, const char *var) {
  int id = NC_GLOBAL;
  return var && nc_inq_varid(nc->id, var, &id) ? -2 : id;
}

pl_status pl_nc_att_text(pl_nc *nc, const char *var, const char *name, const char *value) {
  int id = owner(nc, var);
  if (id == -2) return keep(nc, no_variable(nc, var));
  return check_write(nc, nc_put_att_text(nc->id, id, name, strlen(value), value), "write attribute",
                     name);
}

pl_status pl_nc_att_doubles(pl_nc *nc, const char *var, const char *name, const double *v, int n) {
  int id = owner(nc, var);
  if (id == -2) return keep(nc, no_variable(nc, var));
  return check_write(nc, nc_put_att_double(nc->id, id, name, NC_DOUBLE, (size_t)n, v),
                     "write attribute", name);
}

pl_status pl_nc_att_ints(pl_nc *nc, const char *var, const char *name, pl_nc_type type,
                         const int *v, int n) {
  int id = owner(nc, var);
  if (id == -2) return keep(nc, no_variable(nc, var));
  return check_write(nc, nc_put_att_int(nc->id, id, name, to_nc(type), (size_t)n, v),
                     "write attribute", name);
}

pl_status pl_nc_redefine(pl_nc *nc) {
  return check_write(nc, nc_redef(nc->id), "define more in", NULL);
}

pl_status pl_nc_end_def(pl_nc *nc) {
  PL_TRY(check_write(nc, nc_enddef(nc->id), "write the empty file", NULL));
  /* The last page may still be in NetCDF's buffer, and network file systems refuse only at fsync:
   * the file counts as defined once both have passed. */
  PL_TRY(pl_nc_fsync(nc));
  nc->defining = false;
  return PL_OK;
}

pl_status pl_nc_sync(pl_nc *nc) {
  return check_write(nc, nc_sync(nc->id), "write", NULL);
}

pl_status pl_nc_fsync(pl_nc *nc) {
  PL_TRY(pl_nc_sync(nc));
  /* NetCDF does not show its descriptor; fsync acts on the file, so any descriptor does. */
  int fd = open(nc->path, O_RDONLY | O_CLOEXEC);
  int rc = fd < 0 || fsync(fd) ? errno : 0;
  if (fd >= 0) close(fd);
  return check_write(nc, rc, "sync to disk", NULL);
}

/* ---- questions ---- */

int64_t pl_nc_dim(const pl_nc *nc, const char *name) {
  int dim;
  size_t length;
  if (nc_inq_dimid(nc->id, name, &dim) || nc_inq_dimlen(nc->id, dim, &length)) return -1;
  return (int64_t)length;
}

int pl_nc_var(const pl_nc *nc, const char *name, pl_nc_type *type, char dims[][64], int64_t *shape,
              int max_dims) {
  int var, n, id[NC_MAX_VAR_DIMS];
  nc_type t;
  if (nc_inq_varid(nc->id, name, &var) || nc_inq_var(nc->id, var, NULL, &t, &n, id, NULL))
    return -1;
  if (type) *type = from_nc(t);
  for (int i = 0; i < n && i < max_dims; i++) {
    char dim[NC_MAX_NAME + 1] = "";
    size_t length = 0;
    nc_inq_dim(nc->id, id[i], dim, &length);
    if (dims) snprintf(dims[i], sizeof dims[i], "%.63s", dim);
    if (shape) shape[i] = (int64_t)length;
  }
  return n;
}

static void append(char *buf, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void append(char *buf, const char *fmt, ...) {
  size_t used = strlen(buf);
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(buf + used, DESCRIPTION_SIZE - used, fmt, ap);
  va_end(ap);
}

static const char *kind(bool text) {
  return text ? "text" : "numbers";
}

/* "numbers x(sample = 10, element = 24)", for messages about an existing variable. */
static void describe(const pl_nc *nc, const char *var, char *buf) {
  pl_nc_type type = PL_NC_OTHER;
  char dims[MAX_DIMS][64];
  int64_t shape[MAX_DIMS];
  int n = pl_nc_var(nc, var, &type, dims, shape, MAX_DIMS);
  buf[0] = '\0';
  append(buf, "%s %s(", type == PL_NC_OTHER ? "strings" : kind(type == PL_NC_CHAR), var);
  for (int i = 0; i < n && i < MAX_DIMS; i++)
    append(buf, "%s%s = %lld", i ? ", " : "", dims[i], (long long)shape[i]);
  append(buf, n > MAX_DIMS ? ", ..)" : ")");
}

pl_status pl_nc_expect(const pl_nc *nc, const char *var, bool text, int ndims, int64_t *shape) {
  pl_nc_type type;
  int64_t have[MAX_DIMS];
  pl_require(ndims <= MAX_DIMS);
  int n = pl_nc_var(nc, var, &type, NULL, have, MAX_DIMS);
  if (n < 0) return no_variable(nc, var);
  bool fits = n == ndims && type != PL_NC_OTHER && (type == PL_NC_CHAR) == text;
  for (int i = 0; fits && i < n; i++) fits = shape[i] < 0 || shape[i] == have[i];
  if (fits) {
    memcpy(shape, have, (size_t)n * sizeof *shape);
    return PL_OK;
  }
  char found[DESCRIPTION_SIZE], want[DESCRIPTION_SIZE] = "";
  describe(nc, var, found);
  append(want, "%s of shape (", kind(text));
  for (int i = 0; i < ndims; i++) {
    if (i) append(want, ", ");
    if (shape[i] < 0)
      append(want, "any");
    else
      append(want, "%lld", (long long)shape[i]);
  }
  append(want, ")");
  return pl_error(PL_EINPUT, "%s: found %s, expected %s", nc->path, found, want);
}

char *pl_nc_get_att_string(const pl_nc *nc, const char *var, const char *name) {
  int id = owner(nc, var);
  nc_type type;
  size_t n;
  if (id == -2 || nc_inq_att(nc->id, id, name, &type, &n)) return NULL;
  /* Python writes text that is not ASCII into netCDF-4 as one string. */
  if (type == NC_STRING && n == 1) {
    char *s;
    if (nc_get_att_string(nc->id, id, name, &s)) return NULL;
    char *copy = pl_strdup(s ? s : "");
    nc_free_string(1, &s);
    return copy;
  }
  if (type != NC_CHAR) return NULL;
  char *text = pl_zalloc(n + 1, 1, "an attribute");
  if (!nc_get_att_text(nc->id, id, name, text)) return text;
  pl_free(text);
  return NULL;
}

bool pl_nc_get_att_text(const pl_nc *nc, const char *var, const char *name, char *buf, size_t n) {
  char *text = pl_nc_get_att_string(nc, var, name);
  bool fits = text && strlen(text) < n;
  if (fits) strcpy(buf, text);
  pl_free(text);
  return fits;
}

int pl_nc_get_att_doubles(const pl_nc *nc, const char *var, const char *name, double *v, int max) {
  int id = owner(nc, var);
  nc_type type;
  size_t n;
  if (id == -2 || nc_inq_att(nc->id, id, name, &type, &n)) return -1;
  pl_nc_type t = from_nc(type);
  if (t == PL_NC_CHAR || t == PL_NC_OTHER) return -1;
  double *all = pl_alloc(n, sizeof *all, "an attribute");
  bool ok = !nc_get_att_double(nc->id, id, name, all);
  if (ok && max > 0) memcpy(v, all, (n < (size_t)max ? n : (size_t)max) * sizeof *v);
  pl_free(all);
  return ok ? pl_int((int64_t)n) : -1;
}

/* ---- hyperslabs ---- */

typedef struct {
  int var;
  size_t start[MAX_DIMS], count[MAX_DIMS];
} slab;

static pl_status locate(const pl_nc *nc, const char *var, bool text, const int64_t *start,
                        const int64_t *count, slab *s) {
  pl_nc_type type;
  int64_t shape[MAX_DIMS];
  char found[DESCRIPTION_SIZE];
  int n = pl_nc_var(nc, var, &type, NULL, shape, MAX_DIMS);
  if (n < 0) return no_variable(nc, var);
  if (n > MAX_DIMS || type == PL_NC_OTHER || (type == PL_NC_CHAR) != text) {
    describe(nc, var, found);
    return pl_error(PL_EINPUT, "%s: found %s, expected %s of at most %d dimensions", nc->path,
                    found, kind(text), MAX_DIMS);
  }
  nc_inq_varid(nc->id, var, &s->var);
  for (int i = 0; i < n; i++) {
    int64_t from = start ? start[i] : 0, len = count ? count[i] : shape[i] - from;
    if (from < 0 || len < 0 || from > shape[i] || len > shape[i] - from) {
      describe(nc, var, found);
      return pl_error(PL_EINPUT, "%s: %s has no entries %lld..%lld along its dimension %d",
                      nc->path, found, (long long)from, (long long)(from + len - 1), i + 1);
    }
    s->start[i] = (size_t)from;
    s->count[i] = (size_t)len;
  }
  return PL_OK;
}

pl_status pl_nc_put_doubles(pl_nc *nc, const char *var, const int64_t *start, const int64_t *count,
                            const double *v) {
  slab s;
  pl_status st = locate(nc, var, false, start, count, &s);
  if (st) return keep(nc, st);
  return check_write(nc, nc_put_vara_double(nc->id, s.var, s.start, s.count, v), "write", var);
}

pl_status pl_nc_put_missing(pl_nc *nc, const char *var, const int64_t *start,
                            const int64_t *count) {
  slab s;
  size_t n = 1;
  pl_status st = locate(nc, var, false, start, count, &s);
  if (st) return keep(nc, st);
  for (int i = 0, dims = pl_nc_var(nc, var, NULL, NULL, NULL, 0); i < dims; i++) n *= s.count[i];
  double *fill = pl_alloc(n, sizeof *fill, "missing values");
  for (size_t i = 0; i < n; i++) fill[i] = NC_FILL_DOUBLE;
  int rc = nc_put_vara_double(nc->id, s.var, s.start, s.count, fill);
  pl_free(fill);
  return check_write(nc, rc, "write", var);
}

pl_status pl_nc_put_ints(pl_nc *nc, const char *var, const int64_t *start, const int64_t *count,
                         const int64_t *v) {
  slab s;
  pl_status st = locate(nc, var, false, start, count, &s);
  if (st) return keep(nc, st);
  return check_write(nc, nc_put_vara_longlong(nc->id, s.var, s.start, s.count, (const void *)v),
                     "write", var);
}

pl_status pl_nc_put_text(pl_nc *nc, const char *var, const int64_t *start, const int64_t *count,
                         const char *v) {
  slab s;
  pl_status st = locate(nc, var, true, start, count, &s);
  if (st) return keep(nc, st);
  return check_write(nc, nc_put_vara_text(nc->id, s.var, s.start, s.count, v), "write", var);
}

pl_status pl_nc_get_doubles(const pl_nc *nc, const char *var, const int64_t *start,
                            const int64_t *count, double *v) {
  slab s;
  PL_TRY(locate(nc, var, false, start, count, &s));
  return check(nc, nc_get_vara_double(nc->id, s.var, s.start, s.count, v), false, "read", var);
}

pl_status pl_nc_get_ints(const pl_nc *nc, const char *var, const int64_t *start,
                         const int64_t *count, int64_t *v) {
  slab s;
  PL_TRY(locate(nc, var, false, start, count, &s));
  return check(nc, nc_get_vara_longlong(nc->id, s.var, s.start, s.count, (void *)v), false, "read",
               var);
}

pl_status pl_nc_get_text(const pl_nc *nc, const char *var, const int64_t *start,
                         const int64_t *count, char *v) {
  slab s;
  PL_TRY(locate(nc, var, true, start, count, &s));
  return check(nc, nc_get_vara_text(nc->id, s.var, s.start, s.count, v), false, "read", var);
}

/* ---- packing ---- */

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
      if (!rc && n > 0) rc = nc_def_var_deflate(to, id, 1, 1, DEFLATE_LEVEL);
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
  int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666), rc = fd < 0 ? errno : 0;
  if (!rc && !stat(nc->path, &s)) rc = posix_fallocate(fd, 0, s.st_size + OVERHEAD);
  if (fd >= 0) {
    close(fd);
    unlink(path);
  }
  return rc ? pl_error(PL_EENV, "%s: cannot create: %s", path, strerror(rc)) : PL_OK;
}

pl_status pl_nc_pack(const pl_nc *from, const char *path) {
  pl_nc *to;
  int vars = 0;
  /* HDF5 does not survive a full disk, so that is found out before. */
  PL_TRY(try_room(from, path));
  PL_TRY(pl_nc_create(path, false, true, &to));
  int rc = copy_definitions(from->id, to->id);
  if (!rc) {
    to->defining = false;
    rc = nc_inq_nvars(from->id, &vars);
  }
  for (int v = 0; v < vars && !rc; v++) rc = copy_values(from->id, to->id, v);
  check_write(to, rc, "write", NULL);
  return pl_nc_close(to);
}
