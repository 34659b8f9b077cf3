#include "elements_observe.h"

#include "base/mem.h"
#include "base/pause.h"
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
  *out = pl_functional_over_norm2(&s->first, s->least_norm2);
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
     .compute = pl_functional_beta_norm},
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
      NULL, 0, out);
  return PL_OK;
}

/* ---- life ---- */

pl_status elements_observe_new(elements_net *m, const pl_rates *rates) {
  PL_TRY(elements_describe(&m->spec, &m->schema));
  const pl_layout *l = m->layout;
  m->sv_start = pl_functional_starts(m->group);
  int64_t irreps = pl_group_num_irreps(m->group), num = m->sv_start[irreps];
  m->sigma = pl_alloc((size_t)num, sizeof *m->sigma, "singular values");
  m->sigma_work =
      pl_alloc((size_t)pl_functional_most_values(l), sizeof *m->sigma_work, "singular values");
  m->scaled = pl_alloc((size_t)m->order, sizeof *m->scaled, "beta in range");
  m->scaled_margin =
      pl_alloc((size_t)elements_train(m)->num, sizeof *m->scaled_margin, "margins in range");
  m->copy = pl_alloc((size_t)l->scratch, sizeof *m->copy, "workspace of a record");
  if (pl_functional_irreps(&m->spec, m->group))
    m->orientation = pl_alloc((size_t)irreps, sizeof *m->orientation, "orientation");
  size_t size = (size_t)m->schema.size;
  m->record = pl_alloc(size, sizeof *m->record, "a record");
  m->mean = pl_alloc(size, sizeof *m->mean, "a record");
  m->square = pl_alloc(size, sizeof *m->square, "a record");
  m->svd = pl_spectrum_svd_new(l, rates);
  if (m->recipe->hidden == HIDDEN_CYCLIC && !m->recipe->relu)
    PL_TRY(pl_fourier_new(m->own, NULL, &m->cyclic));
  return PL_OK;
}

void elements_observe_free(elements_net *m) {
  pl_schema_free(&m->schema);
  void *arrays[] = {m->sv_start,      m->sigma,       m->sigma_work, m->copy, m->scaled,
                    m->scaled_margin, m->orientation, m->record,     m->mean, m->square};
  for (size_t k = 0; k < sizeof arrays / sizeof *arrays; k++) pl_free(arrays[k]);
  pl_spectrum_svd_free(m->svd);
  pl_fourier_free(m->cyclic);
}

/* ---- one functional ---- */

/* beta, times a power of two where its squares are out of range.  Margins are scaled along, unless
 * the network has made beta in range itself. */
static const double *in_range(elements_net *m, const double *beta, pl_functional *s) {
  double sum = pl_sum_squares(m->order, beta);
  s->norm = sqrt(sum);
  s->scaled_margin = s->shift ? s->scaled_margin : s->margin;
  if (pl_sum_safe(sum)) return beta;
  int shift = pl_functional_shift(pl_norm2(m->order, beta));
  if (shift == 0) return beta;
  for (int64_t k = 0; k < m->order; k++) m->scaled[k] = ldexp(beta[k], shift);
  for (int64_t i = 0; i < s->num_samples; i++)
    m->scaled_margin[i] = ldexp(s->scaled_margin[i], shift);
  s->scaled_margin = m->scaled_margin;
  s->shift += shift;
  s->norm = sqrt(pl_sum_squares(m->order, m->scaled));
  return m->scaled;
}

/* All that depends on one beta, 2^s->shift times as large; s keeps what does not. */
static pl_status look(elements_net *m, const double *beta, pl_functional *s) {
  double largest = 0;
  beta = in_range(m, beta, s);
  s->real_sum = s->support = 0;
  for (int64_t k = 0; k < m->order; k++) largest = fmax(largest, fabs(beta[k]));
  for (int64_t k = 0; k < m->order; k++) {
    s->real_sum += pow(fabs(beta[k]), s->p);
    s->support += fabs(beta[k]) > PL_SUPPORT * largest;
  }
  s->full = beta;
  pl_transform_forward(m->transform, beta, m->F);
  pl_status st = pl_functional_spectrum(m->layout, pl_stack_source_of(m->F), m->sv_start, m->svd,
                                        m->copy, m->sigma_work, m->sigma);
  /* No direction: whatever belongs to normalised beta is missing. */
  for (int64_t k = 0; s->norm == 0 && k < m->sv_start[pl_group_num_irreps(m->group)]; k++)
    m->sigma[k] = NAN;
  if (m->orientation)
    pl_functional_orientation(m->layout, pl_stack_source_of(m->F), m->orientation);
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
  double norm = 0;
  for (int l = 0; l < m->depth; l++) {
    const pl_param *p = &m->base.params[l];
    s.parameter_norm2 += pl_sum_squares(p->n, p->w);
    norm = hypot(norm, pl_norm2(p->n, p->w));
    for (int64_t k = 0; k < p->n; k++) s.linf = fmax(s.linf, fabs(p->w[k]));
  }
  s.parameter_norm = pl_sum_safe(s.parameter_norm2) ? sqrt(s.parameter_norm2) : norm;
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

/* beta: 2^shift times the network's own. */
static double least_norm2(elements_net *m, const pl_functional *s, const double *beta, int shift) {
  if (elements_pools(&m->spec)) return NAN;
  return m->cyclic ? exp2(-shift * s->p) * least_cyclic(m, beta, s->p)
                   : m->depth * pl_functional_norm_power(s, s->p);
}

/* m->betas: beta or, where its squares or it itself leave the range, beta of the filters brought
 * near 1 each; returns the power of two between the two. */
static int linearise(elements_net *m) {
  elements_linearise(m);
  double sum = pl_sum_squares(m->order, m->betas);
  if (pl_sum_safe(sum)) return 0;
  int shift = 0;
  for (int l = 0; l < m->depth; l++) {
    const pl_param *p = &m->base.params[l];
    int own = pl_functional_shift(pl_norm2(p->n, p->w));
    memcpy(m->gradient[l], p->w, (size_t)p->n * sizeof *p->w);
    for (int64_t k = 0; k < p->n; k++) p->w[k] = ldexp(p->w[k], own);
    shift += own;
  }
  elements_refresh_layers(m);
  elements_linearise(m);
  for (int l = 0; l < m->depth; l++)
    memcpy(m->base.params[l].w, m->gradient[l], (size_t)m->base.params[l].n * sizeof(double));
  elements_refresh_layers(m);
  return shift;
}

/* Margins of m->betas, which may be in range where the network's own are not. */
static void scale_margins(elements_net *m) {
  const elements_part *part = elements_train(m);
  memset(m->scaled_margin, 0, (size_t)part->num * sizeof *m->scaled_margin);
  for (int64_t i = 0; i < part->count; i++) {
    double *f = &m->scaled_margin[part->first + i];
    for (int64_t k = 0; k < m->order; k++) *f += part->x[i * m->order + k] * m->betas[k];
    *f *= part->y[part->first + i];
  }
  pl_comm_sum(&m->team, m->scaled_margin, part->num);
}

static pl_status observe_linear(elements_net *m, double *out) {
  linear_state s = {.first = whole(m)};
  s.first.shift = linearise(m);
  if (s.first.shift) scale_margins(m);
  s.first.scaled_margin = m->scaled_margin;
  int shift = s.first.shift;
  pl_status st = look(m, m->betas, &s.first);
  s.least_norm2 = least_norm2(m, &s.first, m->betas, shift);
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
    if (pl_pause()) break;
    if (is_zero(m->order, beta)) continue;
    s->first.shift = 0;
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
  if (!m->recipe->relu) return observe_linear(m, out);
  elements_look_at_all(m);
  elements_linearise(m);
  relu_state s = {.first = whole(m)};
  pl_status st = observe_samples(m, &s);
  if (m->part[PL_VALIDATION].num || m->part[PL_TEST].num || elements_in_batches(m))
    elements_look_at_batch(m);
  if (m->team.rank == 0) memcpy(out, m->mean, (size_t)m->schema.size * sizeof *out);
  return st;
}
