#include "base/status.h"
#include "tape/ops.h"
#include "rows.h"
#include "table.h"

#define INLINE static inline __attribute__((always_inline))

/* In the order of pl_binary_ops. */
#define KINDS(X) X(ADD) X(SUBTRACT) X(MULTIPLY) X(DIVIDE) X(MAXIMUM)
enum kind {
#define X(kind) kind,
  KINDS(X)
#undef X
};
/* The derivatives of z = f(a, b): df/da, df/db, d2f/da db, d2f/db2; d2f/da2 is 0 in all kinds. */
enum factor { BY_A, BY_B, BY_AB, BY_BB };

INLINE double value(enum kind k, double a, double b) {
  switch (k) {
  case ADD:
    return a + b;
  case SUBTRACT:
    return a - b;
  case MULTIPLY:
    return a * b;
  case DIVIDE:
    return a / b;
  case MAXIMUM:
    return (a < b || b != b) ? b : a; /* NaN stays */
  }
  return 0;
}

INLINE double derivative(enum kind k, enum factor f, double a, double b) {
  switch (k) {
  case ADD:
    return f == BY_A || f == BY_B ? 1 : 0;
  case SUBTRACT:
    return f == BY_A ? 1 : f == BY_B ? -1 : 0;
  case MULTIPLY:
    return f == BY_A ? b : f == BY_B ? a : f == BY_AB ? 1 : 0;
  case DIVIDE:
    switch (f) {
    case BY_A:
      return 1 / b;
    case BY_B:
      return -a / (b * b);
    case BY_AB:
      return -1 / (b * b);
    case BY_BB:
      return 2 * a / (b * b * b);
    }
    return 0;
  case MAXIMUM:
    return f == BY_A ? (a < b ? 0 : 1) : f == BY_B ? (a < b ? 1 : 0) : 0;
  }
  return 0;
}

/* ---- broadcasting ---- */

/* Entry (i, j) of an operand is at[i * row + j * col], col 0 or 1: an operand of one row has row 0,
 * one of one column col 0. */
typedef struct side {
  const double *at;
  int64_t row;
  int col;
} side;
typedef struct shape {
  int64_t rows, cols;
  side a, b;
} shape;

static side side_of(const pl_node *x, bool flat) {
  if (flat) return (side){x->value, 0, pl_tape_count(x) != 1};
  return (side){x->value, x->rows == 1 ? 0 : x->cols, x->cols != 1};
}

/* Like matrices, and columns, are one long row: short loops are slow. */
static shape shape_of(const pl_node *y) {
  const pl_node *a = y->input[0], *b = y->input[1];
  bool alike = a->rows == b->rows && a->cols == b->cols, flat = alike || y->cols == 1;
  shape s = {y->rows, y->cols, side_of(a, flat), side_of(b, flat)};
  if (flat) s.cols = pl_tape_count(y), s.rows = 1;
  if (alike) s.a.col = s.b.col = 1;
  return s;
}

INLINE void value_loop(enum kind k, int ac, int bc, const shape *s, double *out) {
  for (int64_t i = 0; i < s->rows; i++) {
    const double *a = s->a.at + i * s->a.row, *b = s->b.at + i * s->b.row;
    double *y = out + i * s->cols;
#pragma omp simd
    for (int64_t j = 0; j < s->cols; j++) y[j] = value(k, a[j * ac], b[j * bc]);
  }
}

/* One term of a derivative: to_ij (+)= from_ij times_ij f_ij(a, b), summed over what an operand of
 * one row or column repeats.  times may be without numbers: 1. */
typedef struct term {
  side from, times;
  double *to;
  int64_t to_row;
  int to_col;
  bool add;
} term;

INLINE void term_row(enum kind k, enum factor f, int ac, int bc, int fc, int uc, int tc,
                     bool scaled, bool add, int64_t n, const double *a, const double *b,
                     const double *from, const double *times, double *to) {
  if (tc) {
#pragma omp simd
    for (int64_t j = 0; j < n; j++)
      to[j] = (add ? to[j] : 0) +
              from[j * fc] * (scaled ? times[j * uc] : 1) * derivative(k, f, a[j * ac], b[j * bc]);
  } else {
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t j = 0; j < n; j++)
      sum += from[j * fc] * (scaled ? times[j * uc] : 1) * derivative(k, f, a[j * ac], b[j * bc]);
    *to = (add ? *to : 0) + sum;
  }
}

INLINE void term_loop(enum kind k, enum factor f, int ac, int bc, int fc, int uc, int tc,
                      bool scaled, const shape *s, const term *d) {
  for (int64_t i = 0; i < s->rows; i++) {
    const double *a = s->a.at + i * s->a.row, *b = s->b.at + i * s->b.row;
    const double *from = d->from.at + i * d->from.row;
    const double *times = scaled ? d->times.at + i * d->times.row : NULL;
    double *to = d->to + i * d->to_row;
    if (d->add || (i > 0 && d->to_row == 0))
      term_row(k, f, ac, bc, fc, uc, tc, scaled, true, s->cols, a, b, from, times, to);
    else
      term_row(k, f, ac, bc, fc, uc, tc, scaled, false, s->cols, a, b, from, times, to);
  }
}

/* Three tasks: the adjoint of an operand (from the whole, to a side), the tangent (from a side, to
 * the whole) and the bend (from the whole, times a tangent, to a side). */
enum task { ADJOINT, TANGENT, BEND };

INLINE void task_loop(enum task what, enum kind k, enum factor f, int ac, int bc, const shape *s,
                      const term *d) {
  int own = f == BY_A ? ac : bc; /* of the operand that f differentiates by */
  switch (what) {
  case ADJOINT:
    term_loop(k, f, ac, bc, 1, 0, own, false, s, d);
    break;
  case TANGENT:
    term_loop(k, f, ac, bc, own, 0, 1, false, s, d);
    break;
  case BEND:
    if (f == BY_BB)
      term_loop(k, f, ac, bc, 1, bc, bc, true, s, d);
    else if (d->to_col == ac && d->times.col == bc)
      term_loop(k, f, ac, bc, 1, bc, ac, true, s, d);
    else
      term_loop(k, f, ac, bc, 1, ac, bc, true, s, d);
    break;
  }
}

INLINE void columns_loop(enum task what, enum kind k, enum factor f, const shape *s,
                         const term *d) {
  if (s->a.col && s->b.col)
    task_loop(what, k, f, 1, 1, s, d);
  else if (s->a.col)
    task_loop(what, k, f, 1, 0, s, d);
  else
    task_loop(what, k, f, 0, 1, s, d);
}

static enum kind kind_of(const pl_node *y) {
  return (enum kind)(y->op - pl_binary_ops);
}

static void first_order(enum task what, enum kind k, enum factor f, const shape *s, const term *d) {
  switch (k) {
#define X(kind)                                                                                    \
  case kind:                                                                                       \
    if (what == ADJOINT)                                                                           \
      f == BY_A ? columns_loop(ADJOINT, kind, BY_A, s, d)                                          \
                : columns_loop(ADJOINT, kind, BY_B, s, d);                                         \
    else                                                                                           \
      f == BY_A ? columns_loop(TANGENT, kind, BY_A, s, d)                                          \
                : columns_loop(TANGENT, kind, BY_B, s, d);                                         \
    break;
    KINDS(X)
#undef X
  }
}

static void second_order(enum kind k, enum factor f, const shape *s, const term *d) {
  if (k == MULTIPLY)
    columns_loop(BEND, MULTIPLY, BY_AB, s, d);
  else if (f == BY_AB)
    columns_loop(BEND, DIVIDE, BY_AB, s, d);
  else
    columns_loop(BEND, DIVIDE, BY_BB, s, d);
}

/* The sum over an empty side writes nothing, but its first contribution must. */
static bool cleared(const pl_node *y, const pl_node *x, pl_into to) {
  if (pl_tape_count(y) > 0) return false;
  if (!to.add)
    for (int64_t i = 0; i < pl_tape_count(x); i++) to.at[i] = 0;
  return true;
}

/* ---- rows times a column each ---- */

/* z_ij = a_ij c_i of rows that are often short, as coordinates are: *column is c, *matrix a. */
static bool scales_rows(const pl_node *y, const shape *s, const side **matrix,
                        const side **column) {
  if (kind_of(y) != MULTIPLY || s->rows == 1 || (s->a.col && s->b.col)) return false;
  *matrix = s->a.col ? &s->a : &s->b;
  *column = s->a.col ? &s->b : &s->a;
  return (*matrix)->row == s->cols && (*column)->row == 1;
}

INLINE void scale_rows_of(int64_t cols, int64_t rows, const double *x, const double *c,
                          double *out) {
  for (int64_t i = 0; i < rows; i++)
    pl_row_times(cols, (rows - i) * cols, x + i * cols, c[i], out + i * cols);
}

INLINE void row_products_of(int64_t cols, int64_t rows, const double *x, const double *y,
                            pl_into to) {
#pragma omp simd
  for (int64_t i = 0; i < rows; i++) {
    double sum = 0;
    for (int64_t j = 0; j < cols; j++) sum += x[i * cols + j] * y[i * cols + j];
    to.at[i] = (to.add ? to.at[i] : 0) + sum;
  }
}

/* Points in the plane and in space have loops of their own, over points. */
static void scale_rows(const shape *s, const double *x, const double *c, double *out) {
  if (s->cols == 2)
    scale_rows_of(2, s->rows, x, c, out);
  else if (s->cols == 3)
    scale_rows_of(3, s->rows, x, c, out);
  else
    scale_rows_of(s->cols, s->rows, x, c, out);
}

static void row_products(const shape *s, const double *x, const double *y, pl_into to) {
  if (s->cols == 2) {
    row_products_of(2, s->rows, x, y, to);
    return;
  }
  if (s->cols == 3) {
    row_products_of(3, s->rows, x, y, to);
    return;
  }
  for (int64_t i = 0; i < s->rows; i++) {
    int64_t at = i * s->cols;
    double sum = pl_row_dot(s->cols, (s->rows - i) * s->cols, x + at, y + at);
    to.at[i] = (to.add ? to.at[i] : 0) + sum;
  }
}

/* ---- the operations ---- */

static void forward(pl_tape *t, pl_node *y, double *out) {
  (void)t;
  shape s = shape_of(y);
  const side *matrix, *column;
  if (scales_rows(y, &s, &matrix, &column)) {
    scale_rows(&s, matrix->at, column->at, out);
    return;
  }
  switch (kind_of(y)) {
#define X(kind)                                                                                    \
  case kind:                                                                                       \
    if (s.a.col && s.b.col)                                                                        \
      value_loop(kind, 1, 1, &s, out);                                                             \
    else if (s.a.col)                                                                              \
      value_loop(kind, 1, 0, &s, out);                                                             \
    else                                                                                           \
      value_loop(kind, 0, 1, &s, out);                                                             \
    break;
    KINDS(X)
#undef X
  }
}

static side whole(const shape *s, const double *at) {
  return (side){at, s->rows == 1 ? 0 : s->cols, 1};
}

static void backward(pl_tape *t, const pl_node *y, const double *dy) {
  shape s = shape_of(y);
  for (int p = 0; p < 2; p++) {
    pl_into to = pl_tape_into(t, y->input[p]);
    if (!to.at || cleared(y, y->input[p], to)) continue;
    const side *own = p ? &s.b : &s.a, *matrix, *column;
    if (scales_rows(y, &s, &matrix, &column) && (own == column || !to.add)) {
      if (own == column)
        row_products(&s, dy, matrix->at, to);
      else
        scale_rows(&s, dy, column->at, to.at);
      continue;
    }
    if (kind_of(y) == ADD && own->row == 0 && own->col == 1 && s.rows > 1) { /* a bias */
      pl_sum_rows(s.rows, s.cols, dy, to.at, to.add);
      continue;
    }
    term d = {whole(&s, dy), {0}, to.at, own->row, own->col, to.add};
    first_order(ADJOINT, kind_of(y), p ? BY_B : BY_A, &s, &d);
  }
}

static void tangent(pl_tape *t, const pl_node *y) {
  shape s = shape_of(y);
  for (int p = 0; p < 2; p++) {
    const double *dot = pl_tape_read(t, y->input[p], PL_TANGENT);
    if (!dot) continue;
    const side *own = p ? &s.b : &s.a;
    pl_into to = pl_tape_into(t, y);
    term d = {{dot, own->row, own->col}, {0}, to.at, whole(&s, NULL).row, 1, to.add};
    first_order(TANGENT, kind_of(y), p ? BY_B : BY_A, &s, &d);
  }
}

static void bend(pl_tape *t, const pl_node *y, const double *dy) {
  shape s = shape_of(y);
  for (int p = 0; p < 2; p++)     /* to this operand's adjoint */
    for (int q = 0; q < 2; q++) { /* along this one's tangent */
      bool mixed = p != q, none = !mixed && (p == 0 || kind_of(y) == MULTIPLY);
      const double *dot = pl_tape_read(t, y->input[q], PL_TANGENT);
      if (!dot || none) continue;
      pl_into to = pl_tape_into(t, y->input[p]);
      if (!to.at || cleared(y, y->input[p], to)) continue;
      const side *own = p ? &s.b : &s.a, *along = q ? &s.b : &s.a;
      term d = {whole(&s, dy), {dot, along->row, along->col}, to.at, own->row, own->col, to.add};
      second_order(kind_of(y), mixed ? BY_AB : BY_BB, &s, &d);
    }
}

/* y_ij = a_ij o b_ij.  With f the operation and sums over what an operand repeats:
 * abar += sum ybar df/da, bbar += sum ybar df/db; ydot = df/da adot + df/db bdot;
 * abardot += sum ybar d2f/dadb bdot, bbardot += sum ybar (d2f/dadb adot + d2f/db2 bdot). */
const pl_tape_op pl_binary_ops[] = {
    [ADD] = {"add", forward, backward, tangent, NULL, NULL, NULL},
    [SUBTRACT] = {"subtract", forward, backward, tangent, NULL, NULL, NULL},
    [MULTIPLY] = {"multiply", forward, backward, tangent, bend, NULL, NULL},
    [DIVIDE] = {"divide", forward, backward, tangent, bend, NULL, NULL},
    [MAXIMUM] = {"maximum", forward, backward, tangent, NULL, NULL, NULL},
    {0},
};

static int64_t common(int64_t a, int64_t b) {
  pl_require(a == b || a == 1 || b == 1);
  return a == 1 ? b : a;
}

static pl_node *apply(pl_tape *t, enum kind k, pl_node *a, pl_node *b) {
  return pl_tape_apply(t, &pl_binary_ops[k], common(a->rows, b->rows), common(a->cols, b->cols), 2,
                       (pl_node *const[]){a, b}, NULL, 0);
}

pl_node *pl_tape_add(pl_tape *t, pl_node *a, pl_node *b) {
  return apply(t, ADD, a, b);
}
pl_node *pl_tape_subtract(pl_tape *t, pl_node *a, pl_node *b) {
  return apply(t, SUBTRACT, a, b);
}
pl_node *pl_tape_multiply(pl_tape *t, pl_node *a, pl_node *b) {
  return apply(t, MULTIPLY, a, b);
}
pl_node *pl_tape_divide(pl_tape *t, pl_node *a, pl_node *b) {
  return apply(t, DIVIDE, a, b);
}
pl_node *pl_tape_maximum(pl_tape *t, pl_node *a, pl_node *b) {
  return apply(t, MAXIMUM, a, b);
}
