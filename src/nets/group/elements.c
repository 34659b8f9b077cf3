#include "elements_internal.h"

#include "base/mem.h"
#include "model/loss.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { FULL_MAX = 10000 };

/* A network is a row here and a row of kinds below. */
static const recipe recipes[] = {
    {&pl_cnn, HIDDEN_CYCLIC, false},     {&pl_fc, HIDDEN_FULL, false},
    {&pl_gcnn_relu, HIDDEN_GROUP, true}, {&pl_cnn_relu, HIDDEN_CYCLIC, true},
    {&pl_fc_relu, HIDDEN_FULL, true},
};

const recipe *elements_recipe(const pl_spec *spec) {
  const pl_model_kind *kind = pl_model_kind_get((int)spec->model_kind);
  const recipe *r = recipes;
  while (r->kind != kind) r++;
  return r;
}

pl_status elements_own_group(const pl_spec *spec, const pl_group *g, pl_group **out) {
  char cyclic[32];
  *out = NULL;
  if (elements_recipe(spec)->hidden == HIDDEN_FULL) return PL_OK;
  if (elements_recipe(spec)->hidden == HIDDEN_GROUP) return pl_group_parse(spec->group, out);
  snprintf(cyclic, sizeof cyclic, "C_%lld", (long long)pl_group_order(g));
  return pl_group_parse(cyclic, out);
}

/* ---- forward and back ---- */

static const double *input(const elements_net *m, int layer) {
  return layer ? m->z[layer] : m->x0;
}

static void forward(elements_net *m, int64_t samples, const double *x) {
  m->x0 = x;
  for (int k = 0; k < m->num_layers; k++)
    m->layers[k]->kind->forward(m->layers[k], samples, input(m, k), m->z[k + 1]);
}

/* From df/d(outputs): gradients of the weights (if asked for) and df/dx (if not NULL). */
static void backward(elements_net *m, int64_t samples, const double *out, bool weights,
                     double *dx) {
  int l = m->depth;
  for (int k = m->num_layers - 1; k >= 0; k--) {
    pl_layer *layer = m->layers[k];
    double *to = k ? m->dz[k % 2] : dx;
    double *dw = layer->rows ? m->gradient[--l] : NULL;
    layer->kind->backward(layer, samples, input(m, k), out, to, weights ? dw : NULL);
    out = to;
  }
}

void elements_linearise(elements_net *m) {
  int64_t samples = m->recipe->relu ? m->count : 1;
  double *ones = m->record; /* at least as long as the margins */
  for (int64_t i = 0; i < samples; i++) ones[i] = 1;
  backward(m, samples, ones, false, m->betas);
}

/* Outputs of this rank's samples, and the vote, over the team. */
static void share_margins(elements_net *m, double *vote) {
  memset(m->sums, 0, (size_t)(m->num_samples + 1) * sizeof *m->sums);
  if (m->recipe->relu) {
    forward(m, m->count, m->x);
    memcpy(m->sums + m->first, m->z[m->num_layers], (size_t)m->count * sizeof *m->sums);
  } else {
    elements_linearise(m);
    pl_multi_dot(m->count, m->order, 1, m->x, m->order, m->betas, m->sums + m->first);
  }
  m->sums[m->num_samples] = *vote;
  pl_comm_sum(&m->team, m->sums, m->num_samples + 1);
  *vote = m->sums[m->num_samples];
  for (int64_t i = 0; i < m->num_samples; i++) m->margin[i] = m->y[i] * m->sums[i];
}

static void refresh_layers(elements_net *m) {
  for (int l = 0; l < m->depth; l++)
    if (m->weighted[l]->kind->refresh) m->weighted[l]->kind->refresh(m->weighted[l]);
}

static void refresh(pl_model *model) {
  elements_net *m = elements_of(model);
  double vote = 0;
  refresh_layers(m);
  share_margins(m, &vote);
}

static void gradients(elements_net *m) {
  if (m->recipe->relu) {
    backward(m, m->count, m->coefficient + m->first, true, NULL);
    for (int l = 0; l < m->depth; l++) pl_comm_sum(&m->team, m->gradient[l], m->base.params[l].n);
    return;
  }
  double one = 1;
  pl_multi_axpy(m->count, m->order, m->coefficient + m->first, m->x, m->order, m->sum);
  pl_comm_sum(&m->team, m->sum, m->order);
  forward(m, 1, m->sum);
  backward(m, 1, &one, true, NULL);
}

static void step(pl_model *model, pl_update *u, double *vote) {
  elements_net *m = elements_of(model);
  pl_loss_weights(m->spec.loss, m->num_samples, m->margin, &m->log_scale, m->coefficient);
  for (int64_t i = 0; i < m->num_samples; i++) m->coefficient[i] *= -m->y[i];
  gradients(m);
  double norm2 = 0;
  for (int l = 0; l < m->depth && u->needs_norm; l++) {
    const pl_param *p = &m->base.params[l];
    norm2 +=
        u->measure ? u->measure(u, l, p, m->gradient[l]) : pl_sum_squares(p->n, m->gradient[l]);
  }
  u->begin(u, m->log_scale, sqrt(norm2));
  for (int l = 0; l < m->depth; l++) u->apply(u, l, &m->base.params[l], m->gradient[l]);
  refresh_layers(m);
  share_margins(m, vote);
}

static double log_loss(const pl_model *model) {
  const elements_net *m = (const elements_net *)model;
  return pl_log_loss(m->spec.loss, m->num_samples, m->margin);
}

/* ---- life ---- */

static pl_status add_hidden(elements_net *m, int64_t samples) {
  pl_layer **to = &m->layers[m->num_layers];
  if (m->own)
    PL_TRY(pl_layer_convolution(m->own, samples, pl_convolve_choose(m->own, samples), to));
  else
    *to = pl_layer_full(m->order);
  m->num_layers++;
  if (m->recipe->relu) m->layers[m->num_layers++] = pl_layer_relu(m->order);
  return PL_OK;
}

static pl_status make_layers(elements_net *m) {
  /* Room for the samples of this rank; a linear network takes one at a time. */
  int64_t samples = m->capacity = m->recipe->relu && m->count ? m->count : 1;
  int64_t width = samples * m->order;
  m->layers = pl_zalloc(2 * (size_t)m->depth, sizeof *m->layers, "layers");
  for (int l = 0; l < m->depth - 1; l++) PL_TRY(add_hidden(m, samples));
  m->layers[m->num_layers++] =
      elements_pools(&m->spec) ? pl_layer_pool(m->order) : pl_layer_readout(m->order);

  m->weighted = pl_alloc((size_t)m->depth, sizeof *m->weighted, "layers");
  m->gradient = pl_zalloc((size_t)m->depth, sizeof *m->gradient, "gradients");
  m->base.params = pl_alloc((size_t)m->depth, sizeof *m->base.params, "parameters");
  for (int k = 0; k < m->num_layers; k++) {
    pl_layer *layer = m->layers[k];
    int64_t n = layer->rows * layer->cols;
    if (n == 0) continue;
    int l = m->base.num_params++;
    m->weighted[l] = layer;
    m->gradient[l] = pl_alloc((size_t)n, sizeof **m->gradient, "gradients");
    m->base.params[l] = (pl_param){.layer = l,
                                   .count = 1,
                                   .rows = layer->rows,
                                   .cols = layer->cols,
                                   .weight = 1,
                                   .n = n,
                                   .w = layer->w};
  }
  elements_prepare_optimiser(m);
  m->z = pl_zalloc((size_t)m->num_layers + 1, sizeof *m->z, "activations");
  for (int k = 1; k <= m->num_layers; k++)
    m->z[k] = pl_zalloc((size_t)(samples * m->layers[k - 1]->out), sizeof **m->z, "activations");
  for (int k = 0; k < 2; k++) m->dz[k] = pl_alloc((size_t)width, sizeof(double), "derivatives");
  m->betas = pl_zalloc((size_t)width, sizeof *m->betas, "linearisations");
  m->sum = pl_zalloc((size_t)m->order, sizeof *m->sum, "sum of samples");
  return PL_OK;
}

/* Of num samples in Fourier space, those from `first` on, back over the elements. */
static double *over_elements(elements_net *m, double *x, int64_t num, int64_t first,
                             int64_t count) {
  const pl_layout *l = m->layout;
  double *out = pl_alloc((size_t)(count * m->order), sizeof *out, "samples");
  for (int64_t i = 0; i < count; i++) {
    for (int k = 0; k < l->num_stacks; k++) {
      const pl_stack *b = &l->stacks[k];
      memcpy(m->F + b->offset, x + num * b->offset + (first + i) * pl_data_stride(b),
             (size_t)pl_stack_doubles(b) * sizeof *m->F);
    }
    pl_transform_inverse(m->transform, m->F, out + i * m->order);
  }
  return out;
}

static double *copy(const double *x, int64_t n) {
  double *out = pl_alloc((size_t)n, sizeof *out, "labels");
  if (n) memcpy(out, x, (size_t)n * sizeof *out);
  return out;
}

/* This rank's part of n samples. */
static int64_t start_of(const elements_net *m, int64_t n, int rank) {
  return n * rank / m->team.size;
}

/* The samples that the linear G-CNN of this spec would have. */
static pl_status make_data(elements_net *m) {
  pl_data *data;
  double *f = pl_alloc((size_t)m->order, sizeof *f, "function over G");
  pl_status st = pl_agree(&m->team, pl_data_new(&m->spec, m->layout, m->transform, f, m->F, &data));
  pl_free(f);
  if (st) return st;
  int64_t n = m->num_samples = data->num_samples;
  m->first = start_of(m, n, m->team.rank);
  m->count = start_of(m, n, m->team.rank + 1) - m->first;
  m->x = over_elements(m, data->x, n, m->first, m->count);
  m->y = copy(data->y, n);
  m->num_test = data->num_test;
  int64_t first = start_of(m, m->num_test, m->team.rank);
  m->test_count = start_of(m, m->num_test, m->team.rank + 1) - first;
  m->test_x = over_elements(m, data->test_x, m->num_test, first, m->test_count);
  m->test_y = copy(data->test_y + first, m->test_count);
  pl_data_free(data);
  m->margin = pl_alloc((size_t)n, sizeof *m->margin, "margins");
  m->coefficient = pl_alloc((size_t)n, sizeof *m->coefficient, "loss weights");
  m->sums = pl_alloc((size_t)n + 1, sizeof *m->sums, "margins");
  return PL_OK;
}

static double count_right(int64_t n, const double *y, const double *f) {
  double right = 0;
  for (int64_t k = 0; k < n; k++) right += y[k] * f[k] > 0;
  return right;
}

double elements_test_accuracy(elements_net *m) {
  double right = 0, *f = pl_zalloc((size_t)m->test_count, sizeof *f, "outputs");
  if (!m->recipe->relu) pl_multi_dot(m->test_count, m->order, 1, m->test_x, m->order, m->betas, f);
  for (int64_t i = 0; m->recipe->relu && i < m->test_count; i += m->capacity) {
    int64_t left = m->test_count - i, n = left < m->capacity ? left : m->capacity;
    forward(m, n, m->test_x + i * m->order);
    memcpy(f + i, m->z[m->num_layers], (size_t)n * sizeof *f);
  }
  if (m->recipe->relu) forward(m, m->count, m->x);
  right = count_right(m->test_count, m->test_y, f);
  pl_comm_sum(&m->team, &right, 1);
  pl_free(f);
  return right / (double)m->num_test;
}

static void destroy(pl_model *model) {
  elements_net *m = elements_of(model);
  elements_observe_free(m);
  for (int k = 0; k < m->num_layers; k++) pl_layer_free(m->layers[k]);
  for (int k = 1; m->z && k <= m->num_layers; k++) pl_free(m->z[k]);
  for (int l = 0; m->gradient && l < m->depth; l++) pl_free(m->gradient[l]);
  void *arrays[] = {m->layers, m->z, m->gradient, m->weighted,    m->dz[0], m->dz[1],
                    m->x,      m->y, m->margin,   m->coefficient, m->sums,  m->sum,
                    m->betas,  m->F, m->test_x,   m->test_y};
  for (size_t k = 0; k < sizeof arrays / sizeof *arrays; k++) pl_free(arrays[k]);
  pl_transform_free(m->transform);
  pl_layout_free(m->layout);
  pl_usv_free(m->usv);
  pl_group_free(m->own);
  pl_group_free(m->group);
  pl_free(m->base.params);
  pl_free(m);
}

static pl_status create(const pl_spec *spec, const pl_comm *team, const pl_rates *rates,
                        pl_model **out) {
  (void)rates;
  elements_net *m = pl_zalloc(1, sizeof *m, "network");
  m->spec = *spec;
  m->recipe = elements_recipe(spec);
  m->base.kind = m->recipe->kind;
  m->depth = (int)spec->model_depth;
  m->team = *team;
  pl_status st = pl_group_parse(spec->group, &m->group);
  if (!st) st = elements_own_group(spec, m->group, &m->own);
  if (!st) st = pl_layout_alone(m->group, &m->layout);
  if (!st) st = pl_transform_new(m->layout, &m->transform);
  st = pl_agree(team, st);
  if (st) goto fail;
  m->order = pl_group_order(m->group);
  m->F = pl_zalloc((size_t)m->layout->local, sizeof *m->F, "a spectrum");
  st = make_data(m);
  if (!st) st = pl_agree(team, make_layers(m));
  if (!st) st = pl_agree(team, elements_init_weights(m));
  if (!st) st = pl_agree(team, elements_observe_new(m));
  if (st) goto fail;
  refresh(&m->base);
  *out = &m->base;
  return PL_OK;
fail:
  destroy(&m->base);
  return st;
}

/* ---- the table ---- */

static pl_status check_group(const pl_spec *spec, const pl_group *g, const char **key) {
  long long order = (long long)pl_group_order(g);
  if (elements_recipe(spec)->hidden == HIDDEN_FULL && order > FULL_MAX) {
    *key = "model.kind";
    return pl_error(PL_EINPUT,
                    "full layers on %s of order %lld need %.3g GB; allowed up to order %d",
                    spec->group, order, elements_weight_bytes(spec, (double)order) / 1e9, FULL_MAX);
  }
  if (order > INT32_MAX) {
    *key = "group";
    return pl_error(PL_EINPUT, "%s of order %lld is too large for a network over its elements",
                    spec->group, order);
  }
  if (spec->optimizer_domain == PL_DOMAIN_FOURIER) {
    *key = "optimizer.domain";
    return pl_error(PL_EINPUT, "only gcnn has Fourier entries as coordinates");
  }
  if (spec->record_beta && order > 1000000) {
    *key = "record.beta";
    return pl_error(PL_EINPUT, "beta over %s has %lld values; recorded up to 10^6", spec->group,
                    order);
  }
  return PL_OK;
}

static pl_status check(const pl_spec *spec, const char **key) {
  pl_group *g;
  if (spec->band_codepth != PL_UNSET) {
    *key = "band.codepth";
    return pl_error(PL_EINPUT, "only for model.kind gcnn: this network works over the elements");
  }
  *key = "group";
  PL_TRY(pl_group_parse(spec->group, &g));
  pl_status st = check_group(spec, g, key);
  if (!st) st = elements_check_weights(spec, g, key);
  if (!st) st = pl_data_check(spec, g, key);
  pl_group_free(g);
  return st;
}

#define KIND(id, word, text)                                                                       \
  const pl_model_kind id = {                                                                       \
      .name = word,                                                                                \
      .help = text,                                                                                \
      .check = check,                                                                              \
      .describe = elements_describe,                                                               \
      .cost = elements_cost,                                                                       \
      .explain = elements_explain,                                                                 \
      .create = create,                                                                            \
      .destroy = destroy,                                                                          \
      .refresh = refresh,                                                                          \
      .step = step,                                                                                \
      .log_loss = log_loss,                                                                        \
      .observe = elements_observe,                                                                 \
      .block_sum = elements_block_sum,                                                             \
      .block_polar = elements_block_polar,                                                         \
      .layer_doubles = elements_layer_doubles,                                                     \
      .gather = elements_gather,                                                                   \
      .scatter = elements_scatter,                                                                 \
      .save = elements_save,                                                                       \
  };
KIND(pl_cnn, "cnn", "linear, convolutions over the cyclic group of the same order")
KIND(pl_fc, "fc", "linear, full matrices")
KIND(pl_gcnn_relu, "gcnn-relu", "convolutions over the group, ReLU between layers")
KIND(pl_cnn_relu, "cnn-relu", "as cnn, ReLU between layers")
KIND(pl_fc_relu, "fc-relu", "as fc, ReLU between layers")
