#include "base/nc_read.h"

#include "base/mem.h"
#include "nc_internal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MOST_MARKS = 16 };

/* Integers of 64 bits do not fit doubles: they are read, and compared with marks, as themselves
 * (unsigned ones wrapped); all others as doubles, exactly. */
struct pl_nc_input {
  const pl_nc *nc;
  char *name;
  int id, ndims;
  int64_t shape[PL_NC_MAX_RANK];
  pl_nc_number number;
  nc_type type;
  int bits;         /* of an integer type, else 0 */
  bool is_unsigned; /* what is meant, after _Unsigned */
  int marks;        /* values that mean "missing" */
  double mark[MOST_MARKS];
  int64_t mark64[MOST_MARKS];
  const char *mark_name[MOST_MARKS];
  double valid[2];
  bool scaled;
  double factor, offset;
};

/* ---- what is found, what is wanted ---- */

static void describe_wanted(const char *var, int ndims, const pl_nc_axis *axes, char *buf) {
  buf[0] = 0;
  pl_nc_append(buf, "%s", var);
  for (int d = 0; d < ndims; d++) {
    pl_nc_append(buf, "%s%s", d ? ", " : "(", axes[d].name ? axes[d].name : "any");
    if (axes[d].length >= 0) pl_nc_append(buf, " = %lld", (long long)axes[d].length);
    if (axes[d].length >= 0 && axes[d].is) pl_nc_append(buf, ", %s", axes[d].is);
  }
  if (ndims) pl_nc_append(buf, ")");
}

static pl_status no_such(const pl_nc *nc, const char *var, int ndims, const pl_nc_axis *axes) {
  char wanted[PL_NC_DESCRIPTION], have[PL_NC_DESCRIPTION] = "";
  describe_wanted(var, ndims, axes, wanted);
  int n = 0;
  nc_inq_nvars(nc->id, &n);
  for (int v = 0; v < n && strlen(have) < 300; v++) {
    char name[NC_MAX_NAME + 1] = "";
    nc_inq_varname(nc->id, v, name);
    pl_nc_append(have, "%s%s", v ? ", " : "", name);
  }
  return pl_error(PL_EINPUT, "%s: no variable '%s': expected %s; the file has %s", nc->path, var,
                  wanted, n ? have : "none");
}

static pl_status refuse(const pl_nc *nc, const char *var, int ndims, const pl_nc_axis *axes,
                        const char *why) {
  char found[PL_NC_DESCRIPTION], wanted[PL_NC_DESCRIPTION];
  pl_nc_describe(nc, var, found);
  describe_wanted(var, ndims, axes, wanted);
  return pl_error(PL_EINPUT, "%s: found %s, expected numbers %s%s", nc->path, found, wanted, why);
}

static bool named(const pl_nc_axis *a, const char *name) {
  return !a->name || !strcmp(a->name, name);
}

static pl_status check_axes(const pl_nc *nc, int id, const char *var, int ndims, pl_nc_axis *axes,
                            int64_t *shape) {
  int n, dim[NC_MAX_VAR_DIMS], known = 0;
  char name[PL_NC_MAX_RANK][NC_MAX_NAME + 1];
  bool right = true, fits = true;
  nc_inq_varndims(nc->id, id, &n);
  if (n != ndims || n > PL_NC_MAX_RANK) return refuse(nc, var, ndims, axes, "");
  nc_inq_vardimid(nc->id, id, dim);
  for (int d = 0; d < n; d++) {
    size_t length = 0;
    nc_inq_dim(nc->id, dim[d], name[d], &length);
    shape[d] = (int64_t)length;
    right &= named(&axes[d], name[d]);
    fits &= axes[d].length < 0 || axes[d].length == shape[d];
    for (int e = 0; e < n; e++) known += axes[e].name && !strcmp(axes[e].name, name[d]);
  }
  if (!right && known == n)
    return refuse(nc, var, ndims, axes, ": its dimensions stand in another order");
  if (!right) return refuse(nc, var, ndims, axes, fits ? ": a dimension has another name" : "");
  if (!fits) return refuse(nc, var, ndims, axes, "");
  for (int d = 0; d < n; d++) axes[d].length = shape[d];
  return PL_OK;
}

static pl_status check_type(pl_nc_input *in, int ndims, const pl_nc_axis *axes) {
  static const int bits[] = {
      [NC_BYTE] = 8,  [NC_UBYTE] = 8,  [NC_SHORT] = 16,  [NC_USHORT] = 16, [NC_INT] = 32,
      [NC_UINT] = 32, [NC_INT64] = 64, [NC_UINT64] = 64, [NC_DOUBLE] = 0,  [NC_STRING] = 0};
  nc_type t = in->type;
  if (t == NC_CHAR || t == NC_STRING) return refuse(in->nc, in->name, ndims, axes, "");
  if (t > NC_STRING)
    return refuse(in->nc, in->name, ndims, axes,
                  ": its type is of the user's own, such as complex numbers");
  in->bits = bits[t];
  in->is_unsigned = t == NC_UBYTE || t == NC_USHORT || t == NC_UINT || t == NC_UINT64;
  char text[16];
  if (in->bits && pl_nc_get_att_text(in->nc, in->name, "_Unsigned", text, sizeof text)) {
    if (strcmp(text, "true") && strcmp(text, "false"))
      return pl_error(PL_EINPUT, "%s: attribute _Unsigned of %s is \"%s\", expected true or false",
                      in->nc->path, in->name, text);
    in->is_unsigned = !strcmp(text, "true");
  }
  return PL_OK;
}

/* ---- attributes ---- */

static bool is_long(const pl_nc_input *in) {
  return in->bits == 64;
}

/* A number below 64 bits as what is meant: of the other sign, where _Unsigned says so. */
static double meant(const pl_nc_input *in, double v) {
  double range = ldexp(1, in->bits);
  if (in->is_unsigned) return v < 0 ? v + range : v;
  return v >= range / 2 ? v - range : v;
}

/* As the variable itself would hold it. */
static double as_stored(const pl_nc_input *in, double v) {
  if (in->type == NC_FLOAT) return (double)(float)v;
  return in->bits && !is_long(in) ? meant(in, v) : v;
}

static void add_mark(pl_nc_input *in, const char *name, double v, int64_t v64) {
  if (in->marks == MOST_MARKS) return;
  in->mark[in->marks] = as_stored(in, v);
  in->mark64[in->marks] = v64;
  in->mark_name[in->marks++] = name;
}

/* Numbers of an attribute into v (and v64, where it and the variable are long); -1 if absent. */
static pl_status numbers_of(const pl_nc_input *in, const char *name, int max, int *n, double *v,
                            int64_t *v64) {
  nc_type type;
  size_t length;
  *n = -1;
  if (nc_inq_att(in->nc->id, in->id, name, &type, &length)) return PL_OK;
  if (type == NC_CHAR || type >= NC_STRING || length < 1 || length > (size_t)max)
    return pl_error(PL_EINPUT, "%s: attribute %s of %s must be %s", in->nc->path, name, in->name,
                    max == 1   ? "a number"
                    : max == 2 ? "two numbers"
                               : "a few numbers");
  int rc = nc_get_att_double(in->nc->id, in->id, name, v);
  unsigned long long wide[MOST_MARKS];
  for (size_t i = 0; !rc && i < length; i++)
    v64[i] = v[i] >= -0x1p63 && v[i] < 0x1p63 ? (int64_t)v[i] : 0;
  if (!rc && type == NC_INT64) rc = nc_get_att_longlong(in->nc->id, in->id, name, (void *)v64);
  if (!rc && type == NC_UINT64) rc = nc_get_att_ulonglong(in->nc->id, in->id, name, wide);
  for (size_t i = 0; !rc && type == NC_UINT64 && i < length; i++) v64[i] = (int64_t)wide[i];
  *n = (int)length;
  return pl_nc_check(in->nc, rc, false, "read attribute", name);
}

static const struct {
  double value;
  int64_t value64;
} default_fill[] = {
    [NC_SHORT] = {NC_FILL_SHORT, 0},   [NC_INT] = {NC_FILL_INT, 0},
    [NC_FLOAT] = {NC_FILL_FLOAT, 0},   [NC_DOUBLE] = {NC_FILL_DOUBLE, 0},
    [NC_USHORT] = {NC_FILL_USHORT, 0}, [NC_UINT] = {NC_FILL_UINT, 0},
    [NC_INT64] = {0, NC_FILL_INT64},   [NC_UINT64] = {0, (int64_t)NC_FILL_UINT64},
};

static pl_status read_marks(pl_nc_input *in) {
  double v[MOST_MARKS];
  int64_t v64[MOST_MARKS];
  int n, no_fill = 0;
  PL_TRY(numbers_of(in, "_FillValue", 1, &n, v, v64));
  if (n == 1)
    add_mark(in, "it equals _FillValue", v[0], v64[0]);
  else if (in->bits != 8 && !nc_inq_var_fill(in->nc->id, in->id, &no_fill, NULL) && !no_fill)
    add_mark(in, "it was never written", default_fill[in->type].value,
             default_fill[in->type].value64);
  PL_TRY(numbers_of(in, "missing_value", MOST_MARKS - 1, &n, v, v64));
  for (int i = 0; i < n; i++) add_mark(in, "it equals missing_value", v[i], v64[i]);
  in->valid[0] = -INFINITY;
  in->valid[1] = INFINITY;
  PL_TRY(numbers_of(in, "valid_min", 1, &n, v, v64));
  if (n == 1) in->valid[0] = as_stored(in, v[0]);
  PL_TRY(numbers_of(in, "valid_max", 1, &n, v, v64));
  if (n == 1) in->valid[1] = as_stored(in, v[0]);
  PL_TRY(numbers_of(in, "valid_range", 2, &n, v, v64));
  if (n == 1)
    return pl_error(PL_EINPUT, "%s: attribute valid_range of %s must be two numbers", in->nc->path,
                    in->name);
  if (n == 2) in->valid[0] = as_stored(in, v[0]), in->valid[1] = as_stored(in, v[1]);
  return PL_OK;
}

static pl_status read_scale(pl_nc_input *in) {
  static const char *const names[] = {"scale_factor", "add_offset"};
  double *to[] = {&in->factor, &in->offset}, neutral[] = {1, 0};
  for (int i = 0; i < 2; i++) {
    int64_t unused;
    int n;
    *to[i] = neutral[i];
    PL_TRY(numbers_of(in, names[i], 1, &n, to[i], &unused));
    if (n < 1 || *to[i] == neutral[i]) continue;
    if (!isfinite(*to[i]) || (i == 0 && *to[i] == 0))
      return pl_error(PL_EINPUT, "%s: attribute %s of %s is %g", in->nc->path, names[i], in->name,
                      *to[i]);
    if (in->number == PL_NC_INTEGER)
      return pl_error(PL_EINPUT, "%s: %s must hold whole numbers as they are, not scaled by %s",
                      in->nc->path, in->name, names[i]);
    in->scaled = true;
  }
  return PL_OK;
}

pl_status pl_nc_input_new(const pl_nc *nc, const char *var, pl_nc_number number, int ndims,
                          pl_nc_axis *axes, pl_nc_input **out) {
  pl_require(ndims >= 0 && ndims <= PL_NC_MAX_RANK);
  int id;
  if (nc_inq_varid(nc->id, var, &id)) return no_such(nc, var, ndims, axes);
  pl_nc_input *in = pl_zalloc(1, sizeof *in, "a variable to read");
  in->nc = nc;
  in->name = pl_strdup(var);
  in->id = id;
  in->ndims = ndims;
  in->number = number;
  nc_inq_vartype(nc->id, id, &in->type);
  pl_status st = check_type(in, ndims, axes);
  if (!st) st = check_axes(nc, id, var, ndims, axes, in->shape);
  if (!st) st = read_marks(in);
  if (!st) st = read_scale(in);
  if (st) {
    pl_nc_input_free(in);
    return st;
  }
  *out = in;
  return PL_OK;
}

void pl_nc_input_free(pl_nc_input *in) {
  if (!in) return;
  pl_free(in->name);
  pl_free(in);
}

/* ---- values ---- */

/* "f.nc: x[3, 17] is <what>", of value number k of a slab. */
static pl_status bad_value(const pl_nc_input *in, const pl_nc_slab *s, size_t k, const char *what) {
  char index[PL_NC_DESCRIPTION] = "";
  size_t at[PL_NC_MAX_RANK];
  for (int d = in->ndims - 1; d >= 0; d--) {
    at[d] = s->start[d] + k % s->count[d];
    k /= s->count[d];
  }
  for (int d = 0; d < in->ndims; d++) pl_nc_append(index, "%s%zu", d ? ", " : "[", at[d]);
  if (in->ndims) pl_nc_append(index, "]");
  return pl_error(PL_EINPUT, "%s: %s%s %s", in->nc->path, in->name, index, what);
}

static bool is_mark(const pl_nc_input *in, int i, double v, int64_t v64) {
  if (is_long(in)) return v64 == in->mark64[i];
  return v == in->mark[i] || (isnan(v) && isnan(in->mark[i]));
}

/* Value number k as found in the file; v64: the same, where values are long. */
static pl_status check_one(const pl_nc_input *in, const pl_nc_slab *s, size_t k, double v,
                           int64_t v64) {
  char what[160];
  for (int i = 0; i < in->marks; i++)
    if (is_mark(in, i, v, v64)) {
      snprintf(what, sizeof what, "is missing: %s", in->mark_name[i]);
      return bad_value(in, s, k, what);
    }
  if (isnan(v)) return bad_value(in, s, k, "is not a number");
  if (isinf(v)) return bad_value(in, s, k, "is infinite");
  if (v < in->valid[0] || v > in->valid[1]) {
    snprintf(what, sizeof what, "is missing: %.10g lies outside its valid range, %g to %g", v,
             in->valid[0], in->valid[1]);
    return bad_value(in, s, k, what);
  }
  if (in->number == PL_NC_INTEGER && !(v == trunc(v) && fabs(v) < 0x1p63)) {
    snprintf(what, sizeof what, "is %.10g, expected a whole number%s", v,
             v == trunc(v) ? " below 2^63" : "");
    return bad_value(in, s, k, what);
  }
  return PL_OK;
}

/* Is all well with n values that are not long?  Branches would keep this from being as fast as the
 * reading. */
static bool all_well(const pl_nc_input *in, size_t n, const double *v) {
  int bad = 0;
  double low = in->valid[0], high = in->valid[1];
  for (size_t k = 0; k < n; k++) bad |= !(v[k] - v[k] == 0) | (v[k] < low) | (v[k] > high);
  for (int i = 0; i < in->marks; i++) {
    double mark = in->mark[i];
    for (size_t k = 0; k < n; k++) bad |= v[k] == mark;
  }
  if (in->number == PL_NC_INTEGER)
    for (size_t k = 0; k < n; k++) bad |= (v[k] != trunc(v[k])) | !(fabs(v[k]) < 0x1p63);
  return !bad;
}

static pl_status check_doubles(const pl_nc_input *in, const pl_nc_slab *s, size_t n, double *v) {
  bool turned = in->bits && in->is_unsigned != (in->type == NC_UBYTE || in->type == NC_USHORT ||
                                                in->type == NC_UINT);
  for (size_t k = 0; turned && k < n; k++) v[k] = meant(in, v[k]);
  if (!all_well(in, n, v))
    for (size_t k = 0; k < n; k++) PL_TRY(check_one(in, s, k, v[k], 0));
  if (!in->scaled) return PL_OK;
  for (size_t k = 0; k < n; k++) {
    v[k] = v[k] * in->factor + in->offset;
    if (!isfinite(v[k]))
      return bad_value(in, s, k, "is beyond the range of numbers, by scale_factor and add_offset");
  }
  return PL_OK;
}

static double long_as_double(const pl_nc_input *in, int64_t x) {
  return in->is_unsigned ? (double)(uint64_t)x : (double)x;
}

static pl_status read_long(const pl_nc_input *in, const pl_nc_slab *s, size_t n, int64_t *v) {
  int rc = in->type == NC_UINT64
               ? nc_get_vara_ulonglong(in->nc->id, in->id, s->start, s->count, (void *)v)
               : nc_get_vara_longlong(in->nc->id, in->id, s->start, s->count, (void *)v);
  PL_TRY(pl_nc_check(in->nc, rc, false, "read", in->name));
  for (size_t k = 0; k < n; k++) PL_TRY(check_one(in, s, k, long_as_double(in, v[k]), v[k]));
  return PL_OK;
}

/* The slab inside the variable, and how many values it has. */
static pl_status locate(const pl_nc_input *in, const int64_t *start, const int64_t *count,
                        pl_nc_slab *s, size_t *n) {
  PL_TRY(pl_nc_locate(in->nc, in->name, false, start, count, s));
  *n = 1;
  for (int d = 0; d < in->ndims; d++) *n *= s->count[d];
  return PL_OK;
}

static pl_status read_doubles(const pl_nc_input *in, const pl_nc_slab *s, size_t n, double *v) {
  int rc = nc_get_vara_double(in->nc->id, in->id, s->start, s->count, v);
  PL_TRY(pl_nc_check(in->nc, rc, false, "read", in->name));
  return check_doubles(in, s, n, v);
}

/* Both kinds are read into the caller's own room, and changed there one by one. */
pl_status pl_nc_input_doubles(const pl_nc_input *in, const int64_t *start, const int64_t *count,
                              double *v) {
  pl_nc_slab s;
  size_t n;
  PL_TRY(locate(in, start, count, &s, &n));
  if (!is_long(in)) return read_doubles(in, &s, n, v);
  PL_TRY(read_long(in, &s, n, (int64_t *)(void *)v));
  for (size_t k = 0; k < n; k++) {
    int64_t x;
    memcpy(&x, v + k, sizeof x);
    v[k] = long_as_double(in, x);
    if (in->scaled) v[k] = v[k] * in->factor + in->offset;
    if (!isfinite(v[k]))
      return bad_value(in, &s, k, "is beyond the range of numbers, by scale_factor and add_offset");
  }
  return PL_OK;
}

pl_status pl_nc_input_ints(const pl_nc_input *in, const int64_t *start, const int64_t *count,
                           int64_t *v) {
  pl_nc_slab s;
  size_t n;
  pl_require(in->number == PL_NC_INTEGER);
  PL_TRY(locate(in, start, count, &s, &n));
  if (is_long(in)) return read_long(in, &s, n, v);
  PL_TRY(read_doubles(in, &s, n, (double *)(void *)v));
  for (size_t k = 0; k < n; k++) {
    double x;
    memcpy(&x, v + k, sizeof x);
    v[k] = (int64_t)x;
  }
  return PL_OK;
}

pl_status pl_nc_input_each(const pl_nc_input *in, int64_t room, pl_nc_visit *visit, void *context) {
  int64_t rows = in->ndims ? in->shape[0] : 1, length = 1, start[PL_NC_MAX_RANK] = {0},
          count[PL_NC_MAX_RANK];
  memcpy(count, in->shape, sizeof count);
  for (int d = 1; d < in->ndims; d++) length *= in->shape[d];
  int64_t most = length && room / length > 1 ? room / length : 1;
  if (most > rows) most = rows;
  if (!rows || !length) return PL_OK;
  double *row = pl_alloc((size_t)(most * length), sizeof *row, "rows of a data file");
  pl_status st = PL_OK;
  for (; !st && start[0] < rows; start[0] += most) {
    count[0] = rows - start[0] < most ? rows - start[0] : most;
    st = pl_nc_input_doubles(in, start, count, row);
    if (!st && visit) st = visit(context, start[0], count[0], row);
  }
  pl_free(row);
  return st;
}

pl_status pl_nc_input_count(const pl_nc *nc, const char *var, const char *name, int64_t least,
                            int64_t most, int64_t *out) {
  double v;
  if (!pl_nc_has_att(nc, var, name)) return PL_OK;
  if (pl_nc_get_att_doubles(nc, var, name, &v, 1) != 1 || !(v >= (double)least) ||
      !(v <= (double)most) || v != floor(v))
    return pl_error(PL_EINPUT,
                    "%s: attribute %s of %s: expected an integer from %lld to %lld, a number",
                    pl_nc_path(nc), name, var, (long long)least, (long long)most);
  *out = (int64_t)v;
  return PL_OK;
}
