#include "base/rng.h"

#include <Random123/philox.h>
#include <math.h>

static inline philox4x32_ctr_t block(uint64_t seed, uint64_t stream, uint64_t index) {
  philox4x32_ctr_t c = {
      {(uint32_t)index, (uint32_t)(index >> 32), (uint32_t)stream, (uint32_t)(stream >> 32)}};
  philox4x32_key_t k = {{(uint32_t)seed, (uint32_t)(seed >> 32)}};
  return philox4x32(c, k);
}

void pl_rng_words(uint64_t seed, uint64_t stream, uint64_t first, int64_t blocks, uint32_t *out) {
  for (int64_t i = 0; i < blocks; i++) {
    philox4x32_ctr_t r = block(seed, stream, first + (uint64_t)i);
    for (int k = 0; k < 4; k++) out[4 * i + k] = r.v[k];
  }
}

void pl_rng_bits(uint64_t seed, uint64_t stream, uint64_t index, uint64_t out[2]) {
  philox4x32_ctr_t r = block(seed, stream, index);
  out[0] = (uint64_t)r.v[1] << 32 | r.v[0];
  out[1] = (uint64_t)r.v[3] << 32 | r.v[2];
}

/* Midpoints of 2^53 equal cells, so that neither 0 nor 1 occurs. */
static double to_unit(uint64_t bits) {
  return ((double)(bits >> 11) + 0.5) * 0x1p-53;
}

double pl_rng_uniform(uint64_t seed, uint64_t stream, uint64_t index) {
  uint64_t b[2];
  pl_rng_bits(seed, stream, index, b);
  return to_unit(b[0]);
}

int64_t pl_rng_below(uint64_t seed, uint64_t stream, uint64_t index, int64_t n) {
  uint64_t b[2];
  pl_rng_bits(seed, stream, index, b);
  return (int64_t)(((unsigned __int128)b[0] * (uint64_t)n) >> 64);
}

void pl_rng_normals(uint64_t seed, uint64_t stream, int64_t first, int64_t n, double *x) {
  for (int64_t i = 0; i < n;) {
    int64_t k = first + i;
    uint64_t b[2];
    pl_rng_bits(seed, stream, (uint64_t)(k / 2), b);
    double r = sqrt(-2 * log(to_unit(b[0]))), a = 2 * 3.14159265358979323846 * to_unit(b[1]);
    if (k % 2 == 0) x[i++] = r * cos(a);
    if (i < n) x[i++] = r * sin(a);
  }
}
