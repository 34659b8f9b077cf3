/* model.kind filter from inside: filter.c (keys, weights), filter_net.c (the network),
 * filter_measures.c (what it records), filter_response.c (responses and axes). */
#ifndef PL_NETS_GRAPH_FILTER_H
#define PL_NETS_GRAPH_FILTER_H

#include "nets/irreps.h"
#include "output.h"

enum {
  RULE_NONE,
  RULE_SGC,
  RULE_GCN,
  RULE_PPNP,
  RULE_APPNP,
  RULE_JKNET,
  RULE_DAGNN,
  RULE_LF,
  RULE_HF
};
enum { SOLVE_ITERATE, SOLVE_CLOSED };
enum { HEAD_LINEAR, HEAD_MLP };
enum { JUMP_CAT, JUMP_MAX };

typedef struct filter_values {
  pl_net_values net; /* first */
  double init_scale;
  int64_t rule, solve, depth; /* solve PL_UNSET: by rule */
  double alpha, mu, beta;
  int64_t head, width, jump, loss;
  double dropout, l2;
  int64_t record_layers, record_iterates, record_response, record_irreps;
} filter_values;

static inline const filter_values *filter_values_of(const pl_spec *spec) {
  return (const filter_values *)(const void *)spec->network_values;
}

/* ---- rules ---- */

/* min over Z of ||F_1 Z - F_2 H||^2 + xi tr(Z^T L Z): ppnp, appnp, lf, hf.  Pure. */
static inline bool filter_fits_energy(int64_t rule) {
  return rule == RULE_PPNP || rule == RULE_APPNP || rule == RULE_LF || rule == RULE_HF;
}
/* Does the rule have layers of weights (gcn, jknet)?  Pure. */
static inline bool filter_layered(int64_t rule) {
  return rule == RULE_GCN || rule == RULE_JKNET;
}
/* Z = p(A) H for a fixed function p?  Pure. */
static inline bool filter_fixed(int64_t rule) {
  return rule == RULE_SGC || filter_fits_energy(rule);
}
bool filter_closed(const filter_values *v);
/* p of a fixed rule: of the iteration, or its closed form.  Pure. */
graph_rule filter_rule(const filter_values *v, bool closed);
/* tr((Z - H)^T F^2 (Z - H)) for F^2 = fit I + slope A, F_1 = F_2 = F.  Pure. */
void filter_fit(const filter_values *v, double *fit, double *slope);

/* ---- weights, by number ---- */

/* Layers gcn, jknet: 0 .. K - 1, then jknet's head; others: hidden (mlp), head, gate (dagnn). */
void filter_add_weights(pl_net *net, int64_t features, int64_t outputs);
/* Most columns that are propagated.  Pure. */
int64_t filter_most(const filter_values *v, int64_t outputs);

/* ---- the network ---- */

typedef struct filter_own {
  graph_own base;                       /* first */
  graph_map map;                        /* p(A) */
  graph_map sure;                       /* its closed form, for record.iterates */
  double *dirichlet, *distance, *error; /* of the last record */
  double *irrep_response, *response;
} filter_own;

static inline filter_own *filter_own_of(const pl_net *net) {
  return net->own;
}

/* pl_net_kind.objective, and graph_own.answer. */
pl_node *filter_objective(const pl_net *net, pl_tape *t, pl_node *const *w, const pl_take *take);
pl_node *filter_answer(const pl_net *net, pl_tape *t, pl_node *const *w, const pl_take *take);
/* What the network's depths are: H of rules without layers, at state[0]; outputs of layers, at
 * state[1 .. K]. */
void filter_states(const pl_net *net, pl_tape *t, pl_node *const *w, const pl_take *take,
                   pl_node **state);

/* ---- records ---- */

typedef struct filter_record {
  pl_net_record net; /* first */
  double fit_term, smooth_term, iterate_rate;
  double *dirichlet, *distance, *error; /* [depths], [depths], [K + 1]; the network's */
} filter_record;

/* Depths at which over-smoothing is recorded: the last, or all.  Pure. */
int64_t filter_depths(const filter_values *v);
int64_t filter_first_depth(const filter_values *v);
bool filter_wants_response(const pl_spec *spec);
bool filter_wants_irreps(const pl_spec *spec);

/* Responses, which training does not change.  Local but for propagation, which is Collective. */
pl_status filter_responses(pl_net *net);
pl_status filter_observe(pl_net *net, void *state);
pl_status filter_axes(const pl_spec *spec, pl_axis *axes, int *num, void **context,
                      void (**free_context)(void *));
extern const pl_measures filter_measures;

/* Eigenvalues of a symmetric operator, increasing, and, if vector is not NULL, its eigenvectors as
 * rows [n][n].  PL_NUMERIC: no convergence.  Local. */
pl_status filter_eigen(const pl_csr *s, double *value, double *vector);

#endif
