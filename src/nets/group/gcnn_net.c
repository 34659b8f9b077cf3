#include "gcnn_dual.h"
#include "gcnn_net.h"

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
                              .backward = backward,
                              .weights = weights};
