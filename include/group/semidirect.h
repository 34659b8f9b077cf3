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

#include "group/family.h"

enum { PL_MAX_RANK = 4, PL_MAX_ACTING = 64 }; /* cyclic factors of N; |H| */

typedef int64_t pl_matrix[PL_MAX_RANK][PL_MAX_RANK];

/* An action of H on N by matrices on columns n: entry (i, j) mod m_i, m_i | entry * m_j. */
typedef struct pl_action {
  int rank;
  int64_t m[PL_MAX_RANK];
  pl_factor h; /* C_n, D_n or Q_8 */
  pl_matrix by[PL_MAX_ACTING];
} pl_action;

/* Read "(C_5 x C_5) : Q_8", "C_7 : C_3 by [[2]]" or "p4m_28" at the start of text.  Returns the
 * number of characters read, *name then the canonical spelling, the caller's to free; 0 if text
 * does not start so, or if it is wrong: then why, "" otherwise, says how. */
int pl_action_parse(const char *text, pl_action *a, char **name, char *why, size_t n);

/* How chi and its conjugate stand to each other. */
typedef enum {
  PL_CHI_REAL,   /* equal */
  PL_CHI_APART,  /* in different orbits */
  PL_CHI_TWISTED /* in one orbit */
} pl_chi;

typedef struct pl_little_irrep {
  pl_irrep tau;
  int sigma, partner; /* numbers of sigma, and of the sigma that gives the conjugate; in the case
                       * PL_CHI_APART with conj chi in place of chi */
  int row;            /* first of its rows in E */
} pl_little_irrep;

typedef struct pl_little {
  uint64_t stabiliser, inertia; /* K and K', sets of elements of H */
  pl_chi chi;
  pl_factor k; /* K as a C_n, D_n or Q_8 */
  struct {
    int irrep, conj;
  } sigma[PL_MAX_ACTING]; /* irreps of K over C */
  int members;            /* |K'| */
  int side;               /* |H/K'| */
  int rep[PL_MAX_ACTING]; /* x_r */
  int *h;                 /* [r][c][j]: x_r k_j x_c^-1, k_j the members of K' */
  int parts;              /* 1 if chi is real: theta is 0 or pi; else 2: cosines, sines */
  int rows;               /* members * parts */
  double *E;              /* [j][part][row] */
  int irreps;
  int64_t pairs; /* irreps of complex type */
  pl_little_irrep *irrep;
} pl_little;

void pl_little_init(pl_little *l, const pl_factor *h, uint64_t stabiliser, uint64_t inertia,
                    pl_chi chi);
void pl_little_fini(pl_little *l);

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

/* A factor for the group at the start of text; returns as pl_action_parse. */
int pl_semidirect_parse(const char *text, pl_factor *f, char *why, size_t n);

/* out = matrix times the element or character of number a, as numbers; m: the orders. */
int64_t pl_action_apply(const pl_action *a, const pl_matrix matrix, int64_t number);
int64_t pl_action_negate(const pl_action *a, int64_t number);

extern const pl_fast pl_semidirect_fast;

#endif
