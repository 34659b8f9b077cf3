#include "gcnn_observe.h"

#include "base/mem.h"
#include "functional.h"
#include "gcnn_dual.h"
#include "gcnn_kkt.h"

#include <math.h>
#include <string.h>

/* The state of one record. */
typedef struct state {
  pl_functional first;
  gcnn_kkt kkt;
  double dual_bound; /* depth 2 */
} state;

/* ---- measures ---- */

static void tightness(const void *of, double *out) {
  const pl_functional *s = of;
  *out = pl_functional_over_norm2(s, s->depth / pl_group_volume(s->group) * s->sum_thresholded *
                                         pl_functional_norm_power(s, s->p));
}
static void optimality_gap(const void *of, double *out) {
  const state *s = of;
  double margin;
  pl_functional_normalized_margin(s, &margin);
  /* No bound on anything while samples are on the wrong side. */
  *out = s->dual_bound > 0 && margin > 0 ? 1 - margin / s->dual_bound : NAN;
}
static bool want_kkt(const pl_spec *spec, const void *context) {
  (void)context;
  return pl_group_values_of(spec)->record_kkt == 1;
}

#define FROM(member) .from = offsetof(state, member)
static const pl_measure rows[] = {
    {"tightness", NULL, "1", pl_functional_tightness, .compute = tightness},
    {"dual_bound", NULL, "1",
     "depth 2: least upper bound found so far of the normalised margin of any beta",
     FROM(dual_bound)},
    {"optimality_gap", NULL, "1", "depth 2: 1 - normalized_margin / dual_bound",
     .compute = optimality_gap, .better = -1},
    {"kkt_residual", NULL, "1",
     "distance of the filters to the cone of the gradients of the samples with margin up to 1.01 "
     "of the smallest, over their norm",
     .wanted = want_kkt, FROM(kkt.residual), .better = -1},
    {"kkt_slack", NULL, "1",
     "mean of margin / smallest - 1 over the samples, weighted by the multipliers of the cone",
     .wanted = want_kkt, FROM(kkt.slack), .better = -1},
    {"schatten_stationarity", NULL, "1",
     "relative distance of sum a_i y_i X_i to the gradient of S_p at beta, on beta's row and "
     "column spaces (singular values above 1e-3 of the largest)",
     .wanted = want_kkt, FROM(kkt.stationarity), .better = -1},
    {"schatten_excess", NULL, "1",
     "depth 2: how far sum a_i y_i X_i passes the subgradients of S_1 off those spaces, relative",
     .wanted = want_kkt, FROM(kkt.excess), .better = -1},
};
static const pl_measures own = PL_MEASURES(rows);
const pl_measures *const gcnn_measures[] = {&pl_functional_measures, &own, NULL};

pl_status gcnn_describe(const pl_spec *spec, pl_schema *out) {
  pl_group *g;
  PL_TRY(pl_group_of(spec, NULL, &g));
  pl_functional_describe(spec, g, gcnn_measures, out);
  return PL_OK;
}

/* ---- life ---- */

pl_status gcnn_observe_new(gcnn *m) {
  const pl_layout *l = m->layout;
  PL_TRY(gcnn_describe(&m->spec, &m->schema));
  m->beta = pl_zalloc((size_t)l->local, sizeof *m->beta, "beta in Fourier space");
  m->sv_start = pl_functional_starts(m->group);
  int64_t irreps = pl_group_num_irreps(m->group), num = m->sv_start[irreps];
  m->sigma = pl_alloc((size_t)num, sizeof *m->sigma, "singular values");
  m->stack_sigma =
      pl_alloc((size_t)pl_functional_most_values(l), sizeof *m->stack_sigma, "singular values");
  m->svd = pl_spectrum_svd_new(l);
  if (pl_functional_irreps(&m->spec, m->group))
    m->orientation = pl_alloc((size_t)irreps, sizeof *m->orientation, "orientation");
  if (m->values->record_beta && l->team.rank == 0)
    m->full = pl_alloc((size_t)pl_group_order(m->group), sizeof *m->full, "beta over G");
  return PL_OK;
}

void gcnn_observe_free(gcnn *m) {
  pl_free(m->beta);
  pl_free(m->sv_start);
  pl_free(m->sigma);
  pl_free(m->stack_sigma);
  pl_free(m->orientation);
  pl_free(m->full);
  pl_spectrum_svd_free(m->svd);
  pl_schema_free(&m->schema);
}

/* ---- a record ---- */

static double norm_of_all(const gcnn *m) {
  double norm = 0;
  for (int k = 0; k < m->depth; k++) norm = hypot(norm, pl_spectrum_norm(m->layout, m->w[k]));
  return norm;
}

/* Norms of beta and of the filters. */
static void observe_norms(const gcnn *m, pl_functional *s) {
  const pl_layout *l = m->layout;
  double sums[2] = {0}; /* ||beta||^2, sum ||w_l||^2 */
  for (int i = 0; i < l->num_stacks; i++) {
    const pl_stack *b = &l->stacks[i];
    sums[0] += b->weight * pl_sum_squares(pl_stack_doubles(b), m->beta + b->offset);
    for (int k = 0; k < m->depth; k++)
      sums[1] += b->weight * pl_sum_squares(pl_stack_doubles(b), m->w[k] + b->offset);
  }
  pl_comm_sum(&l->team, sums, 2);
  s->norm = sqrt(sums[0]);
  s->parameter_norm2 = sums[1];
  s->parameter_norm = pl_sum_safe(sums[1]) ? sqrt(sums[1]) : norm_of_all(m);
}

/* beta as a spectrum. */
static void multiply(gcnn *m) {
  const pl_layout *l = m->layout;
  for (int i = 0; i < l->num_stacks; i++)
    if (l->stacks[i].here) gcnn_product(m, &l->stacks[i], m->beta + l->stacks[i].offset);
}

/* m->beta <- 2^shift beta from filters near 1: products of small ones lose their digits. */
static void multiply_scaled(gcnn *m, pl_functional *s) {
  const pl_layout *l = m->layout;
  int *shift = pl_alloc((size_t)m->depth, sizeof *shift, "scales of filters");
  for (int k = 0; k < m->depth; k++) {
    shift[k] = pl_functional_shift(pl_spectrum_norm(l, m->w[k]));
    s->shift += shift[k];
  }
  for (int i = 0; i < l->num_stacks; i++) {
    const pl_stack *b = &l->stacks[i];
    double *product = m->beta + b->offset, *filter = m->scratch[0], *next = m->scratch[1];
    int64_t n = pl_stack_doubles(b);
    if (!b->here) continue;
    for (int64_t q = 0; q < n; q++) product[q] = ldexp(m->w[0][b->offset + q], shift[0]);
    for (int k = 1; k < m->depth; k++) {
      for (int64_t q = 0; q < n; q++) filter[q] = ldexp(m->w[k][b->offset + q], shift[k]);
      pl_stack_mul(b, PL_NN, filter, product, next);
      memcpy(product, next, (size_t)n * sizeof *product);
    }
  }
  pl_free(shift);
}

/* Margins of 2^shift beta. */
static const double *scaled_margins(gcnn *m) {
  const pl_layout *l = m->layout;
  int64_t n = m->train->num;
  memset(m->sums, 0, (size_t)n * sizeof *m->sums);
  for (int i = 0; i < l->num_stacks; i++) {
    const pl_stack *b = &l->stacks[i];
    if (b->here)
      pl_multi_dot(n, pl_stack_doubles(b), b->weight, pl_samples_stack(m->train, b),
                   pl_data_stride(b), m->beta + b->offset, m->sums);
  }
  pl_comm_sum(&l->team, m->sums, n);
  for (int64_t i = 0; i < n; i++) m->sums[i] *= m->train->y[i];
  return m->sums;
}

/* beta, in range, and singular values of every irrep into m->sigma on rank 0 of the team. */
static pl_status decompose(gcnn *m, pl_functional *s) {
  multiply(m);
  observe_norms(m, s);
  if (!pl_sum_safe(s->norm * s->norm) && s->parameter_norm > 0 && isfinite(s->parameter_norm)) {
    multiply_scaled(m, s);
    s->norm = pl_spectrum_norm(m->layout, m->beta);
    s->scaled_margin = scaled_margins(m);
  }
  return pl_functional_spectrum(m->layout, m->beta, m->sv_start, m->svd, m->scratch[1],
                                m->stack_sigma, m->sigma);
}

static double largest(int64_t n, const double *x) {
  double most = 0;
  for (int64_t k = 0; k < n; k++) most = fmax(most, fabs(x[k]));
  return most;
}

/* What needs functions over G: the filters one after the other, then beta, which stays in m->f. */
static void observe_over_group(gcnn *m, pl_functional *s) {
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

/* Share of the samples of a part on the right side of beta, a spectrum. */
static double accuracy_on(const gcnn *m, const pl_samples *part) {
  const pl_layout *l = m->layout;
  int64_t n = part->num, right = 0;
  double *f = pl_zalloc((size_t)n, sizeof *f, "outputs");
  for (int i = 0; i < l->num_stacks; i++) {
    const pl_stack *b = &l->stacks[i];
    pl_multi_dot(n, pl_stack_doubles(b), b->weight, pl_samples_stack(part, b), pl_data_stride(b),
                 m->beta + b->offset, f);
  }
  pl_comm_sum(&l->team, f, n);
  for (int64_t i = 0; i < n; i++) right += part->y[i] * f[i] > 0;
  pl_free(f);
  return (double)right / (double)n;
}

static pl_status certify(gcnn *m, state *s) {
  double *multipliers = NULL;
  pl_status st = PL_OK;
  if (m->values->record_kkt) {
    multipliers = pl_alloc((size_t)m->train->num, sizeof *multipliers, "multipliers");
    st = gcnn_kkt_observe(m, s->first.parameter_norm2, multipliers, &s->kkt);
  }
  if (m->depth == 2) s->dual_bound = gcnn_dual_bound(m, s->kkt.residual < 1 ? multipliers : NULL);
  pl_free(multipliers);
  return st;
}

pl_status gcnn_observe(pl_model *model, double *out) {
  gcnn *m = gcnn_of(model);
  const pl_layout *l = m->layout;
  state s = {.first = {.spec = &m->spec,
                       .group = m->group,
                       .depth = m->depth,
                       .num_samples = m->train->num,
                       .margin = m->margin,
                       .scaled_margin = m->margin,
                       .sv_start = m->sv_start,
                       .sigma = m->sigma,
                       .full = m->full,
                       .orientation = m->orientation,
                       .p = 2.0 / m->depth},
             .dual_bound = NAN};
  pl_status st = decompose(m, &s.first);
  if (m->transform) observe_over_group(m, &s.first);
  for (int part = PL_VALIDATION; part < PL_NUM_PARTS; part++)
    if (m->data->part[part].num) s.first.accuracy[part] = accuracy_on(m, &m->data->part[part]);
  if (m->values->record_beta) pl_transform_gather(m->transform, m->f, m->full);
  pl_status certified = certify(m, &s);
  if (!st) st = certified;
  if (m->orientation) pl_functional_orientation(l, m->beta, m->orientation);
  if (l->team.rank == 0) {
    pl_functional_sums(&s.first);
    pl_schema_compute(&m->schema, &s, out);
  }
  return st;
}
