/* Graphs from a NetCDF file, and into one (include/nets/graph/data.h has the format). */
#include "base/mem.h"
#include "base/nc_read.h"
#include "graph_set.h"
#include "model/split.h"
#include "nets/graph/data.h"

#include <string.h>

enum { MOST_CLASSES = 1000 };

static const pl_key rows[] = {
    {"data.path", PL_KEY_TEXT, offsetof(graph_set_values, path), PL_COST | PL_DATA | PL_RESULTS,
     .required = true, .path = true,
     .help = "NetCDF file of graphs: graph_start, node_feature, edge, label; edge_feature, split, "
             "attribution if there are any"},
};
static const pl_keys file_keys = PL_KEYS(PL_IN_DATA, rows);

static bool has(const pl_nc *nc, const char *name) {
  return pl_nc_var(nc, name, NULL, NULL, NULL, 0) >= 0;
}

/* A variable of integers on these dimensions, whose lengths become known, into *out, which stays
 * NULL where there is trouble. */
static pl_status read_ints(const pl_nc *nc, const char *name, int ndims, pl_nc_axis *axes,
                           int64_t **out) {
  pl_nc_input *in;
  PL_TRY(pl_nc_input_new(nc, name, PL_NC_INTEGER, ndims, axes, &in));
  int64_t n = 1;
  for (int k = 0; k < ndims; k++) n *= axes[k].length;
  *out = pl_alloc((size_t)n, sizeof **out, name);
  pl_status st = pl_nc_input_ints(in, NULL, NULL, *out);
  pl_nc_input_free(in);
  if (!st) return PL_OK;
  pl_free(*out);
  *out = NULL;
  return st;
}

static pl_status read_reals(const pl_nc *nc, const char *name, pl_nc_axis axes[2], double **out) {
  pl_nc_input *in;
  PL_TRY(pl_nc_input_new(nc, name, PL_NC_REAL, 2, axes, &in));
  *out = pl_alloc((size_t)(axes[0].length * axes[1].length), sizeof **out, name);
  pl_status st = pl_nc_input_doubles(in, NULL, NULL, *out);
  pl_nc_input_free(in);
  return st;
}

/* ---- parts of a file ---- */

static pl_status read_starts(const pl_nc *nc, graph_set *s) {
  pl_nc_axis axis = {NULL, -1, NULL};
  int64_t *start = NULL;
  PL_TRY(read_ints(nc, "graph_start", 1, &axis, &start));
  s->graphs = axis.length;
  s->start = pl_alloc((size_t)s->graphs + 1, sizeof *s->start, "graphs");
  pl_status st = PL_OK;
  for (int64_t g = 0; g < s->graphs && !st; g++) {
    s->start[g] = start[g];
    bool fits = g == 0 ? start[0] == 0 : start[g] > start[g - 1];
    if (!fits || start[g] >= s->nodes)
      st = pl_error(PL_EINPUT,
                    "%s: graph_start[%lld] is %lld, expected the number of a graph's first node: "
                    "0, then increasing, below %lld",
                    pl_nc_path(nc), (long long)g, (long long)start[g], (long long)s->nodes);
  }
  s->start[s->graphs] = s->nodes;
  pl_free(start);
  return st;
}

static pl_status read_labels(const pl_nc *nc, graph_set *s) {
  pl_nc_axis axis = {NULL, s->graphs, "graphs of graph_start"};
  int64_t *label = NULL, largest = 0;
  PL_TRY(read_ints(nc, "label", 1, &axis, &label));
  pl_status st = PL_OK;
  s->label = pl_alloc((size_t)s->graphs, sizeof *s->label, "classes");
  for (int64_t g = 0; g < s->graphs && !st; g++) {
    if (label[g] < 0 || label[g] >= MOST_CLASSES)
      st = pl_error(PL_EINPUT, "%s: label[%lld] is %lld, expected a class, an integer from 0",
                    pl_nc_path(nc), (long long)g, (long long)label[g]);
    s->label[g] = (int32_t)label[g];
    if (label[g] > largest) largest = label[g];
  }
  s->shape.classes = largest + 1 < 2 ? 2 : largest + 1;
  pl_free(label);
  return st;
}

static pl_status read_split(const pl_nc *nc, graph_set *s) {
  int64_t *split = NULL;
  s->split = pl_alloc((size_t)s->graphs, sizeof *s->split, "parts of the data");
  pl_status st = pl_split_read(nc, (pl_nc_axis){NULL, s->graphs, "graphs of graph_start"}, &split);
  for (int64_t g = 0; g < s->graphs; g++) s->split[g] = (int8_t)split[g];
  pl_free(split);
  return st;
}

static pl_status read_edges(const pl_nc *nc, graph_set *s) {
  pl_nc_axis ends[] = {{NULL, -1, NULL}, {NULL, 2, "the nodes of an edge"}};
  int64_t *end = NULL;
  double *feature = NULL;
  pl_status st = read_ints(nc, "edge", 2, ends, &end);
  if (!st && has(nc, "edge_feature")) {
    pl_nc_axis axes[] = {{NULL, ends[0].length, "edges"}, {NULL, -1, NULL}};
    st = read_reals(nc, "edge_feature", axes, &feature);
    s->shape.edge_features = axes[1].length;
  }
  if (!st) {
    st = graph_set_join(s, &(graph_edges){ends[0].length, end, feature});
    if (st) pl_error_in(st, "%s: ", pl_nc_path(nc));
  }
  pl_free(end);
  pl_free(feature);
  return st;
}

static pl_status read_truth(const pl_nc *nc, graph_set *s) {
  pl_nc_axis axes[] = {{NULL, s->nodes, "nodes"}, {NULL, -1, NULL}};
  int64_t *truth = NULL;
  if (!has(nc, "attribution")) return PL_OK;
  PL_TRY(read_ints(nc, "attribution", 2, axes, &truth));
  pl_status st = PL_OK;
  s->alternatives = axes[1].length;
  s->truth = pl_alloc((size_t)(s->nodes * s->alternatives), sizeof *s->truth, "attributions");
  for (int64_t k = 0; k < s->nodes * s->alternatives && !st; k++) {
    if (truth[k] != 0 && truth[k] != 1)
      st = pl_error(PL_EINPUT, "%s: attribution[%lld, %lld] is %lld, expected 0 or 1",
                    pl_nc_path(nc), (long long)(k / s->alternatives),
                    (long long)(k % s->alternatives), (long long)truth[k]);
    s->truth[k] = (int8_t)truth[k];
  }
  s->shape.explained = 1;
  pl_free(truth);
  return st;
}

static pl_status read_all(const pl_nc *nc, bool labels, graph_set *s) {
  pl_nc_axis axes[] = {{NULL, -1, NULL}, {NULL, -1, NULL}};
  PL_TRY(read_reals(nc, "node_feature", axes, &s->feature));
  s->nodes = axes[0].length;
  s->shape.features = axes[1].length;
  PL_TRY(read_starts(nc, s));
  if (labels || has(nc, "label")) PL_TRY(read_labels(nc, s));
  PL_TRY(read_split(nc, s));
  PL_TRY(read_edges(nc, s));
  s->shape.nodes = (double)s->nodes / (double)s->graphs;
  s->shape.entries = (double)s->entries / (double)s->graphs;
  return read_truth(nc, s);
}

pl_status graph_set_read(const pl_nc *nc, bool labels, graph_set *out) {
  graph_set s = {0};
  pl_status st = read_all(nc, labels, &s);
  if (st)
    graph_set_fini(&s);
  else
    *out = s;
  return st;
}

/* ---- the kind of data ---- */

static const char *path_of(const pl_spec *spec) {
  return graph_set_values_of(spec)->path;
}

pl_status molecules_make(const pl_spec *spec, graph_set *out) {
  pl_nc *nc;
  PL_TRY(pl_nc_open(path_of(spec), false, &nc));
  pl_status st = graph_set_read(nc, true, out);
  pl_nc_close(nc);
  return st;
}

/* What does not need edges and features. */
static pl_status read_head(const pl_nc *nc, graph_set *s) {
  pl_nc_axis axes[] = {{NULL, -1, NULL}, {NULL, -1, NULL}};
  pl_nc_axis ends[] = {{NULL, -1, NULL}, {NULL, 2, "the nodes of an edge"}};
  pl_nc_input *in;
  PL_TRY(pl_nc_input_new(nc, "node_feature", PL_NC_REAL, 2, axes, &in));
  pl_nc_input_free(in);
  s->nodes = axes[0].length;
  s->shape.features = axes[1].length;
  PL_TRY(pl_nc_input_new(nc, "edge", PL_NC_INTEGER, 2, ends, &in));
  pl_nc_input_free(in);
  s->entries = 2 * ends[0].length;
  if (has(nc, "edge_feature")) {
    axes[0].length = ends[0].length;
    axes[1].length = -1;
    PL_TRY(pl_nc_input_new(nc, "edge_feature", PL_NC_REAL, 2, axes, &in));
    pl_nc_input_free(in);
    s->shape.edge_features = axes[1].length;
  }
  PL_TRY(read_starts(nc, s));
  PL_TRY(read_split(nc, s));
  s->shape.explained = has(nc, "attribution");
  return read_labels(nc, s);
}

static pl_status head(const pl_spec *spec, graph_set *s) {
  pl_nc *nc;
  *s = (graph_set){0};
  PL_TRY(pl_nc_open(path_of(spec), false, &nc));
  pl_status st = read_head(nc, s);
  pl_nc_close(nc);
  return st;
}

pl_status molecules_shape(const pl_spec *spec, graph_shape *out) {
  graph_set s;
  pl_status st = head(spec, &s);
  *out = s.shape;
  if (!st) {
    out->nodes = (double)s.nodes / (double)s.graphs;
    out->entries = (double)s.entries / (double)s.graphs;
  }
  graph_set_fini(&s);
  return st;
}

static int64_t count(const pl_spec *spec, pl_part part) {
  graph_set s;
  int64_t n = 0;
  if (!head(spec, &s)) pl_free(graph_set_members(&s, part, &n));
  graph_set_fini(&s);
  return n;
}

/* ---- out ---- */

static pl_status define(pl_nc *nc, const graph_set *s, const pl_attribute *attributes, int num) {
  const char *graph[] = {"graph", NULL}, *edges[] = {"edge_number", "end", NULL};
  const char *features[] = {"node", "feature", NULL}, *truth[] = {"node", "alternative", NULL};
  const char *bonds[] = {"edge_number", "bond", NULL};
  PL_TRY(pl_nc_def_dim(nc, "graph", s->graphs));
  PL_TRY(pl_nc_def_dim(nc, "node", s->nodes));
  PL_TRY(pl_nc_def_dim(nc, "edge_number", s->entries / 2));
  PL_TRY(pl_nc_def_dim(nc, "end", 2));
  PL_TRY(pl_nc_def_dim(nc, "feature", s->shape.features));
  if (s->edge) PL_TRY(pl_nc_def_dim(nc, "bond", s->shape.edge_features));
  if (s->truth) PL_TRY(pl_nc_def_dim(nc, "alternative", s->alternatives));
  PL_TRY(pl_nc_def_var(nc, "graph_start", PL_NC_INT64, graph, "first node of each graph", "1"));
  PL_TRY(pl_nc_def_var(nc, "node_feature", PL_NC_DOUBLE, features, "features of nodes", "1"));
  PL_TRY(pl_nc_def_var(nc, "edge", PL_NC_INT64, edges, "nodes of each edge", "1"));
  if (s->edge)
    PL_TRY(pl_nc_def_var(nc, "edge_feature", PL_NC_DOUBLE, bonds, "features of edges", "1"));
  PL_TRY(pl_nc_def_var(nc, "label", PL_NC_INT, graph, "class, from 0", "1"));
  PL_TRY(pl_split_define(nc, graph[0]));
  if (s->truth)
    PL_TRY(pl_nc_def_var(nc, "attribution", PL_NC_BYTE, truth,
                         "1: the node belongs to that explanation of the class", "1"));
  for (int i = 0; i < num; i++)
    PL_TRY(pl_nc_att_text(nc, NULL, attributes[i].name, attributes[i].text));
  return pl_nc_end_def(nc);
}

/* Bytes or small integers as the wide ones of a file. */
static pl_status put_small(pl_nc *nc, const char *name, int64_t n, const int8_t *bytes,
                           const int32_t *ints) {
  int64_t *wide = pl_alloc((size_t)n, sizeof *wide, name);
  for (int64_t i = 0; i < n; i++) wide[i] = bytes ? bytes[i] : ints[i];
  pl_status st = pl_nc_put_ints(nc, name, NULL, NULL, wide);
  pl_free(wide);
  return st;
}

static pl_status put_edges(pl_nc *nc, const graph_set *s) {
  int64_t n = 0, width = s->shape.edge_features;
  int64_t *end = pl_alloc((size_t)s->entries, sizeof *end, "edges");
  double *feature = pl_alloc((size_t)(s->entries / 2 * width), sizeof *feature, "edges");
  for (int64_t u = 0; u < s->nodes; u++)
    for (int64_t e = s->row[u]; e < s->row[u + 1]; e++) {
      if (s->neighbour[e] < u) continue;
      if (s->edge)
        memcpy(feature + n / 2 * width, s->edge + e * width, (size_t)width * sizeof *feature);
      end[n++] = u;
      end[n++] = s->neighbour[e];
    }
  pl_status st = pl_nc_put_ints(nc, "edge", NULL, NULL, end);
  if (!st && s->edge) st = pl_nc_put_doubles(nc, "edge_feature", NULL, NULL, feature);
  pl_free(end);
  pl_free(feature);
  return st;
}

static pl_status put_all(pl_nc *nc, const graph_set *s) {
  PL_TRY(pl_nc_put_ints(nc, "graph_start", NULL, NULL, s->start));
  PL_TRY(pl_nc_put_doubles(nc, "node_feature", NULL, NULL, s->feature));
  PL_TRY(put_edges(nc, s));
  PL_TRY(put_small(nc, "label", s->graphs, NULL, s->label));
  PL_TRY(put_small(nc, "split", s->graphs, s->split, NULL));
  return s->truth ? put_small(nc, "attribution", s->nodes * s->alternatives, s->truth, NULL)
                  : PL_OK;
}

static pl_status write_file(const graph_set *s, const char *path, const pl_attribute *attributes,
                            int num) {
  pl_nc *nc;
  PL_TRY(pl_nc_create(path, true, false, &nc));
  pl_status st = define(nc, s, attributes, num);
  if (!st) st = put_all(nc, s);
  pl_status closed = pl_nc_close(nc);
  return st ? st : closed;
}

pl_status graph_set_write(const pl_spec *spec, const pl_comm *team, const char *path,
                          const pl_attribute *attributes, int num) {
  pl_status st = PL_OK;
  if (team->rank == 0) {
    graph_set s = {0};
    st = graph_set_make(spec, &s);
    if (!st && s.entries == 0) st = pl_error(PL_EINPUT, "graphs without any edge have no file");
    if (!st) st = write_file(&s, path, attributes, num);
    graph_set_fini(&s);
  }
  return pl_agree(team, st);
}

static const pl_keys *const keys[] = {&file_keys, NULL};

const pl_data_kind pl_data_molecules = {
    .name = "file",
    .help = "graphs with a class each, molecules among them, from a NetCDF file",
    .keys = keys,
    .seedless = true,
    .count = count,
    .write_data = graph_set_write};
