#include "elements_observe.h"

#include "base/mem.h"
#include "elements_batch.h"
#include "elements_data.h"
#include "functional.h"

#include <math.h>
#include <string.h>

/* ---- measures of linear networks ---- */

typedef struct linear_state {
  pl_functional first;
  double least_norm2; /* the least sum ||w_l||^2 that gives this beta; NaN: not known */
} linear_state;

static void tightness(const void *of, double *out) {
  const linear_state *s = of;
  *out = s->least_norm2 / s->first.parameter_norm2;
}

static const pl_measure linear_rows[] = {
    {"tightness", NULL, "1", pl_functional_tightness, .compute = tightness},
};
static const pl_measures linear = PL_MEASURES(linear_rows);
const pl_measures *const elements_linear_measures[] = {&pl_functional_measures,
                                                       &pl_product_measures, &linear, NULL};

/* ---- and of nonlinear ones: means over the linearisations, and how far those spread ---- */

typedef struct relu_state {
  pl_functional first; /* of one linearisation */
  double live_samples;
} relu_state;

static const pl_measure relu_rows[] = {
    {"live_samples", NULL, "1", "samples at which the network has a gradient: those averaged over",
     .from = offsetof(relu_state, live_samples)},
};
static const pl_measure spread_rows[] = {
    {"beta_norm_spread", NULL, "1", "standard deviation of beta_norm over the samples",
     .from = offsetof(relu_state, first.norm)},
    {"schatten_spread", NULL, "1", "standard deviation of schatten over the samples",
     .compute = pl_functional_schatten},
    {"schatten_thresholded_spread", NULL, "1",
     "standard deviation of schatten_thresholded over the samples",
     .compute = pl_functional_schatten_thresholded},
    {"schatten_real_spread", NULL, "1", "standard deviation of schatten_real over the samples",
     .compute = pl_functional_schatten_real},
};
static const pl_measures relu = PL_MEASURES(relu_rows), spread = PL_MEASURES(spread_rows);
const pl_measures *const elements_relu_measures[] = {&pl_functional_measures, &pl_product_measures,
                                                     &relu, &spread, NULL};

static bool is_spread(const pl_measure *m) {
  for (int k = 0; k < spread.num; k++)
    if (m == &spread.row[k]) return true;
  return false;
}

pl_status elements_describe(const pl_spec *spec, pl_schema *out) {
  pl_group *g;
  PL_TRY(elements_group(spec, &g));
  pl_functional_describe(
      spec, g, elements_recipe_of(spec)->relu ? elements_relu_measures : elements_linear_measures,
      out);
  return PL_OK;
}

/* ---- life ---- */

pl_status elements_observe_new(elements_net *m) {
  PL_TRY(elements_describe(&m->spec, &m->schema));
  const pl_layout *l = m->layout;
  m->sv_start = pl_functional_starts(m->group);
  int64_t irreps = pl_group_num_irreps(m->group), num = m->sv_start[irreps];
  m->sigma = pl_alloc((size_t)num, sizeof *m->sigma, "singular values");
  m->sigma_work =
      pl_alloc((size_t)pl_functional_most_values(l), sizeof *m->sigma_work, "singular values");
  m->copy = pl_alloc((size_t)l->scratch, sizeof *m->copy, "workspace of a record");
  if (pl_functional_irreps(&m->spec, m->group))
    m->orientation = pl_alloc((size_t)irreps, sizeof *m->orientation, "orientation");
  size_t size = (size_t)m->schema.size;
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
  void *arrays[] = {m->sv_start,    m->sigma,  m->sigma_work, m->copy,
                    m->orientation, m->record, m->mean,       m->square};
  for (size_t k = 0; k < sizeof arrays / sizeof *arrays; k++) pl_free(arrays[k]);
  pl_spectrum_svd_free(m->svd);
  pl_fourier_free(m->cyclic);
}

/* ---- one functional ---- */

/* All that depends on one beta; s keeps what does not. */
static pl_status look(elements_net *m, const double *beta, pl_functional *s) {
  double largest = 0;
  s->norm = sqrt(pl_sum_squares(m->order, beta));
  s->real_sum = s->support = 0;
  for (int64_t k = 0; k < m->order; k++) largest = fmax(largest, fabs(beta[k]));
  for (int64_t k = 0; k < m->order; k++) {
    s->real_sum += pow(fabs(beta[k]), s->p);
    s->support += fabs(beta[k]) > PL_SUPPORT * largest;
  }
  s->full = beta;
  pl_transform_forward(m->transform, beta, m->F);
  pl_status st = pl_functional_spectrum(m->layout, m->F, m->sv_start, m->svd, m->copy,
                                        m->sigma_work, m->sigma);
  /* No direction: whatever belongs to normalised beta is missing. */
  for (int64_t k = 0; s->norm == 0 && k < m->sv_start[pl_group_num_irreps(m->group)]; k++)
    m->sigma[k] = NAN;
  if (m->orientation) pl_functional_orientation(m->layout, m->F, m->orientation);
  pl_functional_sums(s);
  return st;
}

/* What depends on no beta. */
static pl_functional whole(elements_net *m) {
  pl_functional s = {.spec = &m->spec,
                     .group = m->group,
                     .depth = m->depth,
                     .num_samples = elements_train(m)->num,
                     .margin = m->batch.all,
                     .sv_start = m->sv_start,
                     .sigma = m->sigma,
                     .orientation = m->orientation,
                     .p = 2.0 / m->depth};
  for (int l = 0; l < m->depth; l++) {
    const pl_param *p = &m->base.params[l];
    s.parameter_norm2 += pl_sum_squares(p->n, p->w);
    for (int64_t k = 0; k < p->n; k++) s.linf = fmax(s.linf, fabs(p->w[k]));
  }
  for (int k = PL_VALIDATION; k < PL_NUM_PARTS; k++)
    if (m->part[k].num) s.accuracy[k] = elements_accuracy(m, (pl_part)k);
  return s;
}

/* ---- linear ---- */

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

static double least_norm2(elements_net *m, const pl_functional *s, const double *beta) {
  if (elements_pools(&m->spec)) return NAN;
  return m->cyclic ? least_cyclic(m, beta, s->p) : m->depth * pow(s->norm, s->p);
}

static pl_status observe_linear(elements_net *m, double *out) {
  linear_state s = {.first = whole(m)};
  pl_status st = look(m, m->betas, &s.first);
  s.least_norm2 = least_norm2(m, &s.first, m->betas);
  pl_schema_compute(&m->schema, &s, out);
  return st;
}

/* ---- nonlinear ---- */

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

/* Mean and variance over the team from those of its ranks; spreads take the root of the variance.
 */
static void combine(elements_net *m, double count, double total) {
  int64_t size = m->schema.size;
  double *mean = m->record;
  for (int64_t k = 0; k < size; k++) mean[k] = count / total * m->mean[k];
  pl_comm_sum(&m->team, mean, size);
  for (int64_t k = 0; k < size; k++)
    m->square[k] = (m->square[k] + count * (m->mean[k] - mean[k]) * (m->mean[k] - mean[k])) / total;
  pl_comm_sum(&m->team, m->square, size);
  memcpy(m->mean, mean, (size_t)size * sizeof *m->mean);
  for (int k = 0; k < m->schema.num_measures; k++)
    if (is_spread(m->schema.measures[k])) {
      int64_t i = m->schema.offset[k];
      m->mean[i] = sqrt(m->square[i]);
    }
}

/* A sample that no path of the network lets through has no linearisation: left out. */
static pl_status observe_samples(elements_net *m, relu_state *s) {
  int64_t size = m->schema.size, count = elements_train(m)->count;
  pl_status st = PL_OK;
  double live = 0, total;
  for (int64_t i = 0; i < count; i++) live += !is_zero(m->order, m->betas + i * m->order);
  total = live;
  pl_comm_sum(&m->team, &total, 1);
  s->live_samples = total;
  memset(m->mean, 0, (size_t)size * sizeof *m->mean);
  memset(m->square, 0, (size_t)size * sizeof *m->square);
  live = 0;
  for (int64_t i = 0; i < count; i++) {
    const double *beta = m->betas + i * m->order;
    if (is_zero(m->order, beta)) continue;
    pl_status one = look(m, beta, &s->first);
    if (one) st = one;
    pl_schema_compute(&m->schema, s, m->record);
    take_in(size, ++live, m->record, m->mean, m->square);
  }
  if (total > 0) {
    combine(m, live, total);
  } else { /* what does not need a beta, and zeros over zero */
    look(m, m->sum, &s->first);
    pl_schema_compute(&m->schema, s, m->mean);
  }
  return pl_agree(&m->team, st);
}

pl_status elements_observe(pl_model *model, double *out) {
  elements_net *m = elements_of(model);
  if (!m->recipe->relu) {
    elements_linearise(m);
    return observe_linear(m, out);
  }
  elements_look_at_all(m);
  elements_linearise(m);
  relu_state s = {.first = whole(m)};
  pl_status st = observe_samples(m, &s);
  if (m->part[PL_VALIDATION].num || m->part[PL_TEST].num || elements_in_batches(m))
    elements_look_at_batch(m);
  if (m->team.rank == 0) memcpy(out, m->mean, (size_t)m->schema.size * sizeof *out);
  return st;
}
