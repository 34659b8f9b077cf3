#include "base/status.h"
#include "tape/ops.h"
#include "table.h"

#include <string.h>

enum { MATMUL, MATMUL_NT, MATMUL_TN, AFFINE, SPMM, SPMM_WEIGHTED };

/* ---- dense ---- */

static bool left_transposed(const pl_node *y) {
  return y->op == &pl_product_ops[MATMUL_TN];
}
static bool right_transposed(const pl_node *y) {
  return y->op == &pl_product_ops[MATMUL_NT];
}

static int64_t inner(const pl_node *y) {
  const pl_node *a = y->input[0];
  return left_transposed(y) ? a->rows : a->cols;
}

/* out (+)= op(a) op(b), for any numbers in the shapes of the two inputs. */
static void product(const pl_node *y, const double *a, const double *b, double *out, bool add) {
  pl_gemm(left_transposed(y), right_transposed(y), y->rows, y->cols, inner(y), a, b, out, add);
}

static void product_forward(pl_tape *t, pl_node *y, double *out) {
  (void)t;
  if (y->inputs == 3) /* the bias stands in every row before the product is added */
    for (int64_t i = 0; i < y->rows; i++)
      memcpy(out + i * y->cols, y->input[2]->value, (size_t)y->cols * sizeof *out);
  product(y, y->input[0]->value, y->input[1]->value, out, y->inputs == 3);
}

/* abar += dy op(b)^T, transposed as a is. */
static void to_left(pl_tape *t, const pl_node *y, const double *dy, const double *b) {
  pl_into da = pl_tape_into(t, y->input[0]);
  int64_t m = y->rows, n = y->cols, k = inner(y);
  bool tb = right_transposed(y);
  if (!da.at) return;
  if (left_transposed(y))
    pl_gemm(tb, true, k, m, n, b, dy, da.at, da.add);
  else
    pl_gemm(false, !tb, m, k, n, dy, b, da.at, da.add);
}

/* bbar += op(a)^T dy, transposed as b is. */
static void to_right(pl_tape *t, const pl_node *y, const double *dy, const double *a) {
  pl_into db = pl_tape_into(t, y->input[1]);
  int64_t m = y->rows, n = y->cols, k = inner(y);
  bool ta = left_transposed(y);
  if (!db.at) return;
  if (right_transposed(y))
    pl_gemm(true, ta, n, k, m, dy, a, db.at, db.add);
  else
    pl_gemm(!ta, false, k, n, m, a, dy, db.at, db.add);
}

static void product_backward(pl_tape *t, const pl_node *y, const double *dy) {
  to_left(t, y, dy, y->input[1]->value);
  to_right(t, y, dy, y->input[0]->value);
  pl_into bias = y->inputs == 3 ? pl_tape_into(t, y->input[2]) : (pl_into){NULL, false};
  if (bias.at) pl_sum_rows(y->rows, y->cols, dy, bias.at, bias.add);
}

static void product_tangent(pl_tape *t, const pl_node *y) {
  const double *da = pl_tape_read(t, y->input[0], PL_TANGENT);
  const double *db = pl_tape_read(t, y->input[1], PL_TANGENT);
  const double *bias = y->inputs == 3 ? pl_tape_read(t, y->input[2], PL_TANGENT) : NULL;
  if (bias) {
    pl_into to = pl_tape_into(t, y);
    for (int64_t i = 0; i < y->rows; i++)
      pl_copy_or_add(y->cols, bias, to.at + i * y->cols, to.add);
  }
  if (da) {
    pl_into to = pl_tape_into(t, y);
    product(y, da, y->input[1]->value, to.at, to.add);
  }
  if (db) {
    pl_into to = pl_tape_into(t, y);
    product(y, y->input[0]->value, db, to.at, to.add);
  }
}

static void product_bend(pl_tape *t, const pl_node *y, const double *dy) {
  const double *da = pl_tape_read(t, y->input[0], PL_TANGENT);
  const double *db = pl_tape_read(t, y->input[1], PL_TANGENT);
  if (db) to_left(t, y, dy, db);
  if (da) to_right(t, y, dy, da);
}

static pl_node *apply(pl_tape *t, int kind, pl_node *a, pl_node *b, pl_node *bias) {
  bool ta = kind == MATMUL_TN, tb = kind == MATMUL_NT;
  int64_t cols = tb ? b->rows : b->cols;
  pl_require((ta ? a->rows : a->cols) == (tb ? b->cols : b->rows));
  pl_require(!bias || (bias->rows == 1 && bias->cols == cols));
  return pl_tape_apply(t, &pl_product_ops[kind], ta ? a->cols : a->rows, cols, bias ? 3 : 2,
                       (pl_node *const[]){a, b, bias}, NULL, 0);
}

pl_node *pl_tape_matmul(pl_tape *t, pl_node *a, pl_node *b) {
  return apply(t, MATMUL, a, b, NULL);
}
pl_node *pl_tape_matmul_nt(pl_tape *t, pl_node *a, pl_node *b) {
  return apply(t, MATMUL_NT, a, b, NULL);
}
pl_node *pl_tape_matmul_tn(pl_tape *t, pl_node *a, pl_node *b) {
  return apply(t, MATMUL_TN, a, b, NULL);
}
pl_node *pl_tape_affine(pl_tape *t, pl_node *x, pl_node *w, pl_node *b) {
  return apply(t, AFFINE, x, w, b);
}

/* ---- sparse ---- */

typedef struct sparse {
  pl_tape_csr s, transposed;
  bool scatter; /* no transposed given */
} sparse;

static void spmm_map(const pl_node *y, const double *x, double *out, bool add) {
  const sparse *d = y->data;
  pl_spmm(&d->s, y->cols, x, out, add);
}

static void spmm_transposed(const pl_node *y, const double *dy, double *dx, bool add) {
  const sparse *d = y->data;
  if (d->scatter)
    pl_spmm_transposed(&d->s, y->cols, dy, dx, add);
  else
    pl_spmm(&d->transposed, y->cols, dy, dx, add);
}

pl_node *pl_tape_spmm(pl_tape *t, const pl_tape_csr *s, const pl_tape_csr *transposed, pl_node *x) {
  pl_require(s->cols == x->rows);
  pl_require(!transposed || (transposed->rows == s->cols && transposed->cols == s->rows));
  sparse d = {*s, transposed ? *transposed : *s, !transposed};
  return pl_apply_one(t, &pl_product_ops[SPMM], s->rows, x->cols, x, &d, sizeof d);
}

/* The pattern with other numbers for values. */
static pl_tape_csr with(const pl_node *y, const double *w) {
  pl_tape_csr s = *(const pl_tape_csr *)y->data;
  s.value = w;
  return s;
}

/* wbar_e += sum_j dy_ij x_kj for entry e of row i and column k. */
static void to_weights(pl_tape *t, const pl_node *y, const double *dy, const double *x) {
  pl_into dw = pl_tape_into(t, y->input[0]);
  const pl_tape_csr *s = y->data;
  if (!dw.at) return;
  for (int64_t i = 0; i < s->rows; i++)
    for (int64_t e = s->start[i]; e < s->start[i + 1]; e++) {
      const double *a = dy + i * y->cols, *b = x + s->index[e] * y->cols;
      double sum = 0;
      if (y->cols >= 8 && e + PL_AHEAD < s->start[s->rows])
        pl_fetch(x + s->index[e + PL_AHEAD] * y->cols, y->cols);
#pragma omp simd reduction(+ : sum)
      for (int64_t j = 0; j < y->cols; j++) sum += a[j] * b[j];
      dw.at[e] = (dw.add ? dw.at[e] : 0) + sum;
    }
}

static void to_columns(pl_tape *t, const pl_node *y, const double *dy, const double *w) {
  pl_into dx = pl_tape_into(t, y->input[1]);
  pl_tape_csr s = with(y, w);
  if (dx.at) pl_spmm_transposed(&s, y->cols, dy, dx.at, dx.add);
}

static void weighted_forward(pl_tape *t, pl_node *y, double *out) {
  (void)t;
  pl_tape_csr s = with(y, y->input[0]->value);
  pl_spmm(&s, y->cols, y->input[1]->value, out, false);
}

static void weighted_backward(pl_tape *t, const pl_node *y, const double *dy) {
  to_weights(t, y, dy, y->input[1]->value);
  to_columns(t, y, dy, y->input[0]->value);
}

static void weighted_tangent(pl_tape *t, const pl_node *y) {
  const double *dw = pl_tape_read(t, y->input[0], PL_TANGENT);
  const double *dx = pl_tape_read(t, y->input[1], PL_TANGENT);
  if (dw) {
    pl_tape_csr s = with(y, dw);
    pl_into to = pl_tape_into(t, y);
    pl_spmm(&s, y->cols, y->input[1]->value, to.at, to.add);
  }
  if (dx) {
    pl_tape_csr s = with(y, y->input[0]->value);
    pl_into to = pl_tape_into(t, y);
    pl_spmm(&s, y->cols, dx, to.at, to.add);
  }
}

static void weighted_bend(pl_tape *t, const pl_node *y, const double *dy) {
  const double *dw = pl_tape_read(t, y->input[0], PL_TANGENT);
  const double *dx = pl_tape_read(t, y->input[1], PL_TANGENT);
  if (dx) to_weights(t, y, dy, dx);
  if (dw) to_columns(t, y, dy, dw);
}

pl_node *pl_tape_spmm_weighted(pl_tape *t, const pl_tape_csr *s, pl_node *w, pl_node *x) {
  pl_require(s->cols == x->rows && w->rows == s->start[s->rows] && w->cols == 1);
  return pl_tape_apply(t, &pl_product_ops[SPMM_WEIGHTED], s->rows, x->cols, 2,
                       (pl_node *const[]){w, x}, s, sizeof *s);
}

/* Y = A B (A B^T, A^T B: transposed accordingly): Abar += Ybar B^T, Bbar += A^T Ybar;
 * Ydot = Adot B + A Bdot; Abardot += Ybar Bdot^T, Bbardot += Adot^T Ybar.  affine: besides,
 * bbar_j += sum_i Ybar_ij.
 * spmm: y_ij = sum_e v_e x_{k(e) j}; weighted: v_e = w_e, bilinear in w and x as a product. */
#define DENSE product_forward, product_backward, product_tangent, product_bend, NULL, NULL
const pl_tape_op pl_product_ops[] = {
    [MATMUL] = {"matmul", DENSE},
    [MATMUL_NT] = {"matmul_nt", DENSE},
    [MATMUL_TN] = {"matmul_tn", DENSE},
    [AFFINE] = {"affine", DENSE},
    [SPMM] = {"spmm", NULL, NULL, NULL, NULL, spmm_map, spmm_transposed},
    [SPMM_WEIGHTED] = {"spmm_weighted", weighted_forward, weighted_backward, weighted_tangent,
                       weighted_bend, NULL, NULL},
    {0},
};
