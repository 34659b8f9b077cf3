#include "group/elements.h"

#include "base/mem.h"

#include <string.h>

pl_status pl_elements_same_group(const pl_nc *nc, const pl_group *g) {
  char *spec = pl_nc_get_att_string(nc, NULL, "group");
  pl_group *said = NULL;
  int length;
  /* A band's S_n may be too large for a whole group.  Files of a group may have moved: their names
   * say nothing. */
  if (!spec && pl_nc_has_att(nc, NULL, "group"))
    return pl_error(PL_EINPUT, "%s: its attribute group is no text, expected %s", pl_nc_path(nc),
                    pl_group_spec(g));
  if (!spec || !strcmp(spec, pl_group_spec(g)) || pl_group_file(spec, 0, &length) >= 0) {
    pl_free(spec);
    return PL_OK;
  }
  pl_status st = pl_group_parse(spec, &said);
  if (st)
    pl_error_in(st, "%s: attribute group: ", pl_nc_path(nc));
  else if (strcmp(pl_group_spec(said), pl_group_spec(g)) != 0)
    st = pl_error(PL_EINPUT, "%s: its attribute group says %s, expected %s", pl_nc_path(nc),
                  pl_group_spec(said), pl_group_spec(g));
  pl_group_free(said);
  pl_free(spec);
  return st;
}

static int element_label(const void *g, int64_t i, char *buf, size_t n) {
  return pl_group_element_label(g, i, buf, n);
}

static int irrep_label(const void *g, int64_t i, char *buf, size_t n) {
  return pl_group_irrep_label(g, i, buf, n);
}

static pl_status order_of(const pl_nc *nc, const pl_group *g, const char *var, const char *dim,
                          int64_t n, pl_nc_label *label, const char *what, int64_t **order) {
  char *whose = pl_asprintf("%s of %s", what, pl_group_spec(g));
  pl_status st = pl_nc_labels(nc, var, dim, n, label, g, whose, order);
  pl_free(whose);
  return st;
}

pl_status pl_elements_name_group(pl_nc *nc, const pl_group *g) {
  int length;
  if (pl_group_file(pl_group_spec(g), 0, &length) >= 0) return PL_OK;
  return pl_nc_att_text(nc, NULL, "group", pl_group_spec(g));
}

pl_status pl_elements_order(const pl_nc *nc, const pl_group *g, int64_t **order) {
  if (pl_nc_var(nc, "element", NULL, NULL, NULL, 0) < 0) {
    *order = NULL;
    return PL_OK;
  }
  return order_of(nc, g, "element", "element", pl_group_order(g), element_label, "elements", order);
}

pl_status pl_irreps_order(const pl_nc *nc, const pl_group *g, int64_t **order) {
  return order_of(nc, g, "irrep_label", "irrep", pl_group_num_irreps(g), irrep_label, "irreps",
                  order);
}

void pl_elements_arrange(int64_t n, const int64_t *order, const double *from, double *f) {
  if (!order) memcpy(f, from, (size_t)n * sizeof *f);
  for (int64_t k = 0; order && k < n; k++) f[order[k]] = from[k];
}
