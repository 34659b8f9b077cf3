#include "graph/file.h"

#include "base/mem.h"
#include "base/nc_read.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

void pl_graph_data_fini(pl_graph_data *d) {
  pl_csr_free(d->graph);
  pl_csr_free(d->sparse);
  pl_free(d->dense);
  pl_free(d->label);
  pl_free(d->target);
  pl_free(d->part);
  *d = (pl_graph_data){0};
}

/* ---- numbers of a file: the only readers here ---- */

static bool has(const pl_nc *nc, const char *var) {
  return pl_nc_var(nc, var, NULL, NULL, NULL, 0) >= 0;
}

enum { MOST_DIMS = 2 };

/* var on dimensions of any name, of this shape (negative: any length, which is filled in); *n: how
 * many numbers. */
static pl_status open_numbers(const pl_nc *nc, const char *var, pl_nc_number number, int ndims,
                              int64_t *shape, size_t *n, pl_nc_input **in) {
  pl_nc_axis axes[MOST_DIMS] = {{0}};
  for (int d = 0; d < ndims; d++) axes[d].length = shape[d];
  PL_TRY(pl_nc_input_new(nc, var, number, ndims, axes, in));
  *n = 1;
  for (int d = 0; d < ndims; d++) *n *= (size_t)(shape[d] = axes[d].length);
  return PL_OK;
}

/* All integers of var.  The caller frees them. */
static pl_status integers(const pl_nc *nc, const char *var, int ndims, int64_t *shape,
                          int64_t **out) {
  pl_nc_input *in;
  size_t n;
  PL_TRY(open_numbers(nc, var, PL_NC_INTEGER, ndims, shape, &n, &in));
  int64_t *v = pl_alloc(n, sizeof *v, var);
  pl_status st = pl_nc_input_ints(in, NULL, NULL, v);
  pl_nc_input_free(in);
  if (st)
    pl_free(v);
  else
    *out = v;
  return st;
}

static pl_status reals(const pl_nc *nc, const char *var, int ndims, int64_t *shape, double **out) {
  pl_nc_input *in;
  size_t n;
  PL_TRY(open_numbers(nc, var, PL_NC_REAL, ndims, shape, &n, &in));
  double *v = pl_alloc(n, sizeof *v, var);
  pl_status st = pl_nc_input_doubles(in, NULL, NULL, v);
  pl_nc_input_free(in);
  if (st)
    pl_free(v);
  else
    *out = v;
  return st;
}

/* ---- reading ---- */

static pl_status read_graph(const pl_nc *nc, int64_t nodes, pl_graph_data *d) {
  int64_t *end, shape[2] = {-1, 2};
  PL_TRY(integers(nc, "edge", 2, shape, &end));
  pl_edges e = {shape[0], (int64_t(*)[2])(void *)end, NULL};
  pl_status st = has(nc, "weight") ? reals(nc, "weight", 1, shape, &e.weight) : PL_OK;
  if (!st) {
    st = pl_graph_new(nodes, &e, &d->counts, &d->graph);
    if (st) pl_error_in(st, "%s: ", pl_nc_path(nc));
  }
  pl_edges_fini(&e);
  return st;
}

static pl_status read_dense(const pl_nc *nc, int64_t nodes, pl_graph_data *d) {
  int64_t shape[2] = {nodes, -1};
  PL_TRY(reals(nc, "feature", 2, shape, &d->dense));
  d->features = shape[1];
  return PL_OK;
}

static pl_status check_sparse(const char *path, int64_t nodes, int64_t features, int64_t entries,
                              const int64_t *start, const int64_t *index, const double *value) {
  for (int64_t i = 0; i <= nodes; i++)
    if (start[i] < (i ? start[i - 1] : 0) || start[i] > entries || (!i && start[0]))
      return pl_error(PL_EINPUT,
                      "%s: feature_start(%lld) is %lld; it goes from 0 to the %lld "
                      "entries and does not decrease",
                      path, (long long)i, (long long)start[i], (long long)entries);
  if (start[nodes] != entries)
    return pl_error(PL_EINPUT, "%s: feature_start ends at %lld, there are %lld entries", path,
                    (long long)start[nodes], (long long)entries);
  for (int64_t k = 0; k < entries; k++) {
    if (index[k] < 0 || index[k] >= features)
      return pl_error(PL_EINPUT, "%s: feature_index(%lld) is %lld; features go from 0 to %lld",
                      path, (long long)k, (long long)index[k], (long long)features - 1);
    if (!isfinite(value[k]))
      return pl_error(PL_EINPUT, "%s: feature_value(%lld) is %g", path, (long long)k, value[k]);
  }
  return PL_OK;
}

/* Columns in order, by transposing twice. */
static pl_csr *sorted(pl_csr *s) {
  pl_csr *t = pl_csr_transpose(s), *back = pl_csr_transpose(t);
  pl_csr_free(s);
  pl_csr_free(t);
  return back;
}

static pl_status read_sparse(const pl_nc *nc, int64_t nodes, pl_graph_data *d) {
  int64_t *start = NULL, *index = NULL, entries = -1, length = nodes + 1;
  double *value = NULL;
  const char *path = pl_nc_path(nc);
  d->features = pl_nc_dim(nc, "features");
  if (d->features < 0) d->features = pl_nc_dim(nc, "feature");
  if (d->features < 1 || d->features > INT32_MAX)
    return pl_error(PL_EINPUT, "%s: sparse features need a dimension \"features\", their number",
                    path);
  pl_status st = integers(nc, "feature_start", 1, &length, &start);
  if (!st) st = integers(nc, "feature_index", 1, &entries, &index);
  if (!st) st = reals(nc, "feature_value", 1, &entries, &value);
  if (!st) st = check_sparse(path, nodes, d->features, entries, start, index, value);
  if (!st) {
    pl_csr *s = pl_csr_new(nodes, d->features, entries);
    memcpy(s->start, start, (size_t)(nodes + 1) * sizeof *start);
    memcpy(s->value, value, (size_t)entries * sizeof *value);
    for (int64_t k = 0; k < entries; k++) s->index[k] = (int32_t)index[k];
    d->sparse = s = sorted(s);
    for (int64_t i = 0; !st && i < nodes; i++)
      for (int64_t k = s->start[i] + 1; !st && k < s->start[i + 1]; k++)
        if (s->index[k] == s->index[k - 1])
          st = pl_error(PL_EINPUT, "%s: feature_index names feature %d of node %lld twice", path,
                        s->index[k], (long long)i);
  }
  pl_free(start);
  pl_free(index);
  pl_free(value);
  return st;
}

static pl_status read_features(const pl_nc *nc, int64_t nodes, pl_graph_data *d) {
  bool dense = has(nc, "feature"), sparse = has(nc, "feature_start");
  if (dense && sparse)
    return pl_error(PL_EINPUT, "%s: both feature and feature_start", pl_nc_path(nc));
  if (dense) return read_dense(nc, nodes, d);
  return sparse ? read_sparse(nc, nodes, d) : PL_OK;
}

static pl_status read_labels(const pl_nc *nc, int64_t nodes, pl_graph_data *d) {
  int64_t *label;
  if (!has(nc, "label")) return PL_OK;
  PL_TRY(integers(nc, "label", 1, &nodes, &label));
  d->label = pl_alloc((size_t)nodes, sizeof *d->label, "labels");
  pl_status st = PL_OK;
  for (int64_t i = 0; !st && i < nodes; i++) {
    if (label[i] < -1 || label[i] >= nodes)
      st = pl_error(PL_EINPUT,
                    "%s: label(%lld) is %lld; classes go from 0, fewer than nodes, -1: "
                    "none",
                    pl_nc_path(nc), (long long)i, (long long)label[i]);
    d->label[i] = (int32_t)label[i];
    if (label[i] >= d->classes) d->classes = label[i] + 1;
  }
  pl_free(label);
  return st;
}

static pl_status read_targets(const pl_nc *nc, int64_t nodes, pl_graph_data *d) {
  int64_t shape[2] = {nodes, -1};
  if (!has(nc, "target")) return PL_OK;
  PL_TRY(reals(nc, "target", 2, shape, &d->target));
  d->targets = shape[1];
  return PL_OK;
}

static pl_status read_splits(const pl_nc *nc, int64_t nodes, pl_graph_data *d) {
  int64_t *part, shape[2] = {-1, nodes};
  if (!has(nc, "split")) return PL_OK;
  bool several = pl_nc_var(nc, "split", NULL, NULL, NULL, 0) == 2;
  PL_TRY(several ? integers(nc, "split", 2, shape, &part)
                 : integers(nc, "split", 1, shape + 1, &part));
  d->splits = several ? shape[0] : 1;
  d->part = pl_alloc((size_t)(d->splits * nodes), sizeof *d->part, "parts");
  pl_status st = PL_OK;
  for (int64_t k = 0; !st && k < d->splits * nodes; k++) {
    char place[64];
    int64_t i = k % nodes;
    int at = several ? snprintf(place, sizeof place, "%lld, ", (long long)(k / nodes)) : 0;
    snprintf(place + at, sizeof place - (size_t)at, "%lld", (long long)i);
    if (part[k] < 0 || part[k] >= PL_NUM_SPLIT_PARTS)
      st = pl_error(PL_EINPUT, "%s: split(%s) is %lld; 0 train, 1 validation, 2 test, 3 none",
                    pl_nc_path(nc), place, (long long)part[k]);
    else if (d->label && d->label[i] < 0 && part[k] != PL_PART_NONE)
      st = pl_error(PL_EINPUT, "%s: split(%s) is %lld, but label(%lld) says that it has none",
                    pl_nc_path(nc), place, (long long)part[k], (long long)i);
    d->part[k] = (int8_t)part[k];
  }
  pl_free(part);
  return st;
}

pl_status pl_graph_read(const char *path, pl_graph_data *out) {
  pl_nc *nc;
  pl_graph_data d = {0};
  PL_TRY(pl_nc_open(path, false, &nc));
  int64_t nodes = pl_nc_dim(nc, "node");
  pl_status st = PL_OK;
  if (nodes < 1) st = pl_error(PL_EINPUT, "%s: no dimension \"node\", the number of nodes", path);
  if (!st) st = read_graph(nc, nodes, &d);
  if (!st) st = read_features(nc, nodes, &d);
  if (!st) st = read_labels(nc, nodes, &d);
  if (!st) st = read_targets(nc, nodes, &d);
  if (!st) st = read_splits(nc, nodes, &d);
  pl_nc_close(nc);
  if (st)
    pl_graph_data_fini(&d);
  else
    *out = d;
  return st;
}

/* ---- writing ---- */

#define DIMS(...)                                                                                  \
  (const char *const[]) {                                                                          \
    __VA_ARGS__, NULL                                                                              \
  }

typedef struct {
  int64_t num;
  int64_t (*end)[2];
  double *weight;
  bool weighted;
} edge_list;

/* Each edge once, the smaller node first. */
static edge_list list(const pl_csr *a) {
  edge_list e = {0};
  e.end = pl_alloc((size_t)pl_csr_entries(a), sizeof *e.end, "edges");
  e.weight = pl_alloc((size_t)pl_csr_entries(a), sizeof *e.weight, "weights");
  for (int64_t i = 0; i < a->rows; i++)
    for (int64_t k = a->start[i]; k < a->start[i + 1]; k++) {
      if (a->index[k] < i) continue;
      e.end[e.num][0] = i;
      e.end[e.num][1] = a->index[k];
      e.weight[e.num++] = a->value[k];
      e.weighted |= a->value[k] != 1;
    }
  return e;
}

static void define(pl_nc *nc, const pl_graph_data *d, const edge_list *e) {
  int64_t nodes = d->graph->rows;
  pl_nc_att_text(nc, NULL, "Conventions", "CF-1.10");
  pl_nc_def_dim(nc, "node", nodes);
  pl_nc_def_dim(nc, "edges", e->num);
  pl_nc_def_dim(nc, "ends", 2);
  pl_nc_def_var(nc, "edge", PL_NC_INT, DIMS("edges", "ends"), "nodes that an edge joins", "1");
  if (e->weighted)
    pl_nc_def_var(nc, "weight", PL_NC_DOUBLE, DIMS("edges"), "weight of an edge", "1");
  if (d->features) pl_nc_def_dim(nc, "features", d->features);
  if (d->dense)
    pl_nc_def_var(nc, "feature", PL_NC_DOUBLE, DIMS("node", "features"), "features of nodes", "1");
  if (d->sparse) {
    pl_nc_def_dim(nc, "starts", nodes + 1);
    pl_nc_def_dim(nc, "entries", pl_csr_entries(d->sparse));
    pl_nc_def_var(nc, "feature_start", PL_NC_INT64, DIMS("starts"),
                  "first entry of a node's features", "1");
    pl_nc_def_var(nc, "feature_index", PL_NC_INT, DIMS("entries"), "feature of an entry", "1");
    pl_nc_def_var(nc, "feature_value", PL_NC_DOUBLE, DIMS("entries"), "value of an entry", "1");
  }
  if (d->label)
    pl_nc_def_var(nc, "label", PL_NC_INT, DIMS("node"), "class of a node, -1: none", "1");
  if (d->target) {
    pl_nc_def_dim(nc, "targets", d->targets);
    pl_nc_def_var(nc, "target", PL_NC_DOUBLE, DIMS("node", "targets"), "numbers to learn", "1");
  }
  if (d->splits > 1) pl_nc_def_dim(nc, "fold", d->splits);
  if (d->splits) {
    static const int values[PL_NUM_SPLIT_PARTS] = {PL_PART_TRAIN, PL_PART_VALIDATION, PL_PART_TEST,
                                                   PL_PART_NONE};
    pl_nc_def_var(nc, "split", PL_NC_BYTE, d->splits > 1 ? DIMS("fold", "node") : DIMS("node"),
                  "part of a node", "1");
    pl_nc_att_ints(nc, "split", "flag_values", PL_NC_BYTE, values, PL_NUM_SPLIT_PARTS);
    pl_nc_att_text(nc, "split", "flag_meanings", "train validation test none");
  }
}

/* n numbers in a type of the memory, as the library takes them. */
static void put_ints(pl_nc *nc, const char *var, int64_t n, const int32_t *wide,
                     const int8_t *narrow) {
  int64_t *v = pl_alloc((size_t)n, sizeof *v, var);
  for (int64_t k = 0; k < n; k++) v[k] = wide ? wide[k] : narrow[k];
  pl_nc_put_ints(nc, var, NULL, NULL, v);
  pl_free(v);
}

static void put(pl_nc *nc, const pl_graph_data *d, const edge_list *e) {
  int64_t nodes = d->graph->rows;
  pl_nc_put_ints(nc, "edge", NULL, NULL, &e->end[0][0]);
  if (e->weighted) pl_nc_put_doubles(nc, "weight", NULL, NULL, e->weight);
  if (d->dense) pl_nc_put_doubles(nc, "feature", NULL, NULL, d->dense);
  if (d->sparse) {
    pl_nc_put_ints(nc, "feature_start", NULL, NULL, d->sparse->start);
    put_ints(nc, "feature_index", pl_csr_entries(d->sparse), d->sparse->index, NULL);
    pl_nc_put_doubles(nc, "feature_value", NULL, NULL, d->sparse->value);
  }
  if (d->label) put_ints(nc, "label", nodes, d->label, NULL);
  if (d->target) pl_nc_put_doubles(nc, "target", NULL, NULL, d->target);
  if (d->splits) put_ints(nc, "split", d->splits * nodes, NULL, d->part);
}

pl_status pl_graph_put(pl_nc *nc, const pl_graph_data *d) {
  const char *path = pl_nc_path(nc);
  if (!pl_csr_entries(d->graph)) return pl_error(PL_EINPUT, "%s: a graph without edges", path);
  if (d->sparse && !pl_csr_entries(d->sparse))
    return pl_error(PL_EINPUT, "%s: sparse features without an entry", path);
  edge_list e = list(d->graph);
  define(nc, d, &e);
  pl_status st = pl_nc_end_def(nc);
  if (!st) put(nc, d, &e);
  pl_free(e.end);
  pl_free(e.weight);
  return st;
}

/* ---- questions ---- */

int64_t pl_graph_untrained(int64_t nodes, int64_t classes, const int32_t *label, const int8_t *part,
                           int64_t *single) {
  int64_t *there = pl_zalloc((size_t)classes, sizeof *there, "classes"), missing = -1;
  bool *trained = pl_zalloc((size_t)classes, sizeof *trained, "classes");
  for (int64_t i = 0; i < nodes; i++)
    if (label[i] >= 0) {
      there[label[i]]++;
      if (part[i] == PL_PART_TRAIN) trained[label[i]] = true;
    }
  *single = -1;
  for (int64_t c = classes - 1; c >= 0; c--)
    if (!trained[c] && there[c]) *(there[c] == 1 ? single : &missing) = c;
  pl_free(there);
  pl_free(trained);
  return missing;
}
