/* Tasks that are drawn: sinusoids, and quadratic functions whose Hessian is known. */
#include "draw.h"
#include "keys.h"
#include "nets/meta/data.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* ---- sinusoids ---- */

static pl_status sinusoid_shape(const pl_spec *spec, pl_task_shape *out) {
  const meta_data_values *v = meta_data_of(spec);
  *out = (pl_task_shape){{.features = 1, .outputs = 1}, v->shots, v->queries};
  return PL_OK;
}

/* y = A sin(x + b): A uniform on (0.1, 5), b on (0, pi), x on (-5, 5). */
static void sinusoid_make(const pl_tasks *t, pl_part part, int64_t i, double *x, double *y) {
  uint64_t seed = pl_data_seed(t->spec), task = draw_stream(part, 0), at = draw_stream(part, 1);
  int64_t n = pl_task_samples(&t->shape);
  double amplitude = 0.1 + 4.9 * pl_rng_uniform(seed, task, (uint64_t)(2 * i));
  double phase = M_PI * pl_rng_uniform(seed, task, (uint64_t)(2 * i + 1));
  for (int64_t k = 0; k < n; k++) {
    x[k] = 10 * pl_rng_uniform(seed, at, (uint64_t)(i * n + k)) - 5;
    y[k] = amplitude * sin(x[k] + phase);
  }
}

static const pl_key sinusoid_rows[] = {
    {"data.shots", PL_KEY_INT, DATA_FIELD(shots), DATA_ALL, "10", .min = 1, .max = 10000,
     .help = "samples that a task is adapted to; of fewshot, of each class"},
    {"data.queries", PL_KEY_INT, DATA_FIELD(queries), DATA_ALL, "10", .min = 1, .max = 10000,
     .help = "samples that it is then judged by; of fewshot, of each class"},
};
static const pl_keys sinusoid_table = PL_KEYS(PL_IN_DATA, sinusoid_rows);
static const pl_keys *const sinusoid_keys[] = {&meta_size_keys, &sinusoid_table, NULL};

const pl_task_data pl_data_sinusoid = {
    .base = {.name = "sinusoid",
             .help = "regression on a sine of another amplitude and phase in every task",
             .keys = sinusoid_keys,
             .write_data = pl_tasks_write},
    .shape = sinusoid_shape,
    .make = sinusoid_make,
};

/* ---- quadratic functions ---- */

static pl_status quadratic_shape(const pl_spec *spec, pl_task_shape *out) {
  int64_t n = meta_data_of(spec)->dimension;
  *out = (pl_task_shape){{.features = n, .outputs = 1}, n, n};
  return PL_OK;
}

/* With the mean square loss of the linear network y = x phi over n samples, the rows x =
 * sqrt(n a_j / 2) e_j, y = x c make 1/2 sum_j a_j (phi_j - c_j)^2. */
static void quadratic_make(const pl_tasks *t, pl_part part, int64_t i, double *x, double *y) {
  const meta_data_values *v = meta_data_of(t->spec);
  uint64_t seed = pl_data_seed(t->spec);
  int64_t n = v->dimension;
  memset(x, 0, (size_t)(2 * n * n) * sizeof *x);
  for (int64_t k = 0; k < 2 * n; k++) {
    int64_t j = k % n;
    double centre[2], place = n > 1 ? (double)j / (double)(n - 1) : 0;
    double a = k < n ? pow(v->condition, place) : 1; /* the query loss is 1/2 ||phi - c||^2 */
    pl_rng_normals(seed, draw_stream(DRAW_SHARED, 0), j, 1, &centre[0]);
    pl_rng_normals(seed, draw_stream(part, 0), i * n + j, 1, &centre[1]);
    x[k * n + j] = sqrt((double)n * a / 2);
    y[k] = x[k * n + j] * (centre[0] + v->spread * centre[1]);
  }
}

static const pl_key quadratic_rows[] = {
    {"data.dimension", PL_KEY_INT, DATA_FIELD(dimension), DATA_ALL, "24", .min = 1, .max = 2000,
     .help = "n, of the quadratic functions"},
    {"data.condition", PL_KEY_REAL, DATA_FIELD(condition), DATA_DRAWN, "100", .min = 1,
     .max = DBL_MAX,
     .help = "the Hessian of the inner loss is diag(1, .., condition), by equal factors"},
    {"data.spread", PL_KEY_REAL, DATA_FIELD(spread), DATA_DRAWN, "1", .min = 0, .max = DBL_MAX,
     .help = "standard deviation of the tasks' centres around a common one, which is normal"},
};
static const pl_keys quadratic_table = PL_KEYS(PL_IN_DATA, quadratic_rows);
static const pl_keys *const quadratic_keys[] = {&meta_size_keys, &quadratic_table, NULL};

const pl_task_data pl_data_quadratic = {
    .base = {.name = "quadratic",
             .help = "quadratic functions of one known Hessian, centred elsewhere in every task",
             .keys = quadratic_keys,
             .write_data = pl_tasks_write},
    .shape = quadratic_shape,
    .make = quadratic_make,
};
