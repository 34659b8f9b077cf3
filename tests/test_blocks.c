/* ranks: 1 2 */
/* Any layer of the table in any update, tied or not: the recursion around it is the one that is
 * written here with the layer alone, and the reversible store changes neither values nor
 * derivatives. */
#include "zoo_run.h"

#include "nets/blocks.h"

static run network(const char *kind, const char *block, const char *keys) {
  run r;
  const char *key = "";
  bool graph = !strcmp(kind, "resgnn");
  char *text = pl_asprintf(
      "{model: {kind: %s, block: %s, depth: 6, width: 4, activation: tanh, %s}, %s}", kind, block,
      keys, graph ? "group: S_3, data: {graph: cayley, rows: 2}" : "data.samples: 7");
  assert_ok(pl_config_parse(text, strlen(text), "test", NULL, 0, &r.cfg));
  pl_config_run(r.cfg, 0, &r.spec);
  assert_ok(r.spec.model->check(&r.spec, &key));
  assert_ok(r.spec.model->create(&r.spec, &pl_test_world, rates(), &r.m));
  pl_free(text);
  return r;
}

/* x_N by hand; w: the weights of the recursion. */
static void by_hand(pl_net *net, pl_tape *t, pl_node *const *w, pl_node *x, double *out) {
  const pl_block *b = pl_block_of(&net->spec);
  const pl_recursion_values *v = &pl_block_values_of(&net->spec)->recursion;
  int weights = b->weights(&net->spec), halves = v->update == PL_UPDATE_REVNET ? 2 : 1;
  double gamma = v->update == PL_UPDATE_MOMENTUM ? v->gamma : 0;
  pl_node *velocity = pl_tape_scale(t, x, 0),
          *half[2] = {pl_tape_cols(t, x, 0, x->cols / 2),
                      pl_tape_cols(t, x, x->cols / 2, x->cols / 2)};
  for (int k = 0; k < v->depth; k++) {
    pl_node *const *at = w + (v->tied ? 0 : k * halves * weights);
    if (halves == 2) {
      half[0] = pl_tape_add(t, half[0], b->layer(net, t, at, half[1]));
      half[1] = pl_tape_add(t, half[1], b->layer(net, t, at + weights, half[0]));
      x = pl_tape_concat_cols(t, 2, half);
      continue;
    }
    velocity = pl_tape_add(t, pl_tape_scale(t, velocity, gamma),
                           pl_tape_scale(t, b->layer(net, t, at, x), 1 - gamma));
    x = pl_tape_add(t, x, velocity);
  }
  memcpy(out, x->value, (size_t)pl_tape_count(x) * sizeof *out);
}

static void check_values(const run *r, int64_t rows, int first) {
  enum { WIDTH = 4, MOST = 100 };
  pl_net *net = pl_net_of(r->m);
  pl_tape *t = pl_net_tape(net);
  pl_node **w = pl_tape_alloc(t, (size_t)net->num_weights, sizeof *w);
  double start[MOST], want[MOST];
  for (int i = 0; i < rows * WIDTH; i++) start[i] = sin(i + 1);
  pl_net_variables(net, t, net->w, NULL, w);
  pl_node *x = pl_tape_constant(t, rows, WIDTH, start);
  pl_recursion_own own = pl_recursion_own_of(&net->spec);
  by_hand(net, t, w + first, x, want);
  int at = first;
  const pl_node *y = pl_recursion_blocks(net, &own, t, w, &at, x);
  for (int64_t i = 0; i < rows * WIDTH; i++) assert_close(y->value[i], want[i], 1e-13);
  /* What is left is the read-out. */
  assert_true(!strncmp(net->weight[at].name, "readout", 7));
}

/* The gradient of the whole network, and H v. */
static void derivatives(const run *r, double *g, double *hv) {
  pl_net *net = pl_net_of(r->m);
  int64_t n = net->start[net->num_weights];
  double *v = pl_alloc((size_t)n, sizeof *v, "direction");
  for (int64_t i = 0; i < n; i++) v[i] = direction(i, 3);
  pl_net_gradient(net, net->w, g);
  pl_net_hvp(net, net->w, v, hv);
  pl_free(v);
}

static void check_store(const char *kind, const char *block, const char *keys) {
  char *reversible = pl_asprintf("%s, store: reversible", keys);
  run a = network(kind, block, keys), b = network(kind, block, reversible);
  int64_t n = pl_net_of(a.m)->start[pl_net_of(a.m)->num_weights];
  double *x[4];
  for (int k = 0; k < 4; k++) x[k] = pl_alloc((size_t)n, sizeof(double), "derivatives");
  derivatives(&a, x[0], x[1]);
  derivatives(&b, x[2], x[3]);
  for (int64_t i = 0; i < n; i++) {
    assert_close(x[2][i], x[0][i], 1e-11);
    assert_close(x[3][i], x[1][i], 1e-11);
  }
  for (int k = 0; k < 4; k++) pl_free(x[k]);
  pl_free(reversible);
  end(&a);
  end(&b);
}

static void every_block_in_every_recursion(void **state) {
  static const char *const keys[] = {"update: residual", "gamma: 0.75", "gamma: 0.75, tied: true",
                                     "update: revnet", "update: revnet, tied: true"};
  (void)state;
  int blocks = 0;
  for (; pl_zoo_block(blocks); blocks++)
    for (int k = 0; k < 5; k++)
      for (int graph = pl_zoo_block(blocks)->on_nodes; graph < 2; graph++) {
        const char *kind = graph ? "resgnn" : "resmlp";
        run r = network(kind, pl_zoo_block(blocks)->name, keys[k]);
        check_values(&r, graph ? 6 : 7, graph ? 1 : 2);
        end(&r);
        if (strstr(keys[k], "gamma")) check_store(kind, pl_zoo_block(blocks)->name, keys[k]);
      }
  assert_true(blocks >= 2);
}

static void nodes_are_for_graphs(void **state) {
  static const char text[] = "{model: {kind: resmlp, block: gnn}}";
  pl_config *cfg;
  (void)state;
  assert_says(PL_EINPUT, pl_config_parse(text, sizeof text - 1, "test", NULL, 0, &cfg),
              "acts on the nodes of a graph");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(every_block_in_every_recursion),
    cmocka_unit_test(nodes_are_for_graphs),
};
PL_TEST_MAIN(tests)
