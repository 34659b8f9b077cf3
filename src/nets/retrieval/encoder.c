#include "encoder.h"

#include "nets/retrieval/index.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static int depth_of(const retrieval_values *v) {
  return v->encoder == ENCODER_MLP ? (int)v->depth : 1;
}

int encoder_weights(const retrieval_values *v) {
  return v->encoder == ENCODER_MLP ? 2 * (int)v->depth : 1;
}

int encoder_first(const pl_spec *spec, int side) {
  const retrieval_values *v = retrieval_values_of(spec);
  return side == SIDE_DOCUMENT && !v->shared ? encoder_weights(v) : 0;
}

/* ---- weights ---- */

static void add_layer(pl_net *net, const char *side, int l, int64_t rows, int64_t cols, bool bias) {
  const retrieval_values *v = retrieval_values_of(&net->spec);
  bool again = net->num_weights >= encoder_weights(v) && v->alike;
  pl_net_weight w = {.group = "weight",
                     .layer = l,
                     .rows = rows,
                     .cols = cols,
                     .init = PL_INIT_NORMAL,
                     .scale = v->init_scale / sqrt((double)(l ? rows : cols)),
                     .drawn_as = again ? net->num_weights - encoder_weights(v) + 1 : 0};
  const char *of = *side ? *side == 'q' ? "queries" : "documents" : "both";
  snprintf(w.name, sizeof w.name, "%slayer%d_weight", side, l);
  snprintf(w.what, sizeof w.what, "weight of layer %d of the encoder of %s", l, of);
  pl_net_add(net, w);
  if (!bias) return;
  w.group = "bias";
  w.rows = 1;
  w.init = PL_INIT_ZERO;
  snprintf(w.name, sizeof w.name, "%slayer%d_bias", side, l);
  snprintf(w.what, sizeof w.what, "bias of layer %d of the encoder of %s", l, of);
  pl_net_add(net, w);
}

static void add_encoder(pl_net *net, const char *side, int64_t features) {
  const retrieval_values *v = retrieval_values_of(&net->spec);
  int depth = depth_of(v);
  for (int l = 0; l < depth; l++)
    add_layer(net, side, l, l ? v->hidden : features, l < depth - 1 ? v->hidden : v->width,
              v->encoder == ENCODER_MLP);
}

void encoder_add(pl_net *net, int64_t features) {
  if (retrieval_values_of(&net->spec)->shared) {
    add_encoder(net, "", features);
  } else {
    add_encoder(net, "query_", features);
    add_encoder(net, "document_", features);
  }
}

/* ---- on a tape ---- */

pl_node *encoder_of(const pl_net *net, pl_tape *t, pl_node *const *w, int side,
                    const pl_tape_csr *x) {
  const retrieval_values *v = retrieval_values_of(&net->spec);
  w += encoder_first(&net->spec, side);
  pl_node *y = pl_tape_spmm(t, x, NULL, w[0]);
  if (v->encoder == ENCODER_LINEAR) return y;
  y = pl_tape_add(t, y, w[1]);
  for (int l = 1; l < v->depth; l++) {
    y = v->activation == ACTIVATION_TANH ? pl_tape_tanh(t, y) : pl_tape_relu(t, y);
    y = pl_tape_affine(t, y, w[2 * l], w[2 * l + 1]);
  }
  return y;
}

pl_tape_csr encoder_rows(pl_tape *t, const pl_csr *s, int64_t count, const int32_t *row) {
  int64_t entries = 0, *start = pl_tape_alloc(t, (size_t)count + 1, sizeof *start);
  for (int64_t i = 0; i < count; i++) entries += s->start[row[i] + 1] - s->start[row[i]];
  int *index = pl_tape_alloc(t, (size_t)entries, sizeof *index);
  double *value = pl_tape_alloc(t, (size_t)entries, sizeof *value);
  start[0] = 0;
  for (int64_t i = 0; i < count; i++) {
    int64_t from = s->start[row[i]], n = s->start[row[i] + 1] - from;
    memcpy(index + start[i], s->index + from, (size_t)n * sizeof *index);
    memcpy(value + start[i], s->value + from, (size_t)n * sizeof *value);
    start[i + 1] = start[i] + n;
  }
  return (pl_tape_csr){count, s->cols, start, index, value};
}

void encoder_embed(const pl_net *net, pl_tape *t, const double *w, int side, const pl_csr *s,
                   const int32_t *row, int64_t first, int64_t count, double *out) {
  int64_t width = retrieval_values_of(&net->spec)->width;
  for (int64_t from = 0; from < count; from += PL_INDEX_BLOCK) {
    int64_t n = count - from < PL_INDEX_BLOCK ? count - from : PL_INDEX_BLOCK, at = first + from;
    pl_tape_reset(t);
    pl_node **node = pl_tape_alloc(t, (size_t)net->num_weights, sizeof *node);
    for (int k = 0; k < net->num_weights; k++)
      node[k] = pl_tape_constant(t, net->weight[k].rows, net->weight[k].cols, w + net->start[k]);
    pl_tape_csr x = {n, s->cols, s->start + at, s->index, s->value};
    if (row) x = encoder_rows(t, s, n, row + at);
    const pl_node *y = encoder_of(net, t, node, side, &x);
    memcpy(out + from * width, y->value, (size_t)(n * width) * sizeof *out);
  }
}
