#include "gcnn_observe.h"

#include "base/mem.h"
#include "fourier_observe.h"
#include "gcnn_dual.h"
#include "gcnn_kkt.h"
#include "gcnn_regular.h"
#include "model/regularizer.h"

#include <math.h>
#include <string.h>

/* The state of one record. */
typedef struct state {
  pl_functional first;
  gcnn_kkt kkt;
  double dual_bound; /* depth 2 */
  double objective[2], bro, gini;
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
static void task_loss(const void *of, double *out) {
  *out = pl_functional_task_loss(of);
}
static bool want_regularised(const pl_spec *spec, const void *context) {
  (void)context;
  return pl_regularised(spec);
}
static bool want_gini(const pl_spec *spec, const void *context) {
  (void)context;
  return pl_gini_exponent(spec) > 0;
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
    {"task_loss", NULL, "1", PL_TASK_LOSS, .wanted = want_regularised, .compute = task_loss,
     .better = -1},
    {"bro", NULL, "1", PL_BRO, .wanted = want_regularised, FROM(bro), .better = -1},
    {"gini", NULL, "1", PL_GINI, .wanted = want_gini, FROM(gini), .better = 1},
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
const pl_measures *const gcnn_measures[] = {&pl_functional_measures, &pl_product_measures, &own,
                                            NULL};

pl_status gcnn_describe(const pl_spec *spec, pl_schema *out) {
  pl_group *g;
  PL_TRY(pl_group_of(spec, NULL, &g));
  pl_functional_describe(spec, g, gcnn_measures, NULL, 0, out);
  return PL_OK;
}

/* ---- a record ---- */

static pl_status certify(gcnn *m, state *s) {
  fourier_net *net = &m->net;
  double *multipliers = NULL;
  pl_status st = PL_OK;
  if (net->values->record_kkt) {
    multipliers = pl_alloc((size_t)net->train->num, sizeof *multipliers, "multipliers");
    st = gcnn_kkt_observe(m, s->first.parameter_norm, multipliers, &s->kkt);
  }
  double margin = 0;
  if (net->layout->team.rank == 0) pl_functional_normalized_margin(&s->first, &margin);
  if (m->depth == 2)
    s->dual_bound = gcnn_dual_bound(m, s->kkt.residual < 1 ? multipliers : NULL, margin);
  pl_free(multipliers);
  return st;
}

pl_status gcnn_observe(pl_model *model, double *out) {
  gcnn *m = gcnn_of(model);
  fourier_net *net = &m->net;
  state s = {.dual_bound = NAN};
  pl_status st = fourier_observe(net, m->depth, &s.first);
  pl_status certified = certify(m, &s);
  if (m->regular) {
    pl_standing whole = fourier_standing(model);
    s.objective[0] = whole.objective;
    s.objective[1] = whole.log_objective;
    s.first.objective = s.objective;
    s.bro = gcnn_regular_bro(m->regular);
    s.gini = gcnn_regular_gini(m->regular);
  }
  if (!st) st = certified;
  if (net->layout->team.rank == 0) pl_schema_compute(&net->schema, &s, out);
  return st;
}
