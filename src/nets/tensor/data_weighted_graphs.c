/* Complete graphs, cycles, paths, stars and wheels with random weights (Keriven and Peyré). */
#include "base/blas.h"
#include "base/mem.h"
#include "base/rng.h"
#include "keys.h"
#include "nets/tensor/data.h"

#include <math.h>
#include <string.h>

/* ---- graphs ---- */

static bool complete(int n, int i, int j) {
  return n > 0 && i != j;
}
static bool path(int n, int i, int j) {
  return n > 0 && j == i + 1;
}
static bool cycle(int n, int i, int j) {
  return j == i + 1 || (i == 0 && j == n - 1);
}
static bool star(int n, int i, int j) {
  return n > 0 && i == 0 && j > 0;
}
static bool wheel(int n, int i, int j) {
  return i == 0 || j == i + 1 || (i == 1 && j == n - 1);
}

/* Is {i, j}, i < j, an edge?  Samples take the kinds in turn. */
static bool (*const kinds[])(int n, int i, int j) = {complete, cycle, path, star, wheel};
enum { KINDS = sizeof kinds / sizeof *kinds };

/* Edges have weights uniform on (0, 1); the rest of w is 0. */
static void draw(uint64_t seed, pl_part part, int64_t sample, int64_t kind, int n, double *w) {
  for (int i = 0; i < n; i++)
    for (int j = i + 1; j < n; j++) {
      if (!kinds[kind](n, i, j)) continue;
      int64_t pair = sample * PL_TENSOR_MOST_POINTS * PL_TENSOR_MOST_POINTS + (int64_t)i * n + j;
      w[i * n + j] = w[j * n + i] =
          pl_rng_uniform(seed, PL_STREAM(PL_STREAM_SAMPLE, part), (uint64_t)pair);
    }
}

/* ---- targets ---- */

/* Of every point, the length of the longest shortest path from it (Floyd, Warshall); room: [n][n].
 */
static void eccentricities(int n, const double *w, double *room, double *out) {
  for (int i = 0; i < n; i++)
    for (int j = 0; j < n; j++)
      room[i * n + j] = i == j ? 0 : w[i * n + j] > 0 ? w[i * n + j] : INFINITY;
  for (int k = 0; k < n; k++)
    for (int i = 0; i < n; i++)
      for (int j = 0; j < n; j++)
        room[i * n + j] = fmin(room[i * n + j], room[i * n + k] + room[k * n + j]);
  for (int i = 0; i < n; i++) {
    out[i] = 0;
    for (int j = 0; j < n; j++) out[i] = fmax(out[i], room[i * n + j]);
  }
}

/* The eigenvector of norm 1 of the largest eigenvalue, its sum positive; room: [n][n]. */
static pl_status top_eigenvector(int n, const double *w, double *room, double *out) {
  int lwork = 1 + 6 * n + 2 * n * n, liwork = 3 + 5 * n, info;
  double *value = pl_alloc((size_t)n, sizeof *value, "eigenvalues");
  double *work = pl_alloc((size_t)lwork, sizeof *work, "eigenvalues"), sum = 0;
  int *iwork = pl_alloc((size_t)liwork, sizeof *iwork, "eigenvalues");
  memcpy(room, w, (size_t)n * (size_t)n * sizeof *room);
  dsyevd_("V", "L", &n, room, &n, value, work, &lwork, iwork, &liwork, &info, 1, 1);
  for (int i = 0; i < n; i++) sum += room[(n - 1) * n + i];
  for (int i = 0; i < n; i++) out[i] = copysign(1, sum) * room[(n - 1) * n + i];
  pl_free(value);
  pl_free(work);
  pl_free(iwork);
  return info ? pl_error(PL_NUMERIC, "weighted-graphs: no eigenvectors") : PL_OK;
}

static int64_t quantity_of(const pl_spec *spec) {
  int64_t told = tensor_data_of(spec)->quantity;
  if (told != PL_UNSET) return told;
  return tensor_values_of(spec)->output == OUTPUT_INVARIANT ? QUANTITY_DIAMETER
                                                            : QUANTITY_ECCENTRICITY;
}

static pl_status target(int64_t quantity, int n, const double *w, double *room, double *y) {
  if (quantity == QUANTITY_EIGENVECTOR) return top_eigenvector(n, w, room, y);
  if (quantity == QUANTITY_ECCENTRICITY) {
    eccentricities(n, w, room, y);
    return PL_OK;
  }
  double each[PL_TENSOR_MOST_POINTS];
  eccentricities(n, w, room, each);
  *y = 0;
  for (int i = 0; i < n; i++) *y = fmax(*y, each[i]);
  return PL_OK;
}

/* ---- the kind of data ---- */

static const pl_ints *sizes_of(const pl_spec *spec, pl_part part) {
  const tensor_data_values *v = tensor_data_of(spec);
  return part == PL_TEST && v->test_sizes.n > 0 ? &v->test_sizes : &v->sizes;
}

static pl_status sizes(const pl_spec *spec, pl_part part, int64_t num, bool *of_points,
                       int *points) {
  const pl_ints *list = sizes_of(spec, part);
  *of_points = quantity_of(spec) != QUANTITY_DIAMETER;
  for (int64_t i = 0; i < num; i++) points[i] = (int)list->v[i % list->n];
  return PL_OK;
}

static pl_status samples(const pl_spec *spec, pl_part part, pl_tensor_part *out) {
  const pl_ints *list = sizes_of(spec, part);
  int64_t quantity = quantity_of(spec), most = 0;
  for (int k = 0; k < list->n; k++)
    if (list->v[k] > most) most = list->v[k];
  double *room = pl_alloc((size_t)(most * most), sizeof *room, "distances");
  pl_status st = PL_OK;
  for (int64_t i = 0; i < out->num && !st; i++) {
    double *w = out->w + out->matrix[i];
    draw(pl_data_seed(spec), part, i, i / list->n % KINDS, out->points[i], w);
    st = target(quantity, out->points[i], w, room,
                out->y + (quantity == QUANTITY_DIAMETER ? i : out->point[i]));
  }
  pl_free(room);
  return st;
}

static bool up_to_sign(const pl_spec *spec) {
  return quantity_of(spec) == QUANTITY_EIGENVECTOR;
}

static const char *fits(const pl_spec *spec) {
  if (tensor_data_of(spec)->sizes.n == 0) {
    pl_error(PL_EINPUT, "expected at least one size");
    return "data.sizes";
  }
  bool one = quantity_of(spec) == QUANTITY_DIAMETER;
  if (one == (tensor_values_of(spec)->output == OUTPUT_INVARIANT)) return NULL;
  pl_error(PL_EINPUT, one ? "diameter is one number: for model.output invariant"
                          : "a number for each point: for model.output equivariant");
  return "data.quantity";
}

PL_WORDS(quantities, "diameter", "eccentricity", "eigenvector")

static const pl_key rows[] = {
    {"data.sizes", PL_KEY_INTS, DATA_FIELD(sizes), DATA_ALL, "[5]", .min = 4,
     .max = PL_TENSOR_MOST_POINTS, .help = "points of the graphs, which take these in turn"},
    {"data.test_sizes", PL_KEY_INTS, DATA_FIELD(test_sizes), DATA_ALL, "", .min = 4,
     .max = PL_TENSOR_MOST_POINTS, .help = "of the test part (default: as data.sizes)"},
    {"data.quantity", PL_KEY_CHOICE, DATA_FIELD(quantity), DATA_ALL, .choice = quantities,
     .help = "the target: weighted diameter; or, of each point, eccentricity or entry of the top "
             "eigenvector, whose sign is free (default: diameter, eccentricity by model.output)"},
};
static const pl_keys table = PL_KEYS(PL_IN_DATA, rows);
static const pl_keys *const keys[] = {&pl_size_keys, &table, NULL};

const pl_tensor_data pl_data_weighted_graphs = {
    .base = {.name = "weighted-graphs",
             .help = "complete graphs, cycles, paths, stars, wheels with random weights",
             .keys = keys,
             .fits = fits,
             .write_data = pl_tensors_write},
    .sizes = sizes,
    .samples = samples,
    .up_to_sign = up_to_sign,
};
