/* Functions on a Cayley graph by the irreps of its group: energies, and the axis they stand on. */
#ifndef PL_NETS_GRAPH_IRREPS_H
#define PL_NETS_GRAPH_IRREPS_H

#include "group/fourier.h"
#include "model/measure.h"

typedef struct irrep_energies {
  const pl_group *group; /* borrowed */
  pl_fourier *plan;
  double *f, *F; /* one function, its coefficients */
} irrep_energies;

/* PL_EENV: the group is too large to transform.  Local. */
pl_status irrep_energies_new(const pl_group *g, irrep_energies **out);
void irrep_energies_free(irrep_energies *e);
/* energy[irrep] = sum over the columns y of (m d/|G|) ||F_rho(y)||^2, which add up to the sum of
 * all y^2 (Plancherel).  y: [|G|][cols]. */
void irrep_energies_of(irrep_energies *e, int64_t cols, const double *y, double *energy);

/* The axis `irrep` of a group, and its context (free with irrep_context_free).  The functions of
 * its coordinates read the context that the family handed to the network's schema. */
typedef struct irrep_context {
  pl_group *group;
} irrep_context;
pl_axis irrep_axis(const irrep_context *c);

#endif
