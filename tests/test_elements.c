/* ranks: 1 */
#include "pl_test.h"

#include "group/elements.h"

static const char path[] = "t.nc";

/* Labels of elements and irreps, turned by `turn` places; says: the attribute group. */
static void write_file(const pl_group *g, const char *says, int64_t turn, bool labels) {
  pl_nc *nc;
  int64_t n = pl_group_order(g), irreps = pl_group_num_irreps(g);
  char *text = pl_zalloc((size_t)n, 64, "labels"), *names = pl_zalloc((size_t)irreps, 64, "labels");
  for (int64_t k = 0; k < n; k++) pl_group_element_label(g, (k + turn) % n, text + 64 * k, 64);
  for (int64_t k = 0; k < irreps; k++)
    pl_group_irrep_label(g, (k + turn) % irreps, names + 64 * k, 64);
  assert_ok(pl_nc_create(path, true, false, &nc));
  if (says) assert_ok(pl_nc_att_text(nc, NULL, "group", says));
  assert_ok(pl_nc_def_dim(nc, "element", n));
  assert_ok(pl_nc_def_dim(nc, "irrep", irreps));
  assert_ok(pl_nc_def_dim(nc, "string64", 64));
  if (labels)
    assert_ok(pl_nc_def_var(nc, "element", PL_NC_CHAR,
                            (const char *[]){"element", "string64", NULL}, NULL, NULL));
  assert_ok(pl_nc_def_var(nc, "irrep_label", PL_NC_CHAR,
                          (const char *[]){"irrep", "string64", NULL}, NULL, NULL));
  assert_ok(pl_nc_end_def(nc));
  if (labels) assert_ok(pl_nc_put_text(nc, "element", NULL, NULL, text));
  assert_ok(pl_nc_put_text(nc, "irrep_label", NULL, NULL, names));
  assert_ok(pl_nc_close(nc));
  pl_free(text);
  pl_free(names);
}

static void files_in_any_order(void **state) {
  (void)state;
  const char *specs[] = {"S_4", "D_5 x C_3", "Q_8", "C_12", "perm:(1,2,3,4,5),(1,2)", "A_1"};
  for (size_t s = 0; s < sizeof specs / sizeof *specs; s++) {
    pl_group *g;
    pl_nc *nc;
    assert_ok(pl_group_parse(specs[s], &g));
    int64_t n = pl_group_order(g), irreps = pl_group_num_irreps(g);
    for (int64_t turn = 0; turn < (n > 1 ? 2 : 1); turn++) {
      int64_t *order = NULL, *names = NULL;
      write_file(g, specs[s], turn, true);
      assert_ok(pl_nc_open(path, false, &nc));
      assert_ok(pl_elements_same_group(nc, g));
      assert_ok(pl_elements_order(nc, g, &order));
      assert_ok(pl_irreps_order(nc, g, &names));
      assert_int_equal(order != NULL, turn);
      for (int64_t k = 0; order && k < n; k++) assert_int_equal(order[k], (k + turn) % n);
      for (int64_t k = 0; names && k < irreps; k++) assert_int_equal(names[k], (k + turn) % irreps);
      /* Arranged, a function that counts the elements counts them. */
      double *f = pl_alloc(2 * (size_t)n, sizeof *f, "functions");
      for (int64_t k = 0; k < n; k++) f[k] = (double)((k + turn) % n);
      pl_elements_arrange(n, order, f, f + n);
      for (int64_t k = 0; k < n; k++) assert_true(f[n + k] == (double)k);
      pl_free(f);
      pl_free(order);
      pl_free(names);
      pl_nc_close(nc);
    }
    int64_t *order = (int64_t *)&g;
    write_file(g, NULL, 0, false); /* nothing said, nothing to check */
    assert_ok(pl_nc_open(path, false, &nc));
    assert_ok(pl_elements_same_group(nc, g));
    assert_ok(pl_elements_order(nc, g, &order));
    assert_null(order);
    pl_nc_close(nc);
    pl_group_free(g);
  }
}

static void files_of_other_groups(void **state) {
  (void)state;
  const char *others[][3] = {{"C_24", "C_24", "elements of S_4"},
                             {"S_4", "C_24", "says C_24, expected S_4"},
                             {"D_12", "  D_12 ", "says D_12, expected S_4"},
                             {"S_4", "S4", "attribute group: "}};
  pl_group *g, *h;
  pl_nc *nc;
  assert_ok(pl_group_parse("S_4", &g));
  for (int i = 0; i < 4; i++) {
    int64_t *order = NULL;
    assert_ok(pl_group_parse(others[i][0], &h));
    write_file(h, others[i][1], 0, true);
    assert_ok(pl_nc_open(path, false, &nc));
    if (i)
      assert_says(PL_EINPUT, pl_elements_same_group(nc, g), others[i][2]);
    else
      assert_says(PL_EINPUT, pl_elements_order(nc, g, &order), others[i][2]);
    pl_nc_close(nc);
    pl_group_free(h);
  }
  pl_group_free(g);
}

/* Told before anything loops over them. */
static void too_many_irreps_are_told(void **state) {
  (void)state;
  const char *specs[] = {"C_1000 x C_1000 x C_1000", "C_1000000 x C_1000000"};
  pl_group *g;
  for (int i = 0; i < 2; i++) {
    assert_ok(pl_group_parse(specs[i], &g));
    assert_says(PL_EINPUT, pl_group_countable(g), "irreps; at most 10000000");
    pl_group_free(g);
  }
  assert_ok(pl_group_parse("C_1000 x C_1000", &g));
  assert_ok(pl_group_countable(g));
  pl_group_free(g);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup(files_in_any_order, enter_folder),
    cmocka_unit_test(files_of_other_groups),
    cmocka_unit_test_teardown(too_many_irreps_are_told, leave_folder),
};
PL_TEST_MAIN(tests)
