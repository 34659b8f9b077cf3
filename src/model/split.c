#include "model/split.h"

#include "base/mem.h"

pl_status pl_split_read(const pl_nc *nc, pl_nc_axis axis, int64_t **split) {
  int64_t n = axis.length, *part = *split = pl_zalloc((size_t)n, sizeof *part, "parts of the data");
  pl_nc_input *in;
  if (pl_nc_var(nc, "split", NULL, NULL, NULL, 0) < 0) return PL_OK;
  PL_TRY(pl_nc_input_new(nc, "split", PL_NC_INTEGER, 1, &axis, &in));
  pl_status st = pl_nc_input_ints(in, NULL, NULL, part);
  pl_nc_input_free(in);
  for (int64_t i = 0; i < n && !st; i++)
    if (part[i] < 0 || part[i] >= PL_NUM_PARTS)
      st = pl_error(PL_EINPUT,
                    "%s: split[%lld] is %lld, expected 0 (training), 1 (validation) or 2 (test)",
                    pl_nc_path(nc), (long long)i, (long long)part[i]);
  return st;
}

int64_t pl_split_count(int64_t n, const int64_t *split, pl_part part) {
  int64_t sum = 0;
  for (int64_t i = 0; i < n; i++) sum += split[i] == (int64_t)part;
  return sum;
}

pl_status pl_split_define(pl_nc *nc, const char *dim) {
  const char *dims[] = {dim, NULL};
  return pl_nc_def_var(nc, "split", PL_NC_BYTE, dims, "part: 0 training, 1 validation, 2 test",
                       "1");
}
