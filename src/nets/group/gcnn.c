#include "nets/group/gcnn.h"

#include "base/mem.h"
#include "functional.h"
#include "gcnn_block.h"
#include "gcnn_cost.h"
#include "gcnn_dual.h"
#include "gcnn_observe.h"
#include "gcnn_weights.h"
#include "model/loss.h"
#include "model/optim.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- gradients ---- */

/* What to do with the gradient of one block; the weights may move. */
typedef struct visitor {
  void (*visit)(struct visitor *v, gcnn *m, int p, const double *g);
  pl_update *update;
  double norm2, largest;
} visitor;

/* Gradients of all layers of one stack, last layer first: T_L = R, G_l = T_l P_l^H,
 * T_(l-1) = W_l^H T_l. */
static void backward(gcnn *m, int stack, visitor *v) {
  const pl_stack *b = &m->layout->stacks[stack];
  double *t = m->scratch[0], *next = m->scratch[1], *g = m->scratch[2];
  pl_multi_axpy(m->train->num, pl_stack_doubles(b), m->coefficient, pl_samples_stack(m->train, b),
                pl_data_stride(b), t);
  for (int l = m->depth; l > 1; l--) {
    /* W_l moves as soon as its gradient is known: first what still needs it. */
    pl_stack_mul(b, PL_CN, m->w[l - 1] + b->offset, t, next);
    pl_stack_mul(b, PL_NC, t, gcnn_prefix(m, l, b), g);
    v->visit(v, m, gcnn_param(m, l - 1, stack), g);
    double *swap = t;
    t = next;
    next = swap;
  }
  v->visit(v, m, gcnn_param(m, 0, stack), t);
}

static void add_norm(visitor *v, gcnn *m, int p, const double *g) {
  v->norm2 += pl_update_measure(v->update, p, &m->base.params[p], g, m->log_scale);
}

static void add_largest(visitor *v, gcnn *m, int p, const double *g) {
  double most = pl_max_abs(m->base.params[p].n, g);
  v->largest = isnan(most) || isnan(v->largest) ? NAN : fmax(v->largest, most);
}

static void move(visitor *v, gcnn *m, int p, const double *g) {
  v->update->apply(v->update, p, &m->base.params[p], g);
}

static void collect(visitor *v, gcnn *m, int p, const double *g) {
  (void)v;
  const pl_stack *b = gcnn_stack(m, p);
  memcpy(m->gradient[p / m->layout->num_stacks] + b->offset, g,
         (size_t)pl_stack_doubles(b) * sizeof *g);
}

/* ---- the step ---- */

static void clear_sums(gcnn *m) {
  memset(m->sums, 0, (size_t)(m->train->num + 1) * sizeof *m->sums);
}

/* Margins and vote over the team: the one all-reduce of a step. */
static void share_margins(gcnn *m, double *vote) {
  int64_t n = m->train->num;
  m->sums[n] = *vote;
  pl_comm_sum(&m->layout->team, m->sums, n + 1);
  *vote = m->sums[n];
  for (int64_t i = 0; i < n; i++) m->margin[i] = m->train->y[i] * m->sums[i];
}

static void refresh(pl_model *model, int64_t t) {
  gcnn *m = gcnn_of(model);
  (void)t;
  double vote = 0;
  clear_sums(m);
  for (int i = 0; i < m->layout->num_stacks; i++)
    if (m->layout->stacks[i].here) gcnn_forward(m, &m->layout->stacks[i]);
  share_margins(m, &vote);
}

/* Gradients of whole layers, spectra, with weight decay; returns their scale. */
static double collect_gradients(gcnn *m, const pl_update *u) {
  const pl_layout *l = m->layout;
  visitor v = {.visit = collect};
  for (int i = 0; i < l->num_stacks; i++)
    if (l->stacks[i].here) backward(m, i, &v);
  double keep, add, log_scale = pl_update_mix(u, m->log_scale, &keep, &add);
  for (int k = 0; k < m->depth && add != 0; k++)
    for (int64_t i = 0; i < l->local; i++)
      m->gradient[k][i] = keep * m->gradient[k][i] + add * m->w[k][i];
  return log_scale;
}

/* Gradients of whole layers, moved as functions over G. */
static void move_over_group(gcnn *m, pl_update *u) {
  const pl_layout *l = m->layout;
  double norm2 = 0, log_scale = collect_gradients(m, u);
  if (u->needs_norm) {
    for (int k = 0; k < m->depth; k++) {
      pl_transform_inverse(m->transform, m->gradient[k], m->f);
      norm2 += pl_update_measure(u, k, &m->base.functions[k], m->f, log_scale);
    }
    pl_comm_sum(&l->team, &norm2, 1);
  }
  u->begin(u, log_scale, sqrt(norm2));
  for (int k = 0; k < m->depth; k++) {
    pl_transform_inverse(m->transform, m->gradient[k], m->f);
    memset(m->delta, 0, (size_t)m->base.functions[k].n * sizeof *m->delta);
    u->apply(u, k, &m->base.functions[k], m->f);
    pl_transform_forward(m->transform, m->delta, m->gradient[k]);
    for (int64_t i = 0; i < l->local; i++) m->w[k][i] += m->gradient[k][i];
  }
}

static void visit_all(gcnn *m, visitor *v) {
  const pl_layout *l = m->layout;
  for (int i = 0; i < l->num_stacks; i++)
    if (l->stacks[i].here) backward(m, i, v);
}

/* The gradient and its scale trade a power of two, so that squares of the gradient are in range.
 * False: there is nothing to gain. */
static bool bring_gradient_in_range(gcnn *m) {
  visitor v = {.visit = add_largest};
  visit_all(m, &v);
  double most[2] = {isnan(v.largest), isnan(v.largest) ? 0 : v.largest};
  pl_comm_max(&m->layout->team, most, 2);
  int shift = most[0] > 0 ? 0 : pl_functional_shift(most[1]);
  /* One factor that keeps the coefficients themselves, at most 1, in range. */
  if (shift > 900) shift = 900;
  for (int64_t i = 0; i < m->train->num; i++) m->coefficient[i] = ldexp(m->coefficient[i], shift);
  m->log_scale -= shift * M_LN2;
  return shift != 0;
}

/* Stack by stack across the step boundary: gradient, update, new products and margins while the
 * samples of the stack are in cache. */
static void move_blocks(gcnn *m, pl_update *u) {
  const pl_layout *l = m->layout;
  visitor v = {.visit = add_norm, .update = u};
  if (u->needs_norm) {
    visit_all(m, &v);
    pl_comm_sum(&l->team, &v.norm2, 1);
    if (!pl_sum_safe(v.norm2) && bring_gradient_in_range(m)) {
      v.norm2 = 0;
      visit_all(m, &v);
      pl_comm_sum(&l->team, &v.norm2, 1);
    }
  }
  u->begin(u, m->log_scale, sqrt(v.norm2));
  v.visit = move;
  for (int i = 0; i < l->num_stacks; i++) {
    if (!l->stacks[i].here) continue;
    backward(m, i, &v);
    gcnn_forward(m, &l->stacks[i]);
  }
}

static void step(pl_model *model, int64_t t, pl_update *u, double *vote) {
  gcnn *m = gcnn_of(model);
  const pl_layout *l = m->layout;
  (void)t;
  pl_loss_weights(m->values->loss, m->train->num, m->margin, &m->log_scale, m->coefficient);
  gcnn_average_weights(m, m->coefficient);
  for (int64_t i = 0; i < m->train->num; i++) m->coefficient[i] *= -m->train->y[i];
  clear_sums(m);
  if (u->over_group) {
    move_over_group(m, u);
    for (int i = 0; i < l->num_stacks; i++)
      if (l->stacks[i].here) gcnn_forward(m, &l->stacks[i]);
  } else {
    move_blocks(m, u);
  }
  share_margins(m, vote);
}

static pl_standing standing(const pl_model *model) {
  const gcnn *m = (const gcnn *)model;
  return pl_standing_of_log(pl_log_loss(m->values->loss, m->train->num, m->margin));
}

static double *keep(pl_model *model, int i, const char **name, int64_t *n) {
  gcnn *m = gcnn_of(model);
  if (i > 0) return NULL;
  *name = "loss_weights";
  *n = gcnn_running_size(m->train->num);
  return m->running;
}

/* ---- life ---- */

static void destroy(pl_model *model) {
  gcnn *m = gcnn_of(model);
  for (int l = 0; l < m->depth; l++) {
    if (m->gradient) pl_free(m->gradient[l]);
    if (m->w) pl_free(m->w[l]);
    if (m->prefix) pl_free(m->prefix[l]);
  }
  pl_free(m->w);
  pl_free(m->prefix);
  for (int k = 0; k < GCNN_SCRATCH; k++) pl_free(m->scratch[k]);
  pl_free(m->margin);
  pl_free(m->coefficient);
  pl_free(m->sums);
  pl_free(m->running);
  pl_free(m->gradient);
  pl_free(m->delta);
  pl_free(m->whole);
  pl_usv_free(m->usv);
  pl_free(m->base.functions);
  pl_free(m->f);
  gcnn_observe_free(m);
  pl_data_free(m->data);
  pl_packed_free(m->packed);
  pl_transform_free(m->transform);
  pl_layout_free(m->layout);
  pl_group_free(m->group);
  pl_free(m->base.params);
  pl_free(m);
}

/* The layout of its irreps over the team, and the transform. */
static pl_status place(gcnn *m, const pl_comm *team, const pl_rates *rates) {
  const pl_group_values *v = m->values;
  int64_t samples = pl_data_count(&m->spec, PL_TRAIN);
  pl_comm_bcast(team, &samples, sizeof samples, 0);
  pl_mapping *map = gcnn_map(&m->spec, m->group, team->size, rates, samples);
  pl_mapping_share(team, map);
  int block = v->grid_block == PL_UNSET ? 0 : (int)v->grid_block;
  pl_status st =
      pl_layout_new(m->group, team, map, block, gcnn_stack_doubles(&m->spec, samples), &m->layout);
  pl_mapping_free(map);
  if (!st && !pl_group_codepth(m->group)) st = pl_transform_new(m->layout, &m->transform);
  return st;
}

static double *spectrum_alloc(const pl_layout *l, const char *what) {
  return pl_zalloc((size_t)l->local, sizeof(double), what);
}

static void make_filters(gcnn *m) {
  const pl_layout *l = m->layout;
  m->w = pl_zalloc((size_t)m->depth, sizeof *m->w, "filters");
  m->prefix = pl_zalloc((size_t)m->depth, sizeof *m->prefix, "prefix products");
  for (int k = 0; k < m->depth; k++) {
    m->w[k] = spectrum_alloc(l, "filters in Fourier space");
    if (k >= 2) m->prefix[k] = spectrum_alloc(l, "prefix products");
  }
}

static pl_status create(const pl_spec *spec, const pl_comm *team, const pl_rates *rates,
                        pl_model **out) {
  gcnn *m = pl_zalloc(1, sizeof *m, "network");
  m->base.kind = &pl_gcnn;
  m->spec = *spec;
  m->values = pl_group_values_of(&m->spec);
  m->depth = (int)m->values->depth;
  pl_status st = pl_agree(team, pl_group_of(spec, NULL, &m->group));
  if (!st) st = place(m, team, rates);
  if (!st) st = pl_agree(team, gcnn_observe_new(m));
  if (st) goto fail;

  const pl_layout *l = m->layout;
  m->packed = pl_packed_new(l);
  make_filters(m);
  for (int k = 0; k < GCNN_SCRATCH; k++)
    m->scratch[k] = pl_alloc((size_t)l->scratch, sizeof(double), "workspace of a step");
  if (m->transform)
    m->f = pl_alloc((size_t)pl_transform_count(m->transform), sizeof(double), "function over G");
  gcnn_list_params(m);
  gcnn_prepare_optimiser(m);

  st = pl_filters_init(spec, l, m->transform, m->f, m->w);
  if (!st) st = pl_data_new(spec, l, m->transform, m->f, m->beta, &m->data);
  if (st) goto fail;
  m->train = &m->data->part[PL_TRAIN];
  size_t n = (size_t)m->train->num;
  m->margin = pl_alloc(n, sizeof *m->margin, "margins");
  m->coefficient = pl_alloc(n, sizeof *m->coefficient, "loss weights");
  m->sums = pl_alloc(n + 1, sizeof *m->sums, "margins");
  m->running =
      pl_zalloc((size_t)gcnn_running_size(m->train->num), sizeof *m->running, "running averages");
  refresh(&m->base, 0);
  *out = &m->base;
  return PL_OK;
fail:
  destroy(&m->base);
  return st;
}

/* ---- the description ---- */

static const char *at_fault(const char *key, const char *what) {
  pl_error(PL_EINPUT, "%s", what);
  return key;
}

static const char *fits(const pl_spec *spec) {
  const pl_group_values *v = pl_group_values_of(spec);
  bool band = v->band_codepth != PL_UNSET;
  if (v->band_inner != PL_INNER_BAND && !band)
    return at_fault("band.inner_product", "group needs band.codepth: without it there is no band");
  if (v->init_kind == PL_INIT_FILE && !v->init_path)
    return at_fault("model.init.kind", "file needs model.init.path");
  /* What needs functions over the group is not to be had in a band. */
  if (band && v->record_beta)
    return at_fault("record.beta", "beta over the group is not recorded in a band");
  if (band && pl_optim_over_group(spec))
    return at_fault("optimizer.domain",
                    "filter values over the group are no coordinates of a band; use "
                    "optimizer.domain: fourier");
  return NULL;
}

/* Trouble with a file or a group is found once, on rank 0, before any work. */
static pl_status check(const pl_spec *spec, const char **key) {
  pl_group *g;
  pl_status st = PL_OK;
  PL_TRY(pl_group_of(spec, key, &g));
  if (pl_group_values_of(spec)->record_beta && pl_group_order(g) > 1000000) {
    *key = "record.beta";
    st = pl_error(PL_EINPUT, "beta over %s has %lld values; recorded up to 10^6",
                  pl_group_values_of(spec)->group, (long long)pl_group_order(g));
  }
  if (!st) st = pl_filters_check(spec, g, key);
  if (!st) st = pl_group_data_check(spec, g, key);
  pl_group_free(g);
  return st;
}

static int label(const pl_spec *spec, char *buf, size_t n) {
  const pl_group_values *v = pl_group_values_of(spec);
  char band[32] = "";
  if (v->band_codepth != PL_UNSET)
    snprintf(band, sizeof band, ", codepth %lld", (long long)v->band_codepth);
  return snprintf(buf, n, "%s%s, gcnn, depth %lld", v->group, band, (long long)v->depth);
}

static const pl_keys *const keys[] = {&pl_group_keys,      &pl_band_keys, &pl_layers_keys,
                                      &pl_functional_keys, &pl_kkt_keys,  &pl_spectrum_keys,
                                      &pl_grid_keys,       NULL};

const pl_model_kind pl_gcnn = {
    .name = "gcnn",
    .help = "linear G-CNN, trained in Fourier space",
    .example = "{model.kind: gcnn, group: S_4, data: {samples: 5, test: 3}, record.kkt: true}",
    .summary = pl_functional_summary,
    .reference = pl_functional_reference,
    .headline = pl_functional_headline,
    .keys = keys,
    .data = pl_group_data_kinds,
    .measures = gcnn_measures,
    .metric = "accuracy",
    .convergence = pl_functional_convergence,
    .fits = fits,
    .check = check,
    .label = label,
    .describe = gcnn_describe,
    .cost = gcnn_cost,
    .explain = gcnn_explain,
    .create = create,
    .destroy = destroy,
    .refresh = refresh,
    .step = step,
    .standing = standing,
    .judge = pl_functional_judge,
    .observe = gcnn_observe,
    .block_sum = gcnn_block_sum,
    .block_polar = gcnn_block_polar,
    .weights = &gcnn_weights,
    .functions = &gcnn_functions,
    .keep = keep,
    .save = gcnn_save,
};
