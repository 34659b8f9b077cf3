/* ranks: 1 */
/* Rankings: files read and refused, the transform against the sum over ballots, effects by counting
 * against projections by transform. */
#include "pl_test.h"

#include "base/rng.h"
#include "group/effects.h"
#include "group/fourier.h"
#include "group/perm.h"

enum { MAX_N = 6, ALL = 4096 };
static const char *const NAMES[] = {"Anna", "Bo", "C. C."};

static pl_status parse(const char *text, pl_rankings **out) {
  return pl_rankings_parse("f.soc", text, strlen(text), out);
}

/* ---- files ---- */

/* Three ways to say: 2 ballots 2,3,1; one ballot 1,2,3. */
static void test_forms(void **state) {
  (void)state;
  static const struct {
    const char *text;
    bool named;
  } forms[] = {
      {"# FILE NAME: f.soc\n# DATA TYPE: soc\n# NUMBER ALTERNATIVES: 3\n# NUMBER VOTERS: 3\n"
       "# NUMBER UNIQUE ORDERS: 2\n# ALTERNATIVE NAME 1: Anna\n# ALTERNATIVE NAME 2: Bo\n"
       "# ALTERNATIVE NAME 3: C. C.\n2: 2,3,1\n1: 1,2,3\n",
       true},
      {"3\n1,Anna\n2,Bo\n3,C. C.\n3,3,2\n2,2,3,1\n1,1,2,3\n", true},
      {"\xef\xbb\xbf 3 \r\n1, Anna\r\n2,Bo \r\n3,C. C.\r\n\r\n3 , 3,2\r\n2,2,3,1\r\n1,1,2,3", true},
      {"# by hand\n2 3 1\n1 2 3\n\n2 3 1", false},
      {" 2,3 , 1\t\r\n\r\n1, 2, 3\r\n2 3\t1\r\n", false},
      {"#ALTERNATIVE NAMES are below\n# NUMBER ALTERNATIVES:3\n#ALTERNATIVE NAME 1:Anna\n"
       "# ALTERNATIVE NAME 2 : Bo\n# ALTERNATIVE NAME 3: C. C.\n2 3 1\n1 2 3\n2 3 1\n",
       true},
      {"1: 2 3 1\n1:1,2,3\n1 :2,3,1\n", false},
      {"3\r1,Anna\r2,Bo\r3,C. C.\r3,3,2\r2,2,3,1\r1,1,2,3\r", true},
      {"\xef\xbb\xbf# by hand\r2 3 1\r\r1 2 3\r\n2 3 1", false},
  };
  for (size_t k = 0; k < sizeof forms / sizeof *forms; k++) {
    pl_rankings *r;
    assert_ok(parse(forms[k].text, &r));
    assert_int_equal(r->n, 3);
    assert_int_equal(r->num, 2);
    assert_int_equal(r->ballots, 3);
    /* Item 2 is best, so it has rank 0: pi = 3 1 2. */
    assert_memory_equal(r->rank, ((int8_t[]){0, 1, 2, 2, 0, 1}), 6);
    assert_int_equal(r->count[0], 1);
    assert_int_equal(r->count[1], 2);
    for (int i = 0; i < 3; i++)
      assert_string_equal(r->name[i],
                          forms[k].named ? NAMES[i] : ((const char *[]){"1", "2", "3"})[i]);
    pl_rankings_free(r);
  }
}

/* Names go into NetCDF files: UTF-8 or nothing; what is no name may be anything. */
static void test_names(void **state) {
  (void)state;
  static const char *const bad[] = {"Andr\xe9", "\xc3", "\xed\xa0\x80", "\xc0\xaf",
                                    "\xf4\x90\x80\x80"};
  pl_rankings *r;
  char text[200];
  for (int i = 0; i < 5; i++) {
    snprintf(text, sizeof text,
             "# TITLE: caf\xe9\n# NUMBER ALTERNATIVES: 2\n# ALTERNATIVE NAME 2: %s\n1: 1,2\n",
             bad[i]);
    assert_says(PL_EINPUT, parse(text, &r), "f.soc, line 3: the name of item 2 is not UTF-8");
    snprintf(text, sizeof text, "2\n1,x\n2,%s\n1,1,1\n1,1,2\n", bad[i]);
    assert_says(PL_EINPUT, parse(text, &r), "f.soc, line 3: the name of item 2 is not UTF-8");
  }
  assert_ok(parse("# TITLE: caf\xe9\n2\n1,Andr\xc3\xa9\n2,\xf0\x9f\x8c\x8d\n1,1,1\n1,1,2\n", &r));
  assert_string_equal(r->name[0], "Andr\xc3\xa9");
  pl_rankings_free(r);
}

static void test_bad_files(void **state) {
  (void)state;
  static const struct {
    const char *text, *words;
  } bad[] = {
      {"", "f.soc: no ballots"},
      {"# NUMBER ALTERNATIVES: 3\n", "f.soc: no ballots"},
      {"3\n1,a\n2,b\n3,c\n0,0,0\n", "no ballots"},
      {"1 2 3\n1 2\n", "line 2: item 3 is missing"},
      {"1 2 3\n1 2 2\n", "line 2: item 2 stands twice"},
      {"1 2 3\n1 2 3 1\n", "line 2: item 1 stands twice"},
      {"1 2 3\n1 2 4\n", "line 2: item 4; expected 1 to 3"},
      {"1 2 3\n0 1 2\n", "line 2: item 0; expected 1 to 3"},
      {"1 2 3\n1 -2 3\n", "line 2: expected the number of an item, found \"-2 3\""},
      {"1,2,\n", "line 1: expected the number of an item"},
      {"1,,2\n", "line 1: expected the number of an item, found \",2\""},
      {"1 2 99999999999999999999\n", "expected the number of an item"},
      {"1 2 3.5\n", "found \".5\""},
      {"a b\n", "line 1: expected the number of an item, found \"a b\""},
      {"1: 1,{2,3}\n", "line 1: a tie"},
      {"{1,2},3\n", "line 1: a tie"},
      {"0: 1,2\n", "line 1: a count of 0"},
      {"-1: 1,2\n", "line 1: expected \"COUNT: ORDER\", found \"-1: 1,2\""},
      {"1: 1,2\n2,1\n", "line 2: expected \"COUNT: ORDER\", found \"2,1\""},
      {"1: 1\n", "line 1: 1 item; expected 2 to 127"},
      {"9007199254740992: 1,2\n1: 2,1\n", "line 2: the counts add up to more than 2^53"},
      {"# NUMBER ALTERNATIVES: 128\n", "line 1: 128 items; expected 2 to 127"},
      {"# NUMBER ALTERNATIVES: three\n",
       "line 1: expected a number after NUMBER ALTERNATIVES:, found \"three\""},
      {"# NUMBER ALTERNATIVES:\n", "line 1: expected a number after NUMBER ALTERNATIVES:"},
      {"# NUMBER ALTERNATIVES: 3\n# NUMBER ALTERNATIVES: 3\n", "line 2: the number of items is"},
      {"# ALTERNATIVE NAME 1: a\n", "line 1: expected NUMBER ALTERNATIVES before"},
      {"# NUMBER ALTERNATIVES: 2\n# ALTERNATIVE NAME 3: a\n", "line 2: a name for item 3 of 2"},
      {"# NUMBER ALTERNATIVES: 2\n# ALTERNATIVE NAME 2: a\n# ALTERNATIVE NAME 2: b\n",
       "line 3: this item has a name already"},
      {"# DATA TYPE: toc\n1: 1,2\n", "line 1: expected DATA TYPE: soc"},
      {"# NUMBER VOTERS: 4\n3: 1,2\n", "line 1: 4 voters, but the counts add up to 3"},
      {"# NUMBER UNIQUE ORDERS: 2\n1: 1,2\n1: 1,2\n",
       "line 1: 2 unique orders, but the file has 1"},
      {"# NUMBER ALTERNATIVES: 3\n1: 1,2\n", "line 2: item 3 is missing"},
      {"3\n1,a\n3,b\n", "line 3: expected \"2,NAME\", item 2 of 3, found \"3,b\""},
      {"2\n1,a\n2,b\n1,2,1,2\n", "line 4: expected \"VOTERS,SUM,UNIQUE\""},
      {"2\n1,a\n2,b\n3,3,1\n2,1,2\n", "line 4: 3 voters, but the counts add up to 2"},
      {"2\n1,a\n2,b\n2,2,2\n2,1,2\n", "line 4: 2 unique orders, but the file has 1"},
      {"2\n1,a\n2,b\n2,2,1\n2: 1,2\n", "line 5: expected \"COUNT,ORDER\""},
      {"1\n", "line 1: 1 item; expected 2"},
  };
  for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
    pl_rankings *r = NULL;
    assert_int_equal(parse(bad[k].text, &r), PL_EINPUT);
    assert_null(r);
    if (!strstr(pl_error_message(), bad[k].words) || strncmp(pl_error_message(), "f.soc", 5)) {
      print_error("\"%s\": \"%s\", expected \"%s\"\n", bad[k].text, pl_error_message(),
                  bad[k].words);
      fail();
    }
  }
  pl_rankings *r;
  assert_int_equal(pl_rankings_parse("f", "1 2\0", 4, &r), PL_EINPUT);
  assert_non_null(strstr(pl_error_message(), "not a text file"));
  assert_int_equal(pl_rankings_read("/nowhere/f.soc", &r), PL_EINPUT);
  assert_says(PL_EINPUT, pl_rankings_read("/dev/zero", &r), "/dev/zero: not a regular file");
}

/* ---- spectral analysis ---- */

/* Random ballots as text, and f by its definition: element number of "rank of item 1, 2, .."  */
static pl_rankings *random_rankings(int n, const pl_group *g, double *f) {
  enum { LINES = 40 };
  char text[LINES * 64], label[64];
  size_t used = 0;
  int64_t order = pl_group_order(g);
  memset(f, 0, (size_t)order * sizeof *f);
  for (int line = 0; line < LINES; line++) {
    /* A third of the lines repeats itself; small groups are covered, large ones not. */
    int64_t e = pl_rng_below(7, (uint64_t)n, (uint64_t)(line % 27), order);
    int count = 1 + line * line % 11, at[MAX_N];
    pl_group_element_label(g, e, label, sizeof label);
    for (int i = 0; i < n; i++) at[label[2 * i] - '1'] = i + 1;
    used += (size_t)snprintf(text + used, sizeof text - used, "%d: ", count);
    for (int j = 0; j < n; j++)
      used +=
          (size_t)snprintf(text + used, sizeof text - used, "%d%s", at[j], j < n - 1 ? "," : "\n");
    f[e] += count;
  }
  pl_rankings *r;
  assert_ok(parse(text, &r));
  return r;
}

static pl_group *symmetric(int n) {
  char spec[16];
  pl_group *g;
  snprintf(spec, sizeof spec, "S_%d", n);
  assert_ok(pl_group_parse(spec, &g));
  return g;
}

static double *transform(const pl_group *g, const double *f) {
  pl_fourier *plan;
  double *F = pl_alloc((size_t)pl_fourier_size(g), sizeof *F, "coefficients");
  assert_ok(pl_fourier_new(g, NULL, &plan));
  pl_fourier_forward(plan, 1, f, pl_group_order(g), F, pl_fourier_size(g));
  pl_fourier_free(plan);
  return F;
}

static void test_transform(void **state) {
  (void)state;
  for (int n = 2; n <= 5; n++) {
    pl_group *g = symmetric(n);
    double *f = pl_alloc((size_t)pl_group_order(g), sizeof *f, "f");
    pl_rankings *r = random_rankings(n, g, f);
    double *F = transform(g, f), *at = F;
    for (int64_t i = 0; i < pl_group_num_irreps(g); i++) {
      int64_t size = pl_irrep_size(pl_group_irrep(g, i));
      double *m = pl_alloc((size_t)size, sizeof *m, "matrix");
      double *sum = pl_zalloc((size_t)size, sizeof *sum, "matrix");
      for (int64_t o = 0; o < r->num; o++) {
        pl_group_irrep_matrix(g, i, pl_perm_rank(n, r->rank + o * n), m);
        for (int64_t k = 0; k < size; k++) sum[k] += (double)r->count[o] * m[k];
      }
      for (int64_t k = 0; k < size; k++) assert_close(at[k], sum[k], 1e-12 * (double)r->ballots);
      at += size;
      pl_free(sum);
      pl_free(m);
    }
    pl_free(F);
    pl_rankings_free(r);
    pl_free(f);
    pl_group_free(g);
  }
}

/* Does the permutation lie in the event?  1 or 0. */
static double event(int kind, const int8_t *pi, const pl_effect *e) {
  int ra = pi[e->item[0]], rb = pi[e->item[1]];
  if (kind == PL_EFFECT_FIRST) return ra == e->rank[0];
  bool there = ra == e->rank[0] && rb == e->rank[1], back = ra == e->rank[1] && rb == e->rank[0];
  return kind == PL_EFFECT_UNORDERED ? there || back : there;
}

static double inner_product(int kind, const double *f, int n, const pl_effect *e) {
  double sum = 0;
  int8_t pi[MAX_N];
  for (int64_t g = 0; g < pl_factorial(n); g++) {
    pl_perm_unrank(n, g, pi);
    sum += f[g] * event(kind, pi, e);
  }
  return sum;
}

/* f on one irrep indicator; its squared Frobenius norm. */
static double project(const pl_group *g, const char *label, const double *f, double *out) {
  int64_t i = pl_group_irrep_by_label(g, label), start = 0;
  assert_true(i >= 0);
  for (int64_t k = 0; k < i; k++) start += pl_irrep_size(pl_group_irrep(g, k));
  int64_t size = pl_irrep_size(pl_group_irrep(g, i));
  double *F = transform(g, f), norm2 = 0;
  for (int64_t k = 0; k < pl_fourier_size(g); k++)
    if (k < start || k >= start + size)
      F[k] = 0;
    else
      norm2 += F[k] * F[k];
  pl_fourier *plan;
  assert_ok(pl_fourier_new(g, NULL, &plan));
  pl_fourier_inverse(plan, 1, F, pl_fourier_size(g), out, pl_group_order(g));
  pl_fourier_free(plan);
  pl_free(F);
  return norm2;
}

static void check_kind(int kind, const pl_group *g, const pl_rankings *r, const double *f) {
  int n = r->n, events = 0;
  char label[32];
  int64_t order = pl_group_order(g);
  double *part = pl_alloc((size_t)order, sizeof *part, "f on one irrep");
  double *indicator = pl_alloc((size_t)order, sizeof *indicator, "an event"), squares = 0,
         listed = 0;
  pl_effect_irrep(kind, n, label, sizeof label);
  pl_effects *e = pl_effects_new(r, ALL);
  double norm2 = project(g, label, f, part);
  assert_close(e->norm2[kind], norm2, 1e-11);
  double sd = pl_effect_sd(kind, n, (double)r->ballots), mean2 = 0;
  for (int k = 0; k < e->num[kind]; k++) {
    const pl_effect *x = &e->largest[kind][k];
    assert_true(k == 0 || fabs(x->value) <= fabs(x[-1].value));
    assert_close(x->value, inner_product(kind, part, n, x), 1e-11);
    listed += x->value * x->value;
  }
  /* All events, so that none is missing from the list: squares are those of the matrix. */
  pl_effect x;
  for (x.item[0] = 0; x.item[0] < n; x.item[0]++)
    for (x.item[1] = 0; x.item[1] < n; x.item[1]++)
      for (x.rank[0] = 0; x.rank[0] < n; x.rank[0]++)
        for (x.rank[1] = 0; x.rank[1] < n; x.rank[1]++) {
          bool single = x.item[1] == 0 && x.rank[1] == 0;
          bool pair = x.item[0] < x.item[1] && x.rank[0] < x.rank[1];
          if (kind == PL_EFFECT_FIRST ? !single : !pair) continue;
          double value = inner_product(kind, part, n, &x);
          squares += value * value;
          events++;
        }
  assert_close(listed, squares, 1e-11);
  assert_true(e->num[kind] > events / 2);
  /* The variance under uniform ballots: the mean over G of the square, times N. */
  x = (pl_effect){{0, 1}, {0, 1}, 0};
  int8_t pi[MAX_N];
  for (int64_t u = 0; u < order; u++) {
    pl_perm_unrank(n, u, pi);
    indicator[u] = event(kind, pi, &x);
  }
  project(g, label, indicator, part);
  for (int64_t u = 0; u < order; u++) mean2 += part[u] * part[u] / (double)order;
  assert_close(sd * sd, mean2 * (double)r->ballots, 1e-11);
  assert_close(pl_effect_dim(kind, n), pl_group_irrep(g, pl_group_irrep_by_label(g, label)).dim, 0);
  pl_effects_free(e);
  pl_free(indicator);
  pl_free(part);
}

static void test_effects(void **state) {
  (void)state;
  for (int n = 2; n <= MAX_N; n++) {
    pl_group *g = symmetric(n);
    double *f = pl_alloc((size_t)pl_group_order(g), sizeof *f, "f");
    pl_rankings *r = random_rankings(n, g, f);
    for (int kind = 0; kind < PL_NUM_EFFECTS; kind++) {
      if (pl_effect_exists(kind, n)) {
        check_kind(kind, g, r, f);
        continue;
      }
      pl_effects *e = pl_effects_new(r, ALL);
      assert_true(e->norm2[kind] == 0 && e->num[kind] == 0);
      pl_effects_free(e);
    }
    /* The first few of a short list are those of a long one. */
    pl_effects *all = pl_effects_new(r, ALL), *few = pl_effects_new(r, 3);
    for (int kind = 0; kind < PL_NUM_EFFECTS; kind++)
      for (int k = 0; k < few->num[kind]; k++)
        assert_memory_equal(&few->largest[kind][k], &all->largest[kind][k], sizeof(pl_effect));
    pl_effects_free(few);
    pl_effects_free(all);
    pl_rankings_free(r);
    pl_free(f);
    pl_group_free(g);
  }
}

/* Too many items for any transform: of one ballot, F is an orthogonal matrix, ||F||^2 = d. */
static void test_many_items(void **state) {
  (void)state;
  enum { N = PL_RANKINGS_MAX };
  char text[8 * N];
  size_t used = 0;
  for (int i = 0; i < N; i++)
    used += (size_t)snprintf(text + used, sizeof text - used, "%d ", (i * 5 + 3) % N + 1);
  pl_rankings *r;
  assert_ok(parse(text, &r));
  pl_effects *e = pl_effects_new(r, 1);
  for (int kind = 0; kind < PL_NUM_EFFECTS; kind++)
    assert_close(e->norm2[kind], pl_effect_dim(kind, N), 1e-8);
  assert_close(e->largest[PL_EFFECT_FIRST][0].value, 1 - 1.0 / N, 1e-15);
  pl_effects_free(e);
  pl_rankings_free(r);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_forms),     cmocka_unit_test(test_names),
    cmocka_unit_test(test_bad_files), cmocka_unit_test(test_transform),
    cmocka_unit_test(test_effects),   cmocka_unit_test(test_many_items),
};
PL_TEST_MAIN(tests)
