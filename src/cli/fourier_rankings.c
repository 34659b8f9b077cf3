#include "fourier_rankings.h"

#include "energies.h"
#include "fourier_sides.h"
#include "rankings.h"

#include <stdbool.h>
#include <stdio.h>

/* Rankings of so many items are transformed unasked (seconds), of so many at all. */
enum { TRANSFORM_ITEMS = 11, MOST_ITEMS = 13, EFFECTS = 10 };

/* The function itself has a term per linear extension. */
static const double MOST_EXTENSIONS = 2e8;

/* Is there room for the transform, of a file that may be written? */
static pl_status transformable(const fourier_options *o, double memory, const pl_rankings *r,
                               const pl_group *g, bool *can) {
  double extensions = pl_rankings_extensions(r);
  *can = g && fourier_sides_bytes(g) <= memory && extensions <= MOST_EXTENSIONS;
  if (o->output) PL_TRY(fourier_sides_fit(g, memory));
  if (extensions <= MOST_EXTENSIONS || !o->output) return PL_OK;
  return pl_error(PL_EINPUT,
                  "%s: the transform needs all linear extensions, which are %.3g for the %lld "
                  "ballots of %lld that have ties or miss items; expected at most %.3g (without "
                  "--output, the first orders follow from counts; --drop leaves those ballots out)",
                  o->input, extensions, (long long)r->open, (long long)r->ballots, MOST_EXTENSIONS);
}

static pl_status analyse(const fourier_options *o, double memory, const pl_rankings *r,
                         const pl_effects *e) {
  pl_group *g = NULL;
  char spec[16];
  if (o->output && r->n > MOST_ITEMS)
    return pl_error(PL_EINPUT,
                    "%s: --output keeps the transform, of rankings of up to %d items; here are %d",
                    o->input, MOST_ITEMS, r->n);
  snprintf(spec, sizeof spec, "S_%d", r->n);
  if (o->output || r->n <= TRANSFORM_ITEMS) PL_TRY(pl_group_parse(spec, &g));
  bool transform;
  pl_status st = transformable(o, memory, r, g, &transform);
  if (!st && transform) {
    fourier_sides sides;
    fourier_sides_init(&sides, g, r);
    pl_rankings_function(r, sides.f);
    st = fourier_sides_transform(&sides, false);
    if (!st) st = fourier_sides_show(o, &sides, e);
    fourier_sides_fini(&sides);
  } else if (!st) {
    energies table;
    energies_of_counts(&table, r, e);
    if (o->energies.file) energies_csv(&table, o->energies.file);
    energies_print(&table);
    printf("\ngroup: S_%d, the irreps with a first row of %d or more\nsquared norm of f: %.15g\n",
           r->n, r->n - 2, table.total);
    energies_fini(&table);
    double extensions = pl_rankings_extensions(r);
    if (g && extensions > MOST_EXTENSIONS)
      printf("other irreps: not without all linear extensions, %.3g of them, more than %.3g\n",
             extensions, MOST_EXTENSIONS);
    rankings_print_effects(r, e);
  }
  pl_group_free(g);
  return st;
}

pl_status fourier_rankings(const fourier_options *o, double memory) {
  pl_rankings *r;
  PL_TRY(pl_rankings_read(o->input, &o->how, &r));
  pl_status st = PL_OK;
  if (o->inverse || o->group)
    st = pl_error(PL_EINPUT, "%s: %s is for NetCDF input, this file holds rankings of %d items",
                  o->input, o->inverse ? "--inverse" : "--group", r->n);
  if (!st) {
    pl_effects *e = pl_effects_new(r, o->effects < 0 ? EFFECTS : o->effects);
    if (o->ranked.file) rankings_csv(r, e, o->ranked.file);
    st = analyse(o, memory, r, e);
    pl_effects_free(e);
  }
  pl_rankings_free(r);
  return st;
}
