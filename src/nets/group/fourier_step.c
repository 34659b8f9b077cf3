#include "fourier_net.h"

#include "functional.h"
#include "model/loss.h"
#include "model/optim.h"

#include <math.h>
#include <string.h>

/* ---- visitors ---- */

static void add_norm(fourier_visitor *v, fourier_net *m, int p, const double *g) {
  v->norm2 += pl_update_measure(v->update, p, &m->base.params[p], g, m->log_scale);
}

static void add_largest(fourier_visitor *v, fourier_net *m, int p, const double *g) {
  double most = pl_max_abs(m->base.params[p].n, g);
  v->largest = isnan(most) || isnan(v->largest) ? NAN : fmax(v->largest, most);
}

static void move(fourier_visitor *v, fourier_net *m, int p, const double *g) {
  v->update->apply(v->update, p, &m->base.params[p], g);
}

static void collect(fourier_visitor *v, fourier_net *m, int p, const double *g) {
  (void)v;
  const pl_stack *b = fourier_stack(m, p);
  memcpy(m->gradient[p / m->layout->num_stacks] + b->offset, g,
         (size_t)pl_stack_doubles(b) * sizeof *g);
}

/* ---- one stack ---- */

const double *fourier_beta(fourier_net *m, const pl_stack *b) {
  if (m->beta) return m->beta + b->offset;
  m->ops->product(m, b, m->scratch[0]);
  return m->scratch[0];
}

void fourier_forward(fourier_net *m, const pl_stack *b) {
  const double *B = m->scratch[0];
  m->ops->forward(m, b);
  if (!fourier_square(m)) {
    pl_samples_dot(m->train, b, B, m->sums);
    return;
  }
  const double *x = pl_samples_stack(m->train, b); /* the target, which is always kept */
  int64_t n = pl_stack_doubles(b);
  double sum = 0;
  for (int64_t k = 0; k < n; k++) sum += (B[k] - x[k]) * (B[k] - x[k]);
  m->sums[0] += b->weight * sum;
}

void fourier_backward(fourier_net *m, int stack, fourier_visitor *v) {
  const pl_stack *b = &m->layout->stacks[stack];
  double *R = m->scratch[0];
  if (fourier_square(m)) {
    const double *x = pl_samples_stack(m->train, b);
    int64_t n = pl_stack_doubles(b);
    m->ops->product(m, b, R);
    for (int64_t k = 0; k < n; k++) R[k] = (R[k] - x[k]) / m->target_norm2;
  } else {
    pl_samples_sum(m->train, b, m->coefficient, R);
  }
  m->ops->backward(m, stack, v);
}

/* ---- the step ---- */

static void clear_sums(fourier_net *m) {
  memset(m->sums, 0, (size_t)(m->train->num + 1 + fourier_more_sums(m)) * sizeof *m->sums);
}

/* Margins, or the loss, and vote over the team: the one all-reduce of a step. */
static void share_sums(fourier_net *m, double *vote) {
  int64_t n = m->train->num;
  m->sums[n] = *vote;
  pl_comm_sum(&m->layout->team, m->sums, n + 1 + fourier_more_sums(m));
  *vote = m->sums[n];
  if (fourier_square(m)) m->square = m->sums[0] / (2 * m->target_norm2);
  for (int64_t i = 0; i < n; i++) m->margin[i] = m->train->y[i] * m->sums[i];
  if (m->terms) m->terms->settle(m, m->sums + n + 1);
}

static void forward_all(fourier_net *m) {
  for (int i = 0; i < m->layout->num_stacks; i++)
    if (m->layout->stacks[i].here) fourier_forward(m, &m->layout->stacks[i]);
}

void fourier_refresh(pl_model *model, int64_t t) {
  fourier_net *m = fourier_of(model);
  (void)t;
  double vote = 0;
  clear_sums(m);
  forward_all(m);
  share_sums(m, &vote);
}

/* Gradients of whole filters, spectra, with weight decay; returns their scale. */
static double collect_gradients(fourier_net *m, const pl_update *u) {
  const pl_layout *l = m->layout;
  fourier_visitor v = {.visit = collect};
  for (int i = 0; i < l->num_stacks; i++)
    if (l->stacks[i].here) fourier_backward(m, i, &v);
  double keep, add, log_scale = pl_update_mix(u, m->log_scale, &keep, &add);
  for (int k = 0; k < m->filters && add != 0; k++)
    for (int64_t i = 0; i < l->local; i++)
      m->gradient[k][i] = keep * m->gradient[k][i] + add * m->w[k][i];
  return log_scale;
}

/* Gradients of whole filters, moved as functions over G. */
static void move_over_group(fourier_net *m, pl_update *u) {
  const pl_layout *l = m->layout;
  double norm2 = 0, log_scale = collect_gradients(m, u);
  if (u->needs_norm) {
    for (int k = 0; k < m->filters; k++) {
      pl_transform_inverse(m->transform, m->gradient[k], m->f);
      norm2 += pl_update_measure(u, k, &m->base.functions[k], m->f, log_scale);
    }
    pl_comm_sum(&l->team, &norm2, 1);
  }
  u->begin(u, log_scale, sqrt(norm2));
  for (int k = 0; k < m->filters; k++) {
    pl_transform_inverse(m->transform, m->gradient[k], m->f);
    memset(m->delta, 0, (size_t)m->base.functions[k].n * sizeof *m->delta);
    u->apply(u, k, &m->base.functions[k], m->f);
    pl_transform_forward(m->transform, m->delta, m->gradient[k]);
    for (int64_t i = 0; i < l->local; i++) m->w[k][i] += m->gradient[k][i];
  }
}

/* Every gradient, nothing moved. */
static void visit_all(fourier_net *m, fourier_visitor *v) {
  const pl_layout *l = m->layout;
  for (int i = 0; i < l->num_stacks; i++) {
    if (!l->stacks[i].here) continue;
    fourier_backward(m, i, v);
    if (m->forgets) m->ops->forward(m, &l->stacks[i]);
  }
}

/* The gradient and its scale trade a power of two, so that squares of the gradient are in range.
 * False: there is nothing to gain. */
static bool bring_in_range(fourier_net *m) {
  if (fourier_square(m) || m->terms) return false;
  fourier_visitor v = {.visit = add_largest};
  visit_all(m, &v);
  double most[2] = {isnan(v.largest), isnan(v.largest) ? 0 : v.largest};
  pl_comm_max(&m->layout->team, most, 2);
  int shift = most[0] > 0 ? 0 : pl_functional_shift(most[1]);
  /* One factor that keeps the coefficients themselves, at most 1, in range. */
  if (shift > 900) shift = 900;
  for (int64_t i = 0; i < m->train->num; i++) m->coefficient[i] = ldexp(m->coefficient[i], shift);
  m->log_scale -= shift * M_LN2;
  return shift != 0;
}

/* Stack by stack across the step boundary: gradient, update, new products and margins while the
 * samples of the stack are in cache. */
static void move_blocks(fourier_net *m, pl_update *u) {
  const pl_layout *l = m->layout;
  fourier_visitor v = {.visit = add_norm, .update = u};
  if (u->needs_norm) {
    visit_all(m, &v);
    pl_comm_sum(&l->team, &v.norm2, 1);
    if (!pl_sum_safe(v.norm2) && bring_in_range(m)) {
      v.norm2 = 0;
      visit_all(m, &v);
      pl_comm_sum(&l->team, &v.norm2, 1);
    }
  }
  u->begin(u, m->log_scale, sqrt(v.norm2));
  v.visit = move;
  for (int i = 0; i < l->num_stacks; i++) {
    if (!l->stacks[i].here) continue;
    fourier_backward(m, i, &v);
    fourier_forward(m, &l->stacks[i]);
  }
}

/* The weights of the samples in the gradient, from their margins. */
static void weigh_samples(fourier_net *m) {
  pl_loss_weights(m->values->loss, m->train->num, m->margin, &m->log_scale, m->coefficient);
  if (m->ops->weights) m->ops->weights(m, m->coefficient);
  if (m->terms) m->terms->weigh(m);
  for (int64_t i = 0; i < m->train->num; i++) m->coefficient[i] *= -m->train->y[i];
}

static void add_square(fourier_visitor *v, fourier_net *m, int p, const double *g) {
  const pl_stack *b = fourier_stack(m, p);
  v->norm2 += b->weight * pl_sum_squares(pl_stack_doubles(b), g);
}

double fourier_gradient_norm(fourier_net *m) {
  fourier_visitor v = {.visit = add_square};
  m->log_scale = 0;
  if (!fourier_square(m)) weigh_samples(m);
  for (int i = 0; i < m->layout->num_stacks; i++) {
    if (!m->layout->stacks[i].here) continue;
    fourier_backward(m, i, &v);
    if (m->forgets) m->ops->forward(m, &m->layout->stacks[i]);
  }
  pl_comm_sum(&m->layout->team, &v.norm2, 1);
  return exp(m->log_scale) * sqrt(v.norm2);
}

void fourier_step(pl_model *model, int64_t t, pl_update *u, double *vote) {
  fourier_net *m = fourier_of(model);
  (void)t;
  if (fourier_square(m))
    m->log_scale = 0;
  else
    weigh_samples(m);
  clear_sums(m);
  if (u->over_group) {
    move_over_group(m, u);
    forward_all(m);
  } else {
    move_blocks(m, u);
  }
  share_sums(m, vote);
}

pl_standing fourier_standing(const pl_model *model) {
  const fourier_net *m = (const fourier_net *)model;
  if (fourier_square(m)) return pl_standing_of(m->square);
  double log_task = pl_log_loss(m->values->loss, m->train->num, m->margin);
  return m->terms ? m->terms->standing(m, log_task) : pl_standing_of_log(log_task);
}
