/* Charged particles, drawn or from a file, and where they will be. */
#include "base/mem.h"
#include "base/rng.h"
#include "file.h"
#include "keys.h"
#include "nets/points/orbit.h"

#include <math.h>
#include <string.h>

static const double DT = 1e-3, MOST_FORCE = 100, SPEED = 0.5;
enum { EVERY = 100 };                       /* steps from snapshot to snapshot */
enum { CHARGE, POSITION, VELOCITY, DRAWS }; /* streams of a part */

static int64_t nodes_of(const pl_spec *spec, pl_part part) {
  const points_data_values *v = points_data_of(spec);
  if (part != PL_TRAIN && v->test_nodes != PL_UNSET) return v->test_nodes;
  return v->nodes == PL_UNSET ? 5 : v->nodes;
}

/* ---- initial states ---- */

static uint64_t stream_of(pl_part part, int which) {
  return PL_STREAM(PL_STREAM_SAMPLE, DRAWS * (int)part + which);
}

/* Charges +-1, normal positions, velocities of one length in any direction. */
static void draw(const pl_spec *spec, pl_part part, const pl_points_shape *s, pl_points_part *p) {
  uint64_t seed = pl_data_seed(spec);
  int64_t nodes = pl_points_nodes(p), d = s->dimension;
  double spread = cbrt((double)nodes_of(spec, part) / 5);
  pl_rng_normals(seed, stream_of(part, POSITION), 0, nodes * d, p->x);
  pl_rng_normals(seed, stream_of(part, VELOCITY), 0, nodes * d, p->v);
  for (int64_t i = 0; i < nodes; i++) {
    double *v = p->v + i * d, norm = 0;
    for (int64_t a = 0; a < d; a++) norm += v[a] * v[a];
    for (int64_t a = 0; a < d; a++) v[a] *= SPEED / sqrt(norm);
    for (int64_t a = 0; a < d; a++) p->x[i * d + a] *= spread;
    p->charge[i] = pl_rng_below(seed, stream_of(part, CHARGE), (uint64_t)i, 2) ? 1 : -1;
  }
}

static void draw_all(const pl_spec *spec, pl_points *out) {
  for (int k = 0; k < PL_NUM_PARTS; k++) {
    int64_t num = pl_data_count(spec, (pl_part)k), n = nodes_of(spec, (pl_part)k);
    int64_t *start = pl_alloc((size_t)num + 1, sizeof *start, "starts of samples");
    for (int64_t i = 0; i <= num; i++) start[i] = i * n;
    pl_points_part_init(&out->part[k], &out->shape, num, start, true, true);
    pl_free(start);
    draw(spec, (pl_part)k, &out->shape, &out->part[k]);
  }
}

/* ---- their orbits ---- */

/* `steps` of all systems of a part. */
static pl_status orbit(const pl_points_part *p, int64_t axes, int64_t steps, double *x, double *v) {
  return pl_orbit(p->num, p->start[1], axes, p->charge, DT, MOST_FORCE, steps, x, v);
}

/* From the initial states to those of the input, and the targets. */
static pl_status simulate(const points_data_values *v, const pl_points_shape *s,
                          pl_points_part *p) {
  if (p->num == 0) return PL_OK;
  int64_t before = EVERY * (v->input + 1), after = EVERY * (v->output - v->input);
  size_t bytes = (size_t)(p->num * p->start[1] * s->dimension) * sizeof(double);
  double *w = pl_alloc(1, bytes, "velocities");
  pl_status st = orbit(p, s->dimension, before, p->x, p->v);
  memcpy(p->y, p->x, bytes);
  memcpy(w, p->v, bytes);
  if (!st) st = orbit(p, s->dimension, after, p->y, w);
  pl_free(w);
  return st;
}

/* ---- from a file ---- */

/* Initial states as one part: systems of as many particles each. */
static pl_status read_initial(const pl_spec *spec, pl_points_shape *s, pl_points_part *all,
                              int64_t **split) {
  const char *path = points_data_of(spec)->initial;
  pl_nc *nc;
  *all = (pl_points_part){0};
  *split = NULL;
  PL_TRY(pl_nc_open(path, false, &nc));
  pl_status st = points_file_read(nc, false, s, all, split);
  pl_nc_close(nc);
  if (st) return st;
  if (s->task != PL_POINTS_POSITIONS)
    return pl_error(PL_EINPUT, "%s: expected position, velocity and charge", path);
  for (int64_t i = 0; i < all->num; i++)
    if (all->start[i + 1] - all->start[i] != all->start[1])
      return pl_error(PL_EINPUT, "%s: systems of %lld and of %lld particles", path,
                      (long long)all->start[1], (long long)(all->start[i + 1] - all->start[i]));
  return PL_OK;
}

static int64_t count_initial(const pl_spec *spec, pl_part part) {
  pl_points_shape s = {0};
  pl_points_part all;
  int64_t *split, sum = 0;
  if (!read_initial(spec, &s, &all, &split))
    for (int64_t i = 0; i < all.num; i++)
      sum += split ? split[i] == (int64_t)part : part == PL_TRAIN;
  pl_points_part_fini(&all);
  pl_free(split);
  return sum;
}

/* A target has to be there for the part to be taken apart from it. */
static pl_status make_initial(const pl_spec *spec, pl_points *out) {
  pl_points_part all;
  int64_t *split;
  pl_status st = read_initial(spec, &out->shape, &all, &split);
  if (!st && !all.y)
    all.y =
        pl_zalloc((size_t)(pl_points_nodes(&all) * out->shape.dimension), sizeof *all.y, "targets");
  if (!st) points_divide(&all, split, out);
  pl_points_part_fini(&all);
  pl_free(split);
  return st;
}

/* ---- the kind of data ---- */

static pl_status shape(const pl_spec *spec, pl_points_shape *out) {
  const points_data_values *v = points_data_of(spec);
  double n = (double)nodes_of(spec, PL_TRAIN);
  *out = (pl_points_shape){.task = PL_POINTS_POSITIONS,
                           .dimension = v->dimension == PL_UNSET ? 3 : v->dimension,
                           .nodes = n,
                           .pairs = n * (n - 1)};
  if (!v->initial) return PL_OK;
  pl_points_part all;
  int64_t *split;
  pl_status st = read_initial(spec, out, &all, &split);
  pl_points_part_fini(&all);
  pl_free(split);
  return st;
}

static int64_t count(const pl_spec *spec, pl_part part) {
  const pl_common *c = &spec->common;
  if (points_data_of(spec)->initial) return count_initial(spec, part);
  return part == PL_TRAIN ? c->samples : part == PL_VALIDATION ? c->validation : c->test;
}

static pl_status make(const pl_spec *spec, pl_points *out) {
  const points_data_values *v = points_data_of(spec);
  if (v->initial)
    PL_TRY(make_initial(spec, out));
  else
    draw_all(spec, out);
  for (int k = 0; k < PL_NUM_PARTS; k++) PL_TRY(simulate(v, &out->shape, &out->part[k]));
  return PL_OK;
}

static const char *fits(const pl_spec *spec) {
  const points_data_values *v = points_data_of(spec);
  const struct {
    const char *key;
    int64_t value;
  } told[] = {{"data.nodes", v->nodes},
              {"data.test_nodes", v->test_nodes},
              {"data.dimension", v->dimension}};
  if (v->output <= v->input) {
    pl_error(PL_EINPUT, "%lld, expected a snapshot after data.input, %lld", (long long)v->output,
             (long long)v->input);
    return "data.output";
  }
  for (size_t k = 0; k < sizeof told / sizeof *told && v->initial; k++)
    if (told[k].value != PL_UNSET) {
      pl_error(PL_EINPUT, "data.initial tells it: not both");
      return told[k].key;
    }
  return NULL;
}

static pl_status check(const pl_spec *spec, const char **key) {
  pl_points_shape s;
  *key = "data.initial";
  PL_TRY(shape(spec, &s));
  if (count(spec, PL_TRAIN) == 0)
    return pl_error(PL_EINPUT, "%s: no samples for training, split(sample) is nowhere 0",
                    points_data_of(spec)->initial);
  return PL_OK;
}

static const pl_key rows[] = {
    {"data.nodes", PL_KEY_INT, DATA_FIELD(nodes), DATA_ALL, .min = 1, .max = 1e4,
     .help = "particles of a system (default: 5)"},
    {"data.test_nodes", PL_KEY_INT, DATA_FIELD(test_nodes), DATA_ALL, .min = 1, .max = 1e4,
     .help = "particles of a system of the validation and test parts (default: as data.nodes)"},
    {"data.dimension", PL_KEY_INT, DATA_FIELD(dimension), DATA_ALL, .min = 1, .max = PL_POINTS_AXES,
     .help = "axes of the space (default: 3)"},
    {"data.input", PL_KEY_INT, DATA_FIELD(input), DATA_DRAWN, "30", .min = 0, .max = 1e6,
     .units = "snapshots",
     .help = "the network sees this one; snapshot k is 100 (k + 1) steps of "
             "0.001 after the initial state"},
    {"data.output", PL_KEY_INT, DATA_FIELD(output), DATA_DRAWN, "40", .min = 1, .max = 1e6,
     .units = "snapshots", .help = "and predicts the positions of this one"},
    {"data.initial", PL_KEY_TEXT, DATA_FIELD(initial), DATA_ALL, .path = true,
     .help =
         "NetCDF file with position(sample, node, axis), velocity, charge(sample, node) in place "
         "of drawn initial states; split(sample), if there, puts samples into parts, else all "
         "are for training"},
};
static const pl_keys table = PL_KEYS(PL_IN_DATA, rows);
static const pl_keys *const keys[] = {&pl_size_keys, &table, &points_augment_keys, NULL};
static const pl_default defaults[] = {
    {"data.samples", "3000"}, {"data.validation", "2000"}, {"data.test", "2000"}, {NULL, NULL}};

const pl_points_data pl_data_nbody = {
    .base = {.name = "nbody",
             .help = "charged particles, drawn or from given states, and where they will be",
             .keys = keys,
             .defaults = defaults,
             .fits = fits,
             .count = count,
             .write_data = pl_points_write},
    .shape = shape,
    .check = check,
    .make = make,
};
