#include "nets/irreps.h"

#include "base/mem.h"
#include "base/norm.h"
#include "nets/net.h"

#include <stdio.h>

/* ---- energies ---- */

pl_status pl_irrep_energies_new(const pl_group *g, pl_irrep_energies **out) {
  pl_fourier *plan;
  PL_TRY(pl_fourier_new(g, NULL, &plan));
  pl_irrep_energies *e = pl_zalloc(1, sizeof *e, "energies of irreps");
  e->group = g;
  e->plan = plan;
  e->f = pl_alloc((size_t)pl_group_order(g), sizeof *e->f, "energies of irreps");
  e->F = pl_alloc((size_t)pl_fourier_size(g), sizeof *e->F, "energies of irreps");
  *out = e;
  return PL_OK;
}

void pl_irrep_energies_free(pl_irrep_energies *e) {
  if (!e) return;
  pl_fourier_free(e->plan);
  pl_free(e->f);
  pl_free(e->F);
  pl_free(e);
}

void pl_irrep_energies_of(pl_irrep_energies *e, int64_t cols, const double *y, double *energy) {
  int64_t n = pl_group_order(e->group), irreps = pl_group_num_irreps(e->group);
  for (int64_t i = 0; i < irreps; i++) energy[i] = 0;
  for (int64_t c = 0; c < cols; c++) {
    for (int64_t g = 0; g < n; g++) e->f[g] = y[g * cols + c];
    pl_fourier_forward(e->plan, 1, e->f, n, e->F, 0);
    const double *F = e->F;
    for (int64_t i = 0; i < irreps; i++) {
      pl_irrep r = pl_group_irrep(e->group, i);
      energy[i] += r.mult * r.dim / (double)n * pl_sum_squares(pl_irrep_size(r), F);
      F += pl_irrep_size(r);
    }
  }
}

/* ---- the axis ---- */

static const pl_group *group_of(const void *schema_context) {
  return ((const pl_irrep_context *)pl_net_context(schema_context))->group;
}

static void label(const void *c, int64_t i, double *number, char *text) {
  (void)number;
  pl_group_irrep_label(group_of(c), i, text, 64);
}
static void dim(const void *c, int64_t i, double *number, char *text) {
  (void)text;
  *number = pl_group_irrep(group_of(c), i).dim;
}
static void type(const void *c, int64_t i, double *number, char *text) {
  (void)number;
  snprintf(text, 64, "%s", pl_irrep_type_name(pl_group_irrep(group_of(c), i).type));
}
static void multiplicity(const void *c, int64_t i, double *number, char *text) {
  (void)text;
  *number = pl_group_irrep(group_of(c), i).mult;
}
static void spec(const void *c, int64_t i, double *number, char *text) {
  (void)number, (void)i;
  snprintf(text, 64, "%s", pl_group_spec(group_of(c)));
}
static void log_order(const void *c, int64_t i, double *number, char *text) {
  (void)text, (void)i;
  *number = pl_group_log_order(group_of(c));
}

/* As those of the linear G-CNN: files of mixed sweeps hold both. */
static const pl_coord coords[] = {
    {"irrep_label", "1", "label of the irrep (S_n: partition)", true, false, NULL, label},
    {"irrep_dim", "1", "dimension d of the irrep", false, true, NULL, dim},
    {"irrep_type", "1", "real, complex or quaternionic", true, false, NULL, type},
    {"irrep_multiplicity", "1", "m: 2 for a complex pair, stored once; otherwise 1", false, true,
     NULL, multiplicity},
    {"irrep_group", "1", "group of the irrep", true, false, NULL, spec},
    {"irrep_log_order", "1", "natural logarithm of the order of that group", false, false, NULL,
     log_order},
};

pl_axis pl_irrep_axis(const pl_irrep_context *c) {
  return (pl_axis){.name = "irrep",
                   .key = (char *)(uintptr_t)pl_group_spec(c->group),
                   .length = pl_group_num_irreps(c->group),
                   .coords = coords,
                   .num_coords = sizeof coords / sizeof *coords};
}
