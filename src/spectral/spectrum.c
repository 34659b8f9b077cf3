#include "spectral/spectrum.h"

#include "base/blas.h"
#include "base/mem.h"
#include "small.h"

#include <string.h>

/* Small matrices have kernels of their own. */
static bool is_small(const pl_stack *b) {
  return b->grid < 0 && b->dim <= (pl_stack_complex(b) ? PL_SMALL_COMPLEX : PL_SMALL_REAL);
}

/* The others: tiles of their own, or GEMM.  beta 0: c is not read. */
static void mul_other(const pl_stack *b, pl_product op, double alpha, const double *a,
                      const double *bb, double beta, double *c) {
  int d = b->dim;
  if (b->grid >= 0) {
    /* The grid holds transposes: (A B)^T = B^T A^T. */
    pl_dmat_gemm(op == PL_NC ? 'T' : 'N', op == PL_CN ? 'T' : 'N', alpha, &b->mat, bb, a, beta, c);
    return;
  }
  bool z = pl_stack_complex(b);
  if (!z && d <= PL_PANEL_REAL) {
    pl_panel_mul(d, b->count, op, alpha, a, bb, beta, c);
    return;
  }
  const double za[2] = {alpha, 0}, zb[2] = {beta, 0};
  CBLAS_TRANSPOSE h = z ? CblasConjTrans : CblasTrans;
  CBLAS_TRANSPOSE ta = op == PL_CN ? h : CblasNoTrans, tb = op == PL_NC ? h : CblasNoTrans;
  for (int64_t k = 0; k < b->count; k++, a += b->size, bb += b->size, c += b->size) {
    if (z)
      cblas_zgemm(CblasRowMajor, ta, tb, d, d, d, za, a, d, bb, d, zb, c, d);
    else
      cblas_dgemm(CblasRowMajor, ta, tb, d, d, d, alpha, a, d, bb, d, beta, c, d);
  }
}

void pl_stack_mul(const pl_stack *b, pl_product op, const double *a, const double *bb, double *c) {
  if (!b->here) return;
  if (is_small(b))
    pl_small_mul(b->dim, pl_stack_complex(b), b->count, op, a, bb, c);
  else
    mul_other(b, op, 1, a, bb, 0, c);
}

void pl_stack_mul_add(const pl_stack *b, pl_product op, double alpha, const double *a,
                      const double *bb, double beta, double *c) {
  if (!b->here) return;
  if (is_small(b))
    pl_small_mul_add(b->dim, pl_stack_complex(b), b->count, op, alpha, a, bb, beta, c);
  else
    mul_other(b, op, alpha, a, bb, beta, c);
}

double pl_spectrum_norm(const pl_layout *l, const double *F) {
  pl_norm_part *part = pl_alloc((size_t)l->num_stacks, sizeof *part, "parts of a spectrum");
  for (int i = 0; i < l->num_stacks; i++) {
    const pl_stack *b = &l->stacks[i];
    part[i] = (pl_norm_part){pl_stack_doubles(b), F + b->offset, b->weight};
  }
  double norm = pl_norm_parts(&l->team, l->num_stacks, part);
  pl_free(part);
  return norm;
}

struct pl_spectrum_svd {
  pl_svd *whole;
  double *grid;
  int64_t grid_doubles;
};

static int64_t grid_work(const pl_layout *l) {
  int64_t most = 0;
  for (int i = 0; i < l->num_stacks; i++) {
    const pl_stack *b = &l->stacks[i];
    if (b->grid < 0 || !b->here) continue;
    int64_t n = pl_svd_grid_work(&b->mat);
    if (n > most) most = n;
  }
  return most;
}

pl_spectrum_svd *pl_spectrum_svd_new(const pl_layout *l, const pl_rates *rates) {
  pl_spectrum_svd *w = pl_zalloc(1, sizeof *w, "singular values");
  if (l->max_dim) w->whole = pl_svd_new(l->max_dim, l->any_complex, rates);
  w->grid_doubles = grid_work(l);
  w->grid = pl_alloc((size_t)w->grid_doubles, sizeof *w->grid, "singular values on a grid");
  return w;
}

void pl_spectrum_svd_free(pl_spectrum_svd *w) {
  if (!w) return;
  pl_svd_free(w->whole);
  pl_free(w->grid);
  pl_free(w);
}

pl_status pl_stack_singular_values(const pl_layout *l, const pl_stack *b, double *a,
                                   pl_spectrum_svd *w, double *sigma) {
  if (b->grid >= 0)
    return l->grids[b->grid]->myrow < 0 ? PL_OK
                                        : pl_svd_grid(&b->mat, a, sigma, w->grid, w->grid_doubles);
  pl_status worst = PL_OK;
  for (int64_t k = 0; b->here && k < b->count; k++) {
    pl_status st = pl_stack_complex(b)
                       ? pl_svd_complex(w->whole, b->dim, a + k * b->size, sigma + k * b->dim)
                       : pl_svd_real(w->whole, b->dim, a + k * b->size, sigma + k * b->dim);
    if (st) worst = st;
  }
  return worst;
}
