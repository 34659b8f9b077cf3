#include "tape/ops.h"
#include "rows.h"
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

static void row_max_forward(pl_tape *t, pl_node *y, double *out) {
  int64_t *place = no_places(t, y, out), cols = y->input[0]->cols;
  for (int64_t i = 0; i < y->rows && cols > 0; i++) {
    const double *x = y->input[0]->value + i * cols;
    int64_t room = (y->rows - i) * cols;
    place[i] = pl_row_place(cols, room, x, pl_row_largest(cols, room, x));
    out[i] = x[place[i]];
    place[i] += i * cols;
  }
}

/* down > 0 lines of across > 0 rows of x, each of cols numbers; line: from one line to the next. */
typedef struct rectangle {
  int64_t down, across, line, cols;
} rectangle;

/* As many columns as w registers have, over the rows of a rectangle that begins at entry `at`. */
PL_ROW_INLINE void tallest(int w, rectangle of, const double *x, int64_t at, double *out,
                           int64_t *place) {
  pl_lanes most[4];
  pl_marks where[4];
#pragma GCC unroll 4
  for (int u = 0; u < w; u++)
    most[u] = pl_lanes_at(x + at + u * PL_LANES), where[u] = (pl_marks){0};
  for (int64_t r = 0; r < of.down; r++)
    for (int64_t c = r == 0; c < of.across; c++) {
      int64_t offset = r * of.line + c * of.cols;
      pl_marks row = (pl_marks){0} + offset;
#pragma GCC unroll 4
      for (int u = 0; u < w; u++) {
        pl_lanes v = pl_lanes_at(x + at + offset + u * PL_LANES);
        pl_marks better = ~(v <= most[u]) & (most[u] == most[u]); /* NaN is, and stays */
        most[u] = pl_lanes_select(better, v, most[u]);
        where[u] = (better & row) | (~better & where[u]);
      }
    }
#pragma GCC unroll 4
  for (int u = 0; u < w; u++) {
    *(pl_lanes *)(out + u * PL_LANES) = most[u];
    for (int k = 0; k < PL_LANES; k++)
      place[u * PL_LANES + k] = at + where[u][k] + u * PL_LANES + k;
  }
}

/* All columns. */
static void rectangle_max(rectangle of, const double *x, int64_t at, double *out, int64_t *place) {
  int64_t j = 0;
  for (; j + 4 * PL_LANES <= of.cols; j += 4 * PL_LANES)
    tallest(4, of, x, at + j, out + j, place + j);
  for (; j + PL_LANES <= of.cols; j += PL_LANES) tallest(1, of, x, at + j, out + j, place + j);
  for (int64_t r = 0; r < of.down && j < of.cols; r++)
    for (int64_t c = 0; c < of.across; c++)
      contend(of.cols - j, x, at + r * of.line + c * of.cols + j, out + j, place + j);
}

static void segment_max_forward(pl_tape *t, pl_node *y, double *out) {
  const int64_t *start = *(const int64_t *const *)y->data, cols = y->cols;
  int64_t *place = no_places(t, y, out);
  for (int64_t s = 0; s < y->rows; s++)
    if (start[s + 1] > start[s])
      rectangle_max((rectangle){1, start[s + 1] - start[s], 0, cols}, y->input[0]->value,
                    start[s] * cols, out + s * cols, place + s * cols);
}

/* Every entry of x once, in order. */
static void segment_max_transposed(const pl_node *y, const double *dy, double *dx, bool add) {
  const int64_t *start = *(const int64_t *const *)y->data, cols = y->cols;
  for (int64_t s = 0; s < y->rows; s++) {
    const int64_t *place = (const int64_t *)y->saved + s * cols;
    for (int64_t i = start[s]; i < start[s + 1]; i++)
#pragma omp simd
      for (int64_t j = 0; j < cols; j++) {
        double moved = place[j] == i * cols + j ? dy[s * cols + j] : 0;
        dx[i * cols + j] = (add ? dx[i * cols + j] : 0) + moved;
      }
  }
}

static void max_pool_forward(pl_tape *t, pl_node *y, double *out) {
  const pl_tape_windows *w = y->data;
  int64_t *place = no_places(t, y, out), cols = y->cols, row = 0;
  int64_t down = pl_tape_windows_down(w), across = pl_tape_windows_across(w);
  const rectangle window = {w->size, w->size, w->width * cols, cols};
  for (int64_t n = 0; n < w->count; n++)
    for (int64_t i = 0; i < down; i++)
      for (int64_t j = 0; j < across; j++, row++) {
        int64_t pixel = (n * w->height + i * w->stride) * w->width + j * w->stride;
        rectangle_max(window, y->input[0]->value, pixel * cols, out + row * cols,
                      place + row * cols);
      }
}

/* y_i = x at the place of the first largest of its candidates; xbar there += ybar_i. */
const pl_tape_op pl_max_ops[] = {
    /* among x_ij over j */
    [ROW_MAX] = {"row_max", .forward = row_max_forward, .map = place_map,
                 .transposed = place_transposed},
    /* y_sj: among x_ij over the rows i of segment s */
    [SEGMENT_MAX] = {"segment_max", .forward = segment_max_forward, .map = place_map,
                     .transposed = segment_max_transposed},
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
