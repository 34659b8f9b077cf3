/* Random sparse graphs whose class is a motif.  Nodes have a type each, one of five, as a unit
 * vector.  Motif A is a node of type 1 with a neighbour of type 0 and one of type 2; B one of type
 * 3 with a neighbour of type 4 and one of type 2.
 *   easy  16 nodes; class 1 has one A, class 0 none, but the same centre with one of the two
 *   hard  32 nodes; class 1 has A and B, class 0 one of them or none
 * The graph is a random recursive tree with a quarter as many more edges as nodes. */
#include "base/mem.h"
#include "base/rng.h"
#include "graph_set.h"

#include <string.h>

PL_WORDS(difficulties, "easy", "hard")
enum { EASY, HARD };
enum { TYPES = 5, MOST_NODES = 1000, MOTIFS = 2 };

typedef struct motif {
  int centre, first, second;
} motif;
static const motif motifs[MOTIFS] = {{1, 0, 2}, {3, 4, 2}};

#define F(member) offsetof(graph_set_values, member)
enum { DRAWN = PL_COST | PL_DATA | PL_RESULTS };

static const pl_key rows[] = {
    {"data.difficulty", PL_KEY_CHOICE, F(difficulty), DRAWN, "easy", .choice = difficulties,
     .help = "easy: one motif among 16 nodes; hard: two motifs, both of them in class 1, among 32"},
    {"data.nodes", PL_KEY_INT, F(nodes), DRAWN, .min = 8, .max = MOST_NODES,
     .help = "nodes of a graph (default: 16 or 32)"},
    {"data.share", PL_KEY_REAL, F(positive), DRAWN, "0.5", .min = 0.01, .max = 0.99,
     .help = "probability of class 1"},
};
static const pl_keys motif_keys = PL_KEYS(PL_IN_DATA, rows);

/* ---- one graph ---- */

/* Numbers of one graph, in order. */
typedef struct source {
  uint64_t seed, stream, at;
} source;

static int64_t below(source *s, int64_t n) {
  return pl_rng_below(s->seed, s->stream, s->at++, n);
}

typedef struct drawn {
  int64_t nodes, edges;
  int64_t end[2 * MOST_NODES][2];
  int type[MOST_NODES];
  bool truth[MOST_NODES], fixed[MOST_NODES];
  int label;
} drawn;

static bool joined(const drawn *d, int64_t u, int64_t v) {
  for (int64_t i = 0; i < d->edges; i++)
    if ((d->end[i][0] == u && d->end[i][1] == v) || (d->end[i][0] == v && d->end[i][1] == u))
      return true;
  return false;
}

static void join(drawn *d, int64_t u, int64_t v) {
  if (u == v || joined(d, u, v)) return;
  d->end[d->edges][0] = u;
  d->end[d->edges++][1] = v;
}

static int64_t neighbours(const drawn *d, int64_t u, int64_t *out) {
  int64_t n = 0;
  for (int64_t i = 0; i < d->edges; i++) {
    if (d->end[i][0] == u) out[n++] = d->end[i][1];
    if (d->end[i][1] == u) out[n++] = d->end[i][0];
  }
  return n;
}

/* A type for what is beside a motif: none of its own two. */
static int other_type(source *s, const motif *m) {
  int type;
  do type = (int)below(s, TYPES);
  while (type == m->first || type == m->second);
  return type;
}

/* Is there a node of the motif with two free neighbours?  It becomes its centre. */
static bool place(source *s, drawn *d, const motif *m, bool whole) {
  int64_t near[MOST_NODES];
  for (int64_t k = 0, u = below(s, d->nodes); k < d->nodes; k++, u = (u + 1) % d->nodes) {
    int64_t n = neighbours(d, u, near), open = 0;
    for (int64_t i = 0; i < n; i++) open += !d->fixed[near[i]];
    if (d->fixed[u] || n < 2 || open < n) continue;
    int64_t a = below(s, n), b = (a + 1 + below(s, n - 1)) % n;
    bool keep_first = below(s, 2) == 0;
    d->type[u] = m->centre;
    for (int64_t i = 0; i < n; i++) d->type[near[i]] = other_type(s, m);
    if (whole || keep_first) d->type[near[a]] = m->first;
    if (whole || !keep_first) d->type[near[b]] = m->second;
    d->fixed[u] = true;
    for (int64_t i = 0; i < n; i++) d->fixed[near[i]] = true;
    if (whole) d->truth[u] = d->truth[near[a]] = d->truth[near[b]] = true;
    return true;
  }
  return false;
}

static bool complete(const drawn *d, int64_t u, const motif *m) {
  int64_t near[MOST_NODES], n = neighbours(d, u, near);
  bool first = false, second = false;
  for (int64_t i = 0; i < n; i++) {
    first |= d->type[near[i]] == m->first;
    second |= d->type[near[i]] == m->second;
  }
  return d->type[u] == m->centre && first && second;
}

/* No motif but those that were placed: a centre too many changes its type, until none is left. */
static bool clean(source *s, drawn *d, int num) {
  for (int round = 0; round < 100; round++) {
    bool changed = false;
    for (int64_t u = 0; u < d->nodes; u++)
      for (int k = 0; k < num; k++) {
        if (d->truth[u] || !complete(d, u, &motifs[k])) continue;
        if (d->fixed[u]) return false;
        d->type[u] = (int)below(s, TYPES);
        changed = true;
      }
    if (!changed) return true;
  }
  return false;
}

static void draw_edges(source *s, drawn *d) {
  int64_t order[MOST_NODES];
  d->edges = 0;
  for (int64_t i = 0; i < d->nodes; i++) {
    int64_t j = below(s, i + 1);
    order[i] = order[j];
    order[j] = i;
  }
  for (int64_t i = 1; i < d->nodes; i++) join(d, order[below(s, i)], order[i]);
  for (int64_t i = 0; i < d->nodes / 4; i++) {
    int64_t u = below(s, d->nodes);
    join(d, u, below(s, d->nodes));
  }
}

/* One attempt: false where there was no room for the motifs. */
static bool attempt(source *s, drawn *d, int num) {
  int broken = d->label ? 0 : 1 + (int)below(s, (1 << num) - 1); /* bits: which motifs */
  draw_edges(s, d);
  for (int64_t u = 0; u < d->nodes; u++) {
    d->type[u] = (int)below(s, TYPES);
    d->truth[u] = d->fixed[u] = false;
  }
  for (int k = 0; k < num; k++)
    if (!place(s, d, &motifs[k], !(broken >> k & 1))) return false;
  if (!clean(s, d, num)) return false;
  for (int64_t u = 0; u < d->nodes && !d->label; u++) d->truth[u] = false;
  return true;
}

static void draw(const pl_spec *spec, int64_t graph, drawn *d) {
  const graph_set_values *v = graph_set_values_of(spec);
  source s = {pl_data_seed(spec), PL_STREAM(PL_STREAM_GRAPH, 0x40000000 + graph), 1};
  d->label = pl_rng_uniform(s.seed, s.stream, 0) < v->positive;
  while (!attempt(&s, d, v->difficulty == HARD ? 2 : 1)) continue;
}

/* ---- all of them ---- */

static int64_t nodes_of(const pl_spec *spec) {
  const graph_set_values *v = graph_set_values_of(spec);
  return v->nodes != (int64_t)PL_UNSET ? v->nodes : v->difficulty == HARD ? 32 : 16;
}

pl_status motif_shape(const pl_spec *spec, graph_shape *out) {
  double nodes = (double)nodes_of(spec);
  *out = (graph_shape){.features = TYPES,
                       .classes = 2,
                       .explained = graph_set_values_of(spec)->positive,
                       .nodes = nodes,
                       .entries = 2.5 * nodes};
  return PL_OK;
}

static void put(graph_set *s, int64_t g, const drawn *d, int64_t *end) {
  int64_t first = g * d->nodes;
  s->start[g + 1] = first + d->nodes;
  s->label[g] = d->label;
  for (int64_t u = 0; u < d->nodes; u++) {
    s->feature[(first + u) * TYPES + d->type[u]] = 1;
    s->truth[first + u] = d->truth[u];
  }
  for (int64_t i = 0; i < d->edges; i++)
    for (int k = 0; k < 2; k++) end[2 * i + k] = first + d->end[i][k];
}

pl_status motif_make(const pl_spec *spec, graph_set *out) {
  graph_set s = {.alternatives = 1};
  const int64_t count[] = {spec->common.samples, spec->common.validation, spec->common.test};
  int64_t nodes = nodes_of(spec), g = 0;
  PL_TRY(motif_shape(spec, &s.shape));
  for (int p = 0; p < PL_NUM_PARTS; p++) s.graphs += count[p];
  s.nodes = s.graphs * nodes;
  s.start = pl_zalloc((size_t)s.graphs + 1, sizeof *s.start, "graphs");
  s.feature = pl_zalloc((size_t)(s.nodes * TYPES), sizeof *s.feature, "types of nodes");
  s.label = pl_alloc((size_t)s.graphs, sizeof *s.label, "classes");
  s.split = pl_alloc((size_t)s.graphs, sizeof *s.split, "parts of the data");
  s.truth = pl_alloc((size_t)s.nodes, sizeof *s.truth, "motifs");
  drawn *d = pl_alloc(1, sizeof *d, "a graph");
  graph_edges e = {0};
  int64_t *end = pl_alloc((size_t)(2 * (nodes + nodes / 4) * s.graphs), sizeof *end, "edges");
  d->nodes = nodes;
  for (int p = 0; p < PL_NUM_PARTS; p++)
    for (int64_t i = 0; i < count[p]; i++, g++) {
      draw(spec, g, d);
      put(&s, g, d, end + 2 * e.num);
      s.split[g] = (int8_t)p;
      e.num += d->edges;
    }
  e.end = end;
  pl_status st = graph_set_join(&s, &e);
  pl_require(!st);
  pl_free(d);
  pl_free(end);
  *out = s;
  return PL_OK;
}

static const pl_keys *const keys[] = {&pl_size_keys, &motif_keys, NULL};
static const pl_default defaults[] = {{"data.samples", "1500"}, {NULL, NULL}};

const pl_data_kind pl_data_motif = {
    .name = "motif",
    .help = "random sparse graphs with a planted motif, or a broken one",
    .keys = keys,
    .defaults = defaults,
    .write_data = graph_set_write};
