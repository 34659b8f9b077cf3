/* The bound on the flow of linear graph networks (Xu et al., theorems 1 and 2):
 *     L_T - L* <= (L_0 - L*) exp(-4 lambda_T sigma^2 T). */
#include "gnn.h"

#include "base/blas.h"
#include "base/mem.h"
#include "base/norm.h"
#include "linalg/rect.h"
#include "model/regularizer.h"

#include <float.h>
#include <math.h>
#include <string.h>

bool gnn_has_bound(const pl_spec *spec) {
  const gnn_values *v = gnn_values_of(spec);
  return v->activation == ACTIVATION_NONE && v->loss == LOSS_SQUARE && !pl_regularised(spec);
}

bool gnn_bounded(const pl_spec *spec) {
  enum { FEATURES = 256 };
  const gnn_values *v = gnn_values_of(spec);
  if (!gnn_has_bound(spec)) return false;
  if (v->record_bound != PL_UNSET) return v->record_bound == 1;
  int64_t features = 0, outputs;
  return !graph_widths(spec, &features, &outputs) && features <= FEATURES;
}

/* ---- G ---- */

static double *dense_features(const graph_nodes *d) {
  double *x = pl_alloc((size_t)(d->nodes * d->features), sizeof *x, "features");
  if (d->sparse)
    pl_csr_dense(d->sparse, x);
  else
    memcpy(x, d->dense, (size_t)(d->nodes * d->features) * sizeof *x);
  return x;
}

/* The labelled rows of S^l X into columns from `at` on of G, `wide` columns. */
static void put_rows(const graph_nodes *d, const double *x, double *g, int64_t wide, int64_t at) {
  int64_t m = d->features;
  for (int64_t i = 0; i < d->count[PL_TRAIN]; i++)
    memcpy(g + i * wide + at, x + d->member[PL_TRAIN][i] * m, (size_t)m * sizeof *g);
}

/* [labelled][*wide]; the caller frees it. */
static double *make_g(const gnn_values *v, const graph_nodes *d, int64_t *wide) {
  int64_t m = d->features, scales = gnn_scales(v);
  *wide = m * scales;
  double *g = pl_alloc((size_t)(d->count[PL_TRAIN] * *wide), sizeof *g, "features of a bound");
  double *x = dense_features(d), *y = pl_alloc((size_t)(d->nodes * m), sizeof *y, "features");
  for (int64_t l = 0; l <= v->depth; l++) {
    int64_t scale = scales > 1 ? l : 0;
    if (scales > 1 || l == v->depth) put_rows(d, x, g, *wide, scale * m);
    pl_csr_times(d->op, m, 1, x, m, 0, NULL, 0, y, m);
    double *next = y;
    y = x;
    x = next;
  }
  pl_free(x);
  pl_free(y);
  return g;
}

/* ---- its singular values, and least squares ---- */

/* sigma, and the left singular vectors of G as ut[k][rows].  Row-major G is LAPACK's transpose. */
static int decompose(int rows, int cols, double *g, double *sigma, double *v, double *ut) {
  int least = rows < cols ? rows : cols, info, lwork = -1;
  double best, *work;
  int *iwork = pl_alloc(8 * (size_t)least, sizeof *iwork, "workspace of a bound");
  /* LAPACK's right vectors, transposed, are stored with k fastest: [rows][least]. */
  dgesdd_("S", &cols, &rows, g, &cols, sigma, v, &cols, ut, &least, &best, &lwork, iwork, &info, 1);
  lwork = pl_int((int64_t)best);
  work = pl_alloc((size_t)lwork, sizeof *work, "workspace of a bound");
  dgesdd_("S", &cols, &rows, g, &cols, sigma, v, &cols, ut, &least, work, &lwork, iwork, &info, 1);
  pl_free(work);
  pl_free(iwork);
  return info;
}

/* ||Y||^2 - sum over the rank's left vectors u of <u, y>^2 would lose digits: the residual itself.
 */
static double residual2(const graph_nodes *d, int64_t rank, int64_t least, const double *u) {
  int64_t n = d->count[PL_TRAIN];
  double *r = pl_alloc((size_t)n, sizeof *r, "residual of least squares"), sum = 0;
  for (int64_t c = 0; c < d->outputs; c++) {
    for (int64_t i = 0; i < n; i++) r[i] = d->target[d->member[PL_TRAIN][i] * d->outputs + c];
    for (int64_t k = 0; k < rank; k++) {
      double part = 0;
      for (int64_t i = 0; i < n; i++) part += u[i * least + k] * r[i];
      for (int64_t i = 0; i < n; i++) r[i] -= part * u[i * least + k];
    }
    sum += pl_sum_squares(n, r);
  }
  pl_free(r);
  return sum;
}

pl_status gnn_bound_init(gnn_bound *b, const pl_spec *spec, const graph_nodes *d) {
  int64_t rows = d->count[PL_TRAIN], wide;
  double *g = make_g(gnn_values_of(spec), d, &wide);
  int64_t least = rows < wide ? rows : wide, rank = 0;
  double *sigma = pl_alloc((size_t)least, sizeof *sigma, "singular values");
  double *v = pl_alloc((size_t)(wide * least), sizeof *v, "singular vectors");
  double *u = pl_alloc((size_t)(rows * least), sizeof *u, "singular vectors");
  int info = decompose(pl_int(rows), pl_int(wide), g, sigma, v, u);
  double tiny = (double)(rows > wide ? rows : wide) * DBL_EPSILON * sigma[0];
  while (!info && rank < least && sigma[rank] > tiny) rank++;
  *b = (gnn_bound){.sigma2_min = sigma[least - 1] * sigma[least - 1],
                   .sigma2_nonzero = rank ? sigma[rank - 1] * sigma[rank - 1] : 0,
                   .optimum = info ? NAN : residual2(d, rank, least, u)};
  pl_free(g);
  pl_free(sigma);
  pl_free(v);
  pl_free(u);
  return info ? pl_error(PL_NUMERIC, "singular values of the features: no convergence") : PL_OK;
}

/* ---- lambda ---- */

/* lambda_min(P P^T), P: [m][width]: 0 if it has fewer columns than rows. */
static double least_eigenvalue(pl_rect *w, int64_t m, int64_t width, const double *p,
                               double *sigma) {
  if (width < m || pl_rect_singular_values(w, m, width, p, sigma)) return width < m ? 0 : NAN;
  return sigma[m - 1] * sigma[m - 1];
}

double gnn_lambda(const pl_net *net) {
  const gnn_values *v = gnn_values_of(&net->spec);
  const pl_net_weight *first = &net->weight[gnn_layer_weight(1)];
  int64_t m = first->rows, width = first->cols;
  size_t size = (size_t)(m * width);
  double least = v->form == FORM_MULTISCALE ? 1 : INFINITY; /* scale 0 has no layers */
  double *p = pl_alloc(size, sizeof *p, "products of layers"), *q = pl_alloc(size, sizeof *q, "..");
  double *sigma = pl_alloc((size_t)m, sizeof *sigma, "singular values");
  pl_rect *w = pl_rect_new(m, width);
  memcpy(p, net->w + net->start[gnn_layer_weight(1)], size * sizeof *p);
  for (int64_t l = 1; l <= v->depth; l++) {
    if (l > 1) {
      pl_gemm(false, false, m, width, width, p, net->w + net->start[gnn_layer_weight(l)], q, false);
      memcpy(p, q, size * sizeof *p);
    }
    if (v->form == FORM_MULTISCALE || l == v->depth)
      least = fmin(least, least_eigenvalue(w, m, width, p, sigma));
  }
  pl_rect_free(w);
  pl_free(p);
  pl_free(q);
  pl_free(sigma);
  return least;
}
