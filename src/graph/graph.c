#include "graph/graph.h"

#include "base/mem.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

void pl_edges_fini(pl_edges *e) {
  pl_free(e->end);
  pl_free(e->weight);
  *e = (pl_edges){0};
}

static double weight(const pl_edges *e, int64_t k) {
  return e->weight ? e->weight[k] : 1;
}

static pl_status check(int64_t nodes, const pl_edges *e) {
  for (int64_t k = 0; k < e->num; k++) {
    for (int side = 0; side < 2; side++)
      if (e->end[k][side] < 0 || e->end[k][side] >= nodes)
        return pl_error(PL_EINPUT, "edge(%lld, %d) is node %lld; nodes go from 0 to %lld",
                        (long long)k, side, (long long)e->end[k][side], (long long)nodes - 1);
    if (!(weight(e, k) >= 0) || isinf(weight(e, k)))
      return pl_error(PL_EINPUT, "weight(%lld) is %g; weights are finite and not negative",
                      (long long)k, weight(e, k));
  }
  return PL_OK;
}

/* The entries in any order within a row, each edge both ways. */
static pl_csr *scatter(int64_t nodes, const pl_edges *e) {
  int64_t *next = pl_zalloc((size_t)nodes + 1, sizeof *next, "places of edges");
  int64_t entries = 0;
  for (int64_t k = 0; k < e->num; k++) {
    int64_t u = e->end[k][0], v = e->end[k][1];
    next[u + 1]++;
    if (u != v) next[v + 1]++;
    entries += u == v ? 1 : 2;
  }
  pl_csr *a = pl_csr_new(nodes, nodes, entries);
  for (int64_t i = 0; i < nodes; i++) next[i + 1] += next[i];
  memcpy(a->start, next, ((size_t)nodes + 1) * sizeof *next);
  for (int64_t k = 0; k < e->num; k++)
    for (int side = 0; side < (e->end[k][0] == e->end[k][1] ? 1 : 2); side++) {
      int64_t at = next[e->end[k][side]]++;
      a->index[at] = (int32_t)e->end[k][1 - side];
      a->value[at] = weight(e, k);
    }
  pl_free(next);
  return a;
}

/* The list is searched again only to say where it goes wrong. */
static pl_status disagree(const pl_edges *e, int64_t u, int64_t v) {
  int64_t first = -1;
  for (int64_t k = 0; k < e->num; k++) {
    bool same =
        (e->end[k][0] == u && e->end[k][1] == v) || (e->end[k][0] == v && e->end[k][1] == u);
    if (same && first < 0) first = k;
    if (same && weight(e, k) != weight(e, first))
      return pl_error(PL_EINPUT,
                      "edge %lld is edge %lld again (nodes %lld and %lld), with weight "
                      "%g instead of %g",
                      (long long)k, (long long)first, (long long)u, (long long)v, weight(e, k),
                      weight(e, first));
  }
  return PL_EBUG;
}

/* Equal neighbours in rows become one, in place; false: not of equal weight, at (*u, *v). */
static bool merge(pl_csr *a, pl_graph_counts *c, int64_t *u, int64_t *v) {
  int64_t to = 0, k = 0;
  for (int64_t i = 0; i < a->rows; i++) {
    int64_t first = to, others = 0;
    for (int64_t end = a->start[i + 1]; k < end; k++) {
      int64_t j = a->index[k];
      if (to > first && a->index[to - 1] == j) {
        *u = i;
        *v = j;
        if (a->value[to - 1] != a->value[k]) return false;
        c->duplicates += j >= i;
        continue;
      }
      a->index[to] = (int32_t)j;
      a->value[to++] = a->value[k];
      c->edges += j > i;
      c->self_loops += j == i;
      others += j != i;
    }
    a->start[i] = first;
    c->isolated += !others;
  }
  a->start[a->rows] = to;
  return true;
}

pl_status pl_graph_new(int64_t nodes, const pl_edges *e, pl_graph_counts *counts, pl_csr **out) {
  if (nodes < 1 || nodes > INT32_MAX)
    return pl_error(PL_EINPUT, "a graph of %lld nodes; 1 to 2^31 - 1 are possible",
                    (long long)nodes);
  PL_TRY(check(nodes, e));
  pl_csr *any = scatter(nodes, e), *a = pl_csr_transpose(any); /* A^T = A, rows in order */
  pl_csr_free(any);
  pl_graph_counts c = {0};
  int64_t u, v;
  if (!merge(a, &c, &u, &v)) {
    pl_csr_free(a);
    return disagree(e, u, v);
  }
  if (c.duplicates) {
    a->index = pl_realloc(a->index, (size_t)pl_csr_entries(a), sizeof *a->index, "a graph");
    a->value = pl_realloc(a->value, (size_t)pl_csr_entries(a), sizeof *a->value, "a graph");
  }
  if (counts) *counts = c;
  *out = a;
  return PL_OK;
}

/* ---- operators ---- */

const char *pl_operator_name(pl_operator kind) {
  static const char *const name[PL_NUM_OPERATORS] = {"sym", "row", "none"};
  pl_require(kind >= 0 && kind < PL_NUM_OPERATORS);
  return name[kind];
}

static pl_csr *with_self_loops(const pl_csr *a, double self) {
  int64_t n = a->rows, to = 0;
  pl_csr *s = pl_csr_new(n, n, pl_csr_entries(a) + (self > 0 ? n : 0));
  for (int64_t i = 0; i < n; i++) {
    bool placed = !(self > 0);
    for (int64_t k = a->start[i]; k < a->start[i + 1]; k++) {
      if (!placed && a->index[k] >= i) {
        s->index[to] = (int32_t)i;
        s->value[to++] = self;
        placed = true;
        if (a->index[k] == i) {
          s->value[to - 1] += a->value[k];
          continue;
        }
      }
      s->index[to] = a->index[k];
      s->value[to++] = a->value[k];
    }
    if (!placed) {
      s->index[to] = (int32_t)i;
      s->value[to++] = self;
    }
    s->start[i + 1] = to;
  }
  return s;
}

pl_status pl_graph_operator(const pl_csr *a, pl_operator kind, double self, pl_csr **out) {
  pl_require(a->rows == a->cols && kind >= 0 && kind < PL_NUM_OPERATORS);
  if (!(self >= 0) || isinf(self))
    return pl_error(PL_EINPUT, "a self-loop weight of %g; it is finite and not negative", self);
  pl_csr *s = with_self_loops(a, self);
  double *degree = pl_zalloc((size_t)a->rows, sizeof *degree, "degrees");
  pl_status st = PL_OK;
  for (int64_t i = 0; !st && kind != PL_OPERATOR_NONE && i < a->rows; i++) {
    for (int64_t k = s->start[i]; k < s->start[i + 1]; k++) degree[i] += s->value[k];
    if (!(degree[i] > 0))
      st =
          pl_error(PL_EINPUT, "node %lld is isolated: operator %s needs a self-loop weight above 0",
                   (long long)i, pl_operator_name(kind));
  }
  for (int64_t i = 0; !st && kind == PL_OPERATOR_SYM && i < a->rows; i++)
    degree[i] = 1 / sqrt(degree[i]);
  for (int64_t i = 0; !st && kind != PL_OPERATOR_NONE && i < a->rows; i++)
    for (int64_t k = s->start[i]; k < s->start[i + 1]; k++)
      if (kind == PL_OPERATOR_SYM)
        s->value[k] *= degree[i] * degree[s->index[k]];
      else
        s->value[k] /= degree[i];
  pl_free(degree);
  if (st)
    pl_csr_free(s);
  else
    *out = s;
  return st;
}
