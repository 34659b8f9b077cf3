/* Codes of a random dictionary, for networks that learn to optimise: x is a point of the sphere, y
 * its code, argmin_z ||x - D z||^2 / 2 + lambda |z|_1. */
#include "base/mem.h"
#include "base/pause.h"
#include "base/rng.h"
#include "keys.h"
#include "nets/vector/data.h"

#include <float.h>
#include <math.h>

enum { DICTIONARY = 0x7ffffff2 }; /* stream of its entries */

static pl_status shape(const pl_spec *spec, pl_vector_shape *out) {
  const vector_data_values *v = vector_data_of(spec);
  *out = (pl_vector_shape){.features = v->features, .outputs = v->atoms};
  return PL_OK;
}

/* Each of `rows` rows of x divided by its norm. */
static void normalise(int64_t rows, int64_t cols, double *x) {
  for (int64_t i = 0; i < rows; i++) {
    double sum = 0;
    for (int64_t j = 0; j < cols; j++) sum += x[i * cols + j] * x[i * cols + j];
    for (int64_t j = 0; j < cols; j++) x[i * cols + j] /= sqrt(sum);
  }
}

void pl_lasso_dictionary(const pl_spec *spec, double *atom) {
  const vector_data_values *v = vector_data_of(spec);
  pl_rng_normals(pl_data_seed(spec), PL_STREAM(PL_STREAM_MISC, DICTIONARY), 0,
                 v->atoms * v->features, atom);
  normalise(v->atoms, v->features, atom);
}

static double dot(int64_t n, const double *a, const double *b) {
  double sum = 0;
  for (int64_t i = 0; i < n; i++) sum += a[i] * b[i];
  return sum;
}

/* Coordinate descent: atoms have norm 1, so that each z_j has a closed form given the others.
 * slope: <atom_j, x - D z>. */
static void solve(int64_t atoms, int64_t n, double lambda, const double *atom, const double *gram,
                  const double *x, double *slope, double *z) {
  enum { MOST = 100000 };
  double change = 1;
  for (int64_t j = 0; j < atoms; j++) z[j] = 0, slope[j] = dot(n, atom + j * n, x);
  for (int sweep = 0; sweep < MOST && change > 1e-15; sweep++) {
    change = 0;
    for (int64_t j = 0; j < atoms; j++) {
      double to = slope[j] + z[j], step;
      to = copysign(fmax(fabs(to) - lambda, 0), to);
      step = to - z[j];
      if (step == 0) continue;
      for (int64_t k = 0; k < atoms; k++) slope[k] -= step * gram[j * atoms + k];
      z[j] = to;
      change = fmax(change, fabs(step));
    }
  }
}

static pl_status samples(const pl_spec *spec, const pl_vector_shape *s, pl_part part, int64_t num,
                         double *x, double *y) {
  int64_t n = s->features, atoms = s->outputs;
  double *atom = pl_alloc((size_t)(atoms * n), sizeof *atom, "dictionary");
  double *gram = pl_alloc((size_t)(atoms * atoms), sizeof *gram, "dictionary");
  double *slope = pl_alloc((size_t)atoms, sizeof *slope, "dictionary");
  pl_status st = PL_OK;
  pl_lasso_dictionary(spec, atom);
  for (int64_t i = 0; i < atoms; i++)
    for (int64_t j = 0; j < atoms; j++) gram[i * atoms + j] = dot(n, atom + i * n, atom + j * n);
  pl_rng_normals(pl_data_seed(spec), PL_STREAM(PL_STREAM_SAMPLE, part), 0, num * n, x);
  normalise(num, n, x);
  for (int64_t i = 0; i < num && !(st = pl_pause()); i++)
    solve(atoms, n, vector_data_of(spec)->lambda, atom, gram, x + i * n, slope, y + i * atoms);
  pl_free(atom);
  pl_free(gram);
  pl_free(slope);
  return st;
}

static const pl_key rows[] = {
    {"data.features", PL_KEY_INT, DATA_FIELD(features), DATA_ALL, "16", .min = 1, .max = 1e6,
     .help = "numbers of a sample x, uniform on the sphere"},
    {"data.atoms", PL_KEY_INT, DATA_FIELD(atoms), DATA_ALL, "32", .min = 1, .max = 1e4,
     .help = "columns of the dictionary, of norm 1, normal before; numbers of a code"},
    {"data.lambda", PL_KEY_REAL, DATA_FIELD(lambda), DATA_DRAWN, "0.1", .min = DBL_MIN,
     .max = DBL_MAX, .help = "weight of the code's absolute values"},
};
static const pl_keys table = PL_KEYS(PL_IN_DATA, rows);
static const pl_keys *const keys[] = {&pl_size_keys, &table, NULL};
static const pl_default defaults[] = {{"loss", "square"}, {NULL, NULL}};

const pl_vector_data pl_data_lasso = {
    .base = {.name = "lasso",
             .help = "points of the sphere and their LASSO codes in a random dictionary",
             .keys = keys,
             .defaults = defaults,
             .write_data = pl_vectors_write},
    .shape = shape,
    .samples = samples,
};
