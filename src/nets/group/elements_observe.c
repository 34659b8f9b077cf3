#include "elements_internal.h"

#include "base/mem.h"

#include <math.h>
#include <string.h>

pl_status elements_describe(const pl_spec *spec, pl_schema *out) {
  return pl_observe_describe(spec, elements_recipe(spec)->relu ? PL_NET_NONLINEAR : PL_NET_LINEAR,
                             out);
}

pl_status elements_observe_new(elements_net *m) {
  PL_TRY(elements_describe(&m->spec, &m->schema));
  const pl_layout *l = m->layout;
  m->sv_start = pl_observe_starts(m->group);
  int64_t num = m->sv_start[pl_group_num_irreps(m->group)];
  m->sigma = pl_alloc((size_t)num, sizeof *m->sigma, "singular values");
  m->values = pl_alloc((size_t)pl_observe_most_values(l), sizeof *m->values, "singular values");
  m->copy = pl_alloc((size_t)l->scratch, sizeof *m->copy, "workspace of a record");
  size_t size = (size_t)(m->schema.size > m->num_samples ? m->schema.size : m->num_samples);
  m->record = pl_alloc(size, sizeof *m->record, "a record");
  m->mean = pl_alloc(size, sizeof *m->mean, "a record");
  m->square = pl_alloc(size, sizeof *m->square, "a record");
  m->svd = pl_spectrum_svd_new(l);
  if (m->recipe->hidden == HIDDEN_CYCLIC && !m->recipe->relu)
    PL_TRY(pl_fourier_new(m->own, NULL, &m->cyclic));
  return PL_OK;
}

void elements_observe_free(elements_net *m) {
  pl_schema_free(&m->schema);
  pl_free(m->sv_start);
  pl_free(m->sigma);
  pl_free(m->values);
  pl_free(m->copy);
  pl_free(m->record);
  pl_free(m->mean);
  pl_free(m->square);
  pl_spectrum_svd_free(m->svd);
  pl_fourier_free(m->cyclic);
}

/* The least sum of ||w_l||^2 of filters over the cyclic group with this beta: (L/n) sum_k
 * |b_k|^(2/L), by the inequality of the means at each frequency (Gunasekar et al., NeurIPS 2018).
 */
static double least_cyclic(elements_net *m, const double *beta, double p) {
  double sum = 0, *b = pl_alloc((size_t)pl_fourier_size(m->own), sizeof *b, "coefficients");
  pl_fourier_forward(m->cyclic, 1, beta, 0, b, 0);
  const double *at = b;
  for (int64_t i = 0; i < pl_group_num_irreps(m->own); i++) {
    pl_irrep r = pl_group_irrep(m->own, i);
    sum += r.mult * pow(r.type == PL_REAL ? fabs(at[0]) : hypot(at[0], at[1]), p);
    at += pl_irrep_size(r);
  }
  pl_free(b);
  return m->depth / (double)m->order * sum;
}

static double least_norm2(elements_net *m, const pl_state *s, const double *beta) {
  if (m->recipe->relu || elements_pools(&m->spec)) return NAN;
  return m->cyclic ? least_cyclic(m, beta, s->p) : m->depth * pow(s->norm, s->p);
}

/* All that depends on one beta; s keeps what does not. */
static pl_status measure(elements_net *m, const double *beta, pl_state *s, double *out) {
  double largest = 0;
  s->norm = sqrt(pl_sum_squares(m->order, beta));
  s->real_sum = s->support = 0;
  for (int64_t k = 0; k < m->order; k++) largest = fmax(largest, fabs(beta[k]));
  for (int64_t k = 0; k < m->order; k++) {
    s->real_sum += pow(fabs(beta[k]), s->p);
    s->support += fabs(beta[k]) > PL_SUPPORT * largest;
  }
  s->least_parameter_norm2 = least_norm2(m, s, beta);
  s->full = beta;
  pl_transform_forward(m->transform, beta, m->F);
  pl_status st =
      pl_observe_spectrum(m->layout, m->F, m->sv_start, m->svd, m->copy, m->values, m->sigma);
  /* No direction: whatever belongs to normalised beta is missing. */
  for (int64_t k = 0; s->norm == 0 && k < m->sv_start[pl_group_num_irreps(m->group)]; k++)
    m->sigma[k] = NAN;
  double *sign =
      pl_records_irreps(&m->spec, m->group) ? pl_observe_orientation(m->layout, m->F) : NULL;
  s->orientation = sign;
  pl_observe_sums(s);
  pl_observe_compute(&m->schema, s, out);
  pl_free(sign);
  return st;
}

static void measure_weights(const elements_net *m, pl_state *s) {
  for (int l = 0; l < m->depth; l++) {
    const pl_param *p = &m->base.params[l];
    s->parameter_norm2 += pl_sum_squares(p->n, p->w);
    for (int64_t k = 0; k < p->n; k++) s->linf = fmax(s->linf, fabs(p->w[k]));
  }
}

static bool is_zero(int64_t n, const double *x) {
  for (int64_t k = 0; k < n; k++)
    if (x[k] != 0) return false;
  return true;
}

/* Welford's running mean and sum of squared deviations. */
static void take_in(int64_t size, double count, const double *record, double *mean,
                    double *square) {
  for (int64_t k = 0; k < size; k++) {
    double d = record[k] - mean[k];
    mean[k] += d / count;
    square[k] += d * (record[k] - mean[k]);
  }
}

/* Mean and variance over the team from those of its ranks. */
static void combine(elements_net *m, double count, double total) {
  int64_t size = m->schema.size;
  double *whole = m->record;
  for (int64_t k = 0; k < size; k++) whole[k] = count / total * m->mean[k];
  pl_comm_sum(&m->team, whole, size);
  for (int64_t k = 0; k < size; k++)
    m->square[k] =
        (m->square[k] + count * (m->mean[k] - whole[k]) * (m->mean[k] - whole[k])) / total;
  pl_comm_sum(&m->team, m->square, size);
  memcpy(m->mean, whole, (size_t)size * sizeof *m->mean);
}

/* A sample that no path of the network lets through has no linearisation: left out. */
static pl_status observe_samples(elements_net *m, pl_state *s) {
  int64_t size = m->schema.size;
  pl_status st = PL_OK;
  double live = 0, total;
  for (int64_t i = 0; i < m->count; i++) live += !is_zero(m->order, m->betas + i * m->order);
  total = live;
  pl_comm_sum(&m->team, &total, 1);
  s->live_samples = total;
  memset(m->mean, 0, (size_t)size * sizeof *m->mean);
  memset(m->square, 0, (size_t)size * sizeof *m->square);
  live = 0;
  for (int64_t i = 0; i < m->count; i++) {
    const double *beta = m->betas + i * m->order;
    if (is_zero(m->order, beta)) continue;
    pl_status one = measure(m, beta, s, m->record);
    if (one) st = one;
    take_in(size, ++live, m->record, m->mean, m->square);
  }
  if (total > 0) {
    combine(m, live, total);
    pl_observe_spread(&m->schema, m->mean, m->square);
  } else { /* what does not need a beta, and zeros over zero */
    measure(m, m->sum, s, m->mean);
  }
  return pl_agree(&m->team, st);
}

pl_status elements_observe(pl_model *model, double *out) {
  elements_net *m = elements_of(model);
  pl_state s = {.spec = &m->spec,
                .group = m->group,
                .depth = m->depth,
                .num_samples = m->num_samples,
                .margin = m->margin,
                .sv_start = m->sv_start,
                .sigma = m->sigma,
                .p = 2.0 / m->depth};
  pl_status st;
  measure_weights(m, &s);
  elements_linearise(m);
  if (m->num_test) s.test_accuracy = elements_test_accuracy(m);
  if (!m->recipe->relu) return measure(m, m->betas, &s, out);
  st = observe_samples(m, &s);
  if (m->team.rank == 0) memcpy(out, m->mean, (size_t)m->schema.size * sizeof *out);
  return st;
}
