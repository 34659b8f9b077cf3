/* Matrices of independent standard normal entries, divided by their norm; labels +1, -1 in turn. */
#include "base/norm.h"
#include "base/rng.h"
#include "keys.h"
#include "nets/tensor/data.h"

static pl_status sizes(const pl_spec *spec, pl_part part, int64_t num, bool *of_points,
                       int *points) {
  (void)part;
  *of_points = false;
  for (int64_t i = 0; i < num; i++) points[i] = (int)tensor_data_of(spec)->nodes;
  return PL_OK;
}

static pl_status samples(const pl_spec *spec, pl_part part, pl_tensor_part *out) {
  uint64_t stream = PL_STREAM(PL_STREAM_SAMPLE, part);
  for (int64_t i = 0; i < out->num; i++) {
    double *w = out->w + out->matrix[i];
    int64_t n = out->matrix[i + 1] - out->matrix[i];
    pl_rng_normals(pl_data_seed(spec), stream, out->matrix[i], n, w);
    double norm = pl_norm2(n, w);
    for (int64_t k = 0; k < n; k++) w[k] /= norm;
    out->y[i] = i % 2 ? -1 : 1;
  }
  return PL_OK;
}

static const pl_key rows[] = {
    {"data.nodes", PL_KEY_INT, DATA_FIELD(nodes), DATA_ALL, "5", .min = 2, .max = 52,
     .help = "points n: samples are n x n matrices of norm 1"},
};
static const pl_keys table = PL_KEYS(PL_IN_DATA, rows);
static const pl_keys *const keys[] = {&pl_size_keys, &table, NULL};

const pl_tensor_data pl_data_tensor_gaussian = {
    .base = {.name = "gaussian",
             .help = "matrices of Gaussian entries, in two classes",
             .keys = keys,
             .write_data = pl_tensors_write},
    .sizes = sizes,
    .samples = samples,
};
