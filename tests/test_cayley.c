/* ranks: 1 */
/* Cayley graphs: their operators are convolutions, and their spectra those of the irreps. */
#include "pl_test.h"

#include "base/blas.h"
#include "base/rng.h"
#include "graph/cayley.h"
#include "group/fourier.h"

static const struct {
  const char *group, *generators;
  double self;
} cases[] = {
    {"S_3", "transpositions", 0},
    {"S_4", "transpositions", 1},
    {"S_4", "adjacent", 1},
    {"S_4", "star", 0.5},
    {"S_4", "(1,2),(1,2,3)", 2},
    {"S_5", "cycle+transposition", 0},
    {"S_5", "transpositions", 1},
    {"S_5", "adjacent", 0},
    {"A_4", "(1,2,3)", 1},
    {"D_5", "standard", 1},
    {"D_6", "r; s r^2", 0},
    {"C_12", "standard", 0},
    {"C_9", "1; 3", 1},
    {"Q_8", "standard", 1},
    {"Q_8", "i", 0.25},
    {"C_3 x Q_8", "standard", 1},
    {"(C_3 x C_3) : C_4", "(1,0) 0; (0,0) 1", 1},
    {"perm:(1,2,3,4,5),(2,5)(3,4)", "(1,2,3,4,5),(2,5)(3,4)", 1},
};
enum { CASES = sizeof cases / sizeof *cases };

static pl_cayley *make(const char *spec, const char *generators) {
  pl_group *g = NULL;
  pl_cayley *c = NULL;
  assert_ok(pl_group_parse(spec, &g));
  assert_ok(pl_cayley_new(g, generators, &c));
  return c;
}

static void discard(pl_cayley *c) {
  pl_group_free((pl_group *)c->group);
  pl_cayley_free(c);
}

static pl_csr *operator_of(const pl_cayley *c, pl_operator kind, double self) {
  pl_csr *a = NULL, *s = NULL;
  assert_ok(pl_cayley_graph(c, &a));
  assert_ok(pl_graph_operator(a, kind, self, &s));
  pl_csr_free(a);
  return s;
}

static int compare(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Every eigenvalue of M_rho m d times: the eigenvalues of the whole operator, by LAPACK. */
static void spectra_by_irreps_are_spectra_of_the_operator(void **state) {
  (void)state;
  for (int t = 0; t < CASES; t++) {
    pl_cayley *c = make(cases[t].group, cases[t].generators);
    int n = (int)pl_group_order(c->group), at = 0, info, lwork = -1, liwork = 3 + 5 * n;
    for (pl_operator kind = 0; kind < PL_NUM_OPERATORS; kind++) {
      pl_csr *s = operator_of(c, kind, cases[t].self);
      double *dense = pl_alloc((size_t)(n * n), sizeof *dense, "S"), best;
      double *want = pl_alloc((size_t)n, sizeof *want, "eigenvalues");
      double *found = pl_alloc((size_t)n, sizeof *found, "eigenvalues");
      int *iwork = pl_alloc((size_t)liwork, sizeof *iwork, "iwork");
      pl_csr_dense(s, dense);
      lwork = -1;
      dsyevd_("N", "L", &n, dense, &n, want, &best, &lwork, iwork, &liwork, &info, 1, 1);
      lwork = (int)best;
      double *work = pl_alloc((size_t)lwork, sizeof *work, "work");
      dsyevd_("N", "L", &n, dense, &n, want, work, &lwork, iwork, &liwork, &info, 1, 1);
      assert_int_equal(info, 0);
      at = 0;
      for (int64_t i = 0; i < pl_group_num_irreps(c->group); i++) {
        pl_irrep r = pl_group_irrep(c->group, i);
        double value[64];
        assert_ok(pl_cayley_eigenvalues(c, kind, cases[t].self, i, value));
        for (int k = 0; k < r.dim; k++)
          for (int copy = 0; copy < r.mult * r.dim; copy++) found[at++] = value[k];
      }
      assert_int_equal(at, n);
      qsort(found, (size_t)n, sizeof *found, compare);
      for (int k = 0; k < n; k++) assert_close(found[k], want[k], 1e-12);
      void *all[] = {dense, want, found, iwork, work};
      for (int k = 0; k < 5; k++) pl_free(all[k]);
      pl_csr_free(s);
    }
    discard(c);
  }
}

/* S f = f * mu, so F(Sf) = F(f) M_rho; and S commutes with left translations. */
static void the_operator_is_convolution_by_the_generating_measure(void **state) {
  (void)state;
  for (int t = 0; t < CASES; t++) {
    pl_cayley *c = make(cases[t].group, cases[t].generators);
    const pl_group *g = c->group;
    int64_t n = pl_group_order(g);
    double *f = pl_alloc((size_t)n, sizeof *f, "f"), *sf = pl_alloc((size_t)n, sizeof *f, "Sf");
    double *mu = pl_zalloc((size_t)n, sizeof *mu, "mu"), *sum = pl_zalloc((size_t)n, sizeof *f, "");
    pl_csr *s = operator_of(c, PL_OPERATOR_SYM, cases[t].self);
    pl_rng_normals(3, (uint64_t)t, 0, n, f);
    pl_csr_times(s, 1, 1, f, 1, 0, NULL, 0, sf, 1);
    mu[0] = cases[t].self / ((double)c->num + cases[t].self);
    for (int64_t k = 0; k < c->num; k++) mu[c->element[k]] = 1 / ((double)c->num + cases[t].self);
    for (int64_t a = 0; a < n; a++)
      for (int64_t b = 0; b < n; b++) sum[pl_group_mul(g, a, b)] += f[a] * mu[b];
    for (int64_t a = 0; a < n; a++) assert_close(sf[a], sum[a], 1e-13);

    int64_t size = pl_fourier_size(g), at = 0;
    double *F = pl_alloc((size_t)size, sizeof *F, "F"), *M = pl_alloc((size_t)size, sizeof *M, "M");
    pl_fourier_forward_direct(g, mu, F);
    for (int64_t i = 0; i < pl_group_num_irreps(g); at += pl_irrep_size(pl_group_irrep(g, i++)))
      pl_cayley_matrix(c, PL_OPERATOR_SYM, cases[t].self, i, M + at);
    for (int64_t k = 0; k < size; k++) assert_close(M[k], F[k], 1e-13);
    void *all[] = {f, sf, mu, sum, F, M};
    for (int k = 0; k < 6; k++) pl_free(all[k]);
    pl_csr_free(s);
    discard(c);
  }
}

static void right_multiplication_joins_nodes(void **state) {
  (void)state;
  /* Not abelian, generators no class: left and right neighbours differ. */
  pl_cayley *c = make("S_4", "(1,2),(1,2,3)");
  pl_csr *a = NULL;
  assert_int_equal(c->num, 3);
  assert_ok(pl_cayley_graph(c, &a));
  for (int64_t g = 0; g < a->rows; g++)
    for (int64_t k = 0; k < c->num; k++) {
      int64_t h = pl_group_mul(c->group, g, c->element[k]), hits = 0;
      for (int64_t e = a->start[g]; e < a->start[g + 1]; e++) hits += a->index[e] == h;
      assert_int_equal(hits, 1);
    }
  pl_csr_free(a);
  discard(c);
}

/* M_rho of all transpositions is (content + c) / (C(n,2) + c) times the identity, exactly. */
static void contents_are_the_spectrum_of_transpositions(void **state) {
  (void)state;
  for (int n = 2; n <= 6; n++)
    for (int self = 0; self < 2; self++) {
      char spec[8];
      snprintf(spec, sizeof spec, "S_%d", n);
      pl_cayley *c = make(spec, "transpositions");
      assert_int_equal(c->num, n * (n - 1) / 2);
      assert_true(pl_cayley_central(c));
      for (int64_t i = 0; i < pl_group_num_irreps(c->group); i++) {
        int d = pl_group_irrep(c->group, i).dim;
        double m[256], e = pl_cayley_content_eigenvalue(c->group, PL_OPERATOR_SYM, self, i);
        double unscaled = pl_cayley_content_eigenvalue(c->group, PL_OPERATOR_NONE, self, i);
        assert_true(d * d <= 256);
        pl_cayley_matrix(c, PL_OPERATOR_SYM, self, i, m);
        for (int k = 0; k < d * d; k++) assert_close(m[k], k % (d + 1) ? 0 : e, 1e-13);
        assert_true(unscaled == (double)(pl_cayley_content(c->group, i) + self));
      }
      discard(c);
    }
}

/* Share of d^2 / n! on irreps of one content, as the papers' figures need them. */
static void dead_irreps_have_the_shares_of_the_content_law(void **state) {
  (void)state;
  static const struct {
    int n, content;
    double share;
  } law[] = {{3, 0, .667}, {4, 0, .167}, {5, 0, .300}, {6, 0, .356}, {7, 0, .079},   {8, 0, .245},
             {3, -1, 0},   {4, -1, 0},   {5, -1, 0},   {6, -1, 0},   {7, -1, .0875}, {8, -1, 0}};
  for (size_t t = 0; t < sizeof law / sizeof *law; t++) {
    char spec[8];
    double squares = 0;
    pl_group *g = NULL;
    snprintf(spec, sizeof spec, "S_%d", law[t].n);
    assert_ok(pl_group_parse(spec, &g));
    for (int64_t i = 0; i < pl_group_num_irreps(g); i++) {
      double d = pl_group_irrep(g, i).dim;
      if (pl_cayley_content(g, i) == law[t].content) squares += d * d;
    }
    assert_true(fabs(squares / (double)pl_group_order(g) - law[t].share) < 6e-4);
    pl_group_free(g);
  }
}

static void contents_serve_bands_too(void **state) {
  (void)state;
  pl_group *g = NULL;
  assert_ok(pl_group_band("S_40", 1, true, &g));
  assert_int_equal(pl_cayley_content(g, 0), 40 * 39 / 2);
  assert_int_equal(pl_cayley_content(g, 1), 39 * 38 / 2 - 1);
  pl_cayley *c;
  assert_int_equal(pl_cayley_new(g, "standard", &c), PL_EINPUT);
  assert_non_null(strstr(pl_error_message(), "not a band"));
  pl_group_free(g);
}

static void classes_are_told_from_other_sets(void **state) {
  (void)state;
  static const struct {
    const char *group, *generators;
    bool central;
  } sets[] = {{"S_4", "adjacent", false},
              {"S_4", "(1,2,3,4),(1,2,4,3),(1,3,2,4)", true},
              {"S_3", "cycle+transposition", false},
              {"C_7", "2; 3", true},
              {"Q_8", "i", true},
              {"D_5", "r", true},
              {"D_5", "standard", false}};
  for (size_t t = 0; t < sizeof sets / sizeof *sets; t++) {
    pl_cayley *c = make(sets[t].group, sets[t].generators);
    assert_int_equal(pl_cayley_central(c), sets[t].central);
    discard(c);
  }
}

static void wrong_generators_are_refused(void **state) {
  (void)state;
  static const struct {
    const char *group, *generators, *message;
  } bad[] = {{"D_4", "transpositions", "not of D_4"},
             {"S_4", "(1,5)", "(1,5) is not in S_4"},
             {"A_4", "(1,2)", "(1,2) is not in A_4"},
             {"S_4", "(1,2", "\")\" is missing"},
             {"S_4", "()", "the identity is none"},
             {"C_5", "0", "the identity is none"},
             {"C_5", "7", "\"7\" is no element of C_5"},
             {"S_4", "(1,2,3); (1,2)", "two generators: \"(1,2),(1,2)(3,4)\""},
             {"S_4", "stars", "\"stars\" is no element of S_4"},
             {"D_4", "(1,2)", "no element of D_4"}};
  for (size_t t = 0; t < sizeof bad / sizeof *bad; t++) {
    pl_group *g = NULL;
    pl_cayley *c = NULL;
    assert_ok(pl_group_parse(bad[t].group, &g));
    assert_int_equal(pl_cayley_new(g, bad[t].generators, &c), PL_EINPUT);
    assert_non_null(strstr(pl_error_message(), bad[t].message));
    assert_null(c);
    pl_group_free(g);
  }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(spectra_by_irreps_are_spectra_of_the_operator),
    cmocka_unit_test(the_operator_is_convolution_by_the_generating_measure),
    cmocka_unit_test(right_multiplication_joins_nodes),
    cmocka_unit_test(contents_are_the_spectrum_of_transpositions),
    cmocka_unit_test(dead_irreps_have_the_shares_of_the_content_law),
    cmocka_unit_test(contents_serve_bands_too),
    cmocka_unit_test(classes_are_told_from_other_sets),
    cmocka_unit_test(wrong_generators_are_refused),
};
PL_TEST_MAIN(tests)
