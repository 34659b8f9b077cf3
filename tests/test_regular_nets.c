/* ranks: 1 3 */
/* Regularisers of networks over the tape that name embeddings or a read-out, on their own examples:
 * gradients and Hessians of the whole objective, which no network writes itself, and teams. */
#include "zoo_run.h"

#include "nets/net.h"

static const struct {
  const char *network, *set;
} cases[] = {
    {"mlp", "regularizer={gini: 0.7}"},
    {"conv", "regularizer={gini: 1, gini_power: 1.5, gini_of: absolute}"},
    {"gnn", "regularizer={bro: 0.2}"},
    {"gnn", "regularizer={bro: 0.1, p: 3, gini: 0.5}"},
    {"filter", "regularizer={gini: 0.5}"},
    {"gcn", "regularizer={bro: 0.3, gini: 1.2, gini_of: absolute}"},
    {"gcn", "model.layer=gin"},
    {"gcn", "model={layer: gcn, pooling: sum}"},
};
enum { CASES = sizeof cases / sizeof *cases };

static const pl_model_kind *kind_of(int k) {
  int i = 0;
  while (strcmp(pl_zoo_model(i)->name, cases[k].network) != 0) i++;
  return pl_zoo_model(i);
}

/* Slope and curvature of the objective along v, by central differences. */
static void check_derivatives(int k) {
  run r = start(kind_of(k), cases[k].set, &pl_test_world);
  pl_net *net = pl_net_of(r.m);
  int64_t n = net->start[net->num_weights];
  double *room = pl_zalloc((size_t)(6 * n), sizeof *room, "as the weights");
  double *v = room, *hv = v + n, *w[2] = {hv + n, hv + 2 * n}, *g[2] = {hv + 3 * n, hv + 4 * n};
  double at[2], slope = 0, largest = 1e-2;
  const double h = 1e-5;
  for (int64_t i = 0; i < n; i++) v[i] = direction(i, k);
  for (int side = 0; side < 2; side++) {
    for (int64_t i = 0; i < n; i++) w[side][i] = net->w[i] + (side ? h : -h) * v[i];
    at[side] = pl_net_gradient(net, w[side], g[side]);
  }
  for (int64_t i = 0; i < n; i++) slope += (g[0][i] + g[1][i]) / 2 * v[i];
  assert_close((at[1] - at[0]) / (2 * h), slope, 1e-6 * fmax(1, fabs(slope)));
  pl_net_hvp(net, net->w, v, hv);
  for (int64_t i = 0; i < n; i++) largest = fmax(largest, fabs(hv[i]));
  for (int64_t i = 0; i < n; i++)
    assert_close((g[1][i] - g[0][i]) / (2 * h) / largest, hv[i] / largest, 1e-6);
  pl_free(room);
  end(&r);
}

static void derivatives_equal_differences(void **state) {
  (void)state;
  for (int k = 0; k < CASES; k++) check_derivatives(k);
}

static void teams_agree(void **state) {
  (void)state;
  for (int k = 0; k < CASES; k++) compare_ranks(kind_of(k), cases[k].set);
}

/* Samples that come two at a time make the same objective and gradient. */
static void pieces_agree(void **state) {
  (void)state;
  for (int k = 0; k < CASES; k++) {
    run whole = start(kind_of(k), cases[k].set, &pl_test_world);
    run pieces = start(kind_of(k), cases[k].set, &pl_test_world);
    pl_net_set_piece(pl_net_of(pieces.m), 2);
    pieces.m->kind->refresh(pieces.m, 0);
    assert_close(pieces.m->kind->standing(pieces.m).objective,
                 whole.m->kind->standing(whole.m).objective, 1e-12);
    train(&whole, 0, 6);
    train(&pieces, 0, 6);
    int64_t n;
    double *a = all_weights(whole.m, &n), *b = all_weights(pieces.m, &n);
    for (int64_t i = 0; i < n && pl_test_world.rank == 0; i++)
      assert_close(b[i], a[i], 1e-10 * fmax(1, fabs(a[i])));
    pl_free(a);
    pl_free(b);
    end(&whole);
    end(&pieces);
  }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(derivatives_equal_differences),
    cmocka_unit_test(teams_agree),
    cmocka_unit_test(pieces_agree),
};
PL_TEST_MAIN(tests)
