#include "gcnn_dual.h"

#include "base/mem.h"
#include "base/pause.h"
#include "gcnn_polish.h"
#include "model/loss.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum { NUM_AVERAGES = 4 };

/* Averages a <- a + c/(c + t) (a_t - a) of the normalised loss weights: over all steps (c = 1), or
 * mostly over the last c-th part of them.  Weights that hop between samples are far from the dual
 * optimum at every single step, their averages near it. */
static const double recency[NUM_AVERAGES] = {1, 4, 16, 64};

/* Polished until the bound is above what is known to be reached by at most a share ENOUGH of what
 * it is above the margin of the filters: the reported gap is then at most 1 / (1 - ENOUGH) times
 * the true one.  At most ROUNDS rounds a record, fewer where there are large irreps
 * (gcnn_polish.h), and the next record goes on from the best; each solves its small problem a
 * little better than that. */
static const double ENOUGH = 0.25, FINER = 0.4;
enum { ROUNDS = 4, ROUNDS_LARGE = 2 };

/* m->running: steps averaged, best bound so far (0: none yet), best proved margin of any beta, the
 * averages, and the weights of the best bound. */
enum { STEPS, BOUND, REACHED, AVERAGES };

int64_t gcnn_running_size(int64_t samples) {
  return AVERAGES + (NUM_AVERAGES + 1) * samples;
}
static double *weights_of_best(const gcnn *m) {
  return m->running + AVERAGES + NUM_AVERAGES * m->net.train->num;
}

void gcnn_average_weights(gcnn *m, const double *a) {
  int64_t n = m->net.train->num;
  double sum = 0, *average = m->running + AVERAGES, t = m->running[STEPS]++;
  for (int64_t i = 0; i < n; i++) sum += a[i];
  for (int k = 0; k < NUM_AVERAGES; k++, average += n) {
    double share = recency[k] / (recency[k] + t);
    for (int64_t i = 0; i < n; i++) average[i] += share * (a[i] / sum - average[i]);
  }
}

/* Largest singular value of a stack of M, at least `top`. */
static double stack_top(gcnn *m, const pl_stack *b, double top) {
  double *matrix = m->net.scratch[0];
  if (b->grid < 0 && pl_pause()) return top;
  pl_samples_sum(m->net.train, b, m->net.coefficient, matrix);
  if (b->grid < 0) {
    /* No singular value is above the Frobenius norm. */
    double frobenius = 0;
    for (int64_t k = 0; k < b->count; k++)
      frobenius = fmax(frobenius, pl_norm2(b->size, matrix + k * b->size));
    if (frobenius <= top) return top;
  }
  if (pl_stack_singular_values(m->net.layout, b, matrix, m->net.svd, m->net.stack_sigma))
    return INFINITY;
  for (int64_t k = 0; k < b->count; k++) top = fmax(top, m->net.stack_sigma[k * b->dim]);
  return top;
}

static int largest_dim(const pl_layout *l) {
  int dim = 0;
  for (int i = 0; i < l->num_stacks; i++)
    if (l->stacks[i].dim > dim) dim = l->stacks[i].dim;
  return dim;
}

/* Are all singular values dear enough to estimate first? */
static bool dear(const gcnn *m) {
  const pl_layout *l = m->net.layout;
  bool some = false;
  for (int i = 0; i < l->num_stacks; i++)
    some = some || (l->stacks[i].dim > m->dear && !pl_stack_complex(&l->stacks[i]));
  return some;
}

/* D(a) = (1/V) max_rho ||sum_i a_i y_i X_i||_2 / sum_i a_i, or some number above `enough` where
 * it is. */
static double bound_of(gcnn *m, const double *a, double enough) {
  const pl_layout *l = m->net.layout;
  double sum = 0, top = 0, volume = pl_group_volume(m->net.group);
  int dim = largest_dim(l);
  for (int64_t i = 0; i < m->net.train->num; i++) {
    m->net.coefficient[i] = m->net.train->y[i] * a[i];
    sum += a[i];
  }
  double limit = enough * volume * sum;
  /* Grids first, since their ranks meet there: so far all of them have the same top.  Then whole
   * matrices, small ones first: they suffice to reject most candidates. */
  int grids = 0;
  for (; grids < l->num_stacks && l->stacks[grids].grid >= 0; grids++)
    if (l->stacks[grids].here && top <= limit) top = stack_top(m, &l->stacks[grids], top);
  for (int i = l->num_stacks - 1; i >= grids; i--)
    if (l->stacks[i].here && top <= limit) top = stack_top(m, &l->stacks[i], top);
  pl_comm_max(&l->team, &top, 1);
  /* Room for the rounding of the singular values. */
  return top / (volume * sum) * (1 + 8 * dim * DBL_EPSILON);
}

/* ---- the least bound ---- */

/* What is looked for.  Where all singular values cost as much as the rest of a record, bounds are
 * estimated from products alone on the way, and only that of the end is proved. */
typedef struct search {
  gcnn *m;
  bool estimates;
  gcnn_polish *polish;    /* NULL: not needed yet */
  double bound, *weights; /* the best so far, 0: none yet; sum 1 */
  double *a;              /* workspace of one candidate */
} search;

static gcnn_polish *polish_of(search *s) {
  if (!s->polish) s->polish = gcnn_polish_new(s->m);
  return s->polish;
}

/* Keep the better of the best so far and a: is it a? */
static bool try(search *s, const double *a) {
  int64_t n = s->m->net.train->num;
  double sum = 0;
  for (int64_t i = 0; i < n; i++) sum += a[i];
  for (int64_t i = 0; i < n; i++) s->a[i] = a[i] / sum;
  /* Ranks of other processors may round otherwise, and what is looked at is remembered. */
  if (s->estimates) pl_comm_bcast(&s->m->net.layout->team, s->a, (size_t)n * sizeof *a, 0);
  double bound = s->estimates ? gcnn_polish_estimate(polish_of(s), s->a)
                              : bound_of(s->m, a, s->bound > 0 ? s->bound : INFINITY);
  if (s->bound != 0 && !(bound < s->bound)) return false;
  s->bound = bound;
  memcpy(s->weights, s->a, (size_t)n * sizeof *a);
  return true;
}

/* How far the bound is above `margin`, and above what is reached, relative to it. */
static bool tight(const search *s, double margin, double *share) {
  *share = ENOUGH * (s->bound - margin) / s->bound;
  return s->bound - s->m->running[REACHED] <= *share * s->bound;
}

static void polish(search *s, double margin) {
  gcnn *m = s->m;
  int64_t n = m->net.train->num;
  double share, lower = 0;
  m->running[REACHED] = fmax(m->running[REACHED], margin);
  if (n > GCNN_POLISH_SAMPLES || tight(s, margin, &share)) return;
  double *a = pl_alloc((size_t)n, sizeof *a, "loss weights");
  memcpy(a, s->weights, (size_t)n * sizeof *a);
  int rounds = largest_dim(m->net.layout) > GCNN_POLISH_LARGE ? ROUNDS_LARGE : ROUNDS;
  for (int k = 0; k < rounds; k++) {
    /* Down to where rounding sets in. */
    if (!gcnn_polish_round(polish_of(s), fmax(FINER * share, 1e-11), a, &lower)) break;
    m->running[REACHED] = fmax(m->running[REACHED], lower);
    bool better = try(s, a);
    if (tight(s, margin, &share)) break;
    if (s->estimates) memcpy(a, s->a, (size_t)n * sizeof *a); /* what was looked at */
    if (better) continue;
    /* The solution lies where little has been seen: look on the way to it. */
    for (int64_t i = 0; i < n; i++) a[i] = 0.5 * (a[i] + s->weights[i]);
    try(s, a);
    if (tight(s, margin, &share)) break;
    if (s->estimates) memcpy(a, s->a, (size_t)n * sizeof *a); /* what was looked at */
  }
  pl_free(a);
}

double gcnn_dual_bound(gcnn *m, const double *multipliers, double margin) {
  int64_t n = m->net.train->num;
  double *room = pl_alloc(3 * (size_t)n, sizeof *room, "loss weights"), *current = room + 2 * n;
  double log_scale, *best = &m->running[BOUND];
  search s = {m, dear(m), NULL, *best, room, room + n};
  memcpy(s.weights, weights_of_best(m), (size_t)n * sizeof *s.weights);
  pl_loss_weights(m->net.values->loss, n, m->net.margin, &log_scale, current);
  if (multipliers) try(&s, multipliers);
  try(&s, current);
  for (int k = 0; k < NUM_AVERAGES && m->running[STEPS] > 0; k++)
    try(&s, m->running + AVERAGES + k * n);
  pl_comm_bcast(&m->net.layout->team, &margin, sizeof margin, 0);
  if (margin > 0 && isfinite(s.bound)) polish(&s, margin);
  bool moved = s.bound != *best;
  if (s.estimates && moved) {
    s.bound = bound_of(m, s.weights, *best > 0 ? *best : INFINITY);
    moved = *best == 0 || s.bound < *best;
  }
  if (moved) {
    *best = s.bound;
    memcpy(weights_of_best(m), s.weights, (size_t)n * sizeof *s.weights);
  }
  gcnn_polish_free(s.polish);
  pl_free(room);
  return *best;
}
