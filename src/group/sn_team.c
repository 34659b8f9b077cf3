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

static void level_run(const pl_sn_level *level, int mu, int64_t ncols, int back,
                      const double *const *from, double *const *to) {
  int n = level->n;
  const pl_sn_graph *g = level->graph;
  const pl_sn_shape *s = &g->shape[n - 1][mu];
  double order = (double)pl_factorial(n - 1);
  for (int64_t u = 0; u < ncols; u += CHUNK * PL_LANES) {
    int64_t cols = ncols - u < CHUNK * PL_LANES ? ncols - u : CHUNK * PL_LANES;
    int64_t w = (cols + PL_LANES - 1) / PL_LANES;
    pl_vec *in[PL_SN_MAX], *out[PL_SN_BRANCH], *free_panel = level->out;
    for (int j = 1; j <= n; j++) in[j - 1] = level->in + (j - 1) * s->dim * w;
    for (int l = 0; l < s->nsup; l++) {
      out[l] = free_panel;
      free_panel += g->shape[n][s->sup[l]].dim * w;
    }
    for (int half = 0; half < 2; half++) {
      int ins = half == back; /* blocks are read first, or written last */
      for (int j = 1; ins && j <= n; j++) {
        double scale = sqrt((double)s->dim / order);
        if (back)
          pl_sn_rows_out(s->dim, w, cols, 1 / scale, in[j - 1], to[n - j] + u, ncols);
        else
          pl_sn_rows_in(s->dim, w, cols, scale, from[n - j] + u, ncols, in[j - 1]);
      }
      for (int l = 0; !ins && l < s->nsup; l++) {
        int64_t d = g->shape[n][s->sup[l]].dim;
        double scale = sqrt(n * order / (double)d);
        if (back)
          pl_sn_rows_in(d, w, cols, 1 / scale, from[l] + u, ncols, out[l]);
        else
          pl_sn_rows_out(d, w, cols, scale, out[l], to[l] + u, ncols);
      }
      if (half == 0 && back) pl_sn_program_backward(level->program, mu, w, in, out, level->scratch);
      if (half == 0 && !back) pl_sn_program_forward(level->program, mu, w, in, out, level->scratch);
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
