/* What `fourier` shows of rankings beside the energies of irreps.  Inside cli/ only. */
#ifndef PL_CLI_RANKINGS_H
#define PL_CLI_RANKINGS_H

#include "base/nc.h"
#include "group/effects.h"

#include <stdio.h>

/* The table of first-order effects where it fits a page, and the largest effects of each kind. */
void rankings_print_effects(const pl_rankings *r, const pl_effects *e);

/* The same largest effects as CSV: kind (first, unordered, ordered), irrep, effect, z, item, rank
 * (1 the best) and, of pairs, item_2, rank_2. */
void rankings_csv(const pl_rankings *r, const pl_effects *e, FILE *out);

/* Variables item, first_order_effect(item, rank) and the largest effects of a file, in define mode;
 * their values. */
void rankings_define(pl_nc *nc, const pl_rankings *r, const pl_effects *e);
pl_status rankings_put(pl_nc *nc, const pl_rankings *r, const pl_effects *e);

#endif
