#include "model/measure.h"

#include "base/mem.h"

#include <math.h>
#include <string.h>

static int find_axis(const pl_axis *axes, int n, const char *name) {
  for (int a = 0; a < n; a++)
    if (!strcmp(axes[a].name, name)) return a;
  pl_die(PL_EBUG, "no axis %s", name);
}

static void use(const pl_axis *axes, int n, int a, bool *used) {
  if (used[a]) return;
  used[a] = true;
  for (int c = 0; c < axes[a].num_coords; c++)
    if (axes[a].coords[c].points_into)
      use(axes, n, find_axis(axes, n, axes[a].coords[c].points_into), used);
}

void pl_schema_init(pl_schema *s, const pl_spec *spec, const pl_measures *const *tables,
                    const pl_axis *axes, int num_axes, void *context,
                    void (*free_context)(void *)) {
  int most = 0;
  for (const pl_measures *const *t = tables; *t; t++) most += (*t)->num;
  *s = (pl_schema){.context = context, .free_context = free_context};
  s->measures = pl_alloc((size_t)most, sizeof *s->measures, "schema");
  s->offset = pl_alloc((size_t)most, sizeof *s->offset, "schema");
  s->length = pl_alloc((size_t)most, sizeof *s->length, "schema");
  s->axes = pl_alloc((size_t)num_axes, sizeof *s->axes, "schema");
  bool *used = pl_zalloc((size_t)num_axes, sizeof *used, "schema");
  for (const pl_measures *const *t = tables; *t; t++)
    for (int k = 0; k < (*t)->num; k++) {
      const pl_measure *m = &(*t)->row[k];
      if (m->wanted && !m->wanted(spec, context)) continue;
      int n = s->num_measures++, a = m->axis ? find_axis(axes, num_axes, m->axis) : -1;
      s->measures[n] = m;
      s->offset[n] = s->size;
      s->length[n] = a < 0 ? 1 : axes[a].length;
      if (a >= 0) use(axes, num_axes, a, used);
      s->size += s->length[n];
    }
  for (int a = 0; a < num_axes; a++) {
    if (!used[a]) continue;
    s->axes[s->num_axes] = axes[a];
    s->axes[s->num_axes++].key = pl_strdup(axes[a].key);
  }
  pl_free(used);
}

void pl_schema_free(pl_schema *s) {
  for (int a = 0; a < s->num_axes; a++) pl_free(s->axes[a].key);
  pl_free(s->axes);
  pl_free(s->measures);
  pl_free(s->offset);
  pl_free(s->length);
  if (s->free_context) s->free_context(s->context);
  *s = (pl_schema){0};
}

int pl_schema_find(const pl_schema *s, const char *name) {
  for (int k = 0; k < s->num_measures; k++)
    if (!s->measures[k]->axis && !strcmp(s->measures[k]->name, name)) return k;
  return -1;
}

double pl_schema_value(const pl_schema *s, const double *record, const char *name) {
  int k = pl_schema_find(s, name);
  return k < 0 ? NAN : record[s->offset[k]];
}

bool pl_schema_finite(const pl_schema *s, const double *record) {
  for (int k = 0; k < s->num_measures; k++)
    for (int64_t i = 0; s->measures[k]->finite && i < s->length[k]; i++)
      if (!isfinite(record[s->offset[k] + i])) return false;
  return true;
}

void pl_schema_compute(const pl_schema *s, const void *state, double *out) {
  for (int k = 0; k < s->num_measures; k++) {
    const pl_measure *m = s->measures[k];
    if (m->compute)
      m->compute(state, out + s->offset[k]);
    else
      memcpy(out + s->offset[k], (const char *)state + m->from, sizeof *out);
  }
}
