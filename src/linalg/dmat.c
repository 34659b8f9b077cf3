#include "linalg/dmat.h"

#include "base/blas.h"
#include "linalg/scalapack.h"

#include <limits.h>
#include <string.h>

/* pdgemr2d counts bytes in int and keeps copies of what it moves: 16 MiB at a time. */
enum { SLAB = 1 << 21 };

static const int one = 1, zero = 0;

static int min(int a, int b) {
  return a < b ? a : b;
}

pl_status pl_dmat_describe(const pl_grid *grid, int m, int n, int nb, pl_dmat *out) {
  pl_require(m > 0 && n > 0 && nb > 0);
  /* Process (0, 0) holds the most. */
  int64_t rows = numroc_(&m, &nb, &zero, &zero, &grid->nprow);
  int64_t cols = numroc_(&n, &nb, &zero, &zero, &grid->npcol);
  if (rows * cols > INT_MAX)
    return pl_error(PL_EENV,
                    "a %d x %d matrix on %d x %d processes has a local part of %lld elements; the "
                    "limit is 2^31 - 1, so it needs more ranks",
                    m, n, grid->nprow, grid->npcol, (long long)(rows * cols));
  pl_dmat d = {.grid = grid, .m = m, .n = n, .nb = nb};
  if (grid->myrow >= 0) {
    d.lm = numroc_(&m, &nb, &grid->myrow, &zero, &grid->nprow);
    d.ln = numroc_(&n, &nb, &grid->mycol, &zero, &grid->npcol);
  }
  d.lld = d.lm > 1 ? d.lm : 1;
  memcpy(d.desc, (int[9]){1, grid->ctx, m, n, nb, nb, 0, 0, d.lld}, sizeof d.desc);
  *out = d;
  return PL_OK;
}

int64_t pl_dmat_local(const pl_dmat *a) {
  return (int64_t)a->lm * a->ln;
}

int pl_dmat_block(const pl_grid *grid, int d) {
  int64_t blocks = 2 * (int64_t)(grid->nprow > grid->npcol ? grid->nprow : grid->npcol);
  int nb = (int)((d + blocks - 1) / blocks);
  return nb < 1 ? 1 : min(nb, 64);
}

static int global(int local, int nb, int process, int processes) {
  return (local / nb * processes + process) * nb + local % nb;
}
int pl_dmat_row(const pl_dmat *a, int i) {
  return global(i, a->nb, a->grid->myrow, a->grid->nprow);
}
int pl_dmat_col(const pl_dmat *a, int j) {
  return global(j, a->nb, a->grid->mycol, a->grid->npcol);
}

void pl_dmat_gemm(char opa, char opb, double alpha, const pl_dmat *d, const double *a,
                  const double *b, double beta, double *c) {
  pl_require(d->m == d->n && (opa == 'N' || opa == 'T') && (opb == 'N' || opb == 'T'));
  if (d->grid->myrow < 0) return;
  if (d->grid->comm.size == 1)
    cblas_dgemm(CblasColMajor, opa == 'T' ? CblasTrans : CblasNoTrans,
                opb == 'T' ? CblasTrans : CblasNoTrans, d->n, d->n, d->n, alpha, a, d->lld, b,
                d->lld, beta, c, d->lld);
  else
    pdgemm_(&opa, &opb, &d->n, &d->n, &d->n, &alpha, a, &one, &one, d->desc, b, &one, &one, d->desc,
            &beta, c, &one, &one, d->desc, 1, 1);
}

/* Columns in a slab of a matrix with m rows. */
static int slab_columns(int m, int n) {
  return m >= SLAB ? 1 : min(n, SLAB / m);
}

/* A slab of w whole columns as a matrix of its own, one block on process (0, 0): so the full array
 * may have any size. */
static void describe_slab(const pl_dmat *d, int w, int desc[9]) {
  memcpy(desc, (int[9]){1, d->grid->ctx, d->m, w, d->m, w, 0, 0, d->m}, 9 * sizeof *desc);
}

void pl_dmat_gather(const pl_dmat *d, const double *local, double *full) {
  if (d->grid->myrow < 0) return;
  int width = slab_columns(d->m, d->n);
  for (int j = 0; j < d->n; j += width) {
    int w = min(width, d->n - j), column = j + 1, desc[9];
    describe_slab(d, w, desc);
    double *slab = d->grid->comm.rank == 0 ? full + (int64_t)j * d->m : NULL;
    pdgemr2d_(&d->m, &w, local, &one, &column, d->desc, slab, &one, &one, desc, &d->grid->ctx);
  }
}

void pl_dmat_scatter(const pl_dmat *d, const double *full, double *local) {
  if (d->grid->myrow < 0) return;
  int width = slab_columns(d->m, d->n);
  for (int j = 0; j < d->n; j += width) {
    int w = min(width, d->n - j), column = j + 1, desc[9];
    describe_slab(d, w, desc);
    const double *slab = d->grid->comm.rank == 0 ? full + (int64_t)j * d->m : NULL;
    pdgemr2d_(&d->m, &w, slab, &one, &one, desc, local, &one, &column, d->desc, &d->grid->ctx);
  }
}
