#include "base/mem.h"
#include "functional.h"
#include "gcnn_dual.h"
#include "gcnn_net.h"
#include "gcnn_polish.h"
#include "gcnn_regular.h"
#include "linalg/leading.h"
#include "model/regularizer.h"

#include <math.h>
#include <string.h>

/* out = W_L,k P_L,k for the first path, += for the others. */
static inline void end_path(const gcnn *m, const pl_stack *b, int k, const double *P, double *out) {
  const double *w = m->net.w[m->net.filters - m->channels + k] + b->offset;
  if (k == 0)
    pl_stack_mul(b, PL_NN, w, P, out);
  else
    pl_stack_mul_add(b, PL_NN, 1, w, P, 1, out);
}

static void product(const fourier_net *net, const pl_stack *b, double *out) {
  const gcnn *m = (const gcnn *)net;
  for (int k = 0; k < m->channels; k++) end_path(m, b, k, gcnn_prefix(m, m->depth, k, b), out);
}

/* Filters and prefixes are stepped through by number (gcnn_filter): on small groups an index
 * counts. */
static void forward(fourier_net *net, const pl_stack *b) {
  gcnn *m = (gcnn *)net;
  int channels = m->channels, last = net->filters - channels;
  for (int k = 0; k < channels; k++) {
    const double *P = net->w[k] + b->offset;
    for (int f = k + channels; f < last; f += channels) {
      double *next = m->prefix[f + channels] + b->offset;
      pl_stack_mul(b, PL_NN, net->w[f] + b->offset, P, next);
      P = next;
    }
    end_path(m, b, k, P, net->scratch[0]);
  }
  if (m->regular) gcnn_regular_forward(m, b);
}

/* Last layer first: T_L = R, G_l = T_l P_l^H, T_(l-1) = W_l^H T_l. */
static void backward_path(gcnn *m, int k, int stack, fourier_visitor *v) {
  fourier_net *net = &m->net;
  const pl_stack *b = &net->layout->stacks[stack];
  double *t = net->scratch[0], *next = net->scratch[1], *g = net->scratch[2];
  int channels = m->channels, f = net->filters - channels + k;
  for (int l = m->depth; l > 1; l--, f -= channels) {
    /* W_l moves as soon as its gradient is known: first what still needs it. */
    pl_stack_mul(b, PL_CN, net->w[f] + b->offset, t, next);
    pl_stack_mul(b, PL_NC, t, (l == 2 ? net->w[k] : m->prefix[f]) + b->offset, g);
    if (m->regular) gcnn_regular_add(m, l, k, b, g);
    v->visit(v, net, fourier_param(net, f, stack), g);
    double *swap = t;
    t = next;
    next = swap;
  }
  if (m->regular) gcnn_regular_add(m, 1, k, b, t);
  v->visit(v, net, fourier_param(net, k, stack), t);
}

static void backward(fourier_net *net, int stack, fourier_visitor *v) {
  gcnn *m = (gcnn *)net;
  const pl_stack *b = &net->layout->stacks[stack];
  size_t bytes = (size_t)pl_stack_doubles(b) * sizeof(double);
  if (m->regular) gcnn_regular_begin(m, b);
  if (m->kept) memcpy(m->kept, net->scratch[0], bytes);
  for (int k = 0; k < m->channels; k++) {
    if (k > 0) memcpy(net->scratch[0], m->kept, bytes);
    backward_path(m, k, stack, v);
  }
}

/* The sum of a layer's shifts over all layers; those of one layer are equal, as paths are added. */
static int layer_shifts(const gcnn *m, int *shift) {
  int sum = 0;
  for (int l = 1; l <= m->depth; l++) {
    double norm = 0;
    for (int k = 0; k < m->channels; k++)
      norm = fmax(norm, pl_spectrum_norm(m->net.layout, m->net.w[gcnn_filter(m, l, k)]));
    sum += shift[l - 1] = pl_functional_shift(norm);
  }
  return sum;
}

static int scaled(fourier_net *net) {
  const gcnn *m = (const gcnn *)net;
  const pl_layout *l = net->layout;
  int *shift = pl_alloc((size_t)m->depth, sizeof *shift, "scales of filters");
  int sum = layer_shifts(m, shift);
  for (int i = 0; i < l->num_stacks; i++) {
    const pl_stack *b = &l->stacks[i];
    double *out = net->beta + b->offset, *path = net->scratch[0], *filter = net->scratch[1],
           *next = net->scratch[2];
    int64_t n = pl_stack_doubles(b);
    if (!b->here) continue;
    for (int k = 0; k < m->channels; k++) {
      const double *first = gcnn_weight(m, 1, k, b);
      for (int64_t q = 0; q < n; q++) path[q] = ldexp(first[q], shift[0]);
      for (int j = 2; j <= m->depth; j++) {
        const double *w = gcnn_weight(m, j, k, b);
        for (int64_t q = 0; q < n; q++) filter[q] = ldexp(w[q], shift[j - 1]);
        pl_stack_mul(b, PL_NN, filter, path, next);
        memcpy(path, next, (size_t)n * sizeof *path);
      }
      for (int64_t q = 0; q < n; q++) out[q] = (k ? out[q] : 0) + path[q];
    }
  }
  pl_free(shift);
  return sum;
}

static void weights(fourier_net *net, const double *a) {
  gcnn_average_weights((gcnn *)net, a);
}

static fourier_work work(const pl_spec *spec, int64_t samples, bool two_passes) {
  const pl_group_values *v = pl_group_values_of(spec);
  double L = (double)v->depth, K = pl_group_channels(spec);
  /* Gram matrices forward and back, and their products with the filters. */
  double grams = v->regularizer_layer == PL_LAYER_ALL ? L : 1;
  if (!pl_regularised(spec)) grams = 0;
  /* Singular values of B, and at depth 2 of the M = sum a_i y_i X_i that bounds best, after looks
   * at those of the weights now, their averages and multipliers, and of a few that are polished.
   * With record.kkt the gradients of all samples, twice, and singular vectors at some twenty
   * products. */
  bool dual = v->depth == 2;
  bool polished = dual && samples <= GCNN_POLISH_SAMPLES;
  double looks = polished ? 8 : dual ? 5 : 0;
  return (fourier_work){
      .products = K * ((L - 1) * (two_passes ? 5 : 3) + grams * (two_passes ? 5 : 3)),
      .moves = 3 * L * K, /* the update: read gradient, read and write w */
      .arrays = 2 * L * K + grams,
      .spectra = K * (2 * L - 2 + (pl_gini_exponent(spec) > 0)), /* filters, prefix products */
      .later = K * (L - 2),
      .record_values = dual ? 2 : 1,
      .record_looks = looks,
      .record_products = K + (v->record_kkt ? 20 + 2 * (double)samples * (L - 1) * K : 0),
      .record_samples = looks + dual + (v->record_kkt ? 1 + K : 0),
      .record_stacks = v->record_kkt ? 2 * (double)samples : 0,
      .record_matrices = v->record_kkt ? 12 : 0,
      .record_vectors = polished ? GCNN_POLISH_VECTORS : 0,
      .record_triplets = polished ? PL_LEADING : 0,
  };
}

const fourier_ops gcnn_ops = {.scratch = 3,
                              .readout = true,
                              .work = work,
                              .forward = forward,
                              .product = product,
                              .scaled = scaled,
                              .backward = backward,
                              .weights = weights};
