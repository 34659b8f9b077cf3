/* Little groups of N : H, which group/semidirect.h explains (internal to group/). */
#ifndef PL_GROUP_LITTLE_H
#define PL_GROUP_LITTLE_H

#include "group/action.h"

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

#endif
