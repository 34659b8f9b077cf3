#include "base/mem.h"
#include "functional.h"
#include "gcnn_dual.h"
#include "gcnn_net.h"

#include <math.h>
#include <string.h>

static void product(const fourier_net *net, const pl_stack *b, double *out) {
  const gcnn *m = (const gcnn *)net;
  int L = m->depth;
  pl_stack_mul(b, PL_NN, net->w[L - 1] + b->offset, gcnn_prefix(m, L, b), out);
}

static void forward(fourier_net *net, const pl_stack *b) {
  const gcnn *m = (const gcnn *)net;
  for (int l = 3; l <= m->depth; l++)
    pl_stack_mul(b, PL_NN, net->w[l - 2] + b->offset, gcnn_prefix(m, l - 1, b),
                 gcnn_prefix(m, l, b));
  product(net, b, net->scratch[0]);
}

/* Last layer first: T_L = R, G_l = T_l P_l^H, T_(l-1) = W_l^H T_l. */
static void backward(fourier_net *net, int stack, fourier_visitor *v) {
  const gcnn *m = (const gcnn *)net;
  const pl_stack *b = &net->layout->stacks[stack];
  double *t = net->scratch[0], *next = net->scratch[1], *g = net->scratch[2];
  for (int l = m->depth; l > 1; l--) {
    /* W_l moves as soon as its gradient is known: first what still needs it. */
    pl_stack_mul(b, PL_CN, net->w[l - 1] + b->offset, t, next);
    pl_stack_mul(b, PL_NC, t, gcnn_prefix(m, l, b), g);
    v->visit(v, net, fourier_param(net, l - 1, stack), g);
    double *swap = t;
    t = next;
    next = swap;
  }
  v->visit(v, net, fourier_param(net, 0, stack), t);
}

static int scaled(fourier_net *net) {
  const gcnn *m = (const gcnn *)net;
  const pl_layout *l = net->layout;
  int *shift = pl_alloc((size_t)m->depth, sizeof *shift, "scales of filters"), sum = 0;
  for (int k = 0; k < m->depth; k++)
    sum += shift[k] = pl_functional_shift(pl_spectrum_norm(l, net->w[k]));
  for (int i = 0; i < l->num_stacks; i++) {
    const pl_stack *b = &l->stacks[i];
    double *out = net->beta + b->offset, *filter = net->scratch[0], *next = net->scratch[1];
    int64_t n = pl_stack_doubles(b);
    if (!b->here) continue;
    for (int64_t q = 0; q < n; q++) out[q] = ldexp(net->w[0][b->offset + q], shift[0]);
    for (int k = 1; k < m->depth; k++) {
      for (int64_t q = 0; q < n; q++) filter[q] = ldexp(net->w[k][b->offset + q], shift[k]);
      pl_stack_mul(b, PL_NN, filter, out, next);
      memcpy(out, next, (size_t)n * sizeof *out);
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
  double L = (double)v->depth;
  /* Singular values of B; at depth 2 of one candidate of the dual bound and a part of others; with
   * record.kkt the gradients of all samples, twice, and singular vectors at some twenty products.
   */
  return (fourier_work){
      .products = (L - 1) * (two_passes ? 5 : 3),
      .moves = 3 * L, /* the update: read gradient, read and write w */
      .arrays = 2 * L,
      .spectra = 2 * L - 2, /* filters and prefix products */
      .record_values = v->depth == 2 ? 3 : 1,
      .record_products = 1 + (v->record_kkt ? 20 + 2 * (double)samples * (L - 1) : 0),
      .record_stacks = v->record_kkt ? 2 * (double)samples : 0,
      .record_matrices = v->record_kkt ? 6 : 0,
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
