#include "idx.h"

#include "base/idx.h"
#include "base/mem.h"
#include "base/norm.h"
#include "base/rng.h"
#include "nets/group/keys.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { CHOICE = 0x7ffffff2 };

typedef struct idx {
  pl_idx_head head;
  unsigned char *pixels;
  int *labels;
} idx;

static void idx_close(idx *f) {
  pl_free(f->pixels);
  pl_free(f->labels);
}

static pl_status idx_open(const pl_spec *spec, idx *f, const char **key) {
  const pl_group_data_values *v = pl_group_data_of(spec);
  int64_t labels;
  *f = (idx){0};
  *key = "data.path";
  pl_status st = pl_idx_read_pixels(v->path, &f->head, &f->pixels);
  if (!st) {
    *key = "data.labels";
    st = pl_idx_read_labels(v->labels, &labels, &f->labels);
  }
  if (!st && labels != f->head.count)
    st = pl_error(PL_EINPUT, "%s: %lld labels for %lld images", v->labels, (long long)labels,
                  (long long)f->head.count);
  if (st) idx_close(f);
  return st;
}

/* ---- onto the group ---- */

/* m and the number of symmetries beside the translations: C_m x C_m (1), p4_m (4), p4m_m and
 * C_m x C_m x D_4 (8).  m = 0: another group. */
static int64_t side_of(const pl_group *g, int *symmetries) {
  const char *spec = pl_group_spec(g);
  long long a, b = 0;
  int end = 0;
  *symmetries = 1;
  if (sscanf(spec, "C_%lld x C_%lld%n", &a, &b, &end) == 2 && a == b) {
    if (!spec[end]) return a;
    *symmetries = 8;
    if (!strcmp(spec + end, " x D_4")) return a;
  }
  *symmetries = 4;
  if (sscanf(spec, "p4_%lld%n", &a, &end) == 1 && !spec[end]) return a;
  *symmetries = 8;
  if (sscanf(spec, "p4m_%lld%n", &a, &end) == 1 && !spec[end]) return a;
  return 0;
}

/* Overlap of target pixel i of m with source pixel k of n, in source pixels. */
static double overlap(int64_t i, int64_t m, int64_t k, int64_t n) {
  double from = fmax((double)k, (double)(i * n) / (double)m);
  double to = fmin((double)k + 1, (double)((i + 1) * n) / (double)m);
  return fmax(0, to - from);
}

/* The image whose pixels are means of the original over theirs; out: m x m. */
static void resize(const pl_idx_head *f, const unsigned char *pixels, int64_t m, double *out) {
  double area = (double)(f->rows * f->cols) / (double)(m * m) * 255;
  for (int64_t i = 0; i < m; i++)
    for (int64_t j = 0; j < m; j++) {
      double sum = 0;
      for (int64_t r = i * f->rows / m; r < f->rows && r * m < (i + 1) * f->rows; r++)
        for (int64_t c = j * f->cols / m; c < f->cols && c * m < (j + 1) * f->cols; c++)
          sum += overlap(i, m, r, f->rows) * overlap(j, m, c, f->cols) * pixels[r * f->cols + c];
      out[i * m + j] = sum / area;
    }
}

/* x(a, b, h) = (h image)(a, b): h = r^k turns it k quarters, s r^k then mirrors it. */
static void place(int64_t m, int symmetries, const double *image, double *x) {
  for (int64_t a = 0; a < m; a++)
    for (int64_t b = 0; b < m; b++)
      for (int h = 0; h < symmetries; h++) {
        int64_t i = a, j = h < 4 ? b : m - 1 - b;
        for (int k = 0; k < h % 4; k++) {
          int64_t turned = m - 1 - i;
          i = j;
          j = turned;
        }
        x[(a * m + b) * symmetries + h] = image[i * m + j];
      }
}

/* ---- which images ---- */

/* Images with this label, in the file's order; returns their number. */
static int64_t members(const idx *f, int64_t label, int64_t *out) {
  int64_t n = 0;
  for (int64_t i = 0; i < f->head.count; i++)
    if (f->labels[i] == label) out[n++] = i;
  return n;
}

pl_status idx_check(const pl_spec *spec, const pl_group *g, const char **key) {
  const pl_group_data_values *v = pl_group_data_of(spec);
  int64_t samples = spec->common.samples;
  int symmetries;
  idx f;
  *key = "group";
  if (side_of(g, &symmetries) == 0)
    return pl_error(PL_EINPUT, "images fit C_m x C_m, p4_m, p4m_m and C_m x C_m x D_4, not %s",
                    pl_group_spec(g));
  PL_TRY(idx_open(spec, &f, key));
  int64_t *list = pl_alloc((size_t)f.head.count, sizeof *list, "images");
  pl_status st = PL_OK;
  for (int k = 0; k < 2 && !st; k++) {
    int64_t have = members(&f, v->digits.v[k], list);
    int64_t want = (samples + 1 - k) / 2;
    *key = "data.samples";
    if (have < want)
      st = pl_error(PL_EINPUT, "%lld samples need %lld images of %lld, %s has %lld",
                    (long long)samples, (long long)want, (long long)v->digits.v[k], v->path,
                    (long long)have);
  }
  pl_free(list);
  idx_close(&f);
  return st;
}

pl_status idx_read(const pl_spec *spec, const pl_group *g, uint64_t seed, double *x) {
  const pl_group_data_values *v = pl_group_data_of(spec);
  int symmetries;
  int64_t m = side_of(g, &symmetries), order = pl_group_order(g);
  const char *key;
  idx f;
  PL_TRY(idx_open(spec, &f, &key));
  int64_t pixels = f.head.rows * f.head.cols;
  double *image = pl_alloc((size_t)(m * m), sizeof *image, "an image");
  int64_t *list = pl_alloc((size_t)f.head.count, sizeof *list, "images");
  pl_status st = PL_OK;
  for (int k = 0; k < 2 && !st; k++) {
    int64_t have = members(&f, v->digits.v[k], list);
    for (int64_t i = k, n = 0; i < spec->common.samples && !st; i += 2, n++) {
      /* Drawn without replacement: the rest of the list is what is left. */
      int64_t at =
          n + pl_rng_below(seed, PL_STREAM(PL_STREAM_MISC, CHOICE + k), (uint64_t)n, have - n);
      int64_t chosen = list[at];
      list[at] = list[n];
      resize(&f.head, f.pixels + chosen * pixels, m, image);
      if (pl_sum_squares(m * m, image) == 0)
        st = pl_error(PL_EINPUT, "%s: image %lld is blank", v->path, (long long)chosen);
      place(m, symmetries, image, x + i * order);
    }
  }
  pl_free(image);
  pl_free(list);
  idx_close(&f);
  return st;
}
