/* ranks: 1 3 */
#include "mapping.h"
#include "pl_test.h"

#include "../src/nets/group/draw.h"
#include "../src/nets/group/listed_irreps.h"
#include "../src/nets/group/permutations.h"
#include "../src/nets/group/teacher.h"
#include "base/nc.h"
#include "nets/group/data.h"
#include "nets/group/keys.h"
#include "run/config.h"
#include "spectral/spectrum.h"

#include <unistd.h>

static const char *const sweeps[] = {
    "group: S_5\ndata: {kind: teacher, irreps: ['3,1,1', '4,1'], rank: 2, margin: 0.75, scale: 1}",
    "group: Q_8 x C_3\ndata: {kind: teacher, irreps: [H x 0], margin: 0.75, scale: 1}",
    "group: D_7\ndata: {kind: teacher, irreps: [E2], margin: 0.75, scale: 1}",
};
static const int ranks_of[] = {2, 2, 1}; /* a quaternionic rank counts twice */

/* The teacher over the group, whole, on rank 0 of the layout's team. */
static double *teacher(const pl_spec *spec, const pl_group *g, const pl_layout *l, double **F) {
  int64_t *irreps = pl_alloc((size_t)listed_irreps_num(spec), sizeof *irreps, "irreps");
  assert_ok(listed_irreps_find(spec, g, irreps));
  int64_t *packed = draw_packed_offsets(g);
  pl_transform *t;
  assert_ok(pl_transform_new(l, &t));
  *F = pl_alloc((size_t)l->local, sizeof **F, "teacher");
  teacher_draw(spec, l, packed, 0, irreps, *F);
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
  pl_spectrum_svd *svd = pl_spectrum_svd_new(l, NULL);
  for (int i = 0; i < l->num_stacks; i++) {
    const pl_stack *b = &l->stacks[i];
    double *sigma = pl_alloc((size_t)(b->count * b->dim), sizeof *sigma, "sigma");
    double *copy = pl_alloc((size_t)pl_stack_doubles(b), sizeof *copy, "copy");
    memcpy(copy, F + b->offset, (size_t)pl_stack_doubles(b) * sizeof *copy);
    assert_ok(pl_stack_singular_values(l, b, copy, svd, sigma));
    for (int64_t k = 0; k < b->count; k++) {
      int want = 0, have = 0;
      const pl_texts *listed = &pl_group_data_of(spec)->irreps;
      for (int j = 0; j < listed->n; j++)
        if (pl_group_irrep_by_label(l->group, listed->v[j]) == b->irrep[k]) want = rank;
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

/* Sample i as a spectrum. */
static void take(const pl_layout *l, const pl_samples *s, int64_t i, double *F) {
  for (int k = 0; k < l->num_stacks; k++) {
    const pl_stack *b = &l->stacks[k];
    memcpy(F + b->offset, pl_samples_stack(s, b) + i * pl_data_stride(b),
           (size_t)pl_stack_doubles(b) * sizeof *F);
  }
}

/* Samples of a data set, one after the other over the group. */
static void check_samples(const pl_layout *l, const pl_samples *s, const double *b, double margin) {
  int64_t n = s->num, order = pl_group_order(l->group);
  double *f = pl_alloc((size_t)order, sizeof *f, "f"), norm2 = 0, least = INFINITY, most = 0;
  double *F = pl_alloc((size_t)l->local, sizeof *F, "F");
  pl_transform *t;
  assert_ok(pl_transform_new(l, &t));
  for (int64_t i = 0; i < n; i++) {
    take(l, s, i, F);
    pl_transform_inverse(t, F, f);
    least = fmin(least, s->y[i] * inner(order, f, b));
    most = fmax(most, s->y[i] * inner(order, f, b));
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
    spec.common.samples = 40;
    spec.common.validation = 30;
    assert_ok(pl_group_of(&spec, NULL, &g));
    assert_ok(pl_layout_alone(g, &alone));
    team = test_layout(g, 2, 1);
    int64_t order = pl_group_order(g);
    double *A, *T, *a = teacher(&spec, g, alone, &A), *b = teacher(&spec, g, team, &T);
    assert_close(inner(order, a, a), 1, 1e-12);
    for (int64_t i = 0; pl_test_world.rank == 0 && i < order; i++) assert_close(b[i], a[i], 1e-13);
    check_ranks(&spec, alone, A, ranks_of[k]);

    pl_data *data;
    double *F = pl_alloc((size_t)alone->local, sizeof *F, "F");
    assert_ok(pl_data_new(&spec, alone, PL_DATA_KEEP, NULL, NULL, F, &data));
    const int64_t num[PL_NUM_PARTS] = {40, 30, 1000};
    for (int p = 0; p < PL_NUM_PARTS; p++) {
      assert_int_equal(data->part[p].num, num[p]);
      assert_int_equal(pl_data_count(&spec, p), num[p]);
      check_samples(alone, &data->part[p], a, 0.75);
    }
    assert_true(data->part[PL_TEST].x[0] != data->part[PL_TRAIN].x[0]);
    assert_true(data->part[PL_VALIDATION].x[0] != data->part[PL_TRAIN].x[0]);
    assert_true(data->part[PL_VALIDATION].x[0] != data->part[PL_TEST].x[0]);
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
  pl_layout *l = test_layout(g, 2, 1);
  assert_ok(pl_transform_new(l, &t));
  pl_band *tables = pl_band_new(N, N - 1);
  const int8_t perms[COUNT * N] = {1, 2, 0, 3, 5, 4, 5, 0, 1, 2, 3, 4, 0, 1, 2,
                                   3, 4, 5, 3, 5, 1, 0, 4, 2, 1, 2, 0, 3, 5, 4};
  const double weights[COUNT] = {1, -2, 0.5, 3, 0.25};
  double *f = pl_alloc((size_t)pl_transform_count(t), sizeof *f, "f");
  double *F = pl_alloc((size_t)l->local, sizeof *F, "F");
  double *H = pl_alloc((size_t)l->local, sizeof *H, "H");
  permutations_sum(l, t, NULL, COUNT, perms, weights, f, F);
  permutations_sum(l, NULL, tables, COUNT, perms, weights, NULL, H);
  for (int i = 0; i < l->num_stacks; i++) {
    const pl_stack *b = &l->stacks[i];
    for (int64_t k = 0; k < pl_stack_doubles(b); k++)
      assert_close(H[b->offset + k], F[b->offset + k], 1e-12);
  }
  /* The first and the last are the same one. */
  assert_close(draw_inner(l, F, F), 1.25 * 1.25 + 4 + 0.25 + 9, 1e-12);
  pl_free(f);
  pl_free(F);
  pl_free(H);
  pl_band_free(tables);
  pl_transform_free(t);
  pl_layout_free(l);
  pl_group_free(g);
}

/* ---- parts ---- */

/* One run, its group, layout and data. */
typedef struct made {
  pl_config *config;
  pl_spec spec;
  pl_group *group;
  pl_layout *layout;
  pl_data *data;
} made;

static pl_status make(const char *sweep, const char *set, made *m) {
  assert_ok(pl_config_parse(sweep, strlen(sweep), "test", &set, set ? 1 : 0, &m->config));
  pl_config_run(m->config, 0, &m->spec);
  assert_ok(pl_group_of(&m->spec, NULL, &m->group));
  m->layout = test_layout(m->group, 2, 1);
  pl_transform *t = NULL;
  double *f = NULL, *F = pl_alloc((size_t)m->layout->local, sizeof *F, "F");
  if (pl_group_data_needs_transform(&m->spec, m->group, PL_DATA_KEEP, true)) {
    assert_ok(pl_transform_new(m->layout, &t));
    f = pl_alloc((size_t)pl_transform_count(t), sizeof *f, "f");
  }
  m->data = NULL;
  pl_status st = pl_data_new(&m->spec, m->layout, PL_DATA_KEEP, t, f, F, &m->data);
  pl_transform_free(t);
  pl_free(f);
  pl_free(F);
  return st;
}

static void unmake(made *m) {
  pl_data_free(m->data);
  pl_layout_free(m->layout);
  pl_group_free(m->group);
  pl_config_free(m->config);
}

static bool same_sample(const pl_layout *l, const pl_samples *a, int64_t i, const pl_samples *b,
                        int64_t j) {
  size_t bytes = (size_t)l->local * sizeof(double);
  double *F = pl_zalloc(1, bytes, "F"), *H = pl_zalloc(1, bytes, "H");
  take(l, a, i, F);
  take(l, b, j, H);
  double differ = memcmp(F, H, bytes) != 0;
  pl_free(F);
  pl_free(H);
  pl_comm_sum(&l->team, &differ, 1);
  return differ == 0;
}

/* Generated parts: labels in turn, samples that are all new, and those of training as without
 * other parts. */
static void parts_are_fresh(void **state) {
  (void)state;
  static const char *const kinds[] = {"gaussian", "sparse"};
  for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
    made one, all;
    char *alone = pl_asprintf("group: S_4\ndata: {kind: %s, samples: 5}", kinds[k]);
    char *parts =
        pl_asprintf("group: S_4\ndata: {kind: %s, samples: 5, validation: 4, test: 3}", kinds[k]);
    assert_ok(make(alone, NULL, &one));
    assert_ok(make(parts, NULL, &all));
    assert_int_equal(one.data->part[PL_VALIDATION].num, 0);
    assert_int_equal(one.data->part[PL_TEST].num, 0);
    const pl_samples *part = all.data->part;
    for (int p = 0; p < PL_NUM_PARTS; p++) {
      assert_int_equal(part[p].num, 5 - p);
      for (int64_t i = 0; i < part[p].num; i++) assert_true(part[p].y[i] == (i % 2 ? -1 : 1));
    }
    for (int64_t i = 0; i < 5; i++)
      assert_true(same_sample(all.layout, &part[0], i, &one.data->part[0], i));
    for (int p = 0; p < PL_NUM_PARTS; p++)
      for (int q = 0; q < PL_NUM_PARTS; q++)
        for (int64_t i = 0; i < part[p].num; i++)
          for (int64_t j = 0; j < part[q].num; j++)
            assert_true(same_sample(all.layout, &part[p], i, &part[q], j) == (p == q && i == j));
    unmake(&one);
    unmake(&all);
    pl_free(alone);
    pl_free(parts);
  }
}

enum { ROWS = 7, ORDER = 6 };

/* Row i is 1 + i at element i mod 6; split NULL: no such variable. */
static void write_rows(const char *path, const double *y, const int64_t *split) {
  MPI_Barrier(MPI_COMM_WORLD); /* others may still read what is there */
  if (pl_test_world.rank == 0) {
    pl_nc *nc;
    const char *sample[] = {"sample", NULL};
    double x[ROWS * ORDER] = {0};
    for (int i = 0; i < ROWS; i++) x[i * ORDER + i % ORDER] = 1 + i;
    assert_ok(pl_nc_create(path, true, false, &nc));
    pl_nc_def_dim(nc, "sample", ROWS);
    pl_nc_def_dim(nc, "element", ORDER);
    pl_nc_def_var(nc, "x", PL_NC_DOUBLE, (const char *[]){"sample", "element", NULL}, "x", "1");
    pl_nc_def_var(nc, "y", PL_NC_DOUBLE, sample, "y", "1");
    if (split) pl_nc_def_var(nc, "split", PL_NC_INT, sample, "part", "1");
    pl_nc_end_def(nc);
    pl_nc_put_doubles(nc, "x", NULL, NULL, x);
    pl_nc_put_doubles(nc, "y", NULL, NULL, y);
    if (split) pl_nc_put_ints(nc, "split", NULL, NULL, split);
    assert_ok(pl_nc_close(nc));
  }
  MPI_Barrier(MPI_COMM_WORLD);
}

static void a_file_says_which_part(void **state) {
  (void)state;
  char path[] = "/tmp/pl_test_data_XXXXXX";
  const double y[ROWS] = {1, 1, -1, -1, 1, -1, -1};
  const int64_t split[ROWS] = {2, 0, 0, 1, 2, 0, 2}, wrong[ROWS] = {0, 1, 2, 3, 0, 0, 0};
  const int64_t row[PL_NUM_PARTS][3] = {{1, 2, 5}, {3}, {0, 4, 6}}, num[PL_NUM_PARTS] = {3, 1, 3};
  const char *key = NULL;
  made whole, parts;
  if (pl_test_world.rank == 0) close(mkstemp(path));
  MPI_Bcast(path, sizeof path, MPI_CHAR, 0, MPI_COMM_WORLD);
  char *set = pl_asprintf("data.path=%s", path);
  write_rows(path, y, NULL);
  assert_ok(make("group: S_3\ndata: {kind: file}", set, &whole));
  assert_int_equal(whole.data->part[PL_TRAIN].num, ROWS);
  for (int p = 1; p < PL_NUM_PARTS; p++) assert_int_equal(whole.data->part[p].num, 0);
  assert_ok(pl_group_data_check(&whole.spec, whole.group, &key));
  write_rows(path, y, split);
  assert_ok(make("group: S_3\ndata: {kind: file}", set, &parts));
  assert_ok(pl_group_data_check(&parts.spec, parts.group, &key));
  for (int p = 0; p < PL_NUM_PARTS; p++) {
    const pl_samples *s = &parts.data->part[p];
    assert_int_equal(s->num, num[p]);
    assert_int_equal(pl_data_count(&parts.spec, p), num[p]);
    for (int64_t i = 0; i < s->num; i++) {
      assert_true(s->y[i] == y[row[p][i]]);
      for (int64_t k = 0; k < ROWS; k++)
        assert_true(same_sample(parts.layout, s, i, &whole.data->part[0], k) == (k == row[p][i]));
    }
  }
  write_rows(path, y, wrong);
  assert_int_equal(pl_group_data_check(&parts.spec, parts.group, &key), PL_EINPUT);
  assert_string_equal(key, "data.path");
  assert_non_null(strstr(pl_error_message(), "split[3] is 3"));
  write_rows(path, y, (const int64_t[ROWS]){1, 1, 1, 1, 1, 2, 2});
  assert_int_equal(pl_group_data_check(&parts.spec, parts.group, &key), PL_EINPUT);
  assert_non_null(strstr(pl_error_message(), "nowhere 0"));
  MPI_Barrier(MPI_COMM_WORLD);
  if (pl_test_world.rank == 0) unlink(path);
  unmake(&whole);
  unmake(&parts);
  pl_free(set);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(sums_of_permutations_two_ways),
    cmocka_unit_test(teachers_have_their_rank_and_margin),
    cmocka_unit_test(parts_are_fresh),
    cmocka_unit_test(a_file_says_which_part),
};
PL_TEST_MAIN(tests)
