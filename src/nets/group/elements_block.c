#include "elements_block.h"

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
  double norm = pl_norm2(b->n, a);
  for (int64_t k = 0; k < b->n && norm > 0; k++) a[k] /= norm;
}

static int64_t length(const pl_model *model, int p) {
  return model->params[p].n;
}

static void gather(pl_model *model, int p, double *const *blocks, int64_t first, int64_t n,
                   double *x) {
  (void)model;
  memcpy(x, blocks[p] + first, (size_t)n * sizeof *x);
}

static void scatter(pl_model *model, int p, double *const *blocks, int64_t first, int64_t n,
                    double *x) {
  pl_comm_bcast(&elements_of(model)->team, x, (size_t)n * sizeof *x, 0);
  memcpy(blocks[p] + first, x, (size_t)n * sizeof *x);
}

const pl_transfer elements_weights = {length, gather, scatter};
