/* f(W) = sum_s H_s[sigma(F_s[W] + B_s)] + b on the tape: class by class of the patterns of the
 * hidden indices (patterns.h), F and B are one product of the features, H is another and sums. */
#include "network.h"
#include "patterns.h"

#include <string.h>

/* One class of entries of the hidden tensors of several samples. */
typedef struct entries {
  const tensor_class *class;
  int64_t rows;
  int64_t *start; /* [samples + 1] of rows */
  int *tuple;     /* [rows][m], points within the sample */
} entries;

static entries entries_of(pl_tape *t, const tensor_class *c, int64_t count, const int *points) {
  entries e = {.class = c};
  int64_t at = 0;
  e.start = pl_tape_alloc(t, (size_t)count + 1, sizeof *e.start);
  for (int64_t i = 0; i < count; i++) {
    e.start[i] = at;
    at += tensor_rows(c->points, points[i]);
  }
  e.start[count] = e.rows = at;
  e.tuple = pl_tape_alloc(t, (size_t)(at * c->points), sizeof *e.tuple);
  for (int64_t i = 0; i < count; i++)
    tensor_tuples(c->points, points[i], e.tuple + e.start[i] * c->points);
  return e;
}

/* sigma(F[W] + B) at the entries, [rows][channels]. */
static pl_node *hidden(const pl_net *net, pl_tape *t, pl_node *const *w, int number,
                       const entries *e, int64_t count, const int *points,
                       const double *const *matrix) {
  const tensor_class *c = e->class;
  int most = 1;
  for (int64_t i = 0; i < count; i++)
    if (points[i] > most) most = points[i];
  double *x = pl_tape_alloc(t, (size_t)(e->rows * c->features), sizeof *x);
  double *sums = pl_tape_alloc(t, 2 * (size_t)most, sizeof *sums);
  for (int64_t i = 0; i < count; i++)
    tensor_features(c->points, points[i], e->tuple + e->start[i] * c->points, matrix[i], sums,
                    x + e->start[i] * c->features);
  pl_node *y = pl_tape_affine(t, pl_tape_constant(t, e->rows, c->features, x),
                              pl_tape_rows(t, w[0], c->feature, c->features),
                              pl_tape_rows(t, w[1], number, 1));
  switch (tensor_values_of(&net->spec)->activation) {
  case ACTIVATION_TANH:
    return pl_tape_tanh(t, y);
  case ACTIVATION_RELU:
    return pl_tape_relu(t, y);
  default:
    return pl_tape_sigmoid(t, y);
  }
}

/* H of a class to one number for each sample. */
static pl_node *to_samples(pl_tape *t, pl_node *const *w, int number, const entries *e, pl_node *y,
                           int64_t count) {
  pl_node *z = pl_tape_matmul_nt(t, y, pl_tape_rows(t, w[2], number, 1));
  return pl_tape_segment_sum(t, z, count, e->start);
}

/* Entries by their point number `which`: index [rows], those of the first point of the first sample
 * first, and where each point's begin, [points + 1]. */
static const int *by_point(pl_tape *t, const entries *e, int which, int64_t count,
                           const int64_t *point, int64_t **start) {
  int m = e->class->points, *index = pl_tape_alloc(t, (size_t)e->rows, sizeof *index);
  int64_t all = point[count], *at = *start = pl_tape_alloc(t, (size_t)all + 2, sizeof *at);
  memset(at, 0, ((size_t)all + 2) * sizeof *at);
  /* at[p + 2] counts, then at[p + 1] is where the next entry of p goes, in the end its end. */
  for (int64_t i = 0; i < count; i++)
    for (int64_t r = e->start[i]; r < e->start[i + 1]; r++)
      at[point[i] + e->tuple[r * m + which] + 2]++;
  for (int64_t p = 2; p <= all; p++) at[p] += at[p - 1];
  for (int64_t i = 0; i < count; i++)
    for (int64_t r = e->start[i]; r < e->start[i + 1]; r++)
      index[at[point[i] + e->tuple[r * m + which] + 1]++] = (int)r;
  return index;
}

/* H of a class to one number for each point o.  Head number b < m takes the entries whose point b
 * is o, the last one those without o: all of the sample's less those. */
static pl_node *to_points(pl_tape *t, pl_node *const *w, const entries *e, pl_node *y,
                          int64_t count, const int64_t *point, const int *sample_of) {
  int m = e->class->points;
  pl_node *z = pl_tape_matmul_nt(t, y, pl_tape_rows(t, w[2], e->class->head, m + 1));
  pl_node *last = pl_tape_cols(t, z, m, 1);
  pl_node *sum =
      pl_tape_gather(t, pl_tape_segment_sum(t, last, count, e->start), point[count], sample_of);
  for (int b = 0; b < m; b++) {
    int64_t *start;
    const int *index = by_point(t, e, b, count, point, &start);
    pl_node *more = pl_tape_subtract(t, pl_tape_cols(t, z, b, 1), last);
    more = pl_tape_gather(t, more, e->rows, index);
    sum = pl_tape_add(t, sum, pl_tape_segment_sum(t, more, point[count], start));
  }
  return sum;
}

pl_node *tensor_outputs(const pl_net *net, pl_tape *t, pl_node *const *w, int64_t count,
                        const int *points, const double *const *matrix) {
  const tensor_values *v = tensor_values_of(&net->spec);
  tensor_class *class = pl_tape_alloc(t, TENSOR_MOST_CLASSES, sizeof *class);
  int num = tensor_classes((int)v->order, class);
  int64_t *point = pl_tape_alloc(t, (size_t)count + 1, sizeof *point);
  point[0] = 0;
  for (int64_t i = 0; i < count; i++) point[i + 1] = point[i] + points[i];
  int *sample_of = pl_tape_alloc(t, (size_t)point[count], sizeof *sample_of);
  for (int64_t i = 0; i < count; i++)
    for (int64_t p = point[i]; p < point[i + 1]; p++) sample_of[p] = (int)i;
  pl_node *f = NULL;
  for (int k = 0; k < num; k++) {
    entries e = entries_of(t, &class[k], count, points);
    pl_node *y = hidden(net, t, w, k, &e, count, points, matrix);
    pl_node *part = v->output == OUTPUT_INVARIANT ? to_samples(t, w, k, &e, y, count)
                                                  : to_points(t, w, &e, y, count, point, sample_of);
    f = f ? pl_tape_add(t, f, part) : part;
  }
  return pl_tape_add(t, f, w[3]);
}

pl_node *tensor_outputs_of(const pl_net *net, pl_tape *t, pl_node *const *w, const pl_take *take,
                           int64_t **start) {
  const pl_tensor_part *p = tensor_part(net, take->part);
  int *points = pl_tape_alloc(t, (size_t)take->count, sizeof *points);
  const double **matrix = pl_tape_alloc(t, (size_t)take->count, sizeof *matrix);
  int64_t at = 0, *begin = pl_tape_alloc(t, (size_t)take->count + 1, sizeof *begin);
  for (int64_t i = 0; i < take->count; i++) {
    points[i] = p->points[take->entry[i]];
    matrix[i] = p->w + p->matrix[take->entry[i]];
    begin[i] = at;
    at += tensor_values_of(&net->spec)->output == OUTPUT_INVARIANT ? 1 : points[i];
  }
  begin[take->count] = at;
  if (start) *start = begin;
  return tensor_outputs(net, t, w, take->count, points, matrix);
}

/* ---- the loss ---- */

/* The targets of a take, below each other; where they are known up to a sign, with the sign that is
 * nearer to f. */
static double *targets_of(const pl_net *net, pl_tape *t, const pl_node *f, const pl_take *take,
                          const int64_t *start) {
  const pl_tensor_part *p = tensor_part(net, take->part);
  double *y = pl_tape_alloc(t, (size_t)f->rows, sizeof *y);
  for (int64_t i = 0; i < take->count; i++) {
    int64_t k = take->entry[i];
    const double *from = p->y + (tensor_data(net)->of_points ? p->point[k] : k);
    double product = 0;
    for (int64_t r = start[i]; r < start[i + 1]; r++) product += f->value[r] * from[r - start[i]];
    double sign = tensor_data(net)->up_to_sign && product < 0 ? -1 : 1;
    for (int64_t r = start[i]; r < start[i + 1]; r++) y[r] = sign * from[r - start[i]];
  }
  return y;
}

/* (1/N) sum_i (1/n_i) sum_o (f_io - y_io)^2, o the points of a sample, or its one number. */
pl_node *tensor_objective(const pl_net *net, pl_tape *t, pl_node *const *w, const pl_take *take) {
  int64_t *start;
  pl_node *f = tensor_outputs_of(net, t, w, take, &start);
  double *share = pl_tape_alloc(t, (size_t)f->rows, sizeof *share);
  for (int64_t i = 0; i < take->count; i++)
    for (int64_t r = start[i]; r < start[i + 1]; r++)
      share[r] = 1 / ((double)take->total * (double)(start[i + 1] - start[i]));
  double *y = targets_of(net, t, f, take, start);
  pl_node *e = pl_tape_square(t, pl_tape_subtract(t, f, pl_tape_constant(t, f->rows, 1, y)));
  return pl_tape_sum(t, pl_tape_multiply(t, e, pl_tape_constant(t, f->rows, 1, share)));
}
