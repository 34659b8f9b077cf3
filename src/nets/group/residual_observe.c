#include "residual_observe.h"

#include "base/mem.h"
#include "base/pause.h"
#include "fourier_observe.h"
#include "linalg/eigenvalues.h"
#include "linalg/momentum.h"
#include "nets/blocks.h"

#include <math.h>
#include <string.h>

/* Per irrep, one array after the other in m->irreps. */
enum { DET_SIGN, LOG_ABS_DET, NEGATIVE, ERROR, NUM_IRREP };

typedef residual_record state;

/* ---- measures ---- */

static void train_accuracy(const void *of, double *out) {
  const pl_functional *s = of;
  int64_t right = 0;
  for (int64_t i = 0; i < s->num_samples; i++) right += s->margin[i] > 0;
  *out = (double)right / (double)s->num_samples;
}
static void increment_schatten_at(const void *of, double *out) {
  pl_functional_schatten_at(&((const state *)of)->increment, out);
}
static void increment_rank(const void *of, double *out) {
  pl_functional_fourier_rank(&((const state *)of)->increment, out);
}
static void increment_irrep_rank(const void *of, double *out) {
  pl_functional_irrep_rank(&((const state *)of)->increment, out);
}
static void irrep_array(const void *of, int which, double *out) {
  const state *s = of;
  int64_t n = pl_group_num_irreps(s->first.group);
  memcpy(out, s->m->irreps + which * n, (size_t)n * sizeof *out);
}
static void det_sign(const void *of, double *out) {
  irrep_array(of, DET_SIGN, out);
}
static void log_abs_det(const void *of, double *out) {
  irrep_array(of, LOG_ABS_DET, out);
}
static void negative_eigenvalues(const void *of, double *out) {
  irrep_array(of, NEGATIVE, out);
}
static void block_error(const void *of, double *out) {
  irrep_array(of, ERROR, out);
}

static bool is_square(const pl_spec *spec) {
  return pl_group_values_of(spec)->loss == PL_LOSS_SQUARE;
}
static bool want_margins(const pl_spec *spec, const void *context) {
  (void)context;
  return !is_square(spec);
}
static bool want_irreps(const pl_spec *spec, const void *context) {
  return pl_functional_irreps(spec, ((const pl_functional_context *)context)->group);
}
static bool want_error(const pl_spec *spec, const void *context) {
  return is_square(spec) && want_irreps(spec, context);
}
static bool want_exponents(const pl_spec *spec, const void *context) {
  (void)context;
  return pl_group_values_of(spec)->record_exponents.n > 0;
}

#define FROM(member) .from = offsetof(state, member)
static const pl_measure rows[] = {
    {"train_accuracy", NULL, "1", PL_ACCURACY " of the training part", .wanted = want_margins,
     .compute = train_accuracy, .better = 1},
    {"gradient_norm", NULL, "1", "Euclidean norm of the gradient of the step to come",
     FROM(gradient_norm), .better = -1},
    {"increment_norm", NULL, "1", "Euclidean norm over the group of beta less the identity",
     FROM(increment.norm)},
    {"increment_rank", NULL, "1",
     "sum of m d over singular values of B - 1 above 1e-3 of the largest of all irreps",
     .compute = increment_rank},
    {"increment_schatten_at", "exponent", "1",
     "Schatten value S_q of beta less the identity, normalised, q the exponent (thresholded)",
     .wanted = want_exponents, .compute = increment_schatten_at},
    {"increment_irrep_rank", "irrep", "1",
     "singular values of B - 1 above 1e-3 of the irrep's largest", .wanted = want_irreps,
     .compute = increment_irrep_rank},
    {"det_sign", "irrep", "1",
     "sign of det B; missing where the irrep is complex or quaternionic, whose groups are "
     "connected",
     .wanted = want_irreps, .compute = det_sign},
    {"log_abs_det", "irrep", "1", "natural logarithm of |det B|", .wanted = want_irreps,
     .compute = log_abs_det},
    {"negative_eigenvalues", "irrep", "1",
     "real eigenvalues of B below zero, with multiplicity; missing where the irrep is not real",
     .wanted = want_irreps, .compute = negative_eigenvalues},
    {"block_error", "irrep", "1",
     "the irrep's part of ||beta - target||^2 / ||target||^2, twice the loss in sum",
     .wanted = want_error, .compute = block_error},
    {"lambda_eps", NULL, "1", PL_LAMBDA_EPS, FROM(lambda_eps)},
    {"bits_lost", NULL, "1", PL_BITS_LOST, FROM(bits_lost)},
    {"reversal_error", NULL, "1", PL_REVERSAL_ERROR, FROM(reversal_error), .better = -1},
    {"store_bytes", NULL, "byte", PL_STORE_BYTES, FROM(store_bytes)},
};
static const pl_measures own = PL_MEASURES(rows);
const pl_measures *const residual_measures[] = {&pl_functional_measures, &own,
                                                &residual_weight_measures, NULL};

pl_status residual_describe(const pl_spec *spec, pl_schema *out) {
  pl_group *g;
  PL_TRY(pl_group_of(spec, NULL, &g));
  pl_axis axes[2];
  residual_weight_axes(spec, g, axes);
  pl_functional_describe(spec, g, residual_measures, axes, 2, out);
  return PL_OK;
}

/* ---- life ---- */

void residual_observe_new(residual *m) {
  const fourier_net *net = &m->net;
  int64_t irreps = pl_group_num_irreps(net->group), num = net->sv_start[irreps];
  m->irreps = pl_alloc(NUM_IRREP * (size_t)irreps, sizeof *m->irreps, "determinants");
  m->increment = pl_alloc((size_t)net->layout->local, sizeof *m->increment, "B - 1");
  m->increment_sigma = pl_alloc((size_t)num, sizeof *m->increment_sigma, "singular values");
  residual_weights_new(m);
}

void residual_observe_free(residual *m) {
  pl_free(m->irreps);
  pl_free(m->increment);
  pl_free(m->increment_sigma);
  residual_weights_free(m);
}

/* ---- a record ---- */

static double squared_norm(const pl_layout *l, const double *F) {
  double sum = 0;
  for (int i = 0; i < l->num_stacks; i++) {
    const pl_stack *b = &l->stacks[i];
    sum += b->weight * pl_sum_squares(pl_stack_doubles(b), F + b->offset);
  }
  pl_comm_sum(&l->team, &sum, 1);
  return sum;
}

/* beta less the identity, and its singular values. */
static pl_status decompose_increment(residual *m, state *s) {
  fourier_net *net = &m->net;
  const pl_layout *l = net->layout;
  for (int i = 0; i < l->num_stacks; i++) {
    const pl_stack *b = &l->stacks[i];
    double *out = m->increment + b->offset;
    residual_identity(b, out);
    for (int64_t k = 0; k < pl_stack_doubles(b); k++) out[k] = net->beta[b->offset + k] - out[k];
  }
  s->increment = s->first;
  s->increment.sigma = m->increment_sigma;
  s->increment.norm = sqrt(squared_norm(l, m->increment));
  return pl_functional_spectrum(l, pl_stack_source_of(m->increment), net->sv_start, net->svd,
                                net->scratch[1], net->stack_sigma, m->increment_sigma);
}

/* Determinant and eigenvalues of one whole matrix, overwritten; copy: as large. */
static pl_status analyse(pl_eigenvalues *w, const pl_stack *b, double *whole, double *copy,
                         double *values, double *out, int64_t stride) {
  bool z = pl_stack_complex(b);
  int64_t negative = 0;
  memcpy(copy, whole, (size_t)b->dim * (size_t)b->dim * (z ? 2 : 1) * sizeof *copy);
  pl_determinant(w, b->dim, z, copy, &out[DET_SIGN * stride], &out[LOG_ABS_DET * stride]);
  out[NEGATIVE * stride] = NAN;
  if (z) return PL_OK;
  PL_TRY(pl_eigenvalues_apply(w, b->dim, false, whole, values));
  for (int k = 0; k < b->dim; k++) negative += values[2 * k] < 0 && values[2 * k + 1] == 0;
  out[NEGATIVE * stride] = (double)negative;
  return PL_OK;
}

static void add_errors(residual *m, const pl_stack *b, double *out) {
  const fourier_net *net = &m->net;
  const double *x = pl_samples_stack(net->train, b), *B = net->beta + b->offset;
  for (int64_t k = 0; k < b->count; k++) {
    double sum = 0;
    for (int64_t i = k * b->size; i < (k + 1) * b->size; i++) sum += (B[i] - x[i]) * (B[i] - x[i]);
    out[b->irrep[k]] += b->weight * sum / net->target_norm2;
  }
}

/* All of m->irreps. */
static pl_status observe_irreps(residual *m) {
  const fourier_net *net = &m->net;
  const pl_layout *l = net->layout;
  int64_t n = pl_group_num_irreps(net->group);
  int dim = 0;
  for (int i = 0; i < l->num_stacks; i++)
    if (l->stacks[i].owner == l->team.rank && l->stacks[i].dim > dim) dim = l->stacks[i].dim;
  size_t room = (size_t)dim * (size_t)dim * (l->any_complex ? 2 : 1);
  double *whole = pl_alloc(room, sizeof *whole, "a block of B");
  double *copy = pl_alloc(room, sizeof *copy, "a block of B");
  double *values = pl_alloc(2 * (size_t)dim, sizeof *values, "eigenvalues");
  pl_eigenvalues *w = pl_eigenvalues_new(dim, l->any_complex);
  pl_status worst = PL_OK;
  memset(m->irreps, 0, NUM_IRREP * (size_t)n * sizeof *m->irreps);
  for (int i = 0; i < l->num_stacks; i++) {
    const pl_stack *b = &l->stacks[i];
    if (!b->here || (b->grid < 0 && pl_pause())) continue;
    if (fourier_square(net)) add_errors(m, b, m->irreps + ERROR * n);
    if (b->grid >= 0) pl_dmat_gather(&b->mat, net->beta + b->offset, whole);
    for (int64_t k = 0; b->owner == l->team.rank && k < b->count; k++) {
      if (b->grid < 0)
        memcpy(whole, net->beta + b->offset + k * b->size, (size_t)b->size * sizeof *whole);
      pl_status st = analyse(w, b, whole, copy, values, m->irreps + b->irrep[k], n);
      if (st) worst = st;
    }
  }
  pl_comm_sum(&l->team, m->irreps, NUM_IRREP * n);
  pl_eigenvalues_free(w);
  pl_free(whole);
  pl_free(copy);
  pl_free(values);
  return pl_agree(&l->team, worst);
}

/* The recursion run backwards, and what its store holds. */
static void observe_store(residual *m, state *s) {
  fourier_net *net = &m->net;
  const pl_layout *l = net->layout;
  double sums[3] = {residual_store_bytes(&net->spec, (double)l->local), 0, 0};
  for (int i = 0; i < l->num_stacks; i++) {
    const pl_stack *b = &l->stacks[i];
    if (!b->here || m->gamma == 0) continue;
    sums[1] += (double)pl_stack_doubles(b);
    if (residual_reverses(m)) sums[2] += residual_bits(m, b);
    s->reversal_error = fmax(s->reversal_error, residual_undo(m, b));
    if (net->forgets) net->ops->forward(net, b);
  }
  pl_comm_sum(&l->team, sums, 3);
  pl_comm_max(&l->team, &s->reversal_error, 1);
  s->store_bytes = sums[0];
  s->bits_lost = residual_reverses(m) ? sums[2] / sums[1] : NAN;
  if (m->gamma == 0) s->reversal_error = NAN;
}

pl_status residual_observe(pl_model *model, double *out) {
  residual *m = residual_of(model);
  fourier_net *net = &m->net;
  double g = net->values->gamma;
  state s = {.m = m, .lambda_eps = g == 0 ? 0 : pl_momentum_least(1 / ((1 - g) * m->depth))};
  pl_status st = fourier_observe(net, 2, &s.first), other = decompose_increment(m, &s);
  if (!st) st = other;
  if (pl_functional_irreps(&net->spec, net->group)) {
    other = observe_irreps(m);
    if (!st) st = other;
  }
  other = residual_weights_observe(m);
  if (!st) st = other;
  s.gradient_norm = fourier_gradient_norm(net);
  observe_store(m, &s);
  if (net->layout->team.rank == 0) pl_schema_compute(&net->schema, &s, out);
  return st;
}
