/* Both sides of a Fourier transform, f and F, for `fourier`: the memory that they take, the table
 * of energies, and what is written.  Inside cli/ only.  Local: rank 0. */
#ifndef PL_CLI_FOURIER_SIDES_H
#define PL_CLI_FOURIER_SIDES_H

#include "fourier_options.h"
#include "group/effects.h"
#include "group/group.h"

/* Bytes of the transform and of both sides. */
double fourier_sides_bytes(const pl_group *g);
/* PL_EENV where that is more than `have`. */
pl_status fourier_sides_fit(const pl_group *g, double have);
/* Check Plancherel's identity, write o->output if there is one, and print the energies.  r and e:
 * the rankings that f counts, for which the energies have ratios, and their effects; or NULL. */
pl_status fourier_sides_show(const fourier_options *o, const pl_group *g, const double *f,
                             const double *F, const pl_rankings *r, const pl_effects *e);
/* PL_EENV where standard output did not take all. */
pl_status fourier_sides_flush(void);

#endif
