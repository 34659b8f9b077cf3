/* The samples of a take on the tape. */
#include "base/rng.h"
#include "network.h"

#include <math.h>
#include <string.h>

enum { AUGMENT = 0x61756700 }; /* stream of the elements that move the samples of a step */

/* ---- pairs ---- */

static void list_pairs(pl_tape *t, points_batch *b) {
  int64_t samples = b->take->count, nodes = b->start[samples], num = b->pair_start[samples];
  int *first = pl_tape_alloc(t, (size_t)num, sizeof *first);
  int *second = pl_tape_alloc(t, (size_t)num, sizeof *second);
  int64_t *start = pl_tape_alloc(t, (size_t)nodes + 1, sizeof *start), e = 0;
  double *mean = pl_tape_alloc(t, (size_t)nodes, sizeof *mean);
  start[0] = 0;
  for (int64_t s = 0; s < samples; s++) {
    int64_t low = b->start[s], high = b->start[s + 1];
    for (int64_t i = low; i < high; i++) {
      for (int64_t j = low; j < high; j++)
        if (j != i) first[e] = (int)i, second[e++] = (int)j;
      start[i + 1] = e;
      mean[i] = high - low > 1 ? 1 / (double)(high - low - 1) : 0;
    }
  }
  b->pairs = (points_pairs){nodes, num, first, second, start, mean};
}

static void list_samples(pl_tape *t, points_batch *b) {
  const pl_take *take = b->take;
  int64_t *start = pl_tape_alloc(t, (size_t)take->count + 1, sizeof *start);
  int64_t *pair = pl_tape_alloc(t, (size_t)take->count + 1, sizeof *pair);
  start[0] = pair[0] = 0;
  for (int64_t s = 0; s < take->count; s++) {
    int64_t k = take->entry[s], n = b->part->start[k + 1] - b->part->start[k];
    start[s + 1] = start[s] + n;
    pair[s + 1] = pair[s] + n * (n - 1);
  }
  b->start = start;
  b->pair_start = pair;
}

/* ---- coordinates ---- */

/* The element that moves sample s in this step. */
static points_symmetry turn_of(const pl_net *net, const points_batch *b, int64_t s) {
  int64_t subgroup = points_data_of(&net->spec)->augment, d = b->shape->dimension;
  uint64_t stream = PL_STREAM(PL_STREAM_DROPOUT, AUGMENT + b->take->step);
  int64_t k = pl_rng_below((uint64_t)net->spec.common.seed, stream, (uint64_t)b->take->entry[s],
                           points_symmetry_order(subgroup, d));
  return points_symmetry_of(subgroup, d, k);
}

static bool augmented(const pl_net *net, const points_batch *b) {
  return b->take->training && b->shape->task == PL_POINTS_POSITIONS &&
         points_data_of(&net->spec)->augment != AUGMENT_TRIVIAL;
}

/* from: [all nodes of the part][dimension], as the batch has them; NULL stays NULL. */
static const double *moved(const pl_net *net, pl_tape *t, const points_batch *b,
                           const double *from) {
  int64_t d = b->shape->dimension, samples = b->take->count;
  if (!from) return NULL;
  double *to = pl_tape_alloc(t, (size_t)(b->start[samples] * d), sizeof *to);
  for (int64_t s = 0; s < samples; s++) {
    const double *x = from + b->part->start[b->take->entry[s]] * d;
    int64_t n = b->start[s + 1] - b->start[s];
    double *at = to + b->start[s] * d;
    points_symmetry own;
    const points_symmetry *g = b->turn;
    if (!g && augmented(net, b)) own = turn_of(net, b, s), g = &own;
    if (g)
      points_symmetry_apply(g, d, n, x, at);
    else
      memcpy(at, x, (size_t)(n * d) * sizeof *at);
  }
  return to;
}

points_batch points_batch_new(const pl_net *net, pl_tape *t, const pl_take *take,
                              const points_symmetry *turn) {
  const pl_points *data = points_of(net);
  points_batch b = {
      .shape = &data->shape, .part = &data->part[take->part], .take = take, .turn = turn};
  list_samples(t, &b);
  list_pairs(t, &b);
  b.x = moved(net, t, &b, b.part->x);
  b.v = moved(net, t, &b, b.part->v);
  if (b.shape->task == PL_POINTS_POSITIONS) b.y = moved(net, t, &b, b.part->y);
  return b;
}

pl_node *points_noise(const pl_net *net, pl_tape *t, const points_batch *b, int64_t cols) {
  const pl_take *take = b->take;
  double *x = pl_tape_alloc(t, (size_t)(b->pairs.nodes * cols), sizeof *x);
  /* In training anew in every step; else the same at every record. */
  uint32_t member = take->training ? (uint32_t)take->step & 0x7fffffff : 0x80000000u + take->part;
  for (int64_t s = 0; s < take->count; s++)
    pl_rng_normals((uint64_t)net->spec.common.seed, PL_STREAM(PL_STREAM_MISC, member),
                   b->part->start[take->entry[s]] * cols, (b->start[s + 1] - b->start[s]) * cols,
                   x + b->start[s] * cols);
  return pl_tape_constant(t, b->pairs.nodes, cols, x);
}

pl_node *points_positions(const pl_net *net, pl_tape *t, const points_batch *b) {
  int64_t d = b->shape->dimension;
  if (b->x) return pl_tape_constant(t, b->pairs.nodes, d, b->x);
  pl_node *x = points_noise(net, t, b, d);
  if (!b->turn) return x;
  double *to = pl_tape_alloc(t, (size_t)pl_tape_count(x), sizeof *to);
  points_symmetry_apply(b->turn, d, b->pairs.nodes, x->value, to);
  return pl_tape_constant(t, b->pairs.nodes, d, to);
}

pl_node *points_velocities(pl_tape *t, const points_batch *b) {
  return pl_tape_constant(t, b->pairs.nodes, b->shape->dimension, b->v);
}

/* ---- what nodes and pairs are ---- */

pl_node *points_speeds(pl_tape *t, const points_batch *b) {
  int64_t n = b->pairs.nodes, d = b->shape->dimension;
  double *speed = pl_tape_alloc(t, (size_t)n, sizeof *speed);
  for (int64_t i = 0; i < n; i++) {
    double sum = 0;
    for (int64_t a = 0; a < d; a++) sum += b->v[i * d + a] * b->v[i * d + a];
    speed[i] = sqrt(sum);
  }
  return pl_tape_constant(t, n, 1, speed);
}

pl_node *points_ones(pl_tape *t, const points_batch *b) {
  double *one = pl_tape_alloc(t, (size_t)b->pairs.nodes, sizeof *one);
  for (int64_t i = 0; i < b->pairs.nodes; i++) one[i] = 1;
  return pl_tape_constant(t, b->pairs.nodes, 1, one);
}

pl_node *points_atoms(pl_tape *t, const points_batch *b) {
  enum { POWERS = 3 };
  const pl_points_shape *s = b->shape;
  int64_t cols = points_atom_cols(s), n = b->pairs.nodes;
  double *row = pl_tape_alloc(t, (size_t)(n * cols), sizeof *row), *at = row;
  memset(row, 0, (size_t)(n * cols) * sizeof *row);
  for (int64_t k = 0; k < b->take->count; k++) {
    int64_t from = b->part->start[b->take->entry[k]];
    for (int64_t i = 0; i < b->start[k + 1] - b->start[k]; i++, at += cols) {
      int element = b->part->element[from + i];
      double z = s->element[element] / (double)s->element[s->elements - 1];
      for (int p = 0; p < POWERS; p++) at[POWERS * element + p] = p == 0 ? 1 : p == 1 ? z : z * z;
    }
  }
  return pl_tape_constant(t, n, cols, row);
}

pl_node *points_counts(pl_tape *t, const points_batch *b) {
  int64_t cols = b->shape->elements, n = b->take->count;
  double *count = pl_tape_alloc(t, (size_t)(n * cols), sizeof *count);
  memset(count, 0, (size_t)(n * cols) * sizeof *count);
  for (int64_t s = 0; s < n; s++)
    for (int64_t i = b->part->start[b->take->entry[s]]; i < b->part->start[b->take->entry[s] + 1];
         i++)
      count[s * cols + b->part->element[i]]++;
  return pl_tape_constant(t, n, cols, count);
}

pl_node *points_marks(pl_tape *t, const points_batch *b) {
  const pl_points_part *p = b->part;
  if (b->shape->task == PL_POINTS_PROPERTY) return NULL;
  double *mark = pl_tape_alloc(t, (size_t)b->pairs.num, sizeof *mark);
  for (int64_t s = 0; s < b->take->count; s++) {
    int64_t k = b->take->entry[s], shift = p->start[k] - b->start[s];
    for (int64_t e = b->pair_start[s]; e < b->pair_start[s + 1]; e++)
      mark[e] = p->edge
                    ? p->edge[p->pair_start[k] + e - b->pair_start[s]]
                    : p->charge[b->pairs.first[e] + shift] * p->charge[b->pairs.second[e] + shift];
  }
  return pl_tape_constant(t, b->pairs.num, 1, mark);
}
