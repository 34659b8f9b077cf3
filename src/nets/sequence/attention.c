#include "ops_table.h"
#include "base/elementary.h"

#include <string.h>

static const glances *shape(const pl_node *y) {
  return y->data;
}

/* ---- scores ---- */

enum { KEYS, QUERIES, V };

/* sum_h v_h tanh(k_h + q_h) */
static double score(int64_t n, const double *k, const double *q, const double *v) {
  double s = 0;
#pragma omp simd reduction(+ : s)
  for (int64_t h = 0; h < n; h++) s += v[h] * pl_tanh(k[h] + q[h]);
  return s;
}

static void scores_forward(pl_tape *t, pl_node *y, double *out) {
  const glances *g = shape(y);
  const double *keys = y->input[KEYS]->value, *queries = y->input[QUERIES]->value;
  int64_t n = y->input[KEYS]->cols;
  (void)t;
  memset(out, 0, (size_t)pl_tape_count(y) * sizeof *out);
  for (int64_t s = 0; s < g->sequences; s++)
    for (int64_t i = g->begin[s]; i < g->begin[s + 1]; i++)
      for (int64_t j = g->start[s]; j < g->start[s + 1]; j++)
        out[g->row[i] * y->cols + j - g->start[s]] =
            score(n, keys + j * n, queries + g->row[i] * n, y->input[V]->value);
}

/* Every entry of the outputs is to be written where nobody was before: zero, and add. */
static double *cleared(pl_into to, const pl_node *x) {
  if (to.at && !to.add) memset(to.at, 0, (size_t)pl_tape_count(x) * sizeof *to.at);
  return to.at;
}

/* dk_h, dq_h += u v_h (1 - t^2), dv_h += u t; any of the three may be left out. */
static void score_back(int64_t n, double u, const double *k, const double *q, const double *v,
                       double *dk, double *dq, double *dv) {
#pragma omp simd
  for (int64_t h = 0; h < n; h++) {
    double t = pl_tanh(k[h] + q[h]), d = u * v[h] * (1 - t * t);
    dk[h] += d;
    dq[h] += d;
    dv[h] += u * t;
  }
}

/* Where the adjoints go, `spare` where nobody wants them. */
static double *row_of(double *to, int64_t row, int64_t n, double *spare) {
  return to ? to + row * n : spare;
}

static void scores_backward(pl_tape *t, const pl_node *y, const double *dy) {
  const glances *g = shape(y);
  const pl_node *const *in = (const pl_node *const *)y->input;
  int64_t n = in[KEYS]->cols;
  double *spare = y->saved;
  double *dk = cleared(pl_tape_into(t, in[KEYS]), in[KEYS]);
  double *dq = cleared(pl_tape_into(t, in[QUERIES]), in[QUERIES]);
  double *dv = cleared(pl_tape_into(t, in[V]), in[V]);
  for (int64_t s = 0; s < g->sequences; s++)
    for (int64_t i = g->begin[s]; i < g->begin[s + 1]; i++)
      for (int64_t j = g->start[s], row = g->row[i]; j < g->start[s + 1]; j++) {
        double u = dy[row * y->cols + j - g->start[s]];
        if (u != 0)
          score_back(n, u, in[KEYS]->value + j * n, in[QUERIES]->value + row * n, in[V]->value,
                     row_of(dk, j, n, spare), row_of(dq, row, n, spare + n),
                     row_of(dv, 0, n, spare + 2 * n));
      }
}

/* The movements of one key, query and of v; zeros where one stands still. */
typedef struct motion {
  const double *k, *q, *v;
} motion;

static motion motion_of(const pl_tape *t, const pl_node *y, int64_t key, int64_t query,
                        const double *zeros) {
  int64_t n = y->input[KEYS]->cols;
  const double *k = pl_tape_read(t, y->input[KEYS], PL_TANGENT),
               *q = pl_tape_read(t, y->input[QUERIES], PL_TANGENT),
               *v = pl_tape_read(t, y->input[V], PL_TANGENT);
  return (motion){k ? k + key * n : zeros, q ? q + query * n : zeros, v ? v : zeros};
}

static double score_move(int64_t n, const double *k, const double *q, const double *v,
                         const motion *m) {
  double s = 0;
#pragma omp simd reduction(+ : s)
  for (int64_t h = 0; h < n; h++) {
    double t = pl_tanh(k[h] + q[h]);
    s += m->v[h] * t + v[h] * (1 - t * t) * (m->k[h] + m->q[h]);
  }
  return s;
}

static double *zeros_of(const pl_node *y) {
  int64_t n = y->input[KEYS]->cols;
  return memset((double *)y->saved + 3 * n, 0, (size_t)n * sizeof(double));
}

static void scores_tangent(pl_tape *t, const pl_node *y) {
  const glances *g = shape(y);
  const double *keys = y->input[KEYS]->value, *queries = y->input[QUERIES]->value;
  const double *zeros = zeros_of(y);
  int64_t n = y->input[KEYS]->cols;
  double *to = cleared(pl_tape_into(t, y), y);
  for (int64_t s = 0; s < g->sequences; s++)
    for (int64_t i = g->begin[s]; i < g->begin[s + 1]; i++)
      for (int64_t j = g->start[s], row = g->row[i]; j < g->start[s + 1]; j++) {
        motion m = motion_of(t, y, j, row, zeros);
        to[row * y->cols + j - g->start[s]] +=
            score_move(n, keys + j * n, queries + row * n, y->input[V]->value, &m);
      }
}

/* How score_back's increments move, u held. */
static void score_bend(int64_t n, double u, const double *k, const double *q, const double *v,
                       const motion *m, double *dk, double *dq, double *dv) {
#pragma omp simd
  for (int64_t h = 0; h < n; h++) {
    double t = pl_tanh(k[h] + q[h]), slope = 1 - t * t, moved = slope * (m->k[h] + m->q[h]);
    double d = u * (m->v[h] * slope - 2 * v[h] * t * moved);
    dk[h] += d;
    dq[h] += d;
    dv[h] += u * moved;
  }
}

static void scores_bend(pl_tape *t, const pl_node *y, const double *dy) {
  const glances *g = shape(y);
  const pl_node *const *in = (const pl_node *const *)y->input;
  int64_t n = in[KEYS]->cols;
  double *spare = y->saved;
  const double *zeros = zeros_of(y);
  double *dk = cleared(pl_tape_into(t, in[KEYS]), in[KEYS]);
  double *dq = cleared(pl_tape_into(t, in[QUERIES]), in[QUERIES]);
  double *dv = cleared(pl_tape_into(t, in[V]), in[V]);
  for (int64_t s = 0; s < g->sequences; s++)
    for (int64_t i = g->begin[s]; i < g->begin[s + 1]; i++)
      for (int64_t j = g->start[s], row = g->row[i]; j < g->start[s + 1]; j++) {
        motion m = motion_of(t, y, j, row, zeros);
        score_bend(n, dy[row * y->cols + j - g->start[s]], in[KEYS]->value + j * n,
                   in[QUERIES]->value + row * n, in[V]->value, &m, row_of(dk, j, n, spare),
                   row_of(dq, row, n, spare + n), row_of(dv, 0, n, spare + 2 * n));
      }
}

/* saved: rows for what nobody wants, and zeros. */
static void scores_begin(pl_tape *t, pl_node *y, double *out) {
  y->saved = pl_tape_alloc(t, 4 * (size_t)y->input[KEYS]->cols, sizeof(double));
  memset(y->saved, 0, 4 * (size_t)y->input[KEYS]->cols * sizeof(double));
  scores_forward(t, y, out);
}

const pl_tape_op sequence_scores_op = {
    "scores", scores_begin, scores_backward, scores_tangent, scores_bend, NULL, NULL};

static void require_glances(const glances *g, int64_t keys, int64_t queries) {
  pl_require(g->start[g->sequences] == keys && g->begin[g->sequences] == queries);
  for (int64_t s = 0; s < g->sequences; s++) pl_require(g->start[s + 1] - g->start[s] <= g->width);
}

pl_node *sequence_scores(pl_tape *t, glances g, pl_node *keys, pl_node *queries, pl_node *v) {
  pl_require(keys->cols == queries->cols && v->rows == keys->cols && v->cols == 1);
  require_glances(&g, keys->rows, queries->rows);
  return pl_tape_apply(t, &sequence_scores_op, queries->rows, g.width, 3,
                       (pl_node *const[]){keys, queries, v}, &g, sizeof g);
}

/* ---- mix ---- */

enum { SHARES, VALUES };

/* out_r += sum_j a_rj e_j */
static void mix(const pl_node *y, const double *a, const double *e, double *out) {
  const glances *g = shape(y);
  int64_t n = y->cols;
  for (int64_t s = 0; s < g->sequences; s++)
    for (int64_t i = g->begin[s]; i < g->begin[s + 1]; i++)
      for (int64_t j = g->start[s], row = g->row[i]; j < g->start[s + 1]; j++) {
        double share = a[row * g->width + j - g->start[s]];
        const double *from = e + j * n;
        double *to = out + row * n;
#pragma omp simd
        for (int64_t h = 0; h < n; h++) to[h] += share * from[h];
      }
}

/* da_rj += <dy_r, e_j>, de_j += a_rj dy_r, each where it is not NULL. */
static void unmix(const pl_node *y, const double *dy, const double *a, const double *e, double *da,
                  double *de) {
  const glances *g = shape(y);
  int64_t n = y->cols;
  for (int64_t s = 0; s < g->sequences; s++)
    for (int64_t i = g->begin[s]; i < g->begin[s + 1]; i++)
      for (int64_t j = g->start[s], row = g->row[i]; j < g->start[s + 1]; j++) {
        const double *d = dy + row * n;
        int64_t at = row * g->width + j - g->start[s];
        double sum = 0;
        if (da) {
#pragma omp simd reduction(+ : sum)
          for (int64_t h = 0; h < n; h++) sum += d[h] * e[j * n + h];
          da[at] += sum;
        }
        if (!de) continue;
#pragma omp simd
        for (int64_t h = 0; h < n; h++) de[j * n + h] += a[at] * d[h];
      }
}

static void mix_forward(pl_tape *t, pl_node *y, double *out) {
  (void)t;
  memset(out, 0, (size_t)pl_tape_count(y) * sizeof *out);
  mix(y, y->input[SHARES]->value, y->input[VALUES]->value, out);
}

static void mix_backward(pl_tape *t, const pl_node *y, const double *dy) {
  const pl_node *a = y->input[SHARES], *e = y->input[VALUES];
  double *da = cleared(pl_tape_into(t, a), a), *de = cleared(pl_tape_into(t, e), e);
  unmix(y, dy, a->value, e->value, da, de);
}

static void mix_tangent(pl_tape *t, const pl_node *y) {
  const pl_node *a = y->input[SHARES], *e = y->input[VALUES];
  const double *ma = pl_tape_read(t, a, PL_TANGENT), *me = pl_tape_read(t, e, PL_TANGENT);
  double *to = cleared(pl_tape_into(t, y), y);
  if (ma) mix(y, ma, e->value, to);
  if (me) mix(y, a->value, me, to);
}

static void mix_bend(pl_tape *t, const pl_node *y, const double *dy) {
  const pl_node *a = y->input[SHARES], *e = y->input[VALUES];
  const double *ma = pl_tape_read(t, a, PL_TANGENT), *me = pl_tape_read(t, e, PL_TANGENT);
  double *da = me ? cleared(pl_tape_into(t, a), a) : NULL;
  double *de = ma ? cleared(pl_tape_into(t, e), e) : NULL;
  unmix(y, dy, ma, me, da, de);
}

const pl_tape_op sequence_mix_op = {"mix",    mix_forward, mix_backward, mix_tangent,
                                    mix_bend, NULL,        NULL};

pl_node *sequence_mix(pl_tape *t, glances g, pl_node *a, pl_node *e) {
  pl_require(a->cols == g.width);
  require_glances(&g, e->rows, a->rows);
  return pl_tape_apply(t, &sequence_mix_op, a->rows, e->cols, 2, (pl_node *const[]){a, e}, &g,
                       sizeof g);
}

/* ---- the table ---- */

const pl_tape_op *sequence_op(int i) {
  static const pl_tape_op *const ops[] = {&sequence_lstm_op, &sequence_scores_op, &sequence_mix_op};
  return i >= 0 && (size_t)i < sizeof ops / sizeof *ops ? ops[i] : NULL;
}
