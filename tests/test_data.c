/* ranks: 1 3 */
#include "pl_test.h"

#include "../src/model/data_internal.h"
#include "run/config.h"
#include "spectral/spectrum.h"

/* Over the world: irreps of dimension 2 and more on a grid of all ranks. */
static pl_layout *spread(const pl_group *g) {
  int64_t n = pl_group_num_irreps(g);
  double *cost = pl_alloc((size_t)n, sizeof *cost, "cost");
  int *dim = pl_alloc((size_t)n, sizeof *dim, "dim");
  bool *real = pl_alloc((size_t)n, sizeof *real, "real");
  for (int64_t i = 0; i < n; i++) {
    pl_irrep r = pl_group_irrep(g, i);
    cost[i] = dim[i] = r.dim;
    real[i] = r.type == PL_REAL;
  }
  int ranks = pl_test_world.size;
  pl_mapping_options opt = {2, ranks > 1 ? ranks : 0, 0.75};
  pl_mapping *m = pl_mapping_new(ranks, n, cost, dim, real, opt);
  pl_layout *l;
  assert_ok(pl_layout_new(g, &pl_test_world, m, 1, 1000, &l));
  pl_mapping_free(m);
  pl_free(cost);
  pl_free(dim);
  pl_free(real);
  return l;
}

static const char *const sweeps[] = {
    "group: S_5\ndata: {kind: teacher, irreps: ['3,1,1', '4,1'], rank: 2, margin: 0.75, scale: 1}",
    "group: Q_8 x C_3\ndata: {kind: teacher, irreps: [H x 0], margin: 0.75, scale: 1}",
    "group: D_7\ndata: {kind: teacher, irreps: [E2], margin: 0.75, scale: 1}",
};
static const int ranks_of[] = {2, 2, 1}; /* a quaternionic rank counts twice */

/* The teacher over the group, whole, on rank 0 of the layout's team. */
static double *teacher(const pl_spec *spec, const pl_group *g, const pl_layout *l, double **F) {
  int64_t *irreps = pl_alloc((size_t)spec->data_irreps.n, sizeof *irreps, "irreps");
  for (int k = 0; k < spec->data_irreps.n; k++)
    irreps[k] = pl_group_irrep_by_label(g, spec->data_irreps.v[k]);
  int64_t *packed = data_packed_offsets(g);
  pl_transform *t;
  assert_ok(pl_transform_new(l, &t));
  *F = pl_alloc((size_t)l->local, sizeof **F, "teacher");
  data_teacher(spec, l, packed, 0, irreps, *F);
  double *f = pl_alloc((size_t)pl_transform_count(t), sizeof *f, "f");
  double *whole = pl_zalloc((size_t)pl_group_order(g), sizeof *whole, "whole");
  pl_transform_inverse(t, *F, f);
  pl_transform_gather(t, f, whole);
  pl_transform_free(t);
  pl_free(irreps);
  pl_free(packed);
  pl_free(f);
  return whole;
}

static void check_ranks(const pl_spec *spec, const pl_layout *l, const double *F, int rank) {
  pl_spectrum_svd *svd = pl_spectrum_svd_new(l);
  for (int i = 0; i < l->num_stacks; i++) {
    const pl_stack *b = &l->stacks[i];
    double *sigma = pl_alloc((size_t)(b->count * b->dim), sizeof *sigma, "sigma");
    double *copy = pl_alloc((size_t)pl_stack_doubles(b), sizeof *copy, "copy");
    memcpy(copy, F + b->offset, (size_t)pl_stack_doubles(b) * sizeof *copy);
    assert_ok(pl_stack_singular_values(l, b, copy, svd, sigma));
    for (int64_t k = 0; k < b->count; k++) {
      int want = 0, have = 0;
      for (int j = 0; j < spec->data_irreps.n; j++)
        if (pl_group_irrep_by_label(l->group, spec->data_irreps.v[j]) == b->irrep[k]) want = rank;
      for (int j = 0; j < b->dim; j++) have += sigma[k * b->dim + j] > 1e-10;
      assert_int_equal(have, want);
    }
    pl_free(sigma);
    pl_free(copy);
  }
  pl_spectrum_svd_free(svd);
}

static double inner(int64_t n, const double *a, const double *b) {
  double sum = 0;
  for (int64_t i = 0; i < n; i++) sum += a[i] * b[i];
  return sum;
}

/* Samples of a data set, one after the other over the group. */
static void check_samples(const pl_layout *l, int64_t n, const double *x, const double *y,
                          const double *b, double margin) {
  int64_t order = pl_group_order(l->group);
  double *f = pl_alloc((size_t)order, sizeof *f, "f"), norm2 = 0, least = INFINITY, most = 0;
  double *F = pl_alloc((size_t)l->local, sizeof *F, "F");
  pl_transform *t;
  assert_ok(pl_transform_new(l, &t));
  for (int64_t i = 0; i < n; i++) {
    for (int k = 0; k < l->num_stacks; k++) {
      const pl_stack *c = &l->stacks[k];
      memcpy(F + c->offset, x + n * c->offset + i * pl_data_stride(c),
             (size_t)pl_stack_doubles(c) * sizeof *F);
    }
    pl_transform_inverse(t, F, f);
    least = fmin(least, y[i] * inner(order, f, b));
    most = fmax(most, y[i] * inner(order, f, b));
    norm2 += inner(order, f, f) / (double)n;
  }
  assert_true(least >= margin - 1e-12 && least < margin + 0.5 && most > margin + 0.5);
  /* Gaussian beside the push: E |x|^2 = |G| + margin^2 + 2 margin E|s|, s standard normal. */
  double want = (double)order + margin * margin + 2 * margin * sqrt(2 / M_PI);
  assert_true(fabs(norm2 - want) < 5 * sqrt(2 * want / (double)n));
  pl_transform_free(t);
  pl_free(f);
  pl_free(F);
}

static void teachers_have_their_rank_and_margin(void **state) {
  (void)state;
  for (size_t k = 0; k < sizeof sweeps / sizeof *sweeps; k++) {
    pl_config *c;
    pl_spec spec;
    pl_group *g;
    pl_layout *alone, *team = NULL;
    assert_ok(pl_config_parse(sweeps[k], strlen(sweeps[k]), "test", NULL, 0, &c));
    pl_config_run(c, 0, &spec);
    spec.data_samples = 40;
    assert_ok(pl_group_parse(spec.group, &g));
    assert_ok(pl_layout_alone(g, &alone));
    team = spread(g);
    int64_t order = pl_group_order(g);
    double *A, *T, *a = teacher(&spec, g, alone, &A), *b = teacher(&spec, g, team, &T);
    assert_close(inner(order, a, a), 1, 1e-12);
    for (int64_t i = 0; pl_test_world.rank == 0 && i < order; i++) assert_close(b[i], a[i], 1e-13);
    check_ranks(&spec, alone, A, ranks_of[k]);

    pl_data *data;
    double *F = pl_alloc((size_t)alone->local, sizeof *F, "F");
    assert_ok(pl_data_new(&spec, alone, NULL, NULL, F, &data));
    check_samples(alone, data->num_samples, data->x, data->y, a, 0.75);
    assert_int_equal(data->num_test, 1000);
    check_samples(alone, data->num_test, data->test_x, data->test_y, a, 0.75);
    assert_true(data->test_x[0] != data->x[0]);
    pl_data_free(data);
    double *all[] = {A, T, a, b, F};
    for (int i = 0; i < 5; i++) pl_free(all[i]);
    pl_layout_free(alone);
    pl_layout_free(team);
    pl_group_free(g);
    pl_config_free(c);
  }
}

/* Through the elements and the transform, and through the tables of a band that is everything. */
static void sums_of_permutations_two_ways(void **state) {
  (void)state;
  enum { N = 6, COUNT = 5 };
  pl_group *g;
  pl_transform *t;
  assert_ok(pl_group_parse("S_6", &g));
  pl_layout *l = spread(g);
  assert_ok(pl_transform_new(l, &t));
  pl_band *tables = pl_band_new(N, N - 1);
  const int8_t perms[COUNT * N] = {1, 2, 0, 3, 5, 4, 5, 0, 1, 2, 3, 4, 0, 1, 2,
                                   3, 4, 5, 3, 5, 1, 0, 4, 2, 1, 2, 0, 3, 5, 4};
  const double weights[COUNT] = {1, -2, 0.5, 3, 0.25};
  double *f = pl_alloc((size_t)pl_transform_count(t), sizeof *f, "f");
  double *F = pl_alloc((size_t)l->local, sizeof *F, "F");
  double *H = pl_alloc((size_t)l->local, sizeof *H, "H");
  data_sum_permutations(l, t, NULL, COUNT, perms, weights, f, F);
  data_sum_permutations(l, NULL, tables, COUNT, perms, weights, NULL, H);
  for (int i = 0; i < l->num_stacks; i++) {
    const pl_stack *b = &l->stacks[i];
    for (int64_t k = 0; k < pl_stack_doubles(b); k++)
      assert_close(H[b->offset + k], F[b->offset + k], 1e-12);
  }
  /* The first and the last are the same one. */
  assert_close(data_inner(l, F, F), 1.25 * 1.25 + 4 + 0.25 + 9, 1e-12);
  pl_free(f);
  pl_free(F);
  pl_free(H);
  pl_band_free(tables);
  pl_transform_free(t);
  pl_layout_free(l);
  pl_group_free(g);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(sums_of_permutations_two_ways),
    cmocka_unit_test(teachers_have_their_rank_and_margin),
};
PL_TEST_MAIN(tests)
