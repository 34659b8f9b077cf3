#include "group/sn_level.h"

#include "base/mem.h"
#include "base/status.h"

#include <math.h>
#include <string.h>

/* ---- Young's graph ---- */

static int find_partition(const pl_partition *list, int count, const pl_partition *p) {
  for (int i = 0; i < count; i++)
    if (pl_partition_compare(&list[i], p) == 0) return i;
  pl_die(PL_EBUG, "not a partition in the list");
}

/* Content of the box of `large` that `small` lacks. */
static int content(const pl_partition *large, const pl_partition *small) {
  int r = 0;
  while (large->part[r] == small->part[r]) r++;
  return small->part[r] - r;
}

static void fill_mix(const pl_sn_graph *g, pl_sn_shape *nu) {
  int k = nu->p.n + 1, m = nu->nsub + 1;
  pl_require(nu->nsup == m);
  for (int l = 0; l < m; l++) {
    const pl_sn_shape *lambda = &g->shape[k][nu->sup[l]];
    double first = sqrt((double)lambda->dim / (double)(k * nu->dim));
    nu->mix[l * m] = first;
    for (int q = 0; q < nu->nsub; q++) {
      const pl_sn_shape *kappa = &g->shape[k - 2][nu->sub[q]];
      nu->mix[l * m + 1 + q] = first * sqrt((double)((k - 1) * kappa->dim) / (double)nu->dim) /
                               (content(&lambda->p, &nu->p) - content(&nu->p, &kappa->p));
    }
  }
}

pl_sn_graph *pl_sn_graph_new(int n) {
  pl_require(n >= 1 && n <= PL_SN_MAX);
  pl_sn_graph *g = pl_zalloc(1, sizeof *g, "Young's graph");
  pl_partition *list[PL_SN_MAX + 1];
  g->n = n;
  for (int k = 0; k <= n; k++) {
    list[k] = pl_partitions(k, &g->count[k]);
    g->shape[k] = pl_zalloc((size_t)g->count[k], sizeof *g->shape[k], "Young's graph");
    for (int i = 0; i < g->count[k]; i++) {
      pl_sn_shape *s = &g->shape[k][i];
      s->p = list[k][i];
      s->dim = pl_partition_dim(&s->p);
      int64_t off = 0;
      for (int r = s->p.rows - 1; r >= 0; r--) {
        pl_partition less;
        if (!pl_partition_remove(&s->p, r, &less)) continue;
        s->sub[s->nsub] = find_partition(list[k - 1], g->count[k - 1], &less);
        pl_sn_shape *below = &g->shape[k - 1][s->sub[s->nsub]];
        s->off[s->nsub++] = off;
        off += below->dim;
        below->sup[below->nsup++] = i; /* i grows: decreasing order */
      }
    }
  }
  for (int k = 1; k < n; k++)
    for (int i = 0; i < g->count[k]; i++) fill_mix(g, &g->shape[k][i]);
  for (int k = 0; k <= n; k++) pl_free(list[k]);
  return g;
}

void pl_sn_graph_free(pl_sn_graph *g) {
  if (!g) return;
  for (int k = 0; k <= g->n; k++) pl_free(g->shape[k]);
  pl_free(g);
}

int pl_sn_graph_place(const pl_sn_graph *g, int k, int lambda, int mu) {
  const pl_sn_shape *s = &g->shape[k][lambda];
  for (int q = 0; q < s->nsub; q++)
    if (s->sub[q] == mu) return q;
  return -1;
}

/* ---- programs ---- */

/* Rows live in one of these arrays: scratch, F_1 .. F_k, the outputs. */
enum { SCRATCH = 0, F_0 = 0, OUT = PL_SN_MAX + 1, ARRAYS = OUT + PL_SN_BRANCH };

typedef struct place {
  int32_t array, row;
} place;

/* out = O in on `rows` rows of m streams; or, when mix is NULL, W_5^nu from F_1 .. F_5 at the row
 * of in[0] to m shapes. */
typedef struct step {
  const double *mix;
  int32_t m, rows, nu;
  place in[PL_SN_BRANCH], out[PL_SN_BRANCH];
} step;

struct pl_sn_program {
  const pl_sn_graph *graph;
  int k;
  int64_t scratch_rows, nsteps, capacity;
  int64_t *first; /* steps of mu: first[mu] .. first[mu+1]-1 */
  step *steps;
};

static step *add_step(pl_sn_program *p) {
  if (p->nsteps == p->capacity) {
    p->capacity = p->capacity ? 2 * p->capacity : 64;
    p->steps = pl_realloc(p->steps, (size_t)p->capacity, sizeof *p->steps, "transform program");
  }
  return &p->steps[p->nsteps++];
}

static place shift(place at, int64_t rows) {
  at.row += (int32_t)rows;
  return at;
}

/* W_k^mu on rows row.. of F_1..F_k, rows of the l-th shape covering mu to out[l]; scratch is free
 * from row top on. */
static void compile(pl_sn_program *p, int k, int mu, int64_t row, const place *out, int64_t top) {
  const pl_sn_graph *g = p->graph;
  const pl_sn_shape *s = &g->shape[k - 1][mu];
  place in[PL_SN_BRANCH] = {{F_0 + k, (int32_t)row}};
  if (k == 5) {
    step *five = add_step(p);
    *five = (step){.m = s->nsup, .nu = mu, .in = {in[0]}};
    memcpy(five->out, out, (size_t)s->nsup * sizeof *out);
    return;
  }
  for (int q = 0; q < s->nsub; q++) in[1 + q] = (place){SCRATCH, (int32_t)(top + q * s->dim)};
  int64_t inner = top + s->nsub * s->dim;
  if (inner > p->scratch_rows) p->scratch_rows = inner;
  for (int q = 0; q < s->nsub; q++) {
    const pl_sn_shape *kappa = &g->shape[k - 2][s->sub[q]];
    place to[PL_SN_BRANCH];
    for (int l = 0; l < kappa->nsup; l++) {
      to[l] = in[1 + q];
      for (int u = 0; kappa->sup[l] != mu && u < s->nsup; u++) {
        int at = pl_sn_graph_place(g, k, s->sup[u], kappa->sup[l]);
        if (at >= 0) to[l] = shift(out[u], g->shape[k][s->sup[u]].off[at]);
      }
    }
    compile(p, k - 1, s->sub[q], row + s->off[q], to, inner);
  }
  step *st = add_step(p);
  *st = (step){.mix = s->mix, .m = s->nsup, .rows = (int32_t)s->dim};
  for (int l = 0; l < s->nsup; l++) {
    st->in[l] = in[l];
    int at = pl_sn_graph_place(g, k, s->sup[l], mu);
    st->out[l] = shift(out[l], g->shape[k][s->sup[l]].off[at]);
  }
}

pl_sn_program *pl_sn_program_new(const pl_sn_graph *g, int k) {
  pl_require(k >= 5 && k <= g->n);
  pl_sn_program *p = pl_zalloc(1, sizeof *p, "transform program");
  p->graph = g;
  p->k = k;
  p->first = pl_zalloc((size_t)g->count[k - 1] + 1, sizeof *p->first, "transform program");
  for (int mu = 0; mu < g->count[k - 1]; mu++) {
    place out[PL_SN_BRANCH];
    for (int l = 0; l < PL_SN_BRANCH; l++) out[l] = (place){OUT + l, 0};
    compile(p, k, mu, 0, out, 0);
    p->first[mu + 1] = p->nsteps;
  }
  return p;
}

void pl_sn_program_free(pl_sn_program *p) {
  if (!p) return;
  pl_free(p->first);
  pl_free(p->steps);
  pl_free(p);
}

int64_t pl_sn_program_bytes(const pl_sn_program *p) {
  return p->capacity * (int64_t)sizeof *p->steps;
}

int64_t pl_sn_program_rows(const pl_sn_program *p) {
  return p->scratch_rows;
}

/* y_l = sum_j O[l, j] x_j on n vectors; O transposed for the way back.  m and back are constants
 * where this is called, so the loops over streams unroll. */
static inline __attribute__((always_inline)) void
mix(int m, int back, int64_t n, pl_vec *const *from, pl_vec *const *to, const double *o) {
  pl_vec c[PL_SN_BRANCH][PL_SN_BRANCH], zero = {0};
  for (int l = 0; l < m; l++)
    for (int j = 0; j < m; j++) c[l][j] = zero + o[back ? j * m + l : l * m + j];
  for (int64_t i = 0; i < n; i++) {
    pl_vec x[PL_SN_BRANCH], y;
    for (int j = 0; j < m; j++) x[j] = from[j][i];
    for (int l = 0; l < m; l++) {
      y = c[l][0] * x[0];
      for (int j = 1; j < m; j++) y += c[l][j] * x[j];
      to[l][i] = y;
    }
  }
}

static inline __attribute__((always_inline)) void run(const step *s, int back, int64_t w,
                                                      pl_vec *const *array) {
  pl_vec *in[PL_SN_BRANCH], *out[PL_SN_BRANCH];
  if (!s->mix) {
    for (int j = 0; j < 5; j++) in[j] = array[F_0 + 1 + j] + s->in[0].row * w;
    for (int l = 0; l < s->m; l++) out[l] = array[s->out[l].array] + s->out[l].row * w;
    if (back)
      pl_sn_five_backward(s->nu, w, in, out);
    else
      pl_sn_five_forward(s->nu, w, in, out);
    return;
  }
  for (int j = 0; j < s->m; j++) in[j] = array[s->in[j].array] + s->in[j].row * w;
  for (int j = 0; j < s->m; j++) out[j] = array[s->out[j].array] + s->out[j].row * w;
  pl_vec **from = back ? out : in, **to = back ? in : out;
  switch (s->m) {
  case 2:
    mix(2, back, s->rows * w, from, to, s->mix);
    break;
  case 3:
    mix(3, back, s->rows * w, from, to, s->mix);
    break;
  case 4:
    mix(4, back, s->rows * w, from, to, s->mix);
    break;
  default:
    mix(5, back, s->rows * w, from, to, s->mix);
  }
}

static void set_arrays(const pl_sn_program *p, int mu, pl_vec *const *in, pl_vec *const *out,
                       pl_vec *scratch, pl_vec **array) {
  array[SCRATCH] = scratch;
  for (int j = 1; j <= p->k; j++) array[F_0 + j] = in[j - 1];
  for (int l = 0; l < p->graph->shape[p->k - 1][mu].nsup; l++) array[OUT + l] = out[l];
}

void pl_sn_program_forward(const pl_sn_program *p, int mu, int64_t w, pl_vec *const *in,
                           pl_vec *const *out, pl_vec *scratch) {
  pl_vec *array[ARRAYS];
  set_arrays(p, mu, in, out, scratch, array);
  for (int64_t i = p->first[mu]; i < p->first[mu + 1]; i++) run(&p->steps[i], 0, w, array);
}

void pl_sn_program_backward(const pl_sn_program *p, int mu, int64_t w, pl_vec *const *in,
                            pl_vec *const *out, pl_vec *scratch) {
  pl_vec *array[ARRAYS];
  set_arrays(p, mu, in, out, scratch, array);
  for (int64_t i = p->first[mu + 1] - 1; i >= p->first[mu]; i--) run(&p->steps[i], 1, w, array);
}

/* ---- panels ---- */

enum { AHEAD = 8 }; /* rows: too far apart for the hardware to foresee */

void pl_sn_rows_out(int64_t rows, int64_t w, int64_t cols, double scale, const pl_vec *panel,
                    double *to, int64_t ld) {
  for (int64_t t = 0; t < rows; t++, panel += w, to += ld)
    for (int64_t v = 0; v < w; v++) {
      double *y = to + v * PL_LANES;
      __builtin_prefetch(y + AHEAD * ld, 1);
      pl_vec scaled = panel[v] * scale;
      pl_sn_part_out(&scaled, y, cols - v * PL_LANES);
    }
}

void pl_sn_rows_in(int64_t rows, int64_t w, int64_t cols, double scale, const double *from,
                   int64_t ld, pl_vec *panel) {
  for (int64_t t = 0; t < rows; t++, panel += w, from += ld)
    for (int64_t v = 0; v < w; v++) {
      const double *x = from + v * PL_LANES;
      __builtin_prefetch(x + AHEAD * ld);
      pl_sn_part_in(x, cols - v * PL_LANES, &panel[v]);
      panel[v] *= scale;
    }
}
