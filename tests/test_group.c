/* ranks: 1 */
#include "pl_test.h"

#include "base/rng.h"
#include "group/check.h"
#include "group/family.h"
#include "group/group.h"

#include <complex.h>

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

static pl_group *parse(const char *spec) {
  pl_group *g = NULL;
  assert_ok(pl_group_parse(spec, &g));
  return g;
}

static uint64_t draws;
static int64_t below(int64_t n) {
  return pl_rng_below(11, PL_STREAM(PL_STREAM_MISC, 0), draws++, n);
}

/* Matrix of irrep i as complex numbers, whatever its type. */
static void matrix(const pl_group *g, int64_t i, int64_t a, double complex *out) {
  pl_irrep r = pl_group_irrep(g, i);
  int n = r.dim * r.dim;
  double *m = (double *)out;
  pl_group_irrep_matrix(g, i, a, m);
  if (r.type == PL_REAL)
    for (int k = n - 1; k >= 0; k--) out[k] = m[k];
}

/* rho_i(a) for all irreps and elements: [a][first[i] + entry]; *width entries per element. */
static double complex *all_matrices(const pl_group *g, int64_t *first, int64_t *width) {
  int64_t w = 0, n = pl_group_order(g), irreps = pl_group_num_irreps(g);
  for (int64_t i = 0; i < irreps; i++) {
    pl_irrep r = pl_group_irrep(g, i);
    first[i] = w;
    w += r.dim * r.dim;
  }
  double complex *all = pl_alloc((size_t)(n * w), sizeof *all, "all");
  for (int64_t a = 0; a < n; a++)
    for (int64_t i = 0; i < irreps; i++) matrix(g, i, a, all + a * w + first[i]);
  *width = w;
  return all;
}

static double complex trace(const double complex *m, int d) {
  double complex t = 0;
  for (int i = 0; i < d; i++) t += m[i * d + i];
  return t;
}

/* max |x y - z| */
static double product_error(int d, const double complex *x, const double complex *y,
                            const double complex *z) {
  double worst = 0;
  for (int i = 0; i < d; i++)
    for (int j = 0; j < d; j++) {
      double complex s = -z[i * d + j];
      for (int k = 0; k < d; k++) s += x[i * d + k] * y[k * d + j];
      worst = fmax(worst, cabs(s));
    }
  return worst;
}

static void axioms(const pl_group *g, int64_t a, int64_t b, int64_t c) {
  int64_t n = pl_group_order(g);
  assert_int_equal(pl_group_mul(g, pl_group_mul(g, a, b), c),
                   pl_group_mul(g, a, pl_group_mul(g, b, c)));
  assert_in_range(pl_group_mul(g, a, b), 0, n - 1);
  assert_int_equal(pl_group_mul(g, 0, a), a);
  assert_int_equal(pl_group_mul(g, a, 0), a);
  assert_int_equal(pl_group_mul(g, a, pl_group_inv(g, a)), 0);
  assert_int_equal(pl_group_mul(g, pl_group_inv(g, a), a), 0);
}

static void elements_form_a_group(void **state) {
  (void)state;
  for (int s = 0; s < NUM_SMALL; s++) {
    pl_group *g = parse(small[s]);
    int64_t n = pl_group_order(g);
    if (n <= 32)
      for (int64_t a = 0; a < n; a++)
        for (int64_t b = 0; b < n; b++)
          for (int64_t c = 0; c < n; c++) axioms(g, a, b, c);
    else
      for (int k = 0; k < 2000; k++) axioms(g, below(n), below(n), below(n));
    pl_group_free(g);
  }
  static const char *const large[] = {"C_1000000", "D_100000", "S_13", "C_1000 x C_1000",
                                      "S_9 x Q_8 x C_17 x D_12"};
  for (size_t s = 0; s < sizeof large / sizeof *large; s++) {
    pl_group *g = parse(large[s]);
    int64_t n = pl_group_order(g);
    for (int k = 0; k < 500; k++) axioms(g, below(n), below(n), below(n));
    pl_group_free(g);
  }
}

static void generators_generate(void **state) {
  (void)state;
  for (int s = 0; s < NUM_SMALL; s++) {
    pl_group *g = parse(small[s]);
    int64_t n = pl_group_order(g), gens[16], count = 1;
    int k = pl_group_generators(g, gens, 16);
    assert_int_equal(pl_group_generators(g, NULL, 0), k);
    int64_t *reached = pl_alloc((size_t)n, sizeof *reached, "reached");
    char *seen = pl_zalloc((size_t)n, 1, "seen");
    reached[0] = 0, seen[0] = 1;
    for (int64_t i = 0; i < count; i++)
      for (int j = 0; j < k; j++) {
        int64_t b = pl_group_mul(g, reached[i], gens[j]);
        if (!seen[b]) seen[b] = 1, reached[count++] = b;
      }
    assert_int_equal(count, n);
    pl_free(reached);
    pl_free(seen);
    pl_group_free(g);
  }
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

static int64_t count_classes(const pl_group *g) {
  int64_t n = pl_group_order(g), count = 0;
  char *seen = pl_zalloc((size_t)n, 1, "seen");
  for (int64_t a = 0; a < n; a++) {
    if (seen[a]) continue;
    count++;
    for (int64_t b = 0; b < n; b++)
      seen[pl_group_mul(g, pl_group_mul(g, b, a), pl_group_inv(g, b))] = 1;
  }
  pl_free(seen);
  return count;
}

static void counts_agree(void **state) {
  (void)state;
  for (int s = 0; s < NUM_SMALL; s++) {
    pl_group *g = parse(small[s]);
    int64_t irreps = pl_group_num_irreps(g), squares = 0, members = 0;
    int64_t by_type[3] = {0}, squares_by_type[3] = {0}, count[3], sums[3];
    for (int64_t i = 0; i < irreps; i++) {
      pl_irrep r = pl_group_irrep(g, i);
      assert_int_equal(r.mult, r.type == PL_COMPLEX ? 2 : 1);
      squares += (int64_t)r.mult * r.dim * r.dim;
      members += r.mult;
      by_type[r.type]++;
      squares_by_type[r.type] += (int64_t)r.dim * r.dim;
    }
    pl_group_irrep_sums(g, count, sums);
    assert_memory_equal(count, by_type, sizeof count);
    assert_memory_equal(sums, squares_by_type, sizeof sums);
    assert_int_equal(squares, pl_group_order(g));
    assert_int_equal(members, pl_group_num_classes(g));
    assert_int_equal(members, count_classes(g));
    pl_group_free(g);
  }
}

static void irreps_are_unitary_homomorphisms(void **state) {
  (void)state;
  for (int s = 0; s < NUM_SMALL; s++) {
    pl_group *g = parse(small[s]);
    int64_t n = pl_group_order(g), irreps = pl_group_num_irreps(g), width;
    int64_t *first = pl_alloc((size_t)irreps, sizeof *first, "first");
    double complex *all = all_matrices(g, first, &width), adjoint[256], one[256];
    double worst = 0;
    for (int64_t i = 0; i < irreps; i++) {
      int d = pl_group_irrep(g, i).dim;
      assert_true(d * d <= 256);
      for (int k = 0; k < d * d; k++) one[k] = k % (d + 1) == 0;
      for (int64_t a = 0; a < n; a++) {
        const double complex *x = all + a * width + first[i];
        for (int k = 0; k < d * d; k++) adjoint[k] = conj(x[k % d * d + k / d]);
        worst = fmax(worst, product_error(d, x, adjoint, one));
      }
      int64_t pairs = n <= 64 ? n * n : 4000;
      for (int64_t k = 0; k < pairs; k++) {
        int64_t a = n <= 64 ? k / n : below(n), b = n <= 64 ? k % n : below(n);
        worst = fmax(worst, product_error(d, all + a * width + first[i], all + b * width + first[i],
                                          all + pl_group_mul(g, a, b) * width + first[i]));
      }
    }
    assert_close(worst, 0, 1e-13);
    pl_free(first);
    pl_free(all);
    pl_group_free(g);
  }
}

/* Schur: (1/|G|) sum conj(rho_ij) sigma_kl = delta / d, over entries of all stored irreps. */
static void matrix_entries_are_orthogonal(void **state) {
  (void)state;
  for (int s = 0; s < NUM_SMALL; s++) {
    pl_group *g = parse(small[s]);
    int64_t n = pl_group_order(g), irreps = pl_group_num_irreps(g), width;
    int64_t *first = pl_alloc((size_t)irreps, sizeof *first, "first");
    double complex *all = all_matrices(g, first, &width);
    double complex *gram = pl_zalloc((size_t)(width * width), sizeof *gram, "gram");
    double *norm = pl_alloc((size_t)width, sizeof *norm, "norm");
    for (int64_t i = 0; i < irreps; i++) {
      int d = pl_group_irrep(g, i).dim;
      for (int k = 0; k < d * d; k++) norm[first[i] + k] = 1.0 / d;
    }
    const double complex scale = 1.0 / (double)n, zero = 0;
    cblas_zgemm(CblasRowMajor, CblasConjTrans, CblasNoTrans, (int)width, (int)width, (int)n, &scale,
                all, (int)width, all, (int)width, &zero, gram, (int)width);
    double worst = 0;
    for (int64_t x = 0; x < width; x++)
      for (int64_t y = 0; y < width; y++)
        worst = fmax(worst, cabs(gram[x * width + y] - (x == y ? norm[x] : 0)));
    assert_close(worst, 0, 1e-13);
    pl_free(first);
    pl_free(all);
    pl_free(gram);
    pl_free(norm);
    pl_group_free(g);
  }
}

/* (1/|G|) sum chi(g^2) is 1, 0 or -1, and quaternionic matrices have the form that the header
 * states. */
static void types_are_those_of_frobenius_and_schur(void **state) {
  (void)state;
  int seen[3] = {0};
  for (int s = 0; s < NUM_SMALL; s++) {
    pl_group *g = parse(small[s]);
    int64_t n = pl_group_order(g);
    for (int64_t i = 0; i < pl_group_num_irreps(g); i++) {
      pl_irrep r = pl_group_irrep(g, i);
      double complex m[256], indicator = 0;
      int d = r.dim;
      for (int64_t a = 0; a < n; a++) {
        matrix(g, i, pl_group_mul(g, a, a), m);
        indicator += trace(m, d) / (double)n;
        if (r.type != PL_QUATERNIONIC) continue;
        for (int y = 0; y < d; y += 2)
          for (int x = 0; x < d; x += 2) {
            assert_true(m[y * d + x + 1] == -conj(m[(y + 1) * d + x]));
            assert_true(m[(y + 1) * d + x + 1] == conj(m[y * d + x]));
          }
      }
      static const int expected[] = {1, 0, -1};
      assert_close(creal(indicator), expected[r.type], 1e-12);
      assert_close(cimag(indicator), 0, 1e-12);
      seen[r.type]++;
    }
    pl_group_free(g);
  }
  assert_true(seen[PL_REAL] && seen[PL_COMPLEX] && seen[PL_QUATERNIONIC]);
}

static double complex character(const pl_group *g, const char *label, int64_t a) {
  int64_t i = pl_group_irrep_by_label(g, label);
  assert_true(i >= 0);
  double complex m[256];
  matrix(g, i, a, m);
  return trace(m, pl_group_irrep(g, i).dim);
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
      double complex chi = character(g, rows[i].label, a);
      assert_close(creal(chi), rows[i].value[a], 1e-14);
      assert_close(cimag(chi), 0, 1e-14);
    }
    pl_group_free(g);
  }
  pl_group *g = parse("C_5");
  for (int a = 0; a < 5; a++) {
    double complex w = cexp(-2 * M_PI * I * 2 * a / 5);
    assert_close(cabs(character(g, "2", a) - w), 0, 1e-14);
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
                           character(q, (char[]){w, 0}, a / 4 % 8) *
                           cexp(-2 * M_PI * I * v * (double)(a % 4) / 4);
      assert_close(cabs(character(g, label, a) - chi), 0, 1e-13);
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

static void trivial_irrep_comes_first(void **state) {
  (void)state;
  for (int s = 0; s < NUM_SMALL; s++) {
    pl_group *g = parse(small[s]);
    pl_irrep r = pl_group_irrep(g, 0);
    assert_int_equal(r.dim, 1);
    assert_int_equal(r.type, PL_REAL);
    for (int64_t a = 0; a < pl_group_order(g); a++) {
      double one;
      pl_group_irrep_matrix(g, 0, a, &one);
      assert_true(one == 1);
    }
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
      {"S_14", "\"S_14\" is out of range: n must be from 1 to 13"},
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
    assert_non_null(strstr(pl_error_message(), pl_group_forms()));
  }
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
    cmocka_unit_test(checks_pass_and_fail),
};
PL_TEST_MAIN(tests)
