#include "graph_set.h"

#include "base/mem.h"
#include "nets/graph/data.h"

#include <string.h>

void graph_set_fini(graph_set *s) {
  pl_free(s->start);
  pl_free(s->feature);
  pl_free(s->row);
  pl_free(s->neighbour);
  pl_free(s->edge);
  pl_free(s->label);
  pl_free(s->split);
  pl_free(s->truth);
  *s = (graph_set){0};
}

/* ---- edges ---- */

static int64_t graph_of(const graph_set *s, int64_t node) {
  int64_t low = 0, high = s->graphs;
  while (high - low > 1) {
    int64_t middle = (low + high) / 2;
    if (s->start[middle] <= node)
      low = middle;
    else
      high = middle;
  }
  return low;
}

static pl_status check_edge(const graph_set *s, int64_t i, int64_t u, int64_t v) {
  long long at = (long long)i, from = (long long)u, to = (long long)v;
  if (u < 0 || v < 0 || u >= s->nodes || v >= s->nodes)
    return pl_error(PL_EINPUT, "edge[%lld] joins %lld and %lld, but nodes are 0 to %lld", at, from,
                    to, (long long)s->nodes - 1);
  if (u == v) return pl_error(PL_EINPUT, "edge[%lld] joins node %lld to itself", at, from);
  if (graph_of(s, u) != graph_of(s, v))
    return pl_error(PL_EINPUT, "edge[%lld] joins %lld and %lld, nodes of two graphs", at, from, to);
  return PL_OK;
}

/* Insertion of an entry among those of its row, which are few. */
static bool insert(graph_set *s, int64_t used, int64_t u, int64_t v, const double *feature) {
  int64_t width = s->shape.edge_features, at = s->row[u] + used;
  while (at > s->row[u] && s->neighbour[at - 1] > v) {
    s->neighbour[at] = s->neighbour[at - 1];
    if (s->edge)
      memcpy(s->edge + at * width, s->edge + (at - 1) * width, (size_t)width * sizeof *s->edge);
    at--;
  }
  if (at > s->row[u] && s->neighbour[at - 1] == v) return false;
  s->neighbour[at] = (int32_t)v;
  if (s->edge) memcpy(s->edge + at * width, feature, (size_t)width * sizeof *s->edge);
  return true;
}

pl_status graph_set_join(graph_set *s, const graph_edges *e) {
  int64_t width = s->shape.edge_features, *used;
  s->entries = 2 * e->num;
  s->row = pl_zalloc((size_t)s->nodes + 1, sizeof *s->row, "edges");
  for (int64_t i = 0; i < e->num; i++) {
    PL_TRY(check_edge(s, i, e->end[2 * i], e->end[2 * i + 1]));
    for (int k = 0; k < 2; k++) s->row[e->end[2 * i + k] + 1]++;
  }
  for (int64_t i = 0; i < s->nodes; i++) s->row[i + 1] += s->row[i];
  s->neighbour = pl_alloc((size_t)s->entries, sizeof *s->neighbour, "edges");
  if (width > 0) s->edge = pl_alloc((size_t)(s->entries * width), sizeof *s->edge, "edges");
  used = pl_zalloc((size_t)s->nodes, sizeof *used, "edges");
  pl_status st = PL_OK;
  for (int64_t i = 0; i < e->num && !st; i++) {
    int64_t u = e->end[2 * i], v = e->end[2 * i + 1];
    const double *feature = e->feature ? e->feature + i * width : NULL;
    if (!insert(s, used[u]++, u, v, feature) || !insert(s, used[v]++, v, u, feature))
      st = pl_error(PL_EINPUT, "edge[%lld] joins %lld and %lld, as one before it does",
                    (long long)i, (long long)u, (long long)v);
  }
  pl_free(used);
  return st;
}

/* ---- over a team ---- */

/* n numbers of size bytes; present: on rank 0. */
static void *share(const pl_comm *team, void *from, int64_t n, size_t size) {
  int here = from != NULL;
  pl_comm_bcast(team, &here, sizeof here, 0);
  if (!here) return NULL;
  void *to = team->rank == 0 ? from : pl_alloc((size_t)n, size, "graphs");
  pl_comm_bcast(team, to, (size_t)n * size, 0);
  return to;
}

void graph_set_share(graph_set *s, const pl_comm *team) {
  int64_t n[] = {s->graphs, s->nodes, s->entries, s->alternatives};
  pl_comm_bcast(team, &s->shape, sizeof s->shape, 0);
  pl_comm_bcast(team, n, sizeof n, 0);
  s->graphs = n[0], s->nodes = n[1], s->entries = n[2], s->alternatives = n[3];
  s->start = share(team, s->start, s->graphs + 1, sizeof *s->start);
  s->feature = share(team, s->feature, s->nodes * s->shape.features, sizeof *s->feature);
  s->row = share(team, s->row, s->nodes + 1, sizeof *s->row);
  s->neighbour = share(team, s->neighbour, s->entries, sizeof *s->neighbour);
  s->edge = share(team, s->edge, s->entries * s->shape.edge_features, sizeof *s->edge);
  s->label = share(team, s->label, s->graphs, sizeof *s->label);
  s->split = share(team, s->split, s->graphs, sizeof *s->split);
  s->truth = share(team, s->truth, s->nodes * s->alternatives, sizeof *s->truth);
}

/* ---- parts ---- */

int64_t *graph_set_members(const graph_set *s, pl_part part, int64_t *n) {
  int64_t *member = pl_alloc((size_t)s->graphs, sizeof *member, "graphs of a part");
  *n = 0;
  for (int64_t g = 0; g < s->graphs; g++)
    if (s->split[g] == (int8_t)part) member[(*n)++] = g;
  return member;
}

/* ---- the kinds ---- */

const pl_data_kind *const pl_gcn_data_kinds[] = {&pl_data_motif, &pl_data_molecules, NULL};

pl_status graph_set_shape(const pl_spec *spec, graph_shape *out) {
  return spec->data == &pl_data_motif ? motif_shape(spec, out) : molecules_shape(spec, out);
}

pl_status graph_set_make(const pl_spec *spec, graph_set *out) {
  return spec->data == &pl_data_motif ? motif_make(spec, out) : molecules_make(spec, out);
}
