#include "fourier_sides.h"

#include "base/mem.h"
#include "base/norm.h"
#include "energies.h"
#include "fourier_file.h"
#include "group/fourier.h"
#include "rankings.h"

#include <math.h>
#include <stdio.h>

/* Relative to the squared norm: far above rounding, far below a wrong coefficient. */
static const double PLANCHEREL_TOLERANCE = 1e-9;

/* ---- memory ---- */

double fourier_sides_bytes(const pl_group *g) {
  double f = 8 * (double)pl_group_order(g), F = 8 * (double)pl_fourier_size(g);
  return (double)pl_fourier_bytes(g) + (pl_fourier_in_place(g) ? f : f + F);
}

pl_status fourier_sides_fit(const pl_group *g, double have) {
  double need = fourier_sides_bytes(g);
  if (need <= have) return PL_OK;
  return pl_error(PL_EENV,
                  "group %s: the transform needs %.3g GB of memory, this process may use %.3g GB",
                  pl_group_spec(g), need * 1e-9, have * 1e-9);
}

void fourier_sides_init(fourier_sides *s, const pl_group *g, const pl_rankings *r) {
  *s = (fourier_sides){.group = g, .rankings = r};
  s->f = pl_alloc((size_t)pl_group_order(g), sizeof *s->f, "a function on the group");
  s->F = pl_fourier_in_place(g)
             ? s->f
             : pl_alloc((size_t)pl_fourier_size(g), sizeof *s->F, "Fourier coefficients");
}

void fourier_sides_fini(fourier_sides *s) {
  if (s->F != s->f) pl_free(s->F);
  pl_free(s->f);
  energies_fini(&s->table);
}

/* ---- the transform ---- */

static void sum_function(fourier_sides *s) {
  int64_t order = pl_group_order(s->group);
  s->norm2 = 0;
  for (int64_t k = 0; k < order; k++) s->norm2 += s->f[k] * s->f[k];
  s->largest = pl_max_abs(order, s->f);
}

static void sum_coefficients(fourier_sides *s) {
  energies_of_coefficients(&s->table, s->group, s->F, s->rankings);
}

pl_status fourier_sides_transform(fourier_sides *s, bool inverse) {
  const pl_group *g = s->group;
  pl_fourier *plan;
  int64_t order = pl_group_order(g), size = pl_fourier_size(g);
  PL_TRY(pl_fourier_new(g, NULL, &plan));
  if (inverse) {
    sum_coefficients(s);
    pl_fourier_inverse(plan, 1, s->F, size, s->f, order);
    sum_function(s);
  } else {
    sum_function(s);
    pl_fourier_forward(plan, 1, s->f, order, s->F, size);
    sum_coefficients(s);
  }
  pl_fourier_free(plan);
  return PL_OK;
}

/* ---- what is shown ---- */

static pl_status check_plancherel(const fourier_options *o, double norm2, double total,
                                  double largest) {
  if (!isfinite(norm2) || !isfinite(total))
    return pl_error(PL_EINPUT, "%s: the values are too large to square", o->input);
  if (largest > 0 && !pl_sum_safe(norm2))
    return pl_error(PL_EINPUT, "%s: the values are too small to square", o->input);
  if (fabs(total - norm2) <= PLANCHEREL_TOLERANCE * fmax(norm2, total)) return PL_OK;
  if (o->inverse)
    return pl_error(PL_EINPUT,
                    "%s: not the coefficients of a real function: their energy is %.9g, the "
                    "squared norm of their inverse transform %.9g",
                    o->input, total, norm2);
  return pl_error(PL_EBUG, "%s: energy %.17g of the coefficients, squared norm %.17g of f",
                  o->input, total, norm2);
}

static void print(const fourier_sides *s) {
  energies_print(&s->table);
  double total = s->table.total, larger = fmax(s->norm2, total);
  printf("\ngroup: %s\n", pl_group_spec(s->group));
  printf("total energy: %.15g\n", total);
  printf("squared norm of f: %.15g (relative difference %.2g)\n", s->norm2,
         larger > 0 ? fabs(total - s->norm2) / larger : 0);
}

pl_status fourier_sides_show(const fourier_options *o, const fourier_sides *s,
                             const pl_effects *e) {
  const energies *table = &s->table;
  PL_TRY(check_plancherel(o, s->norm2, table->total, s->largest));
  if (o->output) PL_TRY(fourier_file_write(o, s->group, s->f, s->F, table, s->rankings, e));
  if (o->energies.file) energies_csv(table, o->energies.file);
  print(s);
  if (s->rankings) rankings_print_effects(s->rankings, e);
  return PL_OK;
}
