/* IDX files of images and labels (MNIST's format), plain or, where zlib was there at build time,
 * packed with gzip.  Local. */
#ifndef PL_NETS_VECTOR_IDX_FILE_H
#define PL_NETS_VECTOR_IDX_FILE_H

#include "base/status.h"

#include <stdint.h>

/* Sizes of a file of images. */
typedef struct idx_head {
  int64_t count, rows, cols;
} idx_head;

/* PL_EINPUT: the file is missing, not of the format, or too short.  pixels: [count][rows][cols],
 * labels: [count]; the caller frees them (pl_free). */
pl_status idx_read_head(const char *path, idx_head *out);
pl_status idx_read_pixels(const char *path, idx_head *head, unsigned char **pixels);
pl_status idx_read_labels(const char *path, int64_t *count, unsigned char **labels);

#endif
