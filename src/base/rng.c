#include "base/rng.h"

#include "base/elementary.h"

#include <Random123/philox.h>
#ifdef __AVX2__
#include <immintrin.h>
#endif
#include <string.h>

static inline philox4x32_ctr_t block(uint64_t seed, uint64_t stream, uint64_t index) {
  philox4x32_ctr_t c = {
      {(uint32_t)index, (uint32_t)(index >> 32), (uint32_t)stream, (uint32_t)(stream >> 32)}};
  philox4x32_key_t k = {{(uint32_t)seed, (uint32_t)(seed >> 32)}};
  return philox4x32(c, k);
}

/* Eight blocks side by side, the four words of each in the low halves of 64-bit lanes: three times
 * as fast, for compilers do not find the product of low halves that the machine has. */
enum { SIDE_BY_SIDE = 8 };
#ifdef __AVX2__
typedef uint64_t lanes __attribute__((vector_size(32), aligned(8), may_alias));

static inline lanes low_product(lanes a, uint32_t b) {
  lanes factor = (lanes){0} + b;
  return (lanes)_mm256_mul_epu32((__m256i)a, (__m256i)factor);
}

/* ab: the first two words of each block, the first in the low half; cd: the others. */
static void eight_blocks(uint64_t seed, uint64_t stream, uint64_t first, uint64_t *ab,
                         uint64_t *cd) {
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
    *(lanes *)(ab + 4 * v) = (a[v] & low) | b[v] << 32;
    *(lanes *)(cd + 4 * v) = (c[v] & low) | d[v] << 32;
  }
}
#else
static void eight_blocks(uint64_t seed, uint64_t stream, uint64_t first, uint64_t *ab,
                         uint64_t *cd) {
  for (uint64_t i = 0; i < SIDE_BY_SIDE; i++) {
    philox4x32_ctr_t r = block(seed, stream, first + i);
    ab[i] = (uint64_t)r.v[1] << 32 | r.v[0];
    cd[i] = (uint64_t)r.v[3] << 32 | r.v[2];
  }
}
#endif

void pl_rng_words(uint64_t seed, uint64_t stream, uint64_t first, int64_t blocks, uint32_t *out) {
  for (int64_t done = 0; done < blocks; done += SIDE_BY_SIDE) {
    uint64_t ab[SIDE_BY_SIDE], cd[SIDE_BY_SIDE];
    uint32_t word[4 * SIDE_BY_SIDE];
    eight_blocks(seed, stream, first + (uint64_t)done, ab, cd);
    for (int i = 0; i < SIDE_BY_SIDE; i++) {
      word[4 * i] = (uint32_t)ab[i];
      word[4 * i + 1] = (uint32_t)(ab[i] >> 32);
      word[4 * i + 2] = (uint32_t)cd[i];
      word[4 * i + 3] = (uint32_t)(cd[i] >> 32);
    }
    int64_t left = blocks - done < SIDE_BY_SIDE ? blocks - done : SIDE_BY_SIDE;
    memcpy(out + 4 * done, word, (size_t)(4 * left) * sizeof *word);
  }
}

void pl_rng_bits(uint64_t seed, uint64_t stream, uint64_t index, uint64_t out[2]) {
  philox4x32_ctr_t r = block(seed, stream, index);
  out[0] = (uint64_t)r.v[1] << 32 | r.v[0];
  out[1] = (uint64_t)r.v[3] << 32 | r.v[2];
}

/* Midpoints of 2^53 equal cells, so that 0 does not occur; of a 64-bit integer in two parts, since
 * its conversion is scalar before AVX-512. */
static inline double to_unit(uint64_t bits) {
  double high = pl_from_bits((bits >> 32) | 0x4330000000000000) - 0x1p52;
  double low = pl_from_bits((bits >> 11 & 0x1fffff) | 0x4330000000000000) - (0x1p52 - 0.5);
  return (high * 0x1p21 + low) * 0x1p-53;
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

/* Pairs from `first` on, of which each index has one: by Box and Muller.  n of them, and up to a
 * multiple of SIDE_BY_SIDE; loops of one function each, which become vector code. */
enum { PAIRS = 64 };

static void normal_pairs(uint64_t seed, uint64_t stream, uint64_t first, int n, double *x) {
  uint64_t length[PAIRS], angle[PAIRS];
  double r[PAIRS];
  n = (n + SIDE_BY_SIDE - 1) / SIDE_BY_SIDE * SIDE_BY_SIDE;
  for (int i = 0; i < n; i += SIDE_BY_SIDE)
    eight_blocks(seed, stream, first + (uint64_t)i, length + i, angle + i);
  for (int i = 0; i < n; i++) r[i] = sqrt(-2 * pl_log_normal(to_unit(length[i])));
  for (int i = 0; i < n; i++) {
    double s, c;
    pl_sincos_turns(to_unit(angle[i]), &s, &c);
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
