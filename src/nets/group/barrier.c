#include "barrier.h"

#include "base/blas.h"
#include "base/mem.h"
#include "base/sums.h"
#include "linalg/svd.h"
#include "linalg/usv.h"

#include <math.h>
#include <string.h>

/* The barrier's weight falls by SHRINK once Newton's decrement is below CENTRED.  Samples of norm
 * about 1 each are told apart from rounding down to ROUNDING. */
static const double SHRINK = 0.1, CENTRED = 0.3, ROUNDING = 1e-12;
enum { HALVINGS = 60 };

struct barrier {
  int num;
  barrier_block *blocks;
  const double *y;
  int64_t n;
  const double *c;
  double dims;                         /* sum of d */
  double *a, *trial, *step, *signed_a; /* [n]: a_i, and a_i y_i */
  double *slope, *down, *hessian;      /* of the barrier; hessian [n][n] */
  double *parts;                       /* [2][n] */
  double nuclear;                      /* sum over matrices and singular values of s / (1 - s^2) */
  pl_usv *usv;
  pl_svd *svd;
  double *M, *U, *Vh, *sigma, *half; /* of one block or matrix */
  double *Z, *left;                  /* [n] matrices: U^H Y_i V, and what multiplies them */
  /* Where B is kept: of all blocks, one after the other, at a and with the largest margin so far,
   * whose `nuclear` is best_nuclear; 0: there is none. */
  int64_t *offset, doubles;
  double *beta, *best, best_nuclear;
};

/* What one point tells. */
typedef struct point {
  double top;     /* largest singular value of M */
  double barrier; /* - sum log det(1 - M M^H) - sum log a_i; infinite outside */
  double sum;     /* of c_i a_i */
  double plain;   /* of a_i */
} point;

static int64_t matrix_size(const barrier_block *b) {
  return (int64_t)b->dim * b->dim * (b->is_complex ? 2 : 1);
}

static void combine(barrier *p, const barrier_block *b, const double *a) {
  for (int64_t i = 0; i < p->n; i++) p->signed_a[i] = a[i] * p->y[i];
  pl_multi_axpy(p->n, b->count * matrix_size(b), p->signed_a, b->x, b->stride, p->M);
}

/* Top and barrier at a, from singular values alone. */
static pl_status look(barrier *p, const double *a, point *out) {
  *out = (point){0};
  for (int64_t i = 0; i < p->n; i++) {
    out->sum += p->c[i] * a[i];
    out->plain += a[i];
    out->barrier -= log(a[i]);
  }
  for (int i = 0; i < p->num; i++) {
    const barrier_block *b = &p->blocks[i];
    combine(p, b, a);
    for (int64_t k = 0; k < b->count; k++) {
      double *matrix = p->M + k * matrix_size(b);
      PL_TRY(b->is_complex ? pl_svd_complex(p->svd, b->dim, matrix, p->sigma)
                           : pl_svd_real(p->svd, b->dim, matrix, p->sigma));
      for (int j = 0; j < b->dim; j++) {
        double s = p->sigma[j];
        out->top = fmax(out->top, s);
        out->barrier = s < 1 ? out->barrier - log1p(-s * s) : INFINITY;
      }
    }
  }
  return PL_OK;
}

/* Z_i = U^H Y_i V for one matrix. */
static void rotate(barrier *p, int d, bool z, const double *x, int64_t stride) {
  const double one[2] = {1, 0}, zero[2] = {0, 0};
  int64_t size = (int64_t)d * d * (z ? 2 : 1);
  for (int64_t i = 0; i < p->n; i++, x += stride) {
    double *out = p->Z + i * size, y = p->y[i];
    if (z) {
      cblas_zgemm(CblasRowMajor, CblasConjTrans, CblasNoTrans, d, d, d, one, p->U, d, x, d, zero,
                  p->half, d);
      cblas_zgemm(CblasRowMajor, CblasNoTrans, CblasConjTrans, d, d, d, (double[]){y, 0}, p->half,
                  d, p->Vh, d, zero, out, d);
    } else {
      cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, d, d, d, 1, p->U, d, x, d, 0, p->half,
                  d);
      cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, d, d, d, y, p->half, d, p->Vh, d, 0, out,
                  d);
    }
  }
}

/* Slope and Hessian of - log det(1 - M M^H) for one matrix.  With q = 1/(1 - s^2), k = s q:
 *   slope_i   = 2 Re sum_j k_j Z_i,jj
 *   hessian_ij = 2 Re sum_rc (q_r q_c conj(Z_j,rc) Z_i,rc + k_r k_c Z_j,rc Z_i,cr),
 * a product of n x d^2 matrices once the factors are spread over copies of Z. */
static void add_matrix(barrier *p, int d, bool z) {
  for (int r = 0; r < d; r++) p->nuclear += p->sigma[r] / (1 - p->sigma[r] * p->sigma[r]);
  int parts = z ? 2 : 1, n = pl_int(p->n);
  int64_t size = (int64_t)d * d * parts;
  for (int64_t i = 0; i < n; i++)
    for (int r = 0; r < d; r++) {
      double qr = 1 / (1 - p->sigma[r] * p->sigma[r]), kr = p->sigma[r] * qr;
      p->slope[i] += 2 * kr * p->Z[i * size + ((int64_t)r * d + r) * parts];
      for (int c = 0; c < d; c++) {
        double qc = 1 / (1 - p->sigma[c] * p->sigma[c]), kc = p->sigma[c] * qc;
        int64_t rc = i * size + ((int64_t)r * d + c) * parts;
        int64_t cr = i * size + ((int64_t)c * d + r) * parts;
        /* Re(Z_j,rc Z_i,cr) is a product of reals with the second imaginary part negated. */
        p->left[rc] = 2 * (qr * qc * p->Z[rc] + kr * kc * p->Z[cr]);
        if (z) p->left[rc + 1] = 2 * (qr * qc * p->Z[rc + 1] - kr * kc * p->Z[cr + 1]);
      }
    }
  cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, n, n, pl_int(size), 1, p->left, pl_int(size),
              p->Z, pl_int(size), 1, p->hessian, n);
}

/* B = M (1 - M^H M)^-1 = U k V^H. */
static void set_beta(barrier *p, int d, bool z, double *beta) {
  const double one[2] = {1, 0}, zero[2] = {0, 0};
  int parts = z ? 2 : 1;
  for (int r = 0; r < d; r++) {
    double k = p->sigma[r] / (1 - p->sigma[r] * p->sigma[r]);
    for (int c = 0; c < d * parts; c++)
      p->half[(int64_t)r * d * parts + c] = k * p->Vh[(int64_t)r * d * parts + c];
  }
  if (z)
    cblas_zgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, d, d, d, one, p->U, d, p->half, d, zero,
                beta, d);
  else
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, d, d, d, 1, p->U, d, p->half, d, 0, beta,
                d);
}

/* Slope and Hessian of the barrier at p->a, and B. */
static pl_status derivatives(barrier *p) {
  memset(p->slope, 0, (size_t)p->n * sizeof *p->slope);
  p->nuclear = 0;
  memset(p->hessian, 0, (size_t)(p->n * p->n) * sizeof *p->hessian);
  for (int i = 0; i < p->num; i++) {
    const barrier_block *b = &p->blocks[i];
    bool z = b->is_complex;
    combine(p, b, p->a);
    for (int64_t k = 0; k < b->count; k++) {
      int64_t at = k * matrix_size(b);
      PL_TRY(pl_usv_apply(p->usv, b->dim, z, p->M + at, p->U, p->sigma, p->Vh));
      rotate(p, b->dim, z, b->x + at, b->stride);
      add_matrix(p, b->dim, z);
      if (p->beta) set_beta(p, b->dim, z, p->beta + p->offset[i] + at);
    }
  }
  return PL_OK;
}

/* Newton's direction of barrier - sum a / weight is linear in 1 / weight: the parts of it.  In
 * units of a the logarithms contribute the unit matrix, so that no a_i is lost in rounding. */
static pl_status newton(barrier *p) {
  int64_t n = p->n;
  int order = pl_int(n), two = 2, info;
  for (int64_t i = 0; i < n; i++) {
    for (int64_t j = 0; j < n; j++) p->hessian[i * n + j] *= p->a[i] * p->a[j];
    p->hessian[i * n + i] += 1;
    p->down[i] = 1 / p->a[i] - p->slope[i];
    p->parts[i] = p->a[i] * p->down[i];
    p->parts[n + i] = p->a[i] * p->c[i];
  }
  dposv_("L", &order, &two, p->hessian, &order, p->parts, &order, &info, 1);
  return info ? pl_error(PL_NUMERIC, "barrier: the Hessian is singular") : PL_OK;
}

/* The direction for a weight; returns Newton's decrement. */
static double direct(barrier *p, double weight) {
  double square = 0;
  for (int64_t i = 0; i < p->n; i++) {
    p->step[i] = p->a[i] * (p->parts[i] + p->parts[p->n + i] / weight);
    square += (p->down[i] + p->c[i] / weight) * p->step[i];
  }
  return sqrt(fmax(0, square));
}

/* Move along the step as far as stays inside and lowers the objective. */
static pl_status search(barrier *p, double weight, double decrement, point *at) {
  double t = 1, before = at->barrier - at->sum / weight;
  for (int64_t i = 0; i < p->n; i++)
    if (p->step[i] < 0) t = fmin(t, -0.95 * p->a[i] / p->step[i]);
  for (int k = 0; k < HALVINGS; k++, t /= 2) {
    point next;
    for (int64_t i = 0; i < p->n; i++) p->trial[i] = p->a[i] + t * p->step[i];
    PL_TRY(look(p, p->trial, &next));
    double fall = before - (next.barrier - next.sum / weight);
    /* Close to the centre the fall drowns in rounding, and a full step is safe. */
    bool near = decrement < 0.1 && isfinite(next.barrier);
    if (!near && !(fall >= 0.1 * t * decrement * decrement)) continue;
    memcpy(p->a, p->trial, (size_t)p->n * sizeof *p->a);
    *at = next;
    return PL_OK;
  }
  return pl_error(PL_NUMERIC, "barrier: no step lowers the barrier");
}

/* Re tr(B^H Y_i) / ||B||_* for B = (1 - M M^H)^-1 M, ||B||_* being the sum of s / (1 - s^2). */
static double margin(double product, double c, double nuclear) {
  /* What is within rounding of zero is not on the right side. */
  double scaled = product / nuclear;
  return scaled > ROUNDING ? scaled / c : fmin(scaled, 0) / c;
}

/* The margin and the bound that p->a has.  Slopes of the barrier without its logarithms are twice
 * the products. */
static void note(barrier *p, const point *at, pl_optimum *out) {
  double least = INFINITY;
  for (int64_t i = 0; i < p->n; i++)
    least = fmin(least, margin(p->slope[i] / 2, p->c[i], p->nuclear));
  if (p->beta && (least > out->margin || !p->best_nuclear)) {
    memcpy(p->best, p->beta, (size_t)p->doubles * sizeof *p->best);
    p->best_nuclear = p->nuclear;
  }
  out->margin = fmax(out->margin, least);
  out->bound = fmin(out->bound, at->top / at->sum);
}

const double *barrier_best(const barrier *p, int block) {
  return p->best_nuclear > 0 ? p->best + p->offset[block] : NULL;
}

double barrier_margin(const barrier *p, double product, double c) {
  return margin(product, c, p->best_nuclear);
}

pl_status barrier_solve(barrier *p, double gap, int most, pl_optimum *out) {
  point at;
  *out = (pl_optimum){.bound = INFINITY};
  for (int64_t i = 0; i < p->n; i++) p->a[i] = 1;
  PL_TRY(look(p, p->a, &at));
  /* Start halfway to the border; samples that cancel exactly have none. */
  double start = at.top > 0 ? 0.5 / at.top : 1;
  for (int64_t i = 0; i < p->n; i++) p->a[i] = start;
  PL_TRY(look(p, p->a, &at));
  double weight = at.sum, decrement;
  for (out->iterations = 0; out->iterations < most; out->iterations++) {
    PL_TRY(derivatives(p));
    note(p, &at, out);
    if (out->margin > 0 && out->bound - out->margin <= gap * out->bound) return PL_OK;
    /* A positive margin proves the data separable, a vanishing sum that they are not. */
    out->inseparable = out->margin <= 0 && at.top <= PL_OPTIMUM_ZERO * at.plain;
    if (out->inseparable) return PL_OK;
    PL_TRY(newton(p));
    decrement = direct(p, weight);
    /* At the centre the gap is at most (n + sum d) weight / sum a: go no further than needed. */
    double last = 0.5 * gap * at.sum / ((double)p->n + p->dims);
    while (decrement < CENTRED && weight > last) {
      weight = fmax(SHRINK * weight, last);
      decrement = direct(p, weight);
    }
    PL_TRY(search(p, weight, decrement, &at));
  }
  return pl_error(PL_NUMERIC, "relative gap %.1e after %d steps", 1 - out->margin / out->bound,
                  most);
}

const double *barrier_point(const barrier *p) {
  return p->a;
}

/* ---- life ---- */

barrier *barrier_new(int64_t n, const double *y, const double *c, int num,
                     const barrier_block *blocks, bool keep) {
  static const char what[] = "the barrier problem";
  barrier *p = pl_zalloc(1, sizeof *p, what);
  *p = (barrier){.n = n, .y = y, .c = c, .num = num};
  p->blocks = pl_alloc((size_t)num, sizeof *p->blocks, what);
  memcpy(p->blocks, blocks, (size_t)num * sizeof *blocks);
  p->offset = pl_alloc((size_t)num, sizeof *p->offset, what);
  int64_t matrix = 1, block = 1;
  int dim = 0;
  bool z = false;
  for (int i = 0; i < num; i++) {
    const barrier_block *b = &blocks[i];
    int64_t size = matrix_size(b);
    if (size > matrix) matrix = size;
    if (b->count * size > block) block = b->count * size;
    if (b->dim > dim) dim = b->dim;
    z = z || b->is_complex;
    p->dims += (double)b->count * b->dim;
    p->offset[i] = p->doubles;
    p->doubles += b->count * size;
  }
  struct {
    double **array;
    int64_t size;
  } arrays[] = {{&p->a, n},           {&p->trial, n},         {&p->slope, n},     {&p->down, n},
                {&p->hessian, n * n}, {&p->parts, 2 * n},     {&p->step, n},      {&p->signed_a, n},
                {&p->M, block},       {&p->U, matrix},        {&p->Vh, matrix},   {&p->sigma, dim},
                {&p->half, matrix},   {&p->left, n * matrix}, {&p->Z, n * matrix}};
  for (size_t k = 0; k < sizeof arrays / sizeof *arrays; k++)
    *arrays[k].array = pl_alloc((size_t)arrays[k].size, sizeof(double), what);
  if (keep) {
    p->beta = pl_alloc((size_t)p->doubles, sizeof *p->beta, what);
    p->best = pl_alloc((size_t)p->doubles, sizeof *p->best, what);
  }
  p->usv = pl_usv_new(dim, z);
  p->svd = pl_svd_new(dim, z, NULL);
  return p;
}

void barrier_free(barrier *p) {
  if (!p) return;
  double *arrays[] = {p->a,       p->trial, p->step, p->signed_a, p->slope, p->down,
                      p->hessian, p->parts, p->M,    p->U,        p->Vh,    p->sigma,
                      p->half,    p->Z,     p->left, p->beta,     p->best};
  for (size_t k = 0; k < sizeof arrays / sizeof *arrays; k++) pl_free(arrays[k]);
  pl_free(p->offset);
  pl_free(p->blocks);
  pl_usv_free(p->usv);
  pl_svd_free(p->svd);
  pl_free(p);
}
