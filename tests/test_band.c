/* ranks: 1 */
#include "pl_test.h"

#include "base/rng.h"
#include "group/band.h"
#include "group/group.h"
#include "group/perm.h"
#include "group/young.h"

enum { MAX_N = 52 };

/* Random permutation number i. */
static void draw(int n, uint64_t i, int8_t *s) {
  for (int k = 0; k < n; k++) s[k] = (int8_t)k;
  for (int k = n - 1; k > 0; k--) {
    int64_t j = pl_rng_below(5, PL_STREAM(PL_STREAM_MISC, i), (uint64_t)k, k + 1);
    int8_t t = s[k];
    s[k] = s[j];
    s[j] = t;
  }
}

static double *matrix(const pl_band *b, int irrep, const int8_t *s) {
  size_t d = (size_t)pl_band_dim(b, irrep);
  double *out = pl_zalloc(d * d, sizeof *out, "matrix"), one = 1;
  pl_band_add(b, irrep, 1, s, &one, 0, NULL, out);
  return out;
}

/* ||A B - C|| over ||C||, b transposed if asked for. */
static double product_error(int d, const double *a, const double *b, bool transposed,
                            const double *c) {
  size_t n = (size_t)d * (size_t)d;
  double *x = pl_alloc(n, sizeof *x, "product"), error = 0, norm = 0;
  memcpy(x, c, n * sizeof *x);
  cblas_dgemm(CblasRowMajor, CblasNoTrans, transposed ? CblasTrans : CblasNoTrans, d, d, d, 1, a, d,
              b, d, -1, x, d);
  for (size_t k = 0; k < n; k++) error += x[k] * x[k], norm += c[k] * c[k];
  pl_free(x);
  return sqrt(error / norm);
}

static void matrices_are_those_of_the_group(void **state) {
  (void)state;
  for (int n = 2; n <= 7; n++) {
    char spec[8];
    pl_group *g;
    snprintf(spec, sizeof spec, "S_%d", n);
    assert_ok(pl_group_parse(spec, &g));
    for (int k = 1; k < n; k++) {
      pl_band *b = pl_band_new(n, k);
      if (k == n - 1) assert_int_equal(pl_band_num_irreps(b), pl_group_num_irreps(g));
      for (int trial = 0; trial < (n < 6 ? 30 : 6); trial++) {
        int8_t s[MAX_N];
        draw(n, (uint64_t)(100 * n + trial), s);
        for (int i = 0; i < pl_band_num_irreps(b); i++) {
          int d = pl_band_dim(b, i);
          assert_int_equal(d, pl_group_irrep(g, i).dim);
          double *mine = matrix(b, i, s);
          double *full = pl_alloc((size_t)(d * d), sizeof *full, "matrix");
          pl_group_irrep_matrix(g, i, pl_perm_rank(n, s), full);
          for (int e = 0; e < d * d; e++) assert_close(mine[e], full[e], 1e-13);
          pl_free(mine);
          pl_free(full);
        }
      }
      pl_band_free(b);
    }
    pl_group_free(g);
  }
}

static void sums_and_columns_are_parts_of_one_sum(void **state) {
  (void)state;
  enum { N = 12, COUNT = 3 };
  pl_band *b = pl_band_new(N, 3);
  int8_t perms[COUNT * N];
  const double weights[COUNT] = {0.5, -2, 3};
  for (int p = 0; p < COUNT; p++) draw(N, (uint64_t)p, perms + p * N);
  for (int i = 0; i < pl_band_num_irreps(b); i++) {
    int d = pl_band_dim(b, i), n = 0;
    int *cols = pl_alloc((size_t)d, sizeof *cols, "columns");
    for (int c = i % 2; c < d; c += 1 + c % 3) cols[n++] = c;
    double *part = pl_zalloc((size_t)(d * n), sizeof *part, "some columns");
    double *F = pl_zalloc((size_t)(d * d), sizeof *F, "all columns");
    pl_band_add(b, i, COUNT, perms, weights, n, cols, part);
    pl_band_add(b, i, COUNT, perms, weights, 0, NULL, F);
    double *want = pl_zalloc((size_t)(d * d), sizeof *want, "sum"), dots[COUNT] = {0};
    pl_band_dot(b, i, COUNT, perms, n, cols, part, dots);
    for (int p = 0; p < COUNT; p++) {
      double *m = matrix(b, i, perms + p * N), dot = 0;
      for (int r = 0; r < d; r++)
        for (int c = 0; c < n; c++) dot += part[r * n + c] * m[r * d + cols[c]];
      assert_close(dots[p] / (1 + fabs(dot)), dot / (1 + fabs(dot)), 1e-13);
      for (int e = 0; e < d * d; e++) want[e] += weights[p] * m[e];
      pl_free(m);
    }
    for (int r = 0; r < d; r++) {
      for (int c = 0; c < d; c++) assert_close(F[r * d + c], want[r * d + c], 1e-13);
      for (int c = 0; c < n; c++) assert_close(part[r * n + c], want[r * d + cols[c]], 1e-13);
    }
    pl_free(cols);
    pl_free(part);
    pl_free(F);
    pl_free(want);
  }
  pl_band_free(b);
}

static void matrices_are_an_orthogonal_homomorphism(void **state) {
  (void)state;
  const int cases[][2] = {{20, 2}, {30, 1}, {52, 1}, {14, 3}};
  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
    int n = cases[k][0];
    int8_t s[MAX_N], t[MAX_N], st[MAX_N];
    pl_band *b = pl_band_new(n, cases[k][1]);
    draw(n, 1, s);
    draw(n, 2, t);
    pl_perm_compose(n, s, t, st);
    for (int i = 0; i < pl_band_num_irreps(b); i++) {
      int d = pl_band_dim(b, i);
      double *S = matrix(b, i, s), *T = matrix(b, i, t), *ST = matrix(b, i, st);
      double *one = pl_zalloc((size_t)d * (size_t)d, sizeof *one, "identity");
      for (int r = 0; r < d; r++) one[(size_t)r * (size_t)(d + 1)] = 1;
      assert_close(product_error(d, S, T, false, ST), 0, 1e-13);
      assert_close(product_error(d, S, S, true, one), 0, 1e-13);
      double *matrices[] = {S, T, ST, one};
      for (int m = 0; m < 4; m++) pl_free(matrices[m]);
    }
    pl_band_free(b);
  }
}

/* Character by the Murnaghan-Nakayama rule on beta numbers (a set of nonnegative integers, as
 * bits): a rim hook of length q is a bead moved down by q; its sign counts the beads jumped. */
static int64_t character(uint64_t beads, const int *cycle) {
  if (*cycle == 0) return 1;
  int64_t sum = 0;
  for (int b = *cycle; b < 64; b++) {
    uint64_t from = UINT64_C(1) << b, to = UINT64_C(1) << (b - *cycle);
    if (!(beads & from) || (beads & to)) continue;
    int jumped = __builtin_popcountll(beads & (from - 1) & ~(2 * to - 1));
    int64_t rest = character((beads ^ from) | to, cycle + 1);
    sum += jumped % 2 ? -rest : rest;
  }
  return sum;
}

static void characters_obey_murnaghan_nakayama(void **state) {
  (void)state;
  /* n, k, then a cycle type, longest first */
  const int cases[][12] = {{20, 2, 20},
                           {20, 2, 7, 7, 2, 2, 1, 1},
                           {20, 2, 5, 4, 4, 3, 3, 1},
                           {24, 2, 9, 9, 3, 2, 1},
                           {52, 1, 13, 13, 13, 13},
                           {52, 1, 30, 20, 1, 1},
                           {52, 2, 26, 20, 2, 2, 1, 1},
                           {15, 3, 4, 4, 3, 2, 1, 1}};
  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
    int n = cases[k][0], count, at = 0;
    const int *cycle = cases[k] + 2;
    int8_t g[MAX_N], s[MAX_N];
    draw(n, 10 + k, g);
    for (int c = 0; cycle[c]; at += cycle[c++])
      for (int e = 0; e < cycle[c]; e++) s[g[at + e]] = g[at + (e + 1) % cycle[c]];
    assert_int_equal(at, n);
    pl_partition *p = pl_partitions_within(n, cases[k][1], &count);
    pl_band *b = pl_band_new(n, cases[k][1]);
    assert_int_equal(count, pl_band_num_irreps(b));
    for (int i = 0; i < count; i++) {
      int d = pl_band_dim(b, i);
      uint64_t beads = 0;
      for (int r = 0; r < p[i].rows; r++)
        beads |= UINT64_C(1) << (p[i].part[r] + p[i].rows - 1 - r);
      double *m = matrix(b, i, s), trace = 0;
      for (int r = 0; r < d; r++) trace += m[(size_t)r * (size_t)(d + 1)];
      assert_close(trace, (double)character(beads, cycle), 1e-10);
      pl_free(m);
    }
    pl_band_free(b);
    pl_free(p);
  }
}

static void dimensions_at_50(void **state) {
  (void)state;
  const char *const labels[] = {"50", "49,1", "48,2", "48,1,1", "47,3", "47,2,1", "47,1,1,1"};
  const int dims[] = {1, 49, 1175, 1176, 18375, 36800, 18424};
  int count;
  pl_partition *p = pl_partitions_within(50, 3, &count);
  assert_int_equal(count, 7);
  for (int i = 0; i < count; i++) {
    char label[16];
    pl_partition_label(&p[i], label, sizeof label);
    assert_string_equal(label, labels[i]);
    assert_int_equal(pl_partition_dim(&p[i]), dims[i]);
  }
  pl_free(p);
  pl_band *b = pl_band_new(50, 2);
  assert_int_equal(pl_band_num_irreps(b), 4);
  for (int i = 0; i < 4; i++) assert_int_equal(pl_band_dim(b, i), dims[i]);
  pl_band_free(b);
}

static void a_band_is_a_group_with_fewer_irreps(void **state) {
  (void)state;
  pl_group *g, *own;
  int64_t count[3], squares[3];
  char label[32];
  assert_ok(pl_group_band(" S_52 ", 2, true, &g));
  assert_ok(pl_group_band("S_52", 2, false, &own));
  assert_string_equal(pl_group_spec(g), "S_52");
  assert_int_equal(pl_group_codepth(g), 2);
  assert_int_equal(pl_group_letters(g), 52);
  assert_int_equal(pl_group_symmetric(g), 0);
  assert_int_equal(pl_group_num_irreps(g), 4);
  pl_group_irrep_sums(g, count, squares);
  assert_int_equal(squares[PL_REAL], 1 + 51 * 51 + 1274 * 1274 + 1275 * 1275);
  assert_true(pl_group_volume(own) == (double)squares[PL_REAL]);
  double log_order = 0;
  for (int k = 2; k <= 52; k++) log_order += log(k);
  assert_close(pl_group_log_order(g), log_order, 1e-14);
  assert_close(log(pl_group_volume(g)), log_order, 1e-13);
  for (int64_t i = 0; i < 4; i++) {
    pl_group_irrep_label(g, i, label, sizeof label);
    assert_int_equal(pl_group_irrep_by_label(g, label), i);
  }
  assert_string_equal(label, "50,1,1");
  assert_int_equal(pl_group_irrep_by_label(g, "49,3"), -1);
  pl_group_free(g);
  pl_group_free(own);
  assert_ok(pl_group_band("S_20", 3, true, &g));
  assert_int_equal(pl_group_order(g), pl_factorial(20));
  assert_true(pl_group_volume(g) == (double)pl_factorial(20));
  pl_group_free(g);
  assert_ok(pl_group_parse("S_5", &g));
  assert_int_equal(pl_group_codepth(g), 0);
  assert_int_equal(pl_group_letters(g), 5);
  assert_true(pl_group_volume(g) == 120);
  pl_group_free(g);
}

static void wrong_bands_are_refused(void **state) {
  (void)state;
  const struct {
    const char *spec;
    int codepth;
  } wrong[] = {{"C_5", 1},  {"S_5 x S_5", 1}, {"S_5", 5},  {"S_5", 0},  {"S_1", 1}, {"S_53", 1},
               {"S_21", 3}, {"S_14", 4},      {"S_0", 1},  {"S_-3", 1}, {"S_", 1},  {"", 1},
               {"S_5x", 1}, {"S_9999", 1},    {"A_10", 2}, {"S_52", 3}};
  for (size_t k = 0; k < sizeof wrong / sizeof *wrong; k++) {
    pl_group *g = NULL;
    assert_int_equal(pl_group_band(wrong[k].spec, wrong[k].codepth, false, &g), PL_EINPUT);
    assert_null(g);
  }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_band_is_a_group_with_fewer_irreps),
    cmocka_unit_test(wrong_bands_are_refused),
    cmocka_unit_test(matrices_are_those_of_the_group),
    cmocka_unit_test(sums_and_columns_are_parts_of_one_sum),
    cmocka_unit_test(matrices_are_an_orthogonal_homomorphism),
    cmocka_unit_test(characters_obey_murnaghan_nakayama),
    cmocka_unit_test(dimensions_at_50),
};
PL_TEST_MAIN(tests)
