/* N-way K-shot classification of images: classes from IDX files, turned by quarters into more. */
#include "base/idx.h"
#include "base/mem.h"
#include "draw.h"
#include "keys.h"
#include "nets/meta/data.h"

#include <string.h>

enum { CLASSES, DRAWINGS }; /* sorts of numbers of a part */
enum { MOST_WAYS = 1000, MOST_SHOTS = 1000, QUARTERS = 4 };

typedef struct images {
  pl_idx_head head;
  unsigned char *pixels;
  int classes;         /* 1 + the largest label */
  int64_t *start, *of; /* images of class c: of[start[c]] .. of[start[c + 1] - 1] */
} images;

static void images_free(images *m) {
  pl_free(m->pixels);
  pl_free(m->start);
  pl_free(m->of);
  *m = (images){0};
}

/* ---- reading ---- */

/* Images by class, in the file's order. */
static void sort_classes(images *m, const int *label) {
  int64_t n = m->head.count;
  for (int64_t i = 0; i < n; i++)
    if (label[i] >= m->classes) m->classes = label[i] + 1;
  m->start = pl_zalloc((size_t)m->classes + 1, sizeof *m->start, "classes");
  m->of = pl_alloc((size_t)n, sizeof *m->of, "classes");
  for (int64_t i = 0; i < n; i++) m->start[label[i] + 1]++;
  for (int c = 0; c < m->classes; c++) m->start[c + 1] += m->start[c];
  int64_t *next = pl_alloc((size_t)m->classes, sizeof *next, "classes");
  memcpy(next, m->start, (size_t)m->classes * sizeof *next);
  for (int64_t i = 0; i < n; i++) m->of[next[label[i]]++] = i;
  pl_free(next);
}

static pl_status read_images(const pl_spec *spec, images *m, const char **key) {
  const meta_data_values *v = meta_data_of(spec);
  int64_t count = 0;
  int *label = NULL;
  *m = (images){0};
  *key = "data.path";
  pl_status st = pl_idx_read_pixels(v->path, &m->head, &m->pixels);
  if (!st) {
    *key = "data.labels";
    st = pl_idx_read_labels(v->labels, &count, &label);
  }
  if (!st && count != m->head.count)
    st = pl_error(PL_EINPUT, "%s: %lld labels for %lld images of %s", v->labels, (long long)count,
                  (long long)m->head.count, v->path);
  if (!st) sort_classes(m, label);
  pl_free(label);
  if (st) images_free(m);
  return st;
}

static pl_status begin(pl_tasks *t, const pl_comm *team) {
  images *m = t->own = pl_zalloc(1, sizeof *m, "images");
  const char *key;
  pl_status st = team->rank == 0 ? read_images(t->spec, m, &key) : PL_OK;
  PL_TRY(pl_agree(team, st));
  pl_comm_bcast(team, &m->head, sizeof m->head, 0);
  pl_comm_bcast(team, &m->classes, sizeof m->classes, 0);
  size_t n = (size_t)m->head.count, each = (size_t)(m->head.rows * m->head.cols);
  if (team->rank != 0) {
    m->pixels = pl_alloc(n, each, "images");
    m->start = pl_alloc((size_t)m->classes + 1, sizeof *m->start, "classes");
    m->of = pl_alloc(n, sizeof *m->of, "classes");
  }
  pl_comm_bcast(team, m->pixels, n * each, 0);
  pl_comm_bcast(team, m->start, ((size_t)m->classes + 1) * sizeof *m->start, 0);
  pl_comm_bcast(team, m->of, n * sizeof *m->of, 0);
  return PL_OK;
}

static void end(void *own) {
  images_free(own);
  pl_free(own);
}

static pl_status shape(const pl_spec *spec, pl_task_shape *out) {
  const meta_data_values *v = meta_data_of(spec);
  pl_idx_head head;
  PL_TRY(pl_idx_read_head(v->path, &head));
  *out = (pl_task_shape){{.features = head.rows * head.cols,
                          .outputs = v->ways,
                          .classes = true,
                          .height = head.rows,
                          .width = head.cols,
                          .channels = 1},
                         v->ways * v->shots,
                         v->ways * v->queries};
  return PL_OK;
}

/* ---- tasks ---- */

/* Numbers below n, all different, from number `from` of the stream on. */
static void choose(uint64_t seed, uint64_t stream, uint64_t from, int64_t n, int64_t count,
                   int64_t *out) {
  for (int64_t k = 0; k < count;) {
    int64_t one = pl_rng_below(seed, stream, from++, n);
    bool new = true;
    for (int64_t j = 0; j < k; j++) new &= out[j] != one;
    if (new) out[k++] = one;
  }
}

/* Pixels over 255, turned by quarters (square images). */
static void copy_image(const images *m, int64_t i, int64_t quarters, double *x) {
  int64_t rows = m->head.rows, cols = m->head.cols;
  const unsigned char *from = m->pixels + i * rows * cols;
  for (int64_t r = 0; r < rows; r++)
    for (int64_t c = 0; c < cols; c++) {
      int64_t p = r, q = c;
      for (int64_t k = 0; k < quarters; k++) {
        int64_t before = p;
        p = q;
        q = rows - 1 - before;
      }
      x[r * cols + c] = from[p * cols + q] / 255.0;
    }
}

/* Classes of the training and validation parts, and of the test part: the first one, their number.
 */
static void pool(const meta_data_values *v, int classes, pl_part part, int64_t *first,
                 int64_t *num) {
  bool split = v->classes != PL_UNSET;
  *first = split && part == PL_TEST ? v->classes : 0;
  *num = !split ? classes : part == PL_TEST ? classes - v->classes : v->classes;
}

static void make(const pl_tasks *t, pl_part part, int64_t i, double *x, double *y) {
  const meta_data_values *v = meta_data_of(t->spec);
  const images *m = t->own;
  uint64_t seed = pl_data_seed(t->spec);
  int64_t first, num, n = t->shape.sample.features, turns = v->rotations ? QUARTERS : 1;
  int64_t kind[MOST_WAYS], drawing[2 * MOST_SHOTS];
  pool(v, m->classes, part, &first, &num);
  choose(seed, draw_stream(part, CLASSES), (uint64_t)i << 24, num * turns, v->ways, kind);
  for (int64_t w = 0; w < v->ways; w++) {
    int64_t c = first + kind[w] / turns, count = v->shots + v->queries;
    choose(seed, draw_stream(part, DRAWINGS), (uint64_t)i << 40 | (uint64_t)w << 24,
           m->start[c + 1] - m->start[c], count, drawing);
    for (int64_t k = 0; k < count; k++) {
      int64_t at =
          k < v->shots ? w * v->shots + k : t->shape.support + w * v->queries + k - v->shots;
      copy_image(m, m->of[m->start[c] + drawing[k]], kind[w] % turns, x + at * n);
      y[at] = (double)w;
    }
  }
}

/* ---- checks ---- */

static pl_status check_classes(const pl_spec *spec, const images *m, const char **key) {
  const meta_data_values *v = meta_data_of(spec);
  int64_t need = v->shots + v->queries, first, num;
  *key = "data.rotations";
  if (v->rotations && m->head.rows != m->head.cols)
    return pl_error(PL_EINPUT, "images of %lld x %lld pixels cannot be turned: false",
                    (long long)m->head.rows, (long long)m->head.cols);
  *key = "data.train_classes";
  if (v->classes != PL_UNSET && v->classes >= m->classes)
    return pl_error(PL_EINPUT, "%lld, and %s has %d classes: none is left for the test part",
                    (long long)v->classes, v->labels, m->classes);
  *key = "data.ways";
  for (int p = 0; p < PL_NUM_PARTS; p++) {
    pool(v, m->classes, (pl_part)p, &first, &num);
    if (pl_data_count(spec, (pl_part)p) > 0 && num * (v->rotations ? QUARTERS : 1) < v->ways)
      return pl_error(PL_EINPUT, "%lld, and the %s part has %lld classes%s", (long long)v->ways,
                      pl_part_name((pl_part)p), (long long)num, v->rotations ? ", turned" : "");
  }
  *key = "data.queries";
  for (int c = 0; c < m->classes; c++)
    if (m->start[c + 1] - m->start[c] < need)
      return pl_error(PL_EINPUT,
                      "%s: class %d has %lld images, and a task needs %lld (data.shots "
                      "and data.queries)",
                      v->labels, c, (long long)(m->start[c + 1] - m->start[c]), (long long)need);
  return PL_OK;
}

static pl_status check(const pl_spec *spec, const char **key) {
  images m;
  PL_TRY(read_images(spec, &m, key));
  pl_status st = check_classes(spec, &m, key);
  images_free(&m);
  return st;
}

static const pl_key rows[] = {
    {"data.path", PL_KEY_TEXT, DATA_FIELD(path), DATA_ALL, .required = true, .path = true,
     .help = "IDX file of images, may be packed (.gz); pixels are divided by 255"},
    {"data.labels", PL_KEY_TEXT, DATA_FIELD(labels), DATA_ALL, .required = true, .path = true,
     .help = "IDX file of labels, bytes or integers of 16 bits: the classes"},
    {"data.ways", PL_KEY_INT, DATA_FIELD(ways), DATA_ALL, "5", .min = 2, .max = MOST_WAYS,
     .help = "classes of a task"},
    {"data.shots", PL_KEY_INT, DATA_FIELD(shots), DATA_ALL, "1", .min = 1, .max = MOST_SHOTS,
     .help = "samples that a task is adapted to; of fewshot, of each class"},
    {"data.queries", PL_KEY_INT, DATA_FIELD(queries), DATA_ALL, "5", .min = 1, .max = MOST_SHOTS,
     .help = "samples that it is then judged by; of fewshot, of each class"},
    {"data.train_classes", PL_KEY_INT, DATA_FIELD(classes), DATA_ALL, .min = 1, .max = 1e6,
     .help =
         "labels below it are the classes of training and validation tasks, the others those of "
         "test tasks (default: all are for all)"},
    {"data.rotations", PL_KEY_BOOL, DATA_FIELD(rotations), DATA_DRAWN, "true",
     .help = "images turned by 90, 180 and 270 degrees are classes of their own"},
};
static const pl_keys table = PL_KEYS(PL_IN_DATA, rows);
static const pl_keys *const keys[] = {&meta_size_keys, &table, NULL};

const pl_task_data pl_data_fewshot = {
    .base = {.name = "fewshot",
             .help = "few-shot classification of images from IDX files, of other classes in every "
                     "task",
             .keys = keys,
             .write_data = pl_tasks_write},
    .shape = shape,
    .check = check,
    .begin = begin,
    .end = end,
    .make = make,
};
