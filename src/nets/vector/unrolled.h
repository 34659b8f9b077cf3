/* model.kind unrolled from inside: unrolled.c (the network), unrolled_measures.c (what it records).
 */
#ifndef PL_NETS_VECTOR_UNROLLED_H
#define PL_NETS_VECTOR_UNROLLED_H

#include "network.h"

/* f(x, u) = S(x W_1 + u W_2, theta) - x, S(z, theta) = sign(z) max(|z| - theta, 0), as the layers
 * of a recursion from x = 0 on. */
pl_recursion unrolled_recursion(const pl_net *net, bool keep_all);
/* x_0 = 0, of a RevNet both halves, for a take. */
pl_node *unrolled_start(const pl_net *net, pl_tape *t, const pl_take *take);
/* What the layers read; w: the nodes of all weights, u: the samples. */
pl_node **unrolled_nodes(pl_tape *t, const pl_recursion *r, pl_node *const *w, pl_node *u);
/* f of the last layer, or of a RevNet's half of it. */
pl_node *unrolled_last_force(const pl_net *net, pl_tape *t, pl_node *const *w, pl_node *u, int half,
                             pl_node *x);
/* The code that a state is: itself, of a RevNet the mean of its halves. */
pl_node *unrolled_code(const pl_net *net, pl_tape *t, pl_node *x);

pl_status unrolled_observe(pl_net *net, void *state);
pl_status unrolled_axes(const pl_spec *spec, pl_axis *axes, int *num, void **context,
                        void (**free_context)(void *));
extern const pl_measures unrolled_measures;

/* State at a record; arrays: of vector_own, until the next one. */
typedef struct unrolled_record {
  pl_recursion_record base;            /* first */
  int64_t states, modes;               /* N + 1; 2 codes */
  double *code_error;                  /* [states] */
  double *layer_modulus, *law_modulus; /* [modes], decreasing; NaN behind the last */
  double layer_radius, layer_log_det;
} unrolled_record;

#endif
