/* The first layer of every message, y_e = silu(u_e), u_e = a_i + b_j + sum_k s_ek w_k. */
#include "base/status.h"
#include "pairs.h"
#include "base/elementary.h"

#include <string.h>

#define INLINE static inline __attribute__((always_inline))

/* Kept for the derivatives: sigma(u), like y, and room for two rows. */
typedef struct kept {
  double *sigma, *row, *turn;
} kept;

static const points_pairs *pairs_of(const pl_node *y) {
  return y->data;
}

enum { A, B, S, W };

/* ---- forward ---- */

INLINE double sum_of(int num, int64_t cols, int64_t c, double ab, const double *s,
                     const double *w) {
  for (int k = 0; k < num; k++) ab += s[k] * w[k * cols + c];
  return ab;
}

/* One row; sigma NULL: not kept. */
INLINE void row_forward(int num, int64_t cols, const double *a, const double *b, const double *s,
                        const double *w, double *sigma, double *y) {
#pragma omp simd simdlen(8)
  for (int64_t c = 0; c < cols; c++) {
    double u = sum_of(num, cols, c, a[c] + b[c], s, w);
    u = u < -800 ? -800 : u;
    double g = pl_sigmoid(u);
    sigma[c] = g;
    y[c] = u * g;
  }
}

INLINE void forward_loop(int num, const points_pairs *p, int64_t cols, const pl_node *const *in,
                         const kept *k, bool keep, double *out) {
  for (int64_t e = 0; e < p->num; e++)
    row_forward(num, cols, in[A]->value + p->first[e] * cols, in[B]->value + p->second[e] * cols,
                in[S]->value + e * num, in[W]->value, keep ? k->sigma + e * cols : k->row,
                out + e * cols);
}

static const pl_node *const *inputs(const pl_node *y) {
  return (const pl_node *const *)y->input;
}

static void forward(pl_tape *t, pl_node *y, double *out) {
  int64_t cols = y->cols;
  kept *k = pl_tape_alloc(t, 1, sizeof *k);
  *k = (kept){NULL, pl_tape_alloc(t, (size_t)cols, sizeof(double)),
              pl_tape_alloc(t, (size_t)cols, sizeof(double))};
  if (y->wanted) k->sigma = pl_tape_alloc(t, (size_t)pl_tape_count(y), sizeof(double));
  y->saved = k;
  switch (y->input[S]->cols) {
#define CASE(num)                                                                                  \
  case num:                                                                                        \
    forward_loop(num, pairs_of(y), cols, inputs(y), k, y->wanted, out);                            \
    break
    CASE(1);
    CASE(2);
    CASE(3);
#undef CASE
  default:
    forward_loop((int)y->input[S]->cols, pairs_of(y), cols, inputs(y), k, y->wanted, out);
  }
}

/* ---- derivatives ---- */

/* f'(u) from y = f(u) and sigma(u). */
INLINE double slope(double y, double g) {
  return g + y * (1 - g);
}

/* Where adjoints go, row by row; NULL: nobody wants them. */
typedef struct adjoints {
  pl_into a, b, s, w;
} adjoints;

static void clear(pl_into to, int64_t n) {
  if (to.at && !to.add) memset(to.at, 0, (size_t)n * sizeof *to.at);
}

static adjoints open_adjoints(pl_tape *t, const pl_node *y) {
  adjoints d = {pl_tape_into(t, y->input[A]), pl_tape_into(t, y->input[B]),
                pl_tape_into(t, y->input[S]), pl_tape_into(t, y->input[W])};
  clear(d.a, pl_tape_count(y->input[A]));
  clear(d.b, pl_tape_count(y->input[B]));
  clear(d.s, pl_tape_count(y->input[S]));
  clear(d.w, pl_tape_count(y->input[W]));
  return d;
}

INLINE void add_row(int64_t n, const double *from, double *to) {
#pragma omp simd
  for (int64_t c = 0; c < n; c++) to[c] += from[c];
}

INLINE void add_times(int64_t n, double factor, const double *from, double *to) {
#pragma omp simd
  for (int64_t c = 0; c < n; c++) to[c] += factor * from[c];
}

INLINE double dot(int64_t n, const double *a, const double *b) {
  double sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int64_t c = 0; c < n; c++) sum += a[c] * b[c];
  return sum;
}

/* Adjoints of the ends from du of pair e; and of s and w, for these numbers of w and s. */
INLINE void to_ends(const adjoints *d, const points_pairs *p, int64_t e, int64_t cols,
                    const double *du) {
  if (d->a.at) add_row(cols, du, d->a.at + p->first[e] * cols);
  if (d->b.at) add_row(cols, du, d->b.at + p->second[e] * cols);
}
INLINE void to_marks(const adjoints *d, int64_t num, int64_t e, int64_t cols, const double *du,
                     const double *s, const double *w) {
  for (int64_t k = 0; k < num; k++) {
    if (d->s.at && w) d->s.at[e * num + k] += dot(cols, du, w + k * cols);
    if (d->w.at && s) add_times(cols, s[e * num + k], du, d->w.at + k * cols);
  }
}

static void backward(pl_tape *t, const pl_node *y, const double *dy) {
  const points_pairs *p = pairs_of(y);
  const kept *k = y->saved;
  int64_t cols = y->cols, num = y->input[S]->cols;
  adjoints d = open_adjoints(t, y);
  for (int64_t e = 0; e < p->num; e++) {
    const double *v = y->value + e * cols, *g = k->sigma + e * cols, *from = dy + e * cols;
#pragma omp simd
    for (int64_t c = 0; c < cols; c++) k->row[c] = from[c] * slope(v[c], g[c]);
    to_ends(&d, p, e, cols, k->row);
    to_marks(&d, num, e, cols, k->row, y->input[S]->value, y->input[W]->value);
  }
}

/* Tangents of the inputs, NULL where there is none. */
typedef struct tangents {
  const double *a, *b, *s, *w;
} tangents;

static tangents read_tangents(pl_tape *t, const pl_node *y) {
  return (tangents){
      pl_tape_read(t, y->input[A], PL_TANGENT), pl_tape_read(t, y->input[B], PL_TANGENT),
      pl_tape_read(t, y->input[S], PL_TANGENT), pl_tape_read(t, y->input[W], PL_TANGENT)};
}

/* out = udot_e */
static void turn_row(const pl_node *y, const tangents *d, int64_t e, double *out) {
  const points_pairs *p = pairs_of(y);
  int64_t cols = y->cols, num = y->input[S]->cols;
  memset(out, 0, (size_t)cols * sizeof *out);
  if (d->a) add_row(cols, d->a + p->first[e] * cols, out);
  if (d->b) add_row(cols, d->b + p->second[e] * cols, out);
  for (int64_t k = 0; k < num; k++) {
    if (d->s) add_times(cols, d->s[e * num + k], y->input[W]->value + k * cols, out);
    if (d->w) add_times(cols, y->input[S]->value[e * num + k], d->w + k * cols, out);
  }
}

static void tangent(pl_tape *t, const pl_node *y) {
  const kept *k = y->saved;
  tangents d = read_tangents(t, y);
  pl_into to = pl_tape_into(t, y);
  int64_t cols = y->cols;
  for (int64_t e = 0; e < y->rows; e++) {
    const double *v = y->value + e * cols, *g = k->sigma + e * cols;
    double *out = to.at + e * cols;
    turn_row(y, &d, e, k->turn);
    for (int64_t c = 0; c < cols; c++)
      out[c] = (to.add ? out[c] : 0) + slope(v[c], g[c]) * k->turn[c];
  }
}

static void bend(pl_tape *t, const pl_node *y, const double *dy) {
  const points_pairs *p = pairs_of(y);
  const kept *k = y->saved;
  int64_t cols = y->cols, num = y->input[S]->cols;
  tangents d = read_tangents(t, y);
  adjoints to = open_adjoints(t, y);
  for (int64_t e = 0; e < p->num; e++) {
    const double *v = y->value + e * cols, *g = k->sigma + e * cols, *from = dy + e * cols;
    turn_row(y, &d, e, k->turn);
    /* f'' = sigma (1 - sigma) (2 + u (1 - 2 sigma)), and u sigma = y. */
    for (int64_t c = 0; c < cols; c++) {
      double second = (1 - g[c]) * (2 * g[c] + v[c] * (1 - 2 * g[c]));
      k->turn[c] *= from[c] * second;
      k->row[c] = from[c] * slope(v[c], g[c]);
    }
    to_ends(&to, p, e, cols, k->turn);
    to_marks(&to, num, e, cols, k->turn, y->input[S]->value, y->input[W]->value);
    to_marks(&to, num, e, cols, k->row, d.s, d.w);
  }
}

/* y_e = f(u_e): ubar = f'(u) ybar; abar_i += ubar_e, bbar_j += ubar_e, sbar_ek += ubar_e . w_k,
 * wbar_k += s_ek ubar_e; ydot = f'(u) udot; in the bend ubardot = f''(u) udot ybar, sbardot_ek +=
 * ubardot . w_k + ubar . wdot_k, wbardot_k += s_ek ubardot + sdot_ek ubar. */
static const pl_tape_op op = {"pair_messages", forward, backward, tangent, bend, NULL, NULL};

pl_node *points_messages(pl_tape *t, const points_pairs *p, pl_node *a, pl_node *b, pl_node *s,
                         pl_node *w) {
  pl_require(a->rows == p->nodes && b->rows == p->nodes && s->rows == p->num);
  pl_require(a->cols == w->cols && b->cols == w->cols && s->cols == w->rows);
  return pl_tape_apply(t, &op, p->num, w->cols, 4, (pl_node *const[]){a, b, s, w}, p, sizeof *p);
}
