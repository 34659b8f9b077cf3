/* Samples that are images: attribute `image` of x in files of data, height, width and channels,
 * whose product is the number of features. */
#ifndef PL_NETS_IMAGE_H
#define PL_NETS_IMAGE_H

#include "base/nc.h"

/* Zeros where the file has none.  PL_EINPUT: it makes no sense.  Local. */
pl_status pl_image_read(const pl_nc *nc, int64_t features, int64_t *height, int64_t *width,
                        int64_t *channels);
/* Into a new file that has x; height 0: no attribute.  Local. */
pl_status pl_image_define(pl_nc *nc, int64_t height, int64_t width, int64_t channels);

#endif
