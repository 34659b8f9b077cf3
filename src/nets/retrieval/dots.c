/* Chosen inner products of rows: an operation of the tape, bilinear as a product is. */
#include "own.h"

#include <string.h>

typedef struct pairs {
  const int *i, *j;
} pairs;

static void forward_of(const pl_node *y, const double *q, const double *d, double *out, bool add) {
  const pairs *p = y->data;
  int64_t cols = y->input[0]->cols;
  for (int64_t k = 0; k < y->rows; k++) {
    const double *a = q + p->i[k] * cols, *b = d + p->j[k] * cols;
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t c = 0; c < cols; c++) sum += a[c] * b[c];
    out[k] = add ? out[k] + sum : sum;
  }
}

/* to_{row(k)} += dy_k from_{other(k)} */
static void scatter(const pl_node *y, const double *dy, const int *row, const int *other,
                    const double *from, const pl_node *x, pl_into to) {
  int64_t cols = x->cols;
  if (!to.add) memset(to.at, 0, (size_t)pl_tape_count(x) * sizeof *to.at);
  for (int64_t k = 0; k < y->rows; k++) {
    double *a = to.at + row[k] * cols;
    const double *b = from + other[k] * cols;
#pragma omp simd
    for (int64_t c = 0; c < cols; c++) a[c] += dy[k] * b[c];
  }
}

static void forward(pl_tape *t, pl_node *y, double *out) {
  (void)t;
  forward_of(y, y->input[0]->value, y->input[1]->value, out, false);
}

/* Where each side's adjoint gets dy times the other, at the values or at their tangents. */
static void back(pl_tape *t, const pl_node *y, const double *dy, const double *q, const double *d) {
  const pairs *p = y->data;
  pl_into dq = d ? pl_tape_into(t, y->input[0]) : (pl_into){0};
  pl_into dd = q ? pl_tape_into(t, y->input[1]) : (pl_into){0};
  if (dq.at) scatter(y, dy, p->i, p->j, d, y->input[0], dq);
  if (dd.at) scatter(y, dy, p->j, p->i, q, y->input[1], dd);
}

static void backward(pl_tape *t, const pl_node *y, const double *dy) {
  back(t, y, dy, y->input[0]->value, y->input[1]->value);
}

static void tangent(pl_tape *t, const pl_node *y) {
  const double *dq = pl_tape_read(t, y->input[0], PL_TANGENT);
  const double *dd = pl_tape_read(t, y->input[1], PL_TANGENT);
  if (dq) {
    pl_into to = pl_tape_into(t, y);
    forward_of(y, dq, y->input[1]->value, to.at, to.add);
  }
  if (dd) {
    pl_into to = pl_tape_into(t, y);
    forward_of(y, y->input[0]->value, dd, to.at, to.add);
  }
}

static void bend(pl_tape *t, const pl_node *y, const double *dy) {
  back(t, y, dy, pl_tape_read(t, y->input[0], PL_TANGENT),
       pl_tape_read(t, y->input[1], PL_TANGENT));
}

static const pl_tape_op op = {"dots", forward, backward, tangent, bend, NULL, NULL};

pl_node *retrieval_dots(pl_tape *t, pl_node *q, pl_node *d, int64_t count, const int *i,
                        const int *j) {
  pairs p = {i, j};
  pl_require(q->cols == d->cols);
  return pl_tape_apply(t, &op, count, 1, 2, (pl_node *const[]){q, d}, &p, sizeof p);
}
