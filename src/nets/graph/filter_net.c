/* Propagation filters on the tape; H = f(X):
 *     none    Z = H
 *     sgc     Z = A^K H
 *     ppnp    Z = alpha (I - (1 - alpha) A)^-1 H, or K iterations; appnp: these
 *     lf, hf  likewise (filter_rule)
 *     dagnn   Z = sum_{k=0..K} s_k A^k H, s_k = sigmoid(A^k H s)
 *     gcn     Z_k = relu(A Z_(k-1) W_k), the last without relu
 *     jknet   all Z_k, k = 1..K, side by side or their largest entries, times W */
#include "filter.h"

static pl_node *dropped(const pl_net *net, pl_tape *t, pl_node *x, int64_t place,
                        const pl_take *take) {
  return graph_dropout(net, t, x, filter_values_of(&net->spec)->dropout, place, take);
}

static pl_node *head(const pl_net *net, pl_tape *t, pl_node *const *w, const pl_take *take) {
  const filter_values *v = filter_values_of(&net->spec);
  pl_node *x = graph_features_times(net, t, w[0], v->dropout, take);
  if (v->head == HEAD_LINEAR) return x;
  return pl_tape_matmul(t, dropped(net, t, pl_tape_relu(t, x), 1, take), w[1]);
}

/* Z_k of gcn and jknet. */
static pl_node *layer(const pl_net *net, pl_tape *t, pl_node *const *w, const pl_take *take,
                      pl_node *before, int64_t k) {
  const filter_values *v = filter_values_of(&net->spec);
  pl_node *x = k == 1 ? graph_features_times(net, t, w[0], v->dropout, take)
                      : pl_tape_matmul(t, dropped(net, t, before, k - 1, take), w[k - 1]);
  x = graph_propagate(t, &graph_own_of(net)->once, x);
  return v->rule == RULE_GCN && k == v->depth ? x : pl_tape_relu(t, x);
}

void filter_states(const pl_net *net, pl_tape *t, pl_node *const *w, const pl_take *take,
                   pl_node **state) {
  const filter_values *v = filter_values_of(&net->spec);
  state[0] = filter_layered(v->rule) ? NULL : head(net, t, w, take);
  for (int64_t k = 1; filter_layered(v->rule) && k <= v->depth; k++)
    state[k] = layer(net, t, w, take, state[k - 1], k);
}

static pl_node *jump(const pl_net *net, pl_tape *t, pl_node *const *w, pl_node *const *state) {
  const filter_values *v = filter_values_of(&net->spec);
  pl_node *x = state[0];
  if (v->jump == JUMP_CAT)
    x = pl_tape_concat_cols(t, (int)v->depth, state);
  else
    for (int64_t k = 1; k < v->depth; k++) x = pl_tape_maximum(t, x, state[k]);
  return pl_tape_matmul(t, x, w[v->depth]);
}

static pl_node *gated(const pl_net *net, pl_tape *t, pl_node *s, pl_node *h) {
  const filter_values *v = filter_values_of(&net->spec);
  pl_node *z = NULL;
  for (int64_t k = 0; k <= v->depth; k++) {
    if (k) h = graph_propagate(t, &graph_own_of(net)->once, h);
    pl_node *part = pl_tape_multiply(t, h, pl_tape_sigmoid(t, pl_tape_matmul(t, h, s)));
    z = z ? pl_tape_add(t, z, part) : part;
  }
  return z;
}

pl_node *filter_answer(const pl_net *net, pl_tape *t, pl_node *const *w, const pl_take *take) {
  const filter_values *v = filter_values_of(&net->spec);
  int64_t depths = filter_layered(v->rule) ? v->depth + 1 : 1;
  pl_node **state = pl_tape_alloc(t, (size_t)depths, sizeof *state);
  filter_states(net, t, w, take, state);
  switch (v->rule) {
  case RULE_NONE:
    return state[0];
  case RULE_GCN:
    return state[v->depth];
  case RULE_JKNET:
    return jump(net, t, w, state + 1);
  case RULE_DAGNN:
    return gated(net, t, w[v->head == HEAD_MLP ? 2 : 1], state[0]);
  default:
    return graph_propagate(t, &filter_own_of(net)->map, state[0]);
  }
}

pl_node *filter_objective(const pl_net *net, pl_tape *t, pl_node *const *w, const pl_take *take) {
  double l2 = filter_values_of(&net->spec)->l2;
  pl_node *loss = graph_objective(net, t, w, take);
  if (l2 == 0) return loss;
  pl_node *squares = pl_tape_sum(t, pl_tape_square(t, w[0]));
  return pl_tape_add(t, loss, pl_tape_scale(t, squares, l2 / 2 / net->team.size));
}
