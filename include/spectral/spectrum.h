/* Arithmetic on spectra: arrays of layout->local doubles, batch by batch (spectral/layout.h).
 *
 * All pointers are to this rank's part of one batch unless said otherwise.  Sums over entries are
 * this rank's part: add them over the team (pl_comm_sum) for the whole. */
#ifndef PL_SPECTRAL_SPECTRUM_H
#define PL_SPECTRAL_SPECTRUM_H

#include "base/norm.h"
#include "linalg/svd.h"
#include "spectral/layout.h"

typedef enum { PL_NN, PL_CN, PL_NC } pl_product;

/* C_rho = A_rho B_rho (PL_NN), A_rho^H B_rho (PL_CN) or A_rho B_rho^H (PL_NC) for every matrix of
 * the batch; c overlaps neither a nor b.  Collective over the batch's grid; Local otherwise.
 * No allocation. */
void pl_batch_mul(const pl_batch *b, pl_product op, const double *a, const double *bb, double *c);

/* out[i] += weight sum_k x[i*stride + k] y[k], i < count: the batch's share of <x_i, y> over the
 * group, k over n doubles.  Local, pure. */
void pl_multi_dot(int64_t count, int64_t n, double weight, const double *x, int64_t stride,
                  const double *y, double *out);
/* r[k] = sum_i c[i] x[i*stride + k].  Local, pure. */
void pl_multi_axpy(int64_t count, int64_t n, const double *c, const double *x, int64_t stride,
                   double *r);
/* The norm of a function over the group from its spectrum: sqrt(sum over batches of weight |F|^2),
 * at any size of its numbers.  Collective over the team. */
double pl_spectrum_norm(const pl_layout *l, const double *F);

/* Workspace for the singular values of the batches of a layout on this rank. */
typedef struct pl_spectrum_svd pl_spectrum_svd;
pl_spectrum_svd *pl_spectrum_svd_new(const pl_layout *l);
void pl_spectrum_svd_free(pl_spectrum_svd *w);

/* All singular values of the batch: sigma[k*dim ..] decreasing, for matrix k < count, where this
 * rank is the owner (on a grid: on every rank of it).  a is overwritten.  Collective over the
 * batch's grid.  PL_NUMERIC (on all its ranks): some values are NaN. */
pl_status pl_batch_singular_values(const pl_layout *l, const pl_batch *b, double *a,
                                   pl_spectrum_svd *w, double *sigma);

#endif
