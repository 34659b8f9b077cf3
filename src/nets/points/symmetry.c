#include "symmetry.h"

#include "group/perm.h"
#include "keys.h"

static bool is_odd(int64_t n, const int8_t *s) {
  bool odd = false;
  for (int64_t i = 0; i < n; i++)
    for (int64_t j = 0; j < i; j++) odd ^= s[j] > s[i];
  return odd;
}

int64_t points_symmetry_order(int64_t subgroup, int64_t d) {
  int64_t signs = INT64_C(1) << d;
  switch (subgroup) {
  case AUGMENT_INVERSION:
    return 2;
  case AUGMENT_MIRRORS:
    return signs;
  case AUGMENT_ROTATIONS:
    return pl_factorial((int)d) * (signs / 2);
  case AUGMENT_OCTAHEDRAL:
    return pl_factorial((int)d) * signs;
  default:
    return 1;
  }
}

points_symmetry points_symmetry_of(int64_t subgroup, int64_t d, int64_t k) {
  points_symmetry g = {{0}, {0}};
  bool turns = subgroup == AUGMENT_ROTATIONS;
  int64_t free_signs = turns ? d - 1 : d, rank = k >> free_signs, v = k & ((1LL << free_signs) - 1);
  if (subgroup == AUGMENT_INVERSION) v = k ? (1LL << d) - 1 : 0, rank = 0;
  pl_perm_unrank((int)d, rank, g.to);
  /* The last sign makes the determinant 1. */
  if (turns && is_odd(d, g.to) != (__builtin_popcountll((unsigned long long)v) % 2 == 1))
    v |= 1LL << (d - 1);
  for (int64_t a = 0; a < d; a++) g.sign[a] = v >> g.to[a] & 1 ? -1 : 1;
  return g;
}

void points_symmetry_apply(const points_symmetry *g, int64_t d, int64_t n, const double *x,
                           double *to) {
  for (int64_t i = 0; i < n; i++)
    for (int64_t a = 0; a < d; a++) to[i * d + g->to[a]] = g->sign[a] * x[i * d + a];
}
