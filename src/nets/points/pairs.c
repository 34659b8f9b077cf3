#include "pairs.h"

#include "base/status.h"

#include <string.h>

enum { DISTANCES, MOVES };

static const points_pairs *pairs_of(const pl_node *y) {
  return y->data;
}

static void clear(pl_into to, int64_t n) {
  if (to.at && !to.add) memset(to.at, 0, (size_t)n * sizeof *to.at);
}

/* ---- squared distances ---- */

/* out_e (+)= factor (x_i - x_j) . (z_i - z_j) */
static void differences(const points_pairs *p, int64_t axes, double factor, const double *x,
                        const double *z, pl_into out) {
  for (int64_t e = 0; e < p->num; e++) {
    const int64_t i = p->first[e] * axes, j = p->second[e] * axes;
    double sum = 0;
    for (int64_t a = 0; a < axes; a++) sum += (x[i + a] - x[j + a]) * (z[i + a] - z[j + a]);
    out.at[e] = (out.add ? out.at[e] : 0) + factor * sum;
  }
}

/* out_i += sum_e 2 d_e (x_i - x_j), out_j -= the same. */
static void pull(const points_pairs *p, int64_t axes, const double *d, const double *x,
                 double *out) {
  for (int64_t e = 0; e < p->num; e++) {
    const int64_t i = p->first[e] * axes, j = p->second[e] * axes;
    for (int64_t a = 0; a < axes; a++) {
      double f = 2 * d[e] * (x[i + a] - x[j + a]);
      out[i + a] += f;
      out[j + a] -= f;
    }
  }
}

static void distances_forward(pl_tape *t, pl_node *y, double *out) {
  const pl_node *x = y->input[0];
  (void)t;
  differences(pairs_of(y), x->cols, 1, x->value, x->value, (pl_into){out, false});
}

static void distances_backward(pl_tape *t, const pl_node *y, const double *dy) {
  const pl_node *x = y->input[0];
  pl_into dx = pl_tape_into(t, x);
  clear(dx, pl_tape_count(x));
  if (dx.at) pull(pairs_of(y), x->cols, dy, x->value, dx.at);
}

static void distances_tangent(pl_tape *t, const pl_node *y) {
  const pl_node *x = y->input[0];
  differences(pairs_of(y), x->cols, 2, x->value, pl_tape_read(t, x, PL_TANGENT),
              pl_tape_into(t, y));
}

static void distances_bend(pl_tape *t, const pl_node *y, const double *dy) {
  const pl_node *x = y->input[0];
  pl_into dx = pl_tape_into(t, x);
  clear(dx, pl_tape_count(x));
  if (dx.at) pull(pairs_of(y), x->cols, dy, pl_tape_read(t, x, PL_TANGENT), dx.at);
}

/* ---- moves ---- */

/* out_i += C sum_e (x_i - x_j) f_e */
static void push(const points_pairs *p, int64_t axes, const double *x, const double *f,
                 double *out) {
  for (int64_t i = 0; i < p->nodes; i++)
    for (int64_t e = p->start[i]; e < p->start[i + 1]; e++) {
      const double *xi = x + i * axes, *xj = x + p->second[e] * axes, c = p->mean[i] * f[e];
      for (int64_t a = 0; a < axes; a++) out[i * axes + a] += c * (xi[a] - xj[a]);
    }
}

/* df_e (+)= C dy_i . (x_i - x_j) */
static void to_factors(pl_tape *t, const pl_node *y, const double *dy, const double *x) {
  const points_pairs *p = pairs_of(y);
  pl_into df = pl_tape_into(t, y->input[1]);
  int64_t axes = y->cols;
  for (int64_t e = 0; e < p->num && df.at; e++) {
    const int64_t i = p->first[e] * axes, j = p->second[e] * axes;
    double sum = 0;
    for (int64_t a = 0; a < axes; a++) sum += dy[i + a] * (x[i + a] - x[j + a]);
    df.at[e] = (df.add ? df.at[e] : 0) + p->mean[p->first[e]] * sum;
  }
}

/* dx_i += C f_e dy_i, dx_j -= the same. */
static void to_points(pl_tape *t, const pl_node *y, const double *dy, const double *f) {
  const points_pairs *p = pairs_of(y);
  pl_into dx = pl_tape_into(t, y->input[0]);
  int64_t axes = y->cols;
  clear(dx, pl_tape_count(y));
  for (int64_t e = 0; e < p->num && dx.at; e++) {
    const int64_t i = p->first[e] * axes, j = p->second[e] * axes;
    double c = p->mean[p->first[e]] * f[e];
    for (int64_t a = 0; a < axes; a++) {
      dx.at[i + a] += c * dy[i + a];
      dx.at[j + a] -= c * dy[i + a];
    }
  }
}

static void moves_forward(pl_tape *t, pl_node *y, double *out) {
  (void)t;
  memset(out, 0, (size_t)pl_tape_count(y) * sizeof *out);
  push(pairs_of(y), y->cols, y->input[0]->value, y->input[1]->value, out);
}

static void moves_backward(pl_tape *t, const pl_node *y, const double *dy) {
  to_factors(t, y, dy, y->input[0]->value);
  to_points(t, y, dy, y->input[1]->value);
}

static void moves_tangent(pl_tape *t, const pl_node *y) {
  const double *dx = pl_tape_read(t, y->input[0], PL_TANGENT);
  const double *df = pl_tape_read(t, y->input[1], PL_TANGENT);
  pl_into to = pl_tape_into(t, y);
  clear(to, pl_tape_count(y));
  if (dx) push(pairs_of(y), y->cols, dx, y->input[1]->value, to.at);
  if (df) push(pairs_of(y), y->cols, y->input[0]->value, df, to.at);
}

static void moves_bend(pl_tape *t, const pl_node *y, const double *dy) {
  const double *dx = pl_tape_read(t, y->input[0], PL_TANGENT);
  const double *df = pl_tape_read(t, y->input[1], PL_TANGENT);
  if (dx) to_factors(t, y, dy, dx);
  if (df) to_points(t, y, dy, df);
}

/* r_e = |x_i - x_j|^2: xbar_i += 2 rbar_e (x_i - x_j), xbar_j -= it; rdot_e = 2 (x_i - x_j) .
 * (xdot_i - xdot_j); xbardot_i += 2 rbar_e (xdot_i - xdot_j).
 * y_i = C_i sum_e (x_i - x_j) f_e, bilinear: fbar_e += C_i ybar_i . (x_i - x_j), xbar_i += C_i f_e
 * ybar_i, xbar_j -= it; the bend has xdot for x in the first, fdot for f in the second. */
static const pl_tape_op ops[] = {
    [DISTANCES] = {"pair_distances", distances_forward, distances_backward, distances_tangent,
                   distances_bend, NULL, NULL},
    [MOVES] = {"pair_moves", moves_forward, moves_backward, moves_tangent, moves_bend, NULL, NULL},
};

pl_node *points_distances(pl_tape *t, const points_pairs *p, pl_node *x) {
  pl_require(x->rows == p->nodes);
  return pl_tape_apply(t, &ops[DISTANCES], p->num, 1, 1, &x, p, sizeof *p);
}

pl_node *points_moves(pl_tape *t, const points_pairs *p, pl_node *x, pl_node *f) {
  pl_require(x->rows == p->nodes && f->rows == p->num && f->cols == 1);
  return pl_tape_apply(t, &ops[MOVES], x->rows, x->cols, 2, (pl_node *const[]){x, f}, p, sizeof *p);
}
