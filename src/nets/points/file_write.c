#include "base/mem.h"
#include "file.h"
#include "model/split.h"

/* Nodes of every sample, 0 where they differ. */
static int64_t even(int64_t num, const int64_t *start) {
  int64_t n = num ? start[1] - start[0] : 0;
  for (int64_t i = 0; i < num; i++)
    if (start[i + 1] - start[i] != n) return 0;
  return n;
}

/* Particles stand on (sample, node) where they can. */
static int64_t box(pl_points_task task, int64_t num, const int64_t *start) {
  return task == PL_POINTS_POSITIONS ? even(num, start) : 0;
}

pl_status points_file_dims(pl_nc *nc, pl_points_task task, int64_t num, const int64_t *start) {
  const points_names *n = points_names_of(task);
  const char *dims[] = {n->start, NULL};
  int64_t side = box(task, num, start);
  PL_TRY(pl_nc_def_dim(nc, n->sample, num));
  PL_TRY(pl_nc_def_dim(nc, n->node, side ? side : start[num]));
  if (side) return PL_OK;
  PL_TRY(pl_nc_def_dim(nc, n->start, num + 1));
  return pl_nc_def_var(nc, n->start, PL_NC_INT64, dims,
                       "number of the first node of each, and of all nodes", "1");
}

void points_node_dims(pl_points_task task, int64_t num, const int64_t *start, const char *more,
                      const char **dims) {
  const points_names *n = points_names_of(task);
  if (box(task, num, start)) *dims++ = n->sample;
  *dims++ = n->node;
  if (more) *dims++ = more;
  *dims = NULL;
}

pl_status points_put_starts(pl_nc *nc, pl_points_task task, int64_t num, const int64_t *start) {
  if (box(task, num, start)) return PL_OK;
  return pl_nc_put_ints(nc, points_names_of(task)->start, NULL, NULL, start);
}

/* ---- all parts as one ---- */

static int64_t joined(const pl_points *p, pl_points_part *all) {
  int64_t num = 0, *start, at = 0;
  for (int k = 0; k < PL_NUM_PARTS; k++) num += p->part[k].num;
  start = all->start = pl_zalloc((size_t)num + 1, sizeof *start, "starts of samples");
  all->num = num;
  for (int k = 0; k < PL_NUM_PARTS; k++)
    for (int64_t i = 0; i < p->part[k].num; i++, at++)
      start[at + 1] = start[at] + p->part[k].start[i + 1] - p->part[k].start[i];
  return num;
}

/* Edges u < v of a part, their nodes counted from `base`, into end (NULL: only counted). */
static int64_t list_edges(const pl_points_part *p, int64_t base, int64_t *end) {
  int64_t count = 0;
  for (int64_t g = 0; g < p->num; g++) {
    int64_t first = p->start[g], n = p->start[g + 1] - first;
    for (int64_t i = 0; i < n; i++)
      for (int64_t j = i + 1; j < n; j++) {
        if (!p->edge[p->pair_start[g] + i * (n - 1) + j - 1]) continue;
        if (end) end[2 * count] = base + first + i, end[2 * count + 1] = base + first + j;
        count++;
      }
  }
  return count;
}

static pl_status define(pl_nc *nc, const pl_points *p, const pl_points_part *all, int64_t edges,
                        const pl_attribute *attributes, int num) {
  const pl_points_shape *s = &p->shape;
  const char *sample[] = {points_names_of(s->task)->sample, NULL}, *of_axes[4], *of_nodes[4];
  bool positions = s->task != PL_POINTS_ADJACENCY || p->part[PL_TRAIN].x;
  points_node_dims(s->task, all->num, all->start, "axis", of_axes);
  points_node_dims(s->task, all->num, all->start, NULL, of_nodes);
  PL_TRY(points_file_dims(nc, s->task, all->num, all->start));
  if (positions) {
    PL_TRY(pl_nc_def_dim(nc, "axis", s->dimension));
    PL_TRY(pl_nc_def_var(nc, "position", PL_NC_DOUBLE, of_axes, "positions", "1"));
  }
  if (s->task == PL_POINTS_POSITIONS) {
    PL_TRY(pl_nc_def_var(nc, "velocity", PL_NC_DOUBLE, of_axes, "velocities", "1"));
    PL_TRY(pl_nc_def_var(nc, "charge", PL_NC_DOUBLE, of_nodes, "charges", "1"));
    PL_TRY(pl_nc_def_var(nc, "target", PL_NC_DOUBLE, of_axes, "positions to be predicted", "1"));
  } else if (s->task == PL_POINTS_ADJACENCY) {
    const char *dims[] = {"edges", "ends", NULL};
    PL_TRY(pl_nc_def_dim(nc, "edges", edges));
    PL_TRY(pl_nc_def_dim(nc, "ends", 2));
    PL_TRY(pl_nc_def_var(nc, "edge", PL_NC_INT64, dims, "nodes that an edge joins", "1"));
  } else {
    PL_TRY(pl_nc_def_var(nc, "number", PL_NC_INT, of_nodes, "number of the element", "1"));
    PL_TRY(pl_nc_def_var(nc, "target", PL_NC_DOUBLE, sample, "property to be predicted", "1"));
  }
  PL_TRY(pl_split_define(nc, sample[0]));
  for (int i = 0; i < num; i++)
    PL_TRY(pl_nc_att_text(nc, NULL, attributes[i].name, attributes[i].text));
  return pl_nc_end_def(nc);
}

/* Numbers of all parts one behind the other: n of a part at x. */
typedef struct column {
  const double *x;
  int64_t n;
} column;

static pl_status put(pl_nc *nc, const char *name, const column *part) {
  int64_t n = 0, at = 0;
  for (int k = 0; k < PL_NUM_PARTS; k++) n += part[k].n;
  double *all = pl_alloc((size_t)n, sizeof *all, name);
  for (int k = 0; k < PL_NUM_PARTS; k++)
    for (int64_t i = 0; i < part[k].n; i++) all[at++] = part[k].x[i];
  pl_status st = pl_nc_put_doubles(nc, name, NULL, NULL, all);
  pl_free(all);
  return st;
}

static pl_status put_edges(pl_nc *nc, const pl_points *p, int64_t edges) {
  int64_t *end = pl_alloc((size_t)edges, 2 * sizeof *end, "edges"), at = 0, base = 0;
  for (int k = 0; k < PL_NUM_PARTS; k++) {
    at += list_edges(&p->part[k], base, end + 2 * at);
    base += pl_points_nodes(&p->part[k]);
  }
  pl_status st = pl_nc_put_ints(nc, "edge", NULL, NULL, end);
  pl_free(end);
  return st;
}

static pl_status put_numbers(pl_nc *nc, const pl_points *p, int64_t nodes) {
  int64_t *number = pl_alloc((size_t)nodes, sizeof *number, "elements"), at = 0;
  for (int k = 0; k < PL_NUM_PARTS; k++)
    for (int64_t i = 0; i < pl_points_nodes(&p->part[k]); i++)
      number[at++] = p->shape.element[p->part[k].element[i]];
  pl_status st = pl_nc_put_ints(nc, "number", NULL, NULL, number);
  pl_free(number);
  return st;
}

static pl_status put_split(pl_nc *nc, const pl_points *p, int64_t num) {
  int64_t *split = pl_alloc((size_t)num, sizeof *split, "parts of the data"), at = 0;
  for (int k = 0; k < PL_NUM_PARTS; k++)
    for (int64_t i = 0; i < p->part[k].num; i++) split[at++] = k;
  pl_status st = pl_nc_put_ints(nc, "split", NULL, NULL, split);
  pl_free(split);
  return st;
}

static pl_status put_all(pl_nc *nc, const pl_points *p, const pl_points_part *all, int64_t edges) {
  pl_points_task task = p->shape.task;
  column x[PL_NUM_PARTS], v[PL_NUM_PARTS], charge[PL_NUM_PARTS], y[PL_NUM_PARTS];
  for (int k = 0; k < PL_NUM_PARTS; k++) {
    const pl_points_part *part = &p->part[k];
    int64_t nodes = pl_points_nodes(part), coordinates = nodes * p->shape.dimension;
    x[k] = (column){part->x, coordinates};
    v[k] = (column){part->v, coordinates};
    charge[k] = (column){part->charge, nodes};
    y[k] = (column){part->y, task == PL_POINTS_POSITIONS ? coordinates : part->num};
  }
  PL_TRY(points_put_starts(nc, task, all->num, all->start));
  PL_TRY(put_split(nc, p, all->num));
  if (task == PL_POINTS_ADJACENCY) {
    if (p->part[PL_TRAIN].x) PL_TRY(put(nc, "position", x));
    return put_edges(nc, p, edges);
  }
  PL_TRY(put(nc, "position", x));
  PL_TRY(put(nc, "target", y));
  if (task == PL_POINTS_PROPERTY) return put_numbers(nc, p, all->start[all->num]);
  PL_TRY(put(nc, "velocity", v));
  return put(nc, "charge", charge);
}

pl_status points_file_write(const pl_points *p, const char *path, const pl_attribute *attributes,
                            int num) {
  pl_nc *nc;
  pl_points_part all = {0};
  int64_t edges = 0;
  joined(p, &all);
  for (int k = 0; k < PL_NUM_PARTS && p->shape.task == PL_POINTS_ADJACENCY; k++)
    edges += list_edges(&p->part[k], 0, NULL);
  pl_status st = pl_nc_create(path, true, false, &nc);
  if (!st) {
    st = define(nc, p, &all, edges, attributes, num);
    if (!st) st = put_all(nc, p, &all, edges);
    pl_status closed = pl_nc_close(nc);
    if (!st) st = closed;
  }
  pl_free(all.start);
  return st;
}
