#include "propagate.h"

#include "base/blas.h"
#include "base/mem.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* ---- closed forms ---- */

/* Lower factor of I - ratio S, row-major: LAPACK's upper one. */
static pl_status factorise(graph_map *m) {
  int64_t n = m->s->rows;
  int size = pl_int(n), info;
  m->factor = pl_alloc((size_t)n * (size_t)n, sizeof *m->factor, "a dense closed form");
  pl_csr_dense(m->s, m->factor);
  for (int64_t k = 0; k < n * n; k++) m->factor[k] *= -m->rule.ratio;
  for (int64_t i = 0; i < n; i++) m->factor[i * (n + 1)] += 1;
  dpotrf_("U", &size, m->factor, &size, &info, 1);
  return info ? pl_error(PL_NUMERIC, "the closed form's matrix is not positive definite") : PL_OK;
}

/* z <- (I - ratio S)^-1 z. */
static void solve_dense(const graph_map *m, int64_t cols, double *z) {
  int n = pl_int(m->s->rows), c = pl_int(cols);
  for (int turn = 0; turn < 2; turn++)
    cblas_dtrsm(CblasRowMajor, CblasLeft, CblasLower, turn ? CblasTrans : CblasNoTrans,
                CblasNonUnit, n, c, 1, m->factor, n, z, c);
}

static double dot(int64_t n, int64_t stride, const double *a, const double *b) {
  double sum = 0;
  for (int64_t i = 0; i < n; i++) sum += a[i * stride] * b[i * stride];
  return sum;
}

/* Column c of conjugate gradients, A p being known.  Returns false once it is solved. */
static bool advance(int64_t n, int64_t cols, int64_t c, double *z, double *r, double *p,
                    const double *ap, double *rr, double goal) {
  if (*rr <= goal) return false;
  double step = *rr / dot(n, cols, p + c, ap + c), now;
  for (int64_t i = c; i < n * cols; i += cols) {
    z[i] += step * p[i];
    r[i] -= step * ap[i];
  }
  now = dot(n, cols, r + c, r + c);
  for (int64_t i = c; i < n * cols; i += cols) p[i] = r[i] + now / *rr * p[i];
  *rr = now;
  return now > goal;
}

/* z <- (I - ratio S)^-1 z; work: [3][n][cols] and 2 cols numbers. */
static void solve_sparse(const graph_map *m, int64_t cols, double *z, double *work) {
  enum { MOST = 10000 };
  int64_t n = m->s->rows;
  size_t bytes = (size_t)(n * cols) * sizeof(double);
  double *r = work, *p = r + n * cols, *ap = p + n * cols, *rr = ap + n * cols, *goal = rr + cols;
  memcpy(r, z, bytes);
  memcpy(p, z, bytes);
  memset(z, 0, bytes);
  for (int64_t c = 0; c < cols; c++) {
    rr[c] = dot(n, cols, r + c, r + c);
    goal[c] = rr[c] * 1e-30;
  }
  bool going = true;
  for (int k = 0; going && k < MOST; k++) {
    going = false;
    pl_csr_times(m->s, cols, -m->rule.ratio, p, cols, 1, p, cols, ap, cols);
    for (int64_t c = 0; c < cols; c++)
      if (advance(n, cols, c, z, r, p, ap, &rr[c], goal[c])) going = true;
  }
}

/* ---- one rank's columns ---- */

/* cols columns of x, ldx apart, into y, cols apart. */
static void own(const graph_map *m, const pl_csr *s, int64_t cols, const double *x, int64_t ldx,
                double *y) {
  const graph_rule *r = &m->rule;
  int64_t n = s->rows, room = n * m->most;
  double *z0 = m->work, *turn[2] = {z0 + room, z0 + 2 * room};
  if (r->second != 0)
    pl_csr_times(s, cols, r->second, x, ldx, r->first, x, ldx, z0, cols);
  else
    for (int64_t i = 0; i < n; i++)
      for (int64_t c = 0; c < cols; c++) z0[i * cols + c] = r->first * x[i * ldx + c];
  if (r->closed) {
    for (int64_t k = 0; k < n * cols; k++) y[k] = r->keep * z0[k];
    if (m->factor)
      solve_dense(m, cols, y);
    else
      solve_sparse(m, cols, y, z0);
    return;
  }
  const double *from = z0;
  for (int64_t k = 0; k < r->depth; k++) {
    double *to = k == r->depth - 1 ? y : turn[k % 2];
    pl_csr_times(s, cols, r->ratio, from, cols, r->keep, r->keep != 0 ? z0 : NULL, cols, to, cols);
    from = to;
  }
  if (!r->depth) memcpy(y, z0, (size_t)(n * cols) * sizeof *y);
}

void graph_map_apply(const graph_map *m, bool transposed, int64_t cols, const double *x, double *y,
                     bool add) {
  const pl_csr *s = transposed ? m->s_t : m->s;
  int64_t n = s->rows, ranks = m->team ? m->team->size : 1, rank = m->team ? m->team->rank : 0;
  int64_t first = cols * rank / ranks, count = cols * (rank + 1) / ranks - first;
  pl_require(cols <= m->most);
  double *mine = m->work + 4 * n * m->most, *all = m->work + 3 * n * m->most;
  if (ranks == 1) {
    double *to = add ? mine : y;
    own(m, s, cols, x, cols, to);
    for (int64_t k = 0; add && k < n * cols; k++) y[k] += to[k];
    return;
  }
  if (count) own(m, s, count, x + first, cols, mine);
  double *to = add ? all : y;
  memset(to, 0, (size_t)(n * cols) * sizeof *to);
  for (int64_t i = 0; i < n; i++)
    for (int64_t c = 0; c < count; c++) to[i * cols + first + c] = mine[i * count + c];
  pl_comm_sum(m->team, to, n * cols);
  for (int64_t k = 0; add && k < n * cols; k++) y[k] += to[k];
}

/* ---- life ---- */

pl_status graph_map_init(graph_map *m, const graph_rule *rule, const pl_csr *s, const pl_csr *s_t,
                         const pl_comm *team, int64_t most) {
  *m = (graph_map){.rule = *rule, .s = s, .s_t = s_t, .team = team, .most = most};
  m->work = pl_alloc((size_t)(5 * s->rows * most + 2 * most), sizeof *m->work, "propagation");
  return rule->closed && s->rows <= GRAPH_DENSE ? factorise(m) : PL_OK;
}

void graph_map_fini(graph_map *m) {
  pl_free(m->factor);
  pl_free(m->work);
  *m = (graph_map){0};
}

double graph_map_bytes(const graph_rule *rule, double nodes, double most) {
  bool dense = rule->closed && nodes <= GRAPH_DENSE;
  return 8 * (5 * nodes * most + (dense ? nodes * nodes : 0));
}

double graph_map_flops(const graph_rule *rule, double nodes, double entries, double cols) {
  if (rule->closed && nodes <= GRAPH_DENSE) return 2 * nodes * nodes * cols;
  if (!rule->closed) return 2 * (double)(rule->depth + 1) * entries * cols;
  /* Conjugate gradients: sqrt of the condition number sets the steps. */
  double steps = 18 * sqrt(2 / fmax(1 - fabs(rule->ratio), 1e-6));
  return steps * (2 * entries + 10 * nodes) * cols;
}

/* ---- on the tape ---- */

static const graph_map *map_of(const pl_node *y) {
  return *(const graph_map *const *)y->data;
}
static void map(const pl_node *y, const double *x, double *out, bool add) {
  graph_map_apply(map_of(y), false, y->cols, x, out, add);
}
static void transposed_map(const pl_node *y, const double *dy, double *dx, bool add) {
  graph_map_apply(map_of(y), true, y->cols, dy, dx, add);
}

pl_node *graph_propagate(pl_tape *t, const graph_map *m, pl_node *x) {
  static const pl_tape_op op = {"propagate", .map = map, .transposed = transposed_map};
  pl_require(m->s->cols == x->rows);
  return pl_tape_apply(t, &op, m->s->rows, x->cols, 1, &x, &m, sizeof m);
}

static pl_tape_csr view(const pl_csr *s) {
  return (pl_tape_csr){s->rows, s->cols, s->start, s->index, s->value};
}

pl_node *graph_sparse(pl_tape *t, const pl_csr *s, const pl_csr *transposed, pl_node *x) {
  pl_tape_csr a = view(s), b = view(transposed);
  return pl_tape_spmm(t, &a, &b, x);
}
