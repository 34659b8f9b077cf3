#include "nets/image.h"

#include <math.h>

pl_status pl_image_read(const pl_nc *nc, int64_t features, int64_t *height, int64_t *width,
                        int64_t *channels) {
  double v[3];
  int n = pl_nc_get_att_doubles(nc, "x", "image", v, 3);
  *height = *width = *channels = 0;
  if (!pl_nc_has_att(nc, "x", "image")) return PL_OK;
  bool whole = n == 3;
  for (int k = 0; k < 3 && whole; k++) whole = v[k] >= 1 && v[k] <= 1e6 && v[k] == floor(v[k]);
  if (!whole || v[0] * v[1] * v[2] != (double)features)
    return pl_error(PL_EINPUT,
                    "%s: attribute image of x: expected height, width and channels whose product "
                    "is the number of features, %lld",
                    pl_nc_path(nc), (long long)features);
  *height = (int64_t)v[0];
  *width = (int64_t)v[1];
  *channels = (int64_t)v[2];
  return PL_OK;
}

pl_status pl_image_define(pl_nc *nc, int64_t height, int64_t width, int64_t channels) {
  int image[] = {(int)height, (int)width, (int)channels};
  return height ? pl_nc_att_ints(nc, "x", "image", PL_NC_INT, image, 3) : PL_OK;
}
