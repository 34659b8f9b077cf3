/* Spectra in an order that no layout changes: the irreps of the group one after the other, whole
 * matrices, row-major.  What checkpoints hold: written by one team, read by any other. */
#ifndef PL_SPECTRAL_PACKED_H
#define PL_SPECTRAL_PACKED_H

#include "spectral/layout.h"

typedef struct pl_packed pl_packed;

/* l is borrowed.  Local. */
pl_packed *pl_packed_new(const pl_layout *l);
void pl_packed_free(pl_packed *p);
/* Doubles of a whole spectrum. */
int64_t pl_packed_doubles(const pl_packed *p);

/* Entries first .. first + n - 1 of a spectrum whose stack b lies at stacks[b] on this rank (NULL
 * where it has no part of it), to rank 0 of the team, bit by bit.  out: n doubles, workspace on the
 * other ranks.  Collective over the team. */
void pl_packed_gather(const pl_packed *p, double *const *stacks, int64_t first, int64_t n,
                      double *out);
/* The reverse: x counts on rank 0 and is overwritten elsewhere. */
void pl_packed_scatter(const pl_packed *p, double *const *stacks, int64_t first, int64_t n,
                       double *x);

#endif
