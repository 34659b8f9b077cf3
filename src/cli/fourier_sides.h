/* Both sides of a Fourier transform, f and F, for `fourier`: the memory that they take, the table
 * of energies, and what is written.  Inside cli/ only.  Local: rank 0. */
#ifndef PL_CLI_FOURIER_SIDES_H
#define PL_CLI_FOURIER_SIDES_H

#include "fourier_options.h"
#include "energies.h"
#include "group/effects.h"
#include "group/group.h"

/* Both sides: one array where the transform can be made in place (pl_fourier_in_place), so that of
 * the side that was given only its sums are left. */
typedef struct fourier_sides {
  const pl_group *group;       /* borrowed */
  const pl_rankings *rankings; /* that f counts; NULL: none.  Borrowed */
  double *f, *F;
  double norm2, largest; /* ||f||^2, largest |f(g)| */
  energies table;
} fourier_sides;
/* Room for both; free it with fourier_sides_fini. */
void fourier_sides_init(fourier_sides *s, const pl_group *g, const pl_rankings *r);
void fourier_sides_fini(fourier_sides *s);
/* One side is there: make the other. */
pl_status fourier_sides_transform(fourier_sides *s, bool inverse);

/* Bytes of the transform and of both sides. */
double fourier_sides_bytes(const pl_group *g);
/* PL_EENV where that is more than `have`. */
pl_status fourier_sides_fit(const pl_group *g, double have);
/* Check Plancherel's identity, write o->output if there is one, and print the energies.  e:
 * the effects of the rankings that f counts, for which the energies have ratios; or NULL. */
pl_status fourier_sides_show(const fourier_options *o, const fourier_sides *s, const pl_effects *e);

#endif
