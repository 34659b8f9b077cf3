/* Signed permutations of the axes: B_d, in three dimensions the octahedral group with its
 * inversions, and subgroups.  Numbers of elements as in the laboratory (group/group.h): of
 * i -> +-s(i), rank(s) 2^d + v, bit j of v for a minus sign at the image j + 1.  Local, pure. */
#ifndef PL_NETS_POINTS_SYMMETRY_H
#define PL_NETS_POINTS_SYMMETRY_H

#include <stdint.h>

/* (g x)_{to[a]} = sign[a] x_a. */
typedef struct points_symmetry {
  int8_t to[16];
  double sign[16];
} points_symmetry;

/* Elements of a subgroup (AUGMENT_.., keys.h), and number k of them. */
int64_t points_symmetry_order(int64_t subgroup, int64_t dimension);
points_symmetry points_symmetry_of(int64_t subgroup, int64_t dimension, int64_t k);
/* to = g x for n points; x, to: [n][dimension], not overlapping. */
void points_symmetry_apply(const points_symmetry *g, int64_t dimension, int64_t n, const double *x,
                           double *to);

#endif
