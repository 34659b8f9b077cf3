#include "base/rng.h"
#include "base/status.h"
#include "tape/ops.h"
#include "table.h"

#include <math.h>

typedef struct dropout {
  double rate;
  uint64_t seed, stream;
  int64_t first;
} dropout;

/* Kept: 1/(1 - rate), dropped: 0; entry i takes word i mod 4 of block i / 4. */
static void draw(const dropout *d, int64_t n, double *factor) {
  enum { BLOCKS = 64 };
  const double kept = 1 / (1 - d->rate);
  /* Words below rate 2^32 drop: as integers, up to `last`. */
  const double below = ceil(d->rate * 0x1p32);
  const bool some = below > 0;
  const uint32_t last = some ? (uint32_t)(below - 1) : 0;
  uint32_t words[4 * BLOCKS];
  for (int64_t i = 0, count; i < n; i += count) {
    uint64_t number = (uint64_t)d->first + (uint64_t)i;
    const int64_t skip = (int64_t)(number % 4), most = 4 * BLOCKS - skip;
    count = n - i < most ? n - i : most;
    pl_rng_words(d->seed, d->stream, number / 4, (skip + count + 3) / 4, words);
    for (int64_t k = 0; k < count; k++)
      factor[i + k] = (some & (words[skip + k] <= last)) ? 0 : kept;
  }
}

static void map(const pl_node *y, const double *x, double *out, bool add) {
  const double *factor = y->saved;
  int64_t n = pl_tape_count(y);
  if (add)
    for (int64_t i = 0; i < n; i++) out[i] += factor[i] * x[i];
  else
    for (int64_t i = 0; i < n; i++) out[i] = factor[i] * x[i];
}

static void forward(pl_tape *t, pl_node *y, double *out) {
  int64_t n = pl_tape_count(y);
  y->saved = pl_tape_alloc(t, (size_t)n, sizeof(double));
  draw(y->data, n, y->saved);
  map(y, y->input[0]->value, out, false);
}

/* y_i = f_i x_i, f_i drawn; xbar_i += f_i ybar_i. */
const pl_tape_op pl_dropout_ops[] = {
    {"dropout", .forward = forward, .map = map, .transposed = map},
    {0},
};

pl_node *pl_tape_dropout(pl_tape *t, pl_node *x, double rate, uint64_t seed, uint64_t stream,
                         int64_t first) {
  pl_require(rate >= 0 && rate < 1 && first >= 0);
  dropout d = {rate, seed, stream, first};
  return pl_apply_one(t, &pl_dropout_ops[0], x->rows, x->cols, x, &d, sizeof d);
}
