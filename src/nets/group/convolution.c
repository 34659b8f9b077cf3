#include "nets/group/layer.h"

#include "base/blas.h"
#include "base/mem.h"
#include "base/rates.h"
#include "spectral/spectrum.h"
#include "spectral/transform.h"

#include <string.h>

typedef struct convolution {
  pl_layer base; /* first */
  const pl_group *g;
  /* table: rows g, columns u = gh */
  int32_t *table; /* gh at g |G| + h */
  double *matrix; /* w(h) at (g, gh) */
  double *outer;  /* sum over samples of dz(g) x(u) */
  /* transforms */
  pl_layout *l;
  pl_transform *t;
  double *W, *D, *C, *sum; /* spectra: of w, of dz, of a result, of dw */
  double *X;               /* spectra of the samples of the last forward */
} convolution;

/* ---- through the multiplication table ---- */

static void table_refresh(pl_layer *base) {
  convolution *c = (convolution *)base;
  int64_t n = base->in;
  for (int64_t g = 0; g < n; g++)
    for (int64_t h = 0; h < n; h++) c->matrix[g * n + c->table[g * n + h]] = base->w[h];
}

static void table_forward(pl_layer *base, int64_t samples, const double *x, double *z) {
  convolution *c = (convolution *)base;
  int n = pl_int(base->in), s = pl_int(samples);
  cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, s, n, n, 1, x, n, c->matrix, n, 0, z, n);
}

static void table_backward(pl_layer *base, int64_t samples, const double *x, const double *dz,
                           double *dx, double *dw) {
  convolution *c = (convolution *)base;
  int n = pl_int(base->in), s = pl_int(samples);
  if (dx)
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, s, n, n, 1, dz, n, c->matrix, n, 0, dx,
                n);
  if (!dw) return;
  cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, n, n, s, 1, dz, n, x, n, 0, c->outer, n);
  memset(dw, 0, (size_t)n * sizeof *dw);
  for (int64_t g = 0; g < n; g++)
    for (int64_t h = 0; h < n; h++) dw[h] += c->outer[g * n + c->table[g * n + h]];
}

/* ---- through transforms: Z = X W^H, so dX = dZ W and dW = dZ^H X ---- */

static void multiply(const convolution *c, pl_product op, const double *a, const double *b,
                     double *out) {
  for (int i = 0; i < c->l->num_stacks; i++) {
    const pl_stack *t = &c->l->stacks[i];
    pl_stack_mul(t, op, a + t->offset, b + t->offset, out + t->offset);
  }
}

static void fourier_refresh(pl_layer *base) {
  convolution *c = (convolution *)base;
  pl_transform_forward(c->t, base->w, c->W);
}

static void fourier_forward(pl_layer *base, int64_t samples, const double *x, double *z) {
  convolution *c = (convolution *)base;
  for (int64_t i = 0; i < samples; i++) {
    double *X = c->X + i * c->l->local;
    pl_transform_forward(c->t, x + i * base->in, X);
    multiply(c, PL_NC, X, c->W, c->C);
    pl_transform_inverse(c->t, c->C, z + i * base->in);
  }
}

static void fourier_backward(pl_layer *base, int64_t samples, const double *x, const double *dz,
                             double *dx, double *dw) {
  convolution *c = (convolution *)base;
  int64_t local = c->l->local;
  (void)x; /* its transform is kept */
  memset(c->sum, 0, (size_t)local * sizeof *c->sum);
  for (int64_t i = 0; i < samples; i++) {
    pl_transform_forward(c->t, dz + i * base->in, c->D);
    if (dx) {
      multiply(c, PL_NN, c->D, c->W, c->C);
      pl_transform_inverse(c->t, c->C, dx + i * base->in);
    }
    if (dw) {
      multiply(c, PL_CN, c->D, c->X + i * local, c->C);
      for (int64_t k = 0; k < local; k++) c->sum[k] += c->C[k];
    }
  }
  if (dw) pl_transform_inverse(c->t, c->sum, dw);
}

/* ---- either ---- */

static void convolution_free(pl_layer *base) {
  convolution *c = (convolution *)base;
  pl_free(c->table);
  pl_free(c->matrix);
  pl_free(c->outer);
  pl_transform_free(c->t);
  pl_layout_free(c->l);
  pl_free(c->W);
  pl_free(c->D);
  pl_free(c->C);
  pl_free(c->sum);
  pl_free(c->X);
}

static void make_table(convolution *c) {
  size_t n = (size_t)c->base.in;
  c->table = pl_alloc(n * n, sizeof *c->table, "multiplication table");
  c->matrix = pl_alloc(n * n, sizeof *c->matrix, "convolution matrix");
  c->outer = pl_alloc(n * n, sizeof *c->outer, "gradient of a convolution");
  for (size_t g = 0; g < n; g++)
    for (size_t h = 0; h < n; h++)
      c->table[g * n + h] = (int32_t)pl_group_mul(c->g, (int64_t)g, (int64_t)h);
}

static pl_status make_transform(convolution *c, int64_t samples) {
  PL_TRY(pl_layout_alone(c->g, &c->l));
  PL_TRY(pl_transform_new(c->l, &c->t));
  double **spectra[] = {&c->W, &c->D, &c->C, &c->sum};
  for (int k = 0; k < 4; k++)
    *spectra[k] = pl_zalloc((size_t)c->l->local, sizeof(double), "spectrum of a layer");
  c->X = pl_zalloc((size_t)(samples * c->l->local), sizeof *c->X, "spectra of samples");
  return PL_OK;
}

pl_status pl_layer_convolution(const pl_group *g, int64_t samples, pl_convolve way,
                               pl_layer **out) {
  static const pl_layer_kind kinds[PL_NUM_CONVOLVE] = {
      {table_refresh, table_forward, table_backward, convolution_free},
      {fourier_refresh, fourier_forward, fourier_backward, convolution_free}};
  convolution *c = pl_zalloc(1, sizeof *c, "layer");
  int64_t n = pl_group_order(g);
  c->base = (pl_layer){.kind = &kinds[way], .in = n, .out = n, .rows = 1, .cols = n};
  c->base.w = pl_zalloc((size_t)n, sizeof(double), "a filter");
  c->g = g;
  pl_status st = PL_OK;
  if (way == PL_CONVOLVE_TABLE)
    make_table(c);
  else
    st = make_transform(c, samples);
  if (st) {
    pl_layer_free(&c->base);
    return st;
  }
  c->base.kind->refresh(&c->base);
  *out = &c->base;
  return PL_OK;
}

/* ---- which ---- */

double pl_convolve_bytes(const pl_group *g, int64_t samples, pl_convolve way) {
  double n = (double)pl_group_order(g);
  if (way == PL_CONVOLVE_TABLE) return 20 * n * n;
  return 8 * n * ((double)samples + 5) * 1.5 + pl_transform_bytes(g, 1);
}

double pl_convolve_seconds(const pl_group *g, int64_t samples, pl_convolve way) {
  const pl_rates r = pl_rates_nominal();
  double n = (double)pl_group_order(g), S = (double)samples;
  if (way == PL_CONVOLVE_TABLE) {
    /* Three products, and two passes over the table one entry at a time. */
    double rate = 2 * 64.0 * 64 * 64 / pl_rates_product(&r, 64) * (S < 8 ? 0.25 : 1);
    return 6 * S * n * n / rate + 2 * n * n * 1.5e-9 + pl_rates_stream(&r, 40 * n * n, 20 * n * n);
  }
  double products = 0;
  for (int64_t i = 0; i < pl_group_num_irreps(g); i++) {
    pl_irrep p = pl_group_irrep(g, i);
    products += (p.type == PL_REAL ? 1 : 4) * pl_rates_product(&r, p.dim);
  }
  /* A call costs a few hundred nanoseconds beside its arithmetic. */
  return (4 * S + 2) * (pl_rates_transform(n) + 4e-7) + 3 * S * products;
}

pl_convolve pl_convolve_choose(const pl_group *g, int64_t samples) {
  if (pl_convolve_bytes(g, samples, PL_CONVOLVE_TABLE) > 1e9) return PL_CONVOLVE_FOURIER;
  return pl_convolve_seconds(g, samples, PL_CONVOLVE_TABLE) <=
                 pl_convolve_seconds(g, samples, PL_CONVOLVE_FOURIER)
             ? PL_CONVOLVE_TABLE
             : PL_CONVOLVE_FOURIER;
}
