/* Samples that are not kept but made anew whenever they are needed (data.store: regenerate), piece
 * by piece and without a spectrum of any: Gaussian ones from their counters, sums of few
 * permutations from adjacent transpositions (group/band.h).  Gaussian ones are those of
 * data.store: keep bit by bit, and so are sums over them; the others to rounding. */
#ifndef PL_NETS_GROUP_RECIPES_H
#define PL_NETS_GROUP_RECIPES_H

#include "nets/group/data.h"

/* For so many samples on a layout (borrowed): sums of permutations, centred: without the trivial
 * irrep; or Gaussian ones of this seed.  Local, like all that follows but pl_recipes_add. */
pl_recipes *pl_recipes_new(const pl_layout *l, uint64_t seed, int64_t samples, bool permutations,
                           bool centred);
void pl_recipes_free(pl_recipes *r);
/* Bytes on a rank that holds stacks of at most so many doubles.  permutations of a sample; 0:
 * Gaussian ones. */
double pl_recipes_bytes(const pl_group *g, int64_t samples, int64_t permutations, double stack);

/* The next sample, times scale or, where that is 0, divided by its norm.  F: l->scratch doubles of
 * workspace.  False: centring leaves nothing of it.  Collective over the layout's team. */
bool pl_recipes_add(pl_recipes *r, const pl_recipe *recipe, double scale, double *F);

/* Of samples first .. first + num - 1, as pl_samples_sum, _dot and _get. */
void pl_recipes_sum(pl_recipes *r, int64_t first, int64_t num, const pl_stack *b, const double *c,
                    double *out);
void pl_recipes_dot(pl_recipes *r, int64_t first, int64_t num, const pl_stack *b, const double *y,
                    double *out);
void pl_recipes_get(pl_recipes *r, int64_t sample, const pl_stack *b, double *out);

#endif
