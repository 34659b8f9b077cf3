#include "base/idx.h"

#include "base/mem.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#ifdef PL_ZLIB
#include <zlib.h>
static const char packed[] = "";
#else
/* The few functions of zlib that are used, for plain files alone. */
typedef FILE *gzFile;
static const char packed[] = "; unpack .gz first, this program was built without zlib";
#define gzopen(path, mode) fopen(path, mode)
#define gzclose(f)         fclose(f)
static int gzread(FILE *f, void *to, unsigned n) {
  return (int)fread(to, 1, n, f);
}
#endif

enum {
  IMAGES = 0x803,
  LABELS = 0x801,
  SHORT_LABELS = 0xb01,
  SIDE_MAX = 4096,
  COUNT_MAX = 100000000,
  PIECE = 1 << 24
};

static pl_status open_file(const char *path, gzFile *out) {
  errno = 0;
  *out = gzopen(path, "rb");
  if (*out) return PL_OK;
  return pl_error(errno == EACCES ? PL_EENV : PL_EINPUT, "%s: %s", path,
                  strerror(errno ? errno : ENOMEM));
}

static bool read_bytes(gzFile f, unsigned char *to, int64_t n) {
  while (n > 0) {
    int now = n < PIECE ? (int)n : PIECE;
    if (gzread(f, to, (unsigned)now) != now) return false;
    to += now;
    n -= now;
  }
  return true;
}

/* n big-endian numbers. */
static bool read_numbers(gzFile f, int n, int64_t *out) {
  for (int k = 0; k < n; k++) {
    unsigned char b[4];
    if (!read_bytes(f, b, 4)) return false;
    out[k] = (int64_t)b[0] << 24 | b[1] << 16 | b[2] << 8 | b[3];
  }
  return true;
}

static pl_status read_head(gzFile f, const char *path, pl_idx_head *out) {
  int64_t head[4];
  if (!read_numbers(f, 4, head) || head[0] != IMAGES)
    return pl_error(PL_EINPUT, "%s: not an IDX file of images (magic 0x00000803%s)", path, packed);
  *out = (pl_idx_head){head[1], head[2], head[3]};
  if (out->count < 1 || out->count > COUNT_MAX || out->rows < 1 || out->cols < 1 ||
      out->rows > SIDE_MAX || out->cols > SIDE_MAX)
    return pl_error(PL_EINPUT, "%s: %lld images of %lld x %lld pixels", path, (long long)out->count,
                    (long long)out->rows, (long long)out->cols);
  return PL_OK;
}

pl_status pl_idx_read_head(const char *path, pl_idx_head *out) {
  gzFile f;
  PL_TRY(open_file(path, &f));
  pl_status st = read_head(f, path, out);
  gzclose(f);
  return st;
}

pl_status pl_idx_read_pixels(const char *path, pl_idx_head *head, unsigned char **pixels) {
  gzFile f;
  *pixels = NULL;
  PL_TRY(open_file(path, &f));
  pl_status st = read_head(f, path, head);
  if (!st) {
    int64_t n = head->count * head->rows * head->cols;
    *pixels = pl_alloc((size_t)n, 1, "images");
    if (!read_bytes(f, *pixels, n))
      st = pl_error(PL_EINPUT, "%s: ends before its last image", path);
  }
  gzclose(f);
  return st;
}

/* n labels of `width` bytes, high ones first. */
static pl_status read_labels(gzFile f, const char *path, int64_t n, int width, int *out) {
  unsigned char b[2];
  for (int64_t i = 0; i < n; i++) {
    if (!read_bytes(f, b, width))
      return pl_error(PL_EINPUT, "%s: ends before its last label", path);
    out[i] = width == 1 ? b[0] : (int16_t)(b[0] << 8 | b[1]);
    if (out[i] < 0) return pl_error(PL_EINPUT, "%s: label %d", path, out[i]);
  }
  return PL_OK;
}

pl_status pl_idx_read_labels(const char *path, int64_t *count, int **labels) {
  gzFile f;
  int64_t head[2];
  *labels = NULL;
  PL_TRY(open_file(path, &f));
  pl_status st = PL_OK;
  if (!read_numbers(f, 2, head) || (head[0] != LABELS && head[0] != SHORT_LABELS) ||
      head[1] > COUNT_MAX)
    st = pl_error(PL_EINPUT,
                  "%s: not an IDX file of labels (magic 0x00000801, or 0x00000b01 of 16 bits%s)",
                  path, packed);
  if (!st) {
    *count = head[1];
    *labels = pl_alloc((size_t)*count, sizeof **labels, "labels");
    st = read_labels(f, path, *count, head[0] == LABELS ? 1 : 2, *labels);
  }
  gzclose(f);
  return st;
}
