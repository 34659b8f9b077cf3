#include "tape/recursion.h"

#include "base/status.h"
#include "tape/ops.h"
#include "table.h"

#include <string.h>

int pl_recursion_nodes(const pl_recursion *r) {
  return r->shared + r->depth * (r->revnet ? 2 : 1) * r->each;
}

/* Layers read `shared` nodes and those from here on. */
static int first_of(const pl_recursion *r, int k, int half) {
  return r->shared + (r->revnet ? 2 * k + half : k) * r->each;
}

/* ---- y = gamma a + c b ---- */

typedef struct mixture {
  double gamma, c;
} mixture;

static void mix(int64_t n, const mixture *m, const double *a, const double *b, double *out) {
#pragma omp simd
  for (int64_t i = 0; i < n; i++) out[i] = m->gamma * a[i] + m->c * b[i];
}

static void scaled(int64_t n, double factor, const double *from, pl_into to) {
  if (!to.at) return;
  if (to.add)
#pragma omp simd
    for (int64_t i = 0; i < n; i++) to.at[i] += factor * from[i];
  else
#pragma omp simd
    for (int64_t i = 0; i < n; i++) to.at[i] = factor * from[i];
}

static void mix_forward(pl_tape *t, pl_node *y, double *out) {
  (void)t;
  mix(pl_tape_count(y), y->data, y->input[0]->value, y->input[1]->value, out);
}

static void mix_backward(pl_tape *t, const pl_node *y, const double *dy) {
  const mixture *m = y->data;
  scaled(pl_tape_count(y), m->gamma, dy, pl_tape_into(t, y->input[0]));
  scaled(pl_tape_count(y), m->c, dy, pl_tape_into(t, y->input[1]));
}

static void mix_tangent(pl_tape *t, const pl_node *y) {
  const mixture *m = y->data;
  const double *a = pl_tape_read(t, y->input[0], PL_TANGENT);
  const double *b = pl_tape_read(t, y->input[1], PL_TANGENT);
  if (a) scaled(pl_tape_count(y), m->gamma, a, pl_tape_into(t, y));
  if (b) scaled(pl_tape_count(y), m->c, b, pl_tape_into(t, y));
}

/* abar += gamma ybar, bbar += c ybar. */
static const pl_tape_op mix_op = {"mix", .forward = mix_forward, .backward = mix_backward,
                                  .tangent = mix_tangent};

static pl_node *mixed(pl_tape *t, double gamma, pl_node *a, double c, pl_node *b) {
  mixture m = {gamma, c};
  return pl_tape_apply(t, &mix_op, a->rows, a->cols, 2, (pl_node *const[]){a, b}, &m, sizeof m);
}

/* ---- recorded as it stands ---- */

/* f_k(x); room: [shared + each]. */
static pl_node *layer_of(pl_tape *t, const pl_recursion *r, int k, int half, pl_node *const *node,
                         pl_node **room, pl_node *x) {
  for (int i = 0; i < r->shared; i++) room[i] = node[i];
  for (int i = 0; i < r->each; i++) room[r->shared + i] = node[first_of(r, k, half) + i];
  pl_node *f = r->layer(t, r->context, k, half, room, x);
  pl_require(f->rows == x->rows && f->cols == x->cols);
  return f;
}

static pl_node *momentum(pl_tape *t, const pl_recursion *r, pl_node *x, pl_node *const *node,
                         pl_node **room) {
  pl_node *v = NULL;
  if (r->trace) r->trace[0] = x;
  for (int k = 0; k < r->depth; k++) {
    pl_node *f = layer_of(t, r, k, 0, node, room, x);
    if (r->gamma == 0 || !v) {
      v = r->c == 1 ? f : pl_tape_scale(t, f, r->c);
    } else {
      v = mixed(t, r->gamma, v, r->c, f);
    }
    x = pl_tape_add(t, x, v);
    if (r->trace) r->trace[k + 1] = x;
  }
  return x;
}

static pl_node *revnet(pl_tape *t, const pl_recursion *r, pl_node *x, pl_node *const *node,
                       pl_node **room) {
  pl_require(x->cols % 2 == 0);
  int64_t half = x->cols / 2;
  pl_node *ab[] = {pl_tape_cols(t, x, 0, half), pl_tape_cols(t, x, half, half)};
  if (r->trace) r->trace[0] = x;
  for (int k = 0; k < r->depth; k++) {
    for (int h = 0; h < 2; h++)
      ab[h] = mixed(t, 1, ab[h], r->c, layer_of(t, r, k, h, node, room, ab[1 - h]));
    if (r->trace) r->trace[k + 1] = pl_tape_concat_cols(t, 2, ab);
  }
  return r->trace ? r->trace[r->depth] : pl_tape_concat_cols(t, 2, ab);
}

/* ---- the reversible store ---- */

typedef struct store {
  const pl_recursion *r;
  int64_t count;
  int64_t *x, *v;   /* fixed point */
  uint64_t *buffer; /* [buffers][count] */
  bool at_end;      /* x and v are x_N and v_N */
  bool beyond;
  pl_node **inner, **room; /* inputs as nodes of the inner tape */
  double **into;           /* where the inputs' adjoints go; NULL: nowhere */
  double *at, *e, *p;      /* x_k; adjoints of x_k, and c times that of v_k */
  double *path, *v_dot;    /* tangents: [N + 1][count] of x_k, and of v_k; NULL before any */
  double *e_dot, *p_dot;   /* of e and p */
} store;

static store *store_of(const pl_node *y) {
  return y->saved;
}

static double *doubles(pl_tape *t, const store *s, int64_t arrays) {
  return pl_tape_alloc(t, (size_t)(arrays * s->count), sizeof(double));
}

static store *store_new(pl_tape *t, pl_node *y) {
  store *s = y->saved = pl_tape_alloc(t, 1, sizeof *s);
  const pl_recursion *r = y->data;
  *s = (store){.r = r, .count = pl_tape_count(y)};
  size_t n = (size_t)s->count, inputs = (size_t)y->inputs;
  s->x = pl_tape_alloc(t, n, sizeof *s->x);
  s->v = pl_tape_alloc(t, n, sizeof *s->v);
  s->buffer =
      pl_tape_alloc(t, n * (size_t)pl_reversible_buffers(r->rule, r->depth), sizeof *s->buffer);
  s->inner = pl_tape_alloc(t, inputs, sizeof(pl_node *));
  s->room = pl_tape_alloc(t, inputs, sizeof(pl_node *));
  s->into = pl_tape_alloc(t, inputs, sizeof(double *));
  s->at = doubles(t, s, 1);
  s->e = doubles(t, s, 1);
  s->p = doubles(t, s, 1);
  return s;
}

static uint64_t *buffer_of(const store *s, int k) {
  return s->buffer + k / s->r->rule->period * s->count;
}

/* What a visit to a layer wants from the inner tape. */
typedef struct wish {
  bool adjoints;       /* of its inputs, into s->into */
  bool tangents;       /* the outer tape's directions */
  bool bends;          /* .. adjoints' tangents into s->into, in place of adjoints */
  const double *x_dot; /* tangent of x_k, with tangents */
} wish;

/* Input i of y on the inner tape. */
static pl_node *copy_of(pl_tape *t, pl_tape *in, const pl_node *y, int i, const wish *w) {
  const pl_node *x = y->input[i];
  double *into = store_of(y)->into[i];
  if (!x->wanted || !(w->adjoints || w->tangents || w->bends))
    return pl_tape_constant(in, x->rows, x->cols, x->value);
  pl_node *copy = pl_tape_variable(in, x->rows, x->cols, x->value, w->adjoints ? into : NULL);
  if (w->tangents || w->bends)
    pl_tape_direction(in, copy, pl_tape_read(t, x, PL_TANGENT), w->bends ? into : NULL);
  return copy;
}

/* f_k at s->at, on the inner tape emptied; *x: the state there. */
static pl_node *record_layer(pl_tape *t, const pl_node *y, int k, const wish *w, pl_node **x) {
  store *s = store_of(y);
  const pl_recursion *r = s->r;
  pl_tape *in = pl_tape_inner(t);
  bool moves = w->adjoints || w->tangents || w->bends;
  pl_tape_reset(in);
  for (int i = 0; i < r->shared; i++) s->inner[i] = copy_of(t, in, y, 1 + i, w);
  for (int i = 0, first = first_of(r, k, 0); i < r->each; i++)
    s->inner[first + i] = copy_of(t, in, y, 1 + first + i, w);
  *x = moves ? pl_tape_variable(in, y->rows, y->cols, s->at, NULL)
             : pl_tape_constant(in, y->rows, y->cols, s->at);
  if (w->tangents || w->bends) pl_tape_direction(in, *x, w->x_dot, NULL);
  return layer_of(in, r, k, 0, s->inner, s->room, *x);
}

static void start(store *s, const pl_node *y) {
  s->beyond = !pl_reversible_set(s->count, y->input[0]->value, s->x);
  pl_reversible_get(s->count, s->x, s->at);
  memset(s->v, 0, (size_t)s->count * sizeof *s->v);
}

static void step(store *s, int k, const pl_node *f) {
  uint64_t *buffer = buffer_of(s, k);
  if (k % s->r->rule->period == 0) memset(buffer, 0, (size_t)s->count * sizeof *buffer);
  s->beyond |=
      !pl_reversible_forward(s->r->rule, s->count, s->r->c, f->value, s->v, s->x, buffer, s->at);
}

/* x_0 -> x_N, the fixed point alone. */
static void run(pl_tape *t, const pl_node *y) {
  static const wish nothing;
  store *s = store_of(y);
  pl_node *x;
  start(s, y);
  for (int k = 0; k < s->r->depth; k++) step(s, k, record_layer(t, y, k, &nothing, &x));
  s->at_end = true;
}

/* From x_(k+1), v_(k+1) to x_k, v_k, with f_k on the inner tape. */
static pl_node *back(pl_tape *t, const pl_node *y, int k, const wish *w, pl_node **x) {
  store *s = store_of(y);
  pl_reversible_back_x(s->count, s->v, s->x, s->at);
  pl_node *f = record_layer(t, y, k, w, x);
  pl_reversible_back_v(s->r->rule, s->count, s->r->c, f->value, s->v, buffer_of(s, k));
  return f;
}

static void forward(pl_tape *t, pl_node *y, double *out) {
  store *s = store_new(t, y);
  run(t, y);
  pl_reversible_get(s->count, s->x, out);
  for (int64_t i = 0; s->beyond && i < s->count; i++) out[i] = NAN;
}

/* Room for the adjoints of all inputs but x, zero where this is the first contribution. */
static void open_inputs(pl_tape *t, const pl_node *y) {
  store *s = store_of(y);
  for (int i = 1; i < y->inputs; i++) {
    pl_into to = pl_tape_into(t, y->input[i]);
    if (to.at && !to.add) memset(to.at, 0, (size_t)pl_tape_count(y->input[i]) * sizeof *to.at);
    s->into[i] = to.at;
  }
}

static void add_if(int64_t n, const double *from, double *to) {
  if (!from) return;
#pragma omp simd
  for (int64_t i = 0; i < n; i++) to[i] += from[i];
}

/* With p_k = c dL/dv_k, e_k = dL/dx_k: p_(k+1) = gamma p_(k+2) + c e_(k+1), the adjoint of what f_k
 * reads is (df_k)^T p_(k+1), and that of x_k adds to e_(k+1). */
static void backward(pl_tape *t, const pl_node *y, const double *dy) {
  static const wish adjoints = {.adjoints = true};
  store *s = store_of(y);
  const mixture m = {s->r->gamma, s->r->c};
  pl_tape *in = pl_tape_inner(t);
  if (!s->at_end) run(t, y);
  s->at_end = false;
  open_inputs(t, y);
  memcpy(s->e, dy, (size_t)s->count * sizeof *dy);
  memset(s->p, 0, (size_t)s->count * sizeof *dy);
  for (int k = s->r->depth - 1; k >= 0; k--) {
    pl_node *x, *f = back(t, y, k, &adjoints, &x);
    mix(s->count, &m, s->p, s->e, s->p);
    pl_tape_backward(in, f, s->p);
    add_if(s->count, pl_tape_read(in, x, PL_ADJOINT), s->e);
  }
  scaled(s->count, 1, s->e, pl_tape_into(t, y->input[0]));
}

/* Room for tangents, once until the reset. */
static void make_tangents(pl_tape *t, store *s) {
  if (s->path) return;
  s->path = doubles(t, s, s->r->depth + 1);
  s->v_dot = doubles(t, s, 1);
  s->e_dot = doubles(t, s, 1);
  s->p_dot = doubles(t, s, 1);
}

static void tangent(pl_tape *t, const pl_node *y) {
  store *s = store_of(y);
  pl_tape *in = pl_tape_inner(t);
  make_tangents(t, s);
  wish w = {.tangents = true, .x_dot = s->path};
  const double *x_dot = pl_tape_read(t, y->input[0], PL_TANGENT);
  size_t bytes = (size_t)s->count * sizeof *x_dot;
  memset(s->path, 0, bytes);
  memset(s->v_dot, 0, bytes);
  add_if(s->count, x_dot, s->path);
  start(s, y);
  for (int k = 0; k < s->r->depth; k++, w.x_dot += s->count) {
    double *next = s->path + (k + 1) * s->count;
    pl_node *x, *f;
    f = record_layer(t, y, k, &w, &x);
    pl_tape_tangents(in);
    step(s, k, f); /* which overwrites x on the inner tape */
    const double *f_dot = pl_tape_read(in, f, PL_TANGENT);
    for (int64_t i = 0; i < s->count; i++) {
      s->v_dot[i] = s->r->gamma * s->v_dot[i] + (f_dot ? s->r->c * f_dot[i] : 0);
      next[i] = w.x_dot[i] + s->v_dot[i];
    }
  }
  s->at_end = true;
  scaled(s->count, 1, w.x_dot, pl_tape_into(t, y));
}

/* backward along the tangents: on the inner tape <p, f_k> with p moving too, whose Hessian times
 * the directions is the tangent of (df_k)^T p. */
static void bend(pl_tape *t, const pl_node *y, const double *dy) {
  store *s = store_of(y);
  const mixture m = {s->r->gamma, s->r->c};
  pl_tape *in = pl_tape_inner(t);
  size_t bytes = (size_t)s->count * sizeof *dy;
  if (!s->at_end) run(t, y);
  s->at_end = false;
  open_inputs(t, y);
  memcpy(s->e, dy, bytes);
  memset(s->p, 0, bytes);
  memset(s->e_dot, 0, bytes);
  memset(s->p_dot, 0, bytes);
  for (int k = s->r->depth - 1; k >= 0; k--) {
    wish w = {.bends = true, .x_dot = s->path + k * s->count};
    pl_node *x, *f = back(t, y, k, &w, &x);
    mix(s->count, &m, s->p, s->e, s->p);
    mix(s->count, &m, s->p_dot, s->e_dot, s->p_dot);
    pl_node *p = pl_tape_variable(in, y->rows, y->cols, s->p, NULL);
    pl_tape_direction(in, p, s->p_dot, NULL);
    pl_tape_backward(in, pl_tape_sum(in, pl_tape_multiply(in, p, f)), NULL);
    pl_tape_hvp(in);
    add_if(s->count, pl_tape_read(in, x, PL_ADJOINT), s->e);
    add_if(s->count, pl_tape_read(in, x, PL_ADJOINT_TANGENT), s->e_dot);
  }
  scaled(s->count, 1, s->e_dot, pl_tape_into(t, y->input[0]));
}

static const pl_tape_op recursion_op = {"recursion", forward, backward, tangent, bend, NULL, NULL};

pl_node *pl_tape_recursion(pl_tape *t, const pl_recursion *r, pl_node *x, pl_node *const *node) {
  int num = pl_recursion_nodes(r);
  pl_require(r->depth >= 1 && !(r->rule && (r->revnet || r->trace)));
  if (!r->rule) {
    pl_node **room = pl_tape_alloc(t, (size_t)(r->shared + r->each), sizeof(pl_node *));
    return r->revnet ? revnet(t, r, x, node, room) : momentum(t, r, x, node, room);
  }
  pl_node **input = pl_tape_alloc(t, (size_t)num + 1, sizeof(pl_node *));
  input[0] = x;
  for (int i = 0; i < num; i++) input[1 + i] = node[i];
  return pl_tape_apply(t, &recursion_op, x->rows, x->cols, num + 1, input, r, sizeof *r);
}

/* ---- what the store holds ---- */

bool pl_recursion_beyond(const pl_node *y) {
  return y->op == &recursion_op && store_of(y)->beyond;
}

double pl_recursion_bytes(const pl_node *y) {
  const store *s = store_of(y);
  return 8 * (double)s->count * (2 + pl_reversible_buffers(s->r->rule, s->r->depth));
}

double pl_recursion_bits(pl_tape *t, const pl_node *y) {
  store *s = store_of(y);
  if (!s->at_end) run(t, y);
  return pl_reversible_bits(s->count * pl_reversible_buffers(s->r->rule, s->r->depth), s->buffer);
}

double pl_recursion_undo(pl_tape *t, const pl_node *y) {
  static const wish nothing;
  store *s = store_of(y);
  pl_node *x;
  double most = 0;
  if (!s->at_end) run(t, y);
  s->at_end = false;
  for (int k = s->r->depth - 1; k >= 0; k--) back(t, y, k, &nothing, &x);
  pl_reversible_get(s->count, s->x, s->at);
  pl_reversible_get(s->count, s->v, s->p);
  /* The input itself in fixed point. */
  pl_reversible_set(s->count, y->input[0]->value, s->x);
  pl_reversible_get(s->count, s->x, s->e);
  for (int64_t i = 0; i < s->count; i++)
    most = fmax(most, fmax(fabs(s->at[i] - s->e[i]), fabs(s->p[i])));
  return most;
}

/* ---- in floating point ---- */

/* x and v, or a and b, [count] each. */
typedef struct plain {
  const pl_recursion *r;
  pl_node *const *node;
  pl_node **room, **copy;
  int64_t rows, cols, count;
  double *first, *second, *start;
} plain;

static const double *force(pl_tape *t, const plain *s, int k, int half, const double *at) {
  const pl_recursion *r = s->r;
  pl_tape *in = pl_tape_inner(t);
  pl_tape_reset(in);
  for (int i = 0; i < pl_recursion_nodes(r); i++) {
    int first = first_of(r, k, half);
    if (i >= r->shared && !(i >= first && i < first + r->each)) continue;
    const pl_node *w = s->node[i];
    s->copy[i] = pl_tape_constant(in, w->rows, w->cols, w->value);
  }
  pl_node *x = pl_tape_constant(in, s->rows, s->cols, at);
  return layer_of(in, r, k, half, s->copy, s->room, x)->value;
}

static void add_scaled(int64_t n, double c, const double *f, double *to) {
  for (int64_t i = 0; i < n; i++) to[i] += c * f[i];
}

static void plain_layer(pl_tape *t, const plain *s, int k) {
  const pl_recursion *r = s->r;
  if (r->revnet) {
    add_scaled(s->count, r->c, force(t, s, k, 0, s->second), s->first);
    add_scaled(s->count, r->c, force(t, s, k, 1, s->first), s->second);
    return;
  }
  mix(s->count, &(mixture){r->gamma, r->c}, s->second, force(t, s, k, 0, s->first), s->second);
  add_scaled(s->count, 1, s->second, s->first);
}

static void plain_back(pl_tape *t, const plain *s, int k) {
  const pl_recursion *r = s->r;
  if (r->revnet) {
    add_scaled(s->count, -r->c, force(t, s, k, 1, s->first), s->second);
    add_scaled(s->count, -r->c, force(t, s, k, 0, s->second), s->first);
    return;
  }
  add_scaled(s->count, -1, s->second, s->first);
  const mixture undo = {1 / r->gamma, -r->c / r->gamma};
  mix(s->count, &undo, s->second, force(t, s, k, 0, s->first), s->second);
}

/* What the recursion starts from. */
static void plain_start(const plain *s, const pl_node *x, double *first, double *second) {
  memset(second, 0, (size_t)s->count * sizeof *second);
  if (!s->r->revnet) {
    memcpy(first, x->value, (size_t)s->count * sizeof *first);
    return;
  }
  for (int64_t i = 0; i < s->rows; i++) {
    memcpy(first + i * s->cols, x->value + i * x->cols, (size_t)s->cols * sizeof *first);
    memcpy(second + i * s->cols, x->value + i * x->cols + s->cols,
           (size_t)s->cols * sizeof *second);
  }
}

double pl_recursion_drift(pl_tape *t, const pl_recursion *r, pl_node *x, pl_node *const *node) {
  if (!r->revnet && r->gamma == 0) return NAN;
  plain s = {.r = r, .node = node, .rows = x->rows, .cols = x->cols / (r->revnet ? 2 : 1)};
  size_t nodes = (size_t)pl_recursion_nodes(r);
  double most = 0;
  s.count = s.rows * s.cols;
  s.room = pl_tape_alloc(t, nodes, sizeof(pl_node *));
  s.copy = pl_tape_alloc(t, nodes, sizeof(pl_node *));
  s.first = pl_tape_alloc(t, 2 * (size_t)s.count, sizeof(double));
  s.start = pl_tape_alloc(t, 2 * (size_t)s.count, sizeof(double));
  s.second = s.first + s.count;
  plain_start(&s, x, s.first, s.second);
  plain_start(&s, x, s.start, s.start + s.count);
  for (int k = 0; k < r->depth; k++) plain_layer(t, &s, k);
  for (int k = r->depth - 1; k >= 0; k--) plain_back(t, &s, k);
  for (int64_t i = 0; i < 2 * s.count; i++) most = fmax(most, fabs(s.first[i] - s.start[i]));
  return most;
}
