#include "cell.h"
#include "ops_table.h"

#include <string.h>

enum { X, W, U, BIAS, H0, C0, INPUTS };

/* What forward keeps, and room for the sweeps; rows in the order of x.  B: sequences. */
typedef struct saved {
  double *gate, *c, *turned; /* [rows][4 H]; [rows][H], twice */
  double *before;            /* h_(t-1): [rows][H] */
  double *dgate, *dh, *dc;   /* [rows][4 H]; [B][H], twice */
  /* along the directions: */
  double *moved_gate, *moved_c, *moved_before;
  double *moved_dgate, *moved_dh, *moved_dc;
} saved;

typedef struct sizes {
  int64_t rows, count, width, inputs;
} sizes;

static sizes sizes_of(const pl_node *y) {
  return (sizes){y->input[X]->rows, y->input[H0]->rows, y->cols, y->input[X]->cols};
}

static const packed *shape(const pl_node *y) {
  return y->data;
}
static int64_t reach(const packed *p, int64_t t) {
  return t < p->steps ? p->start[t + 1] - p->start[t] : 0;
}

/* Row k of step t of an array like h, or of what it starts from. */
static const double *previous(const pl_node *y, int64_t t, int64_t k, const double *rows,
                              const double *first) {
  int64_t width = y->cols;
  return t == 0 ? (first ? first + k * width : NULL) : rows + (shape(y)->start[t - 1] + k) * width;
}

static saved *reserve(pl_tape *t, const pl_node *y) {
  sizes z = sizes_of(y);
  saved *s = pl_tape_alloc(t, 1, sizeof *s);
  size_t one = (size_t)(z.rows * z.width), batch = (size_t)(z.count * z.width);
  double **const gates[] = {&s->gate, &s->dgate, &s->moved_gate, &s->moved_dgate};
  double **const states[] = {&s->c, &s->turned, &s->before, &s->moved_c, &s->moved_before};
  double **const carried[] = {&s->dh, &s->dc, &s->moved_dh, &s->moved_dc};
  for (int k = 0; k < 4; k++) *gates[k] = pl_tape_alloc(t, 4 * one, sizeof(double));
  for (int k = 0; k < 5; k++) *states[k] = pl_tape_alloc(t, one, sizeof(double));
  for (int k = 0; k < 4; k++) *carried[k] = pl_tape_alloc(t, batch, sizeof(double));
  return s;
}

static void copy_bias(const double *b, int64_t rows, int64_t cols, double *to) {
  for (int64_t r = 0; r < rows; r++)
    if (b)
      memcpy(to + r * cols, b, (size_t)cols * sizeof *to);
    else
      memset(to + r * cols, 0, (size_t)cols * sizeof *to);
}

/* The state that step t starts from, side by side in rows of the step. */
static void copy_before(const pl_node *y, int64_t t, const double *rows, const double *first,
                        double *before) {
  const double *from = previous(y, t, 0, rows, first);
  size_t bytes = (size_t)(reach(shape(y), t) * y->cols) * sizeof *before;
  double *to = before + shape(y)->start[t] * y->cols;
  if (from)
    memcpy(to, from, bytes);
  else
    memset(to, 0, bytes);
}

/* Rows of the sequences that end at step t, of what is given for each at its end. */
static void at_the_end(const pl_node *y, int64_t t, const double *rows, double *out) {
  const packed *p = shape(y);
  for (int64_t k = reach(p, t + 1); k < reach(p, t); k++)
    memcpy(out + k * y->cols, rows + (p->start[t] + k) * y->cols, (size_t)y->cols * sizeof *out);
}

static void forward(pl_tape *t, pl_node *y, double *out) {
  const packed *p = shape(y);
  sizes z = sizes_of(y);
  saved *s = y->saved = reserve(t, y);
  copy_bias(y->input[BIAS]->value, z.rows, 4 * z.width, s->gate);
  pl_gemm(false, false, z.rows, 4 * z.width, z.inputs, y->input[X]->value, y->input[W]->value,
          s->gate, true);
  for (int64_t i = 0; i < p->steps; i++) {
    int64_t at = p->start[i] * z.width, m = reach(p, i);
    copy_before(y, i, out, y->input[H0]->value, s->before);
    pl_gemm(false, false, m, 4 * z.width, z.width, s->before + at, y->input[U]->value,
            s->gate + 4 * at, true);
    for (int64_t k = 0; k < m; k++, at += z.width)
      cell_forward(z.width, s->gate + 4 * at, previous(y, i, k, s->c, y->input[C0]->value),
                   s->c + at, s->turned + at, out + at);
    at_the_end(y, i, s->c, out + z.rows * z.width);
  }
}

static cell_step step_of(const pl_node *y, int64_t t, int64_t k) {
  const saved *s = y->saved;
  int64_t at = (shape(y)->start[t] + k) * y->cols;
  return (cell_step){s->gate + 4 * at, previous(y, t, k, s->c, y->input[C0]->value),
                     s->turned + at};
}

/* dh and dc of step t from what later steps have left in them, and from the users of y. */
static void collect(const pl_node *y, int64_t t, const double *dy, double *dh, double *dc) {
  const packed *p = shape(y);
  int64_t n = y->cols, later = reach(p, t + 1) * n, now = reach(p, t) * n;
  const double *end = dy + y->input[X]->rows * n, *here = dy + p->start[t] * n;
  memset(dh + later, 0, (size_t)(now - later) * sizeof *dh);
  memcpy(dc + later, end + later, (size_t)(now - later) * sizeof *dc);
#pragma omp simd
  for (int64_t k = 0; k < now; k++) dh[k] += here[k];
}

static void add_all(pl_into to, int64_t n, const double *x) {
  for (int64_t i = 0; to.at && i < n; i++) to.at[i] = (to.add ? to.at[i] : 0) + x[i];
}

/* What adjoints of the gates mean for x, W, U, b. */
static void to_inputs(pl_tape *t, const pl_node *y, const double *dgate, const double *before) {
  sizes z = sizes_of(y);
  int64_t gates = 4 * z.width;
  pl_into dx = pl_tape_into(t, y->input[X]), dw = pl_tape_into(t, y->input[W]);
  pl_into du = pl_tape_into(t, y->input[U]), db = pl_tape_into(t, y->input[BIAS]);
  if (dx.at)
    pl_gemm(false, true, z.rows, z.inputs, gates, dgate, y->input[W]->value, dx.at, dx.add);
  if (dw.at)
    pl_gemm(true, false, z.inputs, gates, z.rows, y->input[X]->value, dgate, dw.at, dw.add);
  if (du.at) pl_gemm(true, false, z.width, gates, z.rows, before, dgate, du.at, du.add);
  if (db.at) pl_sum_rows(z.rows, gates, dgate, db.at, db.add);
}

static void backward(pl_tape *t, const pl_node *y, const double *dy) {
  const packed *p = shape(y);
  const saved *s = y->saved;
  sizes z = sizes_of(y);
  for (int64_t i = p->steps - 1; i >= 0; i--) {
    int64_t at = p->start[i] * z.width, m = reach(p, i);
    collect(y, i, dy, s->dh, s->dc);
    for (int64_t k = 0; k < m; k++) {
      cell_step c = step_of(y, i, k);
      cell_backward(z.width, &c, s->dh + k * z.width, s->dc + k * z.width,
                    s->dgate + 4 * (at + k * z.width));
    }
    pl_gemm(false, true, m, z.width, 4 * z.width, s->dgate + 4 * at, y->input[U]->value, s->dh,
            false);
  }
  to_inputs(t, y, s->dgate, s->before);
  add_all(pl_tape_into(t, y->input[H0]), z.count * z.width, s->dh);
  add_all(pl_tape_into(t, y->input[C0]), z.count * z.width, s->dc);
}

static void tangent(pl_tape *t, const pl_node *y) {
  const packed *p = shape(y);
  const saved *s = y->saved;
  const double *moved[INPUTS];
  sizes z = sizes_of(y);
  int64_t gates = 4 * z.width;
  pl_into to = pl_tape_into(t, y);
  for (int k = 0; k < INPUTS; k++) moved[k] = pl_tape_read(t, y->input[k], PL_TANGENT);
  copy_bias(moved[BIAS], z.rows, gates, s->moved_gate);
  if (moved[X])
    pl_gemm(false, false, z.rows, gates, z.inputs, moved[X], y->input[W]->value, s->moved_gate,
            true);
  if (moved[W])
    pl_gemm(false, false, z.rows, gates, z.inputs, y->input[X]->value, moved[W], s->moved_gate,
            true);
  if (moved[U])
    pl_gemm(false, false, z.rows, gates, z.width, s->before, moved[U], s->moved_gate, true);
  for (int64_t i = 0; i < p->steps; i++) {
    int64_t at = p->start[i] * z.width, m = reach(p, i);
    copy_before(y, i, to.at, moved[H0], s->moved_before);
    pl_gemm(false, false, m, gates, z.width, s->moved_before + at, y->input[U]->value,
            s->moved_gate + 4 * at, true);
    for (int64_t k = 0; k < m; k++, at += z.width) {
      cell_step c = step_of(y, i, k);
      cell_tangent(z.width, &c, s->moved_gate + 4 * at, previous(y, i, k, s->moved_c, moved[C0]),
                   s->moved_c + at, to.at + at);
    }
    at_the_end(y, i, s->moved_c, to.at + z.rows * z.width);
  }
}

/* The other half of d(dgate): dgate meets the movements of x, W, U. */
static void bend_inputs(pl_tape *t, const pl_node *y, const double *dgate,
                        const double *moved_before) {
  sizes z = sizes_of(y);
  int64_t gates = 4 * z.width;
  const double *mx = pl_tape_read(t, y->input[X], PL_TANGENT),
               *mw = pl_tape_read(t, y->input[W], PL_TANGENT);
  if (mw) {
    pl_into dx = pl_tape_into(t, y->input[X]);
    if (dx.at) pl_gemm(false, true, z.rows, z.inputs, gates, dgate, mw, dx.at, dx.add);
  }
  if (mx) {
    pl_into dw = pl_tape_into(t, y->input[W]);
    if (dw.at) pl_gemm(true, false, z.inputs, gates, z.rows, mx, dgate, dw.at, dw.add);
  }
  pl_into du = pl_tape_into(t, y->input[U]);
  if (du.at) pl_gemm(true, false, z.width, gates, z.rows, moved_before, dgate, du.at, du.add);
}

static void bend(pl_tape *t, const pl_node *y, const double *dy) {
  const packed *p = shape(y);
  const saved *s = y->saved;
  sizes z = sizes_of(y);
  int64_t n = z.width;
  const double *mu = pl_tape_read(t, y->input[U], PL_TANGENT),
               *mc = pl_tape_read(t, y->input[C0], PL_TANGENT);
  for (int64_t i = p->steps - 1; i >= 0; i--) {
    int64_t at = p->start[i] * n, m = reach(p, i), later = reach(p, i + 1);
    collect(y, i, dy, s->dh, s->dc);
    memset(s->moved_dh + later * n, 0, (size_t)((m - later) * n) * sizeof *s->moved_dh);
    memset(s->moved_dc + later * n, 0, (size_t)((m - later) * n) * sizeof *s->moved_dc);
    for (int64_t k = 0; k < m; k++) {
      int64_t row = at + k * n;
      cell_step c = step_of(y, i, k);
      cell_motion move = {s->moved_gate + 4 * row, previous(y, i, k, s->moved_c, mc),
                          s->moved_c + row};
      cell_bend(n, &c, &move, s->dh + k * n, s->dc + k * n, s->dgate + 4 * row, s->moved_dh + k * n,
                s->moved_dc + k * n, s->moved_dgate + 4 * row);
    }
    const double *u = y->input[U]->value;
    pl_gemm(false, true, m, n, 4 * n, s->dgate + 4 * at, u, s->dh, false);
    pl_gemm(false, true, m, n, 4 * n, s->moved_dgate + 4 * at, u, s->moved_dh, false);
    if (mu) pl_gemm(false, true, m, n, 4 * n, s->dgate + 4 * at, mu, s->moved_dh, true);
  }
  to_inputs(t, y, s->moved_dgate, s->before);
  bend_inputs(t, y, s->dgate, s->moved_before);
  add_all(pl_tape_into(t, y->input[H0]), z.count * n, s->moved_dh);
  add_all(pl_tape_into(t, y->input[C0]), z.count * n, s->moved_dc);
}

const pl_tape_op sequence_lstm_op = {"lstm", forward, backward, tangent, bend, NULL, NULL};

pl_node *sequence_lstm(pl_tape *t, packed p, pl_node *x, pl_node *w, pl_node *u, pl_node *b,
                       pl_node *h, pl_node *c) {
  pl_node *input[INPUTS] = {x, w, u, b, h, c};
  int64_t width = u->rows, count = reach(&p, 0);
  pl_require(p.start[0] == 0 && p.start[p.steps] == x->rows && w->rows == x->cols);
  pl_require(w->cols == 4 * width && u->cols == 4 * width && b->rows == 1 && b->cols == 4 * width);
  pl_require(h->rows == count && c->rows == count && h->cols == width && c->cols == width);
  for (int64_t i = 1; i < p.steps; i++) pl_require(reach(&p, i) <= reach(&p, i - 1));
  return pl_tape_apply(t, &sequence_lstm_op, x->rows + count, width, INPUTS, input, &p, sizeof p);
}
