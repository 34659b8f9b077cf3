#include "functional.h"

#include "model/loss.h"

#include <math.h>
#include <string.h>

const char pl_functional_tightness[] =
    "least squared norm of all weights that gives beta, over the present one; 1: layers balanced "
    "and aligned";
const char pl_functional_summary[] =
    "Trajectories of group-equivariant networks under training: losses, margins and Schatten "
    "values of the linear functional in the Fourier space of the group";
const char pl_functional_reference[] =
    "Lawrence, Georgiev, Dienes, Kiani, Implicit Bias of Linear Equivariant Networks, ICML 2022, "
    "arXiv:2110.06084";
const char *const pl_functional_headline[] = {"loss", "schatten_thresholded", "normalized_margin",
                                              NULL};

/* ---- of the samples ---- */

static double least_margin(const pl_functional *s) {
  double least = INFINITY;
  for (int64_t i = 0; i < s->num_samples; i++) least = fmin(least, s->margin[i]);
  return least;
}
static double least_scaled_margin(const pl_functional *s) {
  double least = INFINITY;
  for (int64_t i = 0; i < s->num_samples; i++) least = fmin(least, s->scaled_margin[i]);
  return least;
}
/* The least margin over norm^depth; plain is what that is where it is in range. */
static double margin_over(const pl_functional *s, double norm, double plain) {
  double least = least_scaled_margin(s), size = log(fabs(least)) - s->shift * M_LN2;
  if (s->shift == 0 && pl_sum_safe(plain) && isfinite(least)) return least / plain;
  return copysign(exp(size - s->depth * log(norm)), least);
}
static double log_of_loss(const pl_functional *s) {
  int64_t kind = pl_group_values_of(s->spec)->loss;
  if (kind == PL_LOSS_SQUARE) return s->log_square;
  return pl_log_loss(kind, s->num_samples, s->margin);
}

double pl_functional_task_loss(const pl_functional *s) {
  return exp(log_of_loss(s));
}

static void loss(const void *state, double *out) {
  const pl_functional *s = state;
  *out = s->objective ? s->objective[0] : pl_functional_task_loss(s);
}
static void log_loss(const void *state, double *out) {
  const pl_functional *s = state;
  *out = s->objective ? s->objective[1] : log_of_loss(s);
}
static void min_margin(const void *state, double *out) {
  *out = least_margin(state);
}
static void accuracy(const void *state, double *out) {
  const pl_functional *s = state;
  int64_t n = s->num_samples, right = 0;
  for (int64_t i = 0; i < n; i++) right += s->margin[i] > 0;
  *out = (double)right / (double)n;
}
static void sample_margin(const void *state, double *out) {
  const pl_functional *s = state;
  memcpy(out, s->margin, (size_t)s->num_samples * sizeof *out);
}

/* ---- of beta and the weights ---- */

void pl_functional_schatten(const void *state, double *out) {
  const pl_functional *s = state;
  *out = pow(s->sum, 1 / s->p);
}
void pl_functional_schatten_thresholded(const void *state, double *out) {
  const pl_functional *s = state;
  *out = pow(s->sum_thresholded, 1 / s->p);
}
void pl_functional_schatten_real(const void *state, double *out) {
  const pl_functional *s = state;
  *out = pow(s->real_sum, 1 / s->p) / s->norm;
}
void pl_functional_normalized_margin(const void *state, double *out) {
  const pl_functional *s = state;
  *out = least_scaled_margin(s) / (s->norm * pow(s->sum_thresholded, 1 / s->p));
}
void pl_functional_beta_norm(const void *state, double *out) {
  const pl_functional *s = state;
  *out = ldexp(s->norm, -s->shift);
}
static void parameter_norm(const void *state, double *out) {
  *out = ((const pl_functional *)state)->parameter_norm;
}
static void l2_margin(const void *state, double *out) {
  const pl_functional *s = state;
  *out = margin_over(s, s->parameter_norm, pow(s->parameter_norm2, s->depth / 2.0));
}
static void linf_margin(const void *state, double *out) {
  const pl_functional *s = state;
  *out = margin_over(s, s->linf, pow(s->linf, s->depth));
}
static double rank_of(const pl_functional *s) {
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
void pl_functional_fourier_rank(const void *state, double *out) {
  *out = rank_of(state);
}
static void uncertainty_product(const void *state, double *out) {
  *out = ((const pl_functional *)state)->support * rank_of(state);
}
void pl_functional_schatten_at(const void *state, double *out) {
  const pl_functional *s = state;
  const pl_reals *exponents = &pl_group_values_of(s->spec)->record_exponents;
  for (int k = 0; k < exponents->n; k++) {
    double q = exponents->v[k];
    out[k] = pow(pl_functional_sum(s, q, true), 1 / q);
  }
}
static void singular_values(const void *state, double *out) {
  const pl_functional *s = state;
  int64_t n = s->sv_start[pl_group_num_irreps(s->group)];
  for (int64_t k = 0; k < n; k++) out[k] = s->sigma[k] / s->norm;
}
static void beta(const void *state, double *out) {
  const pl_functional *s = state;
  int64_t n = pl_group_order(s->group);
  for (int64_t k = 0; k < n; k++) out[k] = s->shift ? ldexp(s->full[k], -s->shift) : s->full[k];
}

/* ---- irrep by irrep ---- */

static void irrep_schatten(const void *state, double *out) {
  const pl_functional *s = state;
  int64_t n = pl_group_num_irreps(s->group);
  for (int64_t i = 0; i < n; i++) out[i] = pl_functional_irrep_sum(s, i, s->p, false);
}
static void irrep_energy(const void *state, double *out) {
  const pl_functional *s = state;
  int64_t n = pl_group_num_irreps(s->group);
  /* Plancherel: ||beta||^2 = (1/V) sum m d sigma^2. */
  for (int64_t i = 0; i < n; i++)
    out[i] = pl_functional_irrep_sum(s, i, 2, false) / pl_group_volume(s->group);
}
void pl_functional_irrep_rank(const void *state, double *out) {
  const pl_functional *s = state;
  int64_t n = pl_group_num_irreps(s->group);
  for (int64_t i = 0; i < n; i++) {
    const double *sigma = s->sigma + s->sv_start[i];
    out[i] = 0;
    for (int64_t j = 0; j < s->sv_start[i + 1] - s->sv_start[i]; j++)
      out[i] += sigma[j] > 1e-3 * sigma[0];
  }
}
static void irrep_stable_rank(const void *state, double *out) {
  const pl_functional *s = state;
  int64_t n = pl_group_num_irreps(s->group);
  for (int64_t i = 0; i < n; i++) {
    const double *sigma = s->sigma + s->sv_start[i];
    out[i] = 0;
    for (int64_t j = 0; sigma[0] > 0 && j < s->sv_start[i + 1] - s->sv_start[i]; j++)
      out[i] += sigma[j] / sigma[0] * (sigma[j] / sigma[0]);
  }
}
static void irrep_entropy_rank(const void *state, double *out) {
  const pl_functional *s = state;
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
static void orientation(const void *state, double *out) {
  const pl_functional *s = state;
  memcpy(out, s->orientation, (size_t)pl_group_num_irreps(s->group) * sizeof *out);
}

/* ---- what they say of the run ---- */

static const double CONVERGED = 0.05;
const char pl_functional_convergence[] =
    "group networks: every sample is classified, and optimality_gap (depth 2), else kkt_residual "
    "(record.kkt) is at most 0.05; else tightness at least 0.95";

pl_verdict pl_functional_judge(const pl_schema *schema, const double *record) {
  double margin = pl_schema_value(schema, record, "min_margin");
  double distance = pl_schema_value(schema, record, "optimality_gap");
  pl_verdict v = {isnan(margin) ? PL_UNSAID : margin > 0, PL_UNSAID};
  if (isnan(distance)) distance = pl_schema_value(schema, record, "kkt_residual");
  if (isnan(distance)) distance = 1 - pl_schema_value(schema, record, "tightness");
  if (v.separated == 0 || !isnan(distance)) v.converged = v.separated == 1 && distance <= CONVERGED;
  return v;
}

/* ---- which are recorded ---- */

static const pl_group *group_of(const void *context) {
  return ((const pl_functional_context *)context)->group;
}
bool pl_functional_elements(const pl_spec *spec, const pl_group *g) {
  static const double LARGEST = 1e8;
  int64_t wanted = pl_group_values_of(spec)->record_elements;
  if (pl_group_codepth(g)) return false;
  return wanted == PL_UNSET ? pl_group_log_order(g) <= log(LARGEST) : wanted;
}
static bool want_elements(const pl_spec *spec, const void *context) {
  return pl_functional_elements(spec, group_of(context));
}
bool pl_functional_irreps(const pl_spec *spec, const pl_group *g) {
  int64_t wanted = pl_group_values_of(spec)->record_irreps;
  return wanted == PL_UNSET ? pl_group_num_irreps(g) <= 10000 : wanted;
}
static bool want_irreps(const pl_spec *spec, const void *context) {
  return pl_functional_irreps(spec, group_of(context));
}
static bool want_margins(const pl_spec *spec, const void *context) {
  (void)context;
  return pl_group_values_of(spec)->loss != PL_LOSS_SQUARE;
}
static bool want_validation(const pl_spec *spec, const void *context) {
  (void)context;
  return pl_data_count(spec, PL_VALIDATION) > 0;
}
static bool want_test(const pl_spec *spec, const void *context) {
  (void)context;
  return pl_data_count(spec, PL_TEST) > 0;
}
static bool want_spectrum(const pl_spec *spec, const void *context) {
  (void)context;
  return spec->common.record_spectrum == 1;
}
static bool want_beta(const pl_spec *spec, const void *context) {
  (void)context;
  return pl_group_values_of(spec)->record_beta == 1;
}
static bool want_exponents(const pl_spec *spec, const void *context) {
  (void)context;
  return pl_group_values_of(spec)->record_exponents.n > 0;
}

/* A measure is one row here, and its function above or the number in the state. */
#define FROM(member) .from = offsetof(pl_functional, member)
static const pl_measure rows[] = {
    {"loss", NULL, "1", "objective on the training part, regularisers included", .compute = loss,
     .better = -1},
    {"log_loss", NULL, "1", "natural logarithm of the loss", .compute = log_loss, .better = -1},
    {"min_margin", NULL, "1", "smallest margin y_i <x_i, beta>", .wanted = want_margins,
     .compute = min_margin, .better = 1},
    {"validation_accuracy", NULL, "1", PL_ACCURACY " of the validation part",
     .wanted = want_validation, FROM(accuracy[PL_VALIDATION]), .better = 1},
    {"test_accuracy", NULL, "1", PL_ACCURACY " of the test part", .wanted = want_test,
     FROM(accuracy[PL_TEST]), .better = 1},
    {"beta_norm", NULL, "1", "Euclidean norm of beta over the group",
     .compute = pl_functional_beta_norm, .finite = true},
    {"parameter_norm", NULL, "1", "Euclidean norm of all weights", .compute = parameter_norm,
     .finite = true},
    {"fourier_rank", NULL, "1",
     "sum of m d over singular values of beta above 1e-3 of the largest of all irreps",
     .compute = pl_functional_fourier_rank},
    {"support", NULL, "1", "elements of G where |beta| is above 1e-3 of its largest value",
     .wanted = want_elements, FROM(support)},
    {"uncertainty_product", NULL, "1", "support times fourier_rank; exact ones are at least |G|",
     .wanted = want_elements, .compute = uncertainty_product},
    {"irrep_energy", "irrep", "1", "share of the squared norm of beta", .wanted = want_irreps,
     .compute = irrep_energy},
    {"irrep_rank", "irrep", "1", "singular values above 1e-3 of the irrep's largest",
     .wanted = want_irreps, .compute = pl_functional_irrep_rank},
    {"irrep_stable_rank", "irrep", "1", "sum of sigma^2 over the largest sigma^2",
     .wanted = want_irreps, .compute = irrep_stable_rank},
    {"irrep_entropy_rank", "irrep", "1",
     "exponential of the entropy of sigma / sum of sigma (Roy and Vetterli 2007)",
     .wanted = want_irreps, .compute = irrep_entropy_rank},
    {"orientation", "irrep", "1", "sign of B on real irreps of dimension one; missing elsewhere",
     .wanted = want_irreps, .compute = orientation},
    {"schatten_at", "exponent", "1",
     "Schatten value S_q of normalised beta, q the exponent (thresholded)",
     .wanted = want_exponents, .compute = pl_functional_schatten_at},
    {"sample_margin", "sample", "1", "margin y_i <x_i, beta> of each sample",
     .wanted = want_margins, .compute = sample_margin},
    {"singular_values", "sv", "1", "singular values of normalised beta, decreasing per irrep",
     .wanted = want_spectrum, .compute = singular_values},
    {"beta", "element", "1", "beta over the group, unnormalised", .wanted = want_beta,
     .compute = beta},
};
const pl_measures pl_functional_measures = PL_MEASURES(rows);

static const pl_measure product_rows[] = {
    {"accuracy", NULL, "1", "share of samples with positive margin", .compute = accuracy,
     .better = 1},
    {"schatten", NULL, "1", "Schatten value S_p of normalised beta, p = 2/depth",
     .compute = pl_functional_schatten},
    {"schatten_thresholded", NULL, "1",
     "Schatten value S_p of normalised beta over singular values above d eps sigma_1",
     .compute = pl_functional_schatten_thresholded},
    {"schatten_real", NULL, "1", "l_p quasi-norm of normalised beta over the group, p = 2/depth",
     .wanted = want_elements, .compute = pl_functional_schatten_real},
    {"normalized_margin", NULL, "1", "smallest margin over the thresholded S_p of beta",
     .compute = pl_functional_normalized_margin, .better = 1},
    {"l2_margin", NULL, "1", "smallest margin over the Euclidean norm of all filters ^ depth",
     .compute = l2_margin, .better = 1},
    {"linf_margin", NULL, "1", "smallest margin over (largest |filter value over G|) ^ depth",
     .wanted = want_elements, .compute = linf_margin, .better = 1},
    {"irrep_schatten", "irrep", "1", "m d sum sigma^p of normalised beta, p = 2/depth",
     .wanted = want_irreps, .compute = irrep_schatten},
};
const pl_measures pl_product_measures = PL_MEASURES(product_rows);
