#include "fourier_sides.h"

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
  return (double)pl_fourier_bytes(g) + 8 * ((double)pl_group_order(g) + (double)pl_fourier_size(g));
}

pl_status fourier_sides_fit(const pl_group *g, double have) {
  double need = fourier_sides_bytes(g);
  if (need <= have) return PL_OK;
  return pl_error(PL_EENV,
                  "group %s: the transform needs %.3g GB of memory, this process may use %.3g GB",
                  pl_group_spec(g), need * 1e-9, have * 1e-9);
}

/* ---- energies ---- */

static double sum_squares(const double *x, int64_t n) {
  double sum = 0;
  for (int64_t k = 0; k < n; k++) sum += x[k] * x[k];
  return sum;
}

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

static void print(const pl_group *g, const energies *table, double norm2) {
  energies_print(table);
  double total = table->total, largest = fmax(norm2, total);
  printf("\ngroup: %s\n", pl_group_spec(g));
  printf("total energy: %.15g\n", total);
  printf("squared norm of f: %.15g (relative difference %.2g)\n", norm2,
         largest > 0 ? fabs(total - norm2) / largest : 0);
}

pl_status fourier_sides_flush(void) {
  if (fflush(stdout) || ferror(stdout)) return pl_error(PL_EENV, "cannot write to standard output");
  return PL_OK;
}

pl_status fourier_sides_show(const fourier_options *o, const pl_group *g, const double *f,
                             const double *F, const pl_rankings *r, const pl_effects *e) {
  double norm2 = sum_squares(f, pl_group_order(g));
  energies table;
  energies_of_coefficients(&table, g, F, r);
  pl_status st = check_plancherel(o, norm2, table.total, pl_max_abs(pl_group_order(g), f));
  if (!st && o->output) st = fourier_file_write(o, g, f, F, &table, r, e);
  if (!st && o->energies.file) energies_csv(&table, o->energies.file);
  if (!st) {
    print(g, &table, norm2);
    if (r) rankings_print_effects(r, e);
    st = fourier_sides_flush();
  }
  energies_fini(&table);
  return st;
}
