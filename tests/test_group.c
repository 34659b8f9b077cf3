/* ranks: 1 */
#include "group_theorems.h"

#include "group/check.h"
#include "group/family.h"

static const char *const small[] = {"C_1",
                                    "C_2",
                                    "C_7",
                                    "C_12",
                                    "D_1",
                                    "D_2",
                                    "D_3",
                                    "D_4",
                                    "D_5",
                                    "D_30",
                                    "Q_8",
                                    "S_1",
                                    "S_2",
                                    "S_3",
                                    "S_4",
                                    "S_5",
                                    "Q_8 x Q_8",
                                    "C_3 x C_3",
                                    "Q_8 x C_3",
                                    "C_3 x Q_8",
                                    "A_1",
                                    "A_2",
                                    "A_2 x S_3",
                                    "A_3",
                                    "A_4",
                                    "A_5",
                                    "B_1",
                                    "B_2",
                                    "B_3",
                                    "A_4 x Q_8",
                                    "SL_2(3)",
                                    "S_3 x C_4",
                                    "C_5 x D_3",
                                    "S_4 x C_2",
                                    "Q_8 x S_3",
                                    "S_3 x Q_8",
                                    "Q_8 x Q_8 x Q_8",
                                    "Q_8 x Q_8 x C_3",
                                    "C_4 x Q_8 x C_3",
                                    "C_3 x C_3 x C_4"};
enum { NUM_SMALL = sizeof small / sizeof *small };

static void elements_form_a_group(void **state) {
  (void)state;
  theorem_elements_form_a_group(small, NUM_SMALL);
  static const char *const large[] = {"C_1000000", "D_100000", "S_13", "C_1000 x C_1000",
                                      "S_9 x Q_8 x C_17 x D_12"};
  theorem_elements_form_a_group(large, sizeof large / sizeof *large);
}

static void generators_generate(void **state) {
  (void)state;
  theorem_generators_generate(small, NUM_SMALL);
}

static void counts_agree(void **state) {
  (void)state;
  theorem_counts_agree(small, NUM_SMALL);
}

static void irreps_are_unitary_homomorphisms(void **state) {
  (void)state;
  theorem_irreps_are_unitary_homomorphisms(small, NUM_SMALL, 1e-13);
}

static void matrix_entries_are_orthogonal(void **state) {
  (void)state;
  theorem_matrix_entries_are_orthogonal(small, NUM_SMALL, 1e-13);
}

static void types_are_those_of_frobenius_and_schur(void **state) {
  (void)state;
  theorem_types_are_those_of_frobenius_and_schur(small, NUM_SMALL);
}

static void trivial_irrep_comes_first(void **state) {
  (void)state;
  theorem_trivial_irrep_comes_first(small, NUM_SMALL);
}

static void elements_are_numbered_as_stated(void **state) {
  (void)state;
  pl_group *g = parse("D_7"); /* s r s = r^-1; s r^k is 7 + k */
  for (int k = 0; k < 7; k++) {
    assert_int_equal(pl_group_mul(g, 7, k), 7 + k);
    assert_int_equal(pl_group_mul(g, 1, k), (k + 1) % 7);
  }
  assert_int_equal(pl_group_mul(g, pl_group_mul(g, 7, 1), 7), 6);
  pl_group_free(g);

  g = parse("Q_8"); /* 1 i j k -1 -i -j -k */
  static const int table[8][8] = {{0, 1, 2, 3, 4, 5, 6, 7}, {1, 4, 3, 6, 5, 0, 7, 2},
                                  {2, 7, 4, 1, 6, 3, 0, 5}, {3, 2, 5, 4, 7, 6, 1, 0},
                                  {4, 5, 6, 7, 0, 1, 2, 3}, {5, 0, 7, 2, 1, 4, 3, 6},
                                  {6, 3, 0, 5, 2, 7, 4, 1}, {7, 6, 1, 0, 3, 2, 5, 4}};
  for (int a = 0; a < 8; a++)
    for (int b = 0; b < 8; b++) assert_int_equal(pl_group_mul(g, a, b), table[a][b]);
  pl_group_free(g);

  g = parse("S_3"); /* 123 132 213 231 312 321; (213)(132) = i -> s(t(i)) = 231 */
  assert_int_equal(pl_group_mul(g, 2, 1), 3);
  assert_int_equal(pl_group_mul(g, 1, 2), 4);
  pl_group_free(g);

  g = parse("C_5 x S_3"); /* g slow, h fast */
  assert_int_equal(pl_group_mul(g, 3 * 6 + 2, 4 * 6 + 1), 2 * 6 + 3);
  pl_group_free(g);
}

static void labels_of_elements(void **state) {
  (void)state;
  static const struct {
    const char *spec;
    int64_t element;
    const char *label;
  } rows[] = {{"C_12", 11, "11"},
              {"D_4", 0, "1"},
              {"D_4", 1, "r"},
              {"D_4", 3, "r^3"},
              {"D_4", 4, "s"},
              {"D_4", 5, "s r"},
              {"D_4", 7, "s r^3"},
              {"Q_8", 0, "1"},
              {"Q_8", 7, "-k"},
              {"S_3", 2, "2 1 3"},
              {"S_1", 0, "1"},
              {"C_5 x S_3", 9, "1, 2 3 1"},
              {"S_11", 39916799, "11 10 9 8 7 6 5 4 3 2 1"}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    pl_group *g = parse(rows[i].spec);
    char buf[64], tiny[4];
    int len = pl_group_element_label(g, rows[i].element, buf, sizeof buf);
    assert_string_equal(buf, rows[i].label);
    assert_int_equal(len, strlen(buf));
    assert_int_equal(pl_group_element_label(g, rows[i].element, tiny, sizeof tiny), len);
    assert_int_equal(strncmp(tiny, buf, 3), 0);
    assert_true(strlen(tiny) <= 3);
    pl_group_free(g);
  }
}

static double complex named_character(const pl_group *g, const char *label, int64_t a) {
  int64_t i = pl_group_irrep_by_label(g, label);
  assert_true(i >= 0);
  return character(g, i, a);
}

static void characters_match_written_tables(void **state) {
  (void)state;
  static const struct {
    const char *spec, *label;
    double value[8];
  } rows[] = {
      {"D_4", "A1", {1, 1, 1, 1, 1, 1, 1, 1}},
      {"D_4", "A2", {1, 1, 1, 1, -1, -1, -1, -1}},
      {"D_4", "B1", {1, -1, 1, -1, 1, -1, 1, -1}},
      {"D_4", "B2", {1, -1, 1, -1, -1, 1, -1, 1}},
      {"D_4", "E1", {2, 0, -2, 0, 0, 0, 0, 0}},
      {"D_3", "A2", {1, 1, 1, -1, -1, -1}},
      {"D_3", "E1", {2, -1, -1, 0, 0, 0}},
      {"Q_8", "1", {1, 1, 1, 1, 1, 1, 1, 1}},
      {"Q_8", "i", {1, 1, -1, -1, 1, 1, -1, -1}},
      {"Q_8", "j", {1, -1, 1, -1, 1, -1, 1, -1}},
      {"Q_8", "k", {1, -1, -1, 1, 1, -1, -1, 1}},
      {"Q_8", "H", {2, 0, 0, 0, -2, 0, 0, 0}},
      {"S_3", "3", {1, 1, 1, 1, 1, 1}},
      {"S_3", "2,1", {2, 0, 0, -1, -1, 0}},
      {"S_3", "1,1,1", {1, -1, -1, 1, 1, -1}},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    pl_group *g = parse(rows[i].spec);
    for (int64_t a = 0; a < pl_group_order(g); a++) {
      double complex chi = named_character(g, rows[i].label, a);
      assert_close(creal(chi), rows[i].value[a], 1e-14);
      assert_close(cimag(chi), 0, 1e-14);
    }
    pl_group_free(g);
  }
  pl_group *g = parse("C_5");
  for (int a = 0; a < 5; a++) {
    double complex w = cexp(-2 * M_PI * I * 2 * a / 5);
    assert_close(cabs(named_character(g, "2", a) - w), 0, 1e-14);
  }
  pl_group_free(g);
}

/* chi of "a x b" is chi_a chi_b, with a conjugate named by its own label: n-k in C_n. */
static void characters_of_products_multiply(void **state) {
  (void)state;
  pl_group *g = parse("C_3 x Q_8 x C_4"), *c3 = parse("C_3"), *q = parse("Q_8"), *c4 = parse("C_4");
  for (int64_t i = 0; i < pl_group_num_irreps(g); i++) {
    char label[64];
    int u, v;
    char w;
    pl_group_irrep_label(g, i, label, sizeof label);
    assert_int_equal(sscanf(label, "%d x %c x %d", &u, &w, &v), 3);
    for (int64_t a = 0; a < pl_group_order(g); a++) {
      double complex chi = cexp(-2 * M_PI * I * u * (double)(a / 32) / 3) *
                           named_character(q, (char[]){w, 0}, a / 4 % 8) *
                           cexp(-2 * M_PI * I * v * (double)(a % 4) / 4);
      assert_close(cabs(named_character(g, label, a) - chi), 0, 1e-13);
    }
  }
  pl_group_free(g);
  pl_group_free(c3);
  pl_group_free(q);
  pl_group_free(c4);
}

static void irreps_of_products_are_in_order(void **state) {
  (void)state;
  static const char *const expected[] = {"0 x 0", "0 x 1", "0 x 2", "1 x 0",
                                         "1 x 1", "1 x 3", "1 x 2"};
  pl_group *g = parse("C_3 x C_4");
  assert_int_equal(pl_group_num_irreps(g), 7);
  char label[32];
  for (int i = 0; i < 7; i++) {
    pl_group_irrep_label(g, i, label, sizeof label);
    assert_string_equal(label, expected[i]);
  }
  /* Either name of a pair finds it. */
  assert_int_equal(pl_group_irrep_by_label(g, "2 x 1"), 5);
  assert_int_equal(pl_group_irrep_by_label(g, "0 x 3"), 1);
  pl_group_free(g);
}

static void labels_of_irreps_go_back_and_forth(void **state) {
  (void)state;
  static const char *const more[] = {"C_1000000", "S_13", "C_100 x D_17 x C_100", "D_100000"};
  for (int s = 0; s < NUM_SMALL + 4; s++) {
    pl_group *g = parse(s < NUM_SMALL ? small[s] : more[s - NUM_SMALL]);
    int64_t n = pl_group_num_irreps(g), step = n > 2000 ? n / 1000 : 1;
    for (int64_t i = 0; i < n; i += step) {
      char label[128];
      int len = pl_group_irrep_label(g, i, label, sizeof label);
      assert_int_equal(len, strlen(label));
      assert_int_equal(pl_group_irrep_by_label(g, label), i);
    }
    static const char *const wrong[] = {
        "", "x", "-1", "0 x", "nonsense", "E0", "A1 ", "2,2,2,2", "0 x 0 x 0 x 0 x 0"};
    for (size_t k = 0; k < sizeof wrong / sizeof *wrong; k++)
      assert_int_equal(pl_group_irrep_by_label(g, wrong[k]), -1);
    pl_group_free(g);
  }
}

static void symmetric_groups_satisfy_coxeter_relations(void **state) {
  (void)state;
  for (int n = 2; n <= 13; n++) {
    char spec[16];
    snprintf(spec, sizeof spec, "S_%d", n);
    pl_group *g = parse(spec);
    int64_t s[16];
    assert_int_equal(pl_group_generators(g, s, 16), n - 1);
    for (int i = 0; i < n - 1; i++)
      for (int j = 0; j < n - 1; j++) {
        int64_t st = pl_group_mul(g, s[i], s[j]), power = 0;
        int order = i == j ? 1 : abs(i - j) == 1 ? 3 : 2;
        for (int k = 0; k < order; k++) {
          if (k) assert_true(power != 0);
          power = pl_group_mul(g, power, st);
        }
        assert_int_equal(power, 0);
      }
    pl_group_free(g);
  }
}

/* Irreps are those of w s w: restricted to the elements 0..(n-1)!-1, which fix the first letter,
 * the matrices are block diagonal, one block for each partition with a box removed. */
static void symmetric_irreps_restrict_to_blocks(void **state) {
  (void)state;
  pl_group *g = parse("S_5");
  int64_t i = pl_group_irrep_by_label(g, "3,1,1");
  assert_int_equal(pl_group_irrep(g, i).dim, 6);
  for (int64_t a = 0; a < 24; a++) {
    double m[36];
    pl_group_irrep_matrix(g, i, a, m);
    for (int y = 0; y < 3; y++)
      for (int x = 3; x < 6; x++) assert_close(fabs(m[y * 6 + x]) + fabs(m[x * 6 + y]), 0, 1e-14);
  }
  pl_group_free(g);
}

static void large_groups_are_light(void **state) {
  (void)state;
  static const struct {
    const char *spec;
    int64_t order, irreps, classes;
  } rows[] = {{"C_1000000", 1000000, 500001, 1000000},
              {"C_1000 x C_1000", 1000000, 500002, 1000000},
              {"D_100000", 200000, 50003, 50003},
              {"S_13", 6227020800, 101, 101},
              {"S_14", 87178291200, 135, 135},
              {"C_1000000 x C_1000000 x C_1000000", 1000000000000000000, 500000000000000004,
               1000000000000000000}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    int64_t before = pl_mem_bytes();
    pl_group *g = parse(rows[i].spec);
    assert_true(pl_mem_bytes() - before < 1 << 16);
    assert_int_equal(pl_group_order(g), rows[i].order);
    assert_int_equal(pl_group_num_irreps(g), rows[i].irreps);
    assert_int_equal(pl_group_num_classes(g), rows[i].classes);
    pl_group_free(g);
  }
}

static void specs_are_read_leniently(void **state) {
  (void)state;
  static const char *const rows[][2] = {
      {"  C_28xC_28\tx  D_4 ", "C_28 x C_28 x D_4"}, {"S_005", "S_5"}, {"Q_8", "Q_8"}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    pl_group *g = parse(rows[i][0]);
    assert_string_equal(pl_group_spec(g), rows[i][1]);
    pl_group_free(g);
  }
}

static void bad_specs_are_explained(void **state) {
  (void)state;
  static const char *const rows[][2] = {
      {"", "the name is empty"},
      {"   ", "the name is empty"},
      {"E_4", "\"E_4\" is not a known group"},
      {"C_3 x E_5", "\"E_5\" is not a known group"},
      {"C4", "\"C4\" is not a known group"},
      {"C_", "\"C_\" needs a whole number after \"C_\""},
      {"C_-3", "\"C_-3\" needs a whole number"},
      {"C_3.5", "\"C_3.5\" needs a whole number"},
      {"C_4y", "\"C_4y\" needs a whole number"},
      {"C_0", "\"C_0\" is out of range: n must be from 1 to 1000000"},
      {"C_1000001", "out of range"},
      {"C_99999999999999999999999999", "out of range"},
      {"D_0", "out of range"},
      {"S_15", "\"S_15\" is out of range: n must be from 1 to 14"},
      {"Q_16", "only Q_8 is known"},
      {"C_3 C_4", "expected \"x\" before \"C_4\""},
      {"C_3 x", "nothing stands after the last \"x\""},
      {"C_3 x x C_3", "nothing stands"},
      {"x C_3", "nothing stands before the first \"x\""},
      {"C_1000000 x C_1000000 x S_13 x S_13", "its order passes 2^60 at \"S_13\""},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    pl_group *g = (pl_group *)&rows;
    assert_int_equal(pl_group_parse(rows[i][0], &g), PL_EINPUT);
    assert_true(g == (pl_group *)&rows);
    if (!strstr(pl_error_message(), rows[i][1])) {
      print_error("%s: %s lacks %s\n", rows[i][0], pl_error_message(), rows[i][1]);
      fail();
    }
    assert_non_null(strstr(pl_error_message(), "(all forms: plancherel group --help)"));
    assert_null(strchr(pl_error_message(), '\n'));
  }
}

/* As others write them: what was meant stands first. */
static void what_was_meant_stands_first(void **state) {
  (void)state;
  static const char *const rows[][2] = {
      {"S4", "S_4"},         {"s_4", "S_4"},   {"C-12", "C_12"},   {"Z_5", "C_5"},
      {"Z5", "C_5"},         {"Dih5", "D_5"},  {"Sym(6)", "S_6"},  {"PSL(2,7)", "PSL_2(7)"},
      {"SL2(5)", "SL_2(5)"}, {"q8", "Q_8"},    {"dic_3", "Dic_3"}, {"Alt5", "A_5"},
      {"heis3", "Heis_3"},   {"cyclic", "C_n"}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    char nearest[160];
    pl_group_nearest(rows[i][0], (int)strlen(rows[i][0]), nearest, sizeof nearest);
    nearest[strcspn(nearest, ",")] = 0;
    assert_string_equal(nearest, rows[i][1]);
  }
  pl_group *g;
  assert_int_equal(pl_group_parse("C_3 x S4", &g), PL_EINPUT);
  assert_string_equal(
      pl_error_message(),
      "group \"C_3 x S4\": \"S4\" is not a known group; nearest: S_4, C_4, D_4 (all "
      "forms: plancherel group --help)");
}

static void turned_matrix(const pl_factor *f, int64_t i, int64_t a, double *m) {
  pl_family_dihedral.irrep_matrix(f, i, a, m);
  if (i == 4) m[0] += 1e-9;
}
static int64_t swapped_product(const pl_factor *f, int64_t a, int64_t b) {
  return pl_family_dihedral.mul(f, b, a);
}

static void checks_pass_and_fail(void **state) {
  (void)state;
  static const char *const good[] = {"C_1", "D_5", "S_4", "Q_8 x Q_8 x C_3", "C_70 x D_40"};
  pl_check check[PL_NUM_CHECKS];
  for (size_t s = 0; s < sizeof good / sizeof *good; s++) {
    pl_group *g = parse(good[s]);
    assert_ok(pl_group_check(g, check));
    for (int i = 0; i < PL_NUM_CHECKS; i++) {
      assert_true(check[i].residual <= check[i].tolerance);
      assert_true(strlen(check[i].cases) > 0);
    }
    pl_group_free(g);
  }
  pl_group *g = parse("D_20"); /* transforms by FFTW, not by the matrices */
  pl_family broken = pl_family_dihedral;
  g->factor[0].family = &broken;
  broken.irrep_matrix = turned_matrix;
  assert_int_equal(pl_group_check(g, check), PL_EBUG);
  for (int i = 1; i <= 4; i++) assert_true(check[i].residual > check[i].tolerance);
  assert_true(check[5].residual <= check[5].tolerance);
  broken = pl_family_dihedral;
  broken.mul = swapped_product;
  assert_int_equal(pl_group_check(g, check), PL_EBUG);
  assert_non_null(strstr(pl_error_message(), "homomorphism"));
  pl_group_free(g);
  g = parse("C_1000000 x C_1000000");
  assert_int_equal(pl_group_check(g, check), PL_EENV);
  assert_non_null(strstr(pl_error_message(), "GB of memory"));
  pl_group_free(g);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(elements_form_a_group),
    cmocka_unit_test(generators_generate),
    cmocka_unit_test(elements_are_numbered_as_stated),
    cmocka_unit_test(labels_of_elements),
    cmocka_unit_test(counts_agree),
    cmocka_unit_test(irreps_are_unitary_homomorphisms),
    cmocka_unit_test(matrix_entries_are_orthogonal),
    cmocka_unit_test(types_are_those_of_frobenius_and_schur),
    cmocka_unit_test(characters_match_written_tables),
    cmocka_unit_test(characters_of_products_multiply),
    cmocka_unit_test(irreps_of_products_are_in_order),
    cmocka_unit_test(labels_of_irreps_go_back_and_forth),
    cmocka_unit_test(trivial_irrep_comes_first),
    cmocka_unit_test(symmetric_groups_satisfy_coxeter_relations),
    cmocka_unit_test(symmetric_irreps_restrict_to_blocks),
    cmocka_unit_test(large_groups_are_light),
    cmocka_unit_test(specs_are_read_leniently),
    cmocka_unit_test(bad_specs_are_explained),
    cmocka_unit_test(what_was_meant_stands_first),
    cmocka_unit_test(checks_pass_and_fail),
};
PL_TEST_MAIN(tests)
