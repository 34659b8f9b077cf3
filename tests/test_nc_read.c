/* ranks: 1 */
#include "pl_test.h"

#include "base/nc_read.h"

#include <float.h>
#include <netcdf.h>
#include <sys/stat.h>

static const char path[] = "t.nc";
static int id; /* of the file being written, by NetCDF itself */

/* ---- files as users write them ---- */

enum { ROWS = 4, COLS = 6 };

static void start(int mode) {
  int d;
  assert_int_equal(nc_create(path, NC_CLOBBER | mode, &id), NC_NOERR);
  nc_def_dim(id, "sample", ROWS, &d);
  nc_def_dim(id, "element", COLS, &d);
}

/* x(sample, element) of a type. */
static int define_x(nc_type type) {
  int x;
  assert_int_equal(nc_def_var(id, "x", type, 2, (int[]){0, 1}, &x), NC_NOERR);
  return x;
}

static void finish(void) {
  assert_int_equal(nc_close(id), NC_NOERR);
}

static void put_counting(int var) {
  double v[ROWS * COLS];
  nc_enddef(id);
  for (int k = 0; k < ROWS * COLS; k++) v[k] = k;
  assert_int_equal(nc_put_var_double(id, var, v), NC_NOERR);
}

static void put_at(int var, size_t row, size_t col, double v) {
  assert_int_equal(nc_put_var1_double(id, var, (size_t[]){row, col}, &v), NC_NOERR);
}

static pl_nc *nc;

static pl_status open_x(pl_nc_number number, pl_nc_input **in) {
  pl_nc_axis axes[] = {{"sample", -1, NULL}, {"element", COLS, "the order of S_3"}};
  assert_ok(pl_nc_open(path, false, &nc));
  pl_status st = pl_nc_input_new(nc, "x", number, 2, axes, in);
  if (st) pl_nc_close(nc);
  if (!st) assert_int_equal(axes[0].length, ROWS);
  return st;
}

/* All values of x, or the reason why not; in pieces of all sizes, that are one. */
static pl_status visit(void *context, int64_t first, int64_t rows, const double *row) {
  memcpy((double *)context + first * COLS, row, (size_t)(rows * COLS) * sizeof *row);
  return PL_OK;
}
static pl_status read_x(double *v) {
  pl_nc_input *in;
  double other[ROWS * COLS];
  PL_TRY(open_x(PL_NC_REAL, &in));
  pl_status st = pl_nc_input_doubles(in, NULL, NULL, v);
  char *message = pl_strdup(pl_error_message());
  for (int64_t room = 1; room < 40; room += 5) {
    pl_status again = pl_nc_input_each(in, room, visit, other);
    assert_int_equal(again, st);
    if (st) assert_string_equal(pl_error_message(), message);
    if (!st) assert_memory_equal(other, v, sizeof other);
    assert_int_equal(pl_nc_input_each(in, room, NULL, NULL), st);
  }
  pl_error(st, "%s", message);
  pl_free(message);
  pl_nc_input_free(in);
  pl_nc_close(nc);
  return st;
}

static void assert_x_is(double first, double step) {
  double v[ROWS * COLS];
  assert_ok(read_x(v));
  for (int k = 0; k < ROWS * COLS; k++) assert_close(v[k], first + step * k, 1e-14);
}

static void assert_x_says(const char *part) {
  double v[ROWS * COLS];
  assert_says(PL_EINPUT, read_x(v), part);
}

static const nc_type types[] = {NC_BYTE, NC_UBYTE, NC_SHORT,  NC_USHORT, NC_INT,
                                NC_UINT, NC_INT64, NC_UINT64, NC_FLOAT,  NC_DOUBLE};
enum { TYPES = sizeof types / sizeof *types };
static const int modes[] = {NC_64BIT_DATA, NC_NETCDF4};

/* ---- numbers ---- */

static void numbers_of_all_types_are_read(void **state) {
  (void)state;
  for (int t = 0; t < TYPES; t++)
    for (int m = 0; m < 2; m++) {
      start(modes[m]);
      put_counting(define_x(types[t]));
      finish();
      assert_x_is(0, 1);
      pl_nc_input *in;
      int64_t v[ROWS * COLS];
      assert_ok(open_x(PL_NC_INTEGER, &in));
      assert_ok(pl_nc_input_ints(in, NULL, NULL, v));
      for (int k = 0; k < ROWS * COLS; k++) assert_int_equal(v[k], k);
      assert_ok(pl_nc_input_ints(in, (int64_t[]){2, 1}, (int64_t[]){1, 3}, v));
      assert_int_equal(v[2], 2 * COLS + 3);
      assert_says(PL_EINPUT, pl_nc_input_ints(in, (int64_t[]){2, 1}, (int64_t[]){1, 6}, v), "x(");
      pl_nc_input_free(in);
      pl_nc_close(nc);
    }
}

/* What nobody wrote: the fill value of each type, but for bytes, of which all values are numbers.
 */
static void values_never_written_are_missing(void **state) {
  (void)state;
  for (int t = 0; t < TYPES; t++)
    for (int m = 0; m < 2; m++) {
      double v[COLS] = {1, 1, 1, 1, 1, 1};
      bool byte = types[t] == NC_BYTE || types[t] == NC_UBYTE, hdf5 = modes[m] == NC_NETCDF4;
      start(modes[m]);
      int x = define_x(types[t]);
      nc_enddef(id);
      nc_put_vara_double(id, x, (size_t[]){0, 0}, (size_t[]){1, COLS}, v);
      nc_put_vara_double(id, x, (size_t[]){1, 0}, (size_t[]){1, COLS / 2}, v);
      finish();
      if (byte) {
        double all[ROWS * COLS];
        assert_ok(read_x(all));
      } else {
        assert_x_says("t.nc: x[1, 3] is missing: it was never written");
      }
      /* Where filling is off, all values count. */
      if (!hdf5) continue;
      start(modes[m]);
      x = define_x(types[t]);
      nc_def_var_fill(id, x, NC_NOFILL, NULL);
      nc_enddef(id);
      double fill[] = {[NC_SHORT] = NC_FILL_SHORT,
                       [NC_INT] = NC_FILL_INT,
                       [NC_FLOAT] = NC_FILL_FLOAT,
                       [NC_DOUBLE] = NC_FILL_DOUBLE,
                       [NC_USHORT] = NC_FILL_USHORT,
                       [NC_UINT] = NC_FILL_UINT,
                       [NC_UINT64] = 7};
      for (int k = 0; k < ROWS * COLS; k++)
        put_at(x, (size_t)k / COLS, (size_t)k % COLS, fill[types[t]]);
      finish();
      double all[ROWS * COLS];
      assert_ok(read_x(all));
    }
}

static void marked_values_are_missing(void **state) {
  (void)state;
  for (int t = 0; t < TYPES; t++)
    for (int m = 0; m < 2; m++) {
      double mark = 99;
      start(modes[m]);
      int x = define_x(types[t]);
      assert_int_equal(nc_put_att_double(id, x, "_FillValue", types[t], 1, &mark), NC_NOERR);
      put_counting(x);
      put_at(x, 3, 5, 99);
      finish();
      assert_x_says("x[3, 5] is missing: it equals _FillValue");
      double list[] = {-1, 99, 17};
      start(modes[m]);
      x = define_x(types[t]);
      assert_int_equal(nc_put_att_double(id, x, "missing_value", NC_DOUBLE, 3, list), NC_NOERR);
      put_counting(x);
      finish();
      assert_x_says("x[2, 5] is missing: it equals missing_value");
    }
  /* A mark that a float rounds, and marks that no double tells from their neighbours. */
  double third = -1.0 / 3;
  start(NC_64BIT_DATA);
  int x = define_x(NC_FLOAT);
  nc_put_att_double(id, x, "missing_value", NC_DOUBLE, 1, &third);
  put_counting(x);
  put_at(x, 1, 1, third);
  finish();
  assert_x_says("x[1, 1] is missing");
  long long big = (1LL << 62) + 1, near = big - 1;
  for (int i = 0; i < 2; i++) {
    start(NC_64BIT_DATA);
    x = define_x(NC_INT64);
    nc_put_att_longlong(id, x, "_FillValue", NC_INT64, 1, &big);
    put_counting(x);
    nc_put_var1_longlong(id, x, (size_t[]){1, 2}, i ? &near : &big);
    finish();
    double v[ROWS * COLS];
    if (i)
      assert_ok(read_x(v));
    else
      assert_x_says("x[1, 2] is missing");
  }
  double nan = NAN;
  start(NC_64BIT_DATA);
  x = define_x(NC_DOUBLE);
  nc_put_att_double(id, x, "_FillValue", NC_DOUBLE, 1, &nan);
  put_counting(x);
  put_at(x, 0, 4, NAN);
  finish();
  assert_x_says("x[0, 4] is missing: it equals _FillValue");
}

static void values_must_be_numbers_in_range(void **state) {
  (void)state;
  const double bad[] = {NAN, INFINITY, -INFINITY};
  const char *said[] = {"x[2, 0] is not a number", "x[2, 0] is infinite", "x[2, 0] is infinite"};
  for (int i = 0; i < 3; i++) {
    start(NC_64BIT_DATA);
    int x = define_x(i ? NC_DOUBLE : NC_FLOAT);
    put_counting(x);
    put_at(x, 2, 0, bad[i]);
    finish();
    assert_x_says(said[i]);
  }
  double range[] = {0, 20}, most = 20;
  for (int i = 0; i < 2; i++) {
    start(NC_64BIT_DATA);
    int x = define_x(NC_SHORT);
    nc_put_att_double(id, x, i ? "valid_range" : "valid_max", NC_SHORT, i ? 2 : 1,
                      i ? range : &most);
    put_counting(x);
    finish();
    assert_x_says("x[3, 3] is missing: 21 lies outside its valid range");
  }
}

static void packed_values_are_unpacked(void **state) {
  (void)state;
  double factor = 0.5, offset = -3, mark = 5;
  for (int t = 0; t < TYPES; t++) {
    start(NC_64BIT_DATA);
    int x = define_x(types[t]);
    nc_put_att_double(id, x, "scale_factor", NC_DOUBLE, 1, &factor);
    nc_put_att_double(id, x, "add_offset", NC_DOUBLE, 1, &offset);
    put_counting(x);
    finish();
    assert_x_is(-3, 0.5);
    pl_nc_input *in;
    assert_says(PL_EINPUT, open_x(PL_NC_INTEGER, &in), "scale_factor");
    /* Marks are packed as the values are. */
    nc_open(path, NC_WRITE, &id);
    nc_redef(id);
    nc_put_att_double(id, x, "missing_value", types[t], 1, &mark);
    finish();
    assert_x_says("x[0, 5] is missing");
  }
  double huge = 1e308;
  start(NC_64BIT_DATA);
  int x = define_x(NC_DOUBLE);
  nc_put_att_double(id, x, "scale_factor", NC_DOUBLE, 1, &huge);
  put_counting(x);
  finish();
  assert_x_says("x[0, 2] is beyond the range");
  const char *text = "two";
  start(NC_64BIT_DATA);
  x = define_x(NC_DOUBLE);
  nc_put_att_text(id, x, "add_offset", 3, text);
  put_counting(x);
  finish();
  assert_x_says("attribute add_offset of x must be a number");
}

/* CDF-1 has no unsigned types: _Unsigned says what is meant, of values and of marks. */
static void unsigned_numbers_are_unsigned(void **state) {
  (void)state;
  const nc_type kinds[] = {NC_BYTE, NC_SHORT, NC_INT, NC_INT64};
  const double range[] = {256, 65536, 4294967296.0, 18446744073709551616.0};
  for (int t = 0; t < 4; t++)
    for (int marked = 0; marked < 2; marked++) {
      double v[ROWS * COLS], minus = -2;
      start(NC_64BIT_DATA);
      int x = define_x(kinds[t]);
      nc_put_att_text(id, x, "_Unsigned", 4, "true");
      if (marked) nc_put_att_double(id, x, "_FillValue", kinds[t], 1, &minus);
      put_counting(x);
      put_at(x, 1, 0, -2);
      finish();
      if (marked) {
        assert_x_says("x[1, 0] is missing");
        continue;
      }
      assert_ok(read_x(v));
      assert_true(v[COLS] == range[t] - 2);
      assert_true(v[COLS + 1] == COLS + 1);
    }
  double v[ROWS * COLS];
  start(NC_NETCDF4);
  int x = define_x(NC_UBYTE);
  nc_put_att_text(id, x, "_Unsigned", 5, "false");
  put_counting(x);
  put_at(x, 1, 0, 254);
  finish();
  assert_ok(read_x(v));
  assert_true(v[COLS] == -2);
  start(NC_64BIT_DATA);
  x = define_x(NC_SHORT);
  nc_put_att_text(id, x, "_Unsigned", 5, "maybe");
  put_counting(x);
  finish();
  assert_x_says("_Unsigned of x is \"maybe\"");
}

static void whole_numbers_are_whole(void **state) {
  (void)state;
  const double bad[] = {0.5, 1e19};
  const char *said[] = {"x[0, 3] is 0.5, expected a whole number", "whole number below 2^63"};
  for (int i = 0; i < 2; i++) {
    start(NC_64BIT_DATA);
    int x = define_x(NC_DOUBLE);
    put_counting(x);
    put_at(x, 0, 3, bad[i]);
    finish();
    pl_nc_input *in;
    int64_t v[ROWS * COLS];
    assert_ok(open_x(PL_NC_INTEGER, &in));
    assert_says(PL_EINPUT, pl_nc_input_ints(in, NULL, NULL, v), said[i]);
    pl_nc_input_free(in);
    pl_nc_close(nc);
  }
  unsigned long long large = 1ULL << 63;
  start(NC_64BIT_DATA);
  int x = define_x(NC_UINT64);
  put_counting(x);
  nc_put_var1_ulonglong(id, x, (size_t[]){0, 3}, &large);
  finish();
  pl_nc_input *in;
  int64_t v[ROWS * COLS];
  assert_ok(open_x(PL_NC_INTEGER, &in));
  assert_says(PL_EINPUT, pl_nc_input_ints(in, NULL, NULL, v), "x[0, 3] is 9.22");
  pl_nc_input_free(in);
  pl_nc_close(nc);
}

/* ---- dimensions ---- */

static void dimensions_are_told(void **state) {
  (void)state;
  start(NC_NETCDF4);
  int var, str[] = {1}, turned[] = {1, 0};
  nc_def_var(id, "y", NC_DOUBLE, 1, str, &var);
  nc_def_var(id, "turned", NC_DOUBLE, 2, turned, &var);
  nc_def_var(id, "word", NC_STRING, 1, str, &var);
  nc_def_var(id, "letter", NC_CHAR, 2, (int[]){0, 1}, &var);
  nc_def_var(id, "n", NC_INT, 0, NULL, &var);
  nc_type pair;
  nc_def_compound(id, 16, "complex", &pair);
  nc_insert_compound(id, pair, "r", 0, NC_DOUBLE);
  nc_insert_compound(id, pair, "i", 8, NC_DOUBLE);
  nc_def_var(id, "z", pair, 1, str, &var);
  nc_enddef(id);
  int one = 17;
  nc_put_var_int(id, 4, &one);
  finish();
  assert_ok(pl_nc_open(path, false, &nc));
  pl_nc_input *in;
  const struct {
    const char *var, *said;
  } bad[] = {
      {"y",
       "found numbers y(element = 6), expected numbers y(sample, element = 6, the order of S_3)"},
      {"turned", "found numbers turned(element = 6, sample = 4)"},
      {"turned", "its dimensions stand in another order"},
      {"word", "found strings word(element = 6)"},
      {"letter", "found text letter("},
      {"z", "complex numbers"},
      {"w", "no variable 'w': expected w(sample, element = 6, the order of S_3); the file has y, "
            "turned, word"},
  };
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    pl_nc_axis axes[] = {{"sample", -1, NULL}, {"element", COLS, "the order of S_3"}};
    assert_says(PL_EINPUT, pl_nc_input_new(nc, bad[i].var, PL_NC_REAL, 2, axes, &in), bad[i].said);
    assert_int_equal(axes[0].length, -1);
  }
  pl_nc_axis names[] = {{"elements", COLS, NULL}},
             lengths[] = {{"element", 24, "the order of S_4"}}, any[] = {{NULL, -1, NULL}};
  assert_says(PL_EINPUT, pl_nc_input_new(nc, "y", PL_NC_REAL, 1, names, &in),
              "expected numbers y(elements = 6): a dimension has another name");
  assert_says(PL_EINPUT, pl_nc_input_new(nc, "y", PL_NC_REAL, 1, lengths, &in),
              "found numbers y(element = 6), expected numbers y(element = 24, the order of S_4)");
  assert_ok(pl_nc_input_new(nc, "y", PL_NC_REAL, 1, any, &in));
  assert_int_equal(any[0].length, COLS);
  pl_nc_input_free(in);
  int64_t n;
  assert_ok(pl_nc_input_new(nc, "n", PL_NC_INTEGER, 0, NULL, &in));
  assert_ok(pl_nc_input_ints(in, NULL, NULL, &n));
  assert_int_equal(n, 17);
  pl_nc_input_free(in);
  assert_ok(pl_nc_close(nc));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup(numbers_of_all_types_are_read, enter_folder),
    cmocka_unit_test(values_never_written_are_missing),
    cmocka_unit_test(marked_values_are_missing),
    cmocka_unit_test(values_must_be_numbers_in_range),
    cmocka_unit_test(packed_values_are_unpacked),
    cmocka_unit_test(unsigned_numbers_are_unsigned),
    cmocka_unit_test(whole_numbers_are_whole),
    cmocka_unit_test_teardown(dimensions_are_told, leave_folder),
};
PL_TEST_MAIN(tests)
