#include "fourier_sides.h"

#include "fourier_file.h"
#include "group/fourier.h"
#include "rankings.h"

#include "base/mem.h"
#include "base/norm.h"

#include <math.h>
#include <stdio.h>

enum { LABEL = 1024 };
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

void fourier_sides_init(fourier_sides *s, const pl_group *g) {
  *s = (fourier_sides){.group = g};
  s->f = pl_zalloc((size_t)pl_group_order(g), sizeof *s->f, "a function on the group");
  s->F = pl_fourier_in_place(g)
             ? s->f
             : pl_alloc((size_t)pl_fourier_size(g), sizeof *s->F, "Fourier coefficients");
  s->squares = pl_alloc((size_t)pl_group_num_irreps(g), sizeof *s->squares, "energies");
}

void fourier_sides_fini(fourier_sides *s) {
  if (s->F != s->f) pl_free(s->F);
  pl_free(s->f);
  pl_free(s->squares);
}

/* ---- energies ---- */

static double sum_squares(const double *x, int64_t n) {
  double sum = 0;
  for (int64_t k = 0; k < n; k++) sum += x[k] * x[k];
  return sum;
}

static void sum_function(fourier_sides *s) {
  int64_t order = pl_group_order(s->group);
  s->norm2 = sum_squares(s->f, order);
  s->largest = pl_max_abs(order, s->f);
}

static void sum_coefficients(fourier_sides *s) {
  const double *F = s->F;
  for (int64_t i = 0; i < pl_group_num_irreps(s->group); i++) {
    int64_t size = pl_irrep_size(pl_group_irrep(s->group, i));
    s->squares[i] = sum_squares(F, size);
    F += size;
  }
}

/* (m d / |G|) ||F||_F^2 of irrep i. */
static double energy(const fourier_sides *s, int64_t i) {
  pl_irrep r = pl_group_irrep(s->group, i);
  return (double)r.mult * r.dim / (double)pl_group_order(s->group) * s->squares[i];
}

static double total_energy(const fourier_sides *s) {
  double total = 0;
  for (int64_t i = 0; i < pl_group_num_irreps(s->group); i++) total += energy(s, i);
  return total;
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

static void print(const fourier_sides *s, double total, const pl_rankings *r) {
  const pl_group *g = s->group;
  char label[LABEL];
  printf("label\tdimension\tenergy\tshare%s\n", r ? "\tratio" : "");
  for (int64_t i = 0; i < pl_group_num_irreps(g) && !ferror(stdout); i++) {
    int d = pl_group_irrep(g, i).dim;
    double e = energy(s, i);
    pl_group_irrep_label(g, i, label, sizeof label);
    printf("%s\t%d\t%.15g\t%.6g", label, d, e, total > 0 ? e / total : 0);
    if (r) printf("\t%.6g", rankings_ratio(r, i == 0, d, s->squares[i]));
    putchar('\n');
  }
  double larger = fmax(s->norm2, total);
  printf("\ngroup: %s\n", pl_group_spec(g));
  printf("total energy: %.15g\n", total);
  printf("squared norm of f: %.15g (relative difference %.2g)\n", s->norm2,
         larger > 0 ? fabs(total - s->norm2) / larger : 0);
}

pl_status fourier_sides_flush(void) {
  if (fflush(stdout) || ferror(stdout)) return pl_error(PL_EENV, "cannot write to standard output");
  return PL_OK;
}

pl_status fourier_sides_show(const fourier_options *o, const fourier_sides *s, const pl_rankings *r,
                             const pl_effects *e) {
  double total = total_energy(s);
  PL_TRY(check_plancherel(o, s->norm2, total, s->largest));
  if (o->output) PL_TRY(fourier_file_write(o, s->group, s->f, s->F, r, e));
  print(s, total, r);
  if (r) rankings_print_effects(r, e);
  return fourier_sides_flush();
}
