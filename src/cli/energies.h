/* The table of energies of `fourier`: a row per irrep, printed, as CSV and in a NetCDF file. Inside
 * cli/ only.  Local: rank 0. */
#ifndef PL_CLI_ENERGIES_H
#define PL_CLI_ENERGIES_H

#include "base/nc.h"
#include "group/effects.h"
#include "group/group.h"

#include <stdbool.h>
#include <stdio.h>

typedef struct energy_row {
  char *label; /* of the irrep */
  double dim;
  double energy; /* (m d / |G|) ||F||^2 */
  double share;  /* of the squared norm of f */
  double ratio;  /* rankings: energy over its mean for ballots drawn uniformly; NAN: that is 0, as
                    where ties leave nothing of the irrep */
} energy_row;

typedef struct energies {
  int64_t num;
  bool ratios; /* are there any? */
  double total;
  energy_row *row;
} energies;

/* Of all irreps, from the coefficients F (group/group.h); r: the rankings that f counts, or NULL.
 */
void energies_of_coefficients(energies *e, const pl_group *g, const double *F,
                              const pl_rankings *r);
/* Of the irreps with first row >= n - 2, from counts alone; total: the squared norm of f. */
void energies_of_counts(energies *e, const pl_rankings *r, const pl_effects *x);
void energies_fini(energies *e);

/* label, dimension, energy, share and, of rankings, ratio: "-", in CSV empty, where there is none.
 */
void energies_print(const energies *e);
void energies_csv(const energies *e, FILE *out);
/* Variables irrep_energy, irrep_share and, of rankings, irrep_ratio on the dimension irrep of a
 * file in define mode; their values. */
void energies_define(pl_nc *nc, const energies *e);
pl_status energies_put(pl_nc *nc, const energies *e);

#endif
