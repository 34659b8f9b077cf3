/* The compact form of a matrix (group/family.h), and the one that files and tests know. */
#include "group/family.h"

#include <string.h>

void pl_compact_expand(pl_irrep r, const double *compact, double *full) {
  if (r.type != PL_QUATERNIONIC) {
    memcpy(full, compact, (size_t)pl_compact_size(r) * sizeof *full);
    return;
  }
  int half = r.dim / 2;
  for (int i = 0; i < half; i++)
    for (int j = 0; j < half; j++, compact += 4) {
      double *top = full + 2 * ((int64_t)2 * i * r.dim + 2 * j), *bottom = top + 2 * r.dim;
      top[0] = compact[0], top[1] = compact[1];
      top[2] = -compact[2], top[3] = -compact[3];
      bottom[0] = compact[2], bottom[1] = -compact[3];
      bottom[2] = compact[0], bottom[3] = -compact[1];
    }
}

void pl_compact_reduce(pl_irrep r, const double *full, double *compact) {
  if (r.type != PL_QUATERNIONIC) {
    memcpy(compact, full, (size_t)pl_compact_size(r) * sizeof *full);
    return;
  }
  int half = r.dim / 2;
  for (int i = 0; i < half; i++)
    for (int j = 0; j < half; j++, compact += 4) {
      const double *top = full + 2 * ((int64_t)2 * i * r.dim + 2 * j), *bottom = top + 2 * r.dim;
      compact[0] = top[0], compact[1] = top[1];
      compact[2] = bottom[0], compact[3] = -bottom[1];
    }
}
