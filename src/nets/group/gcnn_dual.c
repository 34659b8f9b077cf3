#include "gcnn_dual.h"

#include "base/mem.h"
#include "model/loss.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum { NUM_AVERAGES = 4 };

/* Averages a <- a + c/(c + t) (a_t - a) of the normalised loss weights: over all steps (c = 1), or
 * mostly over the last c-th part of them.  Weights that hop between samples are far from the dual
 * optimum at every single step, their averages near it. */
static const double recency[NUM_AVERAGES] = {1, 4, 16, 64};

/* m->running: steps averaged, best bound so far (0: none yet), then the averages. */
enum { STEPS, BOUND, AVERAGES };

int64_t gcnn_running_size(int64_t samples) {
  return AVERAGES + NUM_AVERAGES * samples;
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

/* D(a) = (1/V) max_rho ||sum_i a_i y_i X_i||_2 / sum_i a_i, or some number above `enough` where
 * it is. */
static double bound_of(gcnn *m, const double *a, double enough) {
  const pl_layout *l = m->net.layout;
  double sum = 0, top = 0, volume = pl_group_volume(m->net.group);
  int dim = 0;
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
  for (int i = 0; i < l->num_stacks; i++)
    if (l->stacks[i].dim > dim) dim = l->stacks[i].dim;
  pl_comm_max(&l->team, &top, 1);
  /* Room for the rounding of the singular values. */
  return top / (volume * sum) * (1 + 8 * dim * DBL_EPSILON);
}

/* Keep the better of the best bound so far and that of a. */
static void try(gcnn *m, const double *a) {
  double *best = &m->running[BOUND];
  double bound = bound_of(m, a, *best > 0 ? *best : INFINITY);
  if (*best == 0 || bound < *best) *best = bound;
}

double gcnn_dual_bound(gcnn *m, const double *multipliers) {
  int64_t n = m->net.train->num;
  double log_scale, *current = pl_alloc((size_t)n, sizeof *current, "loss weights");
  pl_loss_weights(m->net.values->loss, n, m->net.margin, &log_scale, current);
  if (multipliers) try(m, multipliers);
  try(m, current);
  for (int k = 0; k < NUM_AVERAGES && m->running[STEPS] > 0; k++)
    try(m, m->running + AVERAGES + k * n);
  pl_free(current);
  return m->running[BOUND];
}
