#include "filter.h"

#include "base/blas.h"
#include "base/mem.h"
#include "base/pause.h"
#include "base/norm.h"

#include <math.h>
#include <string.h>

int64_t filter_first_depth(const filter_values *v) {
  if (v->record_layers != 1) return v->depth;
  return filter_layered(v->rule) ? 1 : 0;
}

int64_t filter_depths(const filter_values *v) {
  return v->depth + 1 - filter_first_depth(v);
}

/* ---- over-smoothing ---- */

/* tr(Z^T L Z) / ||Z||^2, L = I - A; az: workspace, as z. */
static double dirichlet(const pl_csr *op, int64_t cols, const double *z, double *az) {
  int64_t n = op->rows * cols;
  double sum = 0;
  pl_csr_times(op, cols, 1, z, cols, 0, NULL, 0, az, cols);
  for (int64_t k = 0; k < n; k++) sum += z[k] * (z[k] - az[k]);
  return sum / pl_sum_squares(n, z);
}

/* Mean of 1 - cos(z_i, z_j) over i != j (Chen et al., AAAI 2020): the sum over all pairs is
 * n^2 - |sum of unit vectors|^2.  Rows of zeros count as orthogonal to all. */
static double mean_average_distance(int64_t n, int64_t cols, const double *z, double *sum) {
  double units = 0, together = 0;
  memset(sum, 0, (size_t)cols * sizeof *sum);
  for (int64_t i = 0; i < n; i++) {
    double norm = sqrt(pl_sum_squares(cols, z + i * cols));
    if (!(norm > 0)) continue;
    units++;
    for (int64_t c = 0; c < cols; c++) sum[c] += z[i * cols + c] / norm;
  }
  together = pl_sum_squares(cols, sum) - units;
  return 1 - together / ((double)n * ((double)n - 1));
}

/* ---- depths of fixed rules and dagnn, outside the tape ---- */

/* next = Z_k from z = Z_(k-1); z0 = Z_0.  Closed rules go through their iterates as well. */
static void iterate(const pl_net *net, int64_t cols, const double *z, const double *z0,
                    double *next) {
  const filter_values *v = filter_values_of(&net->spec);
  graph_rule r = filter_rule(v, false);
  if (v->rule == RULE_NONE) memcpy(next, z, (size_t)(graph_own_of(net)->data->nodes * cols) * 8);
  if (v->rule == RULE_NONE) return;
  pl_csr_times(graph_own_of(net)->data->op, cols, r.ratio, z, cols, r.keep, r.keep != 0 ? z0 : NULL,
               cols, next, cols);
}

static double distance(int64_t n, const double *a, const double *b) {
  double sum = 0;
  for (int64_t k = 0; k < n; k++) sum += (a[k] - b[k]) * (a[k] - b[k]);
  return sqrt(sum / pl_sum_squares(n, b));
}

/* The last ratio of errors that is not yet rounding. */
static double rate_of(int64_t depth, const double *error) {
  double rate = NAN;
  for (int64_t k = 1; k <= depth && error[k] > 1e-11; k++) rate = error[k] / error[k - 1];
  return rate;
}

/* What is recorded at depth k of Z. */
static void look(const pl_net *net, filter_record *r, int64_t k, int64_t cols, const double *z,
                 double *work) {
  const filter_values *v = filter_values_of(&net->spec);
  const graph_nodes *d = graph_own_of(net)->data;
  int64_t at = k - filter_first_depth(v);
  if (at < 0) return;
  r->dirichlet[at] = dirichlet(d->op, cols, z, work);
  r->distance[at] = mean_average_distance(d->nodes, cols, z, work);
}

static void fixed_depths(pl_net *net, filter_record *r, const double *h, int64_t cols) {
  const filter_values *v = filter_values_of(&net->spec);
  filter_own *own = net->own;
  const graph_nodes *d = own->base.data;
  graph_rule rule = filter_rule(v, false);
  int64_t n = d->nodes * cols;
  bool wanted = v->record_iterates == 1 || v->record_layers == 1;
  double *z0 = pl_alloc((size_t)(5 * n), sizeof *z0, "iterates"), *z = z0 + n, *next = z + n,
         *sure = next + n, *work = sure + n;
  if (rule.second != 0)
    pl_csr_times(d->op, cols, rule.second, h, cols, rule.first, h, cols, z0, cols);
  else
    for (int64_t k = 0; k < n; k++) z0[k] = rule.first * h[k];
  if (v->record_iterates == 1) graph_map_apply(&own->sure, false, cols, h, sure, false);
  memcpy(z, z0, (size_t)n * sizeof *z);
  for (int64_t k = wanted ? 0 : v->depth; k <= v->depth && !pl_pause(); k++) {
    /* The last depth is what the network answers, closed or gated. */
    look(net, r, k, cols, k == v->depth ? own->base.output : z, work);
    if (v->record_iterates == 1) r->error[k] = distance(n, z, sure);
    if (wanted) iterate(net, cols, z, z0, next);
    double *kept = z;
    z = next;
    next = kept;
  }
  r->iterate_rate = v->record_iterates == 1 ? rate_of(v->depth, r->error) : NAN;
  pl_free(z0);
}

/* ||F (Z - H)||^2 and xi tr(Z^T L Z). */
static void energy(const pl_net *net, filter_record *r, const double *h, int64_t cols) {
  const filter_values *v = filter_values_of(&net->spec);
  const graph_own *own = graph_own_of(net);
  int64_t n = own->data->nodes * cols;
  double fit, slope, *rest = pl_alloc((size_t)(2 * n), sizeof *rest, "energies"), *image = rest + n;
  filter_fit(v, &fit, &slope);
  for (int64_t k = 0; k < n; k++) rest[k] = own->output[k] - h[k];
  pl_csr_times(own->data->op, cols, slope, rest, cols, fit, rest, cols, image, cols);
  r->fit_term = 0;
  for (int64_t k = 0; k < n; k++) r->fit_term += rest[k] * image[k];
  r->smooth_term = (1 / v->alpha - 1) * dirichlet(own->data->op, cols, own->output, image) *
                   pl_sum_squares(n, own->output);
  pl_free(rest);
}

pl_status filter_observe(pl_net *net, void *state) {
  const filter_values *v = filter_values_of(&net->spec);
  filter_own *own = net->own;
  filter_record *r = state;
  const graph_nodes *d = own->base.data;
  pl_tape *t = pl_net_tape(net);
  pl_take take = {.part = PL_TEST};
  pl_node **w = pl_tape_alloc(t, (size_t)net->num_weights, sizeof *w);
  pl_node **at = pl_tape_alloc(t, (size_t)v->depth + 1, sizeof *at);
  r->dirichlet = own->dirichlet;
  r->distance = own->distance;
  r->error = own->error;
  pl_net_variables(net, t, net->w, NULL, w);
  filter_states(net, t, w, &take, at);
  for (int64_t k = 1; filter_layered(v->rule) && k <= v->depth; k++) {
    double *work = pl_alloc((size_t)pl_tape_count(at[k]), sizeof *work, "a layer");
    look(net, r, k, at[k]->cols, at[k]->value, work);
    pl_free(work);
  }
  if (!filter_layered(v->rule)) fixed_depths(net, r, at[0]->value, d->outputs);
  if (filter_fits_energy(v->rule)) energy(net, r, at[0]->value, d->outputs);
  return PL_OK;
}

/* ---- measures ---- */

static const filter_record *record(const void *state) {
  return state;
}
static const filter_values *values(const void *state) {
  return filter_values_of(&record(state)->net.net->spec);
}
static void dirichlet_energy(const void *state, double *out) {
  memcpy(out, record(state)->dirichlet, (size_t)filter_depths(values(state)) * sizeof *out);
}
static void distances(const void *state, double *out) {
  memcpy(out, record(state)->distance, (size_t)filter_depths(values(state)) * sizeof *out);
}
static void iterate_error(const void *state, double *out) {
  memcpy(out, record(state)->error, (size_t)(values(state)->depth + 1) * sizeof *out);
}
static void response(const void *state, double *out) {
  const filter_own *own = filter_own_of(record(state)->net.net);
  memcpy(out, own->response, (size_t)own->base.data->nodes * sizeof *out);
}
static void irrep_response(const void *state, double *out) {
  const filter_own *own = filter_own_of(record(state)->net.net);
  int64_t n = pl_group_num_irreps(own->base.data->group);
  memcpy(out, own->irrep_response, (size_t)n * sizeof *out);
}

static bool energies(const pl_spec *spec, const void *context) {
  (void)context;
  return filter_fits_energy(filter_values_of(spec)->rule);
}
static bool iterates(const pl_spec *spec, const void *context) {
  (void)context;
  return filter_values_of(spec)->record_iterates == 1;
}
static bool wants_response(const pl_spec *spec, const void *context) {
  (void)context;
  return filter_wants_response(spec);
}
static bool wants_irreps(const pl_spec *spec, const void *context) {
  (void)context;
  return filter_wants_irreps(spec);
}

#define AT(member) .from = offsetof(filter_record, member)
static const pl_measure rows[] = {
    {"dirichlet_energy", "depth", "1", "tr(Z^T L Z) / ||Z||^2, L = I - A",
     .compute = dirichlet_energy},
    {"mean_average_distance", "depth", "1", "mean of 1 - cos(z_i, z_j) over pairs of nodes",
     .compute = distances},
    {"fit_term", NULL, "1", "||F_1 Z - F_2 H||^2 of the rule's energy", .wanted = energies,
     AT(fit_term)},
    {"smooth_term", NULL, "1", "xi tr(Z^T L Z) of the rule's energy", .wanted = energies,
     AT(smooth_term)},
    {"iterate_error", "iterate", "1", "||Z_k - Z|| / ||Z||, Z the closed form", .wanted = iterates,
     .compute = iterate_error},
    {"iterate_rate", NULL, "1", "last ratio of two iterates' errors above 1e-11",
     .wanted = iterates, AT(iterate_rate)},
    {"response", "eigenvalue", "1", "factor p(a) on the operator's eigenvector",
     .wanted = wants_response, .compute = response},
    {"irrep_response", "irrep", "1", "tr(p(M_rho)) / d, M_rho the operator in the irrep",
     .wanted = wants_irreps, .compute = irrep_response},
};
const pl_measures filter_measures = PL_MEASURES(rows);
