/* Tensor products of irreps of G and of H, in compact form (group/family.h; internal to group/).
 *
 * With T[s][r] = sum_{g,h} f(g, h) rho(g)_r sigma(h)_s over the compact components r of rho and s
 * of sigma, the Fourier matrix of rho x sigma is linear in T: with a, b blocks of rho and c, d
 * blocks of sigma,
 *   block ((a, c), (b, d)) = sum over components of T[(c, d, s)][(a, b, r)] e_r e_s,
 * where e_r e_s is
 *   1, i or a quaternion       if one of the two is real;
 *   e_r e_s and e_r conj(e_s)  if both are complex: two irreps, rho x sigma and rho x conj sigma;
 *   the 2 x 2 complex matrix   if one is complex, the other quaternionic;
 *   x -> e_r x conj(e_s) on the quaternions, a real 4 x 4 matrix, if both are quaternionic. */
#ifndef PL_GROUP_TENSOR_H
#define PL_GROUP_TENSOR_H

#include "group/group.h"

/* Type and dimension of rho x sigma; the number of irreps (1 or 2) goes to *count. */
pl_irrep pl_tensor_irrep(pl_irrep rho, pl_irrep sigma, int *count);
/* T: rows s, columns r, ld doubles from row to row; out: the irreps one after the other. */
void pl_tensor_combine(pl_irrep rho, pl_irrep sigma, const double *T, int64_t ld, double *out);
/* Its inverse. */
void pl_tensor_split(pl_irrep rho, pl_irrep sigma, const double *in, double *T, int64_t ld);

#endif
