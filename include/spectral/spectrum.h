/* Arithmetic on spectra: arrays of layout->local doubles, stack by stack (spectral/layout.h).
 *
 * All pointers are to this rank's part of one stack unless said otherwise.  Sums over entries are
 * this rank's part: add them over the team (pl_comm_sum) for the whole. */
#ifndef PL_SPECTRAL_SPECTRUM_H
#define PL_SPECTRAL_SPECTRUM_H

#include "base/norm.h"
#include "base/sums.h"
#include "linalg/svd.h"
#include "spectral/layout.h"

typedef enum { PL_NN, PL_CN, PL_NC } pl_product;

/* C_rho = A_rho B_rho (PL_NN), A_rho^H B_rho (PL_CN) or A_rho B_rho^H (PL_NC) for every matrix of
 * the stack; c overlaps neither a nor b.  Collective over the stack's grid; Local otherwise.
 * No allocation. */
void pl_stack_mul(const pl_stack *b, pl_product op, const double *a, const double *bb, double *c);
/* C_rho = alpha times that product + beta C_rho, beta != 0; likewise. */
void pl_stack_mul_add(const pl_stack *b, pl_product op, double alpha, const double *a,
                      const double *bb, double beta, double *c);

/* The norm of a function over the group from its spectrum: sqrt(sum over stacks of weight |F|^2),
 * at any size of its numbers.  Collective over the team. */
double pl_spectrum_norm(const pl_layout *l, const double *F);

/* Workspace for the singular values of the stacks of a layout on this rank; rates as for
 * pl_svd_new. */
typedef struct pl_spectrum_svd pl_spectrum_svd;
pl_spectrum_svd *pl_spectrum_svd_new(const pl_layout *l, const pl_rates *rates);
void pl_spectrum_svd_free(pl_spectrum_svd *w);

/* All singular values of the stack: sigma[k*dim ..] decreasing, for matrix k < count, where this
 * rank is the owner (on a grid: on every rank of it).  a is overwritten.  Collective over the
 * stack's grid.  PL_NUMERIC (on all its ranks): some values are NaN. */
pl_status pl_stack_singular_values(const pl_layout *l, const pl_stack *b, double *a,
                                   pl_spectrum_svd *w, double *sigma);

#endif
