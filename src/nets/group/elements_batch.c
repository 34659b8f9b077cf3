#include "elements_batch.h"

#include "base/mem.h"
#include "model/batch.h"
#include "model/loss.h"

#include <string.h>

void elements_batch_init(elements_net *m) {
  elements_batch *b = &m->batch;
  const elements_part *t = elements_train(m);
  m->margin = pl_alloc((size_t)t->num, sizeof *m->margin, "margins");
  m->coefficient = pl_alloc((size_t)t->num, sizeof *m->coefficient, "loss weights");
  m->sums = pl_alloc((size_t)t->num + 1, sizeof *m->sums, "margins");
  *b = (elements_batch){.step = -1, .epoch = -1, .num = t->num, .count = t->count, .x = t->x};
  b->all = m->margin;
  b->per_epoch = m->recipe->relu ? pl_batch_count(&m->spec, t->num) : 1;
  if (b->per_epoch == 1) return;
  b->size = pl_batch_size(&m->spec, t->num);
  int64_t most = t->count < b->size ? t->count : b->size;
  b->order = pl_alloc((size_t)t->num, sizeof *b->order, "order of samples");
  b->at = pl_alloc((size_t)most, sizeof *b->at, "a batch");
  b->x = pl_alloc((size_t)(most * m->order), sizeof *b->x, "a batch");
  b->out = pl_alloc((size_t)most, sizeof *b->out, "a batch");
  b->all = pl_alloc((size_t)t->num, sizeof *b->all, "margins");
}

void elements_batch_fini(elements_net *m) {
  if (elements_in_batches(m)) {
    pl_free(m->batch.order);
    pl_free(m->batch.at);
    pl_free(m->batch.x);
    pl_free(m->batch.out);
    pl_free(m->batch.all);
  }
  pl_free(m->margin);
  pl_free(m->coefficient);
  pl_free(m->sums);
}

/* ---- all samples ---- */

/* f(x_i) of the whole training part over the team, with the vote behind them, into m->sums. */
static void share_all(elements_net *m, double *vote) {
  const elements_part *t = elements_train(m);
  memset(m->sums, 0, (size_t)(t->num + 1) * sizeof *m->sums);
  if (m->recipe->relu) {
    elements_forward(m, t->count, t->x);
    memcpy(m->sums + t->first, m->z[m->num_layers], (size_t)t->count * sizeof *m->sums);
  } else {
    elements_linearise(m);
    pl_multi_dot(t->count, m->order, 1, t->x, m->order, m->betas, m->sums + t->first);
  }
  m->sums[t->num] = *vote;
  pl_comm_sum(&m->team, m->sums, t->num + 1);
  *vote = m->sums[t->num];
}

static void all_margins(elements_net *m, double *vote) {
  const elements_part *t = elements_train(m);
  share_all(m, vote);
  for (int64_t i = 0; i < t->num; i++) m->batch.all[i] = t->y[i] * m->sums[i];
}

static void all_gradients(elements_net *m) {
  const elements_part *t = elements_train(m);
  pl_loss_weights(m->values->loss, t->num, m->margin, &m->log_scale, m->coefficient);
  for (int64_t i = 0; i < t->num; i++) m->coefficient[i] *= -t->y[i];
  if (m->recipe->relu) {
    elements_backward(m, t->count, m->coefficient + t->first, true, NULL);
    for (int l = 0; l < m->depth; l++) pl_comm_sum(&m->team, m->gradient[l], m->base.params[l].n);
    return;
  }
  double one = 1;
  pl_multi_axpy(t->count, m->order, m->coefficient + t->first, t->x, m->order, m->sum);
  pl_comm_sum(&m->team, m->sum, m->order);
  elements_forward(m, 1, m->sum);
  elements_backward(m, 1, &one, true, NULL);
}

/* ---- minibatches ---- */

/* The samples of step t. */
static void take(elements_net *m, int64_t t) {
  elements_batch *b = &m->batch;
  const elements_part *all = elements_train(m);
  int64_t epoch = t / b->per_epoch, first = t % b->per_epoch * b->size;
  if (epoch != b->epoch) pl_batch_order(&m->spec, epoch, all->num, b->order);
  b->step = t;
  b->epoch = epoch;
  b->sample = b->order + first;
  b->num = all->num - first < b->size ? all->num - first : b->size;
  b->count = 0;
  for (int64_t k = 0; k < b->num; k++) {
    int64_t i = b->sample[k] - all->first;
    if (i < 0 || i >= all->count) continue;
    memcpy(b->x + b->count * m->order, all->x + i * m->order, (size_t)m->order * sizeof *b->x);
    b->at[b->count++] = k;
  }
}

static void batch_margins(elements_net *m, int64_t t, double *vote) {
  elements_batch *b = &m->batch;
  const double *y = elements_train(m)->y;
  take(m, t);
  elements_forward(m, b->count, b->x);
  memset(m->sums, 0, (size_t)(b->num + 1) * sizeof *m->sums);
  for (int64_t j = 0; j < b->count; j++) m->sums[b->at[j]] = m->z[m->num_layers][j];
  m->sums[b->num] = *vote;
  pl_comm_sum(&m->team, m->sums, b->num + 1);
  *vote = m->sums[b->num];
  for (int64_t k = 0; k < b->num; k++) m->margin[k] = y[b->sample[k]] * m->sums[k];
}

static void batch_gradients(elements_net *m, int64_t t) {
  elements_batch *b = &m->batch;
  const double *y = elements_train(m)->y;
  double unused = 0;
  if (b->step != t) batch_margins(m, t, &unused);
  pl_loss_weights(m->values->loss, b->num, m->margin, &m->log_scale, m->coefficient);
  for (int64_t j = 0; j < b->count; j++)
    b->out[j] = m->coefficient[b->at[j]] * -y[b->sample[b->at[j]]];
  elements_backward(m, b->count, b->out, true, NULL);
  for (int l = 0; l < m->depth; l++) pl_comm_sum(&m->team, m->gradient[l], m->base.params[l].n);
}

/* ---- either ---- */

void elements_margins(elements_net *m, int64_t t, double *vote) {
  if (elements_in_batches(m))
    batch_margins(m, t, vote);
  else
    all_margins(m, vote);
}

void elements_gradients(elements_net *m, int64_t t) {
  if (elements_in_batches(m))
    batch_gradients(m, t);
  else
    all_gradients(m);
}

void elements_look_at_all(elements_net *m) {
  double unused = 0;
  if (elements_in_batches(m)) all_margins(m, &unused);
}

void elements_look_at_batch(elements_net *m) {
  elements_forward(m, m->batch.count, m->batch.x);
}
