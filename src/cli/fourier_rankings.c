#include "fourier_rankings.h"

#include "base/mem.h"
#include "fourier_sides.h"
#include "group/fourier.h"
#include "group/perm.h"
#include "rankings.h"

#include <stdio.h>

/* Rankings of so many items are transformed unasked (seconds), of so many at all. */
enum { TRANSFORM_ITEMS = 11, MOST_ITEMS = 13, EFFECTS = 10 };

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
  pl_status st = PL_OK;
  if (o->output) st = fourier_sides_fit(g, memory);
  if (!st && g && fourier_sides_bytes(g) <= memory) {
    fourier_sides sides;
    fourier_sides_init(&sides, g);
    for (int64_t k = 0; k < r->num; k++)
      sides.f[pl_perm_rank(r->n, r->rank + k * r->n)] = (double)r->count[k];
    st = fourier_sides_transform(&sides, false);
    if (!st) st = fourier_sides_show(o, &sides, r, e);
    fourier_sides_fini(&sides);
  } else if (!st) {
    rankings_print_energies(r, e);
    rankings_print_effects(r, e);
    st = fourier_sides_flush();
  }
  pl_group_free(g);
  return st;
}

pl_status fourier_rankings(const fourier_options *o, double memory) {
  pl_rankings *r;
  PL_TRY(pl_rankings_read(o->input, &r));
  pl_status st = PL_OK;
  if (o->inverse || o->group)
    st = pl_error(PL_EINPUT, "%s: %s is for NetCDF input, this file holds rankings of %d items",
                  o->input, o->inverse ? "--inverse" : "--group", r->n);
  if (!st) {
    pl_effects *e = pl_effects_new(r, o->effects < 0 ? EFFECTS : o->effects);
    st = analyse(o, memory, r, e);
    pl_effects_free(e);
  }
  pl_rankings_free(r);
  return st;
}
