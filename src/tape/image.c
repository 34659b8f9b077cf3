#include "base/status.h"
#include "tape/ops.h"
#include "table.h"

#include <string.h>

enum { IM2COL, MEAN_POOL };

int64_t pl_tape_windows_down(const pl_tape_windows *w) {
  return (w->height + 2 * w->pad - w->size) / w->stride + 1;
}
int64_t pl_tape_windows_across(const pl_tape_windows *w) {
  return (w->width + 2 * w->pad - w->size) / w->stride + 1;
}

pl_node *pl_apply_windows(pl_tape *t, const pl_tape_op *op, pl_node *x, const pl_tape_windows *w,
                          int64_t cols) {
  pl_require(w->size > 0 && w->stride > 0 && w->pad >= 0 && w->pad < w->size);
  pl_require(w->size <= w->height + 2 * w->pad && w->size <= w->width + 2 * w->pad);
  pl_require(w->pad == 0 || op == &pl_image_ops[IM2COL]);
  pl_require(x->rows == w->count * w->height * w->width && x->cols == w->channels);
  int64_t windows = w->count * pl_tape_windows_down(w) * pl_tape_windows_across(w);
  return pl_apply_one(t, op, windows, cols, x, w, sizeof *w);
}

/* One row of a window's pixels: in the image it starts at entry `pixel`, whose first `before` and
 * last `after` entries lie outside. */
typedef struct strip {
  int64_t pixel, before, length, after;
} strip;

static strip strip_of(const pl_tape_windows *w, int64_t n, int64_t i, int64_t j, int64_t k) {
  int64_t r = i * w->stride + k - w->pad, c = j * w->stride - w->pad;
  int64_t first = c < 0 ? 0 : c, last = c + w->size < w->width ? c + w->size : w->width;
  strip s = {((n * w->height + r) * w->width + first) * w->channels, (first - c) * w->channels,
             (last - first) * w->channels, (c + w->size - last) * w->channels};
  if (r < 0 || r >= w->height) s = (strip){0, w->size * w->channels, 0, 0};
  return s;
}

static void zero_unless(bool add, int64_t n, double *at) {
  if (n > 0 && !add) memset(at, 0, (size_t)n * sizeof *at);
}

static void im2col_map(const pl_node *y, const double *x, double *out, bool add) {
  const pl_tape_windows *w = y->data;
  int64_t down = pl_tape_windows_down(w), across = pl_tape_windows_across(w);
  for (int64_t n = 0; n < w->count; n++)
    for (int64_t i = 0; i < down; i++)
      for (int64_t j = 0; j < across; j++)
        for (int64_t k = 0; k < w->size; k++) {
          strip s = strip_of(w, n, i, j, k);
          zero_unless(add, s.before, out);
          pl_copy_or_add(s.length, x + s.pixel, out + s.before, add);
          zero_unless(add, s.after, out + s.before + s.length);
          out += w->size * w->channels;
        }
}

static void im2col_transposed(const pl_node *y, const double *dy, double *dx, bool add) {
  const pl_tape_windows *w = y->data;
  int64_t down = pl_tape_windows_down(w), across = pl_tape_windows_across(w);
  zero_unless(add, pl_tape_count(y->input[0]), dx);
  for (int64_t n = 0; n < w->count; n++)
    for (int64_t i = 0; i < down; i++)
      for (int64_t j = 0; j < across; j++)
        for (int64_t k = 0; k < w->size; k++) {
          strip s = strip_of(w, n, i, j, k);
          pl_copy_or_add(s.length, dy + s.before, dx + s.pixel, true);
          dy += w->size * w->channels;
        }
}

/* to (+)= factor * from over the channels of one pixel. */
static void pixel_add(int64_t channels, double factor, const double *from, double *to) {
#pragma omp simd
  for (int64_t c = 0; c < channels; c++) to[c] += factor * from[c];
}

/* Every window with its pixels: forth, from pixels to windows, or back. */
static void mean_pool(const pl_node *y, const double *from, double *to, bool back) {
  const pl_tape_windows *w = y->data;
  int64_t down = pl_tape_windows_down(w), across = pl_tape_windows_across(w), row = 0;
  double share = 1 / (double)(w->size * w->size);
  for (int64_t n = 0; n < w->count; n++)
    for (int64_t i = 0; i < down; i++)
      for (int64_t j = 0; j < across; j++, row++)
        for (int64_t r = i * w->stride; r < i * w->stride + w->size; r++)
          for (int64_t c = j * w->stride; c < j * w->stride + w->size; c++) {
            int64_t pixel = ((n * w->height + r) * w->width + c) * y->cols, window = row * y->cols;
            pixel_add(y->cols, share, from + (back ? window : pixel), to + (back ? pixel : window));
          }
}

static void mean_pool_map(const pl_node *y, const double *x, double *out, bool add) {
  zero_unless(add, pl_tape_count(y), out);
  mean_pool(y, x, out, false);
}

static void mean_pool_transposed(const pl_node *y, const double *dy, double *dx, bool add) {
  zero_unless(add, pl_tape_count(y->input[0]), dx);
  mean_pool(y, dy, dx, true);
}

/* Linear.  Window w, its pixels p(w, k), k = 0 .. size^2 - 1, channel c. */
const pl_tape_op pl_image_ops[] = {
    /* y_{w (k c)} = x_{p(w, k) c}, 0 outside the image */
    [IM2COL] = {"im2col", .map = im2col_map, .transposed = im2col_transposed},
    /* y_wc = (1/size^2) sum_k x_{p(w, k) c} */
    [MEAN_POOL] = {"mean_pool", .map = mean_pool_map, .transposed = mean_pool_transposed},
    {0},
};

pl_node *pl_tape_im2col(pl_tape *t, pl_node *x, pl_tape_windows w) {
  return pl_apply_windows(t, &pl_image_ops[IM2COL], x, &w, w.size * w.size * w.channels);
}
pl_node *pl_tape_mean_pool(pl_tape *t, pl_node *x, pl_tape_windows w) {
  return pl_apply_windows(t, &pl_image_ops[MEAN_POOL], x, &w, w.channels);
}
