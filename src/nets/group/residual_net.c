#include "residual_net.h"

#include "base/log.h"
#include "base/mem.h"

#include <math.h>
#include <string.h>

/* Workspace of a step. */
enum { END, P, T, GRADIENT, SUM, X, NUM_SCRATCH };

/* ---- the store ---- */

static int buffers_of(const pl_spec *spec, pl_reversible *rule) {
  int64_t n, d;
  const pl_group_values *v = pl_group_values_of(spec);
  pl_require(pl_reversible_ratio(v->gamma, &n, &d));
  *rule = pl_reversible_of(n, d);
  return pl_reversible_buffers(rule, (int)v->depth);
}

double residual_gamma(const pl_spec *spec) {
  const pl_group_values *v = pl_group_values_of(spec);
  int64_t n, d;
  if (v->store == PL_STORE_ALL || !pl_reversible_ratio(v->gamma, &n, &d)) return v->gamma;
  return (double)n / (double)d;
}

double residual_store_bytes(const pl_spec *spec, double doubles) {
  const pl_group_values *v = pl_group_values_of(spec);
  pl_reversible rule;
  double arrays = v->store == PL_STORE_ALL ? (double)v->depth : 2 + buffers_of(spec, &rule);
  return 8 * arrays * doubles;
}

void residual_make_store(residual *m) {
  static const char what[] = "states of the recursion";
  const pl_layout *l = m->net.layout;
  size_t n = (size_t)l->local;
  if (!residual_reverses(m)) {
    m->states = pl_alloc(n * (size_t)m->depth, sizeof *m->states, what);
    return;
  }
  m->buffers = buffers_of(&m->net.spec, &m->rule);
  m->x = pl_alloc(n, sizeof *m->x, what);
  m->v = pl_alloc(n, sizeof *m->v, what);
  m->buffer = pl_alloc(n * (size_t)m->buffers, sizeof *m->buffer, what);
  m->beyond = pl_zalloc((size_t)l->num_stacks, sizeof *m->beyond, what);
}

void residual_free_store(residual *m) {
  pl_free(m->states);
  pl_free(m->x);
  pl_free(m->v);
  pl_free(m->buffer);
  pl_free(m->beyond);
}

/* X_k of one stack, k from 1. */
static double *state(const residual *m, int k, const pl_stack *b) {
  return m->states + m->depth * b->offset + (k - 1) * pl_stack_doubles(b);
}

/* The buffer of layer k of one stack. */
static uint64_t *buffer(const residual *m, int k, const pl_stack *b) {
  int64_t first = m->buffers * b->offset;
  return m->buffer + first + k / m->rule.period * pl_stack_doubles(b);
}

/* ---- arithmetic ---- */

void residual_identity(const pl_stack *b, double *out) {
  int parts = pl_stack_complex(b) ? 2 : 1;
  memset(out, 0, (size_t)pl_stack_doubles(b) * sizeof *out);
  for (int64_t k = 0; b->size && k < b->count; k++) {
    if (b->grid < 0) {
      for (int i = 0; i < b->dim; i++) out[k * b->size + (int64_t)parts * i * (b->dim + 1)] = 1;
      continue;
    }
    for (int c = 0; c < b->mat.ln; c++)
      for (int r = 0; r < b->mat.lm; r++)
        if (pl_dmat_col(&b->mat, c) == pl_dmat_row(&b->mat, r))
          out[(int64_t)c * b->mat.lld + r] = 1;
  }
}

static void sum_of(int64_t n, const double *x, const double *y, double *out) {
  for (int64_t k = 0; k < n; k++) out[k] = x[k] + y[k];
}

/* p <- gamma p + c end. */
static void mix(int64_t n, double gamma, double c, const double *end, double *p) {
  for (int64_t k = 0; k < n; k++) p[k] = gamma * p[k] + c * end[k];
}

/* ---- forward ---- */

/* x' = x + v, and v <- gamma v on the way, to which the next layer's force is added. */
static void move_on(int64_t n, double gamma, const double *x, double *v, double *next) {
  for (int64_t k = 0; k < n; k++) {
    next[k] = x[k] + v[k];
    v[k] *= gamma;
  }
}

/* X_1 .. X_N; the force of the first layer is Theta_0 itself. */
static void forward_all(residual *m, const pl_stack *b) {
  fourier_net *net = &m->net;
  int64_t n = pl_stack_doubles(b);
  const double *first = residual_filter(m, 0, b);
  double *v = net->scratch[P], *one = net->scratch[X];
  residual_identity(b, one);
  for (int64_t k = 0; k < n; k++) v[k] = m->c * first[k];
  move_on(n, m->gamma, one, v, state(m, 1, b));
  for (int k = 1; k < m->depth; k++) {
    const double *x = state(m, k, b);
    pl_stack_mul_add(b, PL_NN, m->c, residual_filter(m, k, b), x, 1, v);
    move_on(n, m->gamma, x, v, state(m, k + 1, b));
  }
}

/* The force of layer k at the state in scratch X, m->x as numbers. */
static const double *force(residual *m, int k, const pl_stack *b) {
  double **scratch = m->net.scratch;
  if (k == 0) return residual_filter(m, 0, b);
  pl_stack_mul(b, PL_NN, residual_filter(m, k, b), scratch[X], scratch[T]);
  return scratch[T];
}

static bool forward_reversible(residual *m, const pl_stack *b) {
  int64_t n = pl_stack_doubles(b), *x = m->x + b->offset, *v = m->v + b->offset;
  double *one = m->net.scratch[X];
  residual_identity(b, one);
  bool ok = pl_reversible_set(n, one, x);
  memset(v, 0, (size_t)n * sizeof *v);
  for (int k = 0; k < m->depth; k++) {
    uint64_t *at = buffer(m, k, b);
    const double *f = force(m, k, b);
    if (k % m->rule.period == 0) memset(at, 0, (size_t)n * sizeof *at);
    ok &= pl_reversible_forward(&m->rule, n, m->c, f, v, x, at, one);
  }
  return ok;
}

/* A stack beyond the fixed point has no B: the run has diverged, and says why. */
static void tell(residual *m, const pl_stack *b, bool beyond) {
  m->beyond[b - m->net.layout->stacks] = beyond;
  if (beyond && !m->told)
    pl_log_all(PL_LOG_WARNING,
               "model.store: reversible: an entry of X or V is not below %d, beyond the fixed "
               "point: the run diverges",
               PL_REVERSIBLE_LIMIT);
  m->told |= beyond;
}

static void product(const fourier_net *net, const pl_stack *b, double *out) {
  const residual *m = (const residual *)net;
  int64_t n = pl_stack_doubles(b);
  if (!residual_reverses(m))
    memcpy(out, state(m, m->depth, b), (size_t)n * sizeof *out);
  else
    pl_reversible_get(n, m->x + b->offset, out);
  for (int64_t k = 0; m->beyond && m->beyond[b - net->layout->stacks] && k < n; k++) out[k] = NAN;
}

static void forward(fourier_net *net, const pl_stack *b) {
  residual *m = (residual *)net;
  if (!residual_reverses(m))
    forward_all(m, b);
  else
    tell(m, b, !forward_reversible(m, b));
  product(net, b, net->scratch[END]);
}

/* ---- backward ---- */

/* X_k, k from 1, on the way back; in fixed point the state is at k + 1 and is moved to k. */
static const double *state_before(residual *m, int k, const pl_stack *b) {
  if (!residual_reverses(m)) return state(m, k, b);
  int64_t n = pl_stack_doubles(b);
  pl_reversible_back_x(n, m->v + b->offset, m->x + b->offset, m->net.scratch[X]);
  const double *f = force(m, k, b);
  pl_reversible_back_v(&m->rule, n, m->c, f, m->v + b->offset, buffer(m, k, b));
  return m->net.scratch[X];
}

/* With P_k = c dLoss/dV_k and E_k = dLoss/dX_k: P_(k+1) = gamma P_(k+2) + c E_(k+1), the gradient
 * by Theta_k is P_(k+1) X_k^H, and E_k = E_(k+1) + Theta_k^H P_(k+1). */
static void backward(fourier_net *net, int stack, fourier_visitor *visitor) {
  residual *m = (residual *)net;
  const pl_stack *b = &net->layout->stacks[stack];
  int64_t n = pl_stack_doubles(b);
  double *end = net->scratch[END], *p = net->scratch[P];
  double *g = net->scratch[GRADIENT], *sum = net->scratch[SUM];
  bool tied = net->filters == 1;
  for (int64_t k = 0; k < n; k++) p[k] = m->c * end[k];
  if (tied) memset(sum, 0, (size_t)n * sizeof *sum);
  for (int k = m->depth - 1; k > 0; k--) {
    const double *x = state_before(m, k, b);
    /* Theta_k moves as soon as its gradient is known: first what still needs it. */
    pl_stack_mul_add(b, PL_CN, 1, residual_filter(m, k, b), p, 1, end);
    if (tied) {
      pl_stack_mul_add(b, PL_NC, 1, p, x, 1, sum);
    } else {
      pl_stack_mul(b, PL_NC, p, x, g);
      visitor->visit(visitor, net, fourier_param(net, k, stack), g);
    }
    mix(n, m->gamma, m->c, end, p);
  }
  if (tied) sum_of(n, sum, p, sum);
  visitor->visit(visitor, net, fourier_param(net, 0, stack), tied ? sum : p);
}

/* ---- undone ---- */

double residual_bits(const residual *m, const pl_stack *b) {
  return pl_reversible_bits(m->buffers * pl_stack_doubles(b), buffer(m, 0, b));
}

static double largest(int64_t n, const double *x, double most) {
  for (int64_t k = 0; k < n; k++) most = fmax(most, fabs(x[k]));
  return most;
}

static double distance(residual *m, const pl_stack *b, const double *x, const double *v) {
  int64_t n = pl_stack_doubles(b);
  double *one = m->net.scratch[GRADIENT];
  residual_identity(b, one);
  for (int64_t k = 0; k < n; k++) one[k] -= x[k];
  return largest(n, v, largest(n, one, 0));
}

static double undo_reversible(residual *m, const pl_stack *b) {
  int64_t n = pl_stack_doubles(b), *x = m->x + b->offset, *v = m->v + b->offset;
  for (int k = m->depth - 1; k >= 0; k--) {
    pl_reversible_back_x(n, v, x, m->net.scratch[X]);
    pl_reversible_back_v(&m->rule, n, m->c, force(m, k, b), v, buffer(m, k, b));
  }
  pl_reversible_get(n, x, m->net.scratch[X]);
  pl_reversible_get(n, v, m->net.scratch[P]);
  return distance(m, b, m->net.scratch[X], m->net.scratch[P]);
}

/* In floating point, from X_N and V_N = X_N - X_(N-1). */
static double undo_floating(residual *m, const pl_stack *b) {
  int64_t n = pl_stack_doubles(b);
  double *v = m->net.scratch[P], *t = m->net.scratch[T], *x = m->net.scratch[X];
  if (m->depth == 1)
    residual_identity(b, v);
  else
    memcpy(v, state(m, m->depth - 1, b), (size_t)n * sizeof *v);
  memcpy(x, state(m, m->depth, b), (size_t)n * sizeof *x);
  for (int64_t i = 0; i < n; i++) v[i] = x[i] - v[i];
  for (int k = m->depth - 1; k >= 0; k--) {
    for (int64_t i = 0; i < n; i++) x[i] -= v[i];
    pl_stack_mul(b, PL_NN, residual_filter(m, k, b), x, t);
    for (int64_t i = 0; i < n; i++) v[i] = (v[i] - m->c * t[i]) / m->gamma;
  }
  return distance(m, b, x, v);
}

double residual_undo(residual *m, const pl_stack *b) {
  return residual_reverses(m) ? undo_reversible(m, b) : undo_floating(m, b);
}

/* ---- costs ---- */

/* Filters that a record decomposes. */
static double decomposed(const pl_spec *spec) {
  pl_group *g;
  if (pl_group_of(spec, NULL, &g)) return 0;
  double filters = residual_wants_weights(spec, g) ? pl_filters_count(spec) : 0;
  pl_group_free(g);
  return filters;
}

static fourier_work work(const pl_spec *spec, int64_t samples, bool two_passes) {
  const pl_group_values *v = pl_group_values_of(spec);
  bool reversible = v->store == PL_STORE_REVERSIBLE;
  double N = (double)v->depth, filters = pl_filters_count(spec);
  double states = residual_store_bytes(spec, 1) / 8, back = reversible ? 3 : 2;
  (void)samples;
  return (fourier_work){
      /* forward and backward; for the norm once more backward, and what that has undone */
      .products = (N - 1) * (1 + back + (two_passes ? back + reversible : 0)),
      /* updates, states, and the passes of a layer: in fixed point they take as long as reading
       * eight arrays from memory */
      .moves = 3 * filters + 2 * states + N * (reversible ? 8 : 1),
      .arrays = filters + states,
      .spectra = filters + states + 1, /* and B - 1 */
      .later = states + 1,
      /* the gradient, the recursion undone, and eigenvalues at some forty products */
      .record_values = 2 + decomposed(spec),
      .record_samples = 1,
      .record_products = (N - 1) * (2 + back + reversible) + 40,
      .record_matrices = 3,
  };
}

const fourier_ops residual_ops = {.scratch = NUM_SCRATCH,
                                  .whole = true,
                                  .work = work,
                                  .forward = forward,
                                  .product = product,
                                  .backward = backward};
