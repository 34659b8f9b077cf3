/* The functions phi that the networks are made of. */
#include "network.h"

#include <math.h>
#include <stdio.h>

/* ---- weights ---- */

static void add(pl_net *net, int layer, const char *name, const char *part, const char *what,
                pl_net_weight w) {
  if (layer >= 0)
    snprintf(w.name, sizeof w.name, "layer%d_%s_%s", layer, name, part);
  else
    snprintf(w.name, sizeof w.name, "%s_%s", name, part);
  snprintf(w.what, sizeof w.what, "%s of %s", part, what);
  w.group = *part == 'b' ? "bias" : "weight";
  w.layer = layer < 0 ? 0 : layer;
  pl_net_add(net, w);
}

void points_add(pl_net *net, int layer, const char *name, const char *what, int64_t rows,
                int64_t cols, bool bias) {
  double spread = points_values_of(&net->spec)->init_scale / sqrt((double)rows);
  pl_net_weight w = {.rows = rows, .cols = cols, .init = PL_INIT_SPREAD, .scale = spread};
  add(net, layer, name, "weight", what, w);
  w.rows = 1;
  if (bias) add(net, layer, name, "bias", what, w);
}

void points_add_gain(pl_net *net, int layer, const char *name, const char *what, int64_t rows) {
  double gain = points_values_of(&net->spec)->gain;
  add(net, layer, name, "weight", what,
      (pl_net_weight){.rows = rows,
                      .cols = 1,
                      .init = PL_INIT_SPREAD,
                      .scale = gain * sqrt(6 / (double)(rows + 1))});
}

void points_add_number(pl_net *net, const char *name, const char *what, double value) {
  pl_net_weight w = {
      .group = "weight", .rows = 1, .cols = 1, .init = PL_INIT_CONSTANT, .scale = value};
  snprintf(w.name, sizeof w.name, "%s", name);
  snprintf(w.what, sizeof w.what, "%s", what);
  pl_net_add(net, w);
}

void points_add_two(pl_net *net, int layer, const char *name, const char *what, int64_t rows,
                    int64_t width, int64_t cols) {
  char numbered[32], which[80];
  for (int k = 1; k <= 2; k++) {
    snprintf(numbered, sizeof numbered, "%s%d", name, k);
    snprintf(which, sizeof which, "%s, linear layer %d", what, k);
    points_add(net, layer, numbered, which, k == 1 ? rows : width, k == 1 ? width : cols, true);
  }
}

pl_node *points_affine(pl_tape *t, pl_node *const *w, int *at, pl_node *x) {
  int k = *at;
  *at += 2;
  return pl_tape_affine(t, x, w[k], w[k + 1]);
}

pl_node *points_two(pl_tape *t, pl_node *const *w, int *at, pl_node *x) {
  x = pl_tape_silu(t, points_affine(t, w, at, x));
  return points_affine(t, w, at, x);
}

/* ---- messages ---- */

void points_add_messages(pl_net *net, int layer, int64_t in, int64_t marks, bool attention) {
  int64_t width = points_values_of(&net->spec)->width;
  points_add_two(net, layer, "edge", "phi_e", 2 * in + marks, width, width);
  if (attention) points_add(net, layer, "attention", "attention", width, 1, true);
}

/* Rows of the first weight: h_i, h_j, s. */
pl_node *points_phi_e(pl_tape *t, pl_node *const *w, int *at, const points_batch *b, pl_node *h,
                      pl_node *s, bool attention) {
  pl_node *first = w[*at], *bias = w[*at + 1];
  int64_t in = h->cols;
  *at += 2;
  pl_node *own = pl_tape_affine(t, h, pl_tape_rows(t, first, 0, in), bias);
  pl_node *other = pl_tape_matmul(t, h, pl_tape_rows(t, first, in, in));
  pl_node *m =
      points_messages(t, &b->pairs, own, other, s, pl_tape_rows(t, first, 2 * in, s->cols));
  m = pl_tape_silu(t, points_affine(t, w, at, m));
  if (!attention) return m;
  return pl_tape_multiply(t, m, pl_tape_sigmoid(t, points_affine(t, w, at, m)));
}

void points_add_node(pl_net *net, int layer, int64_t in) {
  int64_t width = points_values_of(&net->spec)->width;
  points_add_two(net, layer, "node", "phi_h", in + width, width, width);
}

pl_node *points_phi_h(pl_tape *t, pl_node *const *w, int *at, const points_batch *b, pl_node *h,
                      pl_node *m, bool residual) {
  pl_node *sum = pl_tape_segment_sum(t, m, b->pairs.nodes, b->pairs.start);
  pl_node *change = points_two(t, w, at, pl_tape_concat_cols(t, 2, (pl_node *const[]){h, sum}));
  return residual ? pl_tape_add(t, h, change) : change;
}

/* ---- positions ---- */

pl_node *points_shrunk(const pl_net *net, pl_tape *t, pl_node *x) {
  double shrink = points_values_of(&net->spec)->shrink;
  return shrink > 0 ? pl_tape_scale(t, x, 1 - shrink) : x;
}

void points_add_decoder(pl_net *net) {
  points_add_number(net, "decoder_weight", "w of w ||x_i - x_j||^2 + b", -0.1);
  points_add_number(net, "decoder_bias", "b of w ||x_i - x_j||^2 + b", 1);
}

pl_node *points_decode(pl_tape *t, pl_node *const *w, int *at, const points_batch *b, pl_node *x) {
  return points_affine(t, w, at, points_distances(t, &b->pairs, x));
}

/* ---- costs ---- */

void points_layer_work(const pl_points_shape *s, double in, double width, double *products,
                       double *doubles) {
  *products += s->pairs * width * (width + 3) + s->nodes * width * (3 * in + 2 * width);
  *doubles += s->pairs * 6 * width + s->nodes * 9 * width;
}
