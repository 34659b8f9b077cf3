#include "gcnn_internal.h"

#include "base/mem.h"

#include <math.h>
#include <string.h>

/* beta as a spectrum, and singular values of every irrep into m->sigma on rank 0 of the team. */
static pl_status decompose(gcnn *m) {
  const pl_layout *l = m->layout;
  for (int i = 0; i < l->num_stacks; i++)
    if (l->stacks[i].here) gcnn_product(m, &l->stacks[i], m->beta + l->stacks[i].offset);
  return pl_observe_spectrum(l, m->beta, m->sv_start, m->svd, m->scratch[1], m->values, m->sigma);
}

static double largest(int64_t n, const double *x) {
  double most = 0;
  for (int64_t k = 0; k < n; k++) most = fmax(most, fabs(x[k]));
  return most;
}

/* What needs functions over G: the filters one after the other, then beta, which stays in m->f. */
static void observe_over_group(gcnn *m, pl_state *s) {
  const pl_layout *l = m->layout;
  int64_t count = pl_transform_count(m->transform);
  for (int k = 0; k < m->depth; k++) {
    pl_transform_inverse(m->transform, m->w[k], m->f);
    s->linf = fmax(s->linf, largest(count, m->f));
  }
  pl_transform_inverse(m->transform, m->beta, m->f);
  double most[2] = {s->linf, largest(count, m->f)}, sums[2] = {0};
  pl_comm_max(&l->team, most, 2);
  for (int64_t k = 0; k < count; k++) {
    sums[0] += pow(fabs(m->f[k]), s->p);
    sums[1] += fabs(m->f[k]) > PL_SUPPORT * most[1];
  }
  pl_comm_sum(&l->team, sums, 2);
  s->linf = most[0];
  s->real_sum = sums[0];
  s->support = sums[1];
}

/* Share of the fresh samples on the right side of beta, a spectrum. */
static double test_accuracy(const gcnn *m) {
  const pl_layout *l = m->layout;
  int64_t n = m->data->num_test, right = 0;
  double *f = pl_zalloc((size_t)n, sizeof *f, "outputs");
  for (int i = 0; i < l->num_stacks; i++) {
    const pl_stack *b = &l->stacks[i];
    pl_multi_dot(n, pl_stack_doubles(b), b->weight, pl_data_test_stack(m->data, b),
                 pl_data_stride(b), m->beta + b->offset, f);
  }
  pl_comm_sum(&l->team, f, n);
  for (int64_t i = 0; i < n; i++) right += m->data->test_y[i] * f[i] > 0;
  pl_free(f);
  return (double)right / (double)n;
}

pl_status gcnn_observe(pl_model *model, double *out) {
  gcnn *m = gcnn_of(model);
  const pl_layout *l = m->layout;
  pl_state s = {.spec = &m->spec,
                .group = m->group,
                .depth = m->depth,
                .num_samples = m->data->num_samples,
                .margin = m->margin,
                .sv_start = m->sv_start,
                .sigma = m->sigma,
                .full = m->full,
                .p = 2.0 / m->depth,
                .dual_bound = NAN};
  pl_status st = decompose(m);

  double sums[2] = {0}; /* ||beta||^2, sum ||w_l||^2 */
  for (int i = 0; i < l->num_stacks; i++) {
    const pl_stack *b = &l->stacks[i];
    sums[0] += b->weight * pl_sum_squares(pl_stack_doubles(b), m->beta + b->offset);
    for (int k = 0; k < m->depth; k++)
      sums[1] += b->weight * pl_sum_squares(pl_stack_doubles(b), m->w[k] + b->offset);
  }
  pl_comm_sum(&l->team, sums, 2);
  s.norm = sqrt(sums[0]);
  s.parameter_norm2 = sums[1];
  if (m->transform) observe_over_group(m, &s);
  if (m->data->num_test) s.test_accuracy = test_accuracy(m);
  if (m->spec.record_beta) pl_transform_gather(m->transform, m->f, m->full);
  double *multipliers = NULL;
  if (m->spec.record_kkt) {
    multipliers = pl_alloc((size_t)m->data->num_samples, sizeof *multipliers, "multipliers");
    pl_status kkt = gcnn_kkt_observe(m, s.parameter_norm2, multipliers, &s.kkt);
    if (!st) st = kkt;
  }
  if (m->depth == 2) s.dual_bound = gcnn_dual_bound(m, s.kkt.residual < 1 ? multipliers : NULL);
  pl_free(multipliers);
  double *sign = pl_records_irreps(&m->spec, m->group) ? pl_observe_orientation(l, m->beta) : NULL;
  s.orientation = sign;
  if (l->team.rank == 0) {
    pl_observe_sums(&s);
    pl_observe_compute(&m->schema, &s, out);
  }
  pl_free(sign);
  return st;
}
