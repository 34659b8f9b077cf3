/* Semidirect products N : H, N = C_m1 x C_m2 x .. (internal to group/; group/group.h states the
 * numbering and the actions).
 *
 * Irreps by the method of little groups (Serre, Linear Representations of Finite Groups, 8.2).
 * H acts on the characters of N, chi_k(n) = exp(i theta), theta = -2 pi sum k_j n_j/m_j, by
 * (h chi)(n) = chi(h^-1 n).  Let K be the stabiliser of chi and K' >= K that of {chi, conj chi}.
 * An irrep sigma of K gives an irrep tau of N : K', induced from chi x sigma on N : K, and, with
 * representatives x_r of H/K', the irrep of G with blocks
 *   rho(n, h)_(r, c) = (cos theta_r + sin theta_r M) tau(k),  k = x_r^-1 h x_c if it is in K',
 * theta_r the angle of x_r chi at n.  M is what i becomes in the basis of tau: chi real: none;
 * conj chi in another orbit: i itself; otherwise (K' > K) a matrix, real if tau is real.  Only tau
 * must be brought to compact form (group/family.h), and it depends on K, K' and sigma alone.
 *
 * So rho's Fourier matrix is linear, block by block, in the DFTs over N of f(., h), h in x_r K'
 * x_c^-1, at x_r chi: a square matrix E, the same for all orbits with the same K and K'. */
#ifndef PL_GROUP_SEMIDIRECT_H
#define PL_GROUP_SEMIDIRECT_H

#include "group/action.h"
#include "group/little.h"

/* chi of number `chi` (the number of n = k), the smallest of its orbit and its conjugates. */
typedef struct pl_orbit {
  int64_t chi;
  int little;
  int64_t first, pairs, offset; /* irreps, complex ones and doubles of the orbits before */
} pl_orbit;

typedef struct pl_semidirect {
  pl_action action;
  int64_t n;                     /* |N| */
  pl_matrix dual[PL_MAX_ACTING]; /* of H on the numbers k of characters */
  int littles;
  pl_little *little;
  int64_t orbits;
  pl_orbit *orbit;
} pl_semidirect;

/* A factor for the group at the start of text; as pl_action_parse. */
int pl_semidirect_parse(const pl_family *const *families, const char *text, pl_factor *f, char *why,
                        size_t n);

extern const pl_fast pl_semidirect_fast;

#endif
