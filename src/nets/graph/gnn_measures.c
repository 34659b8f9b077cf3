#include "gnn.h"

#include "base/mem.h"
#include "base/norm.h"
#include "model/optim.h"

#include <math.h>
#include <stdio.h>

/* ---- a record ---- */

pl_status gnn_observe(pl_net *net, void *state) {
  gnn_own *own = net->own;
  gnn_record *r = state;
  gnn_bound *b = &own->bound;
  if (!own->bounded) return PL_OK;
  double lambda = gnn_lambda(net);
  if (lambda < b->lambda) b->lambda = lambda;
  r->lambda = b->lambda;
  r->sigma2_min = b->sigma2_min;
  r->sigma2_nonzero = b->sigma2_nonzero;
  r->optimum = b->optimum;
  r->bound = b->optimum +
             (b->start - b->optimum) * exp(-4 * b->lambda * b->sigma2_nonzero * r->net.flow_time);
  r->bound_gap = r->bound - r->net.loss;
  return isnan(lambda) ? PL_NUMERIC : PL_OK;
}

/* ---- measures ---- */

static const pl_net *net_of(const void *state) {
  return ((const pl_net_record *)state)->net;
}

/* ||dL/dW||^2 of weights first .. first + n - 1. */
static void squares(const pl_net *net, int first, int64_t n, double *out) {
  const double *g = pl_net_step_gradient(net);
  for (int64_t k = 0; k < n; k++) {
    int64_t p = first + k;
    out[k] = pl_sum_squares(net->start[p + 1] - net->start[p], g + net->start[p]);
  }
}
static void gradient_w(const void *state, double *out) {
  const pl_net *net = net_of(state);
  const gnn_values *v = gnn_values_of(&net->spec);
  squares(net, gnn_readout_weight(v, 0), gnn_scales(v), out);
}
static void gradient_b(const void *state, double *out) {
  const pl_net *net = net_of(state);
  squares(net, gnn_layer_weight(1), gnn_values_of(&net->spec)->depth, out);
}

static void label_energy(const void *state, double *out) {
  const gnn_own *own = gnn_own_of(net_of(state));
  const graph_nodes *d = own->base.data;
  pl_irrep_energies_of(own->energies, d->outputs, d->target, out);
}
static void residual_energy(const void *state, double *out) {
  const gnn_own *own = gnn_own_of(net_of(state));
  const graph_nodes *d = own->base.data;
  int64_t n = d->nodes * d->outputs;
  double *rest = pl_alloc((size_t)n, sizeof *rest, "residual");
  for (int64_t k = 0; k < n; k++) rest[k] = own->base.output[k] - d->target[k];
  pl_irrep_energies_of(own->energies, d->outputs, rest, out);
  pl_free(rest);
}

static bool bounded(const pl_spec *spec, const void *context) {
  (void)context;
  return gnn_bounded(spec);
}
static bool bounded_flow(const pl_spec *spec, const void *context) {
  (void)context;
  return pl_optim_flow(spec) && gnn_bounded(spec);
}
static bool irreps(const pl_spec *spec, const void *context) {
  (void)context;
  return graph_wants_irreps(spec, gnn_values_of(spec)->record_irreps);
}

#define AT(member) .from = offsetof(gnn_record, member)
static const pl_measure rows[] = {
    {"sigma2_min", NULL, "1", "smallest squared singular value of the features at labelled nodes",
     .wanted = bounded, AT(sigma2_min)},
    {"sigma2_nonzero", NULL, "1",
     "smallest squared singular value of the features at labelled nodes that is not 0",
     .wanted = bounded, AT(sigma2_nonzero)},
    {"loss_optimum", NULL, "1", "least loss of any linear network of this form", .wanted = bounded,
     AT(optimum)},
    {"lambda_t", NULL, "1",
     "least eigenvalue of the Gram matrix of the layers' product, over scales and records so far",
     .wanted = bounded_flow, AT(lambda)},
    {"bound", NULL, "1", "bound on the loss at this time of the flow, with sigma2_nonzero",
     .wanted = bounded_flow, AT(bound)},
    {"bound_gap", NULL, "1", "bound minus loss: negative where the steps break the bound",
     .wanted = bounded_flow, AT(bound_gap)},
    {"gradient_w", "scale", "1", "squared norm of the gradient of each read-out",
     .compute = gradient_w},
    {"gradient_b", "layer", "1", "squared norm of the gradient of each layer",
     .compute = gradient_b},
    {"label_energy", "irrep", "1", "squared norm of the targets in each irrep", .wanted = irreps,
     .compute = label_energy},
    {"residual_energy", "irrep", "1", "squared norm of outputs minus targets in each irrep",
     .wanted = irreps, .compute = residual_energy},
};
const pl_measures gnn_measures = PL_MEASURES(rows);

/* ---- axes ---- */

typedef struct context {
  pl_irrep_context irreps; /* first */
  int64_t first_scale;
  char scales[32];
} context;

static void scale(const void *c, int64_t i, double *number, char *text) {
  (void)text;
  *number = (double)(((const context *)pl_net_context(c))->first_scale + i);
}
static void layer(const void *c, int64_t i, double *number, char *text) {
  (void)c, (void)text;
  *number = (double)(i + 1);
}
static const pl_coord scale_coords[] = {
    {"scale", "1", "power of the operator that the read-out sees", false, true, NULL, scale}};
static const pl_coord layer_coords[] = {
    {"layer", "1", "number of the layer, from 1", false, true, NULL, layer}};

static void free_axes(void *c) {
  pl_group_free(((context *)c)->irreps.group);
  pl_free(c);
}

pl_status gnn_axes(const pl_spec *spec, pl_axis *axes, int *num, void **own,
                   void (**free_context)(void *)) {
  static char all[] = "";
  const gnn_values *v = gnn_values_of(spec);
  context *c = pl_zalloc(1, sizeof *c, "axes of a network on a graph");
  *own = c;
  *free_context = free_axes;
  bool skips = v->form == FORM_MULTISCALE;
  c->first_scale = skips ? 0 : v->depth;
  if (skips)
    snprintf(c->scales, sizeof c->scales, "multiscale");
  else
    snprintf(c->scales, sizeof c->scales, "plain %lld", (long long)v->depth);
  axes[(*num)++] = (pl_axis){.name = "scale",
                             .key = c->scales,
                             .length = gnn_scales(v),
                             .coords = scale_coords,
                             .num_coords = 1};
  axes[(*num)++] = (pl_axis){
      .name = "layer", .key = all, .length = v->depth, .coords = layer_coords, .num_coords = 1};
  if (!graph_wants_irreps(spec, v->record_irreps)) return PL_OK;
  PL_TRY(pl_group_parse(graph_values_of(spec)->group, &c->irreps.group));
  axes[(*num)++] = pl_irrep_axis(&c->irreps);
  return PL_OK;
}
