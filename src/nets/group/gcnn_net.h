/* The linear G-CNN from inside: its struct, and its products. */
#ifndef PL_NETS_GROUP_GCNN_NET_H
#define PL_NETS_GROUP_GCNN_NET_H

#include "fourier_net.h"

typedef struct gcnn {
  fourier_net net; /* first; its filters are w_1..w_L */
  int depth;
  double **prefix; /* [l-1]: P_l = W_(l-1) .. W_1, l = 2..L; P_2 is w[0] itself; [0] unused */
  double *running; /* averages that outlive a record: gcnn_dual.h; part of a checkpoint */
} gcnn;

static inline gcnn *gcnn_of(pl_model *m) {
  return (gcnn *)m;
}
/* P_l of one stack, l = 2..L (l from 1 as in the formulas). */
static inline double *gcnn_prefix(const gcnn *m, int l, const pl_stack *b) {
  return (l == 2 ? m->net.w[0] : m->prefix[l - 1]) + b->offset;
}

extern const fourier_ops gcnn_ops;

#endif
