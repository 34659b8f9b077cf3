/* A reverse-mode tape over dense matrices of doubles, row-major: gradients, Jacobians times vectors
 * and exact Hessians times vectors of what is computed on it.  Everything here is Local.
 *
 * An operation computes its value as soon as it is recorded.  Sweeps over the recorded nodes then
 * give, with x the variables and y the node that the backward sweep starts from,
 *   adjoint          xbar = J^T s,  J = dy/dx, s the seed       pl_tape_backward
 *   tangent          ydot = J v,    v the directions            pl_tape_tangents
 *   adjoint tangent  d/de xbar(x + e v) at e = 0: H v           pl_tape_hvp
 * of every node that they reach.
 *
 * Memory: one arena holds nodes, values and derivatives until pl_tape_reset; it grows while it
 * learns its size, and an evaluation that is no larger than those before allocates nothing.  What a
 * function takes as "borrowed" (leaves, masks, indices, sparse matrices, seeds, directions) must
 * stay in place until the reset.  A shape that does not fit is a broken invariant (pl_require).
 *
 * The built-in operations stand in tape/ops.h; a family adds its own by a pl_tape_op. */
#ifndef PL_TAPE_TAPE_H
#define PL_TAPE_TAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct pl_tape pl_tape;
typedef struct pl_node pl_node;
typedef struct pl_tape_op pl_tape_op;

/* What a sweep computes, besides values. */
typedef enum { PL_TANGENT, PL_ADJOINT, PL_ADJOINT_TANGENT, PL_CHANNELS } pl_tape_channel;

/* A matrix on the tape.  For users to read; only tape.c writes, but for saved. */
struct pl_node {
  int64_t rows, cols;
  const double *value;  /* [rows][cols] */
  bool wanted;          /* a variable, or computed from one: derivatives pass through */
  const pl_tape_op *op; /* NULL: a leaf */
  int inputs;
  pl_node *const *input;
  const void *data;        /* the parameters of the operation */
  void *saved;             /* what its forward keeps for the derivatives */
  pl_node *before, *after; /* in order of recording */
  struct {
    double *at, *users; /* users: the caller's array, which is added to */
    int64_t sweep;      /* the one that filled it */
  } channel[PL_CHANNELS];
  const double *direction; /* of a variable */
};

pl_tape *pl_tape_new(void);
void pl_tape_free(pl_tape *t); /* t may be NULL */
/* Forget all nodes. */
void pl_tape_reset(pl_tape *t);
/* Bytes of the arena, the inner tape's included.  After a reset: of the largest evaluation so far,
 * and an eighth; while it learns, up to twice that evaluation. */
size_t pl_tape_bytes(const pl_tape *t);
/* Bytes of it that are taken since the reset, the inner tape's not counted. */
size_t pl_tape_used(const pl_tape *t);
/* Another tape for operations that record pieces again and again; it lives as long as t and has no
 * content from one operation to the next. */
pl_tape *pl_tape_inner(pl_tape *t);

/* Leaves; value: [rows][cols], borrowed.  No derivative passes through a constant.  The adjoint of
 * a variable (a weight, or an input whose influence is asked for) is added to gradient,
 * [rows][cols], borrowed; if NULL it is kept on the tape. */
pl_node *pl_tape_constant(pl_tape *t, int64_t rows, int64_t cols, const double *value);
pl_node *pl_tape_variable(pl_tape *t, int64_t rows, int64_t cols, const double *value,
                          double *gradient);
/* The direction of variable x in the tangent sweeps to come, [rows][cols], borrowed, its content
 * read anew by each sweep; NULL (at first): zero.  pl_tape_hvp adds x's part of H v to product; if
 * NULL it is kept on the tape. */
void pl_tape_direction(pl_tape *t, pl_node *x, const double *direction, double *product);

/* Adjoints of all nodes that lead to y.  seed: [rows][cols] of y, borrowed; NULL: 1, y being 1 x 1.
 * May be called again, from any node: adjoints on the tape start anew, gradients are added to. */
void pl_tape_backward(pl_tape *t, pl_node *y, const double *seed);
/* Tangents of all nodes, from the directions. */
void pl_tape_tangents(pl_tape *t);
/* pl_tape_tangents, then the tangents of the adjoints of the last pl_tape_backward, its seed being
 * held: H v for y = <seed, y>.  The second derivative of ReLU, of abs and of the like is 0.  May be
 * repeated with other directions at no cost in memory. */
void pl_tape_hvp(pl_tape *t);
/* The numbers of a channel at x, [rows][cols], valid until the next sweep; NULL: zero, or not
 * reached.  For a variable with a caller's array this is that array. */
const double *pl_tape_read(const pl_tape *t, const pl_node *x, pl_tape_channel channel);

/* ---- to add an operation ---- */

/* One kind of operation, y = f(x_1, x_2, ..).  Either the four functions, or, where y = A x is
 * linear in one input, map and its transposed.  Not under any of them: allocation other than
 * pl_tape_alloc in forward, or once in a sweep and kept in saved. */
struct pl_tape_op {
  const char *name;
  /* out <- f; y->saved may be set.  out: [rows][cols] of y. */
  void (*forward)(pl_tape *t, pl_node *y, double *out);
  /* For each input with pl_tape_into(t, x).at: xbar += (df/dx)^T dy.  Linear in dy, which is the
   * adjoint of y or its tangent. */
  void (*backward)(pl_tape *t, const pl_node *y, const double *dy);
  /* pl_tape_into(t, y): ydot = sum over inputs of df/dx xdot.  At least one input has a tangent. */
  void (*tangent)(pl_tape *t, const pl_node *y);
  /* The tangent of backward with dy held: xbar += (d/de df/dx)^T dy, e along the tangents of the
   * inputs (one at least has one) and of y.  NULL: df/dx is constant, or piecewise so. */
  void (*bend)(pl_tape *t, const pl_node *y, const double *dy);
  /* out <- A x, or out += A x; x like input 0.  With a forward besides, that one computes the value
   * (and what A depends on) and map the tangent. */
  void (*map)(const pl_node *y, const double *x, double *out, bool add);
  /* dx <- A^T dy, or dx += A^T dy. */
  void (*transposed)(const pl_node *y, const double *dy, double *dx, bool add);
};

/* Record and compute.  data: bytes of parameters, copied to the tape (pointers in it are borrowed).
 * op is borrowed as long as the tape lives. */
pl_node *pl_tape_apply(pl_tape *t, const pl_tape_op *op, int64_t rows, int64_t cols, int inputs,
                       pl_node *const *input, const void *data, size_t bytes);
/* count * size bytes until the reset, aligned to 64, contents undefined. */
void *pl_tape_alloc(pl_tape *t, size_t count, size_t size);

/* Where an operation puts its contribution to x (to y, in tangent) in the present sweep.  at NULL:
 * nobody wants it.  add false: the first contribution, every entry is to be written; else added
 * to.  Each call stands for one contribution. */
typedef struct pl_into {
  double *at;
  bool add;
} pl_into;
pl_into pl_tape_into(pl_tape *t, const pl_node *x);

/* rows * cols. */
static inline int64_t pl_tape_count(const pl_node *x) {
  return x->rows * x->cols;
}

#endif
