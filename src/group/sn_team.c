#include "group/sn_team.h"

#include "base/mem.h"
#include "group/perm.h"
#include "group/sn_level.h"

#include <math.h>

enum { CHUNK = 5 }; /* vectors of columns taken through at once: scratch stays in cache */

struct pl_sn_level {
  int n;
  pl_sn_graph *graph;
  pl_sn_program *program;
  int64_t (*column)[PL_SN_BRANCH]; /* [mu][l] */
  pl_vec *in, *out, *scratch;
};

pl_status pl_sn_level_new(int n, pl_sn_level **out) {
  if (n < 5 || n > PL_SN_MAX)
    return pl_error(PL_EINPUT, "S_%d: level n alone exists for n = 5 .. %d", n, PL_SN_MAX);
  pl_sn_level *level = pl_zalloc(1, sizeof *level, "level of a transform");
  pl_sn_graph *g = level->graph = pl_sn_graph_new(n);
  level->n = n;
  level->program = pl_sn_program_new(g, n);
  level->column = pl_zalloc((size_t)g->count[n - 1], sizeof *level->column, "level of a transform");
  int64_t most = 0;
  for (int mu = 0; mu < g->count[n - 1]; mu++) {
    const pl_sn_shape *s = &g->shape[n - 1][mu];
    if (s->dim > most) most = s->dim;
    for (int l = 0; l < s->nsup; l++)
      level->column[mu][l] = g->shape[n][s->sup[l]].off[pl_sn_graph_place(g, n, s->sup[l], mu)];
  }
  level->in = pl_alloc((size_t)(n * most * CHUNK), sizeof(pl_vec), "level of a transform");
  level->out = pl_alloc((size_t)(n * most * CHUNK), sizeof(pl_vec), "level of a transform");
  level->scratch = pl_alloc((size_t)((pl_sn_program_rows(level->program) + 1) * CHUNK),
                            sizeof(pl_vec), "level of a transform");
  *out = level;
  return PL_OK;
}

void pl_sn_level_free(pl_sn_level *level) {
  if (!level) return;
  pl_sn_program_free(level->program);
  pl_sn_graph_free(level->graph);
  pl_free(level->column);
  pl_free(level->in);
  pl_free(level->out);
  pl_free(level->scratch);
  pl_free(level);
}

int pl_sn_level_covers(const pl_sn_level *level, int mu, const int **lambda,
                       const int64_t **column) {
  const pl_sn_shape *s = &level->graph->shape[level->n - 1][mu];
  if (lambda) *lambda = s->sup;
  if (column) *column = level->column[mu];
  return s->nsup;
}

/* Columns u .. of the caller's matrices, ncols long, to or from panels; unitary scaling inside. */
static void move_blocks(const pl_sn_level *level, int mu, int64_t u, int64_t ncols, int64_t w,
                        const double *const *from, double *const *to, pl_vec *const *in) {
  int n = level->n;
  int64_t d = level->graph->shape[n - 1][mu].dim;
  int64_t cols = ncols - u < w * PL_LANES ? ncols - u : w * PL_LANES;
  double scale = sqrt((double)pl_factorial(n - 1) / (double)d);
  for (int j = 1; j <= n; j++) { /* block n-j holds F_j */
    if (from) pl_sn_rows_in(d, w, cols, 1 / scale, from[n - j] + u, ncols, in[j - 1]);
    if (to) pl_sn_rows_out(d, w, cols, scale, in[j - 1], to[n - j] + u, ncols);
  }
}

static void move_covers(const pl_sn_level *level, int mu, int64_t u, int64_t ncols, int64_t w,
                        const double *const *from, double *const *to, pl_vec *const *out) {
  const pl_sn_shape *s = &level->graph->shape[level->n - 1][mu];
  int64_t cols = ncols - u < w * PL_LANES ? ncols - u : w * PL_LANES;
  for (int l = 0; l < s->nsup; l++) {
    int64_t d = level->graph->shape[level->n][s->sup[l]].dim;
    double scale = sqrt((double)pl_factorial(level->n) / (double)d);
    if (from) pl_sn_rows_in(d, w, cols, 1 / scale, from[l] + u, ncols, out[l]);
    if (to) pl_sn_rows_out(d, w, cols, scale, out[l], to[l] + u, ncols);
  }
}

static void level_run(const pl_sn_level *level, int mu, int64_t ncols, int back,
                      const double *const *from, double *const *to) {
  const pl_sn_shape *s = &level->graph->shape[level->n - 1][mu];
  pl_vec *in[PL_SN_MAX], *out[PL_SN_BRANCH];
  for (int64_t u = 0; u < ncols; u += CHUNK * PL_LANES) {
    int64_t w = ncols - u < CHUNK * PL_LANES ? (ncols - u + PL_LANES - 1) / PL_LANES : CHUNK;
    for (int j = 0; j < level->n; j++) in[j] = level->in + j * s->dim * w;
    int64_t row = 0;
    for (int l = 0; l < s->nsup; l++) {
      out[l] = level->out + row * w;
      row += level->graph->shape[level->n][s->sup[l]].dim;
    }
    if (back) {
      move_covers(level, mu, u, ncols, w, from, NULL, out);
      pl_sn_program_backward(level->program, mu, w, in, out, level->scratch);
      move_blocks(level, mu, u, ncols, w, NULL, to, in);
    } else {
      move_blocks(level, mu, u, ncols, w, from, NULL, in);
      pl_sn_program_forward(level->program, mu, w, in, out, level->scratch);
      move_covers(level, mu, u, ncols, w, NULL, to, out);
    }
  }
}

void pl_sn_level_forward(pl_sn_level *level, int mu, int64_t ncols, const double *const *in,
                         double *const *out) {
  level_run(level, mu, ncols, 0, in, out);
}

void pl_sn_level_inverse(pl_sn_level *level, int mu, int64_t ncols, const double *const *out,
                         double *const *in) {
  level_run(level, mu, ncols, 1, out, in);
}
