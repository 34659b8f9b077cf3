/* A plain graph network on positions and velocities: as egnn, but positions are values of a node
 * like others, m_ij = phi_e(h_i, h_j, a_ij), and what it says is read off the nodes. */
#include "network.h"

#include <stdio.h>

static bool is_graph(const pl_points_shape *s) {
  return s->task == PL_POINTS_ADJACENCY;
}

/* Nodes of graphs are not embedded: they begin with 1, or with noise. */
static int64_t in_of(const pl_points_shape *s, const points_values *v, int64_t l) {
  if (l > 0 || !is_graph(s)) return v->width;
  return v->noise > 0 ? v->noise : 1;
}

static void add(pl_net *net, const pl_points_shape *s) {
  const points_values *v = points_values_of(&net->spec);
  if (!is_graph(s))
    points_add(net, -1, "embedding", "embedding of positions and velocities", 2 * s->dimension,
               v->width, true);
  for (int l = 0; l < v->depth; l++) {
    int64_t in = in_of(s, v, l);
    points_add_messages(net, l, in, 1, false);
    points_add_node(net, l, in);
  }
  if (is_graph(s)) {
    points_add(net, -1, "position", "positions of nodes", v->width, s->dimension, true);
    points_add(net, -1, "decoder", "the squares (x_i - x_j)^2, axis by axis", s->dimension, 1,
               true);
  } else {
    points_add_two(net, -1, "decoder", "positions", v->width, v->width, s->dimension);
  }
}

/* Log odds sum_k w_k (x_ik - x_jk)^2 + b. */
static pl_node *decode(pl_tape *t, pl_node *const *w, int *at, const points_batch *b, pl_node *x) {
  pl_node *i = pl_tape_gather(t, x, b->pairs.num, b->pairs.first);
  pl_node *j = pl_tape_gather(t, x, b->pairs.num, b->pairs.second);
  return points_affine(t, w, at, pl_tape_square(t, pl_tape_subtract(t, i, j)));
}

static pl_node *start(const pl_net *net, pl_tape *t, pl_node *const *w, int *at,
                      const points_batch *b) {
  int64_t noise = points_values_of(&net->spec)->noise;
  if (is_graph(b->shape)) return noise > 0 ? points_noise(net, t, b, noise) : points_ones(t, b);
  pl_node *both[] = {points_positions(net, t, b), points_velocities(t, b)};
  return points_affine(t, w, at, pl_tape_concat_cols(t, 2, both));
}

static pl_node *answer(const pl_net *net, pl_tape *t, pl_node *const *w, const points_batch *b) {
  const points_values *v = points_values_of(&net->spec);
  int at = 0;
  pl_node *h = start(net, t, w, &at, b), *mark = points_marks(t, b);
  for (int64_t l = 0; l < v->depth; l++) {
    pl_node *m = points_phi_e(t, w, &at, b, h, mark, false);
    h = points_phi_h(t, w, &at, b, h, m, l > 0 || !is_graph(b->shape));
  }
  return is_graph(b->shape) ? decode(t, w, &at, b, points_affine(t, w, &at, h))
                            : points_two(t, w, &at, h);
}

static void work(const pl_spec *spec, const pl_points_shape *s, double *products, double *doubles) {
  const points_values *v = points_values_of(spec);
  double width = (double)v->width;
  for (int64_t l = 0; l < v->depth; l++)
    points_layer_work(s, (double)in_of(s, v, l), width, products, doubles);
  *products += s->nodes * width * (width + 3 * (double)s->dimension);
  *doubles += s->pairs * 3 * (double)s->dimension + s->nodes * 4 * width;
}

static int label(const pl_spec *spec, char *buf, size_t n) {
  const points_values *v = points_values_of(spec);
  return snprintf(buf, n, "gnn-points, depth %lld, width %lld", (long long)v->depth,
                  (long long)v->width);
}

static const pl_keys *const keys[] = {&points_layer_keys,
                                      &points_gnn_keys,
                                      &points_common_keys,
                                      &pl_net_init_keys,
                                      &pl_batch_keys,
                                      &pl_spectrum_keys,
                                      NULL};

const pl_points_kind pl_gnn_points = {
    .net = {.door = {.name = "gnn-points",
                     .help = "graph networks that read positions as they read anything else",
                     .example = "{model: {kind: gnn-points, depth: 2, width: 4}, train.batch: 3, "
                                "data: {samples: 5, validation: 2, test: 3, nodes: 3, test_nodes: "
                                "2, input: 1, output: 3, dimension: 2, augment: rotations}, "
                                "record.defect: 2}",
                     POINTS_DOOR,
                     .keys = keys,
                     .data = pl_points_plain_kinds,
                     .label = label},
            POINTS_NET},
    .add = add,
    .answer = answer,
    .work = work,
};
