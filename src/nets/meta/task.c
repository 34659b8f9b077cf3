/* Losses of the task in hand on the inner tape. */
#include "net.h"

#include "base/blas.h"

#include <string.h>

meta_samples meta_support(const meta_net *m) {
  return (meta_samples){0, m->tasks.shape.support};
}
meta_samples meta_query(const meta_net *m) {
  return (meta_samples){m->tasks.shape.support, m->tasks.shape.query};
}
meta_samples meta_all(const meta_net *m) {
  return (meta_samples){0, pl_task_samples(&m->tasks.shape)};
}

void meta_take(meta_net *m, pl_part part, int64_t i) {
  const pl_task_shape *s = &m->tasks.shape;
  pl_task_make(&m->tasks, part, i, m->x, m->y);
  for (int64_t k = 0; s->sample.classes && k < pl_task_samples(s); k++) m->label[k] = (int)m->y[k];
}

static pl_node *outputs_of(meta_net *m, meta_samples s, const double *phi, double *g) {
  const pl_inner_shape *shape = &m->tasks.shape.sample;
  pl_tape_reset(m->tape);
  pl_net_variables(&m->inner, m->tape, phi, g, m->node);
  pl_node *x = pl_tape_constant(m->tape, s.num, shape->features, m->x + s.first * shape->features);
  return m->kind->outputs(&m->inner, m->tape, m->node, shape, s.num, x);
}

const pl_node *meta_outputs(meta_net *m, meta_samples s, const double *phi) {
  return outputs_of(m, s, phi, NULL);
}

/* -(1/N) sum_i log softmax(f_i)_{y_i}, or (1/(N outputs)) sum (f - y)^2. */
static pl_node *loss_of(meta_net *m, meta_samples s, pl_node *f) {
  const pl_inner_shape *shape = &m->tasks.shape.sample;
  pl_tape *t = m->tape;
  if (shape->classes) {
    pl_node *log_p = pl_tape_pick(t, pl_tape_log_softmax(t, f, NULL), m->label + s.first);
    return pl_tape_scale(t, pl_tape_sum(t, log_p), -1 / (double)s.num);
  }
  const double *y = m->y + s.first * shape->outputs;
  pl_node *e = pl_tape_subtract(t, f, pl_tape_constant(t, s.num, shape->outputs, y));
  return pl_tape_mean(t, pl_tape_square(t, e));
}

static double value(void *context, const double *phi, double *g) {
  const meta_loss *l = context;
  meta_net *m = l->m;
  double pull = 0;
  memset(g, 0, (size_t)m->n * sizeof *g);
  pl_node *loss = loss_of(m, l->samples, outputs_of(m, l->samples, phi, g));
  for (int k = 0; k < m->inner.num_weights; k++)
    pl_tape_direction(m->tape, m->node[k], m->direction + m->inner.start[k],
                      m->product + m->inner.start[k]);
  pl_tape_backward(m->tape, loss, NULL);
  for (int64_t i = 0; i < m->n && l->lambda > 0; i++) {
    double e = phi[i] - m->theta[i];
    g[i] += l->lambda * e;
    pull += e * e;
  }
  return loss->value[0] + l->lambda / 2 * pull;
}

static void hessian(void *context, const double *v, double *hv) {
  const meta_loss *l = context;
  meta_net *m = l->m;
  size_t bytes = (size_t)m->n * sizeof *v;
  memcpy(m->direction, v, bytes);
  memset(m->product, 0, bytes);
  pl_tape_hvp(m->tape);
  memcpy(hv, m->product, bytes);
  if (l->lambda > 0) cblas_daxpy((int)m->n, l->lambda, v, 1, hv, 1);
}

pl_smooth meta_smooth(meta_loss *loss) {
  return (pl_smooth){loss->m->n, loss, value, hessian};
}
