#include "nc_internal.h"

#include "base/mem.h"

#include <string.h>

/* A variable that is carried over. */
typedef struct carried {
  int from, to;
  nc_type type;
  char name[NC_MAX_NAME + 1];
} carried;

/* Is variable v of numbers along dim, and not in `to`?  Sets *c but for c->to. */
static bool is_carried(const pl_nc *from, int v, const char *dim, const pl_nc *to, carried *c) {
  int n, id[NC_MAX_VAR_DIMS], other;
  char name[NC_MAX_NAME + 1];
  c->from = v;
  return !nc_inq_var(from->id, v, c->name, &c->type, &n, id, NULL) && n == 1 &&
         !nc_inq_dimname(from->id, id[0], name) && !strcmp(name, dim) && c->type != NC_CHAR &&
         pl_nc_type_of(c->type) != PL_NC_OTHER && nc_inq_varid(to->id, c->name, &other);
}

static int define(const pl_nc *from, const pl_nc *to, int dim, carried *c) {
  char name[NC_MAX_NAME + 1];
  int atts = 0, rc = nc_def_var(to->id, c->name, c->type, 1, &dim, &c->to);
  if (!rc) rc = nc_inq_varnatts(from->id, c->from, &atts);
  for (int a = 0; a < atts && !rc; a++) {
    rc = nc_inq_attname(from->id, c->from, a, name);
    if (!rc) rc = nc_copy_att(from->id, c->from, name, to->id, c->to);
  }
  return rc;
}

/* The rows that no row goes to are as they were filled. */
static int move(const pl_nc *from, const pl_nc *to, const carried *c, size_t rows, size_t all,
                const int64_t *place) {
  size_t size;
  int rc = nc_inq_type(from->id, c->type, NULL, &size);
  if (rc) return rc;
  char *was = pl_alloc(rows, size, "a variable"), *now = pl_alloc(all, size, "a variable");
  rc = nc_get_var(from->id, c->from, was);
  if (!rc) rc = nc_get_var(to->id, c->to, now);
  for (size_t r = 0; r < rows && !rc; r++)
    memcpy(now + (size_t)place[r] * size, was + r * size, size);
  if (!rc) rc = nc_put_var(to->id, c->to, now);
  pl_free(was);
  pl_free(now);
  return rc;
}

static pl_status carry(const pl_nc *from, int dim, size_t rows, size_t all, const int64_t *place,
                       pl_nc *to, int num, carried *list) {
  PL_TRY(pl_nc_redefine(to));
  for (int i = 0; i < num; i++)
    PL_TRY(pl_nc_check_write(to, define(from, to, dim, &list[i]), "define variable", list[i].name));
  PL_TRY(pl_nc_end_def(to));
  for (int i = 0; i < num; i++)
    PL_TRY(pl_nc_check_write(to, move(from, to, &list[i], rows, all, place), "carry over",
                             list[i].name));
  return PL_OK;
}

pl_status pl_nc_carry(const pl_nc *from, const char *dim, const int64_t *place, pl_nc *to) {
  int64_t rows = pl_nc_dim(from, dim), all = pl_nc_dim(to, dim);
  int vars = 0, num = 0, id = 0;
  pl_require(rows >= 0 && all >= 0);
  nc_inq_nvars(from->id, &vars);
  nc_inq_dimid(to->id, dim, &id);
  carried *list = pl_alloc((size_t)vars, sizeof *list, "variables");
  for (int v = 0; v < vars; v++) num += is_carried(from, v, dim, to, &list[num]);
  pl_status st = num > 0 ? carry(from, id, (size_t)rows, (size_t)all, place, to, num, list) : PL_OK;
  pl_free(list);
  return st;
}
