/* Layers of networks over the elements of a group: each maps samples [S][in] to [S][out],
 * row-major, and knows its derivative.  A new layer is one constructor and one table of functions;
 * networks that use them: nets/group/elements.h.
 *
 *   convolution  z(g) = sum_h w(h) x(gh) over a group; equivariant: (x(u .)) goes to z(u .)
 *   full         z = W x, W: n x n
 *   relu         z = max(x, 0)
 *   readout      z = <w, x>, one number
 *   pool         z = w mean(x), one number, one weight
 *
 * All of it Local. */
#ifndef PL_NETS_GROUP_LAYER_H
#define PL_NETS_GROUP_LAYER_H

#include "group/group.h"

typedef struct pl_layer pl_layer;

typedef struct pl_layer_kind {
  /* Weights have moved: recompute what depends on them.  NULL: nothing does. */
  void (*refresh)(pl_layer *l);
  void (*forward)(pl_layer *l, int64_t samples, const double *x, double *z);
  /* From dz = df/dz: dx = df/dx (NULL: not wanted) and dw = df/dw summed over the samples (NULL:
   * not wanted).  With dw the last forward must have been that of the same samples x.  dx overlaps
   * neither. */
  void (*backward)(pl_layer *l, int64_t samples, const double *x, const double *dz, double *dx,
                   double *dw);
  void (*free)(pl_layer *l); /* what the kind itself has allocated; NULL: nothing */
} pl_layer_kind;

struct pl_layer {
  const pl_layer_kind *kind;
  int64_t in, out;    /* numbers per sample */
  int64_t rows, cols; /* of the weights; 0: none */
  double *w;          /* rows x cols, row-major */
};

/* How a convolution is computed: through the multiplication table (one |G| x |G| matrix, GEMM) or
 * through fast transforms (one pair for each sample). */
typedef enum { PL_CONVOLVE_TABLE, PL_CONVOLVE_FOURIER, PL_NUM_CONVOLVE } pl_convolve;

/* The way estimated faster for so many samples, from nominal rates, so that it is the same on every
 * machine; the table's only where its matrices are below 1 GB.  Pure. */
pl_convolve pl_convolve_choose(const pl_group *g, int64_t samples);
/* Estimates of one way: seconds of forward and backward of so many samples, and bytes. */
double pl_convolve_seconds(const pl_group *g, int64_t samples, pl_convolve way);
double pl_convolve_bytes(const pl_group *g, int64_t samples, pl_convolve way);

/* A layer for at most `samples` samples at a time, weights zero.  g is borrowed.  PL_EENV: the
 * group's transform does not fit. */
pl_status pl_layer_convolution(const pl_group *g, int64_t samples, pl_convolve way, pl_layer **out);
pl_layer *pl_layer_full(int64_t n);
pl_layer *pl_layer_relu(int64_t n);
pl_layer *pl_layer_readout(int64_t n);
pl_layer *pl_layer_pool(int64_t n);
void pl_layer_free(pl_layer *l);

#endif
