#include "propagate.h"

#include "base/blas.h"
#include "base/mem.h"

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

/* Column j of I - ratio S, which is row j. */
static void column(const void *context, int64_t j, double *to) {
  const graph_map *m = context;
  const pl_csr *s = m->s;
  memset(to, 0, (size_t)s->rows * sizeof *to);
  for (int64_t k = s->start[j]; k < s->start[j + 1]; k++)
    to[s->index[k]] -= m->rule.ratio * s->value[k];
  to[j] += 1;
}

/* z <- (I - ratio S)^-1 z. */
static void solve_dense(const graph_map *m, int64_t cols, double *z) {
  int n = pl_int(m->s->rows), c = pl_int(cols);
  for (int turn = 0; turn < 2; turn++)
    cblas_dtrsm(CblasRowMajor, CblasLeft, CblasLower, turn ? CblasTrans : CblasNoTrans,
                CblasNonUnit, n, c, 1, m->factor, n, z, c);
}

/* sum[c] = sum_i a_ic b_ic. */
static void dots(int64_t n, int64_t cols, const double *a, const double *b, double *sum) {
  memset(sum, 0, (size_t)cols * sizeof *sum);
  for (int64_t i = 0; i < n; i++)
    for (int64_t c = 0; c < cols; c++) sum[c] += a[i * cols + c] * b[i * cols + c];
}

/* z <- (I - ratio S)^-1 z, each column on its own until its residual is below rounding; work:
 * [3][n][cols] and 4 cols numbers. */
static void solve_sparse(const graph_map *m, int64_t cols, double *z, double *work) {
  static const double SOLVED = 1e-29; /* of |residual|^2 */
  /* So many steps bring any error below rounding (condition number 2/(1 - |ratio|) at most). */
  int most = (int)(20 * sqrt(2 / (1 - fabs(m->rule.ratio)))) + 20;
  int64_t n = m->s->rows;
  size_t bytes = (size_t)(n * cols) * sizeof(double);
  double *r = work, *p = r + n * cols, *ap = p + n * cols;
  double *rr = ap + n * cols, *goal = rr + cols, *step = goal + cols, *now = step + cols;
  memcpy(r, z, bytes);
  memcpy(p, z, bytes);
  memset(z, 0, bytes);
  dots(n, cols, r, r, rr);
  for (int64_t c = 0; c < cols; c++) goal[c] = rr[c] * SOLVED;
  bool going = true;
  for (int k = 0; going && k < most; k++) {
    pl_csr_times(m->s, cols, -m->rule.ratio, p, cols, 1, p, cols, ap, cols);
    dots(n, cols, p, ap, step);
    for (int64_t c = 0; c < cols; c++) step[c] = rr[c] > goal[c] ? rr[c] / step[c] : 0;
    for (int64_t i = 0; i < n; i++)
      for (int64_t c = 0; c < cols; c++) {
        z[i * cols + c] += step[c] * p[i * cols + c];
        r[i * cols + c] -= step[c] * ap[i * cols + c];
      }
    dots(n, cols, r, r, now);
    going = false;
    for (int64_t c = 0; c < cols; c++) {
      step[c] = rr[c] > goal[c] ? now[c] / rr[c] : 0;
      if (rr[c] > goal[c]) rr[c] = now[c];
      going = going || rr[c] > goal[c];
    }
    for (int64_t i = 0; i < n; i++)
      for (int64_t c = 0; c < cols; c++)
        p[i * cols + c] = r[i * cols + c] + step[c] * p[i * cols + c];
  }
}

/* ---- one rank's columns ---- */

/* Columns that a rank works on: whole registers, the last ones zeros.  Pure. */
static int64_t padded(int64_t cols) {
  int64_t lanes = cols > 4 ? 8 : 4;
  return (cols + lanes - 1) / lanes * lanes;
}

/* [n][cols], ldx apart, into [n][wide]. */
static void spread(int64_t n, int64_t cols, const double *x, int64_t ldx, int64_t wide, double *y) {
  memset(y, 0, (size_t)(n * wide) * sizeof *y);
  for (int64_t i = 0; i < n; i++)
    for (int64_t c = 0; c < cols; c++) y[i * wide + c] = x[i * ldx + c];
}

/* p(S) of cols columns of x, ldx apart; the caller's until the next call: [n][padded(cols)]. */
static const double *own(const graph_map *m, const pl_csr *s, int64_t cols, const double *x,
                         int64_t ldx) {
  const graph_rule *r = &m->rule;
  int64_t n = s->rows, room = n * padded(m->most), wide = padded(cols);
  double *z0 = m->work, *turn[2] = {z0 + room, z0 + 2 * room}, *z = z0;
  spread(n, cols, x, ldx, wide, turn[1]);
  if (r->second != 0)
    pl_csr_times(s, wide, r->second, turn[1], wide, r->first, turn[1], wide, z0, wide);
  else
    for (int64_t k = 0; k < n * wide; k++) z0[k] = r->first * turn[1][k];
  if (r->closed) {
    for (int64_t k = 0; k < n * wide; k++) z0[k] *= r->keep;
    if (m->spread) return z0; /* the rest is for all ranks together */
    if (m->factor)
      solve_dense(m, wide, z0);
    else
      solve_sparse(m, wide, z0, turn[0]);
    return z0;
  }
  for (int64_t k = 0; k < r->depth; k++) {
    double *next = turn[k % 2];
    pl_csr_times(s, wide, r->ratio, z, wide, r->keep, r->keep != 0 ? z0 : NULL, wide, next, wide);
    z = next;
  }
  return z;
}

void graph_map_apply(const graph_map *m, bool transposed, int64_t cols, const double *x, double *y,
                     bool add) {
  const pl_csr *s = transposed ? m->s_t : m->s;
  int64_t n = s->rows, ranks = m->team ? m->team->size : 1, rank = m->team ? m->team->rank : 0;
  int64_t first = cols * rank / ranks, count = cols * (rank + 1) / ranks - first;
  pl_require(cols <= m->most);
  const double *mine = count ? own(m, s, count, x + first, cols) : NULL;
  double *to = ranks > 1 && add ? m->work + 4 * n * padded(m->most) : y;
  if (!(ranks == 1 && add) && count < cols) memset(to, 0, (size_t)(n * cols) * sizeof *to);
  for (int64_t i = 0; i < n; i++)
    for (int64_t c = 0; c < count; c++) {
      double *at = to + i * cols + first + c, value = mine[i * padded(count) + c];
      *at = ranks == 1 && add ? *at + value : value;
    }
  if (ranks == 1) return;
  pl_comm_sum(m->team, to, n * cols);
  if (m->spread) pl_cholesky_solve(m->spread, cols, to);
  for (int64_t k = 0; add && k < n * cols; k++) y[k] += to[k];
}

/* ---- life ---- */

pl_status graph_map_init(graph_map *m, const graph_rule *rule, const pl_csr *s, const pl_csr *s_t,
                         const pl_comm *team, int64_t most) {
  *m = (graph_map){.rule = *rule, .s = s, .s_t = s_t, .team = team, .most = most};
  m->work = pl_alloc((size_t)((5 * s->rows + 4) * padded(most)), sizeof *m->work, "propagation");
  graph_load load = {(double)s->rows, (double)pl_csr_entries(s), (double)most,
                     team ? team->size : 1};
  if (graph_map_spreads(rule, &load))
    return pl_cholesky_new(team, s->rows, most, column, m, &m->spread);
  return rule->closed && s->rows <= GRAPH_DENSE ? factorise(m) : PL_OK;
}

void graph_map_fini(graph_map *m) {
  pl_free(m->factor);
  pl_cholesky_free(m->spread);
  pl_free(m->work);
  *m = (graph_map){0};
}

/* ---- cost ---- */

/* Of one column by conjugate gradients: the root of the condition number sets the steps. */
static double sparse_flops(const graph_rule *rule, const graph_load *load) {
  double steps = 18 * sqrt(2 / fmax(1 - fabs(rule->ratio), 1e-6));
  return steps * (2 * load->entries + 10 * load->nodes);
}

static bool dense(const graph_rule *rule, const graph_load *load) {
  return rule->closed && load->nodes <= GRAPH_DENSE;
}

bool graph_map_spreads(const graph_rule *rule, const graph_load *load) {
  return rule->closed && load->ranks > 1 && load->nodes > GRAPH_DENSE &&
         2 * load->nodes * load->nodes < sparse_flops(rule, load);
}

double graph_map_bytes(const graph_rule *rule, const graph_load *load) {
  double n = load->nodes, columns = 8 * 5 * n * (load->cols + 8);
  if (graph_map_spreads(rule, load)) return columns + pl_cholesky_bytes(n, load->cols, load->ranks);
  return columns + (dense(rule, load) ? 8 * n * n : 0);
}

double graph_map_flops(const graph_rule *rule, const graph_load *load) {
  if (!rule->closed) return 2 * (double)(rule->depth + 1) * load->entries * load->cols;
  if (dense(rule, load) || graph_map_spreads(rule, load))
    return 2 * load->nodes * load->nodes * load->cols;
  return sparse_flops(rule, load) * load->cols;
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

pl_node *graph_sparse(pl_tape *t, const pl_csr *s, const pl_csr *transposed, pl_node *x) {
  pl_tape_csr a = pl_csr_as_view(s), b = pl_csr_as_view(transposed);
  return pl_tape_spmm(t, &a, &b, x);
}
