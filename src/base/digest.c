#include "base/digest.h"

#include "base/file.h"
#include "base/mem.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { BLOCK = 1 << 20, ASK = 16 };

/* First 32 bits of the fractional parts of the cube roots of the first 64 primes. */
static const uint32_t K[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

void pl_sha256_init(pl_sha256 *s) {
  /* Likewise of the square roots of the first eight. */
  *s = (pl_sha256){.h = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c,
                         0x1f83d9ab, 0x5be0cd19}};
}

static uint32_t turn(uint32_t x, int n) {
  return x >> n | x << (32 - n);
}

static void compress(uint32_t state[8], const unsigned char *block) {
  uint32_t w[64];
  for (int t = 0; t < 16; t++, block += 4)
    w[t] = (uint32_t)block[0] << 24 | (uint32_t)block[1] << 16 | (uint32_t)block[2] << 8 | block[3];
  for (int t = 16; t < 64; t++) {
    uint32_t x = w[t - 15], y = w[t - 2];
    w[t] = w[t - 16] + (turn(x, 7) ^ turn(x, 18) ^ x >> 3) + w[t - 7] +
           (turn(y, 17) ^ turn(y, 19) ^ y >> 10);
  }
  uint32_t a = state[0], b = state[1], c = state[2], d = state[3], e = state[4], f = state[5],
           g = state[6], h = state[7];
  for (int t = 0; t < 64; t++) {
    uint32_t one =
        h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + ((e & f) ^ (~e & g)) + K[t] + w[t];
    uint32_t two = (turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
    h = g, g = f, f = e, e = d + one;
    d = c, c = b, b = a, a = one + two;
  }
  state[0] += a, state[1] += b, state[2] += c, state[3] += d;
  state[4] += e, state[5] += f, state[6] += g, state[7] += h;
}

void pl_sha256_add(pl_sha256 *s, const void *data, size_t n) {
  const unsigned char *p = data;
  size_t have = s->bytes % 64;
  s->bytes += n;
  if (have) {
    size_t more = 64 - have < n ? 64 - have : n;
    memcpy(s->block + have, p, more);
    if (have + more < 64) return;
    compress(s->h, s->block);
    p += more;
    n -= more;
  }
  for (; n >= 64; p += 64, n -= 64) compress(s->h, p);
  if (n) memcpy(s->block, p, n);
}

void pl_sha256_end(pl_sha256 *s, char text[PL_DIGEST_TEXT]) {
  uint64_t bits = 8 * s->bytes;
  unsigned char length[8];
  for (int i = 0; i < 8; i++) length[i] = (unsigned char)(bits >> (56 - 8 * i));
  static const unsigned char pad[64] = {0x80};
  pl_sha256_add(s, pad, 1 + (119 - s->bytes % 64) % 64);
  pl_sha256_add(s, length, sizeof length);
  for (int i = 0; i < 8; i++) snprintf(text + 8 * i, 9, "%08x", (unsigned)s->h[i]);
}

void pl_digest_bytes(const void *data, size_t n, pl_digest *out) {
  pl_sha256 s;
  pl_sha256_init(&s);
  pl_sha256_add(&s, data, n);
  pl_sha256_end(&s, out->sha256);
  out->size = (int64_t)n;
}

pl_status pl_digest_file(const char *path, bool (*stop)(void), pl_digest *out) {
  int fd;
  PL_TRY(pl_file_open(path, &fd));
  pl_sha256 s;
  pl_sha256_init(&s);
  unsigned char *block = pl_alloc(BLOCK, 1, "a block of a file");
  pl_status st = PL_OK;
  for (int i = 1;; i++) {
    ssize_t got = read(fd, block, BLOCK);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) st = pl_error(PL_EENV, "%s: cannot read: %s", path, strerror(errno));
    if (got <= 0) break;
    pl_sha256_add(&s, block, (size_t)got);
    if (stop && i % ASK == 0 && stop()) {
      st = pl_error(PL_STOPPED, "%s: stopped while reading", path);
      break;
    }
  }
  pl_free(block);
  close(fd);
  if (st) return st;
  out->size = (int64_t)s.bytes;
  pl_sha256_end(&s, out->sha256);
  return PL_OK;
}

bool pl_digest_equal(const pl_digest *a, const pl_digest *b) {
  return a->size == b->size && !strcmp(a->sha256, b->sha256);
}

pl_status pl_digest_expect(const char *key, const char *path, const pl_digest *was,
                           const pl_digest *is) {
  if (pl_digest_equal(was, is)) return PL_OK;
  return pl_error(PL_EINPUT,
                  "%s: %s has changed: it had %lld bytes, SHA-256 %s; now %lld bytes, SHA-256 %s",
                  key, path, (long long)was->size, was->sha256, (long long)is->size, is->sha256);
}
