#include "base/idx.h"

#include "base/file.h"
#include "base/mem.h"

#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef PL_ZLIB
#include <zlib.h>
static const char packed[] = "";
#else
/* The few functions of zlib that are used, for plain files alone. */
typedef FILE *gzFile;
static const char packed[] = "; unpack .gz first, this program was built without zlib";
#define gzdopen(fd, mode) fdopen(fd, mode)
#define gzclose(f)        fclose(f)
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
  PIECE = 1 << 24,
  PACKED_MOST = 1032 /* bytes that a byte of a packed file can stand for */
};

typedef struct idx {
  const char *path;
  gzFile bytes;
  int64_t size; /* of the file, as it lies there */
} idx;

static pl_status begin(const char *path, idx *f) {
  int fd;
  struct stat s;
  PL_TRY(pl_file_open(path, &fd));
  *f = (idx){.path = path, .size = fstat(fd, &s) ? 0 : (int64_t)s.st_size};
  f->bytes = gzdopen(fd, "rb");
  if (f->bytes) return PL_OK;
  close(fd);
  return pl_error(PL_EENV, "%s: out of memory", path);
}

/* Only at its end a packed file tells whether it is sound, and a wrong head that it is wrong.
 * whole: all that the head speaks of has been read. */
static pl_status end(idx *f, bool whole, pl_status st) {
  unsigned char b;
  int more = whole && !st ? gzread(f->bytes, &b, 1) : 0;
  bool broken = (gzclose(f->bytes) != 0 && whole) || more < 0;
  if (st) return st;
  if (more > 0) return pl_error(PL_EINPUT, "%s: goes on behind what its head speaks of", f->path);
  return broken ? pl_error(PL_EINPUT, "%s: damaged", f->path) : PL_OK;
}

static bool read_bytes(const idx *f, unsigned char *to, int64_t n) {
  while (n > 0) {
    int now = n < PIECE ? (int)n : PIECE;
    if (gzread(f->bytes, to, (unsigned)now) != now) return false;
    to += now;
    n -= now;
  }
  return true;
}

/* Before room is taken: a damaged head may speak of anything. */
static bool may_hold(const idx *f, int64_t n) {
  return n / PACKED_MOST <= f->size;
}

/* n big-endian numbers. */
static bool read_numbers(const idx *f, int n, int64_t *out) {
  for (int k = 0; k < n; k++) {
    unsigned char b[4];
    if (!read_bytes(f, b, 4)) return false;
    out[k] = (int64_t)b[0] << 24 | b[1] << 16 | b[2] << 8 | b[3];
  }
  return true;
}

static pl_status read_head(const idx *f, pl_idx_head *out) {
  const char *path = f->path;
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
  idx f;
  PL_TRY(begin(path, &f));
  return end(&f, false, read_head(&f, out));
}

pl_status pl_idx_read_pixels(const char *path, pl_idx_head *head, unsigned char **pixels) {
  idx f;
  *pixels = NULL;
  PL_TRY(begin(path, &f));
  pl_status st = read_head(&f, head);
  if (!st) {
    int64_t n = head->count * head->rows * head->cols;
    bool there = may_hold(&f, n);
    if (there) *pixels = pl_alloc((size_t)n, 1, "images");
    if (!there || !read_bytes(&f, *pixels, n))
      st = pl_error(PL_EINPUT, "%s: ends before its last image, or is damaged", path);
  }
  return end(&f, true, st);
}

/* n labels of `width` bytes, high ones first. */
static pl_status read_labels(const idx *f, int64_t n, int width, int *out) {
  unsigned char b[2];
  for (int64_t i = 0; i < n; i++) {
    if (!read_bytes(f, b, width))
      return pl_error(PL_EINPUT, "%s: ends before its last label, or is damaged", f->path);
    out[i] = width == 1 ? b[0] : (int16_t)(b[0] << 8 | b[1]);
    if (out[i] < 0) return pl_error(PL_EINPUT, "%s: label %d", f->path, out[i]);
  }
  return PL_OK;
}

pl_status pl_idx_read_labels(const char *path, int64_t *count, int **labels) {
  idx f;
  int64_t head[2];
  *labels = NULL;
  PL_TRY(begin(path, &f));
  pl_status st = PL_OK;
  if (!read_numbers(&f, 2, head) || (head[0] != LABELS && head[0] != SHORT_LABELS) ||
      head[1] > COUNT_MAX)
    st = pl_error(PL_EINPUT,
                  "%s: not an IDX file of labels (magic 0x00000801, or 0x00000b01 of 16 bits%s)",
                  path, packed);
  if (!st && !may_hold(&f, head[1]))
    st = pl_error(PL_EINPUT, "%s: ends before its last label, or is damaged", path);
  if (!st) {
    *count = head[1];
    *labels = pl_alloc((size_t)*count, sizeof **labels, "labels");
    st = read_labels(&f, *count, head[0] == LABELS ? 1 : 2, *labels);
  }
  return end(&f, true, st);
}
