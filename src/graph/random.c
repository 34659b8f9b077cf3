#include "graph/random.h"

#include "base/mem.h"
#include "base/rng.h"

#include <math.h>
#include <stdlib.h>

enum { EDGES, CENTRES, FEATURES, PARTS }; /* members of PL_STREAM_GRAPH */

pl_status pl_block_model_check(const pl_block_model *m) {
  if (m->nodes < 1 || m->nodes > INT32_MAX)
    return pl_error(PL_EINPUT, "nodes: %lld; 1 to 2^31 - 1 are possible", (long long)m->nodes);
  if (m->blocks < 1 || m->blocks > m->nodes)
    return pl_error(PL_EINPUT, "blocks: %lld; at least 1 and at most the number of nodes",
                    (long long)m->blocks);
  if (!(m->p_in >= 0 && m->p_in <= 1))
    return pl_error(PL_EINPUT, "p_in: %g is no probability", m->p_in);
  if (!(m->p_out >= 0 && m->p_out <= 1))
    return pl_error(PL_EINPUT, "p_out: %g is no probability", m->p_out);
  if (m->features < 0 || m->features > INT32_MAX)
    return pl_error(PL_EINPUT, "features: %lld; 0 to 2^31 - 1 are possible",
                    (long long)m->features);
  if (!isfinite(m->signal)) return pl_error(PL_EINPUT, "signal: %g is not finite", m->signal);
  return PL_OK;
}

/* ---- edges ---- */

/* Where the next block begins. */
static int64_t block_end(const pl_block_model *m, int64_t node) {
  uint64_t b = (uint64_t)pl_block_of(m, node) + 1;
  unsigned __int128 n = (unsigned __int128)b * (uint64_t)m->nodes + (uint64_t)m->blocks - 1;
  return (int64_t)(n / (uint64_t)m->blocks);
}

/* Geometric number with success probability p: failures before the first success. */
static double gap(double p, double uniform) {
  return floor(log(uniform) / log1p(-p));
}

int64_t pl_block_model_row(const pl_block_model *m, uint64_t seed, int64_t node, int32_t *out) {
  int64_t count = 0, middle = block_end(m, node);
  uint64_t draw = (uint64_t)node << 32; /* a node has fewer than 2^31 pairs */
  for (int part = 0; part < 2; part++) {
    double p = part ? m->p_out : m->p_in;
    int64_t j = part ? middle : node + 1, end = part ? m->nodes : middle;
    while (p > 0 && j < end) {
      double skip = gap(p, pl_rng_uniform(seed, PL_STREAM(PL_STREAM_GRAPH, EDGES), draw++));
      if (!(skip < (double)(end - j))) break;
      j += (int64_t)skip;
      out[count++] = (int32_t)j++;
    }
  }
  return count;
}

pl_edges pl_block_model_edges(const pl_block_model *m, uint64_t seed) {
  int32_t *row = pl_alloc((size_t)m->nodes, sizeof *row, "neighbours");
  pl_edges e = {0};
  int64_t room = 0;
  for (int64_t i = 0; i < m->nodes; i++) {
    int64_t n = pl_block_model_row(m, seed, i, row);
    if (e.num + n > room) {
      room = 2 * (e.num + n);
      e.end = pl_realloc(e.end, (size_t)room, sizeof *e.end, "edges");
    }
    for (int64_t k = 0; k < n; k++, e.num++) {
      e.end[e.num][0] = i;
      e.end[e.num][1] = row[k];
    }
  }
  pl_free(row);
  return e;
}

/* ---- features ---- */

static void normalise(int64_t n, double *x) {
  double sum = 0;
  for (int64_t k = 0; k < n; k++) sum += x[k] * x[k];
  for (int64_t k = 0; k < n; k++) x[k] /= sqrt(sum);
}

static double *centres(const pl_block_model *m, uint64_t seed) {
  int64_t n = m->features;
  double *c = pl_alloc((size_t)(m->blocks * n), sizeof *c, "centres of blocks");
  pl_rng_normals(seed, PL_STREAM(PL_STREAM_GRAPH, CENTRES), 0, m->blocks * n, c);
  for (int64_t b = 0; b < m->blocks; b++) {
    double *x = c + b * n;
    normalise(n, x);
    /* Gram and Schmidt, twice: once leaves rounding of the first projections. */
    for (int64_t a = 0; m->blocks <= n && a < 2 * b; a++) {
      const double *y = c + a % b * n;
      double dot = 0;
      for (int64_t k = 0; k < n; k++) dot += x[k] * y[k];
      for (int64_t k = 0; k < n; k++) x[k] -= dot * y[k];
    }
    normalise(n, x);
  }
  return c;
}

void pl_block_model_features(const pl_block_model *m, uint64_t seed, double *out) {
  int64_t n = m->features;
  double *c = centres(m, seed);
  for (int64_t i = 0; i < m->nodes; i++) {
    const double *centre = c + pl_block_of(m, i) * n;
    pl_rng_normals(seed, PL_STREAM(PL_STREAM_GRAPH, FEATURES), i * n, n, out + i * n);
    for (int64_t k = 0; k < n; k++) out[i * n + k] += m->signal * centre[k];
  }
  pl_free(c);
}

/* ---- parts ---- */

typedef struct {
  uint64_t key;
  int64_t node;
} ticket;

static int earlier(const void *a, const void *b) {
  const ticket *x = a, *y = b;
  if (x->key != y->key) return x->key < y->key ? -1 : 1;
  return (x->node > y->node) - (x->node < y->node);
}

/* Nodes in an order of their own random numbers, whoever draws. */
static ticket *shuffle(int64_t nodes, uint64_t seed) {
  ticket *t = pl_alloc((size_t)nodes, sizeof *t, "nodes in random order");
  for (int64_t i = 0; i < nodes; i++) {
    uint64_t bits[2];
    pl_rng_bits(seed, PL_STREAM(PL_STREAM_GRAPH, PARTS), (uint64_t)i, bits);
    t[i] = (ticket){bits[0], i};
  }
  qsort(t, (size_t)nodes, sizeof *t, earlier);
  return t;
}

pl_status pl_split_draw(int64_t nodes, const int32_t *label, int64_t per_class, int64_t validation,
                        int64_t test, uint64_t seed, int8_t *part) {
  int64_t classes = 0, left[2] = {validation, test};
  for (int64_t i = 0; i < nodes; i++)
    if (label[i] >= classes) classes = (int64_t)label[i] + 1;
  int64_t *wanted = pl_alloc((size_t)classes, sizeof *wanted, "nodes of classes");
  int8_t *drawn = pl_alloc((size_t)nodes, sizeof *drawn, "parts");
  for (int64_t c = 0; c < classes; c++) wanted[c] = per_class;
  ticket *t = shuffle(nodes, seed);
  for (int64_t k = 0; k < nodes; k++) {
    int64_t i = t[k].node, c = label[i];
    drawn[i] = 3;
    if (c >= 0 && wanted[c] > 0) wanted[c]--, drawn[i] = 0;
  }
  for (int64_t k = 0; k < nodes; k++) {
    int64_t i = t[k].node;
    int which = left[0] > 0 ? 0 : 1;
    if (drawn[i] == 3 && label[i] >= 0 && left[which] > 0) {
      left[which]--;
      drawn[i] = (int8_t)(which + 1);
    }
  }
  pl_status st = PL_OK;
  for (int64_t c = 0; !st && c < classes; c++)
    if (wanted[c] > 0)
      st = pl_error(PL_EINPUT, "class %lld has %lld nodes, %lld are to be trained on", (long long)c,
                    (long long)(per_class - wanted[c]), (long long)per_class);
  if (!st && (left[0] > 0 || left[1] > 0))
    st = pl_error(PL_EINPUT, "too few nodes with a label: %lld validation and %lld test nodes lack",
                  (long long)left[0], (long long)left[1]);
  for (int64_t i = 0; !st && i < nodes; i++) part[i] = drawn[i];
  pl_free(t);
  pl_free(wanted);
  pl_free(drawn);
  return st;
}
