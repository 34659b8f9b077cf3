#include "elements_net.h"

#include "base/mem.h"

#include <stdio.h>

/* ---- forward and back ---- */

static const double *input(const elements_net *m, int layer) {
  return layer ? m->z[layer] : m->x0;
}

void elements_forward(elements_net *m, int64_t samples, const double *x) {
  m->x0 = x;
  for (int k = 0; k < m->num_layers; k++)
    m->layers[k]->kind->forward(m->layers[k], samples, input(m, k), m->z[k + 1]);
}

void elements_backward(elements_net *m, int64_t samples, const double *out, bool weights,
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
  int64_t samples = m->recipe->relu ? elements_train(m)->count : 1;
  elements_backward(m, samples, m->ones, false, m->betas);
}

/* ---- layers ---- */

void elements_refresh_layers(elements_net *m) {
  for (int l = 0; l < m->depth; l++)
    if (m->weighted[l]->kind->refresh) m->weighted[l]->kind->refresh(m->weighted[l]);
}

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

static void list_params(elements_net *m) {
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
    pl_param *p = &m->base.params[l];
    *p = (pl_param){.group = l == m->depth - 1 ? "readout"
                             : layer->rows > 1 ? "matrix"
                                               : "filter",
                    .layer = l,
                    .count = 1,
                    .rows = layer->rows,
                    .cols = layer->cols,
                    .shared = true,
                    .weight = 1,
                    .n = n,
                    .w = layer->w};
    snprintf(p->name, sizeof p->name, "w%d", l + 1);
  }
}

pl_status elements_make_layers(elements_net *m) {
  int64_t count = elements_train(m)->count;
  int64_t samples = m->capacity = m->recipe->relu && count ? count : 1;
  int64_t width = samples * m->order;
  m->layers = pl_zalloc(2 * (size_t)m->depth, sizeof *m->layers, "layers");
  for (int l = 0; l < m->depth - 1; l++) PL_TRY(add_hidden(m, samples));
  m->layers[m->num_layers++] =
      elements_pools(&m->spec) ? pl_layer_pool(m->order) : pl_layer_readout(m->order);
  list_params(m);
  m->z = pl_zalloc((size_t)m->num_layers + 1, sizeof *m->z, "activations");
  for (int k = 1; k <= m->num_layers; k++)
    m->z[k] = pl_zalloc((size_t)(samples * m->layers[k - 1]->out), sizeof **m->z, "activations");
  for (int k = 0; k < 2; k++) m->dz[k] = pl_alloc((size_t)width, sizeof(double), "derivatives");
  m->ones = pl_alloc((size_t)samples, sizeof *m->ones, "derivatives");
  for (int64_t i = 0; i < samples; i++) m->ones[i] = 1;
  m->betas = pl_zalloc((size_t)width, sizeof *m->betas, "linearisations");
  m->sum = pl_zalloc((size_t)m->order, sizeof *m->sum, "sum of samples");
  return PL_OK;
}

void elements_free_layers(elements_net *m) {
  for (int k = 0; k < m->num_layers; k++) pl_layer_free(m->layers[k]);
  for (int k = 1; m->z && k <= m->num_layers; k++) pl_free(m->z[k]);
  for (int l = 0; m->gradient && l < m->depth; l++) pl_free(m->gradient[l]);
  void *arrays[] = {m->layers, m->z,    m->gradient, m->weighted, m->dz[0],
                    m->dz[1],  m->ones, m->betas,    m->sum,      m->base.params};
  for (size_t k = 0; k < sizeof arrays / sizeof *arrays; k++) pl_free(arrays[k]);
}
