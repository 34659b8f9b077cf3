/* ranks: 1 */
#include "pl_test.h"

#include "base/rng.h"
#include "group/perm.h"
#include "group/young.h"

enum { MAX_D2 = 90 * 90 };

static int64_t draw(uint64_t i, int64_t n) {
  return pl_rng_below(11, PL_STREAM(PL_STREAM_MISC, 0), i, n);
}

static void product(int64_t d, const double *a, const double *b, double *c) {
  for (int64_t i = 0; i < d; i++)
    for (int64_t j = 0; j < d; j++) {
      double x = 0;
      for (int64_t k = 0; k < d; k++) x += a[i * d + k] * b[k * d + j];
      c[i * d + j] = x;
    }
}

static void assert_matrices_close(int64_t d, const double *a, const double *b) {
  for (int64_t i = 0; i < d * d; i++) assert_close(a[i], b[i], 1e-13);
}

static pl_partition shape(int rows, const int *part) {
  pl_partition p = {.rows = (int8_t)rows};
  for (int r = 0; r < rows; r++) p.n = (int8_t)(p.n + (p.part[r] = (int8_t)part[r]));
  return p;
}

/* Permutation that exchanges letters i and i+1. */
static void transposition(int n, int i, int8_t *s) {
  for (int k = 0; k < n; k++) s[k] = (int8_t)k;
  s[i] = (int8_t)(i + 1);
  s[i + 1] = (int8_t)i;
}

static void ranks_are_lexicographic(void **state) {
  (void)state;
  for (int n = 1; n <= 7; n++) {
    int8_t last[8] = {0}, s[8], inv[8], e[8];
    for (int64_t k = 0; k < pl_factorial(n); k++) {
      pl_perm_unrank(n, k, s);
      assert_int_equal(pl_perm_rank(n, s), k);
      if (k) assert_true(memcmp(last, s, (size_t)n) < 0); /* all entries are nonnegative */
      memcpy(last, s, sizeof s);
      pl_perm_inverse(n, s, inv);
      pl_perm_compose(n, inv, s, e);
      assert_int_equal(pl_perm_rank(n, e), 0);
    }
  }
  for (uint64_t i = 0; i < 100; i++) {
    int8_t s[20];
    int64_t k = draw(i, pl_factorial(20));
    pl_perm_unrank(20, k, s);
    assert_int_equal(pl_perm_rank(20, s), k);
  }
}

static void products_are_right_to_left(void **state) {
  (void)state;
  const int8_t s[3] = {1, 0, 2}, t[3] = {0, 2, 1}, want[3] = {1, 2, 0};
  int8_t st[3];
  pl_perm_compose(3, s, t, st);
  assert_memory_equal(st, want, 3);
}

static void partitions_come_in_order(void **state) {
  (void)state;
  const int number[] = {1, 1, 2, 3, 5, 7, 11, 15, 22, 30, 42, 56, 77, 101};
  for (int n = 0; n <= 13; n++) {
    int count;
    pl_partition *p = pl_partitions(n, &count);
    assert_int_equal(count, number[n]);
    for (int i = 1; i < count; i++) assert_true(pl_partition_compare(&p[i - 1], &p[i]) > 0);
    pl_free(p);
  }
  int count;
  pl_partition *p = pl_partitions(4, &count);
  const char *want[] = {"4", "3,1", "2,2", "2,1,1", "1,1,1,1"};
  for (int i = 0; i < count; i++) {
    char label[16];
    assert_int_equal(pl_partition_label(&p[i], label, sizeof label), strlen(want[i]));
    assert_string_equal(label, want[i]);
  }
  char cut[4];
  assert_int_equal(pl_partition_label(&p[4], cut, sizeof cut), 7);
  assert_string_equal(cut, "1,1");
  pl_free(p);
}

static void boxes_come_and_go(void **state) {
  (void)state;
  pl_partition p = shape(3, (int[]){3, 1, 1}), q;
  assert_false(pl_partition_remove(&p, 1, &q));
  assert_false(pl_partition_add(&p, 2, &q));
  assert_false(pl_partition_remove(&p, 3, &q));
  assert_true(pl_partition_remove(&p, 2, &q));
  assert_int_equal(q.rows, 2);
  assert_int_equal(q.n, 4);
  assert_true(pl_partition_add(&q, 2, &q));
  assert_int_equal(pl_partition_compare(&p, &q), 0);
}

static void dimensions_count_tableaux(void **state) {
  (void)state;
  for (int n = 1; n <= 20; n++) {
    int count;
    int64_t squares = 0;
    pl_partition *p = pl_partitions(n, &count);
    for (int i = 0; i < count; i++) {
      int64_t d = pl_partition_dim(&p[i]), branching = 0;
      squares += d * d;
      pl_partition less;
      for (int r = 0; n > 1 && r < p[i].rows; r++)
        if (pl_partition_remove(&p[i], r, &less)) branching += pl_partition_dim(&less);
      if (n > 1) assert_int_equal(branching, d);
    }
    assert_int_equal(squares, pl_factorial(n));
    pl_free(p);
  }
}

static void tableaux_are_standard_and_ordered(void **state) {
  (void)state;
  for (int n = 1; n <= 8; n++) {
    int count;
    pl_partition *p = pl_partitions(n, &count);
    for (int i = 0; i < count; i++) {
      int64_t d = pl_partition_dim(&p[i]);
      int8_t *t = pl_tableaux(&p[i]);
      for (int64_t a = 0; a < d; a++) {
        int8_t length[PL_MAX_N] = {0};
        for (int k = 0; k < n; k++) {
          int r = t[a * n + k];
          length[r]++;
          if (r > 0) assert_true(length[r] <= length[r - 1]);
        }
        assert_memory_equal(length, p[i].part, sizeof length);
        if (a > 0) {
          int k = n - 1;
          while (t[a * n + k] == t[(a - 1) * n + k]) k--;
          assert_true(k > 0 && t[a * n + k] < t[(a - 1) * n + k]);
        }
      }
      pl_free(t);
    }
    pl_free(p);
  }
  pl_partition p21 = shape(2, (int[]){2, 1}), p32 = shape(2, (int[]){3, 2});
  const int8_t want21[] = {0, 0, 1, 0, 1, 0};
  const int8_t want32[] = {0, 0, 0, 1, 1, 0, 0, 1, 0, 1, 0, 1, 0,
                           0, 1, 0, 0, 1, 1, 0, 0, 1, 0, 1, 0};
  int8_t *t = pl_tableaux(&p21);
  assert_memory_equal(t, want21, sizeof want21);
  pl_free(t);
  t = pl_tableaux(&p32);
  assert_memory_equal(t, want32, sizeof want32);
  pl_free(t);
}

static void matrices_satisfy_coxeter(void **state) {
  (void)state;
  static double g[7][MAX_D2], a[MAX_D2], b[MAX_D2];
  for (int n = 2; n <= 6; n++) {
    int count;
    pl_partition *p = pl_partitions(n, &count);
    for (int k = 0; k < count; k++) {
      int64_t d = pl_partition_dim(&p[k]);
      for (int i = 0; i + 1 < n; i++) {
        int8_t s[8];
        transposition(n, i, s);
        pl_young_orthogonal(&p[k], s, g[i]);
        product(d, g[i], g[i], a);
        for (int64_t r = 0; r < d; r++)
          for (int64_t c = 0; c < d; c++) {
            assert_close(a[r * d + c], r == c, 1e-14);
            assert_close(g[i][r * d + c], g[i][c * d + r], 1e-15);
            if (r != c) assert_true(g[i][r * d + c] >= 0);
          }
      }
      for (int i = 0; i + 1 < n; i++)
        for (int j = 0; j < i; j++) {
          product(d, g[i], g[j], a);
          product(d, g[j], g[i], b);
          if (j == i - 1) { /* s_i s_j s_i = s_j s_i s_j */
            static double c[MAX_D2];
            product(d, a, g[i], c);
            product(d, b, g[j], a);
            memcpy(b, c, sizeof c);
          }
          assert_matrices_close(d, a, b);
        }
    }
    pl_free(p);
  }
}

static void matrices_are_an_orthogonal_homomorphism(void **state) {
  (void)state;
  static double ms[MAX_D2], mt[MAX_D2], mst[MAX_D2], m[MAX_D2];
  for (int n = 3; n <= 7; n++) {
    int count;
    pl_partition *p = pl_partitions(n, &count);
    for (int k = 0; k < count; k++) {
      int64_t d = pl_partition_dim(&p[k]);
      int8_t s[8], t[8], st[8], inv[8];
      uint64_t at = (uint64_t)(100 * n + k) * 2;
      pl_perm_unrank(n, draw(at, pl_factorial(n)), s);
      pl_perm_unrank(n, draw(at + 1, pl_factorial(n)), t);
      pl_perm_compose(n, s, t, st);
      pl_perm_inverse(n, s, inv);
      pl_young_orthogonal(&p[k], s, ms);
      pl_young_orthogonal(&p[k], t, mt);
      pl_young_orthogonal(&p[k], st, mst);
      product(d, ms, mt, m);
      assert_matrices_close(d, m, mst);
      pl_young_orthogonal(&p[k], inv, m);
      for (int64_t r = 0; r < d; r++)
        for (int64_t c = 0; c < d; c++) assert_close(m[r * d + c], ms[c * d + r], 1e-13);
    }
    pl_free(p);
  }
}

/* YOR of a 3-cycle on (2,1), by hand. */
static void the_matrix_of_312(void **state) {
  (void)state;
  pl_partition p = shape(2, (int[]){2, 1});
  const int8_t s[3] = {2, 0, 1};
  double m[4];
  pl_young_orthogonal(&p, s, m);
  assert_close(m[0], -0.5, 1e-15);
  assert_close(m[1], -sqrt(0.75), 1e-15);
  assert_close(m[2], sqrt(0.75), 1e-15);
  assert_close(m[3], -0.5, 1e-15);
}

/* Character by the Murnaghan-Nakayama rule on beta numbers (a set of nonnegative integers, as
 * bits): a rim hook of length q is a bead moved down by q; its sign counts the beads jumped. */
static int64_t character(uint32_t beads, const pl_partition *cycles, int at) {
  if (at == cycles->rows) return 1;
  int q = cycles->part[at];
  int64_t sum = 0;
  for (int b = q; b < 32; b++) {
    uint32_t from = UINT32_C(1) << b, to = UINT32_C(1) << (b - q);
    if (!(beads & from) || (beads & to)) continue;
    int jumped = __builtin_popcount(beads & (from - 1) & ~(2 * to - 1));
    int64_t rest = character((beads ^ from) | to, cycles, at + 1);
    sum += jumped % 2 ? -rest : rest;
  }
  return sum;
}

static double trace_at(const pl_partition *p, const int8_t *s) {
  static double m[MAX_D2];
  int64_t d = pl_partition_dim(p);
  double trace = 0;
  pl_young_orthogonal(p, s, m);
  for (int64_t i = 0; i < d; i++) trace += m[i * (d + 1)];
  return trace;
}

static void cycle_type(int n, const int8_t *s, pl_partition *type) {
  int seen = 0;
  *type = (pl_partition){.n = (int8_t)n};
  for (int i = 0; i < n; i++) {
    int8_t length = 0;
    for (int j = i; !(seen >> j & 1); j = s[j]) seen |= 1 << j, length++;
    if (length) type->part[type->rows++] = length;
  }
}

static void characters_obey_murnaghan_nakayama(void **state) {
  (void)state;
  for (int n = 1; n <= 8; n++) {
    int count;
    pl_partition *p = pl_partitions(n, &count);
    for (int i = 0; i < count; i++) {
      uint32_t beads = 0;
      for (int r = 0; r < p[i].rows; r++)
        beads |= UINT32_C(1) << (p[i].part[r] + p[i].rows - 1 - r);
      /* every element up to n = 5, then one per class, moved by a random conjugation */
      int64_t elements = n <= 5 ? pl_factorial(n) : count;
      for (int64_t e = 0; e < elements; e++) {
        int8_t s[8];
        pl_partition type;
        if (n <= 5) {
          pl_perm_unrank(n, e, s);
          cycle_type(n, s, &type);
        } else {
          int8_t g[8];
          pl_perm_unrank(n, draw((uint64_t)(n * 1000 + e), pl_factorial(n)), g);
          type = p[e];
          for (int c = 0, first = 0; c < type.rows; first += type.part[c++])
            for (int k = 0; k < type.part[c]; k++)
              s[g[first + k]] = g[first + (k + 1) % type.part[c]];
        }
        assert_close(trace_at(&p[i], s), (double)character(beads, &type, 0), 1e-12);
      }
    }
    pl_free(p);
  }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(ranks_are_lexicographic),
    cmocka_unit_test(products_are_right_to_left),
    cmocka_unit_test(partitions_come_in_order),
    cmocka_unit_test(boxes_come_and_go),
    cmocka_unit_test(dimensions_count_tableaux),
    cmocka_unit_test(tableaux_are_standard_and_ordered),
    cmocka_unit_test(matrices_satisfy_coxeter),
    cmocka_unit_test(matrices_are_an_orthogonal_homomorphism),
    cmocka_unit_test(the_matrix_of_312),
    cmocka_unit_test(characters_obey_murnaghan_nakayama),
};
PL_TEST_MAIN(tests)
