#include "base/status.h"
#include "tape/ops.h"
#include "table.h"

#include <string.h>

enum { PICK, GATHER, ROWS, COLS, TRANSPOSE, RESHAPE, CONCAT_ROWS, CONCAT_COLS };

typedef struct list {
  const int *index;
} list;

static void clear_unless(bool add, const pl_node *x, double *at) {
  if (!add) memset(at, 0, (size_t)pl_tape_count(x) * sizeof *at);
}

/* ---- pick and gather ---- */

static void pick_map(const pl_node *y, const double *x, double *out, bool add) {
  const int *index = ((const list *)y->data)->index;
  int64_t cols = y->input[0]->cols;
  for (int64_t i = 0; i < y->rows; i++)
    out[i] = (add ? out[i] : 0) + (index[i] < 0 ? 0 : x[i * cols + index[i]]);
}

static void pick_transposed(const pl_node *y, const double *dy, double *dx, bool add) {
  const int *index = ((const list *)y->data)->index;
  int64_t cols = y->input[0]->cols;
  clear_unless(add, y->input[0], dx);
  for (int64_t i = 0; i < y->rows; i++)
    if (index[i] >= 0) dx[i * cols + index[i]] += dy[i];
}

static void gather_map(const pl_node *y, const double *x, double *out, bool add) {
  const int *index = ((const list *)y->data)->index;
  for (int64_t i = 0; i < y->rows; i++)
    pl_copy_or_add(y->cols, x + index[i] * y->cols, out + i * y->cols, add);
}

static void gather_transposed(const pl_node *y, const double *dy, double *dx, bool add) {
  const int *index = ((const list *)y->data)->index;
  clear_unless(add, y->input[0], dx);
  for (int64_t i = 0; i < y->rows; i++)
    pl_copy_or_add(y->cols, dy + i * y->cols, dx + index[i] * y->cols, true);
}

/* ---- slices ---- */

static void rows_map(const pl_node *y, const double *x, double *out, bool add) {
  pl_copy_or_add(pl_tape_count(y), x + *(const int64_t *)y->data * y->cols, out, add);
}

static void rows_transposed(const pl_node *y, const double *dy, double *dx, bool add) {
  clear_unless(add, y->input[0], dx);
  pl_copy_or_add(pl_tape_count(y), dy, dx + *(const int64_t *)y->data * y->cols, true);
}

static void cols_map(const pl_node *y, const double *x, double *out, bool add) {
  int64_t first = *(const int64_t *)y->data, width = y->input[0]->cols;
  for (int64_t i = 0; i < y->rows; i++)
    pl_copy_or_add(y->cols, x + i * width + first, out + i * y->cols, add);
}

static void cols_transposed(const pl_node *y, const double *dy, double *dx, bool add) {
  int64_t first = *(const int64_t *)y->data, width = y->input[0]->cols;
  clear_unless(add, y->input[0], dx);
  for (int64_t i = 0; i < y->rows; i++)
    pl_copy_or_add(y->cols, dy + i * y->cols, dx + i * width + first, true);
}

/* ---- the same entries in another order ---- */

/* to_ji (+)= from_ij, from: [rows][cols]; in squares that fit the first-level cache. */
static void turn(int64_t rows, int64_t cols, const double *from, double *to, bool add) {
  enum { SIDE = 16 };
  for (int64_t i0 = 0; i0 < rows; i0 += SIDE)
    for (int64_t j0 = 0; j0 < cols; j0 += SIDE) {
      int64_t i1 = i0 + SIDE < rows ? i0 + SIDE : rows, j1 = j0 + SIDE < cols ? j0 + SIDE : cols;
      for (int64_t j = j0; j < j1; j++)
        for (int64_t i = i0; i < i1; i++)
          to[j * rows + i] = (add ? to[j * rows + i] : 0) + from[i * cols + j];
    }
}

static void transpose_map(const pl_node *y, const double *x, double *out, bool add) {
  turn(y->cols, y->rows, x, out, add);
}

static void transpose_transposed(const pl_node *y, const double *dy, double *dx, bool add) {
  turn(y->rows, y->cols, dy, dx, add);
}

static void reshape_map(const pl_node *y, const double *x, double *out, bool add) {
  pl_copy_or_add(pl_tape_count(y), x, out, add);
}

/* ---- concatenation: of k inputs ---- */

/* Input k stands in y from entry `at` on, in lines of its own length, y's lines being `line` long;
 * one below the other, everything is one line. */
typedef struct part {
  int64_t lines, length, line, at;
} part;

static part part_of(const pl_node *y, int k, part before) {
  const pl_node *x = y->input[k];
  bool below = y->op == &pl_move_ops[CONCAT_ROWS];
  int64_t length = below ? pl_tape_count(x) : x->cols;
  return (part){below ? 1 : x->rows, length, below ? 0 : y->cols, before.at + before.length};
}

static void concat_forward(pl_tape *t, pl_node *y, double *out) {
  (void)t;
  part p = {0};
  for (int k = 0; k < y->inputs; k++) {
    p = part_of(y, k, p);
    for (int64_t i = 0; i < p.lines; i++)
      pl_copy_or_add(p.length, y->input[k]->value + i * p.length, out + p.at + i * p.line, false);
  }
}

static void concat_backward(pl_tape *t, const pl_node *y, const double *dy) {
  part p = {0};
  for (int k = 0; k < y->inputs; k++) {
    p = part_of(y, k, p);
    pl_into dx = pl_tape_into(t, y->input[k]);
    if (!dx.at) continue;
    for (int64_t i = 0; i < p.lines; i++)
      pl_copy_or_add(p.length, dy + p.at + i * p.line, dx.at + i * p.length, dx.add);
  }
}

static void concat_tangent(pl_tape *t, const pl_node *y) {
  pl_into to = pl_tape_into(t, y);
  part p = {0};
  clear_unless(to.add, y, to.at);
  for (int k = 0; k < y->inputs; k++) {
    p = part_of(y, k, p);
    const double *dot = pl_tape_read(t, y->input[k], PL_TANGENT);
    if (!dot) continue;
    for (int64_t i = 0; i < p.lines; i++)
      pl_copy_or_add(p.length, dot + i * p.length, to.at + p.at + i * p.line, true);
  }
}

/* Linear: backward adds A^T ybar.  k(i): the index given for row i, c: the first row or column. */
const pl_tape_op pl_move_ops[] = {
    /* y_i = x_{i k(i)} */
    [PICK] = {"pick", .map = pick_map, .transposed = pick_transposed},
    /* y_ij = x_{k(i) j} */
    [GATHER] = {"gather", .map = gather_map, .transposed = gather_transposed},
    /* y_ij = x_{c+i j} */
    [ROWS] = {"rows", .map = rows_map, .transposed = rows_transposed},
    /* y_ij = x_{i c+j} */
    [COLS] = {"cols", .map = cols_map, .transposed = cols_transposed},
    /* y_ij = x_ji */
    [TRANSPOSE] = {"transpose", .map = transpose_map, .transposed = transpose_transposed},
    /* y_k = x_k, k counting entries */
    [RESHAPE] = {"reshape", .map = reshape_map, .transposed = reshape_map},
    /* y = (x_1; x_2; ..) */
    [CONCAT_ROWS] = {"concat_rows", concat_forward, concat_backward, concat_tangent, NULL, NULL,
                     NULL},
    /* y = (x_1, x_2, ..) */
    [CONCAT_COLS] = {"concat_cols", concat_forward, concat_backward, concat_tangent, NULL, NULL,
                     NULL},
    {0},
};

pl_node *pl_tape_pick(pl_tape *t, pl_node *x, const int *index) {
  for (int64_t i = 0; i < x->rows; i++) pl_require(index[i] < x->cols);
  list d = {index};
  return pl_apply_one(t, &pl_move_ops[PICK], x->rows, 1, x, &d, sizeof d);
}
pl_node *pl_tape_gather(pl_tape *t, pl_node *x, int64_t count, const int *index) {
  for (int64_t i = 0; i < count; i++) pl_require(index[i] >= 0 && index[i] < x->rows);
  list d = {index};
  return pl_apply_one(t, &pl_move_ops[GATHER], count, x->cols, x, &d, sizeof d);
}
pl_node *pl_tape_rows(pl_tape *t, pl_node *x, int64_t first, int64_t count) {
  pl_require(first >= 0 && count >= 0 && first + count <= x->rows);
  return pl_apply_one(t, &pl_move_ops[ROWS], count, x->cols, x, &first, sizeof first);
}
pl_node *pl_tape_cols(pl_tape *t, pl_node *x, int64_t first, int64_t count) {
  pl_require(first >= 0 && count >= 0 && first + count <= x->cols);
  return pl_apply_one(t, &pl_move_ops[COLS], x->rows, count, x, &first, sizeof first);
}
pl_node *pl_tape_transpose(pl_tape *t, pl_node *x) {
  return pl_apply_one(t, &pl_move_ops[TRANSPOSE], x->cols, x->rows, x, NULL, 0);
}
pl_node *pl_tape_reshape(pl_tape *t, pl_node *x, int64_t rows, int64_t cols) {
  pl_require(rows >= 0 && cols >= 0 && rows * cols == pl_tape_count(x));
  return pl_apply_one(t, &pl_move_ops[RESHAPE], rows, cols, x, NULL, 0);
}

pl_node *pl_tape_concat_rows(pl_tape *t, int count, pl_node *const *x) {
  int64_t rows = 0;
  pl_require(count > 0);
  for (int k = 0; k < count; k++) {
    pl_require(x[k]->cols == x[0]->cols);
    rows += x[k]->rows;
  }
  return pl_tape_apply(t, &pl_move_ops[CONCAT_ROWS], rows, x[0]->cols, count, x, NULL, 0);
}
pl_node *pl_tape_concat_cols(pl_tape *t, int count, pl_node *const *x) {
  int64_t cols = 0;
  pl_require(count > 0);
  for (int k = 0; k < count; k++) {
    pl_require(x[k]->rows == x[0]->rows);
    cols += x[k]->cols;
  }
  return pl_tape_apply(t, &pl_move_ops[CONCAT_COLS], x[0]->rows, cols, count, x, NULL, 0);
}
