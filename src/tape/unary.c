#include "base/elementary.h"
#include "tape/ops.h"
#include "table.h"

#define INLINE static inline __attribute__((always_inline))

/* In the order of pl_unary_ops. */
#define KINDS(X)                                                                                   \
  X(TANH)                                                                                          \
  X(SIGMOID) X(SILU) X(SOFTPLUS) X(RELU) X(EXP) X(LOG) X(SQRT) X(SQUARE) X(ABS) X(SIGN) X(SOFT)
enum kind {
#define X(kind) kind,
  KINDS(X)
#undef X
};

/* Kinds whose derivatives need what forward has at hand and nothing else gives:
 * z = e/(2 + e), e = e^-|x|. */
INLINE bool keeps(enum kind k) {
  return k == SOFTPLUS;
}

/* sigma(x) for the derivatives of f, y = f(x); z: what forward kept. */
INLINE double sigma(enum kind k, double x, double y, double z) {
  if (k == SILU) return fabs(x) < 0x1p-900 ? 0.5 : y / x;
  return k == SOFTPLUS ? (x < 0 ? z + z : 1 - z) / (1 + z) : 0;
}

INLINE double value(enum kind k, double x, double theta) {
  switch (k) {
  case TANH:
    return pl_tanh(x);
  case SIGMOID:
    return pl_sigmoid(x);
  case SILU:
    return pl_silu(x);
  case RELU:
    return x < 0 ? 0 : x;
  case EXP:
    return pl_exp(x);
  case SQRT:
    return sqrt(x);
  case SQUARE:
    return x * x;
  case ABS:
    return fabs(x);
  case SIGN:
    return x > 0 ? 1 : x < 0 ? -1 : x;
  case SOFT:
    return fabs(x) <= theta ? 0 : x - copysign(theta, x);
  case SOFTPLUS: /* have loops of their own */
  case LOG:
    break;
  }
  return 0;
}

/* f'(x), y = f(x), s = sigma(x). */
INLINE double slope(enum kind k, double x, double y, double s) {
  switch (k) {
  case TANH:
    return 1 - y * y;
  case SIGMOID:
    return y * (1 - y);
  case SILU:
    return s + y * (1 - s);
  case SOFTPLUS:
    return s;
  case RELU:
    return x > 0 ? 1 : 0;
  case EXP:
    return y;
  case LOG:
    return 1 / x;
  case SQRT:
    return y == 0 ? 0 : 0.5 / y;
  case SQUARE:
    return 2 * x;
  case ABS:
    return x > 0 ? 1 : x < 0 ? -1 : 0;
  case SIGN:
    return 0;
  case SOFT:
    return y != 0 ? 1 : 0;
  }
  return 0;
}

/* f''(x) */
INLINE double second(enum kind k, double x, double y, double s) {
  switch (k) {
  case TANH:
    return -2 * y * (1 - y * y);
  case SIGMOID:
    return y * (1 - y) * (1 - 2 * y);
  case SILU:
    return s * (1 - s) * (2 + x * (1 - 2 * s));
  case SOFTPLUS:
    return s * (1 - s);
  case EXP:
    return y;
  case LOG:
    return -1 / (x * x);
  case SQRT:
    return y == 0 ? 0 : -0.25 / (x * y);
  case SQUARE:
    return 2;
  default:
    return 0;
  }
}

/* Pieces that stay in the first-level cache between two loops. */
enum { PIECE = 512 };

/* Two short chains of arithmetic, of which a processor sees several at a time, in place of a long
 * one. */
INLINE void softplus_piece(int64_t n, const double *x, double *y, double *z) {
#pragma omp simd
  for (int64_t i = 0; i < n; i++) z[i] = pl_softplus_ratio(x[i]);
#pragma omp simd
  for (int64_t i = 0; i < n; i++) y[i] = pl_softplus(x[i], z[i]);
}

/* Again, with the special cases, where a number of the piece needs that: few others have such
 * logarithms. */
INLINE void log_piece(int64_t n, const double *x, double *y) {
  int64_t normal = 1;
#pragma omp simd reduction(& : normal)
  for (int64_t i = 0; i < n; i++) {
    y[i] = pl_log_normal(x[i]);
    normal &= fabs(y[i]) < 707;
  }
  if (normal) return;
#pragma omp simd
  for (int64_t i = 0; i < n; i++) y[i] = pl_logarithm(x[i]);
}

/* y_i = f(x_i); z: what is kept, or y itself. */
INLINE void forward_piece(enum kind k, int64_t n, const double *x, double theta, double *y,
                          double *z) {
  if (k == SOFTPLUS) {
    softplus_piece(n, x, y, z);
  } else if (k == LOG) {
    log_piece(n, x, y);
  } else {
#pragma omp simd
    for (int64_t i = 0; i < n; i++) y[i] = value(k, x[i], theta);
  }
}
INLINE void forward_loop(enum kind k, int64_t n, const double *x, double theta, double *y,
                         double *z) {
  for (int64_t i = 0; i < n; i += PIECE)
    forward_piece(k, n - i < PIECE ? n - i : PIECE, x + i, theta, y + i, (z ? z : y) + i);
}

/* to_i (+)= from_i f'(x_i): the backward sweep, and the tangent. */
INLINE void slope_loop(enum kind k, bool add, int64_t n, const double *x, const double *y,
                       const double *z, const double *from, double *to) {
#pragma omp simd simdlen(8)
  for (int64_t i = 0; i < n; i++)
    to[i] = (add ? to[i] : 0) +
            from[i] * slope(k, x[i], y[i], sigma(k, x[i], y[i], keeps(k) ? z[i] : 0));
}

/* dx_i (+)= dy_i f''(x_i) xdot_i */
INLINE void second_loop(enum kind k, bool add, int64_t n, const double *x, const double *y,
                        const double *z, const double *dot, const double *dy, double *dx) {
#pragma omp simd simdlen(8)
  for (int64_t i = 0; i < n; i++)
    dx[i] = (add ? dx[i] : 0) +
            dy[i] * dot[i] * second(k, x[i], y[i], sigma(k, x[i], y[i], keeps(k) ? z[i] : 0));
}

static enum kind kind_of(const pl_node *y) {
  return (enum kind)(y->op - pl_unary_ops);
}

static void forward(pl_tape *t, pl_node *y, double *out) {
  int64_t n = pl_tape_count(y);
  const double *x = y->input[0]->value;
  double theta = y->data ? *(const double *)y->data : 0;
  if (y->wanted && keeps(kind_of(y))) y->saved = pl_tape_alloc(t, (size_t)n, sizeof(double));
  switch (kind_of(y)) {
#define X(kind)                                                                                    \
  case kind:                                                                                       \
    forward_loop(kind, n, x, theta, out, y->saved);                                                \
    break;
    KINDS(X)
#undef X
  }
}

static void times_slope(const pl_node *y, const double *from, pl_into to) {
  int64_t n = pl_tape_count(y);
  const double *x = y->input[0]->value, *z = y->saved;
  switch (kind_of(y)) {
#define X(kind)                                                                                    \
  case kind:                                                                                       \
    if (to.add)                                                                                    \
      slope_loop(kind, true, n, x, y->value, z, from, to.at);                                      \
    else                                                                                           \
      slope_loop(kind, false, n, x, y->value, z, from, to.at);                                     \
    break;
    KINDS(X)
#undef X
  }
}

static void backward(pl_tape *t, const pl_node *y, const double *dy) {
  pl_into dx = pl_tape_into(t, y->input[0]);
  if (dx.at) times_slope(y, dy, dx);
}

static void tangent(pl_tape *t, const pl_node *y) {
  times_slope(y, pl_tape_read(t, y->input[0], PL_TANGENT), pl_tape_into(t, y));
}

static void bend(pl_tape *t, const pl_node *y, const double *dy) {
  pl_into dx = pl_tape_into(t, y->input[0]);
  int64_t n = pl_tape_count(y);
  const double *x = y->input[0]->value, *z = y->saved;
  const double *dot = pl_tape_read(t, y->input[0], PL_TANGENT);
  switch (kind_of(y)) {
#define X(kind)                                                                                    \
  case kind:                                                                                       \
    second_loop(kind, dx.add, n, x, y->value, z, dot, dy, dx.at);                                  \
    break;
    KINDS(X)
#undef X
  }
}

/* y_i = f(x_i); xbar_i += f'(x_i) ybar_i; ydot_i = f'(x_i) xdot_i; and
 * xbardot_i += f''(x_i) xdot_i ybar_i. */
const pl_tape_op pl_unary_ops[] = {
    [TANH] = {"tanh", forward, backward, tangent, bend, NULL, NULL},
    [SIGMOID] = {"sigmoid", forward, backward, tangent, bend, NULL, NULL},
    [SILU] = {"silu", forward, backward, tangent, bend, NULL, NULL},
    [SOFTPLUS] = {"softplus", forward, backward, tangent, bend, NULL, NULL},
    [RELU] = {"relu", forward, backward, tangent, NULL, NULL, NULL},
    [EXP] = {"exp", forward, backward, tangent, bend, NULL, NULL},
    [LOG] = {"log", forward, backward, tangent, bend, NULL, NULL},
    [SQRT] = {"sqrt", forward, backward, tangent, bend, NULL, NULL},
    [SQUARE] = {"square", forward, backward, tangent, bend, NULL, NULL},
    [ABS] = {"abs", forward, backward, tangent, NULL, NULL, NULL},
    [SIGN] = {"sign", forward, backward, tangent, NULL, NULL, NULL},
    [SOFT] = {"soft_threshold", forward, backward, tangent, NULL, NULL, NULL},
    {0},
};

static pl_node *apply(pl_tape *t, enum kind k, pl_node *x) {
  return pl_apply_one(t, &pl_unary_ops[k], x->rows, x->cols, x, NULL, 0);
}

pl_node *pl_tape_tanh(pl_tape *t, pl_node *x) {
  return apply(t, TANH, x);
}
pl_node *pl_tape_sigmoid(pl_tape *t, pl_node *x) {
  return apply(t, SIGMOID, x);
}
pl_node *pl_tape_silu(pl_tape *t, pl_node *x) {
  return apply(t, SILU, x);
}
pl_node *pl_tape_softplus(pl_tape *t, pl_node *x) {
  return apply(t, SOFTPLUS, x);
}
pl_node *pl_tape_relu(pl_tape *t, pl_node *x) {
  return apply(t, RELU, x);
}
pl_node *pl_tape_exp(pl_tape *t, pl_node *x) {
  return apply(t, EXP, x);
}
pl_node *pl_tape_log(pl_tape *t, pl_node *x) {
  return apply(t, LOG, x);
}
pl_node *pl_tape_sqrt(pl_tape *t, pl_node *x) {
  return apply(t, SQRT, x);
}
pl_node *pl_tape_square(pl_tape *t, pl_node *x) {
  return apply(t, SQUARE, x);
}
pl_node *pl_tape_abs(pl_tape *t, pl_node *x) {
  return apply(t, ABS, x);
}
pl_node *pl_tape_sign(pl_tape *t, pl_node *x) {
  return apply(t, SIGN, x);
}
pl_node *pl_tape_soft_threshold(pl_tape *t, pl_node *x, double threshold) {
  return pl_apply_one(t, &pl_unary_ops[SOFT], x->rows, x->cols, x, &threshold, sizeof threshold);
}
