/* Small graphs to be put into space and read off it again. */
#include "base/mem.h"
#include "base/rng.h"
#include "file.h"
#include "keys.h"

PL_WORDS(families, "erdos-renyi", "community")

enum { MOST_NODES = 1000, COMMUNITIES = 2 };

static uint64_t stream_of(pl_part part, int which) {
  return PL_STREAM(PL_STREAM_SAMPLE, 2 * (int)part + which);
}

/* ---- sizes: those between the bounds in turn; communities draw theirs ---- */

static int64_t size_of(const pl_spec *spec, pl_part part, int64_t g, int community) {
  const points_data_values *v = points_data_of(spec);
  int64_t sizes = v->nodes_max - v->nodes_min + 1;
  if (v->graph == GRAPH_ERDOS_RENYI) return v->nodes_min + g % sizes;
  return v->nodes_min + pl_rng_below(pl_data_seed(spec), stream_of(part, 0),
                                     (uint64_t)(COMMUNITIES * g + community), sizes);
}

static int64_t nodes_of(const pl_spec *spec, pl_part part, int64_t g) {
  int64_t n = size_of(spec, part, g, 0);
  return points_data_of(spec)->graph == GRAPH_COMMUNITY ? n + size_of(spec, part, g, 1) : n;
}

/* ---- edges ---- */

static void join(unsigned char *edge, int64_t n, int64_t i, int64_t j) {
  edge[i * (n - 1) + j - (j > i)] = 1;
  edge[j * (n - 1) + i - (i > j)] = 1;
}

/* Node i < j of graph g are joined with probability p, or p_between from one community to another;
 * where that leaves the two apart, their first nodes are. */
static void draw_edges(const pl_spec *spec, pl_part part, int64_t g, int64_t n,
                       unsigned char *edge) {
  const points_data_values *v = points_data_of(spec);
  int64_t first = v->graph == GRAPH_COMMUNITY ? size_of(spec, part, g, 0) : n, bridges = 0;
  uint64_t index = (uint64_t)g * (4 * MOST_NODES * MOST_NODES);
  for (int64_t i = 0; i < n; i++)
    for (int64_t j = i + 1; j < n; j++) {
      bool bridge = i < first && j >= first;
      double u = pl_rng_uniform(pl_data_seed(spec), stream_of(part, 1), index++);
      if (u >= (bridge ? v->p_between : v->p)) continue;
      join(edge, n, i, j);
      bridges += bridge;
    }
  if (first < n && bridges == 0) join(edge, n, 0, first);
}

static pl_status draw_all(const pl_spec *spec, pl_points *out) {
  for (int k = 0; k < PL_NUM_PARTS; k++) {
    pl_part part = (pl_part)k;
    pl_points_part *p = &out->part[k];
    int64_t num = pl_data_count(spec, part), *start;
    start = pl_zalloc((size_t)num + 1, sizeof *start, "starts of samples");
    for (int64_t g = 0; g < num; g++) start[g + 1] = start[g] + nodes_of(spec, part, g);
    pl_points_part_init(p, &out->shape, num, start, false, false);
    for (int64_t g = 0; g < num; g++)
      draw_edges(spec, part, g, start[g + 1] - start[g], p->edge + p->pair_start[g]);
    pl_free(start);
  }
  return PL_OK;
}

/* ---- the kind of data ---- */

/* On average of the first ones, which have all sizes that are taken in turn. */
static pl_status shape(const pl_spec *spec, pl_points_shape *out) {
  const points_data_values *v = points_data_of(spec);
  *out = (pl_points_shape){.task = PL_POINTS_ADJACENCY,
                           .dimension = v->dimension == PL_UNSET ? 8 : v->dimension};
  int64_t sizes = v->nodes_max - v->nodes_min + 1;
  for (int64_t g = 0; g < sizes; g++) {
    double n = (double)nodes_of(spec, PL_TRAIN, g);
    out->nodes += n / (double)sizes;
    out->pairs += n * (n - 1) / (double)sizes;
  }
  return PL_OK;
}

static const char *fits(const pl_spec *spec) {
  const points_data_values *v = points_data_of(spec);
  if (v->nodes_min <= v->nodes_max) return NULL;
  pl_error(PL_EINPUT, "%lld, expected at least data.nodes_min, %lld", (long long)v->nodes_max,
           (long long)v->nodes_min);
  return "data.nodes_max";
}

static const pl_key rows[] = {
    {"data.graph", PL_KEY_CHOICE, DATA_FIELD(graph), DATA_ALL, "erdos-renyi", .choice = families,
     .help = "erdos-renyi: every pair with probability data.p; community: two such graphs, joined "
             "by few edges, one at least"},
    {"data.nodes_min", PL_KEY_INT, DATA_FIELD(nodes_min), DATA_ALL, "7", .min = 2,
     .max = MOST_NODES,
     .help = "nodes of the smallest graph, or community; all sizes up to "
             "data.nodes_max occur as often, or are drawn"},
    {"data.nodes_max", PL_KEY_INT, DATA_FIELD(nodes_max), DATA_ALL, "16", .min = 2,
     .max = MOST_NODES, .help = "nodes of the largest"},
    {"data.p", PL_KEY_REAL, DATA_FIELD(p), DATA_DRAWN, "0.25", .min = 0, .max = 1,
     .help = "probability of an edge"},
    {"data.p_between", PL_KEY_REAL, DATA_FIELD(p_between), DATA_DRAWN, "0.01", .min = 0, .max = 1,
     .with = "data.graph", .with_word = "community",
     .help = "probability of an edge from one community to another"},
    {"data.dimension", PL_KEY_INT, DATA_FIELD(dimension), DATA_ALL, .min = 1, .max = PL_POINTS_AXES,
     .help = "axes of the space that the nodes are put into (default: 8)"},
};
static const pl_keys table = PL_KEYS(PL_IN_DATA, rows);
static const pl_keys *const keys[] = {&pl_size_keys, &table, NULL};
static const pl_default defaults[] = {{"data.samples", "5000"},
                                      {"data.validation", "500"},
                                      {"data.test", "500"},
                                      {"loss", "logistic"},
                                      {"model.shrink", "0.001"},
                                      {"train.batch", "1"},
                                      {NULL, NULL}};

const pl_points_data pl_data_graphs = {
    .base = {.name = "graphs",
             .help = "random graphs, whose edges are to be told from positions of the nodes",
             .keys = keys,
             .defaults = defaults,
             .fits = fits,
             .write_data = pl_points_write},
    .shape = shape,
    .make = draw_all,
};
