#include "fourier_block.h"

#include "base/mem.h"
#include "model/optim.h"

#include <math.h>
#include <stdio.h>

static pl_param param_of(const fourier_net *m, int filter) {
  int channels = pl_group_channels(&m->spec), layer = filter / channels;
  bool readout = m->ops->readout && filter >= m->filters - channels;
  pl_param p = {.group = readout ? "readout" : "filter", .layer = layer};
  if (channels == 1)
    snprintf(p.name, sizeof p.name, "w%d", layer + 1);
  else
    snprintf(p.name, sizeof p.name, "w%d_%d", layer + 1, filter % channels + 1);
  return p;
}

void fourier_list_params(fourier_net *m) {
  const pl_layout *l = m->layout;
  m->base.num_params = m->filters * l->num_stacks;
  m->base.params = pl_alloc((size_t)m->base.num_params, sizeof *m->base.params, "parameters");
  for (int filter = 0; filter < m->filters; filter++)
    for (int i = 0; i < l->num_stacks; i++) {
      const pl_stack *b = &l->stacks[i];
      pl_param p = param_of(m, filter);
      p.block = i;
      p.count = b->count;
      p.rows = p.cols = b->dim;
      p.is_complex = pl_stack_complex(b);
      p.weight = b->weight;
      p.n = pl_stack_doubles(b);
      p.w = m->w[filter] + b->offset;
      m->base.params[fourier_param(m, filter, i)] = p;
    }
}

static void list_functions(fourier_net *m) {
  int64_t order = pl_group_order(m->group), count = pl_transform_count(m->transform);
  m->gradient = pl_zalloc((size_t)m->filters, sizeof *m->gradient, "gradients");
  m->delta = pl_alloc((size_t)count, sizeof *m->delta, "function over G");
  m->base.num_functions = m->filters;
  m->base.functions = pl_alloc((size_t)m->filters, sizeof *m->base.functions, "parameters");
  for (int k = 0; k < m->filters; k++) {
    m->gradient[k] = pl_zalloc((size_t)m->layout->local, sizeof **m->gradient, "gradients");
    pl_param p = param_of(m, k);
    p.count = p.cols = 1;
    p.rows = order;
    p.weight = 1;
    p.n = count;
    p.w = m->delta;
    m->base.functions[k] = p;
  }
}

static void prepare_polar(fourier_net *m) {
  const pl_layout *l = m->layout;
  int dim = 0, grid = 0;
  for (int i = 0; i < l->num_stacks; i++) {
    const pl_stack *b = &l->stacks[i];
    if (b->owner != l->team.rank) continue;
    if (b->dim > dim) dim = b->dim;
    if (b->grid >= 0 && b->dim > grid) grid = b->dim;
  }
  m->usv = pl_usv_new(dim, l->any_complex);
  m->whole = pl_alloc((size_t)grid * (size_t)grid, sizeof *m->whole, "polar factors");
}

void fourier_prepare_optimiser(fourier_net *m) {
  if (pl_optim_over_group(&m->spec)) list_functions(m);
  if (pl_optim_polar(&m->spec)) prepare_polar(m);
}

void fourier_block_sum(pl_model *model, int p, double *x, int64_t n) {
  const fourier_net *m = fourier_of(model);
  const pl_stack *b = fourier_stack(m, p);
  if (b->grid >= 0) pl_comm_sum(&m->layout->grids[b->grid]->comm, x, n);
}

static void polar(fourier_net *m, const pl_stack *b, double *a) {
  int64_t n = pl_irrep_size((pl_irrep){.dim = b->dim, .type = b->type});
  if (pl_usv_polar(m->usv, b->dim, pl_stack_complex(b), a))
    for (int64_t k = 0; k < n; k++) a[k] = NAN;
}

void fourier_block_polar(pl_model *model, int p, double *a) {
  fourier_net *m = fourier_of(model);
  const pl_stack *b = fourier_stack(m, p);
  if (b->grid >= 0) {
    pl_dmat_gather(&b->mat, a, m->whole);
    if (b->owner == m->layout->team.rank) polar(m, b, m->whole);
    pl_dmat_scatter(&b->mat, m->whole, a);
    return;
  }
  for (int64_t k = 0; k < b->count; k++) polar(m, b, a + k * b->size);
}
