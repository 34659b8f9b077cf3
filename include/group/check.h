/* Verification of a group, its irreps and its transform against their definitions. */
#ifndef PL_GROUP_CHECK_H
#define PL_GROUP_CHECK_H

#include "group/group.h"

enum { PL_NUM_CHECKS = 6 };

typedef struct pl_check {
  const char *name; /* static storage */
  char cases[96];   /* what was checked: all, or how many taken at random */
  double residual;  /* largest deviation; within tolerance: passed */
  double tolerance;
} pl_check;

/* Sum of m d^2, homomorphism, unitarity, transforms of impulses, Schur orthogonality of matrix
 * entries, round trip.  Small groups exhaustively, large ones on random samples that do not
 * change from call to call.  PL_EBUG, with the first failure as message, if one does not pass;
 * PL_EENV, with what is needed, if memory does not suffice (out is then unchanged). */
pl_status pl_group_check(const pl_group *g, pl_check out[PL_NUM_CHECKS]);

#endif
