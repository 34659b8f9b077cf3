/* Images of all classes, or of some, from IDX files. */
#include "base/mem.h"
#include "base/rng.h"
#include "base/idx.h"
#include "keys.h"
#include "nets/vector/data.h"

#include <string.h>

enum { CHOICE = 0x7ffffff4 }; /* stream of the order in which images are taken */

/* Which images of a pair of files have a wanted label. */
typedef struct listing {
  int64_t num;
  int64_t *image; /* [num], in the file's order */
  int *label;     /* [num]: class */
  int classes;
} listing;

static void listing_free(listing *l) {
  pl_free(l->image);
  pl_free(l->label);
  *l = (listing){0};
}

/* The class of a label; -1: not wanted. */
static int class_of(const pl_ints *digits, int label) {
  if (digits->n == 0) return label;
  for (int k = 0; k < digits->n; k++)
    if (digits->v[k] == label) return k;
  return -1;
}

/* Each of the digits asked for has an image to learn from. */
static pl_status all_there(const pl_ints *digits, const char *labels, const listing *l) {
  for (int k = 0; k < digits->n; k++) {
    int64_t i = 0;
    while (i < l->num && l->label[i] != k) i++;
    if (i == l->num)
      return pl_error(PL_EINPUT, "%s: no image has the label %lld of data.digits", labels,
                      (long long)digits->v[k]);
  }
  return PL_OK;
}

static pl_status list_images(const pl_spec *spec, bool test, listing *l) {
  const vector_data_values *v = vector_data_of(spec);
  const char *path = test ? v->test_path : v->path, *labels = test ? v->test_labels : v->labels;
  pl_idx_head head;
  int64_t count;
  int *label;
  *l = (listing){0};
  PL_TRY(pl_idx_read_head(path, &head));
  pl_status st = pl_idx_read_labels(labels, &count, &label);
  if (!st && count != head.count)
    st = pl_error(PL_EINPUT, "%s: %lld labels for %lld images of %s", labels, (long long)count,
                  (long long)head.count, path);
  if (!st) {
    l->image = pl_alloc((size_t)count, sizeof *l->image, "images");
    l->label = pl_alloc((size_t)count, sizeof *l->label, "images");
    l->classes = v->digits.n;
  }
  for (int64_t i = 0; i < count && !st; i++) {
    int c = class_of(&v->digits, label[i]);
    if (c < 0) continue;
    l->image[l->num] = i;
    l->label[l->num++] = c;
    if (c >= l->classes) l->classes = c + 1;
  }
  pl_free(label);
  if (!st && !test) st = all_there(&v->digits, labels, l);
  return st;
}

/* ---- parts ---- */

static int64_t given(int64_t value, int64_t otherwise) {
  return value == PL_UNSET ? otherwise : value;
}

/* How many of the images of the first pair, and of the second if there is one, each part takes. */
static void count_parts(const pl_spec *spec, int64_t first, int64_t second,
                        int64_t num[PL_NUM_PARTS]) {
  const pl_common *c = &spec->common;
  bool pair = vector_data_of(spec)->test_path != NULL;
  num[PL_VALIDATION] = given(c->validation, 0);
  num[PL_TEST] = given(c->test, pair ? second : 0);
  int64_t left = first - num[PL_VALIDATION] - (pair ? 0 : num[PL_TEST]);
  num[PL_TRAIN] = given(c->samples, left > 0 ? left : 0);
}

static int64_t count(const pl_spec *spec, pl_part part) {
  listing a = {0}, b = {0};
  int64_t num[PL_NUM_PARTS] = {0};
  pl_status st = list_images(spec, false, &a);
  if (!st && vector_data_of(spec)->test_path) st = list_images(spec, true, &b);
  if (!st) count_parts(spec, a.num, b.num, num);
  listing_free(&a);
  listing_free(&b);
  return num[part];
}

static pl_status shape(const pl_spec *spec, pl_vector_shape *out) {
  pl_idx_head head;
  listing l;
  PL_TRY(pl_idx_read_head(vector_data_of(spec)->path, &head));
  pl_status st = list_images(spec, false, &l);
  *out = (pl_vector_shape){.features = head.rows * head.cols,
                           .outputs = l.classes,
                           .classes = true,
                           .height = head.rows,
                           .width = head.cols,
                           .channels = 1};
  listing_free(&l);
  return st;
}

/* The images in the order in which parts take them: the file's, where all go to training, or
 * drawn. */
static void arrange(const pl_spec *spec, bool drawn, listing *l) {
  uint64_t seed = pl_data_seed(spec), stream = PL_STREAM(PL_STREAM_MISC, CHOICE);
  for (int64_t i = 0; i < l->num && drawn; i++) {
    int64_t j = i + pl_rng_below(seed, stream, (uint64_t)i, l->num - i), image = l->image[i];
    int label = l->label[i];
    l->image[i] = l->image[j];
    l->label[i] = l->label[j];
    l->image[j] = image;
    l->label[j] = label;
  }
}

static pl_status samples(const pl_spec *spec, const pl_vector_shape *s, pl_part part, int64_t num,
                         double *x, double *y) {
  const vector_data_values *v = vector_data_of(spec);
  bool second = part == PL_TEST && v->test_path;
  int64_t parts[PL_NUM_PARTS], n = s->features;
  listing l;
  pl_idx_head head;
  unsigned char *pixels = NULL;
  pl_status st = list_images(spec, second, &l);
  count_parts(spec, l.num, 0, parts);
  int64_t first = second || part == PL_TRAIN ? 0
                  : part == PL_VALIDATION    ? parts[PL_TRAIN]
                                             : parts[PL_TRAIN] + parts[PL_VALIDATION];
  if (!st) st = pl_idx_read_pixels(second ? v->test_path : v->path, &head, &pixels);
  if (!st && (head.rows * head.cols != n || first + num > l.num))
    st = pl_error(PL_EINPUT, "%s: has changed while it was read", v->path);
  if (!st) arrange(spec, (second ? num : parts[PL_TRAIN]) < l.num, &l);
  for (int64_t i = 0; i < num && !st; i++) {
    const unsigned char *from = pixels + l.image[first + i] * n;
    for (int64_t k = 0; k < n; k++) x[i * n + k] = from[k] / 255.0;
    y[i] = l.label[first + i];
  }
  pl_free(pixels);
  listing_free(&l);
  return st;
}

/* ---- checks ---- */

static const char *fits(const pl_spec *spec) {
  const vector_data_values *v = vector_data_of(spec);
  const pl_ints *d = &v->digits;
  if (!v->test_path != !v->test_labels) {
    pl_error(PL_EINPUT, "needs %s beside it", v->test_path ? "data.test_labels" : "data.test_path");
    return v->test_path ? "data.test_path" : "data.test_labels";
  }
  bool repeated = false;
  for (int i = 0; i < d->n; i++)
    for (int k = 0; k < i; k++) repeated |= d->v[i] == d->v[k];
  if (d->n != 1 && !repeated) return NULL;
  pl_error(PL_EINPUT, "expected at least two labels, all different, or none for all");
  return "data.digits";
}

/* One pair of files; *num: wanted images.  *key as they may be at fault. */
static pl_status check_pair(const pl_spec *spec, bool test, const pl_idx_head *like, int64_t *num,
                            pl_idx_head *head, const char **key) {
  const vector_data_values *v = vector_data_of(spec);
  unsigned char *pixels;
  listing l;
  *key = test ? "data.test_path" : "data.path";
  pl_status st = pl_idx_read_pixels(test ? v->test_path : v->path, head, &pixels);
  pl_free(pixels);
  if (!st && like && (head->rows != like->rows || head->cols != like->cols))
    st =
        pl_error(PL_EINPUT, "%s: images of %lld x %lld pixels, those of data.path have %lld x %lld",
                 v->test_path, (long long)head->rows, (long long)head->cols, (long long)like->rows,
                 (long long)like->cols);
  if (st) return st;
  *key = test ? "data.test_labels" : "data.labels";
  st = list_images(spec, test, &l);
  *num = l.num;
  if (!st && !test && l.classes < 2)
    st = pl_error(PL_EINPUT, "%s: every label is 0, expected two or more", v->labels);
  listing_free(&l);
  return st;
}

static pl_status too_few(const char *path, int64_t want, int64_t have) {
  return pl_error(PL_EINPUT, "the parts need %lld images of the wanted labels, %s has %lld",
                  (long long)want, path, (long long)have);
}

static pl_status check(const pl_spec *spec, const char **key) {
  const vector_data_values *v = vector_data_of(spec);
  int64_t first = 0, second = 0, num[PL_NUM_PARTS];
  pl_idx_head head, other;
  pl_vector_shape s, t = {0};
  PL_TRY(check_pair(spec, false, NULL, &first, &head, key));
  if (v->test_path) PL_TRY(check_pair(spec, true, &head, &second, &other, key));
  count_parts(spec, first, second, num);
  *key = "data.samples";
  int64_t want = num[PL_TRAIN] + num[PL_VALIDATION] + (v->test_path ? 0 : num[PL_TEST]);
  if (want > first || num[PL_TRAIN] == 0) return too_few(v->path, want + !num[PL_TRAIN], first);
  *key = "data.test";
  if (v->test_path && num[PL_TEST] > second) return too_few(v->test_path, num[PL_TEST], second);
  if (!v->test_path) return PL_OK;
  PL_TRY(shape(spec, &s));
  listing l;
  *key = "data.test_labels";
  PL_TRY(list_images(spec, true, &l));
  t.outputs = l.classes;
  listing_free(&l);
  if (t.outputs > s.outputs)
    return pl_error(PL_EINPUT, "%s: label %lld is none of those in %s", v->test_labels,
                    (long long)t.outputs - 1, v->labels);
  return PL_OK;
}

static const pl_key rows[] = {
    {"data.path", PL_KEY_TEXT, DATA_FIELD(path), DATA_ALL, .required = true, .path = true,
     .help = "IDX file of images, may be packed (.gz); pixels are divided by 255"},
    {"data.labels", PL_KEY_TEXT, DATA_FIELD(labels), DATA_ALL, .required = true, .path = true,
     .help = "IDX file of labels"},
    {"data.test_path", PL_KEY_TEXT, DATA_FIELD(test_path), DATA_ALL, .path = true,
     .help = "IDX file of images for the test part, beside data.test_labels (default: taken from "
             "data.path)"},
    {"data.test_labels", PL_KEY_TEXT, DATA_FIELD(test_labels), DATA_ALL, .path = true,
     .help = "IDX file of their labels"},
    {"data.digits", PL_KEY_INTS, DATA_FIELD(digits), DATA_ALL, "", .min = 0, .max = 255,
     .help = "the labels that become classes 0, 1, ..; the other images are left out (default: "
             "all, a label being its class)"},
};
static const pl_key size_rows[] = {
    {"data.samples", PL_KEY_INT, offsetof(pl_common, samples), DATA_ALL, .min = 1, .max = 1e6,
     .help = "images of the training part (default: all that the others leave)"},
    {"data.validation", PL_KEY_INT, offsetof(pl_common, validation), DATA_ALL, "0", .min = 0,
     .max = 1e6, .help = "other images of data.path, for the validation part"},
    {"data.test", PL_KEY_INT, offsetof(pl_common, test), DATA_ALL, .min = 0, .max = 1e6,
     .help = "images of the test part (default: all of data.test_path, or none)"},
};
static const pl_keys table = PL_KEYS(PL_IN_DATA, rows);
static const pl_keys sizes = PL_KEYS(PL_IN_COMMON, size_rows);
static const pl_keys *const keys[] = {&sizes, &table, NULL};

const pl_vector_data pl_data_images = {
    .base = {.name = "images",
             .help = "images from IDX files (MNIST), chosen at random where not all are taken",
             .keys = keys,
             .fits = fits,
             .count = count,
             .write_data = pl_vectors_write},
    .shape = shape,
    .check = check,
    .samples = samples,
};
