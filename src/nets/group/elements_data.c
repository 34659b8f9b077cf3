#include "elements_data.h"

#include "base/mem.h"
#include "nets/group/data.h"

#include <string.h>

/* Of samples in Fourier space, those from `first` on, back over the elements. */
static double *over_elements(elements_net *m, const pl_samples *s, int64_t first, int64_t count) {
  const pl_layout *l = m->layout;
  double *out = pl_alloc((size_t)(count * m->order), sizeof *out, "samples");
  for (int64_t i = 0; i < count; i++) {
    for (int k = 0; k < l->num_stacks; k++) {
      const pl_stack *b = &l->stacks[k];
      memcpy(m->F + b->offset, pl_samples_stack(s, b) + (first + i) * pl_data_stride(b),
             (size_t)pl_stack_doubles(b) * sizeof *m->F);
    }
    pl_transform_inverse(m->transform, m->F, out + i * m->order);
  }
  return out;
}

/* This rank's part of n samples. */
static int64_t start_of(const elements_net *m, int64_t n, int rank) {
  return n * rank / m->team.size;
}

static elements_part part_of(elements_net *m, const pl_samples *s) {
  elements_part p = {.num = s->num};
  p.first = start_of(m, s->num, m->team.rank);
  p.count = start_of(m, s->num, m->team.rank + 1) - p.first;
  p.x = over_elements(m, s, p.first, p.count);
  p.y = pl_alloc((size_t)s->num, sizeof *p.y, "labels");
  if (s->num) memcpy(p.y, s->y, (size_t)s->num * sizeof *p.y);
  return p;
}

pl_status elements_make_data(elements_net *m) {
  pl_data *data = NULL;
  double *f = pl_alloc((size_t)m->order, sizeof *f, "function over G");
  pl_status st = pl_agree(
      &m->team, pl_data_new(&m->spec, m->layout, PL_DATA_KEEP, m->transform, f, m->F, &data));
  pl_free(f);
  for (int k = 0; k < PL_NUM_PARTS && !st; k++) m->part[k] = part_of(m, &data->part[k]);
  pl_data_free(data);
  return st;
}

void elements_free_data(elements_net *m) {
  for (int k = 0; k < PL_NUM_PARTS; k++) {
    pl_free(m->part[k].x);
    pl_free(m->part[k].y);
  }
}

static double count_right(int64_t n, const double *y, const double *f) {
  double right = 0;
  for (int64_t k = 0; k < n; k++) right += y[k] * f[k] > 0;
  return right;
}

/* Of this rank's samples of a part; m->betas must be known. */
static void outputs_on(elements_net *m, const elements_part *p, double *f) {
  for (int64_t i = 0; i < p->count; i++) f[i] = 0;
  if (!m->recipe->relu) pl_multi_dot(p->count, m->order, 1, p->x, m->order, m->betas, f);
  for (int64_t i = 0; m->recipe->relu && i < p->count; i += m->capacity) {
    int64_t left = p->count - i, n = left < m->capacity ? left : m->capacity;
    elements_forward(m, n, p->x + i * m->order);
    memcpy(f + i, m->z[m->num_layers], (size_t)n * sizeof *f);
  }
}

void elements_outputs(pl_model *model, pl_part part, double *f) {
  elements_net *m = elements_of(model);
  const elements_part *p = &m->part[part];
  if (!m->recipe->relu) elements_linearise(m);
  for (int64_t i = 0; i < p->num; i++) f[i] = 0;
  outputs_on(m, p, f + p->first);
  pl_comm_sum(&m->team, f, p->num);
}

double elements_accuracy(elements_net *m, pl_part part) {
  const elements_part *p = &m->part[part];
  double right = 0, *f = pl_alloc((size_t)p->count, sizeof *f, "outputs");
  outputs_on(m, p, f);
  right = count_right(p->count, p->y + p->first, f);
  pl_comm_sum(&m->team, &right, 1);
  pl_free(f);
  return right / (double)p->num;
}
