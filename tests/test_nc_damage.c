/* ranks: 1 */
#include "pl_test.h"

#include "base/nc.h"

#include <netcdf.h>

static const char path[] = "t.nc";
static pl_nc *nc;
static int id; /* of the file being written, by NetCDF itself */

enum { ROWS = 4, COLS = 6 };

/* ---- damage ---- */

/* Any one byte of the header changed, and any length: read or refused in words that are about the
 * file, never a crash, never a reason of the system. */
static void damaged_files_are_called_damaged(void **state) {
  (void)state;
  static const int formats[] = {0, NC_64BIT_OFFSET, NC_64BIT_DATA};
  static const unsigned char bytes[] = {0, 1, 127, 255};
  for (int f = 0; f < 3; f++) {
    int d, x;
    double v0[ROWS * COLS] = {1, 2, 3};
    assert_int_equal(nc_create(path, NC_CLOBBER | formats[f], &id), NC_NOERR);
    nc_def_dim(id, "sample", ROWS, &d);
    nc_def_dim(id, "element", COLS, &d);
    nc_def_var(id, "x", NC_DOUBLE, 2, (int[]){0, 1}, &x);
    nc_put_att_text(id, x, "units", 1, "1");
    nc_put_att_text(id, NC_GLOBAL, "group", 3, "S_3");
    nc_enddef(id);
    nc_put_var_double(id, x, v0);
    assert_int_equal(nc_close(id), NC_NOERR);
    unsigned char whole[4096];
    FILE *file = fopen(path, "rb");
    size_t size = fread(whole, 1, sizeof whole, file);
    fclose(file);
    size_t header = size - ROWS * COLS * sizeof(double);
    int refused = 0;
    for (size_t k = 0; k < header * 4 + size; k++) {
      unsigned char changed[4096];
      size_t n = k < header * 4 ? size : k - header * 4;
      memcpy(changed, whole, size);
      if (k < header * 4) changed[k / 4] = bytes[k % 4];
      file = fopen(path, "wb");
      fwrite(changed, 1, n, file);
      fclose(file);
      pl_status st = pl_nc_open(path, false, &nc);
      if (!st) {
        double v[ROWS * COLS];
        int64_t shape[] = {ROWS, COLS};
        st = pl_nc_expect(nc, "x", false, 2, shape);
        if (!st) st = pl_nc_get_doubles(nc, "x", NULL, NULL, v);
        pl_nc_close(nc);
      }
      if (!st) continue;
      refused++;
      assert_int_equal(st, PL_EINPUT);
      assert_null(strstr(pl_error_message(), "Argument list"));
      assert_null(strstr(pl_error_message(), "Invalid argument"));
      assert_non_null(strstr(pl_error_message(), path));
    }
    assert_true(refused > (int)size);
  }
}

/* A netCDF-4 file as Python writes it: chunks, deflated, labels as strings. */
static size_t write_hdf5(unsigned char *whole, size_t room) {
  int x, l, d;
  double v[ROWS * COLS];
  const char *labels[COLS] = {"1 2 3", "1 3 2", "2 1 3", "2 3 1", "3 1 2", "3 2 1"};
  for (int i = 0; i < ROWS * COLS; i++) v[i] = i;
  assert_int_equal(nc_create(path, NC_CLOBBER | NC_NETCDF4, &id), NC_NOERR);
  nc_def_dim(id, "sample", ROWS, &d);
  nc_def_dim(id, "element", COLS, &d);
  nc_def_var(id, "x", NC_DOUBLE, 2, (int[]){0, 1}, &x);
  nc_def_var_chunking(id, x, NC_CHUNKED, (size_t[]){2, 3});
  nc_def_var_deflate(id, x, 1, 1, 4);
  nc_def_var(id, "element", NC_STRING, 1, (int[]){1}, &l);
  nc_put_att_text(id, NC_GLOBAL, "group", 3, "S_3");
  nc_put_var_double(id, x, v);
  nc_put_var_string(id, l, labels);
  assert_int_equal(nc_close(id), NC_NOERR);
  FILE *file = fopen(path, "rb");
  size_t size = fread(whole, 1, room, file);
  fclose(file);
  return size;
}

/* HDF5 itself crashes on some of these, and does not end on others. */
static void damaged_hdf5_is_survived(void **state) {
  (void)state;
  enum { ROOM = 1 << 16, STRIDE = 41 };
  static unsigned char whole[ROOM], changed[ROOM];
  static const unsigned char bytes[] = {0, 1, 127, 255};
  size_t size = write_hdf5(whole, ROOM);
  int refused = 0;
  assert_true(size < ROOM);
  assert_ok(pl_nc_open(path, false, &nc));
  assert_ok(pl_nc_close(nc));
  for (size_t k = 0; k < size; k += STRIDE) {
    memcpy(changed, whole, size);
    changed[k] = bytes[k % 4];
    changed[(k + 8) % size] ^= 0x40;
    FILE *file = fopen(path, "wb");
    fwrite(changed, 1, size, file);
    fclose(file);
    pl_status st = pl_nc_open(path, false, &nc);
    if (!st) {
      double v[ROWS * COLS];
      int64_t shape[] = {ROWS, COLS};
      st = pl_nc_expect(nc, "x", false, 2, shape);
      if (!st) st = pl_nc_get_doubles(nc, "x", NULL, NULL, v);
      pl_nc_close(nc);
    }
    if (!st) continue;
    refused++;
    assert_non_null(strstr(pl_error_message(), path));
  }
  assert_true(refused > 10);
}

/* ---- outputs ---- */

static pl_nc *begin_output(void) {
  pl_nc *out;
  assert_ok(pl_nc_create("out.nc", true, false, &out));
  assert_ok(pl_nc_def_dim(out, "i", 1000));
  assert_ok(pl_nc_def_var(out, "x", PL_NC_DOUBLE, (const char *[]){"i", NULL}, NULL, NULL));
  assert_ok(pl_nc_end_def(out));
  assert_ok(pl_nc_sync(out));
  return out;
}

/* Moved, removed, replaced, cut off: the next sync says so, and so does the end. */
static void an_output_that_was_taken_away_is_noticed(void **state) {
  (void)state;
  const char *commands[] = {"mv out.nc away.nc", "rm out.nc", "cp out.nc o; mv o out.nc",
                            "truncate -s 100 out.nc"};
  const char *said[] = {"moved or removed", "moved or removed", "replaced", "cut off"};
  for (int i = 0; i < 4; i++) {
    pl_nc *out = begin_output();
    assert_int_equal(system(commands[i]), 0);
    assert_says(PL_EENV, i % 2 ? pl_nc_fsync(out) : pl_nc_sync(out), said[i]);
    assert_says(PL_EENV, pl_nc_close(out), said[i]);
  }
}

/* Under a name of their own, whatever stands beside. */
static void files_beside_are_new(void **state) {
  (void)state;
  for (int netcdf4 = 0; netcdf4 < 2; netcdf4++) {
    pl_nc *a, *b;
    assert_ok(pl_nc_create_beside("target.nc", netcdf4, &a));
    assert_ok(pl_nc_create_beside("target.nc", netcdf4, &b));
    assert_string_not_equal(pl_nc_path(a), pl_nc_path(b));
    assert_ok(pl_nc_def_dim(a, "i", 3));
    assert_ok(pl_nc_end_def(a));
    char *name = pl_strdup(pl_nc_path(a)), *other = pl_strdup(pl_nc_path(b));
    assert_ok(pl_nc_close(a));
    assert_ok(pl_nc_close(b)); /* never defined: removed */
    assert_int_equal(access(name, F_OK), 0);
    assert_int_not_equal(access(other, F_OK), 0);
    assert_int_not_equal(access("target.nc", F_OK), 0);
    unlink(name);
    pl_free(name);
    pl_free(other);
  }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup(damaged_files_are_called_damaged, enter_folder),
    cmocka_unit_test(damaged_hdf5_is_survived),
    cmocka_unit_test(an_output_that_was_taken_away_is_noticed),
    cmocka_unit_test_teardown(files_beside_are_new, leave_folder),
};
PL_TEST_MAIN(tests)
