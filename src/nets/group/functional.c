#include "functional.h"

#include "base/mem.h"
#include "nets/group/data.h"
#include "model/loss.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct observable {
  pl_observable public;
  bool (*wanted)(const pl_spec *spec, const pl_group *g); /* NULL: always */
  void (*compute)(const pl_state *s, double *out);
  int networks; /* 0: any */
  bool spread;  /* over linearisations, not their mean */
} observable;

/* sum of m d sigma^q over irrep i, sigma of normalised beta; thresholded: only sigma > d eps
 * sigma_1, the rest being rounding noise. */
static double irrep_sum(const pl_state *s, int64_t i, double q, bool thresholded) {
  pl_irrep r = pl_group_irrep(s->group, i);
  const double *sigma = s->sigma + s->sv_start[i];
  double floor = thresholded ? r.dim * DBL_EPSILON * sigma[0] : 0, sum = 0;
  for (int j = 0; j < r.dim; j++) {
    if (sigma[j] > floor)
      sum += pow(sigma[j] / s->norm, q);
    else if (isnan(sigma[j]))
      return NAN;
  }
  return sum * r.mult * r.dim;
}

static double schatten_sum(const pl_state *s, double q, bool thresholded) {
  double sum = 0;
  int64_t n = pl_group_num_irreps(s->group);
  for (int64_t i = 0; i < n; i++) sum += irrep_sum(s, i, q, thresholded);
  return sum;
}

static double min_margin(const pl_state *s) {
  double least = INFINITY;
  for (int64_t i = 0; i < s->num_samples; i++) least = fmin(least, s->margin[i]);
  return least;
}

static double log_loss(const pl_state *s) {
  return pl_log_loss(s->spec->loss, s->num_samples, s->margin);
}

static void obs_loss(const pl_state *s, double *out) {
  *out = exp(log_loss(s));
}
static void obs_log_loss(const pl_state *s, double *out) {
  *out = log_loss(s);
}
static void obs_min_margin(const pl_state *s, double *out) {
  *out = min_margin(s);
}
static void obs_accuracy(const pl_state *s, double *out) {
  int64_t n = s->num_samples, right = 0;
  for (int64_t i = 0; i < n; i++) right += s->margin[i] > 0;
  *out = (double)right / (double)n;
}
static void obs_test_accuracy(const pl_state *s, double *out) {
  *out = s->test_accuracy;
}
static void obs_beta_norm(const pl_state *s, double *out) {
  *out = s->norm;
}
static void obs_schatten(const pl_state *s, double *out) {
  *out = pow(s->sum, 1 / s->p);
}
static void obs_schatten_thresholded(const pl_state *s, double *out) {
  *out = pow(s->sum_thresholded, 1 / s->p);
}
static void obs_schatten_real(const pl_state *s, double *out) {
  *out = pow(s->real_sum, 1 / s->p) / s->norm;
}
static void obs_normalized_margin(const pl_state *s, double *out) {
  *out = min_margin(s) / (s->norm * pow(s->sum_thresholded, 1 / s->p));
}
static void obs_parameter_norm(const pl_state *s, double *out) {
  *out = sqrt(s->parameter_norm2);
}
static void obs_tightness(const pl_state *s, double *out) {
  *out = s->depth / pl_group_volume(s->group) * s->sum_thresholded * pow(s->norm, s->p) /
         s->parameter_norm2;
}
static void obs_tightness_over_group(const pl_state *s, double *out) {
  *out = s->least_parameter_norm2 / s->parameter_norm2;
}
static void obs_live_samples(const pl_state *s, double *out) {
  *out = s->live_samples;
}
static void obs_irrep_schatten(const pl_state *s, double *out) {
  int64_t n = pl_group_num_irreps(s->group);
  for (int64_t i = 0; i < n; i++) out[i] = irrep_sum(s, i, s->p, false);
}
static void obs_irrep_energy(const pl_state *s, double *out) {
  int64_t n = pl_group_num_irreps(s->group);
  /* Plancherel: ||beta||^2 = (1/V) sum m d sigma^2. */
  for (int64_t i = 0; i < n; i++) out[i] = irrep_sum(s, i, 2, false) / pl_group_volume(s->group);
}
static void obs_irrep_rank(const pl_state *s, double *out) {
  int64_t n = pl_group_num_irreps(s->group);
  for (int64_t i = 0; i < n; i++) {
    const double *sigma = s->sigma + s->sv_start[i];
    out[i] = 0;
    for (int64_t j = 0; j < s->sv_start[i + 1] - s->sv_start[i]; j++)
      out[i] += sigma[j] > 1e-3 * sigma[0];
  }
}
static void obs_schatten_at(const pl_state *s, double *out) {
  for (int k = 0; k < s->spec->record_exponents.n; k++) {
    double q = s->spec->record_exponents.v[k];
    out[k] = pow(schatten_sum(s, q, true), 1 / q);
  }
}
static void obs_sample_margin(const pl_state *s, double *out) {
  memcpy(out, s->margin, (size_t)s->num_samples * sizeof *out);
}
static void obs_singular_values(const pl_state *s, double *out) {
  int64_t n = s->sv_start[pl_group_num_irreps(s->group)];
  for (int64_t k = 0; k < n; k++) out[k] = s->sigma[k] / s->norm;
}
static void obs_beta(const pl_state *s, double *out) {
  memcpy(out, s->full, (size_t)pl_group_order(s->group) * sizeof *out);
}

static void obs_l2_margin(const pl_state *s, double *out) {
  *out = min_margin(s) / pow(s->parameter_norm2, s->depth / 2.0);
}
static void obs_linf_margin(const pl_state *s, double *out) {
  *out = min_margin(s) / pow(s->linf, s->depth);
}
static void obs_dual_bound(const pl_state *s, double *out) {
  *out = s->dual_bound;
}
static void obs_optimality_gap(const pl_state *s, double *out) {
  double margin;
  obs_normalized_margin(s, &margin);
  *out = s->dual_bound > 0 ? 1 - margin / s->dual_bound : NAN;
}
static double fourier_rank(const pl_state *s) {
  int64_t n = pl_group_num_irreps(s->group);
  double top = 0, rank = 0;
  for (int64_t i = 0; i < n; i++) top = fmax(top, s->sigma[s->sv_start[i]]);
  for (int64_t i = 0; i < n; i++) {
    pl_irrep r = pl_group_irrep(s->group, i);
    for (int j = 0; j < r.dim; j++)
      if (s->sigma[s->sv_start[i] + j] > PL_RANK * top) rank += r.mult * r.dim;
  }
  return rank;
}
static void obs_fourier_rank(const pl_state *s, double *out) {
  *out = fourier_rank(s);
}
static void obs_support(const pl_state *s, double *out) {
  *out = s->support;
}
static void obs_uncertainty_product(const pl_state *s, double *out) {
  *out = s->support * fourier_rank(s);
}
static void obs_orientation(const pl_state *s, double *out) {
  memcpy(out, s->orientation, (size_t)pl_group_num_irreps(s->group) * sizeof *out);
}
static void obs_irrep_stable_rank(const pl_state *s, double *out) {
  int64_t n = pl_group_num_irreps(s->group);
  for (int64_t i = 0; i < n; i++) {
    const double *sigma = s->sigma + s->sv_start[i];
    out[i] = 0;
    for (int64_t j = 0; sigma[0] > 0 && j < s->sv_start[i + 1] - s->sv_start[i]; j++)
      out[i] += sigma[j] / sigma[0] * (sigma[j] / sigma[0]);
  }
}
static void obs_irrep_entropy_rank(const pl_state *s, double *out) {
  int64_t n = pl_group_num_irreps(s->group);
  for (int64_t i = 0; i < n; i++) {
    const double *sigma = s->sigma + s->sv_start[i];
    int64_t d = s->sv_start[i + 1] - s->sv_start[i];
    double sum = 0, entropy = 0;
    for (int64_t j = 0; j < d; j++) sum += sigma[j];
    for (int64_t j = 0; j < d; j++)
      if (sigma[j] > 0) entropy -= sigma[j] / sum * log(sigma[j] / sum);
    out[i] = sum > 0 ? exp(entropy) : 0;
  }
}
static void obs_kkt_residual(const pl_state *s, double *out) {
  *out = s->kkt.residual;
}
static void obs_kkt_slack(const pl_state *s, double *out) {
  *out = s->kkt.slack;
}
static void obs_schatten_stationarity(const pl_state *s, double *out) {
  *out = s->kkt.stationarity;
}
static void obs_schatten_excess(const pl_state *s, double *out) {
  *out = s->kkt.excess;
}

static bool want_elements(const pl_spec *spec, const pl_group *g) {
  (void)spec;
  return !pl_group_codepth(g);
}
static bool want_kkt(const pl_spec *spec, const pl_group *g) {
  (void)g;
  return spec->record_kkt == 1;
}
static bool want_test(const pl_spec *spec, const pl_group *g) {
  (void)g;
  return pl_data_num_test(spec) > 0;
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
bool pl_records_irreps(const pl_spec *spec, const pl_group *g) {
  return spec->record_irreps == PL_UNSET ? pl_group_num_irreps(g) <= 10000 : spec->record_irreps;
}

/* An observable is one row here and its function above. */
static const observable observables[] = {
    {{"loss", NULL, "1", "mean loss over the samples"}, .compute = obs_loss},
    {{"log_loss", NULL, "1", "natural logarithm of the loss"}, .compute = obs_log_loss},
    {{"min_margin", NULL, "1", "smallest margin y_i <x_i, beta>"}, .compute = obs_min_margin},
    {{"accuracy", NULL, "1", "share of samples with positive margin"}, .compute = obs_accuracy},
    {{"test_accuracy", NULL, "1", "share of fresh samples of the teacher with positive margin"},
     .wanted = want_test,
     .compute = obs_test_accuracy},
    {{"beta_norm", NULL, "1", "Euclidean norm of beta over the group"}, .compute = obs_beta_norm},
    {{"schatten", NULL, "1", "Schatten value S_p of normalised beta, p = 2/depth"},
     .compute = obs_schatten},
    {{"schatten_thresholded", NULL, "1",
      "Schatten value S_p of normalised beta over singular values above d eps sigma_1"},
     .compute = obs_schatten_thresholded},
    {{"schatten_real", NULL, "1", "l_p quasi-norm of normalised beta over the group, p = 2/depth"},
     .wanted = want_elements,
     .compute = obs_schatten_real},
    {{"normalized_margin", NULL, "1", "smallest margin over the thresholded S_p of beta"},
     .compute = obs_normalized_margin},
    {{"parameter_norm", NULL, "1", "Euclidean norm of all filters"}, .compute = obs_parameter_norm},
    {{"tightness", NULL, "1",
      "(depth/|G|) S_p(beta)^p / squared norm of all filters; 1: layers balanced and aligned"},
     .compute = obs_tightness,
     .networks = PL_NET_GCNN},
    {{"tightness", NULL, "1",
      "least squared norm of all weights that gives beta, over the present one"},
     .compute = obs_tightness_over_group,
     .networks = PL_NET_LINEAR},
    {{"live_samples", NULL, "1",
      "samples at which the network has a gradient: those averaged over"},
     .compute = obs_live_samples,
     .networks = PL_NET_NONLINEAR},
    {{"beta_norm_spread", NULL, "1", "standard deviation of beta_norm over the samples"},
     .compute = obs_beta_norm,
     .networks = PL_NET_NONLINEAR,
     .spread = true},
    {{"schatten_spread", NULL, "1", "standard deviation of schatten over the samples"},
     .compute = obs_schatten,
     .networks = PL_NET_NONLINEAR,
     .spread = true},
    {{"schatten_thresholded_spread", NULL, "1",
      "standard deviation of schatten_thresholded over the samples"},
     .compute = obs_schatten_thresholded,
     .networks = PL_NET_NONLINEAR,
     .spread = true},
    {{"schatten_real_spread", NULL, "1", "standard deviation of schatten_real over the samples"},
     .compute = obs_schatten_real,
     .networks = PL_NET_NONLINEAR,
     .spread = true},
    {{"l2_margin", NULL, "1", "smallest margin over the Euclidean norm of all filters ^ depth"},
     .compute = obs_l2_margin},
    {{"linf_margin", NULL, "1", "smallest margin over (largest |filter value over G|) ^ depth"},
     .wanted = want_elements,
     .compute = obs_linf_margin},
    {{"dual_bound", NULL, "1",
      "depth 2: least upper bound found so far of the normalised margin of any beta"},
     .compute = obs_dual_bound,
     .networks = PL_NET_GCNN},
    {{"optimality_gap", NULL, "1", "depth 2: 1 - normalized_margin / dual_bound"},
     .compute = obs_optimality_gap,
     .networks = PL_NET_GCNN},
    {{"fourier_rank", NULL, "1",
      "sum of m d over singular values of beta above 1e-3 of the largest of all irreps"},
     .compute = obs_fourier_rank},
    {{"support", NULL, "1", "elements of G where |beta| is above 1e-3 of its largest value"},
     .wanted = want_elements,
     .compute = obs_support},
    {{"uncertainty_product", NULL, "1", "support times fourier_rank; exact ones are at least |G|"},
     .wanted = want_elements,
     .compute = obs_uncertainty_product},
    {{"kkt_residual", NULL, "1",
      "distance of the filters to the cone of the gradients of the samples with margin up to 1.01 "
      "of the smallest, over their norm"},
     .wanted = want_kkt,
     .compute = obs_kkt_residual,
     .networks = PL_NET_GCNN},
    {{"kkt_slack", NULL, "1",
      "mean of margin / smallest - 1 over the samples, weighted by the multipliers of the cone"},
     .wanted = want_kkt,
     .compute = obs_kkt_slack,
     .networks = PL_NET_GCNN},
    {{"schatten_stationarity", NULL, "1",
      "relative distance of sum a_i y_i X_i to the gradient of S_p at beta, on beta's row and "
      "column spaces (singular values above 1e-3 of the largest)"},
     .wanted = want_kkt,
     .compute = obs_schatten_stationarity,
     .networks = PL_NET_GCNN},
    {{"schatten_excess", NULL, "1",
      "depth 2: how far sum a_i y_i X_i passes the subgradients of S_1 off those spaces, relative"},
     .wanted = want_kkt,
     .compute = obs_schatten_excess,
     .networks = PL_NET_GCNN},
    {{"irrep_schatten", "irrep", "1", "m d sum sigma^p of normalised beta, p = 2/depth"},
     .wanted = pl_records_irreps,
     .compute = obs_irrep_schatten},
    {{"irrep_energy", "irrep", "1", "share of the squared norm of beta"},
     .wanted = pl_records_irreps,
     .compute = obs_irrep_energy},
    {{"irrep_rank", "irrep", "1", "singular values above 1e-3 of the irrep's largest"},
     .wanted = pl_records_irreps,
     .compute = obs_irrep_rank},
    {{"irrep_stable_rank", "irrep", "1", "sum of sigma^2 over the largest sigma^2"},
     .wanted = pl_records_irreps,
     .compute = obs_irrep_stable_rank},
    {{"irrep_entropy_rank", "irrep", "1",
      "exponential of the entropy of sigma / sum of sigma (Roy and Vetterli 2007)"},
     .wanted = pl_records_irreps,
     .compute = obs_irrep_entropy_rank},
    {{"orientation", "irrep", "1", "sign of B on real irreps of dimension one; missing elsewhere"},
     .wanted = pl_records_irreps,
     .compute = obs_orientation},
    {{"schatten_at", "exponent", "1",
      "Schatten value S_q of normalised beta, q the exponent (thresholded)"},
     .wanted = want_exponents,
     .compute = obs_schatten_at},
    {{"sample_margin", "sample", "1", "margin y_i <x_i, beta> of each sample"},
     .compute = obs_sample_margin},
    {{"singular_values", "sv", "1", "singular values of normalised beta, decreasing per irrep"},
     .wanted = want_spectrum,
     .compute = obs_singular_values},
    {{"beta", "element", "1", "beta over the group, unnormalised"},
     .wanted = want_beta,
     .compute = obs_beta},
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
static void irrep_log_order(const void *c, int64_t i, double *number, char *text) {
  (void)text, (void)i;
  *number = pl_group_log_order(((const context *)c)->group);
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
    {"irrep_log_order", "1", "natural logarithm of the order of that group", false, false, NULL,
     irrep_log_order},
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

pl_status pl_observe_describe(const pl_spec *spec, pl_network network, pl_schema *out) {
  context *c = pl_zalloc(1, sizeof *c, "schema");
  pl_status st = pl_data_group(spec, NULL, &c->group);
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
      {"element", (char *)group, spec->record_beta ? pl_group_order(c->group) : 0,
       COORDS(element_coords)},
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
    if (o->networks && !(o->networks & network)) continue;
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

void pl_observe_sums(pl_state *s) {
  s->sum = schatten_sum(s, s->p, false);
  s->sum_thresholded = schatten_sum(s, s->p, true);
}

void pl_observe_compute(const pl_schema *schema, const pl_state *s, double *out) {
  for (int k = 0, n = 0; k < NUM_OBSERVABLES && n < schema->num_observables; k++)
    if (schema->observables[n] == &observables[k].public)
      observables[k].compute(s, out + schema->offset[n++]);
}

void pl_observe_spread(const pl_schema *schema, double *mean, const double *var) {
  for (int k = 0, n = 0; k < NUM_OBSERVABLES && n < schema->num_observables; k++) {
    if (schema->observables[n] != &observables[k].public) continue;
    for (int64_t i = schema->offset[n];
         observables[k].spread && i < schema->offset[n] + schema->length[n]; i++)
      mean[i] = sqrt(var[i]);
    n++;
  }
}

int64_t *pl_observe_starts(const pl_group *g) {
  int64_t irreps = pl_group_num_irreps(g);
  int64_t *start = pl_alloc((size_t)irreps + 1, sizeof *start, "singular values");
  start[0] = 0;
  for (int64_t i = 0; i < irreps; i++) start[i + 1] = start[i] + pl_group_irrep(g, i).dim;
  return start;
}

int64_t pl_observe_most_values(const pl_layout *l) {
  int64_t most = 0;
  for (int i = 0; i < l->num_stacks; i++) {
    int64_t n = l->stacks[i].count * l->stacks[i].dim;
    if (l->stacks[i].here && n > most) most = n;
  }
  return most;
}

pl_status pl_observe_spectrum(const pl_layout *l, const double *beta, const int64_t *sv_start,
                              pl_spectrum_svd *svd, double *copy, double *values, double *sigma) {
  int64_t num = sv_start[pl_group_num_irreps(l->group)];
  pl_status worst = PL_OK;
  memset(sigma, 0, (size_t)num * sizeof *sigma);
  for (int i = 0; i < l->num_stacks; i++) {
    const pl_stack *b = &l->stacks[i];
    if (!b->here) continue;
    memcpy(copy, beta + b->offset, (size_t)pl_stack_doubles(b) * sizeof *copy);
    if (pl_stack_singular_values(l, b, copy, svd, values)) worst = PL_NUMERIC;
    if (b->owner != l->team.rank) continue;
    for (int64_t k = 0; k < b->count; k++)
      memcpy(sigma + sv_start[b->irrep[k]], values + k * b->dim, (size_t)b->dim * sizeof *values);
  }
  if (l->team.size > 1)
    MPI_Reduce(l->team.rank ? sigma : MPI_IN_PLACE, sigma, pl_int(num), MPI_DOUBLE, MPI_SUM, 0,
               l->team.mpi);
  if (worst) pl_error(worst, "singular values of beta could not be computed");
  return pl_agree(&l->team, worst);
}

double *pl_observe_orientation(const pl_layout *l, const double *beta) {
  int64_t n = pl_group_num_irreps(l->group);
  double *sign = pl_zalloc((size_t)n, sizeof *sign, "orientation");
  for (int i = 0; i < l->num_stacks; i++) {
    const pl_stack *b = &l->stacks[i];
    if (b->owner != l->team.rank) continue;
    for (int64_t k = 0; k < b->count; k++) {
      double v = beta[b->offset + k];
      sign[b->irrep[k]] = b->dim == 1 && b->type == PL_REAL ? (v > 0) - (v < 0) : NAN;
    }
  }
  if (l->team.size > 1)
    MPI_Reduce(l->team.rank ? sign : MPI_IN_PLACE, sign, pl_int(n), MPI_DOUBLE, MPI_SUM, 0,
               l->team.mpi);
  return sign;
}
