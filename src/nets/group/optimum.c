#include "nets/group/optimum.h"

#include "barrier.h"
#include "base/mem.h"
#include "base/norm.h"
#include "nets/group/data.h"
#include "spectral/spectrum.h"

#include <limits.h>
#include <math.h>

enum { ITERATIONS = 500 };

typedef struct problem {
  const pl_layout *l;
  const pl_samples *data; /* each scaled to a norm of about 1: X_i <- c_i X_i */
  int64_t n;
  double *c; /* [n]: powers of two over `unit`, the largest 1 */
  double unit;
} problem;

static double norm_of(const problem *p, int64_t i) {
  double norm = 0;
  for (int k = 0; k < p->l->num_stacks; k++) {
    const pl_stack *b = &p->l->stacks[k];
    const double *x = pl_samples_stack(p->data, b) + i * pl_data_stride(b);
    norm = hypot(norm, sqrt(b->weight) * pl_norm2(pl_stack_doubles(b), x));
  }
  return norm;
}

/* Samples of very different norms are brought to about 1, exactly.  False: one of them is zero. */
static bool scale_samples(problem *p) {
  int *shift = pl_alloc((size_t)p->n, sizeof *shift, "norms of samples"), most = INT_MIN;
  bool none = false;
  for (int64_t i = 0; i < p->n; i++) {
    double norm = norm_of(p, i);
    none = none || norm == 0;
    shift[i] = norm > 0 ? -ilogb(norm) : 0;
    if (shift[i] > most) most = shift[i];
  }
  p->unit = ldexp(1, most);
  for (int64_t i = 0; i < p->n; i++) {
    p->c[i] = ldexp(1, shift[i] - most);
    for (int k = 0; k < p->l->num_stacks; k++) {
      const pl_stack *b = &p->l->stacks[k];
      double *x = pl_samples_stack(p->data, b) + i * pl_data_stride(b);
      for (int64_t q = 0; q < pl_stack_doubles(b); q++) x[q] = ldexp(x[q], shift[i]);
    }
  }
  pl_free(shift);
  return !none;
}

static pl_status solve(const problem *p, double gap, pl_optimum *out) {
  const pl_layout *l = p->l;
  barrier_block *blocks = pl_alloc((size_t)l->num_stacks, sizeof *blocks, "optimum");
  for (int i = 0; i < l->num_stacks; i++) {
    const pl_stack *b = &l->stacks[i];
    blocks[i] = (barrier_block){.dim = b->dim,
                                .is_complex = pl_stack_complex(b),
                                .count = b->count,
                                .x = pl_samples_stack(p->data, b),
                                .stride = pl_data_stride(b)};
  }
  barrier *q = barrier_new(p->n, p->data->y, p->c, l->num_stacks, blocks);
  pl_status st = barrier_solve(q, gap, ITERATIONS, out);
  barrier_free(q);
  pl_free(blocks);
  return st ? pl_error_in(st, "optimum: ") : PL_OK;
}

static pl_status scale_and_solve(problem *p, double gap, pl_optimum *out) {
  *out = (pl_optimum){.inseparable = true};
  if (!scale_samples(p)) return PL_OK;
  pl_status st = solve(p, gap, out);
  double unit = p->unit * pl_group_volume(p->l->group);
  out->margin /= unit;
  out->bound /= unit;
  return st;
}

/* Other families have kinds of data of their own. */
static bool on_group(const pl_spec *spec) {
  for (const pl_data_kind *const *k = pl_group_data_kinds; *k; k++)
    if (*k == spec->data) return true;
  return false;
}

pl_status pl_optimum_solve(const pl_spec *spec, double gap, pl_optimum *out) {
  if (!on_group(spec)) return pl_error(PL_EINPUT, "optimum: these data are not on a group");
  pl_group *g = NULL;
  pl_layout *l = NULL;
  pl_transform *t = NULL;
  pl_data *data = NULL;
  double *f = NULL, *F = NULL;
  pl_status st = pl_group_of(spec, NULL, &g);
  if (!st) st = pl_layout_alone(g, &l);
  if (!st && pl_group_data_needs_transform(spec)) {
    st = pl_transform_new(l, &t);
    if (!st) f = pl_alloc((size_t)pl_transform_count(t), sizeof *f, "function over G");
  }
  if (!st) {
    F = pl_alloc((size_t)l->local, sizeof *F, "spectrum");
    st = pl_data_new(spec, l, t, f, F, &data);
  }
  if (!st) {
    problem p = {.l = l, .data = &data->part[PL_TRAIN], .n = data->part[PL_TRAIN].num};
    p.c = pl_alloc((size_t)p.n, sizeof *p.c, "optimum");
    st = scale_and_solve(&p, gap, out);
    pl_free(p.c);
  }
  pl_data_free(data);
  pl_free(f);
  pl_free(F);
  pl_transform_free(t);
  pl_layout_free(l);
  pl_group_free(g);
  return st;
}
