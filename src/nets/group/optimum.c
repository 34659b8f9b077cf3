#include "nets/group/optimum.h"

#include "base/blas.h"
#include "base/mem.h"
#include "base/norm.h"
#include "linalg/usv.h"
#include "nets/group/data.h"
#include "spectral/spectrum.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The barrier's weight falls by SHRINK once Newton's decrement is below CENTRED; at most
 * ITERATIONS steps.  Samples of norm about 1 each are told apart from rounding down to ROUNDING. */
static const double SHRINK = 0.1, CENTRED = 0.3, ROUNDING = 1e-12;
enum { ITERATIONS = 500, HALVINGS = 60 };
/* Of more samples than MANY, if they are more than a beta has entries, or than MOST, few decide:
 * those are looked for from FEW on, in at most ROUNDS. */
enum { MANY = 512, MOST = 4096, FEW = 64, ROUNDS = 60 };

typedef struct problem {
  const pl_layout *l;
  const pl_samples *data; /* each scaled to a norm of about 1: X_i <- c_i X_i */
  int64_t n;
  double *c; /* [n]: powers of two over a unit, the largest 1; a below is what multiplies c_i X_i */
  double volume, dims;                 /* V, sum of d */
  double *a, *trial, *step, *signed_a; /* [n]: a_i, and a_i y_i */
  double *slope, *down, *hessian;      /* of the barrier; hessian [n][n] */
  double *parts;                       /* [2][n] */
  double nuclear;                      /* sum over irreps and singular values of s / (1 - s^2) */
  pl_usv *svd;
  pl_spectrum_svd *values_work;
  double *M, *U, *Vh, *sigma, *half; /* of one stack or matrix */
  double *Z, *left;                  /* [n] matrices: U^H Y_i V, and what multiplies them */
  double *beta, *best; /* [l->local]: m d B at a, and with the largest margin so far */
  double best_nuclear; /* .. and its `nuclear` */
} problem;

/* What one point tells. */
typedef struct point {
  double top;     /* largest singular value of M */
  double barrier; /* - sum log det(1 - M M^H) - sum log a_i; infinite outside */
  double sum;     /* of c_i a_i */
  double plain;   /* of a_i */
} point;

static void combine(problem *p, const pl_stack *b, const double *a) {
  for (int64_t i = 0; i < p->n; i++) p->signed_a[i] = a[i] * p->data->y[i];
  pl_multi_axpy(p->n, pl_stack_doubles(b), p->signed_a, pl_samples_stack(p->data, b),
                pl_data_stride(b), p->M);
}

/* Top and barrier at a, from singular values alone. */
static pl_status look(problem *p, const double *a, point *out) {
  *out = (point){0};
  for (int64_t i = 0; i < p->n; i++) {
    out->sum += p->c[i] * a[i];
    out->plain += a[i];
    out->barrier -= log(a[i]);
  }
  for (int i = 0; i < p->l->num_stacks; i++) {
    const pl_stack *b = &p->l->stacks[i];
    combine(p, b, a);
    PL_TRY(pl_stack_singular_values(p->l, b, p->M, p->values_work, p->sigma));
    for (int64_t k = 0; k < b->count * b->dim; k++) {
      double s = p->sigma[k];
      out->top = fmax(out->top, s);
      out->barrier = s < 1 ? out->barrier - log1p(-s * s) : INFINITY;
    }
  }
  return PL_OK;
}

/* Z_i = U^H Y_i V for one matrix. */
static void rotate(problem *p, int d, bool z, const double *x, int64_t stride) {
  const double one[2] = {1, 0}, zero[2] = {0, 0};
  int64_t size = (int64_t)d * d * (z ? 2 : 1);
  for (int64_t i = 0; i < p->n; i++, x += stride) {
    double *out = p->Z + i * size, y = p->data->y[i];
    if (z) {
      cblas_zgemm(CblasRowMajor, CblasConjTrans, CblasNoTrans, d, d, d, one, p->U, d, x, d, zero,
                  p->half, d);
      cblas_zgemm(CblasRowMajor, CblasNoTrans, CblasConjTrans, d, d, d, (double[]){y, 0}, p->half,
                  d, p->Vh, d, zero, out, d);
    } else {
      cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, d, d, d, 1, p->U, d, x, d, 0, p->half,
                  d);
      cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, d, d, d, y, p->half, d, p->Vh, d, 0, out,
                  d);
    }
  }
}

/* Slope and Hessian of - log det(1 - M M^H) for one matrix.  With q = 1/(1 - s^2), k = s q:
 *   slope_i   = 2 Re sum_j k_j Z_i,jj
 *   hessian_ij = 2 Re sum_rc (q_r q_c conj(Z_j,rc) Z_i,rc + k_r k_c Z_j,rc Z_i,cr),
 * a product of n x d^2 matrices once the factors are spread over copies of Z. */
static void add_matrix(problem *p, int d, bool z) {
  for (int r = 0; r < d; r++) p->nuclear += p->sigma[r] / (1 - p->sigma[r] * p->sigma[r]);
  int parts = z ? 2 : 1, n = pl_int(p->n);
  int64_t size = (int64_t)d * d * parts;
  for (int64_t i = 0; i < n; i++)
    for (int r = 0; r < d; r++) {
      double qr = 1 / (1 - p->sigma[r] * p->sigma[r]), kr = p->sigma[r] * qr;
      p->slope[i] += 2 * kr * p->Z[i * size + ((int64_t)r * d + r) * parts];
      for (int c = 0; c < d; c++) {
        double qc = 1 / (1 - p->sigma[c] * p->sigma[c]), kc = p->sigma[c] * qc;
        int64_t rc = i * size + ((int64_t)r * d + c) * parts;
        int64_t cr = i * size + ((int64_t)c * d + r) * parts;
        /* Re(Z_j,rc Z_i,cr) is a product of reals with the second imaginary part negated. */
        p->left[rc] = 2 * (qr * qc * p->Z[rc] + kr * kc * p->Z[cr]);
        if (z) p->left[rc + 1] = 2 * (qr * qc * p->Z[rc + 1] - kr * kc * p->Z[cr + 1]);
      }
    }
  cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, n, n, pl_int(size), 1, p->left, pl_int(size),
              p->Z, pl_int(size), 1, p->hessian, n);
}

/* M (1 - M^H M)^-1 = U k V^H. */
static void set_beta(problem *p, int d, bool z, double *beta) {
  const double one[2] = {1, 0}, zero[2] = {0, 0};
  int parts = z ? 2 : 1;
  for (int r = 0; r < d; r++) {
    double k = p->sigma[r] / (1 - p->sigma[r] * p->sigma[r]);
    for (int c = 0; c < d * parts; c++)
      p->half[(int64_t)r * d * parts + c] = k * p->Vh[(int64_t)r * d * parts + c];
  }
  if (z)
    cblas_zgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, d, d, d, one, p->U, d, p->half, d, zero,
                beta, d);
  else
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, d, d, d, 1, p->U, d, p->half, d, 0, beta,
                d);
}

/* Slope and Hessian of the barrier at p->a, and beta. */
static pl_status derivatives(problem *p) {
  memset(p->slope, 0, (size_t)p->n * sizeof *p->slope);
  p->nuclear = 0;
  memset(p->hessian, 0, (size_t)(p->n * p->n) * sizeof *p->hessian);
  for (int i = 0; i < p->l->num_stacks; i++) {
    const pl_stack *b = &p->l->stacks[i];
    bool z = pl_stack_complex(b);
    combine(p, b, p->a);
    for (int64_t k = 0; k < b->count; k++) {
      PL_TRY(pl_usv_apply(p->svd, b->dim, z, p->M + k * b->size, p->U, p->sigma, p->Vh));
      rotate(p, b->dim, z, pl_samples_stack(p->data, b) + k * b->size, pl_data_stride(b));
      add_matrix(p, b->dim, z);
      set_beta(p, b->dim, z, p->beta + b->offset + k * b->size);
    }
  }
  return PL_OK;
}

/* Newton's direction of barrier - sum a / weight is linear in 1 / weight: the parts of it.  In
 * units of a the logarithms contribute the unit matrix, so that no a_i is lost in rounding. */
static pl_status newton(problem *p) {
  int64_t n = p->n;
  int order = pl_int(n), two = 2, info;
  for (int64_t i = 0; i < n; i++) {
    for (int64_t j = 0; j < n; j++) p->hessian[i * n + j] *= p->a[i] * p->a[j];
    p->hessian[i * n + i] += 1;
    p->down[i] = 1 / p->a[i] - p->slope[i];
    p->parts[i] = p->a[i] * p->down[i];
    p->parts[n + i] = p->a[i] * p->c[i];
  }
  dposv_("L", &order, &two, p->hessian, &order, p->parts, &order, &info, 1);
  return info ? pl_error(PL_NUMERIC, "optimum: the Hessian is singular") : PL_OK;
}

/* The direction for a weight; returns Newton's decrement. */
static double direct(problem *p, double weight) {
  double square = 0;
  for (int64_t i = 0; i < p->n; i++) {
    p->step[i] = p->a[i] * (p->parts[i] + p->parts[p->n + i] / weight);
    square += (p->down[i] + p->c[i] / weight) * p->step[i];
  }
  return sqrt(fmax(0, square));
}

/* Move along the step as far as stays inside and lowers the objective. */
static pl_status search(problem *p, double weight, double decrement, point *at) {
  double t = 1, before = at->barrier - at->sum / weight;
  for (int64_t i = 0; i < p->n; i++)
    if (p->step[i] < 0) t = fmin(t, -0.95 * p->a[i] / p->step[i]);
  for (int k = 0; k < HALVINGS; k++, t /= 2) {
    point next;
    for (int64_t i = 0; i < p->n; i++) p->trial[i] = p->a[i] + t * p->step[i];
    PL_TRY(look(p, p->trial, &next));
    double fall = before - (next.barrier - next.sum / weight);
    /* Close to the centre the fall drowns in rounding, and a full step is safe. */
    bool near = decrement < 0.1 && isfinite(next.barrier);
    if (!near && !(fall >= 0.1 * t * decrement * decrement)) continue;
    memcpy(p->a, p->trial, (size_t)p->n * sizeof *p->a);
    *at = next;
    return PL_OK;
  }
  return pl_error(PL_NUMERIC, "optimum: no step lowers the barrier");
}

/* y_i <x_i, b> / S_1(b) for B = (1 - M M^H)^-1 M / (m d): the slopes of the barrier without its
 * logarithms are 2 V y_i <x_i, b>, and V S_1(b) is V times the sum of s / (1 - s^2). */
static double margin(double slope, double c, double volume, double nuclear) {
  /* What is within rounding of zero is not on the right side. */
  double scaled = slope / (2 * volume * nuclear);
  return scaled > ROUNDING ? scaled / c : fmin(scaled, 0) / c;
}

static double margin_of(const problem *p) {
  double least = INFINITY;
  for (int64_t i = 0; i < p->n; i++)
    least = fmin(least, margin(p->slope[i], p->c[i], p->volume, p->nuclear));
  return least;
}

/* The margin and the bound that p->a has. */
static void note(problem *p, const point *at, pl_optimum *out) {
  double least = margin_of(p);
  if (least > out->margin || !p->best_nuclear) {
    memcpy(p->best, p->beta, (size_t)p->l->local * sizeof *p->best);
    p->best_nuclear = p->nuclear;
  }
  out->margin = fmax(out->margin, least);
  out->bound = fmin(out->bound, at->top / (p->volume * at->sum));
}

static pl_status solve(problem *p, double gap, pl_optimum *out) {
  point at;
  for (int64_t i = 0; i < p->n; i++) p->a[i] = 1;
  PL_TRY(look(p, p->a, &at));
  /* Start halfway to the border; samples that cancel exactly have none. */
  double start = at.top > 0 ? 0.5 / at.top : 1;
  for (int64_t i = 0; i < p->n; i++) p->a[i] = start;
  PL_TRY(look(p, p->a, &at));
  double weight = at.sum, decrement;
  *out = (pl_optimum){.bound = INFINITY};
  for (out->iterations = 0; out->iterations < ITERATIONS; out->iterations++) {
    PL_TRY(derivatives(p));
    note(p, &at, out);
    if (out->margin > 0 && out->bound - out->margin <= gap * out->bound) return PL_OK;
    /* A positive margin proves the data separable, a vanishing sum that they are not. */
    out->inseparable = out->margin <= 0 && at.top <= PL_OPTIMUM_ZERO * at.plain;
    if (out->inseparable) return PL_OK;
    PL_TRY(newton(p));
    decrement = direct(p, weight);
    /* At the centre the gap is at most (n + sum d) weight / sum a: go no further than needed. */
    double last = 0.5 * gap * at.sum / ((double)p->n + p->dims);
    while (decrement < CENTRED && weight > last) {
      weight = fmax(SHRINK * weight, last);
      decrement = direct(p, weight);
    }
    PL_TRY(search(p, weight, decrement, &at));
  }
  return pl_error(PL_NUMERIC, "optimum: relative gap %.1e after %d steps",
                  1 - out->margin / out->bound, ITERATIONS);
}

/* ---- life ---- */

static void problem_init(problem *p, const pl_layout *l, const pl_samples *data) {
  static const char what[] = "optimum";
  int64_t values = 1, matrix = 1, n = data->num;
  double dims = 0;
  for (int i = 0; i < l->num_stacks; i++) {
    const pl_stack *b = &l->stacks[i];
    if (b->count * b->dim > values) values = b->count * b->dim;
    if (b->size > matrix) matrix = b->size;
    dims += (double)(b->count * b->dim);
  }
  *p = (problem){.l = l, .data = data, .n = n, .volume = pl_group_volume(l->group), .dims = dims};
  struct {
    double **array;
    int64_t size;
  } arrays[] = {{&p->c, n},          {&p->a, n},           {&p->trial, n},
                {&p->slope, n},      {&p->down, n},        {&p->hessian, n * n},
                {&p->parts, 2 * n},  {&p->step, n},        {&p->signed_a, n},
                {&p->M, l->scratch}, {&p->U, matrix},      {&p->Vh, matrix},
                {&p->sigma, values}, {&p->half, matrix},   {&p->left, n * matrix},
                {&p->Z, n * matrix}, {&p->beta, l->local}, {&p->best, l->local}};
  for (size_t k = 0; k < sizeof arrays / sizeof *arrays; k++)
    *arrays[k].array = pl_alloc((size_t)arrays[k].size, sizeof(double), what);
  p->svd = pl_usv_new(l->max_dim, l->any_complex);
  p->values_work = pl_spectrum_svd_new(l, NULL);
}

static void problem_fini(problem *p) {
  double *arrays[] = {p->c,     p->a,    p->trial,    p->slope, p->down, p->hessian,
                      p->parts, p->step, p->signed_a, p->M,     p->U,    p->Vh,
                      p->sigma, p->half, p->left,     p->Z,     p->beta, p->best};
  for (size_t k = 0; k < sizeof arrays / sizeof *arrays; k++) pl_free(arrays[k]);
  pl_usv_free(p->svd);
  pl_spectrum_svd_free(p->values_work);
}

/* ---- all samples ---- */

typedef struct whole {
  const pl_layout *l;
  pl_samples *data; /* scaled as of a problem */
  int64_t n;
  double *c, unit;
  double *slope; /* [n] */
  bool *chosen;  /* [n] */
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

/* The problem of the chosen samples, num of them. */
static pl_status solve_chosen(const whole *w, int64_t num, double gap, problem *p, pl_samples *data,
                              pl_optimum *out) {
  int64_t to = 0;
  *data =
      (pl_samples){.num = num,
                   .y = pl_alloc((size_t)num, sizeof *data->y, "chosen samples"),
                   .x = pl_zalloc((size_t)(num * w->l->local), sizeof *data->x, "chosen samples")};
  problem_init(p, w->l, data);
  for (int64_t i = 0; i < w->n; i++) {
    if (!w->chosen[i]) continue;
    data->y[to] = w->data->y[i];
    p->c[to] = w->c[i];
    for (int k = 0; k < w->l->num_stacks; k++) {
      const pl_stack *b = &w->l->stacks[k];
      memcpy(pl_samples_stack(data, b) + to * pl_data_stride(b),
             pl_samples_stack(w->data, b) + i * pl_data_stride(b),
             (size_t)pl_stack_doubles(b) * sizeof(double));
    }
    to++;
  }
  return solve(p, gap, out);
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
static int64_t choose(whole *w, const problem *p, int64_t most, pl_optimum *out) {
  double least = INFINITY;
  int64_t lower = 0, num = 0;
  rank *list = pl_alloc((size_t)w->n, sizeof *list, "margins");
  memset(w->slope, 0, (size_t)w->n * sizeof *w->slope);
  for (int k = 0; k < w->l->num_stacks; k++) {
    const pl_stack *b = &w->l->stacks[k];
    pl_multi_dot(w->n, pl_stack_doubles(b), 2, pl_samples_stack(w->data, b), pl_data_stride(b),
                 p->best + b->offset, w->slope);
  }
  for (int64_t i = 0; i < w->n; i++) {
    double m = margin(w->data->y[i] * w->slope[i], w->c[i], p->volume, p->best_nuclear);
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
    problem p;
    pl_samples data;
    pl_status st = solve_chosen(w, num, 0.5 * gap, &p, &data, out);
    int64_t more = 0;
    if (out->inseparable || p.best_nuclear <= 0)
      out->margin = 0;
    else
      more = choose(w, &p, num / 2 + FEW, out);
    problem_fini(&p);
    pl_free(data.x);
    pl_free(data.y);
    lower = out->margin = fmax(lower, out->margin);
    upper = out->bound = fmin(upper, out->bound);
    if (out->inseparable || (lower > 0 && upper - lower <= gap * upper)) return PL_OK;
    if (st) return st;
    if (!more) break;
    num += more;
  }
  return pl_error(PL_NUMERIC, "optimum: relative gap %.1e with %lld of %lld samples",
                  1 - out->margin / out->bound, (long long)num, (long long)w->n);
}

static pl_status solve_whole(const pl_layout *l, pl_samples *data, double gap, pl_optimum *out) {
  int64_t n = data->num;
  whole w = {.l = l,
             .data = data,
             .n = n,
             .c = pl_alloc((size_t)n, sizeof *w.c, "optimum"),
             .slope = pl_alloc((size_t)n, sizeof *w.slope, "optimum"),
             .chosen = pl_zalloc((size_t)n, sizeof *w.chosen, "optimum")};
  pl_status st = PL_OK;
  *out = (pl_optimum){.inseparable = true};
  if (scale_samples(&w)) {
    if (n > MOST || (n > MANY && n > 2 * l->local)) {
      st = solve_many(&w, gap, out);
    } else {
      problem p;
      problem_init(&p, l, data);
      memcpy(p.c, w.c, (size_t)n * sizeof *p.c);
      st = solve(&p, gap, out);
      problem_fini(&p);
    }
    out->margin /= w.unit;
    out->bound /= w.unit;
  }
  pl_free(w.c);
  pl_free(w.slope);
  pl_free(w.chosen);
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
