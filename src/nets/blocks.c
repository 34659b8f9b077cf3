#include "nets/blocks.h"

#include "base/log.h"
#include "linalg/momentum.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- keys ---- */

PL_WORDS(activations, "relu", "tanh", "silu", "sigmoid", "softplus", "none")
PL_WORDS(updates, "residual", "momentum", "revnet")
PL_WORDS(stores, "all", "reversible")

static const char *block_name(int i) {
  const pl_block *b = i >= 0 ? pl_zoo_block(i) : NULL;
  return b ? b->name : NULL;
}

#define L(member) offsetof(pl_block_values, layer.member)
#define R(member) offsetof(pl_block_values, recursion.member)
enum { SHAPE = PL_COST | PL_RESULTS };

static const pl_key layer_rows[] = {
    {"model.activation", PL_KEY_CHOICE, L(activation), SHAPE, "relu", .choice = activations,
     .help = "entry by entry between the layers; none: a linear network"},
    {"model.bias", PL_KEY_BOOL, L(bias), SHAPE, "true", .help = "a bias in every layer"},
    {"model.init.scale", PL_KEY_REAL, L(init_scale), PL_RESULTS, "1", DBL_MIN, DBL_MAX,
     .help = "initial weights and biases are uniform on +-scale/sqrt(inputs of the layer)"},
};
static const pl_key block_rows[] = {
    {"model.block", PL_KEY_CHOICE, R(block), SHAPE, "mlp", .choice = block_name,
     .help =
         "the layer f that the recursion wraps: mlp act(x W_1 + b_1) W_2 + b_2, gnn act(S x W)"},
    {"model.hidden", PL_KEY_INT, L(hidden), SHAPE, .min = 1, .max = 65536,
     .help = "values in the middle of the layer mlp (default: as many as it takes in)"},
};
static const pl_key recursion_rows[] = {
    {"model.depth", PL_KEY_INT, R(depth), SHAPE, "15", .min = 1, .max = 1e4,
     .help = "layers N of the recursion"},
    {"model.update", PL_KEY_CHOICE, R(update), SHAPE, "momentum", .choice = updates,
     .help = "residual x + f(x); momentum: v <- gamma v + (1 - gamma) f(x), x + v; revnet: halves "
             "a + f(b), b + g(a)"},
    {"model.gamma", PL_KEY_REAL, R(gamma), SHAPE, "0.9", .min = 0, .max = 1 - DBL_EPSILON / 2,
     .with = "model.update", .with_word = "momentum",
     .help = "momentum, below 1; 0: a residual network.  With store: reversible the nearest n/d, d "
             "up to 65536"},
    {"model.tied", PL_KEY_BOOL, R(tied), SHAPE, "false", .help = "all layers share their weights"},
    {"model.scale", PL_KEY_REAL, R(scale), PL_RESULTS, "1", .min = DBL_MIN, .max = DBL_MAX,
     .help = "s, a factor of f"},
    {"model.store", PL_KEY_CHOICE, R(store), SHAPE, "all", .choice = stores,
     .help = "all: what the layers compute is kept for the gradient; reversible: the last state in "
             "fixed point, from which the others come back to the last bit (momentum)"},
};
const pl_keys pl_layer_keys = PL_KEYS(PL_IN_NETWORK, layer_rows);
const pl_keys pl_block_keys = PL_KEYS(PL_IN_NETWORK, block_rows);
const pl_keys pl_recursion_keys = PL_KEYS(PL_IN_NETWORK, recursion_rows);

static const pl_recursion_values *values_of(const pl_spec *spec) {
  return &pl_block_values_of(spec)->recursion;
}

const char *pl_recursion_fits(const pl_spec *spec) {
  const pl_recursion_values *v = values_of(spec);
  int64_t n, d;
  if (v->store == PL_KEEP_ALL) return NULL;
  if (v->update != PL_UPDATE_MOMENTUM || v->gamma == 0) {
    pl_error(PL_EINPUT, "reversible needs model.update momentum with model.gamma above 0: there is "
                        "no velocity to invert");
    return "model.store";
  }
  if (pl_reversible_ratio(v->gamma, &n, &d)) return NULL;
  pl_error(PL_EINPUT, "no fraction in (0, 1) with denominator up to 65536 is near it, as store: "
                      "reversible needs");
  return "model.gamma";
}

pl_node *pl_activate(pl_tape *t, pl_activation kind, pl_node *x) {
  switch (kind) {
  case PL_RELU:
    return pl_tape_relu(t, x);
  case PL_TANH:
    return pl_tape_tanh(t, x);
  case PL_SILU:
    return pl_tape_silu(t, x);
  case PL_SIGMOID:
    return pl_tape_sigmoid(t, x);
  case PL_SOFTPLUS:
    return pl_tape_softplus(t, x);
  case PL_NO_ACTIVATION:
    break;
  }
  return x;
}

const pl_block *pl_block_of(const pl_spec *spec) {
  return pl_zoo_block((int)values_of(spec)->block);
}

const char *pl_update_name(int i) {
  return updates(i);
}

/* ---- the recursion ---- */

static bool reverses(const pl_spec *spec) {
  return values_of(spec)->store == PL_KEEP_REVERSIBLE;
}

double pl_recursion_gamma(const pl_spec *spec) {
  const pl_recursion_values *v = values_of(spec);
  int64_t n, d;
  if (v->update != PL_UPDATE_MOMENTUM) return 0;
  if (!reverses(spec) || !pl_reversible_ratio(v->gamma, &n, &d)) return v->gamma;
  return (double)n / (double)d;
}

pl_recursion_own pl_recursion_own_of(const pl_spec *spec) {
  pl_recursion_own own = {.told = false};
  int64_t n, d;
  if (reverses(spec) && pl_reversible_ratio(values_of(spec)->gamma, &n, &d))
    own.rule = pl_reversible_of(n, d);
  return own;
}

pl_recursion pl_recursion_of(const pl_spec *spec, const pl_recursion_own *own, bool keep_all) {
  const pl_recursion_values *v = values_of(spec);
  double gamma = pl_recursion_gamma(spec);
  return (pl_recursion){.depth = (int)v->depth,
                        .gamma = gamma,
                        .c = (1 - gamma) * v->scale,
                        .revnet = v->update == PL_UPDATE_REVNET,
                        .rule = reverses(spec) && !keep_all ? &own->rule : NULL};
}

pl_node *pl_recursion_run(pl_recursion_own *own, pl_tape *t, const pl_recursion *r, pl_node *x,
                          pl_node *const *node) {
  pl_node *y = pl_tape_recursion(t, r, x, node);
  if (!own->told && pl_recursion_beyond(y)) {
    pl_log_all(PL_LOG_WARNING,
               "model.store: reversible: an entry of x or v is not below %d, beyond the fixed "
               "point: the run diverges",
               PL_REVERSIBLE_LIMIT);
    own->told = true;
  }
  return y;
}

/* ---- .. of blocks ---- */

static int halves(const pl_spec *spec) {
  return values_of(spec)->update == PL_UPDATE_REVNET ? 2 : 1;
}

void pl_recursion_add(pl_net *net, int64_t width) {
  const pl_recursion_values *v = values_of(&net->spec);
  int parts = halves(&net->spec);
  for (int k = 0; k < (v->tied ? 1 : v->depth); k++)
    for (int half = 0; half < parts; half++) {
      char prefix[32];
      snprintf(prefix, sizeof prefix, parts == 2 ? "layer%d_%c" : "layer%d", k, "fg"[half]);
      pl_block_of(&net->spec)->add(net, prefix, k, width / parts);
    }
}

static pl_node *block_layer(pl_tape *t, const void *context, int k, int half, pl_node *const *node,
                            pl_node *x) {
  const pl_net *net = context;
  const pl_block *b = pl_block_of(&net->spec);
  (void)k;
  /* Tied layers all read the same nodes, those of g behind those of f. */
  if (values_of(&net->spec)->tied) node += half * b->weights(&net->spec);
  return b->layer(net, t, node, x);
}

static pl_recursion of_blocks(const pl_net *net, const pl_recursion_own *own) {
  pl_recursion r = pl_recursion_of(&net->spec, own, false);
  int weights = pl_block_of(&net->spec)->weights(&net->spec);
  if (values_of(&net->spec)->tied)
    r.shared = halves(&net->spec) * weights;
  else
    r.each = weights;
  r.layer = block_layer;
  r.context = net;
  return r;
}

pl_node *pl_recursion_blocks(const pl_net *net, pl_recursion_own *own, pl_tape *t,
                             pl_node *const *w, int *at, pl_node *x) {
  pl_recursion r = of_blocks(net, own);
  x = pl_recursion_run(own, t, &r, x, w + *at);
  *at += pl_recursion_nodes(&r);
  return x;
}

void pl_recursion_work(const pl_spec *spec, int64_t width, double *products, double *doubles) {
  const pl_recursion_values *v = values_of(spec);
  int parts = halves(spec), arrays = v->update == PL_UPDATE_MOMENTUM ? 2 : 1;
  double one_products = 0, one_doubles = 0, depth = (double)v->depth, w = (double)width;
  pl_block_of(spec)->work(spec, width / parts, &one_products, &one_doubles);
  *products += depth * parts * one_products;
  if (!reverses(spec)) {
    *doubles += depth * (parts * one_doubles + arrays * w);
    return;
  }
  /* The layer once more on the way back; what is kept, and one layer at a time. */
  pl_recursion_own own = pl_recursion_own_of(spec);
  *products += depth * one_products / 3;
  *doubles += one_doubles + w * (5 + pl_reversible_buffers(&own.rule, (int)v->depth));
}

/* ---- records ---- */

#define AT(member) .from = offsetof(pl_recursion_record, member)
static const pl_measure measure_rows[] = {
    {"lambda_eps", NULL, "1", PL_LAMBDA_EPS, AT(lambda_eps)},
    {"bits_lost", NULL, "1", PL_BITS_LOST, AT(bits_lost)},
    {"reversal_error", NULL, "1", PL_REVERSAL_ERROR, AT(reversal_error), .better = -1},
    {"store_bytes", NULL, "byte", PL_STORE_BYTES, AT(store_bytes)},
};
const pl_measures pl_recursion_measures = PL_MEASURES(measure_rows);

void pl_recursion_visit(pl_recursion_own *own, pl_tape *t, const pl_recursion *r, pl_node *x,
                        pl_node *const *node, pl_recursion_sums *sums) {
  double before = (double)pl_tape_used(t);
  pl_node *y = pl_recursion_run(own, t, r, x, node);
  sums->entries += (double)pl_tape_count(y);
  if (r->rule) {
    sums->bytes += pl_recursion_bytes(y);
    sums->bits += pl_recursion_bits(t, y);
    sums->error = fmax(sums->error, pl_recursion_undo(t, y));
    return;
  }
  sums->bytes += (double)pl_tape_used(t) - before;
  sums->error = fmax(sums->error, pl_recursion_drift(t, r, x, node));
}

void pl_recursion_visit_blocks(const pl_net *net, pl_recursion_own *own, pl_tape *t,
                               pl_node *const *w, int *at, pl_node *x, pl_recursion_sums *sums) {
  pl_recursion r = of_blocks(net, own);
  pl_recursion_visit(own, t, &r, x, w + *at, sums);
  *at += pl_recursion_nodes(&r);
}

void pl_recursion_observe(const pl_net *net, pl_recursion_sums *s, pl_recursion_record *out) {
  const pl_recursion_values *v = values_of(&net->spec);
  double gamma = pl_recursion_gamma(&net->spec);
  pl_comm_sum(&net->team, &s->bits, 1);
  pl_comm_sum(&net->team, &s->entries, 1);
  pl_comm_sum(&net->team, &s->bytes, 1);
  pl_comm_max(&net->team, &s->error, 1);
  out->lambda_eps = gamma == 0 ? 0 : pl_momentum_least(1 / ((1 - gamma) * (double)v->depth));
  out->bits_lost = reverses(&net->spec) ? s->bits / s->entries : NAN;
  out->reversal_error = gamma == 0 && v->update != PL_UPDATE_REVNET ? NAN : s->error;
  out->store_bytes = s->bytes;
}
