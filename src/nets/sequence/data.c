/* The kinds of data that pointer networks take. */
#include "keys.h"
#include "nets/sequence/sequence.h"
#include "source.h"

#define F(member) offsetof(sequence_data_values, member)
#define ALL       PL_COST | PL_DATA | PL_RESULTS

PL_WORDS(canonicals, "index", "geometry")

static const pl_key size_rows[] = {
    {"data.points", PL_KEY_TEXT, F(points), ALL, "10",
     .help = "points of an instance: a number, or a range such as 5..20 from which each one draws"},
    {"data.test_points", PL_KEY_INTS, F(test_points), ALL, .min = 2, .max = MOST_POINTS,
     .ascending = true,
     .help = "sizes of test instances, data.test of each (default: the largest of data.points)"},
};
static const pl_key canonical_rows[] = {
    {"data.canonical", PL_KEY_CHOICE, F(canonical), PL_DATA | PL_RESULTS, "index",
     .choice = canonicals,
     .help = "outputs begin at the lowest index, or at the leftmost point, which no order of the "
             "points changes"},
};
static const pl_key file_rows[] = {
    {"data.path", PL_KEY_TEXT, F(path), ALL, .required = true, .path = true,
     .help = "NetCDF file, as analysis/convert.py pointer makes it: points(sample), x(point, "
             "coordinate), length(sample), output(symbol), split(sample)"},
};
static const pl_keys size_table = PL_KEYS(PL_IN_DATA, size_rows),
                     canonical_table = PL_KEYS(PL_IN_DATA, canonical_rows),
                     file_table = PL_KEYS(PL_IN_DATA, file_rows);
static const pl_keys *const planar_keys[] = {&pl_size_keys, &size_table, &canonical_table, NULL};
static const pl_keys *const sort_keys[] = {&pl_size_keys, &size_table, NULL};
static const pl_keys *const file_keys[] = {&file_table, NULL};

static int64_t count(const pl_spec *spec, pl_part part) {
  source s;
  const char *key;
  return source_head(spec, &s, &key) ? 0 : s.count[part];
}

static const char *fits(const pl_spec *spec) {
  source s;
  const char *key;
  return source_head(spec, &s, &key) ? key : NULL;
}

#define DRAWN(kind, text, table)                                                                   \
  {                                                                                                \
    .base = {.name = #kind,                                                                        \
             .help = text,                                                                         \
             .keys = table,                                                                        \
             .fits = fits,                                                                         \
             .count = count,                                                                       \
             .write_data = sequence_write},                                                        \
    .task = &task_##kind                                                                           \
  }

const pl_sequence_data
    pl_data_hull = DRAWN(hull, "uniform points of the square and their convex hull", planar_keys),
    pl_data_delaunay =
        DRAWN(delaunay, "uniform points and their Delaunay triangulation", planar_keys),
    pl_data_tsp = DRAWN(
        tsp, "uniform points and the shortest closed tour: exact to 13, 2-opt beyond", planar_keys),
    pl_data_sort = DRAWN(sort, "uniform numbers and their order", sort_keys),
    pl_data_sequence_file = {.base = {.name = "file",
                                      .help = "points and outputs from a NetCDF file",
                                      .keys = file_keys,
                                      .seedless = true,
                                      .count = count,
                                      .write_data = sequence_write}};

const pl_data_kind *const pl_sequence_data_kinds[] = {
    &pl_data_hull.base, &pl_data_delaunay.base,      &pl_data_tsp.base,
    &pl_data_sort.base, &pl_data_sequence_file.base, NULL};
