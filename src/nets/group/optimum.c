#include "nets/group/optimum.h"

#include "barrier.h"
#include "base/mem.h"
#include "base/norm.h"
#include "base/sums.h"
#include "model/model.h"
#include "nets/group/data.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ITERATIONS = 500 };
/* Of more samples than MANY, if they are more than a beta has entries, or than MOST, few decide:
 * those are looked for from FEW on, in at most ROUNDS. */
enum { MANY = 512, MOST = 4096, FEW = 64, ROUNDS = 60 };

typedef struct whole {
  const pl_layout *l;
  pl_samples *data; /* each scaled to a norm of about 1: X_i <- c_i X_i */
  int64_t n;
  double *c, unit; /* [n]: powers of two over the unit, the largest 1 */
  double *product; /* [n] */
  bool *chosen;    /* [n] */
} whole;

static double norm_of(const whole *w, int64_t i) {
  double norm = 0;
  for (int k = 0; k < w->l->num_stacks; k++) {
    const pl_stack *b = &w->l->stacks[k];
    const double *x = pl_samples_stack(w->data, b) + i * pl_data_stride(b);
    norm = hypot(norm, sqrt(b->weight) * pl_norm2(pl_stack_doubles(b), x));
  }
  return norm;
}

/* Samples of very different norms are brought to about 1, exactly.  False: one of them is zero. */
static bool scale_samples(whole *w) {
  int *shift = pl_alloc((size_t)w->n, sizeof *shift, "norms of samples"), most = INT_MIN;
  bool none = false;
  for (int64_t i = 0; i < w->n; i++) {
    double norm = norm_of(w, i);
    none = none || norm == 0;
    shift[i] = norm > 0 ? -ilogb(norm) : 0;
    if (shift[i] > most) most = shift[i];
  }
  w->unit = ldexp(1, most);
  for (int64_t i = 0; i < w->n; i++) {
    w->c[i] = ldexp(1, shift[i] - most);
    for (int k = 0; k < w->l->num_stacks; k++) {
      const pl_stack *b = &w->l->stacks[k];
      double *x = pl_samples_stack(w->data, b) + i * pl_data_stride(b);
      for (int64_t q = 0; q < pl_stack_doubles(b); q++) x[q] = ldexp(x[q], shift[i]);
    }
  }
  pl_free(shift);
  return !none;
}

/* The problem of some samples, scaled by c. */
static barrier *problem_of(const pl_layout *l, const pl_samples *data, const double *c, bool keep) {
  barrier_block *blocks = pl_alloc((size_t)l->num_stacks, sizeof *blocks, "optimum");
  for (int i = 0; i < l->num_stacks; i++) {
    const pl_stack *b = &l->stacks[i];
    blocks[i] = (barrier_block){.dim = b->dim,
                                .is_complex = pl_stack_complex(b),
                                .count = b->count,
                                .x = pl_samples_stack(data, b),
                                .stride = pl_data_stride(b)};
  }
  barrier *p = barrier_new(data->num, data->y, c, l->num_stacks, blocks, keep);
  pl_free(blocks);
  return p;
}

/* The chosen samples, num of them, and their c. */
static pl_samples chosen_of(const whole *w, int64_t num, double *c) {
  int64_t to = 0;
  pl_samples data = {.num = num,
                     .y = pl_alloc((size_t)num, sizeof *data.y, "chosen samples"),
                     .x = pl_zalloc((size_t)(num * w->l->local), sizeof *data.x, "chosen samples")};
  for (int64_t i = 0; i < w->n; i++) {
    if (!w->chosen[i]) continue;
    data.y[to] = w->data->y[i];
    c[to] = w->c[i];
    for (int k = 0; k < w->l->num_stacks; k++) {
      const pl_stack *b = &w->l->stacks[k];
      memcpy(pl_samples_stack(&data, b) + to * pl_data_stride(b),
             pl_samples_stack(w->data, b) + i * pl_data_stride(b),
             (size_t)pl_stack_doubles(b) * sizeof(double));
    }
    to++;
  }
  return data;
}

typedef struct rank {
  double margin;
  int64_t sample;
} rank;

static int by_margin(const void *x, const void *y) {
  const rank *a = x, *b = y;
  if (a->margin != b->margin) return a->margin < b->margin ? -1 : 1;
  return a->sample < b->sample ? -1 : a->sample > b->sample;
}

/* Margins of all samples at the problem's best beta; the least becomes out's.  Chooses at most so
 * many more whose margins are less than those of the chosen, the least first; returns how many. */
static int64_t choose(whole *w, const barrier *p, int64_t most, pl_optimum *out) {
  double least = INFINITY;
  int64_t lower = 0, num = 0;
  rank *list = pl_alloc((size_t)w->n, sizeof *list, "margins");
  memset(w->product, 0, (size_t)w->n * sizeof *w->product);
  for (int k = 0; k < w->l->num_stacks; k++) {
    const pl_stack *b = &w->l->stacks[k];
    pl_multi_dot(w->n, pl_stack_doubles(b), 1, pl_samples_stack(w->data, b), pl_data_stride(b),
                 barrier_best(p, k), w->product);
  }
  for (int64_t i = 0; i < w->n; i++) {
    double m = barrier_margin(p, w->data->y[i] * w->product[i], w->c[i]);
    least = fmin(least, m);
    if (!w->chosen[i] && m < out->margin) list[lower++] = (rank){m, i};
  }
  qsort(list, (size_t)lower, sizeof *list, by_margin);
  for (int64_t j = 0; j < lower && num < most; j++) {
    /* Of equal samples one is enough. */
    if (j > 0 && list[j].margin == list[j - 1].margin) continue;
    w->chosen[list[j].sample] = true;
    num++;
  }
  pl_free(list);
  out->margin = fmax(0, fmin(least, out->margin));
  return num;
}

/* Few samples bound the margin of all.  Their optimum is no less than that of all, and is it once
 * no other sample has a smaller margin; where they cannot be separated, all cannot. */
static pl_status solve_many(whole *w, double gap, pl_optimum *out) {
  int64_t num = w->l->local / 2 > FEW ? w->l->local / 2 : FEW;
  if (num > w->n) num = w->n;
  for (int64_t k = 0; k < num; k++) w->chosen[k * w->n / num] = true;
  double lower = 0, upper = INFINITY;
  for (int round = 0; round < ROUNDS; round++) {
    double *c = pl_alloc((size_t)num, sizeof *c, "chosen samples");
    pl_samples data = chosen_of(w, num, c);
    barrier *p = problem_of(w->l, &data, c, true);
    pl_status st = barrier_solve(p, 0.5 * gap, ITERATIONS, out);
    int64_t more = 0;
    if (out->inseparable || !barrier_best(p, 0))
      out->margin = 0;
    else
      more = choose(w, p, num / 2 + FEW, out);
    barrier_free(p);
    pl_free(c);
    pl_free(data.x);
    pl_free(data.y);
    lower = out->margin = fmax(lower, out->margin);
    upper = out->bound = fmin(upper, out->bound);
    if (out->inseparable || (lower > 0 && upper - lower <= gap * upper)) return PL_OK;
    if (st) return st;
    if (!more) break;
    num += more;
  }
  return pl_error(PL_NUMERIC, "relative gap %.1e with %lld of %lld samples",
                  1 - out->margin / out->bound, (long long)num, (long long)w->n);
}

static pl_status solve_whole(const pl_layout *l, pl_samples *data, double gap, pl_optimum *out) {
  int64_t n = data->num;
  whole w = {.l = l,
             .data = data,
             .n = n,
             .c = pl_alloc((size_t)n, sizeof *w.c, "optimum"),
             .product = pl_alloc((size_t)n, sizeof *w.product, "optimum"),
             .chosen = pl_zalloc((size_t)n, sizeof *w.chosen, "optimum")};
  pl_status st = PL_OK;
  *out = (pl_optimum){.inseparable = true};
  if (scale_samples(&w)) {
    if (n > MOST || (n > MANY && n > 2 * l->local)) {
      st = solve_many(&w, gap, out);
    } else {
      barrier *p = problem_of(l, data, w.c, false);
      st = barrier_solve(p, gap, ITERATIONS, out);
      barrier_free(p);
    }
    out->margin /= w.unit * pl_group_volume(l->group);
    out->bound /= w.unit * pl_group_volume(l->group);
  }
  pl_free(w.c);
  pl_free(w.product);
  pl_free(w.chosen);
  return st ? pl_error_in(st, "optimum: ") : PL_OK;
}

/* Other families have kinds of data of their own. */
pl_status pl_optimum_fits(const pl_spec *spec) {
  char kinds[160] = "";
  size_t at = 0;
  for (const pl_data_kind *const *k = pl_group_data_kinds; *k; k++) {
    if (*k == spec->data) return PL_OK;
    if (at < sizeof kinds)
      at += (size_t)snprintf(kinds + at, sizeof kinds - at, "%s%s", at ? ", " : "", (*k)->name);
  }
  return pl_error(PL_EINPUT, "%s of model.kind %s: margins are of labels on a group: %s",
                  spec->data->name, spec->model->name, kinds);
}

pl_status pl_optimum_solve(const pl_spec *spec, double gap, pl_optimum *out) {
  PL_TRY(pl_optimum_fits(spec));
  pl_group *g = NULL;
  pl_layout *l = NULL;
  pl_transform *t = NULL;
  pl_data *data = NULL;
  double *f = NULL, *F = NULL;
  pl_status st = pl_group_of(spec, NULL, &g);
  if (!st) st = pl_layout_alone(g, &l);
  if (!st && pl_group_data_needs_transform(spec, g, PL_DATA_KEEP, true)) {
    st = pl_transform_new(l, &t);
    if (!st) f = pl_alloc((size_t)pl_transform_count(t), sizeof *f, "function over G");
  }
  if (!st) {
    F = pl_alloc((size_t)l->local, sizeof *F, "spectrum");
    st = pl_data_new(spec, l, PL_DATA_KEEP, t, f, F, &data);
  }
  if (!st) st = solve_whole(l, &data->part[PL_TRAIN], gap, out);
  pl_data_free(data);
  pl_free(f);
  pl_free(F);
  pl_transform_free(t);
  pl_layout_free(l);
  pl_group_free(g);
  return st;
}
