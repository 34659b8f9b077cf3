/* Samples from a file: molecules, whose parts may be drawn, and samples of any task. */
#include "base/mem.h"
#include "base/rng.h"
#include "file.h"
#include "keys.h"

enum { CHOICE = 0x706f696e }; /* stream of the order in which molecules go to parts */

static bool is_molecules(const pl_spec *spec) {
  return spec->data == &pl_data_points_molecules.base;
}

/* ---- parts ---- */

/* Molecules of each part, where the file does not say: what was asked for, and of training, if
 * nothing was, all that is left. */
static void sizes_of(const pl_spec *spec, int64_t num, int64_t size[PL_NUM_PARTS]) {
  const pl_common *c = &spec->common;
  size[PL_VALIDATION] = c->validation;
  size[PL_TEST] = c->test;
  size[PL_TRAIN] = c->samples == PL_UNSET ? num - c->validation - c->test : c->samples;
}

/* split[num]: parts in an order that is drawn; those that are in none get -1. */
static int64_t *draw_split(const pl_spec *spec, int64_t num) {
  int64_t size[PL_NUM_PARTS], *split, *order, at = 0;
  split = pl_alloc((size_t)num, sizeof *split, "parts of the data");
  order = pl_alloc((size_t)num, sizeof *order, "parts of the data");
  sizes_of(spec, num, size);
  for (int64_t i = 0; i < num; i++) order[i] = i, split[i] = -1;
  for (int64_t i = 0; i < num; i++) {
    int64_t j = i + pl_rng_below(pl_data_seed(spec), PL_STREAM(PL_STREAM_MISC, CHOICE), (uint64_t)i,
                                 num - i);
    int64_t kept = order[i];
    order[i] = order[j];
    order[j] = kept;
  }
  for (int p = PL_NUM_PARTS - 1; p >= 0; p--) /* so that tests stay whatever is trained on */
    for (int64_t i = 0; i < size[p] && at < num; i++) split[order[at++]] = p;
  pl_free(order);
  return split;
}

/* The file as one part, and the part of each sample; drawn: not the file's own.  Nodes of graphs
 * without positions are put into 8 dimensions. */
static pl_status read_file(const pl_spec *spec, pl_points_shape *s, pl_points_part *all,
                           int64_t **split, bool *drawn) {
  const points_data_values *v = points_data_of(spec);
  pl_nc *nc;
  *all = (pl_points_part){0};
  *split = NULL;
  *drawn = false;
  *s = (pl_points_shape){.dimension = 8, .property = v->property};
  PL_TRY(pl_nc_open(v->path, false, &nc));
  pl_status st = points_file_read(nc, true, s, all, split);
  pl_nc_close(nc);
  if (st) return st;
  if (!is_molecules(spec)) return PL_OK;
  if (s->task != PL_POINTS_PROPERTY)
    return pl_error(PL_EINPUT, "%s: expected molecules: position, number, molecule_start, target",
                    v->path);
  *drawn = !*split;
  if (*drawn) *split = draw_split(spec, all->num);
  return PL_OK;
}

/* ---- the kinds of data ---- */

static pl_status shape(const pl_spec *spec, pl_points_shape *out) {
  pl_points_part all;
  int64_t *split;
  bool drawn;
  pl_status st = read_file(spec, out, &all, &split, &drawn);
  pl_points_part_fini(&all);
  pl_free(split);
  return st;
}

static int64_t count(const pl_spec *spec, pl_part part) {
  pl_points_shape s;
  pl_points_part all;
  int64_t *split, sum = 0;
  bool drawn;
  if (!read_file(spec, &s, &all, &split, &drawn))
    for (int64_t i = 0; i < all.num; i++)
      sum += split ? split[i] == (int64_t)part : part == PL_TRAIN;
  pl_points_part_fini(&all);
  pl_free(split);
  return sum;
}

static pl_status make(const pl_spec *spec, pl_points *out) {
  pl_points_part all;
  int64_t *split;
  bool drawn;
  pl_status st = read_file(spec, &out->shape, &all, &split, &drawn);
  if (!st) points_divide(&all, split, out);
  pl_points_part_fini(&all);
  pl_free(split);
  return st;
}

/* Are there enough?  split NULL: all are for training. */
static pl_status check_parts(const pl_spec *spec, bool drawn, int64_t num, const int64_t *split) {
  const char *path = points_data_of(spec)->path;
  int64_t size[PL_NUM_PARTS] = {0}, train = 0;
  if (drawn) sizes_of(spec, num, size);
  int64_t want = size[PL_TRAIN] + size[PL_VALIDATION] + size[PL_TEST];
  for (int64_t i = 0; i < num; i++) train += split ? split[i] == PL_TRAIN : 1;
  if (drawn && (want > num || size[PL_TRAIN] < 1))
    return pl_error(PL_EINPUT, "the parts need %lld molecules, %s has %lld",
                    (long long)(size[PL_VALIDATION] + size[PL_TEST] +
                                (size[PL_TRAIN] < 1 ? 1 : size[PL_TRAIN])),
                    path, (long long)num);
  if (train == 0)
    return pl_error(PL_EINPUT, "%s: no samples for training, split is nowhere 0", path);
  return PL_OK;
}

static pl_status check(const pl_spec *spec, const char **key) {
  pl_points_shape s;
  pl_points_part all;
  int64_t *split;
  bool drawn;
  *key = "data.path";
  pl_status st = read_file(spec, &s, &all, &split, &drawn);
  if (!st && drawn) *key = "data.samples";
  if (!st) st = check_parts(spec, drawn, all.num, split);
  pl_points_part_fini(&all);
  pl_free(split);
  return st;
}

#define PATH "data.path", PL_KEY_TEXT, DATA_FIELD(path), DATA_ALL, .required = true, .path = true
#define PROPERTY                                                                                   \
  "data.property", PL_KEY_INT, DATA_FIELD(property), DATA_DRAWN, "0",                              \
      .min = 0, .max = 1e6, .help = "column of target(molecule, property), from 0"

static const pl_key molecule_rows[] = {
    {PATH, .help = "NetCDF file with position(atom, axis), number(atom), molecule_start, "
                   "target(molecule) or target(molecule, property), as analysis/convert.py makes "
                   "it; split(molecule), if there, puts molecules into parts"},
    {PROPERTY},
};
static const pl_key size_rows[] = {
    {"data.samples", PL_KEY_INT, offsetof(pl_common, samples), DATA_ALL, .min = 1, .max = 1e6,
     .help = "molecules of the training part, where the file has no parts (default: all that the "
             "others leave)"},
    {"data.validation", PL_KEY_INT, offsetof(pl_common, validation), DATA_ALL, "0", .min = 0,
     .max = 1e6, .help = "other molecules, for the validation part"},
    {"data.test", PL_KEY_INT, offsetof(pl_common, test), DATA_ALL, "0", .min = 0, .max = 1e6,
     .help = "other molecules, for the test part"},
};
static const pl_key file_rows[] = {
    {PATH, .help = "NetCDF file as plancherel data writes it: systems (position, velocity, charge, "
                   "target), graphs (graph_start, edge) or molecules (position, number, "
                   "molecule_start, target); split, if there, puts samples into parts, else all "
                   "are for training"},
    {PROPERTY},
};
static const pl_keys molecule_table = PL_KEYS(PL_IN_DATA, molecule_rows);
static const pl_keys molecule_sizes = PL_KEYS(PL_IN_COMMON, size_rows);
static const pl_keys file_table = PL_KEYS(PL_IN_DATA, file_rows);
static const pl_keys *const molecule_keys[] = {&molecule_sizes, &molecule_table, NULL};
static const pl_keys *const file_keys[] = {&file_table, &points_augment_keys, NULL};
static const pl_default molecule_defaults[] = {{"loss", "absolute"},
                                               {"model.depth", "7"},
                                               {"model.width", "128"},
                                               {"model.edge_attention", "true"},
                                               {NULL, NULL}};

const pl_points_data pl_data_points_molecules = {
    .base = {.name = "molecules",
             .help = "molecules from a file, and a property of each",
             .keys = molecule_keys,
             .defaults = molecule_defaults,
             .count = count,
             .write_data = pl_points_write},
    .shape = shape,
    .check = check,
    .make = make,
};

const pl_points_data pl_data_points_file = {
    .base = {.name = "file",
             .help = "systems, graphs or molecules from a NetCDF file",
             .keys = file_keys,
             .seedless = true,
             .count = count,
             .write_data = pl_points_write},
    .shape = shape,
    .check = check,
    .make = make,
};
