/* ranks: 1 2 3 4 */
/* Exact search among documents that ranks share, against sorting all of them; steps of the
 * retrieval network, to the last bit the same on any number of ranks, and its frozen documents. */
#include "zoo_run.h"

#include "nets/retrieval/index.h"
#include "nets/retrieval/retrieval.h"

#include "base/rng.h"

/* ---- search ---- */

/* Small integers: products are exact, and many scores are equal. */
static double entry(int64_t i, int64_t c, uint64_t stream) {
  return (double)pl_rng_below(3, stream, (uint64_t)(i * 64 + c), 5) - 2;
}

typedef struct setting {
  int64_t documents, width, queries, k;
  pl_index *ix;
  double *q;
} setting;

static double score_of(const setting *s, int64_t i, int64_t d) {
  double sum = 0;
  for (int64_t c = 0; c < s->width; c++) sum += s->q[i * s->width + c] * entry(d, c, 1);
  return sum;
}

static setting begin(int64_t documents, int64_t width, int64_t queries, int64_t k) {
  setting s = {documents, width, queries, k, pl_index_new(&pl_test_world, documents, width, k),
               NULL};
  int64_t first, count;
  double *rows = pl_index_rows(s.ix, &first, &count);
  for (int64_t d = 0; d < count; d++)
    for (int64_t c = 0; c < width; c++) rows[d * width + c] = entry(first + d, c, 1);
  s.q = pl_alloc((size_t)(queries * width), sizeof *s.q, "queries");
  for (int64_t i = 0; i < queries; i++)
    for (int64_t c = 0; c < width; c++) s.q[i * width + c] = entry(i, c, 2);
  return s;
}

static void finish(setting *s) {
  pl_index_free(s->ix);
  pl_free(s->q);
}

static int by_place(const void *a, const void *b) {
  const pl_hit *x = a, *y = b;
  return pl_hit_before(*x, *y) ? -1 : 1;
}

/* All documents of a query, best first. */
static pl_hit *sorted(const setting *s, int64_t i) {
  pl_hit *all = pl_alloc((size_t)s->documents, sizeof *all, "all documents");
  for (int64_t d = 0; d < s->documents; d++) all[d] = (pl_hit){score_of(s, i, d), d};
  qsort(all, (size_t)s->documents, sizeof *all, by_place);
  return all;
}

static void check_search(int64_t documents, int64_t width, int64_t queries, int64_t k) {
  setting s = begin(documents, width, queries, k);
  pl_hit *hits = pl_alloc((size_t)(queries * k), sizeof *hits, "lists");
  int64_t *start = pl_zalloc((size_t)queries + 1, sizeof *start, "starts");
  int32_t *asked = pl_alloc((size_t)(3 * queries), sizeof *asked, "documents");
  int64_t *rank = pl_alloc((size_t)(3 * queries), sizeof *rank, "ranks");
  double *score = pl_alloc((size_t)(3 * queries), sizeof *score, "scores");
  for (int64_t i = 0; i < queries; i++) {
    start[i + 1] = start[i] + i % 4; /* none, one, two, three of them */
    for (int64_t j = start[i]; j < start[i + 1]; j++)
      asked[j] = (int32_t)((i * 37 + j * 101) % documents);
  }
  pl_index_top(s.ix, queries, s.q, k, hits);
  pl_index_ranks(s.ix, queries, s.q, start, asked, rank, score);
  for (int64_t i = 0; i < queries; i++) {
    pl_hit *all = sorted(&s, i);
    for (int64_t r = 0; r < k; r++) {
      pl_hit want = r < documents ? all[r] : (pl_hit){-INFINITY, -1};
      assert_int_equal(hits[i * k + r].document, want.document);
      assert_true(hits[i * k + r].score == want.score);
    }
    for (int64_t j = start[i]; j < start[i + 1]; j++) {
      int64_t at = rank[j] - 1;
      assert_true(at >= 0 && at < documents);
      assert_int_equal(all[at].document, asked[j]);
      assert_true(score[j] == all[at].score);
    }
    pl_free(all);
  }
  pl_free(hits);
  pl_free(start);
  pl_free(asked);
  pl_free(rank);
  pl_free(score);
  finish(&s);
}

static void search_finds_what_sorting_finds(void **state) {
  (void)state;
  check_search(1, 1, 2, 1);
  check_search(100, 3, 9, 100);
  check_search(512, 4, 130, 7);
  check_search(513, 2, 5, 20);
  check_search(3000, 8, 300, 50);
}

/* More wanted than there are: what there is, then -1. */
static void short_corpora_leave_places_free(void **state) {
  (void)state;
  check_search(5, 3, 4, 9);
  check_search(700, 3, 4, 900);
}

static void fetched_rows_are_those_written(void **state) {
  (void)state;
  setting s = begin(1500, 3, 1, 1);
  const int32_t wanted[] = {1499, 0, 512, 511, 77, 1024};
  double out[6 * 3];
  pl_index_fetch(s.ix, 6, wanted, out);
  for (int i = 0; i < 6; i++)
    for (int c = 0; c < 3; c++) assert_true(out[3 * i + c] == entry(wanted[i], c, 1));
  finish(&s);
}

/* Documents without a score stand last; a query without scores finds the first by number. */
static void what_is_no_number_is_last(void **state) {
  (void)state;
  setting s = begin(600, 2, 2, 3);
  const int64_t start[] = {0, 1, 2};
  const int32_t asked[] = {599, 4};
  pl_hit hits[6];
  int64_t first, count, rank[2];
  double *rows = pl_index_rows(s.ix, &first, &count);
  if (first <= 4 && first + count > 4) rows[2 * (4 - first)] = NAN;
  s.q[0] = NAN;
  pl_index_top(s.ix, 2, s.q, 3, hits);
  pl_index_ranks(s.ix, 2, s.q, start, asked, rank, NULL);
  for (int k = 0; k < 3; k++) assert_int_equal(hits[k].document, k);
  for (int k = 3; k < 6; k++) assert_true(hits[k].document != 4);
  assert_int_equal(rank[0], 600);
  assert_int_equal(rank[1], 600);
  finish(&s);
}

/* ---- the first look in single precision: the same lists and scores to the last bit ---- */

enum { MANY = 4200, ASKED = 60, BEST = 3 };

static double normal(uint64_t stream, int64_t at) {
  double x;
  pl_rng_normals(5, stream, (uint64_t)at, 1, &x);
  return x;
}

static double spread(int64_t i, int64_t at) {
  (void)i;
  return normal(1, at);
}
static double equal(int64_t i, int64_t at) {
  (void)i, (void)at;
  return 1. / 3;
}
/* Nearer to each other than single precision tells. */
static double near(int64_t i, int64_t at) {
  (void)i;
  return 1. / 3 + 1e-11 * normal(1, at);
}
/* But for a block, too small for all digits of single precision, and best for half the queries. */
static double small_ones(int64_t i, int64_t at) {
  return i < PL_INDEX_BLOCK ? 1 : -ldexp(fabs(normal(1, at)), -140);
}
static double tiny(int64_t i, int64_t at) {
  (void)i;
  return ldexp(normal(1, at), -1020);
}
static double huge(int64_t i, int64_t at) {
  (void)i;
  return ldexp(normal(1, at), 790);
}
/* Scores overflow, or have no number. */
static double vast(int64_t i, int64_t at) {
  (void)i;
  return ldexp(normal(1, at), 1022);
}
static double one_is_none(int64_t i, int64_t at) {
  return i == 7 ? NAN : normal(1, at);
}
static double one_is_infinite(int64_t i, int64_t at) {
  return i == MANY - 1 ? INFINITY : normal(1, at);
}
/* Its norm makes the bound useless for a block. */
static double one_is_large(int64_t i, int64_t at) {
  return i == 600 ? 1e12 : normal(1, at);
}
static double mostly_empty(int64_t i, int64_t at) {
  return i % 100 ? 0 : normal(1, at);
}

/* The lists of all documents, by products of the shape that the index has, and sorting. */
static void check_lists(int64_t width, int64_t queries, const double *q, const double *e,
                        const pl_hit *hits) {
  enum { BLOCK = PL_INDEX_BLOCK };
  int64_t blocks = (MANY + BLOCK - 1) / BLOCK;
  double *score = pl_alloc((size_t)(queries * BLOCK), sizeof *score, "scores");
  pl_hit *all = pl_alloc((size_t)(queries * MANY), sizeof *all, "all documents");
  for (int64_t b = 0; b < blocks; b++) {
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)queries, BLOCK, (int)width, 1, q,
                (int)width, e + b * BLOCK * width, (int)width, 0, score, BLOCK);
    for (int64_t i = 0; i < queries; i++)
      for (int64_t d = b * BLOCK; d < MANY && d < (b + 1) * BLOCK; d++) {
        double x = score[i * BLOCK + d - b * BLOCK];
        all[i * MANY + d] = (pl_hit){isnan(x) ? -INFINITY : x, d};
      }
  }
  for (int64_t i = 0; i < queries; i++) {
    qsort(all + i * MANY, MANY, sizeof *all, by_place);
    for (int64_t r = 0; r < BEST; r++) {
      assert_int_equal(hits[i * BEST + r].document, all[i * MANY + r].document);
      assert_true(hits[i * BEST + r].score == all[i * MANY + r].score);
    }
  }
  pl_free(score);
  pl_free(all);
}

typedef double filling(int64_t document, int64_t at);

/* Searches among some documents and then, in the same index, among others. */
static void check_first_look(int64_t width, filling *const fill[2], double scale) {
  int64_t first, count, rows = (MANY + PL_INDEX_BLOCK) * width;
  pl_index *ix = pl_index_new(&pl_test_world, MANY, width, BEST);
  double *e = pl_zalloc((size_t)rows, sizeof *e, "documents");
  double *q = pl_alloc((size_t)(ASKED * width), sizeof *q, "queries");
  pl_hit hits[ASKED * BEST];
  for (int64_t k = 0; k < ASKED * width; k++) q[k] = scale * normal(2, k);
  memset(q + 3 * width, 0, (size_t)width * sizeof *q);
  for (int pass = 0; pass < 2; pass++) {
    for (int64_t i = 0; i < MANY; i++)
      for (int64_t c = 0; c < width; c++) e[i * width + c] = fill[pass](i, i * width + c);
    double *mine = pl_index_rows(ix, &first, &count);
    memcpy(mine, e + first * width, (size_t)(count * width) * sizeof *e);
    pl_index_top(ix, ASKED, q, BEST, hits);
    check_lists(width, ASKED, q, e, hits);
    pl_index_top(ix, 1, q, BEST, hits);
    check_lists(width, 1, q, e, hits);
  }
  pl_free(e);
  pl_free(q);
  pl_index_free(ix);
}

static void a_first_look_changes_nothing(void **state) {
  static filling *const pairs[][2] = {{spread, equal},
                                      {near, small_ones},
                                      {mostly_empty, one_is_large},
                                      {one_is_none, spread},
                                      {spread, one_is_infinite}};
  (void)state;
  for (size_t k = 0; k < sizeof pairs / sizeof *pairs; k++) check_first_look(11, pairs[k], 1);
  check_first_look(150, pairs[0], 1);
  check_first_look(1, pairs[1], 1);
}

static void scores_out_of_reach_are_those_of_double_precision(void **state) {
  static filling *const pairs[][2] = {{tiny, spread}, {huge, tiny}, {vast, huge}};
  (void)state;
  check_first_look(5, pairs[0], 1e-40);
  check_first_look(5, pairs[1], 1e-200);
  check_first_look(5, pairs[2], 1e80);
}

/* ---- steps ---- */

static const char ADORE[] = "retrieval={negatives: adore, top: 7, warmup: 2, cut: 4, refresh: 1}";

/* The weights after some steps on this team, on its rank 0. */
static double *trained(const char *set, const pl_comm *team, int64_t steps, int64_t *n) {
  run r = start(&pl_retrieval.door, set, team);
  train(&r, 0, steps);
  double *w = all_weights(r.m, n);
  end(&r);
  return w;
}

static void steps_do_not_depend_on_ranks(void **state) {
  static const char *const sets[] = {
      ADORE, "retrieval={negatives: adore, top: 5, warmup: 0, refresh: 3}",
      "retrieval={negatives: star, top: 5, warmup: 1}", "retrieval.negatives=inbatch",
      "model={kind: retrieval, encoder: mlp, hidden: 5, width: 4}"};
  (void)state;
  pl_comm self = pl_comm_split(&pl_test_world, pl_test_world.rank, 0);
  for (size_t k = 0; k < sizeof sets / sizeof *sets; k++) {
    int64_t n, m;
    double *a = trained(sets[k], &self, 8, &n), *b = trained(sets[k], &pl_test_world, 8, &m);
    assert_int_equal(n, m);
    if (pl_test_world.rank == 0) assert_memory_equal(a, b, (size_t)n * sizeof *a);
    pl_free(a);
    pl_free(b);
  }
  pl_comm_free(&self);
}

/* Weight decay and momentum would move what has no gradient. */
static void frozen_documents_rest(void **state) {
  (void)state;
  int64_t n;
  run r = start(&pl_retrieval.door, "optimizer={kind: momentum, lr: 0.1, weight_decay: 0.1}",
                &pl_test_world);
  pl_net *net = pl_net_of(r.m);
  pl_optim *o = pl_optim_new(&r.spec, r.m, r.steps);
  double vote = 0, *before = NULL;
  for (int64_t t = 0; t < 10; t++) {
    if (t == 3) before = all_weights(r.m, &n); /* the example's warm-up is over */
    r.m->kind->step(r.m, t, pl_optim_step(o, t), &vote);
  }
  pl_optim_free(o);
  double *after = all_weights(r.m, &n);
  if (pl_test_world.rank == 0) {
    int64_t half = net->start[1];
    assert_int_equal(n, 2 * half);
    assert_memory_equal(before + half, after + half, (size_t)half * sizeof *after);
    assert_memory_not_equal(before, after, (size_t)half * sizeof *after);
  }
  pl_free(before);
  pl_free(after);
  end(&r);
}

/* The gradient of adore, its lists held, against differences of the objective. */
static void gradient_of_adore(void **state) {
  (void)state;
  run r =
      start(&pl_retrieval.door, "retrieval={negatives: adore, top: 7, warmup: 0}", &pl_test_world);
  pl_net *net = pl_net_of(r.m);
  int64_t n = net->start[1], all = net->start[2];
  double *w = pl_alloc((size_t)all, sizeof *w, "weights"), at[2], slope = 0, h = 1e-6;
  double *g = pl_alloc((size_t)all, sizeof *g, "gradient");
  for (int side = 0; side < 2; side++) {
    memcpy(w, net->w, (size_t)all * sizeof *w);
    for (int64_t i = 0; i < n; i++) w[i] += (side ? h : -h) * direction(i, 0);
    at[side] = pl_net_gradient(net, w, g);
  }
  pl_net_gradient(net, net->w, g);
  for (int64_t i = 0; i < n; i++) slope += g[i] * direction(i, 0);
  for (int64_t i = n; i < all; i++) assert_true(g[i] == 0);
  assert_true(fabs(slope) > 1e-4);
  assert_close((at[1] - at[0]) / (2 * h), slope, 1e-6);
  pl_free(w);
  pl_free(g);
  end(&r);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(search_finds_what_sorting_finds),
    cmocka_unit_test(short_corpora_leave_places_free),
    cmocka_unit_test(fetched_rows_are_those_written),
    cmocka_unit_test(what_is_no_number_is_last),
    cmocka_unit_test(a_first_look_changes_nothing),
    cmocka_unit_test(scores_out_of_reach_are_those_of_double_precision),
    cmocka_unit_test(steps_do_not_depend_on_ranks),
    cmocka_unit_test(frozen_documents_rest),
    cmocka_unit_test(gradient_of_adore),
};
PL_TEST_MAIN(tests)
