/* ranks: 1 2 3 */
/* Graphs: products, operators, random graphs, files. */
#include "pl_test.h"

#include "base/nc.h"
#include "base/rng.h"
#include "graph/file.h"
#include "graph/karate.h"
#include "graph/random.h"

/* ---- graphs made up here ---- */

static uint64_t draws;
static double uniform(void) {
  return pl_rng_uniform(5, PL_STREAM(PL_STREAM_MISC, 1), draws++);
}

/* About `entries` random entries; rows and columns may stay empty. */
static pl_csr *random_matrix(int64_t rows, int64_t cols, int64_t entries) {
  char *there = pl_zalloc((size_t)(rows * cols), 1, "places");
  int64_t count = 0, at = 0;
  for (int64_t k = 0; k < entries; k++) there[(int64_t)(uniform() * (double)(rows * cols))] = 1;
  for (int64_t k = 0; k < rows * cols; k++) count += there[k];
  pl_csr *s = pl_csr_new(rows, cols, count);
  for (int64_t i = 0; i < rows; i++) {
    for (int64_t j = 0; j < cols; j++)
      if (there[i * cols + j]) {
        s->index[at] = (int32_t)j;
        s->value[at++] = uniform() - 0.5;
      }
    s->start[i + 1] = at;
  }
  pl_free(there);
  return s;
}

static pl_csr *graph_of(int64_t nodes, int64_t num, int64_t (*end)[2], double *weight,
                        pl_graph_counts *counts) {
  pl_csr *a = NULL;
  assert_ok(pl_graph_new(nodes, &(pl_edges){num, end, weight}, counts, &a));
  return a;
}

static pl_csr *weighted_graph(void) {
  enum { N = 40, M = 120 };
  int64_t end[M][2];
  double weight[M];
  bool there[N][N] = {{false}};
  int num = 0;
  while (num < M) {
    int64_t u = (int64_t)(uniform() * N), v = (int64_t)(uniform() * N);
    if (there[u][v]) continue;
    there[u][v] = there[v][u] = true;
    end[num][0] = u;
    end[num][1] = v;
    weight[num++] = 0.1 + uniform();
  }
  return graph_of(N, M, end, weight, NULL);
}

static double entry(const pl_csr *s, int64_t i, int64_t j) {
  double sum = 0;
  for (int64_t k = s->start[i]; k < s->start[i + 1]; k++) sum += s->index[k] == j ? s->value[k] : 0;
  return sum;
}

/* ---- products ---- */

static void products_agree_with_their_formula(void **state) {
  (void)state;
  static const int64_t widths[] = {1, 3, 4, 7, 8, 16, 31, 32, 33, 64, 65, 130};
  enum { ROWS = 23, COLS = 37, LD = 140 };
  pl_csr *s = random_matrix(ROWS, COLS, 200);
  double x[COLS * LD], z[ROWS * LD], y[ROWS * LD], want[ROWS * LD];
  pl_rng_normals(1, 1, 0, COLS * LD, x);
  pl_rng_normals(1, 2, 0, ROWS * LD, z);
  for (size_t t = 0; t < sizeof widths / sizeof *widths; t++)
    for (int with_z = 0; with_z < 2; with_z++) {
      int64_t w = widths[t];
      for (int k = 0; k < ROWS * LD; k++) y[k] = want[k] = -7;
      pl_csr_times(s, w, 0.7, x + 1, LD, -0.3, with_z ? z : NULL, LD - 3, y, LD - 1);
      pl_csr_times_plain(s, w, 0.7, x + 1, LD, -0.3, with_z ? z : NULL, LD - 3, want, LD - 1);
      /* Beyond the columns nothing is touched. */
      for (int k = 0; k < ROWS * LD; k++) assert_close(y[k], want[k], 1e-14);
    }
  memcpy(y, z, sizeof y);
  pl_csr_times(s, 70, 2, x, LD, 0.5, y, LD, y, LD);
  pl_csr_times_plain(s, 70, 2, x, LD, 0.5, z, LD, want, LD);
  for (int i = 0; i < ROWS; i++)
    for (int c = 0; c < 70; c++) assert_close(y[i * LD + c], want[i * LD + c], 1e-14);
  pl_csr_free(s);
}

static void products_agree_with_dense_matrices(void **state) {
  (void)state;
  enum { ROWS = 31, COLS = 19, W = 45 };
  pl_csr *s = random_matrix(ROWS, COLS, 150);
  double x[COLS * W], y[ROWS * W], want[ROWS * W], dense[ROWS * COLS];
  pl_rng_normals(1, 3, 0, COLS * W, x);
  pl_csr_dense(s, dense);
  pl_csr_times(s, W, 1, x, W, 0, NULL, 0, y, W);
  cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, ROWS, W, COLS, 1, dense, COLS, x, W, 0,
              want, W);
  for (int k = 0; k < ROWS * W; k++) assert_close(y[k], want[k], 1e-13);
  pl_csr_free(s);
}

/* Where X does not fit the cache, rows of it are fetched ahead; where Y fits none, it is written
 * past them, if its rows begin where registers do. */
static void products_of_large_graphs_agree_too(void **state) {
  (void)state;
  static const int64_t nodes[] = {9001, 60001, 60001}, widths[] = {70, 72, 71};
  for (int t = 0; t < 3; t++) {
    double p = 4 / (double)nodes[t];
    pl_block_model m = {.nodes = nodes[t], .blocks = 3, .p_in = p, .p_out = p / 6};
    pl_edges e = pl_block_model_edges(&m, 2);
    pl_csr *s = NULL;
    assert_ok(pl_graph_new(m.nodes, &e, NULL, &s));
    pl_edges_fini(&e);
    int64_t cols = widths[t], half = 40, n = m.nodes * cols;
    double *x = pl_alloc((size_t)n, sizeof *x, "x"), *y = pl_alloc((size_t)n, sizeof *y, "y");
    double *want = pl_alloc((size_t)n, sizeof *want, "y");
    pl_rng_normals(1, 4, 0, n, x);
    pl_csr_times(s, cols, 1, x, cols, 0, NULL, 0, y, cols);
    pl_csr_times_plain(s, cols, 1, x, cols, 0, NULL, 0, want, cols);
    for (int64_t k = 0; k < n; k++) assert_close(y[k], want[k], 1e-13);
    pl_csr_times(s, half, 1, x, cols, 0, NULL, 0, want, cols);
    pl_csr_times(s, cols - half, 1, x + half, cols, 0, NULL, 0, want + half, cols);
    assert_memory_equal(y, want, (size_t)n * sizeof *y); /* however columns are cut */
    pl_free(x);
    pl_free(y);
    pl_free(want);
    pl_csr_free(s);
  }
}

/* <Y, S X> = <S^T Y, X>, and the transpose of the transpose. */
static void transposes_are_adjoint(void **state) {
  (void)state;
  enum { ROWS = 29, COLS = 41, W = 5 };
  pl_csr *s = random_matrix(ROWS, COLS, 170), *t = pl_csr_transpose(s), *back = pl_csr_transpose(t);
  double x[COLS * W], y[ROWS * W], sx[ROWS * W], ty[COLS * W];
  assert_int_equal(t->rows, COLS);
  assert_int_equal(t->cols, ROWS);
  for (int64_t i = 0; i < COLS; i++)
    for (int64_t j = 0; j < ROWS; j++) assert_true(entry(t, i, j) == entry(s, j, i));
  for (int64_t i = 0; i < COLS; i++)
    for (int64_t k = t->start[i] + 1; k < t->start[i + 1]; k++)
      assert_true(t->index[k] > t->index[k - 1]);
  assert_memory_equal(back->index, s->index, (size_t)pl_csr_entries(s) * sizeof *s->index);
  assert_memory_equal(back->value, s->value, (size_t)pl_csr_entries(s) * sizeof *s->value);
  pl_rng_normals(1, 5, 0, COLS * W, x);
  pl_rng_normals(1, 6, 0, ROWS * W, y);
  pl_csr_times(s, W, 1, x, W, 0, NULL, 0, sx, W);
  pl_csr_times(t, W, 1, y, W, 0, NULL, 0, ty, W);
  assert_close(cblas_ddot(ROWS * W, y, 1, sx, 1), cblas_ddot(COLS * W, ty, 1, x, 1), 1e-13);
  pl_csr_free(s);
  pl_csr_free(t);
  pl_csr_free(back);
}

/* Columns shared out over the ranks: bit by bit what one rank finds. */
static void teams_share_columns(void **state) {
  (void)state;
  enum { W = 50, STEPS = 6 };
  const pl_comm *c = &pl_test_world;
  pl_csr *a = pl_karate(), *s = NULL;
  assert_ok(pl_graph_operator(a, PL_OPERATOR_SYM, 1, &s));
  int64_t n = PL_KARATE_NODES * W, first = W * c->rank / c->size;
  int64_t mine = W * (c->rank + 1) / c->size - first;
  double h[PL_KARATE_NODES * W], whole[2][PL_KARATE_NODES * W], part[2][PL_KARATE_NODES * W];
  pl_rng_normals(1, 7, 0, n, h);
  memcpy(whole[0], h, sizeof h);
  memset(part, 0, sizeof part);
  for (int i = 0; i < PL_KARATE_NODES; i++)
    memcpy(part[0] + i * W + first, h + i * W + first, (size_t)mine * sizeof *h);
  for (int k = 0; k < STEPS; k++) {
    pl_csr_times(s, W, 0.9, whole[k % 2], W, 0.1, h, W, whole[1 - k % 2], W);
    pl_csr_times(s, mine, 0.9, part[k % 2] + first, W, 0.1, h + first, W, part[1 - k % 2] + first,
                 W);
  }
  pl_comm_sum(c, part[0], n);
  assert_memory_equal(part[0], whole[0], sizeof whole[0]);
  pl_csr_free(a);
  pl_csr_free(s);
}

/* ---- graphs and operators ---- */

static void edges_stand_both_ways_and_are_counted(void **state) {
  (void)state;
  int64_t end[][2] = {{3, 1}, {1, 3}, {0, 0}, {2, 1}, {0, 1}, {0, 0}, {1, 3}};
  pl_graph_counts c;
  pl_csr *a = graph_of(6, 7, end, NULL, &c);
  assert_int_equal(c.edges, 3);
  assert_int_equal(c.duplicates, 3);
  assert_int_equal(c.self_loops, 1);
  assert_int_equal(c.isolated, 2); /* 4 and 5; node 0 has one edge beside its loop */
  assert_int_equal(pl_csr_entries(a), 7);
  for (int i = 0; i < 6; i++)
    for (int j = 0; j < 6; j++) {
      bool joined = (i == 0 && j == 0) || (i * j == 3 && i != j) || (i * j == 2) || (i + j == 1);
      assert_true(entry(a, i, j) == joined);
    }
  pl_csr_free(a);
}

static void wrong_edges_are_refused(void **state) {
  (void)state;
  static const struct {
    int64_t end[2][2];
    double weight[2];
    const char *message;
  } bad[] = {{{{0, 1}, {1, 3}}, {1, 1}, "edge(1, 1) is node 3; nodes go from 0 to 2"},
             {{{-1, 1}, {1, 2}}, {1, 1}, "edge(0, 0) is node -1"},
             {{{0, 1}, {1, 2}}, {1, -2}, "weight(1) is -2"},
             {{{0, 1}, {1, 2}}, {NAN, 1}, "weight(0) is nan"},
             {{{0, 1}, {1, 2}}, {1, INFINITY}, "weight(1) is inf"},
             {{{0, 1}, {1, 0}}, {1, 2}, "edge 1 is edge 0 again (nodes 0 and 1), with weight 2"}};
  for (size_t t = 0; t < sizeof bad / sizeof *bad; t++) {
    pl_csr *a = NULL;
    pl_edges e = {2, (int64_t(*)[2])bad[t].end, (double *)bad[t].weight};
    assert_int_equal(pl_graph_new(3, &e, NULL, &a), PL_EINPUT);
    assert_non_null(strstr(pl_error_message(), bad[t].message));
    assert_null(a);
  }
}

/* Formula entry by entry; symmetry; rows that sum to 1; eigenvalues in [-1, 1]. */
static void operators_are_what_they_are_called(void **state) {
  (void)state;
  static const double loops[] = {0, 1, 0.3};
  pl_csr *a = weighted_graph();
  int n = (int)a->rows;
  for (int t = 0; t < 3; t++) {
    double self = loops[t], degree[64] = {0};
    pl_csr *sym = NULL, *row = NULL, *none = NULL;
    assert_ok(pl_graph_operator(a, PL_OPERATOR_SYM, self, &sym));
    assert_ok(pl_graph_operator(a, PL_OPERATOR_ROW, self, &row));
    assert_ok(pl_graph_operator(a, PL_OPERATOR_NONE, self, &none));
    for (int i = 0; i < n; i++) {
      degree[i] = self;
      for (int j = 0; j < n; j++) degree[i] += entry(a, i, j);
    }
    for (int i = 0; i < n; i++) {
      double sum = 0;
      for (int j = 0; j < n; j++) {
        double e = entry(a, i, j) + (i == j ? self : 0);
        assert_close(entry(none, i, j), e, 1e-15);
        assert_close(entry(row, i, j), e / degree[i], 1e-14);
        assert_close(entry(sym, i, j), e / sqrt(degree[i] * degree[j]), 1e-14);
        assert_true(entry(sym, i, j) == entry(sym, j, i));
        sum += entry(row, i, j);
      }
      assert_close(sum, 1, 1e-14);
      for (int64_t k = sym->start[i] + 1; k < sym->start[i + 1]; k++)
        assert_true(sym->index[k] > sym->index[k - 1]);
    }
    double dense[64 * 64], value[64], work[64 * 64];
    int info, lwork = 64 * 64, liwork = 3 + 5 * 64, iwork[3 + 5 * 64];
    pl_csr_dense(sym, dense);
    dsyevd_("N", "L", &n, dense, &n, value, work, &lwork, iwork, &liwork, &info, 1, 1);
    assert_int_equal(info, 0);
    assert_close(value[n - 1], 1, 1e-13);
    assert_true(value[0] >= -1 - 1e-13);
    pl_csr_free(sym);
    pl_csr_free(row);
    pl_csr_free(none);
  }
  pl_csr_free(a);
}

static void isolated_nodes_need_self_loops(void **state) {
  (void)state;
  int64_t end[][2] = {{0, 1}};
  pl_csr *a = graph_of(3, 1, end, NULL, NULL), *s = NULL;
  for (pl_operator kind = 0; kind < PL_NUM_OPERATORS; kind++) {
    pl_status want = kind == PL_OPERATOR_NONE ? PL_OK : PL_EINPUT;
    assert_int_equal(pl_graph_operator(a, kind, 0, &s), want);
    if (want)
      assert_non_null(strstr(pl_error_message(), "node 2 is isolated"));
    else
      pl_csr_free(s);
    assert_ok(pl_graph_operator(a, kind, 1, &s));
    assert_close(entry(s, 2, 2), 1, 0);
    pl_csr_free(s);
  }
  assert_int_equal(pl_graph_operator(a, PL_OPERATOR_SYM, -1, &s), PL_EINPUT);
  assert_int_equal(pl_graph_operator(a, PL_OPERATOR_NONE, NAN, &s), PL_EINPUT);
  pl_csr_free(a);
}

/* ---- random graphs ---- */

/* Within five standard deviations, within blocks and between them. */
static void block_models_have_their_densities(void **state) {
  (void)state;
  static const pl_block_model models[] = {{3000, 7, 0, 0.02, 0.001, 0},
                                          {1500, 1, 0, 0.01, 0, 0},
                                          {400, 2, 0, 0.0125, 0.1, 0},
                                          {2000, 2000, 0, 0.5, 0.003, 0}};
  for (size_t t = 0; t < sizeof models / sizeof *models; t++) {
    const pl_block_model *m = &models[t];
    pl_edges e = pl_block_model_edges(m, 4);
    double pairs[2] = {0}, found[2] = {0}, p[2] = {m->p_out, m->p_in};
    for (int64_t i = 0; i < m->nodes; i++)
      for (int64_t j = i + 1; j < m->nodes; j++) pairs[pl_block_of(m, i) == pl_block_of(m, j)]++;
    for (int64_t k = 0; k < e.num; k++) {
      assert_true(e.end[k][0] < e.end[k][1]);
      found[pl_block_of(m, e.end[k][0]) == pl_block_of(m, e.end[k][1])]++;
    }
    for (int s = 0; s < 2; s++)
      assert_true(fabs(found[s] - p[s] * pairs[s]) <= 5 * sqrt(pairs[s] * p[s] * (1 - p[s])));
    pl_edges_fini(&e);
  }
}

/* Every pair is as likely as any other: distances of Erdos and Renyi's edges. */
static void gaps_leave_no_pattern(void **state) {
  (void)state;
  enum { N = 60, SEEDS = 400 };
  pl_block_model m = {.nodes = N, .blocks = 1, .p_in = 0.1};
  double count[N][N] = {{0}}, chi = 0;
  for (int seed = 0; seed < SEEDS; seed++) {
    pl_edges e = pl_block_model_edges(&m, (uint64_t)seed);
    for (int64_t k = 0; k < e.num; k++) count[e.end[k][0]][e.end[k][1]]++;
    pl_edges_fini(&e);
  }
  for (int i = 0; i < N; i++)
    for (int j = i + 1; j < N; j++)
      chi += pow(count[i][j] - SEEDS * m.p_in, 2) / (SEEDS * m.p_in * (1 - m.p_in));
  double pairs = N * (N - 1) / 2;
  assert_close(chi / pairs, 1, 5 * sqrt(2 / pairs));
}

static void certain_and_impossible_edges(void **state) {
  (void)state;
  pl_block_model m = {.nodes = 12, .blocks = 3, .p_in = 1, .p_out = 0};
  pl_edges e = pl_block_model_edges(&m, 1);
  assert_int_equal(e.num, 3 * 6);
  pl_edges_fini(&e);
  m.p_in = 0;
  m.p_out = 1;
  e = pl_block_model_edges(&m, 1);
  assert_int_equal(e.num, 66 - 18);
  pl_edges_fini(&e);
  m.p_out = 0;
  e = pl_block_model_edges(&m, 1);
  assert_int_equal(e.num, 0);
  pl_edges_fini(&e);
}

/* A row alone, in any order and on any rank, is the row of the whole. */
static void rows_do_not_depend_on_order(void **state) {
  (void)state;
  const pl_comm *c = &pl_test_world;
  pl_block_model m = {.nodes = 500, .blocks = 3, .features = 4, .p_in = .05, .p_out = .01};
  pl_edges e = pl_block_model_edges(&m, 9);
  int32_t row[500];
  double sum = 0, mine = 0;
  for (int64_t i = m.nodes - 1; i >= 0; i--) {
    int64_t n = pl_block_model_row(&m, 9, i, row), at = 0;
    for (int64_t k = 0; k < e.num; k++)
      if (e.end[k][0] == i) assert_int_equal(e.end[k][1], row[at++]);
    assert_int_equal(at, n);
    for (int64_t k = 0; k < n; k++) {
      sum += (double)(i * row[k]);
      if (i % c->size == c->rank) mine += (double)(i * row[k]);
    }
  }
  pl_comm_sum(c, &mine, 1);
  assert_true(mine == sum);
  pl_edges_fini(&e);
}

static void features_tell_blocks_apart(void **state) {
  (void)state;
  enum { N = 4000, B = 4, F = 10 };
  pl_block_model m = {N, B, F, 0, 0, 3};
  double *x = pl_alloc(N * F, sizeof *x, "features"), mean[B][F] = {{0}}, rest = 0;
  pl_block_model_features(&m, 6, x);
  for (int i = 0; i < N; i++)
    for (int k = 0; k < F; k++) mean[pl_block_of(&m, i)][k] += x[i * F + k] * B / N;
  for (int i = 0; i < N; i++)
    for (int k = 0; k < F; k++) rest += pow(x[i * F + k] - mean[pl_block_of(&m, i)][k], 2);
  /* Variance 1 about the centres; centres of length 3, orthogonal. */
  assert_close(rest / (N * F), 1, 5 * sqrt(2. / (N * F)));
  for (int a = 0; a < B; a++)
    for (int b = 0; b < B; b++) {
      double dot = cblas_ddot(F, mean[a], 1, mean[b], 1);
      assert_true(fabs(dot - (a == b ? 9 : 0)) < 5 * 6 * sqrt((double)B / N));
    }
  pl_free(x);
}

static void wrong_models_are_refused(void **state) {
  (void)state;
  static const struct {
    pl_block_model m;
    const char *message;
  } bad[] = {{{0, 1, 0, .1, .1, 0}, "nodes"},         {{10, 11, 0, .1, .1, 0}, "blocks"},
             {{10, 0, 0, .1, .1, 0}, "blocks"},       {{10, 2, 0, 1.5, .1, 0}, "p_in"},
             {{10, 2, 0, .1, NAN, 0}, "p_out"},       {{10, 2, -1, .1, .1, 0}, "features"},
             {{10, 2, 1, .1, .1, INFINITY}, "signal"}};
  assert_ok(pl_block_model_check(&(pl_block_model){10, 2, 3, .1, .1, 1}));
  for (size_t t = 0; t < sizeof bad / sizeof *bad; t++) {
    assert_int_equal(pl_block_model_check(&bad[t].m), PL_EINPUT);
    assert_ptr_equal(strstr(pl_error_message(), bad[t].message), pl_error_message());
  }
}

static void splits_have_their_sizes(void **state) {
  (void)state;
  enum { N = 300 };
  int32_t label[N];
  int8_t part[N], again[N], other[N];
  int count[4] = {0}, train[3] = {0};
  for (int i = 0; i < N; i++) label[i] = i % 10 == 9 ? -1 : i % 3;
  assert_ok(pl_split_draw(N, label, 20, 50, 100, 1, part));
  assert_ok(pl_split_draw(N, label, 20, 50, 100, 1, again));
  assert_ok(pl_split_draw(N, label, 20, 50, 100, 2, other));
  assert_memory_equal(part, again, N);
  assert_memory_not_equal(part, other, N);
  for (int i = 0; i < N; i++) {
    count[part[i]]++;
    if (label[i] < 0) assert_int_equal(part[i], 3);
    if (part[i] == 0) train[label[i]]++;
  }
  for (int c = 0; c < 3; c++) assert_int_equal(train[c], 20);
  assert_int_equal(count[1], 50);
  assert_int_equal(count[2], 100);
  assert_int_equal(pl_split_draw(N, label, 95, 0, 0, 1, other), PL_EINPUT);
  assert_non_null(strstr(pl_error_message(), "class 0 has 90 nodes"));
  assert_int_equal(pl_split_draw(N, label, 20, 50, 161, 1, other), PL_EINPUT);
}

/* Zachary's degrees, and the cut between the factions. */
static void karate_is_zacharys(void **state) {
  (void)state;
  static const int degree[PL_KARATE_NODES] = {16, 9, 10, 6, 3, 4, 4, 4, 5,  2, 3, 1,
                                              2,  5, 2,  2, 2, 2, 2, 3, 2,  2, 2, 5,
                                              3,  3, 2,  4, 3, 4, 4, 6, 12, 17};
  int32_t label[PL_KARATE_NODES];
  int size = 0, cut = 0;
  pl_csr *a = pl_karate();
  pl_karate_factions(label);
  assert_int_equal(pl_csr_entries(a), 2 * PL_KARATE_EDGES);
  for (int i = 0; i < PL_KARATE_NODES; i++) {
    assert_int_equal(a->start[i + 1] - a->start[i], degree[i]);
    size += label[i];
    for (int64_t k = a->start[i]; k < a->start[i + 1]; k++) cut += label[i] < label[a->index[k]];
  }
  assert_int_equal(size, 17);
  assert_int_equal(cut, 11);
  assert_int_equal(label[0], 0);
  assert_int_equal(label[33], 1);
  pl_csr_free(a);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(products_agree_with_their_formula),
    cmocka_unit_test(products_agree_with_dense_matrices),
    cmocka_unit_test(products_of_large_graphs_agree_too),
    cmocka_unit_test(transposes_are_adjoint),
    cmocka_unit_test(teams_share_columns),
    cmocka_unit_test(edges_stand_both_ways_and_are_counted),
    cmocka_unit_test(wrong_edges_are_refused),
    cmocka_unit_test(operators_are_what_they_are_called),
    cmocka_unit_test(isolated_nodes_need_self_loops),
    cmocka_unit_test(block_models_have_their_densities),
    cmocka_unit_test(gaps_leave_no_pattern),
    cmocka_unit_test(certain_and_impossible_edges),
    cmocka_unit_test(rows_do_not_depend_on_order),
    cmocka_unit_test(features_tell_blocks_apart),
    cmocka_unit_test(wrong_models_are_refused),
    cmocka_unit_test(splits_have_their_sizes),
    cmocka_unit_test(karate_is_zacharys),
};
PL_TEST_MAIN(tests)
