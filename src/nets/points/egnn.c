/* E(n)-equivariant graph networks.  In a layer, all sums over j != i of a sample of M nodes,
 *     m_ij = phi_e(h_i, h_j, ||x_i - x_j||^2, a_ij)
 *     x_i <- x_i + 1/(M - 1) sum_j (x_i - x_j) phi_x(m_ij) + phi_v(h_i) v_i
 *     h_i <- h_i + phi_h(h_i, sum_j m_ij)
 * Positions stay where a property is asked for. */
#include "network.h"

#include <stdio.h>

static bool moves(const pl_points_shape *s) {
  return s->task != PL_POINTS_PROPERTY;
}

/* Numbers of a pair that phi_e reads beside both ends: the squared distance; what is told of the
 * pair; the squared distance at the start, of particles. */
static int64_t marks_of(const pl_points_shape *s) {
  return s->task == PL_POINTS_POSITIONS ? 3 : s->task == PL_POINTS_ADJACENCY ? 2 : 1;
}

/* Values of a node that layer l begins with: nodes of graphs have 1 and are not embedded. */
static int64_t in_of(const pl_points_shape *s, const points_values *v, int64_t l) {
  return s->task == PL_POINTS_ADJACENCY && l == 0 ? 1 : v->width;
}

/* ---- weights ---- */

static void add_layer(pl_net *net, const pl_points_shape *s, int l) {
  const points_values *v = points_values_of(&net->spec);
  int64_t in = in_of(s, v, l);
  points_add_messages(net, l, in, marks_of(s), v->attention);
  if (moves(s)) {
    points_add(net, l, "coord1", "phi_x, linear layer 1", v->width, v->width, true);
    points_add_gain(net, l, "coord2", "phi_x, linear layer 2", v->width);
  }
  if (s->task == PL_POINTS_POSITIONS) points_add_two(net, l, "velocity", "phi_v", in, v->width, 1);
  points_add_node(net, l, in);
}

static void add(pl_net *net, const pl_points_shape *s) {
  const points_values *v = points_values_of(&net->spec);
  if (s->task != PL_POINTS_ADJACENCY)
    points_add(net, -1, "embedding", "embedding of nodes",
               s->task == PL_POINTS_POSITIONS ? 1 : points_atom_cols(s), v->width, true);
  for (int l = 0; l < v->depth; l++) add_layer(net, s, l);
  if (s->task == PL_POINTS_ADJACENCY) points_add_decoder(net);
  if (s->task != PL_POINTS_PROPERTY) return;
  points_add_two(net, -1, "atom", "read-out of atoms", v->width, v->width, v->width);
  points_add_two(net, -1, "molecule", "read-out of molecules", v->width, v->width, 1);
}

/* ---- the network ---- */

typedef struct state {
  pl_node *h, *x, *v, *speeds; /* v NULL: no velocities */
  pl_node *mark, *start;       /* of pairs: what is told, squared distances at the start */
} state;

static pl_node *pair_numbers(pl_tape *t, const points_batch *b, const state *s, pl_node *r) {
  pl_node *all[] = {r, s->mark, s->start};
  return pl_tape_concat_cols(t, (int)marks_of(b->shape), all);
}

static void move(const pl_net *net, pl_tape *t, pl_node *const *w, int *at, const points_batch *b,
                 state *s, pl_node *m) {
  pl_node *f = pl_tape_silu(t, points_affine(t, w, at, m));
  f = pl_tape_matmul(t, f, w[(*at)++]);
  pl_node *step = points_moves(t, &b->pairs, s->x, f);
  if (s->v) {
    pl_node *carried = pl_tape_multiply(t, points_two(t, w, at, s->h), s->v);
    step = pl_tape_add(t, step, carried);
    if (points_values_of(&net->spec)->velocity == VELOCITY_UPDATED) s->v = step;
  }
  s->x = points_shrunk(net, t, pl_tape_add(t, s->x, step));
}

static void layer(const pl_net *net, pl_tape *t, pl_node *const *w, int *at, const points_batch *b,
                  state *s, int64_t l) {
  const points_values *v = points_values_of(&net->spec);
  pl_node *r = l > 0 && moves(b->shape) ? points_distances(t, &b->pairs, s->x) : s->start;
  pl_node *m = points_phi_e(t, w, at, b, s->h, pair_numbers(t, b, s, r), v->attention);
  if (moves(b->shape)) move(net, t, w, at, b, s, m);
  /* Nothing reads the last values where only positions are asked for. */
  if (l == v->depth - 1 && moves(b->shape))
    *at += 4;
  else
    s->h = points_phi_h(t, w, at, b, s->h, m, l > 0 || b->shape->task != PL_POINTS_ADJACENCY);
}

static pl_node *property(pl_tape *t, pl_node *const *w, int *at, const points_batch *b,
                         pl_node *h) {
  pl_node *atoms = points_two(t, w, at, h);
  return points_two(t, w, at, pl_tape_segment_sum(t, atoms, b->take->count, b->start));
}

static pl_node *answer(const pl_net *net, pl_tape *t, pl_node *const *w, const points_batch *b) {
  int at = 0;
  pl_points_task task = b->shape->task;
  state s = {.x = points_positions(net, t, b), .mark = points_marks(t, b)};
  s.start = points_distances(t, &b->pairs, s.x);
  if (task == PL_POINTS_POSITIONS) s.v = points_velocities(t, b);
  s.h = task == PL_POINTS_POSITIONS   ? points_affine(t, w, &at, points_speeds(t, b))
        : task == PL_POINTS_ADJACENCY ? points_ones(t, b)
                                      : points_affine(t, w, &at, points_atoms(t, b));
  for (int64_t l = 0; l < points_values_of(&net->spec)->depth; l++) layer(net, t, w, &at, b, &s, l);
  switch (task) {
  case PL_POINTS_POSITIONS:
    return s.x;
  case PL_POINTS_ADJACENCY:
    return points_decode(t, w, &at, b, s.x);
  default:
    return property(t, w, &at, b, s.h);
  }
}

static void work(const pl_spec *spec, const pl_points_shape *s, double *products, double *doubles) {
  const points_values *v = points_values_of(spec);
  double width = (double)v->width;
  for (int64_t l = 0; l < v->depth; l++) {
    points_layer_work(s, (double)in_of(s, v, l), width, products, doubles);
    if (!moves(s)) continue;
    *products += s->pairs * width * (width + 1) + s->nodes * width * width;
    *doubles += s->pairs * 4 * width + s->nodes * 3 * width;
  }
  *doubles += s->pairs * 8 + s->nodes * 6 * width;
}

/* ---- the door ---- */

static int label(const pl_spec *spec, char *buf, size_t n) {
  const points_values *v = points_values_of(spec);
  return snprintf(buf, n, "egnn, depth %lld, width %lld", (long long)v->depth, (long long)v->width);
}

static const pl_keys *const keys[] = {
    &points_layer_keys, &points_egnn_keys, &points_move_keys, &points_common_keys,
    &pl_net_init_keys,  &pl_batch_keys,    &pl_spectrum_keys, NULL};

const pl_points_kind pl_egnn = {
    .net = {.door = {.name = "egnn",
                     .help = "graph networks on points that turn with them, E(n)-equivariant",
                     .example =
                         "{model: {kind: egnn, depth: 2, width: 4, gain: 1}, train.batch: 3, "
                         "data: {samples: 5, validation: 2, test: 3, nodes: 3, test_nodes: "
                         "4, input: 1, output: 3, augment: octahedral}, record.defect: 2}",
                     POINTS_DOOR,
                     .keys = keys,
                     .data = pl_points_data_kinds,
                     .label = label},
            POINTS_NET},
    .add = add,
    .answer = answer,
    .work = work,
};
