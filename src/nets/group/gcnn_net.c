#include "gcnn_net.h"

void gcnn_product(const gcnn *m, const pl_stack *b, double *out) {
  int L = m->depth;
  pl_stack_mul(b, PL_NN, m->w[L - 1] + b->offset, gcnn_prefix(m, L, b), out);
}

void gcnn_forward(gcnn *m, const pl_stack *b) {
  for (int l = 3; l <= m->depth; l++)
    pl_stack_mul(b, PL_NN, m->w[l - 2] + b->offset, gcnn_prefix(m, l - 1, b), gcnn_prefix(m, l, b));
  gcnn_product(m, b, m->scratch[0]);
  pl_multi_dot(m->train->num, pl_stack_doubles(b), b->weight, pl_samples_stack(m->train, b),
               pl_data_stride(b), m->scratch[0], m->sums);
}
