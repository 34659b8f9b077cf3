/* ranks: 1 */
#include "pl_test.h"

#include "base/rng.h"
#include "group/fourier.h"

#include <complex.h>

static const char *const specs[] = {"C_1",
                                    "C_2",
                                    "C_7",
                                    "C_12",
                                    "C_33",
                                    "C_64",
                                    "C_101",
                                    "D_1",
                                    "D_2",
                                    "D_3",
                                    "D_16",
                                    "D_17",
                                    "D_40",
                                    "Q_8",
                                    "S_1",
                                    "S_3",
                                    "S_4",
                                    "S_5",
                                    "C_3 x C_3",
                                    "C_4 x C_6",
                                    "C_5 x C_3 x C_4",
                                    "C_2 x C_2 x C_2 x C_2",
                                    "C_33 x C_4",
                                    "C_4 x C_34",
                                    "S_3 x C_4",
                                    "C_5 x D_3",
                                    "D_5 x D_18",
                                    "S_4 x C_2",
                                    "C_2 x S_4",
                                    "S_5 x C_3",
                                    "Q_8 x Q_8",
                                    "Q_8 x C_3",
                                    "C_3 x Q_8",
                                    "Q_8 x S_3",
                                    "S_3 x Q_8",
                                    "Q_8 x Q_8 x Q_8",
                                    "Q_8 x Q_8 x C_3",
                                    "C_4 x Q_8 x C_3",
                                    "S_3 x S_4"};
enum { NUM_SPECS = sizeof specs / sizeof *specs };

static pl_group *parse(const char *spec) {
  pl_group *g = NULL;
  assert_ok(pl_group_parse(spec, &g));
  return g;
}

static double *doubles(int64_t n) {
  return pl_alloc((size_t)n, sizeof(double), "doubles");
}

static uint32_t draws;
static double *random_function(int64_t n) {
  double *f = doubles(n);
  pl_rng_normals(3, PL_STREAM(PL_STREAM_MISC, draws++), 0, n, f);
  return f;
}

/* max |a - b| / max |b| */
static double distance(int64_t n, const double *a, const double *b) {
  double worst = 0, size = 0;
  for (int64_t i = 0; i < n; i++) {
    worst = fmax(worst, fabs(a[i] - b[i]));
    size = fmax(size, fabs(b[i]));
  }
  return worst / size;
}

static void fast_equals_direct_sum(void **state) {
  (void)state;
  for (int s = 0; s < NUM_SPECS; s++) {
    pl_group *g = parse(specs[s]);
    int64_t n = pl_group_order(g), size = pl_fourier_size(g), sum = 0;
    for (int64_t i = 0; i < pl_group_num_irreps(g); i++) sum += pl_irrep_size(pl_group_irrep(g, i));
    assert_int_equal(size, sum);
    double *f = random_function(n), *F = doubles(size), *want = doubles(size), *back = doubles(n);
    pl_fourier *plan;
    assert_ok(pl_fourier_new(g, NULL, &plan));
    pl_fourier_forward_direct(g, f, want);
    pl_fourier_forward(plan, 1, f, n, F, size);
    assert_close(distance(size, F, want), 0, 1e-12);
    pl_fourier_inverse(plan, 1, want, size, back, n);
    assert_close(distance(n, back, f), 0, 1e-12);
    pl_fourier_inverse_direct(g, want, back);
    assert_close(distance(n, back, f), 0, 1e-12);
    pl_fourier_free(plan);
    pl_free(f);
    pl_free(F);
    pl_free(want);
    pl_free(back);
    pl_group_free(g);
  }
}

/* sum f h = (1/|G|) sum m d Re tr(F^H H) */
static void plancherel_holds(void **state) {
  (void)state;
  for (int s = 0; s < NUM_SPECS; s++) {
    pl_group *g = parse(specs[s]);
    int64_t n = pl_group_order(g), size = pl_fourier_size(g);
    double *f = random_function(2 * n), *F = doubles(2 * size);
    pl_fourier *plan;
    assert_ok(pl_fourier_new(g, NULL, &plan));
    pl_fourier_forward(plan, 2, f, n, F, size);
    double direct = cblas_ddot((int)n, f, 1, f + n, 1), spectral = 0;
    const double *a = F, *b = F + size;
    for (int64_t i = 0; i < pl_group_num_irreps(g); i++) {
      pl_irrep r = pl_group_irrep(g, i);
      int64_t k = pl_irrep_size(r);
      spectral += (double)r.mult * r.dim / (double)n * cblas_ddot((int)k, a, 1, b, 1);
      a += k, b += k;
    }
    assert_close(spectral / (double)n, direct / (double)n, 1e-12);
    pl_fourier_free(plan);
    pl_free(f);
    pl_free(F);
    pl_group_free(g);
  }
}

/* C = A B, real or complex, d x d. */
static void multiply(pl_irrep r, const double *A, const double *B, double *C) {
  int d = r.dim;
  const double complex one = 1, zero = 0;
  if (r.type == PL_REAL)
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, d, d, d, 1, A, d, B, d, 0, C, d);
  else
    cblas_zgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, d, d, d, &one, A, d, B, d, &zero, C, d);
}

static void convolution_becomes_product(void **state) {
  (void)state;
  for (int s = 0; s < NUM_SPECS; s++) {
    pl_group *g = parse(specs[s]);
    int64_t n = pl_group_order(g), size = pl_fourier_size(g);
    double *f = random_function(3 * n), *F = doubles(3 * size), *want = doubles(size);
    double *a = f, *b = f + n, *conv = f + 2 * n;
    memset(conv, 0, (size_t)n * sizeof *conv);
    for (int64_t x = 0; x < n; x++)
      for (int64_t y = 0; y < n; y++) conv[pl_group_mul(g, x, y)] += a[x] * b[y];
    pl_fourier *plan;
    assert_ok(pl_fourier_new(g, NULL, &plan));
    pl_fourier_forward(plan, 3, f, n, F, size);
    for (int64_t i = 0, at = 0; i < pl_group_num_irreps(g); i++) {
      pl_irrep r = pl_group_irrep(g, i);
      multiply(r, F + at, F + size + at, want + at);
      at += pl_irrep_size(r);
    }
    assert_close(distance(size, F + 2 * size, want), 0, 1e-12);
    pl_fourier_free(plan);
    pl_free(f);
    pl_free(F);
    pl_free(want);
    pl_group_free(g);
  }
}

/* Irreps in reverse order with gaps of 3, functions and records apart by more than they need. */
static void offsets_and_strides_are_kept(void **state) {
  (void)state;
  enum { BATCH = 5, GAP = 3 };
  for (int s = 0; s < NUM_SPECS; s++) {
    pl_group *g = parse(specs[s]);
    int64_t n = pl_group_order(g), irreps = pl_group_num_irreps(g), size = pl_fourier_size(g);
    int64_t *offset = pl_alloc((size_t)irreps, sizeof *offset, "offset"), width = 0;
    for (int64_t i = irreps - 1; i >= 0; i--) {
      offset[i] = width;
      width += pl_irrep_size(pl_group_irrep(g, i)) + GAP;
    }
    int64_t f_stride = n + 4, F_stride = width + 6;
    double *f = random_function(BATCH * f_stride), *back = doubles(BATCH * f_stride);
    double *F = doubles(BATCH * F_stride), *packed = doubles(size);
    for (int64_t i = 0; i < BATCH * F_stride; i++) F[i] = 77;
    for (int64_t i = 0; i < BATCH * f_stride; i++) back[i] = 77;
    pl_fourier *plan, *plain;
    assert_ok(pl_fourier_new(g, offset, &plan));
    assert_ok(pl_fourier_new(g, NULL, &plain));
    int64_t live = pl_mem_live();
    pl_fourier_forward(plan, BATCH, f, f_stride, F, F_stride);
    for (int b = 0; b < BATCH; b++) {
      pl_fourier_forward(plain, 1, f + b * f_stride, n, packed, size);
      double *record = F + b * F_stride;
      int64_t from = 0, touched = 0;
      for (int64_t i = 0; i < irreps; i++) {
        int64_t k = pl_irrep_size(pl_group_irrep(g, i));
        for (int64_t c = 0; c < k; c++)
          assert_close(record[offset[i] + c], packed[from + c], 1e-11);
        for (int c = 0; c < GAP; c++) assert_true(record[offset[i] + k + c] == 77);
        from += k;
      }
      for (int64_t c = width; c < F_stride; c++) touched += record[c] != 77;
      assert_int_equal(touched, 0);
    }
    pl_fourier_inverse(plan, BATCH, F, F_stride, back, f_stride);
    assert_int_equal(pl_mem_live(), live);
    for (int b = 0; b < BATCH; b++) {
      assert_close(distance(n, back + b * f_stride, f + b * f_stride), 0, 1e-12);
      for (int64_t c = n; c < f_stride; c++) assert_true(back[b * f_stride + c] == 77);
    }
    pl_fourier_free(plan);
    pl_fourier_free(plain);
    pl_free(offset);
    pl_free(f);
    pl_free(back);
    pl_free(F);
    pl_free(packed);
    pl_group_free(g);
  }
}

/* Round trips, and a few irreps of a function with few nonzeros against their direct sums. */
static void large_groups(void **state) {
  (void)state;
  static const char *const large[] = {"C_65536",
                                      "C_99991",
                                      "C_1000 x C_100",
                                      "D_5000",
                                      "C_10 x C_10 x C_10 x C_10",
                                      "C_40 x D_50 x Q_8",
                                      "S_7",
                                      "S_6 x C_50",
                                      "C_3 x S_5 x Q_8"};
  for (size_t s = 0; s < sizeof large / sizeof *large; s++) {
    pl_group *g = parse(large[s]);
    int64_t n = pl_group_order(g), size = pl_fourier_size(g), irreps = pl_group_num_irreps(g);
    double *f = random_function(n), *F = doubles(size), *back = doubles(n);
    pl_fourier *plan;
    assert_ok(pl_fourier_new(g, NULL, &plan));
    pl_fourier_forward(plan, 1, f, n, F, size);
    pl_fourier_inverse(plan, 1, F, size, back, n);
    assert_close(distance(n, back, f), 0, 1e-12);

    enum { NONZERO = 6 };
    int64_t element[NONZERO];
    memset(back, 0, (size_t)n * sizeof *back);
    for (int k = 0; k < NONZERO; k++) {
      element[k] = pl_rng_below(1, PL_STREAM(PL_STREAM_MISC, 9), (uint64_t)k, n);
      back[element[k]] = f[k];
    }
    pl_fourier_forward(plan, 1, back, n, F, size);
    int64_t step = irreps > 300 ? irreps / 300 : 1;
    const double *at = F;
    for (int64_t i = 0; i < irreps; i++) {
      int64_t k = pl_irrep_size(pl_group_irrep(g, i));
      if (i % step == 0) {
        double *want = doubles(k), *rho = doubles(k);
        memset(want, 0, (size_t)k * sizeof *want);
        for (int e = 0; e < NONZERO; e++) {
          pl_group_irrep_matrix(g, i, element[e], rho);
          cblas_daxpy((int)k, back[element[e]], rho, 1, want, 1);
        }
        for (int64_t c = 0; c < k; c++) assert_close(at[c], want[c], 1e-12);
        pl_free(want);
        pl_free(rho);
      }
      at += k;
    }
    pl_fourier_free(plan);
    pl_free(f);
    pl_free(F);
    pl_free(back);
    pl_group_free(g);
  }
}

static void batches_equal_single_transforms(void **state) {
  (void)state;
  static const char *const several[] = {"Q_8", "C_3 x Q_8", "S_3 x C_40", "C_100"};
  enum { BATCH = 3000 };
  for (size_t s = 0; s < sizeof several / sizeof *several; s++) {
    pl_group *g = parse(several[s]);
    int64_t n = pl_group_order(g), size = pl_fourier_size(g);
    double *f = random_function(BATCH * n), *F = doubles(BATCH * size), *one = doubles(size);
    double *back = doubles(BATCH * n);
    pl_fourier *plan;
    assert_ok(pl_fourier_new(g, NULL, &plan));
    pl_fourier_forward(plan, BATCH, f, n, F, size);
    for (int b = 0; b < BATCH; b += 59) {
      pl_fourier_forward(plan, 1, f + b * n, n, one, size);
      assert_close(distance(size, F + b * size, one), 0, 1e-13);
    }
    pl_fourier_inverse(plan, BATCH, F, size, back, n);
    assert_close(distance(BATCH * n, back, f), 0, 1e-12);
    pl_fourier_free(plan);
    pl_free(f);
    pl_free(F);
    pl_free(one);
    pl_free(back);
    pl_group_free(g);
  }
}

static void plans_too_large_are_refused(void **state) {
  (void)state;
  pl_group *g = parse("C_1000000 x C_1000000");
  pl_fourier *plan = NULL;
  assert_int_equal(pl_fourier_new(g, NULL, &plan), PL_EENV);
  assert_null(plan);
  assert_non_null(strstr(pl_error_message(), "GB of memory"));
  assert_true(pl_fourier_bytes(g) > INT64_C(8000000000000));
  pl_group_free(g);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(fast_equals_direct_sum),
    cmocka_unit_test(plancherel_holds),
    cmocka_unit_test(convolution_becomes_product),
    cmocka_unit_test(offsets_and_strides_are_kept),
    cmocka_unit_test(batches_equal_single_transforms),
    cmocka_unit_test(large_groups),
    cmocka_unit_test(plans_too_large_are_refused),
};
PL_TEST_MAIN(tests)
