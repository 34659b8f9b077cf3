/* Functions on a group by its irreps, for networks over a tape: energies, and the axis they stand
 * on. */
#ifndef PL_NETS_IRREPS_H
#define PL_NETS_IRREPS_H

#include "group/fourier.h"
#include "model/measure.h"

typedef struct pl_irrep_energies {
  const pl_group *group; /* borrowed */
  pl_fourier *plan;
  double *f, *F; /* one function, its coefficients */
} pl_irrep_energies;

/* PL_EENV: the group is too large to transform.  Local. */
pl_status pl_irrep_energies_new(const pl_group *g, pl_irrep_energies **out);
void pl_irrep_energies_free(pl_irrep_energies *e);
/* energy[irrep] = sum over the columns y of (m d/|G|) ||F_rho(y)||^2, which add up to the sum of
 * all y^2 (Plancherel).  y: [|G|][cols]. */
void pl_irrep_energies_of(pl_irrep_energies *e, int64_t cols, const double *y, double *energy);

/* The axis `irrep` of a group, and its context, which the family's own begins with: the functions
 * of the coordinates read what pl_net_context gives. */
typedef struct pl_irrep_context {
  pl_group *group;
} pl_irrep_context;
pl_axis pl_irrep_axis(const pl_irrep_context *c);

#endif
