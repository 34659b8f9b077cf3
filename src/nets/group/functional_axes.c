#include "functional.h"

#include "base/mem.h"

#include <stdio.h>

typedef pl_functional_context context;

static void irrep_label(const void *c, int64_t i, double *number, char *text) {
  (void)number;
  pl_group_irrep_label(((const context *)c)->group, i, text, 64);
}
static void irrep_type(const void *c, int64_t i, double *number, char *text) {
  (void)number;
  const context *x = c;
  snprintf(text, 64, "%s", pl_irrep_type_name(pl_group_irrep(x->group, i).type));
}
static void irrep_group(const void *c, int64_t i, double *number, char *text) {
  (void)number, (void)i;
  snprintf(text, 64, "%s", pl_group_spec(((const context *)c)->group));
}
static void irrep_dim(const void *c, int64_t i, double *number, char *text) {
  (void)text;
  *number = pl_group_irrep(((const context *)c)->group, i).dim;
}
static void irrep_log_order(const void *c, int64_t i, double *number, char *text) {
  (void)text, (void)i;
  *number = pl_group_log_order(((const context *)c)->group);
}
static void irrep_multiplicity(const void *c, int64_t i, double *number, char *text) {
  (void)text;
  *number = pl_group_irrep(((const context *)c)->group, i).mult;
}
static void sv_irrep(const void *c, int64_t i, double *number, char *text) {
  (void)text;
  *number = (double)((const context *)c)->sv_irrep[i];
}
static void element_label(const void *c, int64_t i, double *number, char *text) {
  (void)number;
  pl_group_element_label(((const context *)c)->group, i, text, 64);
}
static void exponent(const void *c, int64_t i, double *number, char *text) {
  (void)text;
  *number = pl_group_values_of(&((const context *)c)->spec)->record_exponents.v[i];
}

static const pl_coord irrep_coords[] = {
    {"irrep_label", "1", "label of the irrep (S_n: partition)", true, false, NULL, irrep_label},
    {"irrep_dim", "1", "dimension d of the irrep", false, true, NULL, irrep_dim},
    {"irrep_type", "1", "real, complex or quaternionic", true, false, NULL, irrep_type},
    {"irrep_multiplicity", "1", "m: 2 for a complex pair, stored once; otherwise 1", false, true,
     NULL, irrep_multiplicity},
    {"irrep_group", "1", "group of the irrep", true, false, NULL, irrep_group},
    {"irrep_log_order", "1", "natural logarithm of the order of that group", false, false, NULL,
     irrep_log_order},
};
static const pl_coord sv_coords[] = {
    {"sv_irrep", "1", "irrep of the singular value, an index of dimension irrep", false, true,
     "irrep", sv_irrep},
};
static const pl_coord element_coords[] = {
    {"element", "1", "label of the group element", true, false, NULL, element_label}};
static const pl_coord exponent_coords[] = {
    {"exponent", "1", "exponent q of schatten_at", false, false, NULL, exponent}};
#define COORDS(x) .coords = x, .num_coords = sizeof x / sizeof *x

static void free_context(void *c) {
  context *x = c;
  pl_group_free(x->group);
  pl_free(x->sv_irrep);
  pl_free(x);
}

void pl_functional_describe(const pl_spec *spec, pl_group *g, const pl_measures *const *tables,
                            const pl_axis *own, int num_own, pl_schema *out) {
  enum { SHARED = 5, OWN = 2 };
  const pl_group_values *values = pl_group_values_of(spec);
  context *c = pl_zalloc(1, sizeof *c, "schema");
  c->group = g;
  c->spec = *spec;
  char *group = (char *)(uintptr_t)pl_group_spec(g), all[] = "";
  int64_t irreps = pl_group_num_irreps(g), sv = 0;
  for (int64_t i = 0; i < irreps; i++) sv += pl_group_irrep(g, i).dim;
  if (spec->common.record_spectrum) {
    c->sv_irrep = pl_alloc((size_t)sv, sizeof *c->sv_irrep, "singular values");
    for (int64_t i = 0, k = 0; i < irreps; i++)
      for (int j = 0; j < pl_group_irrep(g, i).dim; j++) c->sv_irrep[k++] = i;
  }
  pl_axis axes[SHARED + OWN] = {
      {"irrep", group, irreps, COORDS(irrep_coords)},
      {"sv", group, sv, COORDS(sv_coords)},
      {"element", group, values->record_beta ? pl_group_order(g) : 0, COORDS(element_coords),
       .sole = "record.beta"},
      {.name = "sample", .key = all, .length = pl_data_count(spec, PL_TRAIN)},
      {"exponent", all, values->record_exponents.n, COORDS(exponent_coords)},
  };
  pl_require(num_own <= OWN);
  for (int i = 0; i < num_own; i++) axes[SHARED + i] = own[i];
  pl_schema_init(out, spec, tables, axes, SHARED + num_own, c, free_context);
}
