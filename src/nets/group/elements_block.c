#include "elements_internal.h"

#include "base/mem.h"
#include "model/optim.h"

#include <math.h>
#include <string.h>

void elements_prepare_optimiser(elements_net *m) {
  int64_t rows = 1;
  for (int p = 0; p < m->base.num_params; p++)
    rows = m->base.params[p].rows > rows ? m->base.params[p].rows : rows;
  if (pl_optim_polar(&m->spec) && rows > 1) m->usv = pl_usv_new(pl_int(rows), false);
  if (!pl_optim_over_group(&m->spec)) return;
  m->base.num_functions = m->base.num_params;
  m->base.functions = m->base.params;
}

/* Every rank holds the whole. */
void elements_block_sum(pl_model *model, int p, double *x, int64_t n) {
  (void)model, (void)p, (void)x, (void)n;
}

/* Of a filter, a matrix of one row: the unit vector. */
void elements_block_polar(pl_model *model, int p, double *a) {
  const pl_param *b = &model->params[p];
  if (b->rows > 1) {
    if (pl_usv_polar(elements_of(model)->usv, pl_int(b->rows), false, a)) a[0] = NAN;
    return;
  }
  double norm = sqrt(pl_sum_squares(b->n, a));
  for (int64_t k = 0; k < b->n && norm > 0; k++) a[k] /= norm;
}

int64_t elements_layer_doubles(const pl_model *model, bool functions) {
  int64_t longest = 0;
  (void)functions;
  for (int p = 0; p < model->num_params; p++)
    longest = model->params[p].n > longest ? model->params[p].n : longest;
  return longest;
}

/* How many of entries first .. first + n - 1 a block has. */
static int64_t part(const pl_model *model, int layer, int64_t first, int64_t n) {
  int64_t have = model->params[layer].n - first;
  return have < 0 ? 0 : have < n ? have : n;
}

void elements_gather(pl_model *model, bool functions, int layer, double *const *blocks,
                     int64_t first, int64_t n, double *x) {
  int64_t have = part(model, layer, first, n);
  (void)functions;
  if (have) memcpy(x, blocks[layer] + first, (size_t)have * sizeof *x);
  memset(x + have, 0, (size_t)(n - have) * sizeof *x);
}

void elements_scatter(pl_model *model, bool functions, int layer, double *const *blocks,
                      int64_t first, int64_t n, double *x) {
  int64_t have = part(model, layer, first, n);
  (void)functions;
  pl_comm_bcast(&elements_of(model)->team, x, (size_t)n * sizeof *x, 0);
  if (have) memcpy(blocks[layer] + first, x, (size_t)have * sizeof *x);
}
