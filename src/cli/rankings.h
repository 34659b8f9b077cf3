/* What `fourier` shows of rankings beside the energies of irreps.  Inside cli/ only. */
#ifndef PL_CLI_RANKINGS_H
#define PL_CLI_RANKINGS_H

#include "base/nc.h"
#include "group/effects.h"

/* The table of energies of the irreps with first row >= n - 2, from counts alone. */
void rankings_print_energies(const pl_rankings *r, const pl_effects *e);
/* The table of first-order effects where it fits a page, and the largest effects of each kind. */
void rankings_print_effects(const pl_rankings *r, const pl_effects *e);

/* Variables item and first_order_effect(item, rank) of a file, in define mode; their values. */
void rankings_define(pl_nc *nc, const pl_rankings *r);
pl_status rankings_put(pl_nc *nc, const pl_rankings *r, const pl_effects *e);

#endif
