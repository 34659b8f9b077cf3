#include "file.h"

#include "base/mem.h"
#include "base/nc_read.h"
#include "model/split.h"

#include <math.h>
#include <string.h>

static const points_names names[] = {
    [PL_POINTS_POSITIONS] = {"sample", "node", "sample_start"},
    [PL_POINTS_ADJACENCY] = {"graph", "node", "graph_start"},
    [PL_POINTS_PROPERTY] = {"molecule", "atom", "molecule_start"},
};

const points_names *points_names_of(pl_points_task task) {
  return &names[task];
}

static bool there(const pl_nc *nc, const char *name) {
  return pl_nc_var(nc, name, NULL, NULL, NULL, 0) >= 0;
}

static pl_status read_doubles(const pl_nc *nc, const char *name, int dims, pl_nc_axis *axes,
                              double *out) {
  pl_nc_input *in;
  PL_TRY(pl_nc_input_new(nc, name, PL_NC_REAL, dims, axes, &in));
  pl_status st = pl_nc_input_doubles(in, NULL, NULL, out);
  pl_nc_input_free(in);
  return st;
}

/* The lengths of axes are found; the caller frees *out. */
static pl_status read_ints(const pl_nc *nc, const char *name, int dims, pl_nc_axis *axes,
                           int64_t **out) {
  pl_nc_input *in;
  int64_t n = 1;
  *out = NULL;
  PL_TRY(pl_nc_input_new(nc, name, PL_NC_INTEGER, dims, axes, &in));
  for (int k = 0; k < dims; k++) n *= axes[k].length;
  *out = pl_alloc((size_t)n, sizeof **out, name);
  pl_status st = pl_nc_input_ints(in, NULL, NULL, *out);
  pl_nc_input_free(in);
  return st;
}

/* ---- samples and their nodes ---- */

/* Where samples begin, from NAME_start; nodes below 0: as many as it says. */
static pl_status read_starts(const pl_nc *nc, const char *name, int64_t nodes, int64_t *num,
                             int64_t **start) {
  pl_nc_axis axis = {NULL, -1, NULL};
  PL_TRY(read_ints(nc, name, 1, &axis, start));
  *num = axis.length - 1;
  const int64_t *at = *start;
  if (*num < 1 || at[0] != 0)
    return pl_error(PL_EINPUT,
                    "%s: %s: expected 0, then where each next sample begins, then the "
                    "number of nodes",
                    pl_nc_path(nc), name);
  for (int64_t i = 0; i < *num; i++)
    if (at[i + 1] <= at[i] || at[i + 1] - at[i] > 100000)
      return pl_error(PL_EINPUT, "%s: %s[%lld] is %lld after %lld: a sample has 1 to 100000 nodes",
                      pl_nc_path(nc), name, (long long)i + 1, (long long)at[i + 1],
                      (long long)at[i]);
  if (nodes >= 0 && at[*num] != nodes)
    return pl_error(PL_EINPUT, "%s: %s ends with %lld, and there are %lld nodes", pl_nc_path(nc),
                    name, (long long)at[*num], (long long)nodes);
  return PL_OK;
}

static int64_t *even_starts(int64_t num, int64_t nodes) {
  int64_t *start = pl_alloc((size_t)num + 1, sizeof *start, "starts of samples");
  for (int64_t i = 0; i <= num; i++) start[i] = i * nodes;
  return start;
}

/* Shape of position, on (sample, node, axis) or on (node, axis) with starts; it may be missing for
 * graphs. */
static pl_status read_layout(const pl_nc *nc, pl_points_shape *s, int64_t *num, int64_t **start) {
  const points_names *n = &names[s->task];
  int64_t shape[3] = {-1, -1, -1};
  int dims = pl_nc_var(nc, "position", NULL, NULL, shape, 3);
  if (s->task == PL_POINTS_ADJACENCY && dims < 0) return read_starts(nc, n->start, -1, num, start);
  bool even = dims == 3;
  pl_nc_axis axes[] = {{n->sample, -1, NULL}, {n->node, -1, NULL}, {"axis", -1, NULL}};
  pl_nc_input *in;
  PL_TRY(pl_nc_input_new(nc, "position", PL_NC_REAL, even ? 3 : 2, even ? axes : axes + 1, &in));
  pl_nc_input_free(in);
  s->dimension = axes[2].length;
  if (s->dimension < 1 || s->dimension > PL_POINTS_AXES)
    return pl_error(PL_EINPUT, "%s: position has %lld axes, 1 to %d are possible", pl_nc_path(nc),
                    (long long)s->dimension, PL_POINTS_AXES);
  if (!even) return read_starts(nc, n->start, axes[1].length, num, start);
  if (axes[0].length < 1 || axes[1].length < 1)
    return pl_error(PL_EINPUT, "%s: no samples", pl_nc_path(nc));
  *num = axes[0].length;
  *start = even_starts(*num, axes[1].length);
  return PL_OK;
}

/* name, a number for each node or, with axis, for each of its coordinates. */
static pl_status read_nodes(const pl_nc *nc, const pl_points_shape *s, const pl_points_part *p,
                            const char *name, bool axis, double *out) {
  const points_names *n = &names[s->task];
  bool even = pl_nc_var(nc, "position", NULL, NULL, NULL, 0) == 3;
  pl_nc_axis axes[3];
  int dims = 0;
  if (even) axes[dims++] = (pl_nc_axis){n->sample, p->num, NULL};
  axes[dims++] = (pl_nc_axis){n->node, even ? p->start[1] : pl_points_nodes(p), NULL};
  if (axis) axes[dims++] = (pl_nc_axis){"axis", s->dimension, NULL};
  return read_doubles(nc, name, dims, axes, out);
}

/* ---- what is known of them ---- */

/* Edges between nodes of one graph, both directions being set. */
static pl_status read_edges(const pl_nc *nc, pl_points_part *p) {
  pl_nc_axis axes[] = {{NULL, -1, NULL}, {NULL, 2, "the ends of an edge"}};
  int64_t *end, nodes = pl_points_nodes(p), *graph;
  pl_status st = read_ints(nc, "edge", 2, axes, &end);
  graph = pl_alloc((size_t)nodes, sizeof *graph, "graphs of nodes");
  for (int64_t g = 0; g < p->num; g++)
    for (int64_t i = p->start[g]; i < p->start[g + 1]; i++) graph[i] = g;
  for (int64_t e = 0; e < axes[0].length && !st; e++) {
    int64_t u = end[2 * e], v = end[2 * e + 1];
    if (u < 0 || v < 0 || u >= nodes || v >= nodes || u == v || graph[u] != graph[v]) {
      st = pl_error(PL_EINPUT,
                    "%s: edge %lld joins nodes %lld and %lld: expected two nodes of one "
                    "graph",
                    pl_nc_path(nc), (long long)e, (long long)u, (long long)v);
      break;
    }
    int64_t g = graph[u], first = p->start[g], n = p->start[g + 1] - first;
    p->edge[p->pair_start[g] + (u - first) * (n - 1) + (v - first) - (v > u)] = 1;
    p->edge[p->pair_start[g] + (v - first) * (n - 1) + (u - first) - (u > v)] = 1;
  }
  pl_free(graph);
  pl_free(end);
  return st;
}

static int find_element(const pl_points_shape *s, int64_t number) {
  for (int k = 0; k < s->elements; k++)
    if (s->element[k] == number) return k;
  return -1;
}

/* Elements of the file in increasing order, unless they are known. */
static pl_status list_elements(const pl_nc *nc, int64_t nodes, const int64_t *number,
                               pl_points_shape *s) {
  bool known = s->elements > 0;
  for (int64_t i = 0; i < nodes; i++) {
    if (number[i] < 1 || number[i] > 118)
      return pl_error(PL_EINPUT, "%s: number[%lld] is %lld, expected 1 to 118", pl_nc_path(nc),
                      (long long)i, (long long)number[i]);
    if (find_element(s, number[i]) >= 0) continue;
    if (known || s->elements == PL_POINTS_ELEMENTS)
      return pl_error(PL_EINPUT, "%s: number[%lld] is %lld, %s", pl_nc_path(nc), (long long)i,
                      (long long)number[i],
                      known ? "which the network has not been trained on" : "one element too many");
    int k = s->elements++;
    for (; k > 0 && s->element[k - 1] > number[i]; k--) s->element[k] = s->element[k - 1];
    s->element[k] = (int)number[i];
  }
  return PL_OK;
}

static pl_status read_elements(const pl_nc *nc, pl_points_shape *s, pl_points_part *p) {
  pl_nc_axis axis = {names[s->task].node, pl_points_nodes(p), NULL};
  int64_t *number;
  pl_status st = read_ints(nc, "number", 1, &axis, &number);
  if (!st) st = list_elements(nc, axis.length, number, s);
  for (int64_t i = 0; i < axis.length && !st; i++) p->element[i] = find_element(s, number[i]);
  pl_free(number);
  return st;
}

/* target(molecule), or column number `property` of target(molecule, property). */
static pl_status read_property(const pl_nc *nc, int64_t property, pl_points_part *p) {
  bool two = pl_nc_var(nc, "target", NULL, NULL, NULL, 0) == 2;
  pl_nc_axis axes[] = {{"molecule", p->num, NULL}, {"property", -1, NULL}};
  pl_nc_input *in;
  PL_TRY(pl_nc_input_new(nc, "target", PL_NC_REAL, two ? 2 : 1, axes, &in));
  int64_t start[] = {0, property}, count[] = {p->num, 1}, most = two ? axes[1].length : 1;
  pl_status st = property < most
                     ? pl_nc_input_doubles(in, start, count, p->y)
                     : pl_error(PL_EINPUT, "%s: target has %lld properties, number %lld is wanted",
                                pl_nc_path(nc), (long long)most, (long long)property);
  pl_nc_input_free(in);
  return st;
}

pl_status points_file_read(const pl_nc *nc, bool targets, pl_points_shape *s, pl_points_part *all,
                           int64_t **split) {
  int64_t num = 0, *start = NULL;
  *all = (pl_points_part){0};
  *split = NULL;
  s->task = there(nc, "number") ? PL_POINTS_PROPERTY
            : there(nc, "edge") ? PL_POINTS_ADJACENCY
                                : PL_POINTS_POSITIONS;
  pl_status st = read_layout(nc, s, &num, &start);
  bool positions = there(nc, "position"), y = targets || there(nc, "target");
  if (!st) pl_points_part_init(all, s, num, start, positions, y);
  pl_free(start);
  if (!st && there(nc, "split"))
    st = pl_split_read(nc, (pl_nc_axis){names[s->task].sample, num, NULL}, split);
  if (!st && positions) st = read_nodes(nc, s, all, "position", true, all->x);
  if (st) return st;
  pl_points_average(s, all);
  switch (s->task) {
  case PL_POINTS_POSITIONS:
    PL_TRY(read_nodes(nc, s, all, "velocity", true, all->v));
    PL_TRY(read_nodes(nc, s, all, "charge", false, all->charge));
    return y ? read_nodes(nc, s, all, "target", true, all->y) : PL_OK;
  case PL_POINTS_ADJACENCY:
    return read_edges(nc, all);
  default:
    PL_TRY(read_elements(nc, s, all));
    return y ? read_property(nc, s->property, all) : PL_OK;
  }
}

/* ---- choosing samples ---- */

static void copy(void *to, int64_t at, const void *from, int64_t first, int64_t n, size_t size) {
  if (to)
    memcpy((char *)to + (size_t)at * size, (const char *)from + (size_t)first * size,
           (size_t)n * size);
}

void points_take(const pl_points_shape *s, const pl_points_part *all, int64_t num,
                 const int64_t *index, pl_points_part *out) {
  int64_t *start = pl_zalloc((size_t)num + 1, sizeof *start, "starts of samples"), d = s->dimension;
  for (int64_t i = 0; i < num; i++)
    start[i + 1] = start[i] + all->start[index[i] + 1] - all->start[index[i]];
  pl_points_part_init(out, s, num, start, all->x != NULL, all->y != NULL);
  pl_free(start);
  bool each = s->task == PL_POINTS_POSITIONS; /* a target for every coordinate, or one a sample */
  for (int64_t i = 0; i < num; i++) {
    int64_t k = index[i], to = out->start[i], from = all->start[k], n = out->start[i + 1] - to;
    copy(out->x, to * d, all->x, from * d, n * d, sizeof *out->x);
    copy(out->v, to * d, all->v, from * d, n * d, sizeof *out->v);
    copy(out->charge, to, all->charge, from, n, sizeof *out->charge);
    copy(out->element, to, all->element, from, n, sizeof *out->element);
    copy(out->edge, out->pair_start[i], all->edge, all->pair_start[k], n * (n - 1),
         sizeof *out->edge);
    copy(out->y, each ? to * d : i, all->y, each ? from * d : k, each ? n * d : 1, sizeof *out->y);
  }
}

static void scale_of(pl_points *p) {
  const pl_points_part *train = &p->part[PL_TRAIN];
  if (p->shape.task != PL_POINTS_PROPERTY || !train->y || train->num == 0) return;
  double sum = 0, far = 0;
  for (int64_t i = 0; i < train->num; i++) sum += train->y[i];
  p->mean = sum / (double)train->num;
  for (int64_t i = 0; i < train->num; i++) far += fabs(train->y[i] - p->mean);
  p->deviation = far > 0 ? far / (double)train->num : 1;
}

void points_divide(const pl_points_part *all, const int64_t *split, pl_points *out) {
  int64_t *index = pl_alloc((size_t)all->num, sizeof *index, "samples of a part");
  for (int p = 0; p < PL_NUM_PARTS; p++) {
    int64_t num = 0;
    for (int64_t i = 0; i < all->num; i++)
      if (split ? split[i] == p : p == PL_TRAIN) index[num++] = i;
    points_take(&out->shape, all, num, index, &out->part[p]);
  }
  pl_free(index);
  scale_of(out);
}

pl_status points_file_open(const pl_nc *nc, pl_points *out) {
  const pl_points_shape want = out->shape;
  int64_t *split;
  /* A single property is the one that is meant, whatever column it once was. */
  if (pl_nc_var(nc, "target", NULL, NULL, NULL, 0) == 1) out->shape.property = 0;
  pl_status st = points_file_read(nc, false, &out->shape, &out->part[PL_TEST], &split);
  pl_free(split);
  if (st) return st;
  if (out->shape.task != want.task || out->shape.dimension != want.dimension)
    return pl_error(PL_EINPUT, "%s: %ss of dimension %lld, and the network takes %ss of %lld",
                    pl_nc_path(nc), names[out->shape.task].sample, (long long)out->shape.dimension,
                    names[want.task].sample, (long long)want.dimension);
  return PL_OK;
}
