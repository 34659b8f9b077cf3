/* The Fourier transform between real functions over G and spectra, inside a team.
 *
 * A function is spread over the team by ranges of elements: rank r holds f(first) ..
 * f(first + count - 1).  A team of one transforms in place; a larger one shares the work of S_n
 * (cosets below level n, columns of irreps at level n), and holds other groups whole on each rank.
 * Workspace belongs to the plan; applying it allocates nothing. */
#ifndef PL_SPECTRAL_TRANSFORM_H
#define PL_SPECTRAL_TRANSFORM_H

#include "spectral/layout.h"

typedef struct pl_transform pl_transform;

/* Plan for a layout (borrowed).  Collective over the team. */
pl_status pl_transform_new(const pl_layout *l, pl_transform **out);
void pl_transform_free(pl_transform *t);
/* Bytes of a plan on one rank of a team of that size (estimate).  Local, pure. */
double pl_transform_bytes(const pl_group *g, int team);

/* The range of elements that this rank holds. */
int64_t pl_transform_first(const pl_transform *t);
int64_t pl_transform_count(const pl_transform *t);

/* f: count doubles, F: layout->local doubles.  Collective over the team; f and F keep their inputs
 * and must not overlap. */
void pl_transform_forward(pl_transform *t, const double *f, double *F);
void pl_transform_inverse(pl_transform *t, const double *F, double *f);

/* Collect a function on rank 0 of the team (full: |G| doubles there) or spread it from there.
 * Collective over the team. */
void pl_transform_gather(const pl_transform *t, const double *f, double *full);
void pl_transform_scatter(const pl_transform *t, const double *full, double *f);
/* The same for elements first .. first + n - 1 only, bit by bit.  x: n doubles on every rank,
 * workspace where they do not count. */
void pl_transform_gather_range(const pl_transform *t, const double *f, int64_t first, int64_t n,
                               double *x);
void pl_transform_scatter_range(const pl_transform *t, double *f, int64_t first, int64_t n,
                                double *x);

#endif
