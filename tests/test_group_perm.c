/* ranks: 1 */
/* Groups from generators and from tables: the stabiliser chain, the parsers, A_n and B_n. */
#include "pl_test.h"

#include "base/nc.h"
#include "base/rng.h"
#include "group/check.h"
#include "group/finite.h"
#include "group/fourier.h"
#include "group/generators.h"
#include "group/group.h"

#include <unistd.h>

static pl_chain *chain_of(const char *text) {
  pl_perms p;
  pl_chain *c;
  assert_ok(pl_perms_parse(text, &p));
  assert_ok(pl_chain_new(&p, &c));
  pl_free(p.image);
  return c;
}

static void expect_order(const char *text, const char *order) {
  pl_chain *c = chain_of(text);
  char *found = pl_chain_order_text(c);
  assert_string_equal(found, order);
  assert_int_equal(c->order, strlen(order) < 18 ? atoll(order) : -1);
  pl_free(found);
  pl_chain_free(c);
}

static void test_orders(void **state) {
  (void)state;
  expect_order("()", "1");
  expect_order("(1,2,3),(1,2)", "6");
  expect_order("(1,2)(3,4),(1,3)(2,4)", "4");
  expect_order("(1,2,3,4,5),(3,4,5)", "60");
  expect_order("(1,2,3),(4,5),(7,8,9,10,11)", "30");
  expect_order("(1,2,3,4,5,6,7,8,9,10,11),(3,7,11,8)(4,10,5,6)", "7920");
  expect_order("(1,2,3,4,5,6,7,8,9,10,11),(3,7,11,8)(4,10,5,6),(1,12)(2,11)(3,6)(4,8)(5,9)(7,10)",
               "95040");
  expect_order("(1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23),(3,17,10,7,9)(4,13,"
               "14,19,5)(8,18,11,12,23)(15,20,22,21,16),(1,24)(2,23)(3,12)(4,16)(5,18)(6,10)(7,20)("
               "8,14)(9,21)(11,17)(13,22)(15,19)",
               "244823040");
  expect_order(
      "(1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30),(1,2)",
      "265252859812191058636308480000000");
  /* Rubik's cube. */
  expect_order("(1,3,8,6)(2,5,7,4)(9,33,25,17)(10,34,26,18)(11,35,27,19),(9,11,16,14)(10,13,15,12)("
               "1,17,41,40)(4,20,44,37)(6,22,46,35),(17,19,24,22)(18,21,23,20)(6,25,43,16)(7,28,42,"
               "13)(8,30,41,11),(25,27,32,30)(26,29,31,28)(3,38,43,19)(5,36,45,21)(8,33,48,24),(33,"
               "35,40,38)(34,37,39,36)(3,9,46,32)(2,12,47,29)(1,14,48,27),(41,43,48,46)(42,45,47,"
               "44)(14,22,30,38)(15,23,31,39)(16,24,32,40)",
               "43252003274489856000");
}

/* Products, inverses and numbers against the permutations themselves. */
static void test_elements(void **state) {
  (void)state;
  pl_chain *c = chain_of("(1,2,3,4,5,6,7,8,9,10,11),(3,7,11,8)(4,10,5,6)");
  pl_point a[11], b[11], ab[11];
  pl_chain_unrank(c, 0, a);
  for (int i = 0; i < 11; i++) assert_int_equal(a[i], i);
  for (int k = 0; k < 500; k++) {
    int64_t x = pl_rng_below(7, 1, 2 * k, c->order), y = pl_rng_below(7, 1, 2 * k + 1, c->order);
    pl_chain_unrank(c, x, a);
    pl_chain_unrank(c, y, b);
    for (int i = 0; i < 11; i++) ab[i] = a[b[i]];
    assert_int_equal(pl_chain_rank(c, a), x);
    assert_int_equal(pl_chain_mul(c, x, y), pl_chain_rank(c, ab));
    assert_int_equal(pl_chain_mul(c, x, pl_chain_inv(c, x)), 0);
  }
  pl_point odd[11] = {1, 0, 2, 3, 4, 5, 6, 7, 8, 9, 10};
  assert_int_equal(pl_chain_rank(c, odd), -1);
  pl_chain_free(c);
}

static void expect_error(const char *spec, const char *part) {
  pl_group *g = NULL;
  assert_int_equal(pl_group_parse(spec, &g), PL_EINPUT);
  assert_null(g);
  if (!strstr(pl_error_message(), part)) {
    print_error("%s: \"%s\" lacks \"%s\"\n", spec, pl_error_message(), part);
    fail();
  }
}

static void test_specs(void **state) {
  (void)state;
  static const char *const pairs[][2] = {
      {"perm:(1,2,3),(1,2)", "perm:(1,2,3),(1,2)"},
      {"perm: ( 1 2 3 ) , (2 1)  x C_2", "perm:(1,2,3),(1,2) x C_2"},
      {"C_2 x perm:(3,1)(2,4)", "C_2 x perm:(1,3)(2,4)"},
      {"A_5", "A_5"},
      {"B_3 x SL_2(3)", "B_3 x SL_2(3)"}};
  static const int64_t orders[] = {6, 12, 4, 60, 48 * 24};
  for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
    pl_group *g;
    assert_ok(pl_group_parse(pairs[i][0], &g));
    assert_string_equal(pl_group_spec(g), pairs[i][1]);
    assert_int_equal(pl_group_order(g), orders[i]);
    pl_group_free(g);
  }
  expect_error("perm:", "expected generators or a file");
  expect_error("perm:(1,2", "\")\" is missing");
  expect_error("perm:(1,2)(2,3)", "point 2 stands twice");
  expect_error("perm:(0,1)", "from 1 to 4096");
  expect_error("perm:(1,2),", "a generator is missing");
  expect_error("perm:(1,2)3", "expected \",\"");
  expect_error("perm:(1,2,3,4,5,6,7,8,9),(1,2)", "order is 362880");
  expect_error("PSL_2(6)", "power of a prime");
  expect_error("Heis_4", "prime");
  expect_error("M_12", "only M_11");
  expect_error("Heis_3:x", "\"Heis_3:x\" is not a known group");
  expect_error("A_0", "from 1 to 13");
  expect_error("cayley:none.nc", "none.nc");
}

static void test_file(void **state) {
  (void)state;
  char path[] = "/tmp/pl_gens_XXXXXX";
  int fd = mkstemp(path);
  dprintf(fd, "# two generators of S_4\n\n(1,2,3,4)\n2 1 3 4\n");
  char *spec = pl_asprintf("perm:%s", path);
  pl_group *g;
  assert_ok(pl_group_parse(spec, &g));
  assert_int_equal(pl_group_order(g), 24);
  pl_group_free(g);
  dprintf(fd, "2 1 4\n");
  expect_error(spec, ":5: point 3 is missing");
  assert_int_equal(ftruncate(fd, 0), 0);
  lseek(fd, 0, SEEK_SET);
  dprintf(fd, "[[0,1]]\n");
  expect_error(spec, ":1: a point is missing before \"[[0,1]]\"");
  assert_int_equal(ftruncate(fd, 0), 0);
  lseek(fd, 0, SEEK_SET);
  for (int point = 1; point <= PL_MAX_DEGREE; point++) dprintf(fd, "%d ", point);
  dprintf(fd, "7\n");
  expect_error(spec, ":1: point 7 stands twice");
  /* As other systems end lines and begin files. */
  static const char *const texts[] = {"\xef\xbb\xbf# S_4\r(1,2,3,4)\r2 1 3 4\r",
                                      "\xef\xbb\xbf(1,2,3,4)\r\n\r\n(1,2)", "(1,2,3,4)\r2 1 3 4"};
  for (int i = 0; i < 3; i++) {
    assert_int_equal(ftruncate(fd, 0), 0);
    lseek(fd, 0, SEEK_SET);
    dprintf(fd, "%s", texts[i]);
    assert_ok(pl_group_parse(spec, &g));
    assert_int_equal(pl_group_order(g), 24);
    pl_group_free(g);
  }
  assert_int_equal(ftruncate(fd, 0), 0);
  assert_int_equal(pwrite(fd, "(1,2)\n\0(1,2,3)\n", 16, 0), 16);
  expect_error(spec, "not a text file");
  assert_int_equal(ftruncate(fd, (off_t)1 << 40), 0);
  expect_error(spec, "too large for generators");
  expect_error("perm:/dev/zero", "/dev/zero: not a regular file");
  close(fd);
  unlink(path);
  pl_free(spec);
}

/* A table of n x n numbers as a file; the spec is returned. */
static char *table_file(const char *path, int64_t n, const int64_t *table) {
  pl_nc *nc;
  assert_ok(pl_nc_create(path, true, false, &nc));
  assert_ok(pl_nc_def_dim(nc, "g", n));
  assert_ok(pl_nc_def_dim(nc, "h", n));
  assert_ok(
      pl_nc_def_var(nc, "table", PL_NC_INT, (const char *const[]){"g", "h", NULL}, "gh", "1"));
  assert_ok(pl_nc_end_def(nc));
  assert_ok(pl_nc_put_ints(nc, "table", NULL, NULL, table));
  assert_ok(pl_nc_close(nc));
  return pl_asprintf("cayley:%s", path);
}

/* The table of D_5 with its elements renumbered, so that the identity is not 0. */
static void test_table(void **state) {
  (void)state;
  enum { N = 10 };
  pl_group *d, *g;
  int64_t table[N * N], name[N];
  assert_ok(pl_group_parse("D_5", &d));
  for (int a = 0; a < N; a++) name[a] = (3 * a + 4) % N;
  for (int a = 0; a < N; a++)
    for (int b = 0; b < N; b++) table[name[a] * N + name[b]] = name[pl_group_mul(d, a, b)];
  char *path = pl_asprintf("/tmp/pl_table_%d.nc", (int)getpid()),
       *spec = table_file(path, N, table);
  assert_ok(pl_group_parse(spec, &g));
  assert_int_equal(pl_group_num_classes(g), 4);
  /* Elements 0 and 4, the identity, have exchanged numbers; labels are the file's. */
  char label[16], product[16];
  for (int a = 0; a < N; a++)
    for (int b = 0; b < N; b++) {
      pl_group_element_label(g, a, label, sizeof label);
      int x = atoi(label);
      pl_group_element_label(g, b, label, sizeof label);
      pl_group_element_label(g, pl_group_mul(g, a, b), product, sizeof product);
      assert_int_equal(atoi(product), table[x * N + atoi(label)]);
    }
  pl_check check[PL_NUM_CHECKS];
  assert_ok(pl_group_check(g, check));
  pl_group_free(g);
  pl_group_free(d);
  pl_free(spec);

  for (int a = 0; a < N; a++)
    for (int b = 0; b < N; b++) table[a * N + b] = a;
  spec = table_file(path, N, table);
  expect_error(spec, "no identity: 0 comes nearest, but (0 9) = 0, (9 0) = 9");
  pl_free(spec);
  for (int a = 0; a < N; a++)
    for (int b = 0; b < N; b++) table[a * N + b] = a > b ? a : b;
  spec = table_file(path, N, table);
  expect_error(spec, "element 1 has no inverse");
  table[5] = N;
  pl_free(table_file(path, N, table));
  expect_error(spec, "table(0, 5) = 10");
  pl_free(spec);
  unlink(path);
  pl_free(path);
}

/* The message tells the truth about the table: a triple, an element without inverse, or the two
 * products that keep an element from being the identity. */
static void expect_refused(const char *path, int n, const int64_t *table) {
  char *spec = table_file(path, n, table);
  pl_group *none = NULL;
  assert_int_equal(pl_group_parse(spec, &none), PL_EINPUT);
  pl_free(spec);
  int x, s, y, l, x2, s2, y2, r;
  const char *triple = strstr(pl_error_message(), "not associative: "),
             *pair = strstr(pl_error_message(), "nearest, but ");
  if (triple) {
    assert_int_equal(sscanf(triple, "not associative: (%d %d) %d = %d, but %d (%d %d) = %d", &x, &s,
                            &y, &l, &x2, &s2, &y2, &r),
                     8);
    assert_true(x == x2 && s == s2 && y == y2 && l != r);
    assert_int_equal(table[table[x * n + s] * n + y], l);
    assert_int_equal(table[x * n + table[s * n + y]], r);
  } else if (pair) {
    assert_int_equal(
        sscanf(pair, "nearest, but (%d %d) = %d, (%d %d) = %d", &x, &y, &l, &y2, &x2, &r), 6);
    assert_true(x == x2 && y == y2 && (l != y || r != y));
    assert_true(table[x * n + y] == l && table[y * n + x] == r);
  } else {
    const char *at = strstr(pl_error_message(), "element ");
    assert_non_null(at);
    assert_int_equal(sscanf(at, "element %d has no inverse", &x), 1);
    for (y = 0; y < n; y++) assert_true(table[x * n + y] != 0 || table[y * n + x] != 0);
  }
}

/* Wrong entries, one or two; entries exchanged in a row, in a column, and so that rows and columns
 * stay permutations; loops that are no groups; semigroups with an identity. */
static void test_defects(void **state) {
  (void)state;
  enum { N = 24 };
  static const char *const specs[] = {"S_4", "D_12", "Q_8 x C_3", "C_2 x C_2 x C_6"};
  int64_t sound[N * N], table[N * N];
  char *path = pl_asprintf("/tmp/pl_defect_%d.nc", (int)getpid());
  uint64_t draw = 0;
  for (int k = 0; k < 400; k++) {
    pl_group *g;
    assert_ok(pl_group_parse(specs[k % 4], &g));
    for (int a = 0; a < N; a++)
      for (int b = 0; b < N; b++) sound[a * N + b] = pl_group_mul(g, a, b);
    pl_group_free(g);
    memcpy(table, sound, sizeof table);
    int64_t a = pl_rng_below(3, 2, draw++, N), b = pl_rng_below(3, 2, draw++, N),
            c = (a + 1 + pl_rng_below(3, 2, draw++, N - 1)) % N, keep;
    switch (k / 4 % 4) {
    case 0:
      table[a * N + b] = (table[a * N + b] + 1 + pl_rng_below(3, 2, draw++, N - 1)) % N;
      break;
    case 1:
      keep = table[a * N + b], table[a * N + b] = table[c * N + b], table[c * N + b] = keep;
      break;
    case 2:
      keep = table[b * N + a], table[b * N + a] = table[b * N + c], table[b * N + c] = keep;
      break;
    case 3: /* two rows exchange all their entries but the first: a Latin square no more */
      for (int i = 1; i < N; i++)
        keep = table[a * N + i], table[a * N + i] = table[c * N + i], table[c * N + i] = keep;
      break;
    }
    expect_refused(path, N, table);
  }
  /* A loop of order 5: identity and inverses, a Latin square, not associative. */
  static const int64_t loop[25] = {0, 1, 2, 3, 4, 1, 0, 3, 4, 2, 2, 4, 0,
                                   1, 3, 3, 2, 4, 0, 1, 4, 3, 1, 2, 0};
  expect_refused(path, 5, loop);
  assert_non_null(strstr(pl_error_message(), "not associative"));
  /* max: associative, with an identity, and more generators than any group has. */
  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++) table[i * N + j] = i > j ? i : j;
  expect_refused(path, N, table);
  assert_non_null(strstr(pl_error_message(), "no inverse"));
  unlink(path);
  pl_free(path);
}

static void expect_pass(const char *spec) {
  pl_group *g;
  pl_check check[PL_NUM_CHECKS];
  assert_ok(pl_group_parse(spec, &g));
  assert_ok(pl_group_check(g, check));
  pl_group_free(g);
}

/* Transform against the direct sum, and every other check. */
static void test_fast(void **state) {
  (void)state;
  static const char *const specs[] = {"A_1",
                                      "A_2",
                                      "A_3",
                                      "A_4",
                                      "A_5",
                                      "A_6",
                                      "B_1",
                                      "B_2",
                                      "B_3",
                                      "B_4",
                                      "A_4 x B_2",
                                      "PSL_2(7)",
                                      "SL_2(5)",
                                      "Heis_5",
                                      "Dic_10",
                                      "SL_2(3) x Q_8",
                                      "perm:(1,2,3,4,5),(1,2)"};
  for (size_t i = 0; i < sizeof specs / sizeof *specs; i++) {
    pl_group *g;
    assert_ok(pl_group_parse(specs[i], &g));
    int64_t n = pl_group_order(g), size = pl_fourier_size(g);
    double *f = pl_alloc((size_t)(2 * n + 2 * size), sizeof *f, "functions");
    double *F = f + 2 * n, *G = F + size;
    pl_fourier *plan;
    assert_ok(pl_fourier_new(g, NULL, &plan));
    pl_rng_normals(3, 1, 0, n, f);
    pl_fourier_forward(plan, 1, f, n, F, size);
    if (n <= 400) {
      pl_fourier_forward_direct(g, f, G);
      for (int64_t k = 0; k < size; k++) assert_close(F[k], G[k], 1e-11);
    }
    pl_fourier_inverse(plan, 1, F, size, f + n, n);
    for (int64_t k = 0; k < n; k++) assert_close(f[n + k], f[k], 1e-11);
    pl_fourier_free(plan);
    pl_free(f);
    pl_group_free(g);
    if (n <= 400) expect_pass(specs[i]);
  }
}

/* Labels lead back to their irreps, conjugates included. */
static void test_labels(void **state) {
  (void)state;
  static const char *const specs[] = {"A_5", "A_3 x SL_2(3)", "B_4", "PSL_2(7)"};
  char label[128];
  for (size_t s = 0; s < sizeof specs / sizeof *specs; s++) {
    pl_group *g;
    assert_ok(pl_group_parse(specs[s], &g));
    for (int64_t i = 0; i < pl_group_num_irreps(g); i++) {
      pl_group_irrep_label(g, i, label, sizeof label);
      assert_int_equal(pl_group_irrep_by_label(g, label), i);
    }
    assert_int_equal(pl_group_irrep_by_label(g, "none"), -1);
    pl_group_free(g);
  }
  pl_group *g;
  assert_ok(pl_group_parse("PSL_2(7)", &g));
  assert_int_equal(pl_group_irrep_by_label(g, "3a*"), pl_group_irrep_by_label(g, "3a"));
  assert_int_equal(pl_group_irrep_by_label(g, "6a*"), -1);
  pl_group_free(g);
}

int main(int argc, char **argv) {
  setenv("PLANCHEREL_CACHE", "", 1);
  static const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_orders), cmocka_unit_test(test_elements),
      cmocka_unit_test(test_specs),  cmocka_unit_test(test_file),
      cmocka_unit_test(test_table),  cmocka_unit_test(test_defects),
      cmocka_unit_test(test_fast),   cmocka_unit_test(test_labels),
  };
  return pl_test_run(argc, argv, __FILE__, tests, sizeof tests / sizeof *tests);
}
