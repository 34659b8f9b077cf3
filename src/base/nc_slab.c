#include "nc_internal.h"

#include "base/mem.h"

pl_status pl_nc_locate(const pl_nc *nc, const char *var, bool text, const int64_t *start,
                       const int64_t *count, pl_nc_slab *s) {
  pl_nc_type type;
  int64_t shape[PL_NC_MAX_RANK];
  char found[PL_NC_DESCRIPTION];
  int n = pl_nc_var(nc, var, &type, NULL, shape, PL_NC_MAX_RANK);
  if (n < 0) return pl_nc_no_variable(nc, var);
  if (n > PL_NC_MAX_RANK || type == PL_NC_OTHER || (type == PL_NC_CHAR) != text) {
    pl_nc_describe(nc, var, found);
    return pl_error(PL_EINPUT, "%s: found %s, expected %s of at most %d dimensions", nc->path,
                    found, text ? "text" : "numbers", PL_NC_MAX_RANK);
  }
  nc_inq_varid(nc->id, var, &s->var);
  for (int i = 0; i < n; i++) {
    int64_t from = start ? start[i] : 0, len = count ? count[i] : shape[i] - from;
    if (from < 0 || len < 0 || from > shape[i] || len > shape[i] - from) {
      pl_nc_describe(nc, var, found);
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
  pl_nc_slab s;
  pl_status st = pl_nc_locate(nc, var, false, start, count, &s);
  if (st) return pl_nc_keep(nc, st);
  return pl_nc_check_write(nc, nc_put_vara_double(nc->id, s.var, s.start, s.count, v), "write",
                           var);
}

pl_status pl_nc_put_missing(pl_nc *nc, const char *var, const int64_t *start,
                            const int64_t *count) {
  pl_nc_slab s;
  size_t n = 1;
  pl_status st = pl_nc_locate(nc, var, false, start, count, &s);
  if (st) return pl_nc_keep(nc, st);
  for (int i = 0, dims = pl_nc_var(nc, var, NULL, NULL, NULL, 0); i < dims; i++) n *= s.count[i];
  double *fill = pl_alloc(n, sizeof *fill, "missing values");
  for (size_t i = 0; i < n; i++) fill[i] = NC_FILL_DOUBLE;
  int rc = nc_put_vara_double(nc->id, s.var, s.start, s.count, fill);
  pl_free(fill);
  return pl_nc_check_write(nc, rc, "write", var);
}

pl_status pl_nc_put_ints(pl_nc *nc, const char *var, const int64_t *start, const int64_t *count,
                         const int64_t *v) {
  pl_nc_slab s;
  pl_status st = pl_nc_locate(nc, var, false, start, count, &s);
  if (st) return pl_nc_keep(nc, st);
  return pl_nc_check_write(
      nc, nc_put_vara_longlong(nc->id, s.var, s.start, s.count, (const void *)v), "write", var);
}

pl_status pl_nc_put_text(pl_nc *nc, const char *var, const int64_t *start, const int64_t *count,
                         const char *v) {
  pl_nc_slab s;
  pl_status st = pl_nc_locate(nc, var, true, start, count, &s);
  if (st) return pl_nc_keep(nc, st);
  return pl_nc_check_write(nc, nc_put_vara_text(nc->id, s.var, s.start, s.count, v), "write", var);
}

pl_status pl_nc_get_doubles(const pl_nc *nc, const char *var, const int64_t *start,
                            const int64_t *count, double *v) {
  pl_nc_slab s;
  PL_TRY(pl_nc_locate(nc, var, false, start, count, &s));
  return pl_nc_check(nc, nc_get_vara_double(nc->id, s.var, s.start, s.count, v), false, "read",
                     var);
}

pl_status pl_nc_get_ints(const pl_nc *nc, const char *var, const int64_t *start,
                         const int64_t *count, int64_t *v) {
  pl_nc_slab s;
  PL_TRY(pl_nc_locate(nc, var, false, start, count, &s));
  return pl_nc_check(nc, nc_get_vara_longlong(nc->id, s.var, s.start, s.count, (void *)v), false,
                     "read", var);
}

pl_status pl_nc_get_text(const pl_nc *nc, const char *var, const int64_t *start,
                         const int64_t *count, char *v) {
  pl_nc_slab s;
  PL_TRY(pl_nc_locate(nc, var, true, start, count, &s));
  return pl_nc_check(nc, nc_get_vara_text(nc->id, s.var, s.start, s.count, v), false, "read", var);
}
