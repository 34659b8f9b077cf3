/* Recursions of layers of one shape, x_0 -> x_N:
 *
 *   momentum   v_(k+1) = gamma v_k + c f_k(x_k),   x_(k+1) = x_k + v_(k+1),   v_0 = 0
 *   RevNet     x = (a, b), halves of the columns:  a <- a + c f_k(b),   b <- b + c g_k(a)
 *
 * gamma 0 is a residual network.  (Sander, Ablin, Blondel, Peyre, ICML 2021; Gomez, Ren, Urtasun,
 * Grosse, NeurIPS 2017.)
 *
 * Recorded as they stand, they keep all that the layers compute until the reset.  The reversible
 * store is one operation of the tape in place of all that, whose memory does not grow with depth
 * but for -log2 gamma bits an entry and layer: x and v in fixed point (base/reversible.h).  Its
 * backward sweep takes the recursion back to the last bit and records each layer once more, on the
 * inner tape.  Tangents run it forward once more; they and Hessians times vectors are exact, and
 * keep one tangent of x for each layer.  An entry of x or v that is not below 2^11 makes all of x_N
 * NaN, and the node tells. */
#ifndef PL_TAPE_RECURSION_H
#define PL_TAPE_RECURSION_H

#include "base/reversible.h"
#include "tape/tape.h"

typedef struct pl_recursion {
  int depth;                 /* N, from 1 */
  double gamma, c;           /* momentum in [0, 1); .. */
  bool revnet;               /* .. or halves: gamma is not read, x has an even number of columns */
  const pl_reversible *rule; /* the reversible store, gamma being its n/d; NULL: recorded */
  /* The nodes that layers read besides x: `shared` of them that all do, then `each` for one layer
   * (in a RevNet for f, then for g) after the other. */
  int shared, each;
  /* Record f_k(x) on t, of the shape of x.  half: 1 for g of a RevNet.  node: the shared ones, then
   * those of this layer; they and x are nodes of t, which may be the inner tape. */
  pl_node *(*layer)(pl_tape *t, const void *context, int k, int half, pl_node *const *node,
                    pl_node *x);
  const void *context; /* borrowed until the reset */
  pl_node **trace;     /* [N + 1]: to be filled with x_0 .. x_N, rule NULL; or NULL */
} pl_recursion;

/* Nodes that the layers read, shared ones included.  Pure. */
int pl_recursion_nodes(const pl_recursion *r);
/* x_N; r is copied, rule borrowed until the reset. */
pl_node *pl_tape_recursion(pl_tape *t, const pl_recursion *r, pl_node *x, pl_node *const *node);

/* ---- of what pl_tape_recursion returned with a rule ---- */

/* Has an entry left the range of the fixed point?  Then y is NaN. */
bool pl_recursion_beyond(const pl_node *y);
/* Bytes kept from forward to backward: x_N, v_N and the buffers. */
double pl_recursion_bytes(const pl_node *y);
/* Sum over the entries of the bits that the buffers hold after the last layer. */
double pl_recursion_bits(pl_tape *t, const pl_node *y);
/* Largest |entry| of x_0 less the input, and of v_0, after the recursion was run backwards. */
double pl_recursion_undo(pl_tape *t, const pl_node *y);

/* The same in floating point, without buffers, of a recursion that is recorded for it; momenta
 * above 0 and RevNets can be run backwards, else NaN. */
double pl_recursion_drift(pl_tape *t, const pl_recursion *r, pl_node *x, pl_node *const *node);

#endif
