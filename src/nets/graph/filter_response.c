/* What a fixed filter does to each eigenvector, or irrep, measured by applying it; and the axes
 * that it stands on. */
#include "filter.h"

#include "base/blas.h"
#include "base/mem.h"

#include <stdio.h>

bool filter_wants_response(const pl_spec *spec) {
  return filter_values_of(spec)->record_response == 1;
}

bool filter_wants_irreps(const pl_spec *spec) {
  const filter_values *v = filter_values_of(spec);
  return filter_fixed(v->rule) && graph_wants_irreps(spec, v->record_irreps);
}

/* ---- eigenvectors ---- */

pl_status filter_eigen(const pl_csr *s, double *value, double *vector) {
  int n = pl_int(s->rows), info, lwork = -1, liwork = -1, *iwork, leading;
  double best, *work, *a = pl_alloc((size_t)n * (size_t)n, sizeof *a, "eigenvectors");
  const char *job = vector ? "V" : "N";
  pl_csr_dense(s, a);
  dsyevd_(job, "L", &n, a, &n, value, &best, &lwork, &leading, &liwork, &info, 1, 1);
  lwork = pl_int((int64_t)best);
  liwork = leading;
  work = pl_alloc((size_t)lwork, sizeof *work, "workspace of eigenvectors");
  iwork = pl_alloc((size_t)liwork, sizeof *iwork, "workspace of eigenvectors");
  dsyevd_(job, "L", &n, a, &n, value, work, &lwork, iwork, &liwork, &info, 1, 1);
  for (int64_t k = 0; vector && k < (int64_t)n * n; k++) vector[k] = a[k];
  pl_free(work);
  pl_free(iwork);
  pl_free(a);
  return info ? pl_error(PL_NUMERIC, "eigenvalues of the operator: no convergence") : PL_OK;
}

/* p(S) x for one column after the other: the map has room for a few. */
static double quadratic(const graph_map *m, int64_t n, const double *x, double *y) {
  double sum = 0;
  graph_map_apply(m, false, 1, x, y, false);
  for (int64_t i = 0; i < n; i++) sum += x[i] * y[i];
  return sum;
}

static pl_status by_eigenvector(const graph_map *m, const graph_nodes *d, double *response) {
  int64_t n = d->nodes;
  double *value = pl_alloc((size_t)n, sizeof *value, "eigenvalues"),
         *vector = pl_alloc((size_t)(n * n), sizeof *vector, "eigenvectors"),
         *y = pl_alloc((size_t)n, sizeof *y, "a filter's answer");
  pl_status st = filter_eigen(d->op, value, vector);
  for (int64_t k = 0; k < n; k++) response[k] = quadratic(m, n, vector + k * n, y);
  pl_free(value);
  pl_free(vector);
  pl_free(y);
  return st;
}

/* ---- irreps ---- */

/* p(S) is convolution by h = p(S) delta_e, so its matrix in an irrep is that of h. */
static pl_status by_irrep(const graph_map *m, const graph_nodes *d, double *response) {
  const pl_group *g = d->group;
  int64_t n = d->nodes, at = 0;
  double *delta = pl_zalloc((size_t)n, sizeof *delta, "a delta");
  double *h = pl_alloc((size_t)n, sizeof *h, "a filter's answer");
  double *F = pl_alloc((size_t)pl_fourier_size(g), sizeof *F, "a filter's answer");
  pl_fourier *plan = NULL;
  delta[0] = 1;
  graph_map_apply(m, false, 1, delta, h, false);
  pl_status st = pl_fourier_new(g, NULL, &plan);
  if (!st) pl_fourier_forward(plan, 1, h, n, F, 0);
  for (int64_t i = 0; !st && i < pl_group_num_irreps(g); i++) {
    pl_irrep r = pl_group_irrep(g, i);
    int64_t step = r.type == PL_REAL ? 1 : 2;
    response[i] = 0;
    for (int64_t k = 0; k < r.dim; k++) response[i] += F[at + k * (r.dim + 1) * step] / r.dim;
    at += pl_irrep_size(r);
  }
  pl_fourier_free(plan);
  pl_free(delta);
  pl_free(h);
  pl_free(F);
  return st;
}

pl_status filter_responses(pl_net *net) {
  filter_own *own = net->own;
  const graph_nodes *d = own->base.data;
  pl_status st = PL_OK;
  if (filter_wants_response(&net->spec)) {
    own->response = pl_alloc((size_t)d->nodes, sizeof *own->response, "responses");
    st = by_eigenvector(&own->map, d, own->response);
  }
  if (filter_wants_irreps(&net->spec)) {
    int64_t n = pl_group_num_irreps(d->group);
    own->irrep_response = pl_alloc((size_t)n, sizeof *own->irrep_response, "responses");
    pl_status also = by_irrep(&own->map, d, own->irrep_response);
    if (!st) st = also;
  }
  return st;
}

/* ---- axes ---- */

typedef struct context {
  pl_irrep_context irreps; /* first */
  int64_t first_depth;
  double *eigenvalue; /* or NULL */
  char depths[48];
  char graph[256];
} context;

static void depth(const void *c, int64_t i, double *number, char *text) {
  (void)text;
  *number = (double)(((const context *)pl_net_context(c))->first_depth + i);
}
static void iterate(const void *c, int64_t i, double *number, char *text) {
  (void)c, (void)text;
  *number = (double)i;
}
static void eigenvalue(const void *c, int64_t i, double *number, char *text) {
  (void)text;
  *number = ((const context *)pl_net_context(c))->eigenvalue[i];
}
static const pl_coord depth_coords[] = {
    {"depth", "1", "how often the operator has acted", false, true, NULL, depth}};
static const pl_coord iterate_coords[] = {
    {"iterate", "1", "number k of the iterate", false, true, NULL, iterate}};
static const pl_coord eigenvalue_coords[] = {{"eigenvalue", "1",
                                              "eigenvalue a of the operator, increasing", false,
                                              false, NULL, eigenvalue}};

static void free_axes(void *c) {
  context *x = c;
  pl_group_free(x->irreps.group);
  pl_free(x->eigenvalue);
  pl_free(x);
}

static pl_status eigenvalue_axis(const pl_spec *spec, context *c, pl_axis *axis) {
  graph_nodes *d;
  PL_TRY(graph_nodes_new(spec, NULL, &d));
  c->eigenvalue = pl_alloc((size_t)d->nodes, sizeof *c->eigenvalue, "eigenvalues");
  pl_status st = filter_eigen(d->op, c->eigenvalue, NULL);
  const graph_values *v = graph_values_of(spec);
  bool drawn = v->source == SOURCE_SBM || v->source == SOURCE_CSBM;
  /* Graphs with equal numbers here are taken for the same. */
  snprintf(c->graph, sizeof c->graph, "%s %s %lld, operator %lld %g, %.17g .. %.17g",
           graph_source_name(spec), v->source == SOURCE_FILE ? v->path : "",
           drawn ? (long long)pl_data_seed(spec) : 0, (long long)v->operator_kind, v->self_loop,
           c->eigenvalue[0], c->eigenvalue[d->nodes / 2]);
  *axis = (pl_axis){.name = "eigenvalue",
                    .key = c->graph,
                    .length = d->nodes,
                    .coords = eigenvalue_coords,
                    .num_coords = 1,
                    .drawn = drawn};
  graph_nodes_free(d);
  return st;
}

pl_status filter_axes(const pl_spec *spec, pl_axis *axes, int *num, void **own,
                      void (**free_context)(void *)) {
  static char all[] = "";
  const filter_values *v = filter_values_of(spec);
  context *c = pl_zalloc(1, sizeof *c, "axes of a network on a graph");
  *own = c;
  *free_context = free_axes;
  c->first_depth = filter_first_depth(v);
  snprintf(c->depths, sizeof c->depths, "from %lld", (long long)c->first_depth);
  axes[(*num)++] = (pl_axis){.name = "depth",
                             .key = c->depths,
                             .length = filter_depths(v),
                             .coords = depth_coords,
                             .num_coords = 1};
  axes[(*num)++] = (pl_axis){.name = "iterate",
                             .key = all,
                             .length = v->depth + 1,
                             .coords = iterate_coords,
                             .num_coords = 1};
  if (filter_wants_response(spec)) PL_TRY(eigenvalue_axis(spec, c, &axes[(*num)++]));
  if (!filter_wants_irreps(spec)) return PL_OK;
  PL_TRY(pl_group_parse(graph_values_of(spec)->group, &c->irreps.group));
  axes[(*num)++] = pl_irrep_axis(&c->irreps);
  return PL_OK;
}
