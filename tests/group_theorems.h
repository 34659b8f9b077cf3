/* What holds in every finite group and for the irreps of each, as tests over a list of specs: one
 * cmocka test of a program calls one of these with its own list. */
#ifndef PL_GROUP_THEOREMS_H
#define PL_GROUP_THEOREMS_H

#include "pl_test.h"

#include "base/rng.h"
#include "group/group.h"

#include <complex.h>

enum { MAX_SQUARE = 256 }; /* entries of the largest matrix */

static inline pl_group *parse(const char *spec) {
  pl_group *g = NULL;
  assert_ok(pl_group_parse(spec, &g));
  return g;
}

static uint64_t draws;
static inline int64_t below(int64_t n) {
  return pl_rng_below(11, PL_STREAM(PL_STREAM_MISC, 0), draws++, n);
}

/* Matrix of irrep i as complex numbers, whatever its type. */
static inline void matrix(const pl_group *g, int64_t i, int64_t a, double complex *out) {
  pl_irrep r = pl_group_irrep(g, i);
  int n = r.dim * r.dim;
  double *m = (double *)out;
  assert_true(n <= MAX_SQUARE);
  pl_group_irrep_matrix(g, i, a, m);
  if (r.type == PL_REAL)
    for (int k = n - 1; k >= 0; k--) out[k] = m[k];
}

static inline double complex character(const pl_group *g, int64_t i, int64_t a) {
  double complex m[MAX_SQUARE], t = 0;
  int d = pl_group_irrep(g, i).dim;
  matrix(g, i, a, m);
  for (int k = 0; k < d; k++) t += m[k * (d + 1)];
  return t;
}

/* ---- elements ---- */

static inline void axioms(const pl_group *g, int64_t a, int64_t b, int64_t c) {
  int64_t n = pl_group_order(g);
  assert_int_equal(pl_group_mul(g, pl_group_mul(g, a, b), c),
                   pl_group_mul(g, a, pl_group_mul(g, b, c)));
  assert_in_range(pl_group_mul(g, a, b), 0, n - 1);
  assert_int_equal(pl_group_mul(g, 0, a), a);
  assert_int_equal(pl_group_mul(g, a, 0), a);
  assert_int_equal(pl_group_mul(g, a, pl_group_inv(g, a)), 0);
  assert_int_equal(pl_group_mul(g, pl_group_inv(g, a), a), 0);
}

/* All triples of small groups, random ones of large groups. */
static inline void theorem_elements_form_a_group(const char *const *specs, int num) {
  for (int s = 0; s < num; s++) {
    pl_group *g = parse(specs[s]);
    int64_t n = pl_group_order(g);
    for (int64_t k = 0; k < (n <= 24 ? n * n * n : 2000); k++)
      if (n <= 24)
        axioms(g, k % n, k / n % n, k / n / n);
      else
        axioms(g, below(n), below(n), below(n));
    pl_group_free(g);
  }
}

static inline void theorem_generators_generate(const char *const *specs, int num) {
  for (int s = 0; s < num; s++) {
    pl_group *g = parse(specs[s]);
    int64_t n = pl_group_order(g), gens[16], count = 1;
    int k = pl_group_generators(g, gens, 16);
    assert_int_equal(pl_group_generators(g, NULL, 0), k);
    int64_t *reached = pl_zalloc((size_t)n, sizeof *reached, "reached");
    char *seen = pl_zalloc((size_t)n, 1, "seen");
    seen[0] = 1;
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

/* ---- irreps ---- */

static inline int64_t count_classes(const pl_group *g) {
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

/* sum m d^2 = |G|, and as many irreps as classes. */
static inline void theorem_counts_agree(const char *const *specs, int num) {
  for (int s = 0; s < num; s++) {
    pl_group *g = parse(specs[s]);
    int64_t squares = 0, members = 0;
    int64_t by_type[3] = {0}, squares_by_type[3] = {0}, count[3], sums[3];
    for (int64_t i = 0; i < pl_group_num_irreps(g); i++) {
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

/* max |x y - xy| and |x x^H - 1| */
static inline double homomorphism_error(int d, const double complex *x, const double complex *y,
                                        const double complex *xy) {
  double worst = 0;
  for (int i = 0; i < d; i++)
    for (int j = 0; j < d; j++) {
      double complex product = 0, gram = 0;
      for (int k = 0; k < d; k++) {
        product += x[i * d + k] * y[k * d + j];
        gram += x[i * d + k] * conj(x[j * d + k]);
      }
      worst = fmax(worst, cabs(product - xy[i * d + j]));
      worst = fmax(worst, cabs(gram - (i == j)));
    }
  return worst;
}

/* All pairs of small groups, random ones of large groups. */
static inline void theorem_irreps_are_unitary_homomorphisms(const char *const *specs, int num,
                                                            double tolerance) {
  enum { PAIRS = 1000 };
  for (int s = 0; s < num; s++) {
    pl_group *g = parse(specs[s]);
    int64_t n = pl_group_order(g), pairs = n * n <= PAIRS ? n * n : PAIRS;
    double worst = 0;
    for (int64_t i = 0; i < pl_group_num_irreps(g); i++)
      for (int64_t k = 0; k < pairs; k++) {
        double complex x[MAX_SQUARE], y[MAX_SQUARE], xy[MAX_SQUARE];
        int64_t a = n * n <= PAIRS ? k / n : below(n), b = n * n <= PAIRS ? k % n : below(n);
        matrix(g, i, a, x);
        matrix(g, i, b, y);
        matrix(g, i, pl_group_mul(g, a, b), xy);
        worst = fmax(worst, homomorphism_error(pl_group_irrep(g, i).dim, x, y, xy));
      }
    assert_close(worst, 0, tolerance);
    pl_group_free(g);
  }
}

/* Schur: (1/|G|) sum conj(rho_ij) sigma_kl = delta / d, over entries of all stored irreps. */
static inline void theorem_matrix_entries_are_orthogonal(const char *const *specs, int num,
                                                         double tolerance) {
  for (int s = 0; s < num; s++) {
    pl_group *g = parse(specs[s]);
    int64_t n = pl_group_order(g), irreps = pl_group_num_irreps(g), width = 0, column = 0;
    for (int64_t i = 0; i < irreps; i++)
      width += pl_group_irrep(g, i).dim * pl_group_irrep(g, i).dim;
    double complex *all = pl_alloc((size_t)(n * width), sizeof *all, "entries");
    double complex *gram = pl_alloc((size_t)(width * width), sizeof *gram, "gram");
    double *norm = pl_alloc((size_t)width, sizeof *norm, "norms");
    for (int64_t i = 0; i < irreps; i++) {
      int d = pl_group_irrep(g, i).dim;
      for (int64_t a = 0; a < n; a++) {
        double complex m[MAX_SQUARE];
        matrix(g, i, a, m);
        memcpy(all + a * width + column, m, (size_t)(d * d) * sizeof *m);
      }
      for (int k = 0; k < d * d; k++) norm[column++] = 1.0 / d;
    }
    const double complex scale = 1.0 / (double)n, zero = 0;
    cblas_zgemm(CblasRowMajor, CblasConjTrans, CblasNoTrans, (int)width, (int)width, (int)n, &scale,
                all, (int)width, all, (int)width, &zero, gram, (int)width);
    double worst = 0;
    for (int64_t x = 0; x < width; x++)
      for (int64_t y = 0; y < width; y++)
        worst = fmax(worst, cabs(gram[x * width + y] - (x == y ? norm[x] : 0)));
    assert_close(worst, 0, tolerance);
    pl_free(all);
    pl_free(gram);
    pl_free(norm);
    pl_group_free(g);
  }
}

/* (1/|G|) sum chi(a^2) is 1, 0 or -1, and quaternionic matrices have the form that group/group.h
 * states.  The list must have all three types. */
static inline void theorem_types_are_those_of_frobenius_and_schur(const char *const *specs,
                                                                  int num) {
  int seen[3] = {0};
  for (int s = 0; s < num; s++) {
    pl_group *g = parse(specs[s]);
    int64_t n = pl_group_order(g);
    for (int64_t i = 0; i < pl_group_num_irreps(g); i++) {
      pl_irrep r = pl_group_irrep(g, i);
      double complex m[MAX_SQUARE], indicator = 0;
      for (int64_t a = 0; a < n; a++) {
        indicator += character(g, i, pl_group_mul(g, a, a)) / (double)n;
        if (r.type != PL_QUATERNIONIC) continue;
        matrix(g, i, a, m);
        for (int y = 0; y < r.dim; y += 2)
          for (int x = 0; x < r.dim; x += 2) {
            assert_true(m[y * r.dim + x + 1] == -conj(m[(y + 1) * r.dim + x]));
            assert_true(m[(y + 1) * r.dim + x + 1] == conj(m[y * r.dim + x]));
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

static inline void theorem_trivial_irrep_comes_first(const char *const *specs, int num) {
  for (int s = 0; s < num; s++) {
    pl_group *g = parse(specs[s]);
    assert_int_equal(pl_group_irrep(g, 0).dim, 1);
    assert_int_equal(pl_group_irrep(g, 0).type, PL_REAL);
    for (int64_t a = 0; a < pl_group_order(g); a++) assert_true(character(g, 0, a) == 1);
    pl_group_free(g);
  }
}

#endif
