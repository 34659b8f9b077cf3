#include "tape/ops.h"
#include "table.h"

#include <string.h>

enum { ROW_MAX, SEGMENT_MAX, MAX_POOL };

/* Every entry of y is one entry of x, whose place (row by row; -1: none, y is 0) is kept: given the
 * places all of them are linear. */
static void place_map(const pl_node *y, const double *x, double *out, bool add) {
  const int64_t *place = y->saved;
  for (int64_t i = 0; i < pl_tape_count(y); i++)
    out[i] = (add ? out[i] : 0) + (place[i] < 0 ? 0 : x[place[i]]);
}

static void place_transposed(const pl_node *y, const double *dy, double *dx, bool add) {
  const int64_t *place = y->saved;
  if (!add) memset(dx, 0, (size_t)pl_tape_count(y->input[0]) * sizeof *dx);
  for (int64_t i = 0; i < pl_tape_count(y); i++)
    if (place[i] >= 0) dx[place[i]] += dy[i];
}

/* out_j, place_j: of the cols columns of one row of x, at entry `at`, if larger;
 * a NaN is, for it must not be lost. */
static void contend(int64_t cols, const double *x, int64_t at, double *out, int64_t *place) {
#pragma omp simd
  for (int64_t j = 0; j < cols; j++) {
    double a = x[at + j], b = out[j];
    int64_t old = place[j], better = (old < 0) | (a > b) | ((a != a) & (b == b));
    out[j] = better ? a : b;
    place[j] = better ? at + j : old;
  }
}

static int64_t *no_places(pl_tape *t, pl_node *y, double *out) {
  int64_t n = pl_tape_count(y), *place = pl_tape_alloc(t, (size_t)n, sizeof *place);
  for (int64_t i = 0; i < n; i++) place[i] = -1, out[i] = 0;
  y->saved = place;
  return place;
}

/* Place of the first entry that equals best; NaN: of the first NaN.  In strides, for a loop with an
 * exit is not vector code. */
static int64_t first_place(int64_t n, const double *x, double best) {
  enum { STRIDE = 16 };
  bool nan = best != best;
  int64_t j = 0;
  for (; j + STRIDE <= n; j += STRIDE) {
    double hits = 0;
#pragma omp simd reduction(+ : hits)
    for (int k = 0; k < STRIDE; k++)
      hits += (nan ? x[j + k] != x[j + k] : x[j + k] == best) ? 1 : 0;
    if (hits > 0) break;
  }
  while (nan ? x[j] == x[j] : x[j] != best) j++;
  return j;
}

static void row_max_forward(pl_tape *t, pl_node *y, double *out) {
  int64_t *place = no_places(t, y, out), cols = y->input[0]->cols;
  for (int64_t i = 0; i < y->rows && cols > 0; i++) {
    const double *x = y->input[0]->value + i * cols;
    double nans = 0;
#pragma omp simd reduction(+ : nans)
    for (int64_t j = 0; j < cols; j++) nans += x[j] != x[j] ? 1 : 0;
    out[i] = nans > 0 ? NAN : pl_largest(cols, x);
    place[i] = i * cols + first_place(cols, x, out[i]);
  }
}

static void segment_max_forward(pl_tape *t, pl_node *y, double *out) {
  const int64_t *start = *(const int64_t *const *)y->data, cols = y->cols;
  int64_t *place = no_places(t, y, out);
  for (int64_t s = 0; s < y->rows; s++)
    for (int64_t i = start[s]; i < start[s + 1]; i++)
      contend(cols, y->input[0]->value, i * cols, out + s * cols, place + s * cols);
}

static void max_pool_forward(pl_tape *t, pl_node *y, double *out) {
  const pl_tape_windows *w = y->data;
  int64_t *place = no_places(t, y, out), cols = y->cols, row = 0;
  int64_t down = pl_tape_windows_down(w), across = pl_tape_windows_across(w);
  for (int64_t n = 0; n < w->count; n++)
    for (int64_t i = 0; i < down; i++)
      for (int64_t j = 0; j < across; j++, row++)
        for (int64_t r = i * w->stride; r < i * w->stride + w->size; r++)
          for (int64_t c = j * w->stride; c < j * w->stride + w->size; c++) {
            int64_t pixel = (n * w->height + r) * w->width + c;
            contend(cols, y->input[0]->value, pixel * cols, out + row * cols, place + row * cols);
          }
}

/* y_i = x at the place of the first largest of its candidates; xbar there += ybar_i. */
const pl_tape_op pl_max_ops[] = {
    /* among x_ij over j */
    [ROW_MAX] = {"row_max", .forward = row_max_forward, .map = place_map,
                 .transposed = place_transposed},
    /* y_sj: among x_ij over the rows i of segment s */
    [SEGMENT_MAX] = {"segment_max", .forward = segment_max_forward, .map = place_map,
                     .transposed = place_transposed},
    /* y_wc: among x_pc over the pixels p of window w */
    [MAX_POOL] = {"max_pool", .forward = max_pool_forward, .map = place_map,
                  .transposed = place_transposed},
    {0},
};

pl_node *pl_tape_row_max(pl_tape *t, pl_node *x) {
  return pl_apply_one(t, &pl_max_ops[ROW_MAX], x->rows, 1, x, NULL, 0);
}
pl_node *pl_tape_segment_max(pl_tape *t, pl_node *x, int64_t segments, const int64_t *start) {
  pl_require_segments(x, segments, start);
  return pl_apply_one(t, &pl_max_ops[SEGMENT_MAX], segments, x->cols, x, &start, sizeof start);
}
pl_node *pl_tape_max_pool(pl_tape *t, pl_node *x, pl_tape_windows w) {
  return pl_apply_windows(t, &pl_max_ops[MAX_POOL], x, &w, w.channels);
}
