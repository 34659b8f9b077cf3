/* Counter-based random numbers: Philox 4x32-10 (Salmon et al., SC 2011; Random123), keyed by
 * (seed, stream, index).  A number depends on nothing else: not on ranks, order or history.  All
 * functions are Local and pure.
 *
 * Streams: the kind in the high half, its member in the low half (PL_STREAM).  Index: the element
 * of the group, or the entry of the Fourier transform, that the number belongs to. */
#ifndef PL_BASE_RNG_H
#define PL_BASE_RNG_H

#include <stdint.h>

enum {
  PL_STREAM_FILTER = 1,
  PL_STREAM_SAMPLE,
  PL_STREAM_OPTIM,
  PL_STREAM_MISC,
  PL_STREAM_SHUFFLE, /* member: epoch */
  PL_STREAM_DROPOUT,
  PL_STREAM_GRAPH
};
#define PL_STREAM(kind, member) (((uint64_t)(kind) << 32) | (uint32_t)(member))

/* 128 random bits. */
void pl_rng_bits(uint64_t seed, uint64_t stream, uint64_t index, uint64_t out[2]);
/* The same of `blocks` indices from first on, as words of 32 bits, low ones first: [blocks][4]. */
void pl_rng_words(uint64_t seed, uint64_t stream, uint64_t first, int64_t blocks, uint32_t *out);
/* Uniform on (0, 1), 53 bits. */
double pl_rng_uniform(uint64_t seed, uint64_t stream, uint64_t index);
/* Uniform on 0..n-1 (n > 0); bias below 2^-64 n. */
int64_t pl_rng_below(uint64_t seed, uint64_t stream, uint64_t index, int64_t n);
/* x[i] = the standard normal number `first + i`, i = 0..n-1 (Box-Muller; numbers 2k and 2k+1 share
 * one Philox block), to 4 units in the last place. */
void pl_rng_normals(uint64_t seed, uint64_t stream, int64_t first, int64_t n, double *x);

#endif
