/* Level n of the transform on S_n alone (group/sn_fft.h), for a transform spread over ranks.
 *
 * A rank that holds block b of f (elements b (n-1)! .. (b+1) (n-1)! - 1) transforms it on S_(n-1)
 * with an ordinary plan; call the result G_b.  Level n joins G_0 .. G_(n-1) and never mixes
 * columns: columns [u0, u0+ncols) of the matrices of one mu |- n-1 give columns
 * off(lambda, mu) + [u0, u0+ncols), all rows, of F_lambda for every lambda covering mu, and every
 * column of F_lambda comes from exactly one mu.  Everything is Local. */
#ifndef PL_GROUP_SN_TEAM_H
#define PL_GROUP_SN_TEAM_H

#include "base/status.h"

#include <stdint.h>

typedef struct pl_sn_level pl_sn_level;

/* Tables for 5 <= n <= 13; PL_EINPUT otherwise. */
pl_status pl_sn_level_new(int n, pl_sn_level **out);
void pl_sn_level_free(pl_sn_level *level);
/* Number of lambda covering mu (index among the partitions of n-1), in decreasing order.
 * lambda[l]: index among the partitions of n; column[l] = off(lambda, mu).  Borrowed from level;
 * either may be NULL. */
int pl_sn_level_covers(const pl_sn_level *level, int mu, const int **lambda,
                       const int64_t **column);
/* in[b], b = 0..n-1: d_mu x ncols row-major, those columns of (G_b)_mu.  out[l]: d_lambda x ncols
 * row-major, those columns of F_lambda for the l-th lambda covering mu.  Both in the scaling of
 * plain transforms (F = sum f rho).  The inverse takes out to in. */
void pl_sn_level_forward(pl_sn_level *level, int mu, int64_t ncols, const double *const *in,
                         double *const *out);
void pl_sn_level_inverse(pl_sn_level *level, int mu, int64_t ncols, const double *const *out,
                         double *const *in);

#endif
