/* Samples that are drawn: rings, curves, bars. */
#include "base/rng.h"
#include "keys.h"
#include "nets/vector/data.h"

#include <float.h>
#include <math.h>

/* Random numbers of a part: a uniform one and the normal ones that follow. */
static uint64_t stream_of(pl_part part, int which) {
  return PL_STREAM(PL_STREAM_SAMPLE, 2 * (int)part + which);
}

static double normal(uint64_t seed, uint64_t stream, int64_t index) {
  double x;
  pl_rng_normals(seed, stream, index, 1, &x);
  return x;
}

/* ---- rings ---- */

static pl_status rings_shape(const pl_spec *spec, pl_vector_shape *out) {
  *out =
      (pl_vector_shape){.features = 2, .outputs = vector_data_of(spec)->classes, .classes = true};
  return PL_OK;
}

/* Class c = 0, 1, .. in turn, on the circle of radius (c + 1)/classes. */
static pl_status rings_samples(const pl_spec *spec, const pl_vector_shape *shape, pl_part part,
                               int64_t num, double *x, double *y) {
  uint64_t seed = pl_data_seed(spec);
  double noise = vector_data_of(spec)->noise;
  for (int64_t i = 0; i < num; i++) {
    int64_t c = i % shape->outputs;
    double angle = 2 * M_PI * pl_rng_uniform(seed, stream_of(part, 0), (uint64_t)i);
    double radius = (double)(c + 1) / (double)shape->outputs;
    x[2 * i] = radius * cos(angle) + noise * normal(seed, stream_of(part, 1), 2 * i);
    x[2 * i + 1] = radius * sin(angle) + noise * normal(seed, stream_of(part, 1), 2 * i + 1);
    y[i] = (double)c;
  }
  return PL_OK;
}

static const pl_key rings_rows[] = {
    {"data.classes", PL_KEY_INT, DATA_FIELD(classes), DATA_ALL, "2", .min = 2, .max = 1000,
     .help = "rings, one inside the other; samples take them in turn"},
    {"data.noise", PL_KEY_REAL, DATA_FIELD(noise), DATA_DRAWN, "0.05", .min = 0, .max = DBL_MAX,
     .help = "standard deviation of both coordinates around the ring, the largest of radius 1"},
};
static const pl_keys rings_table = PL_KEYS(PL_IN_DATA, rings_rows);
static const pl_keys *const rings_keys[] = {&pl_size_keys, &rings_table, NULL};

const pl_vector_data pl_data_rings = {
    .base = {.name = "rings",
             .help = "points of the plane on rings around each other, a class each",
             .keys = rings_keys,
             .write_data = pl_vectors_write},
    .shape = rings_shape,
    .samples = rings_samples,
};

/* ---- curves ---- */

static double cubic(double x) {
  return -x * x * x;
}
static double sine(double x) {
  return sin(M_PI * x);
}
static double step(double x) {
  return x < 0 ? -1 : 1;
}

/* A function is a row. */
static const struct {
  const char *name;
  double (*f)(double);
} curves[] = {{"cubic", cubic}, {"sine", sine}, {"abs", fabs}, {"step", step}, {"exp", exp}};

static const char *curve_name(int i) {
  return i >= 0 && (size_t)i < sizeof curves / sizeof *curves ? curves[i].name : NULL;
}

static pl_status curve_shape(const pl_spec *spec, pl_vector_shape *out) {
  (void)spec;
  *out = (pl_vector_shape){.features = 1, .outputs = 1};
  return PL_OK;
}

static pl_status curve_samples(const pl_spec *spec, const pl_vector_shape *shape, pl_part part,
                               int64_t num, double *x, double *y) {
  const vector_data_values *v = vector_data_of(spec);
  uint64_t seed = pl_data_seed(spec);
  (void)shape;
  for (int64_t i = 0; i < num; i++) {
    x[i] = v->range * (2 * pl_rng_uniform(seed, stream_of(part, 0), (uint64_t)i) - 1);
    y[i] = curves[v->function].f(x[i]) + v->noise * normal(seed, stream_of(part, 1), i);
  }
  return PL_OK;
}

static const pl_key curve_rows[] = {
    {"data.function", PL_KEY_CHOICE, DATA_FIELD(function), DATA_DRAWN, "cubic",
     .choice = curve_name,
     .help = "y of x: cubic -x^3, sine sin(pi x), abs |x|, step the sign of x, exp e^x"},
    {"data.range", PL_KEY_REAL, DATA_FIELD(range), DATA_DRAWN, "1", DBL_MIN, DBL_MAX,
     .help = "x is uniform on +-range"},
    {"data.noise", PL_KEY_REAL, DATA_FIELD(noise), DATA_DRAWN, "0", .min = 0, .max = DBL_MAX,
     .help = "standard deviation of y around the curve"},
};
static const pl_keys curve_table = PL_KEYS(PL_IN_DATA, curve_rows);
static const pl_keys *const curve_keys[] = {&pl_size_keys, &curve_table, NULL};
static const pl_default curve_defaults[] = {{"loss", "square"}, {NULL, NULL}};

const pl_vector_data pl_data_curve = {
    .base = {.name = "curve",
             .help = "a function of one number, for regression",
             .keys = curve_keys,
             .defaults = curve_defaults,
             .write_data = pl_vectors_write},
    .shape = curve_shape,
    .samples = curve_samples,
};

/* ---- bars ---- */

static pl_status bars_shape(const pl_spec *spec, pl_vector_shape *out) {
  int64_t side = vector_data_of(spec)->side;
  *out = (pl_vector_shape){.features = side * side,
                           .outputs = 2,
                           .classes = true,
                           .height = side,
                           .width = side,
                           .channels = 1};
  return PL_OK;
}

/* Pixels 0, but for a row (class 0) or a column (class 1) of ones; the classes in turn. */
static pl_status bars_samples(const pl_spec *spec, const pl_vector_shape *shape, pl_part part,
                              int64_t num, double *x, double *y) {
  uint64_t seed = pl_data_seed(spec);
  double noise = vector_data_of(spec)->noise;
  int64_t side = shape->height, n = shape->features;
  for (int64_t i = 0; i < num; i++, x += n) {
    int64_t place = pl_rng_below(seed, stream_of(part, 0), (uint64_t)i, side);
    pl_rng_normals(seed, stream_of(part, 1), i * n, n, x);
    for (int64_t k = 0; k < n; k++)
      x[k] = noise * x[k] + ((i % 2 ? k % side : k / side) == place ? 1 : 0);
    y[i] = (double)(i % 2);
  }
  return PL_OK;
}

static const pl_key bars_rows[] = {
    {"data.side", PL_KEY_INT, DATA_FIELD(side), DATA_ALL, "12", .min = 2, .max = 4096,
     .units = "pixels", .help = "of the square images"},
    {"data.noise", PL_KEY_REAL, DATA_FIELD(noise), DATA_DRAWN, "0.2", .min = 0, .max = DBL_MAX,
     .help = "standard deviation of every pixel"},
};
static const pl_keys bars_table = PL_KEYS(PL_IN_DATA, bars_rows);
static const pl_keys *const bars_keys[] = {&pl_size_keys, &bars_table, NULL};

const pl_vector_data pl_data_bars = {
    .base = {.name = "bars",
             .help = "images of one bar, across or down, somewhere",
             .keys = bars_keys,
             .write_data = pl_vectors_write},
    .shape = bars_shape,
    .samples = bars_samples,
};
