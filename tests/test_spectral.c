/* ranks: 1 2 3 4 6 */
#include "mapping.h"
#include "pl_test.h"

#include "base/rng.h"
#include "group/fourier.h"
#include "spectral/packed.h"
#include "spectral/spectrum.h"
#include "spectral/transform.h"

/* A layout of a group over the world: by share, or with every irrep of at least min_dim on grids
 * of grid_ranks ranks. */
typedef struct fixture {
  pl_group *g;
  pl_layout *l;
  pl_transform *t;
  int64_t order, first, count;
} fixture;

static fixture make(const char *spec, int min_dim, int grid_ranks, int block,
                    int64_t stack_doubles) {
  fixture x = {0};
  assert_ok(pl_group_parse(spec, &x.g));
  pl_mapping *m = test_mapping(x.g, min_dim, grid_ranks);
  assert_ok(pl_layout_new(x.g, &pl_test_world, m, block, stack_doubles, &x.l));
  assert_ok(pl_transform_new(x.l, &x.t));
  pl_mapping_free(m);
  x.order = pl_group_order(x.g);
  x.first = pl_transform_first(x.t);
  x.count = pl_transform_count(x.t);
  return x;
}

static void drop(fixture *x) {
  pl_transform_free(x->t);
  pl_layout_free(x->l);
  pl_group_free(x->g);
}

static double value(int k, int64_t g) {
  double v;
  pl_rng_normals(7, (uint64_t)k, g, 1, &v);
  return v;
}

static double *function(const fixture *x, int k) {
  double *f = pl_alloc((size_t)x->count, sizeof *f, "f");
  for (int64_t i = 0; i < x->count; i++) f[i] = value(k, x->first + i);
  return f;
}

static double *whole_function(const fixture *x, int k) {
  double *f = pl_alloc((size_t)x->order, sizeof *f, "f");
  for (int64_t i = 0; i < x->order; i++) f[i] = value(k, i);
  return f;
}

static double *spectrum(const fixture *x) {
  return pl_zalloc((size_t)x->l->local, sizeof(double), "spectrum");
}

/* Where each stack of a spectrum stands, as pl_packed wants it. */
static double **places(const pl_layout *l, double *F) {
  double **at = pl_alloc((size_t)l->num_stacks, sizeof *at, "places");
  for (int i = 0; i < l->num_stacks; i++) at[i] = F + l->stacks[i].offset;
  return at;
}

/* The spectrum equals the coefficients of a plain plan, on rank 0, through gather. */
static void compare(const fixture *x, double *F, const double *packed, double tol) {
  pl_packed *order = pl_packed_new(x->l);
  int64_t n = pl_packed_doubles(order);
  assert_int_equal(n, pl_fourier_size(x->g));
  double *full = pl_alloc((size_t)n, sizeof *full, "gathered"), **at = places(x->l, F);
  pl_packed_gather(order, at, 0, n, full);
  for (int64_t k = 0; x->l->team.rank == 0 && k < n; k++) assert_close(full[k], packed[k], tol);
  pl_free(at);
  pl_free(full);
  pl_packed_free(order);
}

static double *plain_transform(const fixture *x, const double *f) {
  pl_fourier *plan;
  double *packed = pl_alloc((size_t)pl_fourier_size(x->g), sizeof *packed, "packed");
  assert_ok(pl_fourier_new(x->g, NULL, &plan));
  pl_fourier_forward(plan, 1, f, 0, packed, 0);
  pl_fourier_free(plan);
  return packed;
}

typedef struct config {
  const char *group;
  int min_dim, grid_ranks, block;
  int64_t stack_doubles;
} config;
/* Whole irreps; 1 x N grids; 2 x 2 and 2 x 3 grids; blocks that divide nothing; small stacks. */
static const config configs[] = {
    {"S_5", 100, 0, 0, 1 << 20}, {"S_5", 4, 2, 2, 1 << 20},  {"S_5", 2, 4, 1, 4},
    {"S_6", 4, 6, 3, 1 << 20},   {"S_6", 5, 3, 2, 30},       {"S_4", 2, 6, 1, 1},
    {"C_12", 1, 2, 1, 4},        {"Q_8 x C_3", 2, 4, 1, 8},  {"D_30", 2, 6, 1, 20},
    {"Q_8 x Q_8", 2, 4, 1, 16},  {"S_7", 14, 2, 0, 1 << 20}, {"S_7", 10, 0, 0, 1 << 20},
};
#define FOR_CONFIGS(c) for (size_t c = 0; c < sizeof configs / sizeof *configs; c++)

static fixture make_config(size_t c) {
  config k = configs[c];
  return make(k.group, k.min_dim, k.grid_ranks, k.block, k.stack_doubles);
}

static void transforms_of_a_team_equal_those_of_one_rank(void **state) {
  (void)state;
  FOR_CONFIGS(c) {
    fixture x = make_config(c);
    double *f = function(&x, 1), *F = spectrum(&x), *back = function(&x, 2);
    double *whole = whole_function(&x, 1), *packed = plain_transform(&x, whole);
    pl_transform_forward(x.t, f, F);
    compare(&x, F, packed, 1e-11 * sqrt((double)x.order));
    pl_transform_inverse(x.t, F, back);
    for (int64_t i = 0; i < x.count; i++) assert_close(back[i], f[i], 1e-12);
    double *full = pl_zalloc((size_t)x.order, sizeof *full, "full");
    pl_transform_gather(x.t, f, full);
    for (int64_t i = 0; pl_test_world.rank == 0 && i < x.order; i++)
      assert_true(full[i] == whole[i]);
    memset(back, 0, (size_t)x.count * sizeof *back);
    pl_transform_scatter(x.t, whole, back);
    for (int64_t i = 0; i < x.count; i++) assert_true(back[i] == f[i]);
    double *all[] = {f, F, back, whole, packed, full};
    for (int k = 0; k < 6; k++) pl_free(all[k]);
    drop(&x);
  }
}

/* (a*b)(u) = sum_{gh=u} a(g) b(h); with a(g^-1) or b(h^-1) for the adjoint products. */
static void products_are_convolutions(void **state) {
  (void)state;
  FOR_CONFIGS(c) {
    if (configs[c].group[2] == '7') continue; /* |G|^2 */
    fixture x = make_config(c);
    double *a = whole_function(&x, 1), *b = whole_function(&x, 2);
    double *f = function(&x, 1), *h = function(&x, 2);
    double *A = spectrum(&x), *B = spectrum(&x), *C = spectrum(&x);
    double *got = function(&x, 3), *want = pl_alloc((size_t)x.order, sizeof *want, "want");
    double *D = spectrum(&x);
    pl_transform_forward(x.t, f, A);
    pl_transform_forward(x.t, h, B);
    for (pl_product op = PL_NN; op <= PL_NC; op++) {
      memset(want, 0, (size_t)x.order * sizeof *want);
      for (int64_t p = 0; p < x.order; p++)
        for (int64_t q = 0; q < x.order; q++)
          want[pl_group_mul(x.g, p, q)] +=
              a[op == PL_CN ? pl_group_inv(x.g, p) : p] * b[op == PL_NC ? pl_group_inv(x.g, q) : q];
      for (int i = 0; i < x.l->num_stacks; i++) {
        const pl_stack *t = &x.l->stacks[i];
        double *product = C + t->offset, *mixed = D + t->offset;
        int64_t n = pl_stack_doubles(t);
        pl_stack_mul(t, op, A + t->offset, B + t->offset, product);
        memcpy(mixed, product, (size_t)n * sizeof *mixed);
        pl_stack_mul_add(t, op, 0.5, A + t->offset, B + t->offset, -2, mixed);
        for (int64_t k = 0; k < n; k++)
          assert_close(mixed[k], -1.5 * product[k], 1e-12 * (double)x.order);
      }
      pl_transform_inverse(x.t, C, got);
      for (int64_t i = 0; i < x.count; i++)
        assert_close(got[i], want[x.first + i], 1e-12 * (double)x.order);
    }
    double *all[] = {a, b, f, h, A, B, C, D, got, want};
    for (int k = 0; k < 10; k++) pl_free(all[k]);
    drop(&x);
  }
}

/* Every way there is to multiply, against sums; what is overwritten is not read. */
static void products_of_any_dimension(void **state) {
  (void)state;
  enum { MOST = 45, COUNT = 2, ALL = COUNT * MOST * MOST };
  static double a[ALL], b[ALL], c[ALL + 1], old[ALL];
  pl_rng_normals(7, 90, 0, ALL, a);
  pl_rng_normals(7, 91, 0, ALL, b);
  pl_rng_normals(7, 92, 0, ALL, old);
  for (int d = 1; d <= MOST; d++)
    for (int how = 0; how < 9; how++) {
      pl_product op = (pl_product)(how % 3);
      double alpha = how < 3 ? 1 : -1.5, beta = how < 3 ? 0 : how < 6 ? 1 : .25;
      int64_t size = (int64_t)d * d, n = COUNT * size;
      pl_stack stack = {
          .dim = d, .type = PL_REAL, .count = COUNT, .grid = -1, .here = true, .size = size};
      for (int64_t k = 0; k < n; k++) c[k] = how < 3 ? NAN : old[k];
      c[n] = 7;
      if (how < 3)
        pl_stack_mul(&stack, op, a, b, c);
      else
        pl_stack_mul_add(&stack, op, alpha, a, b, beta, c);
      for (int64_t k = 0; k < n; k++) {
        const double *x = a + k / size * size, *y = b + k / size * size;
        int64_t i = k % size / d, j = k % d;
        double sum = 0;
        for (int l = 0; l < d; l++)
          sum += (op == PL_CN ? x[l * d + i] : x[i * d + l]) *
                 (op == PL_NC ? y[j * d + l] : y[l * d + j]);
        assert_close(c[k], alpha * sum + (how < 3 ? 0 : beta * old[k]), 1e-13);
      }
      assert_true(c[n] == 7);
    }
}

static void sums_and_singular_values_obey_plancherel(void **state) {
  (void)state;
  FOR_CONFIGS(c) {
    fixture x = make_config(c);
    const pl_layout *l = x.l;
    double *f = function(&x, 1), *h = function(&x, 2), *F = spectrum(&x), *H = spectrum(&x);
    pl_transform_forward(x.t, f, F);
    pl_transform_forward(x.t, h, H);
    double sums[5] = {0}; /* <f,f>, <f,h>, the same in Fourier space, sum of squared sigma */
    for (int64_t i = 0; i < x.count; i++) {
      sums[0] += f[i] * f[i];
      sums[1] += f[i] * h[i];
    }
    double norm = pl_spectrum_norm(l, F);
    for (int64_t k = 0; k < l->local; k++) F[k] *= 0x1p-900;
    assert_true(pl_spectrum_norm(l, F) == 0x1p-900 * norm);
    for (int64_t k = 0; k < l->local; k++) F[k] *= 0x1p900;
    pl_spectrum_svd *w = pl_spectrum_svd_new(l, NULL);
    for (int i = 0; i < l->num_stacks; i++) {
      const pl_stack *b = &l->stacks[i];
      double *sigma = pl_alloc((size_t)(b->count * b->dim), sizeof *sigma, "sigma");
      sums[2] += b->weight * pl_sum_squares(pl_stack_doubles(b), F + b->offset);
      pl_multi_dot(1, pl_stack_doubles(b), b->weight, F + b->offset, 0, H + b->offset, &sums[3]);
      assert_ok(pl_stack_singular_values(l, b, F + b->offset, w, sigma));
      for (int64_t k = 0; b->owner == l->team.rank && k < b->count * b->dim; k++)
        sums[4] += b->weight * sigma[k] * sigma[k];
      pl_free(sigma);
    }
    pl_comm_sum(&pl_test_world, sums, 5);
    assert_close(sums[2], sums[0], 1e-11);
    assert_close(sums[3], sums[1], 1e-10);
    assert_close(sums[4], sums[0], 1e-11);
    assert_close(norm, sqrt(sums[0]), 1e-11);
    pl_spectrum_svd_free(w);
    pl_free(f);
    pl_free(h);
    pl_free(F);
    pl_free(H);
    drop(&x);
  }
}

static void scatter_undoes_gather(void **state) {
  (void)state;
  FOR_CONFIGS(c) {
    fixture x = make_config(c);
    double *f = function(&x, 1), *F = spectrum(&x), *H = spectrum(&x);
    pl_transform_forward(x.t, f, F);
    pl_packed *order = pl_packed_new(x.l);
    enum { PIECE = 37 }; /* matrices are cut anywhere */
    double piece[PIECE], **from = places(x.l, F), **to = places(x.l, H);
    for (int64_t at = 0, total = pl_packed_doubles(order); at < total; at += PIECE) {
      int64_t n = total - at < PIECE ? total - at : PIECE;
      pl_packed_gather(order, from, at, n, piece);
      pl_packed_scatter(order, to, at, n, piece);
    }
    assert_memory_equal(F, H, (size_t)x.l->local * sizeof *F);
    pl_free(from);
    pl_free(to);
    pl_packed_free(order);
    pl_free(f);
    pl_free(F);
    pl_free(H);
    drop(&x);
  }
}

/* Proportional mapping: the large irrep gets a grid, loads stay near the mean. */
static void mapping_is_proportional(void **state) {
  (void)state;
  enum { N = 6 };
  const double cost[N] = {60, 10, 10, 10, 5, 5};
  const int dim[N] = {60, 10, 10, 10, 5, 5};
  const bool real[N] = {true, true, true, true, true, true};
  pl_mapping *m = pl_mapping_new(5, N, cost, dim, real, (pl_mapping_options){20, 0, 1});
  assert_int_equal(m->num_grids, 1);
  assert_int_equal(m->place[0].grid, 0);
  assert_int_equal(m->grids[0].nprow * m->grids[0].npcol, 3);
  assert_close(m->imbalance, 1, 1e-12);
  pl_mapping_free(m);
  /* Not spreadable, or too small: whole. */
  m = pl_mapping_new(5, N, cost, dim, real, (pl_mapping_options){61, 0, 1});
  assert_int_equal(m->num_grids, 0);
  assert_close(m->imbalance, 3, 1e-12);
  pl_mapping_free(m);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(transforms_of_a_team_equal_those_of_one_rank),
    cmocka_unit_test(products_are_convolutions),
    cmocka_unit_test(products_of_any_dimension),
    cmocka_unit_test(sums_and_singular_values_obey_plancherel),
    cmocka_unit_test(scatter_undoes_gather),
    cmocka_unit_test(mapping_is_proportional),
};
PL_TEST_MAIN(tests)
