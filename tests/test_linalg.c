/* ranks: 1 2 3 4 6 */
#include "patterns.h"
#include "pl_test.h"

#include "base/rng.h"
#include "linalg/bidiag.h"
#include "linalg/svd.h"

#include <float.h>

static const int shapes[][2] = {{1, 1}, {1, 2}, {2, 1}, {1, 3}, {2, 2}, {1, 5}, {2, 3}, {3, 2}};
enum { NSHAPES = sizeof shapes / sizeof *shapes };

/* Entry (i, j) of test matrix number `which`: known on every rank. */
static double entry(int which, int i, int j) {
  return 2 * pl_rng_uniform(1, PL_STREAM(PL_STREAM_MISC, which), (uint64_t)i << 32 | (uint32_t)j) -
         1;
}

/* The shape's grid over the world; false when it does not fit. */
static bool grid_of(int shape, pl_grid **grid) {
  const int *s = shapes[shape];
  if (s[0] * s[1] > pl_test_world.size) return false;
  assert_ok(pl_grid_new(&pl_test_world, s[0], s[1], grid));
  return true;
}

static double *local_of(const pl_dmat *d, int which) {
  double *a = pl_alloc((size_t)pl_dmat_local(d), sizeof *a, "local part");
  for (int j = 0; j < d->ln; j++)
    for (int i = 0; i < d->lm; i++)
      a[i + (int64_t)j * d->lld] = entry(which, pl_dmat_row(d, i), pl_dmat_col(d, j));
  return a;
}

static void check_local(const pl_dmat *d, const double *a, int which) {
  for (int j = 0; j < d->ln; j++)
    for (int i = 0; i < d->lm; i++)
      assert_true(a[i + (int64_t)j * d->lld] == entry(which, pl_dmat_row(d, i), pl_dmat_col(d, j)));
}

/* ---- grids and layouts ---- */

static void shapes_use_most_ranks_and_are_nearly_square(void **state) {
  (void)state;
  for (int ranks = 1; ranks <= 400; ranks++) {
    int p, q;
    pl_grid_shape(ranks, &p, &q);
    assert_true(p >= 1 && p <= q && p * q <= ranks);
    assert_true(5 * p * q >= 4 * ranks || ranks < 8);
    assert_true(q <= 4 * p || ranks < 8);
    int root = (int)(sqrt(ranks) + 0.5);
    if (root * root == ranks) assert_true(p == root && q == root);
  }
}

static void grids_that_do_not_fit_are_refused(void **state) {
  (void)state;
  pl_grid *g = NULL;
  assert_int_equal(pl_grid_new(&pl_test_world, 1, pl_test_world.size + 1, &g), PL_EINPUT);
  assert_int_equal(pl_grid_new(&pl_test_world, 0, 1, &g), PL_EINPUT);
  assert_int_equal(pl_grid_new(&pl_test_world, 1 << 20, 1 << 20, &g), PL_EINPUT);
  assert_null(g);
}

static void every_entry_has_one_home(void **state) {
  (void)state;
  static const int sizes[][3] = {{1, 1, 1}, {13, 7, 3}, {5, 5, 64}, {24, 24, 4}, {3, 50, 2}};
  for (int s = 0; s < NSHAPES; s++) {
    pl_grid *g;
    if (!grid_of(s, &g)) continue;
    for (int k = 0; k < 5; k++) {
      int m = sizes[k][0], n = sizes[k][1], nb = sizes[k][2];
      pl_dmat d;
      assert_ok(pl_dmat_describe(g, m, n, nb, &d));
      double seen[200] = {0};
      for (int j = 0; j < d.ln; j++)
        for (int i = 0; i < d.lm; i++) {
          int row = pl_dmat_row(&d, i), col = pl_dmat_col(&d, j);
          assert_true(row < m && col < n);
          assert_int_equal(row / nb % g->nprow, g->myrow);
          assert_int_equal(col / nb % g->npcol, g->mycol);
          if (m * n <= 200) seen[row * n + col]++;
        }
      double total = (double)pl_dmat_local(&d);
      pl_comm_sum(&pl_test_world, &total, 1);
      assert_close(total, m * n, 0);
      pl_comm_sum(&pl_test_world, seen, 200);
      for (int i = 0; i < m * n && m * n <= 200; i++) assert_close(seen[i], 1, 0);
    }
    pl_grid_free(g);
  }
}

static void blocks_follow_the_grid(void **state) {
  (void)state;
  pl_grid g = pl_grid_elsewhere(2, 3);
  assert_int_equal(pl_dmat_block(&g, 1), 1);
  assert_int_equal(pl_dmat_block(&g, 36), 6);
  assert_int_equal(pl_dmat_block(&g, 37), 7);
  assert_int_equal(pl_dmat_block(&g, 5000), 64);
}

static void local_parts_beyond_int_are_refused(void **state) {
  (void)state;
  pl_grid *g;
  pl_dmat d;
  assert_ok(pl_grid_new(&pl_test_world, 1, 1, &g));
  assert_int_equal(pl_dmat_describe(g, 46341, 46341, 64, &d), PL_EENV);
  assert_non_null(strstr(pl_error_message(), "more ranks"));
  assert_ok(pl_dmat_describe(g, 46340, 46340, 64, &d));
  pl_grid_free(g);
  g = &(pl_grid){.ctx = -1, .nprow = 2, .npcol = 2, .myrow = -1, .mycol = -1};
  assert_ok(pl_dmat_describe(g, 46341, 46341, 64, &d));
  assert_int_equal(pl_dmat_local(&d), 0);
}

/* ---- products ---- */

static void check_gemm(const pl_grid *g, int d, int nb) {
  pl_dmat lay;
  assert_ok(pl_dmat_describe(g, d, d, nb, &lay));
  double *a = local_of(&lay, 1), *b = local_of(&lay, 2);
  for (int ops = 0; ops < 4; ops++) {
    double *c = local_of(&lay, 3);
    bool ta = ops & 1, tb = ops & 2;
    pl_dmat_gemm(ta ? 'T' : 'N', tb ? 'T' : 'N', 0.75, &lay, a, b, -1.5, c);
    for (int j = 0; j < lay.ln; j++)
      for (int i = 0; i < lay.lm; i++) {
        int row = pl_dmat_row(&lay, i), col = pl_dmat_col(&lay, j);
        double sum = 0;
        for (int k = 0; k < d; k++)
          sum += (ta ? entry(1, k, row) : entry(1, row, k)) *
                 (tb ? entry(2, col, k) : entry(2, k, col));
        assert_close(c[i + (int64_t)j * lay.lld], 0.75 * sum - 1.5 * entry(3, row, col),
                     4 * d * DBL_EPSILON);
      }
    pl_free(c);
  }
  pl_free(a);
  pl_free(b);
}

static void products_match_plain_loops(void **state) {
  (void)state;
  for (int s = 0; s < NSHAPES; s++) {
    pl_grid *g;
    if (!grid_of(s, &g)) continue;
    check_gemm(g, 1, 1);
    check_gemm(g, 7, 3);
    check_gemm(g, 7, 64); /* all on one process */
    check_gemm(g, 24, 2); /* blocks everywhere */
    check_gemm(g, 29, pl_dmat_block(g, 29));
    pl_grid_free(g);
  }
}

static void many_grids_live_side_by_side(void **state) {
  (void)state;
  const pl_comm *w = &pl_test_world;
  /* Odd and even ranks apart, each half with a square-ish grid and a 1 x n one that leaves its last
   * rank out, and a grid of the world at the same time; freed in the order they came. */
  pl_comm half = pl_comm_split(w, w->rank % 2, -w->rank);
  int p, q;
  pl_grid *world, *square, *row;
  pl_grid_shape(w->size, &p, &q);
  assert_ok(pl_grid_new(w, p, q, &world));
  pl_grid_shape(half.size, &p, &q);
  assert_ok(pl_grid_new(&half, p, q, &square));
  int fewer = half.size > 1 ? half.size - 1 : 1;
  assert_ok(pl_grid_new(&half, 1, fewer, &row));
  assert_int_equal(row->myrow, half.rank < fewer ? 0 : -1);
  assert_int_equal(row->mycol, half.rank < fewer ? half.rank : -1);
  check_gemm(square, 11, 2);
  check_gemm(world, 11, 2);
  check_gemm(row, 11, 2);
  pl_grid_free(world);
  check_gemm(square, 9, 4);
  pl_grid_free(square);
  check_gemm(row, 9, 4);
  pl_grid_free(row);
  pl_comm_free(&half);
}

/* ---- moving matrices ---- */

static void check_gather(const pl_grid *g, int m, int n, int nb) {
  pl_dmat d;
  assert_ok(pl_dmat_describe(g, m, n, nb, &d));
  double *a = local_of(&d, 4), *full = NULL;
  if (g->comm.rank == 0 && g->myrow == 0) {
    full = pl_alloc((size_t)m * (size_t)n, sizeof *full, "full matrix");
    for (int64_t i = 0; i < (int64_t)m * n; i++) full[i] = NAN;
  }
  pl_dmat_gather(&d, a, full);
  for (int64_t i = 0; full && i < (int64_t)m * n; i++)
    assert_true(full[i] == entry(4, (int)(i % m), (int)(i / m)));
  for (int64_t i = 0; i < pl_dmat_local(&d); i++) a[i] = NAN;
  pl_dmat_scatter(&d, full, a);
  check_local(&d, a, 4);
  pl_free(a);
  pl_free(full);
}

static void gather_and_scatter_are_inverse(void **state) {
  (void)state;
  for (int s = 0; s < NSHAPES; s++) {
    pl_grid *g;
    if (!grid_of(s, &g)) continue;
    check_gather(g, 1, 1, 1);
    check_gather(g, 17, 23, 4);
    check_gather(g, 9, 9, 64);
    check_gather(g, 40, 3, 1);
    pl_grid_free(g);
  }
}

static void large_matrices_move_in_slabs(void **state) {
  (void)state;
  int p, q;
  pl_grid *g;
  pl_grid_shape(pl_test_world.size, &p, &q);
  assert_ok(pl_grid_new(&pl_test_world, p, q, &g));
  check_gather(g, 1100, 4001, 64); /* two slabs and a bit */
  pl_grid_free(g);
}

/* ---- singular values on one rank: tested on one, more would repeat it ---- */

/* x <- x - 2 v (v^H x) / (v^H v) on n entries of stride inc. */
static void reflect(int n, const double _Complex *v, double _Complex *x, int inc) {
  double _Complex dot = 0;
  double norm = 0;
  for (int i = 0; i < n; i++) {
    dot += conj(v[i]) * x[i * inc];
    norm += creal(conj(v[i]) * v[i]);
  }
  for (int i = 0; i < n; i++) x[i * inc] -= 2 * dot / norm * v[i];
}

/* Q1 diag(s) Q2 with random orthogonal (unitary) factors: products of reflections. */
static void with_spectrum(int d, const double *s, bool complex_too, double _Complex *a) {
  double _Complex v[256];
  for (int i = 0; i < d * d; i++) a[i] = i % (d + 1) ? 0 : s[i / d];
  for (int k = 0; k < 2 * d; k++) {
    for (int i = 0; i < d; i++)
      v[i] = entry(10 + k, i, 0) + (complex_too ? I * entry(10 + k, i, 1) : 0);
    for (int j = 0; j < d; j++)
      if (k % 2)
        reflect(d, v, a + (int64_t)j * d, 1);
      else
        reflect(d, v, a + j, d);
  }
}

/* Spectra by name: what each is known for is the trouble it makes. */
typedef enum { FALLING, EQUAL, DEFICIENT, CLUSTERED, SPECTRA } spectrum;
static void fill_spectrum(spectrum kind, int d, double *s) {
  for (int i = 0; i < d; i++) {
    double x = d > 1 ? (double)i / (d - 1) : 0;
    switch (kind) {
    case FALLING:
      s[i] = 3 * pow(10, -12 * x);
      break;
    case EQUAL:
      s[i] = 0.7;
      break;
    case DEFICIENT:
      s[i] = i < (d + 2) / 3 ? 2 - x : 0;
      break;
    default:
      s[i] = i < d / 2 ? 1 : 1e-9;
    }
  }
}

/* Orthogonal reductions err by a small multiple of eps sigma_1 sqrt(d); building a errs as much. */
static double svd_tol(int d) {
  return 8 * DBL_EPSILON * (2 + sqrt(d));
}

static void check_values(int d, const double *got, const double *want, double factor) {
  double tol = svd_tol(d) * want[0] + DBL_MIN;
  for (int i = 0; i < d; i++) {
    if (i > 0) assert_true(got[i] <= got[i - 1]);
    assert_true(got[i] >= 0);
    assert_close((got[i] / factor - want[i]) / tol, 0, 1);
  }
}

static const int dims[] = {1, 2, 3, 4, 16, 90, 130, 193};
enum { NDIMS = sizeof dims / sizeof *dims, MAX_DIM = 256 };

static void local_values_match_the_known_spectrum(void **state) {
  (void)state;
  if (pl_test_world.size > 1) return;
  static double _Complex a[MAX_DIM * MAX_DIM];
  static double real[MAX_DIM * MAX_DIM], s[MAX_DIM], sigma[MAX_DIM];
  pl_svd *svd = pl_svd_new(MAX_DIM, true, NULL);
  for (int k = 0; k < NDIMS; k++)
    for (int kind = 0; kind < SPECTRA; kind++) {
      int d = dims[k];
      fill_spectrum(kind, d, s);
      with_spectrum(d, s, false, a);
      for (int i = 0; i < d * d; i++) real[i] = creal(a[i]);
      assert_ok(pl_svd_real(svd, d, real, sigma));
      check_values(d, sigma, s, 1);
      with_spectrum(d, s, true, a);
      assert_ok(pl_svd_complex(svd, d, (double *)a, sigma));
      check_values(d, sigma, s, 1);
    }
  pl_svd_free(svd);
}

static void lapack_values(int d, double *a, double *sigma) {
  static double work[100 * MAX_DIM];
  static int iwork[8 * MAX_DIM];
  int lwork = 100 * MAX_DIM, info;
  dgesdd_("N", &d, &d, a, &d, sigma, NULL, &d, NULL, &d, work, &lwork, iwork, &info, 1);
  assert_int_equal(info, 0);
}

static void local_values_match_lapack(void **state) {
  (void)state;
  if (pl_test_world.size > 1) return;
  static double a[MAX_DIM * MAX_DIM], b[MAX_DIM * MAX_DIM], want[MAX_DIM], sigma[MAX_DIM];
  pl_svd *svd = pl_svd_new(MAX_DIM, false, NULL);
  for (int d = 1; d <= MAX_DIM; d += d < 40 ? 1 : 27) {
    for (int i = 0; i < d * d; i++) a[i] = b[i] = entry(7, d, i);
    lapack_values(d, b, want);
    assert_ok(pl_svd_real(svd, d, a, sigma));
    check_values(d, sigma, want, 1);
  }
  pl_svd_free(svd);
}

static void two_stages_match_lapack(void **state) {
  (void)state;
  if (pl_test_world.size > 1) return;
  static const int sizes[] = {1,           2,           3,  PL_BAND - 1,     PL_BAND, PL_BAND + 1,
                              PL_BAND + 2, 2 * PL_BAND, 70, 3 * PL_BAND + 1, 130,     200};
  static double a[200 * 200], b[200 * 200], want[200], sigma[200];
  double *work = pl_alloc((size_t)pl_bidiag_work(200, false), sizeof *work, "workspace");
  for (size_t n = 0; n < sizeof sizes / sizeof *sizes; n++)
    for (int k = 0; k < PATTERNS; k++) {
      int d = sizes[n];
      for (int i = 0; i < d * d; i++)
        a[i] = b[i] = pattern_entry(k, i % d, i / d, entry(9, i % d, i / d));
      lapack_values(d, b, want);
      for (int64_t i = 0; i < pl_bidiag_work(d, false); i++) work[i] = NAN;
      assert_int_equal(pl_bidiag_values(d, false, a, sigma, work), 0);
      check_values(d, sigma, want, 1);
    }
  pl_free(work);
}

static void pairs_are_exact_where_they_can_be(void **state) {
  (void)state;
  if (pl_test_world.size > 1) return;
  pl_svd *svd = pl_svd_new(2, true, NULL);
  double sigma[2];
  assert_ok(pl_svd_real(svd, 1, (double[]){-3e-320}, sigma));
  assert_true(sigma[0] == 3e-320);
  assert_ok(pl_svd_complex(svd, 1, (double[]){3e300, -4e300}, sigma));
  assert_close(sigma[0] / 5e300, 1, DBL_EPSILON);
  /* [[1, 1], [0, x]]: sigma_1 -> sqrt 2, sigma_2 -> x / sqrt 2. */
  assert_ok(pl_svd_real(svd, 2, (double[]){1, 1, 0, 1e-200}, sigma));
  assert_close(sigma[0], sqrt(2), 2 * DBL_EPSILON);
  assert_close(sigma[1] / 1e-200, sqrt(0.5), 4 * DBL_EPSILON);
  /* Rotations by any angle and size, and a column that is all but zero. */
  assert_ok(pl_svd_real(svd, 2, (double[]){3e-300, -4e-300, 4e-300, 3e-300}, sigma));
  assert_close(sigma[0] / 5e-300, 1, 4 * DBL_EPSILON);
  assert_close(sigma[1] / 5e-300, 1, 4 * DBL_EPSILON);
  assert_ok(pl_svd_real(svd, 2, (double[]){5e-324, 0, 0.75, 0}, sigma));
  assert_true(sigma[0] == 0.75 && sigma[1] == 0);
  /* Quaternions [[a, -conj b], [b, conj a]] have one value, twice. */
  assert_ok(pl_svd_complex(svd, 2, (double[]){1, 2, -3, 4, 3, 4, 1, -2}, sigma));
  assert_close(sigma[0], sqrt(30), 4 * DBL_EPSILON);
  assert_close(sigma[1], sqrt(30), 4 * DBL_EPSILON);
  pl_svd_free(svd);
}

static void scale_does_not_matter(void **state) {
  (void)state;
  if (pl_test_world.size > 1) return;
  static double _Complex z[40 * 40], zk[40 * 40];
  static double a[40 * 40], s[40], want[40], got[40];
  pl_svd *svd = pl_svd_new(40, true, NULL);
  for (int d = 1; d <= 40; d += d < 3 ? 1 : 37) {
    fill_spectrum(FALLING, d, s);
    for (int e = -1000; e <= 1000; e += 250) {
      with_spectrum(d, s, false, z);
      for (int i = 0; i < d * d; i++) a[i] = creal(z[i]);
      assert_ok(pl_svd_real(svd, d, a, want));
      for (int i = 0; i < d * d; i++) a[i] = ldexp(creal(z[i]), e);
      assert_ok(pl_svd_real(svd, d, a, got));
      /* A power of two changes nothing, except that the smallest may fall out of the range. */
      for (int i = 0; i < d; i++)
        if (e > -900) assert_true(got[i] == ldexp(want[i], e));
      check_values(d, got, s, ldexp(1, e));
      with_spectrum(d, s, true, z);
      for (int i = 0; i < d * d; i++) zk[i] = ldexp(creal(z[i]), e) + I * ldexp(cimag(z[i]), e);
      assert_ok(pl_svd_complex(svd, d, (double *)zk, got));
      check_values(d, got, s, ldexp(1, e));
    }
  }
  pl_svd_free(svd);
}

static void trouble_is_a_status(void **state) {
  (void)state;
  if (pl_test_world.size > 1) return;
  static double a[2 * 40 * 40], sigma[40];
  static const double bad[] = {NAN, INFINITY, -INFINITY};
  pl_svd *svd = pl_svd_new(40, true, NULL);
  for (int d = 1; d <= 40; d += d < 3 ? 1 : 37)
    for (int b = 0; b < 3; b++)
      for (int at = 0; at < d * d; at += 1 + d * d / 5) {
        for (int i = 0; i < 2 * d * d; i++) a[i] = i == at ? bad[b] : 1;
        assert_int_equal(pl_svd_complex(svd, d, a, sigma), PL_NUMERIC);
        for (int i = 0; i < 2 * d * d; i++) a[i] = i == at ? bad[b] : 1;
        assert_int_equal(pl_svd_real(svd, d, a, sigma), PL_NUMERIC);
        assert_non_null(strstr(pl_error_message(), "not finite"));
        for (int i = 0; i < d; i++) assert_true(isnan(sigma[i]));
      }
  /* Finite entries, sigma_1 = 40 DBL_MAX. */
  for (int i = 0; i < 40 * 40; i++) a[i] = DBL_MAX;
  assert_int_equal(pl_svd_real(svd, 40, a, sigma), PL_NUMERIC);
  memset(a, 0, sizeof a);
  assert_ok(pl_svd_real(svd, 40, a, sigma));
  for (int i = 0; i < 40; i++) assert_true(sigma[i] == 0);
  assert_ok(pl_svd_complex(svd, 40, a, sigma));
  for (int i = 0; i < 40; i++) assert_true(sigma[i] == 0);
  assert_ok(pl_svd_real(svd, 0, NULL, NULL));
  pl_svd_free(svd);
}

static void a_plan_takes_what_it_says(void **state) {
  (void)state;
  if (pl_test_world.size > 1) return;
  for (int cplx = 0; cplx < 2; cplx++)
    for (int d = 0; d < 600; d += 199) {
      int64_t before = pl_mem_bytes();
      pl_svd *svd = pl_svd_new(d, cplx, NULL);
      assert_int_equal(pl_mem_bytes() - before, pl_svd_bytes(d, cplx));
      pl_svd_free(svd);
    }
}

/* ---- singular values on a grid ---- */

/* Values of factor * a (d x d, known everywhere) on the grid; the last entry, which one process
 * owns, is replaced by poison unless that is 0. */
static pl_status grid_values(const pl_grid *g, int d, int nb, const double _Complex *a,
                             double factor, double poison, double *sigma) {
  pl_dmat lay;
  assert_ok(pl_dmat_describe(g, d, d, nb, &lay));
  double *x = pl_alloc((size_t)pl_dmat_local(&lay), sizeof *x, "local part");
  for (int j = 0; j < lay.ln; j++)
    for (int i = 0; i < lay.lm; i++) {
      int row = pl_dmat_row(&lay, i), col = pl_dmat_col(&lay, j);
      bool spoil = poison != 0 && row == d - 1 && col == d - 1;
      x[i + (int64_t)j * lay.lld] = spoil ? poison : creal(a[row + (int64_t)col * d]) * factor;
    }
  int64_t lwork = pl_svd_grid_work(&lay);
  double *work = pl_alloc((size_t)lwork, sizeof *work, "workspace");
  pl_status st = pl_svd_grid(&lay, x, sigma, work, lwork);
  pl_free(work);
  pl_free(x);
  return st;
}

static void grid_values_match_the_known_spectrum(void **state) {
  (void)state;
  static double _Complex a[90 * 90];
  static double s[90], sigma[90], first[90];
  static const int sizes[][2] = {{1, 1}, {2, 1}, {5, 2}, {7, 64}, {24, 4}, {61, 8}, {90, 15}};
  static const double factors[] = {1, 1e-200, 1e200, 1e-290};
  for (int sh = 0; sh < NSHAPES; sh++) {
    pl_grid *g;
    if (!grid_of(sh, &g)) continue;
    for (int k = 0; k < 7; k++)
      for (int kind = 0; kind < SPECTRA; kind++) {
        int d = sizes[k][0];
        double f = factors[(k + kind) % 4];
        fill_spectrum(kind, d, s);
        with_spectrum(d, s, false, a);
        assert_ok(grid_values(g, d, sizes[k][1], a, f, 0, sigma));
        if (g->myrow < 0) continue;
        check_values(d, sigma, s, f);
        memcpy(first, sigma, sizeof first);
        pl_comm_bcast(&g->comm, first, sizeof first, 0);
        assert_memory_equal(first, sigma, (size_t)d * sizeof *first);
      }
    pl_grid_free(g);
  }
}

static void grid_trouble_is_one_status_everywhere(void **state) {
  (void)state;
  static double _Complex a[30 * 30];
  static double sigma[30];
  static const double bad[] = {NAN, INFINITY, -INFINITY};
  for (int i = 0; i < 30 * 30; i++) a[i] = entry(8, i, 0);
  for (int sh = 0; sh < NSHAPES; sh++) {
    pl_grid *g;
    if (!grid_of(sh, &g)) continue;
    for (int b = 0; b < 3; b++) {
      pl_status st = grid_values(g, 30, 7, a, 1, bad[b], sigma);
      assert_int_equal(st, g->myrow < 0 ? PL_OK : PL_NUMERIC);
      assert_true(st == PL_OK || strstr(pl_error_message(), "not finite"));
      for (int i = 0; i < 30 && g->myrow >= 0; i++) assert_true(isnan(sigma[i]));
    }
    assert_ok(grid_values(g, 30, 7, a, 0, 0, sigma));
    for (int i = 0; i < 30 && g->myrow >= 0; i++) assert_true(sigma[i] == 0);
    pl_grid_free(g);
  }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(shapes_use_most_ranks_and_are_nearly_square),
    cmocka_unit_test(grids_that_do_not_fit_are_refused),
    cmocka_unit_test(every_entry_has_one_home),
    cmocka_unit_test(blocks_follow_the_grid),
    cmocka_unit_test(local_parts_beyond_int_are_refused),
    cmocka_unit_test(products_match_plain_loops),
    cmocka_unit_test(many_grids_live_side_by_side),
    cmocka_unit_test(gather_and_scatter_are_inverse),
    cmocka_unit_test(large_matrices_move_in_slabs),
    cmocka_unit_test(local_values_match_the_known_spectrum),
    cmocka_unit_test(local_values_match_lapack),
    cmocka_unit_test(two_stages_match_lapack),
    cmocka_unit_test(pairs_are_exact_where_they_can_be),
    cmocka_unit_test(scale_does_not_matter),
    cmocka_unit_test(trouble_is_a_status),
    cmocka_unit_test(a_plan_takes_what_it_says),
    cmocka_unit_test(grid_values_match_the_known_spectrum),
    cmocka_unit_test(grid_trouble_is_one_status_everywhere),
};
PL_TEST_MAIN(tests)
