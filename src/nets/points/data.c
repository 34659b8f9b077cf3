#include "nets/points/data.h"

#include "base/mem.h"
#include "file.h"

const pl_data_kind *const pl_points_data_kinds[] = {&pl_data_nbody.base, &pl_data_graphs.base,
                                                    &pl_data_points_molecules.base,
                                                    &pl_data_points_file.base, NULL};
const pl_data_kind *const pl_points_body_kinds[] = {
    &pl_data_nbody.base, &pl_data_points_molecules.base, &pl_data_points_file.base, NULL};
const pl_data_kind *const pl_points_plain_kinds[] = {&pl_data_nbody.base, &pl_data_graphs.base,
                                                     &pl_data_points_file.base, NULL};

static const pl_points_data *kind_of(const pl_spec *spec) {
  return (const pl_points_data *)spec->data;
}

pl_status pl_points_shape_of(const pl_spec *spec, pl_points_shape *out) {
  return kind_of(spec)->shape(spec, out);
}

/* ---- parts ---- */

void pl_points_part_init(pl_points_part *p, const pl_points_shape *s, int64_t num,
                         const int64_t *start, bool positions, bool y) {
  *p = (pl_points_part){.num = num};
  p->start = pl_zalloc((size_t)num + 1, sizeof *p->start, "starts of samples");
  p->pair_start = pl_zalloc((size_t)num + 1, sizeof *p->pair_start, "starts of samples");
  for (int64_t i = 0; i < num; i++) {
    int64_t n = start[i + 1] - start[i];
    p->start[i + 1] = p->start[i] + n;
    p->pair_start[i + 1] = p->pair_start[i] + n * (n - 1);
  }
  size_t nodes = (size_t)pl_points_nodes(p), coordinates = nodes * (size_t)s->dimension;
  if (positions) p->x = pl_zalloc(coordinates, sizeof *p->x, "positions");
  switch (s->task) {
  case PL_POINTS_POSITIONS:
    p->v = pl_zalloc(coordinates, sizeof *p->v, "velocities");
    p->charge = pl_zalloc(nodes, sizeof *p->charge, "charges");
    if (y) p->y = pl_zalloc(coordinates, sizeof *p->y, "targets");
    break;
  case PL_POINTS_ADJACENCY:
    p->edge = pl_zalloc((size_t)pl_points_pairs(p), sizeof *p->edge, "edges");
    break;
  case PL_POINTS_PROPERTY:
    p->element = pl_zalloc(nodes, sizeof *p->element, "elements");
    if (y) p->y = pl_zalloc((size_t)num, sizeof *p->y, "targets");
  }
}

void pl_points_part_fini(pl_points_part *p) {
  pl_free(p->start);
  pl_free(p->pair_start);
  pl_free(p->x);
  pl_free(p->v);
  pl_free(p->charge);
  pl_free(p->edge);
  pl_free(p->element);
  pl_free(p->y);
  *p = (pl_points_part){0};
}

void pl_points_fini(pl_points *p) {
  for (int k = 0; k < PL_NUM_PARTS; k++) pl_points_part_fini(&p->part[k]);
  *p = (pl_points){0};
}

void pl_points_average(pl_points_shape *s, const pl_points_part *p) {
  s->nodes = p->num ? (double)pl_points_nodes(p) / (double)p->num : 0;
  s->pairs = p->num ? (double)pl_points_pairs(p) / (double)p->num : 0;
}

/* ---- to all ranks ---- */

static void share_array(const pl_comm *team, void *x, int64_t n, size_t size) {
  if (x) pl_comm_bcast(team, x, (size_t)n * size, 0);
}

static void share_part(const pl_comm *team, const pl_points_shape *s, pl_points_part *p) {
  int64_t head[] = {p->num, p->x != NULL, p->y != NULL}, *start = p->start;
  pl_comm_bcast(team, head, sizeof head, 0);
  if (team->rank != 0) start = pl_alloc((size_t)head[0] + 1, sizeof *start, "starts of samples");
  pl_comm_bcast(team, start, ((size_t)head[0] + 1) * sizeof *start, 0);
  if (team->rank != 0) {
    pl_points_part_init(p, s, head[0], start, head[1], head[2]);
    pl_free(start);
  }
  int64_t nodes = pl_points_nodes(p), coordinates = nodes * s->dimension;
  share_array(team, p->x, coordinates, sizeof *p->x);
  share_array(team, p->v, coordinates, sizeof *p->v);
  share_array(team, p->charge, nodes, sizeof *p->charge);
  share_array(team, p->edge, pl_points_pairs(p), sizeof *p->edge);
  share_array(team, p->element, nodes, sizeof *p->element);
  share_array(team, p->y, s->task == PL_POINTS_POSITIONS ? coordinates : p->num, sizeof *p->y);
}

static void share(const pl_comm *team, pl_points *p) {
  if (team->size == 1) return;
  pl_comm_bcast(team, &p->shape, sizeof p->shape, 0);
  pl_comm_bcast(team, &p->mean, sizeof p->mean, 0);
  pl_comm_bcast(team, &p->deviation, sizeof p->deviation, 0);
  for (int k = 0; k < PL_NUM_PARTS; k++) share_part(team, &p->shape, &p->part[k]);
}

/* From rank 0, where st is what became of it, to all. */
static pl_status spread(const pl_comm *team, pl_status st, pl_points *out) {
  /* Parts that were never filled are parts without samples. */
  for (int k = 0; k < PL_NUM_PARTS && team->rank == 0 && !st; k++)
    if (!out->part[k].start) pl_points_part_init(&out->part[k], &out->shape, 0, NULL, true, true);
  st = pl_agree(team, st);
  if (st)
    pl_points_fini(out);
  else
    share(team, out);
  return st;
}

pl_status pl_points_init(const pl_spec *spec, const pl_comm *team, pl_points *out) {
  pl_status st = PL_OK;
  *out = (pl_points){.deviation = 1};
  if (team->rank == 0) st = pl_points_shape_of(spec, &out->shape);
  if (team->rank == 0 && !st) st = kind_of(spec)->make(spec, out);
  return spread(team, st, out);
}

pl_status pl_points_open(const pl_nc *nc, const pl_comm *team, const pl_points_shape *want,
                         pl_points *out) {
  *out = (pl_points){.shape = *want, .deviation = 1};
  return spread(team, nc ? points_file_open(nc, out) : PL_OK, out);
}

pl_status pl_points_write(const pl_spec *spec, const pl_comm *team, const char *path,
                          const pl_attribute *attributes, int num) {
  pl_points p;
  PL_TRY(pl_points_init(spec, team, &p));
  pl_status st = team->rank == 0 ? points_file_write(&p, path, attributes, num) : PL_OK;
  pl_points_fini(&p);
  return pl_agree(team, st);
}
