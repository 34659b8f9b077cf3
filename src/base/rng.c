#include "base/rng.h"

#include <Random123/philox.h>
#ifdef __AVX2__
#include <immintrin.h>
#endif
#include <math.h>
#include <string.h>

static inline philox4x32_ctr_t block(uint64_t seed, uint64_t stream, uint64_t index) {
  philox4x32_ctr_t c = {
      {(uint32_t)index, (uint32_t)(index >> 32), (uint32_t)stream, (uint32_t)(stream >> 32)}};
  philox4x32_key_t k = {{(uint32_t)seed, (uint32_t)(seed >> 32)}};
  return philox4x32(c, k);
}

/* Eight blocks side by side, the four words of each in the low halves of 64-bit lanes: three times
 * as fast, for compilers do not find the product of low halves that the machine has. */
#ifdef __AVX2__
enum { SIDE_BY_SIDE = 8 };
typedef uint64_t lanes __attribute__((vector_size(32)));

static inline lanes low_product(lanes a, uint32_t b) {
  lanes factor = (lanes){0} + b;
  return (lanes)_mm256_mul_epu32((__m256i)a, (__m256i)factor);
}

static void eight_blocks(uint64_t seed, uint64_t stream, uint64_t first, uint32_t *out) {
  enum { V = SIDE_BY_SIDE / 4 };
  const lanes low = (lanes){0} + UINT32_MAX, zero = {0};
  lanes a[V], b[V], c[V], d[V]; /* high halves: whatever was left there */
  uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);
  for (int v = 0; v < V; v++) {
    a[v] = (lanes){0, 1, 2, 3} + (first + 4 * (uint64_t)v);
    b[v] = a[v] >> 32;
    c[v] = zero + stream;
    d[v] = c[v] >> 32;
  }
#pragma GCC unroll 10
  for (int r = 0; r < 10; r++, k0 += PHILOX_W32_0, k1 += PHILOX_W32_1)
#pragma GCC unroll 2
    for (int v = 0; v < V; v++) {
      lanes p = low_product(a[v], PHILOX_M4x32_0), q = low_product(c[v], PHILOX_M4x32_1);
      a[v] = (q >> 32) ^ b[v] ^ k0;
      b[v] = q;
      c[v] = (p >> 32) ^ d[v] ^ k1;
      d[v] = p;
    }
  for (int v = 0; v < V; v++) {
    __m256i ab = (__m256i)((a[v] & low) | b[v] << 32), cd = (__m256i)((c[v] & low) | d[v] << 32);
    __m256i even = _mm256_unpacklo_epi64(ab, cd), odd = _mm256_unpackhi_epi64(ab, cd);
    __m256i *to = (__m256i *)(void *)(out + 16 * v);
    _mm256_storeu_si256(to, _mm256_permute2x128_si256(even, odd, 0x20));
    _mm256_storeu_si256(to + 1, _mm256_permute2x128_si256(even, odd, 0x31));
  }
}
#endif

void pl_rng_words(uint64_t seed, uint64_t stream, uint64_t first, int64_t blocks, uint32_t *out) {
  int64_t done = 0;
#ifdef __AVX2__
  for (; done + SIDE_BY_SIDE <= blocks; done += SIDE_BY_SIDE)
    eight_blocks(seed, stream, first + (uint64_t)done, out + 4 * done);
#endif
  for (int64_t i = done; i < blocks; i++) {
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

/* Pairs first .. first + n - 1, of which each index has one: by Box and Muller.  Loops of one
 * function each, so that calls overlap. */
enum { PAIRS = 64 };

static void normal_pairs(uint64_t seed, uint64_t stream, uint64_t first, int n, double *x) {
  uint32_t word[4 * PAIRS];
  double r[PAIRS], a[PAIRS];
  pl_rng_words(seed, stream, first, n, word);
  for (int i = 0; i < n; i++) {
    const uint32_t *w = word + 4 * i;
    r[i] = to_unit((uint64_t)w[1] << 32 | w[0]);
    a[i] = 2 * 3.14159265358979323846 * to_unit((uint64_t)w[3] << 32 | w[2]);
  }
  for (int i = 0; i < n; i++) r[i] = log(r[i]);
  for (int i = 0; i < n; i++) r[i] = sqrt(-2 * r[i]);
  for (int i = 0; i < n; i++) {
    double s, c;
    sincos(a[i], &s, &c);
    x[2 * i] = r[i] * c;
    x[2 * i + 1] = r[i] * s;
  }
}

void pl_rng_normals(uint64_t seed, uint64_t stream, int64_t first, int64_t n, double *x) {
  double pair[2 * PAIRS];
  while (n > 0) {
    int64_t skip = first % 2, pairs = (skip + n + 1) / 2;
    if (pairs > PAIRS) pairs = PAIRS;
    int64_t got = 2 * pairs - skip < n ? 2 * pairs - skip : n;
    normal_pairs(seed, stream, (uint64_t)(first / 2), (int)pairs, pair);
    memcpy(x, pair + skip, (size_t)got * sizeof *x);
    first += got;
    x += got;
    n -= got;
  }
}
