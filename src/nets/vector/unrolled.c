/* Learning to optimise: layers whose fixed point is to be the code of x, as in LISTA, unrolled. */
#include "unrolled.h"

#include <stdio.h>
#include <string.h>

enum { CODE, INPUT, THRESHOLD, NUM_WEIGHTS };

static bool is_revnet(const pl_spec *spec) {
  return vector_values_of(spec)->base.recursion.update == PL_UPDATE_REVNET;
}

static void add_layer(pl_net *net, const char *prefix, int layer, const pl_vector_shape *s) {
  static const char *const parts[] = {"code_weight", "input_weight", "threshold"};
  static const char *const what[] = {"W_1, from code to code", "W_2, from x to code", "theta"};
  const vector_values *v = vector_values_of(&net->spec);
  for (int k = 0; k < NUM_WEIGHTS; k++) {
    int64_t rows = k == CODE ? s->outputs : k == INPUT ? s->features : 1;
    bool threshold = k == THRESHOLD;
    pl_net_weight w = {.group = threshold ? "bias" : "weight",
                       .layer = layer,
                       .rows = rows,
                       .cols = s->outputs,
                       .init = threshold ? PL_INIT_CONSTANT : PL_INIT_SPREAD,
                       .scale = threshold ? v->threshold
                                          : v->base.layer.init_scale / sqrt((double)rows)};
    snprintf(w.name, sizeof w.name, "%s_%s", prefix, parts[k]);
    snprintf(w.what, sizeof w.what, "%s", what[k]);
    pl_net_add(net, w);
  }
}

static void add(pl_net *net, const pl_vector_shape *shape, int64_t outputs) {
  const pl_recursion_values *r = &vector_values_of(&net->spec)->base.recursion;
  (void)outputs;
  for (int k = 0; k < (r->tied ? 1 : r->depth); k++)
    for (int half = 0; half < (is_revnet(&net->spec) ? 2 : 1); half++) {
      char prefix[24];
      snprintf(prefix, sizeof prefix, is_revnet(&net->spec) ? "layer%d_%c" : "layer%d", k,
               "fg"[half]);
      add_layer(net, prefix, k, shape);
    }
}

/* ---- the recursion ---- */

/* sign(z) max(|z| - theta, 0), also for theta < 0, where training may lead: the difference of
 * max(z - theta, 0) and max(-z - theta, 0) is another function there. */
static pl_node *soft(pl_tape *t, pl_node *z, pl_node *theta) {
  pl_node *size = pl_tape_relu(t, pl_tape_subtract(t, pl_tape_abs(t, z), theta));
  return pl_tape_multiply(t, pl_tape_sign(t, z), size);
}

/* f(x, u); w: the layer's weights. */
static pl_node *force(pl_tape *t, pl_node *u, pl_node *const *w, pl_node *x) {
  pl_node *z = pl_tape_add(t, pl_tape_matmul(t, x, w[CODE]), pl_tape_matmul(t, u, w[INPUT]));
  return pl_tape_subtract(t, soft(t, z, w[THRESHOLD]), x);
}

static bool is_tied(const pl_net *net) {
  return vector_values_of(&net->spec)->base.recursion.tied;
}

static pl_node *layer(pl_tape *t, const void *context, int k, int half, pl_node *const *node,
                      pl_node *x) {
  (void)k;
  return force(t, node[0], node + 1 + (is_tied(context) ? half * NUM_WEIGHTS : 0), x);
}

pl_node *unrolled_last_force(const pl_net *net, pl_tape *t, pl_node *const *w, pl_node *u, int half,
                             pl_node *x) {
  int64_t layers = is_tied(net) ? 1 : vector_values_of(&net->spec)->base.recursion.depth;
  int64_t which = is_revnet(&net->spec) ? 2 * (layers - 1) + half : layers - 1;
  return force(t, u, w + which * NUM_WEIGHTS, x);
}

pl_recursion unrolled_recursion(const pl_net *net, bool keep_all) {
  pl_recursion r = pl_recursion_of(&net->spec, &vector_own_of(net)->recursion, keep_all);
  bool tied = is_tied(net);
  r.shared = 1 + (tied ? (r.revnet ? 2 : 1) * NUM_WEIGHTS : 0);
  r.each = tied ? 0 : NUM_WEIGHTS;
  r.layer = layer;
  r.context = net;
  return r;
}

pl_node *unrolled_start(const pl_net *net, pl_tape *t, const pl_take *take) {
  int64_t codes = vector_data(net)->shape.outputs * (is_revnet(&net->spec) ? 2 : 1);
  double *zero = pl_tape_alloc(t, (size_t)(take->count * codes), sizeof *zero);
  memset(zero, 0, (size_t)(take->count * codes) * sizeof *zero);
  return pl_tape_constant(t, take->count, codes, zero);
}

pl_node **unrolled_nodes(pl_tape *t, const pl_recursion *r, pl_node *const *w, pl_node *u) {
  int num = pl_recursion_nodes(r);
  pl_node **node = pl_tape_alloc(t, (size_t)num, sizeof(pl_node *));
  node[0] = u;
  for (int i = 1; i < num; i++) node[i] = w[i - 1];
  return node;
}

pl_node *unrolled_code(const pl_net *net, pl_tape *t, pl_node *x) {
  if (!is_revnet(&net->spec)) return x;
  int64_t half = x->cols / 2;
  return pl_tape_scale(
      t, pl_tape_add(t, pl_tape_cols(t, x, 0, half), pl_tape_cols(t, x, half, half)), .5);
}

static pl_node *outputs_of(const pl_net *net, pl_tape *t, pl_node *const *w, pl_node *u,
                           const pl_vector_shape *shape, const pl_take *take) {
  (void)shape;
  pl_recursion r = unrolled_recursion(net, false);
  pl_node *x = pl_recursion_run(&vector_own_of(net)->recursion, t, &r, unrolled_start(net, t, take),
                                unrolled_nodes(t, &r, w, u));
  return unrolled_code(net, t, x);
}

static void work(const pl_spec *spec, const pl_vector_shape *shape, int64_t outputs,
                 double *products, double *doubles) {
  const pl_recursion_values *r = &vector_values_of(spec)->base.recursion;
  double codes = (double)outputs, layers = (double)r->depth * (is_revnet(spec) ? 2 : 1);
  bool reverses = r->store == PL_KEEP_REVERSIBLE;
  *products = layers * codes * (codes + (double)shape->features) * (reverses ? 4. / 3 : 1);
  *doubles = (double)shape->features + codes * (reverses ? 20 : 12 * layers);
}

/* ---- checks ---- */

static pl_status fits_shape(const pl_spec *spec, const pl_vector_shape *shape, const char **key) {
  (void)spec;
  *key = "data.kind";
  if (shape->classes) return pl_error(PL_EINPUT, "codes are numbers, and the samples have classes");
  return PL_OK;
}

static const char *fits(const pl_spec *spec) {
  const char *key = pl_recursion_fits(spec);
  return key ? key : vector_fits(spec);
}

static int label(const pl_spec *spec, char *buf, size_t n) {
  const pl_recursion_values *r = &vector_values_of(spec)->base.recursion;
  return snprintf(buf, n, "unrolled, %s, depth %lld%s", pl_update_name((int)r->update),
                  (long long)r->depth, r->tied ? ", tied" : "");
}

static const pl_keys *const keys[] = {&pl_recursion_keys,
                                      &vector_unrolled_keys,
                                      &vector_loss_keys,
                                      &pl_net_init_keys,
                                      &pl_batch_keys,
                                      &pl_spectrum_keys,
                                      NULL};
static const pl_default defaults[] = {
    {"model.tied", "true"}, {"model.depth", "20"}, {"loss", "square"}, {NULL, NULL}};
static const pl_measures *const measures[] = {&pl_net_measures, &vector_measures,
                                              &pl_recursion_measures, &unrolled_measures, NULL};

const pl_vector_kind pl_unrolled = {
    .net = {.door = {.name = "unrolled",
                     .help = "networks that learn to optimise: LASSO codes by unrolled thresholds",
                     .example = "{model: {kind: unrolled, depth: 4, store: reversible}, "
                                "train.batch: 4, data: {samples: 11, validation: 3, test: 4, "
                                "features: 3, atoms: 5}}",
                     .summary = "errors of the codes layer by layer, and eigenvalues of the "
                                "linearised layers beside their laws",
                     .reference = "Sander, Ablin, Blondel, Peyre, Momentum Residual Neural "
                                  "Networks, ICML 2021, arXiv:2102.07870",
                     .headline = (const char *const[]){"loss", "layer_radius", NULL},
                     PL_NET_DOOR,
                     .keys = keys,
                     .defaults = defaults,
                     .data = pl_target_data_kinds,
                     .measures = measures,
                     .metric = "mse",
                     .fits = fits,
                     .check = vector_check,
                     .label = label,
                     .apply = vector_apply},
            VECTOR_NET,
            .observe = unrolled_observe,
            .axes = unrolled_axes,
            .record_bytes = sizeof(unrolled_record)},
    .add = add,
    .outputs = outputs_of,
    .work = work,
    .fits_shape = fits_shape,
};
