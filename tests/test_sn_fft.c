/* ranks: 1 */
#include "pl_test.h"

#include "base/rng.h"
#include "clausen.h"
#include "group/perm.h"
#include "group/sn_fft.h"
#include "group/sn_team.h"
#include "group/young.h"

static double *numbers(int64_t n) {
  return pl_alloc((size_t)n, sizeof(double), "numbers of a test");
}

static double *normals(uint64_t stream, int64_t n) {
  double *x = numbers(n);
  pl_rng_normals(17, PL_STREAM(PL_STREAM_MISC, stream), 0, n, x);
  return x;
}

/* Largest difference relative to the root mean square of b, which sets the scale of rounding. */
static double distance(int64_t n, const double *a, const double *b) {
  double worst = 0, square = 0;
  for (int64_t i = 0; i < n; i++) {
    worst = fmax(worst, fabs(a[i] - b[i]));
    if (isnan(a[i])) return INFINITY;
    square += b[i] * b[i];
  }
  return worst / fmax(sqrt(square / (double)n), 1e-300);
}

static pl_sn_fft *plan_for(int n) {
  pl_sn_fft *plan;
  assert_ok(pl_sn_fft_new(n, NULL, &plan));
  return plan;
}

/* rho_lambda of the element with this rank: YOR(w s w). */
static void irrep_matrix(const pl_partition *lambda, int64_t rank, double *out) {
  int n = lambda->n;
  int8_t s[PL_MAX_N], wsw[PL_MAX_N];
  pl_perm_unrank(n, rank, s);
  for (int i = 0; i < n; i++) wsw[n - 1 - i] = (int8_t)(n - 1 - s[i]);
  pl_young_orthogonal(lambda, wsw, out);
}

static void product(int64_t d, const double *a, const double *b, double *c) {
  for (int64_t i = 0; i < d; i++)
    for (int64_t j = 0; j < d; j++) {
      double x = 0;
      for (int64_t k = 0; k < d; k++) x += a[i * d + k] * b[k * d + j];
      c[i * d + j] = x;
    }
}

static void it_is_the_direct_sum(void **state) {
  (void)state;
  for (int n = 1; n <= 7; n++) {
    int64_t order = pl_factorial(n), at = 0;
    int count;
    double *f = normals((uint64_t)n, order), *F = numbers(order), *m = numbers(35 * 35);
    double *sum = numbers(35 * 35);
    pl_sn_fft *plan = plan_for(n);
    pl_sn_fft_forward(plan, 1, f, order, F, order);
    pl_partition *p = pl_partitions(n, &count);
    for (int k = 0; k < count; k++) {
      int64_t d = pl_partition_dim(&p[k]);
      if (n < 7 || d == 6 || d == 14) {
        memset(sum, 0, (size_t)(d * d) * sizeof *sum);
        for (int64_t e = 0; e < order; e++) {
          irrep_matrix(&p[k], e, m);
          for (int64_t i = 0; i < d * d; i++) sum[i] += f[e] * m[i];
        }
        assert_true(distance(d * d, F + at, sum) < 1e-13);
      }
      at += d * d;
    }
    pl_free(p);
    pl_sn_fft_free(plan);
    pl_free(f), pl_free(F), pl_free(m), pl_free(sum);
  }
}

/* Another algorithm, on all matrices of S_8. */
static void it_agrees_with_clausen(void **state) {
  (void)state;
  int64_t order = pl_factorial(8);
  double *f = normals(8, order), *F = numbers(order), *want = numbers(order);
  pl_sn_fft *plan = plan_for(8);
  clausen *reference = clausen_new(8);
  pl_sn_fft_forward(plan, 1, f, order, F, order);
  clausen_forward(reference, f, want);
  assert_true(distance(order, F, want) < 1e-12);
  clausen_free(reference);
  pl_sn_fft_free(plan);
  pl_free(f), pl_free(F), pl_free(want);
}

/* s = 2314 is no involution, and s, s^-1, wsw, w s^-1 w all differ: the answer is YOR(1423). */
static void a_delta_gives_the_relabelled_matrix(void **state) {
  (void)state;
  const int8_t s[4] = {1, 2, 0, 3}, wsw[4] = {0, 3, 1, 2};
  double f[24] = {0}, F[24], m[9], *at = F;
  f[pl_perm_rank(4, s)] = 1;
  pl_sn_fft *plan = plan_for(4);
  pl_sn_fft_forward(plan, 1, f, 24, F, 24);
  int count;
  pl_partition *p = pl_partitions(4, &count);
  for (int k = 0; k < count; k++) {
    int64_t d = pl_partition_dim(&p[k]);
    pl_young_orthogonal(&p[k], wsw, m);
    for (int64_t i = 0; i < d * d; i++) assert_close(*at++, m[i], 1e-15);
  }
  pl_free(p);
  pl_sn_fft_free(plan);
}

/* Where the direct sum is too dear: random elements, matrices of moderate size. */
static void deltas_at_random_elements(void **state) {
  (void)state;
  for (int n = 7; n <= 9; n++) {
    int64_t order = pl_factorial(n);
    int count;
    double *f = numbers(order), *F = numbers(order), *m = numbers(56 * 56);
    memset(f, 0, (size_t)order * sizeof *f);
    pl_sn_fft *plan = plan_for(n);
    pl_partition *p = pl_partitions(n, &count);
    for (uint64_t trial = 0; trial < 3; trial++) {
      int64_t e = pl_rng_below(3, (uint64_t)n, trial, order), at = 0;
      f[e] = 1;
      pl_sn_fft_forward(plan, 1, f, order, F, order);
      f[e] = 0;
      for (int k = 0; k < count; k++) {
        int64_t d = pl_partition_dim(&p[k]);
        if (d <= 56) {
          irrep_matrix(&p[k], e, m);
          for (int64_t i = 0; i < d * d; i++) assert_close(F[at + i], m[i], 1e-12);
        }
        at += d * d;
      }
    }
    pl_free(p);
    pl_sn_fft_free(plan);
    pl_free(f), pl_free(F), pl_free(m);
  }
}

static void inversion_and_plancherel(void **state) {
  (void)state;
  for (int n = 1; n <= 9; n++) {
    int64_t order = pl_factorial(n), at = 0;
    int count;
    double *f = normals((uint64_t)n, order), *F = numbers(order), *g = numbers(order);
    double *kept = numbers(order);
    pl_sn_fft *plan = plan_for(n);
    memcpy(kept, f, (size_t)order * sizeof *f);
    pl_sn_fft_forward(plan, 1, f, order, F, order);
    assert_memory_equal(f, kept, (size_t)order * sizeof *f);
    memcpy(kept, F, (size_t)order * sizeof *F);
    pl_sn_fft_inverse(plan, 1, F, order, g, order);
    assert_memory_equal(F, kept, (size_t)order * sizeof *F);
    assert_true(distance(order, g, f) < 1e-13);

    double energy = 0, spectral = 0;
    pl_partition *p = pl_partitions(n, &count);
    for (int k = 0; k < count; k++) {
      int64_t d = pl_partition_dim(&p[k]);
      for (int64_t i = 0; i < d * d; i++, at++) spectral += (double)d * F[at] * F[at];
    }
    for (int64_t e = 0; e < order; e++) energy += f[e] * f[e];
    assert_close(spectral / (double)order, energy, 1e-13);

    /* the inverse stands alone too: from coefficients to values and back */
    pl_sn_fft_inverse(plan, 1, f, order, g, order);
    pl_sn_fft_forward(plan, 1, g, order, F, order);
    assert_true(distance(order, F, f) < 1e-12);
    pl_free(p);
    pl_sn_fft_free(plan);
    pl_free(f), pl_free(F), pl_free(g), pl_free(kept);
  }
}

/* f(t^-1 s) has the transform rho(t) F: the group acts on rows, not on columns. */
static void translation_multiplies_from_the_left(void **state) {
  (void)state;
  for (int n = 4; n <= 8; n++) {
    int64_t order = pl_factorial(n), at = 0, t = pl_rng_below(5, 1, (uint64_t)n, order);
    int count;
    double *f = normals((uint64_t)n, order), *g = numbers(order), *m = numbers(3 * 90 * 90);
    double *F = numbers(order), *G = numbers(order), *want = m + 90 * 90;
    int8_t pt[PL_MAX_N], s[PL_MAX_N], ts[PL_MAX_N];
    pl_perm_unrank(n, t, pt);
    for (int64_t e = 0; e < order; e++) {
      pl_perm_unrank(n, e, s);
      pl_perm_compose(n, pt, s, ts);
      g[pl_perm_rank(n, ts)] = f[e];
    }
    pl_sn_fft *plan = plan_for(n);
    pl_sn_fft_forward(plan, 1, f, order, F, order);
    pl_sn_fft_forward(plan, 1, g, order, G, order);
    pl_partition *p = pl_partitions(n, &count);
    for (int k = 0; k < count; k++) {
      int64_t d = pl_partition_dim(&p[k]);
      irrep_matrix(&p[k], t, m);
      product(d, m, F + at, want);
      assert_true(distance(d * d, G + at, want) < 1e-12);
      at += d * d;
    }
    pl_free(p);
    pl_sn_fft_free(plan);
    pl_free(f), pl_free(g), pl_free(m), pl_free(F), pl_free(G);
  }
}

/* A function on the first block (the subgroup S_(n-1)) has block diagonal coefficients: the
 * matrices of the shapes below, in order. */
static void the_first_block_is_the_subgroup(void **state) {
  (void)state;
  for (int n = 2; n <= 9; n++) {
    int64_t order = pl_factorial(n), below = pl_factorial(n - 1), at = 0;
    int count, small;
    double *f = normals((uint64_t)n, order), *F = numbers(order), *G = numbers(below);
    memset(f + below, 0, (size_t)(order - below) * sizeof *f);
    pl_sn_fft *plan = plan_for(n), *sub = plan_for(n - 1);
    pl_sn_fft_forward(plan, 1, f, order, F, order);
    pl_sn_fft_forward(sub, 1, f, below, G, below);
    pl_partition *p = pl_partitions(n, &count), *q = pl_partitions(n - 1, &small);
    for (int k = 0; k < count; k++) {
      int64_t d = pl_partition_dim(&p[k]), corner = 0, from = 0;
      for (int j = 0; j < small; j++) {
        int64_t c = pl_partition_dim(&q[j]);
        pl_partition up;
        int covered = 0;
        for (int r = 0; r <= q[j].rows; r++)
          if (pl_partition_add(&q[j], r, &up)) covered |= pl_partition_compare(&up, &p[k]) == 0;
        for (int64_t a = 0; covered && a < c; a++)
          for (int64_t b = 0; b < d; b++) {
            int inside = b >= corner && b < corner + c;
            double want = inside ? G[from + a * c + b - corner] : 0;
            assert_close(F[at + (corner + a) * d + b], want, 1e-11);
          }
        corner += covered ? c : 0;
        from += c * c;
      }
      assert_int_equal(corner, d);
      at += d * d;
    }
    pl_free(p), pl_free(q);
    pl_sn_fft_free(plan), pl_sn_fft_free(sub);
    pl_free(f), pl_free(F), pl_free(G);
  }
}

/* Strided batches at scattered offsets equal packed transforms one by one; gaps stay untouched. */
static void batches_and_offsets(void **state) {
  (void)state;
  const double mark = 12345;
  for (int n = 1; n <= 8; n++) {
    int64_t order = pl_factorial(n), offset[32], at = 5;
    int count, batch = n == 8 ? 2 : 19;
    pl_partition *p = pl_partitions(n, &count);
    for (int k = count - 1; k >= 0; k--) { /* backwards, with gaps */
      int64_t d = pl_partition_dim(&p[k]);
      offset[k] = at;
      at += d * d + 3;
    }
    int64_t fs = order + 5, Fs = at + 7;
    double *f = normals((uint64_t)n, batch * fs), *g = numbers(batch * fs);
    double *F = numbers(batch * Fs), *one = numbers(order), *want = numbers(Fs);
    pl_sn_fft *plan, *packed = plan_for(n);
    assert_ok(pl_sn_fft_new(n, offset, &plan));
    for (int used = 1; used <= batch; used += used < 10 ? 1 : 3) {
      for (int64_t i = 0; i < batch * Fs; i++) F[i] = mark;
      for (int64_t i = 0; i < batch * fs; i++) g[i] = mark;
      pl_sn_fft_forward(plan, used, f, fs, F, Fs);
      pl_sn_fft_inverse(plan, used, F, Fs, g, fs);
      for (int b = 0; b < batch; b++) {
        for (int64_t i = 0; i < Fs; i++) want[i] = mark;
        if (b < used) {
          pl_sn_fft_forward(packed, 1, f + b * fs, order, one, order);
          int64_t from = 0;
          for (int k = 0; k < count; k++) {
            int64_t d = pl_partition_dim(&p[k]);
            memcpy(want + offset[k], one + from, (size_t)(d * d) * sizeof *one);
            from += d * d;
          }
        }
        for (int64_t i = 0; i < Fs; i++) assert_close(F[b * Fs + i], want[i], 1e-11);
        for (int64_t i = 0; i < fs; i++)
          assert_close(g[b * fs + i], b < used && i < order ? f[b * fs + i] : mark, 1e-13);
      }
    }
    pl_free(p);
    pl_sn_fft_free(plan), pl_sn_fft_free(packed);
    pl_free(f), pl_free(g), pl_free(F), pl_free(one), pl_free(want);
  }
}

/* Transforms of the blocks on S_(n-1), then level n on panels of columns, is the whole transform;
 * and back. */
/* In one array, to the bit. */
static void in_place(void **state) {
  (void)state;
  for (int n = PL_SN_IN_PLACE; n <= 9; n++) {
    int64_t order = pl_factorial(n);
    double *f = normals(3, order), *F = numbers(order), *x = numbers(order);
    pl_sn_fft *plan = plan_for(n);
    memcpy(x, f, (size_t)order * sizeof *x);
    pl_sn_fft_forward(plan, 1, f, order, F, order);
    pl_sn_fft_forward(plan, 1, x, order, x, order);
    assert_memory_equal(x, F, (size_t)order * sizeof *x);
    pl_sn_fft_inverse(plan, 1, F, order, f, order);
    pl_sn_fft_inverse(plan, 1, x, order, x, order);
    assert_memory_equal(x, f, (size_t)order * sizeof *x);
    pl_sn_fft_free(plan);
    pl_free(f);
    pl_free(F);
    pl_free(x);
  }
}

static void levels_compose(void **state) {
  (void)state;
  for (int n = 5; n <= 8; n++) {
    int64_t order = pl_factorial(n), below = pl_factorial(n - 1), base[32], from = 0;
    int count, small;
    double *f = normals((uint64_t)n, order), *G = numbers(order), *F = numbers(order);
    double *H = numbers(order), *g = numbers(order), *want = numbers(order);
    pl_sn_fft *whole = plan_for(n), *sub = plan_for(n - 1);
    pl_sn_level *level;
    assert_ok(pl_sn_level_new(n, &level));
    pl_sn_fft_forward(whole, 1, f, order, want, order);
    for (int b = 0; b < n; b++) pl_sn_fft_forward(sub, 1, f + b * below, 0, G + b * below, 0);

    pl_partition *p = pl_partitions(n, &count), *q = pl_partitions(n - 1, &small);
    for (int k = 0, at = 0; k < count; k++) {
      base[k] = at;
      at += (int)(pl_partition_dim(&p[k]) * pl_partition_dim(&p[k]));
    }
    for (int mu = 0; mu < small; mu++) {
      int64_t c = pl_partition_dim(&q[mu]), step = mu % 2 ? c : (c + 2) / 3;
      const int *lambda;
      const int64_t *column;
      int m = pl_sn_level_covers(level, mu, &lambda, &column);
      for (int64_t u0 = 0; u0 < c; u0 += step) {
        int64_t ncols = u0 + step < c ? step : c - u0;
        double *in[8], *out[5];
        for (int b = 0; b < n; b++) {
          in[b] = numbers(c * ncols);
          for (int64_t t = 0; t < c; t++)
            memcpy(in[b] + t * ncols, G + b * below + from + t * c + u0, (size_t)ncols * sizeof *G);
        }
        for (int l = 0; l < m; l++) out[l] = numbers(pl_partition_dim(&p[lambda[l]]) * ncols);
        pl_sn_level_forward(level, mu, ncols, (const double *const *)in, out);
        for (int l = 0; l < m; l++) {
          int64_t d = pl_partition_dim(&p[lambda[l]]);
          for (int64_t t = 0; t < d; t++)
            memcpy(F + base[lambda[l]] + t * d + column[l] + u0, out[l] + t * ncols,
                   (size_t)ncols * sizeof *F);
        }
        for (int b = 0; b < n; b++) memset(in[b], 0, (size_t)(c * ncols) * sizeof *in[b]);
        pl_sn_level_inverse(level, mu, ncols, (const double *const *)out, in);
        for (int b = 0; b < n; b++) {
          for (int64_t t = 0; t < c; t++)
            memcpy(H + b * below + from + t * c + u0, in[b] + t * ncols, (size_t)ncols * sizeof *H);
          pl_free(in[b]);
        }
        for (int l = 0; l < m; l++) pl_free(out[l]);
      }
      from += c * c;
    }
    assert_true(distance(order, F, want) < 1e-13);
    assert_true(distance(order, H, G) < 1e-13);
    for (int b = 0; b < n; b++) pl_sn_fft_inverse(sub, 1, H + b * below, 0, g + b * below, 0);
    assert_true(distance(order, g, f) < 1e-13);
    pl_free(p), pl_free(q);
    pl_sn_level_free(level);
    pl_sn_fft_free(whole), pl_sn_fft_free(sub);
    pl_free(f), pl_free(G), pl_free(F), pl_free(H), pl_free(g), pl_free(want);
  }
}

static void sizes(void **state) {
  (void)state;
  pl_sn_fft *plan = NULL;
  pl_sn_level *level = NULL;
  assert_int_equal(pl_sn_fft_new(0, NULL, &plan), PL_EINPUT);
  assert_int_equal(pl_sn_fft_new(14, NULL, &plan), PL_EINPUT);
  assert_int_equal(pl_sn_level_new(4, &level), PL_EINPUT);
  assert_null(plan);
  assert_null(level);
  for (int n = 1; n <= 9; n++) {
    int64_t before = pl_mem_bytes();
    plan = plan_for(n);
    double held = (double)(pl_mem_bytes() - before), said = (double)pl_sn_fft_bytes(n);
    assert_true(said <= held && (n < 8 || said > 0.8 * held));
    pl_sn_fft_free(plan);
  }
  assert_true(pl_sn_fft_bytes(11) > pl_factorial(11) * (int64_t)sizeof(double));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(it_is_the_direct_sum),
    cmocka_unit_test(it_agrees_with_clausen),
    cmocka_unit_test(a_delta_gives_the_relabelled_matrix),
    cmocka_unit_test(deltas_at_random_elements),
    cmocka_unit_test(inversion_and_plancherel),
    cmocka_unit_test(translation_multiplies_from_the_left),
    cmocka_unit_test(the_first_block_is_the_subgroup),
    cmocka_unit_test(batches_and_offsets),
    cmocka_unit_test(in_place),
    cmocka_unit_test(levels_compose),
    cmocka_unit_test(sizes),
};
PL_TEST_MAIN(tests)
