/* What training chose on the multiplicity blocks, and how far from the theorem it is. */
#include "base/mem.h"
#include "base/norm.h"
#include "linalg/nnls.h"
#include "linalg/rect.h"
#include "linear.h"
#include "model/loss.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* Samples that may support the solution: margins up to this many times the smallest. */
static const double ACTIVE = 1.01;

/* ---- margins ---- */

pl_node *linear_outputs_at(pl_net *net, pl_tape *t, pl_part part, pl_node **beta) {
  const isotypic *b = linear_basis(net);
  const double **x = pl_tape_alloc(t, (size_t)b->num, sizeof *x);
  pl_node **w = pl_tape_alloc(t, (size_t)net->num_weights, sizeof(pl_node *));
  pl_net_variables(net, t, net->w, NULL, w);
  for (int k = 0; k < b->num; k++) x[k] = linear_x(net, part, k);
  linear_beta(net, t, w, beta);
  return linear_outputs(net, t, beta, net->count[part], x);
}

void linear_metrics(pl_net *net, pl_part part, double *metric) {
  pl_node *beta[4];
  const double *f = linear_outputs_at(net, pl_net_tape(net), part, beta)->value;
  double right = 0;
  for (int64_t i = 0; i < net->count[part]; i++) right += f[i] * tensor_part(net, part)->y[i] > 0;
  *metric = right / (double)net->count[part];
}

/* ---- Schatten values ---- */

/* d^((L-1)/L) sum sigma^p, over singular values above rounding, of beta over its norm. */
static pl_status schatten(const pl_net *net, pl_node *const *beta, linear_record *r) {
  const isotypic *b = linear_basis(net);
  double depth = (double)tensor_values_of(&net->spec)->depth, top = 0, square = 0;
  double *sigma = pl_alloc((size_t)(3 * b->num), sizeof *sigma, "singular values");
  pl_rect *work = pl_rect_new(3, b->n * b->n);
  pl_status st = PL_OK;
  for (int k = 0; k < b->num && !st; k++)
    st = pl_rect_singular_values(work, beta[k]->rows, beta[k]->cols, beta[k]->value, sigma + 3 * k);
  for (int k = 0; k < b->num; k++) {
    top = fmax(top, sigma[3 * k]);
    r->energy[k] = pl_sum_squares(pl_tape_count(beta[k]), beta[k]->value);
    square += r->energy[k];
  }
  r->norm = sqrt(square);
  r->sum = 0;
  for (int k = 0; k < b->num; k++) {
    int64_t least = beta[k]->rows < beta[k]->cols ? beta[k]->rows : beta[k]->cols;
    double sum = 0;
    r->energy[k] /= square;
    r->rank[k] = 0;
    for (int64_t j = 0; j < least; j++) {
      double s = sigma[3 * k + j];
      r->rank[k] += s > 1e-3 * top;
      if (s > (double)beta[k]->cols * DBL_EPSILON * sigma[3 * k])
        sum += pow(s / r->norm, 2 / depth);
    }
    r->sum += pow(b->part[k].dim, (depth - 1) / depth) * sum;
  }
  pl_rect_free(work);
  pl_free(sigma);
  return st;
}

/* ---- certificates ---- */

/* No beta has a margin over S_1 above max over irreps of ||sum_i a_i y_i X_i||_2 / sqrt(d), a >= 0
 * with sum 1, as <x, beta> <= S_1(beta) max ||X||_2 / sqrt(d). */
static double bound_of(const pl_net *net, const double *a) {
  const isotypic *b = linear_basis(net);
  const double *y = tensor_part(net, PL_TRAIN)->y;
  int64_t num = net->count[PL_TRAIN];
  double sum = 0, top = 0, sigma[3];
  pl_rect *work = pl_rect_new(3, b->n * b->n);
  double *m = pl_alloc((size_t)(b->n * b->n), sizeof *m, "dual matrix");
  for (int64_t i = 0; i < num; i++) sum += a[i];
  for (int k = 0; k < b->num; k++) {
    const isotypic_part *p = &b->part[k];
    int64_t width = p->copies * p->dim;
    const double *x = linear_x(net, PL_TRAIN, k);
    memset(m, 0, (size_t)width * sizeof *m);
    for (int64_t i = 0; i < num; i++)
      for (int64_t q = 0; q < width; q++) m[q] += a[i] / sum * y[i] * x[i * width + q];
    if (pl_rect_singular_values(work, p->copies, p->dim, m, sigma)) sigma[0] = INFINITY;
    top = fmax(top, sigma[0] / sqrt(p->dim));
  }
  pl_rect_free(work);
  pl_free(m);
  /* Room for the rounding of the singular values. */
  return top * (1 + 8 * b->n * DBL_EPSILON);
}

/* Distance of the weights to the cone of the gradients of y_i f(x_i) over the samples with the
 * smallest margins, and their multipliers, [num], zero elsewhere. */
static void stationarity(const pl_net *net, pl_tape *t, pl_node *f, const double *margin,
                         linear_record *r, double *a) {
  int64_t num = net->count[PL_TRAIN], size = net->start[net->num_weights], n = 0;
  const double *y = tensor_part(net, PL_TRAIN)->y;
  double depth = (double)tensor_values_of(&net->spec)->depth, sum = 0, slack = 0;
  double square = pl_sum_squares(size, net->w);
  int64_t *active = pl_alloc((size_t)num, sizeof *active, "active samples");
  for (int64_t i = 0; i < num; i++)
    if (margin[i] <= ACTIVE * r->min_margin) active[n++] = i;
  double *g = pl_zalloc((size_t)(n * size), sizeof *g, "gradients of samples");
  double *gram = pl_alloc((size_t)(n * n), sizeof *gram, "Gram matrix");
  double *h = pl_alloc((size_t)n, sizeof *h, "multipliers");
  double *found = pl_alloc((size_t)n, sizeof *found, "multipliers");
  double *seed = pl_zalloc((size_t)num, sizeof *seed, "a sample");
  for (int64_t i = 0; i < n; i++) {
    seed[active[i]] = y[active[i]];
    pl_tape_backward(t, f, seed);
    seed[active[i]] = 0;
    const pl_node *node = f;
    int variable = net->num_weights;
    /* The weights were recorded first, in order. */
    while (node->before) node = node->before;
    for (int k = 0; k < variable; k++, node = node->after) {
      const double *part = pl_tape_read(t, node, PL_ADJOINT);
      if (part) memcpy(g + i * size + net->start[k], part, (size_t)pl_tape_count(node) * sizeof *g);
    }
  }
  for (int64_t i = 0; i < n; i++) {
    for (int64_t j = 0; j < n; j++) {
      gram[i * n + j] = 0;
      for (int64_t q = 0; q < size; q++) gram[i * n + j] += g[i * size + q] * g[j * size + q];
    }
    /* y_i f(x_i) is homogeneous of degree L in the weights. */
    h[i] = depth * margin[active[i]];
  }
  pl_nnls(n, gram, h, found);
  double distance = square;
  for (int64_t i = 0; i < n; i++) {
    double product = 0;
    for (int64_t j = 0; j < n; j++) product += gram[i * n + j] * found[j];
    distance += found[i] * (product - 2 * h[i]);
    a[active[i]] = found[i];
    sum += found[i];
    slack += found[i] * (margin[active[i]] / r->min_margin - 1);
  }
  r->kkt_residual = sqrt(fmax(0, distance) / square);
  r->kkt_slack = slack / sum;
  pl_free(active);
  pl_free(g);
  pl_free(gram);
  pl_free(h);
  pl_free(found);
  pl_free(seed);
}

pl_status linear_observe(pl_net *net, void *state) {
  linear_record *r = state;
  const tensor_values *v = tensor_values_of(&net->spec);
  int64_t num = net->count[PL_TRAIN];
  pl_tape *t = pl_net_tape(net);
  pl_node *beta[4], *f = linear_outputs_at(net, t, PL_TRAIN, beta);
  const double *at = f->value, *y = tensor_part(net, PL_TRAIN)->y;
  double *margin = pl_alloc((size_t)num, sizeof *margin, "margins"), log_scale;
  double *a = pl_zalloc((size_t)num, sizeof *a, "multipliers");
  r->min_margin = INFINITY;
  r->kkt_residual = r->kkt_slack = NAN;
  for (int64_t i = 0; i < num; i++) {
    margin[i] = y[i] * at[i];
    r->min_margin = fmin(r->min_margin, margin[i]);
  }
  pl_status st = schatten(net, beta, r);
  if (r->min_margin > 0 && (v->record_kkt || v->depth == 2)) stationarity(net, t, f, margin, r, a);
  if (v->depth == 2) {
    double *bound = &linear_data_of(net)->bound, least = *bound > 0 ? *bound : INFINITY;
    if (r->kkt_residual < 1) least = fmin(least, bound_of(net, a));
    pl_loss_weights(v->loss, num, margin, &log_scale, a);
    *bound = fmin(least, bound_of(net, a));
  }
  pl_free(margin);
  pl_free(a);
  return st;
}

/* ---- axes and the table ---- */

static void free_basis(void *context) {
  isotypic_free(context);
}
static const isotypic_part *part_of(const void *context, int64_t i) {
  return &((const isotypic *)pl_net_context(context))->part[i];
}
static void part_label(const void *context, int64_t i, double *number, char *text) {
  (void)number;
  memcpy(text, part_of(context, i)->label, sizeof part_of(context, i)->label);
}
static void part_dim(const void *context, int64_t i, double *number, char *text) {
  (void)text;
  *number = part_of(context, i)->dim;
}
static void part_copies(const void *context, int64_t i, double *number, char *text) {
  (void)text;
  *number = part_of(context, i)->copies;
}
static const pl_coord coords[] = {
    {"multiplicity_label", "1", "irrep: partition of n", true, false, NULL, part_label},
    {"multiplicity_dim", "1", "dimension d of the irrep", false, true, NULL, part_dim},
    {"multiplicity_copies", "1", "how often it occurs, m", false, true, NULL, part_copies},
};

pl_status linear_axes(const pl_spec *spec, pl_axis *axes, int *num, void **context,
                      void (**free_context)(void *)) {
  int n = linear_points(spec);
  if (n == 0) return pl_error(PL_EINPUT, "samples of different sizes");
  isotypic *b = isotypic_shapes(n);
  *context = b;
  *free_context = free_basis;
  axes[(*num)++] = (pl_axis){.name = "multiplicity",
                             .key = b->part[0].label,
                             .length = b->num,
                             .coords = coords,
                             .num_coords = sizeof coords / sizeof *coords};
  return PL_OK;
}

static double root(const linear_record *r) {
  return pow(r->sum, (double)tensor_values_of(&r->first.net->spec)->depth / 2);
}
static void schatten_value(const void *state, double *out) {
  *out = root(state);
}
static void margin_over(const void *state, double *out) {
  const linear_record *r = state;
  *out = r->min_margin / (r->norm * root(r));
}
static void tightness(const void *state, double *out) {
  const linear_record *r = state;
  double depth = (double)tensor_values_of(&r->first.net->spec)->depth;
  *out = depth * r->sum * pow(r->norm, 2 / depth) /
         (r->first.parameter_norm * r->first.parameter_norm);
}
static void bound(const void *state, double *out) {
  *out = linear_data_of(((const linear_record *)state)->first.net)->bound;
}
static void gap(const void *state, double *out) {
  const linear_record *r = state;
  double margin;
  margin_over(state, &margin);
  *out = margin > 0 ? 1 - margin / linear_data_of(r->first.net)->bound : NAN;
}
static void energy(const void *state, double *out) {
  const linear_record *r = state;
  memcpy(out, r->energy, (size_t)linear_basis(r->first.net)->num * sizeof *out);
}
static void rank(const void *state, double *out) {
  const linear_record *r = state;
  memcpy(out, r->rank, (size_t)linear_basis(r->first.net)->num * sizeof *out);
}
static bool depth_two(const pl_spec *spec, const void *context) {
  (void)context;
  return tensor_values_of(spec)->depth == 2;
}
static bool wants_kkt(const pl_spec *spec, const void *context) {
  (void)context;
  return tensor_values_of(spec)->record_kkt == 1;
}

#define FROM(member) .from = offsetof(linear_record, member)
static const pl_measure rows[] = {
    PL_NET_METRIC(0, "accuracy", PL_ACCURACY, 1),
    {"min_margin", NULL, "1", "smallest margin y_i <x_i, beta>", FROM(min_margin), .better = 1},
    {"multiplicity_norm", NULL, "1", "Euclidean norm of beta", FROM(norm), .finite = true},
    {"multiplicity_schatten", NULL, "1",
     "S_p of normalised beta over the multiplicity blocks: (sum d^((L-1)/L) sigma^p)^(1/p), p = "
     "2/L",
     .compute = schatten_value},
    {"multiplicity_margin", NULL, "1", "smallest margin over S_p of beta", .compute = margin_over,
     .better = 1},
    {"multiplicity_tightness", NULL, "1",
     "least squared norm of all weights that gives beta, over the present one",
     .compute = tightness},
    {"multiplicity_bound", NULL, "1",
     "depth 2: least upper bound found so far of multiplicity_margin of any beta",
     .wanted = depth_two, .compute = bound},
    {"multiplicity_gap", NULL, "1", "depth 2: 1 - multiplicity_margin / multiplicity_bound",
     .wanted = depth_two, .compute = gap, .better = -1},
    {"kkt_residual", NULL, "1",
     "distance of the filters to the cone of the gradients of the samples with margin up to 1.01 "
     "of the smallest, over their norm",
     .wanted = wants_kkt, FROM(kkt_residual), .better = -1},
    {"kkt_slack", NULL, "1",
     "mean of margin / smallest - 1 over the samples, weighted by the multipliers of the cone",
     .wanted = wants_kkt, FROM(kkt_slack), .better = -1},
    {"multiplicity_energy", "multiplicity", "1", "share of the squared norm of beta",
     .compute = energy},
    {"multiplicity_rank", "multiplicity", "1",
     "singular values of beta above 1e-3 of the largest of all irreps", .compute = rank},
};
const pl_measures linear_measures = PL_MEASURES(rows);
