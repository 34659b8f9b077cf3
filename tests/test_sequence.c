/* ranks: 1 3 */
/* Pointer networks: right outputs against exhaustive search and the definitions, decoding against
 * enumeration, symmetry under relabelling, the policy's spectrum against direct sums. */
#include "zoo_run.h"

#include "../src/nets/sequence/measures.h"
#include "../src/nets/sequence/qhull.h"
#include "base/rng.h"
#include "nets/sequence/sequence.h"

static run begin(const char *text) {
  run r;
  const char *key = "";
  assert_ok(pl_config_parse(text, strlen(text), "test", NULL, 0, &r.cfg));
  pl_config_run(r.cfg, 0, &r.spec);
  assert_ok(r.spec.model->check(&r.spec, &key));
  assert_ok(r.spec.model->create(&r.spec, &pl_test_world, rates(), &r.m));
  return r;
}

/* Instance k of `what` of n points, into rooms of the caller's. */
enum { MOST_N = 40, ROOM = 8 * MOST_N };
typedef struct drawn {
  problem p;
  double x[2 * MOST_N];
  int output[ROOM];
} drawn;

static void draw_one(const task *what, int canonical, int n, uint64_t k, solver *s, drawn *d) {
  for (int i = 0; i < n * what->coordinates; i++) d->x[i] = pl_rng_uniform(11, k, (uint64_t)i);
  d->p = (problem){n, 0, d->x, d->output};
  d->p.length = what->solve(s, canonical, n, d->x, d->output);
}

/* ---- right outputs ---- */

static const double *point(const drawn *d, int symbol) {
  return d->x + 2 * (symbol - 1);
}

/* Every point lies left of every edge; the first symbol is the lowest, or the leftmost point. */
static void hulls_have_all_points_to_their_left(void **state) {
  (void)state;
  static drawn d;
  for (int n = 3; n <= MOST_N; n += n < 10 ? 1 : 10)
    for (int canonical = 0; canonical < 2; canonical++)
      for (uint64_t k = 0; k < 20; k++) {
        draw_one(&task_hull, canonical, n, k, NULL, &d);
        assert_true(task_hull.valid(&d.p));
        for (int i = 0; i + 1 < d.p.length; i++) {
          for (int j = 1; j <= n; j++)
            assert_true(turn(point(&d, d.output[i]), point(&d, d.output[i + 1]), point(&d, j)) >
                        -1e-15);
          assert_true(canonical ? point(&d, d.output[0])[0] <= point(&d, d.output[i])[0]
                                : d.output[0] <= d.output[i]);
        }
      }
}

/* Twice the area of the circle's side that q is on: above 0, inside the circle through a, b, c. */
static double inside(const double *a, const double *b, const double *c, const double *q) {
  double m[3][3];
  const double *p[] = {a, b, c};
  for (int i = 0; i < 3; i++) {
    m[i][0] = p[i][0] - q[0], m[i][1] = p[i][1] - q[1];
    m[i][2] = m[i][0] * m[i][0] + m[i][1] * m[i][1];
  }
  double det = m[0][0] * (m[1][1] * m[2][2] - m[1][2] * m[2][1]) -
               m[0][1] * (m[1][0] * m[2][2] - m[1][2] * m[2][0]) +
               m[0][2] * (m[1][0] * m[2][1] - m[1][1] * m[2][0]);
  return turn(a, b, c) > 0 ? det : -det;
}

/* No point is inside a triangle's circle, and the triangles fill the hull. */
static void triangles_have_empty_circles(void **state) {
  (void)state;
  static drawn d, hull;
  for (int n = 3; n <= MOST_N; n += n < 10 ? 1 : 10)
    for (int canonical = 0; canonical < 2; canonical++)
      for (uint64_t k = 0; k < 10; k++) {
        double area = 0, before = -1;
        draw_one(&task_delaunay, canonical, n, k, NULL, &d);
        draw_one(&task_hull, 0, n, k, NULL, &hull);
        assert_true(task_delaunay.valid(&d.p) && d.p.length <= task_delaunay.most(n));
        assert_int_equal(d.p.length / 3, 2 * n - 2 - (hull.p.length - 1));
        for (int i = 0; i < d.p.length; i += 3) {
          const double *t[3];
          double side[3], centre = 0;
          for (int v = 0; v < 3; v++) t[v] = point(&d, d.output[i + v]);
          for (int j = 1; j <= n; j++) assert_true(inside(t[0], t[1], t[2], point(&d, j)) < 1e-12);
          area += fabs(turn(t[0], t[1], t[2])) / 2;
          for (int v = 0; v < 3; v++) side[v] = distance(t[(v + 1) % 3], t[(v + 2) % 3]);
          for (int v = 0; v < 3; v++) centre += side[v] * t[v][0] / (side[0] + side[1] + side[2]);
          assert_true(centre >= before);
          before = centre;
          assert_true(canonical
                          ? turn(t[0], t[1], t[2]) > 0
                          : d.output[i] < d.output[i + 1] && d.output[i + 1] < d.output[i + 2]);
        }
        assert_close(area, task_hull.measure(&hull.p, &hull.p), 1e-13);
      }
}

static double shortest(const drawn *d, int n, int fixed, int *tour) {
  problem p = {n, n + 1, d->x, tour};
  double best = INFINITY;
  if (fixed == n) {
    tour[n] = tour[0];
    return task_tsp.measure(&p, &p);
  }
  for (int i = fixed; i < n; i++) {
    int kept = tour[fixed];
    tour[fixed] = tour[i], tour[i] = kept;
    best = fmin(best, shortest(d, n, fixed + 1, tour));
    kept = tour[fixed];
    tour[fixed] = tour[i], tour[i] = kept;
  }
  return best;
}

static void tours_are_the_shortest(void **state) {
  (void)state;
  static drawn d;
  solver *s = solver_new(MOST_N);
  for (int n = 3; n <= 8; n++)
    for (uint64_t k = 0; k < (n < 8 ? 20 : 3); k++) {
      int tour[MOST_N + 1];
      draw_one(&task_tsp, 0, n, k, s, &d);
      for (int i = 0; i < n; i++) tour[i] = i + 1;
      assert_true(task_tsp.valid(&d.p) && d.output[0] == 1);
      assert_close(task_tsp.measure(&d.p, &d.p), shortest(&d, n, 1, tour), 1e-13);
    }
  solver_free(s);
}

/* Beyond exact sizes: a tour that no exchange of two edges shortens, and not called optimal. */
static void long_tours_are_two_optimal(void **state) {
  (void)state;
  static drawn d, e;
  solver *s = solver_new(MOST_N);
  for (int n = task_tsp.exact + 1; n <= MOST_N; n += 13) {
    draw_one(&task_tsp, 1, n, 5, s, &d);
    assert_true(task_tsp.valid(&d.p));
    double length = task_tsp.measure(&d.p, &d.p);
    for (int i = 1; i < n; i++)
      for (int k = i + 1; k < n; k++) {
        e = d;
        e.p.x = e.x, e.p.output = e.output;
        for (int a = i, b = k; a < b; a++, b--)
          e.output[a] = d.output[b], e.output[b] = d.output[a];
        assert_true(task_tsp.measure(&e.p, &e.p) > length - 1e-9);
      }
  }
  solver_free(s);
}

/* With canonical geometry, outputs of relabelled points are the relabelled outputs. */
static void right_outputs_are_equivariant(void **state) {
  (void)state;
  static drawn d, e;
  const task *const all[] = {&task_hull, &task_delaunay, &task_tsp, &task_sort};
  solver *s = solver_new(MOST_N);
  for (size_t t = 0; t < 4; t++)
    for (uint64_t k = 0; k < 20; k++) {
      int n = 5 + (int)k % 5, sigma[MOST_N], output[ROOM];
      double x[2 * MOST_N];
      draw_one(all[t], 1, n, k, s, &d);
      draw_relabelling(3, (int64_t)k, n, sigma);
      problem moved = relabelled(&d.p, all[t]->coordinates, sigma, x, output);
      int length = all[t]->solve(s, 1, n, moved.x, e.output);
      assert_int_equal(length, moved.length);
      assert_memory_equal(e.output, moved.output, (size_t)length * sizeof *output);
      assert_true(all[t]->equivariant(1));
    }
  solver_free(s);
}

/* Whatever a mask lets through is an output; what is right passes it. */
static void masks_keep_outputs_valid(void **state) {
  (void)state;
  static drawn d, e;
  const task *const all[] = {&task_hull, &task_delaunay, &task_tsp, &task_sort};
  solver *s = solver_new(MOST_N);
  for (size_t t = 0; t < 4; t++)
    for (int canonical = 0; canonical < 2; canonical++)
      for (uint64_t k = 0; k < 60; k++) {
        int n = 3 + (int)k % 6, length = 0;
        draw_one(all[t], canonical, n, k, s, &d);
        for (int i = 0; i <= d.p.length; i++)
          assert_true(all[t]->allows(canonical, n, i, d.output, i < d.p.length ? d.output[i] : 0));
        for (int step = 0;; step++) {
          int open[MOST_N], num = 0;
          for (int j = 0; j <= n; j++)
            if (all[t]->allows(canonical, n, length, e.output, j)) open[num++] = j;
          assert_true(num > 0); /* no dead end */
          int j = open[pl_rng_below(17, k + 100 * t, (uint64_t)step, num)];
          if (j == 0) break;
          e.output[length++] = j;
          assert_true(length <= all[t]->most(n));
        }
        problem p = {n, length, d.x, e.output};
        /* Polygons may cross themselves: no mask of symbols can see that. */
        if (all[t] != &task_hull) assert_true(all[t]->valid(&p));
      }
  solver_free(s);
}

/* ---- decoding ---- */

static pl_node **weights_of(pl_net *net, pl_tape *t) {
  pl_node **w = own_of(net)->measures->node;
  pl_net_variables(net, t, net->w, NULL, w);
  return w;
}

static const char *const networks[] = {
    "{model: {kind: pointer, width: 6, init: {scale: 1}}, data: {kind: sort, points: 4, samples: "
    "8}}",
    "{model: {kind: pointer, width: 6, encoder: set, init: {scale: 1}}, data: {kind: tsp, points: "
    "4, "
    "samples: 8, canonical: geometry}}",
    "{model: {kind: pointer, width: 6, attention: seq2seq, init: {scale: 1}}, data: {kind: sort, "
    "points: 4, samples: 8}}",
    "{model: {kind: pointer, width: 6, attention: none, init: {scale: 1}}, data: {kind: tsp, "
    "points: 4, samples: 8}}",
};
enum { NETWORKS = sizeof networks / sizeof *networks };

/* Probabilities of all outputs under the mask add up to 1; a beam as wide as there are outputs
 * finds the likeliest; a greedy output is no likelier; what decoding says of an output's
 * probability is what the tape says. */
static void beams_find_the_likeliest_output(void **state) {
  (void)state;
  enum { N = 4, MOST_OUTPUTS = 24, WIDE = 100 };
  for (int k = 0; k < NETWORKS; k++) {
    run r = begin(networks[k]);
    pl_net *net = pl_net_of(r.m);
    const task *what = own_of(net)->source.task;
    pl_tape *t = pl_net_tape(net);
    pl_node **w = weights_of(net, t);
    for (int64_t entry = 0; entry < 8; entry++) {
      double x[2 * N], sum = 0, best = -INFINITY, found[2];
      int output[ROOM], plain[256][N + 1], num = 0, one[2][N + 2], length[2];
      problem p, all[256];
      source_instance(&own_of(net)->source, PL_TRAIN, entry, x, output, &p);
      for (int code = 0; code < 256; code++) {
        for (int i = 0; i < N; i++) plain[num][i] = 1 + (code >> 2 * i & 3);
        plain[num][N] = plain[num][0];
        all[num] = (problem){N, what->closed ? N + 1 : N, x, plain[num]};
        num += what->valid(&all[num]);
      }
      assert_int_equal(num, MOST_OUTPUTS);
      batch b = batch_of(t, num, all), single = batch_of(t, 1, &p);
      const double *log_p = network_log_probabilities(net, t, w, &b, true)->value;
      for (int i = 0; i < num; i++) sum += exp(log_p[i]), best = fmax(best, log_p[i]);
      assert_close(sum, 1, 1e-13);
      for (int wide = 0; wide < 2; wide++) {
        decoding d = {.pick = PICK_BEAM, .beam = wide ? WIDE : 1, .mask = true};
        network_decode(net, t, w, &single, &d, N + 2, one[wide], &length[wide], &found[wide]);
        problem answer = {N, length[wide], x, one[wide]};
        assert_true(what->valid(&answer));
        batch again = batch_of(t, 1, &answer);
        assert_close(network_log_probabilities(net, t, w, &again, true)->value[0], found[wide],
                     1e-12);
      }
      assert_close(found[1], best, 1e-12);
      assert_true(found[0] <= found[1] + 1e-12);
    }
    end(&r);
  }
}

/* Random outputs come as often as their probability says: chi-squared over 24 outputs. */
static void random_outputs_follow_the_policy(void **state) {
  (void)state;
  enum { N = 4, DRAWS = 4000 };
  run r =
      begin("{model: {kind: pointer, width: 6, init: {scale: 1}}, data: {kind: sort, points: 4, "
            "samples: 8}}");
  pl_net *net = pl_net_of(r.m);
  pl_tape *t = pl_net_tape(net);
  pl_node **w = weights_of(net, t);
  double x[N], chi2 = 0;
  int output[ROOM], one[DRAWS][N + 1], length[DRAWS], seen[256] = {0};
  problem p, all[DRAWS];
  source_instance(&own_of(net)->source, PL_TRAIN, 0, x, output, &p);
  for (int k = 0; k < DRAWS; k++) all[k] = p;
  batch b = batch_of(t, DRAWS, all);
  decoding d = {.pick = PICK_RANDOM, .beam = 1, .mask = true, .seed = 5, .stream = 9};
  double *log_p = pl_tape_alloc(t, DRAWS, sizeof *log_p);
  network_decode(net, t, w, &b, &d, N + 1, one[0], length, log_p);
  double expected[256] = {0};
  for (int k = 0; k < DRAWS; k++) {
    int code = 0;
    for (int i = 0; i < N; i++) code |= (one[k][i] - 1) << 2 * i;
    seen[code]++;
    expected[code] = DRAWS * exp(log_p[k]);
  }
  for (int code = 0; code < 256; code++)
    if (expected[code] > 0) chi2 += pow(seen[code] - expected[code], 2) / expected[code];
  assert_true(chi2 < 60); /* 23 degrees of freedom: 50 has probability 1e-3 */
  end(&r);
}

/* ---- symmetry ---- */

static double violation_of(const char *text) {
  run r = begin(text);
  double v = relabel_violation(pl_net_of(r.m));
  end(&r);
  return v;
}

static void sets_have_no_order(void **state) {
  (void)state;
  const char *const kinds[] = {"hull", "delaunay", "tsp", "sort"};
  for (int k = 0; k < 4; k++) {
    char text[512];
    for (int lstm = 0; lstm < 2; lstm++) {
      snprintf(text, sizeof text,
               "{model: {kind: pointer, width: 16, encoder: %s, init: {scale: 0.5}}, data: {kind: "
               "%s, points: 4..9%s, samples: 30}}",
               lstm ? "lstm" : "set", kinds[k], k < 3 ? ", canonical: geometry" : "");
      double v = violation_of(text);
      assert_true(lstm ? v > 1e-3 : v < 1e-12);
    }
  }
}

/* ---- the policy's spectrum ---- */

/* Shares add up to 1; a set encoder's policy moves with the points, so its violation is 0; the
 * spectrum of S_5 is that of the direct sums over its matrices. */
static void spectra_of_policies(void **state) {
  (void)state;
  for (int k = 0; k < 3; k++) {
    static const char *const texts[] = {
        "{model: {kind: pointer, width: 8, init: {scale: 0.7}}, data: {kind: sort, points: 5, "
        "samples: 9}}",
        "{model: {kind: pointer, width: 8, encoder: set, init: {scale: 0.7}}, data: {kind: tsp, "
        "points: 5, samples: 9, canonical: geometry}}",
        "{model: {kind: pointer, width: 8, init: {scale: 0.7}}, data: {kind: tsp, points: 6, "
        "samples: 9, canonical: geometry}, record.policy: 40}"};
    run r = begin(texts[k]);
    pl_net *net = pl_net_of(r.m);
    const measures *m = own_of(net)->measures;
    double sum = 0, moved = 0;
    policy_spectra(net);
    for (int64_t i = 0; i < m->irreps; i++) sum += m->policy[i], moved += m->violation[i];
    if (k < 2) {
      assert_close(sum, 1, 1e-12);
      assert_true(k == 0 ? moved > 1e-6 : fabs(moved) < 1e-20);
    } else {
      assert_close(sum, 1, 0.3); /* from draws */
    }
    end(&r);
  }
}

/* The same number by the sums over all pairs of outputs and the matrices' traces. */
static void spectra_equal_direct_sums(void **state) {
  (void)state;
  enum { N = 5, ORDER = 120 };
  run r = begin("{model: {kind: pointer, width: 8, init: {scale: 0.7}}, data: {kind: sort, points: "
                "5, samples: 9}, record.policy: 1}");
  pl_net *net = pl_net_of(r.m);
  const measures *m = own_of(net)->measures;
  policy_spectra(net);
  double x[N], f[ORDER], squares = 0, sum = 0;
  int output[ROOM], plain[ORDER][N], num = 0;
  problem p, all[ORDER];
  pl_tape *t = pl_net_tape(net);
  pl_node **w = weights_of(net, t);
  source_instance(&own_of(net)->source, PL_TRAIN, 0, x, output, &p);
  for (int code = 0; code < 3125; code++) { /* in lexicographic order */
    for (int i = 0, rest = code; i < N; i++, rest /= 5) plain[num][N - 1 - i] = 1 + rest % 5;
    all[num] = (problem){N, N, x, plain[num]};
    if (task_sort.valid(&all[num]) && ++num == ORDER) break;
  }
  batch b = batch_of(t, num, all);
  const double *log_p = network_log_probabilities(net, t, w, &b, true)->value;
  for (int i = 0; i < ORDER; i++) f[i] = exp(log_p[i]), sum += f[i], squares += f[i] * f[i];
  assert_close(sum, 1, 1e-12);
  double *F = pl_alloc((size_t)pl_fourier_size(m->group), sizeof *F, "coefficients");
  pl_fourier_forward_direct(m->group, f, F);
  const double *at = F;
  for (int64_t i = 0; i < m->irreps; i++) {
    pl_irrep rho = pl_group_irrep(m->group, i);
    double energy = 0;
    for (int64_t e = 0; e < pl_irrep_size(rho); e++) energy += at[e] * at[e];
    assert_close(m->policy[i], energy * rho.dim / ORDER / squares, 1e-12);
    at += pl_irrep_size(rho);
  }
  pl_free(F);
  end(&r);
}

/* What needs qhull. */
#define PLANAR(test)                                                                               \
  static void test##_with_qhull(void **state) {                                                    \
    if (!qhull_there()) skip();                                                                    \
    test(state);                                                                                   \
  }
PLANAR(hulls_have_all_points_to_their_left)
PLANAR(triangles_have_empty_circles)
PLANAR(right_outputs_are_equivariant)
PLANAR(masks_keep_outputs_valid)
PLANAR(sets_have_no_order)

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(hulls_have_all_points_to_their_left_with_qhull),
    cmocka_unit_test(triangles_have_empty_circles_with_qhull),
    cmocka_unit_test(tours_are_the_shortest),
    cmocka_unit_test(long_tours_are_two_optimal),
    cmocka_unit_test(right_outputs_are_equivariant_with_qhull),
    cmocka_unit_test(masks_keep_outputs_valid_with_qhull),
    cmocka_unit_test(beams_find_the_likeliest_output),
    cmocka_unit_test(random_outputs_follow_the_policy),
    cmocka_unit_test(sets_have_no_order_with_qhull),
    cmocka_unit_test(spectra_of_policies),
    cmocka_unit_test(spectra_equal_direct_sums),
};
PL_TEST_MAIN(tests)
