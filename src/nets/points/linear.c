/* What is left without interaction: points go on as they went, x + t v; the property of a molecule
 * is that of its atoms, sum_z n_z w_z + b. */
#include "network.h"

#include <stdio.h>

static void add(pl_net *net, const pl_points_shape *s) {
  if (s->task == PL_POINTS_POSITIONS)
    points_add_number(net, "time", "t of x + t v", 0.7);
  else
    points_add(net, -1, "counts", "numbers of atoms of each element", s->elements, 1, true);
}

static pl_node *answer(const pl_net *net, pl_tape *t, pl_node *const *w, const points_batch *b) {
  int at = 0;
  if (b->shape->task == PL_POINTS_PROPERTY) return points_affine(t, w, &at, points_counts(t, b));
  pl_node *way = pl_tape_multiply(t, points_velocities(t, b), w[0]);
  return pl_tape_add(t, points_positions(net, t, b), way);
}

static void work(const pl_spec *spec, const pl_points_shape *s, double *products, double *doubles) {
  (void)spec;
  *products = s->nodes * (double)s->dimension + s->elements;
  *doubles = 4 * s->nodes * (double)s->dimension + s->elements;
}

static int label(const pl_spec *spec, char *buf, size_t n) {
  (void)spec;
  return snprintf(buf, n, "linear");
}

static const pl_key rows[] = {
    {"model.init.scale", PL_KEY_REAL, offsetof(points_values, init_scale), PL_RESULTS, "1",
     0x1p-1022, 0x1.fffffffffffffp1023,
     .help = "initial weights of atoms are uniform on "
             "+-scale/sqrt(elements)"},
};
static const pl_keys scale_keys = PL_KEYS(PL_IN_NETWORK, rows);
static const pl_keys *const keys[] = {&scale_keys,    &points_common_keys, &pl_net_init_keys,
                                      &pl_batch_keys, &pl_spectrum_keys,   NULL};

const pl_points_kind pl_linear_points = {
    .net = {.door = {.name = "linear",
                     .help = "points that go on as they went, x + t v; or a sum over atoms",
                     .example = "{model: {kind: linear}, train.batch: 3, data: {samples: 5, "
                                "validation: 2, test: 3, nodes: 3, input: 1, output: 3, "
                                "augment: inversion}, record.defect: 2}",
                     POINTS_DOOR,
                     .keys = keys,
                     .data = pl_points_body_kinds,
                     .label = label},
            POINTS_NET},
    .add = add,
    .answer = answer,
    .work = work,
};
