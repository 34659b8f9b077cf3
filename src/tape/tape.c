#include "tape/tape.h"

#include "base/mem.h"
#include "base/status.h"

#include <string.h>

/* Chunks are never moved, so that pointers into them hold; a reset puts one in place of many. */
enum { ALIGN = 64, FIRST_CHUNK = 1 << 16 };
typedef struct chunk {
  struct chunk *older;
  size_t size, used; /* of the bytes that follow the header */
} chunk;

struct pl_tape {
  chunk *chunk;
  size_t bytes; /* of all chunks */
  pl_node *first, *last;
  pl_node *root;      /* of the last backward sweep */
  const double *seed; /* the caller's, which then is the adjoint of root: nothing adds to that */
  pl_tape_channel channel;
  int64_t sweep[PL_CHANNELS];
  pl_tape *inner; /* NULL: never asked for */
};

_Static_assert(sizeof(chunk) <= ALIGN, "the header of a chunk fits one alignment unit");

static void grow(pl_tape *t, size_t size) {
  chunk *c = pl_alloc(1, ALIGN + size, "the arena of a tape");
  *c = (chunk){t->chunk, size, 0};
  t->chunk = c;
  t->bytes += size;
}

static void drop_chunks(pl_tape *t) {
  while (t->chunk) {
    chunk *older = t->chunk->older;
    pl_free(t->chunk);
    t->chunk = older;
  }
  t->bytes = 0;
}

void *pl_tape_alloc(pl_tape *t, size_t count, size_t size) {
  size_t n;
  if (__builtin_mul_overflow(count, size, &n) || n > SIZE_MAX / 2)
    pl_die(PL_EENV, "out of memory: a tape needs %zu x %zu bytes", count, size);
  n = (n + ALIGN - 1) / ALIGN * ALIGN;
  if (t->chunk->size - t->chunk->used < n) grow(t, n > t->bytes ? n : t->bytes);
  void *p = (char *)t->chunk + ALIGN + t->chunk->used;
  t->chunk->used += n;
  return p;
}

pl_tape *pl_tape_new(void) {
  pl_tape *t = pl_zalloc(1, sizeof *t, "a tape");
  grow(t, FIRST_CHUNK);
  return t;
}

void pl_tape_free(pl_tape *t) {
  if (!t) return;
  pl_tape_free(t->inner);
  drop_chunks(t);
  pl_free(t);
}

pl_tape *pl_tape_inner(pl_tape *t) {
  if (!t->inner) t->inner = pl_tape_new();
  return t->inner;
}

size_t pl_tape_used(const pl_tape *t) {
  size_t used = 0;
  for (const chunk *c = t->chunk; c; c = c->older) used += c->used;
  return used;
}

void pl_tape_reset(pl_tape *t) {
  if (t->chunk->older) {
    size_t used = pl_tape_used(t);
    drop_chunks(t);
    grow(t, (used + used / 8 + ALIGN - 1) / ALIGN * ALIGN);
  }
  t->chunk->used = 0;
  t->first = t->last = t->root = NULL;
  t->seed = NULL;
}

size_t pl_tape_bytes(const pl_tape *t) {
  return t->bytes + (t->inner ? pl_tape_bytes(t->inner) : 0);
}

/* ---- nodes ---- */

static double *numbers(pl_tape *t, const pl_node *x) {
  return pl_tape_alloc(t, (size_t)pl_tape_count(x), sizeof(double));
}

static pl_node *record(pl_tape *t, int64_t rows, int64_t cols) {
  pl_require(rows >= 0 && cols >= 0);
  pl_node *x = pl_tape_alloc(t, 1, sizeof *x);
  *x = (pl_node){.rows = rows, .cols = cols, .before = t->last};
  *(t->last ? &t->last->after : &t->first) = x;
  return t->last = x;
}

pl_node *pl_tape_constant(pl_tape *t, int64_t rows, int64_t cols, const double *value) {
  pl_node *x = record(t, rows, cols);
  x->value = value;
  return x;
}

pl_node *pl_tape_variable(pl_tape *t, int64_t rows, int64_t cols, const double *value,
                          double *gradient) {
  pl_node *x = pl_tape_constant(t, rows, cols, value);
  x->wanted = true;
  x->channel[PL_ADJOINT].users = gradient;
  return x;
}

void pl_tape_direction(pl_tape *t, pl_node *x, const double *direction, double *product) {
  (void)t;
  pl_require(!x->op && x->wanted);
  x->direction = direction;
  x->channel[PL_ADJOINT_TANGENT].users = product;
}

pl_node *pl_tape_apply(pl_tape *t, const pl_tape_op *op, int64_t rows, int64_t cols, int inputs,
                       pl_node *const *input, const void *data, size_t bytes) {
  pl_node *y = record(t, rows, cols);
  pl_node **copy = pl_tape_alloc(t, (size_t)inputs, sizeof(pl_node *));
  for (int k = 0; k < inputs; k++) {
    copy[k] = input[k];
    y->wanted |= input[k]->wanted;
  }
  y->op = op;
  y->inputs = inputs;
  y->input = copy;
  if (bytes) y->data = memcpy(pl_tape_alloc(t, bytes, 1), data, bytes);
  double *out = numbers(t, y);
  y->value = out;
  if (op->forward)
    op->forward(t, y, out);
  else
    op->map(y, y->input[0]->value, out, false);
  return y;
}

/* ---- sweeps ---- */

static bool filled(const pl_tape *t, const pl_node *x, pl_tape_channel c) {
  return x->channel[c].at && x->channel[c].sweep == t->sweep[c];
}

const double *pl_tape_read(const pl_tape *t, const pl_node *x, pl_tape_channel c) {
  if (c == PL_TANGENT && !x->op) return x->direction;
  if (c == PL_ADJOINT && x == t->root && t->seed) return t->seed;
  return filled(t, x, c) ? x->channel[c].at : NULL;
}

pl_into pl_tape_into(pl_tape *t, const pl_node *x) {
  if (!x->wanted) return (pl_into){NULL, false};
  pl_tape_channel c = t->channel;
  pl_node *own = (pl_node *)x; /* operations see their inputs const, the tape made them */
  bool add = filled(t, x, c);
  if (x->channel[c].users) {
    own->channel[c].at = x->channel[c].users;
    add = true;
  } else if (!x->channel[c].at) {
    own->channel[c].at = numbers(t, x);
  }
  own->channel[c].sweep = t->sweep[c];
  return (pl_into){x->channel[c].at, add};
}

static void start(pl_tape *t, pl_tape_channel c) {
  t->channel = c;
  t->sweep[c]++;
}

static void add_to_inputs(pl_tape *t, const pl_node *y, const double *dy) {
  if (!y->op->map) {
    y->op->backward(t, y, dy);
    return;
  }
  pl_into dx = pl_tape_into(t, y->input[0]);
  if (dx.at) y->op->transposed(y, dy, dx.at, dx.add);
}

static bool moves(const pl_tape *t, const pl_node *y) {
  for (int k = 0; k < y->inputs; k++)
    if (pl_tape_read(t, y->input[k], PL_TANGENT)) return true;
  return false;
}

void pl_tape_backward(pl_tape *t, pl_node *y, const double *seed) {
  pl_require(seed || (y->rows == 1 && y->cols == 1));
  start(t, PL_ADJOINT);
  t->root = y;
  t->seed = y->op && y->wanted ? seed : NULL;
  if (!y->wanted) return;
  if (!t->seed) {
    pl_into dy = pl_tape_into(t, y);
    for (int64_t i = 0; i < pl_tape_count(y); i++)
      dy.at[i] = (dy.add ? dy.at[i] : 0) + (seed ? seed[i] : 1);
  }
  for (const pl_node *x = y; x; x = x->before) {
    const double *dx = x->op ? pl_tape_read(t, x, PL_ADJOINT) : NULL;
    if (dx) add_to_inputs(t, x, dx);
  }
}

void pl_tape_tangents(pl_tape *t) {
  start(t, PL_TANGENT);
  for (const pl_node *y = t->first; y; y = y->after) {
    if (!y->op || !moves(t, y)) continue;
    if (y->op->map) {
      pl_into dy = pl_tape_into(t, y);
      y->op->map(y, pl_tape_read(t, y->input[0], PL_TANGENT), dy.at, dy.add);
    } else {
      y->op->tangent(t, y);
    }
  }
}

void pl_tape_hvp(pl_tape *t) {
  pl_require(t->root);
  pl_tape_tangents(t);
  start(t, PL_ADJOINT_TANGENT);
  for (const pl_node *x = t->root; x; x = x->before) {
    const double *dx = x->op ? pl_tape_read(t, x, PL_ADJOINT) : NULL;
    if (!dx) continue;
    const double *moved = pl_tape_read(t, x, PL_ADJOINT_TANGENT);
    if (moved) add_to_inputs(t, x, moved);
    if (x->op->bend && moves(t, x)) x->op->bend(t, x, dx);
  }
}
