/* libFuzzer target: no bytes may crash, hang or leak the readers of NetCDF files, and what they
 * take are finite numbers on the dimensions that were asked for, and labels that are a permutation.
 * Files of HDF5 are that library's to survive, so only the classic formats are tried.  Input: a
 * file; tests/corpus/netcdf has seeds.  Needs clang -fsanitize=fuzzer,address for this file and for
 * the library. */
#include "base/mem.h"
#include "base/nc_read.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MOST = 100000, ROOM = 1000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(int holds, const char *law) {
  if (holds) return;
  fprintf(stderr, "%s\n", law);
  abort();
}

static int label(const void *context, int64_t i, char *buf, size_t n) {
  (void)context;
  return snprintf(buf, n, "%lld", (long long)i);
}

static pl_status visit(void *context, int64_t first, int64_t rows, const double *row) {
  const int64_t *length = context;
  demand(first >= 0 && rows > 0, "rows");
  for (int64_t k = 0; k < rows * *length; k++) demand(isfinite(row[k]), "finite numbers");
  return PL_OK;
}

static void read_numbers(const pl_nc *nc, const char *var, pl_nc_number number, int ndims) {
  pl_nc_axis axes[] = {{NULL, -1, NULL}, {"element", -1, "some order"}};
  pl_nc_input *in;
  if (pl_nc_input_new(nc, var, number, ndims, axes, &in)) return;
  int64_t length = ndims > 1 ? axes[1].length : 1;
  demand(axes[0].length >= 0 && length >= 0, "lengths");
  if (length <= MOST && axes[0].length <= MOST) pl_nc_input_each(in, ROOM, visit, &length);
  pl_nc_input_free(in);
}

static void read_labels(const pl_nc *nc, const char *var, const char *dim) {
  int64_t n = pl_nc_dim(nc, dim), *order = NULL;
  if (n < 1 || n > MOST || pl_nc_labels(nc, var, dim, n, label, NULL, "labels", &order) || !order)
    return;
  char *seen = pl_zalloc((size_t)n, 1, "labels");
  for (int64_t k = 0; k < n; k++) {
    demand(order[k] >= 0 && order[k] < n && !seen[order[k]], "a permutation");
    seen[order[k]] = 1;
  }
  pl_free(seen);
  pl_free(order);
}

static void read_file(const char *path) {
  pl_nc *nc;
  if (pl_nc_open(path, false, &nc)) return;
  read_numbers(nc, "x", PL_NC_REAL, 2);
  read_numbers(nc, "y", PL_NC_INTEGER, 1);
  read_numbers(nc, "y", PL_NC_REAL, 1);
  read_labels(nc, "element", "element");
  read_labels(nc, "y", "sample");
  pl_free(pl_nc_get_att_string(nc, NULL, "group"));
  pl_nc_close(nc);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 4 || memcmp(data, "CDF", 3) != 0) return -1;
  int fd = memfd_create("fuzz", MFD_CLOEXEC);
  char path[32];
  if (fd < 0 || write(fd, data, size) != (ssize_t)size) return -1;
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  read_file(path);
  close(fd);
  demand(pl_mem_live() == 0, "no leak");
  return 0;
}
