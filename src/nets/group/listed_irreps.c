#include "listed_irreps.h"

#include "nets/group/keys.h"

#include <stdio.h>

const char *listed_irreps_fits(const pl_spec *spec) {
  if (listed_irreps_num(spec) > 0) return NULL;
  pl_error(PL_EINPUT, "expected the label of an irrep");
  return "data.irreps";
}

int listed_irreps_num(const pl_spec *spec) {
  return pl_group_data_of(spec)->irreps.n;
}

/* [3,1] is two labels to YAML, where one irrep was meant. */
static bool meant_together(const pl_texts *listed, const pl_group *g, char *label, size_t size) {
  size_t used = 0;
  *label = 0;
  for (int k = 0; k < listed->n && used < size; k++)
    used += (size_t)snprintf(label + used, size - used, "%s%s", k ? "," : "", listed->v[k]);
  return listed->n > 1 && used < size && pl_group_irrep_by_label(g, label) >= 0;
}

pl_status listed_irreps_find(const pl_spec *spec, const pl_group *g, int64_t *out) {
  const pl_texts *listed = &pl_group_data_of(spec)->irreps;
  for (int k = 0; k < listed->n; k++) {
    out[k] = pl_group_irrep_by_label(g, listed->v[k]);
    if (out[k] >= 0) continue;
    char list[400] = "", whole[200];
    if (meant_together(listed, g, whole, sizeof whole))
      return pl_error(PL_EINPUT, "%s has no irrep \"%s\"; the irrep %s needs quotes: ['%s']",
                      pl_group_spec(g), listed->v[k], whole, whole);
    size_t used = 0;
    int64_t n = pl_group_num_irreps(g);
    for (int64_t i = 0; i < n && used + 80 < sizeof list; i++) {
      char label[64];
      pl_group_irrep_label(g, i, label, sizeof label);
      used += (size_t)snprintf(list + used, sizeof list - used, "%s\"%s\"", i ? " " : "", label);
    }
    return pl_error(PL_EINPUT, "%s has no irrep \"%s\"; its irreps are %s%s", pl_group_spec(g),
                    listed->v[k], list, used + 80 < sizeof list ? "" : " ..");
  }
  return PL_OK;
}
