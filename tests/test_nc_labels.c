/* ranks: 1 */
#include "pl_test.h"

#include "base/nc_read.h"

#include <netcdf.h>

static const char path[] = "t.nc";
static pl_nc *nc;
static int id; /* of the file being written, by NetCDF itself */

enum { ROWS = 4, COLS = 6 };

static void start(int mode) {
  int d;
  assert_int_equal(nc_create(path, NC_CLOBBER | mode, &id), NC_NOERR);
  nc_def_dim(id, "sample", ROWS, &d);
  nc_def_dim(id, "element", COLS, &d);
}

static void finish(void) {
  assert_int_equal(nc_close(id), NC_NOERR);
}

static const char *const s3[] = {"1 2 3", "1 3 2", "2 1 3", "2 3 1", "3 1 2", "3 2 1"};
static int label(const void *context, int64_t i, char *buf, size_t n) {
  (void)context;
  return snprintf(buf, n, "%s", s3[i]);
}

enum { CHARS, PADDED, STRINGS, FORMS };

static void write_labels(int form, const char *const *text) {
  int d, e;
  start(NC_NETCDF4);
  nc_def_dim(id, "string7", 7, &d);
  nc_def_var(id, "element", form == STRINGS ? NC_STRING : NC_CHAR, form == STRINGS ? 1 : 2,
             (int[]){1, d}, &e);
  nc_enddef(id);
  for (size_t i = 0; i < COLS; i++) {
    char cell[8];
    memset(cell, form == PADDED ? ' ' : 0, sizeof cell);
    memcpy(cell, text[i], strlen(text[i]));
    if (form == STRINGS)
      nc_put_var1_string(id, e, &i, (const char **)(const void *)&text[i]);
    else
      nc_put_vara_text(id, e, (size_t[]){i, 0}, (size_t[]){1, 7}, cell);
  }
  finish();
}

static pl_status read_labels(int64_t **order) {
  assert_ok(pl_nc_open(path, false, &nc));
  pl_status st =
      pl_nc_labels(nc, "element", "element", COLS, label, NULL, "elements of S_3", order);
  pl_nc_close(nc);
  return st;
}

static void labels_in_any_order(void **state) {
  (void)state;
  const char *other[COLS] = {s3[0], s3[2], s3[5], s3[3], s3[1], s3[4]};
  const int64_t places[COLS] = {0, 2, 5, 3, 1, 4};
  for (int form = 0; form < FORMS; form++) {
    int64_t *order = NULL;
    write_labels(form, s3);
    assert_ok(read_labels(&order));
    assert_null(order);
    write_labels(form, other);
    assert_ok(read_labels(&order));
    assert_memory_equal(order, places, sizeof places);
    pl_free(order);
    const char *unknown[COLS] = {s3[0], s3[2], "2 2 3", s3[3], s3[1], s3[4]};
    write_labels(form, unknown);
    assert_says(
        PL_EINPUT, read_labels(&order),
        "t.nc: element[2] is \"2 2 3\", expected \"2 1 3\": these are not the elements of S_3");
    const char *twice[COLS] = {s3[0], s3[2], s3[3], s3[4], s3[1], s3[2]};
    write_labels(form, twice);
    assert_says(PL_EINPUT, read_labels(&order), "element[1] and element[5] are both \"2 1 3\"");
    const char *again[COLS] = {s3[0], s3[1], s3[2], s3[0], s3[4], s3[5]};
    write_labels(form, again);
    assert_says(PL_EINPUT, read_labels(&order), "element[0] and element[3] are both \"1 2 3\"");
    const char *empty[COLS] = {s3[0], s3[1], "", s3[3], s3[4], s3[5]};
    write_labels(form, empty);
    assert_says(PL_EINPUT, read_labels(&order), "element[2] is \"\", expected \"2 1 3\"");
  }
}

static void numbers_label_themselves(void **state) {
  (void)state;
  const double lists[][COLS] = {{0, 1, 2, 3, 4, 5},
                                {5, 0, 1, 2, 3, 4},
                                {0, 1, 2, 3, 4, 6},
                                {0, 1, 2, 3, 4, 1},
                                {0, 1, 2.5, 3, 4, 5}};
  const char *said[] = {NULL, NULL, "element[5] is 6; the elements of S_3 have numbers 0 to 5",
                        "element[1] and element[5] are both \"1\"", "element[2] is 2.5"};
  for (int i = 0; i < 5; i++) {
    int e;
    int64_t *order = NULL;
    start(NC_64BIT_DATA);
    nc_def_var(id, "element", NC_DOUBLE, 1, (int[]){1}, &e);
    nc_enddef(id);
    nc_put_var_double(id, e, lists[i]);
    finish();
    pl_status st = read_labels(&order);
    if (said[i]) {
      assert_says(PL_EINPUT, st, said[i]);
      continue;
    }
    assert_int_equal(st, PL_OK);
    for (int k = 0; i == 1 && k < COLS; k++) assert_int_equal(order[k], (k + 5) % COLS);
    assert_int_equal(order != NULL, i);
    pl_free(order);
  }
  start(NC_64BIT_DATA);
  int e;
  nc_def_var(id, "element", NC_DOUBLE, 1, (int[]){0}, &e);
  finish();
  int64_t *order;
  assert_says(PL_EINPUT, read_labels(&order),
              "found numbers element(sample = 4), expected one label");
}

/* More labels than a block holds, all turned by one. */
static int count_label(const void *context, int64_t i, char *buf, size_t n) {
  (void)context;
  return snprintf(buf, n, "g%lld", (long long)i);
}
static void many_labels(void **state) {
  (void)state;
  enum { MANY = 200001 };
  int d[2], e;
  char *text = pl_zalloc(MANY, 8, "labels");
  for (int i = 0; i < MANY; i++) snprintf(text + 8 * i, 8, "g%d", (i + 1) % MANY);
  assert_int_equal(nc_create(path, NC_CLOBBER | NC_64BIT_DATA, &id), NC_NOERR);
  nc_def_dim(id, "element", MANY, &d[0]);
  nc_def_dim(id, "string", 8, &d[1]);
  nc_def_var(id, "element", NC_CHAR, 2, d, &e);
  nc_enddef(id);
  nc_put_var_text(id, e, text);
  finish();
  pl_free(text);
  int64_t *order = NULL;
  assert_ok(pl_nc_open(path, false, &nc));
  assert_ok(pl_nc_labels(nc, "element", "element", MANY, count_label, NULL, "elements", &order));
  for (int i = 0; i < MANY; i++) assert_int_equal(order[i], (i + 1) % MANY);
  pl_free(order);
  pl_nc_close(nc);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup(labels_in_any_order, enter_folder),
    cmocka_unit_test(numbers_label_themselves),
    cmocka_unit_test_teardown(many_labels, leave_folder),
};
PL_TEST_MAIN(tests)
