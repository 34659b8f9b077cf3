#include "nets/tensor/data.h"

#include "base/mem.h"

static const pl_tensor_data *kind_of(const pl_spec *spec) {
  return (const pl_tensor_data *)spec->data;
}

void pl_tensor_part_init(pl_tensor_part *p, int64_t num, int *points, bool targets,
                         bool of_points) {
  *p = (pl_tensor_part){.num = num, .points = points};
  p->matrix = pl_alloc((size_t)num + 1, sizeof *p->matrix, "samples");
  p->point = pl_alloc((size_t)num + 1, sizeof *p->point, "samples");
  p->matrix[0] = p->point[0] = 0;
  for (int64_t i = 0; i < num; i++) {
    p->matrix[i + 1] = p->matrix[i] + (int64_t)points[i] * points[i];
    p->point[i + 1] = p->point[i] + points[i];
  }
  p->w = pl_zalloc((size_t)p->matrix[num], sizeof *p->w, "samples");
  if (targets) p->y = pl_zalloc((size_t)(of_points ? p->point[num] : num), sizeof *p->y, "targets");
}

void pl_tensor_part_share(pl_tensor_part *p, bool of_points, const pl_comm *team) {
  pl_comm_bcast(team, p->w, (size_t)p->matrix[p->num] * sizeof *p->w, 0);
  if (p->y)
    pl_comm_bcast(team, p->y, (size_t)(of_points ? p->point[p->num] : p->num) * sizeof *p->y, 0);
}

static pl_status make_part(const pl_spec *spec, const pl_comm *team, pl_part part,
                           pl_tensors *out) {
  int64_t num = pl_data_count(spec, part);
  pl_comm_bcast(team, &num, sizeof num, 0);
  int *points = pl_zalloc((size_t)num, sizeof *points, "sizes of samples");
  pl_status st = PL_OK;
  if (team->rank == 0) st = kind_of(spec)->sizes(spec, part, num, &out->of_points, points);
  st = pl_agree(team, st);
  if (st) {
    pl_free(points);
    return st;
  }
  pl_comm_bcast(team, points, (size_t)num * sizeof *points, 0);
  pl_comm_bcast(team, &out->of_points, sizeof out->of_points, 0);
  pl_tensor_part *p = &out->part[part];
  pl_tensor_part_init(p, num, points, true, out->of_points);
  if (team->rank == 0) st = kind_of(spec)->samples(spec, part, p);
  st = pl_agree(team, st);
  if (!st) pl_tensor_part_share(p, out->of_points, team);
  return st;
}

pl_status pl_tensors_init(const pl_spec *spec, const pl_comm *team, pl_tensors *out) {
  *out = (pl_tensors){.up_to_sign = kind_of(spec)->up_to_sign && kind_of(spec)->up_to_sign(spec)};
  pl_status st = PL_OK;
  for (int p = 0; p < PL_NUM_PARTS && !st; p++) st = make_part(spec, team, (pl_part)p, out);
  if (st) pl_tensors_fini(out);
  return st;
}

void pl_tensors_fini(pl_tensors *d) {
  for (int p = 0; p < PL_NUM_PARTS; p++) {
    pl_free(d->part[p].points);
    pl_free(d->part[p].matrix);
    pl_free(d->part[p].point);
    pl_free(d->part[p].w);
    pl_free(d->part[p].y);
  }
  *d = (pl_tensors){0};
}
