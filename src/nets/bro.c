#include "nets/bro.h"

#include "base/mem.h"
#include "base/status.h"
#include "linalg/rect.h"
#include "nets/spread.h"
#include "tape/kernels.h"

#include <math.h>
#include <string.h>

typedef struct what {
  int64_t segments;
  const int64_t *start;
  double p, share;
} what;

/* Of a segment with n rows and w columns: E = H H^T - I, [n][n], or where it is narrow H^T H - I,
 * [w][w].  S_ij = sign(E_ij) (|E_ij| / norm)^(p-1): the norm's slope by E. */
typedef struct saved {
  double **matrix, *norm;       /* [segments] */
  double *slope, *moved, *wide; /* room: matrices like the largest, rows like the longest segment */
} saved;

/* One segment of H. */
typedef struct piece {
  int64_t first, n, w, side; /* side: of E */
  bool narrow;
  const double *h;
} piece;

static piece piece_of(const pl_node *y, int64_t s) {
  const what *a = y->data;
  const pl_node *x = y->input[0];
  piece g = {.first = a->start[s] * x->cols, .n = a->start[s + 1] - a->start[s], .w = x->cols};
  g.narrow = a->p == 2 && g.n > g.w;
  g.side = g.narrow ? g.w : g.n;
  g.h = x->value + g.first;
  return g;
}

/* e <- a b^T or, narrow, a^T b. */
static void outer(const piece *g, const double *a, const double *b, double *e, bool add) {
  pl_gemm(g->narrow, !g->narrow, g->side, g->side, g->narrow ? g->n : g->w, a, b, e, add);
}

/* out <- e x or, narrow, x e: rows like H. */
static void times(const piece *g, const double *e, const double *x, double *out, bool add) {
  if (g->narrow)
    pl_gemm(false, false, g->n, g->w, g->w, x, e, out, add);
  else
    pl_gemm(false, false, g->n, g->w, g->n, e, x, out, add);
}

static double norm_of(const piece *g, double p, const double *e) {
  int64_t n = g->side * g->side;
  double sum = 0, most = 0;
  if (p == 2) {
    for (int64_t k = 0; k < n; k++) sum += e[k] * e[k];
    return sqrt(sum + (double)(g->narrow ? g->n - g->w : 0));
  }
  for (int64_t k = 0; k < n; k++) most = fabs(e[k]) > most || isnan(e[k]) ? fabs(e[k]) : most;
  for (int64_t k = 0; k < n && most > 0; k++) sum += pow(fabs(e[k]) / most, p);
  return most > 0 ? most * pow(sum, 1 / p) : most;
}

static void slope_of(const piece *g, double p, const double *e, double norm, double *slope) {
  int64_t n = g->side * g->side;
  for (int64_t k = 0; k < n; k++) {
    double share = norm > 0 ? e[k] / norm : 0;
    slope[k] = p == 2 || share == 0 ? share : copysign(pow(fabs(share), p - 1), share);
  }
}

static void *room(pl_tape *t, int64_t n) {
  return pl_tape_alloc(t, (size_t)n, sizeof(double));
}

static void forward(pl_tape *t, pl_node *y, double *out) {
  const what *a = y->data;
  saved *v = y->saved = pl_tape_alloc(t, 1, sizeof *v);
  int64_t side = 0, rows = 0;
  v->matrix = pl_tape_alloc(t, (size_t)a->segments, sizeof *v->matrix);
  v->norm = room(t, a->segments);
  *out = 0;
  for (int64_t s = 0; s < a->segments; s++) {
    piece g = piece_of(y, s);
    double *e = v->matrix[s] = room(t, g.side * g.side);
    outer(&g, g.h, g.h, e, false);
    for (int64_t i = 0; i < g.side; i++) e[i * g.side + i] -= 1;
    *out += a->share * (v->norm[s] = norm_of(&g, a->p, e));
    side = g.side > side ? g.side : side;
    rows = g.n > rows ? g.n : rows;
  }
  v->slope = room(t, side * side);
  v->moved = room(t, side * side);
  v->wide = room(t, rows * y->input[0]->cols);
}

static void add_scaled(int64_t n, double c, const double *from, pl_into to, int64_t first) {
  for (int64_t k = 0; k < n; k++) to.at[first + k] = (to.add ? to.at[first + k] : 0) + c * from[k];
}

/* hbar += 2 S H ybar */
static void backward(pl_tape *t, const pl_node *y, const double *dy) {
  const what *a = y->data;
  const saved *v = y->saved;
  pl_into dx = pl_tape_into(t, y->input[0]);
  for (int64_t s = 0; s < a->segments; s++) {
    piece g = piece_of(y, s);
    slope_of(&g, a->p, v->matrix[s], v->norm[s], v->slope);
    times(&g, v->slope, g.h, v->wide, false);
    add_scaled(g.n * g.w, 2 * a->share * *dy, v->wide, dx, g.first);
  }
}

/* The tangent of a segment's norm, 2 <S H, hdot>; leaves S H in wide. */
static double tangent_of(const pl_node *y, const saved *v, int64_t s, const piece *g,
                         const double *hdot) {
  double sum = 0;
  slope_of(g, ((const what *)y->data)->p, v->matrix[s], v->norm[s], v->slope);
  times(g, v->slope, g->h, v->wide, false);
  for (int64_t k = 0; k < g->n * g->w; k++) sum += 2 * v->wide[k] * hdot[g->first + k];
  return sum;
}

static void tangent(pl_tape *t, const pl_node *y) {
  const what *a = y->data;
  const double *hdot = pl_tape_read(t, y->input[0], PL_TANGENT);
  pl_into dy = pl_tape_into(t, y);
  double sum = 0;
  for (int64_t s = 0; s < a->segments; s++) {
    piece g = piece_of(y, s);
    sum += a->share * tangent_of(y, y->saved, s, &g, hdot);
  }
  *dy.at = (dy.add ? *dy.at : 0) + sum;
}

/* Sdot = (p - 1) (|E/norm|^(p-2) Edot - normdot S) / norm, Edot = Hdot H^T + H Hdot^T; the slope by
 * E of a narrow one, of which the formula is the same. */
static void slope_moves(double p, const saved *v, int64_t s, const piece *g, const double *hdot,
                        double dnorm) {
  const double *e = v->matrix[s], norm = v->norm[s];
  outer(g, g->h, hdot, v->moved, false);
  outer(g, hdot, g->h, v->moved, true);
  for (int64_t k = 0; k < g->side * g->side; k++) {
    double share = norm > 0 ? fabs(e[k]) / norm : 0;
    double bent = p == 2 ? 1 : share > 0 ? pow(share, p - 2) : 0;
    v->moved[k] = norm > 0 ? (p - 1) * (bent * v->moved[k] - dnorm * v->slope[k]) / norm : 0;
  }
}

/* hbardot += 2 (Sdot H + S Hdot) ybar */
static void bend(pl_tape *t, const pl_node *y, const double *dy) {
  const what *a = y->data;
  const saved *v = y->saved;
  const double *all = pl_tape_read(t, y->input[0], PL_TANGENT);
  pl_into dx = pl_tape_into(t, y->input[0]);
  for (int64_t s = 0; s < a->segments; s++) {
    piece g = piece_of(y, s);
    const double *hdot = all + g.first;
    double dnorm = tangent_of(y, v, s, &g, all);
    slope_moves(a->p, v, s, &g, hdot, dnorm);
    times(&g, v->moved, g.h, v->wide, false);
    times(&g, v->slope, hdot, v->wide, true);
    add_scaled(g.n * g.w, 2 * a->share * *dy, v->wide, dx, g.first);
  }
}

static const pl_tape_op orthonormality = {"bro", forward, backward, tangent, bend, NULL, NULL};

pl_node *pl_tape_bro(pl_tape *t, pl_node *h, int64_t segments, const int64_t *start, double p,
                     double share) {
  what a = {segments, start, p, share};
  pl_require(start[0] == 0 && start[segments] == h->rows && p >= 1);
  return pl_tape_apply(t, &orthonormality, 1, 1, 1, &h, &a, sizeof a);
}

/* ---- for records ---- */

double pl_entropy_ranks(int64_t cols, const double *h, int64_t segments, const int64_t *start) {
  int64_t rows = 1;
  double sum = 0;
  for (int64_t s = 0; s < segments; s++)
    if (start[s + 1] - start[s] > rows) rows = start[s + 1] - start[s];
  pl_rect *work = pl_rect_new(rows, cols);
  double *sigma = pl_alloc((size_t)(rows < cols ? rows : cols), sizeof *sigma, "singular values");
  for (int64_t s = 0; s < segments; s++) {
    int64_t n = start[s + 1] - start[s];
    if (n == 0) continue;
    pl_status st = pl_rect_singular_values(work, n, cols, h + start[s] * cols, sigma);
    if (st)
      sum = NAN;
    else if (sigma[0] > 0)
      sum += pl_spread_entropy_rank(n < cols ? n : cols, sigma, NULL);
  }
  pl_free(sigma);
  pl_rect_free(work);
  return sum;
}
