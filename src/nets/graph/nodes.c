#include "nodes.h"

#include "base/log.h"
#include "base/mem.h"
#include "graph/karate.h"
#include "graph/random.h"

#include <math.h>
#include <string.h>

static pl_status at(const char **key, const char *name, pl_status st) {
  if (st && key) *key = name;
  return st;
}

/* ---- sources ---- */

static pl_block_model block_model(const pl_spec *spec) {
  const graph_values *v = graph_values_of(spec);
  return (pl_block_model){.nodes = v->nodes,
                          .blocks = v->blocks,
                          .features = v->source == SOURCE_CSBM ? v->features : 0,
                          .p_in = v->p_in,
                          .p_out = v->p_out,
                          .signal = v->signal};
}

static pl_status from_cayley(const graph_values *v, const char **key, graph_nodes *d,
                             pl_graph_data *raw) {
  PL_TRY(at(key, "group", pl_group_parse(v->group, &d->group)));
  PL_TRY(at(key, "data.generators", pl_cayley_new(d->group, v->generators, &d->cayley)));
  return at(key, "group", pl_cayley_graph(d->cayley, &raw->graph));
}

static pl_status from_blocks(const pl_spec *spec, const char **key, pl_graph_data *raw) {
  pl_block_model m = block_model(spec);
  PL_TRY(at(key, "data.nodes", pl_block_model_check(&m)));
  pl_edges e = pl_block_model_edges(&m, pl_data_seed(spec));
  pl_status st = at(key, "data.nodes", pl_graph_new(m.nodes, &e, NULL, &raw->graph));
  pl_edges_fini(&e);
  if (st) return st;
  raw->classes = m.blocks;
  raw->label = pl_alloc((size_t)m.nodes, sizeof *raw->label, "classes");
  for (int64_t i = 0; i < m.nodes; i++) raw->label[i] = (int32_t)pl_block_of(&m, i);
  if (!m.features) return PL_OK;
  raw->features = m.features;
  raw->dense = pl_alloc((size_t)(m.nodes * m.features), sizeof *raw->dense, "features");
  pl_block_model_features(&m, pl_data_seed(spec), raw->dense);
  return PL_OK;
}

static void from_karate(pl_graph_data *raw) {
  raw->graph = pl_karate();
  raw->classes = 2;
  raw->label = pl_alloc(PL_KARATE_NODES, sizeof *raw->label, "classes");
  pl_karate_factions(raw->label);
}

pl_status graph_source(const pl_spec *spec, const char **key, graph_nodes *d, pl_graph_data *raw) {
  const graph_values *v = graph_values_of(spec);
  switch (v->source) {
  case SOURCE_CAYLEY:
    return from_cayley(v, key, d, raw);
  case SOURCE_KARATE:
    from_karate(raw);
    return PL_OK;
  case SOURCE_FILE:
    return at(key, "data.path", pl_graph_read(v->path, raw));
  default:
    return from_blocks(spec, key, raw);
  }
}

/* ---- features ---- */

static pl_csr *identity(int64_t n) {
  pl_csr *x = pl_csr_new(n, n, n);
  for (int64_t i = 0; i < n; i++) {
    x->start[i + 1] = i + 1;
    x->index[i] = (int32_t)i;
    x->value[i] = 1;
  }
  return x;
}

static void divide(int64_t n, double *x) {
  double sum = 0;
  for (int64_t k = 0; k < n; k++) sum += fabs(x[k]);
  for (int64_t k = 0; sum > 0 && k < n; k++) x[k] /= sum;
}

/* Those of the source, or the identity: every node is its own feature. */
static void take_features(const graph_values *v, graph_nodes *d, pl_graph_data *raw) {
  d->features = raw->features;
  d->dense = raw->dense;
  d->sparse = raw->sparse;
  raw->dense = NULL;
  raw->sparse = NULL;
  d->identity = !d->dense && !d->sparse;
  if (d->identity) {
    d->sparse = identity(d->nodes);
    d->features = d->nodes;
  }
  for (int64_t i = 0; v->normalize == NORMALIZE_ROW && i < d->nodes; i++)
    if (d->dense)
      divide(d->features, d->dense + i * d->features);
    else
      divide(d->sparse->start[i + 1] - d->sparse->start[i], d->sparse->value + d->sparse->start[i]);
  if (d->sparse) d->sparse_t = pl_csr_transpose(d->sparse);
}

/* ---- parts ---- */

static pl_status draw_parts(const pl_spec *spec, const char **key, const graph_nodes *d,
                            int8_t *part) {
  const graph_values *v = graph_values_of(spec);
  int64_t classes = d->label ? d->outputs : 1, others = v->validation + v->test;
  bool all = v->samples == PL_UNSET;
  if (!all && v->samples % classes != 0) {
    pl_error(PL_EINPUT, "%lld nodes are not as many of each of %lld classes", (long long)v->samples,
             (long long)classes);
    return at(key, "data.samples", PL_EINPUT);
  }
  int32_t *label = pl_zalloc((size_t)d->nodes, sizeof *label, "classes");
  if (d->label) memcpy(label, d->label, (size_t)d->nodes * sizeof *label);
  int64_t each = all ? 0 : v->samples / classes;
  if (all && others >= d->nodes)
    pl_error(PL_EINPUT, "%lld nodes, and none left to train on", (long long)d->nodes);
  pl_status st = all && others >= d->nodes ? PL_EINPUT
                                           : pl_split_draw(d->nodes, label, each, v->validation,
                                                           v->test, pl_data_seed(spec), part);
  for (int64_t i = 0; !st && all && i < d->nodes; i++)
    if (part[i] == PL_PART_NONE && label[i] >= 0) part[i] = PL_PART_TRAIN;
  pl_free(label);
  return at(key, all ? "data.test" : "data.samples", st);
}

/* A split of the file holds unless parts are asked for. */
static bool drawn(const graph_values *v, const pl_graph_data *raw) {
  return !raw->part || v->samples != PL_UNSET || v->validation > 0 || v->test > 0;
}

/* Whether every class has a node to train on. */
static pl_status trains_all(const graph_values *v, const char **key, graph_nodes *d,
                            bool drawn_here, const int8_t *part) {
  int64_t c = pl_graph_untrained(d->nodes, d->outputs, d->label, part, &d->untrained);
  if (c < 0) return PL_OK;
  pl_error(PL_EINPUT, "no node of class %lld is in the training part", (long long)c);
  if (drawn_here) return at(key, "data.test", PL_EINPUT);
  pl_error_in(PL_EINPUT, "%s: split %lld: ", v->path, (long long)v->split);
  return at(key, v->target == TARGET_SHUFFLED ? "data.labelling" : "data.path", PL_EINPUT);
}

pl_status graph_parts(const pl_spec *spec, const char **key, graph_nodes *d,
                      const pl_graph_data *raw) {
  const graph_values *v = graph_values_of(spec);
  int8_t *part = pl_alloc((size_t)d->nodes, sizeof *part, "parts");
  pl_status st = PL_OK;
  d->untrained = -1;
  if (drawn(v, raw)) {
    st = draw_parts(spec, key, d, part);
  } else if (v->split >= raw->splits) {
    st = pl_error(PL_EINPUT, "%s: split %lld; there are %lld", v->path, (long long)v->split,
                  (long long)raw->splits);
    at(key, "data.split", st);
  } else {
    memcpy(part, raw->part + v->split * d->nodes, (size_t)d->nodes * sizeof *part);
  }
  if (!st && d->label) st = trains_all(v, key, d, drawn(v, raw), part);
  for (int p = 0; !st && p < PL_NUM_PARTS; p++) {
    d->member[p] = pl_alloc((size_t)d->nodes, sizeof **d->member, "nodes of a part");
    for (int64_t i = 0; i < d->nodes; i++)
      if (part[i] == p) d->member[p][d->count[p]++] = (int)i;
  }
  pl_free(part);
  if (!st && !d->count[PL_TRAIN])
    st = at(key, "data.path", pl_error(PL_EINPUT, "no node to train on"));
  return st;
}

int64_t graph_part_count(const pl_spec *spec, pl_part part) {
  const graph_values *v = graph_values_of(spec);
  graph_nodes d = {0};
  pl_graph_data raw = {0};
  int64_t nodes = 0, given = part == PL_VALIDATION ? v->validation : v->test;
  if (v->source == SOURCE_FILE) {
    const char *key;
    if (!graph_source(spec, &key, &d, &raw)) {
      d.nodes = raw.graph->rows;
      d.label = raw.label;
      d.outputs = raw.classes;
      if (!graph_parts(spec, NULL, &d, &raw)) nodes = d.count[part];
    }
    for (int p = 0; p < PL_NUM_PARTS; p++) pl_free(d.member[p]);
    pl_graph_data_fini(&raw);
    return nodes;
  }
  if (part != PL_TRAIN) return given;
  if (v->samples != PL_UNSET) return v->samples;
  nodes = v->source == SOURCE_KARATE ? PL_KARATE_NODES : v->nodes;
  if (v->source == SOURCE_CAYLEY) {
    if (pl_group_parse(v->group, &d.group)) return 0;
    nodes = pl_group_order(d.group);
    pl_group_free(d.group);
  }
  nodes -= v->validation + v->test;
  return nodes > 0 ? nodes : 0;
}

/* ---- all of it ---- */

void graph_nodes_free(graph_nodes *d) {
  if (!d) return;
  if (d->op_t != d->op) pl_csr_free(d->op_t);
  pl_csr_free(d->op);
  pl_csr_free(d->graph);
  pl_csr_free(d->sparse);
  pl_csr_free(d->sparse_t);
  pl_free(d->dense);
  pl_free(d->label);
  pl_free(d->target);
  for (int p = 0; p < PL_NUM_PARTS; p++) pl_free(d->member[p]);
  pl_cayley_free(d->cayley);
  pl_group_free(d->group);
  pl_free(d);
}

/* The graph and its operator; the graph stays raw's until all is well. */
static pl_status take_graph(const pl_spec *spec, const char **key, graph_nodes *d,
                            pl_graph_data *raw) {
  const graph_values *v = graph_values_of(spec);
  PL_TRY(graph_source(spec, key, d, raw));
  d->graph = raw->graph;
  d->nodes = d->graph->rows;
  pl_status st = pl_graph_operator(d->graph, (pl_operator)v->operator_kind, v->self_loop, &d->op);
  if (st && v->source == SOURCE_FILE) pl_error_in(st, "%s: ", v->path);
  PL_TRY(at(key, "data.self_loop", st));
  d->op_t = graph_symmetric(spec) ? d->op : pl_csr_transpose(d->op);
  return PL_OK;
}

static pl_status make(const pl_spec *spec, const char **key, graph_nodes *d, pl_graph_data *raw) {
  PL_TRY(take_graph(spec, key, d, raw));
  PL_TRY(graph_targets(spec, key, d, raw));
  PL_TRY(graph_parts(spec, key, d, raw));
  take_features(graph_values_of(spec), d, raw);
  return PL_OK;
}

static pl_status make_open(const pl_spec *spec, const graph_shape *shape, graph_nodes *d,
                           pl_graph_data *raw) {
  const char *path = graph_values_of(spec)->path;
  PL_TRY(take_graph(spec, NULL, d, raw));
  take_features(graph_values_of(spec), d, raw);
  if (d->features != shape->features)
    return pl_error(PL_EINPUT, "%s: nodes have %lld features, and the network takes %lld", path,
                    (long long)d->features, (long long)shape->features);
  return graph_known_targets(path, shape, d, raw);
}

static pl_status finish(pl_status st, graph_nodes *d, pl_graph_data *raw, graph_nodes **out) {
  *(st ? &d->graph : &raw->graph) = NULL;
  pl_graph_data_fini(raw);
  if (st)
    graph_nodes_free(d);
  else
    *out = d;
  return st;
}

pl_status graph_nodes_new(const pl_spec *spec, const char **key, graph_nodes **out) {
  graph_nodes *d = pl_zalloc(1, sizeof *d, "data on a graph");
  pl_graph_data raw = {0};
  return finish(make(spec, key, d, &raw), d, &raw, out);
}

pl_status graph_nodes_open(const pl_spec *spec, const graph_shape *shape, graph_nodes **out) {
  graph_nodes *d = pl_zalloc(1, sizeof *d, "data on a graph");
  pl_graph_data raw = {0};
  return finish(make_open(spec, shape, d, &raw), d, &raw, out);
}

pl_status graph_nodes_check(const pl_spec *spec, const char **key, int64_t *nodes) {
  const graph_values *v = graph_values_of(spec);
  graph_nodes *d;
  PL_TRY(graph_nodes_new(spec, key, &d));
  if (d->untrained >= 0)
    pl_log(PL_LOG_WARNING,
           "%s: the only node of class %lld is in no training part: nothing is learnt of it",
           v->source == SOURCE_FILE ? v->path : graph_source_name(spec), (long long)d->untrained);
  if (nodes) *nodes = d->nodes;
  graph_nodes_free(d);
  return PL_OK;
}
