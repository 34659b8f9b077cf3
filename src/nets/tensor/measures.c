/* Errors, by the size of samples too, and the equivariance defect. */
#include "base/mem.h"
#include "base/rng.h"
#include "network.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- errors ---- */

/* Sums over samples of a size: how many, mean square error, mean and mean square of the targets. */
typedef struct tally {
  double num, error, y, y2;
} tally;

typedef struct errors {
  int num;
  const int *size; /* [num]; NULL: all samples count as of one size */
  tally *of;       /* [num] */
} errors;

static tally *tally_of(const errors *s, int points) {
  int k = 0;
  while (s->size && s->size[k] != points) k++;
  return &s->of[k];
}

static void add_errors(const pl_net *net, pl_tape *t, pl_node *const *w, const pl_take *take,
                       void *context) {
  const pl_tensor_part *p = tensor_part(net, take->part);
  int64_t *start;
  const pl_node *f = tensor_outputs_of(net, t, w, take, &start);
  for (int64_t i = 0; i < take->count; i++) {
    int64_t k = take->entry[i];
    const double *y = p->y + (tensor_data(net)->of_points ? p->point[k] : k),
                 *at = f->value + start[i];
    double n = (double)(start[i + 1] - start[i]), product = 0;
    tally *sum = tally_of(context, p->points[k]);
    for (int64_t r = 0; r < start[i + 1] - start[i]; r++) product += at[r] * y[r];
    double sign = tensor_data(net)->up_to_sign && product < 0 ? -1 : 1;
    sum->num++;
    for (int64_t r = 0; r < start[i + 1] - start[i]; r++) {
      double e = at[r] - sign * y[r];
      sum->error += e * e / n;
      sum->y += y[r] / n;
      sum->y2 += y[r] * y[r] / n;
    }
  }
}

static double relative(const tally *s) {
  double mean = s->y / s->num, variance = s->y2 / s->num - mean * mean;
  return s->error / s->num / variance;
}

static void sum_errors(pl_net *net, pl_part part, errors *s) {
  memset(s->of, 0, (size_t)s->num * sizeof *s->of);
  pl_net_each(net, part, add_errors, s);
  pl_comm_sum(&net->team, &s->of[0].num, 4 * (int64_t)s->num);
}

void tensor_metrics(pl_net *net, pl_part part, double *metric) {
  tally all;
  errors s = {.num = 1, .of = &all};
  sum_errors(net, part, &s);
  metric[0] = all.error / all.num;
  metric[1] = relative(&all);
}

/* ---- sizes of the test part ---- */

struct tensor_sizes {
  int num, *points;
  char *key; /* of the axis: the sizes in words */
  tally *of; /* at the last record */
};

tensor_sizes *tensor_sizes_new(int64_t num, const int *points) {
  tensor_sizes *s = pl_zalloc(1, sizeof *s, "sizes");
  s->points = pl_alloc((size_t)num, sizeof *s->points, "sizes");
  for (int64_t i = 0; i < num; i++) {
    int k = 0;
    while (k < s->num && s->points[k] != points[i]) k++;
    if (k == s->num) s->points[s->num++] = points[i];
  }
  s->key = pl_strdup("");
  for (int k = 0; k < s->num; k++) {
    char *longer = pl_asprintf("%s %d", s->key, s->points[k]);
    pl_free(s->key);
    s->key = longer;
  }
  s->of = pl_zalloc((size_t)s->num, sizeof *s->of, "errors by size");
  return s;
}

void tensor_sizes_free(void *sizes) {
  tensor_sizes *s = sizes;
  if (!s) return;
  pl_free(s->points);
  pl_free(s->key);
  pl_free(s->of);
  pl_free(s);
}

static void size_points(const void *context, int64_t i, double *number, char *text) {
  (void)text;
  *number = ((const tensor_sizes *)pl_net_context(context))->points[i];
}
static const pl_coord size_coords[] = {
    {"test_size", "1", "points of the samples", false, true, NULL, size_points},
};

pl_status tensor_axes(const pl_spec *spec, pl_axis *axes, int *num, void **context,
                      void (**free_context)(void *)) {
  int64_t count = pl_data_count(spec, PL_TEST);
  int *points = pl_zalloc((size_t)count, sizeof *points, "sizes");
  bool of_points;
  pl_status st =
      ((const pl_tensor_data *)spec->data)->sizes(spec, PL_TEST, count, &of_points, points);
  tensor_sizes *s = tensor_sizes_new(st ? 0 : count, points);
  pl_free(points);
  *context = s;
  *free_context = tensor_sizes_free;
  axes[(*num)++] = (pl_axis){
      .name = "test_size", .key = s->key, .length = s->num, .coords = size_coords, .num_coords = 1};
  return st;
}

static void by_size(const void *state, double *out) {
  const tensor_sizes *s = tensor_own_of(((const pl_net_record *)state)->net)->more;
  for (int k = 0; k < s->num; k++) out[k] = relative(&s->of[k]);
}

/* ---- equivariance ---- */

enum { DEFECT_SAMPLES = 8 };

/* A random order of n points for a sample. */
static void shuffled(const pl_net *net, int sample, int n, int *order) {
  for (int i = 0; i < n; i++) order[i] = i;
  for (int i = n - 1; i > 0; i--) {
    int j = (int)pl_rng_below((uint64_t)net->spec.common.seed, PL_STREAM(PL_STREAM_MISC, sample),
                              (uint64_t)i, i + 1);
    int kept = order[i];
    order[i] = order[j];
    order[j] = kept;
  }
}

/* max over a few training samples, each under a random permutation P, of
 * ||f(P W P^T) - P f(W)|| / ||f(W)||. */
static double defect_of(pl_net *net) {
  const pl_tensor_part *p = tensor_part(net, PL_TRAIN);
  int num = p->num < DEFECT_SAMPLES ? (int)p->num : DEFECT_SAMPLES;
  pl_tape *t = pl_net_tape(net);
  pl_node **w = pl_tape_alloc(t, (size_t)net->num_weights, sizeof(pl_node *));
  pl_net_variables(net, t, net->w, NULL, w);
  double worst = 0;
  for (int i = 0; i < num; i++) {
    int n = p->points[i], *order = pl_tape_alloc(t, (size_t)n, sizeof *order);
    const double *plain = p->w + p->matrix[i];
    double *moved = pl_tape_alloc(t, (size_t)n * (size_t)n, sizeof *moved), error = 0, norm = 0;
    shuffled(net, i, n, order);
    for (int a = 0; a < n; a++)
      for (int b = 0; b < n; b++) moved[order[a] * n + order[b]] = plain[a * n + b];
    const double *matrices[] = {plain, moved};
    const int points[] = {n, n};
    const pl_node *f = tensor_outputs(net, t, w, 2, points, matrices);
    bool many = f->rows > 2;
    for (int a = 0; a < (many ? n : 1); a++) {
      double before = f->value[a], after = f->value[many ? n + order[a] : 1];
      error += (after - before) * (after - before);
      norm += before * before;
    }
    worst = fmax(worst, sqrt(error / norm));
  }
  return worst;
}

pl_status tensor_observe(pl_net *net, void *state) {
  const tensor_sizes *s = tensor_own_of(net)->more;
  errors e = {.num = s->num, .size = s->points, .of = s->of};
  if (s->num > 0) sum_errors(net, PL_TEST, &e);
  ((tensor_record *)state)->defect = defect_of(net);
  return PL_OK;
}

/* ---- the table ---- */

static const pl_measure rows[] = {
    PL_NET_METRIC(0, "mse", PL_MSE, -1),
    PL_NET_METRIC(1, "relative_mse", "mean square error over the variance of the targets", -1),
    {"test_relative_mse_by_size", "test_size", "1",
     "mean square error over the variance of the targets, of the test samples of each size",
     .wanted = pl_net_wants_test, .compute = by_size},
    {"equivariance_defect", NULL, "1",
     "largest relative violation of equivariance over group elements",
     .from = offsetof(tensor_record, defect)},
};
const pl_measures tensor_measures = PL_MEASURES(rows);
