/* IDX files of images and labels (MNIST's format), plain or, where zlib was there at build time,
 * packed with gzip.  Local. */
#ifndef PL_BASE_IDX_H
#define PL_BASE_IDX_H

#include "base/status.h"

#include <stdint.h>

/* Sizes of a file of images. */
typedef struct pl_idx_head {
  int64_t count, rows, cols;
} pl_idx_head;

/* PL_EINPUT: the file is missing, no regular one, not of the format, damaged, or longer or shorter
 * than its head says, of which pl_idx_read_head alone looks at no more.  pixels:
 * [count][rows][cols], bytes; labels: [count], bytes in the file or signed integers of 16 bits,
 * none of them negative. The caller frees both (pl_free). */
pl_status pl_idx_read_head(const char *path, pl_idx_head *out);
pl_status pl_idx_read_pixels(const char *path, pl_idx_head *head, unsigned char **pixels);
pl_status pl_idx_read_labels(const char *path, int64_t *count, int **labels);

#endif
