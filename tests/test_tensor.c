/* ranks: 1 */
/* Equality patterns against direct enumeration, the dimension law, and isotypic bases. */
#include "pl_test.h"

#include "../src/nets/tensor/isotypic.h"
#include "../src/nets/tensor/patterns.h"
#include "base/mem.h"
#include "base/rng.h"
#include "group/group.h"

#include <math.h>
#include <string.h>

/* ---- patterns ---- */

/* The word of r indices. */
static void word_of(int r, const int *index, int *word) {
  int letters = 0;
  for (int i = 0; i < r; i++) {
    int k = 0;
    while (k < i && index[k] != index[i]) k++;
    word[i] = k < i ? word[k] : letters++;
  }
}

/* Its place among all words of r letters, counted one by one. */
static int place_of(int r, const int *word) {
  int all[5] = {0}, place = 0, total = 1, own[5];
  for (int i = 0; i < r; i++) total *= r;
  for (int code = 0; code < total; code++) {
    for (int i = r - 1, rest = code; i >= 0; i--, rest /= r) all[i] = rest % r;
    word_of(r, all, own);
    if (memcmp(own, all, (size_t)r * sizeof *own) != 0) continue; /* not a word */
    if (!memcmp(all, word, (size_t)r * sizeof *word)) return place;
    place++;
  }
  return -1;
}

/* Every entry of every pattern's result, as a sum over all pairs (a, b). */
static void features_equal_direct_sums(void **state) {
  (void)state;
  for (int order = 1; order <= TENSOR_MOST_ORDER; order++)
    for (int n = 1; n <= 5; n++) {
      tensor_class class[TENSOR_MOST_CLASSES];
      int num = tensor_classes(order, class), features = tensor_bell(order + 2);
      double w[25], sums[10], *x = pl_alloc(60 * 17, sizeof *x, "features");
      int tuple[180], entries = 0;
      assert_int_equal(num, tensor_bell(order));
      assert_int_equal(class[num - 1].feature + class[num - 1].features, features);
      assert_int_equal(class[num - 1].head + class[num - 1].heads, tensor_bell(order + 1));
      pl_rng_normals(3, 1, 0, n * n, w);
      for (int c = 0; c < num; c++) {
        int m = class[c].points;
        int64_t rows = tensor_rows(m, n);
        tensor_tuples(m, n, tuple);
        tensor_features(m, n, tuple, w, sums, x);
        for (int64_t r = 0; r < rows; r++, entries++) {
          double direct[52] = {0};
          int index[5], word[5];
          for (int k = 0; k < order; k++) index[k] = tuple[r * m + class[c].letter[k]];
          word_of(order, index, word);
          assert_int_equal(place_of(order, word), c);
          for (int ab = 0; ab < n * n; ab++) {
            index[order] = ab / n;
            index[order + 1] = ab % n;
            word_of(order + 2, index, word);
            direct[place_of(order + 2, word)] += w[ab];
          }
          for (int k = 0; k < features; k++) {
            int at = k - class[c].feature;
            bool inside = at >= 0 && at < class[c].features;
            assert_close(inside ? x[r * class[c].features + at] : 0, direct[k], 1e-12);
          }
        }
      }
      assert_int_equal(entries, (int)lround(pow(n, order))); /* every entry is in one class */
      pl_free(x);
    }
}

/* dim Hom((R^n)^k, (R^n)^l) = (1/n!) sum over S_n of fix^(k + l) = sum over irreps of m^(k) m^(l)
 * = patterns of k + l indices with at most n letters. */
static void dimensions_of_equivariant_maps(void **state) {
  (void)state;
  static const int known[3][3] = {{5, 14, 41}, {5, 15, 51}, {5, 15, 52}}; /* n = 3, 4, 5 */
  for (int n = 2; n <= 6; n++) {
    char spec[8];
    pl_group *g;
    snprintf(spec, sizeof spec, "S_%d", n);
    assert_ok(pl_group_parse(spec, &g));
    int64_t order = pl_group_order(g), irreps = pl_group_num_irreps(g);
    double fixed[6] = {0}, times[6][11] = {{0}}, matrix[16 * 16];
    for (int64_t s = 0; s < order; s++) {
      char label[32];
      double fix = 0;
      pl_group_element_label(g, s, label, sizeof label);
      for (int i = 0; i < n; i++) fix += label[2 * i] == '1' + i;
      for (int r = 0; r <= 5; r++) fixed[r] += pow(fix, r) / (double)order;
      for (int64_t i = 0; i < irreps; i++) {
        int d = pl_group_irrep(g, i).dim;
        double character = 0;
        pl_group_irrep_matrix(g, i, s, matrix);
        for (int k = 0; k < d; k++) character += matrix[k * d + k];
        for (int r = 0; r <= 5; r++) times[r][i] += character * pow(fix, r) / (double)order;
      }
    }
    for (int r = 2; r <= 5; r++) {
      int patterns = 0, total = 1;
      for (int i = 0; i < r; i++) total *= r;
      for (int code = 0; code < total; code++) {
        int all[5], own[5], letters = 0;
        for (int i = r - 1, rest = code; i >= 0; i--, rest /= r) all[i] = rest % r;
        word_of(r, all, own);
        for (int i = 0; i < r; i++) letters = own[i] >= letters ? own[i] + 1 : letters;
        patterns += !memcmp(own, all, (size_t)r * sizeof *own) && letters <= n;
      }
      if (r >= 3 && n >= 3 && n <= 5) assert_int_equal(patterns, known[n - 3][r - 3]);
      assert_close(fixed[r], patterns, 1e-9);
      for (int k = 0; k <= r; k++) {
        double sum = 0;
        for (int64_t i = 0; i < irreps; i++) sum += times[k][i] * times[r - k][i];
        assert_close(sum, patterns, 1e-9);
      }
      if (r <= 3 || n > 6) continue;
      /* The basis in use has as many elements with entries. */
      tensor_class class[TENSOR_MOST_CLASSES];
      int num = tensor_classes(r - 2, class), used = 0;
      for (int c = 0; c < num; c++) {
        int m = class[c].points;
        for (int extra = 0; extra <= 2; extra++)
          if (m + extra <= n && m <= n) used += extra == 0 ? m * m : extra == 1 ? 2 * m + 1 : 1;
      }
      assert_int_equal(used, patterns);
    }
    pl_group_free(g);
  }
}

/* ---- isotypic bases ---- */

static void check_basis(int n) {
  isotypic *b = isotypic_new(n), *shapes = isotypic_shapes(n);
  int size = n * n;
  char spec[8];
  pl_group *g;
  snprintf(spec, sizeof spec, "S_%d", n);
  assert_ok(pl_group_parse(spec, &g));
  assert_int_equal(b->num, shapes->num);
  for (int i = 0; i < size; i++)
    for (int j = 0; j <= i; j++) {
      double dot = 0;
      for (int q = 0; q < size; q++) dot += b->basis[i * size + q] * b->basis[j * size + q];
      assert_close(dot, i == j, 1e-12);
    }
  int64_t gens[ISOTYPIC_MOST];
  int num = pl_group_generators(g, gens, ISOTYPIC_MOST);
  for (int k = 0; k < b->num; k++) {
    const isotypic_part *p = &b->part[k], *s = &shapes->part[k];
    assert_string_equal(p->label, s->label);
    assert_int_equal(p->copies, s->copies);
    assert_int_equal(p->dim, s->dim);
    assert_int_equal(p->first, s->first);
    int d = p->dim;
    double *rho = pl_alloc((size_t)(d * d), sizeof *rho, "rho");
    for (int t = 0; t < num; t++) {
      /* Generator t exchanges points t and t + 1, counted from 0. */
      pl_group_irrep_matrix(g, pl_group_irrep_by_label(g, p->label), gens[t], rho);
      for (int c = 0; c < p->copies; c++)
        for (int j = 0; j < d; j++) {
          const double *v = b->basis + (p->first + (int64_t)c * d) * size;
          for (int a = 0; a < size; a++) {
            int row = a / n, col = a % n;
            row = row == t ? t + 1 : row == t + 1 ? t : row;
            col = col == t ? t + 1 : col == t + 1 ? t : col;
            double moved = v[j * size + row * n + col], sum = 0;
            for (int i = 0; i < d; i++) sum += rho[i * d + j] * v[i * size + a];
            assert_close(moved, sum, 1e-11);
          }
        }
    }
    pl_free(rho);
  }
  isotypic_free(b);
  isotypic_free(shapes);
  pl_group_free(g);
}

static void isotypic_bases_are_copies_of_the_irreps(void **state) {
  (void)state;
  for (int n = 2; n <= 7; n++) check_basis(n);
  isotypic *b = isotypic_new(5);
  static const struct {
    const char *label;
    int copies;
  } known[] = {{"5", 2}, {"4,1", 3}, {"3,2", 1}, {"3,1,1", 1}};
  for (int k = 0; k < 4; k++) {
    assert_string_equal(b->part[k].label, known[k].label);
    assert_int_equal(b->part[k].copies, known[k].copies);
  }
  isotypic_free(b);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(features_equal_direct_sums),
    cmocka_unit_test(dimensions_of_equivariant_maps),
    cmocka_unit_test(isotypic_bases_are_copies_of_the_irreps),
};
PL_TEST_MAIN(tests)
