#include "fourier_observe.h"

#include "apply.h"
#include "base/mem.h"
#include "base/pause.h"

#include <math.h>
#include <string.h>

/* ---- life ---- */

static void keep_beta(fourier_net *m) {
  m->beta = pl_zalloc((size_t)m->layout->local, sizeof *m->beta, "beta in Fourier space");
}

pl_status fourier_observe_new(fourier_net *m, const pl_rates *rates, bool beta) {
  const pl_layout *l = m->layout;
  if (beta) keep_beta(m);
  PL_TRY(m->base.kind->describe(&m->spec, &m->schema));
  m->sv_start = pl_functional_starts(m->group);
  int64_t irreps = pl_group_num_irreps(m->group), num = m->sv_start[irreps];
  m->sigma = pl_alloc((size_t)num, sizeof *m->sigma, "singular values");
  m->stack_sigma =
      pl_alloc((size_t)pl_functional_most_values(l), sizeof *m->stack_sigma, "singular values");
  m->svd = pl_spectrum_svd_new(l, rates);
  if (pl_functional_irreps(&m->spec, m->group))
    m->orientation = pl_alloc((size_t)irreps, sizeof *m->orientation, "orientation");
  if (m->values->record_beta && l->team.rank == 0)
    m->full = pl_alloc((size_t)pl_group_order(m->group), sizeof *m->full, "beta over G");
  return PL_OK;
}

void fourier_observe_free(fourier_net *m) {
  pl_free(m->beta);
  pl_free(m->sv_start);
  pl_free(m->sigma);
  pl_free(m->stack_sigma);
  pl_free(m->orientation);
  pl_free(m->full);
  pl_spectrum_svd_free(m->svd);
  pl_schema_free(&m->schema);
}

/* ---- a record ---- */

static void make_beta(fourier_net *m) {
  const pl_layout *l = m->layout;
  for (int i = 0; m->beta && i < l->num_stacks; i++)
    if (l->stacks[i].here && (l->stacks[i].grid >= 0 || !pl_pause()))
      m->ops->product(m, &l->stacks[i], m->beta + l->stacks[i].offset);
}

static const double *stack_of_beta(void *of, const pl_stack *b) {
  return fourier_beta(of, b);
}

static double norm_of_filters(const fourier_net *m) {
  double norm = 0;
  for (int k = 0; k < m->filters; k++) norm = hypot(norm, pl_spectrum_norm(m->layout, m->w[k]));
  return norm;
}

/* Norms of beta and of the filters, summed up stack by stack. */
typedef struct norms {
  fourier_net *m;
  double beta2, filters2; /* ||beta||^2, sum ||w_l||^2 */
} norms;

static void add_norms(norms *sum, const pl_stack *b, const double *B) {
  const fourier_net *m = sum->m;
  sum->beta2 += b->weight * pl_sum_squares(pl_stack_doubles(b), B);
  for (int k = 0; k < m->filters; k++)
    sum->filters2 += b->weight * pl_sum_squares(pl_stack_doubles(b), m->w[k] + b->offset);
}

/* beta of a stack on its way to its singular values. */
static const double *stack_and_norms(void *of, const pl_stack *b) {
  norms *sum = of;
  const double *B = fourier_beta(sum->m, b);
  add_norms(sum, b, B);
  return B;
}

static void settle_norms(const norms *n, pl_functional *s) {
  double sums[2] = {n->beta2, n->filters2};
  pl_comm_sum(&n->m->layout->team, sums, 2);
  s->norm = sqrt(sums[0]);
  s->parameter_norm2 = sums[1];
  s->parameter_norm = pl_sum_safe(sums[1]) ? sqrt(sums[1]) : norm_of_filters(n->m);
}

/* Margins of m->beta, which may be in range where the network's own are not. */
static const double *margins_of_beta(fourier_net *m) {
  const pl_layout *l = m->layout;
  int64_t n = m->train->num;
  memset(m->sums, 0, (size_t)n * sizeof *m->sums);
  for (int i = 0; i < l->num_stacks; i++) {
    const pl_stack *b = &l->stacks[i];
    if (b->here) pl_samples_dot(m->train, b, m->beta + b->offset, m->sums);
  }
  pl_comm_sum(&l->team, m->sums, n);
  for (int64_t i = 0; i < n; i++) m->sums[i] *= m->train->y[i];
  return m->sums;
}

/* Are squares of beta, or beta itself, out of range, and can be brought back? */
static bool out_of_range(const fourier_net *m, const pl_functional *s) {
  return !pl_sum_safe(s->norm * s->norm) && m->ops->scaled && !fourier_square(m) &&
         s->parameter_norm > 0 && isfinite(s->parameter_norm);
}

/* 2^shift beta takes the place of beta. */
static void bring_in_range(fourier_net *m, pl_functional *s) {
  s->shift = m->ops->scaled(m);
  s->norm = pl_spectrum_norm(m->layout, m->beta);
  s->scaled_margin = margins_of_beta(m);
}

static pl_status singular_values(fourier_net *m, pl_stack_source beta) {
  return pl_functional_spectrum(m->layout, beta, m->sv_start, m->svd, m->scratch[1], m->stack_sigma,
                                m->sigma);
}

/* Norms, and singular values of every irrep of beta, in range, into m->sigma on rank 0 of the team.
 */
static pl_status decompose(fourier_net *m, pl_functional *s) {
  const pl_layout *l = m->layout;
  norms sum = {.m = m};
  pl_status st = PL_OK;
  bool streams = !m->beta;
  make_beta(m);
  for (int i = 0; i < l->num_stacks && !streams; i++)
    add_norms(&sum, &l->stacks[i], m->beta + l->stacks[i].offset);
  if (streams) st = singular_values(m, (pl_stack_source){stack_and_norms, &sum});
  settle_norms(&sum, s);
  if (out_of_range(m, s)) {
    if (streams) keep_beta(m); /* rare enough to take the room */
    bring_in_range(m, s);
  } else if (streams) {
    return st;
  }
  return singular_values(m, (pl_stack_source){stack_of_beta, m});
}

static double largest(int64_t n, const double *x) {
  double most = 0;
  for (int64_t k = 0; k < n; k++) most = fmax(most, fabs(x[k]));
  return most;
}

/* What needs functions over G: the filters one after the other, then beta, which stays in m->f. */
static void observe_over_group(fourier_net *m, pl_functional *s) {
  const pl_layout *l = m->layout;
  int64_t count = pl_transform_count(m->transform);
  for (int k = 0; k < m->filters && pl_schema_find(&m->schema, "linf_margin") >= 0; k++) {
    pl_transform_inverse(m->transform, m->w[k], m->f);
    s->linf = fmax(s->linf, largest(count, m->f));
  }
  pl_transform_inverse(m->transform, m->beta, m->f);
  double most[2] = {s->linf, largest(count, m->f)}, sums[2] = {0};
  pl_comm_max(&l->team, most, 2);
  for (int64_t k = 0; k < count; k++) {
    sums[0] += pow(fabs(m->f[k]), s->p);
    sums[1] += fabs(m->f[k]) > PL_SUPPORT * most[1];
  }
  pl_comm_sum(&l->team, sums, 2);
  s->linf = most[0];
  s->real_sum = sums[0];
  s->support = sums[1];
}

/* <x, beta> of the samples of a part. */
static void outputs_on(fourier_net *m, const pl_samples *part, double *f) {
  const pl_layout *l = m->layout;
  int64_t n = part->num;
  for (int64_t i = 0; i < n; i++) f[i] = 0;
  for (int i = 0; i < l->num_stacks; i++) {
    const pl_stack *b = &l->stacks[i];
    if (b->here) pl_samples_dot(part, b, fourier_beta(m, b), f);
  }
  pl_comm_sum(&l->team, f, n);
}

/* Share of the samples of a part on the right side of beta. */
static double accuracy_on(fourier_net *m, const pl_samples *part) {
  int64_t n = part->num, right = 0;
  double *f = pl_alloc((size_t)n, sizeof *f, "outputs");
  outputs_on(m, part, f);
  for (int64_t i = 0; i < n; i++) right += part->y[i] * f[i] > 0;
  pl_free(f);
  return (double)right / (double)n;
}

pl_status fourier_observe(fourier_net *m, int depth, pl_functional *s) {
  *s = (pl_functional){.spec = &m->spec,
                       .group = m->group,
                       .depth = depth,
                       .num_samples = m->train->num,
                       .margin = m->margin,
                       .scaled_margin = m->margin,
                       .log_square = log(m->square),
                       .sv_start = m->sv_start,
                       .sigma = m->sigma,
                       .full = m->full,
                       .orientation = m->orientation,
                       .p = 2.0 / depth};
  pl_status st = decompose(m, s);
  if (pl_functional_elements(&m->spec, m->group) || m->values->record_beta)
    observe_over_group(m, s);
  for (int part = PL_VALIDATION; part < PL_NUM_PARTS; part++)
    if (m->data->part[part].num) s->accuracy[part] = accuracy_on(m, &m->data->part[part]);
  if (m->values->record_beta) pl_transform_gather(m->transform, m->f, m->full);
  if (m->orientation)
    pl_functional_orientation(m->layout, (pl_stack_source){stack_of_beta, m}, m->orientation);
  if (m->layout->team.rank == 0) pl_functional_sums(s);
  return st;
}

/* ---- on files ---- */

static void outputs_of(pl_model *model, pl_part part, double *f) {
  fourier_net *m = fourier_of(model);
  make_beta(m);
  outputs_on(m, &m->data->part[part], f);
}

pl_status fourier_apply(const pl_spec *spec, const pl_comm *team, const pl_rates *rates,
                        const char *path, const pl_attribute *attributes, int num) {
  return group_apply(spec, team, rates, path, attributes, num, outputs_of);
}
