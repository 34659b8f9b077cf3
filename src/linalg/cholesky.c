#include "linalg/cholesky.h"

#include "base/mem.h"
#include "linalg/dmat.h"
#include "linalg/scalapack.h"

#include <stdbool.h>
#include <string.h>

struct pl_cholesky {
  const pl_comm *comm;
  pl_grid *grid;
  pl_dmat a;
  int most;
  double *factor; /* local part, of the lower triangle */
  double *part;   /* local part of right-hand sides */
};

static const int one = 1;

/* Columns of a block: right-hand sides are few, and each column of processes gets some. */
static int block_of(const pl_cholesky *c, int cols) {
  return (cols + c->grid->npcol - 1) / c->grid->npcol;
}

static pl_status factorise(pl_cholesky *c, pl_column *column, const void *context) {
  const pl_dmat *a = &c->a;
  double *whole = pl_alloc((size_t)a->n, sizeof *whole, "a column");
  c->factor = pl_alloc((size_t)pl_dmat_local(a) + 1, sizeof *c->factor, "a factor's part");
  c->part = pl_alloc((size_t)a->lld * (size_t)block_of(c, c->most) + 1, sizeof *c->part,
                     "right-hand sides");
  for (int j = 0; j < a->ln; j++) {
    column(context, pl_dmat_col(a, j), whole);
    for (int i = 0; i < a->lm; i++) c->factor[i + (int64_t)j * a->lld] = whole[pl_dmat_row(a, i)];
  }
  pl_free(whole);
  int info = 0;
  if (c->grid->myrow >= 0) pdpotrf_("L", &a->n, c->factor, &one, &one, a->desc, &info, 1);
  pl_require(info >= 0);
  return info ? pl_error(PL_NUMERIC, "a matrix of %d rows is not positive definite", a->n) : PL_OK;
}

pl_status pl_cholesky_new(const pl_comm *comm, int64_t n, int64_t most, pl_column *column,
                          const void *context, pl_cholesky **out) {
  int p, q, size = pl_int(n);
  pl_cholesky *c = pl_zalloc(1, sizeof *c, "a factor");
  c->comm = comm;
  c->most = pl_int(most);
  pl_grid_shape(comm->size, &p, &q);
  pl_status st = pl_grid_new(comm, p, q, &c->grid);
  if (!st) st = pl_dmat_describe(c->grid, size, size, pl_dmat_block(c->grid, size), &c->a);
  if (!st) st = pl_agree(comm, factorise(c, column, context));
  if (st) {
    pl_cholesky_free(c);
    return st;
  }
  *out = c;
  return PL_OK;
}

void pl_cholesky_free(pl_cholesky *c) {
  if (!c) return;
  pl_grid_free(c->grid);
  pl_free(c->factor);
  pl_free(c->part);
  pl_free(c);
}

/* This rank's part of x into part, or back into an x of zeros. */
static void move(const pl_cholesky *c, int block, int cols, bool back, double *x) {
  const pl_dmat *a = &c->a;
  int first = a->grid->mycol * block, count = cols - first < block ? cols - first : block;
  for (int j = 0; j < count; j++)
    for (int i = 0; i < a->lm; i++) {
      double *mine = &c->part[i + (int64_t)j * a->lld],
             *at = &x[(int64_t)pl_dmat_row(a, i) * cols + first + j];
      *(back ? at : mine) = *(back ? mine : at);
    }
}

void pl_cholesky_solve(const pl_cholesky *c, int64_t cols, double *x) {
  const pl_dmat *a = &c->a;
  int k = pl_int(cols), block = block_of(c, k), info = 0;
  bool inside = a->grid->myrow >= 0;
  pl_require(k <= c->most);
  if (inside) {
    int desc[9] = {1, a->grid->ctx, a->n, k, a->nb, block, 0, 0, a->lld};
    move(c, block, k, false, x);
    pdpotrs_("L", &a->n, &k, c->factor, &one, &one, a->desc, c->part, &one, &one, desc, &info, 1);
    pl_require(info == 0);
  }
  memset(x, 0, (size_t)a->n * (size_t)k * sizeof *x);
  if (inside) move(c, block, k, true, x);
  pl_comm_sum(c->comm, x, (int64_t)a->n * k);
}

double pl_cholesky_bytes(double n, double most, int ranks) {
  int p, q;
  pl_grid_shape(ranks, &p, &q);
  return 8 * (n * n / (p * q) + n * most / (p * q) + n);
}
