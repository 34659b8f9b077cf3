/* Radial fields, x_i <- x_i + 1/(M - 1) sum_j (x_i - x_j) phi(||x_i - x_j||^2, a_ij) + phi_v(|v_i|)
 * v_i: nodes have nothing but their positions. */
#include "network.h"

#include <stdio.h>

static bool is_graph(const pl_points_shape *s) {
  return s->task == PL_POINTS_ADJACENCY;
}

static int64_t marks_of(const pl_points_shape *s) {
  return is_graph(s) ? 2 : 3;
}

static void add(pl_net *net, const pl_points_shape *s) {
  const points_values *v = points_values_of(&net->spec);
  for (int l = 0; l < v->depth; l++) {
    points_add(net, l, "phi1", "phi, linear layer 1", marks_of(s), v->width, true);
    points_add_gain(net, l, "phi2", "phi, linear layer 2", v->width);
    if (!is_graph(s)) points_add_two(net, l, "velocity", "phi_v", 1, v->width, 1);
  }
  if (is_graph(s)) points_add_decoder(net);
}

static pl_node *field(const pl_net *net, pl_tape *t, pl_node *const *w, int *at,
                      const points_batch *b, pl_node *x, pl_node *mark, pl_node *first) {
  int64_t form = points_values_of(&net->spec)->form;
  pl_node *r = points_distances(t, &b->pairs, x);
  if (form != FORM_SQUARE) r = pl_tape_sqrt(t, r);
  pl_node *all[] = {r, mark, first};
  pl_node *s = pl_tape_concat_cols(t, (int)marks_of(b->shape), all);
  pl_node *f = pl_tape_silu(t, points_affine(t, w, at, s));
  f = pl_tape_matmul(t, f, w[(*at)++]);
  return form == FORM_TANH ? pl_tape_tanh(t, f) : f;
}

static pl_node *answer(const pl_net *net, pl_tape *t, pl_node *const *w, const points_batch *b) {
  int at = 0;
  pl_node *x = points_positions(net, t, b), *mark = points_marks(t, b);
  pl_node *first = points_distances(t, &b->pairs, x);
  for (int64_t l = 0; l < points_values_of(&net->spec)->depth; l++) {
    pl_node *f = field(net, t, w, &at, b, x, mark, first);
    pl_node *step = points_moves(t, &b->pairs, x, f);
    if (!is_graph(b->shape)) {
      pl_node *factor = points_two(t, w, &at, points_speeds(t, b));
      step = pl_tape_add(t, step, pl_tape_multiply(t, factor, points_velocities(t, b)));
    }
    x = pl_tape_add(t, points_shrunk(net, t, x), step);
  }
  return is_graph(b->shape) ? points_decode(t, w, &at, b, x) : x;
}

static void work(const pl_spec *spec, const pl_points_shape *s, double *products, double *doubles) {
  const points_values *v = points_values_of(spec);
  double width = (double)v->width, depth = (double)v->depth;
  *products = depth * width * (4 * s->pairs + 2 * s->nodes);
  *doubles = depth * (s->pairs * (3 * width + 8) + s->nodes * (3 * width + 12));
}

static int label(const pl_spec *spec, char *buf, size_t n) {
  const points_values *v = points_values_of(spec);
  return snprintf(buf, n, "radial, depth %lld, width %lld", (long long)v->depth,
                  (long long)v->width);
}

static const pl_keys *const keys[] = {
    &points_layer_keys, &points_radial_keys, &points_move_keys, &points_common_keys,
    &pl_net_init_keys,  &pl_batch_keys,      &pl_spectrum_keys, NULL};

const pl_points_kind pl_radial = {
    .net = {.door = {.name = "radial",
                     .help = "radial fields, which know of points only how far apart they are",
                     .example = "{model: {kind: radial, depth: 2, width: 4, gain: 1, form: tanh}, "
                                "train.batch: 3, data: {kind: graphs, samples: 5, validation: 2, "
                                "test: 3, nodes_min: 3, nodes_max: 5, dimension: 2}, "
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
