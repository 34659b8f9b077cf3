/* The linear G-CNN from inside: its struct, and its products.  With model.channels K there are K
 * paths of filters, B = sum_k W_L,k .. W_1,k; filter number (l - 1) K + k is w_l,k, k from 0. */
#ifndef PL_NETS_GROUP_GCNN_NET_H
#define PL_NETS_GROUP_GCNN_NET_H

#include "fourier_net.h"

struct gcnn_regular;

typedef struct gcnn {
  fourier_net net; /* first; its filters are w_1..w_L, of each layer K */
  int depth, channels;
  double **prefix; /* [(l - 1) K + k]: P_l = W_(l-1),k .. W_1,k, l = 2..L; P_2 is a filter itself */
  double *kept;    /* dLoss/dB of a stack, for the paths behind the first; NULL if K = 1 */
  double *running; /* averages that outlive a record: gcnn_dual.h; part of a checkpoint */
  int dear;        /* GCNN_DUAL_DEAR */
  struct gcnn_regular *regular; /* NULL: no regulariser */
} gcnn;

static inline gcnn *gcnn_of(pl_model *m) {
  return (gcnn *)m;
}
/* Number of filter w_l,k, l from 1 as in the formulas. */
static inline int gcnn_filter(const gcnn *m, int l, int k) {
  return (l - 1) * m->channels + k;
}
/* W_l,k and P_l of path k, l = 2..L, of one stack. */
static inline double *gcnn_weight(const gcnn *m, int l, int k, const pl_stack *b) {
  return m->net.w[gcnn_filter(m, l, k)] + b->offset;
}
static inline double *gcnn_prefix(const gcnn *m, int l, int k, const pl_stack *b) {
  return l == 2 ? gcnn_weight(m, 1, k, b) : m->prefix[gcnn_filter(m, l, k)] + b->offset;
}

extern const fourier_ops gcnn_ops;

#endif
