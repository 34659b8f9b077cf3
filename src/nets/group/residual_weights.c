/* How the singular values of each filter are spread. */
#include "base/mem.h"
#include "nets/group/data.h"
#include "nets/spread.h"
#include "residual_observe.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool residual_wants_weights(const pl_spec *spec, const pl_group *g) {
  static const int FILTERS = 64;
  static const double ORDER = 50000;
  int64_t wanted = pl_group_values_of(spec)->record_weights;
  if (wanted != PL_UNSET) return wanted;
  return pl_filters_count(spec) <= FILTERS && pl_group_log_order(g) <= log(ORDER);
}

/* ---- axes ---- */

static int64_t values_of(const pl_group *g) {
  int64_t sum = 0;
  for (int64_t i = 0; i < pl_group_num_irreps(g); i++) sum += pl_group_irrep(g, i).dim;
  return sum;
}

static void weight_name(const void *c, int64_t i, double *number, char *text) {
  (void)c, (void)number;
  snprintf(text, 64, "layer%lld", (long long)i);
}
/* Rows and columns: the dimension of the functions over the group, or in its band. */
static void weight_size(const void *c, int64_t i, double *number, char *text) {
  (void)i, (void)text;
  const pl_group *g = ((const pl_functional_context *)c)->group;
  *number = 0;
  for (int64_t k = 0; k < pl_group_num_irreps(g); k++) {
    pl_irrep r = pl_group_irrep(g, k);
    *number += (double)r.mult * r.dim * r.dim;
  }
}
static void sv_weight(const void *c, int64_t i, double *number, char *text) {
  (void)text;
  *number = (double)(i / values_of(((const pl_functional_context *)c)->group));
}

static const pl_coord weight_coords[] = {PL_WEIGHT_COORDS(weight_name, weight_size, weight_size)};
static const pl_coord sv_coords[] = {PL_WEIGHT_SV_COORD(sv_weight)};

void residual_weight_axes(const pl_spec *spec, const pl_group *g, pl_axis axes[2]) {
  char *group = (char *)(uintptr_t)pl_group_spec(g);
  int64_t filters = residual_wants_weights(spec, g) ? pl_filters_count(spec) : 0;
  axes[0] = (pl_axis){.name = "weight",
                      .key = group,
                      .length = filters,
                      .coords = weight_coords,
                      .num_coords = sizeof weight_coords / sizeof *weight_coords};
  axes[1] = (pl_axis){.name = "weight_sv",
                      .key = group,
                      .length = filters * values_of(g),
                      .coords = sv_coords,
                      .num_coords = sizeof sv_coords / sizeof *sv_coords};
}

/* ---- measures ---- */

typedef struct pair {
  double value, times;
} pair;

static int falling(const void *a, const void *b) {
  double x = ((const pair *)a)->value, y = ((const pair *)b)->value;
  return (x < y) - (x > y);
}

/* Call f for each filter with its values, each as often as it stands in the matrix. */
static void each_filter(const void *of, double *out,
                        double (*f)(int64_t n, const double *s, const double *times)) {
  const residual *m = ((const residual_record *)of)->m;
  const pl_group *g = m->net.group;
  int64_t n = values_of(g);
  pair *all = pl_alloc((size_t)n, sizeof *all, "singular values");
  double *s = pl_alloc(2 * (size_t)n, sizeof *s, "singular values"), *times = s + n;
  for (int k = 0; k < m->net.filters; k++) {
    const double *sigma = m->filter_sigma + k * n;
    bool known = true;
    for (int64_t i = 0, at = 0; i < pl_group_num_irreps(g); i++) {
      pl_irrep r = pl_group_irrep(g, i);
      for (int j = 0; j < r.dim; j++, at++) {
        all[at] = (pair){sigma[at], (double)r.mult * r.dim};
        known = known && !isnan(sigma[at]);
      }
    }
    qsort(all, (size_t)n, sizeof *all, falling);
    for (int64_t i = 0; i < n; i++) s[i] = all[i].value, times[i] = all[i].times;
    out[k] = known ? f(n, s, times) : NAN;
  }
  pl_free(all);
  pl_free(s);
}

static void weight_schatten(const void *state, double *out) {
  each_filter(state, out, pl_spread_schatten);
}
static void weight_rank(const void *state, double *out) {
  each_filter(state, out, pl_spread_rank);
}
static void weight_entropy_rank(const void *state, double *out) {
  each_filter(state, out, pl_spread_entropy_rank);
}
static void weight_gini(const void *state, double *out) {
  each_filter(state, out, pl_spread_gini);
}
static void weight_singular_values(const void *state, double *out) {
  const residual *m = ((const residual_record *)state)->m;
  memcpy(out, m->filter_sigma, (size_t)(m->net.filters * values_of(m->net.group)) * sizeof *out);
}

static bool wants(const pl_spec *spec, const void *context) {
  return residual_wants_weights(spec, ((const pl_functional_context *)context)->group);
}
static bool wants_spectrum(const pl_spec *spec, const void *context) {
  return spec->common.record_spectrum == 1 && wants(spec, context);
}

static const pl_measure rows[] = {
    {"weight_schatten", "weight", "1", PL_WEIGHT_SCHATTEN, .wanted = wants,
     .compute = weight_schatten},
    {"weight_rank", "weight", "1", PL_WEIGHT_RANK, .wanted = wants, .compute = weight_rank},
    {"weight_entropy_rank", "weight", "1", PL_WEIGHT_ENTROPY_RANK, .wanted = wants,
     .compute = weight_entropy_rank},
    {"weight_gini", "weight", "1", PL_WEIGHT_GINI, .wanted = wants, .compute = weight_gini},
    {"weight_singular_values", "weight_sv", "1", PL_WEIGHT_SINGULAR_VALUES,
     .wanted = wants_spectrum, .compute = weight_singular_values},
};
const pl_measures residual_weight_measures = PL_MEASURES(rows);

/* ---- a record ---- */

void residual_weights_new(residual *m) {
  const fourier_net *net = &m->net;
  size_t n = (size_t)(net->filters * values_of(net->group));
  if (residual_wants_weights(&net->spec, net->group))
    m->filter_sigma = pl_alloc(n, sizeof *m->filter_sigma, "singular values");
}

void residual_weights_free(residual *m) {
  pl_free(m->filter_sigma);
}

pl_status residual_weights_observe(residual *m) {
  fourier_net *net = &m->net;
  pl_status worst = PL_OK;
  for (int k = 0; m->filter_sigma && k < net->filters; k++) {
    pl_status st = pl_functional_spectrum(net->layout, pl_stack_source_of(net->w[k]), net->sv_start,
                                          net->svd, net->scratch[1], net->stack_sigma,
                                          m->filter_sigma + k * values_of(net->group));
    if (st) worst = st;
  }
  return worst;
}
