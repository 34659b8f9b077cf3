/* Q_8.  Irreps: 1 (trivial); i, j, k: the character that is 1 on that unit and -1 on the other two;
 * H: the quaternions themselves. */
#include "group/family.h"

#include <stdio.h>
#include <string.h>

static void init(pl_factor *f) {
  f->order = 8;
  f->classes = f->irreps = 5;
}

/* Elements: unit a & 3 of 1, i, j, k, negative if a & 4. */
static int64_t mul(const pl_factor *f, int64_t a, int64_t b) {
  (void)f;
  static const int8_t unit[4][4] = {{0, 1, 2, 3}, {1, 4, 3, 6}, {2, 7, 4, 1}, {3, 2, 5, 4}};
  return unit[a & 3][b & 3] ^ ((a ^ b) & 4);
}
static int64_t inv(const pl_factor *f, int64_t a) {
  (void)f;
  return a & 3 ? a ^ 4 : a;
}

static int element_label(const pl_factor *f, int64_t a, char *buf, size_t n) {
  (void)f;
  return snprintf(buf, n, "%s%c", a & 4 ? "-" : "", "1ijk"[a & 3]);
}

static int generators(const pl_factor *f, int64_t *gens, int max) {
  (void)f;
  for (int g = 0; g < 2 && g < max; g++) gens[g] = g + 1;
  return 2;
}

static pl_irrep irrep(const pl_factor *f, int64_t i) {
  (void)f;
  return i < 4 ? (pl_irrep){1, PL_REAL, 1} : (pl_irrep){2, PL_QUATERNIONIC, 1};
}

static int irrep_label(const pl_factor *f, int64_t i, int conj, char *buf, size_t n) {
  (void)f, (void)conj;
  return snprintf(buf, n, "%c", "1ijkH"[i]);
}

static int64_t irrep_by_label(const pl_factor *f, const char *label, int *conj) {
  (void)f;
  *conj = 0;
  if (!label[0] || label[1]) return -1;
  const char *names = "1ijkH", *at = strchr(names, label[0]);
  return at ? at - names : -1;
}

static void irrep_matrix(const pl_factor *f, int64_t i, int64_t element, double *compact) {
  (void)f;
  int unit = element & 3, sign = element & 4 ? -1 : 1;
  if (i == 4) {
    for (int q = 0; q < 4; q++) compact[q] = q == unit ? sign : 0;
  } else {
    compact[0] = i == 0 || unit == 0 || unit == i ? 1 : -1;
  }
}

const pl_family pl_family_quaternion = {
    .letter = 'Q',
    .form = "Q_8  quaternion group",
    .min = 8,
    .max = 8,
    .init = init,
    .mul = mul,
    .inv = inv,
    .element_label = element_label,
    .generators = generators,
    .irrep = irrep,
    .irrep_label = irrep_label,
    .irrep_by_label = irrep_by_label,
    .irrep_matrix = irrep_matrix,
};
