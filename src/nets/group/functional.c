#include "functional.h"

#include "base/mem.h"
#include "base/pause.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* ---- sums over singular values ---- */

double pl_functional_irrep_sum(const pl_functional *s, int64_t i, double q, bool thresholded) {
  pl_irrep r = pl_group_irrep(s->group, i);
  const double *sigma = s->sigma + s->sv_start[i];
  double floor = thresholded ? r.dim * DBL_EPSILON * sigma[0] : 0, sum = 0;
  for (int j = 0; j < r.dim; j++) {
    if (sigma[j] > floor)
      sum += pow(sigma[j] / s->norm, q);
    else if (isnan(sigma[j]))
      return NAN;
  }
  return sum * r.mult * r.dim;
}

double pl_functional_sum(const pl_functional *s, double q, bool thresholded) {
  double sum = 0;
  int64_t n = pl_group_num_irreps(s->group);
  for (int64_t i = 0; i < n; i++) sum += pl_functional_irrep_sum(s, i, q, thresholded);
  return sum;
}

void pl_functional_sums(pl_functional *s) {
  s->sum = pl_functional_sum(s, s->p, false);
  s->sum_thresholded = pl_functional_sum(s, s->p, true);
}

/* ---- out of range ---- */

double pl_functional_over_norm2(const pl_functional *s, double x) {
  return pl_sum_safe(s->parameter_norm2) ? x / s->parameter_norm2
                                         : x / s->parameter_norm / s->parameter_norm;
}

double pl_functional_norm_power(const pl_functional *s, double q) {
  double power = pow(s->norm, q);
  return s->shift ? power * exp2(-s->shift * q) : power;
}

int pl_functional_shift(double norm) {
  return norm > 0 && isfinite(norm) ? -ilogb(norm) : 0;
}

/* ---- singular values ---- */

int64_t *pl_functional_starts(const pl_group *g) {
  int64_t irreps = pl_group_num_irreps(g);
  int64_t *start = pl_alloc((size_t)irreps + 1, sizeof *start, "singular values");
  start[0] = 0;
  for (int64_t i = 0; i < irreps; i++) start[i + 1] = start[i] + pl_group_irrep(g, i).dim;
  return start;
}

int64_t pl_functional_most_values(const pl_layout *l) {
  int64_t most = 0;
  for (int i = 0; i < l->num_stacks; i++) {
    int64_t n = l->stacks[i].count * l->stacks[i].dim;
    if (l->stacks[i].here && n > most) most = n;
  }
  return most;
}

static const double *stack_in_memory(void *of, const pl_stack *b) {
  return (const double *)of + b->offset;
}

pl_stack_source pl_stack_source_of(const double *F) {
  return (pl_stack_source){stack_in_memory, (void *)F};
}

pl_status pl_functional_spectrum(const pl_layout *l, pl_stack_source beta, const int64_t *sv_start,
                                 pl_spectrum_svd *svd, double *copy, double *values,
                                 double *sigma) {
  int64_t num = sv_start[pl_group_num_irreps(l->group)];
  pl_status worst = PL_OK;
  memset(sigma, 0, (size_t)num * sizeof *sigma);
  for (int i = 0; i < l->num_stacks; i++) {
    const pl_stack *b = &l->stacks[i];
    if (!b->here || (b->grid < 0 && pl_pause())) continue;
    memcpy(copy, beta.stack(beta.of, b), (size_t)pl_stack_doubles(b) * sizeof *copy);
    if (pl_stack_singular_values(l, b, copy, svd, values)) worst = PL_NUMERIC;
    if (b->owner != l->team.rank) continue;
    for (int64_t k = 0; k < b->count; k++)
      memcpy(sigma + sv_start[b->irrep[k]], values + k * b->dim, (size_t)b->dim * sizeof *values);
  }
  if (l->team.size > 1)
    MPI_Reduce(l->team.rank ? sigma : MPI_IN_PLACE, sigma, pl_int(num), MPI_DOUBLE, MPI_SUM, 0,
               l->team.mpi);
  if (worst) pl_error(worst, "singular values could not be computed");
  return pl_agree(&l->team, worst);
}

void pl_functional_orientation(const pl_layout *l, pl_stack_source beta, double *sign) {
  int64_t n = pl_group_num_irreps(l->group);
  memset(sign, 0, (size_t)n * sizeof *sign);
  for (int i = 0; i < l->num_stacks; i++) {
    const pl_stack *b = &l->stacks[i];
    if (b->owner != l->team.rank) continue;
    const double *v = b->dim == 1 && b->type == PL_REAL ? beta.stack(beta.of, b) : NULL;
    for (int64_t k = 0; k < b->count; k++) sign[b->irrep[k]] = v ? (v[k] > 0) - (v[k] < 0) : NAN;
  }
  if (l->team.size > 1)
    MPI_Reduce(l->team.rank ? sign : MPI_IN_PLACE, sign, pl_int(n), MPI_DOUBLE, MPI_SUM, 0,
               l->team.mpi);
}
