#include "gcnn_internal.h"

#include "base/mem.h"
#include "base/nc.h"
#include "model/loss.h"
#include "model/optim.h"

#include <math.h>
#include <string.h>

/* ---- products ---- */

/* P_l of one stack, l = 2..L (l from 1 as in the formulas). */
static double *prefix(const gcnn *m, int l, const pl_stack *b) {
  return (l == 2 ? m->w[0] : m->prefix[l - 1]) + b->offset;
}

void gcnn_product(const gcnn *m, const pl_stack *b, double *out) {
  int L = m->depth;
  pl_stack_mul(b, PL_NN, m->w[L - 1] + b->offset, prefix(m, L, b), out);
}

/* Prefix products of one stack, then its part of the margins <x_i, beta>. */
static void forward(gcnn *m, const pl_stack *b) {
  for (int l = 3; l <= m->depth; l++)
    pl_stack_mul(b, PL_NN, m->w[l - 2] + b->offset, prefix(m, l - 1, b), prefix(m, l, b));
  gcnn_product(m, b, m->scratch[0]);
  pl_multi_dot(m->data->num_samples, pl_stack_doubles(b), b->weight, pl_data_stack(m->data, b),
               pl_data_stride(b), m->scratch[0], m->sums);
}

/* What to do with the gradient of one block; the weights may move. */
typedef struct visitor {
  void (*visit)(struct visitor *v, gcnn *m, int p, const double *g);
  pl_update *update;
  double norm2;
} visitor;

/* Gradients of all layers of one stack, last layer first: T_L = R, G_l = T_l P_l^H,
 * T_(l-1) = W_l^H T_l. */
static void backward(gcnn *m, int stack, visitor *v) {
  const pl_stack *b = &m->layout->stacks[stack];
  double *t = m->scratch[0], *next = m->scratch[1], *g = m->scratch[2];
  pl_multi_axpy(m->data->num_samples, pl_stack_doubles(b), m->coefficient,
                pl_data_stack(m->data, b), pl_data_stride(b), t);
  for (int l = m->depth; l > 1; l--) {
    /* W_l moves as soon as its gradient is known: first what still needs it. */
    pl_stack_mul(b, PL_CN, m->w[l - 1] + b->offset, t, next);
    pl_stack_mul(b, PL_NC, t, prefix(m, l, b), g);
    v->visit(v, m, gcnn_param(m, l - 1, stack), g);
    double *swap = t;
    t = next;
    next = swap;
  }
  v->visit(v, m, gcnn_param(m, 0, stack), t);
}

static double measure(pl_update *u, int p, const pl_param *b, const double *g) {
  return u->measure ? u->measure(u, p, b, g) : b->weight * pl_sum_squares(b->n, g);
}

static void add_norm(visitor *v, gcnn *m, int p, const double *g) {
  v->norm2 += measure(v->update, p, &m->base.params[p], g);
}

static void move(visitor *v, gcnn *m, int p, const double *g) {
  v->update->apply(v->update, p, &m->base.params[p], g);
}

static void collect(visitor *v, gcnn *m, int p, const double *g) {
  (void)v;
  const pl_stack *b = &m->layout->stacks[p % m->layout->num_stacks];
  memcpy(m->gradient[p / m->layout->num_stacks] + b->offset, g,
         (size_t)pl_stack_doubles(b) * sizeof *g);
}

/* ---- the step ---- */

static void clear_sums(gcnn *m) {
  memset(m->sums, 0, (size_t)(m->data->num_samples + 1) * sizeof *m->sums);
}

/* Margins and vote over the team: the one all-reduce of a step. */
static void share_margins(gcnn *m, double *vote) {
  int64_t n = m->data->num_samples;
  m->sums[n] = *vote;
  pl_comm_sum(&m->layout->team, m->sums, n + 1);
  *vote = m->sums[n];
  for (int64_t i = 0; i < n; i++) m->margin[i] = m->data->y[i] * m->sums[i];
}

static void refresh(pl_model *model) {
  gcnn *m = gcnn_of(model);
  double vote = 0;
  clear_sums(m);
  for (int i = 0; i < m->layout->num_stacks; i++)
    if (m->layout->stacks[i].here) forward(m, &m->layout->stacks[i]);
  share_margins(m, &vote);
}

/* Gradients of whole layers, moved as functions over G. */
static void move_over_group(gcnn *m, pl_update *u) {
  const pl_layout *l = m->layout;
  visitor v = {.visit = collect};
  for (int i = 0; i < l->num_stacks; i++)
    if (l->stacks[i].here) backward(m, i, &v);
  if (u->needs_norm) {
    for (int k = 0; k < m->depth; k++) {
      pl_transform_inverse(m->transform, m->gradient[k], m->f);
      v.norm2 += measure(u, k, &m->base.functions[k], m->f);
    }
    pl_comm_sum(&l->team, &v.norm2, 1);
  }
  u->begin(u, m->log_scale, sqrt(v.norm2));
  for (int k = 0; k < m->depth; k++) {
    pl_transform_inverse(m->transform, m->gradient[k], m->f);
    memset(m->delta, 0, (size_t)m->base.functions[k].n * sizeof *m->delta);
    u->apply(u, k, &m->base.functions[k], m->f);
    pl_transform_forward(m->transform, m->delta, m->gradient[k]);
    for (int64_t i = 0; i < l->local; i++) m->w[k][i] += m->gradient[k][i];
  }
}

/* Batch by stack across the step boundary: gradient, update, new products and margins while the
 * samples of the stack are in cache. */
static void move_blocks(gcnn *m, pl_update *u) {
  const pl_layout *l = m->layout;
  visitor v = {.visit = add_norm, .update = u};
  if (u->needs_norm) {
    for (int i = 0; i < l->num_stacks; i++)
      if (l->stacks[i].here) backward(m, i, &v);
    pl_comm_sum(&l->team, &v.norm2, 1);
  }
  u->begin(u, m->log_scale, sqrt(v.norm2));
  v.visit = move;
  for (int i = 0; i < l->num_stacks; i++) {
    if (!l->stacks[i].here) continue;
    backward(m, i, &v);
    forward(m, &l->stacks[i]);
  }
}

static void step(pl_model *model, pl_update *u, double *vote) {
  gcnn *m = gcnn_of(model);
  const pl_layout *l = m->layout;
  pl_loss_weights(m->spec.loss, m->data->num_samples, m->margin, &m->log_scale, m->coefficient);
  gcnn_average_weights(m, m->coefficient);
  for (int64_t i = 0; i < m->data->num_samples; i++) m->coefficient[i] *= -m->data->y[i];
  clear_sums(m);
  if (u->over_group) {
    move_over_group(m, u);
    for (int i = 0; i < l->num_stacks; i++)
      if (l->stacks[i].here) forward(m, &l->stacks[i]);
  } else {
    move_blocks(m, u);
  }
  share_margins(m, vote);
}

static double log_loss(const pl_model *model) {
  const gcnn *m = (const gcnn *)model;
  return pl_log_loss(m->spec.loss, m->data->num_samples, m->margin);
}

/* ---- life ---- */

static pl_status describe(const pl_spec *spec, pl_schema *out) {
  return pl_observe_describe(spec, PL_NET_GCNN, out);
}

static double *spectrum_alloc(const pl_layout *l, const char *what) {
  return pl_zalloc((size_t)l->local, sizeof(double), what);
}

static void list_params(gcnn *m) {
  const pl_layout *l = m->layout;
  m->base.num_params = m->depth * l->num_stacks;
  m->base.params = pl_alloc((size_t)m->base.num_params, sizeof *m->base.params, "parameters");
  for (int layer = 0; layer < m->depth; layer++)
    for (int i = 0; i < l->num_stacks; i++) {
      const pl_stack *b = &l->stacks[i];
      m->base.params[gcnn_param(m, layer, i)] = (pl_param){.layer = layer,
                                                           .block = i,
                                                           .count = b->count,
                                                           .rows = b->dim,
                                                           .cols = b->dim,
                                                           .is_complex = pl_stack_complex(b),
                                                           .weight = b->weight,
                                                           .n = pl_stack_doubles(b),
                                                           .w = m->w[layer] + b->offset};
    }
}

/* What some optimisers need: layers as functions over G, polar factors. */
static void prepare_optimiser(gcnn *m) {
  const pl_layout *l = m->layout;
  if (pl_optim_over_group(&m->spec)) {
    int64_t order = pl_group_order(m->group), count = pl_transform_count(m->transform);
    m->gradient = pl_zalloc((size_t)m->depth, sizeof *m->gradient, "gradients");
    m->delta = pl_alloc((size_t)count, sizeof *m->delta, "function over G");
    m->base.num_functions = m->depth;
    m->base.functions = pl_alloc((size_t)m->depth, sizeof *m->base.functions, "parameters");
    for (int k = 0; k < m->depth; k++) {
      m->gradient[k] = spectrum_alloc(l, "gradients");
      m->base.functions[k] = (pl_param){
          .layer = k, .count = 1, .rows = order, .cols = 1, .weight = 1, .n = count, .w = m->delta};
    }
  }
  if (pl_optim_polar(&m->spec)) {
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
}

static void destroy(pl_model *model) {
  gcnn *m = gcnn_of(model);
  for (int l = 0; l < m->depth; l++) {
    if (m->gradient) pl_free(m->gradient[l]);
    if (m->w) pl_free(m->w[l]);
    if (m->prefix) pl_free(m->prefix[l]);
  }
  pl_free(m->w);
  pl_free(m->prefix);
  for (int k = 0; k < GCNN_SCRATCH; k++) pl_free(m->scratch[k]);
  pl_free(m->margin);
  pl_free(m->coefficient);
  pl_free(m->sums);
  pl_free(m->running);
  pl_free(m->gradient);
  pl_free(m->delta);
  pl_free(m->whole);
  pl_usv_free(m->usv);
  pl_free(m->base.functions);
  pl_free(m->beta);
  pl_free(m->f);
  pl_free(m->sv_start);
  pl_free(m->sigma);
  pl_free(m->values);
  pl_free(m->full);
  pl_spectrum_svd_free(m->svd);
  pl_schema_free(&m->schema);
  pl_data_free(m->data);
  pl_packed_free(m->packed);
  pl_transform_free(m->transform);
  pl_layout_free(m->layout);
  pl_group_free(m->group);
  pl_free(m->base.params);
  pl_free(m);
}

static pl_status create(const pl_spec *spec, const pl_comm *team, const pl_rates *rates,
                        pl_model **out) {
  gcnn *m = pl_zalloc(1, sizeof *m, "network");
  m->base.kind = &pl_gcnn;
  m->spec = *spec;
  m->depth = (int)spec->model_depth;
  pl_status st = pl_data_group(spec, NULL, &m->group);
  if (!st) st = describe(spec, &m->schema);
  st = pl_agree(team, st);
  if (st) goto fail;
  pl_mapping *map = gcnn_map(spec, m->group, team->size, rates, spec->data_samples);
  pl_mapping_share(team, map);
  int block = spec->grid_block == PL_UNSET ? 0 : (int)spec->grid_block;
  st = pl_layout_new(m->group, team, map, block, gcnn_stack_doubles(spec, spec->data_samples),
                     &m->layout);
  pl_mapping_free(map);
  if (!st && !pl_group_codepth(m->group)) st = pl_transform_new(m->layout, &m->transform);
  if (st) goto fail;

  const pl_layout *l = m->layout;
  m->packed = pl_packed_new(l);
  m->w = pl_zalloc((size_t)m->depth, sizeof *m->w, "filters");
  m->prefix = pl_zalloc((size_t)m->depth, sizeof *m->prefix, "prefix products");
  for (int k = 0; k < m->depth; k++) {
    m->w[k] = spectrum_alloc(l, "filters in Fourier space");
    if (k >= 2) m->prefix[k] = spectrum_alloc(l, "prefix products");
  }
  for (int k = 0; k < GCNN_SCRATCH; k++)
    m->scratch[k] = pl_alloc((size_t)l->scratch, sizeof(double), "workspace of a step");
  m->beta = spectrum_alloc(l, "beta in Fourier space");
  if (m->transform)
    m->f = pl_alloc((size_t)pl_transform_count(m->transform), sizeof(double), "function over G");
  m->sv_start = pl_observe_starts(m->group);
  int64_t num = m->sv_start[pl_group_num_irreps(m->group)];
  m->sigma = pl_alloc((size_t)num, sizeof *m->sigma, "singular values");
  m->values = pl_alloc((size_t)pl_observe_most_values(l), sizeof *m->values, "singular values");
  m->svd = pl_spectrum_svd_new(l);
  if (spec->record_beta && team->rank == 0)
    m->full = pl_alloc((size_t)pl_group_order(m->group), sizeof *m->full, "beta over G");
  list_params(m);
  prepare_optimiser(m);

  st = pl_filters_init(spec, l, m->transform, m->f, m->w);
  if (!st) st = pl_data_new(spec, l, m->transform, m->f, m->beta, &m->data);
  if (st) goto fail;
  size_t n = (size_t)m->data->num_samples;
  m->margin = pl_alloc(n, sizeof *m->margin, "margins");
  m->coefficient = pl_alloc(n, sizeof *m->coefficient, "loss weights");
  m->sums = pl_alloc(n + 1, sizeof *m->sums, "margins");
  m->running = pl_zalloc((size_t)gcnn_running_size(m->data->num_samples), sizeof *m->running,
                         "running averages");
  refresh(&m->base);
  *out = &m->base;
  return PL_OK;
fail:
  destroy(&m->base);
  return st;
}

/* ---- weights in and out ---- */

static int64_t layer_doubles(const pl_model *model, bool functions) {
  const gcnn *m = (const gcnn *)model;
  return functions ? pl_group_order(m->group) : pl_packed_doubles(m->packed);
}

static void gather(pl_model *model, bool functions, int layer, double *const *blocks, int64_t first,
                   int64_t n, double *x) {
  gcnn *m = gcnn_of(model);
  if (functions)
    pl_transform_gather_range(m->transform, blocks[layer], first, n, x);
  else
    pl_packed_gather(m->packed, blocks + gcnn_param(m, layer, 0), first, n, x);
}

static void scatter(pl_model *model, bool functions, int layer, double *const *blocks,
                    int64_t first, int64_t n, double *x) {
  gcnn *m = gcnn_of(model);
  if (functions)
    pl_transform_scatter_range(m->transform, blocks[layer], first, n, x);
  else
    pl_packed_scatter(m->packed, blocks + gcnn_param(m, layer, 0), first, n, x);
}

static double *average(pl_model *model, int i, const char **name, int64_t *n) {
  gcnn *m = gcnn_of(model);
  if (i > 0) return NULL;
  *name = "loss_weights";
  *n = gcnn_running_size(m->data->num_samples);
  return m->running;
}

/* How filters are written: values over the group, or coefficients of a band. */
static const struct filters {
  const char *name, *dim, *long_name;
} over_group = {"w", "element", "filters over the group, layer 0 first"},
  in_band = {"w_fourier", "component",
             "Fourier coefficients of the filters, layer 0 first: irreps of the band in order, "
             "matrices row-major"};

static pl_status define_filters(const gcnn *m, const struct filters *how, int64_t length,
                                const char *path, pl_nc **nc) {
  PL_TRY(pl_nc_create(path, true, false, nc));
  const char *dims[] = {"layer", how->dim, NULL};
  const int codepth = pl_group_codepth(m->group);
  PL_TRY(pl_nc_def_dim(*nc, "layer", m->depth));
  PL_TRY(pl_nc_def_dim(*nc, how->dim, length));
  PL_TRY(pl_nc_def_var(*nc, how->name, PL_NC_DOUBLE, dims, how->long_name, "1"));
  PL_TRY(pl_nc_att_text(*nc, NULL, "group", pl_group_spec(m->group)));
  if (codepth) PL_TRY(pl_nc_att_ints(*nc, NULL, "band_codepth", PL_NC_INT, &codepth, 1));
  return pl_nc_end_def(*nc);
}

/* Filter number l, whole, into x on rank 0 of the team; x is workspace on the others in a band. */
static void whole_filter(gcnn *m, int l, double *x) {
  if (m->transform) {
    pl_transform_inverse(m->transform, m->w[l], m->f);
    pl_transform_gather(m->transform, m->f, x);
    return;
  }
  int n = m->layout->num_stacks;
  double **blocks = pl_alloc((size_t)n, sizeof *blocks, "blocks");
  for (int i = 0; i < n; i++) blocks[i] = m->base.params[gcnn_param(m, l, i)].w;
  pl_packed_gather(m->packed, blocks, 0, pl_packed_doubles(m->packed), x);
  pl_free(blocks);
}

static pl_status save(pl_model *model, const char *path) {
  gcnn *m = gcnn_of(model);
  const pl_comm *team = &m->layout->team;
  bool band = !m->transform;
  const struct filters *how = band ? &in_band : &over_group;
  int64_t length = band ? pl_packed_doubles(m->packed) : pl_group_order(m->group);
  pl_nc *nc = NULL;
  double *full =
      band || team->rank == 0 ? pl_alloc((size_t)length, sizeof *full, "a filter") : NULL;
  pl_status st = team->rank == 0 ? define_filters(m, how, length, path, &nc) : PL_OK;
  st = pl_agree(team, st);
  for (int l = 0; l < m->depth && !st; l++) {
    whole_filter(m, l, full);
    if (team->rank == 0)
      st = pl_nc_put_doubles(nc, how->name, (int64_t[]){l, 0}, (int64_t[]){1, length}, full);
    st = pl_agree(team, st);
  }
  pl_status closed = pl_nc_close(nc);
  pl_free(full);
  return pl_agree(team, st ? st : closed);
}

/* What needs functions over the group is not to be had in a band. */
static pl_status check_band(const pl_spec *spec, const char **key) {
  if (spec->record_beta) {
    *key = "record.beta";
    return pl_error(PL_EINPUT, "beta over the group is not recorded in a band");
  }
  if (pl_optim_over_group(spec)) {
    *key = "optimizer.domain";
    return pl_error(PL_EINPUT, "filter values over the group are no coordinates of a band; use "
                               "optimizer.domain: fourier");
  }
  return PL_OK;
}

/* Trouble with a file or a group is found once, on rank 0, before any work. */
static pl_status check(const pl_spec *spec, const char **key) {
  pl_group *g;
  PL_TRY(pl_data_group(spec, key, &g));
  pl_status st = pl_group_codepth(g) ? check_band(spec, key) : PL_OK;
  if (!st && spec->record_beta && pl_group_order(g) > 1000000) {
    *key = "record.beta";
    st = pl_error(PL_EINPUT, "beta over %s has %lld values; recorded up to 10^6", spec->group,
                  (long long)pl_group_order(g));
  }
  if (!st && spec->model_pooling != PL_POOLING_NONE) {
    *key = "model.pooling";
    st =
        pl_error(PL_EINPUT, "the read-out of gcnn is a filter: with a mean over the group a linear "
                            "G-CNN only sees the sums of its samples; use none, or gcnn-relu");
  }
  if (!st) st = pl_filters_check(spec, g, key);
  if (!st) st = pl_data_check(spec, g, key);
  pl_group_free(g);
  return st;
}

const pl_model_kind pl_gcnn = {
    .name = "gcnn",
    .help = "linear G-CNN, trained in Fourier space",
    .check = check,
    .describe = describe,
    .cost = gcnn_cost,
    .explain = gcnn_explain,
    .create = create,
    .destroy = destroy,
    .refresh = refresh,
    .step = step,
    .block_sum = gcnn_block_sum,
    .block_polar = gcnn_block_polar,
    .log_loss = log_loss,
    .observe = gcnn_observe,
    .layer_doubles = layer_doubles,
    .gather = gather,
    .scatter = scatter,
    .average = average,
    .save = save,
};
