#include "network.h"

#include <string.h>

static bool sets(const pl_net *net) {
  return pointer_values_of(&net->spec)->encoder == ENCODER_SET;
}

/* ---- order ---- */

/* rank[i]: place of instance i when the longest come first, equal ones in order; start: packed, of
 * lengths 1 .. most. */
static packed pack(pl_tape *t, int64_t count, const int *length, int most, int *rank) {
  int64_t *start = pl_tape_alloc(t, (size_t)most + 1, sizeof *start);
  int64_t *place = pl_tape_alloc(t, (size_t)most + 2, sizeof *place);
  memset(place, 0, ((size_t)most + 2) * sizeof *place);
  for (int64_t i = 0; i < count; i++) place[length[i]]++;
  int64_t longer = 0;
  for (int l = most; l >= 0; l--) { /* how many are longer than l, and so where those of l begin */
    int64_t here = place[l];
    place[l] = longer;
    longer += here;
  }
  start[0] = 0; /* step s is reached by those longer than s */
  for (int s = 0; s < most; s++) start[s + 1] = start[s] + place[s];
  for (int64_t i = 0; i < count; i++) rank[i] = (int)place[length[i]]++;
  return (packed){most, start};
}

static int *ints(pl_tape *t, int64_t n) {
  return pl_tape_alloc(t, (size_t)n, sizeof(int));
}
static int64_t *longs(pl_tape *t, int64_t n) {
  return pl_tape_alloc(t, (size_t)n, sizeof(int64_t));
}

batch batch_of(pl_tape *t, int64_t count, const problem *p) {
  batch b = {.count = count, .p = p};
  int *length = ints(t, count);
  b.rank = ints(t, count);
  b.first = longs(t, count + 1);
  b.key_start = longs(t, count + 1);
  b.first[0] = 0;
  for (int64_t i = 0; i < count; i++) {
    length[i] = p[i].n;
    if (p[i].n > b.widest) b.widest = p[i].n;
    b.first[i + 1] = b.first[i] + p[i].n;
  }
  for (int64_t i = 0; i <= count; i++) b.key_start[i] = b.first[i] + i;
  b.keys = b.key_start[count];
  b.enc = pack(t, count, length, b.widest, b.rank);
  return b;
}

batch batch_of_take(pl_tape *t, const source *s, const pl_take *take) {
  problem *p = pl_tape_alloc(t, (size_t)take->count, sizeof *p);
  for (int64_t i = 0; i < take->count; i++) {
    int n = source_points(s, take->part, take->entry[i]);
    double *x = pl_tape_alloc(t, (size_t)(n * s->task->coordinates), sizeof *x);
    source_instance(s, take->part, take->entry[i], x, ints(t, source_room(s, n)), &p[i]);
  }
  return batch_of(t, take->count, p);
}

/* ---- the encoder ---- */

/* Row of point j (from 0) of instance i where the encoder has it: packed by time, or in order. */
static int64_t row_of(const pl_net *net, const batch *b, int64_t i, int64_t j) {
  return sets(net) ? b->first[i] + j : b->enc.start[j] + b->rank[i];
}

static pl_node *points_of(const pl_net *net, pl_tape *t, const batch *b, bool in_order) {
  int64_t c = own_of(net)->source.task->coordinates;
  double *x = pl_tape_alloc(t, (size_t)(b->first[b->count] * c), sizeof *x);
  for (int64_t i = 0; i < b->count; i++)
    for (int64_t j = 0; j < b->p[i].n; j++)
      memcpy(x + (in_order ? b->first[i] + j : row_of(net, b, i, j)) * c, b->p[i].x + j * c,
             (size_t)c * sizeof *x);
  return pl_tape_constant(t, b->first[b->count], c, x);
}

static pl_node *zeros(pl_tape *t, int64_t rows, int64_t cols) {
  double *x = pl_tape_alloc(t, (size_t)(rows * cols), sizeof *x);
  memset(x, 0, (size_t)(rows * cols) * sizeof *x);
  return pl_tape_constant(t, rows, cols, x);
}

/* The LSTM's states, and its last ones in the instances' order. */
static pl_node *read_sequence(const pl_net *net, pl_tape *t, pl_node *const *w, const batch *b,
                              encoded *e) {
  const places *at = &own_of(net)->at;
  int64_t width = pointer_values_of(&net->spec)->width, rows = b->first[b->count];
  pl_node *none = zeros(t, b->count, width);
  pl_node *y = sequence_lstm(t, b->enc, points_of(net, t, b, false), w[at->encoder_input],
                             w[at->encoder_state], w[at->encoder_bias], none, none);
  int *h = ints(t, b->count), *c = ints(t, b->count);
  for (int64_t i = 0; i < b->count; i++) {
    h[i] = (int)row_of(net, b, i, b->p[i].n - 1);
    c[i] = (int)(rows + b->rank[i]);
  }
  e->h = pl_tape_gather(t, y, b->count, h);
  e->c = pl_tape_gather(t, y, b->count, c);
  return y;
}

/* e' = e + relu(e A + mean(e) B + b), layer by layer. */
static pl_node *read_set(const pl_net *net, pl_tape *t, pl_node *const *w, const batch *b,
                         encoded *out) {
  const places *at = &own_of(net)->at;
  int64_t rows = b->first[b->count], width = pointer_values_of(&net->spec)->width;
  double *share = pl_tape_alloc(t, (size_t)b->count, sizeof *share);
  int *owner = ints(t, rows);
  for (int64_t i = 0; i < b->count; i++) {
    share[i] = 1 / (double)b->p[i].n;
    for (int64_t j = b->first[i]; j < b->first[i + 1]; j++) owner[j] = (int)i;
  }
  pl_node *shares = pl_tape_constant(t, b->count, 1, share);
  pl_node *e =
      pl_tape_affine(t, points_of(net, t, b, true), w[at->encoder_input], w[at->encoder_bias]);
  for (int64_t l = 0; l <= pointer_values_of(&net->spec)->depth; l++) {
    pl_node *mean = pl_tape_multiply(t, pl_tape_segment_sum(t, e, b->count, b->first), shares);
    if (l == pointer_values_of(&net->spec)->depth) {
      pl_node *s = pl_tape_tanh(t, pl_tape_affine(t, mean, w[at->state], w[at->state_bias]));
      out->h = pl_tape_cols(t, s, 0, width);
      out->c = pl_tape_cols(t, s, width, width);
      break;
    }
    pl_node *const *layer = w + at->layer + 3 * l;
    pl_node *all = pl_tape_gather(t, pl_tape_matmul(t, mean, layer[1]), rows, owner);
    pl_node *a = pl_tape_add(t, pl_tape_affine(t, e, layer[0], layer[2]), all);
    e = pl_tape_add(t, e, pl_tape_relu(t, a));
  }
  return e;
}

/* States with the end symbol before those of each instance. */
static pl_node *with_end(const pl_net *net, pl_tape *t, pl_node *end, pl_node *y, const batch *b) {
  int *row = ints(t, b->keys);
  for (int64_t i = 0; i < b->count; i++) {
    row[b->key_start[i]] = 0;
    for (int64_t j = 0; j < b->p[i].n; j++)
      row[b->key_start[i] + 1 + j] = (int)(1 + row_of(net, b, i, j));
  }
  return pl_tape_gather(t, pl_tape_concat_rows(t, 2, (pl_node *const[]){end, y}), b->keys, row);
}

encoded network_encode(const pl_net *net, pl_tape *t, pl_node *const *w, const batch *b) {
  const places *at = &own_of(net)->at;
  encoded e = {0};
  pl_node *y = sets(net) ? read_set(net, t, w, b, &e) : read_sequence(net, t, w, b, &e);
  if (at->end >= 0) {
    e.states = with_end(net, t, w[at->end], y, b);
    e.keys = pl_tape_matmul(t, e.states, w[at->key]);
  }
  pl_node *const rows[] = {w[at->start], points_of(net, t, b, true)};
  e.points = pl_tape_concat_rows(t, 2, rows);
  return e;
}

/* ---- the decoder, told the right symbols ---- */

/* Its steps: outputs and an end each. */
typedef struct steps {
  packed p;
  int64_t rows;
  int *rank;  /* of the instances */
  int *label; /* [rows]: the symbol that is right */
  glances look;
} steps;

static steps steps_of(pl_tape *t, const batch *b) {
  steps s = {.rank = ints(t, b->count)};
  int *length = ints(t, b->count), most = 0;
  int64_t *begin = longs(t, b->count + 1);
  begin[0] = 0;
  for (int64_t i = 0; i < b->count; i++) {
    length[i] = b->p[i].length + 1;
    if (length[i] > most) most = length[i];
    begin[i + 1] = begin[i] + length[i];
  }
  s.p = pack(t, b->count, length, most, s.rank);
  s.rows = begin[b->count];
  s.label = ints(t, s.rows);
  int *row = ints(t, s.rows);
  for (int64_t i = 0; i < b->count; i++)
    for (int k = 0; k < length[i]; k++) {
      row[begin[i] + k] = (int)(s.p.start[k] + s.rank[i]);
      s.label[row[begin[i] + k]] = k < b->p[i].length ? b->p[i].output[k] : 0;
    }
  s.look = (glances){b->count, b->widest + 1, b->key_start, begin, row};
  return s;
}

static pl_node *decode_states(const pl_net *net, pl_tape *t, pl_node *const *w, const batch *b,
                              const encoded *e, const steps *s) {
  const places *at = &own_of(net)->at;
  int *input = ints(t, s->rows), *from = ints(t, b->count);
  for (int64_t i = 0; i < b->count; i++) {
    from[s->rank[i]] = (int)i;
    for (int k = 0; k <= b->p[i].length; k++)
      input[s->p.start[k] + s->rank[i]] = k == 0 ? 0 : (int)(b->first[i] + b->p[i].output[k - 1]);
  }
  pl_node *y = sequence_lstm(t, s->p, pl_tape_gather(t, e->points, s->rows, input),
                             w[at->decoder_input], w[at->decoder_state], w[at->decoder_bias],
                             pl_tape_gather(t, e->h, b->count, from),
                             pl_tape_gather(t, e->c, b->count, from));
  return pl_tape_rows(t, y, 0, s->rows);
}

/* Symbols that are there, or those that keep the output valid. */
static const bool *mask_of(const pl_net *net, pl_tape *t, const batch *b, const steps *s,
                           int64_t cols, bool masked) {
  const source *src = &own_of(net)->source;
  bool *mask = pl_tape_alloc(t, (size_t)(s->rows * cols), sizeof *mask);
  for (int64_t i = 0; i < b->count; i++)
    for (int k = 0; k <= b->p[i].length; k++) {
      bool *row = mask + (s->p.start[k] + s->rank[i]) * cols;
      for (int j = 0; j < cols; j++)
        row[j] = j <= b->p[i].n &&
                 (!masked || src->task->allows(src->canonical, b->p[i].n, k, b->p[i].output, j));
    }
  return mask;
}

pl_node *network_log_probabilities(const pl_net *net, pl_tape *t, pl_node *const *w, const batch *b,
                                   bool masked) {
  const places *at = &own_of(net)->at;
  steps s = steps_of(t, b);
  encoded e = network_encode(net, t, w, b);
  pl_node *d = decode_states(net, t, w, b, &e, &s), *logits = NULL;
  if (at->key >= 0)
    logits = sequence_scores(t, s.look, e.keys, pl_tape_matmul(t, d, w[at->query]), w[at->score]);
  if (at->output >= 0) {
    if (logits) {
      const bool *there = mask_of(net, t, b, &s, logits->cols, false);
      pl_node *seen = sequence_mix(t, s.look, pl_tape_softmax(t, logits, there), e.states);
      d = pl_tape_concat_cols(t, 2, (pl_node *const[]){d, seen});
    }
    logits = pl_tape_affine(t, d, w[at->output], w[at->output_bias]);
  }
  const bool *mask = mask_of(net, t, b, &s, logits->cols, masked);
  pl_node *log_p = pl_tape_pick(t, pl_tape_log_softmax(t, logits, mask), s.label);
  /* Step by step into instance by instance. */
  return pl_tape_segment_sum(t, pl_tape_gather(t, log_p, s.rows, s.look.row), b->count,
                             s.look.begin);
}
