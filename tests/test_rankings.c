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
  return pl_rankings_parse("f.soc", text, strlen(text), NULL, out);
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
      {"# ITEMS: a, b, a\n1,2,3\n", "line 1: the name \"a\" stands twice"},
      {"# ITEMS: a, , b\n1,2,3\n", "line 1: expected the name of an item"},
      {"# ITEMS: a, b\na,b\nb,c\n", "line 3: expected the name of an item, found \"c\""},
      {"a,b\na,a\n", "line 2: item 1 stands twice"},
      {"a,b\na\n", "line 2: item 2 is missing"},
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
  assert_int_equal(pl_rankings_parse("f", "1 2\0", 4, NULL, &r), PL_EINPUT);
  assert_non_null(strstr(pl_error_message(), "not a text file"));
  assert_int_equal(pl_rankings_read("/nowhere/f.soc", NULL, &r), PL_EINPUT);
  assert_says(PL_EINPUT, pl_rankings_read("/dev/zero", NULL, &r), "/dev/zero: not a regular file");
}

/* Two ballots b > a = c, one of a > b > c, as each kind of file may say it. */
static void test_open_forms(void **state) {
  (void)state;
  static const struct {
    const char *path, *text;
    bool zero_based;
  } forms[] = {
      {"f.toc", "# DATA TYPE: toc\n# NUMBER ALTERNATIVES: 3\n2: 2,{1,3}\n1: 1,2,3\n", false},
      {"f.toi", "# NUMBER UNIQUE ORDERS: 3\n# NUMBER ALTERNATIVES: 3\n1: 2,{1,3}\n1: 2\n1: 1,2",
       false},
      {"f.SOI", "# NUMBER VOTERS: 3\n# NUMBER ALTERNATIVES: 3\n2: 2\n1: 1,2\n", false},
      {"f.soi", "3\n1,a\n2,b\n3,c\n3,3,2\n2,2\n1,1,2,3\n", false},
      {"f.toc", "3\n0,a\n1,b\n2,c\n3,3,2\n2,1,{0,2}\n1,0,1,2\n", true},
      {"f.soi", "# NUMBER ALTERNATIVES: 3\n# ALTERNATIVE NAME 0: a\n2: 1\n1:0,1,2\n", true},
      {"f.txt", "2 { 3 1 }\n{2}, {1,3}\n1 2 3\n", false},
      {"f", "# ITEMS: a, b, c\nb\na,b\nb,{c,a}\n", false},
      {"f", "# ITEMS: a, b, c\n2\n1 2\n2 {3 1}\n", false},
      {"f", "a,b,c\nb,{c,a}\nb , { a,c }\n", false},
      {"f.toi",
       "# NUMBER ALTERNATIVES: 3\n# ALTERNATIVE NAME 1: a\n# ALTERNATIVE NAME 2: b\n"
       "# ALTERNATIVE NAME 3: c\n2: b\n1: a,b\n",
       false},
  };
  for (size_t k = 0; k < sizeof forms / sizeof *forms; k++) {
    pl_rankings *r;
    pl_rankings_how how = {.zero_based = forms[k].zero_based};
    assert_ok(pl_rankings_parse(forms[k].path, forms[k].text, strlen(forms[k].text), &how, &r));
    assert_int_equal(r->num, 2);
    assert_int_equal(r->ballots, 3);
    assert_int_equal(r->open, 2);
    assert_memory_equal(r->rank, ((int8_t[]){0, 1, 2, 1, 0, 1}), 6);
    assert_true(pl_rankings_extensions(r) == 3);
    pl_rankings_free(r);
    how.drop = true;
    assert_ok(pl_rankings_parse(forms[k].path, forms[k].text, strlen(forms[k].text), &how, &r));
    assert_true(r->num == 1 && r->ballots == 1 && r->open == 0 && r->dropped == 2);
    pl_rankings_free(r);
  }
}

static void test_bad_open_files(void **state) {
  (void)state;
  static const struct {
    const char *path, *text, *words;
  } bad[] = {
      {"f.soi", "# NUMBER ALTERNATIVES: 3\n1: {1,2}\n", "line 2: a tie; expected a strict order"},
      {"f.toc", "# NUMBER ALTERNATIVES: 3\n1: {1,2}\n", "line 2: item 3 is missing"},
      {"f.toc", "1: {1,2\n", "line 1: a tie that does not end"},
      {"f.toc", "1: {1,{2}},3\n", "line 1: expected the number of an item, found \"{2}},3\""},
      {"f.toc", "1: 1,2}\n", "line 1: expected the number of an item, found \"}\""},
      {"f.toi", "1: {}\n", "line 1: expected the number of an item, found \"}\""},
      {"f.toi", "# DATA TYPE: wmd\n", "line 1: expected DATA TYPE: toi"},
      {"f", "# DATA TYPE: wmd\n", "line 1: expected DATA TYPE: soc, soi, toc or toi"},
      {"f", "1 2 3\n1 2\n", "line 2: item 3 is missing"},
      {"f.toi", "# NUMBER ALTERNATIVES: 3\n1: 0,1\n",
       "line 2: item 0; expected 1 to 3 (files that"},
      {"f.soi", "# NUMBER UNIQUE ORDERS: 1\n# NUMBER ALTERNATIVES: 2\n1: 1,2\n1: 1\n",
       "line 1: 1 unique orders, but the file has 2"},
  };
  pl_rankings *r;
  for (size_t k = 0; k < sizeof bad / sizeof *bad; k++)
    assert_says(PL_EINPUT,
                pl_rankings_parse(bad[k].path, bad[k].text, strlen(bad[k].text), NULL, &r),
                bad[k].words);
  pl_rankings_how how = {.drop = true, .zero_based = true};
  assert_says(PL_EINPUT, pl_rankings_parse("f", "{0,1}", 5, &how, &r), "all 1 have ties or miss");
  assert_says(PL_EINPUT, pl_rankings_parse("f", "0 2", 3, &how, &r), "item 2; expected 0 to 1");
}

/* ---- weak orders ---- */

/* Is pi an extension?  By pairs, as orders are defined. */
static bool extends(int n, const int8_t *pi, const int8_t *rank) {
  for (int i = 0; i < n; i++)
    for (int j = 0; j < n; j++)
      if (rank[i] < rank[j] && pi[i] > pi[j]) return false;
  return true;
}

static void random_order(int n, int draw, int8_t *rank) {
  int level[MAX_N];
  for (int i = 0; i < n; i++)
    level[i] = (int)pl_rng_below(3, (uint64_t)draw, (uint64_t)i, 1 + draw % n);
  for (int i = 0; i < n; i++) {
    rank[i] = 0;
    for (int j = 0; j < n; j++) rank[i] = (int8_t)(rank[i] + (level[j] < level[i]));
  }
}

/* All extensions, each once, in number as said; inner products by the sum over S_n. */
static void test_weak_orders(void **state) {
  (void)state;
  int8_t rank[2][MAX_N], pi[MAX_N];
  for (int n = 2; n <= 5; n++)
    for (int draw = 0; draw < 60; draw++) {
      double in[3] = {0}, listed = 0;
      random_order(n, draw, rank[0]);
      random_order(n, draw * 7 + 1, rank[1]);
      for (int64_t g = 0; g < pl_factorial(n); g++) {
        pl_perm_unrank(n, g, pi);
        bool a = extends(n, pi, rank[0]), b = extends(n, pi, rank[1]);
        in[0] += a;
        in[1] += b;
        in[2] += a && b;
      }
      assert_true(pl_weak_order_extensions(n, rank[0]) == in[0]);
      assert_int_equal(pl_weak_order_strict(n, rank[0]), in[0] == 1);
      assert_close(pl_weak_order_inner(n, rank[0], rank[1]), in[2] / (in[0] * in[1]), 1e-15);
      pl_extensions x;
      bool seen[120] = {false};
      pl_weak_order_begin(&x, n, rank[0], pi);
      do {
        assert_true(extends(n, pi, rank[0]) && !seen[pl_perm_rank(n, pi)]);
        seen[pl_perm_rank(n, pi)] = true;
        listed++;
      } while (pl_weak_order_next(&x, pi));
      assert_true(listed == in[0]);
    }
}

/* sum over lambda of f^lambda K(lambda, mu) = n! / prod mu!, the number of words (RSK). */
static void test_kostka(void **state) {
  (void)state;
  for (int n = 2; n <= 8; n++) {
    int shapes;
    pl_partition *shape = pl_partitions(n, &shapes);
    for (int k = 0; k < shapes; k++) {
      double sum = 0, words = (double)pl_factorial(n);
      for (int row = 0; row < shape[k].rows; row++)
        words /= (double)pl_factorial(shape[k].part[row]);
      for (int i = 0; i < shapes; i++)
        sum += (double)pl_partition_dim(&shape[i]) *
               pl_kostka(&shape[i], shape[k].rows, shape[k].part);
      assert_close(sum, words, 1e-12);
      assert_true(pl_kostka(&shape[k], shape[k].rows, shape[k].part) == 1);
      assert_true(pl_kostka(&shape[k], shape[shapes - 1].rows, shape[shapes - 1].part) ==
                  (double)pl_partition_dim(&shape[k]));
    }
    pl_free(shape);
  }
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
  double mean2 = 0;
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
  assert_true(r->open || e->num[kind] > events / 2);
  /* The variance under uniform ballots: the mean over G of the square, times N. */
  x = (pl_effect){.item = {0, 1}, .rank = {0, 1}};
  int8_t pi[MAX_N];
  for (int64_t u = 0; u < order; u++) {
    pl_perm_unrank(n, u, pi);
    indicator[u] = event(kind, pi, &x);
  }
  project(g, label, indicator, part);
  for (int64_t u = 0; u < order; u++) mean2 += part[u] * part[u] / (double)order;
  assert_close(pl_effect_variance(kind, n, 1, 1), mean2, 1e-11);
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

/* Ballots with ties and missing items: all that is said of them in closed form, against f by brute
 * force over S_n. */
static pl_rankings *open_rankings(int n, int lines, double *f) {
  char text[64 * 64] = "# NUMBER ALTERNATIVES: 0\n";
  size_t used = strlen(text);
  text[used - 2] = (char)('0' + n);
  memset(f, 0, (size_t)pl_factorial(n) * sizeof *f);
  for (int line = 0; line < lines; line++) {
    int8_t rank[MAX_N], pi[MAX_N];
    random_order(n, line * 5 + n, rank);
    int count = 1 + line % 4;
    bool left_out = line % 2;
    used += (size_t)snprintf(text + used, sizeof text - used, "%d: ", count);
    for (int j = 0, size; j < n; j += size) {
      size = 0;
      for (int i = 0; i < n; i++) size += rank[i] == j;
      if (left_out && j && j + size == n) break;
      used += (size_t)snprintf(text + used, sizeof text - used, "%s{", j ? "," : "");
      for (int i = 0, met = 0; i < n; i++)
        if (rank[i] == j)
          used += (size_t)snprintf(text + used, sizeof text - used, "%d%s", i + 1,
                                   ++met < size ? "," : "}");
    }
    used += (size_t)snprintf(text + used, sizeof text - used, "\n");
    double all = 0;
    for (int pass = 0; pass < 2; pass++)
      for (int64_t g = 0; g < pl_factorial(n); g++) {
        pl_perm_unrank(n, g, pi);
        if (!extends(n, pi, rank)) continue;
        if (pass)
          f[g] += count / all;
        else
          all++;
      }
  }
  pl_rankings *r;
  assert_ok(pl_rankings_parse("f", text, used, NULL, &r));
  return r;
}

static void check_means(const pl_group *g, const pl_rankings *r, const double *f) {
  double *mean = pl_rankings_means(r), *part = pl_alloc((size_t)pl_group_order(g), 8, "part");
  char label[32];
  pl_effects *e = pl_effects_new(r, 0);
  for (int64_t i = 0; i < pl_group_num_irreps(g); i++) {
    pl_group_irrep_label(g, i, label, sizeof label);
    /* One ballot is as good as any other with its ties: its own energy is the mean. */
    assert_close(project(g, label, f, part), mean[i], 1e-11);
    for (int kind = 0; kind < PL_NUM_EFFECTS; kind++) {
      char other[32];
      pl_effect_irrep(kind, r->n, other, sizeof other);
      if (pl_effect_exists(kind, r->n) && !strcmp(label, other))
        assert_close(e->mean2[kind], mean[i], 1e-11);
    }
  }
  pl_effects_free(e);
  pl_free(part);
  pl_free(mean);
}

/* The variance of an effect over uniform items is its mean square over the items. */
static void check_deviations(const pl_group *g, const pl_rankings *r, const double *f, int kind) {
  int n = r->n;
  char label[32];
  double *part = pl_alloc((size_t)pl_group_order(g), sizeof *part, "f on one irrep");
  pl_effect_irrep(kind, n, label, sizeof label);
  project(g, label, f, part);
  pl_effects *e = pl_effects_new(r, 0);
  for (int j = 0; j < n; j++)
    for (int k = j + 1; k < n; k++) {
      pl_effect x = {.rank = {j, k}};
      double sum = 0, events = 0;
      for (x.item[0] = 0; x.item[0] < n; x.item[0]++)
        for (x.item[1] = 0; x.item[1] < n; x.item[1]++) {
          if (kind == PL_EFFECT_FIRST ? x.item[1] : x.item[0] == x.item[1]) continue;
          double value = inner_product(kind, part, n, &x);
          sum += value * value;
          events++;
        }
      double sd = e->sd[kind][kind == PL_EFFECT_FIRST ? j : j * n + k];
      assert_close(sd * sd, sum / events, 1e-11);
    }
  pl_effects_free(e);
  pl_free(part);
}

static void test_open(void **state) {
  (void)state;
  for (int n = 2; n <= 5; n++) {
    pl_group *g = symmetric(n);
    double *f = pl_alloc((size_t)pl_group_order(g), sizeof *f, "f"), norm2 = 0;
    double *ours = pl_alloc((size_t)pl_group_order(g), sizeof *ours, "f");
    pl_rankings *r = open_rankings(n, 25, f);
    assert_true(r->open > 0);
    pl_rankings_function(r, ours);
    for (int64_t k = 0; k < pl_group_order(g); k++) {
      assert_close(ours[k], f[k], 1e-13);
      norm2 += f[k] * f[k];
    }
    assert_close(pl_rankings_norm2(r), norm2, 1e-12);
    for (int kind = 0; kind < PL_NUM_EFFECTS; kind++)
      if (pl_effect_exists(kind, n)) check_kind(kind, g, r, f);
    pl_rankings_free(r);
    for (int draw = 1; draw < 6; draw++) {
      pl_rankings *one;
      char text[32];
      static const char *const ballots[] = {
          "", "{1,2},3,4,5", "1,{2,3,4},5", "2,1,{3,4,5}", "{1,5},{2,3},4", "3,1,2,4,5"};
      if (n != 5) break;
      snprintf(text, sizeof text, "%s", ballots[draw]);
      assert_ok(pl_rankings_parse("f", text, strlen(text), NULL, &one));
      pl_rankings_function(one, f);
      check_means(g, one, f);
      for (int kind = 0; kind < PL_NUM_EFFECTS; kind++) check_deviations(g, one, f, kind);
      pl_rankings_free(one);
    }
    pl_free(ours);
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
    cmocka_unit_test(test_forms),       cmocka_unit_test(test_names),
    cmocka_unit_test(test_bad_files),   cmocka_unit_test(test_transform),
    cmocka_unit_test(test_effects),     cmocka_unit_test(test_many_items),
    cmocka_unit_test(test_open_forms),  cmocka_unit_test(test_bad_open_files),
    cmocka_unit_test(test_weak_orders), cmocka_unit_test(test_kostka),
    cmocka_unit_test(test_open),
};
PL_TEST_MAIN(tests)
