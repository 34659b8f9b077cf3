#include "gcnn_kkt.h"

#include "base/blas.h"
#include "base/mem.h"
#include "base/pause.h"
#include "functional.h"
#include "linalg/nnls.h"
#include "linalg/svd.h"
#include "linalg/usv.h"

#include <math.h>
#include <string.h>

/* Samples that may support the solution: margins up to this many times the smallest. */
static const double ACTIVE = 1.01;

/* The samples with the smallest margins. */
typedef struct active {
  int64_t n;
  int64_t *sample;
  double *K, *h, *a; /* Gram matrix of the gradients, <w, gradient>, multipliers */
} active;

static void find_active(const gcnn *m, double least, active *s) {
  int64_t n = m->net.train->num;
  s->n = 0;
  s->sample = pl_alloc((size_t)n, sizeof *s->sample, "active samples");
  for (int64_t i = 0; i < n; i++)
    if (m->net.margin[i] <= ACTIVE * least) s->sample[s->n++] = i;
  s->K = pl_zalloc((size_t)(s->n * s->n), sizeof *s->K, "Gram matrix");
  s->h = pl_alloc((size_t)s->n, sizeof *s->h, "multipliers");
  s->a = pl_alloc((size_t)n, sizeof *s->a, "multipliers");
}

/* K_ij += weight <G_i, G_j> over this rank's part of a stack. */
static void add_gram(const active *s, const pl_stack *b, const double *G, int64_t stride) {
  for (int64_t i = 0; i < s->n; i++)
    pl_multi_dot(s->n, pl_stack_doubles(b), b->weight, G, stride, G + i * stride, s->K + i * s->n);
}

/* The stack's part of the Gram matrix of the gradients of y_i f(x_i) by the filters of path k:
 * layer by layer from the last, G_i = T_i P_l^H with T_i = S_l^H y_i X_i. */
static void stack_gram(gcnn *m, int k, const pl_stack *b, const active *s, double *T, double *G) {
  int64_t n = pl_stack_doubles(b), stride = pl_data_stride(b);
  for (int64_t i = 0; i < s->n; i++) {
    double *x = T + i * stride, y = m->net.train->y[s->sample[i]];
    pl_samples_get(m->net.train, b, s->sample[i], x);
    for (int64_t q = 0; q < n; q++) x[q] *= y;
  }
  for (int l = m->depth; l > 1; l--) {
    const double *P = gcnn_prefix(m, l, k, b);
    for (int64_t i = 0; i < s->n; i++) pl_stack_mul(b, PL_NC, T + i * stride, P, G + i * stride);
    add_gram(s, b, G, stride);
    for (int64_t i = 0; i < s->n; i++) {
      pl_stack_mul(b, PL_CN, gcnn_weight(m, l, k, b), T + i * stride, m->net.scratch[0]);
      memcpy(T + i * stride, m->net.scratch[0], (size_t)n * sizeof *T);
    }
  }
  add_gram(s, b, T, stride);
}

static void gram(gcnn *m, const active *s) {
  const pl_layout *l = m->net.layout;
  int64_t stride = (l->scratch + 7) / 8 * 8;
  double *T = pl_alloc((size_t)(s->n * stride), sizeof *T, "gradients of samples");
  double *G = pl_alloc((size_t)(s->n * stride), sizeof *G, "gradients of samples");
  for (int i = 0; i < l->num_stacks; i++)
    for (int k = 0; k < m->channels && l->stacks[i].here; k++)
      if (l->stacks[i].grid >= 0 || !pl_pause()) stack_gram(m, k, &l->stacks[i], s, T, G);
  pl_comm_sum(&l->team, s->K, s->n * s->n);
  pl_free(T);
  pl_free(G);
}

/* ---- stationarity of beta itself ---- */

typedef struct stationarity {
  pl_usv *svd;
  pl_svd *values;
  double *B, *M, *left, *right, *Z, *sigma; /* a matrix each */
  double p, floor;               /* singular values above floor make the numerical rank */
  double square, product, norm2; /* ||A||^2, <A, S^(p/2)>, ||S^(p/2)||^2 */
  double outside;                /* largest singular value of M on the complement */
} stationarity;

/* C <- alpha op(A) op(B) + beta C, row-major. */
static void gemm(bool z, CBLAS_TRANSPOSE ta, CBLAS_TRANSPOSE tb, int m, int n, int k, double alpha,
                 const double *a, int lda, const double *b, int ldb, double beta, double *c,
                 int ldc) {
  if (z)
    cblas_zgemm(CblasRowMajor, ta, tb, m, n, k, (double[]){alpha, 0}, a, lda, b, ldb,
                (double[]){beta, 0}, c, ldc);
  else
    cblas_dgemm(CblasRowMajor, ta == CblasNoTrans ? ta : CblasTrans,
                tb == CblasNoTrans ? tb : CblasTrans, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}

/* The part of M on the numerical row and column spaces, U^H M V: r x r. */
static void inside(stationarity *s, int d, int r, bool z, double weight) {
  int parts = z ? 2 : 1;
  double q = 0.5 - s->p / 4;
  gemm(z, CblasNoTrans, CblasNoTrans, r, d, d, 1, s->left, d, s->M, d, 0, s->B, d);
  gemm(z, CblasNoTrans, CblasConjTrans, r, r, d, 1, s->B, d, s->right, d, 0, s->Z, r);
  for (int j = 0; j < r; j++) {
    double right = pow(s->sigma[j], q), target = pow(s->sigma[j], s->p / 2);
    for (int i = 0; i < r; i++) {
      const double *entry = s->Z + ((int64_t)i * r + j) * parts;
      double left = pow(s->sigma[i], q) * right;
      for (int c = 0; c < parts; c++) s->square += weight * left * left * entry[c] * entry[c];
      if (i == j) s->product += weight * left * entry[0] * target;
    }
    s->norm2 += weight * target * target;
  }
}

/* One irrep: B and M whole. */
static pl_status add_irrep(stationarity *s, int d, bool z, double weight) {
  int r;
  PL_TRY(pl_usv_leading(s->svd, d, z, s->B, s->floor, &r, s->sigma, s->left, s->right));
  if (r > 0) inside(s, d, r, z, weight);
  if (r == d) return PL_OK;
  if (r > 0) {
    /* M <- (1 - U U^H) M (1 - V V^H); B holds U^H M. */
    gemm(z, CblasConjTrans, CblasNoTrans, d, d, r, -1, s->left, d, s->B, d, 1, s->M, d);
    gemm(z, CblasNoTrans, CblasConjTrans, d, r, d, 1, s->M, d, s->right, d, 0, s->B, r);
    gemm(z, CblasNoTrans, CblasNoTrans, d, d, r, -1, s->B, r, s->right, d, 1, s->M, d);
  }
  PL_TRY(z ? pl_svd_complex(s->values, d, s->M, s->sigma)
           : pl_svd_real(s->values, d, s->M, s->sigma));
  s->outside = fmax(s->outside, s->sigma[0]);
  return PL_OK;
}

static pl_status add_stack(gcnn *m, const pl_stack *b, stationarity *s) {
  pl_status worst = PL_OK;
  if (b->grid < 0 && pl_pause()) return PL_OK;
  const double *B = fourier_beta(&m->net, b);
  double *M = m->net.scratch[1];
  pl_samples_sum(m->net.train, b, m->net.coefficient, M);
  if (b->grid >= 0) {
    pl_dmat_gather(&b->mat, B, s->B);
    pl_dmat_gather(&b->mat, M, s->M);
    return b->owner == m->net.layout->team.rank ? add_irrep(s, b->dim, false, b->weight) : PL_OK;
  }
  for (int64_t k = 0; k < b->count; k++) {
    memcpy(s->B, B + k * b->size, (size_t)b->size * sizeof *s->B);
    memcpy(s->M, M + k * b->size, (size_t)b->size * sizeof *s->M);
    pl_status st = add_irrep(s, b->dim, pl_stack_complex(b), b->weight);
    if (st) worst = st;
  }
  return worst;
}

/* M = sum_i a_i y_i X_i against the gradient of S_p^p at beta. */
static pl_status beta_stationarity(gcnn *m, const active *act, int shift, gcnn_kkt *out) {
  const pl_layout *l = m->net.layout;
  int64_t n = m->net.train->num, irreps = pl_group_num_irreps(m->net.group);
  memset(m->net.coefficient, 0, (size_t)n * sizeof *m->net.coefficient);
  for (int64_t i = 0; i < act->n; i++) {
    int64_t k = act->sample[i];
    m->net.coefficient[k] = act->a[i] * m->net.train->y[k];
  }
  stationarity s = {.p = 2.0 / m->depth};
  for (int64_t i = 0; l->team.rank == 0 && i < irreps; i++)
    s.floor = fmax(s.floor, PL_RANK * m->net.sigma[m->net.sv_start[i]]);
  pl_comm_bcast(&l->team, &s.floor, sizeof s.floor, 0);
  /* beta made stack by stack is that of the scaled filters. */
  if (!m->net.beta) s.floor = ldexp(s.floor, shift * m->depth);
  int dim = 0;
  for (int i = 0; i < l->num_stacks; i++)
    if (l->stacks[i].owner == l->team.rank && l->stacks[i].dim > dim) dim = l->stacks[i].dim;
  size_t size = (size_t)dim * (size_t)dim * (l->any_complex ? 2 : 1);
  double **matrices[] = {&s.B, &s.M, &s.left, &s.right, &s.Z};
  enum { MATRICES = sizeof matrices / sizeof *matrices };
  for (int k = 0; k < MATRICES; k++) *matrices[k] = pl_alloc(size, sizeof(double), "stationarity");
  s.sigma = pl_alloc((size_t)dim, sizeof(double), "stationarity");
  s.svd = pl_usv_leading_new(dim, l->any_complex);
  s.values = pl_svd_new(dim, l->any_complex, NULL);

  pl_status worst = PL_OK;
  for (int i = 0; i < l->num_stacks; i++) {
    pl_status st = l->stacks[i].here ? add_stack(m, &l->stacks[i], &s) : PL_OK;
    if (st) worst = st;
  }
  double sums[] = {s.square, s.product, s.norm2};
  pl_comm_sum(&l->team, sums, 3);
  pl_comm_max(&l->team, &s.outside, 1);
  double c = sums[1] / sums[2];
  if (c > 0) {
    out->stationarity = sqrt(fmax(0, sums[0] - c * c * sums[2])) / (c * sqrt(sums[2]));
    if (m->depth == 2) out->excess = fmax(0, s.outside / c - 1);
  }
  for (int k = 0; k < MATRICES; k++) pl_free(*matrices[k]);
  pl_free(s.sigma);
  pl_usv_free(s.svd);
  pl_svd_free(s.values);
  return pl_agree(&l->team, worst);
}

/* ---- filters of any size ---- */

/* The conditions are those of 2^shift w, multipliers but for a factor: 0 where margins and squares
 * of gradients are in range as they are. */
static int shift_of(const gcnn *m, double least) {
  if (pl_sum_safe(least * least)) return 0;
  double norm = 0;
  for (int k = 0; k < m->depth; k++)
    norm = fmax(norm, pl_spectrum_norm(m->net.layout, m->net.w[k]));
  return pl_functional_shift(norm);
}

static void scale_filters(gcnn *m, int shift) {
  if (shift == 0) return;
  for (int k = 0; k < m->depth; k++)
    for (int64_t q = 0; q < m->net.layout->local; q++)
      m->net.w[k][q] = ldexp(m->net.w[k][q], shift);
  fourier_refresh(&m->net.base, 0);
}

static double least_margin(const gcnn *m) {
  double least = INFINITY;
  for (int64_t i = 0; i < m->net.train->num; i++) least = fmin(least, m->net.margin[i]);
  return least;
}

static pl_status observe(gcnn *m, double parameter_norm, int shift, double *multipliers,
                         gcnn_kkt *out) {
  double least = least_margin(m), norm2 = parameter_norm * parameter_norm;
  active s;
  find_active(m, least, &s);
  gram(m, &s);
  /* y_i f(x_i) is homogeneous of degree L in w. */
  for (int64_t i = 0; i < s.n; i++) s.h[i] = m->depth * m->net.margin[s.sample[i]];
  if (m->net.layout->team.rank == 0) pl_nnls(s.n, s.K, s.h, s.a);
  pl_comm_bcast(&m->net.layout->team, s.a, (size_t)s.n * sizeof *s.a, 0);
  double square = norm2, sum = 0, slack = 0;
  for (int64_t i = 0; i < s.n; i++) {
    double Ka = 0;
    for (int64_t j = 0; j < s.n; j++) Ka += s.K[i * s.n + j] * s.a[j];
    square += s.a[i] * (Ka - 2 * s.h[i]);
    multipliers[s.sample[i]] = ldexp(s.a[i], shift * (m->depth - 2));
    sum += s.a[i];
    slack += s.a[i] * (m->net.margin[s.sample[i]] / least - 1);
  }
  out->residual = sqrt(fmax(0, square) / norm2);
  out->slack = slack / sum;
  pl_status st = beta_stationarity(m, &s, shift, out);
  pl_free(s.sample);
  pl_free(s.K);
  pl_free(s.h);
  pl_free(s.a);
  return st;
}

pl_status gcnn_kkt_observe(gcnn *m, double parameter_norm, double *multipliers, gcnn_kkt *out) {
  memset(multipliers, 0, (size_t)m->net.train->num * sizeof *multipliers);
  *out = (gcnn_kkt){NAN, NAN, NAN, NAN};
  double least = least_margin(m);
  if (!(least > 0)) return PL_OK;
  int shift = shift_of(m, least);
  scale_filters(m, shift);
  pl_status st = observe(m, ldexp(parameter_norm, shift), shift, multipliers, out);
  scale_filters(m, -shift);
  return st;
}
