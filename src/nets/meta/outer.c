/* Adaptation to one task, and the meta-gradient that it gives. */
#include "net.h"

#include "base/blas.h"
#include "base/norm.h"

#include <math.h>
#include <string.h>

static const double INNER_TOLERANCE = 1e-12, CG_TOLERANCE = 1e-14;

/* The published code's modes: plain inner steps, one pull, none in tests. */
static bool published(const meta_values *v) {
  return v->method == METHOD_IMAML && v->operator_kind == OPERATOR_DAMPED;
}

/* phi from theta over samples of the task in hand; states as pl_descend. */
static pl_minimum descend(meta_net *m, meta_samples s, pl_part part, double *states) {
  const meta_values *v = meta_values_of(m->spec);
  double lambda = meta_lambda(m->spec);
  meta_loss loss = {m, s, published(v) ? 0 : lambda};
  pl_smooth f = meta_smooth(&loss);
  pl_minimum done;
  int steps = (int)v->inner_steps;
  memcpy(m->phi, m->theta, (size_t)m->n * sizeof *m->phi);
  if (v->solver == SOLVER_NEWTON_CG)
    done = pl_newton_cg(&f, steps, INNER_TOLERANCE, m->phi, m->work);
  else if (v->solver == SOLVER_LBFGS)
    done = pl_lbfgs(&f, steps, INNER_TOLERANCE, m->phi, m->work);
  else
    done = pl_descend(&f, steps, v->inner_lr, m->phi, m->work, states);
  for (int64_t i = 0; i < m->n && published(v) && part == PL_TRAIN; i++)
    m->phi[i] -= v->inner_lr * lambda * (m->phi[i] - m->theta[i]);
  return done;
}

/* ---- judged by the query samples ---- */

static double count(const meta_net *m, const pl_node *f, meta_samples s) {
  const pl_inner_shape *shape = &m->tasks.shape.sample;
  double sum = 0;
  for (int64_t i = 0; i < s.num; i++) {
    const double *row = f->value + i * f->cols;
    int best = 0;
    for (int j = 1; j < f->cols; j++)
      if (row[j] > row[best]) best = j;
    if (shape->classes) sum += best == m->label[s.first + i];
    for (int64_t j = 0; j < f->cols && !shape->classes; j++) {
      double e = row[j] - m->y[(s.first + i) * f->cols + j];
      sum += e * e;
    }
  }
  return sum;
}

double meta_adapt(meta_net *m, pl_part part, int64_t i, double *metric) {
  meta_loss query = {m, meta_query(m), 0};
  pl_smooth f = meta_smooth(&query);
  meta_take(m, part, i);
  descend(m, meta_support(m), part, NULL);
  if (metric) *metric = count(m, meta_outputs(m, query.samples, m->phi), query.samples);
  return metric ? NAN : f.value(&query, m->phi, m->gradient);
}

/* ---- implicit ---- */

/* identity v + H v / scale. */
typedef struct implicit {
  meta_net *m;
  pl_smooth *support;
  double identity, scale;
} implicit;

static void apply_implicit(void *context, const double *v, double *out) {
  const implicit *a = context;
  a->support->hessian(a->support->context, v, out);
  cblas_dscal((int)a->m->n, 1 / a->scale, out, 1);
  cblas_daxpy((int)a->m->n, a->identity, v, 1, out, 1);
}

/* Norm of the inner problem's gradient at phi over that at theta: g that of the loss at phi. */
static double gap_of(const meta_net *m, double lambda, double *g, double first) {
  for (int64_t i = 0; i < m->n; i++) g[i] += lambda * (m->phi[i] - m->theta[i]);
  return first > 0 ? pl_norm2(m->n, g) / first : 0;
}

/* gradient <- the solution of (I + H/lambda) g = gradient. */
static void solve(meta_net *m, const pl_minimum *inner) {
  const meta_values *v = meta_values_of(m->spec);
  double lambda = meta_lambda(m->spec);
  bool damped = v->operator_kind == OPERATOR_DAMPED;
  meta_loss support = {m, meta_support(m), 0};
  pl_smooth f = meta_smooth(&support);
  implicit a = {m, &f, damped ? 1 + v->damping : 1, damped ? lambda + 10 : lambda};
  pl_cg_report told;
  f.value(&support, m->phi, m->part);
  m->tally.gap += gap_of(m, lambda, m->part, inner->first);
  pl_cg_solve(m->n, apply_implicit, &a, m->gradient, (int)v->cg_steps, CG_TOLERANCE, m->part,
              m->work, &told);
  memcpy(m->gradient, m->part, (size_t)m->n * sizeof *m->gradient);
  m->tally.condition += told.largest / told.smallest;
  m->tally.negative += told.negative;
  for (int j = 0; j <= v->cg_steps; j++)
    m->tally.residual[j] += told.residual[j < told.steps ? j : told.steps];
}

/* ---- unrolled ---- */

/* gradient <- J^T gradient, J the derivative of phi_K by theta through
 *   phi_{k+1} = phi_k - lr (grad L(phi_k) + lambda (phi_k - theta)). */
static void unroll(meta_net *m) {
  const meta_values *v = meta_values_of(m->spec);
  double lambda = meta_lambda(m->spec), pull = 0;
  meta_loss support = {m, meta_support(m), lambda};
  pl_smooth f = meta_smooth(&support);
  double *back = m->gradient, *theta = m->work, *hv = m->work + m->n;
  memset(theta, 0, (size_t)m->n * sizeof *theta);
  pull = v->inner_lr * lambda;
  for (int64_t k = v->inner_steps - 1; k >= 0; k--) {
    f.value(&support, m->states + k * m->n, m->part);
    f.hessian(&support, back, hv);
    if (pull > 0) cblas_daxpy((int)m->n, pull, back, 1, theta, 1);
    cblas_daxpy((int)m->n, -v->inner_lr, hv, 1, back, 1);
  }
  cblas_daxpy((int)m->n, 1, theta, 1, back, 1);
}

/* ---- known ---- */

bool meta_known(const pl_spec *spec) {
  return spec->data == &pl_data_quadratic.base && pl_inner_of(spec) == &pl_inner_quadratic &&
         meta_lambda(spec) > 0;
}

/* Relative error of a task's meta-gradient.  With Hessian h and centre c in each coordinate,
 *   phi* = (h c + lambda theta)/(h + lambda),   g = (phi* - c)/(1 + h/lambda),
 * the query loss being 1/2 ||phi - c||^2. */
static double error_of(const meta_net *m) {
  double lambda = meta_lambda(m->spec), error = 0, norm = 0;
  for (int64_t j = 0; j < m->n; j++) {
    double x = m->x[j * m->n + j], h = 2 / (double)m->n * x * x, c = m->y[j] / x;
    double g = lambda * lambda * (m->theta[j] - c) / ((h + lambda) * (h + lambda));
    error += (m->gradient[j] - g) * (m->gradient[j] - g);
    norm += g * g;
  }
  return sqrt(error / norm);
}

/* ---- the step ---- */

double meta_gradient(meta_net *m, pl_part part, int64_t i, double scale, double *g) {
  const meta_values *v = meta_values_of(m->spec);
  meta_loss query = {m, meta_query(m), 0};
  pl_smooth f = meta_smooth(&query);
  meta_take(m, part, i);
  pl_minimum inner = descend(m, meta_support(m), part, m->states);
  double loss = f.value(&query, m->phi, m->gradient);
  m->tally.tasks++;
  m->tally.loss += loss;
  if (v->method == METHOD_NONE) return loss;
  if (v->method == METHOD_IMAML) solve(m, &inner);
  if (v->method == METHOD_MAML) unroll(m);
  if (v->method == METHOD_REPTILE) {
    descend(m, meta_all(m), part, NULL);
    for (int64_t k = 0; k < m->n; k++) m->gradient[k] = m->theta[k] - m->phi[k];
  }
  if (meta_known(m->spec)) m->tally.error += error_of(m);
  cblas_daxpy((int)m->n, scale, m->gradient, 1, g, 1);
  return loss;
}
