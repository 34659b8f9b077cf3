/* SHA-256 (FIPS 180-4) and size of what a program reads, to tell later whether it is the same.
 * Local.
 *
 * Own code since libraries that have it (OpenSSL's, nettle) are not among what a cluster is sure to
 * offer for building, and what depends on it, --resume, must not. */
#ifndef PL_BASE_DIGEST_H
#define PL_BASE_DIGEST_H

#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PL_DIGEST_TEXT = 65 }; /* 64 hexadecimal digits and the end */

typedef struct pl_sha256 {
  uint32_t h[8];
  uint64_t bytes;
  unsigned char block[64];
} pl_sha256;

void pl_sha256_init(pl_sha256 *s);
/* n more bytes. */
void pl_sha256_add(pl_sha256 *s, const void *data, size_t n);
/* The digest of all of them, as text.  s is spent. */
void pl_sha256_end(pl_sha256 *s, char text[PL_DIGEST_TEXT]);

typedef struct pl_digest {
  int64_t size; /* bytes */
  char sha256[PL_DIGEST_TEXT];
} pl_digest;

void pl_digest_bytes(const void *data, size_t n, pl_digest *out);
/* Of a regular file, a block at a time; anything else fails as in pl_file_open.  stop, if not NULL,
 * is asked at least every 16 MB: true ends with PL_STOPPED. */
pl_status pl_digest_file(const char *path, bool (*stop)(void), pl_digest *out);
bool pl_digest_equal(const pl_digest *a, const pl_digest *b);
/* PL_EINPUT unless equal: "KEY: PATH has changed: it had .. bytes, SHA-256 .., and has ..". */
pl_status pl_digest_expect(const char *key, const char *path, const pl_digest *was,
                           const pl_digest *is);

#endif
