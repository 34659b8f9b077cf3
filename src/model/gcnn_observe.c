#include "gcnn_internal.h"

#include "base/mem.h"
#include "model/loss.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- the state of one record, on rank 0 of the team ---- */

typedef struct state {
  const gcnn *m;
  double p;                    /* 2/L */
  double norm;                 /* ||beta||_2 over G */
  double parameter_norm2;      /* sum_l ||w_l||^2 */
  double real_sum;             /* sum_g |beta(g)|^p */
  double sum, sum_thresholded; /* sum m d sigma^p, sigma of normalised beta */
  double linf;                 /* largest |w_l(g)| */
  double largest, support;     /* largest |beta(g)|; number of g above GCNN_SUPPORT of it */
  double dual_bound;           /* depth 2 */
  const double *orientation;   /* [irreps] */
  gcnn_kkt kkt;
} state;

typedef struct observable {
  pl_observable public;
  bool (*wanted)(const pl_spec *spec, const pl_group *g); /* NULL: always */
  void (*compute)(const state *s, double *out);
} observable;

/* sum of m d sigma^q over irrep i, sigma of normalised beta; thresholded: only sigma > d eps
 * sigma_1, the rest being rounding noise. */
static double irrep_sum(const state *s, int64_t i, double q, bool thresholded) {
  const gcnn *m = s->m;
  pl_irrep r = pl_group_irrep(m->group, i);
  const double *sigma = m->sigma + m->sv_start[i];
  double floor = thresholded ? r.dim * DBL_EPSILON * sigma[0] : 0, sum = 0;
  for (int j = 0; j < r.dim; j++) {
    if (sigma[j] > floor)
      sum += pow(sigma[j] / s->norm, q);
    else if (isnan(sigma[j]))
      return NAN;
  }
  return sum * r.mult * r.dim;
}

static double schatten_sum(const state *s, double q, bool thresholded) {
  double sum = 0;
  int64_t n = pl_group_num_irreps(s->m->group);
  for (int64_t i = 0; i < n; i++) sum += irrep_sum(s, i, q, thresholded);
  return sum;
}

static double min_margin(const gcnn *m) {
  double least = INFINITY;
  for (int64_t i = 0; i < m->data->num_samples; i++) least = fmin(least, m->margin[i]);
  return least;
}

static double log_loss(const state *s) {
  return pl_log_loss(s->m->spec.loss, s->m->data->num_samples, s->m->margin);
}

static void obs_loss(const state *s, double *out) {
  *out = exp(log_loss(s));
}
static void obs_log_loss(const state *s, double *out) {
  *out = log_loss(s);
}
static void obs_min_margin(const state *s, double *out) {
  *out = min_margin(s->m);
}
static void obs_accuracy(const state *s, double *out) {
  int64_t n = s->m->data->num_samples, right = 0;
  for (int64_t i = 0; i < n; i++) right += s->m->margin[i] > 0;
  *out = (double)right / (double)n;
}
static void obs_beta_norm(const state *s, double *out) {
  *out = s->norm;
}
static void obs_schatten(const state *s, double *out) {
  *out = pow(s->sum, 1 / s->p);
}
static void obs_schatten_thresholded(const state *s, double *out) {
  *out = pow(s->sum_thresholded, 1 / s->p);
}
static void obs_schatten_real(const state *s, double *out) {
  *out = pow(s->real_sum, 1 / s->p) / s->norm;
}
static void obs_normalized_margin(const state *s, double *out) {
  *out = min_margin(s->m) / (s->norm * pow(s->sum_thresholded, 1 / s->p));
}
static void obs_parameter_norm(const state *s, double *out) {
  *out = sqrt(s->parameter_norm2);
}
static void obs_tightness(const state *s, double *out) {
  double order = (double)pl_group_order(s->m->group);
  *out = s->m->depth / order * s->sum_thresholded * pow(s->norm, s->p) / s->parameter_norm2;
}
static void obs_irrep_schatten(const state *s, double *out) {
  int64_t n = pl_group_num_irreps(s->m->group);
  for (int64_t i = 0; i < n; i++) out[i] = irrep_sum(s, i, s->p, false);
}
static void obs_irrep_energy(const state *s, double *out) {
  int64_t n = pl_group_num_irreps(s->m->group);
  /* Plancherel: ||beta||^2 = (1/|G|) sum m d sigma^2. */
  for (int64_t i = 0; i < n; i++)
    out[i] = irrep_sum(s, i, 2, false) / (double)pl_group_order(s->m->group);
}
static void obs_irrep_rank(const state *s, double *out) {
  const gcnn *m = s->m;
  int64_t n = pl_group_num_irreps(m->group);
  for (int64_t i = 0; i < n; i++) {
    const double *sigma = m->sigma + m->sv_start[i];
    out[i] = 0;
    for (int64_t j = 0; j < m->sv_start[i + 1] - m->sv_start[i]; j++)
      out[i] += sigma[j] > 1e-3 * sigma[0];
  }
}
static void obs_schatten_at(const state *s, double *out) {
  for (int k = 0; k < s->m->spec.record_exponents.n; k++) {
    double q = s->m->spec.record_exponents.v[k];
    out[k] = pow(schatten_sum(s, q, true), 1 / q);
  }
}
static void obs_sample_margin(const state *s, double *out) {
  memcpy(out, s->m->margin, (size_t)s->m->data->num_samples * sizeof *out);
}
static void obs_singular_values(const state *s, double *out) {
  const gcnn *m = s->m;
  int64_t n = m->sv_start[pl_group_num_irreps(m->group)];
  for (int64_t k = 0; k < n; k++) out[k] = m->sigma[k] / s->norm;
}
static void obs_beta(const state *s, double *out) {
  memcpy(out, s->m->full, (size_t)pl_group_order(s->m->group) * sizeof *out);
}

static void obs_l2_margin(const state *s, double *out) {
  *out = min_margin(s->m) / pow(s->parameter_norm2, s->m->depth / 2.0);
}
static void obs_linf_margin(const state *s, double *out) {
  *out = min_margin(s->m) / pow(s->linf, s->m->depth);
}
static void obs_dual_bound(const state *s, double *out) {
  *out = s->dual_bound;
}
static void obs_optimality_gap(const state *s, double *out) {
  double margin;
  obs_normalized_margin(s, &margin);
  *out = s->dual_bound > 0 ? 1 - margin / s->dual_bound : NAN;
}
static double fourier_rank(const state *s) {
  const gcnn *m = s->m;
  int64_t n = pl_group_num_irreps(m->group);
  double top = 0, rank = 0;
  for (int64_t i = 0; i < n; i++) top = fmax(top, m->sigma[m->sv_start[i]]);
  for (int64_t i = 0; i < n; i++) {
    pl_irrep r = pl_group_irrep(m->group, i);
    for (int j = 0; j < r.dim; j++)
      if (m->sigma[m->sv_start[i] + j] > GCNN_RANK * top) rank += r.mult * r.dim;
  }
  return rank;
}
static void obs_fourier_rank(const state *s, double *out) {
  *out = fourier_rank(s);
}
static void obs_support(const state *s, double *out) {
  *out = s->support;
}
static void obs_uncertainty_product(const state *s, double *out) {
  *out = s->support * fourier_rank(s);
}
static void obs_orientation(const state *s, double *out) {
  memcpy(out, s->orientation, (size_t)pl_group_num_irreps(s->m->group) * sizeof *out);
}
static void obs_irrep_stable_rank(const state *s, double *out) {
  const gcnn *m = s->m;
  int64_t n = pl_group_num_irreps(m->group);
  for (int64_t i = 0; i < n; i++) {
    const double *sigma = m->sigma + m->sv_start[i];
    out[i] = 0;
    for (int64_t j = 0; sigma[0] > 0 && j < m->sv_start[i + 1] - m->sv_start[i]; j++)
      out[i] += sigma[j] / sigma[0] * (sigma[j] / sigma[0]);
  }
}
static void obs_irrep_entropy_rank(const state *s, double *out) {
  const gcnn *m = s->m;
  int64_t n = pl_group_num_irreps(m->group);
  for (int64_t i = 0; i < n; i++) {
    const double *sigma = m->sigma + m->sv_start[i];
    int64_t d = m->sv_start[i + 1] - m->sv_start[i];
    double sum = 0, entropy = 0;
    for (int64_t j = 0; j < d; j++) sum += sigma[j];
    for (int64_t j = 0; j < d; j++)
      if (sigma[j] > 0) entropy -= sigma[j] / sum * log(sigma[j] / sum);
    out[i] = sum > 0 ? exp(entropy) : 0;
  }
}
static void obs_kkt_residual(const state *s, double *out) {
  *out = s->kkt.residual;
}
static void obs_kkt_slack(const state *s, double *out) {
  *out = s->kkt.slack;
}
static void obs_schatten_stationarity(const state *s, double *out) {
  *out = s->kkt.stationarity;
}
static void obs_schatten_excess(const state *s, double *out) {
  *out = s->kkt.excess;
}

static bool want_kkt(const pl_spec *spec, const pl_group *g) {
  (void)g;
  return spec->record_kkt == 1;
}
static bool want_spectrum(const pl_spec *spec, const pl_group *g) {
  (void)g;
  return spec->record_spectrum == 1;
}
static bool want_beta(const pl_spec *spec, const pl_group *g) {
  (void)g;
  return spec->record_beta == 1;
}
static bool want_exponents(const pl_spec *spec, const pl_group *g) {
  (void)g;
  return spec->record_exponents.n > 0;
}
bool gcnn_records_irreps(const pl_spec *spec, const pl_group *g) {
  return spec->record_irreps == PL_UNSET ? pl_group_num_irreps(g) <= 10000 : spec->record_irreps;
}

/* An observable is one row here and its function above. */
static const observable observables[] = {
    {{"loss", NULL, "1", "mean loss over the samples"}, NULL, obs_loss},
    {{"log_loss", NULL, "1", "natural logarithm of the loss"}, NULL, obs_log_loss},
    {{"min_margin", NULL, "1", "smallest margin y_i <x_i, beta>"}, NULL, obs_min_margin},
    {{"accuracy", NULL, "1", "share of samples with positive margin"}, NULL, obs_accuracy},
    {{"beta_norm", NULL, "1", "Euclidean norm of beta over the group"}, NULL, obs_beta_norm},
    {{"schatten", NULL, "1", "Schatten value S_p of normalised beta, p = 2/depth"},
     NULL,
     obs_schatten},
    {{"schatten_thresholded", NULL, "1",
      "Schatten value S_p of normalised beta over singular values above d eps sigma_1"},
     NULL,
     obs_schatten_thresholded},
    {{"schatten_real", NULL, "1", "l_p quasi-norm of normalised beta over the group, p = 2/depth"},
     NULL,
     obs_schatten_real},
    {{"normalized_margin", NULL, "1", "smallest margin over the thresholded S_p of beta"},
     NULL,
     obs_normalized_margin},
    {{"parameter_norm", NULL, "1", "Euclidean norm of all filters"}, NULL, obs_parameter_norm},
    {{"tightness", NULL, "1",
      "(depth/|G|) S_p(beta)^p / squared norm of all filters; 1: layers balanced and aligned"},
     NULL,
     obs_tightness},
    {{"l2_margin", NULL, "1", "smallest margin over the Euclidean norm of all filters ^ depth"},
     NULL,
     obs_l2_margin},
    {{"linf_margin", NULL, "1", "smallest margin over (largest |filter value over G|) ^ depth"},
     NULL,
     obs_linf_margin},
    {{"dual_bound", NULL, "1",
      "depth 2: least upper bound found so far of the normalised margin of any beta"},
     NULL,
     obs_dual_bound},
    {{"optimality_gap", NULL, "1", "depth 2: 1 - normalized_margin / dual_bound"},
     NULL,
     obs_optimality_gap},
    {{"fourier_rank", NULL, "1",
      "sum of m d over singular values of beta above 1e-3 of the largest of all irreps"},
     NULL,
     obs_fourier_rank},
    {{"support", NULL, "1", "elements of G where |beta| is above 1e-3 of its largest value"},
     NULL,
     obs_support},
    {{"uncertainty_product", NULL, "1", "support times fourier_rank; exact ones are at least |G|"},
     NULL,
     obs_uncertainty_product},
    {{"kkt_residual", NULL, "1",
      "distance of the filters to the cone of the gradients of the samples with margin up to 1.01 "
      "of the smallest, over their norm"},
     want_kkt,
     obs_kkt_residual},
    {{"kkt_slack", NULL, "1",
      "mean of margin / smallest - 1 over the samples, weighted by the multipliers of the cone"},
     want_kkt,
     obs_kkt_slack},
    {{"schatten_stationarity", NULL, "1",
      "relative distance of sum a_i y_i X_i to the gradient of S_p at beta, on beta's row and "
      "column spaces (singular values above 1e-3 of the largest)"},
     want_kkt,
     obs_schatten_stationarity},
    {{"schatten_excess", NULL, "1",
      "depth 2: how far sum a_i y_i X_i passes the subgradients of S_1 off those spaces, relative"},
     want_kkt,
     obs_schatten_excess},
    {{"irrep_schatten", "irrep", "1", "m d sum sigma^p of normalised beta, p = 2/depth"},
     gcnn_records_irreps,
     obs_irrep_schatten},
    {{"irrep_energy", "irrep", "1", "share of the squared norm of beta"},
     gcnn_records_irreps,
     obs_irrep_energy},
    {{"irrep_rank", "irrep", "1", "singular values above 1e-3 of the irrep's largest"},
     gcnn_records_irreps,
     obs_irrep_rank},
    {{"irrep_stable_rank", "irrep", "1", "sum of sigma^2 over the largest sigma^2"},
     gcnn_records_irreps,
     obs_irrep_stable_rank},
    {{"irrep_entropy_rank", "irrep", "1",
      "exponential of the entropy of sigma / sum of sigma (Roy and Vetterli 2007)"},
     gcnn_records_irreps,
     obs_irrep_entropy_rank},
    {{"orientation", "irrep", "1", "sign of B on real irreps of dimension one; missing elsewhere"},
     gcnn_records_irreps,
     obs_orientation},
    {{"schatten_at", "exponent", "1",
      "Schatten value S_q of normalised beta, q the exponent (thresholded)"},
     want_exponents,
     obs_schatten_at},
    {{"sample_margin", "sample", "1", "margin y_i <x_i, beta> of each sample"},
     NULL,
     obs_sample_margin},
    {{"singular_values", "sv", "1", "singular values of normalised beta, decreasing per irrep"},
     want_spectrum,
     obs_singular_values},
    {{"beta", "element", "1", "beta over the group, unnormalised"}, want_beta, obs_beta},
};
enum { NUM_OBSERVABLES = sizeof observables / sizeof *observables };

/* ---- axes and their coordinates ---- */

typedef struct context {
  pl_group *group;
  pl_spec spec;
  int64_t *sv_irrep; /* irrep of a singular value; only if recorded */
} context;

static void irrep_label(const void *c, int64_t i, double *number, char *text) {
  (void)number;
  pl_group_irrep_label(((const context *)c)->group, i, text, 64);
}
static void irrep_type(const void *c, int64_t i, double *number, char *text) {
  (void)number;
  const context *x = c;
  snprintf(text, 64, "%s", pl_irrep_type_name(pl_group_irrep(x->group, i).type));
}
static void irrep_group(const void *c, int64_t i, double *number, char *text) {
  (void)number, (void)i;
  snprintf(text, 64, "%s", pl_group_spec(((const context *)c)->group));
}
static void irrep_dim(const void *c, int64_t i, double *number, char *text) {
  (void)text;
  *number = pl_group_irrep(((const context *)c)->group, i).dim;
}
static void irrep_multiplicity(const void *c, int64_t i, double *number, char *text) {
  (void)text;
  *number = pl_group_irrep(((const context *)c)->group, i).mult;
}
static void sv_irrep(const void *c, int64_t i, double *number, char *text) {
  (void)text;
  *number = (double)((const context *)c)->sv_irrep[i];
}
static void element_label(const void *c, int64_t i, double *number, char *text) {
  (void)number;
  pl_group_element_label(((const context *)c)->group, i, text, 64);
}
static void exponent(const void *c, int64_t i, double *number, char *text) {
  (void)text;
  *number = ((const context *)c)->spec.record_exponents.v[i];
}

static const pl_coord irrep_coords[] = {
    {"irrep_label", "1", "label of the irrep (S_n: partition)", true, false, NULL, irrep_label},
    {"irrep_dim", "1", "dimension d of the irrep", false, true, NULL, irrep_dim},
    {"irrep_type", "1", "real, complex or quaternionic", true, false, NULL, irrep_type},
    {"irrep_multiplicity", "1", "m: 2 for a complex pair, stored once; otherwise 1", false, true,
     NULL, irrep_multiplicity},
    {"irrep_group", "1", "group of the irrep", true, false, NULL, irrep_group},
};
static const pl_coord sv_coords[] = {
    {"sv_irrep", "1", "irrep of the singular value, an index of dimension irrep", false, true,
     "irrep", sv_irrep},
};
static const pl_coord element_coords[] = {
    {"element", "1", "label of the group element", true, false, NULL, element_label}};
static const pl_coord exponent_coords[] = {
    {"exponent", "1", "exponent q of schatten_at", false, false, NULL, exponent}};
#define COORDS(x) x, sizeof x / sizeof *x

static void free_context(void *c) {
  context *x = c;
  pl_group_free(x->group);
  pl_free(x->sv_irrep);
  pl_free(x);
}

pl_status gcnn_describe(const pl_spec *spec, pl_schema *out) {
  context *c = pl_zalloc(1, sizeof *c, "schema");
  pl_status st = pl_group_parse(spec->group, &c->group);
  if (st) {
    pl_free(c);
    return st;
  }
  c->spec = *spec;
  const char *group = pl_group_spec(c->group);
  int64_t irreps = pl_group_num_irreps(c->group), sv = 0;
  for (int64_t i = 0; i < irreps; i++) sv += pl_group_irrep(c->group, i).dim;
  if (spec->record_spectrum) {
    c->sv_irrep = pl_alloc((size_t)sv, sizeof *c->sv_irrep, "singular values");
    for (int64_t i = 0, k = 0; i < irreps; i++)
      for (int j = 0; j < pl_group_irrep(c->group, i).dim; j++) c->sv_irrep[k++] = i;
  }
  const pl_axis axes[] = {
      {"irrep", (char *)group, irreps, COORDS(irrep_coords)},
      {"sv", (char *)group, sv, COORDS(sv_coords)},
      {"element", (char *)group, pl_group_order(c->group), COORDS(element_coords)},
      {"sample", (char *)"", pl_data_num_samples(spec), NULL, 0},
      {"exponent", (char *)"", spec->record_exponents.n, COORDS(exponent_coords)},
  };
  enum { NUM_AXES = sizeof axes / sizeof *axes };
  *out = (pl_schema){.context = c, .free_context = free_context};
  out->observables = pl_alloc(NUM_OBSERVABLES, sizeof *out->observables, "schema");
  out->offset = pl_alloc(NUM_OBSERVABLES, sizeof *out->offset, "schema");
  out->length = pl_alloc(NUM_OBSERVABLES, sizeof *out->length, "schema");
  out->axes = pl_alloc(NUM_AXES, sizeof *out->axes, "schema");
  bool used[NUM_AXES] = {0};
  for (int k = 0; k < NUM_OBSERVABLES; k++) {
    const observable *o = &observables[k];
    if (o->wanted && !o->wanted(spec, c->group)) continue;
    int n = out->num_observables++;
    out->observables[n] = &o->public;
    out->offset[n] = out->size;
    out->length[n] = 1;
    for (int a = 0; o->public.axis && a < NUM_AXES; a++)
      if (!strcmp(axes[a].name, o->public.axis)) {
        out->length[n] = axes[a].length;
        used[a] = true;
      }
    out->size += out->length[n];
  }
  /* The table of irreps is part of the file wherever singular values point into it. */
  if (spec->record_spectrum) used[0] = true;
  for (int a = 0; a < NUM_AXES; a++)
    if (used[a]) {
      out->axes[out->num_axes] = axes[a];
      out->axes[out->num_axes++].key = pl_strdup(axes[a].key);
    }
  return PL_OK;
}

/* ---- a record ---- */

/* Singular values of every irrep into m->sigma on rank 0 of the team, and beta as a spectrum. */
static pl_status decompose(gcnn *m) {
  const pl_layout *l = m->layout;
  int64_t num = m->sv_start[pl_group_num_irreps(m->group)];
  pl_status worst = PL_OK;
  memset(m->sigma, 0, (size_t)num * sizeof *m->sigma);
  double *values = m->values, *copy = m->scratch[1];
  for (int i = 0; i < l->num_batches; i++) {
    const pl_batch *b = &l->batches[i];
    if (!b->here) continue;
    gcnn_product(m, b, m->beta + b->offset);
    memcpy(copy, m->beta + b->offset, (size_t)pl_batch_doubles(b) * sizeof *copy);
    if (pl_batch_singular_values(l, b, copy, m->svd, values)) worst = PL_NUMERIC;
    if (b->owner != l->team.rank) continue;
    for (int64_t k = 0; k < b->count; k++)
      memcpy(m->sigma + m->sv_start[b->irrep[k]], values + k * b->dim,
             (size_t)b->dim * sizeof *values);
  }
  if (l->team.size > 1)
    MPI_Reduce(l->team.rank ? m->sigma : MPI_IN_PLACE, m->sigma, pl_int(num), MPI_DOUBLE, MPI_SUM,
               0, l->team.mpi);
  if (worst) pl_error(worst, "singular values of beta could not be computed");
  return pl_agree(&l->team, worst);
}

/* Signs of the one-dimensional real irreps of beta on rank 0 of the team, NaN elsewhere. */
static double *orientation(const gcnn *m) {
  const pl_layout *l = m->layout;
  int64_t n = pl_group_num_irreps(m->group);
  double *sign = pl_zalloc((size_t)n, sizeof *sign, "orientation");
  for (int i = 0; i < l->num_batches; i++) {
    const pl_batch *b = &l->batches[i];
    if (b->owner != l->team.rank) continue;
    for (int64_t k = 0; k < b->count; k++) {
      double v = m->beta[b->offset + k];
      sign[b->irrep[k]] = b->dim == 1 && b->type == PL_REAL ? (v > 0) - (v < 0) : NAN;
    }
  }
  if (l->team.size > 1)
    MPI_Reduce(l->team.rank ? sign : MPI_IN_PLACE, sign, pl_int(n), MPI_DOUBLE, MPI_SUM, 0,
               l->team.mpi);
  return sign;
}

static double largest(int64_t n, const double *x) {
  double most = 0;
  for (int64_t k = 0; k < n; k++) most = fmax(most, fabs(x[k]));
  return most;
}

/* What needs functions over G: the filters one after the other, then beta, which stays in m->f. */
static void observe_over_group(gcnn *m, state *s) {
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
    sums[1] += fabs(m->f[k]) > GCNN_SUPPORT * most[1];
  }
  pl_comm_sum(&l->team, sums, 2);
  s->linf = most[0];
  s->real_sum = sums[0];
  s->support = sums[1];
}

pl_status gcnn_observe(pl_model *model, double *out) {
  gcnn *m = gcnn_of(model);
  const pl_layout *l = m->layout;
  state s = {.m = m, .p = 2.0 / m->depth, .dual_bound = NAN};
  pl_status st = decompose(m);

  double sums[2] = {0}; /* ||beta||^2, sum ||w_l||^2 */
  for (int i = 0; i < l->num_batches; i++) {
    const pl_batch *b = &l->batches[i];
    sums[0] += b->weight * pl_sum_squares(pl_batch_doubles(b), m->beta + b->offset);
    for (int k = 0; k < m->depth; k++)
      sums[1] += b->weight * pl_sum_squares(pl_batch_doubles(b), m->w[k] + b->offset);
  }
  pl_comm_sum(&l->team, sums, 2);
  s.norm = sqrt(sums[0]);
  s.parameter_norm2 = sums[1];
  observe_over_group(m, &s);
  if (m->spec.record_beta) pl_transform_gather(m->transform, m->f, m->full);
  double *multipliers = NULL;
  if (m->spec.record_kkt) {
    multipliers = pl_alloc((size_t)m->data->num_samples, sizeof *multipliers, "multipliers");
    pl_status kkt = gcnn_kkt_observe(m, s.parameter_norm2, multipliers, &s.kkt);
    if (!st) st = kkt;
  }
  if (m->depth == 2) s.dual_bound = gcnn_dual_bound(m, s.kkt.residual < 1 ? multipliers : NULL);
  pl_free(multipliers);
  double *sign = gcnn_records_irreps(&m->spec, m->group) ? orientation(m) : NULL;
  s.orientation = sign;
  if (l->team.rank == 0) {
    s.sum = schatten_sum(&s, s.p, false);
    s.sum_thresholded = schatten_sum(&s, s.p, true);
    for (int k = 0, n = 0; k < NUM_OBSERVABLES && n < m->schema.num_observables; k++)
      if (m->schema.observables[n] == &observables[k].public)
        observables[k].compute(&s, out + m->schema.offset[n++]);
  }
  pl_free(sign);
  return st;
}
