#include "nc_internal.h"

#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
  if (type) *type = pl_nc_type_of(t);
  for (int i = 0; i < n && i < max_dims; i++) {
    char dim[NC_MAX_NAME + 1] = "";
    size_t length = 0;
    nc_inq_dim(nc->id, id[i], dim, &length);
    if (dims) snprintf(dims[i], sizeof dims[i], "%.63s", dim);
    if (shape) shape[i] = (int64_t)length;
  }
  return n;
}

void pl_nc_append(char *buf, const char *fmt, ...) {
  size_t used = strlen(buf);
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(buf + used, PL_NC_DESCRIPTION - used, fmt, ap);
  va_end(ap);
}

static const char *kind(bool text) {
  return text ? "text" : "numbers";
}

/* "numbers x(sample = 10, element = 24)", for messages about an existing variable. */
void pl_nc_describe(const pl_nc *nc, const char *var, char *buf) {
  pl_nc_type type = PL_NC_OTHER;
  char dims[PL_NC_MAX_RANK][64];
  int64_t shape[PL_NC_MAX_RANK];
  int n = pl_nc_var(nc, var, &type, dims, shape, PL_NC_MAX_RANK);
  buf[0] = '\0';
  pl_nc_append(buf, "%s %s(", type == PL_NC_OTHER ? "strings" : kind(type == PL_NC_CHAR), var);
  for (int i = 0; i < n && i < PL_NC_MAX_RANK; i++)
    pl_nc_append(buf, "%s%s = %lld", i ? ", " : "", dims[i], (long long)shape[i]);
  pl_nc_append(buf, n > PL_NC_MAX_RANK ? ", ..)" : ")");
}

pl_status pl_nc_expect(const pl_nc *nc, const char *var, bool text, int ndims, int64_t *shape) {
  pl_nc_type type;
  int64_t have[PL_NC_MAX_RANK];
  pl_require(ndims <= PL_NC_MAX_RANK);
  int n = pl_nc_var(nc, var, &type, NULL, have, PL_NC_MAX_RANK);
  if (n < 0) return pl_nc_no_variable(nc, var);
  bool fits = n == ndims && type != PL_NC_OTHER && (type == PL_NC_CHAR) == text;
  for (int i = 0; fits && i < n; i++) fits = shape[i] < 0 || shape[i] == have[i];
  if (fits) {
    memcpy(shape, have, (size_t)n * sizeof *shape);
    return PL_OK;
  }
  char found[PL_NC_DESCRIPTION], want[PL_NC_DESCRIPTION] = "";
  pl_nc_describe(nc, var, found);
  pl_nc_append(want, "%s of shape (", kind(text));
  for (int i = 0; i < ndims; i++) {
    if (i) pl_nc_append(want, ", ");
    if (shape[i] < 0)
      pl_nc_append(want, "any");
    else
      pl_nc_append(want, "%lld", (long long)shape[i]);
  }
  pl_nc_append(want, ")");
  return pl_error(PL_EINPUT, "%s: found %s, expected %s", nc->path, found, want);
}

int pl_nc_owner(const pl_nc *nc, const char *var) {
  int id = NC_GLOBAL;
  return var && nc_inq_varid(nc->id, var, &id) ? -2 : id;
}

bool pl_nc_has_att(const pl_nc *nc, const char *var, const char *name) {
  int id = pl_nc_owner(nc, var);
  return id != -2 && !nc_inq_attid(nc->id, id, name, NULL);
}

char *pl_nc_att_name(const pl_nc *nc, int i) {
  char name[NC_MAX_NAME + 1];
  return nc_inq_attname(nc->id, NC_GLOBAL, i, name) ? NULL : pl_strdup(name);
}

char *pl_nc_get_att_string(const pl_nc *nc, const char *var, const char *name) {
  int id = pl_nc_owner(nc, var);
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
  int id = pl_nc_owner(nc, var);
  nc_type type;
  size_t n;
  if (id == -2 || nc_inq_att(nc->id, id, name, &type, &n)) return -1;
  pl_nc_type t = pl_nc_type_of(type);
  if (t == PL_NC_CHAR || t == PL_NC_OTHER) return -1;
  double *all = pl_alloc(n, sizeof *all, "an attribute");
  bool ok = !nc_get_att_double(nc->id, id, name, all);
  if (ok && max > 0) memcpy(v, all, (n < (size_t)max ? n : (size_t)max) * sizeof *v);
  pl_free(all);
  return ok ? pl_int((int64_t)n) : -1;
}

int pl_nc_get_att_number(const pl_nc *nc, const char *name, double *v) {
  char *text = pl_nc_get_att_string(nc, NULL, name), *end = text;
  if (!text) return pl_nc_get_att_doubles(nc, NULL, name, v, 1);
  double x = strtod(text, &end);
  bool number = end > text && !end[strspn(end, " ")];
  if (number) *v = x;
  pl_free(text);
  return number ? 1 : -1;
}
